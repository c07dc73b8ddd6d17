"""Reading what an address-batch service sends back: a CSV of unknown columns, one row per address.

No public page describes it. Columns are known by the names that ATTOM's delivered files give them, or by the
names of our own fields, in any case and punctuation; the rest is kept as JSON.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

import pyarrow as pa

from leadflow_assets.errors import SourceAnswerError
from leadflow_assets.sources.attom import values
from leadflow_assets.sources.attom.bulk_layouts import (
    ATTOM_ID,
    AVM,
    LOAN_MODEL,
    PROPENSITY,
    TAX_ASSESSOR,
    UPDATED_ON,
)
from leadflow_assets.sources.attom.foreclosures import stage
from leadflow_assets.sources.attom.keys import plain_key
from leadflow_assets.sources.attom.record import GROUPS, AttomProperty, arrow_fields, group_fields
from leadflow_assets.sources.http import page_kind

SOURCE = "batch"
_DELIMITERS = ",\t|;"
Read = Callable[[object], Any]
_READERS: dict[str, Read] = {
    "text": values.text,
    "number": values.number,
    "number0": lambda value: values.number(value, zero=True),
    "amount": values.amount,
    "amount0": lambda value: values.amount(value, zero=True),
    "signed0": lambda value: values.integer(value, zero=True),
    "rate": values.rate,
    "year": values.year,
    "day": values.day,
    "flag": values.flag,
    "mark": lambda value: values.flag(value) or None,
    "occupied": values.owner_occupied,
}
_KINDS: dict[pa.DataType, str] = {
    pa.string(): "text",
    pa.int64(): "amount",
    pa.float64(): "number",
    pa.date32(): "day",
    pa.bool_(): "flag",
}
# The address as it was uploaded, repeated in the result.
_ASKED = {
    "line": ("inputaddress", "address", "address1", "streetaddress", "street"),
    "city": ("inputcity", "city"),
    "state": ("inputstate", "state"),
    "zip": ("inputzip", "zip", "zipcode", "postalcode"),
}


class AddressKey(NamedTuple):
    """An address without case, punctuation and the zeros of a ZIP that spreadsheets eat."""

    line: str
    city: str
    zip_code: str

    @classmethod
    def of(cls, line: str, city: str, zip_code: str) -> AddressKey:
        """The same for the same address however it is written."""
        return cls(
            plain_key(line), plain_key(city), plain_key(zip_code.strip().partition("-")[0].lstrip("0"))
        )


@dataclass(frozen=True)
class ResultRow:
    """One row. ``address`` is what was asked, None where the row does not repeat it.

    ``body`` is the row as sent, as JSON; ``record`` None where it names no property; ``is_broken`` where it
    has not the columns of the header.
    """

    address: AddressKey | None
    attom_id: int | None
    record: AttomProperty | None
    body: str
    is_broken: bool = False


def read_result(content: bytes, fetched_at: datetime) -> list[ResultRow]:
    """The rows of a result, in order.

    Raises:
        SourceAnswerError: a page instead of a table, or a table without a column of ATTOM ids.
    """
    if page_kind(content[:400]):
        raise SourceAnswerError("The result of the batch is no CSV.", "See the archived file.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(_DELIMITERS, key=first.count))
    try:
        header, *rows = [cells for cells in reader if cells] or [[]]
    except csv.Error:
        raise SourceAnswerError("The result of the batch is no CSV.", "See the archived file.") from None
    header = [name.strip() for name in header]
    if not {plain_key(name) for name in header} & set(ATTOM_ID):
        raise SourceAnswerError(
            "The result of the batch has no column of ATTOM ids.", "See the archived file; it is kept."
        )
    return [_row(header, cells, fetched_at) for cells in rows]


def _row(header: Sequence[str], cells: Sequence[str], fetched_at: datetime) -> ResultRow:
    sent = dict(zip(header, cells, strict=False))
    body = json.dumps(sent, ensure_ascii=False)
    if len(cells) != len(header):
        return ResultRow(None, None, None, body, is_broken=True)
    said: dict[str, str] = {}
    for name, cell in sent.items():
        if cell.strip():
            said.setdefault(plain_key(name), cell)
    attom_id = next((found for name in ATTOM_ID if (found := values.integer(said.get(name)))), None)
    if attom_id is None or attom_id <= 0:
        return ResultRow(_asked(said), None, None, body)
    unknown = {name: cell for name, cell in sent.items() if cell.strip() and plain_key(name) not in _known()}
    other = json.dumps(unknown, ensure_ascii=False) if unknown else None
    return ResultRow(_asked(said), attom_id, _record(attom_id, said, other, fetched_at), body)


def _asked(said: Mapping[str, str]) -> AddressKey | None:
    """What was asked, where the row repeats at least line and town or ZIP."""
    line, city, _, zip_code = (
        next((said[name] for name in names if name in said), "") for names in _ASKED.values()
    )
    return AddressKey.of(line, city, zip_code) if line and (city or zip_code) else None


def _record(attom_id: int, said: Mapping[str, str], other: str | None, fetched_at: datetime) -> AttomProperty:
    known: dict[str, Any] = {"attom_id": attom_id, "other_columns": other}
    for field, sources in _sources().items():
        found = (read(said[name]) for name, read in sources if name in said)
        known[field] = next((value for value in found if value is not None), None)
    known["foreclosure_stage"] = stage(known["foreclosure_record_type"])
    for name, most in (("longitude", 180), ("latitude", 90)):
        if known[name] is not None and abs(known[name]) > most:
            known[name] = None
    published = next((day for name in UPDATED_ON if (day := values.day(said.get(name)))), None)
    for group in GROUPS:
        if any(known.get(name) is not None for name in group_fields(group)):
            known |= {f"{group}_source": SOURCE, f"{group}_fetched_at": fetched_at}
            known[f"{group}_source_date"] = known["avm_date"] if group == "avm" else published
            if group == "equity":
                known["equity_is_estimate"] = True
    return AttomProperty(**known)


@cache
def _sources() -> dict[str, tuple[tuple[str, Read], ...]]:
    """For each scalar field the columns that may hold it, best first, and how each is read."""
    found: dict[str, list[tuple[str, Read]]] = {}
    for layout in (TAX_ASSESSOR, LOAN_MODEL, AVM, PROPENSITY):
        for column in layout.columns:
            if "." not in column.field:
                read = _READERS[column.kind]
                found.setdefault(column.field, []).extend((name, read) for name in column.names)
    schema = arrow_fields()
    for group in GROUPS:
        for name in group_fields(group):
            kind = _KINDS.get(schema.field(name).type)
            if kind is None or name == "equity_is_estimate":
                continue
            read = (
                found[name][0][1] if name in found else _READERS["rate" if name.endswith("_rate") else kind]
            )
            found.setdefault(name, []).append((plain_key(name), read))
    return {field: tuple(dict.fromkeys(sources)) for field, sources in found.items()}


@cache
def _known() -> frozenset[str]:
    """Plain names of columns that something is made from."""
    fields = {name for sources in _sources().values() for name, _ in sources}
    asked = {name for names in _ASKED.values() for name in names}
    return frozenset({*fields, *asked, *ATTOM_ID, *UPDATED_ON})
