"""The build: compare what was not compared, add what was not there, publish town by town.

Killed anywhere, the next build goes on: a group of towns is published whole or not at all, and what a town's
partition was made from stands in it. Nothing that is published is changed, but court cases that may no longer
be used are taken out.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import uuid
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from leadflow_assets.domain.changes import ChangeRules, Lineage
from leadflow_assets.domain.changes.withheld import without_purged
from leadflow_assets.domain.purging import Purged
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
    waiting,
)
from leadflow_assets.enrich.changes.reading import RecordReader
from leadflow_assets.enrich.changes.rows import former_ids, published_rows, with_new
from leadflow_assets.lake.catalog import connect
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.publish import Publisher, catch_up, upload
from leadflow_assets.lake.snapshots import PartitionEntry
from leadflow_assets.lake.staging import staging_folder
from leadflow_assets.lake.tables import DISTRESS_SCORES, PROPERTY_CHANGES, Table
from leadflow_assets.refresh.stage import stage
from leadflow_assets.refresh.withheld import load_purged
from leadflow_assets.settings import Settings

# Towns compared and published together: a kill costs at most their work.
_GROUP = 16
DEFAULT_RULES = ChangeRules()


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
    scores: Table | None = DISTRESS_SCORES,
    thresholds: Sequence[float] | None = None,
    again: bool = False,
    now: datetime | None = None,
    run_id: str | None = None,
) -> BuildReport:
    """Bring mart/property_changes up to the releases, case matches and scores that are published now.

    ``towns`` limits it to these ids. ``scores`` is the table whose ``thresholds`` (none given: those of the
    settings) are watched, None for none.
    ``again`` compares every pair of releases once more, as after other rules: events that are there stay, and
    only what was not there is added. ``now`` (aware) is when new events were seen.

    Raises:
        AuditError: a table would break its contract; it stays as it was.
        StoreError: the lake or the staging folder cannot be written.
    """
    lake = Lake(settings)
    seen_at = now or datetime.now(UTC)
    asked: dict[str, Any] = {"towns": towns, "scores": scores, "today": seen_at.date(), "again": again}
    if not waiting(lake, **asked):
        return BuildReport()
    run_id = run_id or uuid.uuid4().hex[:12]
    thresholds = settings.change_score_thresholds if thresholds is None else thresholds
    with _one_at_a_time(settings), staging_folder(lake.staging, run_id) as folder:
        catch_up(lake.store, PROPERTY_CHANGES.name)
        # Once more: who waited for the lock may find the work done.
        work = plan(lake, **asked)
        context = Context(lake, rules, seen_at, release_days(lake))
        polygons = parcel_files(lake, [pair for each in work for pair in each.pairs])
        # Nothing that is asked is spatial.
        with connect(settings, spatial=False) as connection:
            done = [
                _build_group(context, connection, group, polygons, thresholds, folder, run_id)
                for group in _groups(work)
            ]
    return _sum(done)


def outdated(settings: Settings, *, today: date | None = None) -> str | None:
    """Names what a build would compare now; None where it would find nothing to do.

    Raises:
        StoreError: the lake cannot be read.
    """
    work = waiting(Lake(settings), scores=DISTRESS_SCORES, today=today or datetime.now(UTC).date())
    if not work:
        return None
    named = [
        [
            each.town_id,
            each.published.fingerprint if each.published else None,
            [pair.mark for pair in each.pairs],
            sorted(each.inputs.items()),
        ]
        for each in work
    ]
    return hashlib.sha256(json.dumps(named).encode()).hexdigest()[:16]


def _build_group(
    context: Context,
    connection: duckdb.DuckDBPyConnection,
    group: Sequence[TownWork],
    polygons: Mapping[tuple[int, str], PartitionEntry],
    thresholds: Sequence[float],
    folder: Path,
    run_id: str,
) -> BuildReport:
    # Asked for each group: a build of the whole state takes long.
    purged = load_purged(context.lake.settings)
    pairs = [pair for work in group for pair in work.pairs]
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
    by_town: dict[int, list[Event]] = {work.town_id: [] for work in group}
    for event in events:
        by_town[event["town_id"]].append(event)
    published = {}
    for work in group:
        published[work.town_id] = published_rows(context.lake, work, folder)
        former = former_ids(published[work.town_id], by_town[work.town_id])
        by_town[work.town_id] += others.case_events(context, connection, work, former)
        by_town[work.town_id] += others.score_events(context, connection, work, thresholds)
        by_town[work.town_id] = _without_purged(purged, by_town[work.town_id])
    blind = tuple(sorted({pairs[job].after.town_id for job, found in traced.items() if found is None}))
    done = _publish(context, group, published, by_town, blind, folder, run_id)
    return BuildReport(
        tuple(done),
        len(pairs),
        sum((counts for counts, _ in done.values()), Counter()),
        sum(removed for _, removed in done.values()),
        blind,
    )


def _without_purged(purged: Purged | None, events: list[Event]) -> list[Event]:
    if purged is None:
        return events
    shown = (without_purged(purged, event) for event in events)
    return [dict(event) for event in shown if event is not None]


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
    published: Mapping[int, pa.Table],
    events: Mapping[int, Sequence[Event]],
    blind: Collection[int],
    folder: Path,
    run_id: str,
) -> dict[int, tuple[Counter[str], int]]:
    """Publish the group's towns with their new events; by town: how many of which kind, and cases removed."""
    lake = context.lake
    entries: dict[str, PartitionEntry | None] = {}
    counted: dict[int, tuple[Counter[str], int]] = {}
    for work in group:
        rows, added, removed = with_new(published[work.town_id], events[work.town_id])
        facts = _facts(work, rows, added, removed) | {"without_polygons": work.town_id in blind}
        place = folder / f"town_{work.town_id}"
        place.mkdir(exist_ok=True)
        staged = stage(
            PROPERTY_CHANGES,
            rows,
            PROPERTY_CHANGES.partition(work.town_id),
            work.inputs,
            facts,
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


def _facts(work: TownWork, rows: pa.Table, added: Counter[str], removed: int) -> dict[str, Any]:
    expires = pc.min(rows["expires_on"]).as_py()
    return {
        "compared": compared_after(work),
        "next_expiry": expires.isoformat() if isinstance(expires, date) else None,
        "rows_in": rows.num_rows,
        "added": dict(added),
        "removed": removed,
        "kinds": dict(sorted(Counter(rows["kind"].to_pylist()).items())),
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
