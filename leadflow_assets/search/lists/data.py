"""The two states of the data that a list compares: the present one, and the one it was last compared with."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

import duckdb
import pyarrow as pa

from leadflow_assets.errors import LeadflowError
from leadflow_assets.search.criteria import SearchCriteria
from leadflow_assets.search.engine import Searcher, open_searcher
from leadflow_assets.search.lists.reasons import HASHED, VALUE_COLUMNS, remembered, to_json
from leadflow_assets.search.results import TownFreshness
from leadflow_assets.settings import Settings
from leadflow_assets.state.saved_lists import Member, SavedList

_ID_COLUMNS = (
    "property_id",
    "town_id",
    "prop_id",
    "cama_id",
    "loc_id",
    "point_x",
    "point_y",
    "address_key",
)
MEMBER_COLUMNS = tuple(dict.fromkeys((*_ID_COLUMNS, *VALUE_COLUMNS, *HASHED.values())))
_EVERYTHING = SearchCriteria()


@dataclass(frozen=True)
class Present:
    """The data as they are now. ``with_cases``, ``with_scores``: these too, since a filter asks for them."""

    searcher: Searcher
    with_cases: bool = False
    with_scores: bool = False

    @cached_property
    def towns(self) -> Mapping[int, TownFreshness]:
        """Towns in the lake by id.

        Raises:
            LeadflowError: there are none at all.
        """
        return {town.town_id: town for town in self.searcher.describe(_EVERYTHING).freshness}

    @property
    def releases(self) -> dict[int, str]:
        """Release of each town in the lake."""
        return {town_id: town.release for town_id, town in self.towns.items()}

    def mark(self) -> str:
        """Which data these are, to be kept with the list: see :class:`Earlier`."""
        towns = {str(town_id): [town.release, town.sha256] for town_id, town in self.towns.items()}
        mark: dict[str, Any] = {"as_of": self.searcher.snapshot.committed_at, "towns": towns}
        if self.with_cases:
            self.searcher.cases.load()
            mark["cases"] = self.searcher.cases.snapshot_number
        if self.with_scores:
            mark["scores"] = self.searcher.scores.snapshot.number
        return json.dumps(mark, sort_keys=True)

    def members(self, property_ids: Sequence[str], *, origin: str, now: datetime) -> dict[str, Member]:
        """Members as they are now, by id; ids that are not there are left out."""
        rows = self.rows(property_ids)
        shared = self._records_on_parcels(property_ids)
        return {
            property_id: Member(
                **{name: row[name] for name in _ID_COLUMNS},
                records_on_parcel=shared.get(property_id),
                values_json=to_json(remembered(row)) or "{}",
                origin=origin,
                added_at=now,
            )
            for property_id, row in rows.items()
        }

    def rows(self, property_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The searched fields of some properties, by id."""
        return rows_by_id(self.searcher, property_ids, with_cases=self.with_cases)

    def _records_on_parcels(self, property_ids: Sequence[str]) -> dict[str, int]:
        connection = self.searcher.connection
        connection.register("__wanted", pa.table({"id": pa.array(property_ids, pa.string())}))
        try:
            found = connection.execute(
                "WITH mine AS (SELECT property_id, town_id, loc_id FROM properties "
                "WHERE property_id IN (SELECT id FROM __wanted)), "
                "parcels AS (SELECT town_id, loc_id, count(*) AS records FROM properties "
                "WHERE (town_id, loc_id) IN (SELECT (town_id, loc_id) FROM mine) GROUP BY ALL) "
                "SELECT mine.property_id, parcels.records FROM mine JOIN parcels USING (town_id, loc_id)"
            ).fetchall()
        finally:
            connection.unregister("__wanted")
        return dict(found)


@dataclass
class Earlier:
    """The data a list was last compared with, as far as the lake still keeps them.

    ``towns`` maps town ids to the release and SHA-256 of then; ``as_of`` is the time of that snapshot. Court
    cases have a snapshot of their own: they come between two releases.
    """

    settings: Settings
    saved: SavedList
    why_not: str = ""
    _stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    @cached_property
    def _mark(self) -> dict[str, Any]:
        return dict(json.loads(self.saved.data_json))

    @property
    def as_of(self) -> str | None:
        """When that snapshot was made."""
        return self._mark.get("as_of")

    @cached_property
    def towns(self) -> Mapping[int, tuple[str, str]]:
        """Release and SHA-256 of each town then."""
        towns = self._mark.get("towns", {})
        return {int(town_id): (release, sha256) for town_id, (release, sha256) in towns.items()}

    @cached_property
    def _criteria(self) -> SearchCriteria:
        return SearchCriteria.model_validate_json(self.saved.criteria_json or "{}")

    @property
    def with_cases(self) -> bool:
        """Do the list's filters ask for court cases?"""
        return self._criteria.asks_for_cases

    @property
    def with_scores(self) -> bool:
        """Do the list's filters ask for distress scores?"""
        return self._criteria.asks_for_scores

    @cached_property
    def searcher(self) -> Searcher | None:
        """A searcher over that snapshot, or None; ``why_not`` says why."""
        if self.as_of is None:
            self.why_not = "the list does not say which data it was last compared with"
            return None
        try:
            searcher = open_searcher(
                self.settings,
                engine="parquet",
                as_of=self.as_of,
                cases_of=self._mark.get("cases"),
                scores_of=self._mark.get("scores"),
            )
            self._stack.callback(searcher.close)
            searcher.describe(_EVERYTHING)
            searcher.count(_EVERYTHING)
            if self.with_cases:
                searcher.cases.load()
            if self.with_scores:
                searcher.scores.load()
        except LeadflowError as error:
            self.why_not = error.message
            return None
        except duckdb.Error:
            # Cleaned up meanwhile, or written by a version of the program with other columns.
            self.why_not = "the files of that time cannot be read any more"
            return None
        return searcher

    @cached_property
    def kept_towns(self) -> frozenset[int]:
        """Towns whose rows of then are certainly those the list saw."""
        if self.searcher is None:
            return frozenset()
        then = self.searcher.describe(_EVERYTHING).freshness
        return frozenset(t.town_id for t in then if self.towns.get(t.town_id, ("", ""))[1] == t.sha256)

    def rows(self, property_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The rows that these ids had then; ids without one, or of towns not kept, are left out."""
        if not property_ids or self.searcher is None:
            return {}
        found = rows_by_id(self.searcher, property_ids, with_cases=self.with_cases)
        return {name: row for name, row in found.items() if row["town_id"] in self.kept_towns}

    def close(self) -> None:
        """Close what was opened."""
        self._stack.close()


def rows_by_id(
    searcher: Searcher, property_ids: Sequence[str], *, with_cases: bool
) -> dict[str, dict[str, Any]]:
    """The searched fields of some properties, by id; with the marks of their court cases as ``cases``."""
    rows = {row["property_id"]: row for row in searcher.properties(property_ids, MEMBER_COLUMNS).to_pylist()}
    if with_cases:
        for property_id, marks in searcher.cases.marks(list(rows)).items():
            rows[property_id]["cases"] = marks
    return rows
