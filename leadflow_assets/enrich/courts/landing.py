"""Rows into raw/court_dockets: beside what is kept there, each docket in its month, each telling once.

A plan reads and decides; nothing is changed until it is published, in one entry of the log for all months.
What tells the same as before leaves the kept row as it was, so that asking again publishes nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from leadflow_assets.domain.courts.rows import SEARCH, RawDocket, settle
from leadflow_assets.enrich.courts.kept import Kept, Place
from leadflow_assets.enrich.courts.publishing import put
from leadflow_assets.lake.publish import Publisher
from leadflow_assets.lake.snapshots import PartitionEntry
from leadflow_assets.lake.tables import COURT_DOCKETS

# Rows that may be kept of some; the second ones are others of the same dockets, to look at only.
Clean = Callable[[Sequence[RawDocket], Sequence[RawDocket]], Sequence[RawDocket]]
EXPIRES_FIRST = "expires_first"
# What a search says of itself and not of the docket.
_NOT_THE_DOCKETS = "meta"


def all_of_them(rows: Sequence[RawDocket], beside: Sequence[RawDocket] = ()) -> Sequence[RawDocket]:
    """Every row may be kept."""
    return rows


@dataclass(frozen=True)
class Plan:
    """What the partitions touched hold now, and what they will hold. The counts are of rows."""

    before: Mapping[Place, Sequence[RawDocket]]
    after: Mapping[Place, Sequence[RawDocket]]
    new: int
    changed: int
    unchanged: int
    moved: int
    expired: int
    withheld: int

    @property
    def differing(self) -> list[Place]:
        """The partitions that are not as they were."""
        places = sorted({*self.before, *self.after})
        return [
            place for place in places if list(self.before.get(place, ())) != list(self.after.get(place, ()))
        ]


def make_plan(
    kept: Kept,
    rows: Iterable[RawDocket],
    today: date,
    clean: Clean = all_of_them,
    also: Iterable[Place] = (),
) -> Plan:
    """How the rows go with what is kept.

    ``today`` decides what has expired; ``clean`` what may be kept, be it new or not. ``also`` are
    partitions to look at although no row touches them.
    """
    given = list(rows)
    by_court: dict[str, list[RawDocket]] = {}
    for row in given:
        by_court.setdefault(row.court, []).append(row)
    touched = set(also)
    for court, mine in by_court.items():
        months = {row.filed_month for row in mine} | kept.months_with(court, mine)
        touched |= {(court, month) for month in months}
    before = {place: kept.rows(place) for place in sorted(touched)}
    here = [row for held in before.values() for row in held]
    stays, allowed = clean(here, given), clean(given, here)
    settled = settle(_each_telling_once([*stays, *allowed]))
    usable = [row for row in settled if row.expires_on is None or row.expires_on >= today]
    after: dict[Place, list[RawDocket]] = {}
    for row in usable:
        after.setdefault((row.court, row.filed_month), []).append(row)
    return Plan(
        before=before,
        after=after,
        expired=len(settled) - len(usable),
        withheld=len(given) - len(allowed) + len(here) - len(stays),
        **_counts(here, usable, {(row.court, row.record_id) for row in allowed}),
    )


def publish(kept: Kept, plan: Plan, publisher: Publisher, folder: Path) -> tuple[str, ...]:
    """Publish what differs, all at once; returns the partitions.

    Raises:
        AuditError, StoreError: the table is what it was.
    """
    changes: dict[str, PartitionEntry | None] = {}
    for place in plan.differing:
        rows = list(plan.after.get(place, ()))
        entry = None
        if rows:
            inputs = {"rows": _digest(rows)}
            entry = put(kept.lake, COURT_DOCKETS, place, rows, RawDocket, inputs, _facts(rows), folder)
        changes[COURT_DOCKETS.partition(*place)] = entry
    if changes:
        publisher.publish(COURT_DOCKETS.name, changes)
    return tuple(sorted(changes))


def expiring(kept: Kept, today: date) -> set[Place]:
    """Partitions with a row that must not be used any more."""
    return {
        place
        for place, entry in kept.entries.items()
        if (first := entry.facts.get(EXPIRES_FIRST)) is not None and date.fromisoformat(first) < today
    }


def _each_telling_once(rows: Iterable[RawDocket]) -> list[RawDocket]:
    """The newest telling of each record, as it was first told: the same again changes nothing."""
    told: dict[tuple[str, str], RawDocket] = {}
    for row in sorted(rows, key=lambda one: (one.fetched_at, one.body)):
        key = (row.court, row.record_id)
        held = told.get(key)
        if held is None or not _tells_the_same(held, row):
            told[key] = row
        elif held.date_filed is None and row.date_filed is not None:
            told[key] = replace(held, date_filed=row.date_filed)
    return list(told.values())


def _tells_the_same(held: RawDocket, row: RawDocket) -> bool:
    # The question and the day filed, which is the docket's, may differ.
    same = replace(
        row,
        fetched_at=held.fetched_at,
        request_hash=held.request_hash,
        date_filed=held.date_filed,
        body=held.body,
    )
    return same == held and (row.body == held.body or _plain(row) == _plain(held))


def _plain(row: RawDocket) -> Any:
    document = row.document
    if row.endpoint == SEARCH and isinstance(document, dict):
        return {name: value for name, value in document.items() if name != _NOT_THE_DOCKETS}
    return document


def _counts(
    here: Sequence[RawDocket], usable: Sequence[RawDocket], given: set[tuple[str, str]]
) -> dict[str, int]:
    held = {(row.court, row.record_id): row for row in here}
    counts = dict.fromkeys(("new", "changed", "unchanged", "moved"), 0)
    for row in usable:
        key = (row.court, row.record_id)
        earlier = held.get(key)
        if earlier is not None and earlier.filed_month != row.filed_month:
            counts["moved"] += 1
        if key in given:
            counts[
                "new" if earlier is None else "unchanged" if _is_as_it_was(earlier, row) else "changed"
            ] += 1
    return counts


def _is_as_it_was(earlier: RawDocket, row: RawDocket) -> bool:
    return replace(earlier, date_filed=row.date_filed) == row


def _facts(rows: Sequence[RawDocket]) -> dict[str, Any]:
    ends = [row.expires_on for row in rows if row.expires_on is not None]
    return {"rows_in": len(rows), EXPIRES_FIRST: min(ends).isoformat() if ends else None}


def _digest(rows: Sequence[RawDocket]) -> str:
    """Names the content: SHA-256, hex."""
    digest = hashlib.sha256()
    for row in rows:
        values = [getattr(row, name) for name in RawDocket.__slots__]
        digest.update(json.dumps([None if v is None else str(v) for v in values]).encode())
    return digest.hexdigest()
