"""Files that leave: written to a folder of their own, noted in the audit log, and gone afterwards."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from leadflow_assets.lake.publish import sha256_of
from leadflow_assets.search.exports import Export
from leadflow_assets.settings import Settings
from leadflow_assets.state import database, exports
from leadflow_assets.state.exports import ExportLine

_WAY = "page"


def send_export(
    settings: Settings,
    person: str,
    write: Callable[[Path], Export],
    file_name: str,
    *,
    what: str,
    filters: str,
    described: bool = False,
) -> FileResponse:
    """Have an export written and send it; ``described``: in a ZIP, with the file that says what it is.

    ``what`` and ``filters`` go to the audit log: names of filters and ids of towns, nothing that was typed.
    """
    folder = Path(tempfile.mkdtemp(prefix="leadflow-export-"))
    try:
        done = write(folder / file_name)
        _note(settings, person, what, filters, done.format, done.rows, done.sha256)
        path = _zipped(done) if described else done.path
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return _answer(path, folder)


def send_copy(settings: Settings, person: str, path: Path, *, what: str, rows: int) -> FileResponse:
    """Send a file that is kept here; it is read to its end even if it is replaced meanwhile."""
    folder = Path(tempfile.mkdtemp(prefix="leadflow-export-"))
    try:
        copy = folder / path.name
        shutil.copyfile(path, copy)
        _note(settings, person, what, "", path.suffix.removeprefix("."), rows, sha256_of(copy))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return _answer(copy, folder)


def _answer(path: Path, folder: Path) -> FileResponse:
    return FileResponse(
        path,
        filename=path.name,
        headers={"Cache-Control": "no-store"},
        background=BackgroundTask(shutil.rmtree, folder, ignore_errors=True),
    )


def _zipped(done: Export) -> Path:
    target = done.path.with_name(f"{done.path.stem}.zip")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in (done.path, done.sidecar):
            archive.write(path, path.name)
    return target


def _note(
    settings: Settings, person: str, what: str, filters: str, format: str, rows: int, sha256: str
) -> None:
    line = ExportLine(datetime.now(UTC), person, _WAY, what, filters, format, rows, sha256)
    with database.session(settings) as session:
        exports.record(session, line)
        session.commit()
