"""The event log class of dagster.yaml: the same files and answers as Dagster's own, and no lost event."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dagster as dg
import yaml
from dagster._core.storage.event_log import SqliteEventLogStorage

from leadflow_assets.automation.event_log import FastSqliteEventLogStorage
from leadflow_assets.automation.retention import forget_old_runs

ROOT = Path(__file__).parents[2]
KEYS = [f"town-{number}" for number in range(20)]
RANGE = {"dagster/asset_partition_range_start": KEYS[0], "dagster/asset_partition_range_end": KEYS[-1]}


@dg.multi_asset(
    specs=[dg.AssetSpec("parcels", partitions_def=dg.StaticPartitionsDefinition(KEYS), skippable=True)],
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def parcels(context: dg.AssetExecutionContext):
    for key in context.partition_keys:
        context.log_event(dg.AssetMaterialization("parcels", partition=key, metadata={"rows": 1}))
    yield from ()


def instance_in(folder: Path) -> dg.DagsterInstance:
    """An instance with the project's own dagster.yaml, its relative folders below ``folder``."""
    config = yaml.safe_load((ROOT / "dagster.yaml").read_text(encoding="utf-8"))
    for part in (
        "run_storage",
        "event_log_storage",
        "schedule_storage",
        "compute_logs",
        "local_artifact_storage",
    ):
        config[part]["config"]["base_dir"] = str(folder / config[part]["config"]["base_dir"])
    (folder / "dagster.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    return dg.DagsterInstance.from_config(str(folder))


def test_dagster_yaml_loads_and_names_the_fast_event_log(tmp_path: Path) -> None:
    with instance_in(tmp_path) as instance:
        assert isinstance(instance.event_log_storage, FastSqliteEventLogStorage)
        assert instance.event_log_storage.supports_global_concurrency_limits


def test_dagsters_own_class_reads_every_event_that_ours_wrote(tmp_path: Path) -> None:
    with instance_in(tmp_path) as instance:
        result = dg.materialize([parcels], instance=instance, tags=RANGE)
        assert result.success
        ours = instance.all_logs(result.run_id)
        assert instance.get_materialized_partitions(dg.AssetKey("parcels")) == set(KEYS)
    own = SqliteEventLogStorage(str(tmp_path / "data/dagster/storage/history/runs"))
    theirs = own.get_logs_for_run(result.run_id)
    assert [event.to_json() for event in theirs] == [event.to_json() for event in ours]
    assert own.get_materialized_partitions(dg.AssetKey("parcels")) == set(KEYS)
    planned = [e for e in theirs if e.dagster_event_type is dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED]
    assert len(planned) == len(KEYS)


def test_our_class_goes_on_where_dagsters_own_began(tmp_path: Path) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        result = dg.materialize([parcels], instance=instance, tags=RANGE)
        theirs = instance.all_logs(result.run_id)
    ours = FastSqliteEventLogStorage(str(tmp_path / "history/runs"))
    assert [e.to_json() for e in ours.get_logs_for_run(result.run_id)] == [e.to_json() for e in theirs]
    ours.dispose()


def test_threads_that_read_and_write_at_once_lose_nothing(tmp_path: Path) -> None:
    with instance_in(tmp_path) as instance:

        def report(number: int) -> int:
            instance.report_runless_asset_event(dg.AssetMaterialization("other", partition=str(number)))
            return len(instance.get_materialized_partitions(dg.AssetKey("other")))

        with ThreadPoolExecutor(8) as pool:
            assert max(pool.map(report, range(80))) <= 80
        assert len(instance.get_materialized_partitions(dg.AssetKey("other"))) == 80


def test_old_runs_that_made_nothing_are_forgotten_and_the_others_stay(tmp_path: Path) -> None:
    @dg.job
    def nothing() -> None:
        pass

    with instance_in(tmp_path) as instance:
        made = dg.materialize([parcels], instance=instance, tags=RANGE)
        idle = nothing.execute_in_process(instance=instance)
        assert forget_old_runs(instance, days=1, dry_run=False) == 0
        assert forget_old_runs(instance, days=-1, dry_run=True) == 1
        assert forget_old_runs(instance, days=-1, dry_run=False) == 1
        assert not instance.has_run(idle.run_id) and instance.has_run(made.run_id)
        assert instance.get_materialized_partitions(dg.AssetKey("parcels")) == set(KEYS)
