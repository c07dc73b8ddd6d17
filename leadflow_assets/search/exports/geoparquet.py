"""GeoParquet 1.1 the way the lake writes it: EPSG:26986, covering boxes, Hilbert order, zstd.

The geometry is the parcel's outline, else the property's point, else null. Rows are first written as they
come, then sorted by DuckDB within its memory limit, so that no more than a row group is held here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb
import geopandas
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from leadflow_assets.errors import StoreError, UsageError
from leadflow_assets.lake.columns import BBOX_TYPE
from leadflow_assets.lake.geoparquet import HILBERT_BOX, ROW_GROUP_ROWS, bbox_column, geo_metadata
from leadflow_assets.lake.tables import PARCELS
from leadflow_assets.search.exports.formats import Counts, ExportRequest, OutlineReader, Rows, shown_columns
from leadflow_assets.search.exports.outlines import Floats, Shapes, numbers, outline_shapes
from leadflow_assets.search.exports.sidecar import about
from leadflow_assets.search.exports.values import no_rows, plain, to_json

_RESERVED = frozenset({"geometry", "bbox", "__hilbert", "__row"})
_SORT_MEMORY = "256MB"


def write_geoparquet(path: Path, request: ExportRequest, rows: Rows) -> Counts:
    """Write the rows with their geometry; the order is Hilbert's, not the search's.

    Raises:
        UsageError: a column is called like one that is made here.
        StoreError: sorting failed.
    """
    columns = shown_columns(request.format, request.columns)
    if taken := _RESERVED.intersection(columns):
        raise UsageError(f"GeoParquet makes the column {min(taken)} itself.", "Leave it out of the columns.")
    unsorted = path.with_name("unsorted.parquet")
    counts, bounds, types = _write_unsorted(unsorted, columns, rows)
    geo = json.loads(geo_metadata(PARCELS, bounds))
    geo["columns"]["geometry"]["geometry_types"] = types
    schema = _empty(rows.schema, columns).schema
    metadata = {"geo": json.dumps(geo), "leadflow.export": to_json(about(request, counts))}
    with _writer(path, schema.with_metadata(metadata)) as writer:
        for batch in _sorted_batches(unsorted, schema):
            writer.write_table(batch, row_group_size=ROW_GROUP_ROWS)
    return counts


def _writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    return pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        compression_level=1,
        # Dictionaries pay for text; for coordinates they are built and thrown away.
        use_dictionary=[f.name for f in schema if pa.types.is_string(f.type)],
        write_page_index=True,
    )


def _empty(schema: pa.Schema, columns: tuple[str, ...]) -> pa.Table:
    """A table of the file's shape without rows."""
    made = [("bbox", pa.array([], BBOX_TYPE)), ("geometry", pa.array([], pa.binary()))]
    table = plain(no_rows(schema), columns)
    for name, values in made:
        table = table.append_column(name, values)
    return table


def _write_unsorted(
    path: Path, columns: tuple[str, ...], rows: Rows
) -> tuple[Counts, tuple[float, ...] | None, list[str]]:
    """Write all rows with their place on the Hilbert curve: counts, bounds, types of geometry."""
    counts = Counts()
    bounds: list[Floats] = []
    extra = [("__hilbert", pa.int64()), ("__row", pa.int64())]
    schema = _empty(rows.schema, columns).schema
    for name, type_ in extra:
        schema = schema.append(pa.field(name, type_))
    with _writer(path, schema) as writer:
        for batch in rows.batches:
            first = counts.rows
            shapes = _shapes(batch, rows.outlines, counts)
            if not shapely.is_missing(shapes).all():
                bounds.append(shapely.total_bounds(shapes))
            made = {
                "bbox": bbox_column(shapes),
                "geometry": pa.array(shapely.to_wkb(shapes).tolist(), pa.binary()),
                "__hilbert": pa.array(_hilbert(shapes)),
                "__row": pa.array(np.arange(first, counts.rows, dtype=np.int64)),
            }
            table = plain(batch, columns)
            for name, values in made.items():
                table = table.append_column(name, values)
            writer.write_table(table.cast(schema))
    counted = (("MultiPolygon", counts.outlines), ("Point", counts.points))
    types = [name for name, count in counted if count]
    if not bounds:
        return counts, None, types
    low, high = np.min(bounds, axis=0)[:2], np.max(bounds, axis=0)[2:]
    return counts, (*low.tolist(), *high.tolist()), types


def _shapes(batch: pa.RecordBatch, outlines: OutlineReader | None, counts: Counts) -> Shapes:
    """The geometry of each row in EPSG:26986: MultiPolygon, Point or None."""
    shapes = outline_shapes(batch, outlines)
    x, y = numbers(batch, "point_x"), numbers(batch, "point_y")
    placed = ~np.isnan(x) & ~np.isnan(y)
    outlined = ~shapely.is_missing(shapes)
    counts.add(outlined, placed)
    points = placed & ~outlined
    shapes[points] = shapely.points(x[points], y[points])
    single = outlined & (shapely.get_type_id(shapes) == shapely.GeometryType.POLYGON)
    shapes[single] = [shapely.multipolygons([shape]) for shape in shapes[single]]
    return shapes


def _hilbert(shapes: Shapes) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The place of each geometry's middle on the state's Hilbert curve; those without one come last."""
    missing = shapely.is_missing(shapes)
    boxes = shapely.bounds(shapes)
    boxes[missing] = 0.0
    middles = shapely.points((boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2)
    distance = geopandas.GeoSeries(middles).hilbert_distance(total_bounds=HILBERT_BOX).to_numpy()
    return np.where(missing, np.iinfo(np.int64).max, distance.astype(np.int64))


def _sorted_batches(path: Path, schema: pa.Schema) -> Iterable[pa.Table]:
    """The rows in Hilbert order, a row group at a time; equal places keep the order they came in."""
    names = ", ".join('"' + name.replace('"', '""') + '"' for name in schema.names)
    # One thread: a sort's memory grows with its threads, and these files are small.
    options: dict[str, Any] = {
        "memory_limit": _SORT_MEMORY,
        "temp_directory": str(path.parent / "sort"),
        "threads": "1",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    try:
        with duckdb.connect(config=options) as connection:
            connection.execute("SET preserve_insertion_order = true")
            query = f"SELECT {names} FROM read_parquet(?) ORDER BY __hilbert, __row"
            reader = connection.execute(query, [str(path)]).to_arrow_reader(ROW_GROUP_ROWS)
            for batch in reader:
                yield pa.Table.from_batches([batch]).cast(schema)
    except duckdb.Error as error:
        raise StoreError(
            f"The export could not be sorted in {path.parent.parent} ({type(error).__name__}).",
            "Free some space or memory, or use GeoJSON.",
        ) from None
