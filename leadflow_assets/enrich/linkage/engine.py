"""The DuckDB a linkage runs in: its own, in memory, gone afterwards with what it spilled."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from leadflow_assets.enrich.linkage.macros import create_macros

THREADS = 2
MEMORY = "3GB"


@contextmanager
def database(threads: int = THREADS, memory: str = MEMORY) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the macros of the weights; ``memory`` is DuckDB's limit before it spills."""
    with tempfile.TemporaryDirectory(prefix="leadflow-linkage-") as spill:
        connection = duckdb.connect(
            config={"threads": threads, "memory_limit": memory, "temp_directory": spill}
        )
        try:
            create_macros(connection)
            yield connection
        finally:
            connection.close()
