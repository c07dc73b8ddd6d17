"""Waiting for a window: announced before it begins, and ended when somebody wants to stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from leadflow_assets.domain.call_windows import Wait, Window
from leadflow_assets.enrich.courts.report import Stop
from leadflow_assets.sources.courtlistener.limiter import DAY, HOUR, MINUTE, CallLog

_NAMES = {MINUTE: "the minute's window", HOUR: "the hour's window", DAY: "the day's window"}
_SLICE_SECONDS = 1.0
# Shorter waits are over before they are read.
_WORTH_SAYING = timedelta(seconds=2)


class StopAsked(Exception):
    """Somebody wants to stop; what was fetched is kept."""


class AnnouncedCalls:
    """A list of calls that tells, in words, how long the next one has to wait and why."""

    def __init__(self, calls: CallLog, tell: Callable[[str], None]) -> None:
        self._calls = calls
        self._tell = tell

    def take(self, windows: Sequence[Window], now: datetime) -> str | Wait:
        """See :class:`CallLog`."""
        found = self._calls.take(windows, now)
        if isinstance(found, Wait) and found.until - now >= _WORTH_SAYING:
            self._tell(wait_in_words(found, now))
        return found

    def answered(self, call_id: str, now: datetime) -> None:
        """See :class:`CallLog`."""
        self._calls.answered(call_id, now)

    def forget(self, call_id: str) -> None:
        """See :class:`CallLog`."""
        self._calls.forget(call_id)

    def block(self, until: datetime) -> None:
        """See :class:`CallLog`."""
        self._calls.block(until)

    def correct(self, theirs: Mapping[timedelta, int], now: datetime) -> None:
        """See :class:`CallLog`."""
        self._calls.correct(theirs, now)

    def used(self, windows: Sequence[Window], now: datetime) -> Mapping[Window, int]:
        """See :class:`CallLog`."""
        return self._calls.used(windows, now)


def wait_in_words(wait: Wait, now: datetime) -> str:
    """``waits 40 s for the minute's window (5/min)``."""
    seconds = max((wait.until - now).total_seconds(), 1.0)
    shown = f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
    if wait.window is None:
        return f"waits {shown}, as CourtListener asks"
    return f"waits {shown} for {_NAMES.get(wait.window.length, 'a window')} ({wait.window.rate})"


def stoppable(sleep: Callable[[float], None], stop: Stop) -> Callable[[float], None]:
    """``sleep`` in slices, between which ``stop`` is asked.

    The function raises StopAsked where ``stop`` says so.
    """

    def slept(seconds: float) -> None:
        left = seconds
        while left > 0:
            if stop():
                raise StopAsked
            part = min(left, _SLICE_SECONDS)
            sleep(part)
            left -= part

    return slept
