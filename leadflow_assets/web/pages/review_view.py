"""What waits for a person, arranged in pages, with what is needed to decide side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from leadflow_assets.domain.linkage.posterior import POSSIBLE_FROM
from leadflow_assets.enrich.case_matches import reviews as case_reviews
from leadflow_assets.enrich.case_matches.reviews import WaitingMatch
from leadflow_assets.enrich.reviewing import cases, properties
from leadflow_assets.enrich.unified import reviews as property_reviews
from leadflow_assets.enrich.unified.reviews import Waiting
from leadflow_assets.search.engine import Searcher
from leadflow_assets.settings import Settings
from leadflow_assets.state.case_reviews import CaseReview
from leadflow_assets.state.property_reviews import PropertyReview

CASES, PROPERTIES = "cases", "properties"
KINDS: Final = {CASES: "court cases", PROPERTIES: "ATTOM records"}
PER_PAGE: Final = 10
_LATELY: Final = 10
# A building's further units are found by their id.
MOST_CANDIDATES: Final = 12
_SHOWN: Final = (
    *("property_id", "town_id", "loc_id", "site_address", "unit", "zip", "owner_name"),
    *("use_description", "total_value", "last_sale_date", "last_sale_price", "mailing_address"),
    *("mailing_city", "mailing_state", "mailing_zip", "year_built", "building_sqft"),
)
# Why a record waits, in words. The codes are those of mart/property_records.
REASONS: Final = {
    "other_number": "it was asked for by our id, and its address has another number",
    "other_street": "it was asked for by our id, and its address is on another street",
    "other_unit": "it was asked for by our id, and its address names another unit",
    "other_town": "it was asked for by our id, and its address is in another town",
    "several_properties": "several of our properties have its address",
    "unit_not_found": "the building is here, that unit is not",
    "similar_address": "our address is similar, but not the same",
    "other_town_by_zip": "its town has no such address, a town of its ZIP has",
    "address_differs": "by id or parcel number it is one property, by its address another",
    "parcel_number_differs": "the address is here, its parcel number is another property's",
    "sources_disagree": "its records lead to several properties",
    "property_taken": "another ATTOM id leads to the same property, as well or better",
    "decision_outdated": "a person named a property that is no longer here",
}
Item = WaitingMatch | Waiting


@dataclass(frozen=True)
class Queue:
    """One page of what waits, and what was decided lately.

    ``towns`` counts what waits by kind, for each town (id and name) that has any or is asked for.
    ``known`` are our properties that the page names, by id; ``addresses`` the parties', by match id;
    ``records`` what ATTOM says, by its id.
    """

    items: tuple[Item, ...]
    total: int
    number: int
    pages: int
    first: int
    towns: tuple[tuple[int, str, Mapping[str, int]], ...]
    known: Mapping[str, Mapping[str, Any]]
    addresses: Mapping[str, str]
    records: Mapping[int, Mapping[str, Any]]
    lately_cases: Sequence[CaseReview]
    lately_properties: Sequence[PropertyReview]


def item_id(item: Item) -> str:
    """What an item's place on the page is called."""
    return item.match_id if isinstance(item, WaitingMatch) else f"attom-{item.attom_id}"


def queue(
    settings: Settings,
    searcher: Searcher,
    *,
    kind: str | None,
    town_id: int | None,
    everything: bool,
    number: int,
) -> Queue:
    """The page ``number`` (from 1; the last one where there are fewer) of what waits.

    ``everything``: also cases that are more likely a namesake's.
    """
    waiting = _waiting(settings, everything)
    towns = _towns(waiting)
    items = [
        item
        for name, rows in waiting.items()
        if kind in (None, name)
        for item in rows
        if town_id in (None, item.town_id)
    ]
    pages = max(1, -(-len(items) // PER_PAGE))
    number = min(max(1, number), pages)
    first = (number - 1) * PER_PAGE
    shown = tuple(items[first : first + PER_PAGE])
    lately_cases = cases.decided_lately(settings, _LATELY)
    lately_properties = properties.decided_lately(settings, _LATELY)
    ids = [item.property_id for item in shown if isinstance(item, WaitingMatch)]
    for item in shown:
        if isinstance(item, Waiting):
            ids += item.candidates[:MOST_CANDIDATES]
    ids += [one.property_id for one in lately_cases]
    ids += [one.property_id for one in lately_properties if one.property_id]
    return Queue(
        shown,
        len(items),
        number,
        pages,
        first,
        towns,
        _known(searcher, ids),
        cases.party_addresses(settings, [one.match_id for one in shown if isinstance(one, WaitingMatch)]),
        properties.records_of(settings, [one.attom_id for one in shown if isinstance(one, Waiting)]),
        lately_cases,
        lately_properties,
    )


def _waiting(settings: Settings, everything: bool) -> dict[str, Sequence[Item]]:
    return {
        CASES: case_reviews.waiting(settings, limit=None, least=0.0 if everything else POSSIBLE_FROM),
        PROPERTIES: property_reviews.waiting(settings),
    }


def _towns(waiting: Mapping[str, Sequence[Item]]) -> tuple[tuple[int, str, Mapping[str, int]], ...]:
    counts = {kind: Counter(item.town_id for item in rows) for kind, rows in waiting.items()}
    names = {item.town_id: item.town for rows in waiting.values() for item in rows}
    made = [
        (town, name, {kind: count[town] for kind, count in counts.items()}) for town, name in names.items()
    ]
    return tuple(sorted(made, key=lambda row: row[1]))


def _known(searcher: Searcher, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    rows = searcher.properties(wanted, columns=_SHOWN).to_pylist()
    return {row["property_id"]: row for row in rows}
