"""Exports of a search: CSV, XLSX, GeoJSON, GeoParquet and a map in one page, each with its sidecar."""

from __future__ import annotations

from leadflow_assets.search.exports.formats import (
    FORMATS,
    MAP_MAX_ROWS,
    SUFFIXES,
    XLSX_MAX_ROWS,
    Export,
    ExportRequest,
    needed_columns,
)
from leadflow_assets.search.exports.outlines import ParcelOutlines, parcel_outlines
from leadflow_assets.search.exports.sidecar import sidecar_path
from leadflow_assets.search.exports.writing import write_export

__all__ = [
    "FORMATS",
    "MAP_MAX_ROWS",
    "SUFFIXES",
    "XLSX_MAX_ROWS",
    "Export",
    "ExportRequest",
    "ParcelOutlines",
    "needed_columns",
    "parcel_outlines",
    "sidecar_path",
    "write_export",
]
