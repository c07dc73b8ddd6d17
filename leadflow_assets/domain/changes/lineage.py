"""Parcels followed by their ground: which became which, which were split, which were merged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two polygons of two releases that share ground; the shares are of each one's area, 0 to 1."""

    old: str
    new: str
    of_old: float
    of_new: float


@dataclass(frozen=True)
class Lineage:
    """``renamed`` maps an old LOC_ID to the one its ground has now; parts are sorted LOC_IDs.

    ``splits`` maps the old parcel to its parts, ``merges`` the new parcel to what it was made of. A parcel
    that keeps its LOC_ID as the rest of a split, or as the core of a merger, is one of the parts.
    """

    renamed: dict[str, str] = field(default_factory=dict)
    splits: dict[str, tuple[str, ...]] = field(default_factory=dict)
    merges: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def parts(self) -> frozenset[str]:
        """Every new parcel that is the part of a split."""
        return frozenset(part for parts in self.splits.values() for part in parts)

    @property
    def merged(self) -> frozenset[str]:
        """Every old parcel that went into a merger."""
        return frozenset(part for parts in self.merges.values() for part in parts)


def trace(
    overlaps: Iterable[Overlap], old: Collection[str], new: Collection[str], *, share: float
) -> Lineage:
    """What became of the parcels whose LOC_IDs are not in both releases.

    ``old`` and ``new`` are all LOC_IDs of each release. ``share`` is how much of a piece must lie in a
    parcel to come from it or to have gone into it; slivers of a new survey are less. Lots whose lines were
    only moved are neither split nor merged.
    """
    olds, news = frozenset(old), frozenset(new)
    into: dict[str, set[str]] = defaultdict(set)
    out_of: dict[str, set[str]] = defaultdict(set)
    both: dict[str, str] = {}
    for pair in overlaps:
        mostly_in_old, mostly_in_new = pair.of_new >= share, pair.of_old >= share
        if mostly_in_old and (pair.new not in olds or pair.new == pair.old):
            into[pair.old].add(pair.new)
        if mostly_in_new and (pair.old not in news or pair.new == pair.old):
            out_of[pair.new].add(pair.old)
        if mostly_in_old and mostly_in_new and pair.old not in news and pair.new not in olds:
            both[pair.old] = pair.new
    splits = {parcel: tuple(sorted(parts)) for parcel, parts in into.items() if len(parts) > 1}
    merges = {parcel: tuple(sorted(parts)) for parcel, parts in out_of.items() if len(parts) > 1}
    renamed = {one: other for one, other in both.items() if one not in splits and other not in merges}
    return Lineage(renamed, splits, merges)
