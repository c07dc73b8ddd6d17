"""What can go wrong with ATTOM, by what has to be done about it.

Texts name the endpoint, never the address asked for, the owner or the key.
"""

from __future__ import annotations

from leadflow_assets.errors import (
    BudgetReachedError,
    NotConfiguredError,
    SourceAnswerError,
    SourceUnavailableError,
)


class AttomKeyError(NotConfiguredError):
    """401: there is a key, and ATTOM does not accept it."""


class AttomPlanError(SourceAnswerError):
    """403: the key is good and the endpoint is not part of the contract."""


class AttomQuotaError(BudgetReachedError):
    """The contract's own quota is used up; it starts again with the next calendar month, UTC."""


class AttomThrottledError(SourceUnavailableError):
    """429, again and again: others use the same key, or the limit set here is too high."""


class AttomUnavailableError(SourceUnavailableError):
    """ATTOM could not be reached, or failed on its side; nothing was billed."""


class AttomRequestError(SourceAnswerError):
    """ATTOM refused the request itself; nothing was billed and asking again changes nothing."""


class AttomMalformedError(SourceAnswerError):
    """ATTOM answered with something that is not its format, or with another property."""


class AttomUnsettledError(SourceAnswerError):
    """The call broke off after it was sent: ATTOM may have billed it, so it is not sent again by itself."""
