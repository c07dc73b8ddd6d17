"""A batch may be killed anywhere: nothing is lost, nothing is paid twice, and the next run ends it.

The children are real processes that kill themselves with SIGKILL at a certain call of a certain step.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from leadflow_assets.enrich.attom_cache import AttomCache
from leadflow_assets.enrich.batches import publishing, records
from leadflow_assets.enrich.batches.job import BatchBusyError, BatchJob
from leadflow_assets.enrich.batches.service import Batches
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.publish import Publisher
from leadflow_assets.lake.tables import ATTOM_PROPERTIES, ATTOM_RESULTS
from leadflow_assets.settings import Settings
from leadflow_assets.sources.attom.client import AttomClient
from leadflow_assets.state import batch_requests
from leadflow_assets.state.ledger import Ledger
from leadflow_assets_tests.conftest import process_context
from leadflow_assets_tests.faults.kills import dying, killed
from leadflow_assets_tests.integration.batches_helpers import (
    assert_accounted,
    batch_settings,
    cents_by_state,
    rows_of,
    sample_street,
    street_list,
)
from leadflow_assets_tests.vendors.attom import AttomServer

HOUSES = 16


def die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def core_is_published(publish: Callable[..., Any]) -> Callable[..., Any]:
    """``publish``, but death comes before core/attom_properties: between raw and core."""

    def wrapped(self: Publisher, table: str, uploaded: Any) -> Any:
        if table == ATTOM_PROPERTIES.name:
            die()
        return publish(self, table, uploaded)

    return wrapped


# Where a child dies: the owner of a function, its name, and what stands in its place.
MOMENTS: dict[str, tuple[Any, str, Callable[[Any], Any]]] = {
    "between reserve and send": (Ledger, "mark_sent", lambda f: dying(f, 4)),
    "between send and answer": (AttomClient, "_exchange", lambda f: dying(f, 4, after=True)),
    "between archive and settle": (AttomCache, "keep", lambda f: dying(f, 4)),
    "between settle and save": (records, "save", lambda f: dying(f, 1)),
    "after a save": (records, "save", lambda f: dying(f, 2, after=True)),
    "in mid-download": (publishing, "upload", lambda f: dying(f, 2)),
    "between raw and core": (Publisher, "publish", core_is_published),
    "in mid-creation": (batch_requests, "insert_requests", lambda f: dying(f, 1, after=True)),
}


def advance_until(settings: Settings, job_id: str, moment: str) -> None:
    owner, name, made = MOMENTS[moment]
    setattr(owner, name, made(getattr(owner, name)))
    Batches(settings).advance(job_id)


def create_until(settings: Settings, file: Path, moment: str) -> None:
    owner, name, made = MOMENTS[moment]
    setattr(owner, name, made(getattr(owner, name)))
    Batches(settings).create(file, name="Killed")


@pytest.fixture
def server() -> Iterator[AttomServer]:
    with AttomServer(sample_street(HOUSES)) as running:
        yield running


@pytest.fixture
def settings(clean_environment: None, tmp_path: Path, server: AttomServer) -> Settings:
    return batch_settings(tmp_path, server)


def submitted(settings: Settings, tmp_path: Path, name: str = "Killed") -> BatchJob:
    batches = Batches(settings)
    return batches.submit(batches.create(street_list(tmp_path / "l.csv", HOUSES), name=name).job_id)


@pytest.mark.slow
def test_a_batch_that_is_killed_again_and_again_comes_to_its_end(
    settings: Settings, server: AttomServer, tmp_path: Path
) -> None:
    job = submitted(settings, tmp_path)
    batches = Batches(settings)
    for moment in (
        "between reserve and send",
        "between archive and settle",
        "between settle and save",
        "after a save",
        "in mid-download",
        "between raw and core",
    ):
        killed(advance_until, settings, job.job_id, moment)
        assert not batches.is_claimed(job.job_id), "a dead process holds nothing"
        assert {place: count for place, count in server.billed.items() if count > 1} == {}, moment
    assert batches.job(job.job_id).status == "downloaded"
    assert len(rows_of(settings, ATTOM_RESULTS, job)) == 2 * HOUSES
    assert rows_of(settings, ATTOM_PROPERTIES, job) == []
    done = batches.advance(job.job_id)
    assert batches.recover() == [], "what could be settled from the archive was"
    open_cents = cents_by_state(settings).get("unknown", 0)
    assert (done.status, done.processed_records) == ("processed", HOUSES)
    assert_accounted(settings, server, done, unknown=int(open_cents / 10))
    assert server.reports == 2 * HOUSES


def test_a_call_whose_answer_died_with_its_process_is_not_sent_again(
    settings: Settings, server: AttomServer, tmp_path: Path
) -> None:
    job = submitted(settings, tmp_path)
    killed(advance_until, settings, job.job_id, "between send and answer")
    batches = Batches(settings)
    done = batches.advance(job.job_id)
    ended = [request.reason for request in batches.requests(job.job_id) if request.reason]
    unknown = int(cents_by_state(settings)["unknown"] / 10)
    assert unknown >= 1 and set(ended) == {"unsettled"} and len(ended) == batches.outcomes(job.job_id).error
    assert_accounted(settings, server, done, unknown=unknown)


def test_a_batch_is_there_whole_or_not_at_all(
    settings: Settings, server: AttomServer, tmp_path: Path
) -> None:
    file = street_list(tmp_path / "l.csv", HOUSES)
    killed(create_until, settings, file, "in mid-creation")
    batches = Batches(settings)
    assert batches.jobs() == []
    job = batches.create(file, name="Killed")
    assert len(batches.requests(job.job_id)) == job.total_records == HOUSES
    assert list(Lake(settings).store.list("_batches/uploads/")) == [job.upload_key]
    assert server.calls == []


def race(settings: Settings, job_ids: list[str], start: Any, ended: Any) -> None:
    """Advance one batch after the other; tell how each went."""
    start.wait(timeout=60)
    for job_id in job_ids:
        try:
            ended.put((job_id, Batches(settings).advance(job_id).status))
        except BatchBusyError:
            ended.put((job_id, "busy"))


@pytest.mark.slow
def test_two_processes_at_once_pay_once(settings: Settings, server: AttomServer, tmp_path: Path) -> None:
    """Each runs the batch that the other runs too, and two batches ask about the same houses."""
    first = submitted(settings, tmp_path)
    second = submitted(settings, tmp_path, name="The same houses")
    context = process_context()
    start, ended = context.Barrier(2), context.Queue()
    orders = ([first.job_id, second.job_id], [second.job_id, first.job_id])
    children = [context.Process(target=race, args=(settings, order, start, ended)) for order in orders]
    for child in children:
        child.start()
    told = [ended.get(timeout=120) for _ in range(4)]
    for child in children:
        child.join(timeout=60)
    assert [child.exitcode for child in children] == [0, 0]
    assert {status for _, status in told} <= {"processed", "busy"}
    batches = Batches(settings)
    for job in (first, second):
        done = batches.advance(job.job_id)
        assert (done.status, done.processed_records) == ("processed", HOUSES)
        assert_accounted(settings, server, done)
    assert server.reports == 2 * HOUSES
    spent = [batches.spent_cents(job.job_id) for job in (first, second)]
    assert sum(spent) == 20 * HOUSES
