"""From a person's file, or some ids, to the requests of a batch: one for each unique property.

Rows are matched with our parcels first. What is not found here is asked by its own address all the same; what
cannot be named to ATTOM becomes a request that ended before it began, so that every row is accounted for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from leadflow_assets.enrich.batches.job import BatchRequest, Match
from leadflow_assets.enrich.batches.naming import RECORD_COLUMNS, query_of_record, query_of_row
from leadflow_assets.enrich.batches.outcome import UNNAMEABLE
from leadflow_assets.errors import UsageError
from leadflow_assets.lake.lake import Lake
from leadflow_assets.search.engine import Searcher, open_searcher
from leadflow_assets.search.index import searchable
from leadflow_assets.search.lists.data import Present
from leadflow_assets.search.lists.file import ListFile, read_list_file
from leadflow_assets.search.lists.matching import match_file
from leadflow_assets.settings import Settings
from leadflow_assets.sources.attom.endpoints import EXPANDED_PROFILE, PropertyQuery, identities
from leadflow_assets.state.saved_lists import ImportRow

RESULTS = ("exact", "probable", "none", "duplicate", "unnameable")
_NO_TOWNS = "no town's parcels are here (leadflow refresh TOWN)"
_NAMED = 5


@dataclass(frozen=True)
class Matched:
    """What a batch would ask about. ``report`` tells it row by row, ``counts`` its rows by result.

    Requests have no job yet: their ``job_id`` is empty.
    """

    rows_given: int
    requests: tuple[BatchRequest, ...]
    report: tuple[ImportRow, ...]
    counts: Mapping[str, int]

    @property
    def duplicates(self) -> int:
        """Rows that name a property again."""
        return self.counts["duplicate"]


def match_rows(settings: Settings, path: Path) -> Matched:
    """Match a file of addresses or ids with the parcels that are here.

    Raises:
        UsageError: the file cannot be read or has no column that names a property.
    """
    file = read_list_file(path)
    records: dict[str, Mapping[str, Any]] = {}
    if not searchable(Lake(settings), None)[0].partitions:
        found = tuple(
            ImportRow(n, file.cell(n - 1, "address"), "none", None, _NO_TOWNS)
            for n in range(1, len(file.rows) + 1)
        )
    else:
        with open_searcher(settings) as searcher:
            found = match_file(file, searcher.connection, tuple(Present(searcher).towns), town=None)
            records = _records(searcher, [row.property_id for row in found if row.property_id])
    return _Rows(file, records, settings.attom_default_state).matched(found)


def match_properties(settings: Settings, property_ids: Sequence[str]) -> Matched:
    """Requests for properties of ours by their ids.

    Raises:
        UsageError: none is given, or some are not here.
    """
    wanted = list(dict.fromkeys(property_ids))
    if not wanted:
        raise UsageError("No property is given.", "Give ids of mart.properties.")
    with open_searcher(settings) as searcher:
        records = _records(searcher, wanted)
    absent = [property_id for property_id in wanted if property_id not in records]
    if absent:
        shown = ", ".join(absent[:_NAMED]) + (", ..." if len(absent) > _NAMED else "")
        raise UsageError(f"{len(absent)} properties are not here: {shown}.", "See `leadflow search`.")
    requests, report = [], []
    for number, property_id in enumerate(wanted, start=1):
        query, problem = query_of_record(records[property_id])
        requests.append(_request(number, (), "property", query, problem))
        result = "unnameable" if problem else "exact"
        report.append(ImportRow(number, property_id, result, property_id, problem or "given by its id"))
    counts = Counter(row.result for row in report)
    counts["duplicate"] = len(property_ids) - len(wanted)
    known = {result: counts[result] for result in RESULTS}
    return Matched(len(property_ids), tuple(requests), tuple(report), known)


def _records(searcher: Searcher, property_ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    if not property_ids:
        return {}
    rows = searcher.properties(list(dict.fromkeys(property_ids)), RECORD_COLUMNS).to_pylist()
    return {row["property_id"]: row for row in rows}


def _request(
    number: int, rows: tuple[int, ...], match: Match, query: PropertyQuery, problem: str
) -> BatchRequest:
    request = BatchRequest("", number, query.property_id, rows, match, query)
    return replace(request, outcome="error", reason=UNNAMEABLE) if problem else request


def _key(query: PropertyQuery) -> str:
    """Equal for two queries that would be the same question."""
    return identities(EXPANDED_PROFILE, query)[0].key


class _Rows:
    """The rows of one file on their way to requests."""

    def __init__(self, file: ListFile, records: Mapping[str, Mapping[str, Any]], default_state: str) -> None:
        self._file = file
        self._records = records
        self._default_state = default_state
        self._requests: list[BatchRequest] = []
        self._by_property: dict[str, int] = {}
        self._by_key: dict[str, int] = {}
        self._report: list[ImportRow] = []

    def matched(self, found: Sequence[ImportRow]) -> Matched:
        """The requests of all rows: of those that are ours first, so that a repetition finds its request."""
        order = {row: n for n, row in enumerate(found)}
        for row in sorted(found, key=lambda row: (row.result == "duplicate", order[row])):
            if row.property_id is not None:
                self._add_ours(row)
        for row in found:
            if row.property_id is None:
                self._add_unmatched(row)
        report = tuple(sorted(self._report, key=lambda row: (row.row_number, row.property_id or "")))
        by_row = {row.row_number: row.result for row in reversed(report)}
        counts = Counter(by_row.values())
        requests = sorted(self._requests, key=lambda request: request.source_rows)
        numbered = tuple(replace(request, request_number=n) for n, request in enumerate(requests, start=1))
        known = {result: counts[result] for result in RESULTS}
        return Matched(len(self._file.rows), numbered, report, known)

    def _add_ours(self, row: ImportRow) -> None:
        property_id = str(row.property_id)
        if property_id in self._by_property:
            self._repeat(row, self._by_property[property_id], row.why)
            return
        query, problem = query_of_record(self._records[property_id])
        if problem:
            own, own_problem = self._own(row)
            if not own_problem:
                query, problem = replace(own, property_id=property_id, fips=query.fips), ""
        result = "unnameable" if problem else row.result
        why = f"{row.why}; cannot be asked: {problem}" if problem else row.why
        self._by_property[property_id] = self._append(row, row.result, query, problem)
        self._report.append(replace(row, result=result, why=why))

    def _add_unmatched(self, row: ImportRow) -> None:
        query, problem = self._own(row)
        if problem:
            self._append(row, "none", query, problem)
            self._report.append(
                replace(row, result="unnameable", why=f"{row.why}; cannot be asked: {problem}")
            )
        elif (first := self._by_key.get(_key(query))) is not None:
            self._repeat(row, first, f"same address as row {self._requests[first].source_rows[0]}")
        else:
            self._append(row, "none", query, "")
            self._report.append(row)

    def _append(self, row: ImportRow, match: str, query: PropertyQuery, problem: str) -> int:
        kind: Match = "exact" if match == "exact" else "probable" if match == "probable" else "none"
        place = len(self._requests)
        self._requests.append(_request(0, (row.row_number,), kind, query, problem))
        if not problem:
            self._by_key.setdefault(_key(query), place)
        return place

    def _repeat(self, row: ImportRow, place: int, why: str) -> None:
        request = self._requests[place]
        rows = tuple(sorted({*request.source_rows, row.row_number}))
        self._requests[place] = replace(request, source_rows=rows)
        self._report.append(replace(row, result="duplicate", why=why, property_id=request.property_id))

    def _own(self, row: ImportRow) -> tuple[PropertyQuery, str]:
        return query_of_row(self._file, row.row_number - 1, default_state=self._default_state)
