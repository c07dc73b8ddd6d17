"""Saved lists, their members and their log as a person sees them: on the command line and on the page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from leadflow_assets.errors import UsageError
from leadflow_assets.state.saved_lists import Event, Member, SavedList

MEMBER_COLUMNS = (
    "property_id", "loc_id", "site_address", "town", "owner_name", "occupancy", "total_value",
    "last_sale_date", "last_sale_price", "category", "use_description", "release",
)  # fmt: skip
_HIDDEN = ("id", "revision", "refresh_no", "data_json", "criteria_json")
# What a file or a table of ids is headed with.
_HEADER = "property_id"


def described(saved: SavedList) -> dict[str, Any]:
    """What a person may know of a list; the filters of a dynamic one."""
    shown = {name: value for name, value in vars(saved).items() if name not in _HIDDEN}
    criteria = json.loads(saved.criteria_json) if saved.criteria_json else None
    filters = {k: v for k, v in (criteria or {}).items() if v not in (None, [], False)} or None
    return {**shown, "archived": saved.archived_at is not None, "criteria": filters}


def event_row(line: Event) -> dict[str, Any]:
    """A line of the diff log."""
    shown = {name: value for name, value in vars(line).items() if name != "detail_json"}
    return {**shown, "detail": json.loads(line.detail_json or "{}")}


def member_row(member: Member, here: Mapping[str, Any] | None) -> dict[str, Any]:
    """A member with its property as it is in the lake, or marked as missing."""
    status, remark = member.status, member.status_reason
    if here is None and status == "present":
        status, remark = "missing", "not in the lake now: leadflow lists refresh says more"
    known = here or {"property_id": member.property_id, "loc_id": member.loc_id}
    return {**known, "status": status, "remark": remark, "origin": member.origin}


def typed_ids(parts: Iterable[str]) -> list[str]:
    """Ids of properties out of what was typed or pasted: apart by commas or lines.

    Raises:
        UsageError: there is none.
    """
    texts = [text.strip() for part in parts for line in part.splitlines() for text in line.split(",")]
    found = [text for text in texts if text and text != _HEADER]
    if not found:
        raise UsageError("There is no property id.", "`leadflow search --json` shows the ids of properties.")
    return found
