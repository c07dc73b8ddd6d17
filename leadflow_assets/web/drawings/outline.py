"""A parcel and what lies around it, as paths of an SVG: north is up, a scale bar in feet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import shapely

from leadflow_assets.search.parcel.surroundings import Neighbour

# Units of the drawing; it is shown as wide as there is room.
WIDTH: Final = 480.0
HEIGHT: Final = 360.0
_METRES_PER_FOOT: Final = 0.3048
# The parcel takes at most this part of the drawing, so that its neighbours are seen.
_OWN_PART: Final = 0.55
_LONGEST_BAR: Final = WIDTH / 3
_STEPS: Final = (1, 2, 5)
_KINDS: Final = {"FEE": "lot", "TAX": "lot", "WATER": "water"}


@dataclass(frozen=True)
class Shape:
    """One polygon: ``path`` for SVG; ``kind`` is lot, way or water."""

    loc_id: str
    kind: str
    path: str


@dataclass(frozen=True)
class Drawing:
    """A parcel with its neighbours; the bar is ``bar`` units long and stands for ``bar_feet`` feet."""

    width: float
    height: float
    path: str
    neighbours: tuple[Shape, ...]
    bar: float
    bar_feet: int


def draw(outline: shapely.Geometry, neighbours: Iterable[Neighbour], *, margin: float) -> Drawing:
    """A drawing of ``outline`` (EPSG:26986, metres) in the middle.

    ``margin`` is how far the neighbours are known, metres: of a small parcel no more than that is shown.
    """
    west, south, east, north = (float(edge) for edge in shapely.bounds(outline))
    own = max((east - west) / WIDTH, (north - south) / HEIGHT) / _OWN_PART
    known = min((east - west + 2 * margin) / WIDTH, (north - south + 2 * margin) / HEIGHT)
    # Metres for a unit: the parcel always fits, and no empty strip is left where neighbours are not known.
    metres = max(min(max(own, margin / WIDTH), known), (east - west) / WIDTH, (north - south) / HEIGHT)
    left, top = (west + east) / 2 - WIDTH / 2 * metres, (south + north) / 2 + HEIGHT / 2 * metres
    window = shapely.box(left, top - HEIGHT * metres, left + WIDTH * metres, top)
    shapes = []
    for neighbour in neighbours:
        seen = shapely.intersection(_sound(neighbour.outline), window)
        path = _path(seen, left, top, metres)
        if path:
            shapes.append(Shape(neighbour.loc_id, _KINDS.get(neighbour.poly_type, "way"), path))
    feet = _round_feet(_LONGEST_BAR * metres / _METRES_PER_FOOT)
    bar = feet * _METRES_PER_FOOT / metres
    return Drawing(WIDTH, HEIGHT, _path(outline, left, top, metres), tuple(shapes), round(bar, 1), feet)


def _sound(outline: shapely.Geometry) -> shapely.Geometry:
    """GEOS cannot cut a polygon that crosses itself."""
    return outline if shapely.is_valid(outline) else shapely.make_valid(outline)


def _path(geometry: shapely.Geometry, left: float, top: float, metres: float) -> str:
    """The rings of all polygons, in units of the drawing with one decimal; y grows downwards."""
    rings = [
        ring
        for part in shapely.get_parts(geometry)
        if part.geom_type == "Polygon" and not part.is_empty
        for ring in (part.exterior, *part.interiors)
    ]
    return " ".join(_ring(shapely.get_coordinates(ring), left, top, metres) for ring in rings)


def _ring(positions: Iterable[tuple[float, float]], left: float, top: float, metres: float) -> str:
    points = [f"{(x - left) / metres:.1f} {(top - y) / metres:.1f}" for x, y in positions]
    return f"M{'L'.join(points)}Z"


def _round_feet(longest: float) -> int:
    """The largest of 1, 2, 5, 10, 20, 50 and so on feet that is no longer; at least 1."""
    best, power = 1, 1
    while power <= longest:
        best = max([best, *(step * power for step in _STEPS if step * power <= longest)])
        power *= 10
    return best
