"""What is kept of a court: rows of single partitions, and where the rows of some dockets stand."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from leadflow_assets.domain.courts.rows import RawDocket
from leadflow_assets.enrich.court_rows import from_rows
from leadflow_assets.lake.catalog import connect, quoted
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.snapshots import PartitionEntry, Snapshot
from leadflow_assets.lake.tables import COURT_DOCKETS, Table

Place = tuple[str, str]


def place_of(partition: str) -> Place:
    """Court and month of ``court=mab/filed_month=2026-10``."""
    court, _, month = partition.partition("/")
    return court.removeprefix("court="), month.removeprefix("filed_month=")


def places(snapshot: Snapshot) -> dict[Place, PartitionEntry]:
    """The partitions of a table by court and month."""
    return {place_of(name): entry for name, entry in snapshot.partitions.items()}


@dataclass(frozen=True)
class Kept:
    """raw/court_dockets as it is published now."""

    lake: Lake

    @cached_property
    def entries(self) -> Mapping[Place, PartitionEntry]:
        """Its partitions."""
        return places(self.lake.snapshot(COURT_DOCKETS))

    def rows(self, place: Place) -> list[RawDocket]:
        """The rows of a partition, in its order; none where there is no such partition."""
        entry = self.entries.get(place)
        return [] if entry is None else read_rows(self.lake, entry)

    def months_with(self, court: str, rows: Iterable[RawDocket]) -> set[str]:
        """The months in which something of these dockets, or of these very records, is kept."""
        rows = list(rows)
        dockets = [row.docket_id for row in rows if row.docket_id is not None]
        found = self._query(
            court,
            "SELECT DISTINCT filed_month FROM kept WHERE docket_id IN (SELECT unnest(?::BIGINT[])) "
            "OR record_id IN (SELECT unnest(?::VARCHAR[]))",
            [dockets, [row.record_id for row in rows]],
        )
        return {month for (month,) in found}

    def docket_ids(self, court: str, endpoint: str, month: str | None = None) -> set[int]:
        """The dockets of which an answer of that endpoint is kept."""
        found = self._query(
            court,
            "SELECT DISTINCT docket_id FROM kept WHERE endpoint = ? AND docket_id IS NOT NULL",
            [endpoint],
            month,
        )
        return {docket_id for (docket_id,) in found}

    def dockets_of(self, place: Place) -> dict[int, datetime]:
        """CourtListener's ids of a partition's dockets, and when something new was last told of each."""
        found = self._query(
            place[0],
            "SELECT docket_id, max(epoch_us(fetched_at)) FROM kept WHERE docket_id IS NOT NULL GROUP BY ALL",
            [],
            place[1],
        )
        return {docket_id: datetime.fromtimestamp(told / 1e6, UTC) for docket_id, told in found}

    def _query(
        self, court: str, sql: str, values: list[Any], month: str | None = None
    ) -> list[tuple[Any, ...]]:
        mine = [
            entry
            for (of_court, of_month), entry in self.entries.items()
            if of_court == court and month in (None, of_month)
        ]
        if not mine:
            return []
        with open_tables(self.lake, {"kept": (COURT_DOCKETS, mine)}) as connection:
            return connection.execute(sql, values).fetchall()


def read_rows(lake: Lake, entry: PartitionEntry) -> list[RawDocket]:
    """The rows of one published partition of raw/court_dockets."""
    with tempfile.TemporaryDirectory() as folder:
        return from_rows(pq.ParquetFile(lake.store.fetch(entry.data.path, Path(folder))).read(), RawDocket)


@contextmanager
def open_tables(
    lake: Lake, wanted: Mapping[str, tuple[Table, Collection[PartitionEntry]]]
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB with one view per name over some partitions of a table; an empty one where there are none."""
    connection = connect(lake.settings, spatial=False)
    try:
        for name, (table, entries) in wanted.items():
            files = ", ".join(quoted(lake.store.location(entry.data.path)) for entry in entries)
            source = f"read_parquet([{files}], hive_partitioning = false, union_by_name = true)"
            if not files:
                connection.register(f"__no_{name}", table.schema.empty_table())
                source = f"__no_{name}"
            connection.execute(f"CREATE TEMP VIEW {name} AS SELECT * FROM {source}")
        yield connection
    finally:
        connection.close()
