"""A loopback server that answers like CourtListener's REST v4: shapes, cursors, limits, faults on demand."""

from __future__ import annotations

import base64
import json
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from leadflow_assets_tests.vendors import courtlistener_cases as shapes
from leadflow_assets_tests.vendors.courtlistener_cases import SampleCase
from leadflow_assets_tests.vendors.massgis import _Server

TOKEN = "sample-token-0123456789abcdef"
PREFIX = "/api/rest/v4"
PAGE = 20
RATES: tuple[tuple[int, str, int], ...] = ((5, "min", 60), (50, "hour", 3600), (125, "day", 86400))
# Parameters that the database endpoints know; others get 400. Search ignores what it does not know.
_KNOWN = {
    "dockets": {"court", "date_created__gte", "id__lt", "order_by", "cursor", "count", "fields", "omit"},
    "parties": {"docket", "filter_nested_results", "cursor", "fields", "omit"},
    "bankruptcy-information": {"docket", "cursor"},
}
HTML = b"<!DOCTYPE html><html><body>We're down for maintenance.</body></html>"


@dataclass(frozen=True)
class Fault:
    """What one answer does wrong.

    ``status`` with ``headers`` and ``body`` replaces the answer (the call is counted unless ``counted`` is
    off). ``rewrite`` changes the right document. ``hang_before``: the connection ends without an answer.
    ``cut_after``: it ends after so many bytes of the body.
    """

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    content_type: str = "application/json"
    rewrite: Callable[[dict[str, Any]], Any] | None = None
    counted: bool = True
    hang_before: bool = False
    cut_after: int | None = None


@dataclass
class Call:
    """One request as it came, and how it was answered."""

    path: str
    parameters: dict[str, str]
    headers: dict[str, str]
    status: int = 0


class CourtListenerServer:
    """Context manager: the vendor on 127.0.0.1. ``calls`` is the log; ``counted`` the list of its windows.

    ``clock`` is the vendor's own. ``rates`` may be changed; ``usage_status`` other than 200 switches
    api-usage off. ``repeat_hits``: a page begins with the last hits of the one before. ``forbidden`` names
    endpoints that answer 403.
    """

    def __init__(
        self, cases: Sequence[SampleCase] = (), *, clock: Callable[[], datetime] | None = None
    ) -> None:
        self.cases = list(cases)
        self.clock = clock or (lambda: datetime.now(UTC))
        self.calls: list[Call] = []
        self.counted: list[datetime] = []
        self.rates = list(RATES)
        self.usage_status = 200
        self.send_retry_after = True
        self.blocked = False
        self.repeat_hits = 0
        self.ignored_filters: set[str] = set()
        self.forbidden: set[str] = set()
        self.expired_cursors: set[str] = set()
        self._faults: deque[Fault] = deque()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def base(self) -> str:
        """What LEADFLOW_COURTLISTENER_URL would be."""
        return f"http://127.0.0.1:{self._server.server_address[1]}{PREFIX}"

    def fault(self, *faults: Fault) -> None:
        """Queue faults for the next calls; api-usage has none."""
        self._faults.extend(faults)

    def paths(self, *, usage: bool = False) -> list[str]:
        """The paths asked for, in order, without the prefix."""
        return [call.path for call in self.calls if usage or call.path != "api-usage"]

    def statuses(self) -> list[int]:
        """How the calls were answered, in order, api-usage left out."""
        return [call.status for call in self.calls if call.path != "api-usage"]

    def expire(self, url: str) -> None:
        """The cursor of this link is not valid any more."""
        self.expired_cursors.add(dict(parse_qsl(urlsplit(url).query))["cursor"])

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                owner._answer(self)

            def log_message(self, format: str, *args: Any) -> None:
                """Keep the test output quiet."""

        return Handler

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        path = parts.path.removeprefix(PREFIX).strip("/")
        headers = {name.lower(): value for name, value in handler.headers.items()}
        call = Call(path, dict(parse_qsl(parts.query, keep_blank_values=True)), headers)
        with self._lock:
            self.calls.append(call)
            usage = path == "api-usage"
            fault = self._faults.popleft() if self._faults and not usage else Fault()
            if fault.hang_before:
                self.counted.append(self.clock())
                handler.close_connection = True
                return
            status, document, sent = self._judge(call, fault)
        if fault.status is not None and status == fault.status:
            body, content_type = fault.body, fault.content_type
            sent = {**sent, **fault.headers}
        else:
            if status == 200 and fault.rewrite:
                document = fault.rewrite(document)
            body, content_type = json.dumps(document).encode(), "application/json"
        call.status = status
        handler.send_response(status)
        for name, value in {"Content-Type": content_type, **sent}.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body if fault.cut_after is None else body[: fault.cut_after])
        handler.wfile.flush()
        if fault.cut_after is not None:
            handler.close_connection = True

    def _judge(self, call: Call, fault: Fault) -> tuple[int, dict[str, Any], dict[str, str]]:
        """Status, body and headers: who asks, how often, then what."""
        given = call.headers.get("authorization")
        if given is None and not call.path.startswith("search"):
            return 401, {"detail": "Authentication credentials were not provided."}, {}
        if given is not None and given != f"Token {TOKEN}":
            return 401, {"detail": "Invalid token."}, {}
        if call.path == "api-usage":
            return self._usage()
        if self.blocked:
            text = "Request was throttled. Your account is currently blocked from making API requests."
            return 429, {"detail": text}, {}
        if fault.status is not None and not fault.counted:
            return fault.status, {}, {}
        wait = self._full()
        if wait is not None:
            rate, seconds = wait
            text = f"Rate limit exceeded: {rate}. Expected available in {seconds} seconds."
            said = {"detail": f"Request was throttled. {text}"}
            return 429, said, {"Retry-After": str(seconds)} if self.send_retry_after else {}
        self.counted.append(self.clock())
        if fault.status is not None:
            return fault.status, {}, {}
        if call.path.partition("/")[0] in self.forbidden:
            return 403, {"detail": "You do not have permission to perform this action."}, {}
        status, document = self._right(call)
        return status, document, {}

    def _full(self) -> tuple[str, int] | None:
        now = self.clock()
        for calls, word, seconds in self.rates:
            inside = [moment for moment in self.counted if moment > now - timedelta(seconds=seconds)]
            if len(inside) >= calls:
                frees = sorted(inside)[-calls] + timedelta(seconds=seconds)
                return f"{calls}/{word}", max(int((frees - now).total_seconds()) + 1, 1)
        return None

    def _usage(self) -> tuple[int, dict[str, Any], dict[str, str]]:
        if self.usage_status != 200:
            return self.usage_status, {"detail": "Not found."}, {}
        now = self.clock()
        entries = []
        for calls, word, seconds in self.rates:
            used = sum(moment > now - timedelta(seconds=seconds) for moment in self.counted)
            entries.append(
                {
                    "scope": "user",
                    "rate": f"{0 if self.blocked else calls}/{word}",
                    "used": used,
                    "limit": calls,
                    "remaining": max(calls - used, 0),
                    "window_seconds": seconds,
                    "reset_at": (now + timedelta(seconds=seconds)).isoformat(),
                    "blocked": self.blocked,
                }
            )
        other = {**entries[0], "scope": "api_usage", "rate": "10/min", "used": 1, "limit": 10}
        return 200, {"current_usage": [*entries, other]}, {}

    def _right(self, call: Call) -> tuple[int, dict[str, Any]]:
        """What the vendor says when nothing is wrong with it."""
        name, _, number = call.path.partition("/")
        unknown = set(call.parameters) - _KNOWN.get(name, set(call.parameters))
        if unknown:
            text = "Unknown filter parameters are not allowed."
            return 400, {"detail": text, "unknown_params": sorted(unknown)}
        if call.parameters.get("cursor") in self.expired_cursors:
            return 404, {"detail": "Invalid cursor"}
        if name == "search":
            return self._search(call)
        if name == "dockets" and not number:
            return self._dockets(call)
        if name == "parties":
            return self._parties(call)
        found = next((case for case in self.cases if number == str(case.docket_id)), None)
        if found is None:
            return 404, {"detail": "No Docket matches the given query."}
        if name == "dockets":
            return 200, shapes.docket(found, self.base)
        if name == "bankruptcy-information":
            return 200, shapes.bankruptcy_information(found, self.base)
        return 404, {"detail": "Not found."}

    def _search(self, call: Call) -> tuple[int, dict[str, Any]]:
        asked = call.parameters
        if asked.get("type") != "r":
            return 200, {"count": 0, "next": None, "previous": None, "results": []}
        found = [case for case in self.cases if self._matches(case, asked)]
        found.sort(key=lambda case: (case.date_filed or date.min, case.docket_id), reverse=True)
        place = self._place(asked)
        begin = max(place - self.repeat_hits, 0)
        page = found[begin : place + PAGE]
        following = self._next(call, place + PAGE) if place + PAGE < len(found) else None
        document = {
            "count": len(found),
            "document_count": len(found),
            "next": following,
            "previous": None,
            "results": [shapes.hit(case) for case in page],
        }
        return 200, document

    def _matches(self, case: SampleCase, asked: Mapping[str, str]) -> bool:
        asked = {name: value for name, value in asked.items() if name not in self.ignored_filters}
        after, before = asked.get("filed_after"), asked.get("filed_before")
        if "court" in asked and case.court_id not in asked["court"].split():
            return False
        if (after or before) and case.date_filed is None:
            return False
        if (after and str(case.date_filed) < after) or (before and str(case.date_filed) > before):
            return False
        if "docket_number" in asked and case.docket_number != asked["docket_number"]:
            return False
        names = " ".join(party.name for party in case.parties).lower().split()
        if not set(asked.get("party_name", "").lower().split()) <= set(names):
            return False
        return asked.get("nature_of_suit", "").lower() in case.nature_of_suit.lower()

    def _dockets(self, call: Call) -> tuple[int, dict[str, Any]]:
        asked = call.parameters
        found = [case for case in self.cases if asked.get("court") in (None, case.court_id)]
        since = date.fromisoformat(asked.get("date_created__gte", "1900-01-01"))
        found = [case for case in found if case.made.date() >= since]
        found = [case for case in found if case.docket_id < int(asked.get("id__lt", 10**12))]
        found.sort(key=lambda case: case.docket_id, reverse=True)
        return self._listed(call, [shapes.docket(case, self.base) for case in found])

    def _parties(self, call: Call) -> tuple[int, dict[str, Any]]:
        found = next((c for c in self.cases if str(c.docket_id) == call.parameters.get("docket")), None)
        filtered = call.parameters.get("filter_nested_results") == "True"
        count = len(found.parties) if found else 0
        listed = [shapes.party(found, k, self.base, nested_filtered=filtered) for k in range(count) if found]
        return self._listed(call, listed)

    def _listed(self, call: Call, found: list[dict[str, Any]]) -> tuple[int, dict[str, Any]]:
        place = self._place(call.parameters)
        following = self._next(call, place + PAGE) if place + PAGE < len(found) else None
        count = f"{self.base}/{call.path}/?count=on"
        page = found[place : place + PAGE]
        return 200, {"count": count, "next": following, "previous": None, "results": page}

    def _place(self, asked: Mapping[str, str]) -> int:
        cursor = asked.get("cursor")
        return int(base64.b64decode(cursor).decode().rpartition("=")[2]) if cursor else 0

    def _next(self, call: Call, place: int) -> str:
        cursor = base64.b64encode(f"s=1.5&p={place}".encode()).decode()
        kept = {name: value for name, value in call.parameters.items() if name != "cursor"}
        return f"{self.base}/{call.path}/?{urlencode({'cursor': cursor, **kept})}"
