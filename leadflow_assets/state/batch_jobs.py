"""Batch jobs in and out of the state database. The caller commits; nothing here asks anybody anything.

A job's status changes only from the states named by the caller, so that two processes cannot take it two
ways; a claim says which living process works on it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Insert, Update, case, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from leadflow_assets.errors import UsageError
from leadflow_assets.state.charges import MICROS_PER_CENT, micros
from leadflow_assets.state.models_batches import BatchJobRow
from leadflow_assets.state.processes import is_gone

_NAMED = 5
_TIME_OF = {
    "created": "created_at",
    "submitted": "submitted_at",
    "in_progress": "started_at",
    "ready": "ready_at",
    "downloaded": "downloaded_at",
    "processed": "processed_at",
    "failed": "failed_at",
    "cancelled": "cancelled_at",
}


@dataclass(frozen=True)
class BatchJob:
    """One batch as it stands; times aware, UTC. ``job_id`` is also its partition ``batch_id``.

    ``total_records`` are its requests (rows of a delivered file), ``completed_records`` those that are not
    pending, ``processed_records`` the properties published; ``lead_count`` is None until leads are asked for.
    ``upload_key`` and ``results_key`` are keys in the lake. ``facts`` hold no personal data.
    """

    job_id: str
    name: str
    transport: str
    status: str
    endpoints: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    external_job_id: str | None = None
    source_file: str | None = None
    upload_key: str | None = None
    results_key: str | None = None
    rows_given: int = 0
    duplicates: int = 0
    total_records: int = 0
    completed_records: int = 0
    processed_records: int = 0
    lead_count: int | None = None
    expected_cents: Decimal = Decimal(0)
    saved_cents: Decimal = Decimal(0)
    error_message: str | None = None
    submitted_at: datetime | None = None
    started_at: datetime | None = None
    ready_at: datetime | None = None
    downloaded_at: datetime | None = None
    processed_at: datetime | None = None
    failed_at: datetime | None = None
    cancelled_at: datetime | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def progress(self) -> int:
        """Percent of the requests that are answered; 100 only when none is missing."""
        done, whole = self.completed_records, self.total_records
        return 100 if done >= whole else done * 100 // whole


# Columns that are the field of the same name.
_PLAIN = (
    "name",
    "transport",
    "status",
    "external_job_id",
    "source_file",
    "upload_key",
    "results_key",
    "rows_given",
    "duplicates",
    "total_records",
    "completed_records",
    "processed_records",
    "lead_count",
    "error_message",
    "updated_at",
    *_TIME_OF.values(),
)


def insert_job(session: Session, job: BatchJob) -> bool:
    """Write a new job; False, and nothing written, if its id is taken."""
    values = {
        "id": job.job_id,
        "progress": job.progress,
        **_columns({"endpoints": job.endpoints, "facts": job.facts}),
        **_columns({"expected_cents": job.expected_cents, "saved_cents": job.saved_cents}),
        **{name: getattr(job, name) for name in _PLAIN},
    }
    # The same statement in two dialects: SQLAlchemy has no common form of it.
    if session.get_bind().dialect.name == "postgresql":
        return _changed(session, postgresql.insert(BatchJobRow).values(values).on_conflict_do_nothing())
    return _changed(session, sqlite.insert(BatchJobRow).values(values).on_conflict_do_nothing())


def get(session: Session, job_id: str) -> BatchJob | None:
    """The job with this id, or None."""
    row = session.get(BatchJobRow, job_id, populate_existing=True)
    return _job(row) if row else None


def find(session: Session, text: str) -> BatchJob:
    """The job a person means: by its id, its name in any case, or the beginning of either.

    Raises:
        UsageError: there is none, or there are several.
    """
    found = get(session, text)
    if found is not None:
        return found
    wanted = text.strip().casefold()
    jobs = all_jobs(session)
    named = [job for job in jobs if job.name.casefold() == wanted]
    begun = [job for job in jobs if wanted and _begins(job, wanted)]
    candidates = named or begun
    if len(candidates) == 1:
        return candidates[0]
    if candidates:
        ids = ", ".join(job.job_id for job in candidates[:_NAMED])
        raise UsageError(f"{len(candidates)} batches are called {text!r}.", f"Give one by its id: {ids}.")
    raise UsageError(f"There is no batch {text!r}.", "`leadflow batch list` shows them.")


def all_jobs(session: Session, status: str | None = None) -> list[BatchJob]:
    """Jobs, newest first; ``status`` keeps those in one state."""
    query = select(BatchJobRow).order_by(BatchJobRow.created_at.desc(), BatchJobRow.id)
    if status is not None:
        query = query.where(BatchJobRow.status == status)
    return [_job(row) for row in session.scalars(query)]


def change(session: Session, job_id: str, *, now: datetime, **values: Any) -> None:
    """Set fields of a job, named as in :class:`BatchJob`; also ``landed``, see :func:`landed`."""
    session.execute(_update(job_id).values(updated_at=now, **_columns(values)))


def move(
    session: Session, job_id: str, status: str, *, from_: Sequence[str], now: datetime, **values: Any
) -> bool:
    """Take a job from one of some states to another, with its time; False if it is in none of them."""
    statement = _update(job_id).where(BatchJobRow.status.in_(from_))
    changes = {_TIME_OF[status]: now, "status": status, "updated_at": now, **_columns(values)}
    return _changed(session, statement.values(changes))


def forget(session: Session, job_id: str) -> None:
    """Delete a job that has no requests: that of delivered files."""
    session.execute(delete(BatchJobRow).where(BatchJobRow.id == job_id))


def landed(session: Session, job_id: str) -> Mapping[str, Any] | None:
    """What was kept of the last landing, as it was given to :func:`move` or :func:`change`."""
    text = session.scalar(select(BatchJobRow.landed_json).where(BatchJobRow.id == job_id))
    return None if text is None else dict(json.loads(text))


def claim(
    session: Session, job_id: str, claim_id: str, *, owner: str, now: datetime, until: datetime
) -> bool:
    """Take a job for one process until a moment; False if another living one holds it."""
    row = session.scalar(select(BatchJobRow).where(BatchJobRow.id == job_id).with_for_update())
    if row is None or _is_held(row, now):
        return False
    row.claim_id, row.claim_owner, row.claim_expires_at = claim_id, owner, until
    return True


def renew_claim(session: Session, job_id: str, claim_id: str, *, until: datetime) -> bool:
    """Hold a claim for longer; False if another process has taken the job meanwhile."""
    statement = _update(job_id).where(BatchJobRow.claim_id == claim_id)
    return _changed(session, statement.values(claim_expires_at=until))


def release_claim(session: Session, job_id: str, claim_id: str) -> None:
    """Give a claim back."""
    statement = _update(job_id).where(BatchJobRow.claim_id == claim_id)
    session.execute(statement.values(claim_id=None, claim_owner=None, claim_expires_at=None))


def is_claimed(session: Session, job_id: str, *, now: datetime) -> bool:
    """Does a living process work on the job?"""
    row = session.get(BatchJobRow, job_id, populate_existing=True)
    return row is not None and _is_held(row, now)


def release_dead_claims(session: Session, *, now: datetime) -> int:
    """Give back what dead processes held; returns how many."""
    held = session.scalars(select(BatchJobRow).where(BatchJobRow.claim_id.is_not(None)).with_for_update())
    dead = [row for row in held if not _is_held(row, now)]
    for row in dead:
        row.claim_id, row.claim_owner, row.claim_expires_at = None, None, None
    return len(dead)


def _is_held(row: BatchJobRow, now: datetime) -> bool:
    if row.claim_id is None or row.claim_owner is None or row.claim_expires_at is None:
        return False
    return row.claim_expires_at > now and not is_gone(row.claim_owner)


def _update(job_id: str) -> Update:
    return update(BatchJobRow).where(BatchJobRow.id == job_id)


def _changed(session: Session, statement: Insert | Update) -> bool:
    result = session.execute(statement)
    assert isinstance(result, CursorResult)
    return result.rowcount == 1


def _begins(job: BatchJob, wanted: str) -> bool:
    return job.job_id.casefold().startswith(wanted) or job.name.casefold().startswith(wanted)


def _columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """Fields as columns: money in micros, structures as JSON, and the progress that goes with a count."""
    columns = dict(values)
    for name in ("expected", "saved"):
        if f"{name}_cents" in columns:
            columns[f"{name}_micros"] = micros(columns.pop(f"{name}_cents"))
    for name in ("facts", "landed"):
        if name in columns:
            value = columns.pop(name)
            columns[f"{name}_json"] = None if value is None else json.dumps(dict(value), sort_keys=True)
    if "endpoints" in columns:
        columns["endpoints"] = ",".join(columns["endpoints"])
    if "completed_records" in columns:
        done, whole = columns["completed_records"], columns.get("total_records", BatchJobRow.total_records)
        if isinstance(whole, int):
            columns["progress"] = 100 if done >= whole else done * 100 // whole
        else:
            columns["progress"] = case((whole <= done, 100), else_=done * 100 // whole)
    return columns


def _job(row: BatchJobRow) -> BatchJob:
    return BatchJob(
        job_id=row.id,
        endpoints=tuple(row.endpoints.split(",")) if row.endpoints else (),
        expected_cents=Decimal(row.expected_micros) / MICROS_PER_CENT,
        saved_cents=Decimal(row.saved_micros) / MICROS_PER_CENT,
        facts=json.loads(row.facts_json),
        **{name: getattr(row, name) for name in _PLAIN},
    )
