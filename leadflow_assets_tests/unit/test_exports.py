"""Exports by themselves: the formula rule, the columns of each format, positions, cells of every type."""

from __future__ import annotations

import json
import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st

from leadflow_assets.errors import UsageError
from leadflow_assets.search.exports import FORMATS, needed_columns, sidecar_path
from leadflow_assets.search.exports.csv_file import without_formulas
from leadflow_assets.search.exports.formats import describe_column, kind, label, shown_columns
from leadflow_assets.search.exports.outlines import in_degrees
from leadflow_assets.search.exports.values import days_as_text, lists_as_text, plain, records

patient = settings(deadline=None)
SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20"
CONTROLS = "\t\r\n\0"


def _safe(text: str | None) -> str | None:
    (found,) = without_formulas(pa.array([text], pa.string())).to_pylist()
    return None if found is None else str(found)


def _would_run(text: str) -> bool:
    """The rule told a second way: what is left after blanks, quotes and marks starts with a sign."""
    if text[:1] and text[0] in CONTROLS:
        return True
    rest = text.lstrip(
        "".join(c for c in text if c.isspace() or c in "\"'" or unicodedata.category(c) == "Cf")
    )
    return rest[:1] != "" and rest[0] in SIGNS


# --- Formulas in CSV


@pytest.mark.parametrize(
    "text",
    [
        *(sign + "1+1" for sign in SIGNS),
        *(control + "x" for control in CONTROLS),
        '=HYPERLINK("x","y")',
        "  =1+1",
        '"=1+1',
        "'=1+1",
        " ' \"@SUM(1)",
        "\u00a0=1",
        "\ufeff=1",
        "\u3000\uff1d1",
        "-",
        "\n",
    ],
)
def test_a_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert _safe(text) == "'" + text


@pytest.mark.parametrize("text", ["", "02019", "12 ELM ST", "O'BRIEN", "A=B", "1-2", "'TIS LLC", " x", "#1"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert _safe(text) == text


def test_a_missing_text_stays_missing() -> None:
    assert _safe(None) is None
    assert without_formulas(pa.array([None, "=1", None])).to_pylist() == [None, "'=1", None]


@patient
@given(
    st.text(
        st.sampled_from(SIGNS + CONTROLS + " '\"\u00a0\ufeffa1") | st.characters(codec="utf-8"), max_size=8
    )
)
@example("'\t=1")
@example("''=")
def test_the_rule_can_be_undone_for_any_text(text: str) -> None:
    written = _safe(text)
    assert written is not None
    assert written in (text, "'" + text)
    if _would_run(text):
        assert written == "'" + text
    # The sidecar's way back: take the apostrophe off where what follows it starts like a formula.
    back = written[1:] if written[:1] == "'" and _safe(written[1:]) != written[1:] else written
    assert back == text


# --- Columns


def test_every_format_needs_the_columns_asked_for_and_what_finds_the_parcel() -> None:
    asked = ("property_id", "total_value")
    assert needed_columns("csv", asked) == needed_columns("xlsx", asked) == asked
    assert needed_columns("geojson", asked) == (*asked, "town_id", "loc_id", "lon", "lat")
    assert needed_columns("geoparquet", asked) == (*asked, "town_id", "loc_id", "point_x", "point_y")
    assert set(needed_columns("map", asked)) >= {"total_value", "site_address", "category", "lon", "lat"}


def test_a_map_leaves_out_keys_and_positions_but_no_column_it_does_not_know() -> None:
    shown = shown_columns("map", ["property_id", "lon", "owner_name", "equity_low", "category"])
    assert shown == ("owner_name", "equity_low", "category", "site_address")


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("columns", [(), ("town", "town")])
def test_columns_must_be_named_once(format: str, columns: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="columns"):
        needed_columns(format, columns)


def test_an_unknown_format_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="geoparquet"):
        needed_columns("shapefile", ["town"])


@pytest.mark.parametrize(
    ("name", "type_", "expected"),
    [
        ("total_value", pa.int64(), "money"),
        ("year_built", pa.int32(), "number"),
        ("building_sqft", pa.int64(), "count"),
        ("value_annual_rate", pa.float64(), "percent"),
        ("last_sale_date", pa.date32(), "date"),
        ("fetched_at", pa.timestamp("us", tz="UTC"), "time"),
        ("sale_is_market", pa.bool_(), "boolean"),
        ("total_value", pa.string(), "text"),
        ("owners", pa.list_(pa.string()), "text"),
    ],
)
def test_a_column_is_shown_by_its_name_and_type(name: str, type_: pa.DataType, expected: str) -> None:
    assert kind(name, type_) == expected


def test_names_for_people() -> None:
    names = ("building_sqft", "mailing_zip", "loc_id", "prop_id")
    assert [label(name) for name in names] == ["Building sq ft", "Mailing ZIP", "LOC_ID", "Prop ID"]


def test_the_data_dictionary_knows_the_columns_of_the_lake_only() -> None:
    assert "dollars" in describe_column("total_value")
    assert describe_column("no_such_column") == ""


def test_the_sidecar_stands_beside_the_file() -> None:
    assert sidecar_path(Path("a/leads.csv")) == Path("a/leads.csv.leadflow.json")


# --- Cells


def _plain(values: pa.Array) -> pa.ChunkedArray:
    return plain(pa.record_batch([values], ["x"]), ["x"])["x"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array(["a", None, "a"]).dictionary_encode(), ["a", None, "a"]),
        (pa.array(["a"], pa.large_string()), ["a"]),
        (pa.array(["a"], pa.string_view()), ["a"]),
        (pa.nulls(2), [None, None]),
        (pa.array([Decimal("1.50")]), [1.5]),
        (pa.array([1.5, float("nan"), float("inf"), None]), [1.5, None, None, None]),
        (pa.array([1, None], pa.int32()), [1, None]),
        (pa.array([[1], None]), [[1], None]),
    ],
)
def test_cells_come_in_few_types(values: pa.Array, expected: list[Any]) -> None:
    assert _plain(values).to_pylist() == expected


def test_times_are_utc_and_to_the_second_whatever_zone_they_came_in() -> None:
    moments = pa.array([datetime(2026, 11, 22, 7, 30, 15, 999, tzinfo=UTC), None])
    for type_ in (pa.timestamp("us", tz="UTC"), pa.timestamp("ns", tz="America/New_York")):
        table = days_as_text(pa.table({"x": _plain(moments.cast(type_))}))
        assert table["x"].to_pylist() == ["2026-11-22T07:30:15Z", None]


def test_days_are_iso_texts() -> None:
    table = days_as_text(pa.table({"x": pa.array([date(1821, 10, 24), None])}))
    assert table["x"].to_pylist() == ["1821-10-24", None]


def test_bytes_are_refused_by_name() -> None:
    with pytest.raises(UsageError, match="column x"):
        _plain(pa.array([b"\x01"]))


def test_lists_become_json_and_stay_json_where_the_format_has_lists() -> None:
    owners = [[{"name": "WREN, ADA", "since": date(2001, 2, 3), "share": float("nan")}], None]
    table = pa.table({"owners": owners})
    expected = [{"name": "WREN, ADA", "since": "2001-02-03", "share": None}]
    first, second = lists_as_text(table)["owners"].to_pylist()
    assert (json.loads(first), second) == (expected, None)
    assert list(records(table)) == [[expected], [None]]


# --- Positions

BOX = shapely.box(200_000, 870_000, 200_050, 870_040)


def test_outlines_in_degrees_follow_rfc_7946() -> None:
    with_hole = shapely.Polygon(
        BOX.exterior.coords[::-1], [shapely.box(200_010, 870_010, 200_020, 870_020).exterior.coords]
    )
    (found, nothing) = in_degrees(np.array([shapely.MultiPolygon([with_hole]), None], dtype=object), 7)
    assert nothing is None
    (polygon,) = found.geoms
    assert polygon.exterior.is_ccw
    assert not polygon.interiors[0].is_ccw
    positions = shapely.get_coordinates(found)
    assert (positions == np.round(positions, 7)).all()
    assert ((positions[:, 0] > -71.6) & (positions[:, 0] < -71.4)).all()
    assert ((positions[:, 1] > 42.0) & (positions[:, 1] < 42.2)).all()


def test_an_outline_that_rounding_would_break_is_mended_or_left_out() -> None:
    # Far thinner than the grid of six decimals, beside an ordinary part; and by itself.
    sliver = shapely.Polygon(
        [(200_000, 870_100), (200_050, 870_100.001), (200_050, 870_100), (200_000, 870_100)]
    )
    shapes = np.array([shapely.MultiPolygon([BOX, sliver]), shapely.MultiPolygon([sliver])], dtype=object)
    mended, vanished = in_degrees(shapes, 6)
    assert mended.is_valid
    assert len(mended.geoms) == 1
    assert vanished is None
