"""How a request ended, from its endpoints' answers: one pure rule."""

from __future__ import annotations

from collections.abc import Sequence

from leadflow_assets.enrich.batches.job import Outcome, RequestAnswer
from leadflow_assets.sources.attom.endpoints import ASSESSMENT_DETAIL, DETAIL, EXPANDED_PROFILE

# Reasons of answers, beside those of ``sources.attom.answers``. All are stable words.
UNKNOWN_TO_PROFILE = "unknown_to_profile"
UNRESOLVED_PROFILE = "unresolved_profile"
NOT_IN_PLAN = "not_in_plan"
UNSETTLED = "unsettled"
UNNAMEABLE = "unnameable"
INCOMPLETE = "incomplete"
# Answers that a later run asks for again, once the charge of the call that broke off is settled.
RETRIED = (UNSETTLED,)
# What stands in for an endpoint that the contract lacks.
FALLBACKS = {EXPANDED_PROFILE.name: (DETAIL.name, ASSESSMENT_DETAIL.name)}


def overall(endpoints: Sequence[str], answers: Sequence[RequestAnswer]) -> tuple[Outcome, str | None]:
    """Outcome and reason of a request that was to be asked at ``endpoints``. The first rule that fits:

    1. ``pending`` while an endpoint has no answer.
    2. ``error``, ``unsettled``, while a call may have been billed and nobody knows: open money stays visible.
    3. ``returned`` where any endpoint found the property; ``incomplete`` if another ended as ambiguous or as
       an error.
    4. ``ambiguous`` where any answer is, with its reason.
    5. ``error`` where any answer is, with its reason.
    6. ``no_match``: no endpoint knows the property.

    An endpoint that the contract lacks does not count where its fallbacks answered, nor beside others that
    found the property or know none: nobody can ask it.
    """
    by_endpoint = {answer.endpoint: answer for answer in answers}
    missing = [name for name in endpoints if by_endpoint.get(name) is None]
    if not endpoints or missing or any(answer.outcome == "pending" for answer in answers):
        return "pending", None
    ended = [answer for answer in answers if not _replaced(answer, by_endpoint)]
    if any(answer.reason == UNSETTLED for answer in ended):
        return "error", UNSETTLED
    askable = [answer for answer in ended if answer.reason != NOT_IN_PLAN] or ended
    doubtful = [answer for answer in askable if answer.outcome in ("ambiguous", "error")]
    if any(answer.outcome == "returned" for answer in askable):
        return "returned", INCOMPLETE if doubtful else None
    for outcome in ("ambiguous", "error"):
        for answer in doubtful:
            if answer.outcome == outcome:
                return answer.outcome, answer.reason
    return "no_match", None


def _replaced(answer: RequestAnswer, by_endpoint: dict[str, RequestAnswer]) -> bool:
    """Does the contract lack the endpoint, and did a fallback answer?"""
    return answer.reason == NOT_IN_PLAN and any(
        name in by_endpoint for name in FALLBACKS.get(answer.endpoint, ())
    )
