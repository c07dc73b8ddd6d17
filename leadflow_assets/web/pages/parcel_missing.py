"""What a person sees where there is no such parcel: which ones may be meant, as links."""

from __future__ import annotations

import re

from fastapi import Request
from fastapi.responses import Response

from leadflow_assets.domain.towns import Town
from leadflow_assets.errors import LeadflowError
from leadflow_assets.web.links import parcel_path
from leadflow_assets.web.site import page

# LOC_IDs, and ids of properties that have none, as hints name them.
_IDS = re.compile(r"\b[FM]_\d+_\d+\b|\b\d{3}-[0-9A-Za-z-]+\b")


def missing(request: Request, town: Town, error: LeadflowError, *, held: bool) -> Response:
    """A page of status 404 that names what is near."""
    found = dict.fromkeys(_IDS.findall(error.hint))
    return page(
        request,
        "parcel_missing.html",
        status=404,
        town=town,
        held=held,
        message=error.message,
        hint=error.hint,
        links=[(name, parcel_path(town, name)) for name in found if name != town.key],
    )
