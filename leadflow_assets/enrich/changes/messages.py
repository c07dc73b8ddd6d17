"""What a message says. A webhook gets ids, addresses and kinds; an e-mail the sentences too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from leadflow_assets.domain.changes.words import counted, sentence
from leadflow_assets.domain.towns import town_by_id

# What a webhook gets of an event: nothing of an owner, nothing of a court case but that there is one.
_TOLD = ("event_id", "property_id", "loc_id", "site_address", "kind", "includes", "confidence")
_LINES = 100


@dataclass(frozen=True)
class Letter:
    """An e-mail before it is addressed."""

    subject: str
    body: str


def webhook_payload(
    list_name: str, rhythm: str, key: str, events: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """The JSON of a message: the list, its key, and the events without personal data."""
    return {
        "kind": "property_changes",
        "list": list_name,
        "rhythm": rhythm,
        "key": key,
        "message": f"{list_name}: {counted(event['kind'] for event in events)}",
        "events": [
            {name: event.get(name) for name in _TOLD}
            | {
                "town": _town(event),
                "event_date": _text(None if event["kind"] == "case_matched" else event.get("event_date")),
                "seen_at": _text(event["seen_at"]),
            }
            for event in events
        ],
    }


def letter(
    list_name: str, rhythm: str, day: date, events: Sequence[Mapping[str, Any]], *, owners: bool
) -> Letter:
    """An e-mail about a list; ``owners``: with the owners' names, else only that they differ."""
    what = counted(event["kind"] for event in events)
    title = f"Digest of {day.isoformat()}: {list_name}" if rhythm == "daily" else list_name
    return Letter(f"{title}: {what}", digest(list_name, events, owners=owners))


def digest(list_name: str, events: Sequence[Mapping[str, Any]], *, owners: bool = False) -> str:
    """The events of a list as text, kind by kind."""
    lines = [f"List {list_name}: {counted(event['kind'] for event in events) or 'nothing happened'}", ""]
    kinds = sorted({event["kind"] for event in events})
    shown = 0
    for kind in kinds:
        lines.append(counted(event["kind"] for event in events if event["kind"] == kind).upper())
        for event in events:
            if event["kind"] != kind:
                continue
            shown += 1
            if shown <= _LINES:
                lines += _event_lines(event, owners=owners)
        lines.append("")
    if shown > _LINES:
        lines.append(f"and {shown - _LINES:,} more: leadflow changes --list {list_name!r}")
    return "\n".join(lines).rstrip() + "\n"


def _event_lines(event: Mapping[str, Any], *, owners: bool) -> list[str]:
    place = ", ".join(text for text in (event.get("site_address"), _town(event)) if text)
    sure = "" if event["confidence"] >= 0.9 else f" [{event['confidence']:.0%} sure]"
    lines = [f"  {event['property_id']}  {place}", f"    {sentence(event)}{sure}"]
    if owners and event.get("owner_after"):
        lines.append(f"    owner: {event.get('owner_before')} -> {event['owner_after']}")
    return lines


def _town(event: Mapping[str, Any]) -> str | None:
    return town_by_id(event["town_id"]).name if event.get("town_id") else None


def _text(value: date | datetime | None) -> str | None:
    return value.isoformat() if value is not None else None
