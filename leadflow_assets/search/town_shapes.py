"""What a town looks like from afar, told by its parcels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from leadflow_assets.errors import StoreError
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.snapshots import PartitionEntry
from leadflow_assets.search.exports.outlines import in_degrees

# Metres: the cells in which parcels are counted, and how far roads and ponds between them are closed.
_CELL, _CLOSE = 60.0, 90.0
_SMALLEST_M2 = 40_000.0


def outline_of(lake: Lake, entry: PartitionEntry) -> list[Any]:
    """The outer rings of a town in degrees, from one partition of core/parcels; holes are left out.

    Coarse on purpose (some 60 metres): it stands behind the parcels where there is no other map.

    Raises:
        StoreError: the file cannot be read.
    """
    try:
        file = pa.BufferReader(lake.store.read(entry.data.path))
        blobs = pq.read_table(file, columns=["geometry"]).column("geometry").to_numpy()
    except (OSError, pa.ArrowException) as error:
        raise StoreError(
            f"{entry.data.path} cannot be read ({type(error).__name__}).", "Run `leadflow doctor`."
        ) from None
    shapes = shapely.segmentize(shapely.from_wkb(blobs), _CELL)
    cells = np.unique(np.floor(shapely.get_coordinates(shapes) / _CELL).astype(np.int64), axis=0)
    if not len(cells):
        return []
    west, south = cells[:, 0] * _CELL, cells[:, 1] * _CELL
    covered = shapely.union_all(shapely.box(west, south, west + _CELL, south + _CELL))
    closed = covered.buffer(_CLOSE, quad_segs=2).buffer(-_CLOSE, quad_segs=2)
    whole = [shapely.polygons(shapely.get_exterior_ring(part)) for part in shapely.get_parts(closed)]
    large = [part for part in whole if part.area >= _SMALLEST_M2] or whole
    simple = in_degrees(shapely.simplify(np.array(large, dtype=object), _CELL), 5)
    return [shapely.get_exterior_ring(part) for shape in simple for part in shapely.get_parts(shape)]
