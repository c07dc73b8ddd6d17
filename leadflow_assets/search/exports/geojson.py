"""GeoJSON by RFC 7946: one feature per property, written as it comes, longitude before latitude."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import shapely

from leadflow_assets.search.exports.formats import Counts, ExportRequest, OutlineReader, Rows, shown_columns
from leadflow_assets.search.exports.outlines import in_degrees, numbers, outline_shapes
from leadflow_assets.search.exports.sidecar import about
from leadflow_assets.search.exports.values import encode, plain, records, to_json

DECIMALS = 7  # about a centimetre; RFC 7946 names six as enough


def write_geojson(path: Path, request: ExportRequest, rows: Rows) -> Counts:
    """Write a FeatureCollection: outlines where there are any, else points, else a null geometry.

    What the export is stands in the member ``leadflow`` at the end, because the counts are known there.
    """
    columns = shown_columns(request.format, request.columns)
    counts = Counts()
    with path.open("w", encoding="utf-8", newline="\n") as out:
        out.write('{"type":"FeatureCollection","features":[')
        for batch in rows.batches:
            separator = ",\n" if counts.rows else "\n"
            features = _features(batch, columns, rows.outlines, counts)
            if features:
                out.write(separator + ",\n".join(features))
        out.write('\n],"leadflow":' + to_json(about(request, counts)) + "}\n")
    return counts


def _features(
    batch: pa.RecordBatch, columns: tuple[str, ...], outlines: OutlineReader | None, counts: Counts
) -> list[str]:
    geometries = _geometries(batch, outlines, counts)
    features = []
    for values, geometry in zip(records(plain(batch, columns)), geometries, strict=True):
        cells = dict(zip(columns, values, strict=True))
        identity = cells.get("property_id")
        named = f'"id":{encode(identity)},' if identity is not None else ""
        features.append(f'{{"type":"Feature",{named}"geometry":{geometry},"properties":{encode(cells)}}}')
    return features


def _geometries(batch: pa.RecordBatch, outlines: OutlineReader | None, counts: Counts) -> list[str]:
    """The geometry of each row as JSON."""
    shapes = in_degrees(outline_shapes(batch, outlines), DECIMALS)
    lon, lat = (np.round(numbers(batch, name), DECIMALS) for name in ("lon", "lat"))
    placed = ~np.isnan(lon) & ~np.isnan(lat)
    counts.add(~shapely.is_missing(shapes), placed)
    found = shapely.to_geojson(shapes)
    return [
        outline or (f'{{"type":"Point","coordinates":[{x},{y}]}}' if here else "null")
        for outline, x, y, here in zip(found, lon.tolist(), lat.tolist(), placed.tolist(), strict=True)
    ]
