"""One refresh and one landing at a time on this machine; who comes second waits."""

from __future__ import annotations

import contextlib
import fcntl
import time
from collections.abc import Callable, Iterator

from leadflow_assets.enrich.courts.waiting import StopAsked
from leadflow_assets.lake.store import raise_for_disk
from leadflow_assets.settings import Settings

_LOOK_SECONDS = 0.2


@contextlib.contextmanager
def one_at_a_time(
    settings: Settings,
    name: str,
    *,
    waits: Callable[[], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Iterator[None]:
    """Hold the lock ``name``; ``waits`` is called once where another process holds it.

    Raises:
        StopAsked: ``stop`` said so while waiting.
        StoreError: the data folder cannot be written.
    """
    folder = settings.data_dir / "courts"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / f"{name}.lock").open("w")
    except OSError as error:
        raise_for_disk(error, folder)
    with lock:
        told = False
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if waits is not None and not told:
                    waits()
                told = True
                if stop is not None and stop():
                    raise StopAsked from None
                time.sleep(_LOOK_SECONDS)
        yield
