"""The build: compare what was not compared, add what was not there, publish town by town.

Killed anywhere, the next build goes on: a group of towns is published whole or not at all, and what a town's
partition was made from stands in it. Nothing that is published is changed, but court cases that may no longer
be used are taken out.
"""

from __future__ import annotations

import contextlib
import fcntl
import uuid
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from leadflow_assets.domain.changes import ChangeRules, Lineage
from leadflow_assets.enrich.changes import coming_going, differences, following, others
from leadflow_assets.enrich.changes.events import Event, followed_events
from leadflow_assets.enrich.changes.ground import lineage
from leadflow_assets.enrich.changes.plan import (
    Context,
    Pair,
    TownWork,
    compared_after,
    parcel_files,
    plan,
    release_days,
)
from leadflow_assets.enrich.changes.reading import RecordReader
from leadflow_assets.lake.catalog import connect
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.publish import Publisher, catch_up, upload
from leadflow_assets.lake.snapshots import PartitionEntry
from leadflow_assets.lake.staging import staging_folder
from leadflow_assets.lake.tables import PROPERTY_CHANGES, Table
from leadflow_assets.refresh.stage import stage
from leadflow_assets.settings import Settings

# Towns compared and published together: a kill costs at most their work.
_GROUP = 16
_CASE = "case_matched"
DEFAULT_RULES = ChangeRules()
DEFAULT_THRESHOLDS = (40.0, 60.0, 80.0)


@dataclass(frozen=True)
class BuildReport:
    """What a build did. ``added`` counts new events by kind, ``towns`` are those published anew (ids).

    ``compared`` counts pairs of releases; ``removed`` court cases that left; ``without_polygons`` are towns
    where the earlier release's polygons are not kept, so that splits and mergers could not be seen.
    """

    towns: tuple[int, ...] = ()
    compared: int = 0
    added: Mapping[str, int] = field(default_factory=dict)
    removed: int = 0
    without_polygons: tuple[int, ...] = ()

    @property
    def events(self) -> int:
        """How many events are new."""
        return sum(self.added.values())


def build(
    settings: Settings,
    *,
    towns: Collection[int] | None = None,
    rules: ChangeRules = DEFAULT_RULES,
    scores: Table | None = None,
    thresholds: Sequence[float] = DEFAULT_THRESHOLDS,
    again: bool = False,
    now: datetime | None = None,
    run_id: str | None = None,
) -> BuildReport:
    """Bring mart/property_changes up to the releases, case matches and scores that are published now.

    ``towns`` limits it to these ids. ``scores`` is the table whose ``thresholds`` are watched, None for none.
    ``again`` compares every pair of releases once more, as after other rules: events that are there stay, and
    only what was not there is added. ``now`` (aware) is when new events were seen.

    Raises:
        AuditError: a table would break its contract; it stays as it was.
        StoreError: the lake or the staging folder cannot be written.
    """
    lake = Lake(settings)
    seen_at = now or datetime.now(UTC)
    planned = partial(plan, lake, towns=towns, scores=scores, today=seen_at.date(), again=again)
    if not planned():
        return BuildReport()
    run_id = run_id or uuid.uuid4().hex[:12]
    with _one_at_a_time(settings), staging_folder(lake.staging, run_id) as folder:
        catch_up(lake.store, PROPERTY_CHANGES.name)
        # Once more: who waited for the lock may find the work done.
        work = planned()
        context = Context(lake, rules, seen_at, release_days(lake))
        polygons = parcel_files(lake, [pair for each in work for pair in each.pairs])
        done = [_build_group(context, group, polygons, thresholds, folder, run_id) for group in _groups(work)]
    return _sum(done)


def _build_group(
    context: Context,
    group: Sequence[TownWork],
    polygons: Mapping[tuple[int, str], PartitionEntry],
    thresholds: Sequence[float],
    folder: Path,
    run_id: str,
) -> BuildReport:
    pairs = [pair for work in group for pair in work.pairs]
    connection = connect(context.lake.settings)
    try:
        traced = {
            job: lineage(
                context.lake,
                polygons.get((pair.before.town_id, pair.before.name)),
                polygons.get((pair.after.town_id, pair.after.name)),
                context.rules,
                folder,
            )
            for job, pair in enumerate(pairs)
        }
        events = _release_events(context, connection, pairs, traced) if pairs else []
        today = context.seen_at.date()
        cases: dict[int, list[Event]] = {}
        for work in group:
            cases[work.town_id] = others.case_events(context, connection, work, today)
            events += others.score_events(context, connection, work, thresholds)
    finally:
        connection.close()
    blind = tuple(sorted({pairs[job].after.town_id for job, found in traced.items() if found is None}))
    by_town: dict[int, list[Event]] = {work.town_id: cases[work.town_id] for work in group}
    for event in events:
        by_town[event["town_id"]].append(event)
    published = _publish(context, group, by_town, folder, run_id)
    return BuildReport(
        tuple(published),
        len(pairs),
        sum((counts for counts, _ in published.values()), Counter()),
        sum(removed for _, removed in published.values()),
        blind,
    )


def _release_events(
    context: Context,
    connection: duckdb.DuckDBPyConnection,
    pairs: Sequence[Pair],
    traced: Mapping[int, Lineage | None],
) -> list[Event]:
    following.load_records(connection, context.lake, pairs)
    following.follow(connection, traced)
    statistics = differences.measure(connection, context.rules)
    rows = differences.candidates(connection)
    land = {
        job: frozenset({*found.splits, *found.merged, *found.merges, *found.parts})
        for job, found in traced.items()
        if found is not None
    }
    found = list(followed_events(context, pairs, rows, statistics, land, RecordReader()))
    found += coming_going.unfollowed_events(context, connection, pairs, traced)
    return found


def _publish(
    context: Context,
    group: Sequence[TownWork],
    events: Mapping[int, Sequence[Event]],
    folder: Path,
    run_id: str,
) -> dict[int, tuple[Counter[str], int]]:
    """Publish the group's towns with their new events; by town: how many of which kind, and cases removed."""
    lake = context.lake
    entries: dict[str, PartitionEntry | None] = {}
    counted: dict[int, tuple[Counter[str], int]] = {}
    for work in group:
        rows, added, removed = _with_new(_published_rows(lake, work, folder), events[work.town_id])
        place = folder / f"town_{work.town_id}"
        place.mkdir(exist_ok=True)
        staged = stage(
            PROPERTY_CHANGES,
            rows,
            PROPERTY_CHANGES.partition(work.town_id),
            work.inputs,
            _facts(work, rows, added),
            place,
        )
        entries[staged.partition] = upload(lake.store, staged)
        counted[work.town_id] = (added, removed)
    # What another machine published meanwhile has events that are not among ours: left to the next build.
    here = lake.snapshot(PROPERTY_CHANGES).partitions
    kept = {
        PROPERTY_CHANGES.partition(work.town_id): work.town_id
        for work in group
        if here.get(PROPERTY_CHANGES.partition(work.town_id)) == work.published
    }
    if kept:
        Publisher(lake.store, run_id).publish(PROPERTY_CHANGES.name, {name: entries[name] for name in kept})
    return {town_id: counted[town_id] for town_id in kept.values()}


def _published_rows(lake: Lake, work: TownWork, folder: Path) -> pa.Table:
    """The town's events so far; a column that an older version did not have is null."""
    schema = PROPERTY_CHANGES.schema
    if work.published is None:
        return schema.empty_table()
    table = pq.read_table(lake.store.fetch(work.published.data.path, folder), partitioning=None)
    columns = [
        table[field.name].cast(field.type)
        if field.name in table.schema.names
        else pa.nulls(len(table), field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _with_new(rows: pa.Table, events: Sequence[Event]) -> tuple[pa.Table, Counter[str], int]:
    """The rows with the events that are not among them, without cases that may not be shown any more."""
    known = set(rows["event_id"].to_pylist())
    in_force = {(event["property_id"], event["case_id"]) for event in events if event["kind"] == _CASE}
    confirmed = {
        (row["property_id"], row["case_id"])
        for row in rows.filter(pc.equal(rows["case_tier"], "confirmed"))
        .select(["property_id", "case_id"])
        .to_pylist()
    }
    new: dict[str, Event] = {}
    for event in events:
        told = event["kind"] == _CASE and (event["property_id"], event["case_id"]) in confirmed
        if event["event_id"] not in known and not told:
            new.setdefault(event["event_id"], event)
    is_case = pc.equal(rows["kind"], _CASE)
    stays = [
        not case or (row["property_id"], row["case_id"]) in in_force
        for case, row in zip(
            is_case.to_pylist(), rows.select(["property_id", "case_id"]).to_pylist(), strict=True
        )
    ]
    kept = rows.filter(pa.array(stays, pa.bool_()))
    added = pa.Table.from_pylist([_filled(event) for event in new.values()], schema=PROPERTY_CHANGES.schema)
    merged = pa.concat_tables([kept, added]).sort_by([("seen_at", "ascending"), ("event_id", "ascending")])
    return merged, Counter(event["kind"] for event in new.values()), len(rows) - len(kept)


def _filled(event: Event) -> Event:
    return {name: event.get(name) for name in PROPERTY_CHANGES.schema.names}


def _facts(work: TownWork, rows: pa.Table, added: Counter[str]) -> dict[str, Any]:
    expires = pc.min(rows["expires_on"]).as_py()
    return {
        "compared": compared_after(work),
        "next_expiry": expires.isoformat() if isinstance(expires, date) else None,
        "rows_in": rows.num_rows,
        "added": dict(added),
    }


def _sum(done: Sequence[BuildReport]) -> BuildReport:
    return BuildReport(
        tuple(sorted(town for report in done for town in report.towns)),
        sum(report.compared for report in done),
        dict(sum((Counter(report.added) for report in done), Counter())),
        sum(report.removed for report in done),
        tuple(sorted({town for report in done for town in report.without_polygons})),
    )


def _groups(work: Sequence[TownWork]) -> Iterator[Sequence[TownWork]]:
    for start in range(0, len(work), _GROUP):
        yield work[start : start + _GROUP]


@contextlib.contextmanager
def _one_at_a_time(settings: Settings) -> Iterator[None]:
    """A second build on this machine waits, and then finds the work done."""
    folder = settings.data_dir / "changes"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
