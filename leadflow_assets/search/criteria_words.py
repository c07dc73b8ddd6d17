"""A search in words: what each of its filters asks for, as people would say it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from leadflow_assets.domain.towns import town_by_id
from leadflow_assets.search.areas import METRES_PER_MILE
from leadflow_assets.search.criteria import SearchCriteria

_LABELS: Final = {
    "towns": "Town",
    "zips": "ZIP",
    "owner": "Owner's name",
    "owner_types": "Kind of owner",
    "categories": "Category",
    "use_codes": "Use code",
    "styles": "Style",
    "price": "Last sale price",
    "value": "Assessed value",
    "equity": "Estimated equity",
    "equity_percent": "Estimated equity in percent",
    "tenure_years": "Years since the last sale",
    "lot_acres": "Lot, acres",
    "building_sqft": "Building, sq ft",
    "units": "Dwelling units",
    "absentee": "Absentee owner",
    "owner_occupied": "Owner lives there",
    "cases": "Court case",
    "case_tiers": "How sure of the case",
    "lien_types": "Lien",
    "min_lien_amount": "Lien of at least",
    "areas": "Area",
    "signals_at_least": "Signals at least",
    "min_score": "Distress score at least",
    "min_coverage": "Coverage at least",
    "lists": "On the list",
    "not_lists": "Not on the list",
    "property_ids": "Chosen properties",
    "loc_ids": "LOC_ID",
    "include_condominium_masters": "Master records of condominiums",
    "as_of": "Years counted to",
}
_DOLLARS: Final = frozenset({"value", "price", "equity", "lien_amount"})
_MOST_NAMED: Final = 20


def in_words(criteria: SearchCriteria) -> list[tuple[str, str]]:
    """What is asked for: pairs of a filter and its values, ranges as one. Empty: everything is meant."""
    given = criteria.document()
    told: list[tuple[str, str]] = []
    for name in given:
        what, end = _range(name)
        if end == "max" and f"min_{what}" in given:
            continue
        if end and f"max_{what}" in type(criteria).model_fields:
            told.append((_label(what), _between(what, given.get(f"min_{what}"), given.get(f"max_{what}"))))
        else:
            told.append((_label(name), _value(name, given[name])))
    return told


def _range(name: str) -> tuple[str, str]:
    end, _, what = name.partition("_")
    return (what, end) if end in ("min", "max") else (name, "")


def _label(name: str) -> str:
    return _LABELS.get(name) or name.replace("_", " ").capitalize()


def _between(what: str, low: Any, high: Any) -> str:
    if low is None:
        return f"at most {_number(what, high)}"
    if high is None:
        return f"at least {_number(what, low)}"
    return f"{_number(what, low)} to {_number(what, high)}"


def _number(what: str, value: float) -> str:
    if what in _DOLLARS:
        return f"-${-value:,.0f}" if value < 0 else f"${value:,.0f}"
    return str(value) if what == "year_built" else f"{value:,g}"


def _value(name: str, value: Any) -> str:
    if name in _SAID:
        return _SAID[name](value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        shown = ", ".join(_word(name, one) for one in value[:_MOST_NAMED])
        return f"{shown} and {len(value) - _MOST_NAMED:,} more" if len(value) > _MOST_NAMED else shown
    return _word(name, value)


def _word(name: str, value: Any) -> str:
    return str(value).replace("_", " ") if name in _ENUMERATED else str(value)


_ENUMERATED: Final = frozenset(
    {"owner_types", "categories", "cases", "case_tiers", "lien_types", "signals", "absentee"}
)


def _area(area: Mapping[str, Any]) -> str:
    if area["kind"] == "circle":
        place = area["label"] or f"{area['lat']:.5f}, {area['lon']:.5f}"
        return place if area["label"] else f"{area['radius_m'] / METRES_PER_MILE:.2g} miles around {place}"
    return str(area["label"]) or ("a box on the map" if area["kind"] == "box" else "an area drawn on the map")


def _areas(areas: Sequence[Mapping[str, Any]]) -> str:
    return "; or ".join(_area(area) for area in areas)


_SAID: Final[Mapping[str, Callable[[Any], str]]] = {
    "towns": lambda ids: ", ".join(town_by_id(town).name for town in ids),
    "areas": _areas,
    "property_ids": lambda ids: f"{len(ids):,}",
    "min_lien_amount": lambda value: _number("lien_amount", value),
    "min_coverage": lambda value: f"{value:.0%}",
    "absentee": lambda value: {"any": "yes"}.get(value, str(value).replace("_", " ")),
}
