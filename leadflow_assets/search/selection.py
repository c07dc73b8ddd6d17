"""What a search shows and in which order: the select list and ORDER BY, of known columns only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leadflow_assets.errors import UsageError
from leadflow_assets.search.areas import Circle
from leadflow_assets.search.columns import SEARCH_COLUMNS
from leadflow_assets.search.criteria import SearchCriteria
from leadflow_assets.search.statement import DAYS_PER_YEAR, to_state_plane

DISTANCE = "distance_m"


def selected(criteria: SearchCriteria, columns: Sequence[str]) -> tuple[str, list[Any]]:
    """The select list for some columns, with its parameters.

    ``tenure_years`` is counted anew to the criteria's day; ``distance_m`` goes to the nearest centre.
    """
    parts: list[str] = []
    parameters: list[Any] = []
    for name in columns:
        if name == "tenure_years":
            parts.append(
                f"round(date_diff('day', last_sale_date, ?::DATE) / {DAYS_PER_YEAR}, 2) AS tenure_years"
            )
            parameters.append(criteria.counted_to)
        elif name == DISTANCE:
            part, values = _distance(criteria)
            parts.append(f"{part} AS {DISTANCE}")
            parameters += values
        elif name in SEARCH_COLUMNS:
            parts.append(name)
        else:
            raise UsageError(f"There is no column {name}.", f"Columns: {', '.join(SEARCH_COLUMNS)}.")
    return ", ".join(parts), parameters


def circles(criteria: SearchCriteria) -> list[Circle]:
    """The circles of a search; with any, results carry their distance to the nearest centre."""
    return [area for area in criteria.areas if isinstance(area, Circle)]


def _distance(criteria: SearchCriteria) -> tuple[str, list[Any]]:
    centres = [to_state_plane(circle.lon, circle.lat) for circle in circles(criteria)]
    if not centres:
        raise UsageError("A distance needs a point to measure from.", "Add --near and --radius.")
    each = ["sqrt(pow(point_x - ?, 2) + pow(point_y - ?, 2))"] * len(centres)
    measured = each[0] if len(each) == 1 else f"least({', '.join(each)})"
    return f"round({measured}, 1)", [value for centre in centres for value in centre]


def order_by(sort: Sequence[str], criteria: SearchCriteria) -> str:
    """The ORDER BY list: names with ``-`` in front for descending; unknown values last, ties by id.

    Raises:
        UsageError: a column that does not exist, or a distance without a point.
    """
    parts = []
    for name in sort:
        column = name.removeprefix("-").replace("-", "_")
        if column in ("distance", DISTANCE):
            if not circles(criteria):
                raise UsageError("Sorting by distance needs a point.", "Add --near and --radius.")
            column = DISTANCE
        elif column not in SEARCH_COLUMNS:
            raise UsageError(f"Cannot sort by {column}.", f"Columns: {', '.join(SEARCH_COLUMNS)}.")
        parts.append(f"{column} {'DESC' if name.startswith('-') else 'ASC'} NULLS LAST")
    if not any(part.startswith("property_id ") for part in parts):
        parts.append("property_id")
    return ", ".join(parts)
