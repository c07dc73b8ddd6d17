"""SearchCriteria to SQL: one parameterized condition for both engines.

No text of a person is ever pasted into SQL: what stands in the condition are column names of ours and
question marks. The two engines differ in one place only: how words are looked up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from leadflow_assets.domain.addresses import parse_address
from leadflow_assets.domain.addresses.tables import SUFFIXES
from leadflow_assets.domain.owners import search_words
from leadflow_assets.errors import UsageError
from leadflow_assets.search.areas import Area, Box, Circle, Polygon
from leadflow_assets.search.case_rows import case_condition
from leadflow_assets.search.criteria import SEVERAL_PERSONS, SearchCriteria
from leadflow_assets.search.score_rows import score_condition

if TYPE_CHECKING:
    from pyproj import Transformer

DAYS_PER_YEAR = 365.25
_STREET_TYPES = frozenset(SUFFIXES.values())
# What is looked for by its words -> the column with the words.
WORD_COLUMNS = {"owner": "owner_words", "street": "street_normalized"}
# Filter range -> column.
_RANGES = {
    "value": "total_value",
    "price": "last_sale_price",
    "equity": "available_equity",
    "equity_percent": "equity_percent",
    "year_built": "year_built",
    "units": "units",
    "lot_acres": "lot_acres",
    "building_sqft": "building_sqft",
}
_ABSENTEE = {
    "any": ("absentee_in_state", "absentee_out_of_state"),
    "in_state": ("absentee_in_state",),
    "out_of_state": ("absentee_out_of_state",),
}
# Filters on facts that another source brings -> the column that is null where it did not.
NEEDS_LOANS = {
    "min_equity": "available_equity",
    "max_equity": "available_equity",
    "min_equity_percent": "equity_percent",
    "max_equity_percent": "equity_percent",
}


Positions = NDArray[np.int64]


class Lookup(Protocol):
    """Finds rows of the index by its sorted words and ids."""

    def word(self, kind: str, word: str, *, whole: bool) -> Positions:
        """Rows whose owner or street has this word, or one that begins with it."""

    def inside(self, kind: str, text: str) -> Positions:
        """Rows whose owner or street has this text anywhere in its words."""

    def ids(self, column: str, values: Sequence[str]) -> Positions | None:
        """Rows with one of these values of loc_id or property_id; None: too many to look up."""

    def with_case(self, condition: str, parameters: Sequence[Any]) -> Positions:
        """Rows of properties with a court case that meets a condition on the relation ``cases``."""

    def with_score(self, condition: str, parameters: Sequence[Any]) -> Positions:
        """Rows of properties whose score meets a condition on the relation ``score_summary``."""


@dataclass
class Condition:
    """Parts joined by AND, with their parameters in order.

    What the index looks up and the commonest part of all (no condominium masters) stand apart: where only
    they are asked for, no row has to be read.
    """

    parts: list[str] = field(default_factory=list)
    parameters: list[Any] = field(default_factory=list)
    positions: list[Positions] = field(default_factory=list)
    without_masters: bool = False

    def add(self, part: str, *parameters: Any) -> None:
        """One more condition that must hold."""
        self.parts.append(part)
        self.parameters.extend(parameters)

    @property
    def sql(self) -> str:
        """The whole condition but for ``positions``."""
        masters = ["NOT is_condominium_master"] if self.without_masters else []
        return " AND ".join(f"({part})" for part in [*self.parts, *masters]) or "true"


def condition_of(
    criteria: SearchCriteria, *, lookup: Lookup | None, members: Callable[[str], Sequence[str]]
) -> Condition:
    """The condition on the relation ``properties``.

    ``lookup`` knows where words and ids stand in the index; without one they are looked for in the rows.
    ``members`` gives the property ids of a saved list.

    Raises:
        UsageError: text without a word, or an unknown list.
    """
    made = Condition()
    _add_place(made, criteria, lookup)
    _add_texts(made, criteria, lookup)
    _add_kinds(made, criteria)
    _add_amounts(made, criteria)
    _add_sale(made, criteria)
    _add_cases(made, criteria, lookup)
    _add_scores(made, criteria, lookup)
    for name in criteria.lists:
        made.add("property_id IN (SELECT unnest(?::VARCHAR[]))", list(members(name)))
    for name in criteria.not_lists:
        made.add("property_id NOT IN (SELECT unnest(?::VARCHAR[]))", list(members(name)))
    return made


def _add_place(made: Condition, criteria: SearchCriteria, lookup: Lookup | None) -> None:
    if criteria.towns:
        made.add(_any_of("town_id", criteria.towns), *criteria.towns)
    if criteria.zips:
        made.add(_any_of("zip", criteria.zips), *criteria.zips)
    if criteria.loc_ids:
        _add_ids(made, "loc_id", criteria.loc_ids, lookup)
    if criteria.property_ids is not None:
        _add_ids(made, "property_id", criteria.property_ids, lookup)
    if criteria.areas:
        parts, parameters = [], []
        for area in criteria.areas:
            part, values = area_condition(area)
            parts.append(f"({part})")
            parameters += values
        made.add(" OR ".join(parts), *parameters)


def _add_ids(made: Condition, column: str, values: Sequence[str], lookup: Lookup | None) -> None:
    found = lookup.ids(column, values) if lookup else None
    if found is not None:
        made.positions.append(found)
    else:
        made.add(f"{column} IN (SELECT unnest(?::VARCHAR[]))", list(values))


def area_condition(area: Area) -> tuple[str, list[Any]]:
    """The condition that a property's point lies in an area: a box first, then exactly."""
    if isinstance(area, Circle):
        x, y = to_state_plane(area.lon, area.lat)
        r = area.radius_m
        exact = "(point_x - ?) * (point_x - ?) + (point_y - ?) * (point_y - ?) <= ?"
        return f"{_BOX} AND {exact}", [x - r, x + r, y - r, y + r, x, x, y, y, r * r]
    if isinstance(area, Box):
        outline: list[Any] = [area.west, area.east, area.south, area.north]
        return "lon BETWEEN ? AND ? AND lat BETWEEN ? AND ?", outline
    shape = _projected(area)
    west, south, east, north = shape.bounds
    exact = "ST_Intersects(ST_Point(point_x, point_y), ST_GeomFromWKB(?::BLOB))"
    return f"{_BOX} AND {exact}", [west, east, south, north, shape.wkb]


_BOX = "point_x BETWEEN ? AND ? AND point_y BETWEEN ? AND ?"


@cache
def _transformer() -> Transformer:
    from pyproj import Transformer

    return Transformer.from_crs("EPSG:4326", "EPSG:26986", always_xy=True)


def to_state_plane(lon: float, lat: float) -> tuple[float, float]:
    """Degrees to EPSG:26986 metres."""
    x, y = _transformer().transform(lon, lat)
    return float(x), float(y)


def _projected(area: Polygon) -> Any:
    import shapely
    from shapely.geometry import shape

    polygon = shapely.segmentize(shape(area.geometry), 0.01)  # long edges bend by metres otherwise
    return shapely.transform(polygon, _transform_points)


def _transform_points(points: Any) -> Any:
    return np.column_stack(_transformer().transform(points[:, 0], points[:, 1]))


def _add_texts(made: Condition, criteria: SearchCriteria, lookup: Lookup | None) -> None:
    if criteria.owner is not None:
        words = _words(criteria.owner, "owner")
        if _inside(criteria.owner):
            _add_inside(made, "owner", " ".join(words), lookup)
        else:
            for word in words:
                _add_word(made, "owner", word, lookup, whole=False)
    if criteria.street is not None:
        _add_street(made, criteria.street, lookup)
    if criteria.address is not None:
        address = parse_address(criteria.address)
        numbers = address.numbers()
        if numbers is None:
            _add_street(made, criteria.address, lookup)
            return
        made.add("house_number <= ? AND house_number_high >= ?", numbers[1], numbers[0])
        _add_street_words(made, address.street, lookup)
        if address.unit:
            made.add("unit = ?", address.unit)


def _add_street(made: Condition, text: str, lookup: Lookup | None) -> None:
    if _inside(text):
        _add_inside(made, "street", " ".join(_words(text, "street")), lookup)
        return
    _add_street_words(made, parse_address(text).street or " ".join(_words(text, "street")), lookup)


def _add_street_words(made: Condition, street: str, lookup: Lookup | None) -> None:
    """Words that are abbreviations (ST, N) must stand there as they are; the others may go on."""
    words = street.split()
    # Every third street is a ST or AVE: beside a rarer word they are not worth a look-up.
    rare = [word for word in words if len(word) > 2 and word not in _STREET_TYPES]
    for word in words:
        whole = len(word) <= 2 or word.isdigit()
        _add_word(made, "street", word, lookup if word in rare or not rare else None, whole=whole)


def _add_word(made: Condition, kind: str, word: str, lookup: Lookup | None, *, whole: bool) -> None:
    """A word, or the beginning of one, in the owner's name or the street."""
    if lookup:
        made.positions.append(lookup.word(kind, word, whole=whole))
        return
    column = WORD_COLUMNS[kind]
    if whole:
        made.add(f"contains(' ' || {column} || ' ', ?)", f" {word} ")
    else:
        made.add(f"contains(' ' || {column}, ?)", f" {word}")


def _add_inside(made: Condition, kind: str, text: str, lookup: Lookup | None) -> None:
    if lookup:
        made.positions.append(lookup.inside(kind, text))
    else:
        made.add(f"contains({WORD_COLUMNS[kind]}, ?)", text)


def _inside(text: str) -> bool:
    stripped = text.strip()
    return len(stripped) > 2 and stripped.startswith("*") and stripped.endswith("*")


def _words(text: str, what: str) -> list[str]:
    words = search_words(text).split()
    if not words:
        raise UsageError(f"--{what} {text!r} holds no word to look for.", "Give letters or digits.")
    return words


def _add_kinds(made: Condition, criteria: SearchCriteria) -> None:
    made.without_masters = not criteria.include_condominium_masters
    types = [word for word in criteria.owner_types if word != SEVERAL_PERSONS]
    parts = [_one_of("owner_type", types)] if types else []
    if SEVERAL_PERSONS in criteria.owner_types:
        parts.append("owner_type = 'person' AND owner_count >= 2")
    if parts:
        made.add(" OR ".join(f"({part})" for part in parts), *types)
    if criteria.categories:
        made.add(_one_of("category", criteria.categories), *criteria.categories)
    if criteria.use_codes:
        matches = [
            "starts_with(use_code, ?)" if len(code) <= 3 else "use_code = ?" for code in criteria.use_codes
        ]
        made.add(" OR ".join(matches), *criteria.use_codes)
    if criteria.styles:
        matches = ["contains(upper(style), ?)"] * len(criteria.styles)
        made.add(" OR ".join(matches), *(style.strip().upper() for style in criteria.styles))
    if criteria.absentee:
        states = _ABSENTEE[criteria.absentee]
        made.add(_one_of("occupancy", states), *states)
    if criteria.owner_occupied is not None:
        sign = "=" if criteria.owner_occupied else "<>"
        made.add(f"occupancy {sign} 'owner_occupied'")


def _add_amounts(made: Condition, criteria: SearchCriteria) -> None:
    for name, column in _RANGES.items():
        low, high = getattr(criteria, f"min_{name}"), getattr(criteria, f"max_{name}")
        if low is not None:
            made.add(f"{column} >= ?", low)
        if high is not None:
            made.add(f"{column} <= ?", high)


def _add_sale(made: Condition, criteria: SearchCriteria) -> None:
    if criteria.sold_after:
        made.add("last_sale_date >= ?", criteria.sold_after)
    if criteria.sold_before:
        made.add("last_sale_date < ?", criteria.sold_before)
    today = criteria.counted_to
    if criteria.min_tenure_years is not None:
        made.add("last_sale_date <= ?", _years_before(today, criteria.min_tenure_years))
    if criteria.max_tenure_years is not None:
        made.add("last_sale_date >= ?", _years_before(today, criteria.max_tenure_years))


def _add_cases(made: Condition, criteria: SearchCriteria, lookup: Lookup | None) -> None:
    if not criteria.asks_for_cases:
        return
    condition, parameters = case_condition(criteria)
    if lookup:
        made.positions.append(lookup.with_case(condition, parameters))
    else:
        made.add(f"property_id IN (SELECT property_id FROM cases WHERE {condition})", *parameters)


def _add_scores(made: Condition, criteria: SearchCriteria, lookup: Lookup | None) -> None:
    if not criteria.asks_for_scores:
        return
    condition, parameters = score_condition(criteria)
    if lookup:
        made.positions.append(lookup.with_score(condition, parameters))
    else:
        made.add(f"property_id IN (SELECT property_id FROM score_summary WHERE {condition})", *parameters)


def _years_before(day: date, years: float) -> date:
    return day - timedelta(days=round(years * DAYS_PER_YEAR))


def _one_of(column: str, values: Sequence[str]) -> str:
    """For columns of few different values: DuckDB calls a function once per value, but IN once per row."""
    if len(values) == 1:
        return f"{column} = ?"
    return f"list_contains([{', '.join('?' * len(values))}], {column})"


def _any_of(column: str, values: Sequence[Any]) -> str:
    return f"{column} IN ({', '.join('?' * len(values))})"
