"""What an export is: its formats, its request, and what each column is shown as.

Nothing here does I/O. Every format takes the same columns; those with geometry need a few more to find
the parcel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from leadflow_assets import __version__
from leadflow_assets.errors import UsageError
from leadflow_assets.lake.tables import LEADS, PROPERTIES
from leadflow_assets.search.columns import CASE_COLUMNS, LEAD_STATE_COLUMNS, SCORE_COLUMNS

FORMATS = ("csv", "xlsx", "geojson", "geoparquet", "map")
SUFFIXES = {"csv": ".csv", "xlsx": ".xlsx", "geojson": ".geojson", "geoparquet": ".parquet", "map": ".html"}
XLSX_MAX_ROWS = 1_048_575  # 1,048,576 of a sheet, less the header
MAP_MAX_ROWS = 20_000  # about ten megabytes of page; drawn in a second

SOURCE_NOTE = "Source: MassGIS (Bureau of Geographic Information), Property Tax Parcels."
USE_NOTE = (
    "Public assessing records, with errors and delays of their own. Not for credit, tenant or employment "
    "screening. Owner names and mailing addresses are personal data."
)

_DEGREES = ("lon", "lat")
_METRES = ("point_x", "point_y")
_PARCEL = ("town_id", "loc_id")
# What a popup leaves out: keys, positions, provenance (said once below the map) and parts of other fields.
_NOT_ON_A_MAP = frozenset(
    {
        *("property_id", "town_id", "cama_id", "assessment_id", "poly_type", "address_key", "address_kind"),
        *("house_number", "house_number_high", "street_normalized", "is_condominium_master"),
        *("owner_key", "owner_words", "mailing_key", "owner_count", "owner_type_rule", "use_code"),
        *("lon", "lat", "point_x", "point_y", "release", "source", "source_date", "fetched_at", "sources"),
        *("land_value", "building_value", "sale_is_nominal", "sale_is_bulk", "value_change", "owners"),
        *("attom_id", "equity_source_date"),
    }
)
_ALWAYS_ON_A_MAP = ("site_address", "category")

_KINDS = {
    **dict.fromkeys(
        (
            *(
                "total_value",
                "land_value",
                "building_value",
                "other_value",
                "last_sale_price",
                "value_change",
            ),
            *("mortgage_amount", "loan_balance", "available_equity", "avm_value"),
            *("equity_low", "equity_mid", "equity_high"),
        ),
        "money",
    ),
    **dict.fromkeys(("value_change_percent", "value_annual_rate", "equity_percent"), "percent"),
    **dict.fromkeys(("lot_acres", "tenure_years"), "decimal"),
    **dict.fromkeys(("building_sqft", "residential_sqft", "lot_sqft", "parcel_sqft"), "count"),
}


@dataclass(frozen=True)
class ExportRequest:
    """What to write, and everything needed to make it again.

    ``criteria`` is the JSON of the search; ``freshness`` has one mapping per town (town_id, town, release,
    fiscal_year, source_date, fetched_at, records, sha256 of the table read); ``sort`` and ``as_of`` are
    what the search was asked with. ``expected_rows`` lets a format refuse before anything is written.
    ``bom`` puts a byte order mark in front of a CSV, for Excel.
    """

    path: Path
    format: str
    criteria: Mapping[str, Any]
    freshness: Sequence[Mapping[str, Any]]
    notes: Sequence[str]
    columns: Sequence[str]
    list_name: str | None = None
    program: str = __version__
    sort: Sequence[str] = ()
    as_of: str | None = None
    expected_rows: int | None = None
    bom: bool = False


@dataclass(frozen=True)
class Export:
    """A finished export: the file, its sidecar, its rows and the SHA-256 of the file."""

    path: Path
    sidecar: Path
    rows: int
    format: str
    sha256: str


@dataclass
class Counts:
    """What a writer met: rows, and how many were drawn as an outline, as a point, or had no place.

    ``remarks`` are sentences about the file as a whole, for its sidecar.
    """

    rows: int = 0
    outlines: int = 0
    points: int = 0
    placeless: int = 0
    remarks: list[str] = field(default_factory=list)

    def add(self, outlined: NDArray[np.bool_], placed: NDArray[np.bool_]) -> None:
        """Count the rows of a batch: which have an outline, which have at least a point."""
        self.rows += len(outlined)
        self.outlines += int(outlined.sum())
        self.points += int((placed & ~outlined).sum())
        self.placeless += int((~placed & ~outlined).sum())


# Polygons (WKB, EPSG:26986) of parcels by (town_id, loc_id); a parcel without one is left out.
OutlineReader = Callable[[Sequence[tuple[int, str]]], Mapping[tuple[int, str], bytes]]


@dataclass(frozen=True)
class Rows:
    """What a writer reads: batches with at least the needed columns, and a way to the parcels' outlines."""

    batches: Iterable[pa.RecordBatch]
    schema: pa.Schema
    outlines: OutlineReader | None = None


def require_format(name: str) -> None:
    """Accept one of :data:`FORMATS`.

    Raises:
        UsageError: it is none; lists them.
    """
    if name not in FORMATS:
        raise UsageError(f"There is no export format {name!r}.", "Formats: " + ", ".join(FORMATS) + ".")


def shown_columns(format: str, columns: Sequence[str]) -> tuple[str, ...]:
    """The columns that end up in the file: all that are asked for, on a map those that tell something.

    Raises:
        UsageError: no column is named, or one twice.
    """
    if not columns or len(set(columns)) < len(columns):
        raise UsageError("The columns of an export must be named, each of them once.", "Check --columns.")
    if format != "map":
        return tuple(columns)
    chosen = [name for name in columns if name not in _NOT_ON_A_MAP]
    return (*chosen, *(name for name in _ALWAYS_ON_A_MAP if name not in chosen))


def needed_columns(format: str, columns: Sequence[str]) -> tuple[str, ...]:
    """The columns a format reads: those shown, then what it needs to find and place the parcel.

    Raises:
        UsageError: no such format, no column, or one twice.
    """
    require_format(format)
    more = {
        "geojson": (*_PARCEL, *_DEGREES),
        "geoparquet": (*_PARCEL, *_METRES),
        "map": (*_PARCEL, *_DEGREES),
    }.get(format, ())
    return tuple(dict.fromkeys((*shown_columns(format, columns), *more)))


def kind(name: str, type_: pa.DataType) -> str:
    """How a column is shown.

    text, money (dollars), percent, decimal, count (with thousands separators), number (as it is: years,
    ids), boolean, date or time.
    """
    if pa.types.is_boolean(type_):
        return "boolean"
    if pa.types.is_date(type_):
        return "date"
    if pa.types.is_timestamp(type_):
        return "time"
    if pa.types.is_integer(type_) or pa.types.is_floating(type_):
        return _KINDS.get(name, "number")
    return "text"


def describe_column(name: str) -> str:
    """What the data dictionary says about a column; empty for one that it does not know."""
    for known in (CASE_COLUMNS, SCORE_COLUMNS, LEAD_STATE_COLUMNS):
        if name in known:
            return known[name]
    for table in (PROPERTIES, LEADS):
        spec = table.model.to_schema().columns.get(name) if table.model is not None else None
        if spec is not None and spec.description:
            return str(spec.description)
    return ""


def label(name: str) -> str:
    """A column's name for people: ``building_sqft`` becomes ``Building sq ft``."""
    words = ["sq ft" if word == "sqft" else word for word in name.split("_")]
    words = [word.upper() if word in ("zip", "id", "attom", "avm") else word for word in words]
    text = "LOC_ID" if name == "loc_id" else " ".join(words)
    return text[:1].upper() + text[1:]
