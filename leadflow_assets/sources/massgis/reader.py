"""Reading one table of a package into Arrow, from a shapefile or a file geodatabase.

GDAL's curves, encodings and coordinate systems end here: what comes out has text in Unicode, linear
geometry as WKB in EPSG:26986, and the source's own column names in upper case.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyogrio
from pyogrio.errors import DataSourceError
from pyproj import CRS
from pyproj.exceptions import CRSError

from leadflow_assets.errors import BadPackageError
from leadflow_assets.sources.massgis.package import Package

CRS_EPSG = 26986
# The state in EPSG:26986 metres with a margin; a layer outside it is not in the Mainland zone.
STATE_BOUNDS = (30_000.0, 775_000.0, 335_000.0, 965_000.0)
GEOMETRY = "geometry"
_POLYGON_LAYERS = frozenset({"TaxPar", "OthLeg", "Misc"})


@dataclass(frozen=True)
class Layer:
    """One table as read: rows, and how its text had to be decoded ("utf-8" or "latin-1")."""

    name: str
    rows: pa.Table
    encoding: str


def read_layer(package: Package, name: str) -> Layer:
    """Read TaxPar, Assess, OthLeg, Misc, LUT or UC_LUT; polygons come as WKB in column ``geometry``.

    Raises:
        BadPackageError: the layer is missing, unreadable, or not in EPSG:26986.
    """
    polygons = name in _POLYGON_LAYERS
    path, layer = package.layers[name]
    try:
        # GDAL warns of winding orders and degenerate rings; both are handled and recorded later.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            if package.format == "geodatabase":
                rows, crs, encoding = _read_geodatabase(path, layer, polygons)
            else:
                rows, crs, encoding = _read_shapefile(path, layer)
    except (DataSourceError, pa.ArrowException, UnicodeDecodeError, RuntimeError) as error:
        raise BadPackageError(
            f"{package.path.name}: {name} cannot be read ({type(error).__name__}).",
            "The file is damaged; fetch the package again.",
        ) from error
    if polygons:
        _check_crs(package, name, crs)
    return Layer(name, rows, encoding)


def _read_shapefile(path: str, layer: str) -> tuple[pa.Table, str | None, str]:
    """UTF-8 first; a file that is not UTF-8 is latin-1, as packages before 2014 are."""
    encoding = "utf-8"
    meta, rows = pyogrio.read_arrow(path, layer=layer, encoding="UTF-8")
    try:
        rows.validate(full=True)
    except pa.ArrowInvalid:
        encoding = "latin-1"
        meta, rows = pyogrio.read_arrow(path, layer=layer, encoding="ISO-8859-1")
        rows.validate(full=True)
    return _renamed(rows), meta["crs"], encoding


def _read_geodatabase(path: str, layer: str, polygons: bool) -> tuple[pa.Table, str | None, str]:
    if not polygons:
        meta, rows = pyogrio.read_arrow(path, layer=layer)
        return _renamed(rows), meta["crs"], "utf-8"
    # The Arrow reader hands out curves; the row reader makes them linear.
    meta, _, geometry, fields = pyogrio.raw.read(path, layer=layer)
    columns = {name.upper(): _array(values) for name, values in zip(meta["fields"], fields, strict=True)}
    columns[GEOMETRY] = pa.array(geometry, pa.binary())
    return pa.table(columns), meta["crs"], "utf-8"


def _array(values: np.ndarray[Any, Any]) -> pa.Array:
    if values.dtype == object:
        return pa.array(values, pa.string(), from_pandas=True)
    return pa.array(values, from_pandas=True)


def _renamed(rows: pa.Table) -> pa.Table:
    """Upper-case names; GDAL's geometry column (``wkb_geometry``, ``SHAPE``) becomes ``geometry``."""
    columns = {}
    for field, column in zip(rows.schema, rows.columns, strict=True):
        if _is_wkb(field):
            columns[GEOMETRY] = _storage(column).cast(pa.binary())
        else:
            columns[field.name.upper()] = column
    return pa.table(columns)


def _is_wkb(field: pa.Field) -> bool:
    """GDAL marks geometry in the field's metadata; a process that knows GeoArrow sees a type instead."""
    if isinstance(field.type, pa.BaseExtensionType):
        return str(field.type.extension_name).endswith(".wkb")
    return bool((field.metadata or {}).get(b"ARROW:extension:name", b"").endswith(b".wkb"))


def _storage(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not isinstance(column.type, pa.BaseExtensionType):
        return column
    return pa.chunked_array([chunk.storage for chunk in column.chunks], type=column.type.storage_type)


def _check_crs(package: Package, name: str, crs: str | None) -> None:
    if not crs:
        raise BadPackageError(
            f"{package.path.name}: {name} has no coordinate system.", "MassGIS packages are in EPSG:26986."
        )
    try:
        found = CRS.from_user_input(crs)
    except CRSError:
        found = None
    if found is None or found.to_epsg(min_confidence=70) != CRS_EPSG:
        label = found.name if found is not None else "an unknown coordinate system"
        raise BadPackageError(
            f"{package.path.name}: {name} is in {label}, not in EPSG:{CRS_EPSG}.",
            "Packages must be in NAD83 / Massachusetts Mainland metres; this one is not from MassGIS.",
        )
