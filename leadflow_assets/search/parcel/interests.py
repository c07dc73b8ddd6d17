"""Legal interests on a parcel: easements, restrictions, rights of way; and the pieces of a TAX parcel."""

from __future__ import annotations

from leadflow_assets.domain.measures import SQUARE_FEET_PER_SQUARE_METRE
from leadflow_assets.lake import tables
from leadflow_assets.search.parcel import words as words
from leadflow_assets.search.parcel.lookup import Row, TownFiles
from leadflow_assets.search.parcel.model import Interest, Piece
from leadflow_assets.search.parcel.units import FEET_PER_METRE

# Two polygons that share a boundary still overlap by the last digit of their coordinates.
_LEAST_OVERLAP_M2 = 0.05
# Lot lines are drawn to about this: a thinner overlap may be no overlap on the ground.
_THIN_METRES = 0.6
_NEAR = """
FROM read_parquet($interests, hive_partitioning = false) AS i,
    (FROM read_parquet($parcels, hive_partitioning = false) WHERE loc_id = $loc_id) AS p
WHERE i.bbox.xmin <= p.bbox.xmax AND i.bbox.xmax >= p.bbox.xmin
    AND i.bbox.ymin <= p.bbox.ymax AND i.bbox.ymax >= p.bbox.ymin
    AND i.taxpar_id IS DISTINCT FROM $loc_id
"""
_OVERLAPS = f"""
WITH cut AS (
    SELECT i.* EXCLUDE (geometry, bbox, area_m2), p.area_m2 AS parcel_m2,
        ST_Intersection(i.geometry, p.geometry) AS part
    {_NEAR} AND ST_Intersects(i.geometry, p.geometry)
)
SELECT * EXCLUDE (part), ST_Area(part) AS overlap_m2, ST_Perimeter(part) AS edge_m FROM cut
WHERE overlap_m2 >= {_LEAST_OVERLAP_M2}
ORDER BY overlap_m2 DESC, interest_id
"""


def interests_on(files: TownFiles, loc_id: str) -> tuple[Interest, ...]:
    """Interests of the town that overlap the parcel, the largest overlap first."""
    interests = files.entries.get(tables.PARCEL_INTERESTS.name)
    if interests is None:
        return ()
    parcels = files.entries[tables.PARCELS.name]
    asked = {"parcels": files.file(parcels), "interests": files.file(interests), "loc_id": loc_id}
    if not files.query(f"SELECT 1 {_NEAR} LIMIT 1", **asked):
        return ()
    files.spatial()
    rows = files.query(_OVERLAPS, **asked)
    return tuple(_interest(row) for row in rows)


def _interest(row: Row) -> Interest:
    code = row["legal_type"]
    width = 2 * row["overlap_m2"] / row["edge_m"]
    thin = "so narrow an overlap may be an imprecision of the drawing" if width < _THIN_METRES else ""
    return Interest(
        interest_id=row["interest_id"],
        legal_type=code,
        meaning=words.LEGAL_TYPES.get(code) or row["legal_type_description"] or "not said in the source",
        overlap_sqft=round(row["overlap_m2"] * SQUARE_FEET_PER_SQUARE_METRE, 1),
        share_percent=round(100.0 * row["overlap_m2"] / row["parcel_m2"], 2) if row["parcel_m2"] else 0.0,
        mean_width_ft=round(width * FEET_PER_METRE, 1),
        map_par_id=row["map_par_id"],
        deed_book=row["ls_book"],
        deed_page=row["ls_page"],
        registry_id=row["reg_id"],
        geometry_repair=row["geometry_repair"],
        remark=thin,
    )


def pieces_of(files: TownFiles, loc_id: str) -> tuple[Piece, ...]:
    """The deeded pieces whose TAXPAR_ID names this parcel, by their id on the assessor's map."""
    rows = files.rows(
        tables.PARCEL_INTERESTS, "taxpar_id = $loc_id ORDER BY map_par_id, area_m2", loc_id=loc_id
    )
    return tuple(
        Piece(
            map_par_id=row["map_par_id"],
            area_sqft=round(row["area_m2"] * SQUARE_FEET_PER_SQUARE_METRE, 1),
            deed_book=row["ls_book"],
            deed_page=row["ls_page"],
            registry_id=row["reg_id"],
        )
        for row in rows
    )
