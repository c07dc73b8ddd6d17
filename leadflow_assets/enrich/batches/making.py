"""New batches: what they would cost, and how they are written so that a kill leaves all or nothing."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadflow_assets.enrich.batches.job import BatchJob, BatchPreview, Outcomes
from leadflow_assets.enrich.batches.kept import KeptPlan, plan_requests
from leadflow_assets.enrich.batches.records import stored_request
from leadflow_assets.enrich.vendor import open_ledger
from leadflow_assets.errors import UsageError
from leadflow_assets.lake.lake import Lake
from leadflow_assets.settings import Settings
from leadflow_assets.sources.attom.endpoints import find_endpoint
from leadflow_assets.state import batch_jobs, batch_requests, database
from leadflow_assets.state.models_batches import BATCH_TRANSPORTS

if TYPE_CHECKING:
    from leadflow_assets.enrich.batches.matching import Matched

_MOST_CHARACTERS = 80
_SLUG_CHARACTERS = 40
# From these a batch goes on: the same file under the same name is that batch, not another one.
UNFINISHED = ("created", "submitted", "in_progress", "ready", "downloaded")


def chosen_endpoints(settings: Settings, endpoints: Sequence[str] | None) -> tuple[str, ...]:
    """The endpoints asked for, or those of the settings; each once, in order.

    Raises:
        UsageError: one is unknown, or there is none.
    """
    names = settings.leadflow_attom_endpoints.split(",") if endpoints is None else endpoints
    chosen = tuple(dict.fromkeys(name.strip() for name in names if name.strip()))
    for name in chosen:
        find_endpoint(name)
    if not chosen:
        raise UsageError("No endpoint is given.", "Name some, or set LEADFLOW_ATTOM_ENDPOINTS.")
    return chosen


def preview_of(settings: Settings, lake: Lake, matched: Matched, endpoints: tuple[str, ...]) -> BatchPreview:
    """What a batch of these requests would be."""
    plan = _plan(settings, lake, matched, endpoints)
    return BatchPreview(
        rows_given=matched.rows_given,
        matches=matched.counts,
        requests=len(matched.requests),
        endpoints=endpoints,
        to_ask=plan.to_ask,
        fresh=plan.fresh,
        most_cents=plan.most_cents,
        saved_cents=plan.saved_cents,
        left_today_cents=open_ledger(settings).budget().left_cents,
        report=matched.report,
    )


def make_job(
    settings: Settings,
    lake: Lake,
    matched: Matched,
    *,
    name: str,
    endpoints: tuple[str, ...],
    transport: str,
    source: Path | None,
    now: datetime,
    by: str | None = None,
) -> BatchJob:
    """Keep the user's file, then write job and requests in one transaction. ``by``: who makes it.

    The same requests under the same name, while that batch is unfinished, are that batch.

    Raises:
        UsageError: a bad name, an unknown transport, or nothing to ask about.
    """
    title = checked_name(name)
    if transport not in BATCH_TRANSPORTS:
        raise UsageError(
            f"There is no transport {transport!r}.", "Known: " + ", ".join(BATCH_TRANSPORTS) + "."
        )
    if not matched.requests:
        raise UsageError("There is no property to ask about.", "Give a file with rows.")
    content = source.read_bytes() if source else b""
    digest = _digest(content, matched, [title, transport, *endpoints])
    plan = _plan(settings, lake, matched, endpoints)
    outcomes = Outcomes.of(request.outcome for request in matched.requests)
    job = BatchJob(
        job_id=f"{now:%Y%m%d}-{_slug(title)}-{digest[:6]}",
        name=title,
        transport=transport,
        status="created",
        endpoints=endpoints,
        created_at=now,
        updated_at=now,
        source_file=source.name if source else None,
        rows_given=matched.rows_given,
        duplicates=matched.duplicates,
        total_records=len(matched.requests),
        completed_records=outcomes.answered,
        expected_cents=plan.most_cents,
        saved_cents=plan.saved_cents,
        facts={"digest": digest, "matches": dict(matched.counts)} | ({"made_by": by} if by else {}),
    )
    return _written(settings, lake, job, matched, content)


def _written(settings: Settings, lake: Lake, job: BatchJob, matched: Matched, content: bytes) -> BatchJob:
    number = 1
    base = job.job_id
    while True:
        with database.session(settings) as session:
            same = [
                held
                for held in batch_jobs.all_jobs(session)
                if held.facts.get("digest") == job.facts["digest"]
            ]
        unfinished = [held for held in same if held.status in UNFINISHED]
        if unfinished:
            return unfinished[0]
        if job.source_file is not None:
            key = f"{settings.batch_upload_dir}/{job.job_id}/{_file_name(job.source_file)}"
            # A file that is there was left by a process that was killed here: the id names its content.
            lake.store.put_new(key, content)
            job = replace(job, upload_key=key)
        with database.session(settings) as session:
            if batch_jobs.insert_job(session, job):
                requests = (stored_request(request) for request in matched.requests)
                batch_requests.insert_requests(session, job.job_id, requests)
                session.commit()
                return job
        number += 1
        job = replace(job, job_id=f"{base}-{number}", upload_key=None)


def adopt_job(
    settings: Settings,
    job_id: str,
    *,
    name: str,
    transport: str,
    source_file: str | None,
    results_key: str | None,
    total_records: int,
    facts: Mapping[str, Any],
    now: datetime,
) -> BatchJob:
    """A job for files that arrived by themselves, in state ready; the same id again is the same job."""
    job = BatchJob(
        job_id=job_id,
        name=checked_name(name),
        transport=transport,
        status="ready",
        endpoints=(),
        created_at=now,
        updated_at=now,
        ready_at=now,
        source_file=source_file,
        results_key=results_key,
        rows_given=total_records,
        total_records=total_records,
        completed_records=total_records,
        expected_cents=Decimal(0),
        facts=facts,
    )
    with database.session(settings) as session:
        batch_jobs.insert_job(session, job)
        session.commit()
        held = batch_jobs.get(session, job_id)
    assert held is not None, "it was there or has just been written"
    return held


def checked_name(name: str) -> str:
    """The name, if a batch may be called that.

    Raises:
        UsageError: empty, too long, or with characters that do not print.
    """
    text = " ".join(unicodedata.normalize("NFC", name).split())
    if 0 < len(text) <= _MOST_CHARACTERS and text.isprintable():
        return text
    raise UsageError(
        f"{name[:_MOST_CHARACTERS]!r} cannot be the name of a batch.",
        f"Use 1 to {_MOST_CHARACTERS} characters that print.",
    )


def _plan(settings: Settings, lake: Lake, matched: Matched, endpoints: tuple[str, ...]) -> KeptPlan:
    open_requests = [request for request in matched.requests if request.outcome == "pending"]
    return plan_requests(settings, lake, open_requests, endpoints)


def _digest(content: bytes, matched: Matched, words: Sequence[str]) -> str:
    """Names a batch by what it asks."""
    properties = [] if content else [request.property_id for request in matched.requests]
    parts = [hashlib.sha256(content).hexdigest(), properties, list(words)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:_SLUG_CHARACTERS].strip("-") or "batch"


def _file_name(name: str) -> str:
    """The file's name, fit for a key in any store."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip(".") or "upload"
