"""The peer of the search benchmark: the same properties in PostGIS, with the indexes that suit it best."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from leadflow_assets.lake.catalog import quoted
from leadflow_assets.lake.extensions import load_extensions
from leadflow_assets.search.columns import CASE_COLUMNS, EXPORT_COLUMNS, SEARCH_COLUMNS

if TYPE_CHECKING:
    import duckdb

TABLE = "leadflow_bench_properties"
_SHOWN = tuple(name for name in EXPORT_COLUMNS if name not in CASE_COLUMNS)
# Text columns as arrays of words: the prefix of a word is then one look-up in a GIN index.
_WORDS = "array_to_tsvector(string_to_array(coalesce({column}, ''), ' '))"
_STEPS = (
    f"CREATE TABLE {TABLE} AS SELECT *, "
    "ST_SetSRID(ST_MakePoint(point_x, point_y), 26986)::geometry(Point, 26986) AS geom, "
    f"{_WORDS.format(column='owner_words')} AS owner_vector, "
    f"{_WORDS.format(column='street_normalized')} AS street_vector "
    f"FROM {TABLE}_loaded ORDER BY property_id",
    f"DROP TABLE {TABLE}_loaded",
    f"CREATE UNIQUE INDEX ON {TABLE} (property_id)",
    f"CREATE INDEX ON {TABLE} (loc_id)",
    f"CREATE INDEX ON {TABLE} (town_id, category, total_value)",
    f"CREATE INDEX ON {TABLE} (town_id, category, occupancy, total_value)",
    f"CREATE INDEX ON {TABLE} (total_value DESC NULLS LAST, property_id)",
    # All that a statewide count reads stands in the index.
    f"CREATE INDEX ON {TABLE} (category, occupancy, total_value) "
    "INCLUDE (town_id) WHERE NOT is_condominium_master",
    f"CREATE INDEX ON {TABLE} USING gist (geom)",
    f"CREATE INDEX ON {TABLE} USING gin (owner_vector)",
    f"CREATE INDEX ON {TABLE} USING gin (street_vector)",
    f"CREATE INDEX ON {TABLE} USING gin (owner_words gin_trgm_ops)",
    f"VACUUM (ANALYZE) {TABLE}",
)


@dataclass(frozen=True)
class Peer:
    """A connection to PostgreSQL with the table; ``version`` is what it says of itself."""

    connection: Any
    version: str

    def page_and_total(
        self, where: str, parameters: Sequence[Any], order: str, limit: int
    ) -> tuple[int, int]:
        """(rows of the page, number of matches), by two statements, as the search does it."""
        shown = ", ".join(_SHOWN)
        with self.connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {TABLE} WHERE {where}", parameters)
            total = int(cursor.fetchone()[0])
            cursor.execute(
                f"SELECT {shown} FROM {TABLE} WHERE {where} ORDER BY {order} LIMIT {limit}", parameters
            )
            return len(cursor.fetchall()), total

    def count_by_town(self, where: str, parameters: Sequence[Any]) -> int:
        """The sum of the matches of all towns, counted town by town."""
        with self.connection.cursor() as cursor:
            cursor.execute(
                f"SELECT town_id, count(*) FROM {TABLE} WHERE {where} GROUP BY town_id", parameters
            )
            return sum(int(count) for _, count in cursor.fetchall())

    def copy_csv(self, where: str, rows: int) -> int:
        """As the client command ``copy`` does it: rows as CSV to the client; returns its bytes."""
        query = f"SELECT {', '.join(_SHOWN)} FROM {TABLE} WHERE {where} ORDER BY property_id LIMIT {rows}"
        out = io.BytesIO()
        with self.connection.cursor() as cursor:
            cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER)", out)
        return out.tell()


def connect(url: str) -> Peer:
    """Connect as a client in its own process would; every statement is a transaction.

    Raises:
        psycopg2.OperationalError: the server does not answer.
    """
    import psycopg2  # type: ignore[import-untyped]

    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        (postgres,) = cursor.fetchone()
        cursor.execute("CREATE EXTENSION IF NOT EXISTS postgis")
        cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        cursor.execute("SELECT postgis_lib_version()")
        (postgis,) = cursor.fetchone()
    return Peer(connection, f"PostgreSQL {postgres}, PostGIS {postgis}")


def is_loaded(peer: Peer, rows: int) -> bool:
    """Is the table there, complete and indexed from an earlier run?"""
    with peer.connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [TABLE])
        if not cursor.fetchone()[0]:
            return False
        cursor.execute(f"SELECT count(*) FROM {TABLE}")
        return bool(cursor.fetchone()[0] == rows)


def load(peer: Peer, url: str, files: Sequence[str]) -> float:
    """Copy mart/properties from its Parquet files and index it; returns seconds."""
    import duckdb

    started = time.monotonic()
    with peer.connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {TABLE}, {TABLE}_loaded")
    with duckdb.connect() as scanner:
        load_extensions(scanner, ["postgres_scanner"])
        scanner.execute(
            f"ATTACH {quoted(re.sub(r'^postgresql[+]psycopg2', 'postgresql', url))} AS peer (TYPE postgres)"
        )
        _copy(scanner, files)
    with peer.connection.cursor() as cursor:
        for step in _STEPS:
            cursor.execute(step)
    return time.monotonic() - started


def _copy(scanner: duckdb.DuckDBPyConnection, files: Sequence[str]) -> None:
    listed = ", ".join(map(quoted, files))
    scanner.execute(
        f"CREATE TABLE peer.{TABLE}_loaded AS SELECT {', '.join(SEARCH_COLUMNS)} "
        f"FROM read_parquet([{listed}], hive_partitioning = false)"
    )


def prewarm(peer: Peer) -> None:
    """Read table and indexes once, so that the first questions do not pay for the disk."""
    with peer.connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_prewarm")
        cursor.execute("SELECT pg_prewarm(indexrelid) FROM pg_index WHERE indrelid = %s::regclass", [TABLE])
        cursor.execute("SELECT pg_prewarm(%s::regclass)", [TABLE])
