"""A parcel: everything that is known of it, where that is from, and what is not known."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from leadflow_assets.domain.courts.imported import source_in_words
from leadflow_assets.domain.towns import Town, find_town
from leadflow_assets.enrich.leads.reading import leads_of_properties
from leadflow_assets.errors import UsageError
from leadflow_assets.search.engine import Searcher, open_searcher
from leadflow_assets.search.exports.formats import USE_NOTE
from leadflow_assets.search.lists.service import SavedLists
from leadflow_assets.search.parcel import words
from leadflow_assets.search.parcel.cases import notes_of
from leadflow_assets.search.parcel.lookup import NotHeldError
from leadflow_assets.search.parcel.report import ParcelReport, parcel_report
from leadflow_assets.search.parcel.surroundings import Neighbour, neighbours_of
from leadflow_assets.settings import Settings
from leadflow_assets.web.links import parcel_path
from leadflow_assets.web.pages.parcel_missing import missing
from leadflow_assets.web.pages.parcel_view import ParcelView, parcel_view, place_of
from leadflow_assets.web.problems import NotFoundError
from leadflow_assets.web.site import CurrentSite, page

router = APIRouter()
# A condominium's further units are a click away.
_MOST_UNITS = 20


@router.get("/search/parcel/{town}/{loc_id:path}")
def old_address(request: Request, site: CurrentSite, town: str, loc_id: str) -> Response:
    """Where bookmarks of the program before this one lead to."""
    return _moved(request, _town(site.settings, town), loc_id.rstrip("/"))


@router.get("/parcel/{town}/{loc_id:path}")
def parcel(
    request: Request,
    site: CurrentSite,
    town: str,
    loc_id: str,
    unit: Annotated[str | None, Query(max_length=100)] = None,
    as_of: Annotated[str | None, Query(max_length=40)] = None,
) -> Response:
    """The page of a parcel; ``unit`` is the property to show in full, ``as_of`` a day of the past."""
    where = _town(site.settings, town)
    if town != where.key or loc_id.endswith("/"):
        return _moved(request, where, loc_id.rstrip("/"))
    try:
        if as_of:
            with open_searcher(site.settings, as_of=as_of) as searcher:
                view = _view(site.settings, searcher, where, loc_id, unit or None, as_of)
        else:
            with site.searchers.take() as searcher:
                view = _view(site.settings, searcher, where, loc_id, unit or None, None)
    except (UsageError, NotHeldError) as error:
        return missing(request, where, error, held=not isinstance(error, NotHeldError))
    if view.place != loc_id:
        return _moved(request, where, view.place)
    ids = [one.property_id for one in view.whole or view.units]
    return page(
        request,
        "parcel.html",
        view=view,
        report=view.report,
        words=words,
        case_notes=notes_of,
        use_note=USE_NOTE,
        source_in_words=source_in_words,
        parcel_path=parcel_path,
        path=parcel_path(where, view.place),
        most_units=_MOST_UNITS,
        leads=leads_of_properties(site.settings, ids) if ids else {},
        lists=_static_lists(site.settings),
        named=unit,
    )


def _town(settings: Settings, text: str) -> Town:
    try:
        return find_town(text, demo=settings.demo_on)
    except UsageError as error:
        raise NotFoundError(error.message, error.hint) from None


def _moved(request: Request, town: Town, place: str) -> Response:
    asked = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(parcel_path(town, place) + asked, status_code=308)


def _view(
    settings: Settings, searcher: Searcher, town: Town, loc_id: str, unit: str | None, as_of: str | None
) -> ParcelView:
    report = parcel_report(settings, town, loc_id, as_of=as_of, searcher=searcher, unit=unit)
    return parcel_view(report, town, _neighbours(searcher, town, report, as_of), unit)


def _neighbours(
    searcher: Searcher, town: Town, report: ParcelReport, as_of: str | None
) -> tuple[Neighbour, ...]:
    if report.parcel is None or place_of(report) != report.asked:
        return ()
    return neighbours_of(searcher, town, report.parcel.loc_id, report.parcel.outline_wkb, as_of=as_of)


def _static_lists(settings: Settings) -> list[str]:
    return [saved.name for saved in SavedLists(settings).all() if saved.kind != "dynamic"]
