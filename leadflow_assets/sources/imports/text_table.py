"""Tables in text files that people made: any encoding, any delimiter.

Spreadsheets write CSV as UTF-8, UTF-16 or Windows-1252, with commas, semicolons, tabs or bars. What was
found is said, so that a wrong guess is seen. Errors never quote a cell: it may be a person's name.
"""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from leadflow_assets.errors import UsageError

MOST_BYTES = 50 * 1024 * 1024
MOST_ROWS = 200_000
MOST_COLUMNS = 2_000
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_LOOKED_AT = 200
_LONGEST_CELL = 1_000_000
_OTHER_FILES = {
    b"PK\x03\x04": "a workbook or an archive (.xlsx, .ods, .zip)",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls)",
    b"%PDF": "a PDF",
    b"PAR1": "a Parquet file",
    b"\x1f\x8b": "a compressed file",
    b"SQLite format 3": "an SQLite database",
}
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8 with a byte order mark"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f]")


def read_content(path: Path, most_bytes: int = MOST_BYTES) -> bytes:
    """The file's bytes.

    Raises:
        UsageError: no such file, not readable, or larger than ``most_bytes``.
    """
    try:
        if not path.is_file():
            raise UsageError(f"There is no file {path}.", "Give the path of a CSV file.")
        size = path.stat().st_size
        if size > most_bytes:
            raise UsageError(
                f"{path} has {size / 1024**2:,.1f} MB; at most {most_bytes / 1024**2:,.1f} MB are imported.",
                "Split it, or leave out columns that are not needed.",
            )
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"Cannot read {path}: {error.strerror}.", "Check the path.") from None


def decode(path: Path, content: bytes) -> tuple[str, str]:
    """The text, and the encoding's name in words.

    Raises:
        UsageError: it is no text; says what it is where its first bytes tell.
    """
    for magic, kind in _OTHER_FILES.items():
        if content.startswith(magic):
            raise UsageError(f"{path} is {kind}, not a CSV file.", "Save it as CSV in UTF-8 and import that.")
    for mark, codec, name in (*_BOMS, *_utf16_without_mark(content)):
        if content.startswith(mark):
            try:
                return _checked(path, content.decode(codec)), name
            except UnicodeDecodeError:
                raise _not_text(path) from None
    for codec, name in (("utf-8", "UTF-8"), ("cp1252", "Windows-1252")):
        try:
            return _checked(path, content.decode(codec)), name
        except UnicodeDecodeError:
            continue
    raise _not_text(path)


def _utf16_without_mark(content: bytes) -> list[tuple[bytes, str, str]]:
    """UTF-16 without its mark is known by the zero in every second byte of English text."""
    sample = content[:4096]
    if len(sample) < 4 or sample.count(0) < len(sample) // 4:
        return []
    codec = "utf-16-le" if sample[1::2].count(0) >= sample[::2].count(0) else "utf-16-be"
    return [(b"", codec, "UTF-16 without a byte order mark")]


def _checked(path: Path, text: str) -> str:
    text = text.rstrip("\x1a")  # what DOS programs end a file with
    if _CONTROLS.search(text):
        raise _not_text(path)
    return text


def _not_text(path: Path) -> UsageError:
    return UsageError(
        f"{path} is not a text file in UTF-8, UTF-16 or Windows-1252.",
        "Save it as CSV in UTF-8 and import that.",
    )


def find_delimiter(
    text: str, known_columns: Callable[[list[str]], int], *, header_within: int = 1
) -> tuple[str, str]:
    """The text without Excel's ``sep=;`` line, and the delimiter that splits it best.

    The best one finds the most known columns in one of the first ``header_within`` rows, then the most rows
    as wide as the first.
    """
    first, _, rest = text.partition("\n")
    if re.fullmatch(r'"?sep=[,;|\t]"?\s*', first, re.IGNORECASE):
        return rest, first.strip('"\r ')[4:5]
    found = []
    for order, delimiter in enumerate(DELIMITERS):
        try:
            lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
            sample = [cells for cells in itertools.islice(lines, _LOOKED_AT) if any(cells)]
        except csv.Error:
            continue
        width = len(sample[0]) if sample else 0
        even = sum(len(cells) == width for cells in sample) / max(len(sample), 1)
        known = max((known_columns(cells) for cells in sample[:header_within]), default=0)
        found.append((known, even if width > 1 else 0.0, width, -order, delimiter))
    return text, max(found)[-1] if found else ","


def records(path: Path, text: str, delimiter: str, most_rows: int = MOST_ROWS) -> list[tuple[int, list[str]]]:
    """Rows with the number of the line where each ends.

    Raises:
        UsageError: too many rows, or a quotation mark that is never closed.
    """
    limit = csv.field_size_limit(_LONGEST_CELL)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        found = []
        for cells in reader:
            found.append((reader.line_num, cells))
            if len(found) > most_rows + 1:
                raise UsageError(f"{path} has more than {most_rows:,} rows.", "Split it.")
        return found
    except csv.Error as error:
        raise UsageError(
            f"{path} is not readable as CSV near line {reader.line_num}: {error}.",
            "A quotation mark may be missing there.",
        ) from None
    finally:
        csv.field_size_limit(limit)


def distinct_names(names: Sequence[str]) -> tuple[str, ...]:
    """Column names without repetition, so that a report keeps every column."""
    result: dict[str, None] = {}
    for place, name in enumerate(names):
        text = plain = name.strip() or f"column {place + 1}"
        for number in itertools.count(2):
            if text not in result:
                break
            text = f"{plain} ({number})"
        result[text] = None
    return tuple(result)
