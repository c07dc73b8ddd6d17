"""Batches of ATTOM: the list, one batch while it runs and afterwards, and what can be done with it."""

from __future__ import annotations

import contextlib
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import JSONResponse, Response

from leadflow_assets.domain.towns import town_by_id
from leadflow_assets.enrich.batches import runner, words
from leadflow_assets.enrich.batches.job import STATES, BatchJob
from leadflow_assets.enrich.batches.results import ResultRow, result_rows
from leadflow_assets.enrich.batches.service import Batches
from leadflow_assets.enrich.vendor import open_ledger
from leadflow_assets.errors import NotConfiguredError, UsageError
from leadflow_assets.lake.lake import Lake
from leadflow_assets.refresh.overview import held_towns
from leadflow_assets.settings import Settings
from leadflow_assets.state import batch_jobs, database
from leadflow_assets.web.downloads import download_plain
from leadflow_assets.web.problems import NotFoundError
from leadflow_assets.web.site import CurrentSettings, CurrentSite, Person, Site, page, redirect

router = APIRouter()
PAGE_ROWS = 50
_ASKING = ("submitted", "in_progress")
_CAN_GO_ON = (*_ASKING, "ready", "downloaded")
_CAN_CANCEL = ("created", *_ASKING, "ready")


@router.get("/batches")
def batches_page(
    request: Request, settings: CurrentSettings, status: Annotated[str | None, Query()] = None
) -> Response:
    """All batches, and today's money."""
    status = status or None
    if status is not None and status not in STATES:
        raise UsageError(f"There is no state {status[:40]!r}.", "States: " + ", ".join(STATES) + ".")
    batches = Batches(settings)
    rows = [
        {"job": job, "outcomes": batches.outcomes(job.job_id), "spent": batches.spent_cents(job.job_id)}
        for job in batches.jobs(status)
    ]
    return page(
        request,
        "batches.html",
        rows=rows,
        chosen=status,
        states=STATES,
        budget=open_ledger(settings).budget(),
        has_key=settings.attom_api_key is not None,
    )


@router.get("/batches/{job_id}")
def batch_page(
    request: Request,
    job_id: str,
    site: CurrentSite,
    outcome: Annotated[str | None, Query()] = None,
    at: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> Response:
    """One batch: how far it is, what came of it, and what can be done now."""
    settings = site.settings
    batches, job = _found(settings, job_id)
    if outcome is not None and outcome not in words.OUTCOMES:
        raise UsageError(f"There is no outcome {outcome[:40]!r}.", "See the batch's table of outcomes.")
    state = _state(batches, settings, job)
    whole = job.total_records if outcome is None else state["outcomes"][outcome]
    rows = _rows(site, job, outcome, at) if job.transport != "files" else []
    return page(
        request,
        "batch.html",
        job=job,
        state=state,
        can=_can(batches, job, state),
        budget=open_ledger(settings).budget(),
        has_key=settings.attom_api_key is not None,
        unknown=[one for one in open_ledger(settings).unknown() if one.batch_id == job.job_id],
        rows=rows,
        town_keys={row.town_id: town_by_id(row.town_id).key for row in rows if row.town_id},
        outcome=outcome,
        outcome_words=words.OUTCOMES,
        endpoint_words=words.ENDPOINTS,
        at=at,
        pages=max(1, -(-whole // PAGE_ROWS)),
        whole=whole,
    )


@router.get("/batches/{job_id}/progress")
def progress(job_id: str, settings: CurrentSettings) -> Response:
    """How far a batch is, for the script that looks every two seconds."""
    try:
        batches, job = _found(settings, job_id)
    except NotFoundError:
        return JSONResponse({"gone": True}, headers={"Cache-Control": "no-store"})
    return JSONResponse(_state(batches, settings, job), headers={"Cache-Control": "no-store"})


@router.get("/batches/{job_id}/results.csv")
def download(job_id: str, settings: CurrentSettings, person: Person) -> Response:
    """The person's own columns with what was found beside them."""
    batches, job = _found(settings, job_id)
    return download_plain(
        settings,
        person,
        name=f"{job.job_id}.csv",
        what=f"batch {job.job_id}",
        write=lambda path: batches.export(job.job_id, path),
    )


@router.post("/batches/{job_id}/submit")
def submit(job_id: str, settings: CurrentSettings, cents: Annotated[str, Form()]) -> Response:
    """Have a batch asked, for at most the sum that the person has seen."""
    batches, job = _found(settings, job_id)
    if _decimal(cents) != job.expected_cents:
        raise UsageError(
            f"The batch costs at most ${job.expected_cents / 100:,.2f}, which is not what was confirmed.",
            "Go back, look at the price again, and submit it.",
        )
    if settings.attom_api_key is None:
        raise NotConfiguredError(
            "ATTOM is not configured; nothing was sent.",
            "Set ATTOM_API_KEY, start `leadflow web` again, and submit the batch.",
        )
    if job.status != "created":
        return redirect(_path(job), "It was submitted before.")
    if job.transport == "rest":
        # The database knows at once: the page's death before the process begins loses nothing.
        batches.submit(job.job_id)
    runner.start(settings, job.job_id, ["process", job.job_id])
    return redirect(_path(job), "Submitted. ATTOM is being asked; this page may be closed meanwhile.")


@router.post("/batches/{job_id}/go-on")
def go_on(job_id: str, settings: CurrentSettings) -> Response:
    """Start working at a batch where it stopped: ask what is pending, land, process."""
    batches, job = _found(settings, job_id)
    if not _can(batches, job, _state(batches, settings, job))["go_on"]:
        raise UsageError(f"The batch is {job.status.replace('_', ' ')}; there is nothing to go on with.")
    return _started(settings, job, ["process", job.job_id], "It goes on.")


@router.post("/batches/{job_id}/leads")
def make_leads(job_id: str, settings: CurrentSettings) -> Response:
    """Score anew, and make the owners of a processed batch's properties leads."""
    _, job = _found(settings, job_id)
    if job.status != "processed":
        raise UsageError("Leads are made of a batch that is processed.", "Go on with it first.")
    return _started(settings, job, ["process", job.job_id, "--leads"], "Leads are being made.")


@router.post("/batches/{job_id}/withdraw")
def withdraw(job_id: str, settings: CurrentSettings) -> Response:
    """Take delivered files back out of every table."""
    _, job = _found(settings, job_id)
    if job.transport != "files":
        raise UsageError("Only delivered files can be withdrawn.", "Cancel stops a batch that asks.")
    return _started(settings, job, ["withdraw", job.job_id], "The files are being taken out of the tables.")


@router.post("/batches/{job_id}/cancel")
def cancel(job_id: str, settings: CurrentSettings) -> Response:
    """Stop a batch for good."""
    batches, job = _found(settings, job_id)
    batches.cancel(job.job_id)
    return redirect(_path(job), "Cancelled. What was answered is kept, and costs nothing next time.")


def _rows(site: Site, job: BatchJob, outcome: str | None, at: int) -> list[ResultRow]:
    with contextlib.ExitStack() as opened:
        here = bool(held_towns(site.settings))
        searcher = opened.enter_context(site.searchers.take()) if here else None
        return result_rows(
            site.settings,
            Lake(site.settings),
            searcher,
            job,
            outcome=outcome,
            skip=(at - 1) * PAGE_ROWS,
            most=PAGE_ROWS,
        )


def _started(settings: Settings, job: BatchJob, command: list[str], notice: str) -> Response:
    begun = runner.start(settings, job.job_id, command)
    return redirect(_path(job), notice if begun else "A process works at it already.")


def _found(settings: Settings, job_id: str) -> tuple[Batches, BatchJob]:
    """The batch with exactly this id: an address never means another one later."""
    batches = Batches(settings)
    with database.session(settings) as session:
        job = batch_jobs.get(session, job_id)
    if job is None:
        raise NotFoundError("There is no such batch.", "Batches shows all there are; it may be withdrawn.")
    return batches, job


def _state(batches: Batches, settings: Settings, job: BatchJob) -> dict[str, Any]:
    """What changes while a batch runs; JSON."""
    outcomes = batches.outcomes(job.job_id)
    last = runner.started(settings, job.job_id)
    claimed = batches.is_claimed(job.job_id)
    working = claimed or (last is not None and last.is_alive)
    # What a process said last is old as soon as somebody else has changed the batch.
    told = last is not None and not working and job.updated_at <= last.spoke_at
    error = last.error if last is not None and told else ""
    return {
        "status": job.status,
        "working": working,
        "elsewhere": claimed and not (last is not None and last.is_alive),
        "outcomes": vars(outcomes),
        "total": outcomes.total,
        "answered": outcomes.answered,
        "spent": float(batches.spent_cents(job.job_id)),
        "message": job.error_message or "",
        "error": "" if (job.error_message or "").startswith(error) else error,
        "hint": last.hint if error and last is not None else "",
    }


def _can(batches: Batches, job: BatchJob, state: dict[str, Any]) -> dict[str, bool]:
    """Which buttons a person is given."""
    idle = not state["working"]
    again = job.status == "processed" and batches.has_calls_to_repeat(job)
    return {
        "submit": job.status == "created",
        "go_on": idle and (job.status in _CAN_GO_ON or again),
        "cancel": job.status in _CAN_CANCEL,
        "download": job.transport != "files" and bool(state["answered"]),
        "leads": idle and job.status == "processed",
        "withdraw": idle and job.transport == "files",
    }


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _path(job: BatchJob) -> str:
    return f"/batches/{quote(job.job_id)}"
