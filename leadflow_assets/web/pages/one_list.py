"""One list: its members, what changed on it, who is told of it, and what of it can be done."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response

from leadflow_assets.errors import UsageError
from leadflow_assets.lake.lake import first_moment
from leadflow_assets.search.criteria import SearchCriteria, criteria_from
from leadflow_assets.search.criteria_words import in_words
from leadflow_assets.search.exports.formats import FORMATS
from leadflow_assets.search.exports.search import export_search
from leadflow_assets.search.lists.service import SavedLists
from leadflow_assets.search.lists.showing import MEMBER_COLUMNS, member_row, typed_ids
from leadflow_assets.search.lists.store import ListChange
from leadflow_assets.settings import Settings
from leadflow_assets.state.models import LIST_EVENTS
from leadflow_assets.state.saved_lists import SavedList
from leadflow_assets.web.choices import FORMAT_WORDS
from leadflow_assets.web.downloads import download
from leadflow_assets.web.links import list_path, record_path, search_path
from leadflow_assets.web.paging import PAGE_ROWS, PageNumber, Paging
from leadflow_assets.web.problems import NotFoundError
from leadflow_assets.web.site import CurrentSite, Person, Site, page, redirect

_COLUMNS = (*MEMBER_COLUMNS, "town_id", "score", "score_coverage", "score_state")
_PLACE = ("property_id", "town_id", "town", "loc_id", "site_address")
_ALWAYS = "1970-01-01"
_MOST_IDS = 2_000_000  # characters
router = APIRouter()


@contextmanager
def opened(site: Site, *, search: bool = False) -> Iterator[SavedLists]:
    """The saved lists; with a searcher of the site where something is searched."""
    if not search:
        with SavedLists(site.settings) as lists:
            yield lists
        return
    with site.searchers.take() as searcher, SavedLists(site.settings, searcher=searcher) as lists:
        yield lists


def found(settings: Settings, name: str) -> SavedList:
    """The list of that name.

    Raises:
        NotFoundError: there is none.
    """
    try:
        return SavedLists(settings).find(name)
    except UsageError as error:
        raise NotFoundError(error.message, error.hint) from None


def facts(saved: SavedList, part: str) -> dict[str, Any]:
    """What every page of a list shows above its own content; ``part`` is the page."""
    criteria = criteria_from(json.loads(saved.criteria_json)) if saved.criteria_json else None
    return {
        "saved": saved,
        "part": part,
        "criteria": in_words(criteria) if criteria else None,
        "search": search_path(criteria) if criteria else None,
        "path": list_path,
        "formats": FORMATS,
        "format_words": FORMAT_WORDS,
    }


def places_of(site: Site, property_ids: Sequence[str]) -> dict[str, dict[str, str | None]]:
    """Address and page of those properties that are in the lake, by id."""
    with site.searchers.take() as searcher:
        rows = searcher.properties(property_ids, _PLACE).to_pylist()
    return {
        row["property_id"]: {
            "path": record_path(row["town_id"], row["loc_id"], row["property_id"]),
            "address": f"{row['site_address'] or 'no address'}, {row['town']}",
        }
        for row in rows
    }


@router.get("/lists/{name}")
def members(request: Request, site: CurrentSite, name: str, number: PageNumber = 1) -> Response:
    """Members as they are in the lake now, page by page."""
    saved = found(site.settings, name)
    paging = Paging.of(number, saved.members)
    with opened(site, search=True) as lists:
        shown = lists.members(name, limit=PAGE_ROWS, offset=paging.offset)
        ids = [member.property_id for member in shown]
        here = {row["property_id"]: row for row in lists.searcher.properties(ids, _COLUMNS).to_pylist()}
    rows = []
    for member in shown:
        row = member_row(member, here.get(member.property_id))
        rows.append({**row, "here": member.property_id in here, "parcel": _parcel(row)})
    return page(request, "list.html", rows=rows, paging=paging, **facts(saved, ""))


def _parcel(row: dict[str, Any]) -> str | None:
    return record_path(row.get("town_id"), row.get("loc_id"), row["property_id"])


@router.get("/lists/{name}/changes")
def changes(
    request: Request,
    site: CurrentSite,
    name: str,
    since: Annotated[str, Query(max_length=40)] = "",
    event: str = "",
    number: PageNumber = 1,
) -> Response:
    """Who came, went, has another id or was lost, and why; from the last refresh on, or since a day."""
    saved = found(site.settings, name)
    if event and event not in LIST_EVENTS:
        raise UsageError(f"There is no event {event!r}.", f"Events: {', '.join(LIST_EVENTS)}.")
    moment: datetime | None = first_moment(since) if since else None
    with opened(site) as lists:
        lines = [line for line in lists.diff(name, since=moment) if event in ("", line.event)]
    lines.reverse()
    paging = Paging.of(number, len(lines))
    shown = lines[paging.offset : paging.offset + PAGE_ROWS]
    return page(
        request,
        "list_changes.html",
        lines=shown,
        here=places_of(site, [line.property_id for line in shown]),
        paging=paging,
        counts={one: sum(line.event == one for line in lines) for one in LIST_EVENTS},
        since=since,
        event=event,
        events=LIST_EVENTS,
        always=_ALWAYS,
        **facts(saved, "changes"),
    )


@router.post("/lists/{name}/refresh")
def refresh(site: CurrentSite, name: str) -> Response:
    """Bring the list up to date with the lake."""
    found(site.settings, name)
    with opened(site, search=True) as lists:
        change = lists.refresh(name)
    return redirect(list_path(change.saved.name, "changes"), f"Refreshed: {_told(change)}")


@router.post("/lists/{name}/add")
def add(site: CurrentSite, name: str, ids: Annotated[str, Form(max_length=_MOST_IDS)] = "") -> Response:
    """Add properties to a static or imported list."""
    found(site.settings, name)
    wanted = typed_ids([ids])
    with opened(site, search=True) as lists:
        change = lists.add(name, wanted)
    return redirect(list_path(change.saved.name), f"Added: {_told(change)}")


@router.post("/lists/{name}/remove")
def remove(
    site: CurrentSite,
    name: str,
    property_id: Annotated[list[str] | None, Form()] = None,
    ids: Annotated[str, Form(max_length=_MOST_IDS)] = "",
) -> Response:
    """Take properties off a static or imported list: those that are ticked or typed."""
    found(site.settings, name)
    if not property_id and not ids.strip():
        raise UsageError("No property is chosen.", "Tick those that shall go, or type their ids.")
    wanted = [*(property_id or ()), *(typed_ids([ids]) if ids.strip() else ())]
    with opened(site) as lists:
        change = lists.remove(name, wanted)
    return redirect(list_path(change.saved.name), f"Taken off: {_told(change)}")


@router.post("/lists/{name}/archive")
def archive(site: CurrentSite, name: str) -> Response:
    """Hide the list; nothing of it is lost."""
    found(site.settings, name)
    with opened(site) as lists:
        saved = lists.archive(name)
    return redirect(list_path(saved.name), "The list is archived. Nothing of it is lost.")


@router.post("/lists/{name}/restore")
def restore(site: CurrentSite, name: str) -> Response:
    """Bring an archived list back."""
    found(site.settings, name)
    with opened(site) as lists:
        saved = lists.restore(name)
    return redirect(list_path(saved.name), "The list is back.")


@router.get("/lists/{name}/export")
def export(site: CurrentSite, person: Person, name: str, format: str = "xlsx") -> Response:
    """The members that are in the lake, as a file."""
    saved = found(site.settings, name)
    criteria = SearchCriteria(lists=(saved.name,), include_condominium_masters=True)
    with site.searchers.take() as searcher:
        return download(
            site.settings,
            person,
            name=saved.name,
            format=format,
            what="list",
            filters={"lists": ()},
            write=lambda path: export_search(searcher, criteria, path, format, list_name=saved.name),
        )


def _told(change: ListChange) -> str:
    counted = {event: change.count(event) for event in LIST_EVENTS}
    told = ", ".join(f"{number:,} {event}" for event, number in counted.items() if number) or "no changes"
    return " ".join([f"{told}; {change.saved.members:,} members.", *change.notes])
