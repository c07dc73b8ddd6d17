"""The ground under two releases: which polygons share how much of it.

Only polygons whose LOC_ID is in one release alone are laid over the other release; the rest stayed.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely

from leadflow_assets.domain.changes import ChangeRules, Lineage, Overlap, trace
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.snapshots import PartitionEntry

_COLUMNS = ["loc_id", "poly_type", "geometry"]
_TAXED = pa.array(["FEE", "TAX"])
# Square metres; less is a sliver of two surveys.
_SLIVER = 1.0


def lineage(
    lake: Lake, before: PartitionEntry | None, after: PartitionEntry | None, rules: ChangeRules, folder: Path
) -> Lineage | None:
    """What became of the parcels of a town; None where the polygons of one release are not kept any more."""
    if before is None or after is None:
        return None
    old_ids, new_ids = (_loc_ids(lake, entry, folder) for entry in (before, after))
    if set(old_ids) == set(new_ids):
        return Lineage()
    old, new = (_polygons(lake, entry, folder) for entry in (before, after))
    return trace(_overlaps(old, new), old_ids, new_ids, share=rules.part_share)


def _path(lake: Lake, entry: PartitionEntry, folder: Path) -> Path:
    return lake.store.fetch(entry.data.path, folder)


def _loc_ids(lake: Lake, entry: PartitionEntry, folder: Path) -> list[str]:
    table = pq.read_table(_path(lake, entry, folder), columns=["loc_id", "poly_type"], partitioning=None)
    return [str(text) for text in table.filter(pc.is_in(table["poly_type"], _TAXED))["loc_id"].to_pylist()]


class _Polygons:
    """The taxed polygons of one release."""

    def __init__(self, table: pa.Table) -> None:
        self.ids = np.array(table["loc_id"].to_pylist(), dtype=object)
        shapes = shapely.from_wkb(np.array(table["geometry"].to_pylist(), dtype=object))
        bad = ~shapely.is_valid(shapes)
        shapes[bad] = shapely.make_valid(shapes[bad])
        self.shapes = shapes
        self.areas = shapely.area(shapes)


def _polygons(lake: Lake, entry: PartitionEntry, folder: Path) -> _Polygons:
    table = pq.read_table(_path(lake, entry, folder), columns=_COLUMNS, partitioning=None)
    return _Polygons(table.filter(pc.is_in(table["poly_type"], _TAXED)))


def _overlaps(old: _Polygons, new: _Polygons) -> list[Overlap]:
    """Every pair that shares ground and of which one is in its release alone, and the rests of these."""
    gone, came = _missing(old.ids, new.ids), _missing(new.ids, old.ids)
    at_old, at_new = shapely.STRtree(new.shapes).query(old.shapes[gone], predicate="intersects")
    pairs = {(int(gone[a]), int(b)) for a, b in zip(at_old, at_new, strict=True)}
    at_new, at_old = shapely.STRtree(old.shapes).query(new.shapes[came], predicate="intersects")
    pairs |= {(int(b), int(came[a])) for a, b in zip(at_new, at_old, strict=True)}
    # A parcel that kept its LOC_ID may be the rest of a split or the core of a merger.
    place = {loc_id: index for index, loc_id in enumerate(new.ids)}
    pairs |= {(o, place[old.ids[o]]) for o, _ in set(pairs) if old.ids[o] in place}
    place = {loc_id: index for index, loc_id in enumerate(old.ids)}
    pairs |= {(place[new.ids[n]], n) for _, n in set(pairs) if new.ids[n] in place}
    if not pairs:
        return []
    one, other = (np.array(side) for side in zip(*sorted(pairs), strict=True))
    shared = shapely.area(shapely.intersection(old.shapes[one], new.shapes[other]))
    kept = shared > _SLIVER
    one, other, shared = one[kept], other[kept], shared[kept]
    return [
        Overlap(str(old.ids[o]), str(new.ids[n]), float(a / old.areas[o]), float(a / new.areas[n]))
        for o, n, a in zip(one, other, shared, strict=True)
    ]


def _missing(
    ids: np.ndarray[tuple[int], np.dtype[np.object_]], others: Iterable[str]
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Places of the ids that are not among ``others``."""
    known = set(others)
    return np.array([place for place, loc_id in enumerate(ids) if loc_id not in known], dtype=np.int64)
