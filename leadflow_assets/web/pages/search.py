"""Search: filters, results in a grid and on the map. The page's address holds the whole search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from starlette.datastructures import QueryParams

from leadflow_assets.domain.towns import town_by_id
from leadflow_assets.errors import LeadflowError, UsageError
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.tables import PROPERTIES
from leadflow_assets.search.areas import Box, Circle, Polygon, parse_box
from leadflow_assets.search.columns import EXPORT_COLUMNS
from leadflow_assets.search.criteria import SearchCriteria, massachusetts_today
from leadflow_assets.search.engine import Searcher
from leadflow_assets.search.exports.map_page import CATEGORY_COLOURS
from leadflow_assets.search.exports.search import export_search
from leadflow_assets.search.results import freshness_of, town_id_of
from leadflow_assets.search.selection import DISTANCE
from leadflow_assets.settings import Settings
from leadflow_assets.state import database, saved_lists
from leadflow_assets.web import choices
from leadflow_assets.web.criteria import ReadSearch, asked_filters, read_search
from leadflow_assets.web.downloads import download
from leadflow_assets.web.places import places, town_outline
from leadflow_assets.web.problems import status_of
from leadflow_assets.web.rendering import render
from leadflow_assets.web.results import (
    columns_to_choose,
    first_table,
    read_block,
    remarks,
    usual_columns,
    usual_sort,
)
from leadflow_assets.web.site import CurrentSettings, CurrentSite, Person, Site, as_json, as_script_data, page

router = APIRouter()
Params = Mapping[str, Sequence[str]]
# More plain outlines than these tell nothing: then the map shows the state.
_MOST_OUTLINED_TOWNS = 12


@dataclass(frozen=True)
class _Asked:
    """A search of the page's address: criteria with the order and the columns of the grid."""

    read: ReadSearch
    sort: tuple[str, ...]
    columns: tuple[str, ...]

    @property
    def criteria(self) -> SearchCriteria:
        return self.read.criteria


@router.get("/")
def search(request: Request, site: CurrentSite) -> Response:
    """The search page. What is in its address is searched at once; without filters it says where to begin."""
    params = lists_of(request.query_params)
    filters = asked_filters(params)
    results, problem = None, None
    if filters or "all" in params:
        try:
            results = _results(site, params)
        except LeadflowError as error:
            problem = error
    return page(
        request,
        "search.html",
        status=status_of(problem) if problem else 200,
        filters=filters,
        results=results,
        first=first_table(results["rows"], results["columns"]) if results else None,
        problem=problem,
        towns=_held_towns(site.settings),
        lists=_lists(site.settings),
        choices=choices,
        data=as_script_data(
            {
                "columns": columns_to_choose(),
                "colours": CATEGORY_COLOURS,
                "basemap": site.settings.leadflow_web_basemap_url,
                "attribution": site.settings.leadflow_web_basemap_attribution,
                "first": results,
            }
        ),
    )


@router.get("/search/results")
def results(request: Request, site: CurrentSite) -> Response:
    """The first rows of a search, and everything that stands beside them."""
    return as_json(_results(site, lists_of(request.query_params)))


@router.get("/search/rows")
def rows(request: Request, site: CurrentSite, offset: int = 0) -> Response:
    """Further rows of a search."""
    with site.searchers.take() as searcher:
        asked = _asked(searcher, lists_of(request.query_params))
        block = read_block(searcher, asked.criteria, asked.sort, offset, asked.columns)
    return as_json({"rows": block.rows, "total": block.total})


@router.get("/search/places")
def map_places(request: Request, site: CurrentSite, box: str = "", zoom: float = 0) -> Response:
    """What the map draws of a search."""
    within: Box | None = parse_box(box) if box else None
    with site.searchers.take() as searcher:
        asked = _asked(searcher, lists_of(request.query_params))
        found = places(searcher, asked.criteria, asked.sort, site.outlines, box=within, zoom=zoom)
    return as_json(found)


@router.post("/search/export")
def export(
    site: CurrentSite,
    person: Person,
    format: Annotated[str, Form()],
    search: Annotated[str, Form()] = "",
    columns: Annotated[str, Form()] = "",
    limit: Annotated[str, Form()] = "",
) -> Response:
    """A search as a file: ``search`` is the query of the page's address; no ``columns`` are all there are."""
    with site.searchers.take() as searcher:
        asked = _asked(searcher, lists_of(QueryParams(search)))
        chosen = tuple(name for name in columns.split(",") if name and name != DISTANCE) or EXPORT_COLUMNS
        return download(
            site.settings,
            person,
            name=f"leadflow-{massachusetts_today().isoformat()}",
            format=format,
            what="search",
            filters=asked.criteria.filters(),
            write=lambda path: export_search(
                searcher, asked.criteria, path, format, sort=asked.sort, limit=_rows(limit), columns=chosen
            ),
        )


def _rows(text: str) -> int | None:
    wanted = text.replace(",", "").strip()
    if not wanted:
        return None
    if not (wanted.isascii() and wanted.isdigit()) or int(wanted) < 1:
        raise UsageError(f"{text!r} is no number of rows.", "Write 500, or nothing for all.")
    return int(wanted)


@router.get("/search/towns")
def towns(settings: CurrentSettings, town: str = "") -> Response:
    """Plain outlines of towns that are held, by id: those asked for, or all where they are few."""
    lake = Lake(settings)
    held = [town_id_of(name) for name in lake.snapshot(PROPERTIES).partitions]
    wanted = {int(part) for part in town.split(",") if part.isascii() and part.isdigit()}
    chosen = sorted(wanted & set(held)) if wanted else held
    if len(chosen) > _MOST_OUTLINED_TOWNS:
        return as_json([])
    return as_json([{"name": town_by_id(one).name, "rings": town_outline(lake, one)} for one in chosen])


def lists_of(query: QueryParams) -> dict[str, list[str]]:
    """All values of each parameter."""
    found: dict[str, list[str]] = {}
    for name, value in query.multi_items():
        found.setdefault(name, []).append(value)
    return found


def _asked(searcher: Searcher, params: Params) -> _Asked:
    read = read_search(searcher, params)
    sort = tuple(value for value in params.get("sort", ()) if value) or usual_sort(read.criteria)
    columns = [name for value in params.get("columns", ()) for name in value.split(",") if name]
    columns = columns or usual_columns(read.criteria, _towns_searched(searcher, read.criteria))
    return _Asked(read, sort, tuple(columns))


def _towns_searched(searcher: Searcher, criteria: SearchCriteria) -> int:
    return len(criteria.towns) or len(searcher.snapshot.partitions)


def _results(site: Site, params: Params) -> dict[str, Any]:
    with site.searchers.take() as searcher:
        asked = _asked(searcher, params)
        block = read_block(searcher, asked.criteria, asked.sort, 0, asked.columns)
        notes = remarks(searcher, asked.criteria, block)
    summary = render("search_summary.html", block=block, notes=notes, located=asked.read.located)
    return {
        "total": block.total,
        "rows": block.rows,
        "query": asked.read.query,
        "sort": asked.sort,
        "columns": asked.columns,
        "areas": [_drawn(area) for area in asked.criteria.areas],
        "towns": [town.town_id for town in block.freshness],
        "summary": summary,
    }


def _drawn(area: Any) -> dict[str, Any]:
    if isinstance(area, Circle):
        return {"kind": "circle", "at": [area.lat, area.lon], "metres": area.radius_m}
    if isinstance(area, Polygon):
        return {"kind": "polygon", "geometry": area.geometry}
    return {"kind": "box", "bounds": [[area.south, area.west], [area.north, area.east]]}


def _held_towns(settings: Settings) -> list[Any]:
    entries = Lake(settings).snapshot(PROPERTIES).partitions
    return sorted((freshness_of(name, entry) for name, entry in entries.items()), key=lambda town: town.town)


def _lists(settings: Settings) -> list[tuple[str, str]]:
    with database.session(settings) as session:
        return [(one.name, one.name) for one in saved_lists.all_lists(session)]
