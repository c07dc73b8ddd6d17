"""Rows of mart/property_changes from what the rules found between two releases."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from leadflow_assets.domain.changes import Change, compare, event_id
from leadflow_assets.domain.changes.mailing import has_moved
from leadflow_assets.domain.towns import town_by_id
from leadflow_assets.enrich.changes.differences import Statistics
from leadflow_assets.enrich.changes.plan import Context, Pair
from leadflow_assets.enrich.changes.reading import RecordReader, Row, mailing_line

Event = dict[str, Any]
# How sure it is that two records tied this way are one property.
FOLLOWING = {
    "content": 1.0,
    "PROP_ID and CAMA_ID": 1.0,
    "PROP_ID and place": 0.99,
    "PROP_ID": 0.97,
    "CAMA_ID and place": 0.95,
    "parcel": 0.9,
    "address": 0.85,
}
_TRANSFER = frozenset({"sale", "sale_corrected", "owner_changed"})
_MAILING = frozenset({"mailing_moved", "became_absentee", "became_owner_occupied"})
_BUILDING = frozenset({"built", "demolished", "renovated"})


def release_event(context: Context, pair: Pair, kind: str, subject: str, **more: Any) -> Event:
    """An event that a release shows. A sale is known by its day, everything else by the release."""
    town_id, after = pair.after.town_id, pair.after.name
    day = more.get("event_date")
    happening = day.isoformat() if kind == "sale" and day else after
    return {
        "event_id": event_id(town_id, kind, subject, happening),
        "town_id": town_id,
        "kind": kind,
        "seen_at": context.seen_at,
        "from_release": pair.before.name,
        "to_release": after,
        "source": "MassGIS",
        "rules_version": context.rules.version,
        **more,
        "event_date": day or context.days.get((town_id, after)),
    }


def followed_events(
    context: Context,
    pairs: Sequence[Pair],
    rows: Sequence[Row],
    statistics: Statistics,
    moved_land: Mapping[int, frozenset[str]],
    reader: RecordReader,
) -> Iterator[Event]:
    """The events of records that are in both releases; ``moved_land``: parcels split or merged, by job."""
    for row in rows:
        pair, job = pairs[row["job"]], row["job"]
        if row["old_property_id"] != row["new_property_id"]:
            yield _renumbered(context, pair, row)
        land = moved_land.get(job, frozenset())
        same_land = row["old_loc_id"] not in land and row["new_loc_id"] not in land
        moves = statistics.moves(job, row["class"])
        for change in _changes(context, pair, row, moves, reader, same_land=same_land):
            yield _followed_event(context, pair, row, change, moves.median)


def _changes(
    context: Context, pair: Pair, row: Row, moves: Any, reader: RecordReader, *, same_land: bool
) -> list[Change]:
    town = town_by_id(pair.after.town_id).name
    before, after = (reader.record(row, side, town, with_occupancy=False) for side in ("old_", "new_"))
    if has_moved(before.mailing, after.mailing):
        before, after = (reader.record(row, side, town, with_occupancy=True) for side in ("old_", "new_"))
    row["occupancy"] = (before.occupancy, after.occupancy)  # type: ignore[index]
    return compare(before, after, moves, context.rules, same_land=same_land)


def _followed_event(context: Context, pair: Pair, row: Row, change: Change, median: float) -> Event:
    told = {change.kind, *change.includes}
    event = release_event(
        context,
        pair,
        change.kind,
        row["new_property_id"],
        property_id=row["new_property_id"],
        loc_id=row["new_loc_id"],
        site_address=row["new_site_addr"],
        includes=list(change.includes) or None,
        event_date=change.day,
        followed_by=row["how"],
        owner_change=change.owner_change,
        sale_quality=change.sale_quality,
        confidence=round(change.confidence * FOLLOWING[row["how"]], 4),
    )
    if told & _TRANSFER:
        event |= _sides(row, owner="owner1", sale_date="ls_date", sale_price="ls_price")
    if told & _MAILING:
        event |= {"mailing_before": mailing_line(row, "old_"), "mailing_after": mailing_line(row, "new_")}
        event |= dict(zip(("occupancy_before", "occupancy_after"), row["occupancy"], strict=True))
    if "use_changed" in told:
        event |= _sides(row, use_code="use_code")
    if told & _BUILDING:
        event |= _sides(row, building_value="bldg_val", building_sqft="bld_area", year_built="year_built")
    if not told & (_TRANSFER | _MAILING):
        event |= _sides(row, value="total_value")
        event["value_move"] = None if row["move"] is None else round(math.expm1(row["move"]), 6)
        event["town_move"] = round(math.expm1(median), 6)
    return event


def _sides(row: Row, **columns: str) -> Event:
    return {
        f"{name}_{side}": row[f"{prefix}{column}"]
        for name, column in columns.items()
        for side, prefix in (("before", "old_"), ("after", "new_"))
    }


def _renumbered(context: Context, pair: Pair, row: Row) -> Event:
    return release_event(
        context,
        pair,
        "renumbered",
        row["new_property_id"],
        property_id=row["new_property_id"],
        loc_id=row["new_loc_id"],
        site_address=row["new_site_addr"],
        followed_by=row["how"],
        property_ids_before=[row["old_property_id"]],
        property_ids_after=[row["new_property_id"]],
        confidence=FOLLOWING[row["how"]],
    )
