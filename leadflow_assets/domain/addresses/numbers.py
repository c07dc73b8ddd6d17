"""House numbers: ranges in every way assessors write them, letters, halves."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from leadflow_assets.domain.addresses.tables import STREET_TYPES, SUFFIXES

_ORDINAL = re.compile(r"[0-9]+(?:ST|ND|RD|TH)")
_NUMBERS = re.compile(
    r"[0-9]{1,6}(?:[A-Z]{1,2})?(?:[-/&+][0-9]{1,6}[A-Z]?)*(?:[-/&+](?=[A-Z])(?:[A-Z](?:[-/&+][A-Z])*))?"
)
_ONE = re.compile(r"([0-9]+)([A-Z]*)")
_LETTERS = re.compile(r"[A-Z](?:[-/&+][A-Z])+")
_GLUED = re.compile(r"([0-9]{1,6})(?!ST|ND|RD|TH)([A-Z]{3,})")
_SPLIT = re.compile(r"[-/&+]")
_FRACTIONS = ("1/4", "3/4")
# ONE MAIN ST; other numbers in words also begin street names (FIVE MILE RD).
_SPELLED = {"ZERO": "0", "ONE": "1"}
_NOT_AFTER_ONE = frozenset({"MILE", "HUNDRED"})

_End = tuple[int, str]


@dataclass(slots=True)
class HouseNumber:
    """Low and high number, letters (see ``Address.num_suffix``), R among the letters, and what follows.

    ``given`` tells a number of 0 (which is none) from a text without one.
    """

    given: bool = False
    num: int | None = None
    num_hi: int | None = None
    num_suffix: str = ""
    rear: bool = False
    rest: list[str] = field(default_factory=list)


def read_number(tokens: list[str]) -> HouseNumber:
    """Read the number at the start of ``tokens``."""
    first = tokens[0] if tokens else ""
    if first in _SPELLED and len(tokens) > 2 and tokens[1] not in _NOT_AFTER_ONE:
        first = _SPELLED[first]
    if first.isdigit() and first.isascii() and len(first) <= 6:
        after = tokens[1] if len(tokens) > 1 else ""
        if len(after) > 1 and after.isalpha():  # nothing can belong to the number
            return HouseNumber(given=True, num=int(first) or None, rest=tokens[1:])
    glued = _GLUED.fullmatch(first)
    if glued:  # 12MAIN ST
        first, tokens = glued[1], ["", glued[2], *tokens[1:]]
    if not _is_number(first):
        return HouseNumber(rest=tokens)
    ends = _ends(first)
    letters: list[str] = [end[1] for end in ends if end[1]]
    fraction = ""
    at = 1
    while at < len(tokens) - 1:
        token = tokens[at]
        if token in _FRACTIONS and not fraction:
            fraction = token
        elif _is_number(token) and not _is_name(tokens[at + 1 :], token):
            ends += _ends(token)
        elif _LETTERS.fullmatch(token) and not letters:
            ends += [(ends[-1][0], letter) for letter in _SPLIT.split(token)]
            ends = [end for end in ends if end[1]]
        elif _same_again(token, ends[0]):
            ends = [(ends[0][0], token[0])]
        else:
            break
        letters = [end[1] for end in ends if end[1]]
        at += 1
    return _settle(ends, fraction, tokens[at:])


def _is_number(token: str) -> bool:
    return bool(_NUMBERS.fullmatch(token)) and not _ORDINAL.fullmatch(token)


def _is_name(after: list[str], token: str) -> bool:
    """``10 5 ST``: a bare number before nothing but a street type is the street."""
    return len(after) == 1 and SUFFIXES.get(after[0]) in STREET_TYPES and token.isdigit()


def _same_again(token: str, first: _End) -> bool:
    """``57 A57``."""
    return token[0].isalpha() and token[1:].isdigit() and len(token) < 8 and int(token[1:]) == first[0]


def _ends(token: str) -> list[_End]:
    """``12A-14`` as (12, A), (14, ''); a letter by itself belongs to the number before it."""
    ends: list[_End] = []
    alone = False
    for part in _SPLIT.split(token):
        found = _ONE.fullmatch(part)
        if found:
            ends.append((int(found[1]), found[2]))
        elif ends[-1][1] or alone:
            ends.append((ends[-1][0], part))
        else:
            ends[-1] = (ends[-1][0], part)
            alone = True
    return ends


def _settle(ends: list[_End], fraction: str, rest: list[str]) -> HouseNumber:
    """Order the ends: short forms completed, descending ranges turned, R as rear, 0 as no number."""
    found = HouseNumber(given=True, rest=rest)
    found.rear = any(letter == "R" for _, letter in ends)
    ends = [(number, "" if letter == "R" else letter) for number, letter in ends]
    positive = [end for end in ends if end[0] > 0]
    if not positive:
        found.num_suffix = ends[0][1]
        return found
    low, high = positive[0], positive[-1]
    high = (_completed(low[0], high[0]), high[1])
    low, high = sorted((low, high))
    found.num = low[0]
    found.num_hi = high[0] if high[0] != low[0] else None
    suffix = fraction or low[1]
    found.num_suffix = f"{suffix}-{high[1]}" if high[1] and high != low else suffix
    return found


def _completed(low: int, high: int) -> int:
    """``210-14`` ends at 214. A short end is read as what lies nearer: ``100 98`` is 98-100."""
    lead, end = str(low), str(high)
    if high >= low or len(end) >= len(lead):
        return high
    full = int(lead[: -len(end)] + end)
    return full if abs(full - low) <= low - high else high
