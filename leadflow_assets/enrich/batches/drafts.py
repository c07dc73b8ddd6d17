"""Files that were uploaded and are no batch yet: kept in the lake beside the uploads of batches.

A draft is known by its content, so that the same file again is the same draft. It goes when its batch is
made, or after a day: it may hold names and addresses.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePath

from leadflow_assets.errors import UsageError
from leadflow_assets.lake.lake import Lake
from leadflow_assets.search.lists.file import read_list_file
from leadflow_assets.settings import Settings
from leadflow_assets.sources.imports.workbook import is_workbook, read_workbook

KEPT_FOR = timedelta(days=1)
_ID = re.compile(r"[0-9a-f]{24}")
_LONGEST_NAME = 80


def keep(settings: Settings, name: str, content: bytes) -> str:
    """Keep an upload; returns its id. A workbook's first sheet is kept as CSV.

    Raises:
        UsageError: empty, not readable, or without any column that names a property; nothing was kept.
    """
    plain = _file_name(name)
    if not content:
        raise UsageError(f"{plain} is empty.", "Choose a CSV file or an Excel workbook with addresses.")
    if is_workbook(content):
        content = _as_csv(plain, content)
        plain = f"{PurePath(plain).stem}.csv"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, plain)
        path.write_bytes(content)
        with _without(folder):
            read_list_file(path)
    _sweep(settings)
    draft_id = hashlib.sha256(plain.encode() + b"\0" + content).hexdigest()[:24]
    Lake(settings).store.put_new(f"{_folder(settings, draft_id)}/{plain}", content)
    return draft_id


@contextmanager
def opened(settings: Settings, draft_id: str) -> Iterator[Path]:
    """The file of a draft under its own name, in a folder that goes afterwards.

    Errors raised inside tell the file's name, not where it lies.

    Raises:
        UsageError: there is no such draft any more.
    """
    key = _key(settings, draft_id)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, PurePath(key).name)
        path.write_bytes(Lake(settings).store.read(key))
        with _without(folder):
            yield path


def forget(settings: Settings, draft_id: str) -> None:
    """Delete a draft; nothing where it has gone."""
    store = Lake(settings).store
    for key in list(store.list(f"{_folder(settings, draft_id)}/")):
        store.delete(key)


def _key(settings: Settings, draft_id: str) -> str:
    found = None
    if _ID.fullmatch(draft_id):
        found = next(iter(Lake(settings).store.list(f"{_folder(settings, draft_id)}/")), None)
    if found is None:
        raise UsageError("This upload is not kept any more.", "Upload the file again.")
    return found


def _folder(settings: Settings, draft_id: str) -> str:
    return f"{settings.batch_upload_dir}/drafts/{draft_id}"


def _sweep(settings: Settings) -> None:
    store, before = Lake(settings).store, datetime.now(UTC) - KEPT_FOR
    for key in list(store.list(f"{settings.batch_upload_dir}/drafts/")):
        try:
            if store.modified(key) < before:
                store.delete(key)
        except FileNotFoundError:
            continue  # somebody else has just swept it


@contextmanager
def _without(folder: str) -> Iterator[None]:
    try:
        yield
    except UsageError as error:
        raise UsageError(error.message.replace(f"{folder}/", ""), error.hint) from None


def _as_csv(name: str, content: bytes) -> bytes:
    _, rows = read_workbook(Path(name), content)
    target = io.StringIO(newline="")
    csv.writer(target, lineterminator="\n").writerows(cells for _, cells in rows)
    return target.getvalue().encode()


def _file_name(name: str) -> str:
    """The file's name, fit for a key in any store; browsers may send a path."""
    last = re.split(r"[/\\]", name)[-1]
    return re.sub(r"[^A-Za-z0-9._-]+", "_", last).strip("._")[-_LONGEST_NAME:] or "upload.csv"
