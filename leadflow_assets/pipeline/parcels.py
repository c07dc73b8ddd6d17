"""TaxPar to core/parcels: every POLY_TYPE, keyed by LOC_ID."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from leadflow_assets.domain import loc_id
from leadflow_assets.errors import BadPackageError
from leadflow_assets.lake.geoparquet import bbox_column, hilbert_order
from leadflow_assets.lake.schemas.core_massgis import POLY_TYPES
from leadflow_assets.lake.tables import PARCELS
from leadflow_assets.pipeline import clean, geometry
from leadflow_assets.pipeline.quarantine import Quarantine
from leadflow_assets.pipeline.release import Release
from leadflow_assets.sources.massgis.reader import Layer

_COLUMNS: dict[str, clean.Kind] = {
    "LOC_ID": "text",
    "POLY_TYPE": "text",
    "MAP_PAR_ID": "text",
    "MAP_NO": "text",
    "SOURCE": "text",
    "PLAN_ID": "text",
    "LAST_EDIT": "text",
    "BND_CHK": "text",
    "NO_MATCH": "text",
    "TOWN_ID": "integer",
}
# Esri's length and area differ by format and, on curves, from the planar ones; ours replace them.
IGNORED = ("SHAPE_LENG", "SHAPE_LENGTH", "SHAPE_AREA", "OBJECTID")


@dataclass(frozen=True)
class CleanTable:
    """A clean table with its rejects and the few figures that lists show."""

    rows: pa.Table
    quarantine: Quarantine
    rows_in: int
    facts: dict[str, object]


def clean_parcels(layer: Layer, release: Release) -> CleanTable:
    """Type, repair, key and order the polygons.

    Raises:
        BadPackageError: no polygons, wrong place, missing columns, or another town's polygons.
    """
    file = release.file
    if layer.rows.num_rows == 0:
        raise BadPackageError(f"{file}: TaxPar has no polygons.", "Fetch the package again from MassGIS.")
    columns = clean.typed_columns(layer, _COLUMNS, required=("LOC_ID", "POLY_TYPE"), file=file)
    release.check_town(columns["town_id"], layer.name)
    polygons = geometry.read_polygons(layer, file)
    quarantine = Quarantine(layer)
    poly_type = pc.utf8_upper(columns["poly_type"])
    keep = _keyed(columns["loc_id"], poly_type, polygons, quarantine)
    if not keep.any():
        raise BadPackageError(
            f"{file}: no polygon of TaxPar can be used.", "See the reasons in the quarantine."
        )
    polygons.note_repairs(np.flatnonzero(keep), quarantine)
    points = loc_id.parse_loc_ids(columns["loc_id"])
    letter = loc_id.main_letter(points.letter)
    shapes = polygons.geometry
    x, y, inside = geometry.points_inside(
        shapes, *(np.asarray(a.to_numpy(zero_copy_only=False)) for a in (points.x, points.y))
    )
    malformed = points.letter.is_null().to_numpy(zero_copy_only=False)
    quarantine.add(keep & malformed, "loc_id_malformed", "kept")
    quarantine.add(keep & ~inside & ~malformed, "loc_id_point_outside", "kept")
    other = pc.fill_null(pc.not_equal(points.letter, letter or ""), False).to_numpy(zero_copy_only=False)
    quarantine.add(keep & other, "loc_id_other_letter", "kept", f"the town's letter is {letter}")
    table = _assemble(columns, poly_type, points, inside, polygons, x, y, release)
    chosen = np.flatnonzero(keep)
    rows = table.take(pa.array(chosen[hilbert_order(x[chosen], y[chosen])]))
    facts = {
        "poly_types": dict(
            sorted((str(c["values"]), c["counts"]) for c in rows["poly_type"].value_counts().to_pylist())
        ),
        "repaired": int(sum(value is not None for value in polygons.repair[chosen])),
        "loc_id_letter": letter,
        "unknown_columns": clean.unknown_columns(layer, _COLUMNS, IGNORED),
        "encoding": layer.encoding,
    }
    return CleanTable(rows, quarantine, layer.rows.num_rows, facts)


def _keyed(
    ids: pa.Array, poly_type: pa.Array, polygons: geometry.Polygons, quarantine: Quarantine
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which rows have geometry, a known type and a LOC_ID of their own; the others are quarantined."""
    missing = polygons.missing
    polygons.quarantine(quarantine)
    no_id = ids.is_null().to_numpy(zero_copy_only=False) & ~missing
    quarantine.add(no_id, "loc_id_null", "dropped")
    known = pc.fill_null(pc.is_in(poly_type, value_set=pa.array(POLY_TYPES)), False).to_numpy(
        zero_copy_only=False
    )
    no_type = ~known & ~missing & ~no_id
    quarantine.add(no_type, "poly_type_unknown", "dropped")
    keep: np.ndarray[tuple[int], np.dtype[np.bool_]] = ~missing & ~no_id & ~no_type
    # One polygon per LOC_ID; of several the largest stays, whatever the order of the file.
    area = shapely.area(polygons.geometry)
    order = np.argsort(-np.where(np.isnan(area), -1.0, area), kind="stable")
    seen: set[str] = set()
    names = ids.to_pylist()
    for index in order:
        if not keep[index]:
            continue
        if names[index] in seen:
            keep[index] = False
            quarantine.add_row(
                int(index), "loc_id_duplicate", "dropped", f"{names[index]} has a larger polygon"
            )
        seen.add(names[index])
    return keep


def _assemble(
    columns: dict[str, pa.Array],
    poly_type: pa.Array,
    points: loc_id.LocIdPoints,
    inside: np.ndarray[tuple[int], np.dtype[np.bool_]],
    polygons: geometry.Polygons,
    x: geometry.Floats,
    y: geometry.Floats,
    release: Release,
) -> pa.Table:
    count = len(x)
    shapes = polygons.geometry
    lon, lat = geometry.lon_lat(x, y)
    malformed = points.letter.is_null()
    return pa.table(
        {
            "town_id": pa.repeat(pa.scalar(release.town_id, pa.int32()), count),
            "loc_id": columns["loc_id"],
            "poly_type": poly_type,
            **{name: columns[name] for name in ("map_par_id", "map_no", "source", "plan_id")},
            "last_edit_raw": columns["last_edit"],
            "last_edit": clean.day(columns["last_edit"]),
            "bnd_chk": columns["bnd_chk"],
            "no_match": pc.utf8_upper(columns["no_match"]),
            "town_id_in_row": columns["town_id"],
            "loc_id_letter": points.letter,
            "loc_id_inside": clean.null_where(pa.array(inside), malformed),
            "geometry_repair": geometry.column_text(polygons.repair),
            "area_m2": shapely.area(shapes),
            "perimeter_m": shapely.length(shapes),
            "point_x": x,
            "point_y": y,
            "lon": lon,
            "lat": lat,
            **release.columns(count),
            "bbox": bbox_column(shapes),
            "geometry": pa.array(shapely.to_wkb(shapes, byte_order=1), pa.binary()),
        }
    ).select(PARCELS.schema.names)
