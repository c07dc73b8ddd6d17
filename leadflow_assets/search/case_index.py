"""cases.arrow: the searched cases beside the search index, each with the place of its property in it.

Cases come every day, properties twice a year: this small file is made anew when either changed, the index
of properties only with them. A searcher that finds none, or an old one, reads mart/case_matches instead.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa

from leadflow_assets.lake.catalog import connect, quoted
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.snapshots import Snapshot
from leadflow_assets.lake.tables import CASE_MATCHES, SCHEMA_VERSION
from leadflow_assets.search.case_rows import matches_sql

# Raised when the columns of the file change.
_LAYOUT = "1"
_METADATA = b"leadflow"


def searchable_cases(lake: Lake, when: str | int | None = None) -> tuple[Snapshot, list[str]]:
    """mart/case_matches with the partitions of today's columns; and the others, made by older versions.

    Raises:
        UsageError: ``when`` is no date, or its history has been cleaned up.
    """
    snapshot = lake.snapshot(CASE_MATCHES, when)
    current = {n: entry for n, entry in snapshot.partitions.items() if entry.schema_version == SCHEMA_VERSION}
    return replace(snapshot, partitions=current), sorted(snapshot.partitions.keys() - current.keys())


def read_matches(connection: duckdb.DuckDBPyConnection, lake: Lake, snapshot: Snapshot) -> pa.Table:
    """The searched rows of a snapshot of mart/case_matches, read from its files."""
    entries = (entry for _, entry in sorted(snapshot.partitions.items()))
    files = [quoted(lake.store.location(entry.data.path)) for entry in entries if entry.data.rows]
    return connection.execute(matches_sql(files)).to_arrow_table()


def with_positions(index: duckdb.DuckDBPyConnection, rows: pa.Table) -> pa.Table:
    """The rows whose property is in an open index, with its place there as ``position``."""
    index.register("__matches", rows)
    try:
        # The index of ids would be asked once for each; one pass over the column is quicker.
        found = index.execute(
            "SELECT m.*, p.rowid AS position FROM properties AS p JOIN __matches AS m USING (property_id) "
            "ORDER BY ALL"
        ).to_arrow_table()
    finally:
        index.unregister("__matches")
    return found


def build_case_index(lake: Lake, folder: Path, index: duckdb.DuckDBPyConnection, *, force: bool) -> bool:
    """Bring the file to the published matches and to the open index; was there anything to do?"""
    snapshot, _ = searchable_cases(lake)
    about = _about(snapshot, index)
    if not force and open_case_index(folder, snapshot, index) is not None:
        return False
    with connect(lake.settings) as connection:
        rows = read_matches(connection, lake, snapshot)
    table = with_positions(index, rows).replace_schema_metadata({_METADATA: about})
    unfinished = folder / f"cases-{uuid.uuid4().hex[:12]}.making"
    try:
        with pa.OSFile(str(unfinished), "wb") as out, pa.ipc.new_file(out, table.schema) as writer:
            writer.write_table(table)
        unfinished.replace(_path(folder))
    finally:
        unfinished.unlink(missing_ok=True)
    return True


def open_case_index(folder: Path, snapshot: Snapshot, index: duckdb.DuckDBPyConnection) -> pa.Table | None:
    """The rows of the file; None where there is none that was made of this snapshot and this index."""
    try:
        with pa.memory_map(str(_path(folder))) as file:
            table = pa.ipc.open_file(file).read_all()
    except (OSError, pa.ArrowInvalid):
        return None
    known = (table.schema.metadata or {}).get(_METADATA)
    return table if known == _about(snapshot, index) else None


def _path(folder: Path) -> Path:
    return folder / "cases.arrow"


def _about(snapshot: Snapshot, index: duckdb.DuckDBPyConnection) -> bytes:
    """What a file is made of: equal bytes, equal rows."""
    found = index.execute("SELECT path FROM duckdb_databases() WHERE NOT internal").fetchone()
    versions: Mapping[str, str] = {name: entry.data.sha256 for name, entry in snapshot.partitions.items()}
    made_of = {"layout": _LAYOUT, "index": Path(found[0]).stem if found else "", "matches": versions}
    return json.dumps(made_of, sort_keys=True).encode()
