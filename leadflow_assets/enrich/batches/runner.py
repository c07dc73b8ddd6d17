"""Working at a batch in a process of its own, which outlives the page that started it.

How far the batch is stands in the state database; here is only noted which process was started last, and what
it said. Two that are started for one batch do no harm: the batch's claim lets one of them work, and the other
ends. A process that was killed is gone; starting another one goes on, and nothing is paid twice.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from leadflow_assets.enrich import own_process
from leadflow_assets.errors import LeadflowError, StoreError
from leadflow_assets.settings import Settings
from leadflow_assets.state.processes import is_gone, named

_LAST_BYTES = 20_000


@dataclass(frozen=True)
class Started:
    """The process that was started last for a batch; ``error`` and ``hint``: why it ended, if it failed.

    ``spoke_at``: when it wrote last.
    """

    started_at: datetime
    is_alive: bool
    spoke_at: datetime
    error: str = ""
    hint: str = ""


def start(settings: Settings, job_id: str, words: Sequence[str]) -> bool:
    """Run ``leadflow batch WORDS`` for a batch on its own; False where the last one still runs.

    Raises:
        StoreError: the data folder cannot be written to.
    """
    with _locked(settings, job_id) as (note, output):
        found = started(settings, job_id)
        if found is not None and found.is_alive:
            return False
        pid = own_process.start(settings, ["leadflow_assets.cli", "batch", *words, "--json"], output)
        kept = {"owner": named(pid), "started_at": datetime.now(UTC).isoformat()}
        note.write_text(json.dumps(kept), encoding="utf-8")
    return True


def started(settings: Settings, job_id: str) -> Started | None:
    """What is known of the last process that was started for a batch; None if none ever was."""
    note, output = _files(settings, job_id)
    try:
        kept = json.loads(note.read_text(encoding="utf-8"))
        spoke_at = datetime.fromtimestamp(output.stat().st_mtime, UTC)
    except (OSError, ValueError):
        return None
    alive = not is_gone(kept["owner"])
    error, hint = ("", "") if alive else _last_words(output)
    return Started(datetime.fromisoformat(kept["started_at"]), alive, spoke_at, error, hint)


def _last_words(output: Path) -> tuple[str, str]:
    """Message and hint, if the process ended with an error."""
    try:
        text = output.read_bytes()[-_LAST_BYTES:].decode(errors="replace")
    except OSError:
        return "", ""
    for line in reversed(text.splitlines()):
        if line.startswith('{"error": '):
            try:
                found = json.loads(line)
            except ValueError:
                break
            return str(found["error"]), str(found["hint"])
    return "", ""


def _files(settings: Settings, job_id: str) -> tuple[Path, Path]:
    folder = settings.data_dir / "batches"
    return folder / f"{job_id}.json", folder / f"{job_id}.out"


@contextmanager
def _locked(settings: Settings, job_id: str) -> Iterator[tuple[Path, Path]]:
    """Both files, while nobody else starts anything for the batch."""
    note, output = _files(settings, job_id)
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        with note.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield note, output
    except LeadflowError:
        raise
    except OSError as error:
        raise StoreError(
            f"Nothing can be started: {error.strerror}.", f"Make {note.parent} writable."
        ) from None
