"""What may be asked: the documented parameters of each endpoint, and a check that search obeyed them.

The database endpoints answer 400 to a parameter they do not know; search ignores it and answers something
else, so its hits are compared with the question.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from leadflow_assets.domain.courts.model import is_court_id
from leadflow_assets.domain.courts.rows import BANKRUPTCY_INFORMATION, DOCKETS, PARTIES, SEARCH
from leadflow_assets.errors import UsageError
from leadflow_assets.sources.courtlistener.values import as_date, as_int, as_text

BASE_URL = "https://www.courtlistener.com/api/rest/v4"
API_USAGE = "api-usage"
# Endpoint -> parameters that it documents and that are sent by us.
PARAMETERS: Mapping[str, frozenset[str]] = {
    SEARCH: frozenset(
        {
            "type",
            "court",
            "filed_after",
            "filed_before",
            "nature_of_suit",
            "party_name",
            "docket_number",
            "order_by",
        }
    ),
    DOCKETS: frozenset({"court", "date_created__gte", "id__lt", "order_by"}),
    PARTIES: frozenset({"docket", "filter_nested_results"}),
    BANKRUPTCY_INFORMATION: frozenset(),
    API_USAGE: frozenset(),
}


@dataclass(frozen=True)
class Request:
    """One GET: the endpoint's name, its URL and the parameters, or a whole URL that an answer gave."""

    endpoint: str
    url: str
    parameters: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        unknown = {name for name, _ in self.parameters} - PARAMETERS[self.endpoint]
        if unknown:
            raise UsageError(f"CourtListener's {self.endpoint} documents no {', '.join(sorted(unknown))}.")

    @property
    def hash(self) -> str:
        """Names the question, equal for equal ones whatever the order of the parameters; SHA-256, hex."""
        parts = urlsplit(self.url)
        asked = sorted([*parse_qsl(parts.query, keep_blank_values=True), *self.parameters])
        return hashlib.sha256(f"{parts.path}?{urlencode(asked)}".encode()).hexdigest()


@dataclass(frozen=True)
class SearchQuery:
    """Dockets of some courts, newest first (``type=r``). Days are inclusive.

    ``nature_of_suit`` and ``party_name`` are matched by words.

    Raises:
        UsageError: no court, something that is no court id, or a range that ends before it begins.
    """

    courts: tuple[str, ...]
    filed_after: date | None = None
    filed_before: date | None = None
    nature_of_suit: str | None = None
    party_name: str | None = None
    docket_number: str | None = None

    def __post_init__(self) -> None:
        wrong = [court for court in self.courts if not is_court_id(court)]
        if wrong or not self.courts:
            shown = f"{wrong[0]!r} is no court id" if wrong else "no court is named"
            raise UsageError(f"CourtListener cannot be searched: {shown}.", "Court ids look like mab, mad.")
        if self.filed_after and self.filed_before and self.filed_after > self.filed_before:
            raise UsageError(f"The range ends ({self.filed_before}) before it begins ({self.filed_after}).")

    def parameters(self) -> tuple[tuple[str, str], ...]:
        """As they are sent."""
        given = {
            "type": "r",
            "court": " ".join(self.courts),
            "filed_after": self.filed_after.isoformat() if self.filed_after else None,
            "filed_before": self.filed_before.isoformat() if self.filed_before else None,
            "nature_of_suit": self.nature_of_suit,
            "party_name": self.party_name,
            "docket_number": self.docket_number,
            "order_by": "dateFiled desc",
        }
        return tuple((name, value) for name, value in given.items() if value)

    def until(self, last: date) -> SearchQuery:
        """The same question from that day backwards: to go on where a cursor was lost."""
        return replace(self, filed_before=last)

    def ignored_by(self, hits: Sequence[Mapping[str, Any]]) -> str | None:
        """The filter that a hit breaks, None if none does. What a hit does not say is not judged."""
        for hit in hits:
            court, filed = as_text(hit.get("court_id")), as_date(hit.get("dateFiled"))
            if court and court not in self.courts:
                return "court"
            if filed and self.filed_after and filed < self.filed_after:
                return "filed_after"
            if filed and self.filed_before and filed > self.filed_before:
                return "filed_before"
            nature = as_text(hit.get("suitNature"))
            if self.nature_of_suit and nature and not _shares_a_word(self.nature_of_suit, nature):
                return "nature_of_suit"
            if as_int(hit.get("docket_id")) is None and ("cluster_id" in hit or "opinions" in hit):
                return "type"
        return None


def _shares_a_word(asked: str, found: str) -> bool:
    # Search compares stems: the first letters must do.
    stems = [{word[:5] for word in re.findall(r"[a-z0-9]+", text.lower())} for text in (asked, found)]
    return bool(stems[0] & stems[1])


def search_request(base: str, query: SearchQuery) -> Request:
    """The first page of a search."""
    return Request(SEARCH, f"{base}/search/", query.parameters())


def dockets_request(base: str, court: str, created_after: date, below: int | None = None) -> Request:
    """Dockets that CourtListener made since a day, newest first, those without a filing date included."""
    parameters = [("court", court), ("date_created__gte", created_after.isoformat()), ("order_by", "-id")]
    if below is not None:
        parameters.append(("id__lt", str(below)))
    return Request(DOCKETS, f"{base}/dockets/", tuple(parameters))


def docket_request(base: str, docket_id: int) -> Request:
    """One docket."""
    return Request(DOCKETS, f"{base}/dockets/{docket_id}/")


def parties_request(base: str, docket_id: int) -> Request:
    """The parties of one docket, without what they have to do with other dockets."""
    asked = (("docket", str(docket_id)), ("filter_nested_results", "True"))
    return Request(PARTIES, f"{base}/parties/", asked)


def usage_request(base: str) -> Request:
    """What the account has used; costs no call."""
    return Request(API_USAGE, f"{base}/api-usage/")
