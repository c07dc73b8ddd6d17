"""Writing tables as (Geo)Parquet, one way for all of them.

GeoParquet 1.1: WKB geometry, PROJJSON CRS, a bounding box column declared as covering, rows in Hilbert
order, zstd, row groups small enough to be skipped. Tables without geometry are written the same way.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from leadflow_assets.lake.publish import StagedFile, sha256_of
from leadflow_assets.lake.store import raise_for_disk
from leadflow_assets.lake.tables import SCHEMA_VERSION, Table

CRS_EPSG = 26986
ROW_GROUP_ROWS = 16_384
# One fixed box for the whole state, so that the order of one town fits that of its neighbour.
HILBERT_BOX = (30_000.0, 775_000.0, 335_000.0, 965_000.0)
Floats = NDArray[np.float64]


@cache
def crs_projjson() -> dict[str, Any]:
    """PROJJSON of EPSG:26986, as GeoParquet wants it."""
    return CRS.from_epsg(CRS_EPSG).to_json_dict()


def hilbert_order(x: Floats, y: Floats) -> NDArray[np.int64]:
    """Indices that put points (EPSG:26986 metres; NaN last) in Hilbert order; ties keep their order."""
    known = ~np.isnan(x)
    points = geopandas.GeoSeries(shapely.points(np.where(known, x, 0.0), np.where(known, y, 0.0)))
    distance = points.hilbert_distance(total_bounds=HILBERT_BOX).to_numpy().astype(np.int64)
    return np.argsort(np.where(known, distance, np.iinfo(np.int64).max), kind="stable")


def bbox_column(geometry: NDArray[Any]) -> pa.Array:
    """The bounding box struct of each geometry (shapely array); null for a missing one."""
    return _boxes(*shapely.bounds(geometry).T)


def point_boxes(x: Floats, y: Floats) -> pa.Array:
    """The bounding box struct of points; null where a coordinate is NaN."""
    return _boxes(x, y, x, y)


def _boxes(xmin: Floats, ymin: Floats, xmax: Floats, ymax: Floats) -> pa.Array:
    return pa.StructArray.from_arrays(
        [pa.array(values) for values in (xmin, ymin, xmax, ymax)],
        fields=[pa.field(name, pa.float64()) for name in ("xmin", "ymin", "xmax", "ymax")],
        mask=pa.array(np.isnan(xmin)),
    )


def point_wkb(x: Floats, y: Floats) -> pa.Array:
    """Points as WKB (little endian); null where a coordinate is NaN. Ten times faster than by objects."""
    layout = np.dtype([("order", "u1"), ("type", "<u4"), ("x", "<f8"), ("y", "<f8")])
    points = np.empty(len(x), layout)
    points["order"], points["type"], points["x"], points["y"] = 1, 1, x, y
    packed = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(layout.itemsize), len(x), [None, pa.py_buffer(points.tobytes())]
    )
    return pc.if_else(pa.array(np.isnan(x)), pa.scalar(None, pa.binary()), packed.cast(pa.binary()))


def geo_metadata(table: Table, bbox: tuple[float, ...] | None) -> bytes:
    """The ``geo`` key of GeoParquet 1.1 for a table with geometry."""
    column: dict[str, Any] = {
        "encoding": "WKB",
        "geometry_types": [table.geometry],
        "crs": crs_projjson(),
        "edges": "planar",
        "covering": {"bbox": {name: ["bbox", name] for name in ("xmin", "ymin", "xmax", "ymax")}},
    }
    if bbox is not None:
        column["bbox"] = list(bbox)
    return json.dumps(
        {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
    ).encode()


def write_parquet(
    path: Path,
    rows: pa.Table,
    table: Table,
    *,
    schema: pa.Schema | None = None,
    provenance: Mapping[str, str],
) -> StagedFile:
    """Write ``rows`` in their order to a finished, synced file.

    ``schema`` replaces the table's own (quarantined rows). ``provenance`` becomes file metadata under
    ``leadflow.*``: input hashes and code version.

    Raises:
        StoreError: the disk is full or not writable.
    """
    schema = schema or table.schema
    bbox = _bounds(rows) if "bbox" in schema.names else None
    metadata = {f"leadflow.{key}": value for key, value in provenance.items()}
    metadata |= {"leadflow.table": table.name, "leadflow.schema_version": SCHEMA_VERSION}
    encoded: dict[str, str | bytes] = dict(metadata)
    if "geometry" in schema.names:
        encoded["geo"] = geo_metadata(table, bbox)
    rows = rows.select(schema.names).cast(schema).replace_schema_metadata(encoded)
    try:
        path.unlink(missing_ok=True)  # an earlier file may be linked into the lake: never write through it
        pq.write_table(
            rows,
            path,
            row_group_size=ROW_GROUP_ROWS,
            compression="zstd",
            compression_level=1,
            # Dictionaries pay for text; for coordinates they are built and thrown away.
            use_dictionary=[f.name for f in schema if pa.types.is_string(f.type)],
            write_page_index=True,
        )
        with path.open("rb+") as file:
            os.fsync(file.fileno())
    except OSError as error:
        raise_for_disk(error, path.parent)
    return StagedFile(path, rows.num_rows, sha256_of(path), bbox)


def _bounds(rows: pa.Table) -> tuple[float, float, float, float] | None:
    boxes = rows["bbox"].combine_chunks()
    known = pc.drop_null(boxes)
    if len(known) == 0:
        return None
    columns = [known.field(index) for index in range(4)]
    lowest, highest = [pc.min(c).as_py() for c in columns[:2]], [pc.max(c).as_py() for c in columns[2:]]
    return (*lowest, *highest)
