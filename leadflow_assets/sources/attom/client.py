"""Asking ATTOM about one property, so that nothing is paid twice and nothing unseen.

Kept answers first; then a charge is reserved, a call of the minute taken, the charge marked as sent, the
call made, its body archived, and only then read and settled. Only what the vendor surely did not bill is
sent again: no connection, 408, 429 and 5xx. A call that broke off half-way stays an unknown charge.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import httpx

from leadflow_assets.errors import LeadflowError, NotConfiguredError, SourceAnswerError
from leadflow_assets.sources.attom.answers import Answer, judge, refusal
from leadflow_assets.sources.attom.endpoints import (
    ASSESSMENT_DETAIL,
    BASE_URL,
    DETAIL,
    EXPANDED_PROFILE,
    Endpoint,
    Identity,
    PropertyQuery,
    identities,
    parameters,
    request_hash,
)
from leadflow_assets.sources.attom.errors import (
    AttomKeyError,
    AttomMalformedError,
    AttomPlanError,
    AttomQuotaError,
    AttomRequestError,
    AttomThrottledError,
    AttomUnavailableError,
    AttomUnsettledError,
)
from leadflow_assets.sources.attom.limiter import MinuteLimiter
from leadflow_assets.sources.attom.prices import Prices
from leadflow_assets.sources.attom.purchase import Answers, Charges, Purchase
from leadflow_assets.sources.http import read_limited, retry_after, typed_errors

ATTEMPTS = 4
TIMEOUT_SECONDS = 30.0
BODY_SECONDS = 60.0
MAX_BODY_BYTES = 8 << 20
# Longer waits are not slept through: the caller ends, and goes on when it is called again.
PATIENCE_SECONDS = 120.0
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@dataclass(frozen=True)
class _Received:
    """One answer as it came."""

    http_status: int
    content_type: str
    body: bytes
    retry_after: float | None


class _NotSentError(Exception):
    """The vendor cannot have seen the call."""

    def __init__(self, error: LeadflowError) -> None:
        super().__init__(str(error))
        self.error = error


class AttomClient:
    """One client for all threads of a process. ``key`` None: kept answers only."""

    def __init__(
        self,
        key: str | None,
        *,
        charges: Charges,
        answers: Answers,
        limiter: MinuteLimiter,
        prices: Prices,
        http: httpx.Client,
        base_url: str = BASE_URL,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._key = key.strip() if key else None
        self._charges = charges
        self._answers = answers
        self._limiter = limiter
        self._prices = prices
        self._http = http
        self._base_url = base_url.rstrip("/")
        self._sleep = sleep
        self._outside_plan: set[str] = set()

    def profile(self, query: PropertyQuery, *, batch_id: str | None = None) -> list[Answer]:
        """The profile of a property: one expandedprofile, or where the contract has none, detail and
        assessment/detail, each billed for itself.

        Raises:
            AttomPlanError: the contract has none of the three. Others as :meth:`ask`.
        """
        if EXPANDED_PROFILE.name not in self._outside_plan:
            try:
                return [self.ask(EXPANDED_PROFILE, query, batch_id=batch_id)]
            except AttomPlanError:
                self._outside_plan.add(EXPANDED_PROFILE.name)
        answers: list[Answer] = []
        missing: AttomPlanError | None = None
        for endpoint in (DETAIL, ASSESSMENT_DETAIL):
            try:
                answer = self.ask(endpoint, query, batch_id=batch_id)
            except AttomPlanError as error:
                missing = error
                continue
            answers.append(answer)
            if answer.outcome != "returned":
                break
            if answer.attom_id is not None:
                query = replace(query, attom_id=answer.attom_id)
        if not answers and missing is not None:
            raise missing
        return answers

    def ask(self, endpoint: Endpoint, query: PropertyQuery, *, batch_id: str | None = None) -> Answer:
        """What the endpoint says of the property, by the best of its names that ATTOM knows.

        "No match" is an answer, as are several properties, another property and an unreadable body; their
        ``outcome`` and ``reason`` tell. A kept answer costs nothing.

        Raises:
            NotConfiguredError: no key, or ATTOM does not accept it (AttomKeyError).
            BudgetReachedError: our cap, or the contract's (AttomQuotaError). Nothing was sent.
            AttomPlanError: the contract lacks the endpoint.
            AttomThrottledError, AttomUnavailableError: it did not work now; nothing was billed.
            AttomUnsettledError: the call broke off; it may have been billed and is not sent again.
            UsageError: the property cannot be named to the endpoint.
        """
        names = identities(endpoint, query)
        kept = self._answers.find(endpoint, names)
        if kept is not None and kept.outcome != "no_match":
            return kept
        answer = None
        for name in names:
            # Where nothing was kept under any name, there is no need to look for each.
            answer = self._answers.find(endpoint, [name]) if kept is not None else None
            answer = answer or self._buy(endpoint, name, batch_id)
            if answer.outcome != "no_match":
                break
        assert answer is not None
        return answer

    def _buy(self, endpoint: Endpoint, name: Identity, batch_id: str | None) -> Answer:
        headers = self._headers()
        charge = self._charges.reserve(
            endpoint.name,
            request_hash(endpoint, name),
            units=endpoint.most_reports,
            price_cents=self._prices.cents(endpoint.name),
            batch_id=batch_id,
        )
        purchase = Purchase(self._charges, charge)
        try:
            # Another process may have bought it between our look and our reservation.
            kept = self._answers.find(endpoint, [name])
            if kept is not None:
                purchase.release("answered meanwhile")
                return kept
            received = self._send(endpoint, name, headers, purchase)
            return self._read(endpoint, name, received, purchase)
        finally:
            purchase.close()

    def _headers(self) -> dict[str, str]:
        if not self._key:
            raise NotConfiguredError("ATTOM is not configured.", "Set ATTOM_API_KEY.")
        if not (self._key.isascii() and self._key.isprintable() and " " not in self._key):
            raise AttomKeyError("ATTOM_API_KEY holds characters no key has.", "Set ATTOM_API_KEY anew.")
        return {"apikey": self._key, "Accept": "application/json"}

    def _send(
        self, endpoint: Endpoint, name: Identity, headers: Mapping[str, str], purchase: Purchase
    ) -> _Received:
        """Send until there is an answer worth reading; every try takes a call of the minute."""
        pause_before, pause_after = 0.0, 0.0
        for attempt in range(1, ATTEMPTS + 1):
            self._sleep(pause_before)
            self._limiter.acquire()
            self._sleep(pause_after)
            purchase.sent()
            asked: float | None = None
            try:
                received = self._exchange(endpoint, name, headers)
            except _NotSentError as failure:
                problem: LeadflowError = failure.error
            else:
                problem = refusal(endpoint, received.http_status, _text(received.body))
                if not isinstance(problem, AttomThrottledError | AttomUnavailableError | AttomQuotaError):
                    return received
                asked = received.retry_after
            purchase.unsent()
            if isinstance(problem, AttomThrottledError):
                self._limiter.throttled(asked)
            if (
                isinstance(problem, AttomQuotaError)
                or attempt == ATTEMPTS
                or (asked or 0.0) > PATIENCE_SECONDS
            ):
                raise problem
            backoff = 0.5 * 2.0 ** (attempt - 1)
            if isinstance(problem, AttomThrottledError):
                # The limiter waits for :00; the second time somewhat longer, to get out of others' step.
                pause_before, pause_after = 0.0, backoff if attempt > 1 else 0.0
            else:
                pause_before, pause_after = max(backoff, asked or 0.0), 0.0
        raise AssertionError("the last attempt returns or raises")

    def _exchange(self, endpoint: Endpoint, name: Identity, headers: Mapping[str, str]) -> _Received:
        """One call. Redirects are not followed: the key would go with them."""
        url = self._base_url + endpoint.path
        try:
            # The cause of an error may quote the query, which holds an address: every one is cut off.
            with typed_errors(url):
                request = self._http.build_request(
                    "GET",
                    url,
                    params=parameters(endpoint, name),
                    headers=dict(headers),
                    timeout=TIMEOUT_SECONDS,
                )
        except SourceAnswerError as error:
            raise _NotSentError(AttomUnavailableError(error.message, "Check LEADFLOW_ATTOM_URL.")) from None
        try:
            response = self._http.send(request, stream=True, follow_redirects=False)
        except (*_NEVER_SENT, httpx.UnsupportedProtocol) as error:
            shown = f"ATTOM cannot be reached ({type(error).__name__})."
            hint = "Check the network, or try again later; nothing was billed."
            raise _NotSentError(AttomUnavailableError(shown, hint)) from None
        except httpx.HTTPError as error:
            raise self._broke_off(endpoint, type(error).__name__) from None
        try:
            body = read_limited(response, max_bytes=MAX_BODY_BYTES, seconds=BODY_SECONDS)
        except LeadflowError as error:
            if response.status_code == 200:
                raise self._broke_off(endpoint, type(error.__cause__ or error).__name__) from None
            body = b""
        finally:
            response.close()
        content_type = response.headers.get("Content-Type", "")
        return _Received(response.status_code, content_type, body, retry_after(response))

    def _broke_off(self, endpoint: Endpoint, how: str) -> AttomUnsettledError:
        return AttomUnsettledError(
            f"The call of ATTOM's {endpoint.name} broke off ({how}); it may have been billed.",
            "`leadflow spend` lists it as unknown; resolve it before it is sent again.",
        )

    def _read(self, endpoint: Endpoint, name: Identity, received: _Received, purchase: Purchase) -> Answer:
        body = _text(received.body)
        answer = Answer(
            request_id=purchase.charge_id,
            endpoint=endpoint.name,
            identity=name.key,
            request_hash=request_hash(endpoint, name),
            http_status=received.http_status,
            message=None,
            transaction_id=None,
            fetched_at=datetime.now(UTC),
            outcome="error",
            reason=None,
            reports=0,
            attom_id=None,
            content_type=received.content_type,
            body=body,
        )
        self._answers.archive(answer, name, received.body)
        try:
            answer = judged(endpoint, name, answer)
        except LeadflowError as error:
            purchase.release(type(error).__name__)
            raise
        # Found before settled: a crash between the two leaves an unknown charge whose answer is here.
        if answer.http_status == 200 or answer.outcome == "no_match":
            self._answers.keep(answer)
            purchase.settle(answer.reports, answer.reason)
        else:
            purchase.release(answer.reason)
        return answer


def judged(endpoint: Endpoint, name: Identity, answer: Answer) -> Answer:
    """An archived answer with its outcome. A 200 that cannot be read counts as billed in full.

    Raises:
        AttomKeyError, AttomPlanError: the refusal is not about this property.
    """
    try:
        verdict = judge(endpoint, name, answer.http_status, answer.body, answer.content_type)
    except AttomMalformedError:
        return replace(answer, outcome="error", reason="malformed", reports=endpoint.most_reports)
    except AttomRequestError:
        billed = endpoint.most_reports if answer.http_status == 200 else 0
        return replace(answer, outcome="error", reason="refused", reports=billed)
    return replace(answer, **vars(verdict))


def _text(body: bytes) -> str:
    return body.decode("utf-8-sig", errors="replace")
