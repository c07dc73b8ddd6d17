"""Telling Dagster what a merge of vendors' records published: it may happen in a step of another asset."""

from collections.abc import Collection

import dagster as dg

from leadflow_assets.assets.metadata import asset_key, partition_metadata
from leadflow_assets.domain.towns import town_by_id
from leadflow_assets.enrich.unified.merge import MergeReport
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.tables import PROPERTIES, PROPERTY_RECORDS


def log_merge(
    context: dg.AssetExecutionContext, lake: Lake, report: MergeReport, *, also: Collection[int] = ()
) -> None:
    """Tell Dagster of the towns that a merge published; ``also``: of these, if they have records."""
    records = lake.snapshot(PROPERTY_RECORDS).partitions
    properties = lake.snapshot(PROPERTIES).partitions
    for table, entries, towns in (
        (PROPERTY_RECORDS, records, {*report.records_changed, *also}),
        (PROPERTIES, properties, set(report.towns_changed)),
    ):
        for town_id in sorted(towns):
            entry = entries.get(table.partition(town_id))
            if entry is not None:
                context.log_event(
                    dg.AssetMaterialization(
                        asset_key(table),
                        partition=town_by_id(town_id).key,
                        metadata=partition_metadata(lake, table, entry),
                        tags={"dagster/data_version": entry.fingerprint},
                    )
                )
    context.log.info(
        f"{sum(report.matched.values())} records matched, {report.review} wait for a decision, "
        f"{report.unmatched} found no property, {report.conflicts} conflicts"
    )
    for town in report.needs_refresh:
        context.log.warning(f"{town} was made by an older version: refresh it, and its records are merged")
