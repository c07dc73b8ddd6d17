"""The outlines around a parcel, for a drawing of where it lies."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

import duckdb
import shapely

from leadflow_assets.domain.towns import Town
from leadflow_assets.errors import StoreError
from leadflow_assets.lake import tables
from leadflow_assets.search.engine import Searcher
from leadflow_assets.search.parcel.lookup import open_town

# Houses across the street and at the next corner: enough to see where one is.
AROUND_METRES = 150.0
_NEAR = """
SELECT loc_id, poly_type, ST_AsWKB(geometry) AS geometry
FROM read_parquet($file, hive_partitioning = false)
WHERE bbox.xmin <= $east AND bbox.xmax >= $west AND bbox.ymin <= $north AND bbox.ymax >= $south
ORDER BY poly_type IN ('FEE', 'TAX'), loc_id
"""


@dataclass(frozen=True)
class Neighbour:
    """Another polygon of the town: EPSG:26986, metres; ``poly_type`` as in core/parcels."""

    loc_id: str
    poly_type: str
    outline: shapely.Geometry


def neighbours_of(
    searcher: Searcher,
    town: Town,
    loc_id: str,
    outline_wkb: bytes,
    *,
    as_of: str | None = None,
    metres: float = AROUND_METRES,
) -> tuple[Neighbour, ...]:
    """Polygons of the town that reach within ``metres`` of the parcel's box; streets and water first.

    ``searcher`` is of the same ``as_of``.

    Raises:
        NotHeldError: there is no data for the town.
        StoreError: the parcels cannot be read.
    """
    west, south, east, north = (float(edge) for edge in shapely.bounds(shapely.from_wkb(outline_wkb)))
    files = open_town(searcher, town, as_of)
    with closing(files.connection):
        try:
            rows = files.query(
                _NEAR,
                file=files.file(files.entries[tables.PARCELS.name]),
                west=west - metres,
                south=south - metres,
                east=east + metres,
                north=north + metres,
            )
        except duckdb.Error as error:
            raise StoreError(
                f"The parcels of {town.name} cannot be read ({type(error).__name__}).",
                "Run `leadflow doctor`.",
            ) from None
    return tuple(
        Neighbour(row["loc_id"], row["poly_type"], shapely.from_wkb(bytes(row["geometry"])))
        for row in rows
        if row["loc_id"] != loc_id
    )
