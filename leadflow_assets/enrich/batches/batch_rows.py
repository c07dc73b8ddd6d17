"""Which row of a batch service's result answers which request, and the two tables made of that."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from leadflow_assets.enrich.batches.code import attom_code_version
from leadflow_assets.enrich.batches.job import BatchJob, BatchRequest, Landed, Outcomes, RequestAnswer
from leadflow_assets.enrich.batches.outcome import UNNAMEABLE
from leadflow_assets.lake.store import raise_for_disk
from leadflow_assets.lake.tables import ATTOM_PROPERTIES, ATTOM_RESULTS, Table
from leadflow_assets.sources.attom.batch_result import AddressKey, ResultRow
from leadflow_assets.sources.attom.record import AttomProperty, as_table, combine
from leadflow_assets.state.batch_requests import Ended

BATCH = "batch"
MISSING = "missing_in_result"
_PLACE = re.compile(r"^(?P<city>.*?),?\s*(?:\b(?P<state>[A-Za-z]{2})\b)?\s*(?P<zip>\d{5}(?:-\d{4})?)?\s*$")


@dataclass(frozen=True)
class Submission:
    """What is kept of a batch that the service took. ``addresses`` were uploaded."""

    external_job_id: str
    charge_id: str
    request_hash: str
    addresses: int
    submitted_at: str


@dataclass(frozen=True)
class Asked:
    """A request with address, city, state and ZIP as they are uploaded; None where it has no address."""

    request: BatchRequest
    lines: tuple[str, str, str, str] | None

    @classmethod
    def of(cls, request: BatchRequest, default_state: str) -> Asked:
        """Split ``address2``, "city, ST zip", into its parts."""
        line, rest = request.query.address1, request.query.address2
        if not line or not rest:
            return cls(request, None)
        found = _PLACE.match(" ".join(rest.split()))
        parts = found.groupdict() if found else {"city": rest, "state": None, "zip": None}
        place = (parts["city"] or "", parts["state"] or default_state, parts["zip"] or "")
        return cls(request, (" ".join(line.split()), *place))


@dataclass(frozen=True)
class Answered:
    """A request, how it ended, and the row that says so."""

    request: BatchRequest
    ended: Ended
    row: ResultRow | None


def assign(asked: Sequence[Asked], rows: Sequence[ResultRow]) -> list[Answered]:
    """Rows to requests: by the address that a row repeats, else by order, where none repeats it.

    Order counts only if there are as many rows as addresses: one that is left out would move all others.
    """
    named = [(one.request.request_number, one.lines) for one in asked if one.lines is not None]
    by_number: dict[int, list[ResultRow]] = defaultdict(list)
    if any(row.address is not None for row in rows):
        by_line: dict[str, list[tuple[int, AddressKey]]] = defaultdict(list)
        for number, (line, city, _, zip_code) in named:
            key = AddressKey.of(line, city, zip_code)
            by_line[key.line].append((number, key))
        for row in rows:
            for number in _meant(row.address, by_line):
                by_number[number].append(row)
    elif len(rows) == len(named):
        for (number, _), row in zip(named, rows, strict=True):
            by_number[number].append(row)
    return [_answered(one, by_number[one.request.request_number]) for one in asked]


def _meant(address: AddressKey | None, by_line: Mapping[str, Sequence[tuple[int, AddressKey]]]) -> list[int]:
    """The requests with an address: the ZIP decides where both have one, since towns have villages."""
    if address is None:
        return []
    found = []
    for number, key in by_line.get(address.line, ()):
        by_zip = key.zip_code and address.zip_code
        if key.zip_code == address.zip_code if by_zip else key.city == address.city:
            found.append((number, key))
    same_city = [number for number, key in found if key.city == address.city]
    return same_city or [number for number, _ in found]


def _answered(one: Asked, rows: Sequence[ResultRow]) -> Answered:
    number = one.request.request_number
    if one.lines is None:
        return Answered(one.request, Ended(number, "error", UNNAMEABLE, None), None)
    if not rows:
        return Answered(one.request, Ended(number, "error", MISSING, None), None)
    found = {row.attom_id: row for row in rows if row.attom_id is not None}
    if len(found) > 1:
        return Answered(one.request, Ended(number, "ambiguous", "several_properties", None), rows[0])
    for attom_id, row in found.items():
        return Answered(one.request, Ended(number, "returned", None, attom_id), row)
    if any(row.is_broken for row in rows):
        return Answered(one.request, Ended(number, "error", "broken_line", None), rows[0])
    return Answered(one.request, Ended(number, "no_match", None, None), rows[0])


def answer_of(answered: Answered, sent: Submission, fetched_at: datetime) -> RequestAnswer:
    """The answer as the state database keeps it."""
    was_asked = answered.row is not None or answered.ended.reason == MISSING
    return RequestAnswer(
        request_number=answered.request.request_number,
        endpoint=BATCH,
        outcome=answered.ended.outcome,
        reason=answered.ended.reason,
        request_id=sent.charge_id if was_asked else None,
        request_hash=sent.request_hash if was_asked else None,
        reports=int(answered.ended.outcome == "returned"),
        attom_id=answered.ended.attom_id,
        fetched_at=fetched_at if was_asked else None,
    )


def write(
    job: BatchJob,
    answered: Sequence[Answered],
    rows: Sequence[ResultRow],
    folder: Path,
    sent: Submission,
    *,
    fetched_at: datetime,
    inputs: Mapping[str, str],
) -> Landed:
    """Both tables into ``folder``; ambiguous and foreign rows stand in the archive only.

    Raises:
        StoreError: the disk is full.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise_for_disk(error, folder)
    made = [_result_row(job.job_id, found, sent, fetched_at) for found in answered]
    results = _written(folder, ATTOM_RESULTS, pa.Table.from_pylist(made, ATTOM_RESULTS.schema), inputs)
    by_id: dict[int, list[AttomProperty]] = defaultdict(list)
    for found in answered:
        if found.ended.outcome == "returned" and found.row and found.row.record:
            record = replace(found.row.record, property_id=found.request.property_id)
            by_id[record.attom_id].append(record)
    records = as_table([combine(several) for _, several in sorted(by_id.items())])
    batch = pa.array([job.job_id] * records.num_rows, pa.string())
    records = records.add_column(0, pa.field("batch_id", pa.string(), nullable=False), batch)
    used = {id(found.row) for found in answered if found.row}
    return Landed(
        results,
        _written(folder, ATTOM_PROPERTIES, records, inputs) if by_id else None,
        Outcomes.of(found.ended.outcome for found in answered),
        len(made),
        {"result_rows": len(rows), "unused_rows": sum(id(row) not in used for row in rows)},
        inputs,
    )


def _result_row(job_id: str, found: Answered, sent: Submission, fetched_at: datetime) -> dict[str, object]:
    answer = answer_of(found, sent, fetched_at)
    return {
        "batch_id": job_id,
        "property_id": found.request.property_id,
        "http_status": 200 if found.row else None,
        "message": None,
        "transaction_id": None,
        "body": found.row.body if found.row else None,
        **vars(answer),
    }


def _written(folder: Path, table: Table, rows: pa.Table, inputs: Mapping[str, str]) -> Path:
    # Imported late: the libraries of geometry take longer to load than most batches to submit.
    from leadflow_assets.lake.geoparquet import write_parquet

    lineage = {"inputs": json.dumps(dict(inputs), sort_keys=True), "code_version": attom_code_version()}
    return write_parquet(folder / f"{table.short_name}.parquet", rows, table, provenance=lineage).path
