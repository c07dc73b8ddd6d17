"""The transport of delivered files: they have arrived and lie archived in the lake; landing reads them.

Every row of the files becomes a row of raw/attom_results, every property one of core/attom_properties. A
deletion takes effect on what came before it in the same delivery when that is landed; :func:`deletions` tells
of all of them, for what earlier deliveries brought.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from leadflow_assets.enrich.batches.code import attom_code_version
from leadflow_assets.enrich.batches.delivery_archive import Receipt, open_archived, read_receipt
from leadflow_assets.enrich.batches.job import BatchJob, Landed, Outcomes
from leadflow_assets.enrich.batches.transport import Progress, Stop
from leadflow_assets.errors import StoreError
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.store import raise_for_disk
from leadflow_assets.lake.tables import ATTOM_PROPERTIES, ATTOM_RESULTS, SCHEMA_VERSION, Table
from leadflow_assets.settings import Settings
from leadflow_assets.sources.attom.bulk import (
    MEMORY,
    PARQUET,
    BulkLoad,
    database,
    load_delivered,
    refused,
)
from leadflow_assets.sources.attom.bulk_file import DeliveredFile
from leadflow_assets.sources.attom.bulk_sql import file_metadata, quoted

DELETED = "deleted"
DELETIONS = pa.schema(
    [
        ("attom_id", pa.int64()),
        ("transaction_id", pa.string()),
        ("dataset", pa.string()),
        ("deleted_at", pa.timestamp("us", tz="UTC")),
    ]
)
_LIST = "_deletes"
_MOST_COLUMNS_SHOWN = 100


class FilesTransport:
    """See :class:`Transport`: nothing is asked of anybody, so only landing does anything."""

    name = "files"

    def __init__(self, settings: Settings, lake: Lake) -> None:
        self._settings = settings
        self._lake = lake

    def submit(self, job: BatchJob) -> str | None:
        """Nothing is handed over: the answer is here."""
        return None

    def advance(self, job: BatchJob, progress: Progress, stop: Stop) -> bool:
        """Everything arrived before there was a job."""
        return True

    def cancel(self, job: BatchJob) -> None:
        """Nothing is under way; the archive keeps the files."""

    def land(self, job: BatchJob, folder: Path) -> Landed:
        """Read the archived files into both tables; the same files, the same rows.

        Raises:
            StoreError: the archive or the disk fails. SourceAnswerError: a file cannot be read at all.
        """
        if job.results_key is None:
            raise StoreError(f"The batch {job.job_id} has no archived files.", "Deliver them again.")
        receipt = read_receipt(self._lake.store, job.results_key)
        scratch = folder / "scratch"
        try:
            scratch.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise_for_disk(error, folder)
        try:
            return self._land(job, receipt, folder, scratch)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _land(self, job: BatchJob, receipt: Receipt, folder: Path, scratch: Path) -> Landed:
        files = open_archived(self._lake.store, receipt, scratch)
        hashes = "\n".join(file.sha256 for file in receipt.files)
        inputs = {"files": hashlib.sha256(hashes.encode()).hexdigest()}
        load = load_delivered(
            files,
            folder / "attom_properties.parquet",
            fetched_at=receipt.taken_at,
            scratch=scratch,
            batch_id=job.job_id,
            metadata=file_marks(ATTOM_PROPERTIES, inputs),
            rows_into=scratch / "rows.parquet",
        )
        results = folder / "attom_results.parquet"
        outcomes = _write_results(job.job_id, receipt, files, scratch, results, inputs)
        properties = load.path if load.properties else None
        for path in (results, properties):
            if path is not None:
                _sync(path)
        return Landed(results, properties, outcomes, outcomes.total, _facts(receipt, load), inputs)


def file_marks(table: Table, inputs: Mapping[str, str]) -> dict[str, str]:
    """The marks that every file of the lake carries, as ``lake.geoparquet.write_parquet`` writes them."""
    return {
        "leadflow.inputs": json.dumps(dict(inputs), sort_keys=True),
        "leadflow.code_version": attom_code_version(),
        "leadflow.table": table.name,
        "leadflow.schema_version": SCHEMA_VERSION,
    }


def deletions(lake: Lake) -> pa.Table:
    """Everything that delivered files said is deleted: :data:`DELETIONS`, in the order it was said.

    A row takes ``attom_id`` (and where ``transaction_id`` is not null, only that record) out of what the
    dataset said before ``deleted_at``: of fields whose source is ``dataset`` and that were fetched earlier.
    What the same delivery brought is not meant; there it was seen to in the order of its files.

    Raises:
        StoreError: the lake cannot be read.
    """
    found = [DELETIONS.empty_table()]
    with TemporaryDirectory() as folder:
        for entry in lake.snapshot(ATTOM_RESULTS).partitions.values():
            # What was asked of ATTOM itself says nothing of deletions.
            if not entry.facts.get("deleted_rows"):
                continue
            rows = pq.read_table(
                lake.store.fetch(entry.data.path, Path(folder)),
                columns=["attom_id", "transaction_id", "endpoint", "fetched_at"],
                filters=[("reason", "==", DELETED)],
                partitioning=None,
            )
            found.append(_as_deletions(rows))
    said = pa.concat_tables(found)
    once = said.group_by(said.column_names).aggregate([])
    return once.sort_by([("deleted_at", "ascending"), ("attom_id", "ascending")])


def _as_deletions(rows: pa.Table) -> pa.Table:
    datasets = pc.replace_substring_regex(rows["endpoint"], f"{_LIST}$", "")
    return pa.table(
        [rows["attom_id"], rows["transaction_id"], datasets, rows["fetched_at"]], schema=DELETIONS
    )


def _facts(receipt: Receipt, load: BulkLoad) -> dict[str, Any]:
    return {
        "dataset": load.dataset,
        "files": [file.name for file in receipt.files],
        "taken_at": receipt.taken_at.isoformat(timespec="seconds"),
        "rows": load.rows,
        "properties": load.properties,
        "replaced": load.replaced,
        "deleted": load.deleted,
        "listed": load.listed,
        "deleted_rows": load.deleted + load.listed,
        "without_id": load.without_id,
        "broken_lines": load.broken_lines,
        "unknown_columns": list(load.unknown_columns[:_MOST_COLUMNS_SHOWN]),
    }


def _write_results(
    batch_id: str,
    receipt: Receipt,
    files: Sequence[DeliveredFile],
    scratch: Path,
    into: Path,
    inputs: Mapping[str, str],
) -> Outcomes:
    """Write raw/attom_results from the rows that loading accounted for; returns how they ended."""
    options = file_metadata(file_marks(ATTOM_RESULTS, inputs))
    into.unlink(missing_ok=True)
    try:
        with database(scratch, MEMORY, 2) as connection:
            connection.execute(
                "CREATE TABLE texts (file INTEGER, name VARCHAR, is_list BOOLEAN, lines BIGINT)"
            )
            connection.executemany(
                "INSERT INTO texts VALUES (?, ?, ?, ?)",
                [(n, f.delivered_name, f.layout is None, f.lines) for n, f in enumerate(files)],
            )
            rows = f"read_parquet('{quoted(scratch / 'rows.parquet')}')"
            query = _RESULTS.format(
                rows=rows,
                batch=quoted(batch_id),
                dataset=quoted(receipt.dataset),
                moment=receipt.taken_at.isoformat(),
                list=_LIST,
                deleted=DELETED,
            )
            connection.execute(f"COPY ({query}) TO '{quoted(into)}' ({PARQUET}{options})")
            counted = connection.execute(
                f"SELECT outcome, count(*) FROM read_parquet('{quoted(into)}') GROUP BY outcome"
            ).fetchall()
    except duckdb.Error as error:
        raise refused(error, receipt.files[0].name, into.parent) from None
    return Outcomes(**dict(counted))


# The line of a row follows from its place where each record is a line of its own, as the counts then show:
# broken lines, which have no place among the rows, are counted in.
_RESULTS = """
WITH rows AS MATERIALIZED (SELECT * FROM {rows}),
lined AS (
    SELECT t.file FROM texts t LEFT JOIN rows r USING (file) GROUP BY t.file, t.lines
    HAVING count(r.fate) + 1 = t.lines),
broken AS (
    SELECT file, line - 1 - row_number() OVER (PARTITION BY file ORDER BY line) AS rows_before,
           row_number() OVER (PARTITION BY file ORDER BY line) AS number
    FROM rows WHERE fate = 'broken'),
skips AS (SELECT file, rows_before, max(number) AS skipped FROM broken GROUP BY file, rows_before),
nameless AS (SELECT file, row_number FROM rows WHERE fate = 'without_id'),
places AS (
    SELECT n.file, n.row_number,
           CASE WHEN l.file IS NULL THEN 'row ' || (n.row_number + 1)
                ELSE 'line ' || (n.row_number + 2 + coalesce(s.skipped, 0)) END AS place
    FROM nameless n
    ASOF LEFT JOIN skips s ON n.file = s.file AND n.row_number >= s.rows_before
    LEFT JOIN lined l ON n.file = l.file)
SELECT
    '{batch}' AS batch_id,
    row_number() OVER (ORDER BY r.file, r.row_number NULLS LAST, r.line) AS request_number,
    NULL::VARCHAR AS property_id,
    '{dataset}' || CASE WHEN t.is_list THEN '{list}' ELSE '' END AS endpoint,
    NULL::VARCHAR AS request_id,
    NULL::VARCHAR AS request_hash,
    CASE WHEN r.fate IN ('without_id', 'broken') THEN 'error' ELSE 'returned' END AS outcome,
    CASE r.fate WHEN 'kept' THEN NULL WHEN 'listed' THEN '{deleted}' WHEN 'deleted' THEN '{deleted}'
                WHEN 'broken' THEN 'broken_line' ELSE r.fate END AS reason,
    NULL::INTEGER AS http_status,
    CASE r.fate WHEN 'broken' THEN t.name || ', line ' || r.line || ': ' || r.reason
                WHEN 'without_id' THEN t.name || ', ' || p.place END AS message,
    r.record_id AS transaction_id,
    r.attom_id,
    0::INTEGER AS reports,
    false AS from_cache,
    TIMESTAMPTZ '{moment}' AS fetched_at,
    r.text AS body
FROM rows r JOIN texts t USING (file)
LEFT JOIN places p ON r.fate = 'without_id' AND p.file = r.file AND p.row_number = r.row_number
ORDER BY request_number
"""


def _sync(path: Path) -> None:
    try:
        with path.open("rb+") as file:
            os.fsync(file.fileno())
    except OSError as error:
        raise_for_disk(error, path.parent)
