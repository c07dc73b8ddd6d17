"""The store's contract, the same in a folder and on S3."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet as pq
import pytest

from leadflow_assets.lake.catalog import connect
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.store import LocalStore, Store

PAGE = 100  # keys in one answer of the S3 server, instead of a thousand
OTHER_FILE_SYSTEM = Path("/dev/shm")


@pytest.fixture
def store(lake: Lake) -> Store:
    return lake.store


@pytest.fixture
def folder_store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "lake")


@pytest.mark.parametrize("as_file", [False, True], ids=["bytes", "file"])
def test_put_new_creates_an_object_and_then_refuses_to_touch_it(
    store: Store, tmp_path: Path, as_file: bool
) -> None:
    def source(content: bytes) -> Path | bytes:
        (tmp_path / "source").unlink(missing_ok=True)
        (tmp_path / "source").write_bytes(content)
        return tmp_path / "source" if as_file else content

    assert store.put_new("core/a.bin", source(b"first")) is True
    assert store.put_new("core/a.bin", source(b"second")) is False
    assert store.read("core/a.bin") == b"first"


def test_of_eight_threads_that_create_one_key_exactly_one_wins(store: Store) -> None:
    for turn in range(5):
        key, start = f"race/{turn}", threading.Barrier(8)

        def create(number: int, key: str = key, start: threading.Barrier = start) -> bool:
            start.wait()
            return store.put_new(key, bytes([number]) * 50_000)

        with ThreadPoolExecutor(8) as pool:
            won = list(pool.map(create, range(8)))
        assert won.count(True) == 1
        assert store.read(key) == bytes([won.index(True)]) * 50_000


def test_a_reader_sees_the_old_or_the_new_bytes_while_an_object_is_replaced(store: Store) -> None:
    versions = [bytes([letter]) * 200_000 for letter in b"abc"]
    for number, content in enumerate(versions):
        store.put_new(f"v/{number}", content)
    store.copy_over("v/0", "current/x")
    seen: list[bytes] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.append(store.read("current/x"))

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        for turn in range(60):
            store.copy_over(f"v/{turn % 3}", "current/x")
        done.set()
        for reader in readers:
            reader.result()
    assert seen
    assert all(content in versions for content in seen)
    assert [key for key in store.list("") if not key.startswith(("v/", "current/"))] == []


def test_copy_over_leaves_the_source_as_it_was(store: Store) -> None:
    store.put_new("v/1", b"one")
    store.put_new("v/2", b"two")
    store.copy_over("v/1", "current/x")
    store.copy_over("v/2", "current/x")
    store.copy_over("v/2", "current/x")
    assert [store.read(key) for key in ("v/1", "v/2", "current/x")] == [b"one", b"two", b"two"]


def test_same_holds_only_between_a_copy_and_what_it_was_made_from(store: Store) -> None:
    store.put_new("v/1", b"equal bytes")
    store.put_new("v/2", b"equal bytes")
    assert not store.same("v/1", "current/x")
    store.copy_over("v/1", "current/x")
    assert store.same("v/1", "current/x")
    assert not store.same("v/2", "current/x")
    store.copy_over("v/2", "current/x")
    assert not store.same("v/1", "current/x")


def test_a_listing_of_many_pages_is_complete_in_order_and_can_start_after_a_key(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", str(PAGE))
    (tmp_path / "source").write_bytes(b"x")
    keys = [f"_log/core/t/{number:07d}.json" for number in range(3 * PAGE + 5)]
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(lambda key: store.put_new(key, tmp_path / "source"), keys))
    store.put_new("_log/core/t_other/0000001.json", b"x")
    assert list(store.list("_log/core/t/")) == keys
    assert list(store.list("_log/core/t/", after=keys[-3])) == keys[-2:]
    assert list(store.list("_log/core/t/", after=keys[-1])) == []
    assert list(store.list("_log/core/")) == [*keys, "_log/core/t_other/0000001.json"]


def test_both_stores_list_nested_keys_in_the_same_order(store: Store) -> None:
    keys = ["t/a-b/x", "t/a/x", "t/a/x/y", "t/a0", "t/town_id=10/f", "t/town_id=2/f"]
    keys.remove("t/a/x/y")  # a folder cannot share a file's name on disk
    for key in keys:
        store.put_new(key, b"")
    assert list(store.list("t/")) == sorted(keys)
    assert list(store.list("nothing/")) == []


def test_delete_removes_the_object_and_does_not_mind_a_missing_one(store: Store) -> None:
    store.put_new("core/t/town_id=1/x", b"x")
    store.delete("core/t/town_id=1/x")
    store.delete("core/t/town_id=1/x")
    assert not store.exists("core/t/town_id=1/x")
    assert list(store.list("core/")) == []


def test_delete_takes_the_folders_it_emptied_along(folder_store: LocalStore) -> None:
    folder_store.put_new("core/t/town_id=1/x", b"x")
    folder_store.put_new("core/u/x", b"x")
    folder_store.delete("core/t/town_id=1/x")
    assert sorted(path.name for path in (folder_store.root / "core").iterdir()) == ["u"]


def test_reading_what_is_not_there_says_so(store: Store) -> None:
    assert not store.exists("core/nothing")
    with pytest.raises(FileNotFoundError):
        store.read("core/nothing")


def test_locations_open_in_pyarrow_and_duckdb_and_fetch_gives_a_file(lake: Lake, tmp_path: Path) -> None:
    table = pa.table({"n": list(range(1000))})
    pq.write_table(table, tmp_path / "source.parquet")
    lake.store.put_new("core/t/town_id=1/t.parquet", tmp_path / "source.parquet")
    location = lake.store.location("core/t/town_id=1/t.parquet")
    if location.startswith("s3://"):
        scheme, _, host = lake.settings.aws_endpoint_url.partition("://")
        files = pyarrow.fs.S3FileSystem(
            access_key="testing",
            secret_key="testing",
            scheme=scheme,
            endpoint_override=host,
            region="us-east-1",
        )
        read = pq.read_table(location.removeprefix("s3://"), filesystem=files, partitioning=None)
    else:
        assert Path(location).is_absolute()
        read = pq.read_table(location, partitioning=None)
    assert read.equals(table)
    with connect(lake.settings) as connection:
        found = connection.execute(
            "SELECT sum(n) FROM read_parquet(?, hive_partitioning = false)", [location]
        )
        assert found.fetchone() == (499_500,)
    (tmp_path / "fetched").mkdir()
    fetched = lake.store.fetch("core/t/town_id=1/t.parquet", tmp_path / "fetched")
    assert fetched.read_bytes() == (tmp_path / "source.parquet").read_bytes()


@pytest.mark.skipif(not OTHER_FILE_SYSTEM.is_dir(), reason="no second file system here")
def test_put_new_takes_a_file_from_another_file_system(folder_store: LocalStore, tmp_path: Path) -> None:
    if OTHER_FILE_SYSTEM.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("the test's folder lies on /dev/shm itself")
    source = OTHER_FILE_SYSTEM / f"leadflow-test-{os.getpid()}"
    try:
        source.write_bytes(b"x" * 3_000_000)
        assert folder_store.put_new("core/x", source) is True
        assert folder_store.put_new("core/x", source) is False
    finally:
        source.unlink(missing_ok=True)
    assert folder_store.read("core/x") == b"x" * 3_000_000
    assert list(folder_store.list("_staging/")) == []


def test_creating_and_copying_succeed_while_others_empty_the_same_folder(folder_store: LocalStore) -> None:
    """Removing a partition takes its empty folder along; a publish of it may be just about to use that."""
    folder_store.put_new("v/x", b"x")
    done = threading.Event()

    def empty() -> None:
        while not done.is_set():
            folder_store.delete("core/t/town_id=1/gone")

    with ThreadPoolExecutor(2) as pool:
        emptying = [pool.submit(empty) for _ in range(2)]
        try:
            for turn in range(100):
                folder_store.copy_over("v/x", "core/t/town_id=1/t.parquet")
                folder_store.delete("core/t/town_id=1/t.parquet")
                assert folder_store.put_new("core/t/town_id=1/new", bytes([turn % 256]))
                folder_store.delete("core/t/town_id=1/new")
        finally:
            done.set()
        for future in emptying:
            future.result()


def test_listing_succeeds_while_folders_below_come_and_go(folder_store: LocalStore) -> None:
    folder_store.put_new("core/t/town_id=0/x", b"x")
    done = threading.Event()

    def come_and_go() -> None:
        while not done.is_set():
            for town in range(1, 6):
                (folder_store.root / f"core/t/town_id={town}").mkdir(exist_ok=True)
            for town in range(1, 6):
                (folder_store.root / f"core/t/town_id={town}").rmdir()

    with ThreadPoolExecutor(1) as pool:
        busy = pool.submit(come_and_go)
        try:
            for _ in range(1500):
                assert list(folder_store.list("core/t/")) == ["core/t/town_id=0/x"]
        finally:
            done.set()
        busy.result()
