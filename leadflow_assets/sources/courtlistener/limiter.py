"""Three windows over one list of calls: five a minute, fifty an hour, 125 a day by default.

The list lies where every process sees it and a restart does not lose it (:class:`CallLog`). A call counts
from the moment it is answered, which is never before the vendor counted it; a throttled one does not count.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

from leadflow_assets.domain.call_windows import Wait, Window
from leadflow_assets.sources.courtlistener.errors import CourtListenerBudgetError, clock

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# The hour is waited for, the day is not: the caller ends, and goes on when it is called again.
PATIENCE = timedelta(minutes=65)


class CallLog(Protocol):
    """The calls of the last day, those of all processes together."""

    def take(self, windows: Sequence[Window], now: datetime) -> str | Wait:
        """Note a call that is about to be made and return its id; or when to ask again."""

    def answered(self, call_id: str, now: datetime) -> None:
        """The call was answered, and counts from then on."""

    def forget(self, call_id: str) -> None:
        """The call does not count: it was throttled, or never left."""

    def block(self, until: datetime) -> None:
        """Give no call before ``until``."""

    def correct(self, theirs: Mapping[timedelta, int], now: datetime) -> None:
        """Make each window hold what the vendor says was used."""

    def used(self, windows: Sequence[Window], now: datetime) -> Mapping[Window, int]:
        """How many calls each window holds."""


def _now() -> datetime:
    return datetime.now(UTC)


def default_windows(minute: int = 5, hour: int = 50, day: int = 125) -> tuple[Window, ...]:
    """The windows of an account; the defaults are those of a user without membership."""
    return Window(MINUTE, minute), Window(HOUR, hour), Window(DAY, day)


class CallLimiter:
    """Lets callers through as the windows allow; the others wait, or are told when to come back."""

    def __init__(
        self,
        log: CallLog,
        windows: Sequence[Window] | None = None,
        *,
        patience: timedelta = PATIENCE,
        now: Callable[[], datetime] = _now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._log = log
        self._windows = tuple(windows or default_windows())
        self._patience = patience
        self._now = now
        self._sleep = sleep

    @property
    def windows(self) -> tuple[Window, ...]:
        """The windows that are kept now."""
        return self._windows

    def acquire(self) -> str:
        """Wait until a call may be made; the id of the call.

        Raises:
            CourtListenerBudgetError: it would take longer than the patience; says when there is room.
        """
        while True:
            now = self._now()
            found = self._log.take(self._windows, now)
            if isinstance(found, str):
                return found
            if found.until - now > self._patience:
                raise self._reached(found)
            self._sleep(max((found.until - now).total_seconds(), 0.01))

    def answered(self, call_id: str) -> None:
        """The call was answered by the vendor's own program, whatever it said."""
        self._log.answered(call_id, self._now())

    def forget(self, call_id: str) -> None:
        """The call was never counted."""
        self._log.forget(call_id)

    def throttled(self, seconds: float) -> None:
        """The vendor answered 429: nobody calls for so many seconds.

        Raises:
            CourtListenerBudgetError: that is longer than the patience.
        """
        until = self._now() + timedelta(seconds=seconds)
        self._log.block(until)
        if timedelta(seconds=seconds) > self._patience:
            raise self._reached(Wait(until, None))

    def correct(self, usage: Mapping[timedelta, tuple[int, int]]) -> None:
        """Take over what the vendor says: used and allowed calls by length of window.

        A smaller allowance than ours is kept to; a larger one is not used, since ours was chosen.
        """
        self._log.correct({length: used for length, (used, _) in usage.items()}, self._now())
        self._windows = tuple(
            Window(window.length, min(window.calls, usage.get(window.length, (0, window.calls))[1]))
            for window in self._windows
        )

    def left(self) -> int:
        """How many more calls the longest window allows now."""
        longest = max(self._windows)
        return max(longest.calls - self._log.used([longest], self._now())[longest], 0)

    def _reached(self, wait: Wait) -> CourtListenerBudgetError:
        rate = f" ({wait.window.rate})" if wait.window else ""
        return CourtListenerBudgetError(
            f"The calls that CourtListener allows are used up{rate}; it resumes at {clock(wait.until)}.",
            "What was fetched is kept. Run the same command again then, or let the schedule go on by itself.",
            wait.until,
        )
