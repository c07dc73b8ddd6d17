"""Asking about one property: the profile first, then the other endpoints by the ATTOM id it names.

What is about this property becomes an answer; what is about the key, the money or the vendor is raised.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from leadflow_assets.enrich.batches.job import BatchRequest, RequestAnswer
from leadflow_assets.enrich.batches.outcome import (
    FALLBACKS,
    NOT_IN_PLAN,
    RETRIED,
    UNKNOWN_TO_PROFILE,
    UNNAMEABLE,
    UNRESOLVED_PROFILE,
    UNSETTLED,
)
from leadflow_assets.errors import SourceAnswerError, UsageError
from leadflow_assets.sources.attom.answers import Answer
from leadflow_assets.sources.attom.client import AttomClient
from leadflow_assets.sources.attom.endpoints import EXPANDED_PROFILE, PropertyQuery, find_endpoint
from leadflow_assets.sources.attom.errors import AttomPlanError, AttomUnsettledError
from leadflow_assets.state.charges import ChargeInFlightError, ChargeUnknownError

# Somebody else's call may wait for the rate limit of two minutes before it is sent.
IN_FLIGHT_SECONDS = 150.0
_PAUSE_SECONDS = 0.5
# So many calls in a row that were paid, or may have been, for nothing: the vendor is ill, the batch waits.
MOST_LOST_IN_A_ROW = 10


class AttomCallsLostError(SourceAnswerError):
    """Call after call was, or may have been, billed for nothing. Not for a quick retry."""


class LeftPendingError(Exception):
    """Another process is asking the same question and has not ended: this request is for later."""


@dataclass
class Asker:
    """What the workers of one run share. ``pause`` sleeps, and may raise to end the run.

    ``outside_plan`` are endpoints that the contract turned out to lack.
    """

    client: AttomClient
    job_id: str
    endpoints: tuple[str, ...]
    pause: Callable[[float], None] = time.sleep
    outside_plan: set[str] = field(default_factory=set)
    _lost: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, request: BatchRequest, answers: dict[str, RequestAnswer]) -> None:
        """Fill ``answers`` (by endpoint) with what is missing or to be asked again, one after the other.

        Raises:
            LeftPendingError, AttomCallsLostError: see there. Everything else as :meth:`AttomClient.ask`, but
                for what becomes an answer.
        """
        if EXPANDED_PROFILE.name in self.endpoints and _is_open(EXPANDED_PROFILE.name, answers):
            self._ask_profile(request, answers)
        for name in self.endpoints:
            if name != EXPANDED_PROFILE.name and _is_open(name, answers):
                answers[name] = self._without_a_call(request, name, answers) or self._ask_one(
                    request, name, _query(request, answers)
                )

    def _ask_profile(self, request: BatchRequest, answers: dict[str, RequestAnswer]) -> None:
        name = EXPANDED_PROFILE.name
        found = self._answered(
            request, name, lambda: self.client.profile(request.query, batch_id=self.job_id)
        )
        by_endpoint = {answer.endpoint: answer for answer in found}
        answers |= by_endpoint
        if name not in by_endpoint:
            answers[name] = RequestAnswer(request.request_number, name, "error", NOT_IN_PLAN)

    def _ask_one(self, request: BatchRequest, name: str, query: PropertyQuery) -> RequestAnswer:
        endpoint = find_endpoint(name)
        if name in self.outside_plan:
            return RequestAnswer(request.request_number, name, "error", NOT_IN_PLAN)
        (answer,) = self._answered(
            request, name, lambda: [self.client.ask(endpoint, query, batch_id=self.job_id)]
        )
        return answer

    def _answered(
        self, request: BatchRequest, name: str, call: Callable[[], list[Answer]]
    ) -> list[RequestAnswer]:
        """The answers of a call, or the one that its failure stands for."""
        number = request.request_number
        try:
            answers = self._when_free(call)
        except AttomPlanError:
            self.outside_plan.add(name)
            return [RequestAnswer(number, name, "error", NOT_IN_PLAN)]
        except ChargeUnknownError:
            return [RequestAnswer(number, name, "error", UNSETTLED)]
        except AttomUnsettledError:
            self._count_lost()
            return [RequestAnswer(number, name, "error", UNSETTLED)]
        except UsageError:
            return [RequestAnswer(number, name, "error", UNNAMEABLE)]
        for answer in answers:
            if answer.reason == "malformed" and not answer.from_cache:
                self._count_lost()
            elif not answer.from_cache:
                self._lost = 0
        return [_request_answer(number, answer) for answer in answers]

    def _when_free(self, call: Callable[[], list[Answer]]) -> list[Answer]:
        """Make the call when nobody else makes the same one; their answer is then found in the cache."""
        waited = 0.0
        while True:
            try:
                return call()
            except ChargeInFlightError:
                if waited >= IN_FLIGHT_SECONDS:
                    raise LeftPendingError from None
            self.pause(_PAUSE_SECONDS)
            waited += _PAUSE_SECONDS

    def _count_lost(self) -> None:
        with self._lock:
            self._lost += 1
            if self._lost < MOST_LOST_IN_A_ROW:
                return
        raise AttomCallsLostError(
            f"{MOST_LOST_IN_A_ROW} calls of ATTOM in a row broke off or brought nothing readable; "
            "they may have been billed, and no more are made.",
            "See `leadflow spend` for what is unknown; try again later.",
        )

    def _without_a_call(
        self, request: BatchRequest, name: str, answers: dict[str, RequestAnswer]
    ) -> RequestAnswer | None:
        """What the profile's answer decides for the others.

        A property that the profile knows under no name is known to none. One that it could not tell from
        others, or that is another, has no ATTOM id; asked by the same address again it would be billed for
        the same doubt.
        """
        profile = _profile_answers(answers)
        if not profile or _attom_id(profile) is not None:
            return None
        last = profile[-1]
        if last.outcome == "no_match":
            return RequestAnswer(request.request_number, name, "no_match", UNKNOWN_TO_PROFILE)
        if last.outcome == "ambiguous" or last.reason == "another_property":
            return RequestAnswer(request.request_number, name, last.outcome, UNRESOLVED_PROFILE)
        return None


def _is_open(name: str, answers: dict[str, RequestAnswer]) -> bool:
    """Is there no answer yet, or one that is asked for again?"""
    return name not in answers or answers[name].reason in RETRIED


def _profile_answers(answers: dict[str, RequestAnswer]) -> list[RequestAnswer]:
    """The profile's answer, or those of the endpoints that stand in for it."""
    own = answers.get(EXPANDED_PROFILE.name)
    if own is None:
        return []
    fallbacks = [answers[name] for name in FALLBACKS[EXPANDED_PROFILE.name] if name in answers]
    return fallbacks if own.reason == NOT_IN_PLAN and fallbacks else [own]


def _attom_id(answers: Sequence[RequestAnswer]) -> int | None:
    found = (answer.attom_id for answer in answers if answer.outcome == "returned")
    return next((attom_id for attom_id in found if attom_id is not None), None)


def _query(request: BatchRequest, answers: dict[str, RequestAnswer]) -> PropertyQuery:
    """By the ATTOM id alone where it is known: another name could only bring another property."""
    attom_id = _attom_id(list(answers.values()))
    if attom_id is None:
        return request.query
    return PropertyQuery(property_id=request.property_id, attom_id=attom_id)


def _request_answer(number: int, answer: Answer) -> RequestAnswer:
    return RequestAnswer(
        number,
        answer.endpoint,
        answer.outcome,
        answer.reason,
        answer.request_id,
        answer.request_hash,
        answer.reports,
        answer.from_cache,
        answer.attom_id,
        answer.fetched_at,
    )
