"""Which towns need work: what is published, what the source says, what the person asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx

from leadflow_assets.domain.purging import Purged
from leadflow_assets.domain.towns import Town
from leadflow_assets.errors import (
    LeadflowError,
    NotConfiguredError,
    SourceAnswerError,
    SourceUnavailableError,
)
from leadflow_assets.lake import tables
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.snapshots import PartitionEntry, Snapshot
from leadflow_assets.refresh.properties import PACKAGE_INPUT
from leadflow_assets.refresh.town import MADE_TABLES, all_current
from leadflow_assets.refresh.withheld import load_purged
from leadflow_assets.settings import Settings
from leadflow_assets.sources.http import make_client
from leadflow_assets.sources.massgis.download import changed, head, local_path
from leadflow_assets.sources.massgis.links import LinksResult, load_links
from leadflow_assets.sources.massgis.part_file import RemoteState

if TYPE_CHECKING:
    from leadflow_assets.state.source_checks import SourceCheck

_HEADS_AT_ONCE = 8


@dataclass(frozen=True)
class RefreshOptions:
    """What the person asked for.

    ``source``: a file or URL to take the package of the one town from. ``force``: fetch and rebuild even
    what is unchanged, and let an older release replace a newer one. ``skip_remote_check``: do not ask
    the source; packages younger than MASSGIS_MAX_AGE_DAYS count as fresh.
    """

    source: str | None = None
    force: bool = False
    skip_remote_check: bool = False


@dataclass(frozen=True)
class TownPlan:
    """What to do for one town: fetch from ``source`` (None: rebuild from the lake), or nothing, or fail."""

    town: Town
    needs_work: bool
    source: str | None = None
    error: LeadflowError | None = None
    notes: tuple[str, ...] = ()
    check: SourceCheck | None = None


@dataclass(frozen=True)
class Held:
    """What is published for the towns: raw entries and fingerprints, read once per run; who was purged."""

    snapshots: Mapping[str, Snapshot] = field(default_factory=dict)
    purged: Purged | None = None

    @classmethod
    def read(cls, lake: Lake) -> Held:
        """The newest snapshots of all tables of the MassGIS graph, and of the records joined to it."""
        wanted = (tables.MASSGIS_PACKAGES, tables.PROPERTY_RECORDS, *MADE_TABLES)
        return cls({t.name: lake.snapshot(t) for t in wanted}, load_purged(lake.settings))

    def package(self, town: Town) -> PartitionEntry | None:
        """The town's published package."""
        return self.entry(PACKAGE_INPUT, town)

    def entry(self, table: str, town: Town) -> PartitionEntry | None:
        """The town's published partition of a table."""
        return self.snapshots[table].partitions.get(f"town_id={town.town_id}")

    def fingerprints(self, town: Town) -> dict[str, str]:
        """Fingerprints of the town's published tables, by name."""
        entries = {t.name: self.entry(t.name, town) for t in MADE_TABLES}
        return {name: entry.fingerprint for name, entry in entries.items() if entry}

    def current(self, town: Town) -> bool:
        """Are all tables of the town made from its package, and its records, by this code?"""
        package = self.package(town)
        if package is None:
            return False
        records = self.entry(tables.PROPERTY_RECORDS.name, town)
        mark = self.purged.town_mark(town.town_id) if self.purged else ""
        return all_current(self.fingerprints(town), {PACKAGE_INPUT: package.data.sha256}, records, mark)


def plan_towns(
    towns: Sequence[Town], options: RefreshOptions, held: Held, settings: Settings
) -> tuple[list[TownPlan], LinksResult | None]:
    """Decide for each town; asks the source (HEAD only) where that is allowed and wanted."""
    if options.source is not None:
        return [TownPlan(town, needs_work=True, source=options.source) for town in towns], None
    real = [town for town in towns if not town.is_sample]
    plans = {town.town_id: _without_source(town, held, options) for town in towns if town.is_sample}
    links = None
    if real:
        links = load_links(
            settings.massgis_links,
            live=settings.massgis_live_fetch_enabled,
            timeout=settings.massgis_directory_timeout,
        )
        plans |= {plan.town.town_id: plan for plan in _plan_real(real, links, options, held, settings)}
    return [plans[town.town_id] for town in towns], links


def _plan_real(
    towns: Iterable[Town], links: LinksResult, options: RefreshOptions, held: Held, settings: Settings
) -> list[TownPlan]:
    with make_client(timeout=settings.massgis_directory_timeout) as client:

        def decide(town: Town) -> TownPlan:
            return _plan_one(town, _link(town, links), options, held, settings, client)

        with ThreadPoolExecutor(_HEADS_AT_ONCE) as pool:
            return list(pool.map(decide, towns))


def _link(town: Town, links: LinksResult) -> str | None:
    """The shapefile package is the one for geometry; the geodatabase stands in where there is no other."""
    found = links.links.get(town.town_id)
    return (found.shapefile_url or found.geodatabase_url) if found else None


def _plan_one(
    town: Town,
    url: str | None,
    options: RefreshOptions,
    held: Held,
    settings: Settings,
    client: httpx.Client,
) -> TownPlan:
    package = held.package(town)
    on_disk = url is not None and local_path(url) is not None
    if url is None:
        return _without_source(town, held, options, "the links table has no package for it")
    if not settings.massgis_live_fetch_enabled and not on_disk:
        return _without_source(town, held, options, "MASSGIS_LIVE_FETCH_ENABLED is off")
    if package is None or options.force:
        return TownPlan(town, needs_work=True, source=url)
    if options.skip_remote_check:
        return _by_age(town, url, package, held, settings, "the source was not asked")
    try:
        now = head(url, client, settings.massgis_directory_timeout)
    except SourceUnavailableError as error:
        plan = _by_age(town, url, package, held, settings, f"{error.message} Judged by age.")
        return _with_check(plan, url, None, "unreachable", error.message)
    except SourceAnswerError as error:
        return _with_check(TownPlan(town, needs_work=True, error=error), url, None, "missing", error.message)
    is_new = changed(_remote_state(package), now)
    work = is_new or not held.current(town)
    plan = TownPlan(town, needs_work=work, source=url if is_new else None)
    return _with_check(plan, url, now, "changed" if is_new else "unchanged", None)


def _without_source(town: Town, held: Held, options: RefreshOptions, why: str = "") -> TownPlan:
    """Rebuild from the lake what is stale; fail where there is nothing to rebuild from."""
    if held.package(town) is None:
        problem = NotConfiguredError(
            f"{town.name}: no package is in the lake" + (f", and {why}." if why else "."),
            "Give the file with --from FILE, or set MASSGIS_LIVE_FETCH_ENABLED=true."
            if not town.is_sample
            else "Run `leadflow demo`.",
        )
        return TownPlan(town, needs_work=True, error=problem)
    return TownPlan(town, needs_work=options.force or not held.current(town), notes=(why,) if why else ())


def _by_age(
    town: Town, url: str, package: PartitionEntry, held: Held, settings: Settings, why: str
) -> TownPlan:
    age = datetime.now(UTC) - datetime.fromisoformat(package.facts["receipt"]["fetched_at"])
    if age > timedelta(days=settings.massgis_max_age_days):
        note = f"{why} {age.days} days old: fetched again."
        return TownPlan(town, needs_work=True, source=url, notes=(note,))
    note = f"{why} {age.days} days old: kept."
    return TownPlan(town, needs_work=not held.current(town), notes=(note,))


def _remote_state(package: PartitionEntry) -> RemoteState:
    receipt: Mapping[str, Any] = package.facts["receipt"]
    modified = receipt.get("last_modified")
    return RemoteState(
        etag=receipt.get("etag"),
        last_modified=datetime.fromisoformat(modified) if modified else None,
        size=receipt.get("size"),
        url=receipt["url"],
    )


def _with_check(
    plan: TownPlan, url: str, now: RemoteState | None, outcome: str, problem: str | None
) -> TownPlan:
    # Imported late: SQLAlchemy costs a third of a second, and a refresh from a file asks no source.
    from leadflow_assets.state.source_checks import SourceCheck

    check = SourceCheck(
        town_id=plan.town.town_id,
        url=url,
        etag=now.etag if now else None,
        last_modified=now.last_modified if now else None,
        size=now.size if now else None,
        checked_at=datetime.now(UTC),
        outcome=outcome,
        problem=problem,
    )
    return TownPlan(plan.town, plan.needs_work, plan.source, plan.error, plan.notes, check)
