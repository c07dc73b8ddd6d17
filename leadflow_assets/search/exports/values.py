"""Cells on their way out: a few plain Arrow types, ISO text for days and times, JSON for lists."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from leadflow_assets.errors import UsageError


def plain(batch: pa.RecordBatch, columns: Sequence[str]) -> pa.Table:
    """The columns of a batch in few types: text, numbers, booleans, days, UTC seconds, lists, structs.

    Raises:
        UsageError: a column holds bytes (geometry), which no format writes as a column.
    """
    return pa.table([_plain(name, batch.column(name)) for name in columns], names=list(columns))


def _plain(name: str, values: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    type_ = values.type
    if pa.types.is_large_string(type_) or pa.types.is_null(type_) or type_ == pa.string_view():
        return values.cast(pa.string())
    if pa.types.is_decimal(type_):
        return values.cast(pa.float64())
    if pa.types.is_floating(type_):
        # Not a number, or infinite: there is no value.
        return pc.if_else(pc.is_finite(values), values, pa.scalar(None, type_))
    if pa.types.is_timestamp(type_):
        # Through the number: Arrow would ask the system's time zones, which a small machine lacks.
        seconds = values.cast(pa.timestamp("s", tz=type_.tz), safe=False)
        return seconds.cast(pa.int64()).cast(pa.timestamp("s"))
    if pa.types.is_binary(type_) or pa.types.is_large_binary(type_):
        raise UsageError(f"The column {name} holds bytes and cannot be exported.", "Leave it out.")
    return values


def no_rows(schema: pa.Schema) -> pa.RecordBatch:
    """A batch of that shape without rows."""
    return pa.RecordBatch.from_arrays([pa.array([], type_) for type_ in schema.types], schema=schema)


def days_as_text(table: pa.Table) -> pa.Table:
    """Days as ``2026-11-22``, times as ``2026-11-22T14:30:00Z``."""
    for index, field in enumerate(table.schema):
        if pa.types.is_date(field.type):
            table = table.set_column(index, field.name, table[index].cast(pa.string()))
        elif pa.types.is_timestamp(field.type):
            text = pc.strftime(table[index], format="%Y-%m-%dT%H:%M:%SZ")
            table = table.set_column(index, field.name, text)
    return table


def lists_as_text(table: pa.Table) -> pa.Table:
    """Lists and structs as JSON text, for formats whose cells hold one value."""
    for index, field in enumerate(table.schema):
        if pa.types.is_nested(field.type):
            texts = [None if value is None else to_json(value) for value in table[index].to_pylist()]
            table = table.set_column(index, field.name, pa.array(texts, pa.string()))
    return table


def records(table: pa.Table) -> Iterator[list[Any]]:
    """The rows of a table as lists of values that JSON knows."""
    table = days_as_text(table)
    columns = [
        [_proper(value) for value in column.to_pylist()]
        if pa.types.is_nested(column.type)
        else column.to_pylist()
        for column in table.columns
    ]
    return map(list, zip(*columns, strict=True))


def to_json(value: Any) -> str:
    """Compact JSON; days and times as ISO text, no value for what is no number."""
    return encode(_proper(value))


# Compact JSON of what holds JSON's types only, such as a row of :func:`records`.
encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def _proper(value: Any) -> Any:
    """The same value in JSON's types."""
    if isinstance(value, dict):
        return {str(key): _proper(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_proper(item) for item in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
