"""The list of calls on both databases: many processes, one count; kept, corrected, blocked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from leadflow_assets.domain.call_windows import Wait, Window
from leadflow_assets.errors import BudgetReachedError
from leadflow_assets.settings import Settings, load_settings
from leadflow_assets.sources.courtlistener.errors import CourtListenerBudgetError
from leadflow_assets.sources.courtlistener.limiter import CallLimiter, default_windows
from leadflow_assets.state import database
from leadflow_assets.state.call_list import CallList
from leadflow_assets_tests.conftest import process_context
from leadflow_assets_tests.integration.test_state import postgres_url as postgres_url
from leadflow_assets_tests.integration.test_state import settings as databases

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
WINDOWS = default_windows()
MINUTE, HOUR, DAY = (window.length for window in WINDOWS)
both_databases = databases


def take_some(settings: Settings, wanted: int) -> int:
    """How many calls one process gets in the same second."""
    calls = CallList(settings, "courtlistener")
    return sum(isinstance(calls.take(WINDOWS, NOON), str) for _ in range(wanted))


def test_all_threads_share_one_count(both_databases: Settings) -> None:
    with database.session(both_databases):
        pass  # migrated once, before the others come
    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(lambda _: take_some(both_databases, 2), range(4))) == 5


def test_all_processes_share_one_count(clean_environment: None, tmp_path: Path) -> None:
    settings = load_settings(leadflow_data_dir=tmp_path / "data")
    assert take_some(settings, 1) == 1
    with process_context().Pool(2) as pool:
        assert sum(pool.starmap(take_some, [(settings, 3)] * 2)) == 4


def test_a_call_counts_from_its_answer_and_a_forgotten_one_never(both_databases: Settings) -> None:
    calls = CallList(both_databases, "courtlistener")
    ids = [calls.take(WINDOWS, NOON) for _ in range(5)]
    later = NOON + timedelta(seconds=3)
    calls.answered(str(ids[0]), later)
    for call_id in ids[1:]:
        calls.answered(str(call_id), later)
    found = calls.take(WINDOWS, NOON + timedelta(seconds=61))
    assert isinstance(found, Wait) and found.until == later + MINUTE
    calls.forget(str(ids[0]))
    assert isinstance(calls.take(WINDOWS, NOON + timedelta(seconds=61)), str)
    assert calls.used(WINDOWS, later)[WINDOWS[0]] == 5


def test_vendors_do_not_share_a_list_and_old_calls_go(both_databases: Settings) -> None:
    one, other = CallList(both_databases, "courtlistener"), CallList(both_databases, "another")
    for _ in range(5):
        assert isinstance(one.take(WINDOWS, NOON), str)
    assert isinstance(one.take(WINDOWS, NOON), Wait)
    assert isinstance(other.take(WINDOWS, NOON), str)
    assert isinstance(one.take(WINDOWS, NOON + DAY + HOUR), str)
    assert one.used([Window(DAY * 9, 1)], NOON + DAY + HOUR) == {Window(DAY * 9, 1): 1}


def test_a_block_holds_for_all_and_an_earlier_end_does_not_shorten_it(both_databases: Settings) -> None:
    calls = CallList(both_databases, "courtlistener")
    calls.block(NOON + timedelta(seconds=90))
    calls.block(NOON + timedelta(seconds=30))
    found = CallList(both_databases, "courtlistener").take(WINDOWS, NOON)
    assert found == Wait(NOON + timedelta(seconds=90), None)
    assert isinstance(calls.take(WINDOWS, NOON + timedelta(seconds=90)), str)


def test_a_correction_adds_what_others_used_and_drops_what_was_not_counted(both_databases: Settings) -> None:
    calls = CallList(both_databases, "courtlistener")
    calls.correct({MINUTE: 2, HOUR: 10, DAY: 100}, NOON)
    assert list(calls.used(WINDOWS, NOON).values()) == [2, 10, 100]
    calls.correct({MINUTE: 0, HOUR: 3, DAY: 50}, NOON + timedelta(seconds=30))
    assert list(calls.used(WINDOWS, NOON + timedelta(seconds=30)).values()) == [0, 3, 50]
    unanswered = calls.take(WINDOWS, NOON)
    calls.correct({MINUTE: 0, HOUR: 0, DAY: 0}, NOON + timedelta(seconds=30))
    assert isinstance(unanswered, str)
    assert list(calls.used(WINDOWS, NOON + timedelta(seconds=30)).values()) == [1, 1, 1]


def test_a_clock_that_was_put_right_does_not_block_everyone(both_databases: Settings) -> None:
    calls = CallList(both_databases, "courtlistener")
    for _ in range(5):
        calls.take(WINDOWS, NOON + timedelta(days=400))
    assert isinstance(calls.take(WINDOWS, NOON), str)


def test_the_hour_is_waited_for_and_the_day_is_not(both_databases: Settings) -> None:
    now = [NOON]

    def sleep(seconds: float) -> None:
        now[0] += timedelta(seconds=seconds)

    log = CallList(both_databases, "courtlistener")
    windows = default_windows(minute=2, hour=3, day=5)
    limiter = CallLimiter(log, windows, now=lambda: now[0], sleep=sleep)
    for _ in range(5):
        limiter.answered(limiter.acquire())
    assert timedelta(hours=1) <= now[0] - NOON < timedelta(hours=1, minutes=3)
    assert limiter.left() == 0
    with pytest.raises(CourtListenerBudgetError, match=r"5/day.*resumes at 2026-11-03 12:00 UTC") as caught:
        limiter.acquire()
    assert caught.value.exit_code == BudgetReachedError.exit_code == 4
    now[0] = NOON + DAY
    assert limiter.acquire()


def test_the_error_survives_the_way_back_from_a_worker(both_databases: Settings) -> None:
    import pickle

    error = CourtListenerBudgetError("full", "wait", NOON)
    back = pickle.loads(pickle.dumps(error))
    assert (back.message, back.hint, back.resumes_at) == ("full", "wait", NOON)
