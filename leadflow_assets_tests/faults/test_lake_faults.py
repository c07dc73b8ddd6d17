"""What happens to a lake when the store refuses, the disk is full, or the publisher is killed."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import multiprocessing
import os
import random
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from botocore.retries.standard import ExponentialBackoff

from leadflow_assets.errors import StoreError
from leadflow_assets.lake.catalog import open_catalog
from leadflow_assets.lake.geoparquet import write_parquet
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.publish import Publisher, StagedPartition, current_key, repair, upload
from leadflow_assets.lake.snapshots import SnapshotLog
from leadflow_assets.lake.staging import staging_folder, sweep
from leadflow_assets.lake.tables import PARCELS
from leadflow_assets.settings import Settings, load_settings
from leadflow_assets_tests.conftest import (
    admin_client,
    lake_overrides,
    parcel_rows,
    process_context,
    publish_parcels,
    stage_parcels,
)

TABLE = PARCELS.name
TOWNS = (1, 2, 3)
ROWS = 40
KILLS = 20


# --- S3 ---------------------------------------------------------------------------------------------------


@dataclass
class Fault:
    """What the proxy does to requests that match: answer ``status`` and ``code``, or cut the connection.

    ``times`` None: always. ``forward``: the server gets the request all the same, only its answer is lost.
    """

    method: str = ""
    path: str = ""
    status: int = 0
    code: str = ""
    times: int | None = None
    forward: bool = False
    met: int = 0

    def takes(self, method: str, path: str) -> bool:
        if self.method not in ("", method) or self.path not in path:
            return False
        if self.times is not None and self.met >= self.times:
            return False
        self.met += 1
        return True


@dataclass
class Proxy:
    """A loopback HTTP proxy before the S3 server that makes trouble on demand."""

    upstream: str
    faults: list[Fault] = field(default_factory=list)

    def __post_init__(self) -> None:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args: object) -> None:
                pass

            def handle_any(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                fault = next((f for f in proxy.faults if f.takes(self.command, self.path)), None)
                if fault is not None and not fault.status and not fault.forward:
                    self.rfile.read(length // 2)
                    self.close_connection = True
                    return
                body = self.rfile.read(length)
                if fault is None or fault.forward:
                    status, headers, content = proxy.ask(self.command, self.path, dict(self.headers), body)
                    if fault is None:
                        self.answer(status, headers, content)
                        return
                if fault.status:
                    xml = (
                        f"<?xml version='1.0'?><Error><Code>{fault.code}</Code><Message>no</Message></Error>"
                    )
                    self.answer(fault.status, {"Content-Type": "application/xml"}, xml.encode())
                self.close_connection = True

            def answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
                self.send_response_only(status)
                for name, value in headers.items():
                    if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                        self.send_header(name, value)
                length = headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(content))
                self.send_header("Content-Length", length)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = handle_any

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def ask(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self.upstream.removeprefix("http://"), timeout=30)
        kept = {k: v for k, v in headers.items() if k.lower() not in ("expect", "connection")}
        connection.request(method, path, body or None, {**kept, "Content-Length": str(len(body))})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, dict(answer.getheaders()), content

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def proxy(s3_server: str) -> Iterator[Proxy]:
    running = Proxy(s3_server)
    yield running
    running.close()


@pytest.fixture
def s3_lake(
    proxy: Proxy, s3_server: str, clean_environment: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Lake:
    """A lake behind the proxy, with one partition published. Retries are as many as ever, but not as slow."""
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda *_: 0.01)
    overrides = {**lake_overrides("s3", s3_server), "aws_endpoint_url": proxy.url}
    lake = Lake(load_settings(leadflow_data_dir=tmp_path / "data", **overrides))
    publish_parcels(lake, tmp_path / "first", {1: "one"})
    return lake


def bucket_of(lake: Lake) -> str:
    return lake.store.uri.removeprefix("s3://").partition("/")[0]


def objects(lake: Lake, endpoint: str) -> dict[str, str]:
    """Every object below the log and the current folder, by the server itself."""
    answer = admin_client(endpoint).list_objects_v2(Bucket=bucket_of(lake))
    return {o["Key"]: o["ETag"] for o in answer.get("Contents", []) if "/_versions/" not in o["Key"]}


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (Fault(status=403, code="InvalidAccessKeyId"), "AWS_ACCESS_KEY_ID"),
        (Fault(status=403, code="SignatureDoesNotMatch"), "AWS_SECRET_ACCESS_KEY"),
        (Fault(status=400, code="ExpiredToken"), "AWS_"),
        (Fault(method="PUT", status=403, code="AccessDenied"), "s3:PutObject"),
        (Fault(method="PUT", path="/_log/", status=403, code="AccessDenied"), "s3:PutObject"),
        (Fault(status=503, code="SlowDown"), ""),
        (Fault(method="PUT", status=500, code="InternalError"), ""),
        (Fault(method="PUT"), ""),
        (Fault(), ""),
    ],
    ids=[
        "wrong-key",
        "wrong-secret",
        "expired",
        "no-right-to-write",
        "no-right-to-commit",
        "slow-down-for-long",
        "server-error",
        "cut-in-mid-upload",
        "no-answer",
    ],
)
def test_when_s3_refuses_the_error_names_the_bucket_the_table_stays_and_a_retry_succeeds(
    s3_lake: Lake, proxy: Proxy, s3_server: str, tmp_path: Path, fault: Fault, says: str
) -> None:
    before = objects(s3_lake, s3_server)
    proxy.faults.append(fault)
    with pytest.raises(StoreError) as caught:
        publish_parcels(s3_lake, tmp_path, {1: "two", 2: "two"})
    assert fault.met
    assert "testing" not in str(caught.value).replace(str(tmp_path), "")
    assert bucket_of(s3_lake) in str(caught.value)
    assert caught.value.hint
    assert says in caught.value.hint
    assert objects(s3_lake, s3_server) == before
    proxy.faults.clear()
    publish_parcels(s3_lake, tmp_path, {1: "two", 2: "two"})
    assert s3_lake.snapshot(PARCELS).number == 2
    assert repair(s3_lake.store, TABLE) == 0


def test_a_missing_bucket_is_named_whatever_is_asked_of_it(
    clean_environment: None, s3_server: str, tmp_path: Path
) -> None:
    overrides = {**lake_overrides("s3", s3_server), "leadflow_lake": "s3://no-such-bucket/lake"}
    lake = Lake(load_settings(leadflow_data_dir=tmp_path / "data", **overrides))
    staged = stage_parcels(tmp_path, 1, "one")
    attempts: list[Callable[[], object]] = [
        lambda: lake.snapshot(PARCELS),
        lambda: open_catalog(lake),
        lambda: upload(lake.store, staged),
        lambda: publish_parcels(lake, tmp_path, {1: "one"}),
        lambda: lake.store.read("core/x"),
        lambda: lake.store.copy_over("core/x", "core/y"),
    ]
    for attempt in attempts:
        with pytest.raises(StoreError, match=r"The bucket no-such-bucket does not exist\.") as caught:
            attempt()
        assert "LEADFLOW_LAKE" in caught.value.hint
    admin_client(s3_server).create_bucket(Bucket="no-such-bucket")
    try:
        assert publish_parcels(lake, tmp_path, {1: "one"}).number == 1
    finally:
        for key in list(lake.store.list("")):
            lake.store.delete(key)
        admin_client(s3_server).delete_bucket(Bucket="no-such-bucket")


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=503, code="SlowDown", times=1),
        Fault(method="PUT", times=1),
        Fault(method="PUT", path="/_log/", times=1),
        Fault(method="PUT", path="/_versions/", forward=True, times=1),
        Fault(method="PUT", path="/_log/", forward=True, times=1),
        Fault(method="PUT", path="/_log/", status=500, code="InternalError", forward=True, times=1),
        Fault(method="PUT", path="/_versions/", status=409, code="ConditionalRequestConflict", times=1),
        Fault(method="PUT", path="/_log/", status=409, code="ConditionalRequestConflict", times=1),
        Fault(method="PUT", path="/parcels.parquet", forward=True, times=1),
    ],
    ids=[
        "slow-down-once",
        "upload-cut-once",
        "commit-cut-once",
        "upload-done-but-answer-lost",
        "commit-done-but-answer-lost",
        "commit-done-but-500-answered",
        "upload-conflict-once",
        "commit-conflict-once",
        "copy-done-but-answer-lost",
    ],
)
def test_a_passing_fault_of_s3_is_overcome_and_what_the_log_names_is_there(
    s3_lake: Lake, proxy: Proxy, tmp_path: Path, fault: Fault
) -> None:
    proxy.faults.append(fault)
    publish_parcels(s3_lake, tmp_path, {2: "two", 3: "two"})
    assert fault.met == 1
    log = SnapshotLog(s3_lake.store, TABLE)
    latest = log.latest()
    assert log.numbers() == list(range(1, latest.number + 1))
    assert {name: entry.fingerprint for name, entry in latest.partitions.items()} == {
        "town_id=1": "one",
        "town_id=2": "two",
        "town_id=3": "two",
    }
    require_snapshot_is_whole(s3_lake)
    assert repair(s3_lake.store, TABLE) == 0


def test_a_download_that_breaks_off_is_a_store_error(s3_lake: Lake, proxy: Proxy) -> None:
    (entry,) = s3_lake.snapshot(PARCELS).partitions.values()
    proxy.faults.append(Fault(method="GET", path="/_versions/"))
    with pytest.raises(StoreError, match=bucket_of(s3_lake)):
        s3_lake.store.read(entry.data.path)


# --- local disk -------------------------------------------------------------------------------------------


def test_a_lake_below_a_regular_file_is_refused_by_name(clean_environment: None, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for folder in (tmp_path / "file", tmp_path / "file" / "lake"):
        lake = Lake(load_settings(leadflow_data_dir=tmp_path / "data", leadflow_lake=str(folder)))
        with pytest.raises(StoreError) as caught:
            publish_parcels(lake, tmp_path / "staged", {1: "one"})
        assert str(folder) in caught.value.message
        assert caught.value.hint
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_staging_folder_below_a_regular_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="file"), staging_folder(tmp_path / "file" / "staging", "run"):
        pass


def test_a_folder_that_may_not_be_written_is_refused_by_name(settings: Settings, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere; the read-only file system is tested instead")
    lake = Lake(settings)
    publish_parcels(lake, tmp_path, {1: "one"})
    folders = [folder for folder in Path(lake.store.uri).rglob("*") if folder.is_dir()]
    for folder in folders:
        folder.chmod(0o500)
    try:
        require_refused_unchanged(lake, tmp_path, "Not allowed to write")
    finally:
        for folder in folders:
            folder.chmod(0o700)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a file system is not permitted here")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def require_refused_unchanged(lake: Lake, folder: Path, says: str) -> None:
    """Publishing fails in plain words, and the table is what it was."""
    before = {key: lake.store.read(key) for key in lake.store.list("") if not key.startswith("_versions/")}
    with pytest.raises(StoreError, match=says) as caught:
        publish_parcels(lake, folder / "staged", {1: "two", 2: "two"}, rows=3000)
    assert lake.store.uri in caught.value.message
    assert caught.value.hint
    after = {key: lake.store.read(key) for key in lake.store.list("") if not key.startswith("_versions/")}
    assert after == before
    require_snapshot_is_whole(lake)
    assert repair(lake.store, TABLE) == 0


def test_a_full_disk_is_named_leaves_the_table_and_works_again_with_space(
    clean_environment: None, small_disk: Path, tmp_path: Path
) -> None:
    folder = small_disk / "lake"
    lake = Lake(load_settings(leadflow_data_dir=tmp_path / "data", leadflow_lake=str(folder)))
    publish_parcels(lake, tmp_path, {1: "one"})
    with (small_disk / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(b"x" * 4096)
    require_refused_unchanged(lake, tmp_path, "No space left to write in")
    with pytest.raises(StoreError, match=f"No space left to write in {small_disk}"):
        write_parquet(small_disk / "x.parquet", parcel_rows(1, 3000), PARCELS, provenance={})
    with pytest.raises(StoreError, match="No space left"):
        lake.store.put_new("core/bytes", b"x" * 100_000)
    (small_disk / "filler").unlink()
    assert publish_parcels(lake, tmp_path, {1: "two"}).number == 2
    require_snapshot_is_whole(lake)
    assert repair(lake.store, TABLE) == 0


def test_a_read_only_file_system_is_named_and_stays_readable(
    clean_environment: None, small_disk: Path, tmp_path: Path
) -> None:
    folder = small_disk / "lake"
    lake = Lake(load_settings(leadflow_data_dir=tmp_path / "data", leadflow_lake=str(folder)))
    publish_parcels(lake, tmp_path, {1: "one"})
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    require_refused_unchanged(lake, tmp_path, "Not allowed to write in")
    catalog = open_catalog(lake)
    assert catalog.query("SELECT DISTINCT map_par_id FROM core.parcels").fetchall() == [("one",)]
    catalog.close()
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    assert publish_parcels(lake, tmp_path, {1: "two"}).number == 2


def _publish_with_a_small_file_limit(settings: Settings, folder: Path, answer: Connection) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    staged = stage_parcels(folder, 1, "big", rows=3000)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
    lake = Lake(settings)
    for attempt in (
        lambda: lake.store.put_new("core/x", staged.files["data"].path.read_bytes()),
        lambda: write_parquet(folder / "more.parquet", parcel_rows(1, 3000), PARCELS, provenance={}),
    ):
        try:
            attempt()
            answer.send("no error")
        except Exception as error:  # noqa: BLE001
            answer.send(f"{type(error).__name__}: {error}")


def test_a_write_beyond_the_largest_file_allowed_is_told_as_lack_of_space(
    settings: Settings, tmp_path: Path
) -> None:
    context = process_context()
    ours, theirs = context.Pipe()
    process = context.Process(
        target=_publish_with_a_small_file_limit, args=(settings, tmp_path / "staged", theirs)
    )
    process.start()
    answers = [ours.recv() if ours.poll(60) else "silence" for _ in range(2)]
    process.join()
    lake = Lake(settings)
    assert answers[0].startswith(f"StoreError: No space left to write in {lake.store.uri}.")
    assert answers[1].startswith(f"StoreError: No space left to write in {tmp_path / 'staged'}.")
    assert list(lake.store.list("")) == []


# --- kill -9 ----------------------------------------------------------------------------------------------


def _publish_until_killed(settings: Settings, staged: list[list[StagedPartition]], seed: int) -> None:
    """Publish the same towns over and over, all towns at once, all rows with one mark."""
    lake, chance = Lake(settings), random.Random(seed)
    publisher = Publisher(lake.store, f"killed-{seed}")
    while True:
        version = chance.choice(staged)
        publisher.publish(TABLE, {one.partition: upload(lake.store, one) for one in version})


def _read_until_told(settings: Settings, told: Connection) -> None:
    """Look at the table through both faces; send the first thing that is wrong, or how often it looked."""
    lake, looks = Lake(settings), 0
    sql = "SELECT count(*), count(DISTINCT map_par_id), count(DISTINCT town_id) FROM core.parcels"
    try:
        while not told.poll():
            catalog = open_catalog(lake)
            seen = catalog.query(sql).fetchone()
            catalog.close()
            if seen != (ROWS * len(TOWNS), 1, len(TOWNS)):
                raise AssertionError(f"the views showed {seen}")
            for _ in range(20):
                files = sorted(Path(lake.store.uri, TABLE).glob("**/*.parquet"))
                if len(files) != len(TOWNS):
                    raise AssertionError(f"{len(files)} current files")
                for file in files:
                    marks = pq.read_table(file, columns=["map_par_id"], partitioning=None)["map_par_id"]
                    if len(marks) != ROWS or len(marks.unique()) != 1:
                        raise AssertionError(f"{file.name} holds {len(marks)} rows of {marks.unique()}")
            looks += 1
        told.send(looks)
    except BaseException as error:  # noqa: BLE001
        told.send(f"{type(error).__name__}: {error}")


def require_snapshot_is_whole(lake: Lake) -> None:
    """Every file that the newest snapshot names is there, with the bytes it says."""
    log = SnapshotLog(lake.store, TABLE)
    numbers = log.numbers()
    assert numbers == list(range(1, len(numbers) + 1))
    for entry in log.latest().partitions.values():
        for file in entry.files.values():
            content = lake.store.read(file.path)
            assert (len(content), hashlib.sha256(content).hexdigest()) == (file.bytes, file.sha256)


def require_current_is_the_snapshot(lake: Lake) -> None:
    snapshot = lake.snapshot(PARCELS)
    wanted = {
        current_key(TABLE, n, "data", ".parquet"): e.data.sha256 for n, e in snapshot.partitions.items()
    }
    found = {key: hashlib.sha256(lake.store.read(key)).hexdigest() for key in lake.store.list(f"{TABLE}/")}
    assert found == wanted


@pytest.mark.slow
def test_kill_9_at_any_moment_leaves_a_whole_table_and_no_reader_notices(
    settings: Settings, tmp_path: Path
) -> None:
    lake, chance = Lake(settings), random.Random(2026)
    staged = [[stage_parcels(tmp_path / "staged", town, mark, ROWS) for town in TOWNS] for mark in "abcdef"]
    publish_parcels(lake, tmp_path / "staged", dict.fromkeys(TOWNS, "a"), ROWS)
    context = process_context()
    ours, theirs = context.Pipe()
    reader = context.Process(target=_read_until_told, args=(settings, theirs))
    reader.start()
    try:
        for kill in range(KILLS):
            before = lake.snapshot(PARCELS).number
            publisher = context.Process(target=_publish_until_killed, args=(settings, staged, kill))
            publisher.start()
            deadline = time.monotonic() + 60
            while lake.snapshot(PARCELS).number < before + 2 and time.monotonic() < deadline:
                time.sleep(0.002)
            time.sleep(chance.uniform(0, 0.06))
            publisher.kill()
            publisher.join()
            assert publisher.exitcode == -signal.SIGKILL
            require_snapshot_is_whole(lake)
            if kill % 2:
                repair(lake.store, TABLE)
            else:
                publish_parcels(
                    lake, tmp_path / "staged", dict.fromkeys(TOWNS, chance.choice("abcdef")), ROWS
                )
            require_current_is_the_snapshot(lake)
            assert repair(lake.store, TABLE) == 0
    finally:
        ours.send("enough")
        answer = ours.recv() if ours.poll(60) else "the reader is silent"
        reader.join(10)
        reader.kill()
    assert isinstance(answer, int), answer
    assert answer > 0


# --- staging ----------------------------------------------------------------------------------------------


def _hold_staging(base: Path, run_id: str, ready: Connection) -> None:
    with staging_folder(base, run_id) as folder:
        (folder / "half.parquet").write_bytes(b"PAR1")
        ready.send(str(folder))
        ready.recv()


def _staging_holder(base: Path, run_id: str) -> tuple[multiprocessing.process.BaseProcess, Connection, Path]:
    context = process_context()
    ours, theirs = context.Pipe()
    process = context.Process(target=_hold_staging, args=(base, run_id, theirs))
    process.start()
    assert ours.poll(60)
    return process, ours, Path(ours.recv())


def test_a_sweep_removes_folders_of_the_dead_and_keeps_those_of_the_living(tmp_path: Path) -> None:
    base = tmp_path / "staging"
    dead, _, dead_folder = _staging_holder(base, "dead")
    living, told, living_folder = _staging_holder(base, "living")
    dead.kill()
    dead.join()
    assert (dead_folder / "half.parquet").exists()
    assert sweep(base) == [dead_folder]
    assert not dead_folder.exists()
    assert (living_folder / "half.parquet").exists()
    told.send("enough")
    living.join()
    assert not living_folder.exists()
    assert sweep(base) == []


def test_a_new_run_sweeps_what_a_dead_one_left(tmp_path: Path) -> None:
    base = tmp_path / "staging"
    dead, _, dead_folder = _staging_holder(base, "dead")
    dead.kill()
    dead.join()
    with staging_folder(base, "next") as folder:
        assert folder.is_dir()
        assert not dead_folder.exists()
    assert list(base.iterdir()) == []


def _come_and_go(base: Path, number: int, answer: Connection) -> None:
    try:
        for turn in range(150):
            with staging_folder(base, f"run-{number}-{turn}") as folder:
                (folder / "x").write_bytes(b"x")
                if not (folder / ".lock").exists():
                    raise AssertionError("a living run's folder was swept")
        answer.send("")
    except BaseException as error:  # noqa: BLE001
        answer.send(f"{type(error).__name__}: {error}")


def test_runs_that_start_and_end_together_do_not_sweep_each_other(tmp_path: Path) -> None:
    context = process_context()
    pipes = [context.Pipe() for _ in range(6)]
    processes = [
        context.Process(target=_come_and_go, args=(tmp_path / "staging", number, theirs))
        for number, (_, theirs) in enumerate(pipes)
    ]
    for process in processes:
        process.start()
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda pipe: pipe[0].recv() if pipe[0].poll(60) else "silence", pipes))
    for process in processes:
        process.join()
    assert answers == [""] * 6
