"""How much may be sent to the page."""

from __future__ import annotations

from fastapi import HTTPException
from fastapi.responses import PlainTextResponse
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# What a form holds besides a file.
_FORM_BYTES = 1_000_000


class BodyLimitMiddleware:
    """Refuses a request whose body is larger than a file may be, before it is read and while it is."""

    def __init__(self, app: ASGIApp, file_mb: int) -> None:
        self._app = app
        self._file_mb = file_mb
        self._most = file_mb * 1_000_000 + _FORM_BYTES

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told = Headers(scope=scope).get("content-length", "")
        if told.isdigit() and int(told) > self._most:
            await PlainTextResponse(self._refusal(), status_code=413)(scope, receive, send)
            return
        taken = 0

        async def receive_some() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._most:
                raise HTTPException(413, self._refusal())
            return message

        await self._app(scope, receive_some, send)

    def _refusal(self) -> str:
        return f"The page takes files of up to {self._file_mb} MB (LEADFLOW_WEB_UPLOAD_MB).\n"
