"""What waits for a person, arranged in pages, with what is needed to decide side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from leadflow_assets.domain.linkage.posterior import POSSIBLE_FROM
from leadflow_assets.domain.towns import town_by_id
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
    wanted = None if town_id is None else (town_id,)
    least = 0.0 if everything else POSSIBLE_FROM
    counted = case_reviews.waiting_page(settings, limit=0, least=least).by_town
    records = property_reviews.waiting(settings)
    found = [one for one in records if town_id in (None, one.town_id)] if kind != CASES else []
    in_towns = counted.values() if town_id is None else [counted.get(town_id, 0)]
    total_cases = sum(in_towns) if kind != PROPERTIES else 0
    total = total_cases + len(found)
    pages = max(1, -(-total // PER_PAGE))
    number = min(max(1, number), pages)
    first = (number - 1) * PER_PAGE
    shown: tuple[Item, ...] = ()
    if first < total_cases:
        here = min(PER_PAGE, total_cases - first)
        shown = case_reviews.waiting_page(settings, towns=wanted, limit=here, offset=first, least=least).items
    # Records come behind the last case.
    behind = max(0, first - total_cases)
    shown += tuple(found[behind : behind + PER_PAGE - len(shown)])
    matches = [one for one in shown if isinstance(one, WaitingMatch)]
    lately_cases = cases.decided_lately(settings, _LATELY)
    lately_properties = properties.decided_lately(settings, _LATELY)
    ids = [item.property_id for item in matches]
    for item in shown:
        if isinstance(item, Waiting):
            ids += item.candidates[:MOST_CANDIDATES]
    ids += [one.property_id for one in lately_cases]
    ids += [one.property_id for one in lately_properties if one.property_id]
    return Queue(
        shown,
        total,
        number,
        pages,
        first,
        _towns({CASES: counted, PROPERTIES: Counter(one.town_id for one in records)}),
        _known(searcher, ids),
        cases.party_addresses(
            settings, [one.match_id for one in matches], towns={one.town_id for one in matches}
        ),
        properties.records_of(settings, [one.attom_id for one in shown if isinstance(one, Waiting)]),
        lately_cases,
        lately_properties,
    )


def _towns(counts: Mapping[str, Mapping[int, int]]) -> tuple[tuple[int, str, Mapping[str, int]], ...]:
    here = {town for count in counts.values() for town in count}
    made = [
        (town, town_by_id(town).name, {kind: count.get(town, 0) for kind, count in counts.items()})
        for town in here
    ]
    return tuple(sorted(made, key=lambda row: row[1]))


def _known(searcher: Searcher, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    rows = searcher.properties(wanted, columns=_SHOWN).to_pylist()
    return {row["property_id"]: row for row in rows}
