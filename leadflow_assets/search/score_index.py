"""scores.arrow: the scores beside the search index, row for row: row ``n`` is that of its property ``n``.

Scores change with every day, properties twice a year: this file is made anew when either changed. A searcher
that finds none, or an old one, reads mart/distress_scores instead.
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
from leadflow_assets.lake.tables import DISTRESS_SCORES, SCHEMA_VERSION
from leadflow_assets.search.columns import SCORE_COLUMNS
from leadflow_assets.search.score_rows import scores_sql

# Raised when the columns of the file change.
_LAYOUT = "1"
_METADATA = b"leadflow"


def searchable_scores(lake: Lake, when: str | int | None = None) -> Snapshot:
    """mart/distress_scores with the partitions of today's columns.

    Raises:
        UsageError: ``when`` is no date, or its history has been cleaned up.
    """
    snapshot = lake.snapshot(DISTRESS_SCORES, when)
    current = {n: entry for n, entry in snapshot.partitions.items() if entry.schema_version == SCHEMA_VERSION}
    return replace(snapshot, partitions=current)


def scores_query(lake: Lake, snapshot: Snapshot) -> str:
    """The query for the searched columns of a snapshot."""
    entries = (entry for _, entry in sorted(snapshot.partitions.items()))
    return scores_sql([quoted(lake.store.location(entry.data.path)) for entry in entries])


def at_positions(index: duckdb.DuckDBPyConnection, lake: Lake, snapshot: Snapshot) -> pa.Table:
    """SCORE_COLUMNS of every property of an open index, in its order; null where there is no score."""
    columns = ", ".join(f"s.{name}" for name in SCORE_COLUMNS)
    query = scores_query(lake, snapshot)
    if lake.settings.lake_uri.startswith("s3://"):
        # A local index's connection reads the lake's files too; a bucket needs one with credentials.
        with connect(lake.settings) as reading:
            found = reading.execute(query).to_arrow_table()
        index.register("__scores", found)
        query = "FROM __scores"
    try:
        return index.execute(
            f"SELECT {columns} FROM properties AS p LEFT JOIN ({query}) AS s USING (property_id) "
            "ORDER BY p.rowid"
        ).to_arrow_table()
    finally:
        index.unregister("__scores")


def build_score_index(lake: Lake, folder: Path, index: duckdb.DuckDBPyConnection, *, force: bool) -> bool:
    """Bring the file to the published scores and to the open index; was there anything to do?"""
    snapshot = searchable_scores(lake)
    if not force and open_score_index(folder, snapshot, index) is not None:
        return False
    about = _about(snapshot, index)
    table = at_positions(index, lake, snapshot).replace_schema_metadata({_METADATA: about})
    unfinished = folder / f"scores-{uuid.uuid4().hex[:12]}.making"
    try:
        with pa.OSFile(str(unfinished), "wb") as out, pa.ipc.new_file(out, table.schema) as writer:
            writer.write_table(table.combine_chunks())
        unfinished.replace(_path(folder))
    finally:
        unfinished.unlink(missing_ok=True)
    return True


def open_score_index(folder: Path, snapshot: Snapshot, index: duckdb.DuckDBPyConnection) -> pa.Table | None:
    """The rows of the file; None where there is none that was made of this snapshot and this index."""
    try:
        with pa.memory_map(str(_path(folder))) as file:
            table = pa.ipc.open_file(file).read_all()
    except (OSError, pa.ArrowInvalid):
        return None
    known = (table.schema.metadata or {}).get(_METADATA)
    return table if known == _about(snapshot, index) else None


def _path(folder: Path) -> Path:
    return folder / "scores.arrow"


def _about(snapshot: Snapshot, index: duckdb.DuckDBPyConnection) -> bytes:
    """What a file is made of: equal bytes, equal rows."""
    found = index.execute("SELECT path FROM duckdb_databases() WHERE NOT internal").fetchone()
    versions: Mapping[str, str] = {name: entry.data.sha256 for name, entry in snapshot.partitions.items()}
    made_of = {"layout": _LAYOUT, "index": Path(found[0]).stem if found else "", "scores": versions}
    return json.dumps(made_of, sort_keys=True).encode()
