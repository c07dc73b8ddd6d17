"""Tables in Excel workbooks (.xlsx): one sheet, cells as text, dates as ISO days."""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from leadflow_assets.errors import UsageError
from leadflow_assets.sources.imports.text_table import MOST_COLUMNS, MOST_ROWS

# What a workbook may unpack to: a small file can hold gigabytes of nothing.
MOST_UNPACKED = 400 * 1024 * 1024
_HINT = "Save it as CSV in UTF-8 and import that."


def is_workbook(content: bytes) -> bool:
    """Do the first bytes say that it is one? (Any zip archive does; reading tells the rest.)"""
    return content.startswith(b"PK\x03\x04")


def read_workbook(
    path: Path, content: bytes, *, sheet: str | None = None, most_rows: int = MOST_ROWS
) -> tuple[str, list[tuple[int, list[str]]]]:
    """The sheet's name and its rows with their numbers; the first sheet unless one is named.

    A formula counts as the value that was last saved for it.

    Raises:
        UsageError: not a workbook, no such sheet, or too large.
    """
    _check_size(path, content)
    with _opened(path, content) as book:
        names = list(book.sheetnames)
        if sheet is not None and sheet not in names:
            raise UsageError(f"{path} has no sheet {sheet!r}.", f"Its sheets: {', '.join(names)}.")
        chosen = sheet if sheet is not None else names[0]
        rows = []
        for number, cells in enumerate(book[chosen].iter_rows(max_col=MOST_COLUMNS, values_only=True), 1):
            if number > most_rows + 20:
                raise UsageError(f"{path} has more than {most_rows:,} rows.", "Split it.")
            rows.append((number, _trimmed([_text(cell) for cell in cells])))
        return chosen, rows


def _check_size(path: Path, content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
    except zipfile.BadZipFile:
        raise UsageError(f"{path} is a damaged workbook.", _HINT) from None
    if unpacked > MOST_UNPACKED:
        raise UsageError(f"{path} unpacks to {unpacked >> 20:,} MB, which is too much.", _HINT)


@contextmanager
def _opened(path: Path, content: bytes) -> Iterator[Any]:
    # Imported here: most commands never see a workbook.
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except (InvalidFileException, KeyError, ValueError, OSError, zipfile.BadZipFile, SyntaxError):
        raise UsageError(f"{path} is no Excel workbook that can be read.", _HINT) from None
    try:
        yield book
    except (SyntaxError, ValueError, KeyError, EOFError, zlib.error, zipfile.BadZipFile):
        # Rows are read as they are asked for: what is broken in the middle shows only there.
        raise UsageError(f"{path} is a damaged workbook.", _HINT) from None
    finally:
        book.close()


def _trimmed(cells: list[str]) -> list[str]:
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time(0) else value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and math.isfinite(value) and value == int(value):
        return str(int(value))
    return str(value)
