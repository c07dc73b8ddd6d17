"""What an answer is once it is safe to keep, and what each refusal means."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from leadflow_assets.errors import LeadflowError
from leadflow_assets.sources.courtlistener.errors import (
    CourtListenerAnswerError,
    CourtListenerBlockedError,
    CourtListenerCursorError,
    CourtListenerGoneError,
    CourtListenerMaintenanceError,
    CourtListenerNotFoundError,
    CourtListenerPermissionError,
    CourtListenerQueryError,
    CourtListenerThrottledError,
    CourtListenerTokenError,
    CourtListenerUnavailableError,
)
from leadflow_assets.sources.courtlistener.queries import Request
from leadflow_assets.sources.courtlistener.values import as_int, as_items, as_text

# Weekly maintenance (facts/courtlistener §2); its first minutes belong to it.
_PACIFIC = ZoneInfo("America/Los_Angeles")
_THURSDAY = 3
_MAINTENANCE_BEGINS, _MAINTENANCE_LASTS = time(21, 0), timedelta(hours=3)
_UNKNOWN_WAIT = 60.0
_SECONDS = re.compile(r"available in ([\d,]+) second", re.IGNORECASE)
_RATE = re.compile(r"Rate limit exceeded:\s*(\d+)\s*/\s*(\w+)", re.IGNORECASE)
_SETTING = "Check LEADFLOW_COURTLISTENER_URL."
# Their windows by length; scopes of other counters are left out.
_OTHER_SCOPES = re.compile(r"usage|recap|citation|tag|anon", re.IGNORECASE)


@dataclass(frozen=True)
class About:
    """The docket a question was about, where it was about one: enough to keep its answer in its place."""

    court: str
    docket_id: int
    date_filed: date | None = None


@dataclass(frozen=True)
class Answer:
    """What CourtListener said, with identifiers stripped: safe to keep. ``body`` is JSON text."""

    endpoint: str
    request_hash: str
    http_status: int
    fetched_at: datetime
    body: str
    about: About | None = None

    @property
    def document(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Usage:
    """What the account has used: used and allowed calls by length of window. ``blocked``: no call at all."""

    windows: Mapping[timedelta, tuple[int, int]]
    blocked: bool


def read_usage(document: Any) -> Usage:
    """``/api-usage/`` as an object.

    Raises:
        CourtListenerAnswerError: it is not of that form.
    """
    entries = as_items(document.get("current_usage") if isinstance(document, dict) else None)
    windows: dict[timedelta, tuple[int, int]] = {}
    blocked = False
    for entry in sorted(entries, key=lambda one: as_text(one.get("scope")) == "user"):
        if _OTHER_SCOPES.search(as_text(entry.get("scope")) or ""):
            continue
        seconds, used, limit = (as_int(entry.get(name)) for name in ("window_seconds", "used", "limit"))
        blocked = blocked or entry.get("blocked") is True
        if seconds and used is not None and limit is not None and min(seconds, used, limit) >= 0:
            windows[timedelta(seconds=seconds)] = (used, limit)
    if not windows and not blocked:
        raise CourtListenerAnswerError("CourtListener's api-usage answered without any window.")
    return Usage(windows, blocked)


def maintenance_until(now: datetime) -> datetime | None:
    """When the weekly maintenance that ``now`` lies in ends; None outside of it."""
    local = now.astimezone(_PACIFIC)
    begins = datetime.combine(local.date(), _MAINTENANCE_BEGINS, _PACIFIC)
    if local.weekday() != _THURSDAY or local < begins:
        return None
    return begins + _MAINTENANCE_LASTS


def detail(body: str) -> str:
    """The ``detail`` of an error's body; empty where there is none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    return (as_text(found.get("detail")) or "") if isinstance(found, dict) else ""


def wait_seconds(body: str, retry_after: float | None) -> float:
    """How long a 429 asks to wait: its header, else its words, else a minute."""
    if retry_after is not None:
        return max(retry_after, 1.0)
    found = _SECONDS.search(detail(body))
    return max(float(found[1].replace(",", "")), 1.0) if found else _UNKNOWN_WAIT


def refusal(
    request: Request, status: int, body: str, page: str | None, now: datetime
) -> LeadflowError | None:
    """The error that a status stands for; None for 200. ``page`` names an HTML or XML body."""
    said = f"CourtListener's {request.endpoint} answered {status}"
    words = detail(body)
    if status == 200:
        return _page_error(said, page, now) if page else None
    if status == 401:
        what = "no token was sent" if "not provided" in words else "the token is not accepted"
        return CourtListenerTokenError(f"{said}: {what}.", "Set COURTLISTENER_API_KEY to a valid API token.")
    if status == 403:
        return _forbidden(said, words, page)
    if status == 429:
        return _throttled(said, words)
    if status == 410:
        return CourtListenerGoneError(f"{said}: this version of its API is switched off.", "Update leadflow.")
    if status == 404 and "invalid cursor" in words.lower():
        return CourtListenerCursorError(
            f"{said}: the cursor is not valid any more.", "Start the query again."
        )
    if status == 404:
        return CourtListenerNotFoundError(f"{said}: there is no such thing.", _SETTING if page else "")
    if status == 400:
        return CourtListenerQueryError(f"{said}: it refuses the question{_unknown(body)}.", "")
    if status == 408 or status >= 500:
        if page or maintenance_until(now):
            return _page_error(said, page, now)
        return CourtListenerUnavailableError(f"{said}.", "Try again later; what is here stays.")
    return CourtListenerAnswerError(f"{said}, which is no answer.", _SETTING)


def _page_error(said: str, page: str | None, now: datetime) -> CourtListenerMaintenanceError:
    until = maintenance_until(now)
    when = f"Its maintenance ends at {until:%H:%M} Pacific." if until else "Try again later."
    what = f" with {page} instead of JSON" if page else ""
    return CourtListenerMaintenanceError(f"{said}{what}.", f"{when} If it stays so: {_SETTING}")


def _forbidden(said: str, words: str, page: str | None) -> LeadflowError:
    if page:
        return CourtListenerPermissionError(f"{said} with {page}: the way to it is barred.", _SETTING)
    if "V3" in words:
        return CourtListenerPermissionError(f"{said}: this account may not use version 3.", _SETTING)
    hint = "Ask Free Law Project for access; searches go on without it."
    return CourtListenerPermissionError(f"{said}: this account may not read it.", hint)


def _throttled(said: str, words: str) -> LeadflowError:
    rate = _RATE.search(words)
    if "currently blocked" in words or (rate and rate[1] == "0"):
        hint = "Write to Free Law Project (free.law/contact); no call is made meanwhile."
        return CourtListenerBlockedError(f"{said}: the account is blocked from its API.", hint)
    shown = f" ({rate[1]}/{rate[2]})" if rate else ""
    hint = "Others may use the same token, or LEADFLOW_COURTLISTENER_CALLS_PER_* are too high."
    return CourtListenerThrottledError(f"{said}: too many calls{shown}.", hint)


def _unknown(body: str) -> str:
    """The names of parameters it does not know; its other words may quote the question."""
    try:
        names = json.loads(body).get("unknown_params")
    except (ValueError, RecursionError, AttributeError):
        return ""
    shown = [name for name in names or () if isinstance(name, str) and re.fullmatch(r"\w{1,40}", name)]
    return f" (unknown parameters: {', '.join(shown)})" if shown else ""
