"""Publishing: nothing is lost, nothing is seen by halves, and the past stays readable."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leadflow_assets.errors import LeadflowError, StoreError, UsageError
from leadflow_assets.lake.geoparquet import write_parquet
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.publish import Publisher, current_key, repair, sha256_of, upload
from leadflow_assets.lake.snapshots import Snapshot, SnapshotLog
from leadflow_assets.lake.store import LocalStore, Store
from leadflow_assets.lake.tables import PARCELS, QUARANTINE
from leadflow_assets.settings import Settings
from leadflow_assets_tests.conftest import process_context, publish_parcels, stage_parcels

TABLE = PARCELS.name
PROCESSES = 8
TOWNS_EACH = {"local": 10, "s3": 3}  # the test's S3 server is slow


def rejects(rows: int) -> pa.Table:
    values = {
        "town_id": [1] * rows,
        "member": ["TaxPar"] * rows,
        "row_number": list(range(1, rows + 1)),
        "reason": ["no_geometry"] * rows,
        "disposition": ["dropped"] * rows,
        "dollars": [None] * rows,
        "detail": [None] * rows,
        "release": ["CY25_FY26"] * rows,
        "raw_values": ["{}"] * rows,
    }
    return pa.table(values, schema=QUARANTINE.schema)


def current_keys(store: Store, table: str = TABLE) -> list[str]:
    return list(store.list(f"{table}/"))


def require_current_is(store: Store, snapshot: Snapshot) -> None:
    """The current folder holds exactly the snapshot's rows, byte for byte."""
    wanted = {
        current_key(TABLE, name, "data", ".parquet"): entry.data.path
        for name, entry in snapshot.partitions.items()
    }
    assert current_keys(store) == sorted(wanted)
    for key, version in wanted.items():
        assert store.read(key) == store.read(version), key


def test_what_was_published_is_what_is_read_back(lake: Lake, tmp_path: Path) -> None:
    staged = stage_parcels(tmp_path / "staged", 25, "one", rows=50)
    content = staged.files["data"].path.read_bytes()
    entry = upload(lake.store, staged)
    published = Publisher(lake.store, "run-1").publish(TABLE, {staged.partition: entry})
    assert published.snapshot.number == 1
    assert published.snapshot == lake.snapshot(PARCELS)
    found = lake.snapshot(PARCELS).partitions["town_id=25"]
    assert found == published.entries["town_id=25"]
    assert (found.data.rows, found.data.bytes, found.run_id) == (50, len(content), "run-1")
    assert found.data.path == f"_versions/{TABLE}/town_id=25/{found.data.sha256[:16]}.parquet"
    assert found.data.sha256 == sha256_of(lake.store.fetch(found.data.path, tmp_path))
    assert found.data.bbox == staged.files["data"].bbox
    assert lake.store.read("core/parcels/town_id=25/parcels.parquet") == content
    assert datetime.fromisoformat(found.published_at) <= datetime.now(UTC)


def test_a_lake_with_nothing_published_has_the_empty_snapshot(lake: Lake) -> None:
    assert lake.snapshot(PARCELS).number == 0
    assert lake.snapshot(PARCELS, 0).partitions == {}
    assert lake.snapshot(PARCELS, "2026-01-01").partitions == {}
    with pytest.raises(UsageError, match=r"core/parcels has no snapshot 3\."):
        lake.snapshot(PARCELS, 3)


def test_publishing_the_same_bytes_again_adds_no_version(lake: Lake, tmp_path: Path) -> None:
    first = publish_parcels(lake, tmp_path / "a", {1: "one", 2: "one"})
    before = list(lake.store.list("_versions/"))
    second = publish_parcels(lake, tmp_path / "b", {1: "one"})
    assert list(lake.store.list("_versions/")) == before
    assert second.partitions["town_id=1"].data == first.partitions["town_id=1"].data
    require_current_is(lake.store, second)


def test_a_staged_file_that_is_written_again_does_not_reach_into_the_lake(
    settings: Settings, tmp_path: Path
) -> None:
    lake = Lake(settings)
    staged = stage_parcels(tmp_path, 1, "one")
    entry = upload(lake.store, staged)
    rows = pq.read_table(staged.files["data"].path, partitioning=None).slice(0, 1)
    write_parquet(staged.files["data"].path, rows, PARCELS, provenance={})
    assert sha256_of(Path(lake.store.location(entry.data.path))) == entry.data.sha256


def _publish_one_by_one(settings: Settings, folder: Path, towns: list[int], mark: str) -> list[int]:
    lake, publisher = Lake(settings), None
    numbers = []
    for town_id in towns:
        staged = stage_parcels(folder, town_id, mark)
        publisher = publisher or Publisher(lake.store, f"run-{mark}")
        published = publisher.publish(TABLE, {staged.partition: upload(lake.store, staged)})
        numbers.append(published.snapshot.number)
    return numbers


@pytest.mark.slow
def test_eight_processes_publishing_to_one_table_lose_nothing(lake: Lake, tmp_path: Path) -> None:
    each = TOWNS_EACH["s3" if lake.settings.lake_uri.startswith("s3://") else "local"]
    with ProcessPoolExecutor(PROCESSES, mp_context=process_context()) as pool:
        work = [
            pool.submit(
                _publish_one_by_one,
                lake.settings,
                tmp_path / f"staged-{number}",
                list(range(number * 100 + 1, number * 100 + 1 + each)),
                f"p{number}",
            )
            for number in range(PROCESSES)
        ]
        committed = sorted(number for done in work for number in done.result())
    log = SnapshotLog(lake.store, TABLE)
    assert log.numbers() == committed == list(range(1, PROCESSES * each + 1))
    latest = log.latest()
    towns = {n * 100 + t for n in range(PROCESSES) for t in range(1, each + 1)}
    assert set(latest.partitions) == {f"town_id={town}" for town in towns}
    require_current_is(lake.store, latest)
    entries = [log.read(number) for number in log.numbers()[-30:]]
    assert all(len(after.partitions) == len(before.partitions) + 1 for before, after in pairwise(entries))
    assert all(after.committed > before.committed for before, after in pairwise(entries))


def test_two_processes_publishing_one_partition_leave_the_newest_as_current(
    lake: Lake, tmp_path: Path
) -> None:
    with ProcessPoolExecutor(2, mp_context=process_context()) as pool:
        work = [
            pool.submit(_publish_one_by_one, lake.settings, tmp_path / mark, [7] * 8, mark)
            for mark in ("a", "b")
        ]
        for done in work:
            done.result()
    latest = lake.snapshot(PARCELS)
    assert latest.number == 16
    require_current_is(lake.store, latest)


@dataclass(frozen=True)
class Interrupted(LocalStore):
    """A real store in which others get to work just before one of ours is copied into place."""

    meanwhile: Callable[[], None]

    def copy_over(self, source_key: str, key: str) -> None:
        self.meanwhile()
        super().copy_over(source_key, key)


def once(action: Callable[[], object]) -> Callable[[], None]:
    """Do it at the first call only."""
    left = [action]

    def call() -> None:
        if left:
            left.pop()()

    return call


def test_a_copy_that_comes_late_does_not_bring_an_old_version_back(
    settings: Settings, tmp_path: Path
) -> None:
    """A slow publisher repairs the entry it found while others commit that partition and one more."""
    lake = Lake(settings)
    publish_parcels(lake, tmp_path, {1: "old"})
    lake.store.delete("core/parcels/town_id=1/parcels.parquet")  # as if its publisher died before copying
    staged = stage_parcels(tmp_path, 3, "slow")

    def others() -> None:
        publish_parcels(lake, tmp_path, {1: "new"})
        publish_parcels(lake, tmp_path, {2: "new"})

    slow = Interrupted(Path(lake.store.uri), once(others))
    Publisher(slow, "slow").publish(TABLE, {staged.partition: upload(slow, staged)})
    assert lake.snapshot(PARCELS).number == 4
    require_current_is(lake.store, lake.snapshot(PARCELS))


def test_a_repair_during_a_publish_does_not_bring_an_old_version_back(
    settings: Settings, tmp_path: Path
) -> None:
    lake = Lake(settings)
    publish_parcels(lake, tmp_path, {1: "old"})
    lake.store.delete("core/parcels/town_id=1/parcels.parquet")
    slow = Interrupted(Path(lake.store.uri), once(lambda: publish_parcels(lake, tmp_path, {1: "new"})))
    repair(slow, TABLE)
    require_current_is(lake.store, lake.snapshot(PARCELS))


def test_the_next_publish_completes_the_copies_of_a_publisher_that_died(lake: Lake, tmp_path: Path) -> None:
    publish_parcels(lake, tmp_path, {1: "one", 2: "one"})
    staged = stage_parcels(tmp_path, 1, "two")
    log = SnapshotLog(lake.store, TABLE)
    entry = upload(lake.store, staged)
    died = log.commit({staged.partition: entry, "town_id=2": None}, base=log.latest())
    assert died is not None
    with pytest.raises(AssertionError):
        require_current_is(lake.store, died)
    require_current_is(lake.store, publish_parcels(lake, tmp_path, {3: "three"}))


def test_repair_puts_back_what_somebody_did_to_the_current_copies(lake: Lake, tmp_path: Path) -> None:
    snapshot = publish_parcels(lake, tmp_path, {1: "one", 2: "one", 3: "one"})
    assert repair(lake.store, TABLE) == 0
    lake.store.delete(current_key(TABLE, "town_id=1", "data", ".parquet"))
    lake.store.copy_over(
        snapshot.partitions["town_id=2"].data.path, current_key(TABLE, "town_id=3", "data", ".parquet")
    )
    assert repair(lake.store, TABLE) == 2
    require_current_is(lake.store, snapshot)


def test_the_past_is_read_by_number_by_time_and_by_date(lake: Lake, tmp_path: Path) -> None:
    for mark in ("one", "two", "three"):
        publish_parcels(lake, tmp_path, {1: mark})
    log = SnapshotLog(lake.store, TABLE)
    entries = [log.read(number) for number in (1, 2, 3)]
    for entry, mark in zip(entries, ("one", "two", "three"), strict=True):
        assert lake.snapshot(PARCELS, entry.number).partitions["town_id=1"].fingerprint == mark
        assert lake.snapshot(PARCELS, entry.committed_at) == entry
        just_before = (entry.committed - timedelta(microseconds=1)).isoformat()
        assert lake.snapshot(PARCELS, just_before).number == entry.number - 1
        rows = pq.read_table(
            lake.store.fetch(entry.partitions["town_id=1"].data.path, tmp_path), partitioning=None
        )
        assert rows["map_par_id"].unique().to_pylist() == [mark]
    today = entries[-1].committed.date()
    assert lake.snapshot(PARCELS, today.isoformat()).number == 3
    assert lake.snapshot(PARCELS, (today - timedelta(days=2)).isoformat()).number == 0
    with pytest.raises(UsageError, match="is not a date"):
        lake.snapshot(PARCELS, "last week")


def test_commit_times_only_grow_even_after_an_entry_from_a_clock_that_runs_ahead(
    lake: Lake, tmp_path: Path
) -> None:
    log = SnapshotLog(lake.store, TABLE)
    publish_parcels(lake, tmp_path, {1: "one"})
    first = json.loads(lake.store.read(f"_log/{TABLE}/0000001.json"))
    ahead = datetime.now(UTC) + timedelta(days=1)
    first |= {"number": 2, "committed_at": ahead.isoformat()}
    lake.store.put_new(f"_log/{TABLE}/0000002.json", json.dumps(first).encode())
    third, fourth = publish_parcels(lake, tmp_path, {2: "x"}), publish_parcels(lake, tmp_path, {3: "x"})
    assert (third.number, fourth.number) == (3, 4)
    assert ahead < third.committed < fourth.committed
    assert log.as_of(ahead).number == 2


def test_a_removed_partition_leaves_the_table_and_stays_in_the_past(lake: Lake, tmp_path: Path) -> None:
    publish_parcels(lake, tmp_path, {1: "one", 2: "one"})
    removed = Publisher(lake.store, "r").publish(TABLE, {"town_id=1": None})
    assert removed.entries == {}
    assert set(removed.snapshot.partitions) == {"town_id=2"}
    assert removed.snapshot.changed == ("town_id=1",)
    assert current_keys(lake.store) == ["core/parcels/town_id=2/parcels.parquet"]
    past = lake.snapshot(PARCELS, 1).partitions["town_id=1"]
    assert lake.store.exists(past.data.path)
    require_current_is(lake.store, publish_parcels(lake, tmp_path, {1: "back"}))


def test_quarantined_rows_come_and_go_in_a_folder_of_their_own(lake: Lake, tmp_path: Path) -> None:
    publisher = Publisher(lake.store, "q")

    def publish(town_id: int, mark: str, bad_rows: int) -> Snapshot:
        quarantine = rejects(bad_rows) if bad_rows else None
        staged = stage_parcels(tmp_path, town_id, mark, quarantine=quarantine)
        return publisher.publish(TABLE, {staged.partition: upload(lake.store, staged)}).snapshot

    publish(1, "one", 3)
    snapshot = publish(2, "one", 2)
    assert snapshot.partitions["town_id=1"].files["quarantine"].rows == 3
    require_current_is(lake.store, snapshot)
    quarantined = current_keys(lake.store, "core/parcels_quarantine")
    assert quarantined == [f"core/parcels_quarantine/town_id={n}/parcels_quarantine.parquet" for n in (1, 2)]
    require_current_is(lake.store, publish(1, "two", 0))
    assert current_keys(lake.store, "core/parcels_quarantine") == quarantined[1:]
    publisher.publish(TABLE, {"town_id=2": None})
    assert current_keys(lake.store, "core/parcels_quarantine") == []


def test_a_glob_over_the_tables_folder_is_exactly_the_table(settings: Settings, tmp_path: Path) -> None:
    lake = Lake(settings)
    publish_parcels(lake, tmp_path, dict.fromkeys(range(1, 6), "one"))
    snapshot = publish_parcels(lake, tmp_path, {2: "two", 9: "two"})
    found = sorted(Path(lake.store.uri, TABLE).glob("**/*.parquet"))
    assert [path.parent.name for path in found] == sorted(snapshot.partitions)
    shas = {entry.data.sha256 for entry in snapshot.partitions.values()}
    assert {sha256_of(path) for path in found} == shas


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"table":"core/parcels","number":2,"committed_at":"2026-01-01T00:00:00+00:00","partitions":[],"changed":[]}',
        b'{"table":"core/parcels","number":2,"committed_at":"2026-01-01T00:00:00+00:00",'
        b'"partitions":{"town_id=1":{"files":[]}},"changed":[]}',
        b'{"table":"core/parcels","number":2,"committed_at":"yesterday","partitions":{},"changed":[]}',
    ],
    ids=["empty", "cut", "not-text", "a-list", "no-fields", "partitions-a-list", "files-a-list", "no-date"],
)
def test_a_damaged_log_entry_is_named_and_the_entry_before_it_stays_readable(
    settings: Settings, tmp_path: Path, content: bytes
) -> None:
    lake = Lake(settings)
    publish_parcels(lake, tmp_path, {1: "one"})
    lake.store.put_new(f"_log/{TABLE}/0000002.json", content)
    with pytest.raises(StoreError, match=r"0000002\.json is damaged") as caught:
        lake.snapshot(PARCELS)
    assert caught.value.hint
    with pytest.raises(StoreError, match=r"0000002\.json is damaged"):
        lake.snapshot(PARCELS, "2999-01-01")
    with pytest.raises(StoreError, match=r"0000002\.json is damaged"):
        publish_parcels(lake, tmp_path, {2: "two"})
    assert set(lake.snapshot(PARCELS, 1).partitions) == {"town_id=1"}


def test_a_foreign_file_in_the_log_is_named_or_ignored(settings: Settings, tmp_path: Path) -> None:
    lake = Lake(settings)
    publish_parcels(lake, tmp_path, {1: "one"})
    lake.store.put_new(f"_log/{TABLE}/0000001 (copy).json", b"{}")
    try:
        assert lake.snapshot(PARCELS).number == 1
    except LeadflowError as error:
        assert "0000001 (copy).json" in str(error)
