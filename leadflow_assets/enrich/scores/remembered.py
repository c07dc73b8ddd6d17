"""What a scoring of everything was made from, kept beside its lock: with nothing new, nothing is reckoned."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path

from leadflow_assets.settings import Settings


@contextlib.contextmanager
def one_at_a_time(settings: Settings) -> Iterator[None]:
    """A second scoring on this machine waits for the first."""
    folder = _folder(settings)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "score.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def read_done(settings: Settings) -> list[str]:
    """What was remembered last; a file that is missing or damaged only costs a scoring."""
    try:
        found = json.loads((_folder(settings) / "done.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return found if isinstance(found, list) else []


def write_done(settings: Settings, done: list[str]) -> None:
    """Remember it, all at once."""
    path = _folder(settings) / "done.json"
    temporary = path.with_name(f"done-{os.getpid()}.json")
    temporary.write_text(json.dumps(done), encoding="utf-8")
    temporary.replace(path)


def _folder(settings: Settings) -> Path:
    return settings.data_dir / "scores"
