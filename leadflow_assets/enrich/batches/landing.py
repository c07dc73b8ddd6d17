"""From kept answers to the two files of a batch: every answer as sent, and each property as ATTOM sees it.

Made of nothing but the state database and the archive, so the same files come out again. Requests are taken
some at a time: no more bodies are in memory than those of one page.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from leadflow_assets.enrich.attom_cache import FOLDER, AttomCache
from leadflow_assets.enrich.batches import records
from leadflow_assets.enrich.batches.code import attom_code_version
from leadflow_assets.enrich.batches.job import (
    BatchJob,
    BatchRequest,
    Landed,
    Outcome,
    Outcomes,
    RequestAnswer,
)
from leadflow_assets.enrich.vendor import open_cache
from leadflow_assets.errors import NotConfiguredError, SourceAnswerError, StoreError
from leadflow_assets.lake.geoparquet import ROW_GROUP_ROWS
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.store import raise_for_disk
from leadflow_assets.lake.tables import ATTOM_PROPERTIES, ATTOM_RESULTS, SCHEMA_VERSION, Table
from leadflow_assets.settings import Settings
from leadflow_assets.sources.attom.answers import Answer
from leadflow_assets.sources.attom.parse import parse_answer
from leadflow_assets.sources.attom.record import AttomProperty, as_table, combine
from leadflow_assets.state import batch_requests, database

_PAGE = 200
# Bodies are read from the archive side by side: on S3 each takes some hundredths of a second.
_READERS = 8
# A row group of bodies is written when it is that large, bytes.
_MOST_BYTES = 64 << 20


def land(settings: Settings, lake: Lake, job: BatchJob, folder: Path) -> Landed:
    """Write both files of a batch of requests into ``folder``.

    raw/attom_results gets a row for every request and endpoint, pending ones too; core/attom_properties one
    for every ATTOM id that was returned. Ambiguous answers stand in raw only.

    Raises:
        StoreError: the disk is full, the lake cannot be read, or archived answers are gone from it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    inputs = {"answers": answers_hash(settings, job)}
    with database.session(settings) as session:
        repeated = batch_requests.repeated_attom_ids(session, job.job_id)
    results_path, properties_path = folder / "attom_results.parquet", folder / "attom_properties.parquet"
    found = _Found(job.job_id, repeated)
    with (
        _Writer(results_path, ATTOM_RESULTS, inputs) as results,
        _Writer(properties_path, ATTOM_PROPERTIES, inputs) as properties,
        ThreadPoolExecutor(_READERS) as readers,
    ):
        cache = open_cache(settings, lake)
        outcomes: list[Outcome] = []
        for requests, answers in _pages(settings, job.job_id):
            bodies = _bodies(cache, readers, answers)
            _require_bodies(bodies)
            outcomes += [request.outcome for request in requests]
            results.write(_result_rows(job, requests, answers, bodies))
            properties.write(found.rows(requests, answers, bodies))
        properties.write(found.combined())
    some = properties_path if properties.rows else None
    return Landed(results_path, some, Outcomes.of(outcomes), results.rows, inputs=inputs)


def answers_hash(settings: Settings, job: BatchJob) -> str:
    """Names what a batch's files are made from: equal hashes, equal files."""
    digest = hashlib.sha256(json.dumps([job.job_id, job.endpoints]).encode())
    for requests, answers in _pages(settings, job.job_id):
        for request in requests:
            said = [
                (a.endpoint, a.request_id, a.outcome, a.reason, a.from_cache)
                for a in answers.get(request.request_number, ())
            ]
            line = [request.request_number, request.property_id, request.outcome, request.reason, said]
            digest.update(json.dumps(line).encode())
    return digest.hexdigest()


def _pages(
    settings: Settings, job_id: str
) -> Iterator[tuple[list[BatchRequest], dict[int, list[RequestAnswer]]]]:
    for requests in records.pages(settings, job_id, size=_PAGE):
        first, last = requests[0].request_number, requests[-1].request_number
        yield requests, records.answers_of(settings, job_id, after=first - 1, upto=last)


def _bodies(
    cache: AttomCache, readers: ThreadPoolExecutor, answers: Mapping[int, Sequence[RequestAnswer]]
) -> dict[str, Answer | None]:
    """The archived answers of a page, by their id."""
    ids = list({a.request_id for some in answers.values() for a in some if a.request_id is not None})
    return dict(zip(ids, readers.map(lambda request_id: _load(cache, request_id), ids), strict=True))


def _require_bodies(bodies: Mapping[str, Answer | None]) -> None:
    """Refuse to make a poorer table than the one that may be published."""
    gone = sum(body is None for body in bodies.values())
    if gone:
        raise StoreError(
            f"{gone} archived answers of the batch are gone; what is published stays as it was.",
            f"Bring back {FOLDER} of the lake, or cancel the batch.",
        )


def _load(cache: AttomCache, request_id: str) -> Answer | None:
    try:
        return cache.load(request_id)
    except (NotConfiguredError, SourceAnswerError):
        # Turned away for the key or the contract: nothing about the property.
        return None


def _result_rows(
    job: BatchJob,
    requests: Sequence[BatchRequest],
    answers: Mapping[int, Sequence[RequestAnswer]],
    bodies: Mapping[str, Answer | None],
) -> pa.Table:
    rows = []
    for request in requests:
        answered = {answer.endpoint: answer for answer in answers.get(request.request_number, ())}
        for endpoint in dict.fromkeys((*job.endpoints, *answered)):
            answer = answered.get(endpoint) or _silent(request, endpoint)
            body = bodies.get(answer.request_id) if answer.request_id else None
            rows.append(_result_row(job.job_id, request, answer, body))
    return pa.Table.from_pylist(rows, schema=ATTOM_RESULTS.schema)


def _silent(request: BatchRequest, endpoint: str) -> RequestAnswer:
    """An endpoint that was not asked: it waits, or the request ended before it could be."""
    ended = request.outcome == "error"
    outcome, reason = (request.outcome, request.reason) if ended else ("pending", None)
    return RequestAnswer(request.request_number, endpoint, outcome, reason)


def _result_row(
    job_id: str, request: BatchRequest, answer: RequestAnswer, body: Answer | None
) -> dict[str, Any]:
    return {
        "batch_id": job_id,
        "request_number": request.request_number,
        "property_id": request.property_id,
        "endpoint": answer.endpoint,
        "request_id": answer.request_id,
        "request_hash": answer.request_hash,
        "outcome": answer.outcome,
        "reason": answer.reason,
        "http_status": body.http_status if body else None,
        "message": body.message if body else None,
        "transaction_id": body.transaction_id if body else None,
        "attom_id": answer.attom_id,
        "reports": answer.reports,
        "from_cache": answer.from_cache,
        "fetched_at": answer.fetched_at,
        "body": body.body if body else None,
    }


class _Found:
    """The properties of a batch: each is given out when its request is done, unless others name it too."""

    def __init__(self, job_id: str, repeated: set[int]) -> None:
        self._job_id = job_id
        self._repeated = repeated
        self._waiting: dict[int, list[AttomProperty]] = {}

    def rows(
        self,
        requests: Sequence[BatchRequest],
        answers: Mapping[int, Sequence[RequestAnswer]],
        bodies: Mapping[str, Answer | None],
    ) -> pa.Table:
        """Properties that no other request names; the others wait for :meth:`combined`."""
        done = []
        for request in requests:
            by_id: dict[int, list[AttomProperty]] = {}
            for answer in answers.get(request.request_number, ()):
                body = bodies.get(answer.request_id) if answer.request_id else None
                if answer.outcome != "returned" or body is None:
                    continue
                for record in parse_answer(body, property_id=request.property_id):
                    by_id.setdefault(record.attom_id, []).append(record)
            for attom_id, several in by_id.items():
                if attom_id in self._repeated:
                    self._waiting.setdefault(attom_id, []).extend(several)
                else:
                    done.append(combine(several))
        return self._table(done)

    def combined(self) -> pa.Table:
        """Properties that several requests name, each once."""
        return self._table([_combined(several) for _, several in sorted(self._waiting.items())])

    def _table(self, properties: list[AttomProperty]) -> pa.Table:
        rows = as_table(properties)
        batch = pa.array([self._job_id] * len(properties), pa.string())
        return rows.add_column(0, pa.field("batch_id", pa.string(), nullable=False), batch)


def _combined(records: list[AttomProperty]) -> AttomProperty:
    """One property of several requests; which of ours it is stays open where they do not agree."""
    ours = {record.property_id for record in records} - {None}
    combined = combine(records)
    return combined if len(ours) <= 1 else replace(combined, property_id=None)


class _Writer:
    """A Parquet file written some rows at a time, with the marks that every table of the lake carries."""

    def __init__(self, path: Path, table: Table, inputs: Mapping[str, str]) -> None:
        marks = {
            "leadflow.inputs": json.dumps(dict(inputs), sort_keys=True),
            "leadflow.code_version": attom_code_version(),
            "leadflow.table": table.name,
            "leadflow.schema_version": SCHEMA_VERSION,
        }
        self.rows = 0
        self._path = path
        self._schema = table.schema.with_metadata(marks)
        self._waiting: list[pa.Table] = []
        # An earlier file may be linked into the lake: never write through it.
        path.unlink(missing_ok=True)
        self._writer = pq.ParquetWriter(
            path,
            self._schema,
            compression="zstd",
            compression_level=1,
            # A body is like no other: a dictionary of them is built and thrown away.
            use_dictionary=[f.name for f in self._schema if pa.types.is_string(f.type) and f.name != "body"],
            write_page_index=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._flush()
            self._writer.close()
            with self._path.open("rb+") as file:
                os.fsync(file.fileno())
        except OSError as problem:
            raise_for_disk(problem, self._path.parent)

    def write(self, rows: pa.Table) -> None:
        """Append rows; they are written in groups.

        Raises:
            StoreError: the disk is full.
        """
        self.rows += rows.num_rows
        self._waiting.append(rows.select(self._schema.names).cast(self._schema))
        waiting = self._waiting
        if (
            sum(t.num_rows for t in waiting) >= ROW_GROUP_ROWS
            or sum(t.nbytes for t in waiting) >= _MOST_BYTES
        ):
            try:
                self._flush()
            except OSError as problem:
                raise_for_disk(problem, self._path.parent)

    def _flush(self) -> None:
        rows = pa.concat_tables([self._schema.empty_table(), *self._waiting])
        self._waiting.clear()
        if rows.num_rows:
            self._writer.write_table(rows, row_group_size=ROW_GROUP_ROWS)
