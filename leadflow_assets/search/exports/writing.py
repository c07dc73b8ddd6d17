"""Writing an export: checks first, then everything beside the target, then two renames."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa

from leadflow_assets.errors import StoreError, UsageError
from leadflow_assets.lake.publish import sha256_of
from leadflow_assets.search.exports.csv_file import write_csv
from leadflow_assets.search.exports.files import put_in_place, require_folder, working_folder
from leadflow_assets.search.exports.formats import (
    MAP_MAX_ROWS,
    XLSX_MAX_ROWS,
    Counts,
    Export,
    ExportRequest,
    OutlineReader,
    Rows,
    needed_columns,
)
from leadflow_assets.search.exports.geojson import write_geojson
from leadflow_assets.search.exports.geoparquet import write_geoparquet
from leadflow_assets.search.exports.map_page import too_many_for_a_map, write_map
from leadflow_assets.search.exports.sidecar import sidecar_path, write_sidecar
from leadflow_assets.search.exports.xlsx import too_many_rows, write_xlsx

_WRITERS: dict[str, Callable[[Path, ExportRequest, Rows], Counts]] = {
    "csv": write_csv,
    "xlsx": write_xlsx,
    "geojson": write_geojson,
    "geoparquet": write_geoparquet,
    "map": write_map,
}
# Enough to be fast, few enough that a progress bar moves and that rows as Python objects stay few.
_STEP_ROWS = {"xlsx": 2_048, "geojson": 8_192}
_DEFAULT_STEP_ROWS = 16_384


def write_export(
    request: ExportRequest,
    batches: pa.RecordBatchReader,
    *,
    outlines: OutlineReader | None,
    on_rows: Callable[[int], None] | None = None,
) -> Export:
    """Write the file and its sidecar; what was there before stays whole until both are finished.

    ``batches`` carries at least :func:`needed_columns`; it is read once and never held as a whole.
    ``outlines`` finds parcels' polygons (see :func:`parcel_outlines`); without it rows become points.
    ``on_rows`` is told how many rows were done since it was last told.

    The file is put in place first, then its sidecar: a kill between the two leaves a good file whose
    sidecar is missing or names another SHA-256, which shows, while the other order could describe a file
    that never came.

    Raises:
        UsageError: unknown format or column, a folder that is not there, too many rows for the format.
        StoreError: the folder cannot be written, the disk is full, or the rows cannot be read.
        NotConfiguredError: the map needs Leaflet and nicegui is not installed.
    """
    needed = needed_columns(request.format, request.columns)
    if missing := [name for name in needed if name not in batches.schema.names]:
        raise UsageError(f"The rows lack the columns {', '.join(missing)}.", "Ask the search for them.")
    require_folder(request.path)
    _refuse_too_many(request)
    source = Rows(_steps(batches, request.format, on_rows), batches.schema, outlines)
    with working_folder(request.path) as folder:
        finished, described = folder / "export", folder / "sidecar"
        counts = _WRITERS[request.format](finished, request, source)
        sha256, size = sha256_of(finished), finished.stat().st_size
        write_sidecar(described, request, batches.schema, counts, sha256=sha256, size=size)
        sidecar = sidecar_path(request.path)
        put_in_place(finished, request.path)
        put_in_place(described, sidecar)
    return Export(request.path, sidecar, counts.rows, request.format, sha256)


def _refuse_too_many(request: ExportRequest) -> None:
    """Refuse before anything is written; a writer that meets too many rows after all refuses then."""
    expected = request.expected_rows or 0
    if request.format == "xlsx" and expected > XLSX_MAX_ROWS:
        raise too_many_rows()
    if request.format == "map" and expected > MAP_MAX_ROWS:
        raise too_many_for_a_map()


def _steps(
    batches: pa.RecordBatchReader, format: str, on_rows: Callable[[int], None] | None
) -> Iterator[pa.RecordBatch]:
    """The batches in steps of a bounded size; says so after each."""
    step = _STEP_ROWS.get(format, _DEFAULT_STEP_ROWS)
    while True:
        try:
            batch = batches.read_next_batch()
        except StopIteration:
            return
        except (OSError, pa.ArrowException) as error:
            # Its text may quote a cell.
            raise StoreError(
                f"The rows of the export could not be read ({type(error).__name__}).", "Run the search again."
            ) from None
        for start in range(0, batch.num_rows, step):
            part = batch.slice(start, step)
            yield part
            if on_rows is not None:
                on_rows(part.num_rows)
