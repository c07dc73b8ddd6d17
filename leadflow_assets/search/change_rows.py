"""Events as a person sees them, and why there may be none."""

from __future__ import annotations

from typing import Any

from leadflow_assets.domain.changes.words import sentence
from leadflow_assets.domain.towns import town_by_id
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.tables import PROPERTY_CHANGES
from leadflow_assets.settings import Settings


def event_row(event: dict[str, Any]) -> dict[str, Any]:
    """The event with its town's name and a sentence; what does not concern it is left out."""
    known = {name: value for name, value in event.items() if value is not None}
    town = town_by_id(event["town_id"]).name if event["town_id"] else None
    return {**known, "town": town, "what": sentence(event)}


def nothing_found(settings: Settings) -> str:
    """Why there is no event: none of that kind, or nothing was compared yet."""
    if Lake(settings).snapshot(PROPERTY_CHANGES).partitions:
        return "Nothing of that kind was seen."
    return "Nothing was compared yet: a town needs two releases. `leadflow changes build` compares them."
