"""DuckDB in front of the lake: one connection factory, one view per table, read-only for people.

Views name the immutable files of one snapshot, so that a query sees one state of each table from its
first row to its last, whatever is published meanwhile.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from leadflow_assets.errors import UsageError
from leadflow_assets.lake import tables
from leadflow_assets.lake.extensions import connect_with
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.products import PRODUCTS, create_products
from leadflow_assets.lake.snapshots import Snapshot, SnapshotLog
from leadflow_assets.lake.tables import Table
from leadflow_assets.settings import Settings

STATE_SCHEMA = "state"


def connect(settings: Settings, *, spatial: bool = True) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB, with S3 where the lake lies there.

    Without ``spatial`` it opens in milliseconds: the first time a process loads that extension takes longer
    than most questions.
    """
    remote = settings.lake_uri.startswith("s3://")
    connection = connect_with(
        [*(["spatial"] if spatial else []), *(["httpfs"] if remote else [])],
        {
            "memory_limit": settings.leadflow_duckdb_memory,
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "temp_directory": str(settings.data_dir / "duckdb_temp"),
        },
    )
    if remote:
        _create_s3_secret(connection, settings)
    return connection


def _create_s3_secret(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Hand DuckDB the credentials boto3 would use, so that both see the same bucket."""
    import boto3

    secret = settings.aws_secret_access_key
    found = boto3.Session(
        aws_access_key_id=settings.aws_access_key_id or None,
        aws_secret_access_key=secret.get_secret_value() if secret else None,
        region_name=settings.aws_s3_region_name,
    ).get_credentials()
    options = {"REGION": settings.aws_s3_region_name}
    if found is not None:
        frozen = found.get_frozen_credentials()
        options |= {"KEY_ID": frozen.access_key or "", "SECRET": frozen.secret_key or ""}
        if frozen.token:
            options["SESSION_TOKEN"] = frozen.token
    if settings.aws_endpoint_url:
        scheme, _, host = settings.aws_endpoint_url.rpartition("://")
        options |= {"ENDPOINT": host.rstrip("/"), "URL_STYLE": "path"}
        options["USE_SSL"] = "false" if scheme == "http" else "true"
    body = ", ".join(f"{name} {quoted(value)}" for name, value in options.items())
    connection.execute(f"CREATE SECRET lake (TYPE s3, {body})")


def open_catalog(
    lake: Lake,
    *,
    as_of: str | None = None,
    snapshots: Mapping[str, int] | None = None,
    read_only: bool = True,
) -> Catalog:
    """A connection with every table as a view.

    ``as_of`` is a date or a time, None is now; ``snapshots`` names other snapshots by number for single
    tables (``core/parcels``). ``read_only`` locks the connection: only queries, only on the lake.

    Raises:
        UsageError: no such date or snapshot.
    """
    connection = connect(lake.settings)
    wanted = snapshots or {}
    chosen = {table.name: lake.snapshot(table, wanted.get(table.name, as_of)) for table in tables.TABLES}
    for layer in sorted({table.layer for table in tables.TABLES} | {"lake"}):
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {layer}")
    for table in tables.TABLES:
        if table.model_name is not None:
            _create_views(connection, lake, table, chosen[table.name])
    _create_lake_tables(connection, lake, chosen)
    _copy_state(connection, lake.settings)
    create_products(connection)
    if read_only:
        _lock(connection, lake)
    return Catalog(connection, chosen)


class Catalog:
    """A DuckDB connection over one snapshot of every table."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, snapshots: Mapping[str, Snapshot]) -> None:
        self.connection = connection
        self.snapshots = snapshots

    def query(self, sql: str) -> duckdb.DuckDBPyRelation:
        """Run one query and return its rows, lazily.

        Raises:
            UsageError: it is not a query, or DuckDB refuses it.
        """
        require_query(self.connection, sql)
        try:
            return self.connection.sql(sql)
        except duckdb.Error as error:
            raise UsageError(
                f"DuckDB refuses the query: {error}.", "Views: SELECT * FROM lake.tables"
            ) from None

    def empty_tables(self, sql: str) -> list[Table]:
        """Tables that a query names and that nothing was published to: no rows there means no data."""
        return [
            table
            for table in tables.TABLES
            if not self.snapshots[table.name].partitions
            and any(
                re.search(rf"\b{re.escape(name)}\b", sql, re.IGNORECASE) for name in _views_of(table.view)
            )
        ]

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()


def _views_of(view: str) -> list[str]:
    """A table's view, and the products that have no rows without it."""
    return [view, *(name for name, (base, _, _) in PRODUCTS.items() if base == view)]


def require_query(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Accept one SELECT (or DESCRIBE, SUMMARIZE, SHOW, EXPLAIN of one) and nothing else.

    Raises:
        UsageError: it is empty, several statements, does not parse, or would change something.
    """
    try:
        statements = connection.extract_statements(sql)
    except duckdb.Error as error:
        raise UsageError(f"DuckDB cannot read the statement: {error}.", "Give one SELECT.") from None
    if len(statements) != 1:
        raise UsageError(f"Expected one query, got {len(statements)} statements.", "Give one SELECT.")
    statement = statements[0]
    if statement.type == duckdb.StatementType.EXPLAIN:
        inner = re.sub(
            r"^\s*EXPLAIN(\s+ANALYZE)?(\s*\([^)]*\))?\s+", "", statement.query, flags=re.IGNORECASE
        )
        if inner == statement.query:
            raise UsageError("A comment stands before or right after EXPLAIN.", "Leave it out.")
        require_query(connection, inner)
    elif statement.type != duckdb.StatementType.SELECT:
        raise UsageError(
            f"Only queries are allowed here, not {statement.type.name}.",
            "To write, open the Parquet files with your own DuckDB (docs/analysts.md).",
        )


def _create_views(
    connection: duckdb.DuckDBPyConnection, lake: Lake, table: Table, snapshot: Snapshot
) -> None:
    data = [lake.store.location(e.data.path) for e in snapshot.partitions.values()]
    mixed = len({e.schema_version for e in snapshot.partitions.values()}) > 1
    _create_view(connection, table.view, data, table.schema, bool(table.geometry), mixed)
    if table.quarantines:
        entries = (e.files.get("quarantine") for e in snapshot.partitions.values())
        rejects = [lake.store.location(file.path) for file in entries if file]
        _create_view(connection, f"{table.view}_quarantine", rejects, tables.QUARANTINE.schema, False, mixed)


def _create_view(
    connection: duckdb.DuckDBPyConnection,
    view: str,
    files: Sequence[str],
    schema: pa.Schema,
    geometry: bool,
    mixed: bool,
) -> None:
    """``mixed``: the files were made by several versions; a column that one lacks is null there."""
    if files:
        listed = ", ".join(map(quoted, files))
        by_name = ", union_by_name = true" if mixed else ""
        source = f"read_parquet([{listed}], hive_partitioning = false{by_name})"
    else:
        # No data yet: a view of the right shape without rows, so that queries parse and can say so.
        connection.register(f"__empty_{view.replace('.', '_')}", schema.empty_table())
        source = f"__empty_{view.replace('.', '_')}"
    replace = " REPLACE (ST_GeomFromWKB(geometry) AS geometry)" if geometry and not files else ""
    connection.execute(f"CREATE VIEW {view} AS SELECT *{replace} FROM {source}")


def _create_lake_tables(
    connection: duckdb.DuckDBPyConnection, lake: Lake, snapshots: Mapping[str, Snapshot]
) -> None:
    """lake.tables, lake.partitions and lake.snapshots: what is here, since when, from what."""
    partitions = [
        {
            "table_name": table.view,
            "partition": partition,
            "rows": entry.data.rows,
            "bytes": entry.data.bytes,
            "sha256": entry.data.sha256,
            "release": entry.facts.get("release"),
            "published_at": entry.published_at,
            "run_id": entry.run_id,
            "code_version": entry.code_version,
            "quarantined_rows": entry.files["quarantine"].rows if "quarantine" in entry.files else 0,
            "file": lake.store.location(entry.data.path),
        }
        for table in tables.TABLES
        for partition, entry in sorted(snapshots[table.name].partitions.items())
    ]
    partition_types = [(n, pa.int64() if n in _COUNTS else pa.string()) for n in _PARTITION_COLUMNS]
    connection.register("__partitions", pa.Table.from_pylist(partitions, schema=pa.schema(partition_types)))
    described = [
        {
            "table_name": table.view,
            "one_row_is": table.one_row,
            "snapshot": snapshots[table.name].number,
            "committed_at": snapshots[table.name].committed_at if snapshots[table.name].number else None,
            "partitions": len(snapshots[table.name].partitions),
            "rows": sum(e.data.rows for e in snapshots[table.name].partitions.values()),
        }
        for table in tables.TABLES
    ]
    connection.register("__tables", pa.Table.from_pylist(described))
    history = [
        {"table_name": table.view, "snapshot": number}
        for table in tables.TABLES
        for number in SnapshotLog(lake.store, table.name).numbers()
    ]
    history_schema = pa.schema([("table_name", pa.string()), ("snapshot", pa.int64())])
    connection.register("__snapshots", pa.Table.from_pylist(history, schema=history_schema))
    for name in ("partitions", "tables", "snapshots"):
        connection.execute(f"CREATE TABLE lake.{name} AS FROM __{name}")
        connection.unregister(f"__{name}")


_PARTITION_COLUMNS = (
    "table_name",
    "partition",
    "rows",
    "bytes",
    "sha256",
    "release",
    "published_at",
    "run_id",
    "code_version",
    "quarantined_rows",
    "file",
)
_COUNTS = frozenset({"rows", "bytes", "quarantined_rows"})


def _copy_state(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """The tables of the state database as schema ``state``; a SQLite file that is not there is left out.

    Copied by a connection of its own: the scanner could read any other database, and the path of a
    PostgreSQL one holds a password, so neither must reach the connection that people query.
    """
    url = settings.state_url
    connection.execute(f"CREATE SCHEMA {STATE_SCHEMA}")
    sqlite = url.startswith("sqlite:///")
    if sqlite and not Path(url.removeprefix("sqlite:///")).is_file():
        return
    kind = "sqlite" if sqlite else "postgres"
    where = url.removeprefix("sqlite:///") if sqlite else re.sub(r"^postgresql\+\w+://", "postgresql://", url)
    with connect_with([f"{kind}_scanner"]) as scanner:
        scanner.execute(f"ATTACH {quoted(where)} AS source (TYPE {kind}, READ_ONLY)")
        names = scanner.execute(
            "SELECT table_name, schema_name FROM duckdb_tables() WHERE database_name = 'source'"
        ).fetchall()
        for name, schema in names:
            if name == "alembic_version":
                continue
            rows = scanner.execute(f'FROM source."{schema}"."{name}"').to_arrow_table()
            connection.register("__state", rows)
            connection.execute(f'CREATE TABLE {STATE_SCHEMA}."{name}" AS FROM __state')
            connection.unregister("__state")


def _lock(connection: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    """From here on: no files but the lake's, no extensions, no settings."""
    base = lake.settings.lake_uri.rstrip("/") + "/"
    connection.execute(f"SET allowed_directories = [{quoted(base)}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def quoted(text: str) -> str:
    """A SQL string literal."""
    return "'" + text.replace("'", "''") + "'"
