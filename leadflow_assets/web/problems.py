"""What a person sees when something cannot be done: what was wrong, where, and what to do."""

from __future__ import annotations

import logging
import traceback

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leadflow_assets.errors import (
    BudgetReachedError,
    LeadflowError,
    NotConfiguredError,
    SourceUnavailableError,
    UsageError,
)
from leadflow_assets.web.site import page, wants_json

_LOG = logging.getLogger(__name__)
_STATUSES: dict[type[LeadflowError], int] = {
    UsageError: 400,
    BudgetReachedError: 409,
    NotConfiguredError: 409,
    SourceUnavailableError: 503,
}


class NotFoundError(UsageError):
    """There is no such page, list, parcel or batch."""


def add_to(app: FastAPI) -> None:
    """Have the application answer every error with a page, or with JSON where a script asked."""
    app.add_exception_handler(LeadflowError, _known)
    app.add_exception_handler(RequestValidationError, _badly_asked)
    app.add_exception_handler(HTTPException, _refused)


class FailureMiddleware:
    """Answers whatever else goes wrong: a web server logs the text of errors, which may hold names."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; an error becomes a page, or ends an answer that had begun."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def send_some(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, send_some)
        except Exception as error:  # noqa: BLE001  (a bug is told, without the text of its error)
            answer = _answer_to(Request(scope), error)
            if begun:
                raise ConnectionAbortedError("An answer was broken off.") from None
            await answer(scope, receive, send)


def _answer_to(request: Request, error: Exception) -> Response:
    if isinstance(error, LeadflowError):
        return _known(request, error)
    return (_refused if isinstance(error, HTTPException) else _unknown)(request, error)


def status_of(error: LeadflowError) -> int:
    """The HTTP status of an error."""
    if isinstance(error, NotFoundError):
        return 404
    if type(error) is LeadflowError:
        return 409  # nothing is broken: what was asked for is not there yet
    return next((status for kind, status in _STATUSES.items() if isinstance(error, kind)), 500)


def _known(request: Request, error: Exception) -> Response:
    assert isinstance(error, LeadflowError)
    return _answer(request, status_of(error), error.message, error.hint)


def _badly_asked(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    # What was typed stays out: it may be a name.
    problems = (f"{'.'.join(str(part) for part in one['loc'][1:])}: {one['msg']}" for one in error.errors())
    return _answer(request, 400, f"That cannot be understood: {'; '.join(problems)}.", "Go back and mend it.")


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return _answer(request, 404, "There is no such page.", "The links above lead to all there are.")
    return _answer(request, error.status_code, str(error.detail), "")


def _unknown(request: Request, error: Exception) -> Response:
    # Where it happened, not what was worked on: the text of an error may hold a name.
    places = "".join(traceback.format_list(traceback.extract_tb(error.__traceback__)[-8:]))
    route = getattr(request.scope.get("route"), "path", "")
    _LOG.error("%s in %s %s\n%s", type(error).__name__, request.method, route, places)
    message = f"The program failed ({type(error).__name__})."
    return _answer(request, 500, message, "Try again; the terminal where `leadflow web` runs says where.")


def _answer(request: Request, status: int, message: str, hint: str) -> Response:
    if wants_json(request):
        return JSONResponse({"message": message, "hint": hint}, status)
    return page(request, "problem.html", status=status, message=message, hint=hint)
