"""The lake as the rest of the program sees it: its store, its snapshots, its folders on this machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cached_property
from pathlib import Path

from leadflow_assets.errors import UsageError
from leadflow_assets.lake.snapshots import Snapshot, SnapshotLog
from leadflow_assets.lake.store import Store, open_store
from leadflow_assets.lake.tables import SCHEMA_VERSION, Table
from leadflow_assets.settings import Settings


@dataclass(frozen=True)
class Lake:
    """A lake opened with some settings. Cheap to make; nothing is read or written until asked."""

    settings: Settings

    @cached_property
    def store(self) -> Store:
        """Where the bytes are."""
        return open_store(self.settings)

    @property
    def staging(self) -> Path:
        """Folder of files that are being made."""
        return self.settings.data_dir / "staging"

    @property
    def downloads(self) -> Path:
        """Folder of packages that are being fetched; parts survive a restart."""
        return self.settings.data_dir / "downloads"

    def snapshot(self, table: Table, when: str | int | None = None) -> Snapshot:
        """The newest snapshot of a table, or a past one: by number, or by date or time (see :func:`moment`).

        Raises:
            UsageError: no such number, or a date that is none.
        """
        log = SnapshotLog(self.store, table.name)
        if when is None:
            return log.latest()
        return log.read(when) if isinstance(when, int) else log.as_of(moment(when))


def moment(text: str) -> datetime:
    """A date (its last instant, UTC) or an ISO time (UTC unless it says otherwise).

    Raises:
        UsageError: it is neither.
    """
    try:
        if len(text) == len("2026-01-01"):
            return datetime.combine(date.fromisoformat(text), time.max, UTC)
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is not a date.", "Write 2026-11-22 or 2026-11-22T14:30.") from None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def first_moment(text: str) -> datetime:
    """What "since" means: a date from its first instant on (UTC), or an ISO time as :func:`moment` reads it.

    Raises:
        UsageError: it is neither.
    """
    found = moment(text)
    return datetime.combine(found.date(), time.min, UTC) if len(text) == len("2026-01-01") else found


def fingerprint(table: Table, inputs: Mapping[str, str], code_version: str) -> str:
    """What a partition was made from: equal fingerprints mean that there is nothing to recompute."""
    content = json.dumps([table.name, SCHEMA_VERSION, code_version, dict(inputs)], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()
