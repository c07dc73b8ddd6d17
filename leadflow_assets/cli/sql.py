"""``leadflow sql``: read-only SQL over every table of the lake and the state database."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from leadflow_assets.cli.common import JsonFlag, current_settings, examples
from leadflow_assets.cli.output import Column, emit_rows, note, stdout
from leadflow_assets.errors import LeadflowError, UsageError

if TYPE_CHECKING:
    import duckdb

    from leadflow_assets.lake.catalog import Catalog

# A table on a terminal is for looking; whoever wants all rows takes csv or json.
_MOST_SHOWN = 200
_FETCH = 2000
Format = Literal["table", "csv", "json"]
Statement = Annotated[str | None, typer.Argument(help="One SELECT. None: read from stdin, or open a shell.")]
FormatOption = Annotated[Format, typer.Option("--format", help="How rows are printed.")]
SnapshotOption = Annotated[
    list[str] | None,
    typer.Option("--snapshot", help="One table at a snapshot: core.parcels=3; repeatable."),
]
AsOfOption = Annotated[str | None, typer.Option(help="The lake as it was on a date, or at a time (UTC).")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "sql",
        epilog=examples(
            'leadflow sql "SELECT category, count(*) FROM mart.properties GROUP BY ALL"',
            'leadflow sql "FROM lake.tables"',
            'leadflow sql --format csv "FROM core.parcels_quarantine" > rejects.csv',
            'leadflow sql --as-of 2026-11-01 "SELECT count(*) FROM core.assessments"',
        ),
    )(sql)


def sql(
    statement: Statement = None,
    form: FormatOption = "table",
    as_of: AsOfOption = None,
    snapshot: SnapshotOption = None,
    json: JsonFlag = False,
) -> None:
    """Query the lake: views raw., core. and mart., and lake.tables, lake.partitions, lake.snapshots.

    Only queries are accepted. Geometry is EPSG:26986 (metres) and printed as WKT.
    """
    from leadflow_assets.lake.catalog import open_catalog
    from leadflow_assets.lake.lake import Lake

    catalog = open_catalog(
        Lake(current_settings()), as_of=as_of, snapshots=dict(map(_snapshot, snapshot or []))
    )
    try:
        chosen: Format = "json" if json else form
        if statement is None and sys.stdin.isatty():
            _shell(catalog, chosen)
        else:
            run_query(catalog, sys.stdin.read() if statement is None else statement, chosen)
    finally:
        catalog.close()


def _snapshot(text: str) -> tuple[str, int]:
    """``core.parcels=3`` as table name and number."""
    from leadflow_assets.lake.tables import table

    name, _, number = text.partition("=")
    if not number.isdecimal():
        raise UsageError(f"{text!r} names no snapshot.", "Write core.parcels=3; see lake.snapshots.")
    return table(name).name, int(number)


def run_query(catalog: Catalog, statement: str, form: Format) -> None:
    """Run one query and print its rows; says so where a table it names has no data at all.

    Raises:
        UsageError: it is not a query, or DuckDB refuses it.
    """
    import duckdb

    relation = _with_text_geometry(catalog.query(statement))
    for table in catalog.empty_tables(statement):
        note(
            f"note: {table.view} has no data yet, so nothing can be found there; run `leadflow refresh TOWN`."
        )
    try:
        _print(relation, form)
    except duckdb.Error as error:
        raise UsageError(f"DuckDB refuses the query: {error}.", "Check the statement.") from None


def _with_text_geometry(relation: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    names = [
        name
        for name, kind in zip(relation.columns, relation.types, strict=True)
        if str(kind).startswith("GEOMETRY")
    ]
    if not names:
        return relation
    columns = ", ".join(f'ST_AsText("{name}") AS "{name}"' for name in names)
    return relation.project(f"* REPLACE ({columns})")


def _print(relation: duckdb.DuckDBPyRelation, form: Format) -> None:
    names = _distinct(relation.columns)
    if form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(names)
        for row in _rows(relation):
            writer.writerow(row)
        return
    if form == "json":
        emit_rows((dict(zip(names, row, strict=True)) for row in _rows(relation)), (), True)
        return
    rows = relation.fetchmany(_MOST_SHOWN + 1)
    shown = [dict(zip(names, row, strict=True)) for row in rows[:_MOST_SHOWN]]
    emit_rows(shown, [Column(name, name, number_format="") for name in names], False)
    if len(rows) > _MOST_SHOWN:
        note(f"The first {_MOST_SHOWN} rows; --format csv or json prints all.")
    elif not rows:
        note("0 rows")


def _rows(relation: duckdb.DuckDBPyRelation) -> Iterator[tuple[Any, ...]]:
    while batch := relation.fetchmany(_FETCH):
        yield from batch


def _distinct(names: list[str]) -> list[str]:
    """Column names made unique, so that a row can be a JSON object."""
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return result


def _shell(catalog: Catalog, form: Format) -> None:
    """Statements from a terminal, each ended by a semicolon; an error does not end the shell."""
    import readline  # noqa: F401  (gives input() a history)

    stdout().print("One SELECT per statement, ended by ;   .tables lists views   .quit or Ctrl-D ends")
    lines: list[str] = []
    while True:
        try:
            line = input("leadflow> " if not lines else "      ... ")
        except EOFError:
            return
        if line.strip() in (".quit", ".exit"):
            return
        lines = ["FROM lake.tables;"] if line.strip() == ".tables" else [*lines, line]
        statement = "\n".join(lines).strip()
        if not statement.endswith(";"):
            continue
        lines = []
        try:
            run_query(catalog, statement, form)
        except LeadflowError as error:
            note(f"error: {error}")
