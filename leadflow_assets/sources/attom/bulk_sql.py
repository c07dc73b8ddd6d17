"""The SQL of loading: from columns of text to typed rows, from rows to properties."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path

import pyarrow as pa

from leadflow_assets.sources.attom.bulk_file import DeliveredFile
from leadflow_assets.sources.attom.bulk_layouts import (
    ATTOM_ID,
    DELETED_ON,
    POSITIONS,
    RECORDER,
    TRANSACTION_ID,
    UPDATED_ON,
    Column,
    Layout,
)
from leadflow_assets.sources.attom.bulk_values import KINDS
from leadflow_assets.sources.attom.foreclosures import CREDITORS, STAGES
from leadflow_assets.sources.attom.keys import plain_key
from leadflow_assets.sources.attom.record import arrow_fields, group_fields

# DuckDB's buffers are a multiple of it, for each thread.
_MAX_LINE_BYTES = 1 << 19


def quoted(path: Path | str) -> str:
    """Fit to stand between single quotes."""
    return str(path).replace("'", "''")


def parquet(paths: Sequence[Path]) -> str:
    """Staged files, with the number of each row."""
    listed = ", ".join(f"'{quoted(path)}'" for path in paths)
    return f"read_parquet([{listed}], file_row_number = true)"


def identifier(name: str) -> str:
    """A column's name fit to stand in a statement."""
    return '"' + name.replace('"', '""') + '"'


def file_metadata(facts: Mapping[str, str]) -> str:
    """Facts to be written into a Parquet file, as an option of COPY."""
    pairs = ", ".join(f"'{quoted(name)}': '{quoted(value)}'" for name, value in facts.items())
    return f", KV_METADATA {{{pairs}}}" if pairs else ""


def _scan(file: DeliveredFile) -> str:
    """The file as columns c0, c1, ... of text; lines that do not fit are set aside."""
    columns = ", ".join(f"'c{n}': 'VARCHAR'" for n in range(len(file.header)))
    quote = "'\"'" if file.quoted else "''"
    delimiter = "\\t" if file.delimiter == "\t" else file.delimiter
    return (
        f"read_csv('{quoted(file.path)}', columns = {{{columns}}}, auto_detect = false, header = true, "
        f"delim = '{delimiter}', quote = {quote}, escape = {quote}, encoding = '{file.encoding}', "
        f"max_line_size = {_MAX_LINE_BYTES}, store_rejects = true, rejects_limit = 0, nullstr = '')"
    )


def _first(keys: Sequence[str], names: Sequence[str]) -> str | None:
    """The column that stands for the first of the names in the header."""
    return next((f"c{keys.index(name)}" for name in names if name in keys), None)


def _used(layout: Layout) -> tuple[Column, ...]:
    return layout.columns + layout.records


@cache
def _documented() -> dict[str, frozenset[str]]:
    """The columns that the vendor documents, by dataset: those no field is made from stay in the file."""
    found: dict[str, set[str]] = {}
    with (Path(__file__).parent / "documented_columns.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["dataset"], set()).add(row["column"])
    return {dataset: frozenset(columns) for dataset, columns in found.items()}


def unknown_columns(header: Sequence[str], layout: Layout) -> list[int]:
    """Places of the columns that neither a field is made from nor the vendor documents."""
    known = {name for column in _used(layout) for name in column.names}
    known |= {*ATTOM_ID, *TRANSACTION_ID, *UPDATED_ON, DELETED_ON, *_documented().get(layout.name, ())}
    return [index for index, name in enumerate(header) if plain_key(name) not in known]


def typed_rows(file: DeliveredFile, layout: Layout, number: int = 0) -> str:
    """The rows of a file: an id, the layout's fields in their types, the rest as JSON, marks of order."""
    keys = file.plain_header
    parsed, kept = [], []
    for column in _used(layout):
        sources = [f"c{keys.index(name)}" for name in column.names if name in keys]
        kind = KINDS[column.kind]
        name = identifier(column.field)
        if not sources:
            kept.append(f"{kind.keep('CAST(NULL AS ' + _parsed_type(column.kind) + ')')} AS {name}")
            continue
        # Several columns: the first that says something.
        values = [kind.parse(source) for source in sources]
        parsed.append(f"{values[0] if len(values) == 1 else _first_kept(kind.keep, values)} AS {name}")
        kept.append(f"{kind.keep(name)} AS {name}")
    ids = _first(keys, ATTOM_ID)
    updated = [KINDS["day"].parse(source) for name in UPDATED_ON if (source := _first(keys, [name]))]
    parsed += [
        f"TRY_CAST(trim({ids}) AS BIGINT) AS attom_id",
        f"trim({_first(keys, TRANSACTION_ID) or 'NULL'}) AS _record_id",
        f"{'coalesce(' + ', '.join(updated) + ')' if updated else 'CAST(NULL AS DATE)'} AS _updated",
        f"{_day_of(keys, 'publicationdate')} AS _published",
        f"{_first(keys, [DELETED_ON]) or 'NULL'} IS NOT NULL AS _deleted",
        f"{_other_columns(file.header, layout)} AS other_columns",
    ]
    kept += [
        "CASE WHEN attom_id > 0 THEN attom_id END AS attom_id",
        "_record_id",
        "_updated",
        "_published",
        "_deleted",
        "other_columns",
        f"{number} AS _file",
    ]
    return f"SELECT {', '.join(kept)} FROM (SELECT {', '.join(parsed)} FROM {_scan(file)})"


def _first_kept(keep: object, values: Sequence[str]) -> str:
    assert callable(keep)
    tests = " ".join(f"WHEN {keep(f'({value})')} IS NOT NULL THEN {value}" for value in values)
    return f"CASE {tests} END"


def _parsed_type(kind: str) -> str:
    if kind == "day":
        return "DATE"
    if kind == "text":
        return "VARCHAR"
    return "BOOLEAN" if kind in ("flag", "mark", "occupied") else "DOUBLE"


def _day_of(keys: Sequence[str], name: str) -> str:
    source = _first(keys, [name])
    return KINDS["day"].parse(source) if source else "CAST(NULL AS DATE)"


def _other_columns(header: Sequence[str], layout: Layout) -> str:
    """Unknown columns as a JSON object of those that say something; null where none does."""
    # An empty cell is null, a null makes its entry null, and concat_ws leaves nulls out.
    entries = ", ".join(
        f"'{quoted(json.dumps(header[index]))}:' || to_json(c{index})"
        for index in unknown_columns(header, layout)
    )
    return f"'{{' || nullif(concat_ws(',', {entries}), '') || '}}'" if entries else "CAST(NULL AS VARCHAR)"


def deletion_rows(file: DeliveredFile, key: Sequence[str], number: int) -> str:
    """The rows of a list of deletions."""
    keys = file.plain_header
    record = next(
        (f"trim(c{keys.index(name)})" for name in key if name in TRANSACTION_ID), "CAST(NULL AS VARCHAR)"
    )
    ids = _first(keys, ATTOM_ID)
    return f"SELECT TRY_CAST(trim({ids}) AS BIGINT), {record}, {number} FROM {_scan(file)}"


def property_rows(layout: Layout, source: str, fetched_at: datetime) -> str:
    """Rows of AttomProperty: one per typed row, or one per property with all its records."""
    known = {"attom_id": "attom_id"}
    if layout.many_rows:
        source = f"({_grouped(layout, source)})"
        known |= {name: f"newest.{identifier(part)}" for name, part in layout.current.items()}
        known[layout.record_list] = "records"
        known["other_columns"] = "other_columns"
    else:
        known |= {
            column.field: identifier(column.field) for column in layout.columns if "." not in column.field
        }
        known["other_columns"] = "other_columns"
    for name, most in (("longitude", 180), ("latitude", 90)):
        if name in known:
            known[name] = f"CASE WHEN abs({name}) <= {most} THEN {name} END"
    if layout.name == "TAX_ASSESSOR":
        known["last_sale_is_nominal"] = (
            "CASE WHEN last_sale_date IS NOT NULL THEN last_sale_price IS NULL END"
        )
    if layout.name == "LOAN_MODEL":
        known["open_loans"] = _open_loans()
        known["equity_is_estimate"] = "true"
    if layout.name == RECORDER.name:
        known |= _recorder_mortgages()
    for group in layout.groups:
        known |= _origin(layout, group, known, fetched_at)
    columns = (
        f"CAST({known.get(f.name, 'NULL')} AS {_sql_type(f.type)}) AS {identifier(f.name)}"
        for f in arrow_fields()
    )
    return f"SELECT {', '.join(columns)} FROM {source}"


def _origin(layout: Layout, group: str, known: dict[str, str], fetched_at: datetime) -> dict[str, str]:
    """Where a group came from; null where the file says nothing of it for the property."""
    facts = [known[name] for name in group_fields(group) if name in known and known[name] != "true"]
    spoken = " OR ".join(f"{fact} IS NOT NULL" for fact in facts)
    when = "avm_date" if group == "avm" else "_published"
    moment = fetched_at.isoformat()
    return {
        f"{group}_source": f"CASE WHEN {spoken} THEN '{layout.name}' END",
        f"{group}_source_date": f"CASE WHEN {spoken} THEN {when} END",
        f"{group}_fetched_at": f"CASE WHEN {spoken} THEN TIMESTAMPTZ '{moment}' END",
        **({"equity_is_estimate": f"CASE WHEN {spoken} THEN true END"} if group == "equity" else {}),
    }


def _open_loans() -> str:
    """The open positions of LOAN_MODEL; a position without an amount is no loan."""
    loans = []
    for number, position in enumerate(POSITIONS, 1):

        def part(name: str, position: str = position) -> str:
            return identifier(f"{position}.{name}")

        names = ("original_amount", "recording_date", "kind", "rate", "document_number")
        facts = {"position": str(number), **{name: part(name) for name in names}}
        facts["lender"] = f"nullif(concat_ws(' ', {part('lender')}, {part('lender_last')}), '')"
        loan = ", ".join(f"'{name}': {facts[name]}" for name in _parts_of("open_loans"))
        loans.append(f"CASE WHEN {part('original_amount')} IS NOT NULL THEN {{{loan}}} END")
    found = f"list_filter([{', '.join(loans)}], lambda loan: loan IS NOT NULL)"
    return f"CASE WHEN len({found}) > 0 THEN {found} END"


def _parts_of(name: str) -> list[str]:
    """The names of the parts of a list's entries, in order."""
    return [part.name for part in arrow_fields().field(name).type.value_type]


def _grouped(layout: Layout, source: str) -> str:
    """One row per property: its records newest first, the newest, the rest of the columns, the dates."""
    newest = f"coalesce({', '.join(map(identifier, layout.newest_by))}, DATE '0001-01-01')"
    order = f"{newest} DESC, _record_id DESC NULLS LAST"
    wanted = arrow_fields().field(layout.record_list).type.value_type
    made = _made_fields(layout)
    present = {column.field for column in layout.records} | set(made)
    parts = ", ".join(
        f"'{f.name}': {made.get(f.name, identifier(f.name)) if f.name in present else 'NULL'}" for f in wanted
    )
    record = f"CAST({{{parts}}} AS {_sql_type(wanted)})"
    extra = ""
    if layout.name == RECORDER.name:
        names = [c.field for c in layout.records if c.field.startswith("mortgage")]
        loan = ", ".join(f"'{name}': {identifier(name)}" for name in names)
        lent = '"mortgage1.amount" IS NOT NULL'
        extra = f", first({{{loan}}} ORDER BY {order}) FILTER (WHERE {lent}) AS loan"
    return (
        f"SELECT attom_id, list({record} ORDER BY {order}) AS records, "
        f"first({record} ORDER BY {order}) AS newest, max(_published) AS _published, "
        "CASE WHEN count(other_columns) > 0 THEN '[' || string_agg(other_columns, ',' "
        f"ORDER BY {order}) || ']' END AS other_columns{extra} FROM {source} GROUP BY attom_id"
    )


def _made_fields(layout: Layout) -> dict[str, str]:
    """Parts of a record that are worked out from others."""
    if layout.name == "PREFORECLOSURE":
        stages = " ".join(f"WHEN '{code}' THEN '{word}'" for code, word in STAGES.items())
        kinds = " ".join(f"WHEN '{code}' THEN '{word}'" for code, word in CREDITORS.items())
        return {
            "stage": f"CASE upper(record_type) {stages} END",
            "creditor_kind": f"CASE WHEN loan_number IS NOT NULL THEN CASE upper(loan_number) {kinds} "
            "ELSE 'lender' END END",
        }
    if layout.name == RECORDER.name:
        return {"is_nominal": "coalesce(quitclaim, false) OR price IS NULL"}
    return {}


def _recorder_mortgages() -> dict[str, str]:
    """The mortgages of the newest deed or mortgage document that names one."""
    known = {}
    for number, prefix in ((1, "mortgage"), (2, "second_mortgage")):

        def part(name: str, number: int = number) -> str:
            return "loan." + identifier(f"mortgage{number}.{name}")

        for name in (
            "amount",
            "rate",
            "rate_type",
            "lender",
            "date",
            "due_date",
            "loan_type",
            "document_number",
        ):
            known[f"{prefix}_{name}"] = part(name)
        # Years and months both occur; a term without a unit is in months.
        in_years = f"starts_with(upper(coalesce({part('term_type')}, '')), 'Y')"
        known[f"{prefix}_term_months"] = f"{part('term')} * CASE WHEN {in_years} THEN 12 ELSE 1 END"
    known["mortgage_found"] = "CASE WHEN loan IS NOT NULL THEN true END"
    return known


@cache
def _sql_type(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return f"{_sql_type(kind.value_type)}[]"
    if pa.types.is_struct(kind):
        return "STRUCT(" + ", ".join(f"{identifier(f.name)} {_sql_type(f.type)}" for f in kind) + ")"
    names = {
        pa.string(): "VARCHAR",
        pa.int64(): "BIGINT",
        pa.float64(): "DOUBLE",
        pa.bool_(): "BOOLEAN",
        pa.date32(): "DATE",
    }
    return names.get(kind, "TIMESTAMPTZ")
