"""Reading a file of addresses or ids that a person made: text in any encoding and with any delimiter, or the
first sheet of an Excel workbook; columns in any order.

What was found is said, so that a wrong guess is seen. Errors never quote a cell: it may be a person's name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from leadflow_assets.domain import loc_id
from leadflow_assets.errors import UsageError
from leadflow_assets.sources.imports.text_table import (
    DELIMITERS,
    MOST_BYTES,
    MOST_COLUMNS,
    MOST_ROWS,
    decode,
    distinct_names,
    find_delimiter,
    read_content,
    records,
)
from leadflow_assets.sources.imports.workbook import is_workbook, read_workbook

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


@dataclass(frozen=True)
class ListFile:
    """A file as read. ``rows`` are as wide as ``header``; ``roles`` says which column is what.

    Of a workbook ``encoding`` names the sheet, and ``delimiter`` is empty.

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
    content = read_content(path, most_bytes)
    read, encoding, delimiter = _from_workbook(path, content, most_rows) or _from_text(
        path, content, most_rows
    )
    filled = [(line, cells) for line, cells in read if any(cell.strip() for cell in cells)]
    if not filled:
        raise UsageError(f"{path} holds no rows.", _WHAT_IT_TAKES)
    header, data = _header(path, filled)
    width = max([len(header), *(len(cells) for _, cells in data)])
    if width > MOST_COLUMNS:
        raise UsageError(
            f"{path} has a row of {width:,} cells; at most {MOST_COLUMNS:,} columns are imported.",
            "A quotation mark or a line end may be missing.",
        )
    names = distinct_names([*header, *(f"column {n + 1}" for n in range(len(header), width))])
    return ListFile(
        path=path,
        encoding=encoding,
        delimiter=delimiter,
        header=names,
        rows=tuple(tuple(cells) + ("",) * (width - len(cells)) for _, cells in data),
        line_numbers=tuple(line for line, _ in data),
        roles=_roles(header),
        blank_rows=len(read) - len(filled),
        uneven_rows=sum(len(cells) != len(header) for _, cells in data),
    )


_Lines = list[tuple[int, list[str]]]


def _from_text(path: Path, content: bytes, most_rows: int) -> tuple[_Lines, str, str]:
    """Numbered rows, the encoding and the delimiter in words."""
    text, encoding = decode(path, content)
    rest, delimiter = find_delimiter(text, lambda cells: len(_roles(cells)))
    # A line that only tells the delimiter was left out.
    before = int(rest != text)
    read = [(line + before, cells) for line, cells in records(path, rest, delimiter, most_rows)]
    return read, encoding, DELIMITERS[delimiter]


def _from_workbook(path: Path, content: bytes, most_rows: int) -> tuple[_Lines, str, str] | None:
    """Numbered rows of the first sheet, as wide as its first row; None: it is no workbook."""
    if not is_workbook(content):
        return None
    sheet, read = read_workbook(path, content, most_rows=most_rows)
    if len([cells for _, cells in read if cells]) > most_rows + 1:
        raise UsageError(f"{path} has more than {most_rows:,} rows.", "Split it.")
    width = next((len(cells) for _, cells in read if cells), 0)
    rows = [(line, cells + [""] * (width - len(cells))) for line, cells in read]
    return rows, f"Excel workbook, sheet {sheet}", ""


def _header(path: Path, rows: list[tuple[int, list[str]]]) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header and the rows below it; a file of nothing but ids needs no header."""
    first = rows[0][1]
    roles = _roles(first)
    if {"property_id", "loc_id", "prop_id", "address", "street"} & set(roles):
        return first, rows[1:]
    cell = first[0].strip().upper()
    if re.match(r"\d{3}-\S", cell):
        return ["property_id", *(f"column {n + 2}" for n in range(len(first) - 1))], rows
    if re.match(loc_id.PATTERN, cell):
        return ["loc_id", *(f"column {n + 2}" for n in range(len(first) - 1))], rows
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
