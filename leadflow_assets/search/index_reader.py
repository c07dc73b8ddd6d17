"""The index's way to a page: the positions of all matches first, then the rows of the page alone.

A position is DuckDB's rowid; rows lie in the order of property_id, so positions are in that order too.
What was looked up is intersected here: next to other conditions DuckDB would go through the whole table.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from leadflow_assets.search.row_store import RowStore
from leadflow_assets.search.statement import WORD_COLUMNS, Condition, Positions

# Up to that many positions are looked up one by one (dynamic_or_filter_threshold); for more DuckDB scans.
FEW = 1000
# More ids than that are found by going through the rows.
_MOST_IDS = 50
_LAST_CHARACTER = "\U0010ffff"
_AMONG = "word IN (SELECT word FROM {kind}_words_known WHERE {test})"
_AT = "rowid IN (SELECT unnest(?::BIGINT[]))"


class IndexReader:
    """Finds positions in the index, and rows by their positions."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, store: RowStore) -> None:
        self._connection = connection
        self._store = store

    def matches(self, condition: Condition) -> Positions:
        """Positions of all matches, rising."""
        if not condition.positions:
            return np.sort(self._scan(condition.sql, condition.parameters))
        found = self._common(condition.positions)
        if condition.without_masters:
            found = found[~self._is_master[found]]
        if not condition.parts or not len(found):
            return found
        if len(found) <= FEW:
            rows = self._scan(f"{condition.sql} AND {_AT}", [*condition.parameters, found.tolist()])
            return np.sort(rows)
        return found[self._marked(self._scan(condition.sql, condition.parameters))[found]]

    def first(
        self,
        condition: Condition,
        found: Positions,
        order: str,
        values: Sequence[Any],
        limit: int,
        offset: int,
    ) -> Positions:
        """Positions of one page of the matches ``found``; ``values`` are the parameters of ``order``."""
        where, parameters = condition.sql, condition.parameters
        if condition.positions:
            where, parameters = _AT, [found.tolist()]
        return self._scan(f"{where} ORDER BY {order} LIMIT ? OFFSET ?", [*parameters, *values, limit, offset])

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
        found = self._common(
            [
                self._words(kind, _AMONG.format(kind=kind, test="suffix(word, ?)"), first),
                *(self.word(kind, word, whole=True) for word in middle),
                self.word(kind, last, whole=False),
            ]
        )
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
        return np.unique(fewest) if len(fewest) <= FEW else np.flatnonzero(self._marked(fewest))

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
