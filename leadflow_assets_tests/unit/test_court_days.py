"""Days that were asked: stretches, gaps, months; and how a wait is told."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadflow_assets.domain.call_windows import Wait, Window
from leadflow_assets.enrich.courts.parties_choice import is_person
from leadflow_assets.enrich.courts.waiting import StopAsked, stoppable, wait_in_words
from leadflow_assets.enrich.courts.walking import court_day, months_between
from leadflow_assets.state.court_progress import gaps, spans_of

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
FIRST = date(2026, 9, 1)
days = st.sets(st.integers(0, 60).map(lambda k: FIRST + k * DAY))


@given(days)
def test_stretches_hold_exactly_their_days_and_never_touch(some: set[date]) -> None:
    spans = spans_of(some)
    held = [start + k * DAY for start, end in spans for k in range((end - start).days + 1)]
    assert held == sorted(some)
    assert all(later[0] - earlier[1] > DAY for earlier, later in itertools.pairwise(spans))


@given(days)
def test_gaps_and_what_was_asked_make_up_the_whole(some: set[date]) -> None:
    last = FIRST + 60 * DAY
    found = gaps(dict.fromkeys(some, NOON), FIRST, last)
    missing = [start + k * DAY for start, end in found for k in range((end - start).days + 1)]
    assert sorted([*missing, *some]) == [FIRST + k * DAY for k in range(61)]
    assert found == sorted(found, reverse=True), "the newest first"


def test_what_was_asked_before_counts_as_missing() -> None:
    asked = {FIRST: NOON - DAY, FIRST + DAY: NOON}
    assert gaps(asked, FIRST, FIRST + DAY, NOON) == [(FIRST, FIRST)]
    assert gaps(asked, FIRST, FIRST + DAY) == []
    assert gaps(asked, FIRST + DAY, FIRST) == []


def test_months_lie_between_days() -> None:
    assert months_between(date(2025, 11, 30), date(2026, 2, 1)) == [
        "2025-11",
        "2025-12",
        "2026-01",
        "2026-02",
    ]
    assert months_between(date(2026, 2, 1), date(2026, 2, 28)) == ["2026-02"]


def test_a_day_is_the_courts() -> None:
    assert court_day(datetime(2026, 11, 3, 4, 59, tzinfo=UTC)) == date(2026, 11, 2)
    assert court_day(datetime(2026, 11, 3, 5, 0, tzinfo=UTC)) == date(2026, 11, 3)


@pytest.mark.parametrize(
    ("seconds", "window", "words"),
    [
        (40, Window(timedelta(minutes=1), 5), "waits 40 s for the minute's window (5/min)"),
        (1800, Window(timedelta(hours=1), 50), "waits 30 min for the hour's window (50/hour)"),
        (7, None, "waits 7 s, as CourtListener asks"),
    ],
)
def test_a_wait_is_told_with_its_reason(seconds: int, window: Window | None, words: str) -> None:
    assert wait_in_words(Wait(NOON + timedelta(seconds=seconds), window), NOON) == words


def test_a_wait_ends_when_somebody_wants_to_stop() -> None:
    slept: list[float] = []
    stoppable(slept.append, lambda: False)(2.5)
    assert slept == [1.0, 1.0, 0.5]
    with pytest.raises(StopAsked):
        stoppable(slept.append, lambda: len(slept) >= 5)(60)
    assert len(slept) == 5


@pytest.mark.parametrize(
    ("name", "person"),
    [
        ("Ada B. Aldercote", True),
        ("David J. Sample and Karen A. Sample", True),
        ("Nine Thimble LLC", False),
        ("Copper Newt Cafe, Inc.", False),
        ("Aldercote Family Trust", False),
    ],
)
def test_people_are_told_from_firms(name: str, person: bool) -> None:
    assert is_person(name) is person
