"""Files that people give the page, kept between looking at them and saving what they hold."""

from __future__ import annotations

import re
import secrets
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from leadflow_assets.errors import StoreError
from leadflow_assets.settings import Settings
from leadflow_assets.web.problems import NotFoundError

_FOLDER = "list_uploads"
_TOKEN = re.compile(r"[0-9a-f]{32}")
_LONGEST_NAME = 100
# Who looked at a file and did not save it has this long to come back.
_KEPT_SECONDS = 24 * 3600.0


def keep(settings: Settings, name: str, content: BinaryIO) -> str:
    """Keep a file for a day; returns the token that finds it again. Older ones are removed.

    Raises:
        StoreError: the data folder cannot be written.
    """
    folder = _folder(settings)
    token = secrets.token_hex(16)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        remove_old(settings)
        place = folder / token
        place.mkdir(mode=0o700)
        with (place / _safe(name)).open("wb") as target:
            shutil.copyfileobj(content, target)
    except OSError as error:
        shutil.rmtree(folder / token, ignore_errors=True)
        raise StoreError(f"The file cannot be kept: {error.strerror}.", "Free some space.") from None
    return token


def kept(settings: Settings, token: str) -> Path:
    """The file of a token.

    Raises:
        NotFoundError: there is none, or it was removed after a day.
    """
    files = sorted((_folder(settings) / token).glob("*")) if _TOKEN.fullmatch(token) else []
    if not files:
        raise NotFoundError("That file is not here any more.", "Import it once more.")
    return files[0]


def forget(settings: Settings, token: str) -> None:
    """Remove a kept file."""
    if _TOKEN.fullmatch(token):
        shutil.rmtree(_folder(settings) / token, ignore_errors=True)


def _folder(settings: Settings) -> Path:
    return settings.data_dir / _FOLDER


def _safe(name: str) -> str:
    """The last part of a file's name, without anything that a path or a terminal could take amiss."""
    text = re.sub(r"[^\w .()&-]", "_", re.split(r"[/\\]", name)[-1]).strip(" .")
    return text[-_LONGEST_NAME:] or "file.csv"


def remove_old(settings: Settings) -> None:
    """Remove files that nobody came back for within a day."""
    for place in _folder(settings).glob("*"):
        with suppress(OSError):
            if time.time() - place.stat().st_mtime > _KEPT_SECONDS:
                shutil.rmtree(place, ignore_errors=True)
