"""ATTOM's values as they are meant: text that is a number, and the many ways to say nothing.

The vendor writes missing values as null, ``{}``, empty text, 0, -1 and "-1"; numbers and booleans come as
text; dates in four forms; money as ``$109,831``. What cannot be read is None, never an exception.
"""

from __future__ import annotations

import math
import re
from datetime import date, datetime

# A number in the form people and the vendor write it: sign, dollar, thousands, decimals.
_NUMBER = re.compile(r"[+-]?\$?\s?(\d{1,3}(,\d{3})+|\d+)?(\.\d*)?")
_TRUE = frozenset({"true", "t", "yes", "y", "1"})
_FALSE = frozenset({"false", "f", "no", "n", "0"})
# Written where no date is known.
_NO_DATES = frozenset({date(1900, 1, 1), date(1901, 1, 1)})
_EARLIEST_YEAR = 1600
_MISSING_WORDS = frozenset({"", "-1", "null", "none", "n/a", "{}"})
_DATE = re.compile(
    r"(?:(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})"
    r"|(?P<m2>\d{1,2})/(?P<d2>\d{1,2})/(?P<y2>\d{4}|\d{2})"
    r"|(?P<y3>\d{4})(?P<m3>\d{2})(?P<d3>\d{2}))"
    # Whatever time follows is dropped: these are days in the records of a county.
    r"(?:[T ]\d{1,2}:\d{2}.*)?",
    re.ASCII,
)
# Two-digit years: this and above belong to the last century (POSIX).
_CENTURY_PIVOT = 69


def text(value: object) -> str | None:
    """Words with single spaces; None for nothing, for -1, and for anything that is no scalar."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    words = " ".join(str(value).split())
    return None if words.lower() in _MISSING_WORDS else words


def number(value: object, *, zero: bool = False) -> float | None:
    """A finite number of any written form. 0 is None unless ``zero``; -1 always is."""
    found = _number(value)
    if found is None or not math.isfinite(found) or found == -1:
        return None
    return found if found or zero else None


def _number(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        try:
            return float(value)
        except OverflowError:
            return None
    if not isinstance(value, str):
        return None
    written = value.strip()
    if not written.isascii() or not any(c.isdigit() for c in written) or not _NUMBER.fullmatch(written):
        return None
    return float(written.replace("$", "").replace(",", "").replace(" ", ""))


def integer(value: object, *, zero: bool = False) -> int | None:
    """A number rounded half away from zero, where it fits 64 bits."""
    found = number(value, zero=zero)
    if found is None or abs(found) >= 2**63:
        return None
    rounded = int(math.copysign(math.floor(abs(found) + 0.5), found))
    return rounded if rounded or zero else None


def amount(value: object, *, zero: bool = False) -> int | None:
    """Whole dollars, never below zero: a negative amount of a loan or price is a mark for "none"."""
    found = integer(value, zero=zero)
    return found if found is None or found >= 0 else None


def rate(value: object) -> float | None:
    """A yearly interest rate in percent; rates of 100 and more are no rates."""
    found = number(value)
    return found if found is not None and 0 < found < 100 else None


def year(value: object) -> int | None:
    """A calendar year between 1600 and 2100."""
    found = integer(value)
    return found if found is not None and _EARLIEST_YEAR <= found <= 2100 else None


def day(value: object) -> date | None:
    """A date written YYYY-MM-DD, MM/DD/YYYY, MM/DD/YY or YYYYMMDD, with or without a time after it.

    1900-01-01 and 1901-01-01 stand for no date, as do years before 1600.
    """
    if isinstance(value, datetime):
        value = value.date().isoformat()
    elif isinstance(value, date):
        value = value.isoformat()
    elif isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return None
    match = _DATE.fullmatch(value.strip())
    if match is None:
        return None
    parts = match.groupdict()
    which = "" if parts["y"] else "2" if parts["y2"] else "3"
    found_year = int(parts["y" + which])
    if which == "2" and len(parts["y2"]) == 2:
        found_year += 1900 if found_year >= _CENTURY_PIVOT else 2000
    try:
        found = date(found_year, int(parts["m" + which]), int(parts["d" + which]))
    except ValueError:
        return None
    return None if found in _NO_DATES or found.year < _EARLIEST_YEAR else found


def flag(value: object) -> bool | None:
    """Yes or no: JSON's own, "True", "N", 1, "0"; None for anything else."""
    if isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    word = str(value).strip().lower() if isinstance(value, str | int) else ""
    return True if word in _TRUE else False if word in _FALSE else None


def owner_occupied(value: object) -> bool | None:
    """Does the owner live there? Reads the codes O and A, the prose of ``absenteeInd``, and yes or no."""
    word = (text(value) or "").upper()
    if word == "O" or word.startswith(("OWNER OCC", "OCCUPIED")):
        return True
    if word == "A" or word.startswith("ABSENTEE"):
        return False
    return flag(value)
