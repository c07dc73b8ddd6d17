"""Batches in the state database, on both servers: writing once, claims, counts, what an answer cost."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from leadflow_assets.enrich.batches.claim import claimed
from leadflow_assets.enrich.batches.job import BatchBusyError
from leadflow_assets.errors import UsageError
from leadflow_assets.settings import Settings
from leadflow_assets.state import batch_jobs, batch_requests, database
from leadflow_assets.state.batch_jobs import BatchJob
from leadflow_assets.state.batch_requests import Ended, RequestAnswer, StoredRequest
from leadflow_assets.state.ledger import Ledger
from leadflow_assets.state.models_batches import BatchJobRow
from leadflow_assets.state.processes import this_process
from leadflow_assets_tests.integration.test_state import postgres_url as postgres_url
from leadflow_assets_tests.integration.test_state import settings as databases

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
both_databases = databases
JOB = BatchJob(
    job_id="20261122-spring-3f9a2c",
    name="Spring",
    transport="rest",
    status="created",
    endpoints=("expandedprofile", "homeequity"),
    created_at=NOON,
    updated_at=NOON,
    source_file="list.csv",
    rows_given=3,
    total_records=3,
    expected_cents=Decimal("12.5"),
    facts={"digest": "ab"},
)


@pytest.fixture
def settings(both_databases: Settings) -> Settings:
    """A database with one job of three requests."""
    with database.session(both_databases) as session:
        assert batch_jobs.insert_job(session, JOB)
        requests = [StoredRequest(n, f"190-{n}", (n, n + 3), "exact", "{}") for n in (1, 2, 3)]
        batch_requests.insert_requests(session, JOB.job_id, requests)
        session.commit()
    return both_databases


def save(settings: Settings, made: Sequence[RequestAnswer], ended: Sequence[Ended] = ()) -> None:
    with database.session(settings) as session:
        batch_requests.save_answers(session, JOB.job_id, made, ended)
        session.commit()


def stored(settings: Settings) -> list[RequestAnswer]:
    with database.session(settings) as session:
        found = batch_requests.answers(session, JOB.job_id)
    return [answer for some in found.values() for answer in some]


def charge(settings: Settings, question: str, batch_id: str | None) -> str:
    ledger = Ledger(settings, "attom", daily_cap_cents=1000)
    made = ledger.reserve("avm", question, units=1, price_cents=Decimal(10), batch_id=batch_id)
    ledger.mark_sent(made)
    ledger.settle(made, 1)
    return made


def test_a_job_comes_back_as_it_was_written_and_only_once(settings: Settings) -> None:
    with database.session(settings) as session:
        assert batch_jobs.get(session, JOB.job_id) == JOB
        assert not batch_jobs.insert_job(session, JOB)
        requests = batch_requests.requests(session, JOB.job_id)
    assert requests[1] == StoredRequest(2, "190-2", (2, 5), "exact", "{}")


def test_a_job_that_is_not_committed_is_not_there(both_databases: Settings) -> None:
    with database.session(both_databases) as session:
        batch_jobs.insert_job(session, JOB)
        batch_requests.insert_requests(session, JOB.job_id, [StoredRequest(1, None, (), "none", "{}")])
    with database.session(both_databases) as session:
        assert batch_jobs.all_jobs(session) == []
        assert batch_requests.requests(session, JOB.job_id) == []


@pytest.mark.parametrize("change", [{"status": "done"}, {"transport": "fax"}])
def test_unknown_words_are_refused(settings: Settings, change: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), database.session(settings) as session:
        batch_jobs.change(session, JOB.job_id, now=NOON, **change)


def test_a_state_is_left_only_from_where_it_may_be(settings: Settings) -> None:
    later = NOON + timedelta(hours=1)
    with database.session(settings) as session:
        assert not batch_jobs.move(session, JOB.job_id, "ready", from_=("in_progress",), now=later)
        assert batch_jobs.move(
            session, JOB.job_id, "submitted", from_=("created",), now=later, external_job_id="x-1"
        )
        session.commit()
        found = batch_jobs.get(session, JOB.job_id)
    assert found is not None and (found.status, found.external_job_id) == ("submitted", "x-1")
    assert (found.submitted_at, found.updated_at, found.started_at) == (later, later, None)


@pytest.mark.parametrize(("done", "percent"), [(0, 0), (1, 33), (2, 66), (3, 100)])
def test_progress_is_stored_with_the_count(settings: Settings, done: int, percent: int) -> None:
    with database.session(settings) as session:
        batch_jobs.change(session, JOB.job_id, now=NOON, completed_records=done)
        session.commit()
        row = session.get(BatchJobRow, JOB.job_id, populate_existing=True)
        found = batch_jobs.get(session, JOB.job_id)
    assert row is not None and row.progress == percent
    assert found is not None and found.progress == percent


def test_answers_replace_each_other_and_requests_are_counted(settings: Settings) -> None:
    first = RequestAnswer(1, "homeequity", "error", "unsettled")
    save(settings, [first], [Ended(1, "error", "unsettled", None)])
    with database.session(settings) as session:
        unfinished = batch_requests.unfinished(session, JOB.job_id, ("unsettled",))
        assert [request.request_number for request in unfinished] == [1, 2, 3]
        assert batch_requests.count_with(session, JOB.job_id, ("unsettled",)) == 1
    second = RequestAnswer(1, "homeequity", "returned", None, "a" * 32, "b" * 32, 1, False, 1001, NOON)
    save(settings, [second], [Ended(1, "returned", None, 1001)])
    assert stored(settings) == [second]
    with database.session(settings) as session:
        assert batch_requests.outcome_counts(session, JOB.job_id) == {"returned": 1, "pending": 2}
        assert batch_requests.fetched_range(session, JOB.job_id) == (NOON, NOON)
        pages = [
            [r.request_number for r in batch_requests.requests(session, JOB.job_id, after=after, most=2)]
            for after in (0, 2, 3)
        ]
    assert pages == [[1, 2], [3], []]


def test_what_was_billed_for_a_batch_counts_once_in_it(settings: Settings) -> None:
    own, others = charge(settings, "q1", JOB.job_id), charge(settings, "q2", "another-batch")

    def answer(number: int, request_id: str, *, cached: bool) -> RequestAnswer:
        return RequestAnswer(number, "avm", "returned", None, request_id, "h", 1, cached, 1000 + number, NOON)

    # Found in the cache after a crash, bought for this batch; the same again for another request.
    save(
        settings, [answer(1, own, cached=True), answer(2, own, cached=False), answer(3, others, cached=True)]
    )
    assert [found.from_cache for found in stored(settings)] == [False, True, True]
    save(settings, [answer(1, own, cached=True)])
    assert [found.from_cache for found in stored(settings)] == [False, True, True]
    with database.session(settings) as session:
        (count,) = batch_requests.answer_counts(session, JOB.job_id)
        assert batch_requests.repeated_attom_ids(session, JOB.job_id) == set()
    assert (count.answers, count.reports, count.cached_reports) == (3, 3, 2)


def test_one_property_under_two_requests_is_seen(settings: Settings) -> None:
    save(
        settings,
        [
            RequestAnswer(number, endpoint, "returned", attom_id=attom_id)
            for number, attom_id in ((1, 7), (2, 7), (3, 8))
            for endpoint in ("avm", "detail")
        ],
    )
    with database.session(settings) as session:
        assert batch_requests.repeated_attom_ids(session, JOB.job_id) == {7}


def test_one_process_holds_a_batch_until_it_ends_or_its_lease_does(settings: Settings) -> None:
    clock = [NOON]
    with claimed(settings, JOB.job_id, now=lambda: clock[0]) as lost:
        with (
            pytest.raises(BatchBusyError, match="Another process works on") as caught,
            claimed(settings, JOB.job_id, now=lambda: clock[0]),
        ):
            pass
        assert caught.value.retryable and not lost()
        clock[0] += timedelta(minutes=6)  # the lease of a process on a host that nobody can see
        with claimed(settings, JOB.job_id, now=lambda: clock[0]):
            pass
    with database.session(settings) as session:
        assert not batch_jobs.is_claimed(session, JOB.job_id, now=clock[0])
    with (
        pytest.raises(UsageError, match="no batch 'nothing'"),
        claimed(settings, "nothing", now=lambda: NOON),
    ):
        pass


def test_a_claim_is_renewed_and_its_loss_is_noticed(settings: Settings) -> None:
    with claimed(settings, JOB.job_id, now=lambda: datetime.now(UTC), renew_seconds=0.02) as lost:
        with database.session(settings) as session:
            batch_jobs.release_claim(session, JOB.job_id, "somebody else's")
            first = session.get(BatchJobRow, JOB.job_id)
            assert first is not None
            until = first.claim_expires_at
        assert _within_a_while(lambda: _expiry(settings) > until)
        assert not lost()
        with database.session(settings) as session:
            row = session.get(BatchJobRow, JOB.job_id, with_for_update=True)
            assert row is not None
            row.claim_id = "another"
            session.commit()
        assert _within_a_while(lost)


def _expiry(settings: Settings) -> Any:
    with database.session(settings) as session:
        row = session.get(BatchJobRow, JOB.job_id)
        assert row is not None
        return row.claim_expires_at


def _within_a_while(happened: Any) -> bool:
    waiting = threading.Event()
    return any(happened() or waiting.wait(0.02) for _ in range(1000))


def test_what_a_dead_process_held_is_free(settings: Settings) -> None:
    host, pid, _ = this_process().rsplit("/", 2)
    now = datetime.now(UTC)
    with database.session(settings) as session:
        dead = f"{host}/{pid}/1"  # no live process of this number started at tick 1
        assert batch_jobs.claim(
            session, JOB.job_id, "c1", owner=dead, now=now, until=now + timedelta(hours=1)
        )
        session.commit()
        assert not batch_jobs.is_claimed(session, JOB.job_id, now=now)
        assert batch_jobs.release_dead_claims(session, now=now) == 1
        assert batch_jobs.release_dead_claims(session, now=now) == 0
        session.commit()
    with claimed(settings, JOB.job_id, now=lambda: datetime.now(UTC)):
        pass
