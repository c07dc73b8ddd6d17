"""How events, watches and messages are shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leadflow_assets.cli.output import Column, emit_rows, stdout

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


def tell_events(events: Sequence[dict[str, Any]]) -> None:
    """A table of events that fits the window."""
    from leadflow_assets.search.change_rows import event_row

    rows = [event_row(event) for event in events]
    for row in rows:
        address = ", ".join(filter(None, (row.get("site_address"), row["town"])))
        row["where"] = "\n".join(filter(None, (address, row.get("property_id"))))
    emit_rows(rows, EVENTS if stdout().width >= EVENTS_WIDTH else EVENTS_NARROW, False)
