"""Where a house number lies among the numbered parcels of its street. Pure arithmetic, in metres.

The rules are those of the fact sheet's section 6. Numbers of one parity stand on one side of a street, so a
missing number lies between its neighbours on the same side.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

# Neighbours further apart in number than this say nothing about what lies between them.
WIDEST_GAP = 40
# A wider range is a slip of the pen (12-1200); only its ends count.
WIDEST_RANGE = 100
Point = tuple[float, float]


@dataclass(frozen=True)
class Entry:
    """A parcel with its address: ``number`` to ``high`` (equal when it is no range; 0: no number).

    ``letter`` is the number's suffix. ``x``, ``y``: EPSG:26986 metres; ``lon``, ``lat``: degrees.
    """

    number: int
    high: int
    letter: str
    rear: bool
    off: bool
    has_unit: bool
    zip: str | None
    x: float
    y: float
    lon: float
    lat: float
    property_id: str

    @property
    def is_plain(self) -> bool:
        """Does it lie on the street itself, with a number?"""
        return self.number > 0 and not self.rear and not self.off

    def has_letter(self, letter: str) -> bool:
        """Is it this letter's parcel? ``-A`` is the number itself to A; ``A-C`` is A to C."""
        low, dash, high = self.letter.partition("-")
        return low <= letter <= high if dash else letter == low

    def covers(self, low: int, high: int) -> bool:
        """Does one of the numbers ``low`` to ``high`` (of one parity) belong to this parcel?"""
        if not self.number:
            return False
        if {self.number, self.high} & {low, high}:
            return True
        same_side = low % 2 in {self.number % 2, self.high % 2}
        overlaps = self.number <= high and low <= self.high
        return same_side and overlaps and self.high - self.number <= WIDEST_RANGE


@dataclass(frozen=True)
class Wanted:
    """The number asked for: ``low`` to ``high`` (0: none was given), its letter, and rear or off."""

    low: int
    high: int
    letter: str
    rear: bool
    off: bool


@dataclass(frozen=True)
class Placed:
    """A point and how it was found; ``doubt`` in metres: how far off it may be by the parcels' own layout.

    ``doubt_median`` is that for half of the cases, ``used`` the parcels it was made from, ``alike`` all
    parcels that answer equally well.
    """

    method: str
    x: float
    y: float
    lon: float
    lat: float
    doubt_median: float
    doubt: float
    used: tuple[Entry, ...]
    alike: tuple[Entry, ...]


def place(wanted: Wanted, entries: Sequence[Entry]) -> Placed:
    """The best point for a number among a street's entries (at least one).

    In this order: the parcel of that number; one with the number but another letter, or in the rear;
    between neighbours at most ``WIDEST_GAP`` numbers apart; the nearest number within that; the street.
    """
    if not wanted.low:
        return _middle(entries)
    named = [entry for entry in entries if entry.covers(wanted.low, wanted.high)]
    same_kind = [e for e in named if (e.rear, e.off) == (wanted.rear, wanted.off)]
    exact = [e for e in same_kind if e.letter == wanted.letter or e.has_letter(wanted.letter)]
    if exact:
        return _best("exact", exact, wanted)
    # A parcel "off" a street lies on another way: its number says nothing about the street's.
    alike = [entry for entry in named if entry.off == wanted.off or not entry.off]
    if alike:
        return _best("same_number", alike, wanted)
    return _between(wanted.low, entries) or _middle(entries)


def _best(method: str, entries: Sequence[Entry], wanted: Wanted) -> Placed:
    """The middle one of those that answer best: the unit asked for, then the number itself, then a range."""
    rank: Callable[[Entry], tuple[bool, bool, int]] = lambda e: (  # noqa: E731
        not e.has_unit,
        wanted.low not in (e.number, e.high),
        e.high - e.number,
    )
    first = min(map(rank, entries))
    alike = tuple(entry for entry in entries if rank(entry) == first)
    return _at_entry(method, _central(alike), alike)


def _between(number: int, entries: Sequence[Entry]) -> Placed | None:
    """The number between its neighbours of the same parity, or at the nearer one; None: too far from all."""
    ends = [(n, e) for e in entries if e.is_plain for n in {e.number, e.high}]
    ends = [end for end in ends if end[0] % 2 == number % 2] or ends
    below = max((n for n, _ in ends if n < number), default=None)
    above = min((n for n, _ in ends if n > number), default=None)
    if below is not None and above is not None and above - below <= WIDEST_GAP:
        # A number may stand on several parcels, even on two streets of one name: the closest pair counts.
        pairs = [(a, b) for n, a in ends if n == below for m, b in ends if m == above]
        a, b = min(pairs, key=lambda pair: _distance(*pair))
        share = (number - below) / (above - below)
        x, y, lon, lat = (
            (1 - share) * getattr(a, name) + share * getattr(b, name) for name in ("x", "y", "lon", "lat")
        )
        gap = _distance(a, b)
        return Placed("interpolated", x, y, lon, lat, 0.0, gap / 2, (a, b), (a, b))
    near = [n for n in (below, above) if n is not None and abs(n - number) <= WIDEST_GAP]
    if not near:
        return None
    nearest = min(near, key=lambda n: abs(n - number))
    alike = tuple(entry for n, entry in ends if n == nearest)
    return _at_entry("nearest_number", _central(alike), alike)


def _middle(entries: Sequence[Entry]) -> Placed:
    """The parcel nearest to the mean of the street's parcels."""
    alike = tuple(entry for entry in entries if not entry.off) or tuple(entries)
    return _at_entry("street", _central(alike), alike)


def _at_entry(method: str, entry: Entry, alike: tuple[Entry, ...]) -> Placed:
    distances = sorted(_distance(entry, other) for other in alike)
    return Placed(
        method,
        entry.x,
        entry.y,
        entry.lon,
        entry.lat,
        doubt_median=_quantile(distances, 0.5),
        doubt=_quantile(distances, 0.9),
        used=(entry,),
        alike=alike,
    )


def _central(entries: Iterable[Entry]) -> Entry:
    """The entry nearest to the mean of all; of equals the one with the lowest id."""
    known = list(entries)
    x = sum(entry.x for entry in known) / len(known)
    y = sum(entry.y for entry in known) / len(known)
    return min(known, key=lambda e: (round(math.hypot(e.x - x, e.y - y), 3), e.property_id))


def _distance(a: Entry, b: Entry) -> float:
    return math.hypot(a.x - b.x, a.y - b.y)


def _quantile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` of them do not exceed."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
