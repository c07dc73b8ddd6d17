"""The map: one HTML page with Leaflet, the parcels and their records inside, and nothing to load."""

from __future__ import annotations

import html
import re
from collections import Counter
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from leadflow_assets.domain.use_codes import UNKNOWN
from leadflow_assets.errors import UsageError
from leadflow_assets.search.exports.formats import (
    MAP_MAX_ROWS,
    SOURCE_NOTE,
    Counts,
    ExportRequest,
    OutlineReader,
    Rows,
    kind,
    label,
    shown_columns,
)
from leadflow_assets.search.exports.leaflet import leaflet_script, leaflet_style
from leadflow_assets.search.exports.outlines import (
    DECIMALS,
    SCALE,
    in_degrees,
    numbers,
    outline_shapes,
    polygon_steps,
    steps,
)
from leadflow_assets.search.exports.sidecar import about_lines, now
from leadflow_assets.search.exports.values import plain, records, to_json

# Paul Tol's "muted" scheme, made to be told apart by colour-blind eyes, and two greys.
CATEGORY_COLOURS = {
    "residential": "#DDCC77",
    "commercial": "#CC6677",
    "industrial": "#882255",
    "mixed": "#AA4499",
    "exempt": "#88CCEE",
    "open_space": "#44AA99",
    "forest": "#117733",
    "agricultural": "#999933",
    "recreational": "#332288",
    "personal_property": "#777777",
    UNKNOWN: "#DDDDDD",
}
_MARK = re.compile(r"@@(\w+)@@")


@dataclass
class _Place:
    """One shape on the map and the rows that stand on it."""

    outline: list[list[list[int]]] | None
    point: list[int] | None
    rows: list[int] = field(default_factory=list)


@dataclass
class _Page:
    """What the page will draw, collected batch by batch; positions in millionths of a degree."""

    origin: tuple[int, int] | None = None
    places: dict[Any, _Place] = field(default_factory=dict)
    rows: list[list[Any]] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)


def write_map(path: Path, request: ExportRequest, rows: Rows) -> Counts:
    """Write the page. Rows of one parcel share its outline; without one, a circle stands at the point.

    Raises:
        UsageError: more than :data:`MAP_MAX_ROWS` rows.
        NotConfiguredError: Leaflet is not installed.
    """
    parts = {"leaflet_js": leaflet_script(), "leaflet_css": leaflet_style()}
    columns = shown_columns(request.format, request.columns)
    counts, page = Counts(), _Page()
    for batch in rows.batches:
        if counts.rows + batch.num_rows > MAP_MAX_ROWS:
            raise too_many_for_a_map()
        _collect(page, batch, columns, rows.outlines, counts)
    title = request.list_name or "Properties"
    fields = [
        {"name": name, "label": label(name), "kind": kind(name, rows.schema.field(name).type)}
        for name in columns
    ]
    document = _document(page, request, counts) | {"title": title, "fields": fields}
    parts |= {
        "title": html.escape(title),
        "css": _own("map.css"),
        "js": _own("map.js"),
        # No "<" in the data: nothing in it can end the script element or start another.
        "data": to_json(document).replace("<", "\\u003c"),
    }
    # One pass: a mark inside the data is data.
    path.write_text(_MARK.sub(lambda mark: parts[mark[1]], _own("map.html")), encoding="utf-8")
    return counts


def too_many_for_a_map() -> UsageError:
    """The refusal of a result that would make the page too heavy for a browser."""
    return UsageError(
        f"A map page holds up to {MAP_MAX_ROWS:,} properties, and the result has more.",
        "Narrow the search, or use geojson or geoparquet in a GIS.",
    )


def _own(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _collect(
    page: _Page,
    batch: pa.RecordBatch,
    columns: tuple[str, ...],
    outlines: OutlineReader | None,
    counts: Counts,
) -> None:
    shapes = in_degrees(outline_shapes(batch, outlines), DECIMALS)
    lon, lat = numbers(batch, "lon"), numbers(batch, "lat")
    placed = ~np.isnan(lon) & ~np.isnan(lat)
    first = counts.rows
    counts.add(~shapely.is_missing(shapes), placed)
    page.rows += records(plain(batch, columns))
    page.categories += [
        value if value in CATEGORY_COLOURS else UNKNOWN for value in batch.column("category").to_pylist()
    ]
    keys = zip(batch.column("town_id").to_pylist(), batch.column("loc_id").to_pylist(), strict=True)
    for index, key in enumerate(keys):
        # Without an outline each row stands by itself: points of different records may differ.
        place_key = key if shapes[index] is not None else first + index
        if place_key not in page.places:
            position = (lon[index], lat[index]) if placed[index] else None
            page.places[place_key] = _place(page, shapes[index], position)
        page.places[place_key].rows.append(first + index)


def _place(page: _Page, shape: Any, position: tuple[float, float] | None) -> _Place:
    if shape is None and position is None:
        return _Place(None, None)
    known = shapely.get_coordinates(shape)[0] if shape is not None else np.array(position)
    if page.origin is None:
        page.origin = (round(known[0] * SCALE), round(known[1] * SCALE))
    if shape is None:
        return _Place(None, steps(page.origin, known[None, :]))
    return _Place([polygon_steps(page.origin, part) for part in shapely.get_parts(shape)], None)


def _document(page: _Page, request: ExportRequest, counts: Counts) -> dict[str, Any]:
    in_use = Counter(page.categories)
    known = [name for name in CATEGORY_COLOURS if in_use[name]]
    number = {name: index for index, name in enumerate(known)}
    places = []
    for place in page.places.values():
        drawn = {"outline": place.outline, "point": place.point}
        # Records of a parcel may differ in class: the commonest colours it.
        (category, _), *_ = Counter(page.categories[row] for row in place.rows).most_common(1)
        places.append(
            {name: value for name, value in drawn.items() if value}
            | {"category": number[category], "rows": place.rows}
        )
    drawn_places = sum(1 for place in page.places.values() if place.outline or place.point)
    made = now()[:16].replace("T", " ")
    summary = f"{counts.rows:,} properties in {drawn_places:,} places; made {made} UTC"
    if counts.placeless:
        summary += f"; {counts.placeless:,} have no place on the map"
    return {
        "summary": summary,
        "source": SOURCE_NOTE,
        "origin": page.origin or (0, 0),
        "categories": [
            {"label": label(name), "colour": CATEGORY_COLOURS[name], "rows": in_use[name]} for name in known
        ],
        "places": places,
        "rows": page.rows,
        "about": list(about_lines(request, counts)),
    }
