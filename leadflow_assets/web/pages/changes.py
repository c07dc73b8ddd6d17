"""Changes: what happened, day by day, and what could not be compared."""

from __future__ import annotations

import itertools
from datetime import date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from leadflow_assets.domain.changes.kinds import KINDS, LIST_KINDS, QUIET
from leadflow_assets.domain.local_days import local_day
from leadflow_assets.domain.towns import find_town, town_by_id
from leadflow_assets.enrich.changes.compared import compared
from leadflow_assets.enrich.changes.messages import digest as write_digest
from leadflow_assets.enrich.changes.watching import coming_digest, digest_of
from leadflow_assets.errors import UsageError
from leadflow_assets.lake.lake import Lake, first_moment
from leadflow_assets.lake.tables import PROPERTIES
from leadflow_assets.search.change_rows import event_row
from leadflow_assets.search.changes import ChangeQuery, find_changes
from leadflow_assets.state import database, saved_lists
from leadflow_assets.web.links import list_path, record_path
from leadflow_assets.web.paging import PAGE_ROWS, PageNumber, Paging
from leadflow_assets.web.site import CurrentSettings, page

router = APIRouter()
Words = Annotated[list[str] | None, Query()]
Day = Annotated[str, Query(max_length=40)]
ListName = Annotated[str, Query(alias="list", max_length=200)]


@router.get("/changes")
def feed(
    request: Request,
    settings: CurrentSettings,
    kind: Words = None,
    town: Words = None,
    list_name: ListName = "",
    since: Day = "",
    until: Day = "",
    number: PageNumber = 1,
) -> Response:
    """Events by the day they were seen here, the newest first."""
    towns, kinds = [name for name in town or () if name.strip()], [one for one in kind or () if one]
    query = ChangeQuery(
        since=first_moment(since) if since else None,
        towns=[find_town(name, demo=settings.demo_on).town_id for name in towns] or None,
        kinds=kinds or None,
        list_name=list_name or None,
    )
    end = _end(until) if until else None
    found = [event for event in find_changes(settings, query) if end is None or event["seen_at"] < end]
    paging = Paging.of(number, len(found))
    shown = [_row(event) for event in found[paging.offset : paging.offset + PAGE_ROWS]]
    with database.session(settings) as session:
        lists = [one.name for one in saved_lists.all_lists(session)]
    here = Lake(settings).snapshot(PROPERTIES).by_town()
    return page(
        request,
        "changes.html",
        days=[(day, list(rows)) for day, rows in itertools.groupby(shown, key=lambda row: row["seen"])],
        paging=paging,
        asked={"kind": kinds, "town": towns, "list": list_name, "since": since, "until": until},
        kinds=KINDS | LIST_KINDS,
        quiet=QUIET,
        towns=[town_by_id(town_id).name for town_id in sorted(here)],
        lists=lists,
        compared=compared(settings),
        list_path=list_path,
    )


def _end(text: str) -> datetime:
    """The first moment after a day, or the moment itself."""
    moment = first_moment(text)
    return moment + timedelta(days=1) if len(text) == len("2026-01-01") else moment


def _row(event: dict[str, Any]) -> dict[str, Any]:
    row = event_row(event)
    return {
        **row,
        "seen": local_day(event["seen_at"]),
        "parcel": record_path(event["town_id"], event["loc_id"], event["property_id"]),
        "what": row["what"],
    }


@router.get("/changes/digest")
def digest(request: Request, settings: CurrentSettings, list_name: ListName = "", day: Day = "") -> Response:
    """The digest of a list: what the daily e-mail says, without the names of owners."""
    with database.session(settings) as session:
        lists = [one.name for one in saved_lists.all_lists(session)]
    text, of = "", coming_digest()
    if list_name:
        of, events = digest_of(settings, list_name, _day(day) if day else None)
        text = write_digest(list_name, events)
    return page(
        request,
        "digest.html",
        text=text,
        day=of,
        coming=coming_digest(),
        lists=lists,
        list_name=list_name,
        list_path=list_path,
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError("That is not a day.", "Write it like 2026-11-20.") from None
