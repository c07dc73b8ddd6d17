"""Social security, taxpayer and employer numbers are taken out of everything before it is kept or read.

Bankruptcy courts print a line such as ``SSN / ITIN: xxx-xx-0000`` under a debtor's address, and
CourtListener hands it on word for word (facts/courtlistener §7). What is masked is taken out as well. House
numbers, ZIP codes, docket numbers and dates have other shapes and stay.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

REMOVED = "[removed]"

_DASH = "[-\u00ad\u2010-\u2015\u2212\ufe58\ufe63\uff0d]"
_BLANK = "[ \t\u00a0\u2007\u202f]"
# Every repetition has an end: a long run of blanks must not cost its square.
_GAP = rf"{_BLANK}{{0,3}}{_DASH}{_BLANK}{{0,3}}"
# A digit, or what stands for a hidden one.
_MARK = r"[\dxX*#_\u2022\u25cf]"
_SOCIAL = rf"{_MARK}{{3}}{_GAP}{_MARK}{{2}}{_GAP}{_MARK}{{4}}"
_EMPLOYER = rf"{_MARK}{{2}}{_GAP}{_MARK}{{7}}"
_NUMBER = re.compile(rf"{_SOCIAL}|{_EMPLOYER}")

_LABEL = (
    r"(?:S\.?S\.?N\b\.?|I\.?T\.?I\.?N\b\.?|F?\.?E\.?I\.?N\b\.?|(?-i:T\.?I\.?N\b\.?)|S\.?S\.?\s?\#"
    r"|social\s+security|tax\s?-?payer(?:'?s)?\s+(?:i\.?\s?d\b\.?|identification)|tax\s?-?\s?i\.?\s?d\b\.?"
    r"|employer(?:'?s)?\s+(?:i\.?\s?d\b\.?|identification))"
)
_LABELS = rf"(?<![A-Za-z]){_LABEL}(?:{_BLANK}{{0,3}}(?:/|&|,|\band\b|\bor\b){_BLANK}{{0,3}}{_LABEL}){{0,5}}"
_FILLERS = (
    rf"(?:{_BLANK}{{0,3}}\b(?:numbers?|nos?|num|last|four|4|digits?|of|ending|ends|in|with|is|the|only)\b"
    rf"(?:\(s\))?){{0,9}}[ \t\u00a0.:;#=()\[\]]{{0,9}}{_DASH}?{_BLANK}{{0,3}}"
)
# Behind a label a number needs no hyphens: nine digits in any grouping, or the last four alone.
_VALUE = (
    rf"(?:{_SOCIAL}|{_EMPLOYER}|{_MARK}{{3}}{_BLANK}{_MARK}{{2}}{_BLANK}{_MARK}{{4}}"
    rf"|{_MARK}{{2}}{_BLANK}{_MARK}{{7}}|{_MARK}{{4,9}})(?![A-Za-z0-9])"
)
_LABELLED = re.compile(rf"{_LABELS}{_FILLERS}{_VALUE}", re.IGNORECASE)
# The number may stand alone on the line below its label.
_BELOW = re.compile(
    rf"({_LABELS}{_FILLERS})[\r\n]{{1,4}}{_BLANK}{{0,9}}{_VALUE}(?={_BLANK}{{0,9}}(?:[\r\n]|$))",
    re.IGNORECASE,
)
_LABEL_ALONE = re.compile(rf"[^\w\n]*{_LABELS}{_FILLERS}[^\w\n]*", re.IGNORECASE)
# Most texts end at the first of these two looks.
_ANY_SIGN = re.compile(r"[\d*#:_\u2022\u25cf]|[xX]{2}")
_MAY_HOLD = re.compile(rf"{_MARK}{{4}}|{_LABEL}", re.IGNORECASE)
# Characters that nobody sees could stand between two digits, and JSON would write some of them as digits.
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060\ufeff]")
_KEY = re.compile(r"(?:ssn|itin|taxid|taxpayer|socialsecurity).*|f?ein|tin|ein(?:number|no)")


def strip_text(text: str) -> str:
    """The text without any such number. A line of nothing else goes whole; within a line a mark stays."""
    text = _UNSEEN.sub("", text)
    if not _ANY_SIGN.search(text) or not _MAY_HOLD.search(text):
        return text
    while True:
        joined = _BELOW.sub(rf"\1 {REMOVED}", text)
        stripped = "\n".join([kept for line in joined.split("\n") if (kept := _strip_line(line)) is not None])
        if stripped == text:
            return text
        text = stripped


def strip_value(value: Any) -> Any:
    """A JSON value with every text in it stripped, keys included.

    What stands under a key such as ``ssn`` is removed whatever it looks like.
    """
    if isinstance(value, str):
        return strip_text(value)
    if isinstance(value, list):
        return [strip_value(item) for item in value]
    if isinstance(value, dict):
        stripped = {}
        for key, item in value.items():
            name, holds_number = _read_key(str(key))
            stripped[name] = REMOVED if holds_number and item else strip_value(item)
        return stripped
    return value


def strip_body(body: bytes) -> bytes:
    """An HTTP body without any such number: JSON stays JSON (written anew, UTF-8), all else is text."""
    text = body.decode("utf-8-sig", errors="replace")
    try:
        document = json.loads(text)
        stripped = json.dumps(strip_value(document), ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError):
        stripped = strip_text(text)
    return stripped.encode("utf-8", errors="replace")


def holds_identifier(text: str) -> bool:
    """Does the text hold such a number, masked or not?"""
    return bool(_NUMBER.search(text) or _LABELLED.search(text))


def _strip_line(line: str) -> str | None:
    """The line without numbers; None where nothing of it is left."""
    stripped = _without_numbers(line)
    rest = stripped.replace(REMOVED, "")
    if REMOVED in stripped and (not rest.strip(" \t\r\u00a0,;.:") or _LABEL_ALONE.fullmatch(rest)):
        return None
    # Some people are called Tin: only a colon or a sign makes a word without a number a label.
    is_label = (":" in stripped or "#" in stripped) and _LABEL_ALONE.fullmatch(stripped)
    return None if is_label else stripped


def _without_numbers(text: str) -> str:
    text = _UNSEEN.sub("", text)
    while True:
        # What stood on both sides of a number must not make a new one.
        stripped = _NUMBER.sub(REMOVED, _LABELLED.sub(REMOVED, text))
        if stripped == text:
            return text
        text = stripped


@lru_cache(maxsize=1_024)
def _read_key(key: str) -> tuple[str, bool]:
    """The key without numbers in it, and whether it says that such a number stands under it."""
    return _without_numbers(key), bool(_KEY.fullmatch(re.sub(r"[^a-z]", "", key.lower())))
