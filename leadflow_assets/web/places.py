"""The results of a search for the map: outlines from near, points from afar, and plain outlines of towns."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.tables import PARCELS
from leadflow_assets.search.areas import Box
from leadflow_assets.search.criteria import SearchCriteria
from leadflow_assets.search.engine import Searcher
from leadflow_assets.search.exports.outlines import (
    DECIMALS,
    SCALE,
    ParcelOutlines,
    in_degrees,
    numbers,
    parcel_outlines,
    polygon_steps,
)
from leadflow_assets.settings import Settings
from leadflow_assets.web.links import parcel_path

# Results that the map knows of, in the order of the grid; of those in view, so many are drawn.
MOST_KNOWN, MOST_DRAWN = 100_000, 2_500
# From this zoom on a house lot is larger than a dot.
OUTLINES_FROM_ZOOM = 14
_COLUMNS = (
    "property_id",
    "town_id",
    "loc_id",
    "site_address",
    "category",
    "lon",
    "lat",
    "score",
    "score_state",
    "score_coverage",
)


class Outlines:
    """Reads outlines of parcels for all requests; what was published since is seen."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._opened: tuple[int, ParcelOutlines] | None = None

    def read(self, keys: Sequence[tuple[int, str]]) -> Mapping[tuple[int, str], bytes]:
        """WKB (EPSG:26986) by town and LOC_ID; a parcel without outline is left out.

        Raises:
            StoreError: a file of the lake cannot be read.
        """
        if not keys:
            return {}
        with self._lock:
            lake = Lake(self._settings)
            number = lake.snapshot(PARCELS).number
            if self._opened is None or self._opened[0] != number:
                self._close()
                self._opened = number, parcel_outlines(lake)
            return self._opened[1](keys)

    def close(self) -> None:
        """Close what is open."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._opened is not None:
            self._opened[1].close()
            self._opened = None


def places(
    searcher: Searcher,
    criteria: SearchCriteria,
    sort: Sequence[str],
    outlines: Outlines,
    *,
    box: Box | None,
    zoom: float,
) -> dict[str, Any]:
    """What the map draws: the places in ``box`` (None: everywhere), the first in order first.

    A place is a parcel with all its results: ``rank`` is that of the first in the grid, ``rows`` their
    number, ``at`` its point as latitude and longitude, ``outline`` its polygons where ``zoom`` is near
    enough: rings of steps in millionths of a degree from ``origin``, longitude first.
    """
    found = searcher.search(criteria, sort=sort, limit=MOST_KNOWN, columns=_COLUMNS)
    rows = found.rows.combine_chunks()
    batch = rows.to_batches()[0] if rows.num_rows else None
    lon = numbers(batch, "lon") if batch is not None else np.empty(0)
    lat = numbers(batch, "lat") if batch is not None else np.empty(0)
    placed = ~np.isnan(lon) & ~np.isnan(lat)
    seen = placed
    if box is not None:
        seen = placed & (lon >= box.west) & (lon <= box.east) & (lat >= box.south) & (lat <= box.north)
    ranks = np.flatnonzero(seen)
    groups = _by_parcel(rows, ranks)
    drawn = list(groups.values())[:MOST_DRAWN]
    bounds = _bounds(lon[placed], lat[placed])
    # The map has not been moved yet: what it will show decides how near it is.
    near = zoom >= OUTLINES_FROM_ZOOM if box is not None else _is_small(bounds)
    return {
        "total": found.total,
        "known": rows.num_rows,
        "placeless": int((~placed).sum()),
        "in_view": len(groups),
        "bounds": bounds,
        **_drawn(drawn, outlines if near else None),
    }


def _by_parcel(rows: pa.Table, ranks: Any) -> dict[Any, dict[str, Any]]:
    groups: dict[Any, dict[str, Any]] = {}
    for rank, row in zip(ranks.tolist(), rows.take(pa.array(ranks)).to_pylist(), strict=True):
        key = (row["town_id"], row["loc_id"] or row["property_id"])
        if key in groups:
            groups[key]["rows"] += 1
        else:
            groups[key] = {"row": row, "rank": rank, "rows": 1}
    return groups


def _drawn(groups: Sequence[Mapping[str, Any]], outlines: Outlines | None) -> dict[str, Any]:
    keys = [(group["row"]["town_id"], group["row"]["loc_id"]) for group in groups]
    known = outlines.read([key for key in keys if key[1]]) if outlines else {}
    shapes = shapely.from_wkb(np.array([known.get(key) for key in keys], dtype=object))
    shapes = in_degrees(np.atleast_1d(shapes), DECIMALS) if len(groups) else np.empty(0, dtype=object)
    origin = (0, 0)
    if groups:
        first = groups[0]["row"]
        origin = (round(first["lon"] * SCALE), round(first["lat"] * SCALE))
    return {
        "origin": origin,
        "places": [_place(group, shape, origin) for group, shape in zip(groups, shapes, strict=True)],
    }


def _place(group: Mapping[str, Any], shape: Any, origin: tuple[int, int]) -> dict[str, Any]:
    row = group["row"]
    made = {
        "rank": group["rank"],
        "rows": group["rows"],
        "id": row["property_id"],
        "name": row["site_address"] or "No site address",
        "at": [round(row["lat"], DECIMALS), round(row["lon"], DECIMALS)],
        "category": row["category"],
        "score": row["score"],
        "state": row["score_state"],
        "coverage": row["score_coverage"],
    }
    if row["loc_id"]:
        made["href"] = parcel_path(row["town_id"], row["loc_id"])
    if shape is not None:
        made["outline"] = [polygon_steps(origin, part) for part in shapely.get_parts(shape)]
    return made


def _bounds(lon: Any, lat: Any) -> list[float] | None:
    if not len(lon):
        return None
    return [float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())]


def _is_small(bounds: list[float] | None) -> bool:
    # Fits a window of 700 pixels at the zoom that outlines begin with: 7 metres a pixel at this latitude.
    return bounds is not None and bounds[2] - bounds[0] < 0.06 and bounds[3] - bounds[1] < 0.045


def town_outline(lake: Lake, town_id: int) -> list[list[list[float]]]:
    """A plain outline of a town, made of its parcels' corners: rings of latitude and longitude.

    Made once for each release of core/parcels and kept beside the search index, which may be deleted.

    Raises:
        StoreError: a file of the lake cannot be read.
    """
    entry = lake.snapshot(PARCELS).partitions.get(PARCELS.partition(town_id))
    if entry is None:
        return []
    folder = lake.settings.data_dir / "search" / "town_outlines"
    kept = folder / f"{town_id}-{entry.data.sha256[:16]}.json"
    if kept.is_file():
        rings: list[list[list[float]]] = json.loads(kept.read_text(encoding="utf-8"))
        return rings
    from leadflow_assets.search.town_shapes import outline_of

    rings = [
        [[round(lat, 5), round(lon, 5)] for lon, lat in shapely.get_coordinates(ring).tolist()]
        for ring in outline_of(lake, entry)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    part = kept.with_suffix(f".{threading.get_ident()}.part")
    part.write_text(json.dumps(rings), encoding="utf-8")
    part.replace(kept)
    return rings
