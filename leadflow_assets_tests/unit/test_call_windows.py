"""Rolling windows over one list: never one call too many, never a wait without need."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from leadflow_assets.domain.call_windows import Window, correction, next_call, used

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WINDOWS = (Window(MINUTE, 2), Window(HOUR, 4), Window(DAY, 6))
lists = st.lists(st.integers(-90_000, 0).map(lambda s: NOON + timedelta(seconds=s)), max_size=12)
usages = st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 5)).map(
    lambda more: {MINUTE: more[0], HOUR: more[0] + more[1], DAY: sum(more)}
)


def ago(*seconds: float) -> list[datetime]:
    return [NOON - timedelta(seconds=s) for s in seconds]


def test_the_fullest_window_decides_when() -> None:
    assert next_call([], WINDOWS, NOON) is None
    assert next_call(ago(10), WINDOWS, NOON) is None
    wait = next_call(ago(10, 30), WINDOWS, NOON)
    assert wait is not None
    assert (wait.until, wait.window) == (NOON + timedelta(seconds=30), WINDOWS[0])
    wait = next_call(ago(10, 100, 200, 300), WINDOWS, NOON)
    assert wait is not None
    assert (wait.until, wait.window) == (NOON + timedelta(seconds=3300), WINDOWS[1])
    wait = next_call(ago(1, 4000, 5000, 6000, 7000, 80_000), WINDOWS, NOON)
    assert wait is not None
    assert wait.window == WINDOWS[2]
    assert str(wait.window and wait.window.rate) == "6/day"


def test_a_call_stops_counting_at_exactly_the_length_of_the_window() -> None:
    assert next_call(ago(60, 60), WINDOWS[:1], NOON) is None
    assert next_call(ago(59.999, 60), (Window(MINUTE, 1),), NOON) is not None


def test_a_window_of_no_calls_never_lets_one_through() -> None:
    assert next_call([], [Window(MINUTE, 0)], NOON) is not None


@given(lists)
def test_at_the_time_it_names_a_call_may_be_made_and_no_window_overflows(calls: list[datetime]) -> None:
    wait = next_call(calls, WINDOWS, NOON)
    then = wait.until if wait else NOON
    assert next_call(calls, WINDOWS, then) is None
    after = used([*calls, then], WINDOWS, then)
    assert all(after[window] <= window.calls for window in WINDOWS)
    if wait:
        assert next_call(calls, WINDOWS, then - timedelta(microseconds=1)) is not None


@given(lists, usages)
def test_a_correction_makes_every_window_hold_what_the_vendor_says(
    calls: list[datetime], theirs: dict[timedelta, int]
) -> None:
    change = correction(calls, theirs, NOON)
    kept = [call for place, call in enumerate(calls) if place not in change.remove]
    held = used([*kept, *change.add], WINDOWS, NOON)
    on_its_way = sum(call > NOON - timedelta(seconds=10) for call in calls)
    for window in WINDOWS:
        assert theirs[window.length] <= held[window] <= theirs[window.length] + on_its_way
    again = correction([*kept, *change.add], theirs, NOON)
    assert again.add == ()


def test_calls_we_know_nothing_of_are_taken_for_as_young_as_they_can_be() -> None:
    change = correction([], {MINUTE: 1, HOUR: 3, DAY: 4}, NOON)
    assert sorted(change.add) == sorted([NOON, NOON - MINUTE, NOON - MINUTE, NOON - HOUR])


def test_calls_the_vendor_does_not_count_go_the_oldest_first() -> None:
    calls = ago(5, 20, 40, 50)
    change = correction(calls, {MINUTE: 1, HOUR: 1, DAY: 1}, NOON)
    assert [calls[place] for place in sorted(change.remove)] == ago(20, 40, 50)
