"""Asking CourtListener: each call within the windows, each answer stripped and kept before it is read.

Nothing is asked twice in vain: only what passes by itself (no connection, 5xx, 429) is sent again, and every
try takes a call of the windows. The token goes to the configured address only, never where a link leads.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from leadflow_assets.domain.courts.identifiers import strip_body
from leadflow_assets.domain.courts.rows import BANKRUPTCY_INFORMATION
from leadflow_assets.errors import LeadflowError, NotConfiguredError, SourceAnswerError
from leadflow_assets.sources.courtlistener import paging, queries
from leadflow_assets.sources.courtlistener.answers import (
    About,
    Answer,
    Usage,
    maintenance_until,
    read_usage,
    refusal,
    wait_seconds,
)
from leadflow_assets.sources.courtlistener.errors import (
    CourtListenerAnswerError,
    CourtListenerBlockedError,
    CourtListenerMaintenanceError,
    CourtListenerThrottledError,
    CourtListenerTokenError,
    CourtListenerUnavailableError,
    clock,
)
from leadflow_assets.sources.courtlistener.limiter import CallLimiter
from leadflow_assets.sources.courtlistener.paging import DocketPage, KnownHit, SearchPage
from leadflow_assets.sources.courtlistener.queries import BASE_URL, Request, SearchQuery
from leadflow_assets.sources.http import page_kind, read_limited, retry_after, typed_errors

ATTEMPTS = 4
TIMEOUT_SECONDS = 60.0
BODY_SECONDS = 120.0
MAX_BODY_BYTES = 32 << 20
MOST_PARTY_PAGES = 10
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
# Answers worth keeping: what was asked for, and "there is none".
_KEPT = frozenset({200, 404})


@dataclass(frozen=True)
class _Received:
    """One answer as it came, its body stripped."""

    status: int
    body: str
    page: str | None
    retry_after: float | None


class _PassingError(Exception):
    """Worth another attempt."""

    def __init__(self, error: LeadflowError, *, counted: bool) -> None:
        super().__init__(str(error))
        self.error = error
        self.counted = counted


def _now() -> datetime:
    return datetime.now(UTC)


class CourtListenerClient:
    """One client of one account. ``keep`` is given every answer before it is read.

    ``kept`` gives an answer that is here already, by the hash of its question: that question is not sent.
    ``calls`` counts those that took a place in the windows; ``notes`` says what went wrong and was not
    needed, for people.
    """

    def __init__(
        self,
        token: str | None,
        *,
        limiter: CallLimiter,
        http: httpx.Client,
        keep: Callable[[Answer], None],
        kept: Callable[[str], Answer | None] | None = None,
        base_url: str = BASE_URL,
        avoid_maintenance: bool = True,
        now: Callable[[], datetime] = _now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._token = token.strip() if token else None
        self._limiter = limiter
        self._http = http
        self._keep = keep
        self._kept = kept
        self._base = base_url.rstrip("/")
        self._avoid_maintenance = avoid_maintenance
        self._now = now
        self._sleep = sleep
        self._synchronized = False
        self.calls = 0
        self.notes: list[str] = []

    def search(
        self, query: SearchQuery, *, is_known: KnownHit | None = None, most_pages: int | None = None
    ) -> Iterator[SearchPage]:
        """The pages of a search, newest filings first, until the last one.

        Ends early after ``most_pages`` pages, or when every hit of a page is known to ``is_known``. What a
        page repeats from an earlier one is not in its ``new``.

        Raises:
            NotConfiguredError: no token, a wrong one (CourtListenerTokenError), or a blocked account.
            CourtListenerBudgetError: the windows are full for long; what was yielded is kept.
            CourtListenerThrottledError, CourtListenerUnavailableError: it did not work now.
            CourtListenerAnswerError: the answer is not one, or a filter was ignored.
            CourtListenerPagingError: the pages lead in circles.
            CourtListenerPermissionError, CourtListenerQueryError, CourtListenerGoneError: as they say.
        """
        return paging.search_pages(self._fetch, self._base, query, is_known, most_pages)

    def new_dockets(
        self, court: str, created_after: date, *, below: int | None = None, most_pages: int | None = None
    ) -> Iterator[DocketPage]:
        """Dockets that CourtListener made since a day, newest first; ``below`` an id: only older ones.

        This finds those without a filing date, which no search by date does. Raises as :meth:`search`.
        """
        return paging.docket_pages(self._fetch, self._base, court, created_after, most_pages, below)

    def docket(self, about: About) -> Answer:
        """One docket. Raises as :meth:`search`, and CourtListenerNotFoundError."""
        return self._fetch(queries.docket_request(self._base, about.docket_id), about)

    def bankruptcy_information(self, about: About, url: str) -> Answer:
        """A docket's chapter, trustee and dates, by the URL that the docket gives.

        The endpoint's own ``?docket=`` is ignored by the vendor and therefore never sent. Raises as
        :meth:`docket`.
        """
        return self._fetch(Request(BANKRUPTCY_INFORMATION, url), about)

    def parties(self, about: About, *, most_pages: int = MOST_PARTY_PAGES) -> list[Answer]:
        """The parties of a docket with their addresses, one answer per page of 20.

        Raises as :meth:`docket`.
        """
        first = queries.parties_request(self._base, about.docket_id)
        return paging.party_pages(self._fetch, first, about, most_pages)

    def synchronize(self) -> Usage | None:
        """Take over what the vendor says was used; None, and a note, where it does not say.

        Costs no call. Done by itself before the first call.

        Raises:
            CourtListenerTokenError, CourtListenerBlockedError: no call can be made.
        """
        self._synchronized = True
        request = queries.usage_request(self._base)
        try:
            received = self._exchange(request)
            problem = refusal(request, received.status, received.body, received.page, self._now())
            if problem:
                raise problem
            usage = read_usage(_document(request, received))
        except (CourtListenerTokenError, CourtListenerBlockedError):
            raise
        except _PassingError as passing:
            self.notes.append(f"The calls used so far are our own count: {passing.error.message}")
            return None
        except LeadflowError as error:
            self.notes.append(f"The calls used so far are our own count: {error.message}")
            return None
        if usage.blocked or any(allowed == 0 for _, allowed in usage.windows.values()):
            hint = "Write to Free Law Project (free.law/contact)."
            raise CourtListenerBlockedError("CourtListener says that the account is blocked.", hint)
        self._limiter.correct(usage.windows)
        return usage

    def _fetch(self, request: Request, about: About | None = None) -> Answer:
        """One answer that is worth reading, kept already."""
        self._check_target(request.url)
        here = self._kept(request.hash) if self._kept is not None else None
        if here is not None and here.http_status == 200:
            return here
        self._headers()
        self._avoid_the_maintenance()
        if not self._synchronized:
            self.synchronize()
        received = self._send(request)
        answer = Answer(
            endpoint=request.endpoint,
            request_hash=request.hash,
            http_status=received.status,
            fetched_at=self._now(),
            body=received.body,
            about=about,
        )
        problem = refusal(request, received.status, received.body, received.page, self._now())
        if received.status in _KEPT and received.page is None:
            _document(request, received)
            self._keep(answer)
        if problem:
            raise problem
        return answer

    def _send(self, request: Request) -> _Received:
        """Send until there is an answer that does not pass by itself."""
        for attempt in range(1, ATTEMPTS + 1):
            self._avoid_the_maintenance()
            call_id = self._limiter.acquire()
            try:
                received = self._exchange(request)
                problem = refusal(request, received.status, received.body, received.page, self._now())
            except _PassingError as passing:
                problem, received = passing.error, None
                if passing.counted:
                    self.calls += 1
                else:
                    self._limiter.forget(call_id)
            else:
                if isinstance(problem, CourtListenerThrottledError | CourtListenerBlockedError):
                    self._limiter.forget(call_id)
                else:
                    self._limiter.answered(call_id)
                    self.calls += 1
            if received is not None and isinstance(problem, CourtListenerThrottledError):
                self._throttled(received)
            elif received is not None and not isinstance(problem, CourtListenerUnavailableError):
                return received
            if attempt == ATTEMPTS or (received is not None and received.status == 200):
                assert problem is not None
                raise problem
            if not isinstance(problem, CourtListenerThrottledError):
                self._sleep(self._backoff(attempt, received))
        raise AssertionError("the last attempt returns or raises")

    def _throttled(self, received: _Received) -> None:
        """Learn what others used with the same token, and let everyone wait as asked."""
        try:
            self.synchronize()
        finally:
            self._limiter.throttled(wait_seconds(received.body, received.retry_after))

    def _backoff(self, attempt: int, received: _Received | None) -> float:
        asked = (received.retry_after if received else None) or 0.0
        if asked > 60.0:
            raise CourtListenerUnavailableError(
                f"CourtListener asks to wait {asked:.0f} s.", "Try again later; what is here stays."
            )
        return max(2.0**attempt + random.uniform(0.0, 0.5), asked)

    def _avoid_the_maintenance(self) -> None:
        until = maintenance_until(self._now()) if self._avoid_maintenance else None
        if until is not None:
            raise CourtListenerMaintenanceError(
                f"CourtListener is under its weekly maintenance until {clock(until)}.",
                "Nothing was sent. Run the same command again then.",
            )

    def _exchange(self, request: Request) -> _Received:
        """One call. Redirects are not followed: the token would go with them."""
        try:
            with typed_errors(request.url):
                made = self._http.build_request(
                    "GET",
                    request.url,
                    params=list(request.parameters) or None,
                    headers=self._headers(),
                    timeout=TIMEOUT_SECONDS,
                )
        except SourceAnswerError as error:
            raise CourtListenerAnswerError(error.message, "Check LEADFLOW_COURTLISTENER_URL.") from None
        try:
            response = self._http.send(made, stream=True, follow_redirects=False)
        except (*_NEVER_SENT, httpx.UnsupportedProtocol) as error:
            raise _PassingError(_unreachable(request, error), counted=False) from None
        except httpx.HTTPError as error:
            raise _PassingError(_unreachable(request, error), counted=True) from None
        try:
            body = read_limited(response, max_bytes=MAX_BODY_BYTES, seconds=BODY_SECONDS)
        except SourceAnswerError as error:
            raise CourtListenerAnswerError(error.message, "") from None
        except LeadflowError as error:
            raise _PassingError(_unreachable(request, error), counted=True) from None
        finally:
            response.close()
        page = page_kind(body[:400], response.headers.get("Content-Type", ""))
        # From here on no identifier is left in what we hold.
        text = "" if page else strip_body(body).decode("utf-8")
        return _Received(response.status_code, text, page, retry_after(response))

    def _headers(self) -> dict[str, str]:
        if not self._token:
            raise NotConfiguredError("CourtListener is not configured.", "Set COURTLISTENER_API_KEY.")
        if not (self._token.isascii() and self._token.isprintable() and " " not in self._token):
            hint = "Set COURTLISTENER_API_KEY anew."
            raise CourtListenerTokenError("COURTLISTENER_API_KEY holds characters no token has.", hint)
        return {"Authorization": f"Token {self._token}", "Accept": "application/json"}

    def _check_target(self, url: str) -> None:
        """Refuse to send the token anywhere but to the configured address.

        Raises:
            CourtListenerAnswerError: a link of an answer leads elsewhere.
        """
        ours, theirs = urlsplit(self._base.lower()), urlsplit(url.lower())
        if (ours.scheme, ours.netloc) != (theirs.scheme, theirs.netloc):
            shown = theirs.hostname or "nowhere"
            raise CourtListenerAnswerError(
                f"CourtListener gave a link to {shown}, which is not its address.",
                "Nothing was sent there. Check LEADFLOW_COURTLISTENER_URL.",
            )


def _document(request: Request, received: _Received) -> Any:
    """The body as JSON.

    Raises:
        CourtListenerAnswerError: it is not JSON, or not an object.
    """
    answer = Answer(request.endpoint, request.hash, received.status, _now(), received.body)
    return paging.document_of(answer)


def _unreachable(request: Request, error: Exception) -> CourtListenerUnavailableError:
    how = type(error.__cause__ or error).__name__
    return CourtListenerUnavailableError(
        f"CourtListener's {request.endpoint} cannot be reached ({how}).",
        "Check the network, or try again later; what is here stays.",
    )
