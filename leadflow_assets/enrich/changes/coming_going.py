"""Properties that are in one release only: split off, merged away, vanished, or new."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pyarrow as pa

from leadflow_assets.domain.changes import Lineage
from leadflow_assets.enrich.changes.events import Event, release_event
from leadflow_assets.enrich.changes.plan import Context, Pair

_ALONE = """
SELECT r.job, r.property_id, r.loc_id, r.site_addr, r.total_value
FROM {side}_records AS r ANTI JOIN followed AS f ON f.{mine} = r.id
ORDER BY r.job, r.property_id
"""
_ON_PARCELS = """
SELECT r.job, r.loc_id, r.property_id, r.site_addr, r.total_value,
    n.property_id AS later_id, n.site_addr AS later_address
FROM {side}_records AS r
JOIN wanted AS w ON w.job = r.job AND w.loc_id = r.loc_id
LEFT JOIN followed AS f ON f.{mine} = r.id LEFT JOIN new_records AS n ON n.id = f.n
ORDER BY r.job, r.property_id
"""
# Ground and record both say so; of records alone on one parcel the count says so; else it is just not there.
_BY_GROUND, _BY_RECORDS, _BY_ABSENCE, _WITHOUT_POLYGONS = 0.95, 0.85, 0.9, 0.7


@dataclass
class _Parcels:
    """The records on the parcels of one job that were split or merged, by LOC_ID."""

    old: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    new: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))


def unfollowed_events(
    context: Context,
    connection: duckdb.DuckDBPyConnection,
    pairs: Sequence[Pair],
    lineages: Mapping[int, Lineage | None],
) -> Iterator[Event]:
    """Splits and mergers with their parts, then what vanished and appeared beside them."""
    gone = _by_job(connection.execute(_ALONE.format(side="old", mine="o")))
    came = _by_job(connection.execute(_ALONE.format(side="new", mine="n")))
    parcels = _parcels(connection, lineages)
    for job, pair in enumerate(pairs):
        lineage = lineages.get(job)
        known = lineage or Lineage()
        on = parcels[job]
        yield from _splits(context, pair, known, on)
        yield from _mergers(context, pair, known, on)
        old_land = {*known.splits, *known.merged}
        new_land = {*known.merges, *known.parts}
        old = [row for row in gone[job] if row["loc_id"] not in old_land]
        new = [row for row in came[job] if row["loc_id"] not in new_land]
        confidence = _WITHOUT_POLYGONS if lineage is None else _BY_ABSENCE
        yield from _rest(context, pair, known, old, new, confidence)


def _by_job(found: duckdb.DuckDBPyConnection) -> dict[int, list[dict[str, Any]]]:
    rows: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in found.to_arrow_table().to_pylist():
        rows[row["job"]].append(row)
    return rows


def _parcels(
    connection: duckdb.DuckDBPyConnection, lineages: Mapping[int, Lineage | None]
) -> dict[int, _Parcels]:
    found: dict[int, _Parcels] = defaultdict(_Parcels)
    for side, mine in (("old", "o"), ("new", "n")):
        wanted = [
            (job, loc_id)
            for job, lineage in lineages.items()
            if lineage is not None
            for loc_id in (
                {*lineage.splits, *lineage.merged} if side == "old" else {*lineage.merges, *lineage.parts}
            )
        ]
        if not wanted:
            continue
        jobs, ids = zip(*wanted, strict=True)
        table = pa.table({"job": pa.array(jobs, pa.int32()), "loc_id": pa.array(ids, pa.string())})
        connection.register("wanted", table)
        rows = connection.execute(_ON_PARCELS.format(side=side, mine=mine)).to_arrow_table().to_pylist()
        connection.unregister("wanted")
        for row in rows:
            getattr(found[row["job"]], side)[row["loc_id"]].append(row)
    return found


def _splits(context: Context, pair: Pair, known: Lineage, on: _Parcels) -> Iterator[Event]:
    for old, parts in sorted(known.splits.items()):
        before, after = on.old.get(old, []), _all(on.new, parts)
        if before or after:
            yield _parcel_event(context, pair, "split", old, ([old], list(parts)), before, after)


def _mergers(context: Context, pair: Pair, known: Lineage, on: _Parcels) -> Iterator[Event]:
    for new, parts in sorted(known.merges.items()):
        before, after = _all(on.old, parts), on.new.get(new, [])
        if before or after:
            yield _parcel_event(context, pair, "merged", new, (list(parts), [new]), before, after)


def _all(rows: Mapping[str, list[dict[str, Any]]], loc_ids: Sequence[str]) -> list[dict[str, Any]]:
    return [row for loc_id in loc_ids for row in rows.get(loc_id, [])]


def _parcel_event(
    context: Context,
    pair: Pair,
    kind: str,
    subject: str,
    parcels: tuple[list[str], list[str]],
    before: Sequence[dict[str, Any]],
    after: Sequence[dict[str, Any]],
    confidence: float = _BY_GROUND,
) -> Event:
    """One event of several parcels; the property it is told of is the one that lives on, if there is one."""
    survivors = sorted({row["later_id"] for row in before if row.get("later_id")})
    addresses = {row.get("later_id"): row.get("later_address") for row in before}
    addresses |= {row["property_id"]: row["site_addr"] for row in (*after, *before)}
    ids = [sorted({row["property_id"] for row in rows}) for rows in (before, after)]
    told_of = (survivors or ids[1] or ids[0])[0]
    place = next((row["loc_id"] for row in after if row["property_id"] == told_of), parcels[1][0])
    return release_event(
        context,
        pair,
        kind,
        subject,
        property_id=told_of,
        loc_id=place,
        site_address=addresses.get(told_of),
        followed_by="ground" if confidence == _BY_GROUND else "parcel",
        loc_ids_before=parcels[0],
        loc_ids_after=parcels[1],
        property_ids_before=ids[0],
        property_ids_after=ids[1],
        value_before=_total(before),
        value_after=_total(after),
        confidence=confidence,
    )


def _total(rows: Sequence[dict[str, Any]]) -> int | None:
    values = [row["total_value"] for row in rows if row["total_value"] is not None]
    return sum(values) if values else None


def _rest(
    context: Context,
    pair: Pair,
    known: Lineage,
    gone: Sequence[dict[str, Any]],
    came: Sequence[dict[str, Any]],
    confidence: float,
) -> Iterator[Event]:
    """Records that came and went on one parcel were divided or joined; the others vanished or are new."""
    old, new = defaultdict(list), defaultdict(list)
    for row in gone:
        old[known.renamed.get(row["loc_id"], row["loc_id"])].append(row)
    for row in came:
        new[row["loc_id"]].append(row)
    told: set[str] = set()
    for loc_id in sorted(loc for loc in old.keys() & new.keys() if loc is not None):
        before, after = old[loc_id], new[loc_id]
        if len(before) == len(after):
            continue
        kind = "split" if len(before) < len(after) else "merged"
        was = sorted({row["loc_id"] for row in before})
        yield _parcel_event(
            context, pair, kind, f"records of {loc_id}", (was, [loc_id]), before, after, _BY_RECORDS
        )
        told |= {row["property_id"] for row in (*before, *after)}
    for kind, rows, found in (("vanished", gone, "before"), ("appeared", came, "after")):
        for row in rows:
            if row["property_id"] not in told:
                yield release_event(
                    context,
                    pair,
                    kind,
                    row["property_id"],
                    property_id=row["property_id"],
                    loc_id=row["loc_id"],
                    site_address=row["site_addr"],
                    confidence=confidence,
                    **{f"value_{found}": row["total_value"]},
                )
