"""mart/leads: the owners most worth a conversation, made of the whole lake at once."""

from collections.abc import Collection, Iterator
from typing import Any

import dagster as dg

from leadflow_assets.assets.metadata import OWNER, asset_key, column_schema, described, partition_metadata
from leadflow_assets.assets.resources import LeadflowSettings
from leadflow_assets.assets.scores import SCORES_KEY
from leadflow_assets.domain.leads import RULE
from leadflow_assets.domain.towns import town_by_id
from leadflow_assets.enrich.leads.service import LeadReport, make_leads
from leadflow_assets.errors import LeadflowError
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.snapshots import PartitionEntry
from leadflow_assets.lake.tables import LEADS, PROPERTIES
from leadflow_assets.partitions import towns_of
from leadflow_assets.refresh.code import code_version

LEADS_KEY = asset_key(LEADS)


def leads_asset(partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """mart/leads for the given towns."""

    @dg.multi_asset(
        name="leads",
        specs=[
            dg.AssetSpec(
                LEADS_KEY,
                deps=[asset_key(PROPERTIES), SCORES_KEY],
                description=described(LEADS),
                group_name="mart",
                kinds={"duckdb", "parquet"},
                owners=[OWNER],
                tags={"layer": "mart"},
                metadata={
                    "dagster/table_name": LEADS.view,
                    "dagster/column_schema": column_schema(LEADS),
                },
                code_version=code_version(),
                partitions_def=partitions,
                skippable=True,
            )
        ],
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool="leads",
    )
    def leads(context: dg.AssetExecutionContext, settings: LeadflowSettings) -> Iterator[Any]:
        """Make the leads of all towns, whichever were asked for: an owner's properties may lie in several."""
        loaded = settings.load()
        asked = [town.town_id for town in towns_of(context.partition_keys)]
        try:
            report = make_leads(loaded, run_id=context.run.run_id)
        except LeadflowError as error:
            raise dg.Failure(str(error), allow_retries=error.retryable) from None
        log_leads(context, Lake(loaded), report, also=asked)
        yield from ()  # every town has been reported by itself

    return leads


def log_leads(
    context: dg.AssetExecutionContext | dg.OpExecutionContext,
    lake: Lake,
    report: LeadReport,
    *,
    also: Collection[int] = (),
) -> None:
    """Tell Dagster of the towns whose leads were published; ``also``: of these, if they have any."""
    entries = lake.snapshot(LEADS).partitions
    for town_id in sorted({*report.towns_changed, *also}):
        entry = entries.get(LEADS.partition(town_id))
        if entry is not None:
            context.log_event(
                dg.AssetMaterialization(
                    LEADS_KEY,
                    partition=town_by_id(town_id).key,
                    metadata={**partition_metadata(lake, LEADS, entry), **lead_metadata(entry)},
                    tags={"dagster/data_version": entry.fingerprint},
                )
            )
    context.log.info(f"{report.leads} leads; {len(report.towns_changed)} towns changed")
    for town in report.needs_score:
        context.log.warning(f"{town} has no scores, so no leads")


def lead_metadata(entry: PartitionEntry) -> dict[str, Any]:
    """What a person sees of a town's leads: how many of each grade, and nobody by name."""
    facts = entry.facts
    return {
        **{f"grade_{grade}": count for grade, count in facts["grades"].items()},
        **{f"opportunity_{name}": count for name, count in facts["opportunities"].items()},
        "added": facts["added"],
        "in_several_towns": facts["in_several_towns"],
        "as_of": facts["as_of"],
        "rule": RULE,
    }
