"""A loopback server that answers like the US Census geocoder, faults included."""

from __future__ import annotations

import json
import threading
from collections import deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

PATH = "/geocoder/locations/onelineaddress"


def match(
    address: str,
    lon: float,
    lat: float,
    *,
    city: str = "BELLINGHAM",
    state: str = "MA",
    postcode: str = "02019",
) -> dict[str, Any]:
    """One entry of ``addressMatches``, with every field the service sends."""
    return {
        "tigerLine": {"side": "L", "tigerLineId": "86480001"},
        "coordinates": {"x": lon, "y": lat},
        "addressComponents": {
            "zip": postcode,
            "streetName": "EXAMPLE",
            "preType": "",
            "city": city,
            "preDirection": "",
            "suffixDirection": "",
            "fromAddress": "1",
            "state": state,
            "suffixType": "ST",
            "toAddress": "99",
            "suffixQualifier": "",
            "preQualifier": "",
        },
        "matchedAddress": address,
    }


def document(address: str, *matches: dict[str, Any]) -> bytes:
    """A whole answer."""
    benchmark = {
        "isDefault": True,
        "benchmarkDescription": "Public Address Ranges - Current Benchmark",
        "id": "4",
        "benchmarkName": "Public_AR_Current",
    }
    answer = {
        "input": {"address": {"address": address}, "benchmark": benchmark},
        "addressMatches": [*matches],
    }
    return json.dumps({"result": answer}).encode()


@dataclass(frozen=True)
class Answer:
    """One raw answer; ``hang`` holds it back until the server ends."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json;charset=UTF-8"
    hang: bool = False


class CensusServer:
    """Context manager: the geocoder on 127.0.0.1. ``asked`` holds the query of each request.

    ``matches`` maps a substring of the address (upper case) to what is found for it; ``answers`` go first.
    """

    def __init__(self) -> None:
        self.matches: dict[str, list[dict[str, Any]]] = {}
        self.answers: deque[Answer] = deque()
        self.asked: list[dict[str, str]] = []
        self._release = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._release.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def base(self) -> str:
        """What stands before ``/locations``."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/geocoder"

    def _answer(self, path: str) -> Answer:
        parts = urlsplit(path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.asked.append(query)
        if self.answers:
            return self.answers.popleft()
        if parts.path != PATH:
            return Answer(404, b"<html><body>Not found</body></html>", "text/html")
        if not query.get("address") or query.get("benchmark") != "Public_AR_Current":
            return Answer(400, b'{"errors":["Specify an address and a benchmark"],"status":"400"}')
        address = query["address"]
        found = [m for part, ms in self.matches.items() if part in address.upper() for m in ms]
        return Answer(body=document(address, *found))

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                answer = owner._answer(self.path)
                if answer.hang:
                    owner._release.wait()
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.content_type)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, format: str, *args: Any) -> None:
                """Keep the test output quiet."""

        return Handler
