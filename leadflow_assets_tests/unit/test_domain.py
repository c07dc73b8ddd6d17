"""The rules of the field, by themselves: sales, LOC_IDs, use codes, match rates, towns."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from leadflow_assets.domain import loc_id, match_rates, sales, towns, use_codes
from leadflow_assets.errors import UsageError

# A loaded machine must not fail a test by being slow.
patient = settings(deadline=None)
TODAY = date(2026, 11, 22)
FULL_WIDTH = "20230101".translate({48 + k: 0xFF10 + k for k in range(10)})
TOWN_FACTS = Path(__file__).resolve().parents[3] / "shared" / "reference" / "massgis_towns.csv"


def _texts(values: list[str | None]) -> pa.Array:
    return pa.array(values, pa.string())


def _dated(*raw: str | None, latest: date = TODAY) -> list[tuple[str, date | None]]:
    found = sales.parse_sale_dates(_texts(list(raw)), latest=latest)
    return list(zip(found.status.to_pylist(), found.date.to_pylist(), strict=True))


# --- Sale dates


@patient
@given(
    st.lists(st.none() | st.text(max_size=12) | st.integers(0, 10**8 - 1).map("{:08d}".format), max_size=30)
)
@example(["20230231", "00000000", "00000101", "99991231", "20230229", "20240229", FULL_WIDTH, "2023\n0101"])
def test_any_text_gets_one_known_status_and_a_date_only_when_ok(raw: list[str | None]) -> None:
    found = sales.parse_sale_dates(_texts(raw), latest=TODAY)
    assert found.date.type == pa.date32()
    assert len(found.status) == len(found.date) == len(raw)
    for text, status, day in zip(raw, found.status.to_pylist(), found.date.to_pylist(), strict=True):
        assert status in sales.DATE_STATUSES
        assert (day is not None) == (status == "ok")
        if day is not None:
            assert f"{day:%Y%m%d}" == text
            assert sales.EARLIEST <= day <= TODAY


@patient
@given(st.dates(sales.EARLIEST, TODAY))
def test_a_date_between_1800_and_the_day_of_the_package_is_read_back(day: date) -> None:
    text = f"{day:%Y%m%d}"
    expected = ("sentinel", None) if text in sales.SENTINELS else ("ok", day)
    assert _dated(text) == [expected]


@patient
@given(st.dates(TODAY + timedelta(days=1), date.max))
@example(date(2262, 4, 12))
@example(date(2969, 4, 12))
@example(date(9999, 12, 31))
def test_a_date_after_the_day_of_the_package_lies_in_the_future_however_late(day: date) -> None:
    assert _dated(f"{day:%Y%m%d}") == [("future", None)]


@patient
@given(st.dates(date(1000, 1, 1), date(1799, 12, 31)))
def test_a_date_before_1800_is_none(day: date) -> None:
    assert _dated(f"{day:%Y%m%d}") == [("before_1800", None)]


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (None, "missing"),
        ("00000000", "missing"),
        ("19000101", "sentinel"),
        ("19010101", "sentinel"),
        ("17991231", "before_1800"),
        ("18000101", "ok"),
        ("18211024", "ok"),
        ("20261122", "ok"),
        ("20261123", "future"),
        ("29690412", "future"),
        ("20230231", "invalid"),
        ("20230229", "invalid"),
        ("20240229", "ok"),
        ("19000229", "invalid"),
        ("20231301", "invalid"),
        ("20230100", "invalid"),
        ("2023-01-01", "invalid"),
        ("2023011", "invalid"),
        ("202301011", "invalid"),
        ("2023010A", "invalid"),
        (FULL_WIDTH, "invalid"),
        ("0", "invalid"),
    ],
)
def test_each_published_date_gets_its_status(raw: str | None, status: str) -> None:
    assert _dated(raw)[0][0] == status


def test_a_column_without_any_date_is_read() -> None:
    assert _dated(None, None) == [("missing", None)] * 2
    assert _dated() == []


@patient
@given(st.integers(0, 3_000_000))
def test_a_price_below_1000_is_nominal(price: int) -> None:
    assert sales.nominal(pa.array([price, None])).to_pylist() == [price < 1000, None]


# --- Deeds

_DEED = st.tuples(
    st.sampled_from([None, "20200101", "20200102", "19010101"]),
    st.sampled_from([None, 0, 1, 999, 1000, 250_000]),
    st.sampled_from([None, "1", "01"]),
    st.sampled_from([None, "7"]),
)


def _deed_rows(deeds: list[tuple[Any, ...]]) -> list[int | None]:
    columns = list(zip(*deeds, strict=True)) or [()] * 4
    raw, price, book, page = columns
    found = sales.deed_rows(
        _texts(list(raw)), pa.array(price, pa.int64()), _texts(list(book)), _texts(list(page))
    )
    assert found.type == pa.int32()
    return found.to_pylist()


@patient
@given(st.lists(_DEED, max_size=40))
def test_records_on_a_deed_are_counted_by_date_price_book_and_page(deeds: list[tuple[Any, ...]]) -> None:
    counts = Counter(deeds)
    expected: list[int | None] = []
    for deed in deeds:
        day, price, book, page = deed
        says_nothing = book is None and page is None and (price is None or price < 1000)
        expected.append(None if day is None else 1 if says_nothing else counts[deed])
    assert _deed_rows(deeds) == expected


@pytest.mark.parametrize(("rows", "is_bulk"), [(None, False), (1, False), (2, False), (3, True), (64, True)])
def test_three_records_on_one_deed_are_a_bulk_sale(rows: int | None, is_bulk: bool) -> None:
    assert sales.bulk(pa.array([rows], pa.int32())).to_pylist() == [is_bulk]


# --- LOC_ID


@patient
@given(st.lists(st.none() | st.text(max_size=24), max_size=20))
@example(["F_1_2\n", "f_1_2", f"F_{FULL_WIDTH}_2", "F__2", "M_-5_7", "F_999999999999_1", " F_1_2"])
def test_any_text_is_a_loc_id_or_null_in_all_parts(ids: list[str | None]) -> None:
    points = loc_id.parse_loc_ids(_texts(ids))
    for text, letter, x, y in zip(
        ids, *(a.to_pylist() for a in (points.letter, points.x, points.y)), strict=True
    ):
        assert (letter is None) == (x is None) == (y is None)
        if letter is not None:
            assert text is not None and text[0] == letter and letter in "FM"


@patient
@given(st.integers(0, 99_999_999), st.integers(0, 99_999_999))
def test_metres_stay_and_survey_feet_become_metres(x: int, y: int) -> None:
    points = loc_id.parse_loc_ids(_texts([f"M_{x}_{y}", f"F_{x}_{y}"]))
    assert points.letter.to_pylist() == ["M", "F"]
    # The point was cut off to whole units: the middle of the unit is at most half a unit off.
    assert points.x.to_pylist() == pytest.approx([x + 0.5, (x + 0.5) * 1200 / 3937])
    assert points.y.to_pylist() == pytest.approx([y + 0.5, (y + 0.5) * 1200 / 3937])


def test_the_letter_of_a_town_is_that_of_most_of_its_ids() -> None:
    assert loc_id.main_letter(_texts(["F", "M", "F", None])) == "F"
    assert loc_id.main_letter(_texts([None])) is None
    assert loc_id.main_letter(_texts([])) is None


# --- Use codes

STATE = {"101": "Single family", "1010": "Single family", "341": "Banks", "013": "Mixed", "111": "Apartments"}


def _resolve(code: str, town_id: int = 25, **local: str) -> use_codes.UseCodeMeaning:
    return use_codes.resolve(
        code, town_id=town_id, local={k.lstrip("_"): v for k, v in local.items()}, state=STATE
    )


@patient
@given(st.none() | st.text(max_size=8))
def test_normalizing_a_code_never_fails_and_is_final(raw: str | None) -> None:
    code = use_codes.normalize(raw)
    assert code is None or (code and use_codes.normalize(code) == code)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (None, None), ("", None), ("  ", None), ("13", "013"), ("7", "007"), ("013", "013"), ("0130", "0130"),
        (" 101 ", "101"), ("972v", "972V"), ("10 1", "101"), ("0341", "0341"), ("QQQ", "QQQ"), ("0", "000"),
    ],
)  # fmt: skip
def test_a_code_is_upper_case_without_blanks_and_keeps_its_zeros(raw: str | None, code: str | None) -> None:
    assert use_codes.normalize(raw) == code


def test_the_towns_meaning_comes_before_the_states() -> None:
    meaning = _resolve("341", _341="Village hall")
    assert (meaning.resolved_from, meaning.description) == ("town", "Village hall")
    assert meaning.state_description == "Banks"
    assert meaning.local_description == "Village hall"


def test_the_states_meaning_comes_before_that_of_the_first_three_characters() -> None:
    meaning = _resolve("1010", _101="Cottage")
    assert (meaning.resolved_from, meaning.description) == ("state", "Single family")


def test_a_fourth_character_is_the_towns_own_and_falls_back_to_the_first_three() -> None:
    assert _resolve("1014").resolved_from == "first_three"
    assert _resolve("1014").description == "Single family"
    assert _resolve("1014", _1014="With boat house").description == "With boat house"
    assert _resolve("1014", _101="Cottage").description == "Cottage"


def test_a_leading_zero_is_never_stripped() -> None:
    """Bellingham's 0341 is a solar farm; the state's 341 is banks."""
    meaning = _resolve("0341", _0341="Mixed use, has solar farm")
    assert meaning.description == "Mixed use, has solar farm"
    assert meaning.category == "mixed"
    assert _resolve("0341").description != "Banks"
    assert _resolve("341").category == "commercial"


def test_a_letter_at_the_end_falls_back_to_the_digits() -> None:
    meaning = _resolve("111C")
    assert (meaning.resolved_from, meaning.description, meaning.category) == (
        "first_three",
        "Apartments",
        "residential",
    )
    assert (meaning.units_low, meaning.units_high) == (4, 8)


@pytest.mark.parametrize(
    ("code", "words", "low", "high"),
    [
        ("025", "one dwelling", 1, 1),
        ("027", "three dwellings", 3, 3),
        ("108", "parking", None, None),
        ("111", "4 to 6", 4, 6),
        ("112", "7 to 30", 7, 30),
        ("113", "31 to 99", 31, 99),
        ("114", "100 units or more", 100, None),
        ("902", "City of Boston", None, None),
        ("907", "121A", None, None),
        ("995", "Condominium main", None, None),
    ],
)
def test_boston_has_a_scheme_of_its_own(code: str, words: str, low: int | None, high: int | None) -> None:
    meaning = _resolve(code, use_codes.BOSTON_ID)
    assert meaning.resolved_from == "boston"
    assert words in str(meaning.description)
    assert (meaning.units_low, meaning.units_high) == (low, high)
    assert _resolve(code, 25).resolved_from != "boston"


@pytest.mark.parametrize("code", ["QQQ", "ZZZZ", "-1"])
def test_an_unknown_code_stays_without_meaning(code: str) -> None:
    meaning = _resolve(code)
    assert (meaning.resolved_from, meaning.description, meaning.category) == ("unknown", None, "unknown")
    assert (meaning.units_low, meaning.units_high) == (None, None)


@pytest.mark.parametrize(
    ("code", "units"),
    [("101", (1, 1)), ("102", (1, 1)), ("104", (2, 2)), ("105", (3, 3)), ("111", (4, 8)), ("112", (9, None))],
)
def test_the_class_implies_how_many_units(code: str, units: tuple[int, int | None]) -> None:
    meaning = _resolve(code)
    assert (meaning.units_low, meaning.units_high) == units


@patient
@given(
    st.text(max_size=6),
    st.sampled_from([25, 35, 999]),
    st.dictionaries(st.text(max_size=4), st.text(max_size=9)),
)
def test_any_code_resolves_to_a_known_source_and_class(
    code: str, town_id: int, local: dict[str, str]
) -> None:
    meaning = use_codes.resolve(code, town_id=town_id, local=local, state=STATE)
    assert meaning.resolved_from in use_codes.SOURCES
    assert meaning.category in use_codes.CATEGORIES
    assert (meaning.description is None) == (meaning.resolved_from == "unknown")


def test_every_state_code_stands_with_three_characters_and_with_a_zero_added() -> None:
    codes = use_codes.shipped_state_codes()
    three = {code for code in codes if len(code) == 3}
    assert len(three) == 304
    assert {code for code in codes if len(code) == 4} == {f"{code}0" for code in three - {"000"}}
    assert len(codes) == 607
    assert use_codes.category("000", town_id=25) == "unknown"


# --- Match rates


def _rates(polygons: int, pair: tuple[int, int]) -> list[match_rates.MatchRate]:
    return list(match_rates.match_rates(polygons=polygons, structures=pair, others=pair, parcels=pair))


@pytest.mark.parametrize(
    ("polygons", "minima"), [(1, [99.0, 95.0, 98.0]), (1000, [99.0, 95.0, 98.0]), (1001, [99.8, 97.0, 99.0])]
)
def test_a_town_of_more_than_1000_polygons_has_higher_minima(polygons: int, minima: list[float]) -> None:
    assert [rate.minimum for rate in _rates(polygons, (1, 1))] == minima


@patient
@given(st.sampled_from([500, 5000]), st.integers(1, 200_000), st.data())
def test_a_rate_is_met_exactly_from_its_minimum_on(polygons: int, total: int, data: st.DataObject) -> None:
    matched = data.draw(st.integers(0, total))
    for rate in _rates(polygons, (matched, total)):
        assert rate.met == (Fraction(100 * matched, total) >= Fraction(str(rate.minimum)))


def test_nothing_to_match_meets_the_standard() -> None:
    assert [(rate.percent, rate.met) for rate in _rates(5000, (0, 0))] == [(None, True)] * 3


# --- Towns

_ALL = towns.all_towns()


def test_there_are_351_towns_in_order_of_id_and_of_name_but_for_one_renamed() -> None:
    assert [town.town_id for town in _ALL] == list(range(1, 352))
    # Aquinnah was Gay Head when the ids were given.
    names = ["Gay Head" if town.name == "Aquinnah" else town.name for town in _ALL]
    assert names == sorted(names)
    assert len({town.key for town in _ALL}) == 351
    assert len(towns.towns(demo=True)) == 352


@pytest.mark.parametrize("town", _ALL, ids=lambda town: town.key)
def test_a_town_is_found_by_everything_it_is_called(town: towns.Town) -> None:
    called = [
        str(town.town_id),
        f"{town.town_id:03d}",
        f" {town.town_id} ",
        town.key,
        town.key.upper(),
        town.name,
    ]
    called += [
        town.name.lower(),
        town.name.upper(),
        town.name.replace(" ", "-"),
        f"  {town.name} ",
        town.link_name,
    ]
    called += [town.other_name] if town.other_name else []
    assert {towns.find_town(text) for text in called} == {town}
    assert towns.town_by_id(town.town_id) is town


def test_names_in_links_are_the_names_in_upper_case_without_spaces() -> None:
    for town in _ALL:
        assert town.link_name == town.name.upper().replace(" ", "")
        assert town.shapefile_zip == f"L3_SHP_M{town.town_id:03d}_{town.link_name}.zip"
        assert town.geodatabase_zip == f"M{town.town_id:03d}_parcels_gdb.zip"


@pytest.mark.skipif(not TOWN_FACTS.is_file(), reason="../shared/reference/massgis_towns.csv is not here")
def test_ids_zip_names_and_counties_are_those_of_the_official_table() -> None:
    with TOWN_FACTS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 351
    for town, row in zip(_ALL, rows, strict=True):
        assert (str(town.town_id), town.name.upper()) == (row["town_id"], row["name"])
        assert (town.shapefile_zip, town.geodatabase_zip) == (row["shp_zip"], row["gdb_zip"])
        assert (town.county, town.county_fips) == (row["county"], row["county_fips"])


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("Belingham", "Bellingham"),
        ("wooster", "Worcester"),
        ("Fal River", "Fall River"),
        ("Westfeild", "Westfield"),
    ],
)
def test_a_misspelt_town_is_answered_with_the_nearest_names(text: str, near: str) -> None:
    with pytest.raises(UsageError) as refused:
        towns.find_town(text)
    assert text in refused.value.message
    assert near in refused.value.hint


def test_devens_has_no_package_of_its_own() -> None:
    for call in (lambda: towns.find_town("352"), lambda: towns.town_by_id(towns.DEVENS_ID)):
        with pytest.raises(UsageError, match=r"Devens has no package"):
            call()


@pytest.mark.parametrize("text", ["0", "353", "1000", "99999999999999999999"])
def test_an_id_out_of_range_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"There is no town \d+\. Ids run from 1 to 351\."):
        towns.find_town(text)


def test_sampleton_is_a_town_of_the_demo_only() -> None:
    assert towns.find_town("sampleton", demo=True) is towns.SAMPLETON
    assert towns.find_town("999", demo=True) is towns.SAMPLETON
    for text in ("Sampleton", "999", "999-sampleton"):
        with pytest.raises(UsageError, match="demo is off"):
            towns.find_town(text, demo=False)


@patient
@given(st.text(max_size=20))
@example("²")
@example("٢٥")
@example("")
def test_any_other_text_is_a_town_or_a_usage_error(text: str) -> None:
    try:
        town = towns.find_town(text)
    except UsageError as refused:
        assert refused.hint
    else:
        assert town in (*_ALL, towns.SAMPLETON)
