"""What a search shows and in which order: the select list and ORDER BY, of known columns only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from leadflow_assets.errors import UsageError
from leadflow_assets.search.areas import Circle
from leadflow_assets.search.columns import SHOWN_COLUMNS
from leadflow_assets.search.criteria import SearchCriteria
from leadflow_assets.search.row_store import as_arrow
from leadflow_assets.search.statement import DAYS_PER_YEAR, to_state_plane

DISTANCE = "distance_m"
# Not what is stored, but made from last_sale_date, point_x and point_y for the question at hand.
COMPUTED = frozenset({"tenure_years", DISTANCE})
INPUTS = ("last_sale_date", "point_x", "point_y")


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
        elif name in SHOWN_COLUMNS:
            parts.append(name)
        else:
            raise UsageError(f"There is no column {name}.", f"Columns: {', '.join(SHOWN_COLUMNS)}.")
    return ", ".join(parts), parameters


def with_computed(stored: pa.Table, criteria: SearchCriteria, columns: Sequence[str]) -> pa.Table:
    """These columns of rows that were read with INPUTS; computes what DuckDB does for ``selected``."""
    made = {}
    if "tenure_years" in columns:
        sold = _numbers(stored.column("last_sale_date").cast(pa.int32()))  # days since 1970
        days = (criteria.counted_to - date(1970, 1, 1)).days - sold
        made["tenure_years"] = _rounded(days / DAYS_PER_YEAR, 2)
    if DISTANCE in columns:
        x, y = _numbers(stored.column("point_x")), _numbers(stored.column("point_y"))
        centres = [to_state_plane(circle.lon, circle.lat) for circle in circles(criteria)]
        if not centres:
            raise UsageError("A distance needs a point to measure from.", "Add --near and --radius.")
        each = [np.sqrt((x - cx) ** 2 + (y - cy) ** 2) for cx, cy in centres]
        made[DISTANCE] = _rounded(np.minimum.reduce(each), 1)
    arrays = [made[name] if name in made else stored.column(name) for name in columns]
    return pa.table(arrays, names=list(columns))


def _numbers(column: pa.ChunkedArray) -> NDArray[np.float64]:
    return np.asarray(column.cast(pa.float64()).to_numpy(), np.float64)


def _rounded(values: NDArray[np.float64], digits: int) -> pa.Array:
    """As DuckDB rounds: halves away from zero. NaN is NULL."""
    scaled = values * 10.0**digits
    whole = np.trunc(scaled)
    result = np.where(np.abs(scaled - whole) >= 0.5, whole + np.sign(scaled), whole) / 10.0**digits
    return as_arrow(result, np.isnan(values))


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


def sort_keys(sort: Sequence[str], criteria: SearchCriteria) -> list[tuple[str, bool]]:
    """(column, is it descending) of names with ``-`` in front for descending.

    Raises:
        UsageError: a column that does not exist, or a distance without a point.
    """
    keys = []
    for name in sort:
        column = name.removeprefix("-").replace("-", "_")
        if column in ("distance", DISTANCE):
            if not circles(criteria):
                raise UsageError("Sorting by distance needs a point.", "Add --near and --radius.")
            column = DISTANCE
        elif column not in SHOWN_COLUMNS:
            raise UsageError(f"Cannot sort by {column}.", f"Columns: {', '.join(SHOWN_COLUMNS)}.")
        keys.append((column, name.startswith("-")))
    if keys and keys[-1] == ("score", True):
        keys.append(("score_coverage", True))  # of equal scores the better known one first
    return keys


def order_by(
    sort: Sequence[str], criteria: SearchCriteria, *, last: str = "property_id"
) -> tuple[str, list[Any]]:
    """The ORDER BY list with its parameters: unknown values last, ties by ``last``.

    Raises:
        UsageError: see :func:`sort_keys`.
    """
    parts: list[str] = []
    parameters: list[Any] = []
    for column, descending in sort_keys(sort, criteria):
        expression, values = selected(criteria, [column])
        parts.append(
            f"{expression.removesuffix(f' AS {column}')} {'DESC' if descending else 'ASC'} NULLS LAST"
        )
        parameters += values
    return ", ".join([*parts, last]), parameters
