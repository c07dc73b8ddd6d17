"""Putting a finished file in its place: whole, synced, and only then under its name.

All that is unfinished lies in one hidden folder beside the target, so that nothing needs a second disk
and the last step is a rename. A killed run leaves that folder; the next export to the same name removes it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import glob
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from leadflow_assets.errors import StoreError, UsageError

_ENDING = ".leadflow-part"
# A run that made its folder a moment ago may not hold its lock yet.
_YOUNG_SECONDS = 60.0


def require_folder(path: Path) -> None:
    """Accept a target whose folder is there and which is no folder itself.

    Raises:
        UsageError: it is not so.
    """
    if not path.name or path.is_dir():
        raise UsageError(f"{path} is a folder, not a file to write.", "Name a file in it.")
    if not path.parent.is_dir():
        raise UsageError(f"The folder {path.parent} does not exist.", "Create it or name another file.")


@contextlib.contextmanager
def working_folder(path: Path) -> Iterator[Path]:
    """A folder beside ``path`` for unfinished files; gone afterwards, whatever happens inside.

    Raises:
        StoreError: the disk is full or not writable.
    """
    with naming_the_folder(path.parent):
        _remove_leftovers(path)
        folder = Path(tempfile.mkdtemp(prefix=_prefix(path), suffix=_ENDING, dir=path.parent))
        handle = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(handle)


def put_in_place(finished: Path, target: Path) -> None:
    """Sync a finished file and rename it over ``target``: readers see the old bytes or the new ones."""
    with finished.open("rb+") as file:
        os.fsync(file.fileno())
    finished.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextlib.contextmanager
def naming_the_folder(folder: Path) -> Iterator[None]:
    """Turn an operating system's refusal into words that name the folder and the cure.

    Raises:
        StoreError: writing failed.
    """
    try:
        yield
    except OSError as error:
        _raise_for(error, folder)


def _raise_for(error: OSError, folder: Path) -> NoReturn:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        raise StoreError(
            f"No space left to write the export in {folder}.",
            "Free some space or choose another disk; an export that was there before is as it was.",
        ) from None
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        raise StoreError(
            f"Not allowed to write in {folder}.", "Choose another folder or change its permissions."
        ) from None
    reason = error.strerror or type(error).__name__
    raise StoreError(f"Cannot write the export in {folder}: {reason}.", "Choose another folder.") from error


def _prefix(path: Path) -> str:
    return f".{path.name}."


def _remove_leftovers(path: Path) -> None:
    """Remove what killed runs left for this target: old folders that no living process has locked."""
    for folder in path.parent.glob(glob.escape(_prefix(path)) + f"*{_ENDING}"):
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime < _YOUNG_SECONDS:
                continue
            handle = os.open(folder, os.O_RDONLY)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(handle)
