"""Which differences between two releases are events: the rules, and what must hold for all of them."""

from __future__ import annotations

import math
import random
import string
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadflow_assets.domain.addresses import parse_mailing
from leadflow_assets.domain.changes import (
    KINDS,
    ChangeRules,
    Mailing,
    Overlap,
    Record,
    TownMoves,
    compare,
    event_id,
    trace,
)
from leadflow_assets.domain.changes.buildings import building_changes
from leadflow_assets.domain.changes.kinds import LIST_KINDS, OWNER_CHANGES
from leadflow_assets.domain.changes.mailing import has_moved
from leadflow_assets.domain.changes.owners import owner_change
from leadflow_assets.domain.changes.sales import sale_change, sale_quality
from leadflow_assets.domain.changes.words import counted, sentence
from leadflow_assets.domain.owners import parse_owner

RULES = ChangeRules()
STILL = TownMoves()
HOUSE = Record(
    fiscal_year=2026,
    sale_date=date(2012, 5, 4),
    sale_price=310_000,
    use_code="101",
    total_value=450_000,
    building_value=250_000,
    building_sqft=1_800,
    year_built=1961,
)


def owners(before: str | None, after: str | None) -> str | None:
    return owner_change(*(parse_owner(text) if text is not None else None for text in (before, after)))


# --- owners ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("ASHGROVE, PETER", "ASHGROVE PETER"),
        ("ASHGROVE, PETER", "Peter Ashgrove"),
        ("ASHGROVE, PETER & MARY", "ASHGROVE MARY & PETER"),
        ("ASHGROVE, PETER", "ASHGROVE, PETER J"),
        ("ASHGROVE, ROBERT", "ASHGROVE, BOB"),
        ("ASHGROVE, CATHERINE", "ASHGROVE, KATHERINE"),
        ("ASHGROVE, PETER & THEODORA WINTERB", "ASHGROVE, PETER & THEODORA WINTERBOTTOM"),
        ("ASHGROVE, PETER &", "ASHGROVE, PETER & MARY"),
        ("ASHGROVE, PETER ET AL", "ASHGROVE, PETER & MARY"),
        ("TAMARACK HOLDINGS LIMITED", "TAMARACK HOLDINGS LTD"),
        ("THE TAMARACK COMPANY INCORPORATED", "TAMARACK CO INC"),
        ("TAMARACK HOLDINGS L.L.C.", "TAMARACK HOLDINGS LLC"),
        ("ASHGROVE FAMILY TRUST, PETER ASHGROVE TR", "ASHGROVE FAMILY TRUST, MARY ASHGROVE TR"),
        ("ASHGROVE, PETER", None),
        (None, "ASHGROVE, PETER"),
        ("ASHGROVE, PETER", "  "),
    ],
)
def test_another_spelling_is_no_other_owner(before: str | None, after: str | None) -> None:
    assert owners(before, after) is None
    assert owners(after, before) is None


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ("ASHGROVE, PETER", "WINTERBY, NORA", "new_owner"),
        ("ASHGROVE, PETER", "ASHGROVE, NORA", "within_family"),
        ("ASHGROVE, JOHN", "ASHGROVE, JOAN", "within_family"),
        ("ASHGROVE, PETER SR", "ASHGROVE, PETER JR", "within_family"),
        ("ASHGROVE, PETER", "ASHGROVE, PETER & MARY", "co_owner_added"),
        ("ASHGROVE, PETER & MARY", "ASHGROVE, PETER", "co_owner_removed"),
        ("ASHGROVE, PETER & WINTERBY, NORA", "ASHGROVE, PETER & LARKIN, OLGA", "partly"),
        ("ASHGROVE, PETER", "ASHGROVE FAMILY TRUST", "into_trust"),
        ("ASHGROVE, PETER", "PINE STREET REALTY TRUST", "new_owner"),
        ("ASHGROVE FAMILY TRUST", "ASHGROVE, PETER", "out_of_trust"),
        ("ASHGROVE FAMILY TRUST", "WINTERBY, NORA", "new_owner"),
        ("ASHGROVE, PETER & MARY", "ESTATE OF PETER ASHGROVE", "estate"),
        ("ESTATE OF PETER ASHGROVE", "ASHGROVE, NORA", "from_estate"),
        ("ASHGROVE, PETER", "ASHGROVE, PETER L/E", "life_estate"),
        ("TAMARACK 12 LLC", "TAMARACK 14 LLC", "new_owner"),
        ("ASHGROVE, PETER", "TAMARACK HOLDINGS LLC", "new_owner"),
        ("ASHGROVE, PETER", "TOWN OF SAMPLETON TAX TITLE", "tax_title"),
    ],
)
def test_what_another_owner_is_called(before: str, after: str, change: str) -> None:
    assert owners(before, after) == change
    assert change in OWNER_CHANGES


NAMES = st.text(string.ascii_uppercase, min_size=3, max_size=9)


@given(NAMES, NAMES, NAMES, st.randoms(use_true_random=False))
def test_order_case_and_signs_never_make_another_owner(
    last: str, first: str, second: str, chance: random.Random
) -> None:
    words = [last, first, second]
    chance.shuffle(words)
    plain = f"{last}, {first} & {second}"
    for other in (" ".join(words), plain.lower(), plain.replace(",", ""), f"{plain}.", f" {plain}  "):
        assert owners(plain, other) is None or sorted(other.split()) == sorted(words), other
    assert owners(f"{last} {first}", f"{first} {last}") is None


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_two_texts_are_judged(before: str, after: str) -> None:
    assert owners(before, before) is None
    assert owners(before, after) in (None, *OWNER_CHANGES)


# --- mailing addresses -----------------------------------------------------------------------------------


def mailing(line: str, city: str | None = "SAMPLETON", zip_code: str | None = "02000") -> Mailing:
    return Mailing(parse_mailing(line, None), city, "MA", zip_code)


@pytest.mark.parametrize(
    ("before", "after", "moved"),
    [
        (mailing("12 OAK ST"), mailing("12 OAK STREET"), False),
        (mailing("12 OAK ST"), mailing("12  Oak St."), False),
        (mailing("12 OAK ST"), mailing("12-14 OAK ST"), False),
        (mailing("12 OAK ST"), mailing("12 OAK ST APT 3"), False),
        (mailing("12 OAK ST"), mailing("12 OAK ST", zip_code="020001234"), False),
        (mailing("12 OAK ST"), mailing("12 OAK ST", "SAMPELTON"), False),
        (mailing("12 OAK ST"), mailing("12 OAK ST", zip_code=None), False),
        (mailing("12 CONCORD ST"), mailing("12 CONCRD ST"), False),
        (mailing("PO BOX 12"), mailing("P.O. BOX 12"), False),
        (mailing("12 OAK ST"), None, False),
        (mailing("12 OAK ST"), mailing("14 OAK ST"), True),
        (mailing("12 OAK ST"), mailing("12 ELM ST"), True),
        (mailing("12 N OAK ST"), mailing("12 S OAK ST"), True),
        (mailing("12 1ST ST"), mailing("12 21ST ST"), True),
        (mailing("12 OAK ST"), mailing("12 OAK ST", "ELSEWHERE", "02999"), True),
        (mailing("12 OAK ST"), mailing("PO BOX 12"), True),
        (mailing("PO BOX 12"), mailing("PO BOX 13"), True),
    ],
)
def test_does_the_bill_go_elsewhere(before: Mailing, after: Mailing | None, moved: bool) -> None:
    assert has_moved(before, after) is moved
    assert has_moved(after, before) is moved


# --- sales, buildings, values ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ((date(2012, 5, 4), 310_000), (date(2025, 6, 1), 480_000), "sale"),
        ((date(2012, 5, 4), 310_000), (date(2025, 6, 1), 1), "sale"),
        ((None, None), (date(2025, 6, 1), 480_000), "sale"),
        ((None, None), (date(1987, 6, 1), 90_000), "sale_corrected"),
        ((date(2012, 5, 4), 310_000), (date(2014, 6, 1), 1), "sale_corrected"),
        ((date(2025, 6, 1), 480_000), (date(2012, 5, 4), 310_000), "sale_corrected"),
        ((date(2012, 5, 4), 310_000), (date(2012, 5, 4), 301_000), "sale_corrected"),
        ((date(2012, 5, 4), 0), (date(2012, 5, 4), None), None),
        ((date(2012, 5, 4), 310_000), (None, 310_000), None),
    ],
)
def test_is_it_a_newer_sale(
    before: tuple[date | None, int | None], after: tuple[date | None, int | None], change: str | None
) -> None:
    old, new = (replace(HOUSE, sale_date=day, sale_price=price) for day, price in (before, after))
    assert sale_change(old, new, RULES) == change


def test_what_a_price_can_be_taken_for() -> None:
    prices = {None: "no_price", 0: "no_price", 1: "nominal", 999: "nominal", 1000: "market"}
    assert {price: sale_quality(replace(HOUSE, sale_price=price)) for price in prices} == prices
    assert sale_quality(replace(HOUSE, sale_price=900_000, sale_bulk=True)) == "bulk"


@pytest.mark.parametrize(
    ("changes", "kinds"),
    [
        ({}, []),
        ({"total_value": 451_000}, []),
        ({"total_value": 500_000}, ["value_moved"]),
        ({"building_value": 0, "total_value": 200_000}, ["demolished", "value_moved"]),
        ({"year_built": 2025, "building_sqft": 3_000}, ["built"]),
        ({"year_built": 1962}, []),
        ({"year_built": 2025}, []),
        ({"building_sqft": 1_850}, []),
        ({"building_sqft": 2_400, "total_value": 520_000}, ["renovated", "value_moved"]),
        ({"use_code": "1010"}, []),
        ({"use_code": "104"}, ["use_changed"]),
        ({"building_sqft": None}, []),
    ],
)
def test_what_happened_to_the_building(changes: dict[str, Any], kinds: list[str]) -> None:
    assert building_changes(HOUSE, replace(HOUSE, **changes), STILL, RULES) == kinds


def test_a_house_on_an_empty_lot_is_one_event() -> None:
    lot = replace(
        HOUSE, use_code="130", building_value=0, building_sqft=None, year_built=None, total_value=200_000
    )
    (event,) = compare(lot, replace(HOUSE, year_built=2025), STILL, RULES)
    assert (event.kind, event.includes) == ("built", ("use_changed", "value_moved"))


def test_what_the_whole_town_writes_otherwise_is_no_event() -> None:
    town = TownMoves(areas_shifted=True, recodings=frozenset({("101", "109")}))
    after = replace(HOUSE, building_sqft=2_900, use_code="109")
    assert building_changes(HOUSE, after, town, RULES) == []
    assert building_changes(HOUSE, after, STILL, RULES) == ["renovated", "use_changed"]


@given(st.floats(-0.3, 0.5), st.floats(0, 0.05), st.floats(-1, 1), st.integers(20_000, 5_000_000))
def test_only_an_unusual_move_of_the_value_is_one(
    median: float, spread: float, off: float, value: int
) -> None:
    town = TownMoves(median=median, spread=spread)
    after = round(value * math.exp(median + off))
    threshold = max(math.log1p(RULES.value_floor), RULES.value_spreads * spread)
    told = bool(compare(replace(HOUSE, total_value=value), replace(HOUSE, total_value=after), town, RULES))
    if abs(off) < threshold - 1e-3:
        assert not told
    if abs(off) > threshold + 1e-3 and abs(after - value * math.exp(median)) > RULES.value_dollars + 1:
        assert told


# --- one event per happening -----------------------------------------------------------------------------


def test_a_sale_tells_of_the_owner_the_mail_and_who_lives_there() -> None:
    before = replace(
        HOUSE, owner=parse_owner("ASHGROVE, PETER"), mailing=mailing("12 OAK ST"), occupancy="owner_occupied"
    )
    after = replace(
        before,
        owner=parse_owner("WINTERBY, NORA"),
        mailing=mailing("9 ELM ST"),
        occupancy="absentee_in_state",
        sale_date=date(2025, 6, 1),
        sale_price=500_000,
        total_value=600_000,
    )
    sale, value = compare(before, after, STILL, RULES)
    assert (sale.kind, sale.day) == ("sale", date(2025, 6, 1))
    assert sale.includes == ("owner_changed", "became_absentee", "mailing_moved")
    assert (sale.owner_change, sale.sale_quality) == ("new_owner", "market")
    assert value.kind == "value_moved"
    (stays,) = compare(
        before, replace(before, mailing=after.mailing, occupancy=after.occupancy), STILL, RULES
    )
    assert (stays.kind, stays.includes) == ("became_absentee", ("mailing_moved",))
    (unsure,) = compare(before, replace(before, mailing=after.mailing, occupancy="uncertain"), STILL, RULES)
    assert unsure.kind == "mailing_moved"
    assert compare(before, replace(after, mailing=None), STILL, RULES, same_land=False)[0].kind == "sale"
    assert len(compare(before, after, STILL, RULES, same_land=False)) == 1


RECORDS = st.builds(
    Record,
    fiscal_year=st.just(2026),
    owner=st.sampled_from(["ASHGROVE, PETER", "WINTERBY, NORA & OLGA", "PINE TRUST", "", "X LLC"]).map(
        parse_owner
    ),
    mailing=st.none() | st.sampled_from(["12 OAK ST", "PO BOX 7", "?", ""]).map(mailing),
    occupancy=st.sampled_from(["owner_occupied", "absentee_in_state", "uncertain"]),
    sale_date=st.none() | st.dates(date(1950, 1, 1), date(2026, 1, 1)),
    sale_price=st.none() | st.integers(0, 2_000_000),
    sale_bulk=st.booleans(),
    use_code=st.none() | st.sampled_from(["101", "1010", "104", "390", "13F"]),
    total_value=st.none() | st.integers(0, 5_000_000),
    building_value=st.none() | st.integers(0, 3_000_000),
    building_sqft=st.none() | st.integers(1, 20_000),
    year_built=st.none() | st.integers(1700, 2026),
)


@given(RECORDS, RECORDS, st.booleans())
def test_what_holds_for_any_two_records(before: Record, after: Record, same_land: bool) -> None:
    assert compare(before, before, STILL, RULES) == []
    events = compare(before, after, STILL, RULES, same_land=same_land)
    assert events == compare(before, after, STILL, RULES, same_land=same_land)
    assert len(events) <= 1 + same_land
    told = [kind for event in events for kind in (event.kind, *event.includes)]
    assert len(told) == len(set(told)) and set(told) <= set(KINDS)
    assert all(0 < event.confidence <= 1 for event in events)
    assert all((event.owner_change is not None) == ("owner_changed" in (event.kind, *event.includes))
               for event in events if event.kind != "value_moved" and event.sale_quality)  # fmt: skip


# --- parcels ---------------------------------------------------------------------------------------------


def test_splits_and_mergers_are_named_with_their_parts() -> None:
    overlaps = [
        Overlap("A", "A1", 0.6, 1.0),
        Overlap("A", "A2", 0.4, 1.0),
        Overlap("B", "B", 0.9, 1.0),  # keeps its LOC_ID as the rest of a split
        Overlap("B", "B1", 0.1, 1.0),
        Overlap("C", "E", 1.0, 0.5),
        Overlap("D", "E", 0.99, 0.5),
        Overlap("F", "F2", 0.98, 0.97),  # renamed
        Overlap("G", "H", 0.05, 0.04),  # a sliver
        Overlap("I", "J", 0.6, 0.5),  # lot lines were moved
    ]
    found = trace(overlaps, "ABCDFGI", ["A1", "A2", "B", "B1", "E", "F2", "H", "J"], share=0.75)
    assert found.splits == {"A": ("A1", "A2"), "B": ("B", "B1")}
    assert found.merges == {"E": ("C", "D")}
    assert found.renamed == {"F": "F2"}
    assert found.parts == frozenset({"A1", "A2", "B", "B1"})
    assert found.merged == frozenset({"C", "D"})


@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=12), st.lists(st.booleans(), min_size=12, max_size=12)
)
def test_every_cut_and_every_union_is_found(cuts: list[int], joins: list[bool]) -> None:
    """Lots in a row: some are cut into equal parts, some uncut neighbours are joined."""
    overlaps: list[Overlap] = []
    old: list[str] = []
    new: list[str] = []
    splits: dict[str, tuple[str, ...]] = {}
    merges: dict[str, tuple[str, ...]] = {}
    at = 0
    while at < len(cuts):
        name = f"L{at}"
        old.append(name)
        if cuts[at] > 1:
            parts = tuple(f"{name}-{part}" for part in range(cuts[at]))
            overlaps += [Overlap(name, part, 1 / cuts[at], 1.0) for part in parts]
            splits[name] = parts
            new += parts
        elif at + 1 < len(cuts) and cuts[at + 1] == 1 and joins[at]:
            pair = (name, f"L{at + 1}")
            old.append(pair[1])
            joined = f"{name}+"
            overlaps += [Overlap(lot, joined, 1.0, 0.5) for lot in pair]
            merges[joined] = tuple(sorted(pair))
            new.append(joined)
            at += 1
        else:
            new.append(name)
        at += 1
    found = trace(overlaps, old, new, share=0.75)
    assert (found.splits, found.merges, found.renamed) == (splits, merges, {})


# --- names and words -------------------------------------------------------------------------------------


def test_an_event_has_one_name() -> None:
    names = {event_id(25, kind, subject, "CY26_FY27") for kind in ("sale", "split") for subject in ("a", "b")}
    assert len(names) == 4 and all(name.startswith("025-") for name in names)
    assert event_id(25, "sale", "a", "x") == event_id(25, "sale", "a", "x")
    assert event_id(25, "sale", "a\x1fb", "c") != event_id(26, "sale", "a", "b\x1fc")


def test_thresholds_have_a_version() -> None:
    assert RULES.version == ChangeRules().version != ChangeRules(value_floor=0.02).version


def test_every_kind_has_a_sentence_without_names() -> None:
    everything = {
        "owner_change": "new_owner", "owner_before": "ASHGROVE", "owner_after": "WINTERBY",
        "mailing_before": "SECRET LANE", "mailing_after": "SECRET LANE", "sale_quality": "market",
        "sale_date_after": date(2025, 6, 1), "sale_price_after": 500_000,
        "value_before": 1000, "value_after": 2000, "includes": ["value_moved"],
        "value_move": 1.0, "town_move": 0.02, "loc_ids_before": ["A"], "loc_ids_after": ["B", "C"],
        "case_type": "bankruptcy", "case_tier": "possible", "score_before": 38.0, "score_after": 61.5,
        "score_threshold": 40.0, "score_direction": "up", "reason": "now matches",
        "property_ids_before": ["025-1"], "event_date": date(2025, 6, 1),
    }  # fmt: skip
    for kind in (*KINDS, *LIST_KINDS):
        text = sentence({"kind": kind, **everything})
        assert text and not any(word in text for word in ("ASHGROVE", "WINTERBY", "SECRET"))
        assert sentence({"kind": kind, "owner_change": "estate", "sale_quality": "bulk", "case_type": "x",
                         "case_tier": "possible", "score_before": 1.0, "score_after": 2.0,
                         "score_threshold": 1.5, "score_direction": "up"})  # fmt: skip
    assert sentence({"kind": "sale", **everything}).startswith(
        "sold on 2025-06-01 for $500,000 (market); other"
    )
    assert counted(["sale", "split", "sale"]) == "2 sales, 1 split"
