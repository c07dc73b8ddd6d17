"""Every error a person can meet: what was wrong, where, what to do, and the exit code.

Nothing here does I/O. Texts must never hold owners' names, addresses or secrets: they reach logs,
Dagster's event log and webhooks.
"""

from __future__ import annotations


class LeadflowError(Exception):
    """A failure with one clear sentence and a way out.

    ``message`` says what was wrong and where, ``hint`` what to do about it. ``exit_code`` is what the
    command line returns (listed in the README); ``retryable`` tells automation whether the same call
    may succeed later without anyone changing anything.
    """

    exit_code = 1
    retryable = False

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        """Survive the trip back from a worker process."""
        return type(self), (self.message, self.hint)


class UsageError(LeadflowError):
    """The request itself is wrong: an unknown town, a bad date, a statement that is not a query."""

    exit_code = 2


class NotConfiguredError(LeadflowError):
    """A setting is missing or switched off; the hint names the setting."""

    exit_code = 3


class BudgetReachedError(LeadflowError):
    """A spending cap is reached; nothing was sent."""

    exit_code = 4


class BadPackageError(LeadflowError):
    """A file that claims to be a MassGIS package is not one, or breaks a rule of the package."""


class AuditError(LeadflowError):
    """A staged table broke its contract; the published one was left as it was."""


class StoreError(LeadflowError):
    """The lake's storage refused or failed: permissions, a missing bucket, a full disk."""


class SourceUnavailableError(LeadflowError):
    """A source did not answer, or answered with a passing fault."""

    retryable = True


class SourceAnswerError(LeadflowError):
    """A source answered, and the answer is not what was asked for (an HTML page, a 404)."""
