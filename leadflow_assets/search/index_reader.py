"""The index's way to a page: the positions of all matches first, then the rows of the page alone.

A position is DuckDB's rowid; rows lie in the order of property_id, so positions are in that order too.
What was looked up is intersected here: next to other conditions DuckDB would go through the whole table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from leadflow_assets.search.columns import SEARCH_COLUMNS
from leadflow_assets.search.row_store import RowStore, as_arrow
from leadflow_assets.search.statement import WORD_COLUMNS, Condition, Positions

# Up to that many positions are sorted; of more, each row of the index is marked or not.
_FEW = 1000
# Up to that many rows are taken out to be tested; for more DuckDB goes through all.
_MOST_TAKEN = 200_000
# More ids than that are found by going through the rows.
_MOST_IDS = 50
_LAST_CHARACTER = "\U0010ffff"
# What a sorted page is looked for in: a place, and the columns to sort by.
PROPERTIES_IN_INDEX = "(SELECT rowid AS position, * FROM properties)"
CASES_BESIDE = " LEFT JOIN case_summary USING (position)"
SCORES_BESIDE = " LEFT JOIN score_summary USING (position)"
_AMONG = "word IN (SELECT word FROM {kind}_words_known WHERE {test})"


class IndexReader:
    """Finds positions in the index, and rows by their positions."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        store: RowStore,
        with_case: Callable[[str, Sequence[Any]], Positions],
        with_score: Callable[[str, Sequence[Any]], Positions],
    ) -> None:
        """``with_case`` and ``with_score`` find properties by a condition on their cases and scores."""
        self._connection = connection
        self._store = store
        self.with_case = with_case
        self.with_score = with_score

    def matches(self, condition: Condition) -> Positions:
        """Positions of all matches, rising."""
        if not condition.positions:
            return np.sort(self._scan(condition.sql, condition.parameters))
        found = self._common(condition.positions)
        if condition.without_masters:
            found = found[~self._is_master[found]]
        if not condition.parts or not len(found):
            return found
        if len(found) <= _MOST_TAKEN:
            return found[self._holds(condition, found)]
        return found[self._marked(self._scan(condition.sql, condition.parameters))[found]]

    def _holds(self, condition: Condition, found: Positions) -> Positions:
        """Which of the rows at these positions meet the condition's parts, by their place in ``found``."""
        sql = " AND ".join(f"({part})" for part in condition.parts)
        columns = [name for name in SEARCH_COLUMNS if re.search(rf"\b{name}\b", sql)] or ["property_id"]
        rows = self._store.take(found, columns).append_column("position", as_arrow(np.arange(len(found))))
        self._connection.register("__found", rows)
        kept = self._connection.execute(f"SELECT position FROM __found WHERE {sql}", condition.parameters)
        places = np.sort(np.asarray(kept.fetchnumpy()["position"], np.int64))
        self._connection.unregister("__found")
        return places

    def first(
        self,
        condition: Condition,
        columns: Sequence[str],
        order: str,
        values: Sequence[Any],
        page: tuple[int, int],
        *,
        relation: str = PROPERTIES_IN_INDEX,
    ) -> tuple[Positions, int]:
        """Positions of one page in an order, and the number of all matches (0 behind the last page).

        For conditions without looked-up positions. ``order`` is of ``columns`` and ``position``, with the
        parameters ``values``; ``page`` is (limit, offset).
        """
        where, parameters = condition.sql, condition.parameters
        # One scan for both; kept, since the total would otherwise be a second one.
        rows = self._connection.execute(
            f"WITH found AS MATERIALIZED (SELECT position, {', '.join(columns)} FROM {relation} "
            f"WHERE {where}) SELECT position, (SELECT count(*) FROM found) AS total FROM found "
            f"ORDER BY {order} LIMIT ? OFFSET ?",
            [*parameters, *values, *page],
        ).fetchnumpy()
        return np.asarray(rows["position"], np.int64), int(rows["total"][0]) if len(rows["total"]) else 0

    def rows(self, positions: Positions, columns: Sequence[str]) -> pa.Table:
        """The rows at these positions, in their order; columns as they are stored."""
        return self._store.take(positions, columns)

    def close(self) -> None:
        """Let go of the file of rows."""
        self._store.close()

    def word(self, kind: str, word: str, *, whole: bool) -> Positions:
        """Rows that have this word, or one that begins with it; some twice, in no order."""
        if whole:
            return self._words(kind, "word = ?", word)
        return self._words(kind, "word >= ? AND word < ?", word, word + _LAST_CHARACTER)

    def inside(self, kind: str, text: str) -> Positions:
        """Rows that have this text anywhere in their words, over several words where it has blanks."""
        first, *middle = text.split(" ")
        if not middle:
            return self._words(kind, _AMONG.format(kind=kind, test="contains(word, ?)"), first)
        *middle, last = middle
        # The longest part is the rarest, most likely; what it finds is looked through.
        longest = max((first, *middle, last), key=len)
        if longest == first:
            found = self._words(kind, _AMONG.format(kind=kind, test="suffix(word, ?)"), first)
        else:
            found = self.word(kind, longest, whole=longest != last)
        found = self._common([found])
        column = WORD_COLUMNS[kind]
        texts = self._store.take(found, (column,)).column(column)
        return found[np.asarray(pc.match_substring(texts, text).to_numpy(), np.bool_)]

    def ids(self, column: str, values: Sequence[str]) -> Positions | None:
        """Rows with one of these ids; None: too many to look up.

        One by one: DuckDB uses such an index only for a single value that is the only condition.
        """
        if len(values) > _MOST_IDS:
            return None
        found = [self._scan(f"{column} = ?", [value]) for value in values]
        return np.concatenate([np.empty(0, np.int64), *found])

    def _words(self, kind: str, condition: str, *parameters: str) -> Positions:
        rows = self._connection.execute(f"SELECT position FROM {kind}_words WHERE {condition}", parameters)
        return np.asarray(rows.fetchnumpy()["position"], np.int64)

    def _common(self, found: Sequence[Positions]) -> Positions:
        """Positions that stand in every one, rising, each once."""
        fewest, *others = sorted(found, key=len)
        for other in others:
            fewest = fewest[self._marked(other)[fewest]]
        return np.unique(fewest) if len(fewest) <= _FEW else np.flatnonzero(self._marked(fewest))

    def _marked(self, positions: Positions) -> NDArray[np.bool_]:
        marks = np.zeros(self._store.rows, np.bool_)
        marks[positions] = True
        return marks

    def _scan(self, where: str, parameters: Sequence[Any]) -> Positions:
        rows = self._connection.execute(
            f"SELECT rowid FROM properties WHERE {where}", parameters
        ).fetchnumpy()
        return np.asarray(rows["rowid"], np.int64)

    @cached_property
    def _is_master(self) -> NDArray[np.bool_]:
        return self._marked(self._scan("is_condominium_master", []))
