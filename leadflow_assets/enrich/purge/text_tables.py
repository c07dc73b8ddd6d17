"""Names and numbers out of delimited text files, line by line: deliveries, uploads, results, exports."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Literal

_DELIMITERS = "\t|,;"
_OWNER_COLUMN = re.compile(r"owner|mail", re.IGNORECASE)
TEXT_ENDINGS = (".txt", ".csv", ".tsv", ".psv", ".dat")
# The clean cells of a row, or None where nothing is to be done: given the cells by column name.
CleanRow = Callable[[Mapping[str, str]], dict[str, str] | None]
IsSuspect = Callable[[str], bool]


def clean_text(source: Path, target: Path, is_suspect: IsSuspect, clean_row: CleanRow) -> int:
    """Copy a text table, or a zip of such, with clean rows; returns how many changed.

    Only lines that are ``is_suspect`` are taken apart; all others are copied byte for byte.
    """
    if not zipfile.is_zipfile(source):
        with source.open("rb") as lines, target.open("wb") as out:
            return sum(_copied(lines, out.write, is_suspect, clean_row))
    changed = 0
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for member in old.infolist():
            # The same name and time: the same content gives the same file again.
            info = zipfile.ZipInfo(member.filename, member.date_time)
            info.compress_type, info.external_attr = member.compress_type, member.external_attr
            with old.open(member) as lines, new.open(info, "w", force_zip64=True) as out:
                if member.filename.lower().endswith(TEXT_ENDINGS):
                    changed += sum(_copied(lines, out.write, is_suspect, clean_row))
                else:
                    while chunk := lines.read(1 << 20):
                        out.write(chunk)
    return changed


def _copied(
    lines: Iterator[bytes], write: Callable[[bytes], object], is_suspect: IsSuspect, clean_row: CleanRow
) -> Iterator[int]:
    header: list[str] = []
    delimiter = ","
    for number, line in enumerate(lines):
        text, encoding = _decoded(line)
        if number == 0:
            first = text.removeprefix("\ufeff").rstrip("\r\n")
            delimiter = max(_DELIMITERS, key=first.count)
            header = next(csv.reader([first], delimiter=delimiter), [])
        if is_suspect(text):
            clean = _clean_line(text, header, delimiter, clean_row)
            if clean != text:
                write(clean.encode(encoding))
                yield 1
                continue
        write(line)
        yield 0


def _decoded(line: bytes) -> tuple[str, str]:
    try:
        return line.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return line.decode("latin-1"), "latin-1"


def _clean_line(text: str, header: list[str], delimiter: str, clean_row: CleanRow) -> str:
    body = text.rstrip("\r\n")
    ending = text[len(body) :]
    cells = next(csv.reader([body], delimiter=delimiter), [])
    names = [*header, *(f"column {n}" for n in range(len(header), len(cells)))][: len(cells)]
    # Columns may repeat a name: what changed is found by place.
    keyed = {f"{place} {name}": cell for place, (name, cell) in enumerate(zip(names, cells, strict=True))}
    clean = clean_row(keyed)
    if clean is None:
        return text
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="", quoting=_quoting(body, delimiter))
    writer.writerow([clean.get(key, cell) for key, cell in keyed.items()])
    return buffer.getvalue() + ending


def _quoting(body: str, delimiter: str) -> Literal[0, 1]:
    return csv.QUOTE_ALL if body.startswith('"') and f'"{delimiter}"' in body else csv.QUOTE_MINIMAL


def plain_names(row: Mapping[str, str]) -> dict[str, str]:
    """The cells by the plain name of their column: the last of several of one name."""
    return {re.sub(r"[^a-z0-9]", "", key.partition(" ")[2].lower()): cell for key, cell in row.items()}


def is_owner_column(key: str) -> bool:
    """Does the column tell of an owner or a mailing address?"""
    return bool(_OWNER_COLUMN.search(key))
