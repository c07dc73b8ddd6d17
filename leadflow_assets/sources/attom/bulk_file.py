"""Opening one delivered file: out of its zip, its hash, its encoding, its delimiter, what it holds.

The whole file is read once for the hash and the encoding, since a stray letter may stand in the last line;
that costs a tenth of loading it.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import lzma
import re
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from leadflow_assets.errors import SourceAnswerError, StoreError
from leadflow_assets.sources.attom.bulk_layouts import (
    ATTOM_ID,
    DELETED_ON,
    LAYOUTS,
    TRANSACTION_ID,
    Layout,
    dataset_named,
)
from leadflow_assets.sources.attom.keys import plain_key

_CHUNK = 1 << 22
_SAMPLE = 1 << 18
_DELIMITERS = "\t|,;"
_DATA_SUFFIXES = (".txt", ".csv", ".tsv", ".psv", ".dat")
# A list of deletions holds keys and little else.
_MOST_DELETE_COLUMNS = 8
_DELETES = re.compile(r"delet", re.IGNORECASE)


@dataclass(frozen=True)
class Heading:
    """What the beginning of a text file tells. ``layout`` None: a list of deletions."""

    delimiter: str
    quoted: bool
    header: tuple[str, ...]
    layout: Layout | None
    dataset: str | None


@dataclass(frozen=True)
class DeliveredFile:
    """A text file ready to be loaded. ``layout`` None: a list of deletions. ``header`` are the names as sent.

    ``sha256`` is of the delivered file itself, the zip where it was one; ``lines`` counts the header too.
    ``dataset`` is None for deletions whose name does not tell of what.
    """

    path: Path
    delivered_name: str
    sha256: str
    bytes: int
    lines: int
    encoding: str
    delimiter: str
    quoted: bool
    header: tuple[str, ...]
    layout: Layout | None
    dataset: str | None = None

    @property
    def plain_header(self) -> tuple[str, ...]:
        """The names without case and punctuation."""
        return tuple(plain_key(name) for name in self.header)

    @property
    def marks_deletions(self) -> bool:
        """Does it say of single rows that they are deleted?"""
        return DELETED_ON in self.plain_header


def open_delivered(path: Path, scratch: Path) -> list[DeliveredFile]:
    """The text files of a delivery: the file itself, or the members of a zip, unpacked into ``scratch``.

    Raises:
        SourceAnswerError: not a text file with a header ATTOM's files have, or a broken zip.
        StoreError: it cannot be read, or ``scratch`` cannot be written.
    """
    try:
        digest = _sha256(path)
        if not zipfile.is_zipfile(path):
            return [_inspect(path, path.name, digest)]
        with _members(path, path.name) as (archive, members):
            return [_unpacked(archive, member, path.name, digest, scratch) for member in members]
    except OSError as error:
        raise StoreError(f"{path} cannot be read or unpacked ({error.strerror}).") from error


def headings(file: BinaryIO, name: str) -> list[Heading]:
    """What each text of a delivered file is, told by its beginning; nothing is unpacked to disk.

    ``file`` must be seekable; ``name`` is the delivered file's own.

    Raises:
        SourceAnswerError: as :func:`open_delivered`, as far as the beginning shows it.
        OSError: it cannot be read.
    """
    if not zipfile.is_zipfile(file):
        file.seek(0)
        return [_heading(file.read(_SAMPLE).decode("utf-8", errors="replace"), name)]
    found = []
    with _members(file, name) as (archive, members):
        for member in members:
            with archive.open(member) as text:
                sample = text.read(_SAMPLE).decode("utf-8", errors="replace")
            found.append(_heading(sample, f"{name}:{Path(member.filename).name}"))
    return found


@contextmanager
def _members(file: Path | BinaryIO, name: str) -> Iterator[tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]]:
    """A zip and its text files in the order of their names, numbers counted as such."""
    try:
        with zipfile.ZipFile(file) as archive:
            members = [m for m in archive.infolist() if m.filename.lower().endswith(_DATA_SUFFIXES)]
            if not members:
                raise SourceAnswerError(f"{name} holds no text file.", "Give the zip as ATTOM sent it.")
            yield archive, sorted(members, key=lambda member: natural_order(member.filename))
    # A member with a password is a RuntimeError, an unknown compression one of its kind.
    except (zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError, RuntimeError) as error:
        raise SourceAnswerError(
            f"{name} is a broken zip, or one with a password.", "Fetch it again, or unpack it yourself."
        ) from error


def natural_order(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sorts names as people count: FILE_2 before FILE_10, and figures before words."""
    parts = re.findall(r"\d+|\D+", name.casefold())
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts)


def _unpacked(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str, digest: str, scratch: Path
) -> DeliveredFile:
    scratch.mkdir(parents=True, exist_ok=True)
    # The member's own name may hold a path: only our name for it is used.
    target = scratch / f"{digest[:16]}-{member.CRC:08x}.txt"
    with archive.open(member) as source, target.open("wb") as file:
        shutil.copyfileobj(source, file, _CHUNK)
    return _inspect(target, f"{name}:{Path(member.filename).name}", digest)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _inspect(path: Path, name: str, digest: str) -> DeliveredFile:
    encoding, lines = _read_through(path)
    with path.open("rb") as file:
        found = _heading(file.read(_SAMPLE).decode(encoding, errors="replace"), name)
    return DeliveredFile(
        path,
        name,
        digest,
        path.stat().st_size,
        lines,
        encoding,
        found.delimiter,
        found.quoted,
        found.header,
        found.layout,
        found.dataset,
    )


def _heading(sample: str, name: str) -> Heading:
    first, *following = sample.removeprefix("\ufeff").splitlines() or [""]
    delimiter = max(_DELIMITERS, key=first.count)
    header = tuple(cell.strip() for cell in next(csv.reader([first], delimiter=delimiter), []))
    quoted = delimiter in ",;" or any(
        line.startswith('"') or f'{delimiter}"' in line for line in following[:200]
    )
    keys = {plain_key(cell) for cell in header}
    if not keys & set(ATTOM_ID):
        raise SourceAnswerError(
            f"{name} has no column of ATTOM ids.", "Its first line must be the header as ATTOM sends it."
        )
    layout = next((each for each in LAYOUTS if any(want <= keys for want in each.wants)), None)
    if layout is None and not (_DELETES.search(name) and len(header) <= _MOST_DELETE_COLUMNS):
        raise SourceAnswerError(
            f"{name} is none of the files known here: {', '.join(each.name for each in LAYOUTS)}, deletions.",
            "Its header does not name the columns such a file has; see docs.",
        )
    # A zip may be named for more than the member is.
    dataset = layout.name if layout else dataset_named(name.rpartition(":")[2]) or dataset_named(name)
    return Heading(delimiter, quoted, header, layout, dataset)


def deleted_key(file: DeliveredFile) -> tuple[str, ...]:
    """By what a list of deletions names rows: transaction and property, or property alone."""
    keys = file.plain_header
    return tuple(name for names in (ATTOM_ID, TRANSACTION_ID) for name in names if name in keys)


def _read_through(path: Path) -> tuple[str, int]:
    """The encoding of the whole file, "utf-8" or "latin-1", and its lines."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    encoding, lines, last = "utf-8", 0, b"\n"
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            lines += chunk.count(b"\n")
            last = chunk[-1:]
            if encoding == "utf-8" and not (chunk.isascii() and not decoder.getstate()[0]):
                try:
                    decoder.decode(chunk)
                except UnicodeDecodeError:
                    encoding = "latin-1"
    if encoding == "utf-8" and decoder.getstate()[0]:
        encoding = "latin-1"
    return encoding, lines + (last != b"\n")
