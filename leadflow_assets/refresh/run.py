"""A refresh of many towns: plan, build in worker processes, publish in groups, report town by town.

Both the command line and Dagster call :func:`refresh_towns`. It can be killed at any moment: what was
reported is published, the rest is done by the next run.
"""

from __future__ import annotations

import multiprocessing
import signal
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from leadflow_assets.domain.towns import Town, town_by_id
from leadflow_assets.errors import LeadflowError, UsageError
from leadflow_assets.lake import tables
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.publish import Publisher, catch_up
from leadflow_assets.lake.snapshots import PartitionEntry
from leadflow_assets.lake.staging import staging_folder
from leadflow_assets.refresh.plan import Held, RefreshOptions, TownPlan, plan_towns
from leadflow_assets.refresh.town import TownBuild, TownTask, build_town
from leadflow_assets.settings import Settings

Status = Literal["refreshed", "unchanged", "failed"]
# Towns published together: fewer log entries, and a kill costs at most this many towns' work.
_GROUP = 8
_GROUP_SECONDS = 15.0


@dataclass(frozen=True)
class TownReport:
    """What became of one town. ``published`` holds its new partitions by table name, then partition."""

    town: Town
    status: Status
    published: Mapping[str, Mapping[str, PartitionEntry]] = field(default_factory=dict)
    error: LeadflowError | None = None
    notes: tuple[str, ...] = ()
    seconds: float = 0.0


def refresh_towns(
    settings: Settings,
    towns: Sequence[Town],
    options: RefreshOptions | None = None,
    *,
    run_id: str | None = None,
) -> Iterator[TownReport]:
    """Bring towns up to date and yield a report for each as soon as its tables are published.

    A town that fails keeps its published tables; the others go on.

    Raises:
        UsageError: ``--from`` with more than one town.
        LeadflowError: something no town can do without (the lake, the staging folder) failed.
    """
    options = options or RefreshOptions()
    if options.source is not None and len(towns) != 1:
        raise UsageError("--from gives the package of one town.", "Name exactly one town with it.")
    lake = Lake(settings)
    run_id = run_id or uuid.uuid4().hex[:12]
    for table in tables.MASSGIS:
        catch_up(lake.store, table.name)
    held = Held.read(lake)
    plans, _ = plan_towns(towns, options, held, settings)
    record_checks(settings, plans)
    for plan in plans:
        if plan.error is not None:
            yield TownReport(plan.town, "failed", error=plan.error, notes=plan.notes)
        elif not plan.needs_work:
            yield TownReport(plan.town, "unchanged", notes=plan.notes)
    work = [plan for plan in plans if plan.needs_work and plan.error is None]
    if not work:
        return
    with staging_folder(lake.staging, run_id) as staging:
        tasks = [_task(plan, options, held, settings, staging) for plan in work]
        notes = {plan.town.town_id: plan.notes for plan in work}
        yield from _publish_in_groups(lake, run_id, _built(tasks, settings.leadflow_workers), notes)


def record_checks(settings: Settings, plans: Sequence[TownPlan]) -> None:
    """Remember what the source said about each town, for `leadflow towns` and the sensor."""
    checks = [plan.check for plan in plans if plan.check is not None]
    if not checks:
        return
    from leadflow_assets.state import database, source_checks

    with database.session(settings) as session:
        for check in checks:
            source_checks.record(session, check)
        session.commit()


def _task(plan: TownPlan, options: RefreshOptions, held: Held, settings: Settings, staging: Path) -> TownTask:
    return TownTask(
        town_id=plan.town.town_id,
        settings=settings,
        staging=staging,
        source=plan.source,
        held=held.package(plan.town),
        published=held.fingerprints(plan.town),
        force=options.force,
    )


def _built(tasks: Sequence[TownTask], workers: int) -> Iterator[TownBuild]:
    """Build in this process (one town or one worker) or in a pool that outlives a dying worker."""
    if len(tasks) == 1 or workers == 1:
        yield from map(build_town, tasks)
        return
    waiting = list(reversed(tasks))
    while waiting:
        running: dict[Future[TownBuild], TownTask] = {}
        pool = _pool(min(workers, len(waiting)))
        try:
            while waiting or running:
                while waiting and len(running) < 2 * workers:
                    # Taken off the list only when the pool has it: a broken pool refuses.
                    running[pool.submit(build_town, waiting[-1])] = waiting[-1]
                    waiting.pop()
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    build = future.result()
                    del running[future]
                    yield build
        except BrokenProcessPool:
            # Nobody can tell which of the running towns killed the worker: each gets a try of its own.
            yield from map(_build_alone, running.values())
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _build_alone(task: TownTask) -> TownBuild:
    with _pool(1) as pool:
        try:
            return pool.submit(build_town, task).result()
        except BrokenProcessPool:
            name = town_by_id(task.town_id).name
            return TownBuild(
                task.town_id,
                error=LeadflowError(
                    f"{name}: its worker process died.", "Most likely memory ran out; use --workers 1."
                ),
            )


def _pool(workers: int) -> ProcessPoolExecutor:
    # spawn: a fork would copy threads of DuckDB, Arrow and Dagster in unknown states.
    return ProcessPoolExecutor(
        workers, mp_context=multiprocessing.get_context("spawn"), initializer=_leave_interrupts_to_the_parent
    )


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _publish_in_groups(
    lake: Lake, run_id: str, builds: Iterator[TownBuild], notes: Mapping[int, tuple[str, ...]]
) -> Iterator[TownReport]:
    publisher = Publisher(lake.store, run_id)
    group: list[TownBuild] = []
    last = time.monotonic()
    for build in builds:
        if build.error is not None:
            yield _report(build, notes)
            continue
        group.append(build)
        if len(group) >= _GROUP or time.monotonic() - last > _GROUP_SECONDS:
            yield from _publish(publisher, group, notes)
            group, last = [], time.monotonic()
    yield from _publish(publisher, group, notes)


def _publish(
    publisher: Publisher, group: Sequence[TownBuild], notes: Mapping[int, tuple[str, ...]]
) -> Iterator[TownReport]:
    """Publish a group table by table, raw first, so that nothing is seen before what it was made from."""
    for table in tables.MASSGIS:
        changes = {p: entry for build in group for p, entry in build.uploaded.get(table.name, {}).items()}
        if changes:
            publisher.publish(table.name, changes)
    for build in group:
        yield _report(build, notes)


def _report(build: TownBuild, notes: Mapping[int, tuple[str, ...]]) -> TownReport:
    # A new receipt alone changes no table.
    made = set(build.uploaded) - {tables.MASSGIS_PACKAGES.name}
    status: Status = "failed" if build.error else "refreshed" if made else "unchanged"
    return TownReport(
        town=town_by_id(build.town_id),
        status=status,
        published=build.uploaded,
        error=build.error,
        notes=(*notes.get(build.town_id, ()), *build.notes),
        seconds=build.seconds,
    )
