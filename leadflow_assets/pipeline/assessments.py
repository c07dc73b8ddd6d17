"""Assess to core/assessments: every record, with its sale judged and its polygon looked for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from leadflow_assets.domain import match_rates, sales, use_codes
from leadflow_assets.errors import BadPackageError
from leadflow_assets.lake.tables import ASSESSMENTS
from leadflow_assets.pipeline import clean
from leadflow_assets.pipeline.engine import row_hashes
from leadflow_assets.pipeline.parcels import CleanTable
from leadflow_assets.pipeline.quarantine import Quarantine
from leadflow_assets.pipeline.release import Release
from leadflow_assets.sources.massgis.reader import Layer

_TEXT = [
    "PROP_ID",
    "LOC_ID",
    "LS_DATE",
    "USE_CODE",
    "SITE_ADDR",
    "ADDR_NUM",
    "FULL_STR",
    "LOCATION",
    "CITY",
    "ZIP",
    "OWNER1",
    "OWN_ADDR",
    "OWN_CITY",
    "OWN_STATE",
    "OWN_ZIP",
    "OWN_CO",
    "LS_BOOK",
    "LS_PAGE",
    "REG_ID",
    "ZONING",
    "STYLE",
    "STORIES",
    "LOT_UNITS",
    "CAMA_ID",
]
_INTEGERS = [
    "BLDG_VAL",
    "LAND_VAL",
    "OTHER_VAL",
    "TOTAL_VAL",
    "FY",
    "LS_PRICE",
    "YEAR_BUILT",
    "BLD_AREA",
    "UNITS",
    "RES_AREA",
    "NUM_ROOMS",
    "TOWN_ID",
]
COLUMNS: dict[str, clean.Kind] = {
    **dict.fromkeys(_TEXT, "text"),
    **dict.fromkeys(_INTEGERS, "integer"),
    "LOT_SIZE": "number",
}
REQUIRED = ("PROP_ID", "LOC_ID", "BLDG_VAL", "LAND_VAL", "OTHER_VAL", "TOTAL_VAL", "USE_CODE", "FY")
ALIASES = {"LIV_UNITS": "UNITS"}  # the name in version 2 of the standard
IGNORED = ("OBJECTID",)
# A shapefile cannot hold a null number: here 0 stands for "not recorded", a geodatabase tells them apart.
ZERO_IS_NULL_IN_SHAPEFILES = ("year_built", "units", "num_rooms")
_SPACED = ("site_addr", "addr_num", "full_str", "location", "city", "owner1", "own_addr", "own_city")


def typed_records(layer: Layer, file: str) -> dict[str, pa.Array]:
    """The columns of Assess, typed, before any rule.

    Raises:
        BadPackageError: there are no records, or a column that nothing works without is missing.
    """
    if layer.rows.num_rows == 0:
        raise BadPackageError(f"{file}: Assess has no records.", "Fetch the package again from MassGIS.")
    return clean.typed_columns(layer, COLUMNS, required=REQUIRED, aliases=ALIASES, file=file)


def clean_assessments(
    layer: Layer, columns: dict[str, pa.Array], release: Release, *, from_shapefile: bool, parcels: pa.Table
) -> CleanTable:
    """Apply the rules of the sheet to typed records.

    Raises:
        BadPackageError: another town's records, or a lot unit that is neither S nor A.
    """
    release.check_town(columns["town_id"], layer.name)
    quarantine = Quarantine(layer, columns["total_val"])
    duplicate = _full_duplicates(layer)
    quarantine.add(duplicate, "duplicate_row", "dropped")
    columns = _normalized(columns, release, from_shapefile)
    columns |= _sale_columns(columns, release)
    columns["parcel_match"] = match = _parcel_match(columns["loc_id"], parcels["loc_id"].combine_chunks())
    quarantine.add(pc.and_(pc.equal(match, "loc_id_null"), pa.array(~duplicate)), "loc_id_null", "kept")
    quarantine.add(
        pc.and_(pc.equal(match, "loc_id_dangling"), pa.array(~duplicate)), "loc_id_dangling", "kept"
    )
    quarantine.add(pc.and_(columns["prop_id"].is_null(), pa.array(~duplicate)), "prop_id_null", "kept")
    columns["assessment_id"] = _assessment_ids(columns, release)
    table = _assemble(columns, release)
    rows = table.filter(pa.array(~duplicate))
    repeated = _repeated(rows["prop_id"])
    kept_indices = np.flatnonzero(~duplicate)
    for index in np.flatnonzero(repeated):
        quarantine.add_row(int(kept_indices[index]), "prop_id_duplicate", "kept")
    rows = rows.sort_by([("loc_id", "ascending"), ("prop_id", "ascending"), ("assessment_id", "ascending")])
    facts = _facts(rows, parcels) | {
        "unknown_columns": clean.unknown_columns(layer, COLUMNS | dict.fromkeys(ALIASES, "integer"), IGNORED),
        "encoding": layer.encoding,
        "note": release.note,
    }
    return CleanTable(rows, quarantine, layer.rows.num_rows, facts)


def _full_duplicates(layer: Layer) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Rows equal to an earlier one in every column as read (a geodatabase's row number apart)."""
    names = [name for name in layer.rows.column_names if name not in IGNORED]
    texts = [pc.fill_null(pc.cast(layer.rows[name], pa.string()), "\x00") for name in names]
    rows = pc.dictionary_encode(pc.binary_join_element_wise(*texts, "\x1f")).combine_chunks()
    duplicate = np.ones(len(rows), dtype=bool)
    duplicate[np.unique(rows.indices.to_numpy(), return_index=True)[1]] = False
    return duplicate


def _normalized(columns: dict[str, pa.Array], release: Release, from_shapefile: bool) -> dict[str, pa.Array]:
    result = dict(columns)
    for name in _SPACED:
        result[name] = clean.single_spaces(columns[name])
    result["addr_num"] = clean.null_where(result["addr_num"], pc.equal(result["addr_num"], "0"))
    for name in ("ls_book", "ls_page"):  # "0" and "0000" stand for no registration
        result[name] = clean.null_where(columns[name], pc.match_substring_regex(columns[name], "^0+$"))
    codes = pc.unique(columns["use_code"])
    plain = pa.array([use_codes.normalize(code) for code in codes.to_pylist()], pa.string())
    result["use_code"] = plain.take(pc.index_in(columns["use_code"], value_set=codes))
    result["lot_units"] = _lot_units(columns["lot_units"], release)
    if from_shapefile:
        for name in ZERO_IS_NULL_IN_SHAPEFILES:
            result[name] = clean.null_where(columns[name], pc.equal(columns[name], 0))
    return result


def _lot_units(units: pa.Array, release: Release) -> pa.Array:
    upper = pc.utf8_upper(units)
    odd = set(pc.unique(pc.drop_null(upper)).to_pylist()) - {"S", "A"}
    if odd:
        raise BadPackageError(
            f"{release.file}: Assess has LOT_UNITS {', '.join(sorted(map(repr, odd)))}; only S (square feet) "
            "and A (acres) have a meaning.",
            "Lot sizes would be wrong by an unknown factor; ask MassGIS.",
        )
    return upper


def _sale_columns(columns: dict[str, pa.Array], release: Release) -> dict[str, pa.Array]:
    dates = sales.parse_sale_dates(columns["ls_date"], latest=release.seen_on)
    deed = sales.deed_rows(columns["ls_date"], columns["ls_price"], columns["ls_book"], columns["ls_page"])
    return {
        "ls_date_raw": columns["ls_date"],
        "ls_date": dates.date,
        "ls_date_status": dates.status,
        "ls_nominal": sales.nominal(columns["ls_price"]),
        "ls_deed_rows": deed,
        "ls_bulk": sales.bulk(deed),
    }


def _parcel_match(ids: pa.Array, polygons: pa.Array) -> pa.Array:
    found = pc.is_in(ids, value_set=polygons)
    status = pc.case_when(
        pc.make_struct(ids.is_null(), pc.fill_null(found, False)), "loc_id_null", "matched", "loc_id_dangling"
    )
    return pc.cast(status, pa.string())


def _assessment_ids(columns: dict[str, pa.Array], release: Release) -> pa.Array:
    """Town, release and a hash of the record; the same from a shapefile and from a geodatabase.

    The columns in which the formats differ are left out of the hash; records that differ in nothing else
    are told apart by a number.
    """
    names = sorted(set(columns) - {"assessment_id", "parcel_match", "ls_date", "ls_bulk", "ls_deed_rows"})
    names = [name for name in names if name not in ZERO_IS_NULL_IN_SHAPEFILES]
    texts = [pc.fill_null(pc.cast(columns[name], pa.string()), "\x00") for name in names]
    hashes = row_hashes(pc.binary_join_element_wise(*texts, "\x1f")).to_pandas()
    number = hashes.groupby(hashes, sort=False).cumcount().to_numpy()
    prefix = f"{release.town_id:03d}-{release.name}-"
    ids = prefix + hashes
    again = number > 0
    ids[again] += [f"-{n + 1}" for n in number[again]]
    return pa.array(ids, pa.string())


def _assemble(columns: dict[str, pa.Array], release: Release) -> pa.Table:
    count = len(columns["loc_id"])
    everything = {
        **columns,
        **release.columns(count),
        "town_id": pa.repeat(pa.scalar(release.town_id, pa.int32()), count),
        "town_id_in_row": columns["town_id"],
    }
    schema = ASSESSMENTS.schema
    return pa.table([everything[name] for name in schema.names], names=schema.names).cast(_nullable(schema))


def _nullable(schema: pa.Schema) -> pa.Schema:
    """The schema without its not-null marks: the audit, not a cast, reports a null where none may be."""
    return pa.schema([field.with_nullable(True) for field in schema])


def _repeated(prop_ids: pa.ChunkedArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    series = pd.Series(prop_ids.to_pandas())
    return np.asarray((series.duplicated(keep=False) & series.notna()).to_numpy())


def _facts(rows: pa.Table, parcels: pa.Table) -> dict[str, object]:
    """Match rates of the standard, and the rows and dollars that have no polygon."""
    matched = pc.equal(rows["parcel_match"], "matched")
    structure = pc.or_(
        pc.fill_null(pc.greater(rows["bldg_val"], match_rates.STRUCTURE_VALUE), False),
        pc.fill_null(pc.greater(rows["other_val"], match_rates.STRUCTURE_VALUE), False),
    )
    counted = pc.and_(
        pc.is_in(parcels["poly_type"], value_set=pa.array(["FEE", "TAX"])),
        pc.invert(pc.fill_null(pc.equal(parcels["no_match"], "Y"), False)),
    )
    with_record = pc.is_in(parcels["loc_id"], value_set=pc.unique(pc.drop_null(rows["loc_id"])))
    rates = match_rates.match_rates(
        polygons=parcels.num_rows,
        structures=_pair(matched, structure),
        others=_pair(matched, pc.invert(structure)),
        parcels=_pair(with_record, counted),
    )
    unmatched = rows.filter(pc.invert(matched))
    return {
        "match_rates": {r.name: [r.matched, r.total, r.minimum] for r in rates},
        "unmatched_records": unmatched.num_rows,
        "unmatched_dollars": int(pc.sum(unmatched["total_val"]).as_py() or 0),
        "dollars": int(pc.sum(rows["total_val"]).as_py() or 0),
        "polygons_without_record": _pair(pc.invert(with_record), counted)[0],
        "sale_dates": {
            str(c["values"]): c["counts"] for c in rows["ls_date_status"].value_counts().to_pylist()
        },
    }


def _pair(condition: pa.ChunkedArray, among: pa.ChunkedArray) -> tuple[int, int]:
    """How many of ``among`` hold ``condition``, and how many ``among`` are."""
    return int(pc.sum(pc.and_(condition, among)).as_py() or 0), int(pc.sum(among).as_py() or 0)
