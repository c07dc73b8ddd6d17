"""Reading what happened: mart/property_changes, and for a saved list what came to it and left it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from leadflow_assets.domain.changes.kinds import KINDS, LIST_KINDS, QUIET
from leadflow_assets.domain.changes.withheld import without_purged
from leadflow_assets.errors import UsageError
from leadflow_assets.lake.catalog import connect, quoted
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.tables import PROPERTY_CHANGES
from leadflow_assets.settings import Settings
from leadflow_assets.state import database, purges, saved_lists
from leadflow_assets.state.saved_lists import Event as ListEvent

Event = dict[str, Any]
ALL_KINDS = (*KINDS, *LIST_KINDS)
_FIRST_REVISION = 1
# A member that is lost from the lake vanished or was merged, and that is told as such.
_LIST_EVENTS = {"came": "list_gained", "went": "list_lost"}
# A property may also be one of the parts of a split or of a merger.
_NAMED = (
    "(property_id IN (SELECT id FROM __property_ids) "
    "OR list_has_any(property_ids_before, (SELECT list(id) FROM __property_ids)) "
    "OR list_has_any(property_ids_after, (SELECT list(id) FROM __property_ids)))"
)


@dataclass(frozen=True)
class ChangeQuery:
    """Which events. ``since`` (aware) is when they were seen here, not when they happened.

    ``kinds`` None is every kind but the quiet ones; a kind also finds events that include it. ``towns`` are
    ids, ``list_name`` a saved list: its members, and who was on it since. ``event_ids`` names them.
    """

    since: datetime | None = None
    towns: Collection[int] | None = None
    kinds: Collection[str] | None = None
    list_name: str | None = None
    event_ids: Collection[str] | None = None


def find_changes(settings: Settings, query: ChangeQuery, *, today: date | None = None) -> list[Event]:
    """The events, the newest first: each a row of mart/property_changes, or a line of the list's log.

    Lines of a log have ``reason`` beside the columns that they share with rows. Court cases that may no
    longer be used on ``today`` are left out, and whoever asked to be: also while a purge is not finished.

    Raises:
        UsageError: an unknown list or kind.
    """
    check_kinds(query.kinds)
    property_ids: Sequence[str] | None = None
    listed: list[Event] = []
    if query.list_name is not None:
        property_ids, listed = _of_list(settings, query)
    found = _allowed(settings, _rows(settings, query, property_ids, today or datetime.now(UTC).date()))
    found += [event for event in listed if _wanted(event, query)]
    return sorted(found, key=_newest, reverse=True)


def _newest(event: Event) -> tuple[datetime, date, str]:
    """What one build saw has one moment: of these the newest day comes first."""
    return event["seen_at"], event["event_date"] or date.min, event["event_id"]


def check_kinds(kinds: Collection[str] | None) -> None:
    """Refuse a kind that is none.

    Raises:
        UsageError: names it and lists the others.
    """
    unknown = [kind for kind in kinds or () if kind not in ALL_KINDS]
    if unknown:
        raise UsageError(f"There is no kind of event {unknown[0]!r}.", f"Kinds: {', '.join(ALL_KINDS)}.")


def _rows(
    settings: Settings, query: ChangeQuery, property_ids: Sequence[str] | None, today: date
) -> list[Event]:
    lake = Lake(settings)
    wanted = None if query.towns is None else {PROPERTY_CHANGES.partition(town) for town in query.towns}
    files = [
        quoted(lake.store.location(entry.data.path))
        for name, entry in lake.snapshot(PROPERTY_CHANGES).partitions.items()
        if entry.data.rows and (wanted is None or name in wanted)
    ]
    if not files:
        return []
    conditions = ["(expires_on IS NULL OR expires_on >= $today)"]
    values: dict[str, Any] = {"today": today}
    if query.since is not None:
        conditions.append("seen_at >= $since")
        values["since"] = query.since
    if query.kinds is None:
        conditions.append("kind NOT IN (SELECT unnest($quiet))" if query.event_ids is None else "true")
        values |= {"quiet": sorted(QUIET)} if query.event_ids is None else {}
    else:
        conditions.append("(kind IN (SELECT unnest($kinds)) OR list_has_any(includes, $kinds))")
        values["kinds"] = sorted(query.kinds)
    connection = connect(settings, spatial=False)
    try:
        for name, ids, named in (
            ("__property_ids", property_ids, _NAMED),
            ("__event_ids", query.event_ids, "event_id IN (SELECT id FROM __event_ids)"),
        ):
            if ids is not None:
                connection.register(name, pa.table({"id": pa.array(list(ids), pa.string())}))
                conditions.append(named)
        connection.execute("SET TimeZone = 'UTC'")
        sql = (
            f"SELECT * FROM read_parquet([{', '.join(files)}], hive_partitioning = false, "
            f"union_by_name = true) WHERE {' AND '.join(conditions)}"
        )
        rows: list[Event] = connection.execute(sql, values).to_arrow_table().to_pylist()
    finally:
        connection.close()
    return rows


def _allowed(settings: Settings, rows: list[Event]) -> list[Event]:
    """The rows without purged owners and cases."""
    url = settings.state_url
    if not rows or (url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).is_file()):
        return rows
    with database.session(settings) as session:
        purged = purges.load(session)
    if not purged:
        return rows
    shown = (without_purged(purged, row) for row in rows)
    return [dict(row) for row in shown if row is not None]


def _of_list(settings: Settings, query: ChangeQuery) -> tuple[list[str], list[Event]]:
    """(members now and those that came or went since, the lines of the log as events)."""
    assert query.list_name is not None
    with database.session(settings) as session:
        saved = saved_lists.find(session, query.list_name)
        towns = {member.property_id: member.town_id for member in saved_lists.members(session, saved.id)}
        lines = saved_lists.events(session, saved.id, since=query.since)
    ids = {*towns, *(line.property_id for line in lines)}
    # Who was on the list when it was made did not come to it.
    events = [
        _list_event(saved.id, line, towns)
        for line in lines
        if line.event in _LIST_EVENTS and line.revision > _FIRST_REVISION
    ]
    return sorted(ids), events


def _list_event(list_id: int, line: ListEvent, towns: dict[str, int]) -> Event:
    named = hashlib.sha256(line.property_id.encode()).hexdigest()[:16]
    known = line.property_id[:3]
    town_id = towns.get(line.property_id, int(known) if known.isdecimal() else None)
    return {
        "event_id": f"L{list_id}-{line.revision}-{line.event}-{named}",
        "town_id": town_id,
        "property_id": line.property_id,
        "loc_id": None,
        "site_address": None,
        "kind": _LIST_EVENTS[line.event],
        "includes": None,
        "event_date": line.happened_at.date(),
        "seen_at": line.happened_at,
        "reason": line.reason,
        "source": "list",
        "confidence": 1.0,
    }


def _wanted(event: Event, query: ChangeQuery) -> bool:
    return (
        (query.kinds is None or event["kind"] in query.kinds)
        and (query.towns is None or event["town_id"] in query.towns)
        and (query.event_ids is None or event["event_id"] in query.event_ids)
    )
