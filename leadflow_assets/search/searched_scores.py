"""A searcher's distress scores: the relation ``score_summary``, made when it is needed.

Over the index it knows the place of each property, so that a filter on scores is a look-up like a word's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.snapshots import Snapshot
from leadflow_assets.search.columns import SCORE_COLUMNS
from leadflow_assets.search.index import index_path
from leadflow_assets.search.row_store import as_arrow
from leadflow_assets.search.score_index import (
    at_positions,
    open_score_index,
    scores_query,
    searchable_scores,
)
from leadflow_assets.search.statement import Positions

# What a set of reasons is known by: over Parquet itself, over the index a number.
_REASON_SETS = "SELECT DISTINCT score_reasons, reason_set FROM score_summary"


class SearchedScores:
    """The scores of one snapshot of mart/distress_scores, for one connection."""

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
        self._rows: pa.Table | None = None
        self._snapshot: Snapshot | None = None

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot that is read.

        Raises:
            UsageError: there is none of that time, or its history has been cleaned up.
        """
        if self._snapshot is None:
            self._snapshot = searchable_scores(self._lake, self._when)
        return self._snapshot

    def load(self) -> None:
        """Make the relation, unless it is there."""
        if self._rows is not None:
            return
        if not self._indexed:
            query = scores_query(self._lake, self.snapshot)
            self._connection.execute(
                "CREATE OR REPLACE VIEW score_summary AS "
                f"SELECT *, score_reasons AS reason_set FROM ({query})"
            )
            self._connection.execute(f"CREATE OR REPLACE VIEW score_reason_sets AS {_REASON_SETS}")
            self._rows = pa.table({})
            return
        folder = index_path(self._lake.settings).parent
        rows = open_score_index(folder, self.snapshot, self._connection)
        if rows is None:
            rows = at_positions(self._connection, self._lake, self.snapshot).combine_chunks()
        self._rows = rows
        places = as_arrow(np.arange(len(rows), dtype=np.int64))
        # Numbers are compared in a tenth of the time, and their texts stay on the disk.
        sets = rows.column("score_reasons").combine_chunks().dictionary_encode()
        known = pa.table(
            {
                "score_reasons": sets.dictionary,
                "reason_set": pa.array(range(len(sets.dictionary)), pa.int32()),
            }
        )
        self._connection.register("__reason_sets", known)
        self._connection.execute("CREATE OR REPLACE TEMP TABLE score_reason_sets AS FROM __reason_sets")
        self._connection.unregister("__reason_sets")
        numbered = rows.append_column("position", places).append_column("reason_set", sets.indices)
        self._connection.register("score_summary", numbered)

    def positions(self, condition: str, parameters: Sequence[Any]) -> Positions:
        """Places in the index of properties whose score meets the condition, rising."""
        self.load()
        rows = self._connection.execute(
            f"SELECT position FROM score_summary WHERE {condition} ORDER BY position", parameters
        ).fetchnumpy()
        return np.asarray(rows["position"], np.int64)

    def added_to(self, rows: pa.Table, positions: Positions, columns: Sequence[str]) -> pa.Table:
        """Rows of the index at these places, with the columns of scores among ``columns``."""
        wanted = [name for name in columns if name in SCORE_COLUMNS]
        if not wanted:
            return rows
        self.load()
        assert self._rows is not None
        found = self._rows.select(wanted).take(as_arrow(positions))
        for name in wanted:
            rows = rows.append_column(name, found.column(name))
        return rows

    def highest(self, positions: Positions, column: str, most: int) -> Positions:
        """Those of the places that can be among the first ``most`` by a number, falling; ties all stay.

        Places without the number are left out where enough have it.
        """
        self.load()
        assert self._rows is not None
        if most >= len(positions):
            return positions
        values = self._rows.column(column).take(as_arrow(positions)).to_numpy()
        numbers = np.nan_to_num(np.asarray(values, np.float64), nan=-1.0)
        least = np.partition(numbers, len(numbers) - most)[len(numbers) - most]
        kept: Positions = positions[numbers >= least]
        return kept
