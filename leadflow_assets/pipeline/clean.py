"""From a source's columns to typed ones: text is trimmed, blanks are null, numbers are numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from leadflow_assets.errors import BadPackageError
from leadflow_assets.sources.massgis.reader import GEOMETRY, Layer

Kind = Literal["text", "integer", "number"]
_BLANKS = " \t\r\n\x00\u00a0"
_EXACT = 2.0**53  # beyond it a float does not hold every whole number
_WHOLE = r"^[+-]?\d{1,15}(\.0*)?$"
_NUMBER = r"^[+-]?\d{1,15}(\.\d*)?$"


def typed_columns(
    layer: Layer,
    kinds: Mapping[str, Kind],
    *,
    required: Sequence[str],
    aliases: Mapping[str, str] | None = None,
    file: str,
) -> dict[str, pa.Array]:
    """The wanted columns of a layer, by lower-case name, each of its kind; absent ones are all null.

    ``aliases`` maps an older name to the one of today. Geometry is left out.

    Raises:
        BadPackageError: a required column is missing.
    """
    names = {(aliases or {}).get(name, name): name for name in layer.rows.column_names}
    missing = [name for name in required if name not in names]
    if missing:
        raise BadPackageError(
            f"{file}: {layer.name} has no column {', '.join(missing)}.",
            "It is not a Level 3 package of the MassGIS standard; fetch it again from MassGIS.",
        )
    columns: dict[str, pa.Array] = {}
    for name, kind in kinds.items():
        source = layer.rows[names[name]].combine_chunks() if name in names else None
        columns[name.lower()] = _convert(source, kind, layer.rows.num_rows)
    return columns


def unknown_columns(layer: Layer, kinds: Mapping[str, Kind], ignored: Sequence[str]) -> list[str]:
    """Columns of the layer that the standard does not know; they are not read."""
    return sorted(set(layer.rows.column_names) - set(kinds) - set(ignored) - {GEOMETRY})


def _convert(values: pa.Array | None, kind: Kind, rows: int) -> pa.Array:
    target = {"text": pa.string(), "integer": pa.int64(), "number": pa.float64()}[kind]
    if values is None:
        return pa.nulls(rows, target)
    if kind == "text":
        return text(values)
    if pa.types.is_string(values.type):
        return _parse(text(values), _WHOLE if kind == "integer" else _NUMBER, target)
    if pa.types.is_floating(values.type):
        values = null_where(values, pc.invert(pc.is_finite(values)))
        if kind == "integer":
            values = pc.round(null_where(values, pc.greater(pc.abs(values), _EXACT)))
    return pc.cast(values, target, safe=False)


def _parse(values: pa.Array, pattern: str, target: pa.DataType) -> pa.Array:
    """Numbers out of text; what is no number is null."""
    fits = pc.fill_null(pc.match_substring_regex(values, pattern), False)
    numbers = pc.cast(pc.if_else(fits, values, pa.scalar(None, pa.string())), pa.float64())
    return pc.cast(numbers, target, safe=False)


def text(values: pa.Array) -> pa.Array:
    """Trimmed text, blank as null. Whole numbers lose a decimal point (25.0 is the id 25)."""
    if pa.types.is_floating(values.type):
        values = null_where(values, pc.invert(pc.is_finite(values)))
        exact = pc.less(pc.abs(values), _EXACT)
        whole = pc.fill_null(pc.and_(exact, pc.equal(pc.floor(values), values)), False)
        as_whole = pc.cast(pc.cast(values, pa.int64(), safe=False), pa.string())
        values = pc.if_else(whole, as_whole, pc.cast(values, pa.string()))
    elif not pa.types.is_string(values.type):
        values = pc.cast(values, pa.string())
    trimmed = pc.utf8_trim(values, characters=_BLANKS)
    return pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)


def single_spaces(values: pa.Array) -> pa.Array:
    """Runs of white space become one space."""
    # Three plain searches cost a twentieth of the replacement, and most columns have nothing to replace.
    if not any(pc.any(pc.match_substring(values, gap)).as_py() for gap in ("  ", "\t", "\u00a0", "\n", "\r")):
        return values
    return pc.replace_substring_regex(values, r"[\s\x{00A0}]+", " ")


def null_where(values: pa.Array, condition: pa.Array) -> pa.Array:
    """``values`` with null wherever ``condition`` holds (a null condition does not hold)."""
    return pc.if_else(pc.fill_null(condition, False), pa.scalar(None, values.type), values)


def day(values: pa.Array) -> pa.Array:
    """YYYYMMDD texts as dates; null where they are none."""
    shaped = pc.fill_null(pc.match_substring_regex(values, r"^[1-9]\d{7}$"), False)
    parsed = pc.strptime(
        pc.if_else(shaped, values, pa.scalar(None, pa.string())),
        format="%Y%m%d",
        unit="s",
        error_is_null=True,
    )
    # strptime takes 31 February for 3 March: only a date that reads back the same is one.
    same = pc.equal(pc.strftime(parsed, format="%Y%m%d"), values)
    return null_where(pc.cast(parsed, pa.date32()), pc.invert(same))
