"""Reading what people write into the cells of a file of cases: days, amounts, words, and what is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

EARLIEST = date(1950, 1, 1)
_NOTHING = frozenset({"", "-", "--", "n/a", "na", "none", "null", "unknown", "tbd"})
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]\d.*)?")
_NUMBERS = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})(?:\s+\d{1,2}:\d{2}.*)?")
_MONTH_NAMES = ("%B %d, %Y", "%b %d, %Y", "%b. %d, %Y", "%d %B %Y", "%d %b %Y", "%d-%b-%Y", "%d-%b-%y")


class CellError(Exception):
    """A cell that cannot be read; the text says why, and never what stood in it."""


@dataclass(frozen=True)
class DateStyle:
    """How one column writes its days: ``day_first`` if any value can only be read so."""

    day_first: bool


def date_style(cells: Iterable[str]) -> DateStyle:
    """Look at a whole column: 13/02/2026 says of 02/03/2026 beside it that it may be the second of March."""
    for cell in cells:
        found = _NUMBERS.fullmatch(cell.strip())
        if found and int(found[1]) > 12 >= int(found[3]):
            return DateStyle(day_first=True)
    return DateStyle(day_first=False)


def read_date(cell: str, style: DateStyle, today: date) -> date | None:
    """The day in a cell; None for an empty one.

    Raises:
        CellError: it is none, is written day first, or lies in the future or before 1950.
    """
    text = " ".join(cell.split())
    if text.lower() in _NOTHING:
        return None
    day = _day(text, style)
    if day > today:
        raise CellError("lies in the future")
    if day < EARLIEST:
        raise CellError("lies before 1950")
    return day


def _day(text: str, style: DateStyle) -> date:
    iso, numbers = _ISO.fullmatch(text), _NUMBERS.fullmatch(text)
    try:
        if iso:
            return date(int(iso[1]), int(iso[2]), int(iso[3]))
        if numbers:
            if style.day_first:
                raise CellError("is in a column that writes the day first; write YYYY-MM-DD")
            year = int(numbers[4])
            year += (2000 if year < 70 else 1900) if len(numbers[4]) == 2 else 0
            return date(year, int(numbers[1]), int(numbers[3]))
    except ValueError:
        raise CellError("is no day of the calendar (write YYYY-MM-DD or MM/DD/YYYY)") from None
    for form in _MONTH_NAMES:
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007  (a day has no zone)
        except ValueError:
            continue
    if re.fullmatch(r"\d{5}(?:\.\d+)?", text):
        raise CellError("is a spreadsheet's number and no day; format the column as a date")
    raise CellError("is no day in a known form (write YYYY-MM-DD or MM/DD/YYYY)")


def read_amount(cell: str) -> Decimal | None:
    """Dollars in a cell; None for an empty one.

    Raises:
        CellError: it is no amount, or a negative one.
    """
    text = cell.strip().lower()
    if text in _NOTHING:
        return None
    plain = re.sub(r"^(?:us)?\s*\$\s*|\s*(?:usd|dollars)$|,(?=\d{3}\b)", "", text)
    try:
        amount = Decimal(plain) if re.fullmatch(r"\d{1,12}(?:\.\d+)?", plain) else None
    except InvalidOperation:
        amount = None
    if amount is None:
        raise CellError("is no amount in dollars")
    return amount.quantize(Decimal("0.01"))


def read_names(cell: str) -> list[str]:
    """The names in a cell: one, or several separated by semicolons or lines."""
    names = [" ".join(part.split()).strip(" ,") for part in re.split(r"[;\n]", cell)]
    return list(
        dict.fromkeys(name for name in names if re.search(r"\w", name) and name.lower() not in _NOTHING)
    )


def plain_text(cell: str) -> str | None:
    """The cell with single blanks; None for an empty one."""
    text = " ".join(cell.split())
    return None if text.lower() in _NOTHING else text
