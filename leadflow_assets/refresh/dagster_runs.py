"""The last runs of Dagster, read from its own SQLite file without importing or asking it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import leadflow_assets

_FILE = Path("data", "dagster", "storage", "runs.db")
_RUNS = """
SELECT run_id, pipeline_name, status, partition, create_timestamp, start_time, end_time
FROM runs ORDER BY id DESC LIMIT ?
"""


@dataclass(frozen=True)
class DagsterRun:
    """One run; times aware, None where it did not come so far. ``status`` as Dagster writes it."""

    run_id: str
    job: str
    status: str
    partition: str | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True)
class DagsterRuns:
    """The newest runs first; ``problem`` says why there are none to be read, else it is empty."""

    runs: tuple[DagsterRun, ...]
    problem: str = ""


def latest_runs(most: int = 10, *, home: Path | None = None) -> DagsterRuns:
    """The last runs in Dagster's home: ``home``, DAGSTER_HOME, here or above, or beside the package."""
    file = (home or _home()) / _FILE
    if not file.is_file():
        return DagsterRuns((), f"Dagster has recorded no run here: there is no {file}.")
    try:
        with contextlib.closing(
            sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True, timeout=1)
        ) as connection:
            rows = connection.execute(_RUNS, [most]).fetchall()
    except sqlite3.Error as error:
        return DagsterRuns((), f"{file} cannot be read ({type(error).__name__}: {error}).")
    return DagsterRuns(tuple(_run(row) for row in rows))


def _run(row: tuple[str, str, str, str | None, str, float | None, float | None]) -> DagsterRun:
    run_id, job, status, partition, created, started, ended = row
    created_at = datetime.fromisoformat(created).replace(tzinfo=UTC)
    return DagsterRun(run_id, job, status, partition, created_at, _moment(started), _moment(ended))


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _home() -> Path:
    if named := os.environ.get("DAGSTER_HOME"):
        return Path(named)
    here, beside = Path.cwd(), Path(leadflow_assets.__file__).parents[1]
    return next((f for f in (here, *here.parents) if (f / "dagster.yaml").is_file()), beside)
