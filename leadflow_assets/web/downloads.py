"""Files that leave through the page: written to a folder of their own, told in the log, sent, removed."""

from __future__ import annotations

import shutil
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from fastapi.responses import FileResponse
from starlette.types import Receive, Scope, Send

from leadflow_assets.errors import StoreError
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
    with _new_folder(settings) as folder:
        done = write(folder / f"{name}{SUFFIXES[format]}")
        sent = _zipped(done) if format == "csv" else done.path
        log_export(settings, person, "page", what, filters, done)
    return _SentOnce(sent, folder)


def download_plain(
    settings: Settings, person: str, *, name: str, what: str, write: Callable[[Path], int]
) -> FileResponse:
    """Send one file as ``write`` makes it; ``write`` returns its rows. No description goes with it.

    Raises:
        StoreError: the file cannot be written.
    """
    with _new_folder(settings) as folder:
        path = folder / name
        rows = write(path)
        done = Export(path, path, rows, path.suffix.removeprefix("."), sha256_of(path))
        log_export(settings, person, "page", what, {}, done)
    return _SentOnce(path, folder)


class _SentOnce(FileResponse):
    """A file that goes with its folder, whether it was sent, refused or broken off."""

    def __init__(self, path: Path, folder: Path) -> None:
        super().__init__(path, filename=path.name, headers={"Cache-Control": "no-store"})
        self._folder = folder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)


@contextmanager
def _new_folder(settings: Settings) -> Iterator[Path]:
    """A folder of its own, which others of this machine cannot read; it goes where anything fails."""
    place = settings.data_dir / "exports"
    folder: Path | None = None
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        _remove_old(place)
        folder = Path(tempfile.mkdtemp(dir=place))
        yield folder
    except BaseException as error:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError):
            raise StoreError(
                f"The file cannot be written: {error.strerror}.", f"Free some space for {place}."
            ) from None
        raise


def _zipped(done: Export) -> Path:
    path = done.path.with_suffix(".zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for one in (done.path, done.sidecar):
            archive.write(one, one.name)
    return path


def _remove_old(place: Path) -> None:
    """Folders of downloads that somebody broke off."""
    for folder in place.iterdir():
        with suppress(OSError):  # somebody else has just removed it
            if time.time() - folder.stat().st_mtime > _LONGEST_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
