"""The address of a search page read as criteria: the words of the command line, in a query string.

``near`` and ``radius`` go in pairs; ``polygon`` is ``lon,lat;lon,lat;...``; several towns may share one
``town``, apart by commas. Dollars may be written ``$500,000``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from leadflow_assets.domain.towns import town_by_id
from leadflow_assets.errors import UsageError
from leadflow_assets.search.areas import Area, Box, Circle, Polygon, parse_box
from leadflow_assets.search.criteria import SearchCriteria, criteria_from
from leadflow_assets.search.engine import Searcher
from leadflow_assets.search.filters import FIELDS, circle_at, fields_of

# Filters that may have several values.
SEVERAL = (
    "town",
    "zip",
    "owner_type",
    "category",
    "use_code",
    "style",
    "case",
    "case_tier",
    "lien_type",
    "signal",
    "list",
    "not_list",
)
# Places, which add up.
PLACES = ("near", "radius", "polygon", "bbox")
_FLAGS = ("owner_occupied", "include_condominium_masters")
_SINGLE = tuple(
    name
    for name in SearchCriteria.model_fields
    if name not in (*FIELDS.values(), *_FLAGS, "areas", "property_ids", "loc_ids", "as_of")
)
FILTERS = (*SEVERAL, *PLACES, *_FLAGS, *_SINGLE, "min_equity_pct", "max_equity_pct")
DEFAULT_RADIUS = "0.5mi"
_OPTION = re.compile(r"--([a-z][a-z-]*)")
_MOST_CORNERS = 2_000


@dataclass(frozen=True)
class ReadSearch:
    """What a query string asks for. ``located`` says how addresses were found.

    ``query`` is the same search with addresses as coordinates: it needs no looking up again.
    """

    criteria: SearchCriteria
    located: tuple[str, ...]
    query: str


def criteria_of(searcher: Searcher, params: Mapping[str, Sequence[str]]) -> SearchCriteria:
    """The criteria that a query string asks for; see :func:`read_search`."""
    return read_search(searcher, params).criteria


def read_search(searcher: Searcher, params: Mapping[str, Sequence[str]]) -> ReadSearch:
    """Criteria from the parameters of a page's address; what is no filter is left alone.

    Raises:
        UsageError: a wrong value, or a place that cannot be found.
    """
    asked = asked_filters(params)
    try:
        values = {name: value for name, value in asked.items() if name not in PLACES}
        plain = criteria_from(fields_of({name: _typed(name, value) for name, value in values.items()}))
        areas, located = _areas(searcher, asked, plain.towns)
        criteria = SearchCriteria.model_validate({**plain.model_dump(), "areas": areas}) if areas else plain
    except UsageError as error:
        # The command line's words for its options are not known here.
        told = _OPTION.sub(lambda found: found[1].replace("-", " "), error.message)
        hint = "Mend it and search again." if "--help" in error.hint else error.hint
        raise UsageError(told, _OPTION.sub(lambda found: found[1].replace("-", " "), hint)) from None
    return ReadSearch(criteria, tuple(located), _query(asked, areas))


def asked_filters(params: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The filters that are set: lists for those of :data:`SEVERAL` and of places, else the last value."""
    found: dict[str, Any] = {}
    for name in FILTERS:
        values = [text for value in params.get(name, ()) if (text := value.strip())]
        if name in ("town", "zip", "use_code"):
            values = [part for value in values for part in _parts(value)]
        if values:
            found[name] = values if name in (*SEVERAL, *PLACES) else values[-1]
    return found


def query_of(criteria: SearchCriteria) -> str:
    """The query string of these criteria: the search page that shows what a saved list is made from."""
    words = {field: word for word, field in FIELDS.items() if not word.endswith(("_", "_pct"))}
    pairs: list[tuple[str, str]] = []
    for field, value in criteria.document().items():
        if field in ("areas", "property_ids", "loc_ids", "as_of") or value in (None, (), [], False):
            continue
        if field == "towns":
            value = [town_by_id(town).key for town in value]
        for one in value if isinstance(value, list | tuple) else [value]:
            pairs.append((words.get(field, field), "yes" if one is True else str(one)))
    return urlencode([*pairs, *_place_pairs(criteria.areas)])


def _parts(text: str) -> Iterable[str]:
    return (part.strip() for part in text.split(",") if part.strip())


def _typed(name: str, value: Any) -> Any:
    if name in _FLAGS:
        return value in ("yes", "true", "on", "1")
    if isinstance(value, str) and name.startswith(("min_", "max_")):
        return value.replace("$", "").replace(",", "").replace("%", "").strip()
    return [one.replace("-", "_") for one in value] if name in ("owner_type", "category") else value


def _areas(
    searcher: Searcher, asked: Mapping[str, Any], towns: Sequence[int]
) -> tuple[list[Area], list[str]]:
    found: list[Area] = []
    located: list[str] = []
    radii = asked.get("radius", [])
    for number, place in enumerate(asked.get("near", [])):
        radius = radii[min(number, len(radii) - 1)] if radii else DEFAULT_RADIUS
        circle, how = circle_at(searcher, place, radius, towns)
        found.append(circle)
        located += [how] if how else []
    found += [_polygon(text) for text in asked.get("polygon", [])]
    found += [parse_box(text) for text in asked.get("bbox", [])]
    return found, located


def _polygon(text: str) -> Polygon:
    try:
        corners = [[float(number) for number in corner.split(",")] for corner in text.split(";") if corner]
    except ValueError:
        corners = []
    if not 3 <= len(corners) <= _MOST_CORNERS or any(len(corner) != 2 for corner in corners):
        raise UsageError("A drawn area cannot be read.", "Draw it again.")
    try:
        ring = [*corners, corners[0]]
        return Polygon(geometry={"type": "Polygon", "coordinates": [ring]}, label="drawn area")
    except ValueError:
        raise UsageError(
            "A drawn area crosses itself or lies outside Massachusetts.",
            "Draw it again without crossing lines.",
        ) from None


def _query(asked: Mapping[str, Any], areas: Sequence[Area]) -> str:
    plain = [(name, value) for name, value in asked.items() if name not in PLACES]
    return urlencode([*plain, *_place_pairs(areas)], doseq=True)


def _place_pairs(areas: Sequence[Area]) -> Iterable[tuple[str, str]]:
    for area in areas:
        if isinstance(area, Circle):
            yield "near", f"{area.lat:.6f},{area.lon:.6f}"
            yield "radius", f"{area.radius_m:.1f}m"
        elif isinstance(area, Box):
            yield "bbox", f"{area.west},{area.south},{area.east},{area.north}"
        else:
            for ring in _outer_rings(area.geometry):
                yield "polygon", ";".join(f"{lon:.6f},{lat:.6f}" for lon, lat, *_ in ring[:-1])


def _outer_rings(geometry: Mapping[str, Any]) -> list[Any]:
    parts = geometry["coordinates"]
    return [parts[0]] if geometry["type"] == "Polygon" else [part[0] for part in parts]
