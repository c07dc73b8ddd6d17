"""How events, watches and messages are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leadflow_assets.cli.output import Column

if TYPE_CHECKING:
    from leadflow_assets.settings import Settings

EVENTS = (
    Column("event_date", "date", wrap=False),
    Column("kind", wrap=False),
    Column("property_id", "property", wrap=False),
    Column("site_address", "address"),
    Column("town", wrap=False),
    Column("what", "what happened", min_width=30),
    Column("confidence", "sure", ".0%"),
)
WATCHES = (
    Column("list_name", "list"),
    Column("channel", wrap=False),
    Column("rhythm", wrap=False),
    Column("kinds"),
    Column("since", wrap=False),
    Column("stopped_at", "stopped", wrap=False),
)
MESSAGES = (
    Column("created_at", "made", wrap=False),
    Column("list_name", "list"),
    Column("channel", wrap=False),
    Column("events", number_format=","),
    Column("status", styles={"sent": "green", "waiting": "yellow"}),
    Column("attempts"),
    Column("problem"),
)


def event_row(event: dict[str, Any]) -> dict[str, Any]:
    """The event with its town's name and a sentence; what does not concern it is left out."""
    from leadflow_assets.domain.changes.words import sentence
    from leadflow_assets.domain.towns import town_by_id

    known = {name: value for name, value in event.items() if value is not None}
    town = town_by_id(event["town_id"]).name if event["town_id"] else None
    return {**known, "town": town, "what": sentence(event)}


def nothing_found(settings: Settings) -> str:
    """Why there is no event: none of that kind, or nothing was compared yet."""
    from leadflow_assets.lake.lake import Lake
    from leadflow_assets.lake.tables import PROPERTY_CHANGES

    if Lake(settings).snapshot(PROPERTY_CHANGES).partitions:
        return "Nothing of that kind was seen."
    return "Nothing was compared yet: a town needs two releases. `leadflow changes build` compares them."
