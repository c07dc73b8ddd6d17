"""The file a download grows in: ``<name>.part``, beside a note of which object it is a part of."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import NoReturn

from leadflow_assets.errors import StoreError

CHUNK = 1 << 16


@dataclass(frozen=True)
class RemoteState:
    """What a source says about an object; ``url`` is without query and credentials, ``size`` in bytes."""

    etag: str | None
    last_modified: datetime | None
    size: int | None
    url: str


def validator(state: RemoteState) -> str | None:
    """What If-Range may carry: a strong ETag, else the date (RFC 9110, 13.1.5)."""
    if state.etag:
        return None if state.etag.startswith("W/") else state.etag
    when = state.last_modified
    return None if when is None else format_datetime(when.astimezone(UTC), usegmt=True)


class PartFile:
    """The growing file, its hash and its sidecar. Held by one process at a time."""

    def __init__(self, folder: Path, name: str, handle: int) -> None:
        self.target = folder / name
        self.path = folder / f"{name}.part"
        self.sidecar = folder / f"{name}.part.json"
        self.handle = handle
        self.size = 0
        self.state: RemoteState | None = None
        self.digest = hashlib.sha256()

    @classmethod
    @contextmanager
    def opened(cls, folder: Path, name: str) -> Iterator[PartFile]:
        """Open or create the part file and take its lock, which the system drops with the process."""
        part = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(folder / f"{name}.part", os.O_RDWR | os.O_CREAT, 0o644)
            try:
                part = cls(folder, name, handle)
                part._lock()
                try:
                    part._load()
                    yield part
                except BaseException:
                    part._drop_useless()
                    raise
            finally:
                os.close(handle)
        except OSError as error:
            _raise_for_store(error, folder, part)

    def _lock(self) -> None:
        try:
            fcntl.flock(self.handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever held it before may have renamed it since we opened it.
            if self.path.exists() and os.path.samestat(os.fstat(self.handle), self.path.stat()):
                return
        except BlockingIOError:
            pass
        raise StoreError(
            f"{self.target.name} is being fetched into {self.target.parent} by another process.",
            "Let it end, then try again.",
        )

    def _load(self) -> None:
        """Take up what an earlier call left, if it can be told of which object it is a part."""
        try:
            kept = json.loads(self.sidecar.read_text(encoding="utf-8"))
            modified = kept["last_modified"] and datetime.fromisoformat(kept["last_modified"])
            self.state = RemoteState(kept["etag"], modified, kept["size"], kept["url"])
        except (OSError, ValueError, KeyError, TypeError):
            self.restart(None)
            return
        while chunk := os.read(self.handle, CHUNK):
            self.digest.update(chunk)
            self.size += len(chunk)

    def restart(self, state: RemoteState | None, *, resumable: bool = True) -> None:
        """Empty the file; from now on it is a part of ``state``. Emptied first: a crash must not mix two."""
        os.ftruncate(self.handle, 0)
        os.lseek(self.handle, 0, os.SEEK_SET)
        self.size, self.state, self.digest = 0, state, hashlib.sha256()
        self.sidecar.unlink(missing_ok=True)
        if state is not None and resumable and validator(state):
            modified = state.last_modified and state.last_modified.isoformat()
            self.sidecar.write_text(json.dumps(vars(state) | {"last_modified": modified}), encoding="utf-8")

    def append(self, chunk: bytes) -> None:
        """Write to the system at once, so that a killed process loses nothing."""
        while chunk:
            written = os.write(self.handle, chunk)
            self.digest.update(chunk[:written])
            self.size += written
            chunk = chunk[written:]

    def start(self) -> bytes:
        """The first bytes, enough to tell what the file is."""
        return os.pread(self.handle, 256, 0)

    def _drop_useless(self) -> None:
        """Remove what no later call could go on from."""
        if not (self.size and self.sidecar.exists()):
            self.path.unlink(missing_ok=True)
            self.sidecar.unlink(missing_ok=True)

    def finish(self) -> Path:
        """Make the file durable and give it its name."""
        os.fsync(self.handle)
        self.path.replace(self.target)
        self.sidecar.unlink(missing_ok=True)
        folder = os.open(self.target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return self.target


def _raise_for_store(error: OSError, folder: Path, part: PartFile | None) -> NoReturn:
    if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
        hint = "Check its permissions."
        raise StoreError(f"{folder} cannot be written ({error.strerror}).", hint) from error
    expected = part.state.size if part and part.state else None
    need = "more" if part is None or expected is None else f"{max(expected - part.size, 0):,} more bytes"
    hint = "Free space; the download goes on from where it stopped."
    raise StoreError(f"The disk of {folder} is full: {need} needed.", hint) from error
