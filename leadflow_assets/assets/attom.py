"""ATTOM batches as assets: what was answered (raw), and each property as ATTOM sees it (core).

A batch is a partition. What is done is the batch service's business, the same for the command line; here
it is told to Dagster: what came, how every requested property ended, what it cost.
"""

import time
from collections.abc import Iterator
from typing import Any

import dagster as dg

from leadflow_assets.assets.merging import log_merge
from leadflow_assets.assets.metadata import OWNER, asset_key, column_schema, described, partition_metadata
from leadflow_assets.assets.resources import LeadflowSettings
from leadflow_assets.enrich.batches.code import attom_code_version
from leadflow_assets.enrich.batches.job import BatchJob, Outcomes
from leadflow_assets.enrich.batches.service import Batches
from leadflow_assets.enrich.unified.merge import MergeReport
from leadflow_assets.enrich.vendor import open_ledger
from leadflow_assets.errors import BudgetReachedError, LeadflowError
from leadflow_assets.lake import tables
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.snapshots import PartitionEntry
from leadflow_assets.lake.tables import Table
from leadflow_assets.partitions import attom_batches
from leadflow_assets.settings import Settings

# Below the longest run that dagster.yaml allows: a large batch goes on in another run.
_MOST_SECONDS = 3 * 3600.0
OUTCOMES = ("returned", "no_match", "ambiguous", "error", "pending")
RESULTS_KEY, PROPERTIES_KEY = asset_key(tables.ATTOM_RESULTS), asset_key(tables.ATTOM_PROPERTIES)
_CHECKS = [
    dg.AssetCheckSpec(
        "accounted_for",
        asset=RESULTS_KEY,
        partitions_def=attom_batches,
        description="Every requested property ended as returned, no match, ambiguous, error or pending.",
    ),
    dg.AssetCheckSpec(
        "nothing_pending",
        asset=RESULTS_KEY,
        partitions_def=attom_batches,
        description="No requested property waits for an answer or for a charge to be resolved.",
    ),
    dg.AssetCheckSpec(
        "spend_within_cap",
        asset=RESULTS_KEY,
        partitions_def=attom_batches,
        description="What counts against today's cap is below it, and no charge is unknown.",
    ),
]


def _metadata(table: Table) -> dict[str, Any]:
    return {"dagster/table_name": table.view, "dagster/column_schema": column_schema(table)}


@dg.asset(
    key=RESULTS_KEY,
    description=described(tables.ATTOM_RESULTS),
    group_name="raw_attom",
    kinds={"attom", "parquet"},
    owners=[OWNER],
    tags={"layer": "raw"},
    metadata=_metadata(tables.ATTOM_RESULTS),
    code_version=attom_code_version(),
    partitions_def=attom_batches,
    pool="attom",
    output_required=False,
    check_specs=_CHECKS,
)
def attom_results(context: dg.AssetExecutionContext, settings: LeadflowSettings) -> Iterator[Any]:
    """Ask what is pending and land every answer as sent; stops without a result where a cap is reached."""
    loaded = settings.load()
    batches = Batches(loaded, run_id=context.run.run_id)
    job_id = context.partition_key
    job = _asked(context, batches, job_id)
    outcomes = batches.outcomes(job_id)
    yield from _check_results(loaded, batches.job(job_id), outcomes)
    if job is None:
        return
    yield dg.MaterializeResult(
        metadata={
            **_published(loaded, tables.ATTOM_RESULTS, job_id),
            "outcomes": _outcome_table(outcomes),
            **_spend(loaded, batches, job),
        }
    )


@dg.asset(
    key=PROPERTIES_KEY,
    deps=[RESULTS_KEY],
    description=described(tables.ATTOM_PROPERTIES),
    group_name="core_attom",
    kinds={"attom", "parquet"},
    owners=[OWNER],
    tags={"layer": "core"},
    metadata=_metadata(tables.ATTOM_PROPERTIES),
    code_version=attom_code_version(),
    partitions_def=attom_batches,
    pool="attom",
)
def attom_properties(
    context: dg.AssetExecutionContext, settings: LeadflowSettings
) -> dg.MaterializeResult[Any]:
    """Clean what was landed, and merge it into the properties of its towns."""
    loaded = settings.load()
    try:
        job = Batches(loaded, run_id=context.run.run_id).process(context.partition_key)
    except LeadflowError as error:
        raise dg.Failure(str(error), allow_retries=error.retryable) from None
    log_merge(context, Lake(loaded), MergeReport(**job.facts["merge"]))
    context.log.info(f"{job.job_id}: {job.processed_records} properties of ATTOM processed")
    return dg.MaterializeResult(metadata=_published(loaded, tables.ATTOM_PROPERTIES, job.job_id))


def _asked(context: dg.AssetExecutionContext, batches: Batches, job_id: str) -> BatchJob | None:
    """Run and land the batch; None where a cap or the time stopped it: the sensor goes on with the rest.

    Raises:
        dg.Failure: anything else; retried only where the same call may work later.
    """
    shown = 0
    ends = time.monotonic() + _MOST_SECONDS

    def told(outcomes: Outcomes) -> None:
        nonlocal shown
        answered = outcomes.total - outcomes.pending
        if answered - shown >= max(1, outcomes.total // 20):
            shown = answered
            context.log.info(f"{answered} of {outcomes.total} answered, {outcomes.returned} returned")

    try:
        if batches.job(job_id).status in ("submitted", "in_progress"):
            job = batches.run(job_id, progress=told, stop=lambda: time.monotonic() > ends)
            if job.status == "in_progress":
                context.log.info("This run's time is over; the sensor goes on with what is pending.")
                return None
        return batches.download(job_id)
    except BudgetReachedError as error:
        context.log.warning(f"{error} The rest stays pending; the sensor goes on when there is budget again.")
        return None
    except LeadflowError as error:
        raise dg.Failure(str(error), allow_retries=error.retryable) from None


def _check_results(settings: Settings, job: BatchJob, outcomes: Outcomes) -> Iterator[dg.AssetCheckResult]:
    counted = {name: getattr(outcomes, name) for name in OUTCOMES}
    yield dg.AssetCheckResult(
        check_name="accounted_for",
        asset_key=RESULTS_KEY,
        passed=sum(counted.values()) == job.total_records,
        metadata={**counted, "requested": job.total_records},
    )
    yield dg.AssetCheckResult(
        check_name="nothing_pending",
        asset_key=RESULTS_KEY,
        passed=outcomes.pending == 0,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"pending": outcomes.pending},
    )
    ledger = open_ledger(settings)
    budget, unknown = ledger.budget(), len(ledger.unknown())
    yield dg.AssetCheckResult(
        check_name="spend_within_cap",
        asset_key=RESULTS_KEY,
        passed=budget.counted_cents < budget.cap_cents and not unknown,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "counted_cents": budget.counted_cents,
            "cap_cents": budget.cap_cents,
            "unknown_charges": unknown,
        },
    )


def _outcome_table(outcomes: Outcomes) -> dg.TableMetadataValue:
    return dg.MetadataValue.table(
        [dg.TableRecord({"outcome": name, "properties": getattr(outcomes, name)}) for name in OUTCOMES]
    )


def _spend(settings: Settings, batches: Batches, job: BatchJob) -> dict[str, Any]:
    """What the batch cost and saved, and where the day stands; cents."""
    budget = open_ledger(settings).budget()
    return {
        "spent_cents": float(batches.spent_cents(job.job_id)),
        "saved_cents": float(job.saved_cents),
        "spent_today_cents": budget.counted_cents,
        "cap_cents": budget.cap_cents,
        "left_cents": budget.left_cents,
    }


def _published(settings: Settings, table: Table, job_id: str) -> dict[str, Any]:
    lake = Lake(settings)
    entry: PartitionEntry | None = lake.snapshot(table).partitions.get(table.partition(job_id))
    return partition_metadata(lake, table, entry) if entry is not None else {"rows": 0}
