"""mart/case_matches: which party of which case may own which property; made for all towns at once."""

from collections.abc import Collection, Iterator
from typing import Any

import dagster as dg

from leadflow_assets.assets.courts import CASES_KEY, PARTIES_KEY
from leadflow_assets.assets.metadata import OWNER, asset_key, column_schema, described, partition_metadata
from leadflow_assets.assets.resources import LeadflowSettings
from leadflow_assets.domain.towns import town_by_id
from leadflow_assets.enrich.case_matches.service import MatchReport, match_cases
from leadflow_assets.errors import LeadflowError
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.tables import CASE_MATCHES, PROPERTIES
from leadflow_assets.partitions import towns_of
from leadflow_assets.refresh.code import code_version

MATCHES_KEY = asset_key(CASE_MATCHES)


def case_matches_asset(partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """mart/case_matches for the given towns."""

    @dg.multi_asset(
        name="case_matches",
        specs=[
            dg.AssetSpec(
                MATCHES_KEY,
                deps=[
                    dg.AssetDep(CASES_KEY, partition_mapping=dg.AllPartitionMapping()),
                    dg.AssetDep(PARTIES_KEY, partition_mapping=dg.AllPartitionMapping()),
                    asset_key(PROPERTIES),
                ],
                description=described(CASE_MATCHES),
                group_name="mart",
                kinds={"duckdb", "parquet"},
                owners=[OWNER],
                tags={"layer": "mart"},
                metadata={
                    "dagster/table_name": CASE_MATCHES.view,
                    "dagster/column_schema": column_schema(CASE_MATCHES),
                },
                code_version=code_version(),
                partitions_def=partitions,
                skippable=True,
            )
        ],
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool="case_matches",
    )
    def case_matches(context: dg.AssetExecutionContext, settings: LeadflowSettings) -> Iterator[Any]:
        """Link all parties to all owners; names compete across the state, so no town is matched alone."""
        loaded = settings.load()
        towns = [town.town_id for town in towns_of(context.partition_keys)]
        try:
            report = match_cases(loaded, run_id=context.run.run_id)
        except LeadflowError as error:
            raise dg.Failure(str(error), allow_retries=error.retryable) from None
        log_matches(context, Lake(loaded), report, also=towns)
        yield from ()  # every town has been reported by itself

    return case_matches


def log_matches(
    context: dg.AssetExecutionContext | dg.OpExecutionContext,
    lake: Lake,
    report: MatchReport,
    *,
    also: Collection[int] = (),
) -> None:
    """Tell Dagster of the towns whose matches were published; ``also``: of these, if they have any."""
    entries = lake.snapshot(CASE_MATCHES).partitions
    for town_id in sorted({*report.towns_changed, *also}):
        entry = entries.get(CASE_MATCHES.partition(town_id))
        if entry is not None:
            context.log_event(
                dg.AssetMaterialization(
                    MATCHES_KEY,
                    partition=town_by_id(town_id).key,
                    metadata=partition_metadata(lake, CASE_MATCHES, entry),
                    tags={"dagster/data_version": entry.fingerprint},
                )
            )
    tiers = ", ".join(f"{count} {tier}" for tier, count in report.tiers.items()) or "none"
    context.log.info(
        f"{report.parties} parties looked for by name; {report.named_found} of {report.named_cases} cases "
        f"that name a property name one that is here; matches: {tiers}"
    )
    for town in report.needs_refresh:
        context.log.warning(f"{town} was made by an older version: refresh it, and its owners are matched")
