"""Rows of mart/property_changes without purged cases and withheld owners; that they were told goes too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from leadflow_assets.domain.changes.withheld import PERSONAL, SIDES, withheld_sides, without_owners
from leadflow_assets.domain.purging import Purged, property_place
from leadflow_assets.enrich.purge.deriving import read_columns
from leadflow_assets.enrich.purge.tables import Cleaned
from leadflow_assets.enrich.purge.traces import Traces
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.tables import ASSESSMENT_RELEASES
from leadflow_assets.pipeline.withheld import property_ids
from leadflow_assets.settings import Settings
from leadflow_assets.state import change_alerts, database

_PERSONAL: Final = tuple(f"{name}_{side}" for name in PERSONAL for side in SIDES)
_CHANGED: Final = ("event_id", "kind", "includes", "owner_change", *_PERSONAL)
_READ: Final = (
    *_CHANGED,
    *("town_id", "property_id", "site_address", "case_id", "from_release", "to_release"),
    *("property_ids_before", "property_ids_after"),
)
_RELEASE: Final = ("town_id", "prop_id", "cama_id", "assessment_id", "owner1")
# Where nobody is named the releases tell whose mailing address it was: (property, release).
AtRelease = tuple[str, str]


class Changes:
    """The rule of mart/property_changes. ``forgotten`` counts what was told of events that left."""

    def __init__(
        self,
        settings: Settings,
        purged: Callable[[], Purged],
        traces: Callable[[], Traces],
        folder: Path,
        *,
        dry_run: bool,
    ) -> None:
        self._settings = settings
        self._purged = purged
        self._traces = traces
        self._folder = folder
        self._dry_run = dry_run
        self._withheld: set[AtRelease] | None = None
        self._seen: set[str] = set()
        self.forgotten = 0

    def clean(self, rows: pa.Table) -> Cleaned | None:
        """The rows as they may be shown."""
        read = rows.select([name for name in _READ if name in rows.column_names]).to_pylist()
        former = {
            (row["property_id"], row["to_release"]): row["property_ids_before"][0]
            for row in read
            if row["kind"] == "renumbered"
        }
        kept: list[int] = []
        changes: dict[int, Mapping[str, Any]] = {}
        gone: set[str] = set()
        for number, row in enumerate(read):
            clean = self._clean(row, former)
            if clean is None or clean["event_id"] != row["event_id"]:
                gone.add(row["event_id"])
            if clean is None:
                continue
            if clean is not row:
                changes[len(kept)] = clean
            kept.append(number)
        if len(kept) == len(read) and not changes:
            return None
        # First, so that a kill leaves rows by which it is found again.
        self._forget(gone)
        left = rows.take(pa.array(kept, pa.int64()))
        return Cleaned(_with(left, changes), len(read) - len(kept), len(changes))

    def _clean(self, row: dict[str, Any], former: Mapping[AtRelease, str]) -> Mapping[str, Any] | None:
        property_id, case_id = row["property_id"], row.get("case_id")
        if case_id and (self._purged().has_case(case_id) or (property_id, case_id) in self._traces().pairs):
            return None
        if row["kind"] == "score_crossed":
            return None if property_id in self._traces().days else row
        if not any(row.get(name) for name in _PERSONAL):
            return row
        before, after = withheld_sides(self._purged(), row)
        earlier = former.get((property_id, row["to_release"]), property_id)
        before = before or self._is_withheld(earlier, row["from_release"])
        after = after or self._is_withheld(property_id, row["to_release"])
        return without_owners(row, before, after)

    def _is_withheld(self, property_id: str, release: str | None) -> bool:
        if release is None or not self._purged().places([property_place(property_id)]):
            return False
        if self._withheld is None:
            self._withheld = self._read_releases()
        return (property_id, release) in self._withheld

    def _read_releases(self) -> set[AtRelease]:
        """Where the releases name a purged owner, or none (any more) at a place of one."""
        purged, lake = self._purged(), Lake(self._settings)
        names = {
            name: str(e.facts["release"]) for name, e in lake.snapshot(ASSESSMENT_RELEASES).partitions.items()
        }
        towns = {f"town_id={town}" for town in purged.towns}
        found: set[AtRelease] = set()
        for partition, rows in read_columns(lake, ASSESSMENT_RELEASES, _RELEASE, self._folder, towns):
            for town_id, prop_id, cama_id, assessment_id, owner in zip(
                *(rows[name].to_pylist() for name in _RELEASE), strict=True
            ):
                for one in property_ids(town_id, prop_id, cama_id, assessment_id):
                    places = purged.places([property_place(one)])
                    if places and (owner is None or purged.mentions(owner, places)):
                        found.add((one, names[partition]))
        return found

    def _forget(self, event_ids: set[str]) -> None:
        new = event_ids - self._seen
        self._seen |= new
        if not new:
            return
        with database.session(self._settings) as session:
            self.forgotten += change_alerts.forget(session, new)
            if self._dry_run:
                session.rollback()
            else:
                session.commit()


def _with(rows: pa.Table, changes: Mapping[int, Mapping[str, Any]]) -> pa.Table:
    for name in _CHANGED if changes else ():
        if name in rows.column_names:
            values = rows[name].to_pylist()
            for number, change in changes.items():
                values[number] = change[name]
            at = rows.schema.get_field_index(name)
            field = rows.schema.field(at)
            rows = rows.set_column(at, field, pa.array(values, field.type))
    return rows
