"""Polygons of a package made fit to publish: readable, valid, multi, with box, area and a point inside."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from leadflow_assets.errors import BadPackageError
from leadflow_assets.pipeline.clean import text as _text
from leadflow_assets.pipeline.quarantine import Quarantine
from leadflow_assets.sources.massgis.reader import CRS_EPSG, GEOMETRY, STATE_BOUNDS, Layer

Geometries = NDArray[Any]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Polygons:
    """MultiPolygons of a layer, None where there is nothing to repair, and what was repaired."""

    geometry: Geometries
    repair: NDArray[Any]

    @cached_property
    def missing(self) -> NDArray[np.bool_]:
        """Rows without any usable polygon."""
        return np.asarray(shapely.is_missing(self.geometry))

    def quarantine(self, quarantine: Quarantine) -> None:
        """Record the rows without a usable polygon as dropped, and the repaired ones as kept."""
        for index in np.flatnonzero(self.missing):
            if self.repair[index] is None:
                quarantine.add_row(int(index), "geometry_missing", "dropped")
            else:
                quarantine.add_row(int(index), "geometry_unrepairable", "dropped", str(self.repair[index]))

    def note_repairs(self, kept: Iterable[int], quarantine: Quarantine) -> None:
        """Record which of the kept rows had to be repaired."""
        for index in kept:
            if self.repair[index] is not None:
                quarantine.add_row(int(index), "geometry_repaired", "kept", str(self.repair[index]))


def read_polygons(layer: Layer, file: str) -> Polygons:
    """Parse, repair and promote the polygons of a layer.

    Raises:
        BadPackageError: the coordinates do not lie in Massachusetts in EPSG:26986.
    """
    wkb = layer.rows[GEOMETRY].to_numpy()
    geometry = shapely.from_wkb(wkb, on_invalid="ignore")
    repair = np.full(len(geometry), None, dtype=object)
    unread = shapely.is_missing(geometry) & np.array([value is not None for value in wkb], dtype=bool)
    if unread.any():
        geometry[unread] = shapely.from_wkb(wkb[unread], on_invalid="fix")
        repair[unread] = "unreadable ring"
    invalid = np.flatnonzero(~shapely.is_valid(geometry) & ~shapely.is_missing(geometry))
    for index in invalid:
        repair[index] = shapely.is_valid_reason(geometry[index]).partition("[")[0].strip()
        geometry[index] = _polygonal(
            shapely.make_valid(geometry[index], method="structure", keep_collapsed=False)
        )
    polygons = Polygons(_promoted(geometry), repair)
    _check_bounds(polygons, layer, file)
    return polygons


def _polygonal(geometry: Any) -> Any:
    """The polygons in what a repair returned; None if there are none."""
    parts = [part for part in shapely.get_parts(geometry) if part.geom_type in ("Polygon", "MultiPolygon")]
    return shapely.multipolygons(shapely.get_parts(parts)) if parts else None


def _promoted(geometry: Geometries) -> Geometries:
    """Polygon to MultiPolygon; missing and empty become None. Exact: coordinates are not touched."""
    geometry[shapely.is_empty(geometry)] = None
    parts, owner = shapely.get_parts(geometry, return_index=True)
    promoted = np.full(len(geometry), None, dtype=object)
    if len(parts):
        promoted[np.unique(owner)] = shapely.multipolygons(parts, indices=_dense(owner))
    return promoted


def _dense(owner: NDArray[np.int64]) -> NDArray[np.int64]:
    """0, 0, 3, 4 becomes 0, 0, 1, 2: shapely wants indices without gaps."""
    return np.unique(owner, return_inverse=True)[1].astype(np.int64)


def _check_bounds(polygons: Polygons, layer: Layer, file: str) -> None:
    usable = polygons.geometry[~polygons.missing]
    if not len(usable):
        return
    xmin, ymin, xmax, ymax = shapely.total_bounds(usable)
    if xmin < STATE_BOUNDS[0] or ymin < STATE_BOUNDS[1] or xmax > STATE_BOUNDS[2] or ymax > STATE_BOUNDS[3]:
        raise BadPackageError(
            f"{file}: {layer.name} reaches to ({xmin:.0f}, {ymin:.0f}, {xmax:.0f}, {ymax:.0f}), "
            f"outside Massachusetts in EPSG:{CRS_EPSG}.",
            "Its coordinates are not in NAD83 / Massachusetts Mainland metres, whatever its .prj says.",
        )


def points_inside(geometry: Geometries, x: Floats, y: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """A point inside each polygon, and whether it is the one given (LOC_ID's; NaN: none given).

    LOC_ID's own point is taken where it lies inside, so that a parcel's point is the one its id names.
    """
    shapely.prepare(geometry)
    inside = np.asarray(shapely.contains_xy(geometry, x, y))
    others = np.flatnonzero(~inside)
    if len(others):
        x, y = x.copy(), y.copy()
        surface = shapely.point_on_surface(geometry[others])
        x[others], y[others] = shapely.get_x(surface), shapely.get_y(surface)
    return x, y, inside


@cache
def _to_degrees() -> Transformer:
    return Transformer.from_crs(CRS_EPSG, 4326, always_xy=True)


def lon_lat(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """EPSG:26986 metres to longitude and latitude in degrees."""
    lon, lat = _to_degrees().transform(x, y)
    return np.asarray(lon), np.asarray(lat)


def column_text(values: NDArray[Any]) -> pa.Array:
    """An object array of texts and None as an Arrow column."""
    return _text(pa.array(values, pa.string()))
