"""How events, watches and messages are shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from leadflow_assets.cli.output import Column, emit_rows, stdout

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
# For a narrow window; the kind and how sure it is stand in --json.
EVENTS_NARROW = (
    Column("event_date", "date", wrap=False),
    Column("where", "property", min_width=20),
    Column("what", "what happened", min_width=30),
)
EVENTS_WIDTH = 130
WATCHES = (
    Column("list_name", "list"),
    Column("channel", wrap=False),
    Column("rhythm", wrap=False),
    Column("kinds"),
    Column("since"),
    Column("stopped_at", "stopped"),
)
MESSAGES = (
    Column("created_at", "made"),
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


def tell_events(events: Sequence[dict[str, Any]]) -> None:
    """A table of events that fits the window."""
    rows = [event_row(event) for event in events]
    for row in rows:
        address = ", ".join(filter(None, (row.get("site_address"), row["town"])))
        row["where"] = "\n".join(filter(None, (address, row.get("property_id"))))
    emit_rows(rows, EVENTS if stdout().width >= EVENTS_WIDTH else EVENTS_NARROW, False)


def nothing_found(settings: Settings) -> str:
    """Why there is no event: none of that kind, or nothing was compared yet."""
    from leadflow_assets.lake.lake import Lake
    from leadflow_assets.lake.tables import PROPERTY_CHANGES

    if Lake(settings).snapshot(PROPERTY_CHANGES).partitions:
        return "Nothing of that kind was seen."
    return "Nothing was compared yet: a town needs two releases. `leadflow changes build` compares them."
