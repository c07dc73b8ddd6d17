"""Neighbours' market sales for one property, and what they suggest it may be worth: an estimate, labelled.

Public-record practice: sales within half a mile and two years, of the same class and about the same size;
where these are too few the search is widened one step at a time, and the report says so. Prices are taken
as they are: no adjustment for time, condition, lot or view.
"""

from __future__ import annotations

from calendar import monthrange
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median, quantiles
from typing import Any

import duckdb

from leadflow_assets.search.areas import METRES_PER_MILE
from leadflow_assets.search.parcel.model import Comparable, Comparables, Estimate, Unit

Row = dict[str, Any]
LABEL = "estimate from neighbors' sales, not an appraisal"
LEAST_SALES = 3
_ENOUGH_SALES = 5
_MOST_SHOWN = 10
_ROUND_TO = 1_000  # dollars: more digits would claim too much
_DAYS_PER_MONTH = 365.25 / 12
_FAR_OFF = 4.0


@dataclass(frozen=True)
class Window:
    """How far a sale may be: miles, months before the day asked, and difference in size."""

    miles: float
    months: int
    size_percent: int

    def __str__(self) -> str:
        return f"{self.miles:g} mi, {self.months} months, size within {self.size_percent} %"


# Each window holds the one before it.
WINDOWS = (
    Window(0.5, 24, 20),
    Window(0.5, 24, 35),
    Window(1.0, 24, 35),
    Window(1.0, 36, 35),
    Window(1.0, 36, 50),
)
_COLUMNS = (
    "property_id, town, loc_id, site_address, use_code, owner_key, last_sale_date, last_sale_price, "
    "building_sqft, lot_acres, total_value, year_built, point_x, point_y"
)
_SALES = f"""
SELECT {_COLUMNS}, sqrt(pow(point_x - $x, 2) + pow(point_y - $y, 2)) AS distance_m
FROM properties
WHERE point_x BETWEEN $x - $reach AND $x + $reach AND point_y BETWEEN $y - $reach AND $y + $reach
    AND sale_is_market AND category = $category AND starts_with(use_code, $code)
    AND last_sale_date >= $after AND last_sale_date <= $day
    AND property_id <> $property_id AND distance_m <= $reach
ORDER BY property_id
"""


def subject_of(units: Sequence[Unit], named: str | None) -> tuple[Unit | None, str]:
    """Which of a parcel's properties is compared, and in words why that one.

    ``named`` is a property_id. Without it: the only one, else the one of median building size among
    those of the commonest use.
    """
    ours = [unit for unit in units if not unit.is_condominium_master]
    if named is not None:
        chosen = next((unit for unit in ours if unit.property_id == named), None)
        return chosen, "the property asked for"
    if len(ours) <= 1:
        return (ours[0], "the only property on the parcel") if ours else (None, "")
    commonest = Counter(unit.use_code for unit in ours).most_common(1)[0][0]
    alike = [unit for unit in ours if unit.use_code == commonest]
    alike.sort(key=lambda unit: (unit.building_sqft or 0, unit.property_id))
    return alike[len(alike) // 2], f"of median size among {len(alike)} of {len(ours)} properties here"


def comparables_for(
    connection: duckdb.DuckDBPyConnection,
    subject: Unit | None,
    subject_is: str,
    point: tuple[float, float] | None,
    day: date,
    *,
    loc_id: str | None,
    town_id: int,
) -> Comparables:
    """The sales and the estimate. ``connection`` has the relation ``properties`` (see ``Searcher``).

    ``point`` is where the parcel lies, EPSG:26986 metres.
    """
    if subject is None:
        return _none("there is no assessed property to compare", subject_is)
    if point is None:
        return _none("without a polygon it is not known where the property lies", subject_is, subject)
    if not subject.use_code or len(subject.use_code) < 3:
        return _none("without a use code it is not known what to compare with", subject_is, subject)
    found = _candidates(connection, subject, point, day)
    sales, left_out = _usable(found)
    window, chosen, widened = _choose(subject, sales, day)
    chosen.sort(key=lambda row: (_difference(subject, row, day), row["property_id"]))
    used = chosen[:_MOST_SHOWN]
    estimate, why_not = _estimate(subject, used)
    return Comparables(
        subject=subject.property_id,
        subject_is=subject_is,
        searched=f"{window}; {subject.category}, use code {subject.use_code[:3]}",
        widened=tuple(widened),
        sales_after=_months_before(day, window.months),
        sales_until=day,
        newest_sale_known=_newest(connection, town_id, day),
        candidates=len(chosen),
        sales=tuple(_comparable(subject, row, day, loc_id) for row in used),
        estimate=estimate,
        no_estimate_because=why_not,
        cautions=_cautions(subject, left_out),
    )


def _none(why: str, subject_is: str, subject: Unit | None = None) -> Comparables:
    named = subject.property_id if subject else None
    return Comparables(named, subject_is, no_estimate_because=why)


def _candidates(
    connection: duckdb.DuckDBPyConnection, subject: Unit, point: tuple[float, float], day: date
) -> list[Row]:
    """Every sale of the widest window, whatever its size."""
    widest = WINDOWS[-1]
    found = connection.execute(
        _SALES,
        {
            "x": point[0],
            "y": point[1],
            "reach": widest.miles * METRES_PER_MILE,
            "category": subject.category,
            "code": (subject.use_code or "")[:3],
            "after": _months_before(day, widest.months),
            "day": day,
            "property_id": subject.property_id,
        },
    )
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _newest(connection: duckdb.DuckDBPyConnection, town_id: int, day: date) -> date | None:
    row = connection.execute(
        "SELECT max(last_sale_date) FROM properties "
        "WHERE town_id = ? AND sale_is_market AND last_sale_date <= ?",
        [town_id, day],
    ).fetchone()
    return row[0] if row else None


def _usable(rows: Sequence[Row]) -> tuple[list[Row], int]:
    """Leave out prices that are not one property's: two alike on one day, or far from the assessed value."""
    deeds = Counter(_deed(row) for row in rows if row["owner_key"])
    kept = [
        row
        for row in rows
        if (not row["owner_key"] or deeds[_deed(row)] == 1)
        and (not row["total_value"] or plausible(row["last_sale_price"] / row["total_value"]))
    ]
    return kept, len(rows) - len(kept)


def plausible(price_to_assessed: float) -> bool:
    """Can the price be for this property alone, going by its assessed value today?"""
    return 1 / _FAR_OFF <= price_to_assessed <= _FAR_OFF


def _deed(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["owner_key"], row["last_sale_date"], row["last_sale_price"]


def _choose(subject: Unit, sales: Sequence[Row], day: date) -> tuple[Window, list[Row], list[str]]:
    """The first window with enough sales, else the widest; and what each step of widening found."""
    widened: list[str] = []
    for window in WINDOWS:
        inside = [row for row in sales if _fits(subject, row, window, day)]
        if len(inside) >= _ENOUGH_SALES or window is WINDOWS[-1]:
            break
        widened.append(f"{len(inside)} in {window}")
    return window, inside, widened


def _fits(subject: Unit, row: Row, window: Window, day: date) -> bool:
    if row["distance_m"] > window.miles * METRES_PER_MILE:
        return False
    if row["last_sale_date"] < _months_before(day, window.months):
        return False
    if _size(subject) is None:
        return True
    apart = _size_difference(subject, row)
    return apart is not None and abs(apart) <= window.size_percent


def _size(unit: Unit) -> tuple[str, float] | None:
    """What a property is measured by: its building, else its land."""
    if unit.building_sqft:
        return "building_sqft", float(unit.building_sqft)
    return ("lot_acres", unit.lot_acres) if unit.lot_acres else None


def _size_difference(subject: Unit, row: Row) -> float | None:
    """Percent by which a sale is larger than the subject; None where its size is not known."""
    size = _size(subject)
    if size is None or not row[size[0]]:
        return None
    # Land that was built on since is no longer what the subject is.
    if size[0] == "lot_acres" and row["building_sqft"]:
        return None
    return float(100.0 * (row[size[0]] - size[1]) / size[1])


def _difference(subject: Unit, row: Row, day: date) -> float:
    """Distance, size and age of a sale, each in units of the first window."""
    first = WINDOWS[0]
    near = row["distance_m"] / (first.miles * METRES_PER_MILE)
    size = abs(_size_difference(subject, row) or 0.0) / first.size_percent
    age = (day - row["last_sale_date"]).days / (first.months * _DAYS_PER_MONTH)
    return round(float(near + size + age), 3)


def _months_before(day: date, months: int) -> date:
    """The same day of an earlier month, or the last one of it."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _comparable(subject: Unit, row: Row, day: date, loc_id: str | None) -> Comparable:
    price, sqft, total = row["last_sale_price"], row["building_sqft"], row["total_value"]
    apart = _size_difference(subject, row)
    return Comparable(
        **{name: row[name] for name in ("property_id", "town", "loc_id", "site_address", "use_code")},
        same_parcel=loc_id is not None and row["loc_id"] == loc_id,
        distance_m=round(row["distance_m"], 1),
        distance_miles=round(row["distance_m"] / METRES_PER_MILE, 2),
        sale_date=row["last_sale_date"],
        sale_price=price,
        building_sqft=sqft,
        building_difference_percent=round(apart, 1) if apart is not None and sqft else None,
        price_per_sqft=round(price / sqft, 2) if sqft else None,
        price_to_assessed=round(price / total, 3) if total else None,
        year_built=row["year_built"],
        difference=_difference(subject, row, day),
    )


def _estimate(subject: Unit, used: Sequence[Row]) -> tuple[Estimate | None, str]:
    """Median price per square foot times the building; else median price to assessed value times its own."""
    if len(used) < LEAST_SALES:
        return None, f"{len(used)} such sales are known, and fewer than {LEAST_SALES} say nothing"
    ratios = [row["last_sale_price"] / row["total_value"] for row in used if row["total_value"]]
    assessed = subject.total_value if len(ratios) >= LEAST_SALES else None
    second = _rounded(median(ratios) * assessed) if assessed else None
    if subject.building_sqft:
        rates = [row["last_sale_price"] / row["building_sqft"] for row in used]
        return _spread(rates, subject.building_sqft, "median price per building square foot", second), ""
    if assessed:
        return _spread(ratios, assessed, "median ratio of price to assessed value", second), ""
    return None, "neither the building's size nor the assessed value is known"


def _spread(rates: Sequence[float], base: int, method: str, second: int | None) -> Estimate:
    low, middle, high = quantiles(rates, n=4, method="inclusive")
    return Estimate(
        label=LABEL,
        value=_rounded(middle * base),
        low=_rounded(low * base),
        high=_rounded(high * base),
        sales=len(rates),
        method=f"{method} times this property's; low and high are quartiles; rounded to ${_ROUND_TO:,}",
        median_rate=round(middle, 3),
        by_assessed_value=second,
    )


def _rounded(dollars: float) -> int:
    return round(dollars / _ROUND_TO) * _ROUND_TO


def _cautions(subject: Unit, left_out: int) -> tuple[str, ...]:
    told = ["Prices are as paid: no adjustment for the time since, condition, renovation, lot or view."]
    told.append("Each property shows its last sale only; the buyer's relation to the seller is not known.")
    if _size(subject) is None:
        told.append("Size is not recorded here, so sales of any size are compared.")
    if left_out:
        why = f"one price for two properties, or {_FAR_OFF:g} times the assessed value apart"
        told.append(f"{left_out} sales are left out: {why}.")
    return tuple(told)
