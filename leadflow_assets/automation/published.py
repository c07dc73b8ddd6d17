"""What was published outside Dagster (`leadflow refresh`) shows in its UI too."""

import json
from collections.abc import Iterator

import dagster as dg

from leadflow_assets.assets.massgis import asset_key
from leadflow_assets.assets.metadata import partition_metadata
from leadflow_assets.assets.resources import LeadflowSettings
from leadflow_assets.domain.towns import Town, town_by_id
from leadflow_assets.lake import tables
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.snapshots import PartitionEntry, Snapshot, SnapshotLog
from leadflow_assets.lake.tables import Table

# Tables per tick are few; partitions may be a whole state, and a tick has a minute.
_MOST_EVENTS = 400


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
    for table in tables.MASSGIS:
        if len(events) >= _MOST_EVENTS:
            break
        newest = lake.snapshot(table)
        if newest.number == seen.get(table.name, 0):
            continue
        for town, entry in _changed(lake, table, seen.get(table.name, 0), newest):
            known = context.instance.has_run(entry.run_id)
            if not known and (loaded.demo_on or not town.is_sample):
                events.append(_event(lake, table, town, entry))
        seen[table.name] = newest.number
    cursor = json.dumps(seen, sort_keys=True)
    if not events:
        return dg.SensorResult(skip_reason="Nothing was published outside Dagster.", cursor=cursor)
    return dg.SensorResult(asset_events=events, cursor=cursor)


def _changed(lake: Lake, table: Table, since: int, newest: Snapshot) -> Iterator[tuple[Town, PartitionEntry]]:
    """Partitions that snapshots after ``since`` changed, as they are now."""
    log = SnapshotLog(lake.store, table.name)
    numbers = [number for number in log.numbers() if since < number <= newest.number]
    names = {name for number in numbers for name in log.read(number).changed}
    for name in sorted(names):
        entry = newest.partitions.get(name)
        if entry is not None:
            yield town_by_id(int(name.split("/")[0].removeprefix("town_id="))), entry


def _event(lake: Lake, table: Table, town: Town, entry: PartitionEntry) -> dg.AssetMaterialization:
    return dg.AssetMaterialization(
        asset_key(table),
        partition=town.key,
        metadata=partition_metadata(lake, table, entry),
        tags={"dagster/data_version": entry.fingerprint},
    )
