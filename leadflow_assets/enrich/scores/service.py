"""Scoring: every property of the lake at a day, published town by town where that matters.

What was scored of everything is remembered beside the lock, with the day: nothing is reckoned twice for the
same inputs, table and day. Killed anywhere, the next call ends it: each town is published by itself, and
what it was made from stands in its entry.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from leadflow_assets.domain.distress.table import CURRENT, ScoreTable, load_table
from leadflow_assets.domain.local_days import local_day
from leadflow_assets.domain.towns import town_by_id
from leadflow_assets.enrich.scores.inputs import (
    Inputs,
    asked_by_town,
    open_database,
    read_asked,
    read_inputs,
    town_inputs,
)
from leadflow_assets.enrich.scores.publishing import has_moved, staged_entry
from leadflow_assets.enrich.scores.remembered import one_at_a_time, read_done, write_done
from leadflow_assets.enrich.scores.rows import score_rows
from leadflow_assets.enrich.scoring import database
from leadflow_assets.errors import UsageError
from leadflow_assets.lake.lake import Lake, fingerprint
from leadflow_assets.lake.publish import Publisher, catch_up
from leadflow_assets.lake.snapshots import PartitionEntry
from leadflow_assets.lake.staging import staging_folder
from leadflow_assets.lake.tables import DISTRESS_SCORES
from leadflow_assets.refresh.code import code_version
from leadflow_assets.settings import Settings

# Properties that are scored together: a call costs a quarter of a second beside its rows.
_AT_ONCE: Final = 100_000


@dataclass(frozen=True)
class ScoreReport:
    """What scoring found and changed.

    ``scored`` is False where nothing had to be reckoned: the same inputs, table and day. The counts are of
    the properties reckoned now, by state. ``towns_changed`` (ids) were published. ``needs_refresh`` are towns
    (as ``leadflow refresh`` names them) whose properties are of an older version.
    """

    asof: date
    version: str
    table_hash: str
    scored: bool = False
    properties: int = 0
    unknown: int = 0
    not_applicable: int = 0
    faults: int = 0
    towns: int = 0
    towns_changed: tuple[int, ...] = ()
    towns_gone: tuple[int, ...] = ()
    needs_refresh: tuple[str, ...] = ()


def score_towns(
    settings: Settings,
    *,
    towns: Collection[int] | None = None,
    asof: date | None = None,
    run_id: str | None = None,
    table_version: str | None = None,
    force: bool = False,
) -> ScoreReport:
    """Score all towns, or these (ids), and publish those whose scores changed.

    ``asof`` is today in Massachusetts. ``force`` publishes every town. Needs no network.

    Raises:
        UsageError: no such table; a day that is still to come, or before a town's data.
        AuditError: a town's rows would break the table's contract; it stays as it was.
        StoreError: the lake, the staging folder or the state database cannot be used.
    """
    lake, run_id = Lake(settings), run_id or uuid.uuid4().hex[:12]
    table, day = load_table(table_version or CURRENT), known_day(asof)
    with one_at_a_time(settings):
        inputs = read_inputs(lake, day, table)
        if towns is None and not force and read_done(settings) == _done(inputs, table, day):
            return _report(inputs, table, day, towns=len(inputs.properties))
        chosen = _chosen(inputs, towns, day)
        with (
            staging_folder(lake.staging, run_id) as folder,
            open_database(inputs) as reader,
            database() as scoring,
        ):
            catch_up(lake.store, DISTRESS_SCORES.name)
            run = _Run(inputs, reader, scoring, table, day, folder, Publisher(lake.store, run_id), force)
            report = run.score(chosen, _gone(inputs, towns))
        if towns is None:
            # Unless something else was published meanwhile, this is what stands there now.
            write_done(settings, _done(inputs, table, day, lake.snapshot(DISTRESS_SCORES).number))
        return report


def known_day(asof: date | None) -> date:
    """The day asked for, or today in Massachusetts.

    Raises:
        UsageError: it is still to come.
    """
    today = local_day(datetime.now(UTC))
    if asof is not None and asof > today:
        raise UsageError(
            f"{asof} is still to come: what will be known then is not known.", "Give a day until today."
        )
    return asof or today


def outdated(settings: Settings, asof: date | None = None) -> str | None:
    """Names inputs, table and day that have not been scored yet; None where they have.

    Raises:
        StoreError: the lake or the state database cannot be read.
    """
    table, day = load_table(), known_day(asof)
    inputs = read_inputs(Lake(settings), day, table)
    if not inputs.properties and not inputs.published:
        return None
    done = _done(inputs, table, day)
    return None if read_done(settings) == done else f"{done[0][:16]}:{done[1]}:{done[2]}"


@dataclass(frozen=True)
class _Run:
    """One run of scoring, with everything it uses."""

    inputs: Inputs
    reader: duckdb.DuckDBPyConnection
    scoring: duckdb.DuckDBPyConnection
    table: ScoreTable
    day: date
    folder: Path
    publisher: Publisher
    force: bool

    def score(self, towns: Sequence[int], gone: Sequence[int]) -> ScoreReport:
        """Score these towns and publish what changed; scores of towns that are gone leave first."""
        if gone:
            self.publisher.publish(
                DISTRESS_SCORES.name, {DISTRESS_SCORES.partition(town): None for town in gone}
            )
        asked = read_asked(self.reader)
        answers = asked_by_town(asked)
        made_from = {town: town_inputs(self.inputs, town, self.table, answers) for town in towns}
        wanted = [town for town in towns if not self._is_of_the_day(town, made_from[town])]
        changed: set[int] = set()
        counts = dict.fromkeys(("properties", "unknown", "not_applicable", "faults"), 0)
        # While a group is written, audited and published the next one is reckoned.
        with ThreadPoolExecutor(1) as publishing:
            before: Future[set[int]] | None = None
            for group in _groups(self.inputs, wanted):
                rows = score_rows(self.reader, self.scoring, self.inputs, group, asked, self.day, self.table)
                _count(rows, counts)
                changed |= before.result() if before else set()
                before = publishing.submit(self._publish, group, rows, made_from)
            changed |= before.result() if before else set()
        return _report(
            self.inputs,
            self.table,
            self.day,
            scored=bool(wanted),
            towns=len(towns),
            towns_changed=tuple(sorted(changed)),
            towns_gone=tuple(gone),
            **counts,
        )

    def _publish(
        self, towns: Sequence[int], rows: pa.Table, made_from: dict[int, dict[str, str]]
    ) -> set[int]:
        """Publish what changed of a group, whose rows are in the order of its towns; returns those towns."""
        entries: dict[str, PartitionEntry | None] = {}
        changed = set()
        first = 0
        with self.reader.cursor() as reader:
            for town in towns:
                mine = rows.slice(first, self.inputs.properties[town].data.rows)
                first += mine.num_rows
                if self._is_same(town, made_from[town]) and not has_moved(reader, mine, self.inputs, town):
                    continue
                partition, entry = staged_entry(
                    self.inputs, town, mine, made_from[town], self.table, self.day, self.folder
                )
                entries[partition] = entry
                changed.add(town)
        if entries:
            self.publisher.publish(DISTRESS_SCORES.name, entries)
        return changed

    def _is_same(self, town: int, made_from: dict[str, str]) -> bool:
        """Was the published town made from the same, by the same rules?"""
        entry = self.inputs.published.get(town)
        wanted = fingerprint(DISTRESS_SCORES, made_from, code_version())
        return not self.force and entry is not None and entry.fingerprint == wanted

    def _is_of_the_day(self, town: int, made_from: dict[str, str]) -> bool:
        entry = self.inputs.published.get(town)
        same = entry is not None and entry.facts.get("as_of") == self.day.isoformat()
        return same and self._is_same(town, made_from)


def _count(rows: pa.Table, counts: dict[str, int]) -> None:
    counts["properties"] += rows.num_rows
    for state in ("unknown", "not_applicable"):
        counts[state] += pc.sum(pc.equal(rows["state"], state)).as_py() or 0
    counts["faults"] += pc.sum(rows["faults"]).as_py() or 0


def _chosen(inputs: Inputs, towns: Collection[int] | None, day: date) -> list[int]:
    """The towns to score.

    Raises:
        UsageError: a town asked for has no properties here, or none of that day.
    """
    wanted = sorted(inputs.properties.keys() if towns is None else set(towns))
    for town in wanted:
        if town not in inputs.properties:
            raise nothing_of(town, older=town in inputs.older)
        if day < data_since(inputs.properties[town], day):
            raise before_data(town, inputs.properties[town], day)
    return wanted


def data_since(entry: PartitionEntry, day: date) -> date:
    """The day on which a town's package came here; ``day`` where that is not told."""
    fetched = entry.facts.get("fetched_at")
    return local_day(datetime.fromisoformat(str(fetched))) if fetched else day


def before_data(town: int, entry: PartitionEntry, day: date) -> UsageError:
    """The error for a day on which nothing was known of the town."""
    first = data_since(entry, day)
    return UsageError(
        f"Nothing was known of {town_by_id(town).name} on {day}: its data is here since {first}.",
        f"Give a day from {first} on.",
    )


def nothing_of(town: int, *, older: bool) -> UsageError:
    """The error for a town without properties, or with those of another version."""
    name = town_by_id(town)
    if older:
        return UsageError(
            f"The properties of {name.name} were made by an older version.",
            f"leadflow refresh {name.key[4:]}",
        )
    return UsageError(f"There is no data for {name.name}.", f"Fetch it: leadflow refresh {name.key[4:]}")


def _gone(inputs: Inputs, towns: Collection[int] | None) -> list[int]:
    left = inputs.published.keys() - inputs.properties.keys() - inputs.older
    return sorted(town for town in left if towns is None or town in towns)


def _groups(inputs: Inputs, towns: Sequence[int]) -> Iterator[list[int]]:
    """Towns together until they have about a hundred thousand properties."""
    group: list[int] = []
    rows = 0
    for town in towns:
        size = inputs.properties[town].data.rows
        if group and rows + size > _AT_ONCE:
            yield group
            group, rows = [], 0
        group.append(town)
        rows += size
    if group:
        yield group


def _report(inputs: Inputs, table: ScoreTable, day: date, **found: object) -> ScoreReport:
    older = tuple(town_by_id(town).key[4:] for town in sorted(inputs.older))
    return ScoreReport(day, table.version, table.hash, needs_refresh=older, **found)  # type: ignore[arg-type]


def _done(inputs: Inputs, table: ScoreTable, day: date, snapshot: int | None = None) -> list[str]:
    """What is remembered of a scoring of everything: equal lists, nothing to do."""
    number = inputs.snapshot if snapshot is None else snapshot
    return [inputs.state(table), day.isoformat(), str(number)]
