"""Matches of a searcher's last searches: a page asks for its rows, its map and its further rows apart."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from datetime import date

import numpy as np
from numpy.typing import NDArray

from leadflow_assets.search.criteria import SearchCriteria
from leadflow_assets.search.statement import Positions

_Key = tuple[str, date, tuple[str, ...]]
_MOST = 8
# Of four bytes each: 12 MB in all.
_MOST_POSITIONS = 3_000_000


class Remembered:
    """Positions by what was asked for; the oldest are forgotten. Dies with its searcher, as its snapshot."""

    def __init__(self, today: Callable[[], date]) -> None:
        """``today`` is the day by which the searcher's cases end."""
        self._today = today
        self._found: OrderedDict[_Key, NDArray[np.int32]] = OrderedDict()

    def get(self, criteria: SearchCriteria, sort: tuple[str, ...] = ()) -> Positions | None:
        """What was kept for these criteria in that order (none: rising), if it was."""
        key = self._key(criteria, sort)
        known = self._found.get(key) if key else None
        if key is None or known is None:
            return None
        self._found.move_to_end(key)
        return known.astype(np.int64)

    def keep(self, criteria: SearchCriteria, found: Positions, sort: tuple[str, ...] = ()) -> Positions:
        """Remember them; gives them back."""
        key = self._key(criteria, sort)
        if key is not None:
            self._found[key] = found.astype(np.int32)
        while len(self._found) > _MOST or self._total() > _MOST_POSITIONS:
            self._found.popitem(last=False)
        return found

    def _key(self, criteria: SearchCriteria, sort: tuple[str, ...]) -> _Key | None:
        if criteria.lists or criteria.not_lists or criteria.property_ids is not None:
            return None  # lists change while a searcher lives; ids are looked up as quickly
        # Cases end by the day, and tenure is counted to it.
        return repr(criteria), self._today(), sort

    def _total(self) -> int:
        return sum(map(len, self._found.values()))
