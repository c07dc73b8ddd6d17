"""Sensors: new releases at MassGIS (by HEAD requests only), an outdated search index, failed runs."""

import json
import logging
from collections.abc import Sequence

import dagster as dg

from leadflow_assets.assets.resources import LeadflowSettings
from leadflow_assets.automation.alerts import send_alert
from leadflow_assets.automation.jobs import (
    build_search_index_job,
    refresh_towns_job,
    town_run_requests,
)
from leadflow_assets.automation.watched import watched_towns
from leadflow_assets.domain.towns import Town
from leadflow_assets.lake.lake import Lake
from leadflow_assets.refresh.plan import Held, RefreshOptions, TownPlan, plan_towns
from leadflow_assets.refresh.run import record_checks
from leadflow_assets.search.index import beside_outdated, layout_version, open_index, outdated, searchable
from leadflow_assets.settings import Settings

# 351 towns are round in half a day; a tick stays far below Dagster's limit of 60 seconds.
TOWNS_PER_TICK = 30
log = logging.getLogger(__name__)


@dg.sensor(
    job=refresh_towns_job,
    minimum_interval_seconds=3600,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks MassGIS (HEAD) about some watched towns an hour; requests those with a new release.",
)
def new_releases(context: dg.SensorEvaluationContext, settings: LeadflowSettings) -> dg.SensorResult:
    """Look at the next towns in turn; the cursor is the id of the last one looked at."""
    loaded = settings.load()
    if not loaded.massgis_live_fetch_enabled:
        return dg.SensorResult(skip_reason="MASSGIS_LIVE_FETCH_ENABLED is off.")
    towns = watched_towns(loaded)
    if not towns:
        return dg.SensorResult(
            skip_reason="No town is in the lake yet, and none is named in LEADFLOW_WATCHED_TOWNS."
        )
    turn = next_turn(towns, json.loads(context.cursor)["last"] if context.cursor else 0)
    plans = look(loaded, turn)
    problems = [plan.check.problem for plan in plans if plan.check is not None and plan.check.problem]
    changed = [
        plan.town for plan in plans if plan.needs_work and plan.source is not None and plan.error is None
    ]
    for problem in problems[:5]:
        context.log.warning(problem)
    cursor = json.dumps({"last": turn[-1].town_id})
    if not changed:
        told = f"{len(turn)} towns asked, none has a new release; {len(problems)} could not be asked."
        return dg.SensorResult(skip_reason=told, cursor=cursor)
    key = f"release:{release_key([plan for plan in plans if plan.town in changed])}"
    return dg.SensorResult(
        run_requests=list(town_run_requests(changed, demo=loaded.demo_on, run_key=key)), cursor=cursor
    )


def next_turn(towns: Sequence[Town], last: int) -> list[Town]:
    """The next towns after the one looked at last, starting over at the end of the list."""
    after = [town for town in towns if town.town_id > last]
    return (after or list(towns))[:TOWNS_PER_TICK]


def look(settings: Settings, towns: Sequence[Town]) -> list[TownPlan]:
    """Ask the source about towns and remember its answers."""
    plans, _ = plan_towns(towns, RefreshOptions(), Held.read(Lake(settings)), settings)
    record_checks(settings, plans)
    return plans


def release_key(plans: Sequence[TownPlan]) -> str:
    """Names what was seen, so that one new release is requested once however often it is seen."""
    seen = []
    for plan in plans:
        check = plan.check
        mark = (check.etag or f"{check.last_modified}/{check.size}") if check else "first"
        seen.append(f"{plan.town.town_id}={mark}")
    return ",".join(seen)


@dg.sensor(
    job=build_search_index_job,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Brings the search index to mart/properties, cases and scores, once no refresh is running.",
)
def search_index_outdated(
    context: dg.SensorEvaluationContext, settings: LeadflowSettings
) -> dg.RunRequest | dg.SkipReason:
    """Compare the published mart with the index and what lies beside it; one request per snapshot."""
    loaded = settings.load()
    lake = Lake(loaded)
    snapshot, _ = searchable(lake)
    if not snapshot.partitions:
        return dg.SkipReason("mart/properties is empty.")
    index = open_index(loaded)
    beside = ""
    if index is not None:
        with index:
            if not outdated(index, snapshot):
                beside = beside_outdated(lake, index) or ""
                if not beside:
                    return dg.SkipReason(f"The index is that of snapshot {snapshot.number}.")
    running = context.instance.get_runs_count(
        dg.RunsFilter(job_name=refresh_towns_job.name, statuses=[dg.DagsterRunStatus.STARTED])
    )
    if running:
        return dg.SkipReason("Towns are being refreshed; the index is made once, after the last of them.")
    return dg.RunRequest(run_key=f"properties:{snapshot.number}:{layout_version()}:{beside}")


@dg.run_failure_sensor(
    monitor_all_code_locations=False,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells of a failed run: in the log always, by webhook if LEADFLOW_ALERT_WEBHOOK_URL is set.",
)
def alert_on_failure(context: dg.RunFailureSensorContext, settings: LeadflowSettings) -> None:
    """Send one message per failed run, unless Dagster will retry it by itself."""
    run = context.dagster_run
    if run.tags.get("dagster/will_retry") == "true":
        return
    steps = context.get_step_failure_events()
    messages = [
        event.step_failure_data.error_display_string.splitlines()[0]
        for event in steps
        if event.step_failure_data
    ]
    payload = {
        "job": run.job_name,
        "run_id": run.run_id,
        "partition": run.tags.get("dagster/partition") or _range(run.tags),
        "message": "; ".join(messages) or str(context.failure_event.message),
    }
    log.error("run failed: %s", json.dumps(payload))
    send_alert(settings.load(), payload)


def _range(tags: object) -> str:
    from leadflow_assets.automation.jobs import RANGE_END, RANGE_START

    values = dict(tags) if isinstance(tags, dict) else {}
    return f"{values.get(RANGE_START, '?')} to {values.get(RANGE_END, '?')}"
