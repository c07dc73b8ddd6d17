"""The snapshot log: which immutable files are a table, now and at any earlier moment.

``_log/<layer>/<table>/0000042.json`` lists every current partition of the table with its files. Entries
are created, never changed; the next number goes to whoever creates it first, so that concurrent
publishers take turns and none loses an update.
"""

from __future__ import annotations

import json
import random
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from leadflow_assets.errors import StoreError, UsageError
from leadflow_assets.lake.store import STAGING, Store

# Far more than concurrent publishers need; a store that refuses this often is broken.
_MAX_ATTEMPTS = 200


@dataclass(frozen=True)
class FileEntry:
    """One immutable file: its key below the lake, and what can be known without opening it.

    ``bbox`` is (xmin, ymin, xmax, ymax) in EPSG:26986 metres, or None where there is no geometry.
    """

    path: str
    rows: int
    bytes: int
    sha256: str
    bbox: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class PartitionEntry:
    """One published partition: its files by role (data, quarantine, receipt) and where they came from.

    ``fingerprint`` covers the inputs and the code: equal fingerprints mean nothing to recompute.
    ``facts`` are the few figures that lists and checks show without opening the file.
    """

    files: Mapping[str, FileEntry]
    fingerprint: str
    inputs: Mapping[str, str]
    run_id: str
    published_at: str
    schema_version: str
    code_version: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def data(self) -> FileEntry:
        """The partition's rows."""
        return self.files["data"]


@dataclass(frozen=True)
class Snapshot:
    """The whole table at one moment. Number 0 is the empty table before anything was published."""

    table: str
    number: int
    committed_at: str
    partitions: Mapping[str, PartitionEntry]
    changed: tuple[str, ...]

    @cached_property
    def committed(self) -> datetime:
        """The moment of the commit, aware, UTC."""
        return datetime.fromisoformat(self.committed_at)

    def by_town(self) -> dict[int, PartitionEntry]:
        """The partitions by town id, of a table that has one per town."""
        return {int(name.removeprefix("town_id=")): entry for name, entry in self.partitions.items()}


def empty_snapshot(table: str) -> Snapshot:
    """The table before its first publish."""
    return Snapshot(table, 0, "1970-01-01T00:00:00+00:00", {}, ())


class SnapshotLog:
    """Reads and extends the log of one table (``core/parcels``)."""

    def __init__(self, store: Store, table: str) -> None:
        self.store = store
        self.table = table

    def latest(self, *, after: int = 0) -> Snapshot:
        """The newest snapshot; ``after`` is a number known to exist, to list less."""
        numbers = self._numbers(after - 1 if after else 0)
        return self.read(numbers[-1]) if numbers else empty_snapshot(self.table)

    def read(self, number: int) -> Snapshot:
        """One snapshot by number.

        Raises:
            UsageError: there is no such snapshot.
            StoreError: the entry is not readable.
        """
        if number == 0:
            return empty_snapshot(self.table)
        try:
            content = self.store.read(self._key(number))
        except FileNotFoundError:
            raise UsageError(f"{self.table} has no snapshot {number}.", "See lake.snapshots.") from None
        try:
            return _from_json(content)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreError(
                f"The log entry {self.store.location(self._key(number))} is damaged.",
                "Restore it from a backup, or remove it to fall back to the entry before it.",
            ) from error

    def as_of(self, moment: datetime) -> Snapshot:
        """The table as it was at ``moment`` (aware); the empty table before the first publish.

        Raises:
            UsageError: the history of that time has been cleaned up.
        """
        numbers = self._numbers(0)
        low, high = 0, len(numbers)
        while low < high:
            middle = (low + high) // 2
            if self.read(numbers[middle]).committed <= moment:
                low = middle + 1
            else:
                high = middle
        if low == 0 and numbers and numbers[0] > 1:
            kept = self.read(numbers[0]).committed
            raise UsageError(
                f"The history of {self.table} before {kept:%Y-%m-%d %H:%M} UTC has been cleaned up.",
                "Ask for a later moment.",
            )
        return self.read(numbers[low - 1]) if low else empty_snapshot(self.table)

    def numbers(self) -> list[int]:
        """Numbers of all snapshots kept, ascending."""
        return self._numbers(0)

    def commit(self, changes: Mapping[str, PartitionEntry | None], *, base: Snapshot) -> Snapshot | None:
        """Try to append one snapshot: ``base`` with ``changes`` (None removes a partition).

        Returns None when another publisher took the number first.
        """
        partitions = {**base.partitions}
        for partition, entry in changes.items():
            if entry is None:
                partitions.pop(partition, None)
            else:
                partitions[partition] = entry
        # Never earlier than the entry before it, whatever the clocks of two machines say.
        moment = max(datetime.now(UTC), base.committed + timedelta(microseconds=1))
        snapshot = Snapshot(
            self.table, base.number + 1, moment.isoformat(), partitions, tuple(sorted(changes))
        )
        created = self.store.put_new(self._key(snapshot.number), _to_json(snapshot))
        return snapshot if created else None

    def replace(self, snapshot: Snapshot) -> None:
        """Put another content in the place of an earlier entry; the whole entry changes at once.

        History is not changed but for one reason: what was purged must not be in it. The newest entry is not
        replaced but followed by another one, since publishers build on it.
        """
        temporary = f"{STAGING}/{uuid.uuid4().hex}.json"
        self.store.put_new(temporary, _to_json(snapshot))
        try:
            self.store.copy_over(temporary, self._key(snapshot.number))
        finally:
            self.store.delete(temporary)

    def _numbers(self, after: int) -> list[int]:
        prefix = f"_log/{self.table}/"
        keys = self.store.list(prefix, after=self._key(after) if after else "")
        names = (key.removeprefix(prefix).removesuffix(".json") for key in keys if key.endswith(".json"))
        return [int(name) for name in names if name.isdecimal()]  # other files are none of ours

    def _key(self, number: int) -> str:
        return f"_log/{self.table}/{number:07d}.json"


def wait_turn(attempt: int) -> None:
    """Pause a little before another try at the log, longer each time.

    Raises:
        StoreError: too many tries.
    """
    if attempt >= _MAX_ATTEMPTS:
        raise StoreError(
            "Could not append to the snapshot log: another publisher was always first.", "Try again later."
        )
    time.sleep(random.uniform(0, min(0.02 * attempt, 0.5)))


def _to_json(snapshot: Snapshot) -> bytes:
    # By hand: dataclasses.asdict copies every value, and a state has 351 partitions in every entry.
    partitions = {
        name: {**vars(entry), "files": {role: vars(file) for role, file in entry.files.items()}}
        for name, entry in snapshot.partitions.items()
    }
    entry = {
        "table": snapshot.table,
        "number": snapshot.number,
        "committed_at": snapshot.committed_at,
        "partitions": partitions,
        "changed": snapshot.changed,
    }
    return json.dumps(entry, separators=(",", ":"), sort_keys=True).encode()


def _from_json(content: bytes) -> Snapshot:
    entry = json.loads(content)
    datetime.fromisoformat(entry["committed_at"])  # damage shows here, not where the moment is first used
    partitions = {name: _partition(value) for name, value in entry["partitions"].items()}
    return Snapshot(
        entry["table"], entry["number"], entry["committed_at"], partitions, tuple(entry["changed"])
    )


def _partition(value: dict[str, Any]) -> PartitionEntry:
    files = {
        role: FileEntry(**{**file, "bbox": tuple(file["bbox"]) if file["bbox"] else None})
        for role, file in value["files"].items()
    }
    return PartitionEntry(**{**value, "files": files})
