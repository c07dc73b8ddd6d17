"""What an answer is: found, not found, more than one, or no answer at all.

ATTOM's HTTP status and ``code`` do not tell: "no match" comes as 400 as often as 200. ``status.msg`` does.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from leadflow_assets.errors import LeadflowError
from leadflow_assets.sources.attom.endpoints import Endpoint, Identity
from leadflow_assets.sources.attom.errors import (
    AttomKeyError,
    AttomMalformedError,
    AttomPlanError,
    AttomQuotaError,
    AttomRequestError,
    AttomThrottledError,
    AttomUnavailableError,
)
from leadflow_assets.sources.attom.keys import Keys, plain_key
from leadflow_assets.sources.http import page_kind

Outcome = Literal["returned", "no_match", "ambiguous", "error", "pending"]
OUTCOMES: tuple[Outcome, ...] = ("returned", "no_match", "ambiguous", "error", "pending")

_FOUND = "successwithresult"
_NOT_FOUND = "successwithoutresult"
# Assumed: no body of an exhausted contract has been seen. Words that cannot mean the minute's limit.
_QUOTA = re.compile(r"quota|monthly|per month|plan limit|over_rate", re.IGNORECASE)
_UNIT = re.compile(r"(?:\b(?:UNIT|APT|STE|SUITE|APARTMENT)\b|#)\W*([0-9A-Z-]+)")
_HOUSE_NUMBER = re.compile(r"\s*(\d+)")
_ZIP = re.compile(r"\b(\d{5})(?:-\d{4})?\s*$")


@dataclass(frozen=True)
class Answer:
    """What ATTOM said to one request, as it was kept. ``body`` is the text as sent.

    ``request_id`` is ours, of the ledger and the archive; ``reports`` what was billed for it when it was
    fetched; ``reason`` says why an answer is ambiguous or no match for what was asked.
    """

    request_id: str
    endpoint: str
    identity: str
    request_hash: str
    http_status: int
    message: str | None
    transaction_id: str | None
    fetched_at: datetime
    outcome: Outcome
    reason: str | None
    reports: int
    attom_id: int | None
    content_type: str
    body: str
    from_cache: bool = False

    @property
    def document(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Verdict:
    """What a body says: how it ended, what it costs, and of which property it is."""

    outcome: Outcome
    reason: str | None
    reports: int
    message: str | None
    transaction_id: str | None
    attom_id: int | None


def judge(
    endpoint: Endpoint, identity: Identity, http_status: int, body: str, content_type: str = ""
) -> Verdict:
    """Read an answer's envelope and decide what it is.

    Raises:
        AttomKeyError, AttomPlanError, AttomQuotaError, AttomThrottledError, AttomUnavailableError,
        AttomRequestError: by status. AttomMalformedError: a 200 that is not ATTOM's format.
    """
    document = _parsed(body)
    keys = Keys(document)
    status = keys.child("status", "response.status")
    message = status.text("msg", "message")
    word = plain_key(message or "")
    if word == _NOT_FOUND:
        return Verdict("no_match", None, 0, message, status.text("transactionID"), None)
    if http_status != 200:
        raise refusal(endpoint, http_status, body)
    if document is None:
        raise _malformed(endpoint, page_kind(body[:400].encode(), content_type) or "text that is not JSON")
    if word and word != _FOUND:
        raise AttomRequestError(f"ATTOM's {endpoint.name} answered 200 without a result it names.", _KEPT)
    properties = found_properties(document)
    if not properties:
        if word == _FOUND and keys.holds("property", "PreforeclosureDetails"):
            return Verdict("no_match", "empty", 0, message, status.text("transactionID"), None)
        raise _malformed(endpoint, "JSON without a status or a property")
    total = status.integer("total") or len(properties)
    outcome, reason = _match(identity, properties, max(total, len(properties)))
    attom_id = _attom_id(properties[0]) if outcome == "returned" else None
    return Verdict(outcome, reason, len(properties), message, status.text("transactionID"), attom_id)


_KEPT = "The answer is kept in the archive; see `leadflow spend`."


def found_properties(document: Any) -> list[Keys]:
    """The properties of an answer; preforeclosuredetails has one, at the root or under ``property``."""
    keys = Keys(document)
    if keys.holds("PreforeclosureDetails", "property.PreforeclosureDetails"):
        return keys.children("PreforeclosureDetails", "property.PreforeclosureDetails")
    found = keys.children("property")
    return [entry.child("PreforeclosureDetails") or entry for entry in found]


def refusal(endpoint: Endpoint, http_status: int, body: str) -> LeadflowError:
    """The error that a status other than 200 stands for."""
    said = f"ATTOM's {endpoint.name} answered {http_status}"
    if http_status == 401:
        return AttomKeyError(f"{said}: the key is not accepted.", "Set ATTOM_API_KEY to a valid key.")
    if http_status in (403, 429) and _QUOTA.search(body):
        hint = "It starts again with the next calendar month (UTC), or with a larger contract."
        return AttomQuotaError(f"{said}: the contract's quota is used up.", hint)
    if http_status == 403:
        return AttomPlanError(f"{said}: it is not part of the contract.", "Ask ATTOM to add it.")
    if http_status == 429:
        hint = "Others may use the same key: lower LEADFLOW_ATTOM_CALLS_PER_MINUTE, or try again later."
        return AttomThrottledError(f"{said}: too many calls.", hint)
    if http_status == 408 or http_status >= 500:
        return AttomUnavailableError(f"{said}.", "Nothing was billed; try again later.")
    return AttomRequestError(f"{said}: it refuses the request.", _KEPT)


def _malformed(endpoint: Endpoint, what: str) -> AttomMalformedError:
    return AttomMalformedError(f"ATTOM's {endpoint.name} answered 200 with {what}.", _KEPT)


def _parsed(body: str) -> Any:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _attom_id(found: Keys) -> int | None:
    return found.integer("identifier.attomId", "identifier.Id", "PropertyIdentification.ATTOMID")


def _match(identity: Identity, properties: list[Keys], total: int) -> tuple[Outcome, str | None]:
    """Is it the property that was asked for? A doubt makes it ambiguous, a contradiction an error."""
    if total > 1:
        return "ambiguous", "several_properties"
    found = properties[0]
    asked = Keys(identity.parameters)
    if identity.kind == "attom_id":
        answered = _attom_id(found)
        wrong = answered is not None and answered != int(next(iter(identity.parameters.values())))
        return ("error", "another_property") if wrong else ("returned", None)
    if identity.kind == "parcel":
        pairs = ((asked.text(key), found.text(f"identifier.{key}")) for key in ("fips", "apn"))
        wrong = any(a and b and plain_key(a) != plain_key(b) for a, b in pairs)
        return ("error", "another_property") if wrong else ("returned", None)
    return _match_address(" ".join(identity.parameters.values()), found)


def _match_address(asked: str, found: Keys) -> tuple[Outcome, str | None]:
    line1, postal = found.text("address.line1"), found.text("address.postal1")
    if line1:
        numbers = (_HOUSE_NUMBER.match(asked), _HOUSE_NUMBER.match(line1))
        if all(numbers) and len({int(number[1]) for number in numbers if number}) > 1:
            return "error", "another_property"
    zip_code = _ZIP.search(asked)
    if zip_code and postal and postal[:5] != zip_code[1]:
        return "ambiguous", "another_zip"
    if line1 and _unit(asked) != _unit(line1):
        return "ambiguous", "another_unit"
    match_code = found.text("address.matchCode")
    if match_code and not match_code.lower().startswith("exa"):
        return "ambiguous", "weak_match"
    return "returned", None


def _unit(line: str) -> str | None:
    found = _UNIT.search(line.upper())
    return found[1].lstrip("0") if found else None
