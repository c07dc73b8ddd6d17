"""Filters in the words of people, as the command line and the page take them, as fields of criteria."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from leadflow_assets.errors import UsageError
from leadflow_assets.search.areas import Circle, parse_distance

if TYPE_CHECKING:
    from leadflow_assets.search.engine import Searcher

# Word of people -> field of SearchCriteria, where the two differ.
FIELDS = {
    "town": "towns",
    "zip": "zips",
    "owner_type": "owner_types",
    "category": "categories",
    "use_code": "use_codes",
    "style": "styles",
    "min_equity_pct": "min_equity_percent",
    "max_equity_pct": "max_equity_percent",
    "case": "cases",
    "case_tier": "case_tiers",
    "lien_type": "lien_types",
    "signal": "signals",
    "list": "lists",
    "list_": "lists",
    "not_list": "not_lists",
}
DAYS = ("sold_after", "sold_before", "case_filed_after", "case_filed_before")


def fields_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of SearchCriteria from filters as people name them; a year stands for its first day.

    Raises:
        UsageError: a day that is none.
    """
    fields = {FIELDS.get(name, name): value for name, value in values.items()}
    for name in DAYS:
        if name in fields:
            fields[name] = _day(fields[name], name)
    if "absentee" in fields:
        fields["absentee"] = fields["absentee"].replace("-", "_")
    return fields


def circle_at(searcher: Searcher, place: str, radius: str, towns: Sequence[int]) -> tuple[Circle, str]:
    """The circle around an address or ``LAT,LON``, and how the address was found (empty for coordinates).

    Raises:
        UsageError: no distance, no place in Massachusetts, or an address that cannot be found.
    """
    metres = parse_distance(radius)
    found = searcher.geocoder().locate(place, towns=towns, radius_m=metres)
    circle = Circle(lon=found.lon, lat=found.lat, radius_m=metres, label=f"{radius} around {place}")
    if found.method == "coordinates":
        return circle, ""
    return circle, (
        f"{place} is {found.lat:.6f},{found.lon:.6f} ({found.matched}; {found.method.replace('_', ' ')}, "
        f"usually within {found.expected_error_m:,.0f} m)"
    )


def _day(text: str, name: str) -> str:
    if len(text) == 4 and text.isascii() and text.isdigit():
        return f"{text}-01-01"
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        option = "--" + name.replace("_", "-")
        raise UsageError(f"{option} {text!r} is not a date.", "Write 2005-06-30, or 2005.") from None
