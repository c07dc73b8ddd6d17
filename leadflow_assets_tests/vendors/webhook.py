"""A webhook on loopback that keeps what it is sent, and answers as it is told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Hook:
    """What a webhook was sent: (key of the header, payload); ``status`` is its answer."""

    url: str
    calls: list[tuple[str | None, dict[str, Any]]] = field(default_factory=list)
    status: int = 200


@contextmanager
def webhook_server() -> Iterator[Hook]:
    """A running webhook; its address holds a secret, as real ones do."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.calls.append((self.headers["Idempotency-Key"], json.loads(body)))
            self.send_response(hook.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hook = Hook(f"http://127.0.0.1:{server.server_address[1]}/secret-hook")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield hook
        server.shutdown()
