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
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / _LOCK).open("w")
    except OSError as error:
        raise_for_disk(error, base)
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        sweep(base)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def sweep(base: Path) -> list[Path]:
    """Remove the folders of runs that are no longer alive; returns them."""
    left = abandoned(base)
    for folder in left:
        shutil.rmtree(folder, ignore_errors=True)
    return left


def abandoned(base: Path) -> list[Path]:
    """Folders whose run is no longer alive."""
    folders = sorted(base.iterdir()) if base.is_dir() else []
    return [folder for folder in folders if folder.is_dir() and _abandoned(folder)]


def _abandoned(folder: Path) -> bool:
    try:
        with (folder / _LOCK).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        # Between mkdir and the lock a live run has no lock file yet; an empty folder is left alone.
        return any(folder.iterdir())
    except OSError:
        return False
    return True
