"""What a browser may do with a page, and which requests are taken at all.

The policy allows nothing but what this server sends; styles and scripts inside a page carry the page's nonce.
A request that changes something must come from a page of ours: browsers say where it comes from.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from urllib.parse import urlsplit

from fastapi.responses import PlainTextResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


class SafetyMiddleware:
    """Refuses requests under a foreign name or from a foreign page, and sends the headers of safety.

    ``names``: hosts by which the page may be reached; None: any, for where people log in anyway.
    ``basemap``: origin that pictures of the map may come from besides.
    """

    def __init__(self, app: ASGIApp, names: Collection[str] | None, basemap: str) -> None:
        self._app = app
        self._names = None if names is None else _LOCAL_NAMES | set(names)
        self._pictures = f"'self' data: {_origin(basemap)}".strip()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        scope["nonce"] = nonce = secrets.token_urlsafe(16)
        refusal = self._refusal(scope["method"], headers)

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add(MutableHeaders(scope=message), nonce)
            await send(message)

        if refusal:
            await PlainTextResponse(refusal, status_code=403)(scope, receive, send_safely)
        else:
            await self._app(scope, receive, send_safely)

    def _refusal(self, method: str, headers: Headers) -> str:
        host = urlsplit(f"//{headers.get('host', '')}").hostname or ""
        if self._names is not None and host not in self._names:
            # Else a page anywhere could give itself this machine's address and read what is here.
            return "Unknown host name. Name it in LEADFLOW_WEB_NAMES.\n"
        site = headers.get("sec-fetch-site")
        if method in _SAFE_METHODS:
            # A link may lead here. A picture or script of another page may not: each export is noted.
            embedded = site in ("cross-site", "same-site") and headers.get("sec-fetch-mode") != "navigate"
            return "Pages of others may lead here, and embed nothing.\n" if embedded else ""
        origin = headers.get("origin")
        foreign = origin is not None and urlsplit(origin).netloc != headers.get("host")
        if (site is not None and site not in ("same-origin", "none")) or foreign:
            return "This came from another page than ours; nothing was done.\n"
        return ""

    def _add(self, headers: MutableHeaders, nonce: str) -> None:
        policy = {
            "default-src": "'none'",
            "script-src": f"'self' 'nonce-{nonce}'",
            "style-src": f"'self' 'nonce-{nonce}'",
            "img-src": self._pictures,
            "font-src": "'self' data:",
            "connect-src": "'self'",
            "form-action": "'self'",
            "base-uri": "'none'",
            "frame-ancestors": "'none'",
        }
        headers.setdefault(
            "Content-Security-Policy", "; ".join(f"{name} {value}" for name, value in policy.items())
        )
        headers["X-Content-Type-Options"] = "nosniff"
        # Searches may hold names: no other site learns the address of a page.
        headers["Referrer-Policy"] = "same-origin"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Cross-Origin-Resource-Policy"] = "same-origin"


def _origin(template: str) -> str:
    if not template:
        return ""
    parts = urlsplit(template)
    # {s} stands for one of several servers.
    return f"{parts.scheme}://{parts.netloc.replace('{s}', '*')}"
