"""Checks that can be run again at any time, per town, on what is published.

The same audit runs before every publish; here it reads the published file, so that a file damaged later
is found as well.
"""

import dagster as dg

from leadflow_assets.assets.metadata import asset_key
from leadflow_assets.assets.resources import LeadflowSettings
from leadflow_assets.domain.towns import find_town
from leadflow_assets.lake import tables
from leadflow_assets.lake.audit import problems_of_published
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.snapshots import PartitionEntry
from leadflow_assets.lake.tables import Table


def build_checks(partitions: dg.PartitionsDefinition[str]) -> list[dg.AssetChecksDefinition]:
    """One contract check per table, and the match rates of the standard."""
    by_town = [t for t in tables.MASSGIS if t.partition_by == ("town_id",)]
    return [*(_contract(table, partitions) for table in by_town), _match_rates(partitions)]


def _published(settings: LeadflowSettings, table: Table, key: str) -> tuple[Lake, PartitionEntry | None]:
    lake = Lake(settings.load())
    return lake, lake.snapshot(table).partitions.get(table.partition(find_town(key).town_id))


def _contract(table: Table, partitions: dg.PartitionsDefinition[str]) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=asset_key(table),
        name="contract",
        partitions_def=partitions,
        description="The published file has its recorded hash and keeps the schema, keys and geometry.",
    )
    def contract(context: dg.AssetCheckExecutionContext, settings: LeadflowSettings) -> dg.AssetCheckResult:
        lake, entry = _published(settings, table, context.partition_key)
        if entry is None:
            return dg.AssetCheckResult(
                passed=False, metadata={"problem": "nothing is published for this town"}
            )
        problems = problems_of_published(lake, table, entry)
        return dg.AssetCheckResult(
            passed=not problems, metadata={"rows": entry.data.rows, "problems": "; ".join(problems) or "none"}
        )

    return contract


def _match_rates(partitions: dg.PartitionsDefinition[str]) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=asset_key(tables.ASSESSMENTS),
        name="match_rates",
        partitions_def=partitions,
        description="Do records and polygons find each other as often as the MassGIS standard demands?",
    )
    def match_rates(
        context: dg.AssetCheckExecutionContext, settings: LeadflowSettings
    ) -> dg.AssetCheckResult:
        _, entry = _published(settings, tables.ASSESSMENTS, context.partition_key)
        if entry is None:
            return dg.AssetCheckResult(
                passed=False, metadata={"problem": "nothing is published for this town"}
            )
        rates = entry.facts["match_rates"]
        below = [
            name for name, (matched, total, least) in rates.items() if total and 100 * matched < least * total
        ]
        # Nineteen towns are known not to meet the standard: worth a look, no reason to stop.
        return dg.AssetCheckResult(
            passed=not below,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                "below_the_standard": ", ".join(below) or "none",
                **{
                    name: f"{matched} of {total}, at least {least} %"
                    for name, (matched, total, least) in rates.items()
                },
            },
        )

    return match_rates
