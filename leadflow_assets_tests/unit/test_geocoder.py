"""From typed text to a point, on a made-up town whose parcels stand where the tests say."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadflow_assets.domain.addresses import address_key, parse_address
from leadflow_assets.domain.towns import town_by_id
from leadflow_assets.errors import UsageError
from leadflow_assets.search.geocode.geocoder import EXPECTED_ERRORS, METHODS, Geocoded, Geocoder
from leadflow_assets.search.geocode.house_numbers import Entry, Wanted, place
from leadflow_assets.search.geocode.places import NotLocatedError
from leadflow_assets.search.statement import to_state_plane

patient = settings(deadline=None)
BELLINGHAM, FRANKLIN, BOSTON = 25, 101, 35
WEST, SOUTH = 200_000.0, 870_000.0
STEP = 20.0  # metres for each two numbers


@dataclass(frozen=True)
class Lot:
    """One property: its address as published, and metres east and north of the corner."""

    address: str
    x: float
    y: float = 0.0
    town_id: int = BELLINGHAM
    zip: str | None = "02019"


def lots(street: str, numbers: Iterable[int], *, y: float = 0.0, town_id: int = BELLINGHAM) -> list[Lot]:
    """A street running east: the odd side lies 30 m south of the even one."""
    return [Lot(f"{n} {street}", n / 2 * STEP, y - 30 * (n % 2), town_id) for n in numbers]


def relation(rows: Iterable[Lot]) -> duckdb.DuckDBPyConnection:
    """An in-memory `properties` with the columns that geocoding uses."""
    known = list(rows)
    parsed = [parse_address(lot.address) for lot in known]
    text, number, real = pa.string(), pa.int32(), pa.float64()
    table = pa.table(
        {
            "property_id": pa.array([f"{lot.town_id}-{i:04d}" for i, lot in enumerate(known)], text),
            "town_id": pa.array([lot.town_id for lot in known], number),
            "town": pa.array([town_by_id(lot.town_id).name for lot in known], text),
            "address_key": pa.array(
                [address_key(a, lot.town_id) for a, lot in zip(parsed, known, strict=True)], text
            ),
            "house_number": pa.array([a.num for a in parsed], number),
            "house_number_high": pa.array([a.num_hi for a in parsed], number),
            "street_normalized": pa.array([a.street or None for a in parsed], text),
            "unit": pa.array([a.unit or None for a in parsed], text),
            "zip": pa.array([lot.zip for lot in known], text),
            "point_x": pa.array([None if math.isnan(lot.x) else WEST + lot.x for lot in known], real),
            "point_y": pa.array([None if math.isnan(lot.x) else SOUTH + lot.y for lot in known], real),
            "lon": pa.array([-71.5 + lot.x / 82_000 for lot in known], real),
            "lat": pa.array([42.08 + lot.y / 111_000 for lot in known], real),
        }
    )
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    connection.register("rows", table)
    connection.execute("CREATE TABLE properties AS FROM rows ORDER BY town_id")
    return connection


TOWN = [
    *lots("EXAMPLE ST", [2, 4, 6, 8, 10, 20, 22, 100]),
    *lots("EXAMPLE ST", [1, 3, 5, 7, 9]),
    Lot("24-30 EXAMPLE ST", 270),
    Lot("40 EXAMPLE ST REAR", 900, 400),
    Lot("50A EXAMPLE ST", 500),
    Lot("60 EXAMPLE ST UNIT 1", 600),
    Lot("60 EXAMPLE ST UNIT 2", 640),
    *lots("SAMPLE RD", range(2, 30, 2), y=1000),
    *lots("SAMPLE AVE", range(2, 30, 2), y=2000),
    *lots("N QUARRY ST", range(2, 12, 2), y=3000),
    Lot("5 HIDDEN LN", math.nan),
    *lots("EXAMPLE ST", [2, 4, 7], y=9000, town_id=FRANKLIN),
    *lots("ORCHARD WAY", [2, 4], y=9500, town_id=FRANKLIN),
    Lot("12 HARBOR ST", 0, 0, BOSTON, "02121"),
    Lot("12 HARBOR ST", 5000, 0, BOSTON, "02124"),
    Lot("14 HARBOR ST", 5020, 0, BOSTON, "02124"),
]


@pytest.fixture(scope="module")
def geocoder() -> Geocoder:
    return Geocoder(relation(TOWN))


def _offset(found: Geocoded) -> tuple[float, float]:
    return round(found.x - WEST, 3), round(found.y - SOUTH, 3)


# --- Methods


@pytest.mark.parametrize(
    "text",
    [
        "8 Example St, Bellingham",
        "8 Example Street, Bellingham, MA 02019",
        "8 example st bellingham",
        "  8 EXAMPLE  STREET,Bellingham MA 02019-1234",
        "8 Example, Bellingham",
        "8 example bellingham",
        "8 Example St Unit 7, Bellingham",
    ],
)
def test_every_way_to_write_a_known_address_finds_its_parcel(geocoder: Geocoder, text: str) -> None:
    found = geocoder.locate(text)
    assert (found.method, _offset(found)) == ("exact", (80.0, 0.0))
    assert (found.town_id, found.matched) == (BELLINGHAM, "8 EXAMPLE ST, Bellingham")
    assert found.property_ids == ("25-0003",)
    assert (found.expected_error_m, found.worst_error_m) == (0.0, 0.0)
    assert (found.query, found.source) == (text, "parcels of Bellingham")


@pytest.mark.parametrize("number", [24, 26, 28, 30])
def test_a_number_inside_a_range_of_its_side_is_that_parcel(geocoder: Geocoder, number: int) -> None:
    found = geocoder.locate(f"{number} Example St", towns=[BELLINGHAM])
    assert (found.method, _offset(found)) == ("exact", (270.0, 0.0))


def test_a_range_asked_for_finds_a_parcel_of_one_of_its_numbers(geocoder: Geocoder) -> None:
    assert geocoder.locate("8-12 Example St", towns=[BELLINGHAM]).method == "exact"


def test_the_other_side_of_the_street_is_not_part_of_a_range(geocoder: Geocoder) -> None:
    found = geocoder.locate("27 Example St", towns=[BELLINGHAM])
    assert (found.method, _offset(found)) == ("nearest_number", (90.0, -30.0))
    assert found.matched == "9 EXAMPLE ST, Bellingham"


def test_a_range_too_wide_to_be_true_does_not_swallow_the_street() -> None:
    rows = [Lot("12-1200 EXAMPLE ST", 0), Lot("300 EXAMPLE ST", 500), Lot("304 EXAMPLE ST", 540)]
    found = Geocoder(relation(rows)).locate("302 Example St", towns=[BELLINGHAM])
    assert (found.method, _offset(found)) == ("interpolated", (520.0, 0.0))


def test_a_missing_number_lies_between_its_neighbours_of_the_same_side(geocoder: Geocoder) -> None:
    found = geocoder.locate("14 Example St", towns=[BELLINGHAM])
    assert (found.method, _offset(found)) == ("interpolated", (140.0, 0.0))
    assert found.matched == "14 EXAMPLE ST, Bellingham"
    assert len(found.property_ids) == 2
    assert found.lon == pytest.approx(-71.5 + 140 / 82_000)
    assert found.worst_error_m >= EXPECTED_ERRORS["interpolated"][1]


def test_a_number_far_from_both_neighbours_takes_the_nearer_one_within_forty() -> None:
    geocoder = Geocoder(relation(lots("EXAMPLE ST", [2, 60])))
    near = geocoder.locate("40 Example St", towns=[BELLINGHAM])
    assert (near.method, _offset(near)) == ("nearest_number", (600.0, 0.0))
    far = geocoder.locate("102 Example St", towns=[BELLINGHAM])
    assert (far.method, far.worst_error_m) == ("street", EXPECTED_ERRORS["street"][1])


def test_neighbours_exactly_forty_apart_still_count() -> None:
    geocoder = Geocoder(relation(lots("EXAMPLE ST", [2, 42])))
    assert geocoder.locate("22 Example St", towns=[BELLINGHAM]).method == "interpolated"
    geocoder = Geocoder(relation(lots("EXAMPLE ST", [2, 44])))
    assert geocoder.locate("22 Example St", towns=[BELLINGHAM]).method == "nearest_number"


def test_wide_gaps_between_neighbours_raise_the_error_that_is_told() -> None:
    geocoder = Geocoder(relation([Lot("2 EXAMPLE ST", 0), Lot("6 EXAMPLE ST", 1000)]))
    found = geocoder.locate("4 Example St", towns=[BELLINGHAM])
    assert (found.method, found.worst_error_m) == ("interpolated", 500.0)


def test_a_rear_parcel_does_not_stand_for_the_plain_number(geocoder: Geocoder) -> None:
    plain = geocoder.locate("40 Example St", towns=[BELLINGHAM])
    assert (plain.method, plain.matched) == ("same_number", "40 REAR EXAMPLE ST, Bellingham")
    rear = geocoder.locate("40 Example St Rear", towns=[BELLINGHAM])
    assert (rear.method, _offset(rear)) == ("exact", (900.0, 400.0))


def test_a_rear_parcel_is_no_neighbour() -> None:
    rows = [Lot("2 EXAMPLE ST", 0), Lot("4 EXAMPLE ST REAR", 0, 900), Lot("8 EXAMPLE ST", 60)]
    found = Geocoder(relation(rows)).locate("6 Example St", towns=[BELLINGHAM])
    assert (found.method, _offset(found)) == ("interpolated", (40.0, 0.0))


def test_a_parcel_off_the_street_says_nothing_about_a_number_on_it() -> None:
    rows = [Lot("2 EXAMPLE ST", 0), Lot("OFF EXAMPLE ST", 0, 5000), Lot("4 OFF EXAMPLE ST", 0, 5000)]
    found = Geocoder(relation(rows)).locate("4 Example St", towns=[BELLINGHAM])
    assert (found.method, _offset(found)) == ("nearest_number", (0.0, 0.0))


def test_a_letter_must_agree(geocoder: Geocoder) -> None:
    assert geocoder.locate("50A Example St", towns=[BELLINGHAM]).method == "exact"
    assert geocoder.locate("50 Example St", towns=[BELLINGHAM]).method == "same_number"
    assert geocoder.locate("8B Example St", towns=[BELLINGHAM]).method == "same_number"


def test_a_unit_that_is_given_is_the_one_found(geocoder: Geocoder) -> None:
    for unit, x in ((1, 600.0), (2, 640.0)):
        found = geocoder.locate(f"60 Example St Unit {unit}", towns=[BELLINGHAM])
        assert (found.method, _offset(found), found.worst_error_m) == ("exact", (x, 0.0), 0.0)


def test_parcels_of_one_address_raise_the_error_by_their_distance(geocoder: Geocoder) -> None:
    found = geocoder.locate("60 Example St", towns=[BELLINGHAM])
    assert (found.method, found.worst_error_m) == ("exact", 40.0)
    with pytest.raises(NotLocatedError, match="40 m off"):
        geocoder.locate("60 Example St", towns=[BELLINGHAM], radius_m=30)


def test_units_of_one_parcel_are_that_parcel() -> None:
    rows = [Lot(f"60 EXAMPLE ST UNIT {n}", 600) for n in range(1, 40)]
    found = Geocoder(relation(rows)).locate("60 Example St", towns=[BELLINGHAM])
    assert (found.method, found.worst_error_m, found.property_ids) == ("exact", 0.0, ("25-0000",))


def test_a_street_without_a_number_is_as_vague_as_it_is_long(geocoder: Geocoder) -> None:
    found = geocoder.locate("Sample Rd, Bellingham")
    assert (found.method, found.matched) == ("street", "SAMPLE RD, Bellingham")
    assert _offset(found) in {(140.0, 1000.0), (160.0, 1000.0)}
    assert 100 < found.worst_error_m < 150
    with pytest.raises(NotLocatedError, match=r"SAMPLE RD.*its street") as refusal:
        geocoder.locate("Sample Rd, Bellingham", radius_m=100)
    assert "house number" in refusal.value.hint
    assert geocoder.locate("Sample Rd, Bellingham", radius_m=150).method == "street"


@pytest.mark.parametrize(("number", "radius"), [(14, 57.0), (27, 121.0), (50, 539.0), (300, 1299.0)])
def test_what_is_too_vague_for_the_radius_is_refused(geocoder: Geocoder, number: int, radius: float) -> None:
    text = f"{number} Example St, Bellingham"
    worst = geocoder.locate(text).worst_error_m
    assert worst > radius
    with pytest.raises(NotLocatedError, match=f"{worst:.0f} m off") as refusal:
        geocoder.locate(text, radius_m=radius)
    assert f"{math.ceil(worst)} m" in refusal.value.hint
    assert geocoder.locate(text, radius_m=math.ceil(worst)).method in METHODS


# --- Coordinates


def test_coordinates_are_taken_as_they_are(geocoder: Geocoder) -> None:
    found = geocoder.locate(" 42.0868, -71.4746 ", radius_m=1)
    assert (found.method, found.lat, found.lon) == ("coordinates", 42.0868, -71.4746)
    assert (found.expected_error_m, found.worst_error_m, found.property_ids) == (0.0, 0.0, ())
    assert (found.x, found.y) == pytest.approx(to_state_plane(-71.4746, 42.0868))
    # Central meridian and latitude of origin of the Mainland zone: 200,000 m east, 750,000 m north.
    assert to_state_plane(-71.5, 41.0) == pytest.approx((200_000.0, 750_000.0), abs=2)


@pytest.mark.parametrize("text", ["-71.4746,42.0868", "42.0868,71.4746", "-71.4746 42.0868"])
def test_swapped_coordinates_are_asked_about(geocoder: Geocoder, text: str) -> None:
    with pytest.raises(UsageError, match=r"did you mean 42\.0868,-71\.4746"):
        geocoder.locate(text)


@pytest.mark.parametrize("text", ["0,0", "48.8584,2.2945", "42.1,-75", "999,999"])
def test_coordinates_outside_the_state_are_refused(geocoder: Geocoder, text: str) -> None:
    with pytest.raises(UsageError, match="not in Massachusetts"):
        geocoder.locate(text)


# --- Which street, which town


def test_a_bare_name_of_two_streets_is_asked_about(geocoder: Geocoder) -> None:
    with pytest.raises(UsageError, match="SAMPLE AVE, Bellingham or SAMPLE RD, Bellingham"):
        geocoder.locate("12 Sample", towns=[BELLINGHAM])


def test_a_missing_direction_is_filled_in_when_one_street_fits(geocoder: Geocoder) -> None:
    assert geocoder.locate("4 Quarry St, Bellingham").matched == "4 N QUARRY ST, Bellingham"
    with pytest.raises(NotLocatedError, match="no street S QUARRY ST in Bellingham"):
        geocoder.locate("4 South Quarry St, Bellingham")


def test_an_unknown_street_is_told_its_near_equals_and_never_replaced(geocoder: Geocoder) -> None:
    with pytest.raises(NotLocatedError, match="no street EXAMPEL ST in Bellingham") as refusal:
        geocoder.locate("8 Exampel St, Bellingham")
    assert "EXAMPLE ST" in refusal.value.hint
    assert "ORCHARD" not in refusal.value.hint
    with pytest.raises(NotLocatedError) as refusal:
        geocoder.locate("8 Zyzzyva Blvd, Bellingham")
    assert refusal.value.hint == "Check the spelling."


def test_an_address_in_several_towns_needs_its_town(geocoder: Geocoder) -> None:
    with pytest.raises(UsageError, match="EXAMPLE ST, Bellingham or EXAMPLE ST, Franklin") as refusal:
        geocoder.locate("4 Example St")
    assert not isinstance(refusal.value, NotLocatedError)
    assert geocoder.locate("4 Example St", towns=[FRANKLIN]).town_id == FRANKLIN
    assert geocoder.locate("4 Example St", towns=[FRANKLIN, BOSTON]).town_id == FRANKLIN


def test_an_address_of_one_town_only_needs_no_town(geocoder: Geocoder) -> None:
    assert geocoder.locate("22 Example St").town_id == BELLINGHAM
    assert geocoder.locate("4 Orchard Way").town_id == FRANKLIN


def test_at_most_eight_towns_are_named() -> None:
    rows = [Lot("1 EXAMPLE ST", 0, 0, town_id) for town_id in range(1, 21)]
    with pytest.raises(UsageError) as refusal:
        Geocoder(relation(rows)).locate("1 Example St")
    assert refusal.value.message.count("EXAMPLE ST,") == 8
    assert "12 more" in refusal.value.message


def test_the_town_of_the_text_counts_more_than_that_of_the_search(geocoder: Geocoder) -> None:
    assert geocoder.locate("4 Example St, Franklin", towns=[BELLINGHAM]).town_id == FRANKLIN
    assert geocoder.locate("4 example st franklin", towns=[BELLINGHAM]).town_id == FRANKLIN


def test_a_street_with_a_towns_name_is_a_street() -> None:
    geocoder = Geocoder(relation([*lots("LINCOLN ST", [2, 4]), *lots("OLD CANTON", [6, 8])]))
    assert geocoder.locate("2 Lincoln", towns=[BELLINGHAM]).matched == "2 LINCOLN ST, Bellingham"
    assert geocoder.locate("2 Lincoln St Bellingham").matched == "2 LINCOLN ST, Bellingham"
    assert geocoder.locate("6 Old Canton", towns=[BELLINGHAM]).matched == "6 OLD CANTON, Bellingham"


@pytest.mark.parametrize("town", ["West Boylston", "W Boylston", "W. Boylston"])
def test_the_longest_name_of_a_town_counts(town: str) -> None:
    geocoder = Geocoder(relation([*lots("ELM ST", [2], town_id=321), *lots("ELM ST", [2], town_id=39)]))
    assert geocoder.locate(f"2 Elm St {town}").town_id == 321
    assert geocoder.locate(f"2 Elm St, {town}").town_id == 321


def test_one_address_in_two_zips_needs_its_zip(geocoder: Geocoder) -> None:
    with pytest.raises(UsageError, match="02121 and 02124") as refusal:
        geocoder.locate("12 Harbor St, Boston")
    assert refusal.value.hint == "Add the ZIP."
    found = geocoder.locate("12 Harbor St, Boston MA 02124")
    assert (found.method, _offset(found)) == ("exact", (5000.0, 0.0))


def test_a_zip_stands_for_a_village_that_is_no_town(geocoder: Geocoder) -> None:
    assert _offset(geocoder.locate("12 Harbor St, Dorchester, MA 02124")) == (5000.0, 0.0)
    with pytest.raises(NotLocatedError, match="'DORCHESTER'") as refusal:
        geocoder.locate("12 Harbor St, Dorchester")
    assert "ZIP" in refusal.value.hint


def test_a_wrong_zip_is_told_and_not_ignored(geocoder: Geocoder) -> None:
    with pytest.raises(NotLocatedError, match="no parcel in ZIP 02038") as refusal:
        geocoder.locate("8 Example St, Bellingham MA 02038")
    assert "02019" in refusal.value.hint


def test_parcels_without_a_zip_are_taken_on_the_towns_word() -> None:
    geocoder = Geocoder(relation([Lot("2 EXAMPLE ST", 0, zip=None)]))
    assert geocoder.locate("2 Example St, Bellingham MA 02019").method == "exact"


def test_no_data_and_not_found_are_different_sentences(geocoder: Geocoder) -> None:
    with pytest.raises(NotLocatedError, match="no data for Worcester") as refusal:
        geocoder.locate("8 Example St, Worcester")
    assert "leadflow refresh 348" in refusal.value.hint
    with pytest.raises(NotLocatedError, match="no street ORCHARD WAY in Bellingham"):
        geocoder.locate("8 Orchard Way, Bellingham")
    with pytest.raises(NotLocatedError, match="No town in the lake has a street ZYZZYVA ST"):
        geocoder.locate("8 Zyzzyva St")
    with pytest.raises(NotLocatedError, match="no data for any town"):
        Geocoder(relation([])).locate("8 Example St")


def test_a_street_whose_parcels_have_no_point_is_not_found(geocoder: Geocoder) -> None:
    with pytest.raises(NotLocatedError, match="no street HIDDEN LN"):
        geocoder.locate("5 Hidden Ln, Bellingham")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no street"),
        ("   ", "no street"),
        ("12", "no street"),
        ("P.O. Box 12, Bellingham", "P.O. box"),
        ("8 Example St, Providence, RI", "lies in RI"),
        ("8 Example St, Providence, RI 02903", "lies in RI"),
    ],
)
def test_what_is_no_place_here_is_refused(geocoder: Geocoder, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        geocoder.locate(text)


@patient
@given(st.text(max_size=40) | st.from_regex(r"\d{1,3} (Example|Sample|'|%|_)* ?(St|Rd)?,? ?(Bellingham)?"))
def test_any_text_is_located_or_refused(geocoder: Geocoder, text: str) -> None:
    try:
        found = geocoder.locate(text)
    except UsageError:
        return
    assert found.method in METHODS
    assert 0 <= found.expected_error_m <= found.worst_error_m


def test_a_relation_of_another_name_is_used() -> None:
    connection = relation(lots("EXAMPLE ST", [2]))
    connection.execute('ALTER TABLE properties RENAME TO "some ""other"" rows"')
    found = Geocoder(connection, relation='some "other" rows').locate("2 Example St", towns=[BELLINGHAM])
    assert found.method == "exact"


def test_importing_it_loads_neither_projections_nor_fuzzy_matching() -> None:
    code = (
        "import sys, leadflow_assets.search.geocode.geocoder\n"
        "print([m for m in ('pyproj', 'rapidfuzz', 'pandas') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


# --- The arithmetic, on any street

entries = st.lists(
    st.builds(
        lambda number, width, letter, rear, off, x, index: Entry(
            number,
            number + width if number else 0,
            letter,
            rear,
            off,
            False,
            None,
            x,
            0.0,
            0.0,
            0.0,
            str(index),
        ),
        st.integers(0, 200),
        st.integers(0, 12),
        st.sampled_from(["", "", "", "A", "-A", "A-C"]),
        st.booleans(),
        st.booleans(),
        st.floats(-1000, 1000),
        st.integers(0, 99),
    ),
    min_size=1,
    max_size=12,
)


@patient
@given(entries, st.integers(0, 250))
def test_a_point_lies_among_the_parcels_it_was_made_from(known: list[Entry], number: int) -> None:
    placed = place(Wanted(number, number, "", False, False), known)
    assert placed.used
    xs = [entry.x for entry in placed.used]
    assert min(xs) - 1e-6 <= placed.x <= max(xs) + 1e-6
    assert 0 <= placed.doubt_median <= placed.doubt
    if placed.method == "exact":
        assert all(not entry.rear and not entry.off for entry in placed.used)
    if placed.method in {"interpolated", "nearest_number"}:
        assert all(entry.is_plain for entry in placed.used)
        assert not [e for e in known if e.is_plain and e.covers(number, number)]
