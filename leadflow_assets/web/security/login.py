"""Logging in and out: without it nobody sees a page of a server that demands it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Annotated
from urllib.parse import quote, urlsplit

from fastapi import APIRouter, Form, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.requests import Request as StarletteRequest
from starlette.types import ASGIApp, Receive, Scope, Send

from leadflow_assets.settings import Settings
from leadflow_assets.state import database, web_users
from leadflow_assets.web.site import CurrentSite, Site, page, wants_json

COOKIE = "leadflow_login"
# Where one can be without being anybody.
_OPEN = ("/login", "/static/", "/libraries/")
_WAIT_MINUTES = int(web_users.WINDOW.total_seconds() // 60)
_TURN = threading.Lock()
router = APIRouter()


class LoginMiddleware:
    """Finds out who asks, and sends those who are nobody to the login."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app = app
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or send its sender to the login."""
        if scope["type"] != "http" or not self._site.login:
            await self._app(scope, receive, send)
            return
        request = StarletteRequest(scope)
        token = request.cookies.get(COOKIE, "")
        if token:
            scope["person"] = await run_in_threadpool(_person, self._site.settings, token)
        if scope.get("person") or scope["path"].startswith(_OPEN):
            await self._app(scope, receive, send)
            return
        answer: Response
        if wants_json(request):
            answer = JSONResponse({"message": "You are logged out.", "hint": "Log in again."}, 401)
        else:
            query = scope["query_string"].decode("latin-1")
            asked = scope["path"] + (f"?{query}" if query else "")
            back = f"?next={quote(asked, safe='')}" if request.method == "GET" and asked != "/" else ""
            answer = RedirectResponse(f"/login{back}", status_code=303)
        await answer(scope, receive, send)


@router.get("/login")
def login_form(request: Request, next: str = "/") -> Response:
    """The login page."""
    return page(request, "login.html", next=_own(next), name="", problem="")


@router.post("/login")
def log_in(
    request: Request,
    site: CurrentSite,
    name: Annotated[str, Form(max_length=200)],
    password: Annotated[str, Form(max_length=2000)],
    next: Annotated[str, Form()] = "/",
) -> Response:
    """Log in, and go on to where one wanted to be."""
    now, address = datetime.now(UTC), request.client.host if request.client else ""
    # One after the other: many at once would all be tried before the first refusal is counted.
    with _TURN, database.session(site.settings) as session:
        if web_users.must_wait(session, name, address, now):
            problem = f"Too many refused logins. Wait {_WAIT_MINUTES} minutes, then try again."
            return page(request, "login.html", status=429, next=_own(next), name=name, problem=problem)
        token = web_users.log_in(session, name, password, address, now)
        session.commit()
    if token is None:
        problem = "Name and password do not belong together."
        return page(request, "login.html", status=403, next=_own(next), name=name, problem=problem)
    answer = RedirectResponse(_own(next), status_code=303)
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, token, httponly=True, samesite="lax", secure=secure)
    return answer


@router.post("/logout")
def log_out(request: Request, site: CurrentSite) -> Response:
    """End this login."""
    with database.session(site.settings) as session:
        idle = _idle(site.settings)
        web_users.log_out(session, request.cookies.get(COOKIE, ""), datetime.now(UTC), idle)
        session.commit()
    answer = RedirectResponse("/login", status_code=303)
    answer.delete_cookie(COOKIE)
    return answer


def _person(settings: Settings, token: str) -> str | None:
    with database.session(settings) as session:
        found = web_users.person_of(session, token, datetime.now(UTC), _idle(settings))
        session.commit()
    return found


def _idle(settings: Settings) -> timedelta:
    return timedelta(hours=settings.leadflow_web_session_hours)


def _own(target: str) -> str:
    """A path of ours: whoever sends a link to the login cannot have it lead elsewhere."""
    parts = urlsplit(target)
    elsewhere = parts.scheme or parts.netloc or target.startswith(("//", "/\\"))
    return target if target.startswith("/") and not elsewhere else "/"
