"""The MassGIS graph, raw to mart, as one step over many towns.

One step, because a town's tables belong to one package and are published together, and because in Dagster
a step that reports its partitions one by one (so that 350 good towns survive one bad one) yields no output
that a later step of the same run could wait for.
"""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from leadflow_assets.assets.merging import log_merge
from leadflow_assets.assets.metadata import OWNER, asset_key, column_schema, described, partition_metadata
from leadflow_assets.assets.resources import LeadflowSettings
from leadflow_assets.enrich.unified.merge import merge
from leadflow_assets.lake import tables
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.snapshots import PartitionEntry
from leadflow_assets.lake.tables import Table
from leadflow_assets.partitions import towns_of
from leadflow_assets.refresh.code import code_version
from leadflow_assets.refresh.picture import town_picture
from leadflow_assets.refresh.plan import RefreshOptions
from leadflow_assets.refresh.run import TownReport, refresh_towns
from leadflow_assets.refresh.town import MADE_TABLES

# Pictures are drawn polygon by polygon; in a run over half the state nobody looks at each.
_MOST_PICTURES = 25
_UPSTREAM: Mapping[Table, tuple[Table, ...]] = {
    tables.MASSGIS_PACKAGES: (),
    **dict.fromkeys((*tables.CORE_MASSGIS,), (tables.MASSGIS_PACKAGES,)),
    tables.PROPERTIES: (tables.PARCELS, tables.ASSESSMENTS, tables.USE_CODES),
}


class RefreshConfig(dg.Config):
    """What a person may set in the launchpad: as ``leadflow refresh`` has it."""

    source: str | None = None
    force: bool = False
    skip_remote_check: bool = False


def _spec(table: Table, partitions: dg.PartitionsDefinition[str]) -> dg.AssetSpec:
    metadata: dict[str, Any] = {"dagster/table_name": table.view}
    if table.model is not None:
        metadata["dagster/column_schema"] = column_schema(table)
    kinds = {"raw": {"massgis"}, "core": {"geoparquet" if table.geometry else "parquet"}}
    return dg.AssetSpec(
        asset_key(table),
        deps=[asset_key(upstream) for upstream in _UPSTREAM[table]],
        description=described(table),
        group_name=f"{table.layer}_massgis" if table.layer != "mart" else "mart",
        kinds=kinds.get(table.layer, {"geoparquet"}),
        owners=[OWNER],
        tags={"layer": table.layer},
        metadata=metadata,
        code_version=code_version(),
        partitions_def=partitions,
        skippable=True,
    )


def massgis_assets(partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """raw/massgis_packages, the core tables and mart/properties for the given towns."""

    @dg.multi_asset(
        name="massgis",
        specs=[_spec(table, partitions) for table in tables.MASSGIS],
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool="massgis",
    )
    def massgis(
        context: dg.AssetExecutionContext, config: RefreshConfig, settings: LeadflowSettings
    ) -> Iterator[dg.MaterializeResult[Any]]:
        run = _Run(context, Lake(settings.load()))
        options = RefreshOptions(config.source, config.force, config.skip_remote_check)
        run.refresh(options)
        yield from ()  # nothing for the range as a whole: every town has been reported by itself

    return massgis


class _Run:
    """Reports towns to Dagster as they are published."""

    def __init__(self, context: dg.AssetExecutionContext, lake: Lake) -> None:
        self.context = context
        self.lake = lake
        self.towns = towns_of(context.partition_keys)
        self.failed: dict[str, str] = {}
        self.refreshed: list[int] = []
        self._known: dict[Table, set[str]] = {}
        self._snapshots: dict[Table, Mapping[str, PartitionEntry]] = {}

    def refresh(self, options: RefreshOptions) -> None:
        """Refresh the run's towns.

        Raises:
            dg.Failure: at the end, if any town failed; names them.
        """
        log = self.context.log
        unchanged = 0
        for number, report in enumerate(
            refresh_towns(self.lake.settings, self.towns, options, run_id=self.context.run.run_id), start=1
        ):
            for note in report.notes:
                log.info(f"{report.town.name}: {note}")
            if report.error is not None:
                self.failed[report.town.key] = str(report.error)
                log.error(f"{report.town.name}: {report.error}")
                self._check(tables.PARCELS, report.town.key, False, {"error": str(report.error)})
            else:
                with self._together():
                    self._report(report)
                unchanged += report.status == "unchanged"
                if report.status == "refreshed":
                    self.refreshed.append(report.town.town_id)
                if report.status != "unchanged":
                    log.info(f"{number}/{len(self.towns)} {report.town.name}: {report.status}")
        log.info(f"{len(self.towns)} towns: {unchanged} unchanged, {len(self.failed)} failed")
        self._merge()
        if self.failed:
            raise dg.Failure(
                f"{len(self.failed)} of {len(self.towns)} towns failed: {', '.join(sorted(self.failed)[:9])}",
                metadata={"failed_towns": dg.MetadataValue.json(self.failed)},
                allow_retries=False,
            )

    def _merge(self) -> None:
        """A new release may have other property ids: records of vendors find their properties anew."""
        if not self.refreshed:
            return
        report = merge(self.lake.settings, towns=self.refreshed, run_id=self.context.run.run_id)
        if report.records_changed or report.towns_changed:
            log_merge(self.context, self.lake, report)

    def _together(self) -> contextlib.AbstractContextManager[None]:
        """A town's fourteen events in one transaction, where the event log of dagster.yaml is used."""
        storage = self.context.instance.event_log_storage
        together = getattr(storage, "together", contextlib.nullcontext)
        manager: contextlib.AbstractContextManager[None] = together()
        return manager

    def _report(self, report: TownReport) -> None:
        """Materializations of what is new, and of what Dagster did not know to be there."""
        key = report.town.key
        for table in tables.MASSGIS:
            new = report.published.get(table.name)
            if new is not None:
                # Of a table partitioned further (by release), the newest stands for the town.
                self._materialized(table, key, list(new.values())[-1])
            elif key not in self._materialized_before(table):
                entry = self._published(table, report.town.town_id)
                if entry is not None:
                    self._materialized(table, key, entry)

    def _materialized(self, table: Table, key: str, entry: PartitionEntry) -> None:
        metadata = partition_metadata(self.lake, table, entry)
        if table is tables.PARCELS and len(self.towns) <= _MOST_PICTURES:
            picture = dg.MetadataValue.md(town_picture(self.lake, int(key[:3])).markdown)
            metadata = {"map": picture, **metadata}
        self.context.log_event(
            dg.AssetMaterialization(
                asset_key(table),
                partition=key,
                metadata=metadata,
                tags={"dagster/data_version": entry.fingerprint},
            )
        )
        if table in MADE_TABLES:
            balance = {k: entry.facts[k] for k in ("rows_in", "dropped", "kept") if k in entry.facts}
            self._check(table, key, True, {**balance, "rows_out": entry.data.rows})

    def _check(self, table: Table, key: str, passed: bool, metadata: Mapping[str, Any]) -> None:
        self.context.log_event(
            dg.AssetCheckEvaluation(
                asset_key=asset_key(table),
                check_name="contract",
                passed=passed,
                partition=key,
                metadata=metadata,
            )
        )

    def _materialized_before(self, table: Table) -> set[str]:
        if table not in self._known:
            self._known[table] = set(self.context.instance.get_materialized_partitions(asset_key(table)))
        return self._known[table]

    def _published(self, table: Table, town_id: int) -> PartitionEntry | None:
        # Read once: only towns that this run left unchanged are looked up.
        if table not in self._snapshots:
            self._snapshots[table] = self.lake.snapshot(table).partitions
        entries = self._snapshots[table]
        names = sorted(name for name in entries if name.split("/")[0] == f"town_id={town_id}")
        return entries[names[-1]] if names else None
