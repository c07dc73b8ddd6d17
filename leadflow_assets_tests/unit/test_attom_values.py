"""ATTOM's values: any input is read or left out, and files are read by the same rules as answers."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date, datetime

import duckdb
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from leadflow_assets.sources.attom import values
from leadflow_assets.sources.attom.bulk_values import KINDS
from leadflow_assets.sources.attom.keys import Keys, plain_key

patient = settings(deadline=None)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
READERS: dict[str, Callable[[object], object]] = {
    "text": values.text,
    "number": values.number,
    "number0": lambda v: values.number(v, zero=True),
    "amount": values.amount,
    "amount0": lambda v: values.amount(v, zero=True),
    "signed0": lambda v: values.integer(v, zero=True),
    "rate": values.rate,
    "year": values.year,
    "day": values.day,
    "flag": values.flag,
    "mark": lambda v: values.flag(v) or None,
    "occupied": values.owner_occupied,
}


@patient
@given(JSON)
@example(10**400)
@example(float("nan"))
@example("9" * 400)
def test_anything_is_read_or_left_out(value: object) -> None:
    for read in READERS.values():
        read(value)
    found = values.number(value)
    assert found is None or (math.isfinite(found) and found not in (0, -1))
    assert values.amount(value, zero=True) is None or int(values.amount(value, zero=True) or 0) >= 0


@pytest.mark.parametrize("nothing", [None, "", "   ", "-1", "{}", {}, [], "null", "N/A", True])
def test_the_ways_to_say_nothing_are_none(nothing: object) -> None:
    for read in (values.text, values.number, values.amount, values.rate, values.year, values.day):
        assert read(nothing) is None


@pytest.mark.parametrize(
    ("written", "meant"),
    [("$109,831", 109831), ("301", 301), (510000, 510000), ("1,234,567.50", 1234568), (" $ 5 ", 5), (0.5, 1)],
)
def test_money_of_any_form(written: object, meant: int) -> None:
    assert values.amount(written) == meant


@pytest.mark.parametrize("written", ["1,23", "1e5", "12 34", "--5", "$", ".", "five", "1.2.3", "٣"])
def test_what_is_no_number_is_none(written: str) -> None:
    assert values.number(written) is None


def test_zero_counts_only_where_it_may() -> None:
    assert values.amount(0) is None and values.amount("0", zero=True) == 0
    assert values.number(-1, zero=True) is None and values.integer(-250, zero=True) == -250
    assert values.rate("0.000") is None and values.rate("3.125") == 3.125 and values.rate(301) is None


@patient
@given(st.dates(date(1902, 1, 1), date(2099, 12, 31)))
def test_a_date_is_read_back_from_every_form(day: date) -> None:
    forms = [
        day.isoformat(),
        f"{day.isoformat()}T10:00:00.000Z",
        f"{day.month}/{day.day}/{day.year}",
        f"{day:%m/%d/%Y} 00:00:00",
        f"{day:%Y%m%d}",
        int(f"{day:%Y%m%d}"),
        day,
        datetime(day.year, day.month, day.day, 23, 59),  # noqa: DTZ001 - a county's local time
    ]
    assert [values.day(form) for form in forms] == [day] * len(forms)
    if 1969 <= day.year <= 2068:
        assert values.day(f"{day:%m/%d/%y}") == day


@pytest.mark.parametrize(
    "written", ["1900-01-01", "2026-02-30", "13/01/2026", "2026", "0", "1066-10-14", "x"]
)
def test_what_is_no_date_is_none(written: str) -> None:
    assert values.day(written) is None


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("O", True),
        ("A", False),
        ("OWNER OCCUPIED", True),
        ("ABSENTEE(MAIL AND SITUS NOT =)", False),
        ("Y", True),
        ("0", False),
        (1, True),
        ("", None),
        ("?", None),
    ],
)
def test_occupancy_of_any_form(written: object, meant: bool | None) -> None:
    assert values.owner_occupied(written) is meant


# What cells of a file can look like: forms of numbers, dates and words, and printable noise.
CELLS = (
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=10)
    | st.from_regex(re.compile(r"\A[-+]?\$? ?\d{1,9}(,\d{3})?(\.\d{0,3})?\Z", re.ASCII))
    | st.from_regex(re.compile(r"\A\d{1,2}/\d{1,2}/(\d{4}|\d{2})( 00:00:00)?\Z", re.ASCII))
    | st.dates().map(str)
    | st.from_regex(re.compile(r"\A(1[5-9]|20)\d{6}\Z", re.ASCII))
    | st.sampled_from(["", " ", "-1", "0", "Y", "n", "True", "O", "ABSENTEE", "a  b ", "inf", "nan", "1e5"])
)


@pytest.mark.parametrize("kind", list(KINDS))
@settings(deadline=None, max_examples=15)
@given(cells=st.lists(CELLS, min_size=1, max_size=60))
@example(cells=["4/1/68", "4/1/69", "-0.4", "0.4", "1599.5", "2100.4", "9300000000000000000", "$ 5", "-1.0"])
def test_files_are_read_by_the_same_rules_as_answers(kind: str, cells: list[str]) -> None:
    with duckdb.connect() as connection:
        connection.register("cells", pa.table({"x": cells}))
        found = connection.execute(f"SELECT {KINDS[kind].sql('x')} FROM cells").fetchall()
    assert [row[0] for row in found] == [READERS[kind](cell) for cell in cells]


# --- Keys


@patient
@given(st.text(max_size=10), st.text(max_size=10))
def test_plain_keys_forget_case_and_punctuation(first: str, second: str) -> None:
    assert plain_key(first + second) == plain_key(first) + plain_key(second)
    assert plain_key(plain_key(first)) == plain_key(first)


def test_every_spelling_of_the_id_is_one_key() -> None:
    assert {plain_key(name) for name in ("[ATTOM ID]", "ATTOMID", "ATTOM_ID", "attomId")} == {"attomid"}


def test_paths_are_tried_in_order_until_one_says_something() -> None:
    keys = Keys({"Assessment": {"OWNER": {"owner1": {"FullName": " PAT  EXAMPLE "}}}, "owner": {}, "x": "-1"})
    assert keys.text("owner.owner1.fullname", "assessment.owner.owner1.fullname") == "PAT EXAMPLE"
    assert keys.text("x", "nowhere.at.all") is None
    assert keys.holds("owner") and not keys.holds("owner.owner1", "mortgage")
    assert keys.child("owner", "assessment.owner").text("owner1.fullname") == "PAT EXAMPLE"


def test_of_two_spellings_the_one_that_says_something_wins() -> None:
    assert Keys({"lotSize1": None, "lotsize1": 0.5}).number("lotSize1") == 0.5
    assert Keys({"lotSize1": 0.5, "lotsize1": ""}).number("lotSize1") == 0.5


@patient
@given(JSON, st.text(max_size=12))
def test_any_json_can_be_asked_for_any_path(value: object, path: str) -> None:
    keys = Keys(value)
    assert keys.value(path) is None or keys
    assert all(isinstance(node, Keys) for node in keys.children(path))
