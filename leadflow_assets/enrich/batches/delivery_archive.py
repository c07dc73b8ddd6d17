"""Delivered files in the lake: byte for byte, with a receipt, written once and never changed.

``<results>/<delivery>/001/NAME`` are the files in the order in which they are loaded, ``receipt.json`` beside
them says what they are and is written last: where it stands, all of them are there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from leadflow_assets.errors import SourceAnswerError, StoreError
from leadflow_assets.lake.store import Store, raise_for_disk
from leadflow_assets.sources.attom.bulk_file import DeliveredFile, open_delivered


@dataclass(frozen=True)
class ArchivedFile:
    """One file: its name and place where it was delivered, its key in the lake, its bytes, their hash."""

    name: str
    location: str
    key: str
    size: int
    sha256: str
    modified: datetime


@dataclass(frozen=True)
class Receipt:
    """What was taken when. ``lines`` are those of all texts without their headers: about the rows."""

    delivery_id: str
    dataset: str
    taken_at: datetime
    lines: int
    files: tuple[ArchivedFile, ...]


def receipt_key(folder: str, delivery_id: str) -> str:
    """Where the receipt of a delivery lies; ``folder`` is that of all deliveries."""
    return f"{folder}/{delivery_id}/receipt.json"


def file_key(folder: str, delivery_id: str, number: int, name: str) -> str:
    """Where a file of a delivery lies; names from elsewhere are made plain."""
    plain = re.sub(r"[^A-Za-z0-9._+-]", "_", name)[-120:].lstrip(".") or "file"
    return f"{folder}/{delivery_id}/{number:03d}/{plain}"


def store_delivery(store: Store, key: str, receipt: Receipt, paths: Sequence[Path]) -> Receipt:
    """Put files and then the receipt into the lake; what is there already stays. Returns what counts.

    Raises:
        StoreError: the lake refuses; a later call goes on.
    """
    for file, path in zip(receipt.files, paths, strict=True):
        store.put_new(file.key, path)
    text = json.dumps(asdict(receipt), indent=1, default=datetime.isoformat)
    # Whoever was first has the word, so that the same bytes have one time.
    return receipt if store.put_new(key, text.encode()) else read_receipt(store, key)


def read_receipt(store: Store, key: str) -> Receipt:
    """The receipt as it was written.

    Raises:
        StoreError: it is not in the lake, or is not one.
    """
    try:
        stored = json.loads(store.read(key))
        files = (
            ArchivedFile(**{**file, "modified": datetime.fromisoformat(file["modified"])})
            for file in stored["files"]
        )
        taken_at = datetime.fromisoformat(stored["taken_at"])
        return Receipt(**{**stored, "taken_at": taken_at, "files": tuple(files)})
    except FileNotFoundError:
        raise StoreError(f"{store.location(key)} is gone.", "Restore the lake, or deliver again.") from None
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{store.location(key)} is not a receipt.", "Restore it from a copy.") from error


def open_archived(store: Store, receipt: Receipt, folder: Path) -> list[DeliveredFile]:
    """The texts of a delivery, in the order in which they are loaded, ready below ``folder``.

    Raises:
        StoreError: a file is not in the lake, or not as it was taken, or there is no room for it here.
    """
    opened: list[DeliveredFile] = []
    for number, file in enumerate(receipt.files):
        place = folder / f"{number:03d}"
        named = place / file.name
        try:
            place.mkdir(parents=True, exist_ok=True)
            named.unlink(missing_ok=True)
            # Under the name it came with: a list of deletions is known by it.
            named.symlink_to(store.fetch(file.key, place / "fetched").absolute())
        except OSError as error:
            raise_for_disk(error, folder)
        try:
            texts = open_delivered(named, place / "texts") if named.exists() else []
        except SourceAnswerError:
            texts = []
        if not texts or texts[0].sha256 != file.sha256:
            raise StoreError(
                f"{store.location(file.key)} is not what was taken.", "Restore it, or deliver it again."
            )
        # A zip may hold other datasets, and lists of deletions that do not say of which.
        opened += [text for text in texts if text.dataset in (receipt.dataset, None)]
    return opened
