"""Search: filters, results in a grid and on the map."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from leadflow_assets.web.site import page

router = APIRouter()


@router.get("/")
def search(request: Request) -> Response:
    """The search page."""
    return page(request, "search.html")
