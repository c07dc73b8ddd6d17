"""A searcher's court cases: the relations ``cases`` and ``case_summary``, made when they are needed.

Over the index both know the place of each property, so that a filter on cases is a look-up like a word's.
Rows end with the day on which they may be used for the last time, also while a searcher stays open.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from leadflow_assets.lake.catalog import connect
from leadflow_assets.lake.lake import Lake
from leadflow_assets.search.case_index import open_case_index, read_matches, searchable_cases, with_positions
from leadflow_assets.search.case_rows import SUMMARY_SQL, case_condition, mark
from leadflow_assets.search.columns import CASE_COLUMNS
from leadflow_assets.search.criteria import SearchCriteria, massachusetts_today
from leadflow_assets.search.index import index_path
from leadflow_assets.search.row_store import as_arrow
from leadflow_assets.search.statement import Positions

_IN_FORCE = "expires_on IS NULL OR expires_on >= ?"


class SearchedCases:
    """The cases in force of one snapshot of mart/case_matches, for one connection."""

    def __init__(
        self,
        lake: Lake,
        connection: duckdb.DuckDBPyConnection,
        *,
        indexed: bool,
        when: str | int | None = None,
    ) -> None:
        """Nothing is read yet. ``when`` is a time or the number of a snapshot; None: the newest."""
        self._lake = lake
        self._connection = connection
        self._indexed = indexed
        self._when = when
        self._day: date | None = None
        self._every: pa.Table | None = None
        self._keys: NDArray[np.int64] = np.empty(0, np.int64)
        self._summary: pa.Table | None = None
        self.snapshot_number = 0
        self.older: tuple[str, ...] = ()

    def today(self) -> date:
        """The day by which rows end."""
        return massachusetts_today()

    def load(self) -> None:
        """Make the two relations, unless they are there and of today.

        Raises:
            UsageError: there is no snapshot of that time, or its history has been cleaned up.
        """
        today = self.today()
        if self._day == today:
            return
        if self._every is None:
            self._every = self._read()
        # In the memory of a Parquet searcher, where its cursors see them; beside an index, for it alone.
        kind = "TEMP TABLE" if self._indexed else "TABLE"
        key = "position" if self._indexed else "property_id"
        self._connection.register("__every_case", self._every)
        try:
            self._connection.execute(
                f"CREATE OR REPLACE {kind} cases AS SELECT * FROM __every_case WHERE {_IN_FORCE}", [today]
            )
        finally:
            self._connection.unregister("__every_case")
        self._connection.execute(f"CREATE OR REPLACE {kind} case_summary AS {SUMMARY_SQL.format(key=key)}")
        if self._indexed:
            found = self._connection.execute("FROM case_summary ORDER BY position").to_arrow_table()
            self._keys = np.asarray(found.column("position").to_numpy(), np.int64)
            self._summary = found.select(list(CASE_COLUMNS)).combine_chunks()
        self._day = today

    def _read(self) -> pa.Table:
        snapshot, older = searchable_cases(self._lake, self._when)
        self.snapshot_number, self.older = snapshot.number, tuple(older)
        if not self._indexed:
            return read_matches(self._connection, self._lake, snapshot)
        folder = index_path(self._lake.settings).parent
        rows = open_case_index(folder, snapshot, self._connection)
        if rows is not None:
            return rows
        # A local index's connection reads the lake's files too; a bucket needs one with credentials.
        if self._lake.settings.lake_uri.startswith("s3://"):
            with connect(self._lake.settings) as reading:
                rows = read_matches(reading, self._lake, snapshot)
        else:
            rows = read_matches(self._connection, self._lake, snapshot)
        return with_positions(self._connection, rows)

    def positions(self, condition: str, parameters: Sequence[Any]) -> Positions:
        """Places in the index of properties with a case that meets the condition, rising."""
        self.load()
        rows = self._connection.execute(
            f"SELECT DISTINCT position FROM cases WHERE {condition} ORDER BY position", parameters
        ).fetchnumpy()
        return np.asarray(rows["position"], np.int64)

    def added_to(self, rows: pa.Table, positions: Positions, columns: Sequence[str]) -> pa.Table:
        """Rows of the index at these places, with the columns of cases among ``columns``."""
        wanted = [name for name in columns if name in CASE_COLUMNS]
        if not wanted:
            return rows
        self.load()
        assert self._summary is not None
        places = np.searchsorted(self._keys, positions)
        there = places < len(self._keys)
        there[there] = self._keys[places[there]] == positions[there]
        found = self._summary.take(as_arrow(np.where(there, places, 0).astype(np.int64), ~there))
        for name in wanted:
            rows = rows.append_column(name, found.column(name))
        return rows

    def count_by_type(self, criteria: SearchCriteria, keys: pa.Array) -> dict[str, int]:
        """Cases that meet the criteria's filters on cases, of these properties, by type.

        ``keys`` are places in the index, or without one property ids.
        """
        self.load()
        condition, parameters = case_condition(criteria)
        # As a table: thousands of values in one parameter take DuckDB longer than all the rest.
        key = "position" if self._indexed else "property_id"
        self._connection.register("__wanted", pa.table({key: keys}))
        try:
            rows = self._connection.execute(
                f"SELECT case_type, count(DISTINCT case_id) FROM cases WHERE {condition} "
                f"AND {key} IN (FROM __wanted) GROUP BY case_type ORDER BY case_type",
                parameters,
            ).fetchall()
        finally:
            self._connection.unregister("__wanted")
        return dict(rows)

    def types(self) -> dict[str, int]:
        """All cases by type."""
        self.load()
        rows = self._connection.execute(
            "SELECT case_type, count(DISTINCT case_id) FROM cases GROUP BY case_type ORDER BY case_type"
        )
        return dict(rows.fetchall())

    def marks(self, property_ids: Sequence[str]) -> dict[str, list[str]]:
        """What a saved list remembers of the cases of these properties (see :func:`case_rows.mark`)."""
        self.load()
        rows = self._connection.execute(
            "SELECT property_id, case_type, filed, min(tier) FROM cases "
            "WHERE property_id IN (SELECT unnest(?::VARCHAR[])) "
            "GROUP BY property_id, case_id, case_type, filed "
            "ORDER BY property_id, filed DESC NULLS LAST, case_type, case_id",
            [list(property_ids)],
        ).fetchall()
        made: dict[str, list[str]] = {}
        for property_id, case_type, filed, tier in rows:
            row = {"case_type": case_type, "filed": filed, "tier": tier}
            made.setdefault(property_id, []).append(mark(row))
        return made
