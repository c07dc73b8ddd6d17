"""Why a property came to a dynamic list or left it: computed filter by filter, with the values that changed.

Values of personal data are never told: of owners and mailing addresses a list keeps a hash.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from leadflow_assets.search.criteria import CASE_FILTERS, SearchCriteria
from leadflow_assets.search.lists.case_reasons import case_changes

if TYPE_CHECKING:
    from leadflow_assets.search.engine import Searcher

Row = Mapping[str, Any]
# What a list remembers of a member beside its ids: the fields that filters look at.
VALUE_COLUMNS = (
    "zip",
    "street_normalized",
    "house_number",
    "unit",
    "category",
    "use_code",
    "style",
    "owner_type",
    "owner_count",
    "occupancy",
    "total_value",
    "last_sale_date",
    "last_sale_price",
    "lot_acres",
    "building_sqft",
    "year_built",
    "units",
    "available_equity",
    "equity_percent",
    "is_condominium_master",
    "lon",
    "lat",
    "fiscal_year",
    "release",
)
HASHED = {"owner": "owner_key", "mailing": "mailing_key"}
# The columns each filter looks at, as far as a person may be told their values.
_LOOKED_AT: Mapping[str, tuple[str, ...]] = {
    "zips": ("zip",),
    "address": ("house_number", "street_normalized", "unit"),
    "street": ("street_normalized",),
    "owner": ("owner",),
    "owner_types": ("owner_type", "owner_count"),
    "categories": ("category",),
    "use_codes": ("use_code",),
    "styles": ("style",),
    "value": ("total_value",),
    "price": ("last_sale_price",),
    "equity": ("available_equity",),
    "equity_percent": ("equity_percent",),
    "sold_after": ("last_sale_date",),
    "sold_before": ("last_sale_date",),
    "tenure_years": ("last_sale_date",),
    "absentee": ("occupancy",),
    "owner_occupied": ("occupancy",),
    "year_built": ("year_built",),
    "units": ("units",),
    "lot_acres": ("lot_acres",),
    "building_sqft": ("building_sqft",),
    "areas": ("lon", "lat"),
}
# Filters whose value is a person's name: the reason names the filter only.
_PRIVATE_FILTERS = frozenset({"owner"})
_MASTER = "include_condominium_masters"


def remembered(row: Row) -> dict[str, Any]:
    """What is kept of a row: values that filters look at, hashes of the personal ones; nothing for null.

    Of court cases their marks, where the row has them: on lists that ask for cases.
    """
    kept = {name: _plain(row[name]) for name in VALUE_COLUMNS if row[name] is not None}
    for name, column in HASHED.items():
        if row[column] is not None:
            text = f"{row['town_id']}\n{row[column]}"
            kept[name] = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
    if row.get("cases"):
        kept["cases"] = row["cases"]
    return kept


def failing_filters(searcher: Searcher, criteria: SearchCriteria, ids: Sequence[str]) -> dict[str, list[str]]:
    """Which filters each property fails in the searcher's data; ids that are not there fail none.

    Each filter is asked alone, by the search itself, so that reasons and results cannot disagree.
    """
    if not ids:
        return {}
    wanted = {"property_ids": tuple(ids), _MASTER: True}
    everyone = set(searcher.ids(SearchCriteria(property_ids=tuple(ids), include_condominium_masters=True)))
    failed: dict[str, list[str]] = {property_id: [] for property_id in everyone}
    asked = {name: alone.model_copy(update=wanted) for name, alone in criteria.single_filters().items()}
    if not criteria.include_condominium_masters:
        asked[_MASTER] = SearchCriteria(property_ids=tuple(ids))
    for name, alone in asked.items():
        for property_id in everyone.difference(searcher.ids(alone)):
            failed[property_id].append(name)
    return failed


def change_reason(
    start: str, names: Sequence[str], criteria: SearchCriteria, before: Row, now: Row
) -> tuple[str, dict[str, Any]]:
    """``start`` and what changed for each filter: in words, and as values by filter."""
    values = criteria.filters()
    told: list[str] = []
    detail: dict[str, Any] = {}
    for name in names:
        if name == _MASTER:
            told.append("condominium master record " + _arrow([before, now], "is_condominium_master"))
            continue
        if name == "cases":
            then, today = (list(row.get("cases", ())) for row in (before, now))
            setting = ", ".join(f"{one} {_setting(values[one])}" for one in CASE_FILTERS if one in values)
            what = case_changes(then, today, criteria) or "its cases are as they were"
            told.append(f"{what} (filter {setting})")
            detail[name] = {"cases": [then, today]}
            continue
        columns = _LOOKED_AT.get(name) or _LOOKED_AT.get(name.partition("_")[2], ())
        changes = [
            f"{'owner changed' if column == 'owner' else column + ' ' + _arrow([before, now], column)}"
            for column in columns
            if before.get(column) != now.get(column)
        ]
        what = ", ".join(changes) or "unchanged " + ", ".join(
            f"{column} {_shown(now.get(column))}" for column in columns if column not in HASHED
        )
        setting = name if name in _PRIVATE_FILTERS else f"{name} {_setting(values[name])}"
        told.append(f"{what if columns else 'this filter decides it'} (filter {setting})")
        detail[name] = {
            column: [before.get(column), now.get(column)] for column in columns if column not in HASHED
        }
    return f"{start}: {'; '.join(told)}", detail


def _arrow(rows: Sequence[Row], column: str) -> str:
    return " -> ".join(_shown(row.get(column)) for row in rows)


def _shown(value: Any) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    # Years and house numbers have four digits and no comma.
    return f"{value:,}" if isinstance(value, int | float) and abs(value) >= 10_000 else str(value)


def _setting(value: Any) -> str:
    """A filter's value; shapes are only counted."""
    if isinstance(value, list):
        if any(isinstance(item, dict) for item in value):
            return f"({len(value)} shape{'s' if len(value) != 1 else ''})"
        return ", ".join(map(str, value[:5])) + (", ..." if len(value) > 5 else "")
    return _shown(value)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def to_json(values: Mapping[str, Any]) -> str | None:
    """One line of JSON; None for nothing."""
    return json.dumps(values, sort_keys=True, separators=(",", ":"), default=str) if values else None
