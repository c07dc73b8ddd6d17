"""Publishing: staged files become a new snapshot, then the current copy. Nobody ever sees half.

The order is what makes it safe to be killed anywhere:

1. the immutable files go to ``_versions/`` (named by content; the same bytes again are a no-op);
2. one log entry makes them the table: from here on our own readers see them;
3. the current copy is replaced file by file.

A death between 2 and 3 leaves a current copy that is one step behind. Whoever publishes next first puts
right what the newest entry changed, so the lag never grows; ``leadflow doctor --repair`` does the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from leadflow_assets.lake.snapshots import FileEntry, PartitionEntry, Snapshot, SnapshotLog, wait_turn
from leadflow_assets.lake.store import Store


@dataclass(frozen=True)
class StagedFile:
    """A finished local file that waits to be published. ``bbox`` in EPSG:26986 metres."""

    path: Path
    rows: int
    sha256: str
    bbox: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class StagedPartition:
    """One partition, audited, ready to be published; travels between processes."""

    table: str
    partition: str
    files: Mapping[str, StagedFile]
    fingerprint: str
    inputs: Mapping[str, str]
    schema_version: str
    code_version: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Published:
    """What a publish did: the snapshot, and the entries that came in with it."""

    snapshot: Snapshot
    entries: Mapping[str, PartitionEntry]


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file."""
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def version_key(table: str, partition: str, sha256: str, suffix: str) -> str:
    """Where an immutable file lives, named by its content."""
    return f"_versions/{table}/{partition}/{sha256[:16]}{suffix}"


def current_key(table: str, partition: str, role: str, suffix: str) -> str:
    """Where any engine finds the file: ``core/parcels/town_id=25/parcels.parquet``.

    Quarantined rows stand in a folder of their own, so that a glob over a table is exactly the table.
    """
    layer, name = table.split("/")
    if role == "quarantine":
        return f"{layer}/{name}_quarantine/{partition}/{name}_quarantine{suffix}"
    return f"{table}/{partition}/{name if role == 'data' else role}{suffix}"


def upload(store: Store, staged: StagedPartition) -> PartitionEntry:
    """Step 1 for one partition; safe from any process at any time, since nothing refers to it yet."""
    files = {}
    for role, file in staged.files.items():
        key = version_key(staged.table, staged.partition, file.sha256, file.path.suffix)
        store.put_new(key, file.path)
        files[role] = FileEntry(key, file.rows, file.path.stat().st_size, file.sha256, file.bbox)
    return PartitionEntry(
        files=files,
        fingerprint=staged.fingerprint,
        inputs=dict(staged.inputs),
        run_id="",
        published_at="",
        schema_version=staged.schema_version,
        code_version=staged.code_version,
        facts=dict(staged.facts),
    )


class Publisher:
    """Publishes partitions of any table, on behalf of one run."""

    def __init__(self, store: Store, run_id: str) -> None:
        self.store = store
        self.run_id = run_id

    def publish(self, table: str, uploaded: Mapping[str, PartitionEntry | None]) -> Published:
        """Steps 2 and 3: make the uploaded partitions (None: removed) the table, all at once.

        Raises:
            StoreError: the store refused; the table is the old or the new one, never between.
        """
        now = datetime.now(UTC).isoformat(timespec="seconds")
        entries = {
            partition: None if entry is None else _stamped(entry, self.run_id, now)
            for partition, entry in uploaded.items()
        }
        log = SnapshotLog(self.store, table)
        base = log.latest()
        attempt = 0
        touched: set[str] = set()
        while True:
            touched |= set(base.changed)
            refresh_current(self.store, base, base.changed)
            snapshot = log.commit(entries, base=base)
            if snapshot is not None:
                break
            attempt += 1
            wait_turn(attempt)
            base = log.latest(after=base.number)
        _settle(self.store, snapshot, touched | set(snapshot.changed))
        return Published(snapshot, {name: entry for name, entry in entries.items() if entry is not None})


def catch_up(store: Store, table: str) -> None:
    """Put right what a publisher that died between log and current copy left a step behind."""
    newest = SnapshotLog(store, table).latest()
    _settle(store, newest, newest.changed)


def _settle(store: Store, snapshot: Snapshot, touched: Iterable[str]) -> int:
    """Bring the current copies of ``touched`` up to ``snapshot``, or to what was committed meanwhile.

    Two publishers of one partition may copy in the wrong order; the last look decides. That goes for every
    partition this process copied, its own or one it repaired for another. Returns files put right.
    """
    repaired = 0
    while True:
        repaired += refresh_current(store, snapshot, sorted(touched))
        newest = SnapshotLog(store, snapshot.table).latest(after=snapshot.number)
        if newest.number == snapshot.number:
            return repaired
        snapshot = newest


def refresh_current(store: Store, snapshot: Snapshot, partitions: Iterable[str]) -> int:
    """Make the current copies of these partitions what the snapshot says; returns how many were not."""
    repaired = 0
    for partition in partitions:
        entry = snapshot.partitions.get(partition)
        wanted = dict(entry.files) if entry else {}
        for role, file in wanted.items():
            target = current_key(snapshot.table, partition, role, Path(file.path).suffix)
            if not store.same(file.path, target):
                store.copy_over(file.path, target)
                repaired += 1
        repaired += _remove_left_over(store, snapshot.table, partition, wanted)
    return repaired


def _remove_left_over(store: Store, table: str, partition: str, wanted: Mapping[str, FileEntry]) -> int:
    """Delete current files of roles the partition no longer has (or of a removed partition)."""
    removed = 0
    # Packages as their source sent them are zips; every other table is Parquet.
    for role, ending in (
        ("data", ".parquet"),
        ("data", ".zip"),
        ("quarantine", ".parquet"),
        ("receipt", ".json"),
    ):
        key = current_key(table, partition, role, ending)
        if role not in wanted and store.exists(key):
            store.delete(key)
            removed += 1
    return removed


def repair(store: Store, table: str) -> int:
    """Make the whole current copy of a table what its newest snapshot says; returns files put right."""
    snapshot = SnapshotLog(store, table).latest()
    folders = (f"{table}/", f"{table}_quarantine/")
    there = {key.removeprefix(folder).rpartition("/")[0] for folder in folders for key in store.list(folder)}
    return _settle(store, snapshot, {*snapshot.partitions, *there} - {""})


def _stamped(entry: PartitionEntry, run_id: str, now: str) -> PartitionEntry:
    return PartitionEntry(**{**entry.__dict__, "run_id": run_id, "published_at": now})
