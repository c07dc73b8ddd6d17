"""Drawings of a parcel and of its values: scales are right, nothing leaves the frame."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from leadflow_assets.search.parcel.surroundings import Neighbour
from leadflow_assets.web.drawings import outline, values
from leadflow_assets.web.drawings.values import YearOfValue

SIZES = st.floats(2, 5000)


def numbers(path: str) -> list[tuple[float, float]]:
    found = [float(text) for text in re.findall(r"-?\d+\.\d", path)]
    return list(zip(found[::2], found[1::2], strict=True))


@given(SIZES, SIZES)
def test_a_parcel_of_any_size_lies_in_the_frame(wide: float, high: float) -> None:
    parcel = shapely.MultiPolygon([shapely.box(230_000, 900_000, 230_000 + wide, 900_000 + high)])
    drawn = outline.draw(parcel, (), margin=150)
    points = numbers(drawn.path)
    assert all(-0.1 <= x <= drawn.width + 0.1 and -0.1 <= y <= drawn.height + 0.1 for x, y in points)
    west, east = min(x for x, _ in points), max(x for x, _ in points)
    # The bar is a round number of feet, and as long as the parcel's own width says.
    feet_for_a_unit = wide / 0.3048 / (east - west) if east - west > 20 else None
    if feet_for_a_unit:
        assert drawn.bar_feet / drawn.bar == pytest.approx(feet_for_a_unit, rel=0.02)
    assert str(drawn.bar_feet).rstrip("0") in ("1", "2", "5")
    assert 0 < drawn.bar <= drawn.width / 2


def test_north_is_up() -> None:
    parcel = shapely.MultiPolygon([shapely.Polygon([(0, 0), (40, 0), (0, 40)])])
    points = numbers(outline.draw(parcel, (), margin=150).path)
    top = min(points, key=lambda point: point[1])
    # The northern corner is the western one too.
    assert top[0] == min(x for x, _ in points)


def test_neighbours_are_cut_at_the_frame_and_those_beyond_are_left_out() -> None:
    parcel = shapely.MultiPolygon([shapely.box(0, 0, 30, 30)])
    street = Neighbour("street", "ROW", shapely.box(-1000, 30, 1000, 42))
    far = Neighbour("far", "FEE", shapely.box(5000, 5000, 5030, 5030))
    crossed = Neighbour("crossed", "FEE", shapely.Polygon([(30, 0), (60, 30), (60, 0), (30, 30)]))
    drawn = outline.draw(parcel, (street, far, crossed), margin=150)
    assert [(shape.loc_id, shape.kind) for shape in drawn.neighbours] == [
        ("street", "way"),
        ("crossed", "lot"),
    ]
    assert all(0 <= x <= drawn.width and 0 <= y <= drawn.height for x, y in numbers(drawn.neighbours[0].path))


def test_a_hole_is_drawn() -> None:
    ring = shapely.Polygon(shapely.box(0, 0, 60, 60).exterior, [shapely.box(20, 20, 40, 40).exterior])
    assert outline.draw(shapely.MultiPolygon([ring]), (), margin=150).path.count("M") == 2


def a_year(year: int, land: int | None, building: int | None, total: int | None) -> YearOfValue:
    return YearOfValue(f"FY{year}", year, land, building, 0, total, None, None, None, 1)


def test_bars_are_as_high_as_their_values() -> None:
    years = [a_year(2024, 100_000, 200_000, 300_000), a_year(2025, 150_000, 250_000, 400_000)]
    chart = values.chart(years)
    assert chart is not None
    heights = [sum(height for _, _, height in bar.parts) for bar in chart.bars]
    assert heights[0] / heights[1] == pytest.approx(0.75, abs=0.01)
    scale = dict(chart.lines)
    assert min(y for _, y, _ in chart.bars[1].parts) == pytest.approx(scale[400_000], abs=0.2)


def test_a_total_without_parts_is_one_bar() -> None:
    chart = values.chart([a_year(2025, None, None, 400_000)])
    assert chart is not None and [part for part, _, _ in chart.bars[0].parts] == ["total"]


def test_no_value_no_chart() -> None:
    assert values.chart([a_year(2025, None, None, None)]) is None
    assert values.chart([replace(a_year(2025, 0, 0, 0))]) is None
