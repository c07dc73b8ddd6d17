"""Files that leave through the page: written to a folder of their own, told in the log, sent, removed."""

from __future__ import annotations

import shutil
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from leadflow_assets.lake.publish import sha256_of
from leadflow_assets.search.exports.formats import SUFFIXES, Export, require_format
from leadflow_assets.search.exports.log import log_export
from leadflow_assets.settings import Settings

_LONGEST_SECONDS = 6 * 3600.0


def download(
    settings: Settings,
    person: str,
    *,
    name: str,
    format: str,
    what: str,
    filters: Mapping[str, Any],
    write: Callable[[Path], Export],
) -> FileResponse:
    """Write a file with ``write`` and send it as ``name`` with the format's ending.

    A CSV cannot say what it is: it goes with its description, in a ZIP file.

    ``what`` and the names of ``filters`` stand in the log of exports, never what was typed in them.

    Raises:
        UsageError: no such format, or what ``write`` refuses.
        StoreError: the file cannot be written.
    """
    require_format(format)
    folder = _new_folder(settings)
    try:
        done = write(folder / f"{name}{SUFFIXES[format]}")
        log_export(settings, person, "page", what, filters, done)
        sent = _zipped(done) if format == "csv" else done.path
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return _sent(sent, folder)


def download_file(
    settings: Settings, person: str, *, name: str, what: str, write: Callable[[Path], int]
) -> FileResponse:
    """Send a file that goes as it is; ``write`` makes it and returns its rows. See :func:`download`."""
    folder = _new_folder(settings)
    try:
        path = folder / name
        rows = write(path)
        done = Export(path, path, rows, path.suffix[1:], sha256_of(path))
        log_export(settings, person, "page", what, {}, done)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return _sent(path, folder)


def _new_folder(settings: Settings) -> Path:
    place = settings.data_dir / "exports"
    place.mkdir(parents=True, exist_ok=True)
    _remove_old(place)
    return Path(tempfile.mkdtemp(dir=place))


def _sent(path: Path, folder: Path) -> FileResponse:
    remove = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
    return FileResponse(path, filename=path.name, background=remove, headers={"Cache-Control": "no-store"})


def _zipped(done: Export) -> Path:
    path = done.path.with_suffix(".zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for one in (done.path, done.sidecar):
            archive.write(one, one.name)
    return path


def _remove_old(place: Path) -> None:
    """Folders of downloads that somebody broke off."""
    for folder in place.iterdir():
        if time.time() - folder.stat().st_mtime > _LONGEST_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)
