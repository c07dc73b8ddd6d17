"""Where a row lies: its parcel's outline from core/parcels, else its point, in metres or in degrees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from types import TracebackType
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from leadflow_assets.errors import StoreError
from leadflow_assets.lake.catalog import connect
from leadflow_assets.lake.geoparquet import CRS_EPSG
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.tables import PARCELS
from leadflow_assets.search.exports.formats import OutlineReader

Shapes = NDArray[Any]
Floats = NDArray[np.float64]
DECIMALS = 6  # about ten centimetres
SCALE = 10**DECIMALS
_SQL = """
SELECT town_id, loc_id, geometry FROM read_parquet(?, hive_partitioning = false)
SEMI JOIN wanted USING (town_id, loc_id)
"""


def parcel_outlines(lake: Lake, *, as_of: str | None = None) -> ParcelOutlines:
    """The outlines of one snapshot of core/parcels (``as_of``: a date or a time; None is now).

    Raises:
        UsageError: no such date.
    """
    return ParcelOutlines(lake, as_of)


class ParcelOutlines:
    """Reads outlines by parcel; opens no file but those of the towns that are asked for.

    A context manager: it holds a DuckDB connection of its own.
    """

    def __init__(self, lake: Lake, as_of: str | None = None) -> None:
        self._lake = lake
        self._snapshot = lake.snapshot(PARCELS, as_of)
        self._connection = connect(lake.settings)
        # The bytes as they are in the file: what comes out is WKB again.
        self._connection.execute("SET enable_geoparquet_conversion = false")

    def __call__(self, keys: Sequence[tuple[int, str]]) -> Mapping[tuple[int, str], bytes]:
        """WKB (EPSG:26986) by (town_id, loc_id); a parcel that is not there is left out.

        Raises:
            StoreError: a file of the lake cannot be read.
        """
        towns = sorted({town_id for town_id, _ in keys})
        entries = (self._snapshot.partitions.get(PARCELS.partition(town_id)) for town_id in towns)
        files = [self._lake.store.location(entry.data.path) for entry in entries if entry is not None]
        if not files:
            return {}
        town_ids, loc_ids = zip(*keys, strict=True)
        wanted = {"town_id": pa.array(town_ids, pa.int32()), "loc_id": pa.array(loc_ids, pa.string())}
        try:
            self._connection.register("wanted", pa.table(wanted))
            rows = self._connection.execute(_SQL, [files]).fetchall()
        except duckdb.Error as error:
            raise StoreError(
                f"The parcels of {len(files)} towns cannot be read from {self._lake.settings.lake_uri} "
                f"({type(error).__name__}).",
                "Run `leadflow doctor`.",
            ) from None
        return {(town_id, loc_id): wkb for town_id, loc_id, wkb in rows}

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def __enter__(self) -> ParcelOutlines:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def outline_shapes(batch: pa.RecordBatch, outlines: OutlineReader | None) -> Shapes:
    """The outline of each row's parcel (EPSG:26986 metres); None where there is none."""
    pairs = list(zip(batch.column("town_id").to_pylist(), batch.column("loc_id").to_pylist(), strict=True))
    shapes = np.full(len(pairs), None, dtype=object)
    if outlines is None:
        return shapes
    # A condominium's units share a parcel: its outline is read and parsed once.
    wanted = sorted({(town_id, loc_id) for town_id, loc_id in pairs if town_id is not None and loc_id})
    known = outlines(wanted)
    found = dict(zip(known, shapely.from_wkb(np.array(list(known.values()), dtype=object)), strict=True))
    for index, pair in enumerate(pairs):
        shapes[index] = found.get(pair)
    return shapes


def numbers(batch: pa.RecordBatch, name: str) -> Floats:
    """A column as floats, NaN where it is null."""
    return np.asarray(batch.column(name).cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


@cache
def _to_degrees() -> Transformer:
    return Transformer.from_crs(CRS_EPSG, 4326, always_xy=True)


def in_degrees(shapes: Shapes, decimals: int) -> Shapes:
    """Polygons of EPSG:26986 as longitude and latitude, rounded, outer rings counterclockwise (RFC 7946).

    A polygon that rounding broke is put on the grid by GEOS; one that vanishes there becomes None.
    """
    exact = shapely.transform(shapes, _degrees)
    rounded = shapely.transform(exact, lambda positions: np.round(positions, decimals))
    broken = np.flatnonzero(~shapely.is_valid(rounded) & ~shapely.is_missing(rounded))
    for index in broken:
        mended = shapely.set_precision(shapely.make_valid(exact[index]), 10.0**-decimals)
        polygons = [part for part in shapely.get_parts(mended) if part.geom_type == "Polygon"]
        rounded[index] = shapely.multipolygons(polygons) if polygons else None
    return np.asarray(shapely.orient_polygons(rounded, exterior_cw=False), dtype=object)


def _degrees(positions: Floats) -> Floats:
    return np.column_stack(_to_degrees().transform(positions[:, 0], positions[:, 1]))


def polygon_steps(origin: tuple[int, int], polygon: Any) -> list[list[int]]:
    """The rings of a polygon, the outer one first; the closing corner is left out."""
    rings: Shapes = shapely.get_rings(polygon)
    return [steps(origin, shapely.get_coordinates(ring)[:-1]) for ring in rings]


def steps(origin: tuple[int, int], positions: Floats) -> list[int]:
    """Positions as differences, the first one from the origin: half the digits."""
    whole = np.rint(positions * SCALE).astype(np.int64)
    steps: list[int] = np.diff(whole, axis=0, prepend=[origin]).ravel().tolist()
    return steps
