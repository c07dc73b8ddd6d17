"""A small map of a town, coloured by property class: one look tells whether the parcels are right."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import shapely
from PIL import Image, ImageDraw

from leadflow_assets.lake import tables
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.tables import Table

SIZE = 480  # pixels of the longer side
_MARGIN = 6
_BACKGROUND = (250, 250, 248)
_COLOURS = {
    "residential": (247, 220, 150),
    "mixed": (240, 170, 110),
    "commercial": (222, 100, 90),
    "industrial": (150, 120, 170),
    "exempt": (150, 190, 150),
    "open_space": (190, 215, 160),
    "forest": (120, 165, 120),
    "agricultural": (205, 220, 130),
    "recreational": (165, 205, 180),
    "personal_property": (200, 190, 180),
    "unknown": (225, 222, 215),
    "WATER": (160, 200, 230),
    "ROW": (235, 235, 235),
    "PRIV_ROW": (235, 235, 235),
    "RAIL_ROW": (190, 190, 190),
}
_LINE = (140, 135, 125)


@dataclass(frozen=True)
class Picture:
    """A PNG and where its bytes can be shown."""

    png: bytes
    words: str = "parcels by class"

    @property
    def markdown(self) -> str:
        """The picture as Markdown that needs no other file."""
        return f"![{self.words}](data:image/png;base64,{base64.b64encode(self.png).decode()})"


def town_picture(lake: Lake, town_id: int) -> Picture:
    """Draw the published parcels of a town, coloured by the class of what stands on them."""
    parcels = _read(lake, tables.PARCELS, town_id, ["loc_id", "poly_type", "geometry"])
    properties = _read(lake, tables.PROPERTIES, town_id, ["loc_id", "category"])
    classes = dict(zip(properties["loc_id"], properties["category"], strict=True))
    shapes = shapely.from_wkb(np.array(parcels["geometry"], dtype=object))
    labels = [
        classes.get(loc_id, "unknown") if poly_type in ("FEE", "TAX") else poly_type
        for loc_id, poly_type in zip(parcels["loc_id"], parcels["poly_type"], strict=True)
    ]
    return draw(shapes, labels)


def draw(shapes: np.ndarray[tuple[int], np.dtype[np.object_]], labels: list[str]) -> Picture:
    """Draw MultiPolygons (EPSG:26986) in the colours of their labels."""
    xmin, ymin, xmax, ymax = shapely.total_bounds(shapes)
    scale = (SIZE - 2 * _MARGIN) / max(xmax - xmin, ymax - ymin, 1.0)
    # Twice the size, then halved: thin lines become smooth.
    width, height = (int(2 * ((span) * scale + 2 * _MARGIN)) for span in (xmax - xmin, ymax - ymin))
    image = Image.new("RGB", (width, height), _BACKGROUND)
    pen = ImageDraw.Draw(image)
    # Wide ones first: holes are not drawn, and a road's outline must not cover the lots inside it.
    for index in np.argsort(-shapely.area(shapely.envelope(shapes))):
        colour = _COLOURS.get(labels[index], _COLOURS["unknown"])
        for part in shapely.get_parts(shapes[index]):
            ring = shapely.get_coordinates(part.exterior)
            points = np.column_stack(
                (2 * ((ring[:, 0] - xmin) * scale + _MARGIN), 2 * ((ymax - ring[:, 1]) * scale + _MARGIN))
            )
            pen.polygon([tuple(p) for p in points.tolist()], fill=colour, outline=_LINE)
    out = io.BytesIO()
    small = image.resize((width // 2, height // 2), Image.Resampling.LANCZOS)
    small.quantize(48).save(out, "PNG", optimize=True)
    return Picture(out.getvalue())


def _read(lake: Lake, table: Table, town_id: int, columns: list[str]) -> dict[str, list[Any]]:
    entry = lake.snapshot(table).partitions[table.partition(town_id)]
    content = io.BytesIO(lake.store.read(entry.data.path))
    return dict(pq.read_table(content, columns=columns).to_pydict())
