"""OthLeg and Misc: polygons that are not parcels. They may overlap anything, and Misc may be empty."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from leadflow_assets.lake.geoparquet import bbox_column, hilbert_order
from leadflow_assets.lake.tables import Table
from leadflow_assets.pipeline import clean, geometry
from leadflow_assets.pipeline.parcels import IGNORED, CleanTable
from leadflow_assets.pipeline.quarantine import Quarantine
from leadflow_assets.pipeline.release import Release
from leadflow_assets.sources.massgis.reader import Layer

_INTERESTS: dict[str, clean.Kind] = {
    "MAP_PAR_ID": "text",
    "LEGAL_TYPE": "text",
    "TAXPAR_ID": "text",
    "LS_BOOK": "text",
    "LS_PAGE": "text",
    "REG_ID": "text",
    "TOWN_ID": "integer",
}
_MISC: dict[str, clean.Kind] = {"MISC_TYPE": "text", "TOWN_ID": "integer"}
_CELL = 10.0  # metres


def code_meanings(layer: Layer, field: str) -> dict[str, str]:
    """Code to meaning for one field of the package's LUT."""
    names = ("FIELD_NM", "CODE", "CODE_DESC")
    if any(name not in layer.rows.column_names for name in names):
        return {}
    fields, codes, meanings = (clean.text(layer.rows[name].combine_chunks()).to_pylist() for name in names)
    return {c: m for f, c, m in zip(fields, codes, meanings, strict=True) if f == field and c and m}


def clean_interests(layer: Layer, release: Release, meanings: dict[str, str], table: Table) -> CleanTable:
    """OthLeg to core/parcel_interests."""
    return _clean(layer, release, meanings, table, _INTERESTS, "legal_type", "interest_id")


def clean_misc(layer: Layer, release: Release, meanings: dict[str, str], table: Table) -> CleanTable:
    """Misc to core/misc_features; an empty layer gives an empty table."""
    return _clean(layer, release, meanings, table, _MISC, "misc_type", "feature_id")


def _clean(
    layer: Layer,
    release: Release,
    meanings: dict[str, str],
    table: Table,
    kinds: dict[str, clean.Kind],
    type_column: str,
    id_column: str,
) -> CleanTable:
    columns = clean.typed_columns(layer, kinds, required=(type_column.upper(),), file=release.file)
    polygons = geometry.read_polygons(layer, release.file)
    quarantine = Quarantine(layer)
    polygons.quarantine(quarantine)
    wkb = pa.array(shapely.to_wkb(polygons.geometry, byte_order=1), pa.binary())
    texts = _row_texts(columns)
    same = pd.DataFrame({"text": texts, "geometry": wkb.to_pandas()}).duplicated().to_numpy()
    duplicate = same & ~polygons.missing
    quarantine.add(duplicate, "duplicate_row", "dropped")
    keep = np.flatnonzero(~polygons.missing & ~duplicate)
    polygons.note_repairs(keep, quarantine)
    count = layer.rows.num_rows
    everything = {
        **columns,
        **release.columns(count),
        "town_id": pa.repeat(pa.scalar(release.town_id, pa.int32()), count),
        "town_id_in_row": columns["town_id"],
        id_column: _ids(texts, polygons.geometry, release),
        f"{type_column}_description": _described(columns[type_column], meanings),
        "geometry_repair": geometry.column_text(polygons.repair),
        "area_m2": pa.array(shapely.area(polygons.geometry)),
        "bbox": bbox_column(polygons.geometry),
        "geometry": wkb,
    }
    rows = pa.table([everything[name] for name in table.schema.names], names=table.schema.names)
    centre = shapely.centroid(polygons.geometry[keep])
    rows = rows.take(pa.array(keep[hilbert_order(shapely.get_x(centre), shapely.get_y(centre))]))
    types = {str(c["values"]): c["counts"] for c in rows[type_column].value_counts().to_pylist()}
    facts: dict[str, object] = {
        "types": types,
        "unknown_columns": clean.unknown_columns(layer, kinds, IGNORED),
    }
    return CleanTable(rows, quarantine, count, facts)


def _described(values: pa.Array, meanings: dict[str, str]) -> pa.Array:
    if not meanings:
        return pa.nulls(len(values), pa.string())
    texts = pa.array(list(meanings.values()), pa.string())
    return texts.take(pc.index_in(values, value_set=pa.array(list(meanings), pa.string())))


def _row_texts(columns: dict[str, pa.Array]) -> list[str]:
    """Everything a row says beside its geometry, as one text."""
    texts = [pc.fill_null(pc.cast(column, pa.string()), "\x00") for column in columns.values()]
    return [str(text) for text in pc.binary_join_element_wise(*texts, "\x1f").to_pylist()]


def _ids(texts: list[str], shapes: geometry.Geometries, release: Release) -> pa.Array:
    """A hash of what a row says and where its centroid lies to ten metres.

    Not of the geometry itself: curves are made linear differently in the two formats, and the same feature
    should have the same id in both. Features alike in all of that are numbered, the largest first.
    """
    centre = shapely.centroid(shapes)
    cells = zip(np.round(shapely.get_x(centre) / _CELL), np.round(shapely.get_y(centre) / _CELL), strict=True)
    keys = [f"{text}\x1f{x}\x1f{y}" for text, (x, y) in zip(texts, cells, strict=True)]
    frame = pd.DataFrame({"hash": [hashlib.sha256(k.encode()).hexdigest()[:16] for k in keys]})
    by_size = frame.assign(area=-shapely.area(shapes)).sort_values("area", kind="stable")
    number = by_size.groupby("hash", sort=False).cumcount().reindex(frame.index)
    prefix = f"{release.town_id:03d}-"
    names = [
        prefix + h if n == 0 else f"{prefix}{h}-{n + 1}" for h, n in zip(frame["hash"], number, strict=True)
    ]
    return pa.array(names, pa.string())
