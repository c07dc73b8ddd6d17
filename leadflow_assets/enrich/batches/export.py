"""A batch as a person's own spreadsheet: the rows they gave, how each ended, and what was found."""

from __future__ import annotations

import csv
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from leadflow_assets.enrich.batches import records
from leadflow_assets.enrich.batches.job import BatchJob, BatchRequest
from leadflow_assets.errors import StoreError, UsageError
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.tables import ATTOM_PROPERTIES
from leadflow_assets.search.exports.csv_file import without_formulas
from leadflow_assets.search.lists.file import ListFile, read_list_file
from leadflow_assets.settings import Settings

_FOUND = ("outcome", "reason", "match", "property_id", "attom_id")
# The main fields of core/attom_properties: what a person looks for first, in the groups' order.
FACTS = (
    "site_address",
    "site_city",
    "site_zip",
    "property_use",
    "year_built",
    "owner_1",
    "owner_2",
    "owner_occupied",
    "mailing_address",
    "assessed_total",
    "market_total",
    "tax_amount",
    "tax_year",
    "tax_delinquent_year",
    "mortgage_found",
    "mortgage_amount",
    "mortgage_rate",
    "mortgage_lender",
    "mortgage_term_months",
    "mortgage_date",
    "foreclosure_stage",
    "foreclosure_recording_date",
    "foreclosure_auction_date",
    "foreclosure_judgment_amount",
    "last_sale_date",
    "last_sale_price",
    "avm_value",
    "avm_low",
    "avm_high",
    "available_equity",
    "total_loan_balance",
    "propensity_score",
)


def export_batch(settings: Settings, lake: Lake, job: BatchJob, path: Path) -> int:
    """Write a CSV with a row for each of the user's rows, or each request of a batch made of ids.

    UTF-8 with a mark, for spreadsheets. What is not published yet, or was not found, stays empty. Columns of
    the user's that have one of our names are marked "(given)"; their cells are as they were. Returns the rows
    written.

    Raises:
        UsageError: the batch is made of delivered files. StoreError: the file cannot be written.
    """
    requests = [request for page in records.pages(settings, job.job_id) for request in page]
    if not requests:
        raise UsageError(
            f"The batch {job.job_id} has no rows of yours: it was delivered.",
            f"Query {ATTOM_PROPERTIES.view} with batch_id = '{job.job_id}'.",
        )
    facts = published_facts(lake, job)
    ours = (*_FOUND, *FACTS)
    with tempfile.TemporaryDirectory() as folder:
        file = given_file(lake, job, Path(folder))
        header = [f"{name} (given)" if name in ours else name for name in file.header] if file else []
        lines = given_lines(file, requests)
        return _write(path, (*header, *ours), (_row(own, request, facts) for own, request in lines))


def given_file(lake: Lake, job: BatchJob, folder: Path) -> ListFile | None:
    """The user's file as it was kept, read as it was when the batch was made."""
    if job.upload_key is None:
        return None
    return read_list_file(lake.store.fetch(job.upload_key, folder))


def given_lines(
    file: ListFile | None, requests: Sequence[BatchRequest]
) -> Iterator[tuple[Sequence[str], BatchRequest]]:
    """Each of the user's rows with its request; a row that names a whole parcel comes once for each."""
    if file is None:
        yield from (((), request) for request in requests)
        return
    by_row: dict[int, list[BatchRequest]] = {}
    for request in requests:
        for row in request.source_rows:
            by_row.setdefault(row, []).append(request)
    for row in sorted(by_row):
        yield from ((file.rows[row - 1], request) for request in by_row[row])


def published_facts(lake: Lake, job: BatchJob) -> dict[int, Mapping[str, Any]]:
    """The main fields of the published properties by ATTOM id."""
    entry = lake.snapshot(ATTOM_PROPERTIES).partitions.get(ATTOM_PROPERTIES.partition(job.job_id))
    if entry is None:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        path = lake.store.fetch(entry.data.path, Path(folder))
        table = pq.read_table(path, columns=["attom_id", *FACTS], partitioning=None)
    for index, field in enumerate(table.schema):
        if pa.types.is_string(field.type):
            table = table.set_column(index, field.name, without_formulas(table[index]))
    return {row["attom_id"]: row for row in table.to_pylist()}


def _row(
    own: Sequence[str], request: BatchRequest, facts: Mapping[int, Mapping[str, Any]]
) -> Sequence[object]:
    found = facts.get(request.attom_id, {}) if request.attom_id is not None else {}
    told = (request.outcome, request.reason, request.match, request.property_id, request.attom_id)
    return (*own, *told, *(found.get(name) for name in FACTS))


def _write(path: Path, header: Sequence[str], rows: Iterator[Sequence[object]]) -> int:
    count = 0
    unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("w", encoding="utf-8-sig", newline="") as target:
            writer = csv.writer(target, lineterminator="\n")
            writer.writerow(header)
            for row in rows:
                writer.writerow(["" if value is None else value for value in row])
                count += 1
        unfinished.replace(path)
    except OSError as error:
        raise StoreError(f"Cannot write {path}: {error.strerror}.", "Give another file.") from None
    finally:
        unfinished.unlink(missing_ok=True)
    return count
