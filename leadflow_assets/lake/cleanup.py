"""Dropping what no reader can reach any more: old snapshots, versions none of the kept ones names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from leadflow_assets.lake.snapshots import SnapshotLog
from leadflow_assets.lake.store import STAGING, Store
from leadflow_assets.lake.tables import TABLES

# An upload that nothing names yet may belong to a publish under way.
_UNDER_WAY = timedelta(hours=24)


@dataclass(frozen=True)
class Removal:
    """One object that is, or would be, removed, and why."""

    key: str
    reason: str
    bytes: int


def removable(store: Store, *, days: int) -> list[Removal]:
    """Log entries older than ``days`` (never the newest), and versions that no kept entry names."""
    now = datetime.now(UTC)
    found: list[Removal] = []
    for table in TABLES:
        log = SnapshotLog(store, table.name)
        numbers = log.numbers()
        snapshots = {number: log.read(number) for number in numbers}
        old = [n for n in numbers[:-1] if snapshots[n + 1].committed < now - timedelta(days=days)]
        found += [
            _removal(store, f"_log/{table.name}/{n:07d}.json", f"snapshot older than {days} days")
            for n in old
        ]
        kept = (snapshots[n] for n in numbers if n not in set(old))
        named = {f.path for s in kept for entry in s.partitions.values() for f in entry.files.values()}
        for key in store.list(f"_versions/{table.name}/"):
            if key not in named and store.modified(key) < now - _UNDER_WAY:
                found.append(_removal(store, key, "version of no kept snapshot"))
    for key in store.list(f"{STAGING}/"):
        if store.modified(key) < now - _UNDER_WAY:
            found.append(_removal(store, key, "left over from a killed process"))
    return found


def _removal(store: Store, key: str, reason: str) -> Removal:
    return Removal(key, reason, store.size(key))
