"""Addresses of our own pages: lists, parcels, leads, and the search that makes a dynamic list."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote, urlencode

from leadflow_assets.domain.towns import town_by_id
from leadflow_assets.search.criteria import SearchCriteria

# Addresses below /lists that are pages of their own; names of lists know no case, addresses do.
_PAGES: Final = frozenset({"import"})
# Field of the criteria -> parameter of the search page, where the two differ.
_PARAMETERS: Final = {
    "towns": "town",
    "zips": "zip",
    "owner_types": "owner_type",
    "categories": "category",
    "use_codes": "use_code",
    "styles": "style",
    "min_equity_percent": "min_equity_pct",
    "max_equity_percent": "max_equity_pct",
    "cases": "case",
    "case_tiers": "case_tier",
    "lien_types": "lien_type",
    "signals": "signal",
    "lists": "list",
    "not_lists": "not_list",
}
# What no parameter of the search page says.
_NOT_ASKED: Final = frozenset({"property_ids", "loc_ids", "include_condominium_masters", "as_of"})


def list_path(name: str, *parts: str) -> str:
    """The page of a list, or one below it."""
    if name in _PAGES:
        name = name.upper()
    return "/".join(("/lists", quote(name, safe=""), *(quote(part, safe="") for part in parts)))


def parcel_path(town_id: int | None, loc_id: str | None) -> str | None:
    """The page of a parcel; None where it is not known which one that is."""
    if town_id is None or not loc_id:
        return None
    return f"/parcel/{town_by_id(town_id).key}/{quote(loc_id, safe='')}"


def search_path(criteria: SearchCriteria) -> str | None:
    """The search page with these criteria; None where an address cannot say them (drawn areas)."""
    given = criteria.document()
    parameters: list[tuple[str, Any]] = []
    for name, value in given.items():
        if name in _NOT_ASKED:
            return None
        if name == "areas":
            for area in value:
                if area["kind"] == "polygon":
                    return None
                parameters += _area(area)
        else:
            values = value if isinstance(value, list) else [value]
            parameters += [(_PARAMETERS.get(name, name), _text(one)) for one in values]
    return "/?" + urlencode(parameters) if parameters else "/"


def _area(area: dict[str, Any]) -> list[tuple[str, str]]:
    if area["kind"] == "circle":
        return [("near", f"{area['lat']},{area['lon']}"), ("radius", f"{area['radius_m']:.10g}m")]
    return [("bbox", f"{area['west']},{area['south']},{area['east']},{area['north']}")]


def _text(value: Any) -> str:
    return "true" if value is True else str(value)
