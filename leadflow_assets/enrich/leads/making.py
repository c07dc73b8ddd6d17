"""Making leads in a process of its own, so that neither a closed page nor a restart of the server ends it.

``python -m leadflow_assets.enrich.leads.making`` does it and writes below the data folder how it went. It
holds a lock, inherited from whoever started it, until it ends: however it ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from leadflow_assets.domain.towns import town_by_id
from leadflow_assets.enrich import own_process
from leadflow_assets.enrich.leads.service import LeadReport, make_leads
from leadflow_assets.errors import LeadflowError, UsageError
from leadflow_assets.settings import Settings, load_settings

RUNNING, FINISHED, FAILED = "running", "finished", "failed"
_MODULE = "leadflow_assets.enrich.leads.making"
_LOG_CHARACTERS = 4000
_TRIES, _PAUSE_SECONDS = 10, 0.05


@dataclass(frozen=True)
class Making:
    """The newest making of leads: running, finished or failed; ``message`` and ``hint`` say how it ended.

    ``started_at`` and ``ended_at`` are ISO times (UTC); the latter is unknown where it died.
    """

    state: str
    by: str
    started_at: str
    ended_at: str | None = None
    message: str = ""
    hint: str = ""


def newest(settings: Settings) -> Making | None:
    """The newest making that was started from the page; one that died has failed."""
    found = _read(settings)
    if found is None or found.state != RUNNING:
        return found
    with _locked(settings) as lock:
        if lock is None:
            return found
        # It may have ended between the two looks.
        found = _read(settings)
    if found is None or found.state != RUNNING:
        return found
    last = log_of(settings).strip().rpartition("\n")[2]
    return replace(
        found,
        state=FAILED,
        message=f"The process was ended before it was done{f': {last}' if last else '.'}",
        hint="Start it again: nothing is half done.",
    )


def start(settings: Settings, *, by: str) -> None:
    """Start making leads in a process of its own.

    Raises:
        UsageError: leads are being made already.
    """
    _folder(settings).mkdir(parents=True, exist_ok=True)
    for _ in range(_TRIES):
        with _locked(settings) as lock:
            if lock is not None:
                _start(settings, by, lock)
                return
        # Somebody may only have looked whether it runs.
        time.sleep(_PAUSE_SECONDS)
    raise UsageError("Leads are being made already.", "Wait until that has ended: the page of leads says so.")


def log_of(settings: Settings) -> str:
    """The end of what the newest making printed."""
    try:
        return _log(settings).read_text(encoding="utf-8", errors="replace")[-_LOG_CHARACTERS:]
    except OSError:
        return ""


def _start(settings: Settings, by: str, lock: IO[bytes]) -> None:
    _write(settings, Making(RUNNING, by, _now()))
    own_process.start(settings, [_MODULE], _log(settings), keep_open=[lock.fileno()])


@contextlib.contextmanager
def _locked(settings: Settings) -> Iterator[IO[bytes] | None]:
    """The lock, or None where a making holds it. Closing our end leaves it to a process that inherited it."""
    try:
        file = (_folder(settings) / "page.lock").open("wb")
    except FileNotFoundError:
        yield None
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        yield file


def _folder(settings: Settings) -> Path:
    return settings.data_dir / "leads"


def _log(settings: Settings) -> Path:
    return _folder(settings) / "page.log"


def _read(settings: Settings) -> Making | None:
    try:
        return Making(**json.loads((_folder(settings) / "page.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _write(settings: Settings, making: Making) -> None:
    path = _folder(settings) / "page.json"
    temporary = path.with_suffix(".part")
    temporary.write_text(json.dumps(asdict(making)), encoding="utf-8")
    temporary.replace(path)


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _told(report: LeadReport) -> str:
    """What making leads did, in words."""
    told = f"{report.leads:,} leads." if report.made else f"Nothing has changed: {report.leads:,} leads."
    if report.made:
        names = ", ".join(town_by_id(town).name for town in report.towns_changed[:5]) or "none"
        more = f" and {len(report.towns_changed) - 5:,} more" if len(report.towns_changed) > 5 else ""
        told += f" Towns published: {names}{more}."
    if report.needs_score:
        told += f" Without scores, so without leads: {', '.join(report.needs_score[:5])}."
    return told


def main() -> int:
    """Make leads and write down how it went; the exit code is 1 where it failed."""
    settings = load_settings()
    begun = _read(settings) or Making(RUNNING, "", _now())
    try:
        done = replace(begun, state=FINISHED, message=_told(make_leads(settings)))
    except LeadflowError as error:
        done = replace(begun, state=FAILED, message=error.message, hint=error.hint)
    except Exception as error:  # whatever it is, the page has to say that it failed
        message = f"The program failed ({type(error).__name__})."
        _write(settings, replace(begun, state=FAILED, message=message, ended_at=_now()))
        raise
    _write(settings, replace(done, ended_at=_now()))
    return 0 if done.state == FINISHED else 1


if __name__ == "__main__":
    sys.exit(main())
