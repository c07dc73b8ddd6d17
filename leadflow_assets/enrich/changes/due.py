"""Is anybody to be told of anything? Cheap enough to be asked every minute.

What was looked at when the watched lists were last refreshed and told is remembered beside the lock of the
build: the same tables, lists, watches and day have nothing new to tell. Messages that wait are due at a time
of their own.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from leadflow_assets.domain.digest_day import last_digest
from leadflow_assets.domain.local_days import local_day
from leadflow_assets.lake import tables
from leadflow_assets.lake.lake import Lake
from leadflow_assets.settings import Settings
from leadflow_assets.state import change_alerts, database, saved_lists

# What the members of a list, and the events about them, are found in.
_TABLES = (tables.PROPERTIES, tables.CASE_MATCHES, tables.DISTRESS_SCORES, tables.PROPERTY_CHANGES)


def outstanding(settings: Settings, *, now: datetime) -> str | None:
    """Names what may have to be told, or sent again, at this moment; None where there is nothing.

    Raises:
        StoreError: the lake or the state database cannot be read.
    """
    with database.session(settings) as session:
        due = [[message.key, message.attempts] for message in change_alerts.due(session, now=now)]
        watched = bool(change_alerts.watches(session, active=True))
    found = []
    if watched:
        state = _named(lake_state(settings), told_state(settings, now=now))
        if state != _read(settings):
            found.append(state)
    if due:
        found.append(f"again-{_digest(due)}")
    return ":".join(found) or None


def lake_state(settings: Settings) -> Any:
    """The tables that are searched; read before lists are refreshed, so that what comes meanwhile is news."""
    lake = Lake(settings)
    return [lake.snapshot(table).number for table in _TABLES]


def told_state(settings: Settings, *, now: datetime) -> Any:
    """Who watches what, what came to the lists and left them, and the day; read after the refresh."""
    with database.session(settings) as session:
        watched = change_alerts.watches(session, active=True)
        lists = {w.list_id: saved_lists.newest_event(session, w.list_id) for w in watched}
    daily = any(watch.rhythm == "daily" for watch in watched)
    return [
        [[w.id, w.kinds, w.since.isoformat()] for w in watched],
        sorted(lists.items()),
        local_day(now).isoformat(),
        last_digest(now).isoformat() if daily else None,
    ]


def remember(settings: Settings, lake: Any, told: Any) -> None:
    """All that these two name has been told."""
    path = _file(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_named(lake, told), encoding="utf-8")


def _read(settings: Settings) -> str:
    """A file that is missing or damaged only costs a look."""
    try:
        return _file(settings).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _file(settings: Settings) -> Path:
    return settings.data_dir / "changes" / "told"


def _named(lake: Any, told: Any) -> str:
    return _digest([lake, told])


def _digest(what: Any) -> str:
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:16]
