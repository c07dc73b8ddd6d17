"""The searcher: SearchCriteria in, properties out, from the index or straight from Parquet.

Both engines run the same condition over the same columns and give the same rows. The index is used when
it was made from exactly the published mart/properties; else Parquet is, and the result says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from leadflow_assets.domain.towns import town_by_id
from leadflow_assets.errors import UsageError
from leadflow_assets.lake.catalog import connect
from leadflow_assets.lake.extensions import load_extensions
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.snapshots import Snapshot
from leadflow_assets.search import notes as remarks
from leadflow_assets.search.areas import Polygon
from leadflow_assets.search.case_notes import notes_on_cases
from leadflow_assets.search.columns import CASE_COLUMNS, EXPORT_COLUMNS, SCORE_COLUMNS
from leadflow_assets.search.criteria import SCORE_FILTERS, SearchCriteria
from leadflow_assets.search.index import open_index, open_rows, outdated, searchable
from leadflow_assets.search.index_reader import (
    CASES_BESIDE,
    PROPERTIES_IN_INDEX,
    SCORES_BESIDE,
    IndexReader,
)
from leadflow_assets.search.parquet_files import may_touch, parquet_relation
from leadflow_assets.search.remembered import Remembered
from leadflow_assets.search.results import Described, SearchResult, TownFreshness, freshness_of, town_id_of
from leadflow_assets.search.row_store import as_arrow
from leadflow_assets.search.score_notes import notes_on_scores
from leadflow_assets.search.searched_cases import SearchedCases
from leadflow_assets.search.searched_scores import SearchedScores
from leadflow_assets.search.selection import (
    COMPUTED,
    DISTANCE,
    INPUTS,
    circles,
    order_by,
    selected,
    sort_keys,
    with_computed,
)
from leadflow_assets.search.statement import Condition, Positions, condition_of
from leadflow_assets.settings import Settings

if TYPE_CHECKING:
    from leadflow_assets.search.geocode.geocoder import Geocoder

Engine = Literal["auto", "index", "parquet"]
DEFAULT_SORT = ("property_id",)
MAX_LIMIT = 1_000_000
# Up to that many rows are sorted by what the row store gives; of more, DuckDB finds the first.
_MOST_SORTED_HERE = 50_000


def open_searcher(
    settings: Settings,
    *,
    engine: Engine = "auto",
    as_of: str | None = None,
    cases_of: int | None = None,
    scores_of: int | None = None,
) -> Searcher:
    """Open what is there: the index if it is current, else Parquet. ``as_of`` always reads Parquet.

    ``cases_of`` is the number of the snapshot of mart/case_matches to take, ``scores_of`` that of
    mart/distress_scores; None: that of ``as_of``.

    Raises:
        UsageError: ``engine`` is ``index`` and the index cannot be used, or ``as_of`` is no date.
    """
    lake = Lake(settings)
    snapshot, older = searchable(lake, as_of)
    old_versions = remarks.older_versions([town_by_id(town_id_of(partition)) for partition in older])
    told = old_versions
    if engine != "parquet" and as_of is None:
        found, why_not = _usable_index(lake, snapshot)
        if found is not None:
            connection, reader, cases, scores = found
            return Searcher(
                lake,
                snapshot,
                connection,
                cases,
                scores,
                "index",
                old_versions,
                older=old_versions,
                reader=reader,
            )
        if engine == "index":
            raise UsageError(f"The search index cannot be used: {why_not}.", "Run `leadflow index`.")
        told = (
            *old_versions,
            f"Answered from Parquet, which is slower: {why_not}. `leadflow index` brings it up to date.",
        )
    connection = connect(settings)
    relation = parquet_relation(lake, list(snapshot.partitions.values()))
    connection.execute(f"CREATE VIEW properties AS {relation}")
    cases = SearchedCases(lake, connection, indexed=False, when=as_of if cases_of is None else cases_of)
    scores = SearchedScores(lake, connection, indexed=False, when=as_of if scores_of is None else scores_of)
    return Searcher(lake, snapshot, connection, cases, scores, "parquet", told, as_of, old_versions)


def _usable_index(
    lake: Lake, snapshot: Snapshot
) -> tuple[tuple[duckdb.DuckDBPyConnection, IndexReader, SearchedCases, SearchedScores] | None, str]:
    connection = open_index(lake.settings)
    if connection is None:
        return None, "there is no search index that this version can read"
    old = outdated(connection, snapshot)
    if not old:
        try:
            cases = SearchedCases(lake, connection, indexed=True)
            scores = SearchedScores(lake, connection, indexed=True)
            reader = IndexReader(connection, open_rows(connection), cases.positions, scores.positions)
            return (connection, reader, cases, scores), ""
        except OSError:
            connection.close()
            return None, "the rows of the search index cannot be read"
    connection.close()
    towns = [town_by_id(town_id_of(partition)).name for partition in old]
    return None, f"the search index is older than mart/properties for {remarks.named(towns)}"


@dataclass
class Searcher:
    """Answers searches over one snapshot. Not for several threads at once; use one per thread."""

    lake: Lake
    snapshot: Snapshot
    connection: duckdb.DuckDBPyConnection
    cases: SearchedCases
    scores: SearchedScores
    engine: str
    notes: tuple[str, ...] = ()
    as_of: str | None = None
    older: tuple[str, ...] = ()
    reader: IndexReader | None = None
    _remembered: Remembered = field(init=False)
    _freshness: dict[int, TownFreshness] = field(init=False)
    _known: dict[int, Mapping[str, int]] = field(init=False)

    def __post_init__(self) -> None:
        self._remembered = Remembered(self.cases.today)
        found = (freshness_of(name, entry) for name, entry in self.snapshot.partitions.items())
        self._freshness = {town.town_id: town for town in sorted(found, key=lambda town: town.town_id)}
        self._known = {
            town_id_of(name): entry.facts.get("vendor_columns", {})
            for name, entry in self.snapshot.partitions.items()
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection, and the file of rows."""
        self.connection.close()
        if self.reader is not None:
            self.reader.close()

    def search(
        self,
        criteria: SearchCriteria,
        *,
        sort: Sequence[str] = DEFAULT_SORT,
        limit: int = 100,
        offset: int = 0,
        columns: Sequence[str] | None = None,
    ) -> SearchResult:
        """One page of matches and their total.

        Pages are stable: equal sort values are ordered by property_id. With a circle in the criteria
        every row carries ``distance_m``.

        Raises:
            UsageError: nothing is here to be searched, an unknown column or list, a wrong page.
        """
        if not 0 < limit <= MAX_LIMIT or offset < 0:
            raise UsageError(
                f"No such page: limit {limit}, offset {offset}.",
                f"limit is 1 to {MAX_LIMIT:,}, offset 0 or more.",
            )
        described = self.describe(criteria)
        if self.reader is not None:
            page, total = self._positions(criteria, sort, limit, offset)
            rows = self._rows_at(page, criteria, columns)
        else:
            total = self.count(criteria)
            statement, parameters = self._statement(criteria, sort, columns)
            rows = self.connection.execute(
                f"{statement} LIMIT ? OFFSET ?", [*parameters, limit, offset]
            ).to_arrow_table()
        return SearchResult(rows, total, described.freshness, described.notes, self.engine)

    def count(self, criteria: SearchCriteria) -> int:
        """How many properties match."""
        found = self._matches(criteria)
        if found is not None:
            return len(found)
        condition = self._condition(criteria)
        row = self.connection.execute(
            f"SELECT count(*) FROM {self._source(criteria)} WHERE {condition.sql}", condition.parameters
        ).fetchone()
        return int(row[0]) if row else 0

    def count_by_town(self, criteria: SearchCriteria) -> dict[int, int]:
        """Matches per town id; towns without any are left out."""
        found = self._matches(criteria)
        if found is not None and self.reader is not None:
            towns = self.reader.rows(found, ("town_id",)).column("town_id")
            counted = sorted((one["values"], one["counts"]) for one in towns.value_counts().to_pylist())
            return dict(counted)
        condition = self._condition(criteria)
        rows = self.connection.execute(
            f"SELECT town_id, count(*) FROM {self._source(criteria)} WHERE {condition.sql} "
            "GROUP BY town_id ORDER BY town_id",
            condition.parameters,
        ).fetchall()
        return dict(rows)

    def ids(self, criteria: SearchCriteria) -> list[str]:
        """Ids of all matches, in order."""
        with self.stream(criteria, columns=("property_id",)) as batches:
            return [value for batch in batches for value in batch.column("property_id").to_pylist()]

    def stream(
        self,
        criteria: SearchCriteria,
        *,
        sort: Sequence[str] = DEFAULT_SORT,
        columns: Sequence[str] | None = None,
        limit: int | None = None,
        offset: int = 0,
        batch_rows: int = 16_384,
    ) -> pa.RecordBatchReader:
        """All matches as Arrow batches, in bounded memory. Read it to its end before the next search."""
        # Without a limit all there are: MAX_LIMIT is that of a page, which is held in memory.
        rows = sum(town.records for town in self._freshness.values()) if limit is None else limit
        if self.reader is not None:
            found, _ = self._positions(criteria, sort, rows, offset)
            parts = (found[start : start + batch_rows] for start in range(0, len(found), batch_rows))
            schema = self._rows_at(found[:0], criteria, columns).schema
            tables = (self._rows_at(part, criteria, columns) for part in parts)
            batches = (batch for table in tables for batch in table.combine_chunks().to_batches())
            return pa.RecordBatchReader.from_batches(schema, batches)
        statement, parameters = self._statement(criteria, sort, columns)
        if limit is not None or offset:
            statement += " LIMIT ? OFFSET ?"
            parameters = [*parameters, rows, offset]
        return self.connection.cursor().execute(statement, parameters).to_arrow_reader(batch_rows)

    def properties(self, property_ids: Sequence[str], columns: Sequence[str] | None = None) -> pa.Table:
        """These properties, in the order of their ids; unknown ids are left out."""
        criteria = SearchCriteria(property_ids=tuple(property_ids), include_condominium_masters=True)
        with self.stream(criteria, columns=columns) as batches:
            return batches.read_all()

    def describe(self, criteria: SearchCriteria) -> Described:
        """Freshness of the searched towns, and what the search cannot know.

        Raises:
            UsageError: none of the towns asked for (or no town at all) is here.
        """
        wanted = criteria.towns or tuple(self._freshness)
        here = tuple(self._freshness[town] for town in wanted if town in self._freshness)
        absent = [town_by_id(town).name for town in wanted if town not in self._freshness]
        if not here:
            raise remarks.nothing_here(absent, self.older)
        told = [*self.notes, *remarks.coverage(criteria, here, absent, self._known)]
        if criteria.areas and not criteria.towns:
            told += remarks.partial_state(len(self._freshness))
        if criteria.asks_for_cases:
            told += notes_on_cases(self.lake, self.cases, criteria, self._case_keys(criteria))
        if criteria.asks_for_scores:
            asked = [name for name in criteria.filters() if name in SCORE_FILTERS]
            told += notes_on_scores(self.scores, here, asked)
        return Described(here, tuple(told), self.engine)

    def geocoder(self) -> Geocoder:
        """A geocoder that knows the addresses of these properties."""
        from leadflow_assets.search.geocode.geocoder import Geocoder
        from leadflow_assets.sources.census_geocoder import CensusGeocoder

        settings = self.lake.settings
        wanted = settings.leadflow_online_geocoder == "census"
        return Geocoder(
            self.connection, online=CensusGeocoder(settings.census_geocoder_url) if wanted else None
        )

    def _condition(self, criteria: SearchCriteria) -> Condition:
        if criteria.asks_for_cases:
            self.cases.load()
        if criteria.asks_for_scores:
            self.scores.load()
        if any(isinstance(area, Polygon) for area in criteria.areas):
            # Polygons alone need it, and it costs more to load than most searches take.
            load_extensions(self.connection, ["spatial"])
        return condition_of(criteria, lookup=self.reader, members=self._members)

    def _members(self, name: str) -> list[str]:
        from leadflow_assets.state import database, saved_lists

        with database.session(self.lake.settings) as session:
            return saved_lists.member_ids(session, name)

    def _positions(
        self, criteria: SearchCriteria, sort: Sequence[str], limit: int, offset: int
    ) -> tuple[Positions, int]:
        """Where the rows of one page stand in the index, in order, and the number of all matches."""
        assert self.reader is not None
        keys = sort_keys(sort, criteria)
        columns = dict.fromkeys(column for column, _ in keys)
        by_score = columns.keys() <= SCORE_COLUMNS.keys()
        found = self._remembered.get(criteria)
        condition = self._condition(criteria) if found is None else None
        if condition is not None:
            here = bool(condition.positions or criteria.towns or criteria.areas)
            if tuple(sort) == DEFAULT_SORT or here or by_score:
                found = self._remembered.keep(criteria, self.reader.matches(condition))
        if found is not None and tuple(sort) == DEFAULT_SORT:
            return found[offset : offset + limit], len(found)
        if found is None or (len(found) > _MOST_SORTED_HERE and not by_score):
            condition = condition or self._condition(criteria)
            if found is None or not condition.positions:
                return self._first(criteria, condition, sort, limit, offset)
        total = len(found)
        if keys[0] == ("score", True):
            found = self.scores.highest(found, "score", offset + limit)
            return self._sorted(found, criteria, keys)[offset : offset + limit], total
        ordered = self._remembered.get(criteria, tuple(sort))
        if ordered is None:
            ordered = self._remembered.keep(criteria, self._sorted(found, criteria, keys), tuple(sort))
        return ordered[offset : offset + limit], total

    def _first(
        self, criteria: SearchCriteria, condition: Condition, sort: Sequence[str], limit: int, offset: int
    ) -> tuple[Positions, int]:
        """One page in an order that DuckDB finds, and the number of all matches."""
        assert self.reader is not None
        columns = dict.fromkeys(column for column, _ in sort_keys(sort, criteria))
        order, values = order_by(sort, criteria, last="position")
        relation = PROPERTIES_IN_INDEX
        if not CASE_COLUMNS.keys().isdisjoint(columns):
            self.cases.load()
            relation += CASES_BESIDE
        if not SCORE_COLUMNS.keys().isdisjoint(columns):
            self.scores.load()
            relation += SCORES_BESIDE
        page, total = self.reader.first(
            condition, _read(columns), order, values, (limit, offset), relation=relation
        )
        return page, total if len(page) or not offset else self.count(criteria)

    def _sorted(
        self, found: Positions, criteria: SearchCriteria, keys: Sequence[tuple[str, bool]]
    ) -> Positions:
        rows = self._rows_at(found, criteria, list(dict.fromkeys(column for column, _ in keys)))
        signs = [(column, "descending" if down else "ascending", "at_end") for column, down in keys]
        ordered: Positions = found[pc.sort_indices(rows, signs).to_numpy()]
        return ordered

    def _matches(self, criteria: SearchCriteria) -> Positions | None:
        """Positions of all matches, rising, where the index gives them faster than their number alone."""
        if self.reader is None:
            return None
        found = self._remembered.get(criteria)
        if found is None and (condition := self._condition(criteria)).positions:
            found = self._remembered.keep(criteria, self.reader.matches(condition))
        return found

    def _case_keys(self, criteria: SearchCriteria) -> pa.Array:
        """All matches by what the relation ``cases`` knows them by: positions, or property ids."""
        if self.reader is None:
            return pa.array(self.ids(criteria), pa.string())
        found = self._matches(criteria)
        assert found is not None  # whoever asks for cases has them looked up
        return as_arrow(found)

    def _rows_at(
        self, positions: Positions, criteria: SearchCriteria, columns: Sequence[str] | None
    ) -> pa.Table:
        assert self.reader is not None
        wanted = _shown(criteria, columns)
        selected(criteria, wanted)  # refuses what is no column
        beside = (*CASE_COLUMNS, *SCORE_COLUMNS)
        stored = self.reader.rows(positions, _read(name for name in wanted if name not in beside))
        stored = self.cases.added_to(stored, positions, wanted)
        return with_computed(self.scores.added_to(stored, positions, wanted), criteria, wanted)

    def _statement(
        self, criteria: SearchCriteria, sort: Sequence[str], columns: Sequence[str] | None
    ) -> tuple[str, list[Any]]:
        """The query for rows over Parquet."""
        wanted = _shown(criteria, columns)
        shown, values = selected(criteria, wanted)
        order, ordering = order_by(sort, criteria)
        condition = self._condition(criteria)
        source = self._source(criteria)
        used = {*wanted, *(column for column, _ in sort_keys(sort, criteria))}
        if not CASE_COLUMNS.keys().isdisjoint(used):
            self.cases.load()
            source = f"{source} LEFT JOIN case_summary USING (property_id)"
        if not SCORE_COLUMNS.keys().isdisjoint(used):
            self.scores.load()
            source = f"{source} LEFT JOIN score_summary USING (property_id)"
        statement = f"SELECT {shown} FROM {source} WHERE {condition.sql} ORDER BY {order}"
        return statement, [*values, *condition.parameters, *ordering]

    def _source(self, criteria: SearchCriteria) -> str:
        """The relation to read; over Parquet only the files that can hold a match."""
        if self.engine == "index":
            return "properties"
        entries = [
            entry
            for name, entry in self.snapshot.partitions.items()
            if (not criteria.towns or town_id_of(name) in criteria.towns) and may_touch(criteria, entry)
        ]
        return f"({parquet_relation(self.lake, entries)})"


def _read(columns: Iterable[str]) -> list[str]:
    """The stored columns that these are, or are made of."""
    wanted = list(columns)
    inputs = INPUTS if not COMPUTED.isdisjoint(wanted) else ()
    return [name for name in dict.fromkeys((*wanted, *inputs)) if name != DISTANCE]


def _shown(criteria: SearchCriteria, columns: Sequence[str] | None) -> list[str]:
    if columns is None and circles(criteria):
        return [*EXPORT_COLUMNS, DISTANCE]
    return list(columns or EXPORT_COLUMNS)
