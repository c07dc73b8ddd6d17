"""A loopback address-batch service, as the predecessor's client imagined one: submit, status, result.

No such service of ATTOM is documented: its shapes are the client's, its columns those of delivered files.
"""

from __future__ import annotations

import csv
import email
import io
import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler
from typing import Any, Self
from urllib.parse import quote

from leadflow_assets_tests.vendors.massgis import _Server

KEY = "sample-key-0123456789"
BASE_PATH = "/propertyapi/v1.0.0/property/batch"
Row = dict[str, str]


@dataclass(frozen=True)
class BatchFault:
    """What one answer does wrong.

    ``status`` with ``body`` replaces it. ``hang_before``: the work is done and no answer comes.
    ``cut_after``: the connection ends after so many bytes; ``hang_after``: it stays silent after them.
    """

    status: int | None = None
    body: bytes = b"{}"
    hang_before: bool = False
    cut_after: int | None = None
    hang_after: int | None = None


@dataclass
class Submitted:
    """One upload as it came."""

    job_id: str
    rows: list[Row]
    content: bytes
    report_format: str
    headers: dict[str, str]
    asked: int = 0


@dataclass
class BatchServer:
    """Context manager: the service on 127.0.0.1. ``result`` makes a result's rows of the uploaded ones.

    A job is ready when its status was asked ``polls`` times.
    """

    result: Callable[[list[Row]], list[Row]]
    polls: int = 1
    ready_word: str = "ready_for_download"
    jobs: list[Submitted] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.release = threading.Event()
        self.stalled = threading.Event()
        self._faults: dict[str, deque[BatchFault]] = {"submit": deque(), "status": deque(), "result": deque()}
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
    def url(self) -> str:
        """What LEADFLOW_ATTOM_BATCH_URL is set to."""
        return f"http://127.0.0.1:{self._server.server_address[1]}{BASE_PATH}"

    def fault(self, what: str, *faults: BatchFault) -> None:
        """Queue faults for the next calls of ``submit``, ``status`` or ``result``."""
        self._faults[what].extend(faults)

    def asked(self, method: str, part: str) -> int:
        """How many calls there were."""
        return sum(verb == method and part in path for verb, path in self.requests)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                owner._get(self)

            def do_POST(self) -> None:
                owner._post(self)

            def log_message(self, format: str, *args: Any) -> None:
                """Keep the test output quiet."""

        return Handler

    def _post(self, handler: BaseHTTPRequestHandler) -> None:
        self.requests.append(("POST", handler.path))
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        fault = self._faults["submit"].popleft() if self._faults["submit"] else BatchFault()
        if handler.headers.get("apikey") != KEY:
            self._send(handler, 401, b"{}", BatchFault())
        elif fault.status is not None:
            self._send(handler, fault.status, fault.body, fault)
        else:
            parts = _parts(handler.headers["Content-Type"], body)
            upload = parts["addressBatchFile"]
            rows = list(csv.DictReader(io.StringIO(upload.decode(), newline="")))
            # An id that must be quoted to stand in a path.
            name, form = f"job {len(self.jobs) + 1}/a", parts["reportFormat"].decode()
            self.jobs.append(Submitted(name, rows, upload, form, dict(handler.headers)))
            answer = {"jobID": name, "status": "submitted"}
            self._send(handler, 202, json.dumps(answer).encode(), fault)

    def _get(self, handler: BaseHTTPRequestHandler) -> None:
        self.requests.append(("GET", handler.path))
        what, _, name = handler.path.removeprefix(f"{BASE_PATH}/").partition("/")
        job = next((each for each in self.jobs if quote(each.job_id, safe="") == name), None)
        fault = self._faults[what].popleft() if self._faults.get(what) else BatchFault()
        if handler.headers.get("apikey") != KEY or job is None or what not in ("status", "result"):
            self._send(handler, 404, b"{}", BatchFault())
        elif fault.status is not None:
            self._send(handler, fault.status, fault.body, fault)
        elif what == "result":
            self._send(handler, 200, table(self.result(job.rows)), fault, "text/csv")
        else:
            job.asked += 1
            word = self.ready_word if job.asked >= self.polls else "in_progress"
            answer = {"jobID": job.job_id, "status": word, "progress": 50, "completedRecords": 1}
            self._send(handler, 200, json.dumps(answer).encode(), fault)

    def _send(
        self,
        handler: BaseHTTPRequestHandler,
        status: int,
        body: bytes,
        fault: BatchFault,
        content_type: str = "application/json",
    ) -> None:
        handler.close_connection = True
        if fault.hang_before:
            self.stalled.set()
            self.release.wait()
            return
        handler.send_response(status)
        handler.send_header("Content-Type", content_type)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        end = fault.cut_after if fault.cut_after is not None else fault.hang_after
        handler.wfile.write(body[:end])
        handler.wfile.flush()
        if fault.hang_after is not None:
            self.stalled.set()
            self.release.wait()


def table(rows: list[Row]) -> bytes:
    """Rows as a CSV with the columns of the first."""
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue().encode()


def found(row: Row, attom_id: int | str) -> Row:
    """A row of a result: the address as it was asked, an ATTOM id, some facts in the vendor's spellings."""
    known = bool(attom_id)
    return {
        **row,
        "[ATTOM ID]": str(attom_id),
        "TaxAssessedValueTotal": "$400,000" if known else "",
        "PARTYOWNER1NAMEFULL": "EXAMPLE PAT" if known else "",
        "MortgageAmount": "300000" if known else "",
        "MortgageInterestRate": "3.125" if known else "",
        "PropertyLongitude": "-71.25" if known else "",
        "New Column": "something" if known else "",
    }


def _parts(content_type: str, body: bytes) -> dict[str, bytes]:
    """The parts of a multipart body by name."""
    message: Message[str, str] = email.message_from_bytes(
        b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body
    )
    parts: dict[str, bytes] = {}
    for part in message.get_payload():
        assert isinstance(part, Message)
        name = part.get_param("name", header="content-disposition")
        parts[str(name)] = bytes(part.get_payload(decode=True) or b"")
    return parts
