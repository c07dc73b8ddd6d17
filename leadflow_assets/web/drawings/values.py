"""Assessed values over the releases, as stacked bars."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from leadflow_assets.search.parcel.model import PastValue, Unit

PARTS: Final = ("land", "building", "other")
_HEIGHT: Final = 150.0
_STEPS: Final = (1, 2, 2.5, 5, 10)
_LINES: Final = 4


@dataclass(frozen=True)
class YearOfValue:
    """A release: dollars by part and in all, of ``records`` properties. None: not published."""

    release: str
    fiscal_year: int
    land: int | None
    building: int | None
    other: int | None
    total: int | None
    change_percent: float | None
    new_owners: int | None
    new_sales: int | None
    records: int


@dataclass(frozen=True)
class Bar:
    """One bar of the chart: rectangles of its parts from the bottom up, in units of the drawing."""

    year: YearOfValue
    x: float
    parts: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True)
class Chart:
    """Bars over a scale; ``lines`` are dollars with their height."""

    width: float
    height: float
    bar_width: float
    bars: tuple[Bar, ...]
    lines: tuple[tuple[float, float], ...]


def years_of(units: Sequence[Unit], releases: Iterable[str]) -> tuple[YearOfValue, ...]:
    """The values of ``units`` together, the oldest release first; releases without any are left out."""
    past = [value for unit in units for value in unit.value_history]
    made: list[YearOfValue] = []
    for release in releases:
        there = [value for value in past if value.release == release]
        if there:
            made.append(_year(release, there, made[-1] if made else None))
    return tuple(made)


def _year(release: str, there: Sequence[PastValue], before: YearOfValue | None) -> YearOfValue:
    total = _sum(value.total_value for value in there)
    return YearOfValue(
        release=release,
        fiscal_year=there[0].fiscal_year,
        land=_sum(value.land_value for value in there),
        building=_sum(value.building_value for value in there),
        other=_sum(value.other_value for value in there),
        total=total,
        change_percent=_change(total, len(there), before),
        new_owners=_sum(value.owner_changed for value in there),
        new_sales=_sum(value.sale_changed for value in there),
        records=len(there),
    )


def _change(total: int | None, records: int, before: YearOfValue | None) -> float | None:
    # Only the same number of properties can be compared.
    if total is None or before is None or not before.total or before.records != records:
        return None
    return 100.0 * (total - before.total) / before.total


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def chart(years: Sequence[YearOfValue]) -> Chart | None:
    """The bars; None where no value is known."""
    highest = max((year.total or 0 for year in years), default=0)
    if highest <= 0:
        return None
    step = _step(highest / _LINES)
    top = step * -(-highest // step)
    space = 74.0
    width = 60.0 + space * len(years)
    bars = [_bar(year, 66.0 + space * number, top) for number, year in enumerate(years)]
    count = round(top / step)
    lines = [(step * line, _HEIGHT * (1 - step * line / top)) for line in range(count + 1)]
    return Chart(width, _HEIGHT, 46.0, tuple(bars), tuple(lines))


def _bar(year: YearOfValue, x: float, top: float) -> Bar:
    known = [(part, float(getattr(year, part) or 0)) for part in PARTS]
    if not sum(dollars for _, dollars in known):
        # The total was published without its parts.
        known = [("total", float(year.total or 0))]
    parts, at = [], _HEIGHT
    for part, dollars in known:
        height = _HEIGHT * dollars / top
        if height > 0:
            at -= height
            parts.append((part, round(at, 1), round(height, 1)))
    return Bar(year, x, tuple(parts))


def _step(least: float) -> float:
    """The smallest of 1, 2, 2.5 and 5 times a power of ten that is not below ``least``."""
    power = 10.0 ** (len(str(int(least))) - 1)
    return next(step * power for step in _STEPS if step * power >= least)
