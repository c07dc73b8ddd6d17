"""Lists: all that are kept, and making one of ids, of a search, or of other lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response

from leadflow_assets.errors import UsageError
from leadflow_assets.search.engine import Searcher
from leadflow_assets.search.lists.service import SavedLists
from leadflow_assets.search.lists.showing import typed_ids
from leadflow_assets.search.lists.store import ListChange
from leadflow_assets.state.saved_lists import OPERATORS, SavedList
from leadflow_assets.web.criteria import criteria_of
from leadflow_assets.web.links import list_path
from leadflow_assets.web.site import CurrentSettings, CurrentSite, page, redirect

_MOST_IDS = 2_000_000  # characters
_ORDERS = {
    "name": "name",
    "members": "most members",
    "refreshed": "refreshed last",
    "kind": "kind",
}
router = APIRouter()
Name = Annotated[str, Form(max_length=200)]
Description = Annotated[str, Form(max_length=2000)]


@router.get("/lists")
def lists(
    request: Request,
    settings: CurrentSettings,
    find: Annotated[str, Query(max_length=200)] = "",
    sort: str = "name",
) -> Response:
    """All lists; archived ones under their own heading."""
    if sort not in _ORDERS:
        raise UsageError(f"Lists are not ordered by {sort!r}.", f"Orders: {', '.join(_ORDERS)}.")
    with SavedLists(settings) as saved:
        every, news = saved.all(archived=True), saved.news()
    wanted = find.strip().casefold()
    found = [one for one in every if wanted in f"{one.name} {one.description}".casefold()]
    found.sort(key=lambda one: _order(one, sort))
    return page(
        request,
        "lists.html",
        current=[one for one in found if one.archived_at is None],
        archived=[one for one in found if one.archived_at is not None],
        total=len(every),
        names=[one.name for one in every],
        news=news,
        find=find,
        sort=sort,
        orders=_ORDERS,
        operators=OPERATORS,
        path=list_path,
    )


def _order(saved: SavedList, sort: str) -> tuple[Any, ...]:
    first: Any = {
        "members": -saved.members,
        "refreshed": -saved.refreshed_at.timestamp(),
        "kind": saved.kind,
    }.get(sort, 0)
    return first, saved.name.casefold()


@router.post("/lists")
def save(
    site: CurrentSite,
    name: Name,
    kind: Annotated[str, Form()] = "static",
    description: Description = "",
    ids: Annotated[str, Form(max_length=_MOST_IDS)] = "",
    search: Annotated[str, Form(max_length=200_000)] = "",
) -> Response:
    """Keep pasted ids (static), or what a search finds: each time anew (dynamic), or as it is (static)."""
    if kind not in ("static", "dynamic"):
        raise UsageError(f"There is no such kind of list: {kind!r}.", "Choose static or dynamic.")
    asked = parse_qs(search.removeprefix("?"), keep_blank_values=False)
    if ids.strip() and asked:
        raise UsageError("Ids and filters exclude each other.", "Leave one of them out.")
    if kind == "dynamic" and not asked:
        raise UsageError("A dynamic list needs filters.", "Search first, then save the search as a list.")
    wanted = None if asked else typed_ids([ids])
    with site.searchers.take() as searcher, SavedLists(site.settings, searcher=searcher) as saved:
        if wanted is not None:
            change = saved.save_static(name, wanted, description=description)
        else:
            change = _save_search(saved, searcher, name, kind, asked, description)
    return _made(change)


def _save_search(
    saved: SavedLists,
    searcher: Searcher,
    name: str,
    kind: str,
    asked: dict[str, list[str]],
    description: str,
) -> ListChange:
    criteria = criteria_of(searcher, asked)
    if not criteria.filters():
        raise UsageError("A list of a search needs filters.", "Search first, then save the search as a list.")
    if kind == "dynamic":
        return saved.save_dynamic(name, criteria, description=description)
    return saved.save_static(name, searcher.ids(criteria), description=description)


@router.post("/lists/combine")
def combine(
    site: CurrentSite,
    name: Name,
    list_name: Annotated[list[str], Form()],
    operator: Annotated[list[str], Form()],
    description: Description = "",
) -> Response:
    """Make a static list of others, from left to right."""
    words = _expression(list_name, operator)
    with site.searchers.take() as searcher, SavedLists(site.settings, searcher=searcher) as saved:
        return _made(saved.combine(name, words, description=description))


def _expression(names: Sequence[str], operators: Sequence[str]) -> list[str]:
    """``A and B or C`` out of the rows of the form; rows without a list are left out."""
    if len(operators) != len(names) - 1:
        raise UsageError("Between two lists there must be one word: and, or, not.", "Fill in the form again.")
    words: list[str] = []
    for operator, name in zip(("", *operators), names, strict=True):
        if not name:
            continue
        if words and operator not in OPERATORS:
            raise UsageError(f"Lists are not combined by {operator!r}.", "Choose and, or, not.")
        words += [operator, name] if words else [name]
    if len(words) < 3:
        raise UsageError("Combining takes two lists or more.", "Choose a second list.")
    return words


def _made(change: ListChange) -> Response:
    told = [f"The list is saved: {change.saved.members:,} members.", *change.notes]
    return redirect(list_path(change.saved.name), " ".join(told))
