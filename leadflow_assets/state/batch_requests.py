"""Requests of a batch and the answers to them, in and out of the state database. The caller commits."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from leadflow_assets.state.models_batches import BatchAnswerRow, BatchOutcome, BatchRequestRow
from leadflow_assets.state.models_spend import ChargeRow, VendorAnswerRow

_AT_ONCE = 2000
# Bound by SQLite's limit of variables in one statement.
_NAMED_AT_ONCE = 900


@dataclass(frozen=True)
class RequestAnswer:
    """One endpoint's answer to a request. ``request_id`` names the charge and the archived body.

    ``reports`` were billed when it was fetched; ``from_cache``: not for this batch, or for another request of
    it. ``fetched_at`` is None where nothing was sent.
    """

    request_number: int
    endpoint: str
    outcome: BatchOutcome
    reason: str | None = None
    request_id: str | None = None
    request_hash: str | None = None
    reports: int = 0
    from_cache: bool = False
    attom_id: int | None = None
    fetched_at: datetime | None = None


class StoredRequest(NamedTuple):
    """A request as it is stored; ``query_json`` holds the names of the property."""

    request_number: int
    property_id: str | None
    source_rows: tuple[int, ...]
    match_kind: str
    query_json: str
    attom_id: int | None = None
    outcome: BatchOutcome = "pending"
    reason: str | None = None


class Ended(NamedTuple):
    """How a request stands now."""

    request_number: int
    outcome: BatchOutcome
    reason: str | None
    attom_id: int | None


class AnswerCount(NamedTuple):
    """Answers of one endpoint that ended one way; ``cached_reports`` of ``reports`` came from the cache."""

    endpoint: str
    outcome: BatchOutcome
    reason: str | None
    answers: int
    reports: int
    cached_reports: int


_ANSWER = tuple(f.name for f in fields(RequestAnswer))
_ANSWER_KEY = ("job_id", "request_number", "endpoint")


def insert_requests(session: Session, job_id: str, requests: Iterable[StoredRequest]) -> None:
    """Write the requests of a new job."""
    rows = [
        {**request._asdict(), "job_id": job_id, "source_rows": json.dumps(request.source_rows)}
        for request in requests
    ]
    for start in range(0, len(rows), _AT_ONCE):
        session.execute(insert(BatchRequestRow), rows[start : start + _AT_ONCE])


def requests(
    session: Session, job_id: str, *, after: int = 0, most: int | None = None
) -> list[StoredRequest]:
    """Requests by number; ``after`` and ``most`` read them in pages."""
    query = (
        select(BatchRequestRow)
        .where(BatchRequestRow.job_id == job_id, BatchRequestRow.request_number > after)
        .order_by(BatchRequestRow.request_number)
        .limit(most)
    )
    return [_request(row) for row in session.scalars(query)]


def page(
    session: Session, job_id: str, *, outcome: str | None = None, skip: int = 0, most: int
) -> list[StoredRequest]:
    """Some requests by number, of one outcome or of all."""
    query = select(BatchRequestRow).where(BatchRequestRow.job_id == job_id)
    if outcome is not None:
        query = query.where(BatchRequestRow.outcome == outcome)
    query = query.order_by(BatchRequestRow.request_number).offset(skip).limit(most)
    return [_request(row) for row in session.scalars(query)]


def unfinished(
    session: Session, job_id: str, reasons: Sequence[str], *, after: int = 0, most: int | None = None
) -> list[StoredRequest]:
    """Requests that are pending or have an answer with one of these reasons, by number, in pages."""
    query = (
        select(BatchRequestRow)
        .where(
            BatchRequestRow.job_id == job_id,
            BatchRequestRow.request_number > after,
            or_(BatchRequestRow.outcome == "pending", _having(job_id, reasons)),
        )
        .order_by(BatchRequestRow.request_number)
        .limit(most)
    )
    return [_request(row) for row in session.scalars(query)]


def count_with(session: Session, job_id: str, reasons: Sequence[str]) -> int:
    """How many requests have an answer with one of these reasons."""
    query = select(func.count()).where(BatchRequestRow.job_id == job_id, _having(job_id, reasons))
    return session.scalar(query) or 0


def has_unknown_charges(session: Session, job_id: str) -> bool:
    """Does a charge made for the batch wait for somebody to say what became of it?"""
    query = select(func.count()).where(ChargeRow.batch_id == job_id, ChargeRow.state == "unknown")
    return bool(session.scalar(query))


def _having(job_id: str, reasons: Sequence[str]) -> Any:
    found = select(BatchAnswerRow.request_number).where(
        BatchAnswerRow.job_id == job_id, BatchAnswerRow.reason.in_(reasons)
    )
    return BatchRequestRow.request_number.in_(found)


def answers(
    session: Session, job_id: str, *, after: int = 0, upto: int | None = None
) -> dict[int, list[RequestAnswer]]:
    """Answers by request number, of the requests ``after`` < number <= ``upto``."""
    query = select(BatchAnswerRow).where(
        BatchAnswerRow.job_id == job_id, BatchAnswerRow.request_number > after
    )
    if upto is not None:
        query = query.where(BatchAnswerRow.request_number <= upto)
    found: dict[int, list[RequestAnswer]] = {}
    for row in session.scalars(query.order_by(BatchAnswerRow.request_number, BatchAnswerRow.endpoint)):
        answer = RequestAnswer(**{name: getattr(row, name) for name in _ANSWER})
        found.setdefault(row.request_number, []).append(answer)
    return found


def save_answers(
    session: Session, job_id: str, made: Sequence[RequestAnswer], ended: Sequence[Ended]
) -> None:
    """Write answers, each in the place of an earlier one, and how their requests stand now.

    What was billed for this batch counts for one answer of it: also where the answer was found in the cache
    after a crash, and not a second time for another request that is the same property.
    """
    if made:
        ids = [answer.request_id for answer in made if answer.request_id]
        own = _bought_for(session, job_id, ids)
        holders = _holders(session, job_id, ids)
        rows = []
        for answer in made:
            row = {**vars(answer), "job_id": job_id}
            if answer.request_id in own:
                place = (answer.request_number, answer.endpoint)
                row["from_cache"] = holders.setdefault(answer.request_id, place) != place
            rows.append(row)
        session.execute(_upsert(session), rows)
    if ended:
        session.execute(
            update(BatchRequestRow), [{"job_id": job_id, **request._asdict()} for request in ended]
        )


def _upsert(session: Session) -> Any:
    # The same statement in two dialects: SQLAlchemy has no common form of it.
    kept = [name for name in _ANSWER if name not in _ANSWER_KEY]
    if session.get_bind().dialect.name == "postgresql":
        postgres = postgresql.insert(BatchAnswerRow)
        changes = {name: postgres.excluded[name] for name in kept}
        return postgres.on_conflict_do_update(index_elements=_ANSWER_KEY, set_=changes)
    lite = sqlite.insert(BatchAnswerRow)
    return lite.on_conflict_do_update(
        index_elements=_ANSWER_KEY, set_={name: lite.excluded[name] for name in kept}
    )


def _bought_for(session: Session, job_id: str, request_ids: Sequence[str]) -> set[str]:
    """Those of the charges that were made for this batch."""
    found: set[str] = set()
    for some in _parts(request_ids):
        query = select(ChargeRow.charge_id).where(ChargeRow.charge_id.in_(some), ChargeRow.batch_id == job_id)
        found |= set(session.scalars(query))
    return found


def _holders(session: Session, job_id: str, request_ids: Sequence[str]) -> dict[str, tuple[int, str]]:
    """Which answers of the batch count the charges already."""
    found: dict[str, tuple[int, str]] = {}
    for some in _parts(request_ids):
        query = select(
            BatchAnswerRow.request_id, BatchAnswerRow.request_number, BatchAnswerRow.endpoint
        ).where(
            BatchAnswerRow.request_id.in_(some),
            BatchAnswerRow.job_id == job_id,
            BatchAnswerRow.from_cache.is_(False),
        )
        found |= {
            str(request_id): (number, endpoint) for request_id, number, endpoint in session.execute(query)
        }
    return found


def outcome_counts(session: Session, job_id: str) -> dict[str, int]:
    """Requests by outcome."""
    query = (
        select(BatchRequestRow.outcome, func.count())
        .where(BatchRequestRow.job_id == job_id)
        .group_by(BatchRequestRow.outcome)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def answer_counts(session: Session, job_id: str) -> list[AnswerCount]:
    """Answers and reports per endpoint, outcome and reason."""
    named = (BatchAnswerRow.endpoint, BatchAnswerRow.outcome, BatchAnswerRow.reason)
    cached = func.sum(BatchAnswerRow.reports).filter(BatchAnswerRow.from_cache)
    query = (
        select(*named, func.count(), func.sum(BatchAnswerRow.reports), func.coalesce(cached, 0))
        .where(BatchAnswerRow.job_id == job_id)
        .group_by(*named)
    )
    found = [AnswerCount(*row) for row in session.execute(query)]
    return sorted(found, key=lambda count: (count.endpoint, count.outcome, count.reason or ""))


def fetched_range(session: Session, job_id: str) -> tuple[datetime | None, datetime | None]:
    """When the first and the last answer of a batch were fetched."""
    times = [
        session.scalar(
            select(BatchAnswerRow.fetched_at)
            .where(BatchAnswerRow.job_id == job_id, BatchAnswerRow.fetched_at.is_not(None))
            .order_by(order)
            .limit(1)
        )
        for order in (BatchAnswerRow.fetched_at, BatchAnswerRow.fetched_at.desc())
    ]
    return times[0], times[1]


def repeated_attom_ids(session: Session, job_id: str) -> set[int]:
    """ATTOM ids that several requests of the batch were answered with."""
    query = (
        select(BatchAnswerRow.attom_id)
        .where(BatchAnswerRow.job_id == job_id, BatchAnswerRow.attom_id.is_not(None))
        .group_by(BatchAnswerRow.attom_id)
        .having(func.count(BatchAnswerRow.request_number.distinct()) > 1)
    )
    return {int(attom_id) for attom_id in session.scalars(query) if attom_id is not None}


def attom_ids_of(session: Session, vendor: str, request_ids: Sequence[str]) -> dict[str, int]:
    """The ATTOM ids under which kept answers are indexed, by the answers' ids."""
    found: dict[str, int] = {}
    for some in _parts(request_ids):
        query = select(VendorAnswerRow.request_id, VendorAnswerRow.identity).where(
            VendorAnswerRow.vendor == vendor,
            VendorAnswerRow.request_id.in_(some),
            VendorAnswerRow.identity.like("attom:%"),
        )
        found |= {name: int(identity.removeprefix("attom:")) for name, identity in session.execute(query)}
    return found


def _parts(values: Sequence[str]) -> Iterable[Sequence[str]]:
    return (values[start : start + _NAMED_AT_ONCE] for start in range(0, len(values), _NAMED_AT_ONCE))


def _request(row: BatchRequestRow) -> StoredRequest:
    return StoredRequest(
        row.request_number,
        row.property_id,
        tuple(json.loads(row.source_rows)),
        row.match_kind,
        row.query_json,
        row.attom_id,
        row.outcome,  # type: ignore[arg-type]
        row.reason,
    )
