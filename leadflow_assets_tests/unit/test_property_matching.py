"""Which property a record of ATTOM is: never the wrong one in silence, whatever the spelling or the order."""

from __future__ import annotations

import itertools
import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadflow_assets.domain.addresses import address_key, parse_address
from leadflow_assets.domain.towns import all_towns
from leadflow_assets.enrich.unified.gather import owner_key
from leadflow_assets.enrich.unified.gazetteer import Gazetteer
from leadflow_assets.enrich.unified.matching import match_ids, read_evidence
from leadflow_assets.lake.schemas.property_records import GROUPS, group_facts
from leadflow_assets.lake.tables import PARCELS, PROPERTIES, PROPERTY_RECORDS
from leadflow_assets.sources.attom import record as attom_record
from leadflow_assets.sources.attom.record import AttomProperty, as_table

HERE, THERE = 190, 109  # Monroe and Gosnold
Row = dict[str, Any]
Verdict = tuple[str | None, Any]


def ours(property_id: str, address: str | None, town_id: int = HERE, **more: Any) -> Row:
    """A row of mart/properties as far as matching looks at it."""
    read = parse_address(address)
    numbers = read.numbers() or (None, None)
    row = {
        "property_id": property_id,
        "town_id": town_id,
        "loc_id": None,
        "prop_id": None,
        "street": None,
        "address_key": address_key(read, town_id),
        "house_number": numbers[0],
        "house_number_high": numbers[1],
        "unit": read.unit or None,
        "city": "MONROE" if town_id == HERE else "GOSNOLD",
        "zip": "01350" if town_id == HERE else "02713",
        "is_condominium_master": False,
    }
    return row | more


def theirs(attom_id: int, address: str | None, **more: Any) -> AttomProperty:
    """A property of ATTOM in Monroe."""
    place: Row = {"site_state": "MA", "municipality": "MONROE"}
    return AttomProperty(**({"attom_id": attom_id, "site_address": address} | place | more))


def match(
    records: Sequence[AttomProperty],
    properties: Sequence[Row],
    *,
    parcels: Sequence[Row] = (),
    decided: Mapping[int, str | None] | None = None,
) -> dict[int, Row]:
    """The match of each ATTOM id."""
    names = list(properties[0])
    schema = pa.schema([PROPERTIES.schema.field(name).with_nullable(True) for name in names])
    parcel_schema = pa.schema([PARCELS.schema.field(name) for name in ("town_id", "loc_id", "map_par_id")])
    with duckdb.connect() as connection:
        connection.register("attom", as_table(records))
        connection.register("properties", pa.Table.from_pylist(list(properties), schema=schema))
        connection.register("parcels", pa.Table.from_pylist(list(parcels), schema=parcel_schema))
        read_evidence(connection, decided or {})
        match_ids(connection)
        rows = connection.execute("FROM matches").to_arrow_table().to_pylist()
    assert len(rows) == len({row["attom_id"] for row in rows}) == len({r.attom_id for r in records})
    return {row["attom_id"]: row for row in rows}


def verdict(row: Row) -> Verdict:
    """The reason, and the property or the candidates."""
    return row["match_reason"], row["property_id"] or row["candidates"]


def judged_apart(records: Sequence[AttomProperty], houses: Sequence[Row], loc_id: str = "") -> list[Verdict]:
    """The verdict on each record, each in a town of its own that has these houses; one look for all.

    ``loc_id`` is that of a parcel with the MAP_PAR_ID 055-066.
    """
    properties, asked, parcels = [], [], []
    for town, record in zip(all_towns(), records, strict=False):
        for row in houses:
            key = str(row["address_key"]).partition("|")[2]
            own = {"town_id": town.town_id, "property_id": f"{town.town_id}:{row['property_id']}"}
            properties.append(row | own | {"address_key": f"{town.town_id}|{key}", "city": town.name})
        hint = f"{town.town_id}:{record.property_id}" if record.property_id else None
        place = {"municipality": town.name} if record.municipality == "MONROE" else {}
        asked.append(replace(record, attom_id=town.town_id, property_id=hint, **place))
        parcels.append({"town_id": town.town_id, "loc_id": loc_id, "map_par_id": "055-066"})
    assert len(asked) == len(records)
    found = match(asked, properties, parcels=parcels)
    return [_without_town(verdict(found[record.attom_id])) for record in asked]


def _without_town(told: Verdict) -> Verdict:
    reason, which = told
    if isinstance(which, str):
        return reason, which.partition(":")[2]
    return reason, {name.partition(":")[2] for name in which} if which else None


HOUSES = [
    ours("1", "12 ELM ST"),
    ours("2", "12 REAR ELM ST"),
    ours("3", "41-43 ELM ST"),
    ours("4", "47 ELM ST", loc_id="M_9_9"),
    ours("5", "49 ELM ST"),
    ours("6", "12 ELM AVE"),
    ours("7", "7 BIRCH RD UNIT 1"),
    ours("8", "7 BIRCH RD UNIT 2"),
    ours("9", "9 BIRCH RD #A"),
    ours("10", "15A OAK LN"),
    ours("11", "0 OAK LN", prop_id="0012-0034-0005"),
    ours("12", "8 POND DR", prop_id="11-22-33", loc_id="M_100_200"),
    ours("13", "7 BIRCH RD", is_condominium_master=True),
    ours("14", "30 MAPLEWOOD DR"),
    ours("15", "60-62 GRANITE ST"),
    ours("16", "61 GRANITE ST"),
]
ADDRESSES: list[tuple[str, str | None, Verdict]] = [
    ("12 Elm Street", None, ("same_address", "1")),
    ("12 ELM", None, ("similar_address", {"1", "2", "6"})),
    ("12 Elm St Rear", None, ("same_address", "2")),
    ("12R ELM ST", None, ("same_address", "2")),
    ("12 Elm Avenue", None, ("same_address", "6")),
    ("41-43 ELM ST", None, ("same_address", "3")),
    ("43 ELM ST", None, ("number_in_range", "3")),
    ("42 ELM ST", None, ("similar_address", {"3"})),
    ("47-49 ELM ST", None, ("several_properties", {"4", "5"})),
    ("7 BIRCH ROAD APT 2", None, ("same_address", "8")),
    ("7 BIRCH RD", "1", ("same_address", "7")),
    ("7 BIRCH RD", "#2", ("same_address", "8")),
    ("7 BIRCH RD", None, ("several_properties", {"7", "8"})),
    ("7 BIRCH RD UNIT 3", None, ("unit_not_found", {"7", "8"})),
    ("9 BIRCH RD", None, ("only_unit_at_address", "9")),
    ("12 ELM ST UNIT 4", None, ("unit_not_found", {"1"})),
    ("15 OAK LN", None, ("similar_address", {"10"})),
    ("15A OAK LN", None, ("same_address", "10")),
    ("OAK LN", None, ("no_such_address", None)),
    ("99 ELM ST", None, ("no_such_address", None)),
    ("12 ALDER ST", None, ("no_such_address", None)),
    ("PO BOX 12", None, ("no_such_address", None)),
    ("30 MAPLEWOD DR", None, ("no_such_address", None)),
]


def test_an_address_is_matched_with_its_unit_or_waits() -> None:
    records = [theirs(1, address, site_unit=unit) for address, unit, _ in ADDRESSES]
    assert judged_apart(records, HOUSES) == [expected for *_, expected in ADDRESSES]


PARCEL_NUMBERS: list[tuple[str, str | None, Verdict]] = [
    ("0012 0034 0005", None, ("parcel_number", "11")),
    ("12-34-5", "OAK LN", ("parcel_number", "11")),
    ("112233", None, ("parcel_number", "12")),
    ("m100200", None, ("parcel_number", "12")),
    ("55-66", None, ("parcel_number", "4")),
    ("11-22-33", "8 POND DR", ("same_address", "12")),
    ("11-22-33", "80 POND DR", ("address_differs", {"12"})),
    ("11-22-33", "12 ELM ST", ("parcel_number_differs", {"1", "12"})),
    ("55-66", "12 ELM ST", ("parcel_number_differs", {"1", "4"})),
    ("9-9-8", "12 ELM ST", ("same_address", "1")),
    ("9-9-8", None, ("no_such_address", None)),
]


def test_a_parcel_number_stands_in_for_an_address_and_may_not_contradict_it() -> None:
    records = [theirs(1, address, apn=apn) for apn, address, _ in PARCEL_NUMBERS]
    assert judged_apart(records, HOUSES, "M_9_9") == [expected for *_, expected in PARCEL_NUMBERS]


def test_a_parcel_number_says_which_of_several() -> None:
    flats = [ours(f"190-{n}", "5 MILL ST", prop_id=f"77-{n}", loc_id="M_5_5") for n in (1, 2)]
    found = match([theirs(1, "5 MILL ST", apn="77-2"), theirs(2, "5 MILL ST")], flats)
    assert verdict(found[1]) == ("address_and_parcel_number", "190-2")
    assert verdict(found[2]) == ("several_properties", ["190-1", "190-2"])


# Asked for house 1, 12 ELM ST.
ANSWERS: list[tuple[str | None, Row, str]] = [
    ("12 ELM ST", {}, "property_id"),
    ("12 ELM", {}, "property_id"),
    (None, {}, "property_id"),
    ("12 N ELM ST", {}, "property_id"),
    ("12 ELM ST", {"municipality": None, "site_city": "Gosnold"}, "property_id"),
    ("12 ELMM ST", {}, "other_street"),
    ("12 OAK ST", {}, "other_street"),
    ("12 ELM AVE", {}, "other_street"),
    ("14 ELM ST", {}, "other_number"),
    ("12 REAR ELM ST", {}, "other_number"),
    ("12A ELM ST", {}, "other_number"),
    ("12 ELM ST", {"municipality": "WORTHINGTON"}, "other_town"),
]


def test_an_answer_that_contradicts_the_question_waits() -> None:
    records = [theirs(1, address, property_id="1", **place) for address, place, _ in ANSWERS]
    for (*asked, expected), (reason, which) in zip(ANSWERS, judged_apart(records, HOUSES), strict=True):
        assert reason == expected, asked
        assert which == "1" if expected == "property_id" else "1" in which, asked


UNITS: list[tuple[str, str, Verdict]] = [
    ("7", "7 BIRCH RD UNIT 1", ("property_id", "7")),
    ("7", "7 BIRCH RD UNIT 2", ("other_unit", {"7", "8"})),
    ("7", "7 BIRCH RD", ("several_properties", {"7", "8"})),
    ("9", "9 BIRCH RD", ("property_id", "9")),
    ("13", "7 BIRCH RD", ("property_id", "13")),
    ("14", "30 MAPLEWOD DR", ("property_id", "14")),
    ("gone", "12 ELM ST", ("same_address", "1")),
    # Near enough to the one that was asked for, and exactly another.
    ("15", "60 GRANITE ST", ("property_id", "15")),
    ("15", "61 GRANITE ST", ("address_differs", {"15", "16"})),
]


def test_a_question_about_a_unit_is_not_answered_by_another() -> None:
    records = [theirs(1, address, property_id=asked) for asked, address, _ in UNITS]
    assert judged_apart(records, HOUSES) == [expected for *_, expected in UNITS]


PLACES = [
    ours("190-1", "1 HIGH ST"),
    ours("190-2", "2 HIGH ST", city="FLORIDA MOUNTAIN"),
    ours("109-1", "1 HIGH ST", THERE),
    ours("109-2", "3 HIGH ST", THERE, zip="01350"),
    ours("109-3", "4 HIGH ST", THERE, city="CUTTYHUNK"),
]
IN_PLACES: list[tuple[str, Row, Verdict]] = [
    ("1 HIGH ST", {"municipality": "Gosnold"}, ("same_address", "109-1")),
    ("1 HIGH ST", {"municipality": "TOWN OF MONROE"}, ("same_address", "190-1")),
    ("1 HIGH ST", {"municipality": "Monroe Town", "site_city": "GOSNOLD"}, ("same_address", "190-1")),
    ("1 HIGH ST", {"site_city": "gosnold", "site_zip": "01350"}, ("same_address", "109-1")),
    ("2 HIGH ST", {"site_city": "Florida Mountain"}, ("same_address", "190-2")),
    ("4 HIGH ST", {"site_city": "Cuttyhunk", "site_zip": "01350"}, ("same_address", "109-3")),
    ("1 HIGH ST", {"site_zip": "02713"}, ("same_address", "109-1")),
    ("1 HIGH ST", {"site_zip": "01350"}, ("several_properties", ["109-1", "190-1"])),
    ("3 HIGH ST", {"site_city": "MONROE", "site_zip": "01350"}, ("other_town_by_zip", ["109-2"])),
    # The jurisdiction is sure: no other town is tried.
    ("3 HIGH ST", {"municipality": "MONROE", "site_zip": "01350"}, ("no_such_address", None)),
    ("1 HIGH ST", {"county": "Dukes", "fips": "25007"}, (None, None)),
    ("1 HIGH ST", {"municipality": "BOSTON"}, (None, None)),
    ("1 HIGH ST", {"site_city": "NOWHERE AT ALL"}, (None, None)),
]


def test_the_town_is_the_jurisdiction_then_the_city_then_the_zip_never_the_county() -> None:
    # Together as many as do not claim the same property.
    rounds: dict[int, list[tuple[str, Row, Verdict]]] = defaultdict(list)
    claims: Counter[str] = Counter()
    for case in IN_PLACES:
        rounds[claims[str(case[2])]].append(case)
        claims[str(case[2])] += 1
    for cases in rounds.values():
        records = [
            theirs(n, address, **({"municipality": None} | place))
            for n, (address, place, _) in enumerate(cases, 1)
        ]
        found = match(records, PLACES)
        for n, (_, place, expected) in enumerate(cases, 1):
            assert verdict(found[n]) == expected, place
            assert (found[n]["town_id"] is None) == (expected[0] is None)


def test_a_towns_own_code_for_a_street_is_read_as_the_town_means_it() -> None:
    flats = [
        ours("190-1", "3 OAK CIR", street="OAK CR"),
        ours("190-2", "4 OAK CIR", street="OAK CIR"),
        ours("190-3", "5 ELM TER", street="ELM TR"),
        ours("190-4", "5 ELM TRL", street="ELM TRL"),
    ]
    records = [theirs(1, "3 Oak Cr"), theirs(2, "4 OAK CR", property_id="190-2"), theirs(3, "5 ELM TR")]
    found = match(records, flats)
    assert verdict(found[1]) == ("same_address", "190-1")
    assert verdict(found[2]) == ("property_id", "190-2")
    # ELM TR is a trail to everybody else, and the town has one: it is the trail.
    assert verdict(found[3]) == ("same_address", "190-4")


def test_other_states_are_not_looked_for_here() -> None:
    places: list[Row] = [{"site_state": "NH"}, {"fips": "33011"}, {"site_zip": "03060"}]
    records = [
        theirs(n, "12 ELM ST", **({"site_state": None} | place)) for n, place in enumerate(places, start=1)
    ]
    for row in match(records, HOUSES).values():
        assert row["is_elsewhere"] and row["town_id"] is None


def test_files_without_addresses_are_matched_by_what_is_said_of_their_id_elsewhere() -> None:
    loans = AttomProperty(attom_id=1, available_equity=5, equity_source="LOAN_MODEL")
    assert match([loans], HOUSES)[1]["town_id"] is None
    assert verdict(match([loans, theirs(1, "12 ELM ST")], HOUSES)[1]) == ("same_address", "1")


def test_records_of_one_id_that_lead_to_two_properties_wait() -> None:
    found = match([theirs(1, "12 ELM ST"), theirs(1, "47 ELM ST")], HOUSES)
    assert verdict(found[1]) == ("sources_disagree", ["1", "4"])
    # A building in one source and its unit in another do not disagree; a contradiction outweighs a match.
    found = match([theirs(1, "7 BIRCH RD"), theirs(1, "7 BIRCH RD UNIT 2")], HOUSES)
    assert verdict(found[1]) == ("same_address", "8")
    found = match([theirs(1, "47 ELM ST"), theirs(1, "47 ELM ST", property_id="1")], HOUSES)
    assert verdict(found[1]) == ("other_number", ["1", "4"])


def test_one_property_has_one_attom_id() -> None:
    found = match([theirs(1, "12 ELM ST"), theirs(2, "12 ELM STREET")], HOUSES)
    assert {verdict(row)[0] for row in found.values()} == {"property_taken"}
    found = match([theirs(1, "12 ELM ST"), theirs(2, "12 ELM ST", property_id="1")], HOUSES)
    assert verdict(found[1]) == ("property_taken", ["1"]) and verdict(found[2])[0] == "property_id"
    found = match([theirs(1, "41 ELM ST"), theirs(2, "41-43 ELM ST")], HOUSES)
    assert verdict(found[1]) == ("property_taken", ["3"]) and verdict(found[2])[0] == "same_address"


def test_a_persons_word_outranks_everything() -> None:
    records = [theirs(1, "12 ELM ST"), theirs(2, "99 ELM ST"), theirs(3, "47 ELM ST"), theirs(4, "12 ELM ST")]
    found = match(records, HOUSES, decided={2: "1", 3: None, 4: "vanished", 77: "2"})
    assert verdict(found[2]) == ("confirmed", "1") and found[2]["match_method"] == "person"
    assert verdict(found[1]) == ("property_taken", ["1"])
    assert verdict(found[3]) == ("rejected", None) and found[3]["match_status"] == "unmatched"
    assert verdict(found[4]) == ("decision_outdated", ["1"])


STREETS = ("ELM", "OAK HILL", "N MAIN", "OLD POST", "SAINT JAMES", "THIRD")
TYPES = {"ST": "Street", "RD": "Road", "AVE": "Avenue", "LN": "Lane", "TER": "Terrace"}
UNIT_STYLES = ("{a} UNIT {u}", "{a} #{u}", "{a} Apt {u}", "{a}, Unit {u}")
towns_of_houses = st.lists(
    st.tuples(
        st.sampled_from(STREETS),
        st.sampled_from(sorted(TYPES)),
        st.integers(1, 30),
        st.sampled_from([None, None, "1", "2", "3B"]),
    ),
    min_size=20,
    max_size=60,
    unique=True,
)


def written(street: str, kind: str, number: int, unit: str | None, style: random.Random) -> str:
    """The address in one of many spellings."""
    name = street if style.random() < 0.5 else street.title().replace("Saint", "St.")
    text = f"{number} {name} {style.choice((kind, TYPES[kind]))}"
    return style.choice(UNIT_STYLES).format(a=text, u=unit) if unit else text


@pytest.mark.slow
@given(houses=towns_of_houses, seed=st.integers(0, 2**32))
@settings(max_examples=10, deadline=None)
def test_in_any_town_spelling_and_order_a_match_is_the_right_one(houses: list[Any], seed: int) -> None:
    style = random.Random(seed)
    properties = [ours(f"190-{n}", written(*house, random.Random(1))) for n, house in enumerate(houses)]
    asked = style.sample(list(enumerate(houses)), k=len(houses) // 2)
    records = [theirs(n + 1, written(*house, style)) for n, house in asked]
    found = match(records, properties)
    shared = [house[:3] for house in houses]
    for n, (street, kind, number, unit) in asked:
        row = found[n + 1]
        # With its unit, or alone at its address, it is found; a building of several units never is.
        if unit or shared.count((street, kind, number)) == 1:
            assert row["property_id"] == f"190-{n}"
        else:
            assert (row["property_id"], row["match_reason"]) == (None, "several_properties")
    style.shuffle(records)
    style.shuffle(properties)
    assert match(records, properties) == found


def test_of_hundreds_of_addresses_those_that_are_here_are_found_and_no_others() -> None:
    houses = [ours("1", "1 ELM ST"), ours("2", "3 OAK HILL RD UNIT 1"), ours("3", "5-9 N MAIN ST")]
    here = {("ELM", 1, None): "1"} | {("N MAIN", n, None): "3" for n in (5, 7, 9)}
    every = list(itertools.product(STREETS, range(1, 13), (None, "1", "2", "9")))
    style = random.Random(3)
    records = [theirs(1, written(street, "ST", number, unit, style)) for street, number, unit in every]
    judged = judged_apart(records, houses)
    found = {case: which for case, (_, which) in zip(every, judged, strict=True) if isinstance(which, str)}
    assert len(records) > 250 and found == here


def test_the_gazetteer_says_how_sure_it_is() -> None:
    gazetteer = Gazetteer([(HERE, "MONROE", "01350"), (THERE, "CUTTYHUNK", "02713")])
    assert gazetteer.towns_of("MONROE", None, None, "MA", None)["is_sure"]
    found = gazetteer.towns_of(None, "Monroe", "02713", "MA", None)
    assert (found["towns"], found["other_towns"], found["is_sure"]) == ([HERE], [THERE], False)
    assert gazetteer.towns_of(None, None, "02713-0012", None, None)["towns"] == [THERE]
    assert gazetteer.towns_of("BOSTON", "MONROE", None, "MA", "25025")["towns"] == []


def test_owners_in_fields_of_their_own_have_the_key_of_one_field() -> None:
    assert owner_key(["EXAMPLE, PAT", None, "EXAMPLE, SAM"]) == "EXAMPLE PAT & EXAMPLE SAM"
    assert owner_key(["SAMPLE REALTY TRUST"]) == "SAMPLE REALTY TRUST"
    assert owner_key([None, None]) is None


def test_the_columns_are_those_of_attoms_own_record() -> None:
    wanted = attom_record.arrow_fields()
    assert set(GROUPS) == set(attom_record.GROUPS) - {"property"}
    for group in set(GROUPS) - {"owner"}:
        assert group_facts(group) == attom_record.group_fields(group)
    own = set(PROPERTY_RECORDS.schema.names) - set(wanted.names)
    assert own == {
        *("record_id", "town_id", "source", "batch_id", "record_hash", "match_status", "match_method"),
        *("match_reason", "candidates", "owner_key"),
    }
    for name in set(PROPERTY_RECORDS.schema.names) - own:
        assert PROPERTY_RECORDS.schema.field(name).type == wanted.field(name).type, name
    pii = {*("owner_key", "last_seller", "last_buyer", "sale_history", "foreclosure_records", "lien_records")}
    assert PROPERTY_RECORDS.pii == pii
