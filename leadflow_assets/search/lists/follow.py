"""Finding the properties of a list again in a later release.

A property's id is its town and PROP_ID; LOC_IDs change with every split and merge, and towns renumber.
Followed in this order: the same id; the same PROP_ID with another suffix; the same CAMA_ID; the same
address; the record on the parcel that lies now where the old one lay. A step counts only if it names one
record, and not one that existed before as a property of its own.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pyarrow as pa

from leadflow_assets.search.lists.parcels import ParcelNow, ParcelsNow
from leadflow_assets.state.saved_lists import Member

# Two points this far apart, metres, are not on one lot: most lots are smaller, a public point moves little.
_FAR_METRES = 150.0
# A polygon this much larger or smaller than the old one is a merge or a split, not a new survey.
_LARGER, _SMALLER = 1.15, 0.85
_COLUMNS = ("property_id", "town_id", "prop_id", "cama_id", "loc_id", "address_key", "point_x", "point_y")
_MEMBERS = pa.schema(
    [
        ("member_id", pa.string()),
        ("town_id", pa.int32()),
        ("prop_id", pa.string()),
        ("cama_id", pa.string()),
        ("address_key", pa.string()),
    ]
)
_KEYS = {"PROP_ID": "prop_id", "CAMA_ID": "cama_id", "address": "address_key"}
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Followed:
    """Where a member is now. ``target`` is its property id, None if it is lost or its town is not here.

    ``how`` is same, PROP_ID, CAMA_ID, address, overlap, lost or town not here; ``reason`` says it in words.
    """

    member: Member
    target: str | None
    how: str
    reason: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


EarlierRows = Callable[[Sequence[str]], Mapping[str, Row]]


def follow(
    connection: duckdb.DuckDBPyConnection,
    members: Sequence[Member],
    releases: Mapping[int, str],
    *,
    earlier: EarlierRows,
    parcels: ParcelsNow,
) -> list[Followed]:
    """Where each member is in the relation ``properties`` of ``connection``, in the order given.

    ``releases`` are the towns that are in the lake. ``earlier`` gives the rows that some ids had when the
    list was last refreshed (none if that is not known), ``parcels`` the parcels at the members' points.
    """
    found: dict[str, Followed] = {}
    here = [member for member in members if member.town_id in releases]
    found |= {
        member.property_id: Followed(
            member, None, "town not here", f"town {member.town_id} is not in the lake"
        )
        for member in members
        if member.town_id not in releases
    }
    same = _rows_by_id(connection, [member.property_id for member in here])
    doubtful = []
    for member in here:
        row = same.get(member.property_id)
        if row is not None and not _contradicts(member, row, "PROP_ID"):
            found[member.property_id] = Followed(member, member.property_id, "same")
        else:
            doubtful.append(member)
    if doubtful:
        found |= _search(connection, doubtful, releases, set(same), earlier, parcels)
    return [found[member.property_id] for member in members]


def _search(
    connection: duckdb.DuckDBPyConnection,
    members: Sequence[Member],
    releases: Mapping[int, str],
    ids_here: Collection[str],
    earlier: EarlierRows,
    parcels: ParcelsNow,
) -> dict[str, Followed]:
    candidates = _candidates(connection, members)
    named = {
        row["property_id"]: row for rules in candidates.values() for rows in rules.values() for row in rows
    }
    settled = _settled_before(named, earlier)
    found = {}
    for member in members:
        followed = _by_rules(member, candidates[member.property_id], settled)
        if followed is not None:
            found[member.property_id] = followed
    rest = [member for member in members if member.property_id not in found]
    found |= _by_place(connection, rest, parcels, earlier)
    for member in rest:
        followed = found[member.property_id]
        if followed.target is None and member.property_id in ids_here:
            # Everything about it changed but its number, and no other record has a better claim.
            found[member.property_id] = Followed(member, member.property_id, "same")
        elif followed.target is None:
            release = releases[member.town_id]
            reason = (
                f"record left the release {release}: no other has its PROP_ID, CAMA_ID or address alone; "
                f"{followed.reason}"
            )
            found[member.property_id] = Followed(member, None, "lost", reason, followed.detail)
    return found


def _candidates(
    connection: duckdb.DuckDBPyConnection, members: Sequence[Member]
) -> dict[str, dict[str, list[Row]]]:
    """Records of the member's town that share its PROP_ID, CAMA_ID or address, by member and rule."""
    table = pa.Table.from_pydict(
        {
            "member_id": [m.property_id for m in members],
            "town_id": [m.town_id for m in members],
            "prop_id": [m.prop_id for m in members],
            "cama_id": [m.cama_id for m in members],
            "address_key": [m.address_key for m in members],
        },
        schema=_MEMBERS,
    )
    columns = ", ".join(f"p.{name}" for name in _COLUMNS)
    union = " UNION ALL ".join(
        f"SELECT m.member_id, '{rule}' AS rule, {columns} FROM __members AS m "
        f"JOIN properties AS p ON p.town_id = m.town_id AND p.{key} = m.{key}"
        for rule, key in _KEYS.items()
    )
    result: dict[str, dict[str, list[Row]]] = {m.property_id: defaultdict(list) for m in members}
    for row in _query(connection, table, f"{union} ORDER BY ALL"):
        result[row["member_id"]][row["rule"]].append(row)
    return result


def _by_rules(
    member: Member, candidates: Mapping[str, Sequence[Row]], settled: Collection[str]
) -> Followed | None:
    """The first rule that names one record, which is neither another property nor contradicts the member."""
    for rule in _KEYS:
        rows = [
            row
            for row in candidates.get(rule, ())
            if row["property_id"] not in settled and not _contradicts(member, row, rule)
        ]
        if rule == "PROP_ID" and len(rows) > 1 and member.cama_id:
            rows = [row for row in rows if row["cama_id"] == member.cama_id]
        if len(rows) == 1:
            target = str(rows[0]["property_id"])
            if target == member.property_id:
                return Followed(member, target, "same")
            reason = f"{member.property_id} is {target} now: the same {rule}"
            return Followed(member, target, rule, reason, {"from": member.property_id})
    return None


def _settled_before(rows: Mapping[str, Row], earlier: EarlierRows) -> set[str]:
    """Which records were properties of their own already: they cannot be what became of another."""
    before = earlier(sorted(rows))
    return {
        name
        for name, row in rows.items()
        if name in before and not _contradicts(before[name], row, "PROP_ID")
    }


def _by_place(
    connection: duckdb.DuckDBPyConnection,
    members: Sequence[Member],
    parcels: ParcelsNow,
    earlier: EarlierRows,
) -> dict[str, Followed]:
    places = parcels([m for m in members if m.point_x is not None]) if members else {}
    wanted = {(m.town_id, places[m.property_id].loc_id) for m in members if m.property_id in places}
    records = _records_on(connection, wanted)
    single = [ids[0] for ids in records.values() if len(ids) == 1]
    settled = _settled_before(_rows_by_id(connection, single), earlier)
    return {m.property_id: _placed(m, places.get(m.property_id), records, settled) for m in members}


def _placed(
    member: Member,
    place: ParcelNow | None,
    records: Mapping[tuple[int, str], Sequence[str]],
    settled: Collection[str],
) -> Followed:
    if place is None:
        return Followed(member, None, "lost", "no parcel lies at its place now")
    here = records.get((member.town_id, place.loc_id), ())
    detail = {"from": member.property_id, "old_loc_id": member.loc_id, "new_loc_id": place.loc_id}
    lost = Followed(
        member, None, "lost", f"at its place lies parcel {place.loc_id} with {len(here)} records", detail
    )
    if len(here) != 1:
        return lost
    existed = here[0] in settled
    if existed and place.loc_id == member.loc_id:
        reason = f"{here[0]} is left on its parcel, and was there beside it"
        return Followed(member, None, "lost", reason, detail)
    if (member.records_on_parcel or 1) > 1:
        reason = f"its parcel held {member.records_on_parcel} records; {here[0]} may be any of them"
        return Followed(member, None, "lost", reason, detail)
    ratio = place.area / place.old_area if place.old_area else 1.0
    if ratio < _SMALLER:
        what = f"its parcel was split, {here[0]} has the part with its point"
    elif ratio > _LARGER or existed:
        what = f"its parcel was merged into that of {here[0]}"
    else:
        what = f"{here[0]} is the one record on its ground"
    reason = f"{member.property_id} is {here[0]} now, by overlap: {what} ({place.loc_id})"
    return Followed(member, here[0], "overlap", reason, detail)


def _rows_by_id(connection: duckdb.DuckDBPyConnection, ids: Sequence[str]) -> dict[str, Row]:
    columns = ", ".join(f"p.{name}" for name in _COLUMNS)
    table = pa.table({"member_id": pa.array(ids, pa.string())})
    sql = f"SELECT {columns} FROM __members AS m JOIN properties AS p ON p.property_id = m.member_id"
    return {row["property_id"]: row for row in _query(connection, table, sql)}


def _records_on(
    connection: duckdb.DuckDBPyConnection, parcels: Collection[tuple[int, str]]
) -> dict[tuple[int, str], list[str]]:
    """Property ids on each parcel (town, LOC_ID)."""
    ordered = sorted(parcels)
    table = pa.table(
        {
            "town_id": pa.array([town for town, _ in ordered], pa.int32()),
            "loc_id": pa.array([loc for _, loc in ordered], pa.string()),
        }
    )
    sql = (
        "SELECT p.town_id, p.loc_id, p.property_id FROM __members AS m "
        "JOIN properties AS p ON p.town_id = m.town_id AND p.loc_id = m.loc_id ORDER BY ALL"
    )
    result: dict[tuple[int, str], list[str]] = defaultdict(list)
    for row in _query(connection, table, sql):
        result[row["town_id"], row["loc_id"]].append(row["property_id"])
    return result


def _query(connection: duckdb.DuckDBPyConnection, members: pa.Table, sql: str) -> list[dict[str, Any]]:
    connection.register("__members", members)
    try:
        return list(connection.execute(sql).to_arrow_table().to_pylist())
    finally:
        connection.unregister("__members")


def _contradicts(member: Member | Row, row: Row, key: str) -> bool:
    """Are these two properties although ``key`` is the same? Nothing else agrees, two things disagree."""
    known = vars(member) if isinstance(member, Member) else member
    evidence = [_agree(known[column], row[column]) for rule, column in _KEYS.items() if rule != key]
    there, here = ((point["point_x"], point["point_y"]) for point in (known, row))
    if None not in (*there, *here):
        evidence.append(math.dist(there, here) <= _FAR_METRES)
    return True not in evidence and evidence.count(False) >= 2


def _agree(one: str | None, other: str | None) -> bool | None:
    return one == other if one and other else None
