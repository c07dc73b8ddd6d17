"""A refresh may die at any moment: what is published stays whole, and the next run ends as if nothing was.

The processes are killed with SIGKILL, by group, at moments drawn from a fixed seed: some by the clock while
packages are read, some at a certain step of publishing (counted in renames and links of files).
"""

from __future__ import annotations

import io
import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from leadflow_assets.domain.towns import town_by_id
from leadflow_assets.lake import tables
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.publish import current_key, sha256_of
from leadflow_assets.lake.snapshots import PartitionEntry, Snapshot, SnapshotLog
from leadflow_assets.refresh import run
from leadflow_assets.refresh.run import TownReport, refresh_towns
from leadflow_assets.refresh.town import TownBuild, TownTask
from leadflow_assets.settings import Settings
from leadflow_assets_tests.integration.pipeline_helpers import (
    GOSNOLD,
    MONROE,
    REPOSITORY,
    answer_or_die_once,
    build_or_die,
    current_hashes,
    settings_for,
    snapshot_numbers,
    staged_files,
    write_links,
    write_small,
)

TOWNS = [town_by_id(town_id) for town_id in (1, 13, 62, 109, 190, 327)]
SEED = 20261122
CLOCK_KILLS, STEP_KILLS = 1, 2
# Steps of publishing six towns for the first time: their packages, and all up to the last table.
RAW_STEPS, LAST_STEP = 24, 70
NEVER = 1_000_000
FETCHED = "fetched_at"

# Kills its own process group at the n-th link or rename it makes (0: never), at the latest when it is about
# to publish the last table; its workers make theirs undisturbed.
_CHILD = """
import os, signal, sys
from pathlib import Path
from leadflow_assets.domain.towns import town_by_id
from leadflow_assets.lake.publish import Publisher
from leadflow_assets.refresh.run import refresh_towns
from leadflow_assets.settings import load_settings

publish = Publisher.publish

def not_the_last(self, table, uploaded):
    if table == "mart/properties":
        os.killpg(0, signal.SIGKILL)
    return publish(self, table, uploaded)

def counted(call, left=[int(sys.argv[3])]):
    def step(*args, **kwargs):
        left[0] -= 1
        if left[0] == 0:
            os.killpg(0, signal.SIGKILL)
        return call(*args, **kwargs)
    return step

if __name__ == "__main__":
    if int(sys.argv[3]):
        os.link, os.replace, Publisher.publish = counted(os.link), counted(os.replace), not_the_last
    settings = load_settings(
        leadflow_data_dir=Path(sys.argv[1]),
        massgis_links=sys.argv[2],
        massgis_live_fetch_enabled=False,
        leadflow_workers=2,
    )
    for report in refresh_towns(settings, [town_by_id(int(i)) for i in sys.argv[4:]]):
        print(report.town.town_id, report.status, report.error, flush=True)
"""


@pytest.fixture(scope="module")
def links(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six small packages, and the table that names them."""
    folder = tmp_path_factory.mktemp("packages")
    packages = {town.town_id: write_small(folder, town) for town in TOWNS}
    return write_links(folder / "links.csv", packages)


def _environment() -> dict[str, str]:
    """This process's, without any setting of the program."""
    names = {name.upper() for name in Settings.model_fields}
    plain = {name: value for name, value in os.environ.items() if name.upper() not in names}
    return plain | {"PYTHONPATH": str(REPOSITORY)}


def _start(data: Path, links: Path, *, die_at: int = 0) -> subprocess.Popen[str]:
    """A refresh of all towns in a process group of its own."""
    arguments = [str(data), str(links), str(die_at), *(str(town.town_id) for town in TOWNS)]
    return subprocess.Popen(
        [sys.executable, "-c", _CHILD, *arguments],
        cwd=links.parent,
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _finish(data: Path, links: Path) -> dict[int, str]:
    """Run to the end; status by town."""
    with _start(data, links) as process:
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err[-2000:]
    found = {int(line.split()[0]): line.split()[1] for line in out.splitlines()}
    assert set(found) == {town.town_id for town in TOWNS}, out
    return found


def _kill(process: subprocess.Popen[str], seconds: float, *, may_be_done: bool = False) -> None:
    """Wait, kill the whole group, and see that it was alive until then or killed itself.

    ``may_be_done``: by the clock nobody can say how far a run is; on a machine that is busy now and idle then
    it may have ended.
    """
    with process:
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=60)
    ends = {-signal.SIGKILL, *([0] if may_be_done else [])}
    assert process.returncode in ends, "the run ended before it was killed"


def _group_is_gone(process: subprocess.Popen[str]) -> None:
    """Killed workers may take a moment to be reaped; they must not write while a reader looks."""
    for _ in range(500):
        try:
            os.killpg(process.pid, 0)
        except (ProcessLookupError, PermissionError):
            return
        time.sleep(0.01)


def _check_reader(settings: Settings) -> None:
    """Whatever a stranger or our own reader opens now is whole, and is a version that was published."""
    lake, base = Lake(settings), Path(settings.lake_uri)
    snapshots = {table.name: lake.snapshot(table) for table in tables.MASSGIS}
    known: set[str] = set()
    for table in tables.MASSGIS:
        log = SnapshotLog(lake.store, table.name)
        assert log.numbers() == list(range(1, snapshots[table.name].number + 1))
        for number in log.numbers():
            for entry in log.read(number).partitions.values():
                known |= {file.sha256 for file in entry.files.values()}
        for entry in snapshots[table.name].partitions.values():
            for file in entry.files.values():
                assert sha256_of(base / file.path) == file.sha256
    for key, digest in current_hashes(settings).items():
        assert digest in known, f"{key} is no published version"
        _open(base / key)
    # Nothing is seen before what it was made from.
    raw, parcels, mart = (
        set(snapshots[t.name].partitions) for t in (tables.MASSGIS[0], tables.PARCELS, tables.PROPERTIES)
    )
    assert mart <= parcels <= raw


def _open(path: Path) -> None:
    if path.suffix == ".parquet":
        assert pq.ParquetFile(path).read().num_rows > 0 or "misc_features" in path.name
    elif path.suffix == ".zip":
        with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
            assert archive.testzip() is None
    else:
        assert path.name == "receipt.json" and json.loads(path.read_text(encoding="utf-8"))["sha256"]


def _check_current_is_newest(settings: Settings) -> None:
    """Every current file is what the newest snapshot says, and there is no other."""
    lake = Lake(settings)
    wanted = {
        current_key(table.name, partition, role, Path(file.path).suffix): file.sha256
        for table in tables.MASSGIS
        for partition, entry in lake.snapshot(table).partitions.items()
        for role, file in entry.files.items()
    }
    found = current_hashes(settings)
    missing = sorted(set(wanted) - set(found))
    assert not missing, f"published, and not in the current folder: {missing}"
    assert found == wanted


def _mart(settings: Settings) -> dict[str, object]:
    files = Path(settings.lake_uri, "mart").rglob("*.parquet")
    return {file.parent.name: pq.ParquetFile(file).read().drop_columns([FETCHED]) for file in files}


@pytest.mark.slow
def test_a_refresh_killed_again_and_again_ends_as_one_that_never_was(tmp_path: Path, links: Path) -> None:
    undisturbed = settings_for(tmp_path / "undisturbed")
    started = time.monotonic()
    assert set(_finish(tmp_path / "undisturbed", links).values()) == {"refreshed"}
    usual = time.monotonic() - started
    _check_current_is_newest(undisturbed)

    chance = random.Random(SEED)
    # The first while the packages themselves are published: no later run does that again.
    steps = [chance.randint(2, RAW_STEPS), *chance.sample(range(RAW_STEPS, LAST_STEP), STEP_KILLS - 1)]
    moments = [(120.0, step) for step in sorted(steps)]
    moments += [(chance.uniform(0.1, 0.9) * usual, NEVER) for _ in range(CLOCK_KILLS)]
    settings = settings_for(tmp_path / "killed")
    for seconds, step in moments:
        process = _start(tmp_path / "killed", links, die_at=step)
        _kill(process, seconds, may_be_done=step == NEVER)
        _group_is_gone(process)
        _check_reader(settings)

    assert set(_finish(tmp_path / "killed", links).values()) <= {"refreshed", "unchanged"}
    _check_reader(settings)
    assert not list((settings.data_dir / "staging").iterdir())
    without = ("mart/", "raw/massgis_packages/")
    assert current_hashes(settings, without=without) == current_hashes(undisturbed, without=without)
    assert _mart(settings) == _mart(undisturbed)
    assert len(_mart(settings)) == len(TOWNS)
    zips = (
        {k: v for k, v in current_hashes(s).items() if k.endswith(".zip")} for s in (settings, undisturbed)
    )
    assert next(zips) == next(zips)
    _check_current_is_newest(settings)

    before = snapshot_numbers(settings), current_hashes(settings)
    assert set(_finish(tmp_path / "killed", links).values()) == {"unchanged"}
    assert (snapshot_numbers(settings), current_hashes(settings)) == before


class _DiedError(BaseException):
    """Stands for the death of the process: nothing catches it."""


@pytest.mark.parametrize("name", [table.name for table in tables.MASSGIS])
def test_a_death_between_the_log_and_the_current_copy_is_put_right_by_the_next_run(
    name: str, tmp_path: Path, links: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_for(tmp_path, massgis_links=str(links))
    commit = SnapshotLog.commit

    def die_after(
        log: SnapshotLog, changes: dict[str, PartitionEntry | None], *, base: Snapshot
    ) -> Snapshot | None:
        snapshot = commit(log, changes, base=base)
        if log.table == name:
            raise _DiedError
        return snapshot

    monkeypatch.setattr(SnapshotLog, "commit", die_after)
    with pytest.raises(_DiedError):
        list(refresh_towns(settings, [GOSNOLD]))
    monkeypatch.undo()
    _check_reader(settings)
    (report,) = list(refresh_towns(settings, [GOSNOLD]))
    assert report.status in ("refreshed", "unchanged")
    _check_current_is_newest(settings)


# --- One worker dies


def _by_town(reports: list[TownReport]) -> dict[int, TownReport]:
    assert len(reports) == len(TOWNS)
    return {report.town.town_id: report for report in reports}


def _alone(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The towns that are built once more by themselves, as it happens."""
    tried: list[int] = []
    build_alone = run._build_alone

    def remembered(task: TownTask) -> TownBuild:
        tried.append(task.town_id)
        return build_alone(task)

    monkeypatch.setattr(run, "_build_alone", remembered)
    return tried


@pytest.mark.slow
def test_a_worker_killed_in_mid_run_costs_no_town(
    tmp_path: Path, links: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_for(tmp_path, massgis_links=str(links), leadflow_workers=2)
    tried = _alone(monkeypatch)
    killed: list[int] = []

    def kill_one() -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not killed:
            workers = multiprocessing.active_children()
            if workers and any((settings.data_dir / "staging").glob("*/town_*")):
                os.kill(int(workers[0].pid or 0), signal.SIGKILL)
                killed.append(int(workers[0].pid or 0))
            time.sleep(0.005)

    watcher = threading.Thread(target=kill_one)
    watcher.start()
    try:
        reports = _by_town(list(refresh_towns(settings, TOWNS)))
    finally:
        watcher.join()
    assert killed
    assert {report.status for report in reports.values()} == {"refreshed"}
    # Only what was under way is tried again, each by itself.
    assert 1 <= len(tried) <= 4 and len(set(tried)) == len(tried)
    _check_reader(settings)
    _check_current_is_newest(settings)
    assert not staged_files(settings)


@pytest.mark.slow
def test_a_town_that_kills_its_worker_every_time_fails_alone(
    tmp_path: Path, links: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_for(tmp_path, massgis_links=str(links), leadflow_workers=2)
    tried = _alone(monkeypatch)
    monkeypatch.setattr(run, "build_town", build_or_die)
    reports = _by_town(list(refresh_towns(settings, TOWNS)))
    failed = reports.pop(MONROE.town_id)
    assert {report.status for report in reports.values()} == {"refreshed"}
    assert failed.status == "failed" and failed.error is not None
    assert "Monroe" in failed.error.message and "worker process died" in failed.error.message
    assert failed.error.hint
    assert MONROE.town_id in tried
    _check_reader(settings)


@pytest.mark.slow
def test_a_worker_that_dies_while_the_reader_is_busy_costs_no_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_for(tmp_path)
    tasks = [
        TownTask(town.town_id, settings, tmp_path, None, None, {}, force=index == 0)
        for index, town in enumerate(TOWNS)
    ]
    monkeypatch.setattr(run, "build_town", answer_or_die_once)
    builds: Iterator[TownBuild] = run._built(tasks, 2)
    first = next(builds)
    # Publishing takes a while; meanwhile the worker of the first town dies, and the pool with it.
    (tmp_path / "die").touch()
    deadline = time.monotonic() + 60
    while multiprocessing.active_children() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.2)
    found = {first.town_id, *(build.town_id for build in builds)}
    assert found == {town.town_id for town in TOWNS}
