"""The map of the state: a point for each town and the state's outline, small enough for a page.

The tables are made by ``docs/town_centres.py`` from GeoNames (CC BY 4.0), ZIP codes and the borders of the US
Census Bureau (public domain). A point is the town's main place, good to a kilometre or two; it is for looking
at, never for measuring.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from importlib import resources

Point = tuple[float, float]


@cache
def town_centres() -> Mapping[int, Point]:
    """Longitude and latitude (degrees, WGS 84) of each of the 351 towns by id."""
    return {int(row["town_id"]): (float(row["lon"]), float(row["lat"])) for row in _rows("town_centres.csv")}


@cache
def state_outline() -> tuple[tuple[Point, ...], ...]:
    """Closed rings of the state, the mainland first (longitude, latitude, degrees)."""
    rings: dict[int, list[Point]] = {}
    for row in _rows("state_outline.csv"):
        rings.setdefault(int(row["ring"]), []).append((float(row["lon"]), float(row["lat"])))
    return tuple(tuple(rings[number]) for number in sorted(rings))


def _rows(name: str) -> list[dict[str, str]]:
    text = resources.files(__package__).joinpath(f"reference/{name}").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
