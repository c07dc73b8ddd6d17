"""A loopback server that answers like MassGIS's bucket: validators, ranges, and faults on demand."""

from __future__ import annotations

import hashlib
import re
import sys
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

LAST_MODIFIED = datetime(2025, 12, 24, 14, 14, 30, tzinfo=UTC)
REQUEST_ID = "SAMPLE0REQUEST0ID"


@dataclass(frozen=True)
class Object:
    """One object of the bucket. An empty ``etag`` or no date: the header is left out."""

    body: bytes
    etag: str
    last_modified: datetime | None
    content_type: str


@dataclass(frozen=True)
class Fault:
    """What one answer does wrong; the next one is right again unless more faults are queued.

    ``status`` with ``headers`` and ``body`` replaces the answer. Otherwise the object is served, but the
    connection is cut (``cut_after``) or falls silent (``hang_after``) after that many bytes of the body, or
    Content-Length is wrong by ``extra_length``, or ranges are ignored. ``hang_before``: no answer at all.
    ``then`` runs after the answer.
    """

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    cut_after: int | None = None
    hang_after: int | None = None
    hang_before: bool = False
    extra_length: int = 0
    ignore_range: bool = False
    then: Callable[[], None] | None = None


@dataclass
class Request:
    """One request as it came, and what was sent."""

    method: str
    path: str
    headers: Mapping[str, str]
    status: int = 0
    body_bytes: int = 0


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what many tests are about; anything else is shown."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class MassgisServer:
    """Context manager: a bucket on 127.0.0.1. ``requests`` is the log."""

    def __init__(self) -> None:
        self.objects: dict[str, Object] = {}
        self.requests: list[Request] = []
        self.release = threading.Event()
        self._faults: defaultdict[tuple[str, str], deque[Fault]] = defaultdict(deque)
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

    def put(
        self,
        path: str,
        body: bytes,
        *,
        etag: str | None = None,
        last_modified: datetime | None = LAST_MODIFIED,
        content_type: str = "application/octet-stream",
    ) -> str:
        """Store an object; the ETag is the MD5 of the body, as Amazon's, unless given. Returns its URL."""
        made = f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"' if etag is None else etag
        self.objects[path] = Object(body, made, last_modified, content_type)
        return self.base + path

    def fault(self, path: str, *faults: Fault, method: str = "GET") -> None:
        """Queue faults for the next requests of a path."""
        self._faults[method, path].extend(faults)

    def asked(self, method: str, path: str) -> list[Request]:
        """The requests of one path, in order."""
        return [r for r in self.requests if (r.method, r.path) == (method, path)]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                owner._answer(self)

            def do_HEAD(self) -> None:
                owner._answer(self)

            def log_message(self, format: str, *args: Any) -> None:
                """Keep the test output quiet."""

        return Handler

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        path = handler.path.partition("?")[0]
        request = Request(handler.command, path, dict(handler.headers.items()))
        self.requests.append(request)
        queue = self._faults[handler.command, path]
        fault = queue.popleft() if queue else Fault()
        try:
            if fault.hang_before:
                self.release.wait()
            if fault.status is not None:
                self._send(handler, request, fault.status, dict(fault.headers), fault.body, Fault())
            elif path not in self.objects:
                self._send(handler, request, 404, {"Content-Type": "application/xml"}, b"<Error/>", fault)
            else:
                self._serve(handler, request, self.objects[path], fault)
        finally:
            if fault.then:
                fault.then()

    def _serve(self, handler: BaseHTTPRequestHandler, request: Request, served: Object, fault: Fault) -> None:
        total = len(served.body)
        headers = {"Content-Type": served.content_type, "Accept-Ranges": "bytes"}
        date = format_datetime(served.last_modified, usegmt=True) if served.last_modified else ""
        headers |= {k: v for k, v in (("ETag", served.etag), ("Last-Modified", date)) if v}
        condition = request.headers.get("If-Range")
        match = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        if match is None or fault.ignore_range or (condition and condition not in {served.etag, date}):
            self._send(handler, request, 200, headers, served.body, fault)
        elif (start := int(match[1])) >= total:
            self._send(handler, request, 416, {"Content-Range": f"bytes */{total}"}, b"", fault)
        else:
            headers["Content-Range"] = f"bytes {start}-{total - 1}/{total}"
            self._send(handler, request, 206, headers, served.body[start:], fault)

    def _send(
        self,
        handler: BaseHTTPRequestHandler,
        request: Request,
        status: int,
        headers: Mapping[str, str],
        body: bytes,
        fault: Fault,
    ) -> None:
        request.status = status
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body) + fault.extra_length))
        handler.send_header("x-amz-request-id", REQUEST_ID)
        handler.end_headers()
        if handler.command == "HEAD":
            return
        stop = min(x for x in (fault.cut_after, fault.hang_after, len(body)) if x is not None)
        for start in range(0, stop, 1 << 16):
            piece = body[start : min(start + (1 << 16), stop)]
            handler.wfile.write(piece)
            request.body_bytes += len(piece)
        handler.wfile.flush()
        if fault.hang_after is not None:
            self.release.wait()
        if stop < len(body) or fault.extra_length:
            handler.close_connection = True
