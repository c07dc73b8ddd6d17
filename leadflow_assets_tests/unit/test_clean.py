"""Columns as sources have them become typed ones: whatever their type, nothing fails or is made up."""

from __future__ import annotations

import math
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from leadflow_assets.errors import BadPackageError
from leadflow_assets.pipeline import clean
from leadflow_assets.sources.massgis.reader import Layer

# A loaded machine must not fail a test by being slow.
patient = settings(deadline=None)
NBSP = "\u00a0"
_TEXTS = st.lists(st.none() | st.text(max_size=20), max_size=25)
_ODD = [
    "",
    " ",
    "\x00",
    f"{NBSP} ",
    " 25 ",
    "25.0",
    "-3",
    "+7",
    "1e5",
    "nan",
    "inf",
    "٢٥",
    "9" * 30,
    "1" * 15,
    ".",
]


def _one(values: pa.Array, kind: clean.Kind) -> pa.Array:
    layer = Layer("Assess", pa.table({"X": values}), "utf-8")
    return clean.typed_columns(layer, {"X": kind}, required=("X",), file="a.zip")["x"]


# --- Text


@patient
@given(_TEXTS)
@example(_ODD)
def test_text_is_trimmed_and_blank_is_null_for_any_text(values: list[str | None]) -> None:
    found = _one(pa.array(values, pa.string()), "text")
    assert found.type == pa.string()
    for before, after in zip(values, found.to_pylist(), strict=True):
        if after is None:
            assert before is None or not before.strip(f" \t\r\n\x00{NBSP}")
        else:
            assert after == before.strip(f" \t\r\n\x00{NBSP}") != ""  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([25, None, 0, -1], pa.int64()), ["25", None, "0", "-1"]),
        (pa.array([25, None], pa.int32()), ["25", None]),
        (pa.array([25.0, 2.75, None, 20120925.0], pa.float64()), ["25", "2.75", None, "20120925"]),
        (
            pa.array(["\x00\x00", "a\x00", f"{NBSP}b{NBSP}", "\t c\r\n", ""], pa.string()),
            [None, "a", "b", "c", None],
        ),
        (pa.array([" d ", None], pa.large_string()), ["d", None]),
        (pa.array([True, None], pa.bool_()), ["true", None]),
        (pa.array([None, None], pa.null()), [None, None]),
        (pa.array([date(2020, 1, 2), None], pa.date32()), ["2020-01-02", None]),
        (pa.array([], pa.string()), []),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_a_column_of_any_type_becomes_text(values: pa.Array, expected: list[str | None]) -> None:
    assert _one(values, "text").to_pylist() == expected


def test_a_number_that_is_none_becomes_null_and_not_the_text_nan() -> None:
    assert _one(pa.array([math.nan, 1.0], pa.float64()), "text").to_pylist() == [None, "1"]


def test_a_float_too_large_for_a_whole_number_keeps_its_value_as_text() -> None:
    (text,) = _one(pa.array([1e19], pa.float64()), "text").to_pylist()
    assert float(text) == 1e19


@patient
@given(_TEXTS)
def test_runs_of_white_space_become_one_space(values: list[str | None]) -> None:
    found = clean.single_spaces(pa.array(values, pa.string())).to_pylist()
    assert [v is None for v in found] == [v is None for v in values]
    assert not any("  " in v or "\t" in v or "\n" in v for v in found if v)


@pytest.mark.parametrize("gap", ["  ", "\t", " \r\n ", NBSP, f" {NBSP} "])
def test_a_gap_of_any_kind_in_an_address_becomes_one_space(gap: str) -> None:
    assert clean.single_spaces(pa.array([f"8{gap}GRANITE ST"])).to_pylist() == ["8 GRANITE ST"]


# --- Numbers


@patient
@given(_TEXTS, st.sampled_from(["integer", "number"]))
@example(_ODD, "integer")
@example(_ODD, "number")
def test_text_that_is_no_number_is_null(values: list[str | None], kind: clean.Kind) -> None:
    found = _one(pa.array(values, pa.string()), kind)
    assert found.type == (pa.int64() if kind == "integer" else pa.float64())
    for before, after in zip(values, found.to_pylist(), strict=True):
        if after is not None:
            assert float(str(before).strip(f" \t\r\n\x00{NBSP}")) == after


@patient
@given(st.integers(-(10**15) + 1, 10**15 - 1))
def test_a_whole_number_as_text_is_that_number(number: int) -> None:
    texts = [str(number), f" {number} ", f"{number}.0", f"{number}.000", f"{number}."]
    assert _one(pa.array(texts), "integer").to_pylist() == [number] * 5


@patient
@given(st.lists(st.none() | st.integers(-(2**31), 2**31 - 1), max_size=10))
def test_whole_numbers_of_any_width_stay(numbers: list[int | None]) -> None:
    for kind in (pa.int32(), pa.int64(), pa.float64()):
        assert _one(pa.array(numbers, kind), "integer").to_pylist() == numbers
    assert _one(pa.array(numbers, pa.int64()), "number").to_pylist() == numbers


def test_a_float_that_is_none_or_endless_is_no_whole_number() -> None:
    assert _one(pa.array([math.nan, math.inf, -math.inf, 7.0], pa.float64()), "integer").to_pylist() == [
        None
    ] * 3 + [7]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["0.25", " 1.5 ", "12", "1e5", "nan", ""], [0.25, 1.5, 12.0, None, None, None]),
        ([None], [None]),
    ],
)
def test_decimals_as_text_are_read(values: list[Any], expected: list[float | None]) -> None:
    assert _one(pa.array(values, pa.string()), "number").to_pylist() == expected


# --- Columns


def test_a_missing_column_is_named_with_the_file() -> None:
    layer = Layer("Assess", pa.table({"LOC_ID": ["F_1_2"]}), "utf-8")
    with pytest.raises(BadPackageError, match=r"town\.zip: Assess has no column PROP_ID, FY\."):
        clean.typed_columns(layer, {"LOC_ID": "text"}, required=("PROP_ID", "LOC_ID", "FY"), file="town.zip")


def test_an_absent_column_is_null_and_an_older_name_is_known() -> None:
    layer = Layer("Assess", pa.table({"LIV_UNITS": pa.array([2, 3], pa.int32())}), "utf-8")
    kinds: dict[str, clean.Kind] = {"UNITS": "integer", "ZONING": "text", "LOT_SIZE": "number"}
    found = clean.typed_columns(layer, kinds, required=(), aliases={"LIV_UNITS": "UNITS"}, file="a.zip")
    assert {name: column.to_pylist() for name, column in found.items()} == {
        "units": [2, 3],
        "zoning": [None, None],
        "lot_size": [None, None],
    }
    assert [str(column.type) for column in found.values()] == ["int64", "string", "double"]


def test_columns_in_pieces_are_read_as_one() -> None:
    pieces = pa.chunked_array([["a "], [], [None, " b"]], pa.string())
    layer = Layer("Assess", pa.table({"X": pieces}), "utf-8")
    assert clean.typed_columns(layer, {"X": "text"}, required=("X",), file="f")["x"].to_pylist() == [
        "a",
        None,
        "b",
    ]


def test_stray_columns_of_old_packages_are_named() -> None:
    layer = Layer(
        "TaxPar",
        pa.table({"LOC_ID": ["x"], "POLY__DESC": ["y"], "OBJECTID": [1], "geometry": [b""]}),
        "utf-8",
    )
    assert clean.unknown_columns(layer, {"LOC_ID": "text"}, ("OBJECTID",)) == ["POLY__DESC"]


@patient
@given(st.lists(st.none() | st.booleans(), max_size=8))
def test_null_where_takes_out_only_what_the_condition_holds_for(conditions: list[bool | None]) -> None:
    values = pa.array(range(len(conditions)), pa.int64())
    found = clean.null_where(values, pa.array(conditions, pa.bool_())).to_pylist()
    assert found == [None if condition else index for index, condition in enumerate(conditions)]


# --- Days


@patient
@given(
    st.lists(st.none() | st.text(max_size=10) | st.integers(0, 10**8 - 1).map("{:08d}".format), max_size=20)
)
@example(["20230231", "00000000", "20231301", "00000101"])
def test_a_day_is_what_its_text_says_or_null(values: list[str | None]) -> None:
    found = clean.day(pa.array(values, pa.string()))
    assert found.type == pa.date32()
    for text, day in zip(values, found.to_pylist(), strict=True):
        if day is not None:
            assert f"{day.year:04d}{day:%m%d}" == text
        elif text is not None and len(text) == 8 and text.isascii() and text.isdigit() and text > "1000":
            with pytest.raises(ValueError, match=r"."):
                datetime.strptime(text, "%Y%m%d")  # noqa: DTZ007
