"""mart/property_records: which record of a vendor is which property of a town; made by every merge."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from leadflow_assets.assets.attom import PROPERTIES_KEY
from leadflow_assets.assets.merging import log_merge
from leadflow_assets.assets.metadata import OWNER, asset_key, column_schema, described
from leadflow_assets.assets.resources import LeadflowSettings
from leadflow_assets.enrich.unified.merge import merge
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.tables import PROPERTIES, PROPERTY_RECORDS
from leadflow_assets.partitions import towns_of
from leadflow_assets.refresh.code import code_version

RECORDS_KEY = asset_key(PROPERTY_RECORDS)


def property_records_asset(partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """mart/property_records for the given towns."""

    @dg.multi_asset(
        name="property_records",
        specs=[
            dg.AssetSpec(
                RECORDS_KEY,
                deps=[
                    dg.AssetDep(PROPERTIES_KEY, partition_mapping=dg.AllPartitionMapping()),
                    asset_key(PROPERTIES),
                ],
                description=f"{described(PROPERTY_RECORDS)}\n\nA merge also brings the vendors' columns of "
                "mart.properties up to date.",
                group_name="mart",
                kinds={"parquet"},
                owners=[OWNER],
                tags={"layer": "mart"},
                metadata={
                    "dagster/table_name": PROPERTY_RECORDS.view,
                    "dagster/column_schema": column_schema(PROPERTY_RECORDS),
                },
                code_version=code_version(),
                partitions_def=partitions,
                skippable=True,
            )
        ],
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool="massgis",
    )
    def property_records(
        context: dg.AssetExecutionContext, settings: LeadflowSettings
    ) -> Iterator[dg.MaterializeResult[Any]]:
        lake = Lake(settings.load())
        towns = [town.town_id for town in towns_of(context.partition_keys)]
        report = merge(lake.settings, towns=towns, run_id=context.run.run_id)
        log_merge(context, lake, report, also=towns)
        yield from ()  # every town has been reported by itself

    return property_records
