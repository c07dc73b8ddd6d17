"""Court cases as assets: dockets as received (raw), cases and their parties (core), by court and month filed.

A court and month is a partition, added when a docket of it is seen. What is done is the court service's
business, the same for the command line; here it is told to Dagster.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import dagster as dg

from leadflow_assets.assets.metadata import OWNER, asset_key, column_schema, described, partition_metadata
from leadflow_assets.assets.resources import LeadflowSettings
from leadflow_assets.domain.courts.model import UNKNOWN_MONTH
from leadflow_assets.enrich.courts.code import courts_code_version
from leadflow_assets.enrich.courts.report import CourtStep, LandReport, Progress
from leadflow_assets.enrich.courts.service import Courts
from leadflow_assets.errors import BudgetReachedError, LeadflowError
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.snapshots import PartitionEntry
from leadflow_assets.lake.tables import COURT_CASES, COURT_DOCKETS, COURT_PARTIES, COURTS, Table
from leadflow_assets.partitions import court_month_of, court_months, court_partition_key

_CALLS_PER_LINE = 10
DOCKETS_KEY, CASES_KEY, PARTIES_KEY = map(asset_key, (COURT_DOCKETS, COURT_CASES, COURT_PARTIES))


def _spec(table: Table, layer: str, deps: Iterable[dg.AssetKey] = ()) -> dg.AssetSpec:
    return dg.AssetSpec(
        asset_key(table),
        deps=list(deps),
        description=described(table),
        group_name=f"{layer}_courts",
        kinds={"courtlistener", "parquet"},
        owners=[OWNER],
        tags={"layer": layer},
        metadata={"dagster/table_name": table.view, "dagster/column_schema": column_schema(table)},
        code_version=courts_code_version(),
        partitions_def=court_months,
        skippable=True,
    )


@dg.multi_asset(
    name="court_dockets",
    specs=[
        _spec(COURT_DOCKETS, "raw"),
        _spec(COURT_CASES, "core", [DOCKETS_KEY]),
        _spec(COURT_PARTIES, "core", [DOCKETS_KEY]),
    ],
    backfill_policy=dg.BackfillPolicy.single_run(),
    pool="courtlistener",
)
def court_dockets(context: dg.AssetExecutionContext, settings: LeadflowSettings) -> Iterator[Any]:
    """Ask the whole months of CourtListener's courts again, and make the core of every month anew.

    Where the day's calls end, the months that were read are published; the others go on with the next run
    of the daily schedule.
    """
    loaded = settings.load()
    courts = Courts(loaded, run_id=context.run.run_id)
    asked = [court_month_of(key) for key in context.partition_keys]
    fetched = set(loaded.leadflow_courts.split(","))
    wanted: dict[str, list[str]] = {}
    for court, month in asked:
        if court in fetched and month != UNKNOWN_MONTH:
            wanted.setdefault(court, []).append(month)
    done = LandReport()
    try:
        done += courts.rebuild(asked)
        for court, months in wanted.items():
            try:
                courts.refresh([court], sorted(months, reverse=True), progress=teller(context))
            finally:
                done += courts.report.landed
    except BudgetReachedError as error:
        context.log.warning(
            f"{error} What was read is published; the rest goes on when there are calls again."
        )
    except LeadflowError as error:
        raise dg.Failure(str(error), allow_retries=error.retryable) from None
    log_landed(context, Lake(loaded), done, also=[COURT_DOCKETS.partition(*place) for place in asked])
    yield from ()  # every month has been reported by itself


def log_landed(
    context: dg.AssetExecutionContext | dg.OpExecutionContext,
    lake: Lake,
    landed: LandReport,
    *,
    also: Iterable[str] = (),
) -> None:
    """Tell Dagster of the months that were published, and of ``also``; their partitions are added."""
    published = {
        COURT_DOCKETS: {*landed.partitions, *also},
        COURT_CASES: {*landed.rebuilt, *also},
        COURT_PARTIES: {*landed.rebuilt, *also},
    }
    keys = sorted({court_partition_key(name) for names in published.values() for name in names})
    if keys:
        context.instance.add_dynamic_partitions(str(court_months.name), keys)
    for table in COURTS:
        entries = lake.snapshot(table).partitions
        for name in sorted(published[table]):
            if name in entries:
                context.log_event(court_event(lake, table, name, entries[name]))
    context.log.info(
        f"{landed.answers} answers: {landed.new} dockets new, {landed.changed} changed, "
        f"{landed.moved} moved to their month, {landed.unchanged} as they were, {landed.expired} expired"
    )
    for reason, count in landed.problems.items():
        context.log.warning(f"{count} rows: {reason}")


def court_event(lake: Lake, table: Table, partition: str, entry: PartitionEntry) -> dg.AssetMaterialization:
    """One published month of one table, as Dagster is told of it."""
    return dg.AssetMaterialization(
        asset_key(table),
        partition=court_partition_key(partition),
        metadata=partition_metadata(lake, table, entry),
        tags={"dagster/data_version": entry.fingerprint},
    )


def teller(context: dg.AssetExecutionContext | dg.OpExecutionContext) -> Progress:
    """Progress for the log of a run: every tenth call, and every wait."""
    told = 0

    def tell(step: CourtStep) -> None:
        nonlocal told
        if step.waiting or step.calls >= told + _CALLS_PER_LINE:
            told = step.calls
            context.log.info(f"{step.text} ({step.calls} calls)")

    return tell
