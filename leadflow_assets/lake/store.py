"""Where the lake's bytes live: one small interface, a local folder and S3 behind it.

Three rules carry the lake's promises, and both stores keep them:

* ``put_new`` creates or refuses, never overwrites, and the object appears whole;
* ``copy_over`` replaces an object at once: a reader opens the old bytes or the new ones;
* nothing is written in place.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Protocol

from leadflow_assets.errors import NotConfiguredError, StoreError

if TYPE_CHECKING:
    from leadflow_assets.settings import Settings

STAGING = "_staging"


class Store(Protocol):
    """Objects under the lake's base, addressed by keys such as ``core/parcels/town_id=25/x.parquet``."""

    @property
    def uri(self) -> str:
        """The lake's base: an absolute folder or s3://bucket/prefix."""

    def put_new(self, key: str, source: Path | bytes) -> bool:
        """Create an object from a file or bytes; False, and nothing changed, if the key exists."""

    def copy_over(self, source_key: str, key: str) -> None:
        """Make ``key`` the same bytes as ``source_key``, atomically, whether or not it exists."""

    def same(self, source_key: str, key: str) -> bool:
        """Are both there, and ``key`` a copy of ``source_key``? Cheap: no bytes are read."""

    def read(self, key: str) -> bytes:
        """The object's bytes. Raises: FileNotFoundError, StoreError."""

    def exists(self, key: str) -> bool:
        """Is the object there?"""

    def list(self, prefix: str, *, after: str = "") -> Iterator[str]:
        """Keys below ``prefix`` (which ends in a slash), in order, those after ``after`` only."""

    def modified(self, key: str) -> datetime:
        """When the object was written, aware, UTC. Raises: FileNotFoundError, StoreError."""

    def size(self, key: str) -> int:
        """Its length in bytes. Raises: FileNotFoundError, StoreError."""

    def delete(self, key: str) -> None:
        """Remove the object if it is there."""

    def location(self, key: str) -> str:
        """What DuckDB, geopandas or a person opens: an absolute path or an s3:// address."""

    def fetch(self, key: str, folder: Path) -> Path:
        """A local file with the object's bytes (the object itself where the lake is local)."""


def open_store(settings: Settings) -> Store:
    """The store that the settings name.

    Raises:
        NotConfiguredError: S3 is wanted and no bucket is named.
    """
    if settings.use_s3_for_gis and not settings.leadflow_lake and not settings.aws_storage_bucket_name:
        raise NotConfiguredError(
            "USE_S3_FOR_GIS is on and no bucket is named.", "Set AWS_STORAGE_BUCKET_NAME or LEADFLOW_LAKE."
        )
    if not settings.lake_uri.startswith("s3://"):
        return LocalStore(Path(settings.lake_uri))
    # Imported late: boto3 costs a third of a second, and most commands never meet it.
    from leadflow_assets.lake.s3_store import S3Store, s3_client

    return S3Store(settings.lake_uri, s3_client(settings))


@dataclass(frozen=True)
class LocalStore:
    """A folder. Atomicity comes from ``link`` (create-only) and ``rename`` within one file system."""

    root: Path

    @property
    def uri(self) -> str:
        """The folder's absolute path."""
        return str(self.root)

    def put_new(self, key: str, source: Path | bytes) -> bool:
        """See :class:`Store`."""
        target = self.root / key
        if target.exists():
            return False
        with self._naming_the_folder():
            if isinstance(source, Path):
                return self._link_new(source, target)
            with self._temporary(source) as temporary:
                return self._link_new(temporary, target)

    def _link_new(self, source: Path, target: Path) -> bool:
        """Link a staged file into place; copy first where it lies on another file system."""
        try:
            _in_folder(os.link, source, target)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            with self._temporary(source) as temporary:
                return self._link_new(temporary, target)
        return True

    def copy_over(self, source_key: str, key: str) -> None:
        """See :class:`Store`; both names then share one immutable file."""
        target = self.root / key
        temporary = self.root / STAGING / uuid.uuid4().hex
        with self._naming_the_folder():
            _in_folder(os.link, self.root / source_key, temporary)
            try:
                _in_folder(os.replace, temporary, target)
            finally:
                # rename() of two links to one file does nothing and leaves the first name behind.
                temporary.unlink(missing_ok=True)

    def same(self, source_key: str, key: str) -> bool:
        """See :class:`Store`."""
        try:
            return (self.root / source_key).samefile(self.root / key)
        except FileNotFoundError:
            return False

    def read(self, key: str) -> bytes:
        """See :class:`Store`."""
        with self._naming_the_folder():
            return (self.root / key).read_bytes()

    def exists(self, key: str) -> bool:
        """See :class:`Store`."""
        return (self.root / key).exists()

    def list(self, prefix: str, *, after: str = "") -> Iterator[str]:
        """See :class:`Store`."""
        with self._naming_the_folder():
            walk = os.walk(self.root / prefix, onerror=_unless_gone)
            keys = [
                Path(folder, name).relative_to(self.root).as_posix()
                for folder, _, names in walk
                for name in names
            ]
        yield from (key for key in sorted(keys) if key > after)

    def modified(self, key: str) -> datetime:
        """See :class:`Store`."""
        return datetime.fromtimestamp((self.root / key).stat().st_mtime, UTC)

    def size(self, key: str) -> int:
        """See :class:`Store`."""
        return (self.root / key).stat().st_size

    def delete(self, key: str) -> None:
        """See :class:`Store`; empty folders go with the file."""
        path = self.root / key
        with self._naming_the_folder():
            path.unlink(missing_ok=True)
        for parent in path.parents:
            if parent == self.root:
                break
            try:
                parent.rmdir()
            except OSError:
                break

    def location(self, key: str) -> str:
        """See :class:`Store`."""
        return str(self.root / key)

    def fetch(self, key: str, folder: Path) -> Path:
        """See :class:`Store`; no copy is made."""
        return self.root / key

    @contextlib.contextmanager
    def _temporary(self, source: Path | bytes) -> Iterator[Path]:
        """A synced copy inside the lake's file system, removed afterwards."""
        path = self.root / STAGING / uuid.uuid4().hex
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("wb") as out:
                if isinstance(source, Path):
                    with source.open("rb") as data:
                        shutil.copyfileobj(data, out, 1 << 20)
                else:
                    out.write(source)
                out.flush()
                os.fsync(out.fileno())
            yield path
        finally:
            path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _naming_the_folder(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise
        except OSError as error:
            raise_for_disk(error, self.root)


def _in_folder(act: Callable[[Path, Path], None], source: Path, target: Path) -> None:
    """Do it in the target's folder, made anew if a ``delete`` of its last file took it away meanwhile."""
    while True:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except FileNotFoundError:
            continue
        except FileExistsError:
            if not target.parent.is_dir() and target.parent.exists():
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None
            continue
        try:
            return act(source, target)
        except FileNotFoundError:
            if not source.exists():
                raise


def _unless_gone(error: OSError) -> None:
    """What a listing may pass over: a folder that vanished, or never was. Not one it may not read."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise error


def raise_for_disk(error: OSError, folder: Path) -> NoReturn:
    """Turn an operating system's refusal to write into words that name the folder and the cure.

    Raises:
        StoreError: always.
    """
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        raise StoreError(
            f"No space left to write in {folder}.",
            "Free some space or set LEADFLOW_LAKE and LEADFLOW_DATA_DIR to a larger disk; "
            "nothing published was changed.",
        ) from error
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        raise StoreError(
            f"Not allowed to write in {folder}.", "Give this user the right to write there."
        ) from error
    raise StoreError(f"Cannot use {folder}: {error.strerror}.", "Run `leadflow doctor`.") from error
