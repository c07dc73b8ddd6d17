"""Which parcel lies today where the property of a list lay when the list last saw it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from leadflow_assets.lake import tables
from leadflow_assets.lake.catalog import connect
from leadflow_assets.lake.lake import Lake
from leadflow_assets.state.saved_lists import Member


@dataclass(frozen=True)
class ParcelNow:
    """The parcel that lies now where a member's old point is; areas in square metres."""

    loc_id: str
    area: float
    old_area: float | None


ParcelsNow = Callable[[Sequence[Member]], Mapping[str, ParcelNow]]


def parcels_from_lake(lake: Lake, before: str | None) -> ParcelsNow:
    """Looks parcels up in core/parcels as it is now; the old areas as of ``before`` (a time)."""

    def parcels(members: Sequence[Member]) -> Mapping[str, ParcelNow]:
        towns = {member.town_id for member in members}
        now = _parcel_files(lake, towns, None)
        if not now:
            return {}
        old = _parcel_files(lake, towns, before) if before else []
        points = pa.Table.from_pydict(
            {
                "member_id": pa.array([m.property_id for m in members], pa.string()),
                "town": pa.array([m.town_id for m in members], pa.int32()),
                "old_loc": pa.array([m.loc_id for m in members], pa.string()),
                "x": pa.array([m.point_x for m in members], pa.float64()),
                "y": pa.array([m.point_y for m in members], pa.float64()),
            }
        )
        connection = connect(lake.settings)
        try:
            connection.register("__points", points)
            rows = connection.execute(_PARCELS_SQL, {"now": now, "old": old or now}).fetchall()
        finally:
            connection.close()
        return {row[0]: ParcelNow(row[1], row[2], row[3] if old else None) for row in rows}

    return parcels


# Taxed parcels before roads and water, the smallest first: condominium polygons may lie on a lot.
_PARCELS_SQL = """
WITH hits AS (
    SELECT m.member_id, m.town, m.old_loc, p.loc_id, p.area_m2
    FROM __points AS m
    JOIN read_parquet($now, hive_partitioning = false) AS p
      ON p.town_id = m.town AND m.x BETWEEN p.bbox.xmin AND p.bbox.xmax
     AND m.y BETWEEN p.bbox.ymin AND p.bbox.ymax AND ST_Contains(p.geometry, ST_Point(m.x, m.y))
    WHERE p.poly_type IN ('FEE', 'TAX')
    QUALIFY row_number() OVER (PARTITION BY m.member_id ORDER BY p.area_m2, p.loc_id) = 1
)
SELECT hits.member_id, hits.loc_id, hits.area_m2, old.area_m2
FROM hits LEFT JOIN read_parquet($old, hive_partitioning = false) AS old
  ON old.town_id = hits.town AND old.loc_id = hits.old_loc
"""


def _parcel_files(lake: Lake, towns: Collection[int], when: str | None) -> list[str]:
    partitions = lake.snapshot(tables.PARCELS, when).partitions
    wanted = [tables.PARCELS.partition(town_id) for town_id in sorted(towns)]
    paths = [partitions[name].data.path for name in wanted if name in partitions]
    # A version that `leadflow cleanup` took between the look at the log and now.
    return [lake.store.location(path) for path in paths if when is None or lake.store.exists(path)]
