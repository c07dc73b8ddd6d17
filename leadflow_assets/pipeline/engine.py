"""The DuckDB that transformations run in: in memory, one per process, one thread (towns run in parallel)."""

from __future__ import annotations

from functools import cache

import duckdb
import pyarrow as pa


@cache
def _database() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 1})


def cursor() -> duckdb.DuckDBPyConnection:
    """A connection of its own to the one database: starting a database costs more than a town's join."""
    return _database().cursor()


def row_hashes(texts: pa.Array) -> pa.Array:
    """Sixteen hex digits per text: the first half of its MD5. Ids, not security."""
    with cursor() as connection:
        connection.register("texts", pa.table({"text": texts}))
        return connection.execute("SELECT left(md5(text), 16) AS hash FROM texts").to_arrow_table()["hash"]
