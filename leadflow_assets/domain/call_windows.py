"""Rolling windows over one list of calls: may another be made, and if not, when.

A vendor with several limits keeps one list of timestamps and looks at it through each window; a call stops
counting when it is exactly as old as the window is long.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, order=True)
class Window:
    """At most ``calls`` calls in any ``length``."""

    length: timedelta
    calls: int

    @property
    def rate(self) -> str:
        """``5/min``, as CourtListener writes it; lengths it has no word for in seconds."""
        seconds = int(self.length.total_seconds())
        return f"{self.calls}/{_WORDS.get(seconds, f'{seconds} s')}"


_WORDS = {60: "min", 3600: "hour", 86400: "day"}


@dataclass(frozen=True)
class Wait:
    """No call before ``until``; ``window`` is the one that is full, None where the vendor said to wait."""

    until: datetime
    window: Window | None


def next_call(calls: Sequence[datetime], windows: Sequence[Window], now: datetime) -> Wait | None:
    """None: a call may be made now. Else when the last of the full windows has room again.

    ``calls`` in any order. Calls dated after ``now`` count: another host's clock may run ahead a little.
    """
    waits: list[Wait] = []
    for window in windows:
        counted = sorted(call for call in calls if call > now - window.length)
        if window.calls <= 0:
            waits.append(Wait(now + window.length, window))
        elif len(counted) >= window.calls:
            waits.append(Wait(counted[-window.calls] + window.length, window))
    return max(waits, key=lambda wait: wait.until, default=None)


def used(calls: Sequence[datetime], windows: Sequence[Window], now: datetime) -> dict[Window, int]:
    """How many calls each window holds."""
    return {window: sum(call > now - window.length for call in calls) for window in windows}


@dataclass(frozen=True)
class Correction:
    """What makes our list agree with the vendor's: calls to add, and places in our list to take out."""

    add: tuple[datetime, ...]
    remove: tuple[int, ...]


def correction(calls: Sequence[datetime], theirs: Mapping[timedelta, int], now: datetime) -> Correction:
    """How to change our list so that each window holds what the vendor says it used.

    The vendor says how many, not when. A call of which we know nothing is taken to be as young as the
    shorter windows allow, so that we never call too early; of ours that the vendor does not count, the
    oldest go first, and none that is younger than ten seconds: it may still be on its way.
    """
    left = sorted(range(len(calls)), key=lambda place: calls[place])
    added: list[datetime] = []
    removed: list[int] = []
    shorter = timedelta(0)
    for length in sorted(theirs):
        inside = [place for place in left if calls[place] > now - length]
        have = len(inside) + len(added)
        if have < theirs[length]:
            added += [now - shorter] * (theirs[length] - have)
        for place in inside:
            surplus = len(inside) + len(added) - theirs[length]
            if surplus <= 0 or calls[place] > now - max(shorter, _ON_ITS_WAY):
                break
            removed.append(place)
            inside = inside[1:]
            left.remove(place)
        shorter = length
    return Correction(tuple(added), tuple(removed))


_ON_ITS_WAY = timedelta(seconds=10)
