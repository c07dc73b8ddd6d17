"""The application: pages, the files they need, and what stands around every request."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import FileResponse, Response
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles

from leadflow_assets.errors import LeadflowError
from leadflow_assets.settings import Settings
from leadflow_assets.state import database, web_users
from leadflow_assets.web import problems
from leadflow_assets.web.libraries import library_file
from leadflow_assets.web.pages import PAGES
from leadflow_assets.web.places import Outlines
from leadflow_assets.web.searchers import Searchers
from leadflow_assets.web.security import login
from leadflow_assets.web.security.bodies import BodyLimitMiddleware
from leadflow_assets.web.security.headers import SafetyMiddleware
from leadflow_assets.web.site import Site

_STATIC = resources.files("leadflow_assets.web").joinpath("static")
# The address of a library holds the program's version: it may be kept. Our own files are asked for anew.
_KEEP = {"Cache-Control": "public, max-age=86400"}
_ASK = {"Cache-Control": "no-cache"}


def build_app(settings: Settings) -> FastAPI:
    """The page over a lake. People must log in as soon as there is anybody who may.

    Raises:
        StoreError: the state database cannot be opened.
    """
    with database.session(settings) as session:
        has_users = bool(web_users.names(session))
    site = Site(settings, Searchers(settings), Outlines(settings), login=has_users)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        warming = threading.Thread(target=_warm, args=(site,), daemon=True)
        warming.start()
        yield
        warming.join()
        site.searchers.close()
        site.outlines.close()

    app = FastAPI(title="LeadFlow Assets", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.site = site
    problems.add_to(app)
    for router in (login.router, *PAGES, _files()):
        app.include_router(router)
    app.mount("/static", _Static(directory=Path(str(_STATIC))))
    # The last one added is the first that a request meets.
    app.add_middleware(login.LoginMiddleware, site=site)
    app.add_middleware(BodyLimitMiddleware, file_mb=settings.leadflow_web_upload_mb)
    app.add_middleware(problems.FailureMiddleware)
    app.add_middleware(
        SafetyMiddleware,
        names=None if has_users else settings.leadflow_web_names.split(","),
        basemap=settings.leadflow_web_basemap_url,
    )
    app.add_middleware(GZipMiddleware, minimum_size=2000, compresslevel=1)
    return app


def _warm(site: Site) -> None:
    # Whatever is wrong there, the first search says it to somebody who can do something about it.
    with contextlib.suppress(LeadflowError):
        site.searchers.warm()


class _Static(StaticFiles):
    def file_response(self, *args: Any, **named: Any) -> Response:
        answer = super().file_response(*args, **named)
        answer.headers.update(_ASK)
        return answer


def _files() -> APIRouter:
    router = APIRouter()

    @router.get("/libraries/{name:path}")
    def library(name: str) -> FileResponse:
        found = library_file(name)
        if found is None:
            raise HTTPException(404)
        return FileResponse(found, headers=_KEEP)

    return router
