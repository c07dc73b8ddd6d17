"""What was published outside Dagster (`leadflow refresh`) shows in its UI too."""

import json
from collections.abc import Iterator

import dagster as dg

from leadflow_assets.assets.metadata import asset_key, partition_metadata
from leadflow_assets.assets.resources import LeadflowSettings
from leadflow_assets.domain.towns import SAMPLETON_ID, town_by_id
from leadflow_assets.lake import tables
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.snapshots import PartitionEntry, Snapshot, SnapshotLog
from leadflow_assets.lake.tables import Table
from leadflow_assets.partitions import attom_batches, court_months, court_partition_key

# Tables per tick are few; partitions may be a whole state, and a tick has a minute.
_MOST_EVENTS = 400
_SAMPLE = town_by_id(SAMPLETON_ID).key


@dg.sensor(
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Records partitions that `leadflow refresh` published, so that Dagster knows what is here.",
)
def published_elsewhere(context: dg.SensorEvaluationContext, settings: LeadflowSettings) -> dg.SensorResult:
    """Look at the snapshots since the last tick; the cursor is the last snapshot number of each table."""
    loaded = settings.load()
    lake = Lake(loaded)
    seen: dict[str, int] = json.loads(context.cursor) if context.cursor else {}
    events: list[dg.AssetMaterialization] = []
    for table in tables.TABLES:
        if len(events) >= _MOST_EVENTS:
            break
        newest = lake.snapshot(table)
        if newest.number == seen.get(table.name, 0):
            continue
        for key, entry in _changed(lake, table, seen.get(table.name, 0), newest):
            known = context.instance.has_run(entry.run_id)
            if not known and (loaded.demo_on or key != _SAMPLE):
                events.append(_event(lake, table, key, entry))
                if dynamic := _dynamic(table):
                    # Made by the command line: Dagster has not heard of its partition yet.
                    context.instance.add_dynamic_partitions(str(dynamic.name), [key])
        seen[table.name] = newest.number
    cursor = json.dumps(seen, sort_keys=True)
    if not events:
        return dg.SensorResult(skip_reason="Nothing was published outside Dagster.", cursor=cursor)
    return dg.SensorResult(asset_events=events, cursor=cursor)


def _changed(lake: Lake, table: Table, since: int, newest: Snapshot) -> Iterator[tuple[str, PartitionEntry]]:
    """Partition keys that snapshots after ``since`` changed, and the partitions as they are now."""
    log = SnapshotLog(lake.store, table.name)
    numbers = [number for number in log.numbers() if since < number <= newest.number]
    names = {name for number in numbers for name in log.read(number).changed}
    for name in sorted(names):
        entry = newest.partitions.get(name)
        if entry is not None:
            yield _partition_key(name), entry


def _dynamic(table: Table) -> dg.DynamicPartitionsDefinition | None:
    if table in tables.ATTOM:
        return attom_batches
    return court_months if table in tables.COURTS else None


def _partition_key(name: str) -> str:
    """``town_id=25/release=...`` is the town's key, ``batch_id=...`` the batch's, else court and month."""
    if name.startswith("court="):
        return court_partition_key(name)
    kind, _, value = name.split("/")[0].partition("=")
    return town_by_id(int(value)).key if kind == "town_id" else value


def _event(lake: Lake, table: Table, key: str, entry: PartitionEntry) -> dg.AssetMaterialization:
    return dg.AssetMaterialization(
        asset_key(table),
        partition=key,
        metadata=partition_metadata(lake, table, entry),
        tags={"dagster/data_version": entry.fingerprint},
    )
