"""The hour of the daily digest: eight in the morning in Massachusetts, summer and winter."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadflow_assets.domain.digest_day import digest_window, last_digest


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2026, 1, 15, 12, 59, tzinfo=UTC), datetime(2026, 1, 14, 13, tzinfo=UTC)),
        (datetime(2026, 1, 15, 13, 0, tzinfo=UTC), datetime(2026, 1, 15, 13, tzinfo=UTC)),
        (datetime(2026, 7, 15, 12, 0, tzinfo=UTC), datetime(2026, 7, 15, 12, tzinfo=UTC)),
        # In the evening it is the next day in UTC.
        (datetime(2026, 7, 16, 3, 0, tzinfo=UTC), datetime(2026, 7, 15, 12, tzinfo=UTC)),
    ],
)
def test_when_the_last_digest_was_due(now: datetime, expected: datetime) -> None:
    assert last_digest(now) == expected


def test_the_day_on_which_clocks_change_has_another_length() -> None:
    spring, autumn = (digest_window(day) for day in (date(2026, 3, 8), date(2026, 11, 1)))
    assert spring[1] - spring[0] == timedelta(hours=23)
    assert autumn[1] - autumn[0] == timedelta(hours=25)


@given(st.integers(0, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)))
def test_every_moment_is_in_one_window(now: datetime) -> None:
    last = last_digest(now)
    assert last <= now < last + timedelta(hours=25)
    assert last_digest(last) == last
    assert last_digest(last - timedelta(microseconds=1)) < last
