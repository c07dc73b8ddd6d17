"""What all pages share: settings, open searchers, who is asking, and how a page or a redirect is answered."""

from __future__ import annotations

import getpass
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import quote, unquote

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from leadflow_assets.search.exports.values import to_json
from leadflow_assets.settings import Settings
from leadflow_assets.web.examined import Examined
from leadflow_assets.web.places import Outlines
from leadflow_assets.web.rendering import render
from leadflow_assets.web.searchers import Searchers

NOTICE_COOKIE = "notice"
_LONGEST_NOTICE = 500


@dataclass(frozen=True)
class Site:
    """One running page. ``login`` says whether people have to log in."""

    settings: Settings
    searchers: Searchers
    outlines: Outlines
    login: bool
    examined: Examined = field(default_factory=Examined)


def site_of(request: Request) -> Site:
    """The site that a request came to."""
    site: Site = request.app.state.site
    return site


def settings_of(request: Request) -> Settings:
    """The settings the site was started with."""
    return site_of(request).settings


def person_of(request: Request) -> str:
    """Who asks: the name logged in with, else the user of this machine, as on the command line."""
    found: str | None = request.scope.get("person")
    return found or getpass.getuser()


CurrentSite = Annotated[Site, Depends(site_of)]
CurrentSettings = Annotated[Settings, Depends(settings_of)]
Person = Annotated[str, Depends(person_of)]


def page(request: Request, template: str, /, *, status: int = 200, **context: Any) -> HTMLResponse:
    """A page made of ``templates/<template>``. It knows ``request``, ``person`` and ``site`` besides."""
    site = site_of(request)
    notice = unquote(request.cookies.get(NOTICE_COOKIE, ""))[:_LONGEST_NOTICE]
    body = render(
        template,
        request=request,
        site=site,
        # Nobody is shown as anybody: whose machine this is stays here.
        person=request.scope.get("person"),
        nonce=request.scope["nonce"],
        notice=notice,
        **context,
    )
    answer = HTMLResponse(body, status_code=status, headers={"Cache-Control": "no-store"})
    if notice:
        answer.delete_cookie(NOTICE_COOKIE)
    return answer


def redirect(path: str, notice: str = "") -> RedirectResponse:
    """Send the browser to a page of ours after something was done; ``notice`` is shown there once.

    A notice holds no personal data: it travels in a cookie.
    """
    answer = RedirectResponse(path, status_code=303)
    if notice:
        answer.set_cookie(NOTICE_COOKIE, quote(notice), max_age=60, httponly=True, samesite="lax")
    return answer


def wants_json(request: Request) -> bool:
    """Does a script of ours ask, rather than a person's browser?"""
    return "application/json" in request.headers.get("accept", "")


def as_json(value: Any) -> Response:
    """An answer for a script: days and times as ISO text."""
    return Response(to_json(value), media_type="application/json", headers={"Cache-Control": "no-store"})


def as_script_data(value: Any) -> str:
    """JSON that may stand inside a script element: nothing in it can end the element."""
    return to_json(value).replace("<", "\\u003c")
