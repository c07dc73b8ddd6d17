"""Jobs and schedules: refreshing towns, now and every night."""

from collections.abc import Iterable, Iterator

import dagster as dg

from leadflow_assets.assets.metadata import asset_key
from leadflow_assets.assets.resources import LeadflowSettings
from leadflow_assets.assets.search import SEARCH_INDEX
from leadflow_assets.automation.watched import watched_towns
from leadflow_assets.domain.towns import Town
from leadflow_assets.lake import tables
from leadflow_assets.partitions import ranges

RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"

# Without the standalone checks: the audit before publishing has the same content and is recorded too.
refresh_towns_job = dg.define_asset_job(
    "refresh_towns",
    selection=dg.AssetSelection.assets(*map(asset_key, tables.MASSGIS)).without_checks(),
    description="Fetch the packages that changed and rebuild raw, core and mart for a range of towns.",
)

build_search_index_job = dg.define_asset_job(
    "build_search_index",
    selection=dg.AssetSelection.assets(SEARCH_INDEX),
    description="Bring the search index up to date with mart/properties.",
)


def town_run_requests(
    towns: Iterable[Town], *, demo: bool, run_key: str | None = None
) -> Iterator[dg.RunRequest]:
    """One run per stretch of neighbouring towns, never one per town."""
    for first, last in ranges(towns, demo=demo):
        yield dg.RunRequest(
            run_key=f"{run_key}:{first.key}:{last.key}" if run_key else None,
            job_name=refresh_towns_job.name,
            tags={RANGE_START: first.key, RANGE_END: last.key},
        )


@dg.schedule(
    cron_schedule="30 3 * * *",
    execution_timezone="America/New_York",
    job=refresh_towns_job,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every night: ask MassGIS about the watched towns and rebuild what changed or failed before.",
)
def nightly_refresh(
    context: dg.ScheduleEvaluationContext, settings: LeadflowSettings
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Ask for the watched towns."""
    loaded = settings.load()
    towns = watched_towns(loaded)
    if not towns:
        yield dg.SkipReason(
            "No town is in the lake yet: run `leadflow refresh TOWN` or set LEADFLOW_WATCHED_TOWNS."
        )
    day = context.scheduled_execution_time.date().isoformat()
    yield from town_run_requests(towns, demo=loaded.demo_on, run_key=f"nightly:{day}")
