"""Review: matches that are not certain, decided by a person, one after the other."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response

from leadflow_assets.domain.courts.imported import source_in_words
from leadflow_assets.domain.towns import find_town, town_by_id
from leadflow_assets.enrich.case_matches.reviews import look_at
from leadflow_assets.enrich.reviewing.cases import decide_case
from leadflow_assets.enrich.reviewing.outcome import Outcome, Result
from leadflow_assets.enrich.reviewing.properties import decide_property
from leadflow_assets.errors import UsageError
from leadflow_assets.settings import Settings
from leadflow_assets.web.links import parcel_path
from leadflow_assets.web.pages import review_view as view
from leadflow_assets.web.problems import NotFoundError
from leadflow_assets.web.rendering import moment, query
from leadflow_assets.web.site import CurrentSite, Person, page, redirect

router = APIRouter()
# Of two who decide at once, the second is told what the first one said.
_TURN = threading.Lock()
Kind = Literal["", "cases", "properties"]
Town = Annotated[str, Form(max_length=60)]
Short = Annotated[str, Form(max_length=500)]
_PROPERTY_WORDS = {"confirmed": "confirmed", "rejected": "rejected: none of our properties"}


@router.get("/review")
def review(
    request: Request,
    site: CurrentSite,
    kind: Kind = "",
    town: Annotated[str, Query(max_length=60)] = "",
    all: bool = False,
    number: Annotated[int, Query(alias="page", ge=1, le=1_000_000)] = 1,
) -> Response:
    """What waits, and what was decided lately."""
    chosen = find_town(town, demo=site.settings.demo_on) if town else None
    with site.searchers.take() as searcher:
        found = view.queue(
            site.settings,
            searcher,
            kind=kind or None,
            town_id=chosen.town_id if chosen else None,
            everything=all,
            number=number,
        )
    asked = {"kind": kind, "town": chosen.key if chosen else "", "all": "1" if all else "", "page": number}
    return page(
        request,
        "review.html",
        found=found,
        chosen=chosen,
        asked=asked,
        kinds=view.KINDS,
        reasons=view.REASONS,
        most_candidates=view.MOST_CANDIDATES,
        item_id=view.item_id,
        parcel_path=parcel_path,
        town_by_id=town_by_id,
        source_in_words=source_in_words,
        keep=_kept(asked),
    )


@router.post("/review/cases/{match_id}")
def decide_about_case(
    site: CurrentSite,
    person: Person,
    match_id: str,
    decision: Annotated[Literal["confirmed", "rejected"], Form()],
    note: Short = "",
    seen: Short = "",
    back: Annotated[Literal["review", "parcel"], Form()] = "review",
    kind: Annotated[Kind, Form()] = "",
    town: Town = "",
    all: Annotated[str, Form(max_length=1)] = "",
    number: Annotated[int, Form(alias="page")] = 1,
    next: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Confirm or reject a case match, and go on to the next one."""
    try:
        # Rejected from the parcel's page it is gone from there: looked for before.
        there = look_at(site.settings, match_id).match
        with _TURN:
            result = decide_case(site.settings, match_id, decision, by=person, reason=note, seen=seen)
    except UsageError as error:
        raise NotFoundError(error.message, "It may be gone since. /review shows what waits now.") from None
    told = _told("The case match", result, {"confirmed": "confirmed", "rejected": "rejected"})
    if back == "parcel" and there is not None:
        return redirect(parcel_path(there.town_id, there.loc_id or there.property_id) + "#cases", told)
    return redirect(_to(kind, town, all, number, next), told)


@router.post("/review/properties/{attom_id}")
def decide_about_property(
    site: CurrentSite,
    person: Person,
    attom_id: int,
    decision: Annotated[Literal["confirmed", "rejected"], Form()],
    property_id: Annotated[str, Form(max_length=100)] = "",
    other_id: Annotated[str, Form(max_length=100)] = "",
    note: Short = "",
    seen: Short = "",
    kind: Annotated[Kind, Form()] = "",
    town: Town = "",
    all: Annotated[str, Form(max_length=1)] = "",
    number: Annotated[int, Form(alias="page")] = 1,
    next: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Say which property a record of ATTOM is, or that it is none of ours, and go on to the next one."""
    wanted = (other_id.strip() or property_id) if decision == "confirmed" else None
    if wanted == "":
        raise UsageError("Which property is it?", "Choose one of those named, or type the id of another.")
    result = _decide_property(site.settings, attom_id, wanted, person, note, seen)
    told = _told(f"ATTOM {attom_id}", result, _PROPERTY_WORDS)
    return redirect(_to(kind, town, all, number, next), told)


def _decide_property(
    settings: Settings, attom_id: int, wanted: str | None, person: str, note: str, seen: str
) -> Result:
    try:
        with _TURN:
            return decide_property(settings, attom_id, wanted, by=person, note=note, seen=seen)
    except UsageError as error:
        raise NotFoundError(error.message, "It may be gone since. /review shows what waits now.") from None


def _told(what: str, result: Result, words: dict[str, str]) -> str:
    """The notice: what was done, or why nothing was. People's names stay out of it, as of all notices."""
    standing = words.get(result.standing, f"confirmed as {result.standing}")
    if result.outcome is Outcome.DONE:
        return f"{what} is {standing}; remembered."
    since = f"since {moment(result.at)}"
    if result.outcome is Outcome.ALREADY:
        return f"{what} is {standing} already, {since}; nothing was changed."
    return f"{what} was decided otherwise meanwhile: {standing}, {since}. Nothing was changed; see below."


def _kept(asked: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in asked.items() if value}


def _to(kind: str, town: str, all: str, number: int, next: str) -> str:
    address = "/review" + query(
        {"kind": kind, "town": town, "all": all, "page": number if number > 1 else None}
    )
    # The next one is where one was: the place of an item on its page.
    return f"{address}#{next}" if next.replace("-", "").isalnum() else address
