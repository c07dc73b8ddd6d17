"""Where purged cases count: properties whose scores, leads and events were made with them.

A score, and what was made from it, tells of a case by its number alone (points, a factor, a day). So it is
found out first, in every version that is kept, at which properties which days belong to purged cases; the
matches, which tell it, are cleaned last: whoever comes after a kill finds the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from leadflow_assets.domain.purging import CASE, Purged
from leadflow_assets.enrich.purge.court_tables import clean_matches
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.snapshots import SnapshotLog
from leadflow_assets.lake.tables import CASE_MATCHES, DISTRESS_SCORES, Table

Pair = tuple[str, str]


@dataclass(frozen=True)
class Traces:
    """Days and factors of purged cases by property, and the pairs of property and case."""

    days: dict[str, set[date | None]] = field(default_factory=dict)
    factors: dict[str, set[str]] = field(default_factory=dict)
    pairs: set[Pair] = field(default_factory=set)

    def add(self, property_id: str, day: date | None, case_id: str | None = None) -> None:
        """Note a day of a purged case at a property."""
        self.days.setdefault(property_id, set()).add(day)
        if case_id:
            self.pairs.add((property_id, case_id))

    def since(self, property_id: str) -> date | None:
        """From when on a score there may count a purged case; None: never."""
        days = self.days.get(property_id)
        if days is None:
            return None
        return date.min if None in days else min(day for day in days if day is not None)

    def counts(self, property_id: str, line: dict[str, Any]) -> bool:
        """Is a line of a score's explanation one of a purged case?"""
        days = self.days.get(property_id)
        if days is None:
            return False
        if line["record"]:
            return (property_id, line["record"]) in self.pairs
        return line["event_date"] is not None and line["event_date"] in days

    def words(self, property_id: str) -> Iterator[str]:
        """What a line of a file that shows the property may tell of the case."""
        yield from (day.isoformat() for day in self.days.get(property_id, ()) if day is not None)
        yield from self.factors.get(property_id, ())


def find_traces(lake: Lake, purged: Purged, folder: Path) -> Traces:
    """The traces of everything that is known to be purged, in all versions that are kept."""
    found = Traces()
    folder.mkdir(parents=True, exist_ok=True)
    gone: list[tuple[str, str, date | None]] = []
    for rows in _versions(lake, CASE_MATCHES, None, folder):
        for row in _gone(purged, rows):
            gone.append((row["property_id"], row["case_id"], row.get("date_filed") or row.get("recorded_on")))
    shared = _shared(lake, purged, {property_id for property_id, _, _ in gone}, folder) if gone else set()
    for property_id, case_id, day in gone:
        if (property_id, case_id) not in shared:
            found.add(property_id, day, case_id)
    if found.days or purged.of_kind(CASE):
        for rows in _versions(lake, DISTRESS_SCORES, ("property_id", "reasons"), folder):
            _from_scores(purged, rows, found)
    return found


def _gone(purged: Purged, rows: pa.Table) -> list[dict[str, Any]]:
    """The rows of mart/case_matches that a purge takes out."""
    clean = clean_matches(purged, rows)
    if clean is None or not clean.removed:
        return []
    left = pc.is_in(rows["match_id"], clean.rows["match_id"].combine_chunks())
    found: list[dict[str, Any]] = rows.filter(pc.invert(left)).to_pylist()
    return found


def _shared(lake: Lake, purged: Purged, property_ids: set[str], folder: Path) -> set[Pair]:
    """Pairs of property and case that go on by another party: the case stays one of the property."""
    towns = {f"town_id={int(one.partition('-')[0])}" for one in property_ids if one[:3].isdigit()}
    found: set[Pair] = set()
    for partition, entry in lake.snapshot(CASE_MATCHES).partitions.items():
        rows = _read(lake, entry.data.path, None, folder) if partition in towns else None
        if rows is not None:
            clean = clean_matches(purged, rows)
            kept = rows if clean is None else clean.rows
            found |= set(zip(kept["property_id"].to_pylist(), kept["case_id"].to_pylist(), strict=True))
    return found


def _from_scores(purged: Purged, rows: pa.Table, found: Traces) -> None:
    """Lines that name a purged case, or that are one by property and day."""
    for property_id, line in suspect_lines(rows, found):
        if line["record"] and purged.has_case(line["record"]):
            found.add(property_id, line["event_date"], line["record"])
        if found.counts(property_id, line) and line["factor"]:
            found.factors.setdefault(property_id, set()).add(line["factor"])


def suspect_lines(rows: pa.Table, found: Traces) -> Iterator[tuple[str, dict[str, Any]]]:
    """Lines of mart/distress_scores that name a case, and all of properties with a trace."""
    reasons = rows["reasons"].combine_chunks()
    if isinstance(reasons, pa.ChunkedArray):
        reasons = reasons.chunk(0) if reasons.num_chunks else pa.array([], reasons.type)
    lines, parents = pc.list_flatten(reasons), pc.list_parent_indices(reasons)
    ids = rows["property_id"].take(parents)
    named = pc.fill_null(pc.match_substring(pc.struct_field(lines, "record"), ":"), False)
    traced = pc.is_in(ids, pa.array(sorted(found.days), pa.string()))
    chosen = pc.or_(named, traced)
    yield from zip(ids.filter(chosen).to_pylist(), lines.filter(chosen).to_pylist(), strict=True)


def _versions(lake: Lake, table: Table, columns: tuple[str, ...] | None, folder: Path) -> Iterator[pa.Table]:
    """Every file that the table's log names."""
    log, seen = SnapshotLog(lake.store, table.name), set()
    for number in reversed(log.numbers()):
        for entry in log.read(number).partitions.values():
            if entry.data.path not in seen:
                seen.add(entry.data.path)
                rows = _read(lake, entry.data.path, columns, folder)
                if rows is not None:
                    yield rows


def _read(lake: Lake, key: str, columns: tuple[str, ...] | None, folder: Path) -> pa.Table | None:
    try:
        path = lake.store.fetch(key, folder)
    except FileNotFoundError:
        return None  # cleaned up meanwhile
    with pq.ParquetFile(path) as file:
        rows = file.read(columns=list(columns) if columns else None)
    if path.parent == folder:
        path.unlink()
    return rows.replace_schema_metadata(None)
