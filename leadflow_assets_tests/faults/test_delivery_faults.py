"""Deliveries and the batch service under kill -9 and a full disk: nothing lost, half there or doubled."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from leadflow_assets.enrich.batches import inbox
from leadflow_assets.enrich.batches.batch_endpoint import EndpointTransport
from leadflow_assets.enrich.batches.delivered import FilesTransport
from leadflow_assets.enrich.batches.service import Batches
from leadflow_assets.enrich.vendor import open_ledger
from leadflow_assets.errors import LeadflowError, StoreError
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.store import LocalStore
from leadflow_assets.lake.tables import ATTOM_PROPERTIES, ATTOM_RESULTS
from leadflow_assets.settings import Settings, load_settings
from leadflow_assets.sources.attom import bulk
from leadflow_assets.state.charges import ChargeUnknownError
from leadflow_assets_tests.conftest import process_context
from leadflow_assets_tests.vendors.attom_batch import KEY, BatchFault, BatchServer, found, table

HEADER = "[ATTOM ID]\tPropertyAddressFull\tTaxAssessedValueTotal\n"
# Where it dies, in objects written: the first of two files, their receipt, the note of the first one's bytes,
# and then, with all of that there already, the mark of the first.
PUTS = (1, 3, 4, 2)


def deliver(folder: Path, rows: int = 50) -> None:
    """Two files of one delivery, complete since long ago."""
    folder.mkdir(exist_ok=True)
    for part in range(2):
        path = folder / f"TAXASSESSOR_000{part + 1}.txt"
        lines = (f"{n}\t{n} SAMPLE ST\t{n}\n" for n in range(part * rows + 1, (part + 1) * rows + 1))
        path.write_text(HEADER + "".join(lines))
        os.utime(path, (1_700_000_000, 1_700_000_000))


@pytest.fixture
def delivered(clean_environment: None, tmp_path: Path) -> Settings:
    """Settings with an inbox in which a delivery lies."""
    deliver(tmp_path / "arriving")
    return load_settings(
        leadflow_data_dir=tmp_path / "data", leadflow_attom_deliveries=str(tmp_path / "arriving")
    )


def run_and_die(work: Callable[..., None], *arguments: object) -> int:
    """Do it in a process of its own; how that ended."""
    process = process_context().Process(target=work, args=arguments)
    process.start()
    process.join(120)
    assert process.exitcode is not None, "it hangs"
    return process.exitcode


def _take_and_die(settings: Settings, puts: int) -> None:
    """Take what is there; killed as the n-th object of the lake has been written."""
    real, left = LocalStore.put_new, [puts]

    def counted(store: LocalStore, key: str, source: Any) -> bool:
        made = real(store, key, source)
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return made

    LocalStore.put_new = counted  # type: ignore[assignment, method-assign]
    batches = Batches(settings)
    for delivery in inbox.scan(settings):
        inbox.take(settings, batches, delivery)


@pytest.mark.slow
def test_killed_anywhere_while_it_takes_a_delivery_is_taken_once(delivered: Settings, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in (tmp_path / "arriving").iterdir()}
    for puts in PUTS:
        assert run_and_die(_take_and_die, delivered, puts) == -signal.SIGKILL
        assert {path.name: path.read_bytes() for path in (tmp_path / "arriving").iterdir()} == before
    batches = Batches(delivered)
    for delivery in inbox.scan(delivered):
        inbox.take(delivered, batches, delivery)
    assert inbox.scan(delivered) == []
    (job,) = batches.jobs()
    landed = FilesTransport(delivered, Lake(delivered)).land(job, tmp_path / "landed")
    assert (landed.rows, landed.outcomes.returned) == (100, 100)
    archives = {key.split("/")[2] for key in Lake(delivered).store.list("_batches/results/")}
    assert archives == {job.job_id, "_inbox"}
    assert list(Lake(delivered).staging.iterdir()) == [], "what the dead left was swept"


def _land_and_die(settings: Settings, job_id: str, writes: int) -> None:
    """Land and process; killed in the middle of the n-th file that is written."""
    real, left = bulk._Job._write, [writes]

    def counted(job: Any, query: str, path: Path, options: str = "") -> int:
        left[0] -= 1
        if left[0] == 0:
            threading.Thread(target=_kill_when_there, args=(path,), daemon=True).start()
        return real(job, query, path, options)

    bulk._Job._write = counted  # type: ignore[assignment, method-assign]
    Batches(settings).advance(job_id)


def _kill_when_there(path: Path) -> None:
    while not path.exists():
        time.sleep(0.001)
    os.kill(os.getpid(), signal.SIGKILL)


def test_killed_while_it_lands_nothing_is_published_and_the_next_time_all_is(
    delivered: Settings, tmp_path: Path
) -> None:
    deliver(tmp_path / "arriving", rows=8_000)
    batches = Batches(delivered)
    (delivery,) = inbox.scan(delivered)
    job = inbox.take(delivered, batches, delivery)
    for writes in (1, 3):
        assert run_and_die(_land_and_die, delivered, job.job_id, writes) == -signal.SIGKILL
        assert batches.job(job.job_id).status == "ready"
        assert Lake(delivered).snapshot(ATTOM_RESULTS).number == 0
    done = batches.advance(job.job_id)
    assert (done.status, done.processed_records) == ("processed", 16_000)
    for table_, rows in ((ATTOM_RESULTS, 16_000), (ATTOM_PROPERTIES, 16_000)):
        (entry,) = Lake(delivered).snapshot(table_).partitions.values()
        assert entry.data.rows == rows
        assert pq.ParquetFile(Lake(delivered).store.location(entry.data.path)).metadata.num_rows == rows
    assert list(Lake(delivered).staging.iterdir()) == []


# A full disk.


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a file system is not permitted here")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk_is_named_when_a_delivery_is_taken_and_it_is_taken_later(
    delivered: Settings, small_disk: Path
) -> None:
    settings = delivered.model_copy(update={"leadflow_lake": str(small_disk / "lake")})
    batches = Batches(settings)
    (delivery,) = inbox.scan(settings)
    with (small_disk / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(b"x" * 4096)
    with pytest.raises(StoreError, match=f"No space left to write in {small_disk}"):
        inbox.take(settings, batches, delivery)
    assert batches.jobs() == [] and inbox.scan(settings) == [delivery]
    (small_disk / "filler").unlink()
    assert inbox.take(settings, batches, delivery).status == "ready"


def _land_with_a_small_file_limit(settings: Settings, job_id: str, folder: Path, answer: Connection) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    batches = Batches(settings)
    job = batches.job(job_id)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, 65_536))
    try:
        FilesTransport(settings, Lake(settings)).land(job, folder)
        answer.send("no error")
    except LeadflowError as error:
        answer.send(f"{type(error).__name__}: {error}")


def test_no_room_while_landing_is_named_and_publishes_nothing(delivered: Settings, tmp_path: Path) -> None:
    deliver(tmp_path / "arriving", rows=8_000)
    batches = Batches(delivered)
    (delivery,) = inbox.scan(delivered)
    job = inbox.take(delivered, batches, delivery)
    ours, theirs = process_context().Pipe()
    run_and_die(_land_with_a_small_file_limit, delivered, job.job_id, tmp_path / "landed", theirs)
    told = ours.recv() if ours.poll(1) else "silence"
    assert told.startswith(f"StoreError: No space left to write in {tmp_path / 'landed'}")
    assert Lake(delivered).snapshot(ATTOM_RESULTS).number == 0
    assert batches.advance(job.job_id).processed_records == 16_000


# The batch service.


@pytest.fixture
def service() -> Iterator[BatchServer]:
    with BatchServer(lambda rows: [found(row, 5001 + n) for n, row in enumerate(rows)]) as running:
        yield running


def _work(settings: Settings, job_id: str) -> None:
    Batches(settings).advance(job_id)


def batch_of(settings: Settings, service: BatchServer, folder: Path) -> tuple[Settings, Batches, str]:
    key = type(settings).model_validate({"attom_api_key": KEY}).attom_api_key
    on = settings.model_copy(update={"leadflow_attom_batch_url": service.url, "attom_api_key": key})
    path = folder / "addresses.csv"
    path.write_text(
        "Address,City,State,Zip\n1 SAMPLE ST,Sampleton,MA,01999\n2 SAMPLE ST,Sampleton,MA,01999\n"
    )
    batches = Batches(on)
    return on, batches, batches.create(path, name="killed", transport="endpoint").job_id


def kill_when_stalled(service: BatchServer, work: Callable[..., None], *arguments: object) -> None:
    """Work in a process of its own, killed when the service has gone silent in the middle of an answer."""
    process = process_context().Process(target=work, args=arguments)
    process.start()
    assert service.stalled.wait(60)
    time.sleep(0.1)
    process.kill()
    process.join()


def test_killed_between_upload_and_answer_it_is_never_uploaded_again(
    settings: Settings, service: BatchServer, tmp_path: Path
) -> None:
    on, batches, job_id = batch_of(settings, service, tmp_path)
    service.fault("submit", BatchFault(hang_before=True))
    kill_when_stalled(service, _work, on, job_id)
    for _ in range(2):
        with pytest.raises(ChargeUnknownError, match="its charge is unknown"):
            batches.advance(job_id)
    assert len(service.jobs) == 1 and batches.job(job_id).status == "created"
    (charge,) = open_ledger(on).unknown()
    assert charge.units == 2


def test_killed_in_mid_download_nothing_half_is_there_and_it_is_fetched_again(
    settings: Settings, service: BatchServer, tmp_path: Path
) -> None:
    on, batches, job_id = batch_of(settings, service, tmp_path)
    service.fault("result", BatchFault(hang_after=50))
    kill_when_stalled(service, _work, on, job_id)
    assert not Lake(on).store.exists(f"_batches/results/{job_id}/result.csv")
    done = batches.advance(job_id)
    assert (done.status, done.processed_records, len(service.jobs)) == ("processed", 2, 1)
    assert Lake(on).store.read(f"_batches/results/{job_id}/result.csv") == table(
        [found(row, 5001 + n) for n, row in enumerate(service.jobs[0].rows)]
    )
    assert open_ledger(on).open_charges() == [] and open_ledger(on).budget().counted_cents == 20.0


def _settle_and_die(settings: Settings, job_id: str) -> None:
    """Killed when the result is archived and nothing is settled."""
    EndpointTransport._note = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[method-assign]
    Batches(settings).advance(job_id)


@pytest.mark.slow
def test_killed_between_archive_and_settlement_it_is_settled_from_the_archive(
    settings: Settings, service: BatchServer, tmp_path: Path
) -> None:
    on, batches, job_id = batch_of(settings, service, tmp_path)
    assert run_and_die(_settle_and_die, on, job_id) == -signal.SIGKILL
    fetched = service.asked("GET", "/result/")
    assert batches.advance(job_id).status == "processed"
    assert service.asked("GET", "/result/") == fetched == 1
    assert open_ledger(on).open_charges() == [] and open_ledger(on).budget().counted_cents == 20.0
