"""Reading addresses: assessors' strings, mailing lines, lines that people type.

The rules were measured on real assessor rolls of Massachusetts. What they cannot tell is left apart: an
address that is read wrongly is worse than one that matches nothing. A house number after the street's name,
a street followed by its route number, and a direction spelled where a number could be (``NO 2``) stay as
they are written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from leadflow_assets.domain.addresses.clean import clean
from leadflow_assets.domain.addresses.model import Address
from leadflow_assets.domain.addresses.numbers import HouseNumber, read_number
from leadflow_assets.domain.addresses.parts import (
    post_office_box,
    take_lot,
    take_rear_and_off,
    take_units,
    without_box,
)
from leadflow_assets.domain.addresses.street import is_letter_street, read_street, take_unit
from leadflow_assets.domain.addresses.tables import (
    BARE_UNITS,
    BUILDING_WORDS,
    DIRECTION_LETTERS,
    DIRECTIONS,
    FLOOR_WORDS,
    PLACEHOLDERS,
    SAME_AS_SITE,
    SUFFIXES,
    UNIT_WORDS,
    words,
)

_PLAIN = re.compile(r"\s*(?:[0-9]{1,6}\s+)?[A-Z]{2,}(?:\s+[A-Z]{2,})*\s*")
_PLAIN_NAME = re.compile(r"[A-Z]{2,}(?: [A-Z]{2,})*")
_NUMBER_AND_WORDS = re.compile(r"[0-9][^ ]*(?: [A-Z]+)+")
_PLAIN_UNIT = re.compile(r"[0-9]+[A-Z]?|[A-Z]")
_READABLE = re.compile(r"[^\W_]")
# Words that make an address more than number, name and type.
_SPECIAL = (
    frozenset(words("REAR RR OFF LOT LOTS BOX POB PO AND TO THRU THROUGH ZERO ONE"))
    | frozenset(UNIT_WORDS)
    | BUILDING_WORDS
    | FLOOR_WORDS
)
_ODD_IN_NAME = (
    _SPECIAL | frozenset(DIRECTIONS) | frozenset(BARE_UNITS) | frozenset({"THE", "OF", "MC", "MAC"})
)
_NO_NAMES = frozenset(words("REAR RR OFF LOT LOTS"))
_CARE_OF = re.compile(r"(?:^|(?<=[\s,]))(?:C\s*/\s*O|CARE\s+OF|ATTN|ATTENTION)\b[\s:.]*|%\s*")
_NUMBER_OR_BOX = re.compile(r"(?<![\w#-])(?:[0-9]+(?![0-9]*(?:ST|ND|RD|TH)\b)|P\.?\s?O\.?\s?BOX\b)")
_UNIT_LINE = re.compile(
    rf"\s*(?:#|(?:{'|'.join(sorted({*UNIT_WORDS, *BUILDING_WORDS, *FLOOR_WORDS}))})\b"
    r"|[0-9]+(?:ST|ND|RD|TH)\s+FL)"
)


def parse_address(text: str | None, suffix_overrides: Mapping[str, str] | None = None) -> Address:
    """Read one line into its parts; never raises.

    ``suffix_overrides`` are a town's own codes for street types (``{"CR": "CIR"}``, see
    :func:`learn_suffix_overrides`); the line of what was read with them must be read with them too. Towns
    and ZIPs in the text are not looked for: see ``split_place``.
    """
    return _read(text or "", tuple(suffix_overrides.items()) if suffix_overrides else ())


# The same line stands in a record's site and mailing address, and is read to learn from it first.
@lru_cache(maxsize=131_072)
def _read(raw: str, suffix_overrides: tuple[tuple[str, str], ...]) -> Address:
    suffixes = {**SUFFIXES, **dict(suffix_overrides)} if suffix_overrides else SUFFIXES
    found = _parse(raw, suffixes)
    # A name with words or signs that mean something elsewhere may read differently once it is normalized.
    for _ in range(3):
        if not _is_odd(found):
            return found
        again = _parse(found.line, suffixes, raw)
        if again.key == found.key:
            return found
        found = again
    return found if _parse(found.line, suffixes).key == found.key else Address(raw, "none")


def _is_odd(address: Address) -> bool:
    if address.kind != "street":
        return False
    if not _PLAIN_NAME.fullmatch(address.name):
        return True
    parts = address.name.split(" ")
    return not (
        _ODD_IN_NAME.isdisjoint(parts)
        and (address.suffix or parts[-1] not in SUFFIXES)
        and (not address.unit or _PLAIN_UNIT.fullmatch(address.unit))
    )


def _parse(text: str, suffixes: Mapping[str, str], raw: str | None = None) -> Address:
    raw = text if raw is None else raw
    upper = text.upper()
    if len(upper) < 100 and _PLAIN.fullmatch(upper):
        tokens = upper.split()
        if _SPECIAL.isdisjoint(tokens):
            number = HouseNumber(rest=tokens)
            if tokens[0].isdigit():
                number = HouseNumber(given=True, num=int(tokens[0]) or None, rest=tokens[1:])
            return _assemble(raw, number, suffixes)
    s = clean(text)
    box = post_office_box(s) if s[:1].isalpha() else ""
    if box:
        return Address(raw, "pobox", box=box)
    lot, rear, off = "", False, False
    # A look for a few letters is cheaper than a pattern that is not there.
    if " P" in s:
        s = without_box(s)
    if "LOT" in s:
        s, lot = take_lot(s)
    if "REAR" in s or "RR" in s or "OFF" in s:
        s, rear, off = take_rear_and_off(s)
    unit = ""
    if not _NUMBER_AND_WORDS.fullmatch(s) or not _SPECIAL.isdisjoint(s.split()):
        s, unit = take_units(s)
    number = read_number(s.split())
    number.rear = number.rear or rear
    return _assemble(raw, number, suffixes, off=off, lot=lot, unit=unit)


def _assemble(
    raw: str,
    number: HouseNumber,
    suffixes: Mapping[str, str],
    *,
    off: bool = False,
    lot: str = "",
    unit: str = "",
) -> Address:
    tokens = number.rest
    if number.num is not None and len(tokens) > 1:
        last = tokens[-1]
        if len(tokens) > 2 and last == "R" and tokens[-2] in suffixes:
            tokens, number.rear = tokens[:-1], True
        elif not unit and (len(last) == 1 or not last.isalpha() or last in BARE_UNITS):
            tokens, unit = take_unit(tokens, suffixes)
    if number.given and len(tokens) > 1 and len(tokens[0]) == 1:
        tokens = _take_letter(number, tokens, suffixes)
    street = read_street(tokens, suffixes)
    if not _READABLE.search(street.name) or (not street.suffix and _is_nothing(street.name, number)):
        return Address(raw, "none")
    return Address(
        raw,
        "street",
        number.num,
        number.num_hi,
        number.num_suffix,
        number.rear,
        off,
        lot,
        street.predir,
        street.name,
        street.suffix,
        street.postdir,
        unit,
    )


def _is_nothing(name: str, number: HouseNumber) -> bool:
    """A word that stands for a missing name, or one that says where on a street that is not there."""
    return name in _NO_NAMES or (number.num is None and (name in PLACEHOLDERS or name in SAME_AS_SITE))


def _take_letter(number: HouseNumber, tokens: list[str], suffixes: Mapping[str, str]) -> list[str]:
    """``45 B MAIN ST``: the letter belongs to the number. O begins a name, a direction stays one."""
    letter = tokens[0]
    if suffixes is not SUFFIXES and _is_initial(tokens, suffixes):
        return tokens
    enough = len(tokens) > 2 or (tokens[1].endswith("WAY") and tokens[1] not in suffixes)
    if (
        not enough
        or not letter.isalpha()
        or letter in DIRECTION_LETTERS
        or letter == "O"
        or is_letter_street(tokens, suffixes)
    ):
        return tokens
    if letter == "R":
        number.rear = True
    elif number.num_suffix:
        return tokens
    else:
        number.num_suffix = letter if number.num_hi is None else f"-{letter}"
    return tokens[1:]


def _is_initial(tokens: list[str], suffixes: Mapping[str, str]) -> bool:
    """Has the town a street whose name begins with this letter (R ALDER DR)?"""
    street = read_street(tokens, suffixes)
    return f"{street.name} {street.suffix}" in suffixes


def parse_mailing(
    line1: str | None, line2: str | None = None, suffix_overrides: Mapping[str, str] | None = None
) -> Address:
    """Read a mailing address of one or two lines.

    The street is the first line that starts with a digit; a care-of line pushes it to the second. Without
    one, a P.O. box, then whatever the lines say. A unit on the second line is added. Owners' names in front
    of or behind the street (C/O, ATTN, %) are dropped.
    """
    lines = [_without_care_of(line.upper()) for line in (line1 or "", line2 or "")]
    raw = "\n".join([line for line in (line1, line2) if line])
    street = next(
        (line for line in lines if line.lstrip("# \t")[:1].isdigit() and not _UNIT_LINE.match(line)), ""
    )
    if street:
        rest = lines[1] if street is lines[0] else ""
        text = f"{street} {rest}" if rest and _UNIT_LINE.match(rest) else street
        read = [parse_address(text, suffix_overrides)]
    else:
        read = [parse_address(line, suffix_overrides) for line in lines if line.strip()]
    chosen = next((a for a in read if a.kind == "pobox"), None) or next(
        (a for a in read if a.kind != "none"), Address("", "none")
    )
    return _with_raw(chosen, raw)


def _without_care_of(line: str) -> str:
    """The line without a care-of and the name after it, up to a house number or a box."""
    found = _CARE_OF.search(line)
    if not found:
        return line
    if line[: found.start()].strip(" ,"):
        return line[: found.start()]
    street = _NUMBER_OR_BOX.search(line, found.end())
    return line[street.start() :] if street else ""


def _with_raw(address: Address, raw: str) -> Address:
    return Address(raw, *[getattr(address, name) for name in Address.__slots__[1:]])
