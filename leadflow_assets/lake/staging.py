"""Where files are written before they are published, and how leftovers of dead processes are found.

Each run has a folder of its own below ``<data>/staging`` and holds a lock on it for as long as it lives.
The operating system drops the lock with the process, so a folder that can be locked belongs to nobody.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from leadflow_assets.lake.store import raise_for_disk

_LOCK = ".lock"


@contextlib.contextmanager
def staging_folder(base: Path, run_id: str) -> Iterator[Path]:
    """A fresh folder for one run, removed at the end; sweeps what dead runs left behind.

    Raises:
        StoreError: the folder cannot be made.
    """
    folder = base / f"{run_id}-{os.getpid()}"
    try:
        lock = _locked(folder)
    except OSError as error:
        raise_for_disk(error, base)
    with lock:
        sweep(base)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def sweep(base: Path) -> list[Path]:
    """Remove the folders of runs that are no longer alive; returns them."""
    return [folder for folder in _folders(base) if _abandoned(folder, remove=True)]


def abandoned(base: Path) -> list[Path]:
    """Folders whose run is no longer alive."""
    return [folder for folder in _folders(base) if _abandoned(folder, remove=False)]


def _folders(base: Path) -> list[Path]:
    return [folder for folder in sorted(base.iterdir()) if folder.is_dir()] if base.is_dir() else []


def _locked(folder: Path) -> IO[str]:
    """Make the folder and hold its lock; once more where a sweep came between the two."""
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            lock = (folder / _LOCK).open("w")
            fcntl.flock(lock, fcntl.LOCK_EX)
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(lock.fileno()), (folder / _LOCK).stat()):
                    return lock
            lock.close()


def _abandoned(folder: Path, *, remove: bool) -> bool:
    """Is its run dead? Removes it under its lock, so that a run that starts there meanwhile notices."""
    try:
        with (folder / _LOCK).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if remove:
                shutil.rmtree(folder, ignore_errors=True)
            return True
    except FileNotFoundError:
        pass
    except OSError:
        return False
    # Between mkdir and the lock a live run has no lock file yet; an empty folder is left alone.
    try:
        left_over = any(path.name != _LOCK for path in folder.iterdir())
    except FileNotFoundError:
        return False
    if left_over and remove:
        shutil.rmtree(folder, ignore_errors=True)
    return left_over
