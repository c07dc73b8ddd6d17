"""Where: circles, polygons and boxes that a search may combine, checked and projected.

People give degrees (WGS 84); distances are judged in the plane of EPSG:26986, in metres.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from leadflow_assets.errors import UsageError

# Massachusetts with its waters, degrees.
STATE_WEST, STATE_SOUTH, STATE_EAST, STATE_NORTH = -73.6, 41.1, -69.7, 43.0
METRES_PER_MILE = 1609.344
METRES_PER_FOOT = 0.3048
MAX_RADIUS_M = 50 * METRES_PER_MILE
_UNITS = {
    "m": 1.0,
    "km": 1000.0,
    "mi": METRES_PER_MILE,
    "mile": METRES_PER_MILE,
    "miles": METRES_PER_MILE,
    "ft": METRES_PER_FOOT,
    "feet": METRES_PER_FOOT,
    "yd": 0.9144,
}
_WGS84_NAMES = ("CRS84", "EPSG::4326", "EPSG:4326", "EPSG::4269", "EPSG:4269")


class _Area(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Circle(_Area):
    """Everything within ``radius_m`` metres of a point; ``label`` says what the point is."""

    kind: Literal["circle"] = "circle"
    lon: float
    lat: float
    radius_m: float
    label: str = ""

    @field_validator("radius_m")
    @classmethod
    def _radius_makes_sense(cls, value: float) -> float:
        if not 0 < value <= MAX_RADIUS_M:
            raise ValueError("a radius must be more than 0 and at most 50 miles (80.5 km)")
        return value

    @model_validator(mode="after")
    def _lies_in_the_state(self) -> Circle:
        check_point(self.lon, self.lat)
        return self


class Box(_Area):
    """Everything between two longitudes and two latitudes."""

    kind: Literal["box"] = "box"
    west: float
    south: float
    east: float
    north: float
    label: str = ""

    @model_validator(mode="after")
    def _is_a_box_in_the_state(self) -> Box:
        if not (self.west < self.east and self.south < self.north):
            raise ValueError("a box is west,south,east,north with west below east and south below north")
        if (
            self.east < STATE_WEST
            or self.west > STATE_EAST
            or self.north < STATE_SOUTH
            or self.south > STATE_NORTH
        ):
            raise ValueError(
                "the box lies outside Massachusetts; the order is west,south,east,north in degrees"
            )
        return self


class Polygon(_Area):
    """Everything inside a GeoJSON Polygon or MultiPolygon (longitude, latitude)."""

    kind: Literal["polygon"] = "polygon"
    geometry: dict[str, Any]
    label: str = ""

    @field_validator("geometry")
    @classmethod
    def _is_a_good_polygon(cls, value: dict[str, Any]) -> dict[str, Any]:
        return _checked_polygon(value)


Area = Annotated[Circle | Box | Polygon, Field(discriminator="kind")]


def check_point(lon: float, lat: float) -> None:
    """Refuse a point that cannot be in Massachusetts.

    Raises:
        ValueError: it lies elsewhere; says so when latitude and longitude look swapped.
    """
    if _in_state(lon, lat):
        return
    if _in_state(lat, lon):
        raise ValueError(
            f"latitude and longitude are swapped: did you mean {lon:g},{lat:g} (latitude first)?"
        )
    if _in_state(-abs(lon), lat):
        raise ValueError(f"longitudes of Massachusetts are negative: did you mean {lat:g},{-abs(lon):g}?")
    raise ValueError(
        f"{lat:g},{lon:g} is not in Massachusetts (latitude 41.1 to 43, longitude -73.6 to -69.7)"
    )


def _in_state(lon: float, lat: float) -> bool:
    return STATE_WEST <= lon <= STATE_EAST and STATE_SOUTH <= lat <= STATE_NORTH


def parse_distance(text: str) -> float:
    """Metres from ``0.5mi``, ``800m``, ``2,000 ft``, ``1.2 km``; a bare number is refused.

    Raises:
        UsageError: no number, no unit, not more than 0, or more than 50 miles.
    """
    cleaned = text.strip().lower().replace(",", "")
    number = cleaned.rstrip("abcdefghijklmnopqrstuvwxyz ")
    unit = cleaned[len(number) :].strip()
    try:
        metres = float(number) * _UNITS[unit]
    except (ValueError, KeyError):
        raise UsageError(f"{text!r} is not a distance.", "Write 0.5mi, 800m, 2000ft or 1.5km.") from None
    if not 0 < metres <= MAX_RADIUS_M:
        raise UsageError(f"A radius of {text} is not possible.", "It must be more than 0 and at most 50mi.")
    return metres


def parse_box(text: str) -> Box:
    """A box from ``W,S,E,N`` in degrees.

    Raises:
        UsageError: not four numbers, or no box in Massachusetts.
    """
    try:
        west, south, east, north = (float(part) for part in text.split(","))
        return Box(west=west, south=south, east=east, north=north, label=f"box {text}")
    except ValueError as error:
        raise UsageError(f"{text!r} is not a box: {_reason(error)}.", "Write W,S,E,N in degrees.") from None


def read_polygons(path: Path) -> tuple[Polygon, ...]:
    """The polygons of a GeoJSON file: a geometry, a Feature, or every feature of a FeatureCollection.

    Raises:
        UsageError: not readable, not GeoJSON, no polygon, in another reference system, crossing itself,
            or outside the state.
    """
    hint = "Give a GeoJSON file with Polygon or MultiPolygon features in WGS 84 degrees."
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UsageError(f"Cannot read {path}: {error.strerror}.", hint) from None
    except ValueError:
        raise UsageError(f"{path} is not GeoJSON: it is no JSON document.", hint) from None
    if not isinstance(document, dict):
        raise UsageError(f"{path} is not GeoJSON: its top is not an object.", hint)
    _refuse_other_crs(document, path)
    found: list[Polygon] = []
    for number, geometry in enumerate(_geometries(document), start=1):
        try:
            found.append(Polygon(geometry=geometry, label=f"{path.name} #{number}"))
        except ValueError as error:
            raise UsageError(f"{path}, feature {number}: {_reason(error)}.", hint) from None
    if not found:
        raise UsageError(f"{path} holds no feature.", hint)
    return tuple(found)


def _refuse_other_crs(document: dict[str, Any], path: Path) -> None:
    crs = document.get("crs")
    if not isinstance(crs, dict):
        return
    properties = crs.get("properties")
    name = str(properties.get("name", "")) if isinstance(properties, dict) else ""
    if not name.endswith(_WGS84_NAMES):
        raise UsageError(
            f"{path} says that it is in {name or 'another reference system'}; GeoJSON is WGS 84.",
            "Convert it: ogr2ogr -t_srs EPSG:4326 out.geojson in.geojson",
        )


def _geometries(document: dict[str, Any]) -> Iterable[Any]:
    if document.get("type") == "FeatureCollection":
        features = document.get("features")
        for feature in features if isinstance(features, list) else []:
            yield feature.get("geometry") if isinstance(feature, dict) else feature
    elif document.get("type") == "Feature":
        yield document.get("geometry")
    elif document.get("type") == "GeometryCollection":
        members = document.get("geometries")
        yield from members if isinstance(members, list) else []
    else:
        yield document


def _checked_polygon(geometry: Any) -> dict[str, Any]:
    import shapely
    from shapely.geometry import mapping, shape

    kind = geometry.get("type") if isinstance(geometry, dict) else type(geometry).__name__
    if kind not in ("Polygon", "MultiPolygon"):
        raise ValueError(f"it is a {kind or 'thing without a type'}, not a Polygon or MultiPolygon")
    try:
        polygon = shapely.force_2d(shape(geometry))
    except (shapely.errors.ShapelyError, ValueError, TypeError, KeyError, IndexError, AttributeError):
        raise ValueError("its coordinates are not those of a polygon") from None
    if polygon.is_empty:
        raise ValueError("the polygon is empty")
    west, south, east, north = polygon.bounds
    if not (west >= -180 and east <= 180 and south >= -90 and north <= 90):
        raise ValueError("its coordinates are not degrees: it seems to be in another reference system")
    if east < STATE_WEST or west > STATE_EAST or north < STATE_SOUTH or south > STATE_NORTH:
        swapped = _in_state(south, west) and _in_state(north, east)
        raise ValueError(
            "latitude and longitude are swapped: GeoJSON is longitude first"
            if swapped
            else "the polygon lies outside Massachusetts"
        )
    if not polygon.is_valid:
        raise ValueError(f"the polygon crosses itself or is not valid: {shapely.is_valid_reason(polygon)}")
    return json.loads(json.dumps(mapping(polygon)))  # type: ignore[no-any-return]


def _reason(error: ValueError) -> str:
    """What was wrong, out of pydantic's report or a plain error."""
    errors = getattr(error, "errors", None)
    text = str(errors()[0]["msg"]) if errors else str(error)
    return text.removeprefix("Value error, ").rstrip(".")
