"""From page to page: following links as they are given, and what to do when they lead nowhere.

A cursor can expire, a page can come twice, a docket can stand on two pages, a link can lead back. None of
that loses or repeats a case: the query is started again from the last day seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from leadflow_assets.domain.courts.model import docket_number_key
from leadflow_assets.domain.courts.rows import DOCKETS, PARTIES, SEARCH
from leadflow_assets.sources.courtlistener import queries
from leadflow_assets.sources.courtlistener.answers import About, Answer
from leadflow_assets.sources.courtlistener.errors import (
    CourtListenerAnswerError,
    CourtListenerCursorError,
    CourtListenerPagingError,
)
from leadflow_assets.sources.courtlistener.queries import Request, SearchQuery
from leadflow_assets.sources.courtlistener.values import as_date, as_int, as_items, as_text

MOST_RESTARTS = 5
Hit = Mapping[str, Any]
KnownHit = Callable[[Hit], bool]


class Fetch(Protocol):
    """Send one request and return its answer."""

    def __call__(self, request: Request, about: About | None = None) -> Answer:
        """See :class:`leadflow_assets.sources.courtlistener.client.CourtListenerClient`."""


@dataclass(frozen=True)
class SearchPage:
    """One page of a search. ``hits`` is all of it, ``new`` what no earlier page of this walk had.

    ``total`` is the vendor's count, an estimate when it is large.
    """

    answer: Answer
    hits: tuple[Hit, ...]
    new: tuple[Hit, ...]
    total: int | None


@dataclass(frozen=True)
class DocketPage:
    """One page of dockets."""

    answer: Answer
    dockets: tuple[Hit, ...]


def document_of(answer: Answer) -> dict[str, Any]:
    """The body as an object.

    Raises:
        CourtListenerAnswerError: it is not JSON, or not an object.
    """
    try:
        found = answer.document
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise CourtListenerAnswerError(
            f"CourtListener's {answer.endpoint} sent something that is not its JSON.",
            "Check LEADFLOW_COURTLISTENER_URL.",
        )
    return found


def results_of(answer: Answer) -> tuple[list[dict[str, Any]], str | None, int | None]:
    """The results of a page, the link to the next one, and the count where it is a number.

    Raises:
        CourtListenerAnswerError: it is no page.
    """
    document = document_of(answer)
    results, following = document.get("results"), document.get("next")
    if not isinstance(results, list) or not isinstance(following, str | None):
        raise CourtListenerAnswerError(f"CourtListener's {answer.endpoint} sent no page of results.", "")
    return as_items(results), following or None, as_int(document.get("count"))


@dataclass
class _Trail:
    """Where a walk has been since it was last started."""

    links: set[str] = field(default_factory=set)
    pages: set[tuple[Any, ...]] = field(default_factory=set)
    repeated: int = 0

    def leads_back(self, ids: tuple[Any, ...], following: str | None) -> bool:
        """Is the link known, or did pages that were there before come back twice in a row?"""
        self.repeated = self.repeated + 1 if ids and ids in self.pages else 0
        self.pages.add(ids)
        known = following in self.links
        if following:
            self.links.add(following)
        return following is not None and (known or self.repeated > 1)


def search_pages(
    fetch: Fetch, base: str, query: SearchQuery, is_known: KnownHit | None, most_pages: int | None
) -> Iterator[SearchPage]:
    """See :meth:`CourtListenerClient.search`."""
    seen = _Seen()
    asked, trail = query, _Trail()
    request, fetched, restarts, since_restart = queries.search_request(base, asked), 0, 0, 0
    last: date | None = None
    while most_pages is None or fetched < most_pages:
        lost = False
        try:
            answer = fetch(request)
        except CourtListenerCursorError:
            lost, following = True, None
        else:
            fetched += 1
            hits, following, total = results_of(answer)
            _check(asked, hits)
            new = seen.add(hits)
            since_restart += len(new)
            yield SearchPage(answer, tuple(hits), tuple(new), total)
            if is_known is not None and hits and all(is_known(hit) for hit in hits):
                return
            days = [day for hit in hits if (day := as_date(hit.get("dateFiled")))]
            last = min([*days, *([last] if last else [])], default=None)
            lost = trail.leads_back(tuple(_ids(hits)), following)
        if not lost:
            if following is None:
                return
            request = Request(SEARCH, following)
            continue
        if (restarts and not since_restart) or restarts == MOST_RESTARTS or (last is None and restarts):
            raise _in_circles(SEARCH)
        restarts, since_restart, trail = restarts + 1, 0, _Trail()
        asked = query.until(last) if last else query
        request = queries.search_request(base, asked)


def docket_pages(
    fetch: Fetch,
    base: str,
    court: str,
    created_after: date,
    most_pages: int | None,
    below: int | None = None,
) -> Iterator[DocketPage]:
    """See :meth:`CourtListenerClient.new_dockets`."""
    request = queries.dockets_request(base, court, created_after, below)
    lowest: int | None = below
    trail, fetched, restarted_at = _Trail(), 0, None
    while most_pages is None or fetched < most_pages:
        try:
            answer = fetch(request)
        except CourtListenerCursorError:
            lost, following = True, None
        else:
            fetched += 1
            dockets, following, _ = results_of(answer)
            _check_court(court, dockets)
            yield DocketPage(answer, tuple(dockets))
            ids = [number for docket in dockets if (number := as_int(docket.get("id"))) is not None]
            lowest = min([*ids, *([lowest] if lowest is not None else [])], default=None)
            lost = trail.leads_back(tuple(ids), following)
        if not lost:
            if following is None:
                return
            request = Request(DOCKETS, following)
            continue
        if lowest is None or lowest == restarted_at:
            raise _in_circles(DOCKETS)
        restarted_at, trail = lowest, _Trail()
        request = queries.dockets_request(base, court, created_after, below=lowest)


def party_pages(fetch: Fetch, first: Request, about: About, most_pages: int) -> list[Answer]:
    """See :meth:`CourtListenerClient.parties`."""
    answers: list[Answer] = []
    request, trail = first, _Trail()
    while len(answers) < most_pages:
        answer = fetch(request, about)
        results, following, _ = results_of(answer)
        answers.append(answer)
        if trail.leads_back(tuple(as_int(party.get("id")) for party in results), following):
            raise _in_circles(PARTIES)
        if following is None:
            break
        request = Request(PARTIES, following)
    return answers


class _Seen:
    """Dockets of this walk: by CourtListener's id, and by court and number."""

    def __init__(self) -> None:
        self._ids: set[int] = set()
        self._numbers: set[tuple[str, str]] = set()

    def add(self, hits: Sequence[Hit]) -> list[Hit]:
        """The hits that were not seen before."""
        new = []
        for hit in hits:
            docket_id, court = as_int(hit.get("docket_id")), as_text(hit.get("court_id")) or ""
            key = docket_number_key(court, as_text(hit.get("docketNumber")))
            known = docket_id in self._ids or (key is not None and (court, key) in self._numbers)
            if docket_id is not None:
                self._ids.add(docket_id)
            if key is not None:
                self._numbers.add((court, key))
            if not known:
                new.append(hit)
        return new


def _ids(hits: Sequence[Hit]) -> Iterator[object]:
    return (as_int(hit.get("docket_id")) for hit in hits)


def _check(query: SearchQuery, hits: Sequence[Hit]) -> None:
    ignored = query.ignored_by(hits)
    if ignored:
        raise CourtListenerAnswerError(
            f"CourtListener's search ignored the filter {ignored}: a hit is not what was asked for.",
            "Nothing of that page is used. The API may have changed: update leadflow.",
        )


def _check_court(court: str, dockets: Sequence[Hit]) -> None:
    if any(found and found != court for docket in dockets if (found := as_text(docket.get("court_id")))):
        raise CourtListenerAnswerError(
            "CourtListener's dockets ignored the filter court: a docket is of another one.",
            "Nothing of that page is used. The API may have changed: update leadflow.",
        )


def _in_circles(endpoint: str) -> CourtListenerPagingError:
    return CourtListenerPagingError(
        f"CourtListener's {endpoint} leads from page to page without an end.",
        "What was read is kept. Try again later, or ask for fewer days.",
    )
