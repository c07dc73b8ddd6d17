"""What can go wrong with CourtListener, by what has to be done about it.

Texts name the endpoint, never a party, an address or the token.
"""

from __future__ import annotations

from datetime import UTC, datetime

from leadflow_assets.errors import (
    BudgetReachedError,
    NotConfiguredError,
    SourceAnswerError,
    SourceUnavailableError,
)


def clock(moment: datetime) -> str:
    """A moment as people read it: UTC, to the minute."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


class CourtListenerTokenError(NotConfiguredError):
    """401: there is no token, or it is not accepted."""


class CourtListenerBlockedError(NotConfiguredError):
    """The account is blocked from the API; only Free Law Project can change that."""


class CourtListenerBudgetError(BudgetReachedError):
    """The calls of a window are used up, and it takes too long to wait. ``resumes_at`` is aware."""

    def __init__(self, message: str, hint: str = "", resumes_at: datetime | None = None) -> None:
        super().__init__(message, hint)
        self.resumes_at = resumes_at

    def __reduce__(self) -> tuple[type, tuple[str, str, datetime | None]]:  # type: ignore[override]
        """Survive the trip back from a worker process."""
        return type(self), (self.message, self.hint, self.resumes_at)


class CourtListenerThrottledError(SourceUnavailableError):
    """429, again and again: others use the same token, or a limit set here is too high."""


class CourtListenerUnavailableError(SourceUnavailableError):
    """CourtListener could not be reached, or failed on its side."""


class CourtListenerMaintenanceError(CourtListenerUnavailableError):
    """Its weekly maintenance (Thursday 21:00 to 23:59 Pacific), or a page that stands in for the API."""


class CourtListenerPermissionError(SourceAnswerError):
    """403: the account may not read this."""


class CourtListenerQueryError(SourceAnswerError):
    """400: it refuses the question; asking again changes nothing."""


class CourtListenerGoneError(SourceAnswerError):
    """410: this version of the API is switched off."""


class CourtListenerNotFoundError(SourceAnswerError):
    """404: it has no such thing."""


class CourtListenerCursorError(CourtListenerNotFoundError):
    """404 ``Invalid cursor``: the query must be started again from the last date seen."""


class CourtListenerAnswerError(SourceAnswerError):
    """An answer that is not what was asked for: not JSON, another shape, a filter that was ignored."""


class CourtListenerPagingError(SourceAnswerError):
    """Pages that lead back to themselves: what was read is kept, the rest cannot be reached now."""
