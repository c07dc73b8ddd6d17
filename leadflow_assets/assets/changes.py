"""mart/property_changes: what happened to properties, compared town by town and only ever added to."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import dagster as dg

from leadflow_assets.assets.case_matches import MATCHES_KEY
from leadflow_assets.assets.metadata import OWNER, asset_key, column_schema, described, partition_metadata
from leadflow_assets.assets.resources import LeadflowSettings
from leadflow_assets.assets.scores import SCORES_KEY
from leadflow_assets.domain.towns import town_by_id
from leadflow_assets.enrich.changes.service import BuildReport, build
from leadflow_assets.errors import LeadflowError
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.snapshots import PartitionEntry
from leadflow_assets.lake.tables import ASSESSMENT_RELEASES, PROPERTIES, PROPERTY_CHANGES
from leadflow_assets.partitions import towns_of
from leadflow_assets.refresh.code import code_version

CHANGES_KEY = asset_key(PROPERTY_CHANGES)


def property_changes_asset(partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """mart/property_changes for the given towns."""

    @dg.multi_asset(
        name="property_changes",
        specs=[
            dg.AssetSpec(
                CHANGES_KEY,
                deps=[asset_key(PROPERTIES), asset_key(ASSESSMENT_RELEASES), MATCHES_KEY, SCORES_KEY],
                description=described(PROPERTY_CHANGES),
                group_name="mart",
                kinds={"duckdb", "parquet"},
                owners=[OWNER],
                tags={"layer": "mart"},
                metadata={
                    "dagster/table_name": PROPERTY_CHANGES.view,
                    "dagster/column_schema": column_schema(PROPERTY_CHANGES),
                },
                code_version=code_version(),
                partitions_def=partitions,
                skippable=True,
            )
        ],
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool="property_changes",
    )
    def property_changes(context: dg.AssetExecutionContext, settings: LeadflowSettings) -> Iterator[Any]:
        """Compare what was not compared yet; who watches a list is told by a run of its own."""
        loaded = settings.load()
        asked = [town.town_id for town in towns_of(context.partition_keys)]
        try:
            report = build(loaded, towns=asked, run_id=context.run.run_id)
        except LeadflowError as error:
            raise dg.Failure(str(error), allow_retries=error.retryable) from None
        log_changes(context, Lake(loaded), report, also=asked)
        yield from ()  # every town has been reported by itself

    return property_changes


def log_changes(
    context: dg.AssetExecutionContext | dg.OpExecutionContext,
    lake: Lake,
    report: BuildReport,
    *,
    also: Collection[int] = (),
) -> None:
    """Tell Dagster of the towns that were published; ``also``: of these, if they have any events."""
    entries = lake.snapshot(PROPERTY_CHANGES).partitions
    for town_id in sorted({*report.towns, *also}):
        entry = entries.get(PROPERTY_CHANGES.partition(town_id))
        if entry is not None:
            context.log_event(
                dg.AssetMaterialization(
                    CHANGES_KEY,
                    partition=town_by_id(town_id).key,
                    metadata={**partition_metadata(lake, PROPERTY_CHANGES, entry), **change_metadata(entry)},
                    tags={"dagster/data_version": entry.fingerprint},
                )
            )
    context.log.info(f"{report.compared} releases compared, {report.events} new events{_told(report.added)}")
    if report.removed:
        context.log.info(f"{report.removed} court cases may no longer be shown and were taken out")
    for town_id in report.without_polygons:
        context.log.warning(
            f"{town_by_id(town_id).name}: polygons of the earlier release are not kept any more; splits and "
            "mergers show as vanished and appeared"
        )


def change_metadata(entry: PartitionEntry) -> dict[str, Any]:
    """What a person sees of a town's events: how many of which kind, and of nobody in particular."""
    facts = entry.facts
    added, kinds = facts["added"], facts.get("kinds", {})
    rows = [
        dg.TableRecord({"kind": kind, "new": added.get(kind, 0), "all": kinds.get(kind, added.get(kind, 0))})
        for kind in sorted({*kinds, *added})
    ]
    return {
        "kinds": dg.MetadataValue.table(rows) if rows else "nothing happened yet",
        "new_events": sum(added.values()),
        "cases_taken_out": facts.get("removed", 0),
        "releases_compared": len(facts["compared"]),
        "splits_and_mergers_seen": not facts.get("without_polygons", False),
    }


def _told(added: Mapping[str, int]) -> str:
    return "".join(f"; {count} {kind}" for kind, count in sorted(added.items()))
