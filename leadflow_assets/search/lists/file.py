"""Reading a file of addresses or ids that a person made: any encoding, delimiter and column order.

Spreadsheets write CSV as UTF-8, UTF-16 or Windows-1252, with commas, semicolons, tabs or bars. What was
found is said, so that a wrong guess is seen. Errors never quote a cell: it may be a person's name.
"""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from leadflow_assets.domain import loc_id
from leadflow_assets.errors import UsageError

MOST_BYTES = 50 * 1024 * 1024
MOST_ROWS = 200_000
MOST_COLUMNS = 2_000
_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_LOOKED_AT = 200
_LONGEST_CELL = 1_000_000
# What people call the columns, in lower case with single blanks for everything but letters and digits.
_ALIASES: Mapping[str, tuple[str, ...]] = {
    "property_id": ("property id", "propertyid", "leadflow id"),
    "loc_id": ("loc id", "locid"),
    "prop_id": (
        "prop id", "propid", "parcel id", "parcelid", "parcel", "parcel number", "parcel no", "apn",
        "assessor id", "assessors id", "pid", "assessor parcel number", "property apn", "parcelnumberraw",
    ),
    "address": (
        "address", "site address", "site addr", "property address", "situs address", "full address",
        "street address", "address 1", "address1", "address line 1", "addr", "location address",
        "property street", "property street address", "property address 1", "property address line 1",
        "property full address", "propertyaddress", "propertyaddressfull", "site street",
        "site street address", "site address 1", "situs", "situs street", "situs street address",
        "situs full address", "situs address 1", "property location", "subject address",
    ),
    "number": (
        "number", "house number", "street number", "addr num", "street no", "house no",
        "property house number", "property street number", "situs house number", "situs street number",
        "propertyaddresshousenumber",
    ),
    "street": (
        "street", "street name", "full str", "property street name", "situs street name",
        "propertyaddressstreetname",
    ),
    "unit": (
        "unit", "unit number", "apt", "apartment", "suite", "address 2", "address2", "address line 2",
        "property unit", "property unit number", "situs unit", "situs unit number", "site unit",
        "property address 2", "property address line 2", "propertyaddressunitvalue",
    ),
    "town": (
        "city", "town", "municipality", "city town", "town city", "site city", "property city",
        "situs city", "town name", "city name", "property town", "site town", "situs town",
        "property municipality", "propertyaddresscity",
    ),
    "state": (
        "state", "st", "state code", "property state", "site state", "situs state", "propertyaddressstate",
    ),
    "zip": (
        "zip", "zip code", "zipcode", "zip5", "postal code", "postcode", "property zip", "site zip",
        "situs zip", "zip 5", "property zip code", "property zipcode", "property zip5",
        "property postal code", "site zip code", "site zipcode", "situs zip code", "situs zipcode",
        "situs zip5", "propertyaddresszip",
    ),
}  # fmt: skip
_ROLES = {alias: role for role, aliases in _ALIASES.items() for alias in aliases}
_WHAT_IT_TAKES = (
    "Name a column property_id, loc_id, parcel_id or address (with town or zip), and save as CSV in UTF-8."
)
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


@dataclass(frozen=True)
class ListFile:
    """A file as read. ``rows`` are as wide as ``header``; ``roles`` says which column is what.

    ``blank_rows`` were skipped; ``uneven_rows`` had fewer or more cells than the header (what is missing
    is empty, what is too much stands in columns of its own at the end). ``line_numbers`` tells for each
    row the line of the file where it ends.
    """

    path: Path
    encoding: str
    delimiter: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    line_numbers: tuple[int, ...]
    roles: Mapping[str, int]
    blank_rows: int
    uneven_rows: int

    def cell(self, row: int, role: str) -> str:
        """The row's text in the column with that role, with single blanks; empty if there is none."""
        column = self.roles.get(role)
        return " ".join(self.rows[row][column].split()) if column is not None else ""


def read_list_file(path: Path, *, most_bytes: int = MOST_BYTES, most_rows: int = MOST_ROWS) -> ListFile:
    """Read a file of addresses or ids.

    Raises:
        UsageError: no such file, too large, not text, empty, or without any column that names a property.
    """
    content = _content(path, most_bytes)
    text, encoding = _decoded(path, content)
    rest, delimiter = _delimited(text)
    records = _records(path, rest, delimiter, most_rows)
    filled = [(line, cells) for line, cells in records if any(cell.strip() for cell in cells)]
    if not filled:
        raise UsageError(f"{path} holds no rows.", _WHAT_IT_TAKES)
    header, data = _header(path, filled)
    width = max([len(header), *(len(cells) for _, cells in data)])
    if width > MOST_COLUMNS:
        raise UsageError(
            f"{path} has a row of {width:,} cells; at most {MOST_COLUMNS:,} columns are imported.",
            "A quotation mark or a line end may be missing.",
        )
    names = _distinct([*header, *(f"column {n + 1}" for n in range(len(header), width))])
    return ListFile(
        path=path,
        encoding=encoding,
        delimiter=_DELIMITERS[delimiter],
        header=names,
        rows=tuple(tuple(cells) + ("",) * (width - len(cells)) for _, cells in data),
        line_numbers=tuple(line + (rest != text) for line, _ in data),
        roles=_roles(header),
        blank_rows=len(records) - len(filled),
        uneven_rows=sum(len(cells) != len(header) for _, cells in data),
    )


def _content(path: Path, most_bytes: int) -> bytes:
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


def _decoded(path: Path, content: bytes) -> tuple[str, str]:
    """The text, and the encoding's name in words."""
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


def _delimited(text: str) -> tuple[str, str]:
    """The text without Excel's ``sep=;`` line, and the delimiter that splits it best.

    The best one finds the most known columns in the header, then the most rows as wide as the header.
    """
    first, _, rest = text.partition("\n")
    if re.fullmatch(r'"?sep=[,;|\t]"?\s*', first, re.IGNORECASE):
        return rest, first.strip('"\r ')[4:5]
    found = []
    for order, delimiter in enumerate(_DELIMITERS):
        try:
            lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
            sample = [cells for cells in itertools.islice(lines, _LOOKED_AT) if any(cells)]
        except csv.Error:
            continue
        width = len(sample[0]) if sample else 0
        even = sum(len(cells) == width for cells in sample) / max(len(sample), 1)
        known = len(_roles(sample[0])) if sample else 0
        found.append((known, even if width > 1 else 0.0, width, -order, delimiter))
    return text, max(found)[-1] if found else ","


def _records(path: Path, text: str, delimiter: str, most_rows: int) -> list[tuple[int, list[str]]]:
    """Lines of the file with their numbers."""
    limit = csv.field_size_limit(_LONGEST_CELL)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        records = []
        for cells in reader:
            records.append((reader.line_num, cells))
            if len(records) > most_rows + 1:
                raise UsageError(f"{path} has more than {most_rows:,} rows.", "Split it.")
        return records
    except csv.Error as error:
        raise UsageError(
            f"{path} is not readable as CSV near line {reader.line_num}: {error}.",
            "A quotation mark may be missing there.",
        ) from None
    finally:
        csv.field_size_limit(limit)


def _header(
    path: Path, records: list[tuple[int, list[str]]]
) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header and the rows below it; a file of nothing but ids needs no header."""
    first = records[0][1]
    roles = _roles(first)
    if {"property_id", "loc_id", "prop_id", "address", "street"} & set(roles):
        return first, records[1:]
    cell = first[0].strip().upper()
    if re.match(r"\d{3}-\S", cell):
        return ["property_id", *(f"column {n + 2}" for n in range(len(first) - 1))], records
    if re.match(loc_id.PATTERN, cell):
        return ["loc_id", *(f"column {n + 2}" for n in range(len(first) - 1))], records
    raise UsageError(
        f"The first line of {path} names no column that tells a property ({len(first)} columns, "
        f"{len(roles)} of them known).",
        _WHAT_IT_TAKES,
    )


def _roles(header: list[str]) -> dict[str, int]:
    """Which column plays which role; of columns with the same one the first counts."""
    roles: dict[str, int] = {}
    for place, name in enumerate(header):
        role = _ROLES.get(re.sub(r"[^a-z0-9]+", " ", name.lower()).strip())
        if role is not None:
            roles.setdefault(role, place)
    return roles


def _distinct(names: list[str]) -> tuple[str, ...]:
    """Column names without repetition, so that the report keeps every column."""
    result: dict[str, None] = {}
    for place, name in enumerate(names):
        text = plain = name.strip() or f"column {place + 1}"
        for number in itertools.count(2):
            if text not in result:
                break
            text = f"{plain} ({number})"
        result[text] = None
    return tuple(result)
