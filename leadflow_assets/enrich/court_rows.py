"""Between the records of court cases and the rows of their tables: written, and read back the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from decimal import Decimal
from typing import Any, TypeVar

import pyarrow as pa

from leadflow_assets.domain.courts.model import CourtCase, CourtParty
from leadflow_assets.domain.courts.rows import RawDocket
from leadflow_assets.lake.tables import COURT_CASES, COURT_DOCKETS, COURT_PARTIES, Table

Record = TypeVar("Record", RawDocket, CourtCase, CourtParty)
_TABLES: dict[type[Any], Table] = {
    RawDocket: COURT_DOCKETS,
    CourtCase: COURT_CASES,
    CourtParty: COURT_PARTIES,
}
_MONEY = frozenset({"amount_claimed", "judgment_amount", "lien_amount"})


def to_rows(records: Sequence[Record], kind: type[Record]) -> pa.Table:
    """The records as rows of their table, in their order. ``kind`` is theirs, since there may be none."""
    schema = _TABLES[kind].schema
    columns = [
        pa.array([_plain(getattr(record, field.name)) for record in records], field.type) for field in schema
    ]
    return pa.table(columns, schema=schema)


def from_rows(rows: pa.Table, kind: type[Record]) -> list[Record]:
    """The records that a table's rows were written from."""
    names = [field.name for field in fields(kind)]
    columns = {name: rows[name].to_pylist() for name in names}
    for name in _MONEY & set(names):
        columns[name] = [None if value is None else _dollars(value) for value in columns[name]]
    return [kind(**dict(zip(names, values, strict=True))) for values in zip(*columns.values(), strict=True)]


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value


def _dollars(value: float) -> Decimal:
    return Decimal(str(value)).quantize(Decimal("0.01"))
