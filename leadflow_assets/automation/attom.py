"""Batches of ATTOM by themselves: submit from the UI, go on with open ones, take deliveries, tell spend."""

import json
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from leadflow_assets.assets.attom import PROPERTIES_KEY, RESULTS_KEY
from leadflow_assets.assets.resources import LeadflowSettings
from leadflow_assets.automation.alerts import send_alert
from leadflow_assets.enrich.batches import inbox
from leadflow_assets.enrich.batches.job import BatchJob
from leadflow_assets.enrich.batches.service import Batches
from leadflow_assets.enrich.vendor import open_ledger
from leadflow_assets.errors import LeadflowError
from leadflow_assets.partitions import attom_batches
from leadflow_assets.settings import Settings

PARTITION_TAG = "dagster/partition"
# States from which a batch goes on without anybody's help.
_OPEN = ("submitted", "in_progress", "ready", "downloaded")
log = logging.getLogger(__name__)

land_attom_batch_job = dg.define_asset_job(
    "land_attom_batch",
    selection=dg.AssetSelection.assets(RESULTS_KEY, PROPERTIES_KEY),
    description="Ask what is pending in a batch, land the answers, clean them, merge them into properties.",
)


class SubmitConfig(dg.Config):
    """What a person sets in the launchpad: as ``leadflow batch submit`` has it."""

    file: str
    name: str
    endpoints: list[str] | None = None


@dg.op
def submit_batch(context: dg.OpExecutionContext, config: SubmitConfig, settings: LeadflowSettings) -> str:
    """Make a batch from a file on this machine and submit it; its partition is added.

    Raises:
        dg.Failure: the file cannot be read or names nothing.
    """
    batches = Batches(settings.load())
    file = Path(config.file).expanduser()
    try:
        preview = batches.preview(file, endpoints=config.endpoints)
        job = batches.create(file, name=config.name, endpoints=config.endpoints)
        job = batches.submit(job.job_id)
    except LeadflowError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    context.instance.add_dynamic_partitions(str(attom_batches.name), [job.job_id])
    context.add_output_metadata(
        {
            "batch": job.job_id,
            "properties": job.total_records,
            "matches": dict(preview.matches),
            "most_cents": float(preview.most_cents),
            "saved_cents": float(preview.saved_cents),
        }
    )
    context.log.info(f"batch {job.job_id}: {job.total_records} properties, the sensor goes on with it")
    return job.job_id


@dg.job(description="Submit an ATTOM batch from a CSV of addresses (run config: file, name, endpoints).")
def submit_attom_batch() -> None:
    """One step: the sensor does the rest."""
    submit_batch()


@dg.sensor(
    job=land_attom_batch_job,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Goes on with submitted batches: asks, lands, processes; waits where a cap is reached.",
)
def attom_batches_open(context: dg.SensorEvaluationContext, settings: LeadflowSettings) -> dg.SensorResult:
    """One run per open batch that nobody works on; at most one try an hour for one that does not move."""
    loaded = settings.load()
    batches = Batches(loaded)
    jobs = [job for job in batches.jobs() if job.status in _OPEN]
    if not jobs:
        return dg.SensorResult(skip_reason="No batch is open.")
    name = str(attom_batches.name)
    missing = [job.job_id for job in jobs if not context.instance.has_dynamic_partition(name, job.job_id)]
    wanted, waiting = _to_run(context.instance, loaded, batches, jobs)
    requests = [
        dg.RunRequest(
            run_key=f"{job.job_id}:{job.status}:{job.completed_records}:{datetime.now(UTC):%Y-%m-%dT%H}",
            partition_key=job.job_id,
        )
        for job in wanted
    ]
    added = [attom_batches.build_add_request(missing)] if missing else []
    if not requests:
        return dg.SensorResult(skip_reason="; ".join(waiting), dynamic_partitions_requests=added)
    return dg.SensorResult(run_requests=requests, dynamic_partitions_requests=added)


def _to_run(
    instance: dg.DagsterInstance, settings: Settings, batches: Batches, jobs: Sequence[BatchJob]
) -> tuple[list[BatchJob], list[str]]:
    """The batches that can go on now, and why the others wait."""
    wanted: list[BatchJob] = []
    waiting: list[str] = []
    left = open_ledger(settings).budget().left_cents
    for job in jobs:
        asks = job.transport != "files" and job.status in ("submitted", "in_progress")
        if batches.is_claimed(job.job_id) or _runs(instance, job.job_id):
            waiting.append(f"{job.job_id} is being worked on")
        elif asks and settings.attom_api_key is None:
            waiting.append(f"{job.job_id}: not configured: set ATTOM_API_KEY")
        elif asks and left <= 0:
            waiting.append(f"{job.job_id} waits: the cap is reached until 00:00 UTC")
        else:
            wanted.append(job)
    return wanted, waiting


def _runs(instance: dg.DagsterInstance, job_id: str) -> int:
    """Runs of a batch that are queued or under way."""
    return instance.get_runs_count(
        dg.RunsFilter(
            job_name=land_attom_batch_job.name,
            tags={PARTITION_TAG: job_id},
            statuses=[
                dg.DagsterRunStatus.QUEUED,
                dg.DagsterRunStatus.NOT_STARTED,
                dg.DagsterRunStatus.STARTING,
                dg.DagsterRunStatus.STARTED,
            ],
        )
    )


@dg.sensor(
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Takes files that ATTOM delivered to LEADFLOW_ATTOM_DELIVERIES, once they are complete.",
)
def attom_deliveries(context: dg.SensorEvaluationContext, settings: LeadflowSettings) -> dg.SensorResult:
    """Make a batch of each new delivery, for the sensor of open batches; the files stay where they are."""
    loaded = settings.load()
    if not loaded.leadflow_attom_deliveries:
        return dg.SensorResult(skip_reason="LEADFLOW_ATTOM_DELIVERIES names no folder.")
    batches = Batches(loaded)
    taken = []
    for delivery in inbox.scan(loaded):
        try:
            taken.append(inbox.take(loaded, batches, delivery).job_id)
        except LeadflowError as error:
            context.log.error(str(error))
    return dg.SensorResult(
        skip_reason=f"Taken: {', '.join(taken)}." if taken else "Nothing new was delivered."
    )


@dg.sensor(
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells once a day each that 80 % and 100 % of a vendor's daily cap are reached.",
)
def spend_alerts(context: dg.SensorEvaluationContext, settings: LeadflowSettings) -> dg.SensorResult:
    """Whoever spent it, the command line included."""
    loaded = settings.load()
    alerts = open_ledger(loaded).take_alerts()
    for alert in alerts:
        text = f"{alert.percent} % of the daily cap at {alert.vendor} was reached on {alert.day}."
        context.log.warning(text)
        log.warning("spend: %s", json.dumps({"vendor": alert.vendor, "percent": alert.percent}))
        send_alert(loaded, {"kind": "spend", "vendor": alert.vendor, "message": text})
    return dg.SensorResult(
        skip_reason=f"{len(alerts)} alerts were sent." if alerts else "No cap was reached."
    )
