"""A loopback server that answers like ATTOM: its shapes, its refusals, its bill, and faults on demand."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from leadflow_assets_tests.vendors import attom_bodies as bodies
from leadflow_assets_tests.vendors.attom_bodies import SampleProperty
from leadflow_assets_tests.vendors.massgis import _Server

KEY = "sample-key-0123456789"
PATHS: dict[str, Callable[[SampleProperty], dict[str, Any]]] = {
    "/propertyapi/v1.0.0/property/expandedprofile": bodies.expandedprofile,
    "/propertyapi/v1.0.0/property/detail": bodies.detail,
    "/propertyapi/v1.0.0/assessment/detail": bodies.assessmentdetail,
    "/propertyapi/v1.0.0/property/detailmortgageowner": bodies.detailmortgageowner,
    "/propertyapi/v1.0.0/valuation/homeequity": bodies.homeequity,
    "/propertyapi/v1.0.0/attomavm/detail": bodies.attomavm,
    "/propertyapi/v1.0.0/saleshistory/detail": bodies.saleshistory,
    "/property/v3/preforeclosuredetails": bodies.preforeclosuredetails,
}
XML = b'<?xml version="1.0"?><Response><status><msg>SuccessWithResult</msg></status></Response>'


@dataclass(frozen=True)
class Fault:
    """What one answer does wrong.

    ``status`` with ``headers`` and ``body`` replaces the answer. ``rewrite`` changes the right body's bytes.
    ``hang_before``: no answer at all. ``cut_after``: the connection ends after so many bytes of the body.
    """

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    rewrite: Callable[[bytes], bytes] | None = None
    hang_before: bool = False
    cut_after: int | None = None


@dataclass
class Call:
    """One request as it came, and how it was answered."""

    path: str
    parameters: dict[str, str]
    headers: dict[str, str]
    minute: datetime
    status: int = 0
    reports: int = 0


class AttomServer:
    """Context manager: the vendor on 127.0.0.1. ``calls`` is the log, ``billed`` counts (path, ATTOM id)."""

    def __init__(self, properties: list[SampleProperty] | None = None) -> None:
        self.properties = properties if properties is not None else [SampleProperty(1001)]
        self.calls: list[Call] = []
        self.billed: Counter[tuple[str, int]] = Counter()
        self.outside_plan: set[str] = set()
        self.no_result_status = 400
        self.calls_per_minute: int | None = None
        self.retry_after: str | None = None
        self.release = threading.Event()
        self._faults: deque[Fault] = deque()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def base(self) -> str:
        """Address without a trailing slash."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def reports(self) -> int:
        """Everything on the bill."""
        return sum(self.billed.values())

    def fault(self, *faults: Fault) -> None:
        """Queue faults for the next calls."""
        self._faults.extend(faults)

    def statuses(self) -> list[int]:
        """How the calls were answered, in order."""
        return [call.status for call in self.calls]

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
        minute = datetime.now(UTC).replace(second=0, microsecond=0)
        parameters = {name.lower(): value for name, value in parse_qsl(parts.query)}
        headers = {name.lower(): value for name, value in handler.headers.items()}
        call = Call(parts.path, parameters, headers, minute)
        with self._lock:
            self.calls.append(call)
            fault = self._faults.popleft() if self._faults else Fault()
            in_minute = sum(c.minute == minute and c.path in PATHS for c in self.calls)
        if fault.hang_before:
            self._bill(call, self._found(call))
            self.release.wait()
            handler.close_connection = True
            return
        sent_headers = {"Content-Type": "application/json"}
        if fault.status is not None:
            status, body = fault.status, fault.body
            sent_headers |= fault.headers
        elif self.calls_per_minute is not None and in_minute > self.calls_per_minute:
            status, body = 429, b""
            if self.retry_after is not None:
                sent_headers["Retry-After"] = self.retry_after
        else:
            status, body = self._right(call)
            body = fault.rewrite(body) if fault.rewrite else body
        self._send(handler, call, status, sent_headers, body, fault)

    def _right(self, call: Call) -> tuple[int, bytes]:
        """What the vendor says when nothing is wrong with it."""
        if call.headers.get("apikey") != KEY:
            return 401, json.dumps({"status": {"msg": "Unauthorized"}}).encode()
        if call.path not in PATHS:
            return 404, b"{}"
        if call.path in self.outside_plan:
            return 403, json.dumps({"Response": {"status": {"code": 403, "msg": "Forbidden"}}}).encode()
        found = self._found(call)
        page = found[: int(call.parameters.get("pagesize", 10))]
        if not found:
            return self.no_result_status, json.dumps(bodies.envelope([])).encode()
        self._bill(call, page)
        shaped = [PATHS[call.path](sample) for sample in page]
        if call.path.endswith("preforeclosuredetails"):
            return 200, json.dumps({"PreforeclosureDetails": shaped[0]}).encode()
        return 200, json.dumps(bodies.envelope(shaped, total=len(found))).encode()

    def _bill(self, call: Call, found: list[SampleProperty]) -> None:
        call.reports = len(found)
        with self._lock:
            self.billed.update((call.path, sample.attom_id) for sample in found)

    def _found(self, call: Call) -> list[SampleProperty]:
        asked = call.parameters
        if "attomid" in asked:
            return [p for p in self.properties if p.attom_id == int(asked["attomid"])]
        if "apn" in asked:
            fips = asked.get("fips")
            return [p for p in self.properties if p.apn == asked["apn"] and fips in (None, p.fips)]
        wanted = asked.get("combinedaddress") or f"{asked.get('address1')}, {asked.get('address2')}"
        return [p for p in self.properties if _plain(wanted) in _names(p)]

    def _send(
        self,
        handler: BaseHTTPRequestHandler,
        call: Call,
        status: int,
        headers: Mapping[str, str],
        body: bytes,
        fault: Fault,
    ) -> None:
        call.status = status
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body if fault.cut_after is None else body[: fault.cut_after])
        handler.wfile.flush()
        if fault.cut_after is not None:
            handler.close_connection = True


def _names(sample: SampleProperty) -> set[str]:
    """The ways to write the address: a building is also the name of each of its units."""
    place = f"{sample.city} {sample.state} {sample.zip}"
    return {_plain(f"{line} {place}") for line in (sample.line, sample.line1)}


def _plain(address: str) -> str:
    return " ".join(re.sub(r"[^0-9A-Z]+", " ", address.upper()).split())
