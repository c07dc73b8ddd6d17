"""ATTOM's one rate limit: so many calls per clock minute, UTC, over everything that uses the key.

The count lies where every process sees it and a restart does not lose it (:class:`MinuteCount`). Near the
full minute nobody is let through, since the vendor's clock is not ours.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

CALLS_PER_MINUTE = 200
# The width of the gap on each side of :00, half a second in all: less than 1 % of the minute.
GUARD = timedelta(seconds=0.25)


class MinuteCount(Protocol):
    """Calls of the current minute, counted for all processes together."""

    def take(self, limit: int, now: datetime) -> datetime | None:
        """Take one call of the minute: None when it was given, else when to ask again."""

    def block(self, until: datetime) -> None:
        """Give none before ``until``."""


def _now() -> datetime:
    return datetime.now(UTC)


class MinuteLimiter:
    """Lets at most ``calls_per_minute`` callers through in a clock minute; the others wait."""

    def __init__(
        self,
        count: MinuteCount,
        calls_per_minute: int = CALLS_PER_MINUTE,
        *,
        now: Callable[[], datetime] = _now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._count = count
        self._limit = calls_per_minute
        self._now = now
        self._sleep = sleep

    def acquire(self) -> None:
        """Wait until a call may be made."""
        while True:
            now = self._now()
            again = _outside_the_gap(now)
            if again is None:
                again = self._count.take(self._limit, now)
                if again is None:
                    return
                again += GUARD
            self._sleep(max((again - self._now()).total_seconds(), 0.01))

    def throttled(self, retry_after: float | None = None) -> None:
        """The vendor answered 429: nobody calls before the next :00, or later if it asks for more seconds."""
        now = self._now()
        until = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
        if retry_after is not None:
            until = max(until, now + timedelta(seconds=retry_after))
        self._count.block(until)


def _outside_the_gap(now: datetime) -> datetime | None:
    """None, or the end of the gap around :00 that ``now`` lies in."""
    minute = now.replace(second=0, microsecond=0)
    if now - minute < GUARD:
        return minute + GUARD
    following = minute + timedelta(minutes=1)
    return following + GUARD if following - now <= GUARD else None
