"""Leads: ranked, filtered, exported; one lead with its reasons and its history; making them anew."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response

from leadflow_assets.domain.distress import UNCALIBRATED
from leadflow_assets.domain.leads import NOTICES, OPPORTUNITIES, REACH_WORDS, RULE, STATUSES
from leadflow_assets.domain.towns import find_town, town_by_id
from leadflow_assets.enrich.leads import making
from leadflow_assets.enrich.leads.adding import set_status
from leadflow_assets.enrich.leads.export import FORMATS, export_batch_leads, export_leads
from leadflow_assets.enrich.leads.reading import LeadFilters, find_leads
from leadflow_assets.enrich.leads.reading import lead as read_lead
from leadflow_assets.enrich.leads.service import last_made, outdated
from leadflow_assets.errors import UsageError
from leadflow_assets.search.exports import Export
from leadflow_assets.search.exports.formats import USE_NOTE
from leadflow_assets.settings import Settings
from leadflow_assets.state import batch_jobs, database, leads, saved_lists
from leadflow_assets.web.choices import FORMAT_WORDS
from leadflow_assets.web.downloads import download
from leadflow_assets.web.links import record_path
from leadflow_assets.web.paging import PageNumber, Paging
from leadflow_assets.web.problems import NotFoundError
from leadflow_assets.web.site import CurrentSettings, CurrentSite, Person, Site, page, redirect

_ROWS = 50
_LONGEST_NOTE = 2000
router = APIRouter()
Words = Annotated[list[str] | None, Query()]
Note = Annotated[str, Form(max_length=_LONGEST_NOTE)]


@dataclass(frozen=True)
class Asked:
    """The filters as they stand in the address, and what they mean."""

    values: dict[str, Any]
    filters: LeadFilters

    @property
    def told(self) -> dict[str, Any]:
        """The filters that are set, for the log of exports: of towns their ids."""
        towns = {"towns": self.filters.towns} if self.filters.towns else {}
        return {**towns, **{name: value for name, value in self.values.items() if value and name != "town"}}


def asked_of(
    settings: CurrentSettings,
    town: Words = None,
    grade: Words = None,
    status: Words = None,
    opportunity: Words = None,
    min_score: str = "",
    min_coverage: str = "",
    list_name: Annotated[str, Query(alias="list", max_length=200)] = "",
    batch: Annotated[str, Query(max_length=200)] = "",
) -> Asked:
    """The filters of an address; empty fields of the form ask for nothing.

    Raises:
        UsageError: a filter's value is wrong.
    """
    towns = [name for name in town or () if name.strip()]
    grades = [one.upper() for one in grade or () if one]
    statuses, chances = [one for one in status or () if one], [one for one in opportunity or () if one]
    filters = LeadFilters(
        towns=tuple(find_town(name, demo=settings.demo_on).town_id for name in towns),
        grades=tuple(grades),
        statuses=tuple(statuses),
        opportunities=tuple(chances),
        min_score=_number("The score", min_score, 100),
        min_coverage=_number("What is known", min_coverage, 1),
        list_name=list_name or None,
        batch_id=batch or None,
    )
    values = {
        "town": towns,
        "grade": grades,
        "status": statuses,
        "opportunity": chances,
        "min_score": min_score,
        "min_coverage": min_coverage,
        "list": list_name,
        "batch": batch,
    }
    return Asked(values, filters)


CurrentlyAsked = Annotated[Asked, Depends(asked_of)]


def _number(what: str, text: str, most: float) -> float | None:
    if not text.strip():
        return None
    try:
        found = float(text)
    except ValueError:
        raise UsageError(f"{what} must be a number.", f"Write 0 to {most:g}.") from None
    if not 0 <= found <= most:
        raise UsageError(f"{what} must lie between 0 and {most:g}.", "Change it and ask again.")
    return found


@router.get("/leads")
def ranked(
    request: Request, settings: CurrentSettings, asked: CurrentlyAsked, number: PageNumber = 1
) -> Response:
    """The ranked leads."""
    found = find_leads(settings, asked.filters, limit=_ROWS, offset=(number - 1) * _ROWS)
    paging = Paging.of(number, found.total, _ROWS)
    if paging.number != number:
        found = find_leads(settings, asked.filters, limit=_ROWS, offset=paging.offset)
    with database.session(settings) as session:
        lists = [one.name for one in saved_lists.all_lists(session)]
        jobs = batch_jobs.all_jobs(session)
    return page(
        request,
        "leads.html",
        rows=found.rows.to_pylist(),
        grades=found.grades,
        paging=paging,
        asked=asked.values,
        statuses=STATUSES,
        opportunities=OPPORTUNITIES,
        towns=[town_by_id(town).name for town in sorted(found.inputs.published)],
        lists=lists,
        jobs=jobs,
        made_at=last_made(settings),
        unscored=[town_by_id(town).name for town in found.inputs.unscored],
        outdated=outdated(settings) is not None,
        making=making.newest(settings),
        formats=FORMATS,
        format_words=FORMAT_WORDS,
        rule=RULE,
        uncalibrated=UNCALIBRATED,
        use=USE_NOTE,
        parcel=record_path,
        back=str(request.url.path) + (f"?{request.url.query}" if request.url.query else ""),
    )


@router.get("/leads/export")
def export(
    settings: CurrentSettings,
    person: Person,
    asked: CurrentlyAsked,
    format: str = "xlsx",
) -> Response:
    """The leads that the filters find, or a batch's own rows with their leads, as a file."""
    if format not in FORMATS:
        raise UsageError(f"Leads are not written as {format!r}.", f"Formats: {', '.join(FORMATS)}.")
    others = [name for name, value in asked.values.items() if value and name != "batch"]
    if asked.filters.batch_id and others:
        raise UsageError(
            "A batch's leads take no other filter: every row of yours is kept.", "Clear the others."
        )

    def write(path: Path) -> Export:
        if asked.filters.batch_id:
            return export_batch_leads(settings, asked.filters.batch_id, path, format=format)
        return export_leads(settings, path, asked.filters, format=format)

    return download(
        settings, person, name="leads", format=format, what="leads", filters=asked.told, write=write
    )


@router.post("/leads/status")
def change_several(
    settings: CurrentSettings,
    person: Person,
    status: Annotated[str, Form()],
    lead_id: Annotated[list[str] | None, Form()] = None,
    note: Note = "",
    back: Annotated[str, Form(max_length=4000)] = "/leads",
) -> Response:
    """Say where the conversation with the ticked leads stands: all of them, or none."""
    if not lead_id:
        raise UsageError("No lead is chosen.", "Tick the leads whose status changes.")
    done = set_status(settings, lead_id, status, by=person, note=note.strip())
    target = back if back == "/leads" or back.startswith("/leads?") else "/leads"
    return redirect(target, f"{len(done):,} {'lead is' if len(done) == 1 else 'leads are'} {status} now.")


@router.post("/leads/make")
def make(settings: CurrentSettings, person: Person) -> Response:
    """Make the leads anew, in a process of its own."""
    making.start(settings, by=person)
    return redirect("/leads", "Leads are being made. You may leave this page.")


@router.get("/leads/{lead_id}")
def one(request: Request, site: CurrentSite, lead_id: str) -> Response:
    """One lead: owner, properties, reasons, notices, and the history of the conversation."""
    settings = site.settings
    found = read_lead(settings, lead_id)
    with database.session(settings) as session:
        history = leads.history(session, lead_id)
    if found is None and not history:
        raise NotFoundError("There is no such lead.", "All leads: /leads.")
    return page(
        request,
        "lead.html",
        lead=found,
        lead_id=lead_id,
        places=_places(site, found) if found else {},
        history=history[::-1],
        notices=NOTICES,
        reaches=REACH_WORDS,
        statuses=STATUSES,
        uncalibrated=UNCALIBRATED,
        rule=RULE,
        use=USE_NOTE,
    )


@router.post("/leads/{lead_id}/status")
def change_one(
    settings: CurrentSettings, person: Person, lead_id: str, status: Annotated[str, Form()], note: Note = ""
) -> Response:
    """Say where the conversation stands; earlier states are kept."""
    if read_lead(settings, lead_id) is None and not _history(settings, lead_id):
        raise NotFoundError("There is no such lead.", "All leads: /leads.")
    set_status(settings, [lead_id], status, by=person, note=note.strip())
    return redirect(f"/leads/{lead_id}", f"The lead is {status} now.")


def _history(settings: Settings, lead_id: str) -> list[leads.LeadEvent]:
    with database.session(settings) as session:
        return leads.history(session, lead_id)


def _places(site: Site, found: dict[str, Any]) -> dict[str, str | None]:
    """The page of each of the lead's properties."""
    ids = [own["property_id"] for own in found["properties"]]
    with site.searchers.take() as searcher:
        rows = searcher.properties(ids, ("property_id", "town_id", "loc_id")).to_pylist()
    return {
        row["property_id"]: record_path(row["town_id"], row["loc_id"], row["property_id"]) for row in rows
    }
