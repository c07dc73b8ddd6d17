"""What is taken out of a cleaned address before its street is read: boxes, lots, rear, off, units."""

from __future__ import annotations

import re

from leadflow_assets.domain.addresses.tables import (
    BARE_UNITS,
    BUILDING_WORDS,
    DIRECTIONS,
    FLOOR_WORDS,
    ORDINALS,
    SUFFIXES,
    UNIT_WORDS,
)

_END = r"(?![A-Z0-9])"
_BOX_ID = rf"(?P<id>[A-Z]{{0,4}}[0-9][0-9A-Z]*(?:-[0-9A-Z]+)*|[A-Z]){_END}"
_PO_BOX = rf"(?:(?:P ?O|POST OFFICE) ?(?:BOX|BX|DRAWER|B)|POB|CALLER BOX) ?(?:NO |NUMBER )?#? ?{_BOX_ID}"
_BOX_FIRST = re.compile(_PO_BOX)
_BOX_ALONE = re.compile(rf"BOX (?:NO )?(?:# ?)?(?P<id>[0-9][0-9A-Z]*(?:-[0-9A-Z]+)*){_END}")
_BOX_LAST = re.compile(rf"(?<=[A-Z0-9]) {_PO_BOX}$")
# Delivery routes of the post, and the military's.
_ROUTE_BOX = re.compile(
    rf"(?P<route>R ?R|R ?F ?D|RURAL ROUTE|HC|PSC|CMR) #? ?(?P<number>[0-9]{{1,5}}) BOX #? ?{_BOX_ID}"
)

_LOT_ID = r"(?:(?=[A-Z-]*[0-9])[A-Z0-9]+(?:-[A-Z0-9]+)*|[A-Z]{1,2})"
_LOT = re.compile(rf"(?:^| )LOTS?(?: NO)?(?: ?# ?| )(?P<id>{_LOT_ID}(?: ?[&+] ?{_LOT_ID})*)(?= |$)")
_ORDINAL = re.compile(r"[0-9]+(?:ST|ND|RD|TH)")
_GLUED_REAR = re.compile(r"^([0-9]+[A-Z]?(?:-[0-9]+[A-Z]?)*)-?(?:REAR|RR)(?= )")
_NUMBER_TOKEN = re.compile(r"[0-9]{1,6}[A-Z]{0,2}(?:[-/&][0-9]{0,6}[A-Z]?)*")

# The id of a unit: 3, 3B, 12-A, B12, B-3, A; after a designator also 3 B and two letters.
_UNIT_ID = r"(?:[A-Z]{0,3}[0-9][A-Z0-9]*(?:[-/][A-Z0-9]+)*|[A-Z](?:-[A-Z0-9]+)*)"
_UNIT_IDS = rf"{_UNIT_ID}(?: (?:[A-Z]|[0-9]{{1,4}}))?(?: ?[&+] ?(?:# ?)?{_UNIT_ID}){{0,5}}"
_UNIT_WORDS = frozenset(UNIT_WORDS)
_BARE = "|".join(BARE_UNITS)
_WORDS = "|".join(sorted(UNIT_WORDS, key=len, reverse=True))
_UNIT_LAST = re.compile(
    rf" (?P<word>{_WORDS})(?: ?#+ ?|-| NO #? ?| |(?=[0-9]))(?P<id>{_UNIT_IDS}|{_BARE}|[A-Z]{{2,3}})$"
)
_HASH_LAST = re.compile(rf" ?#+ ?(?P<id>{_UNIT_IDS}|{_BARE}|[A-Z]{{2,3}})$")
_NO_LAST = re.compile(r" NO(?P<id>[0-9]+[A-Z]?)$")
_UNIT_AFTER_NUMBER = re.compile(
    rf"(?P<number>[0-9]{{1,6}}[A-Z]?(?:-[0-9]{{1,6}}[A-Z]?)*)"
    rf"(?: (?P<word>{_WORDS})(?: ?# ?| |(?=[0-9]))| ?# ?)(?P<id>{_UNIT_ID})(?= [A-Z])"
)
_BUILDING = re.compile(rf" (?:{'|'.join(BUILDING_WORDS)})(?: ?# ?| NO | )(?P<id>{_UNIT_ID})(?= |$)")
_FLOORS = "|".join(sorted(FLOOR_WORDS, key=len, reverse=True))
_FLOOR_NUMBER = re.compile(rf" (?:{_FLOORS}) ?#? ?(?P<id>[0-9]{{1,2}})(?:ST|ND|RD|TH)?(?= |$)")
_FLOOR_ORDINAL = re.compile(
    rf" (?P<id>[0-9]{{1,2}}(?:ST|ND|RD|TH)|{'|'.join(ORDINALS)}) (?:{_FLOORS})(?= |$)"
)
_DIGITS_APART = re.compile(r"(?<=[0-9])[-/ ]+(?=[0-9])")
_LEADING_ZEROS = re.compile(r"^0+(?=[0-9])")


def plain_id(text: str) -> str:
    """The id of a unit, lot or box without blanks, hyphens and leading zeros.

    A hyphen stays between digits: unit 1-12 is not unit 11-2.
    """
    parts = [part.strip(" #") for part in re.split(r"[&+]", text)]
    return "&".join(
        _DIGITS_APART.sub("~", _LEADING_ZEROS.sub("", part))
        .replace("-", "")
        .replace("/", "")
        .replace(" ", "")
        .replace("~", "-")
        for part in parts
        if part
    )


def post_office_box(s: str) -> str:
    """The id of the box when the text starts with one, else empty."""
    found = _ROUTE_BOX.match(s)
    if found:
        route = found["route"].replace(" ", "")
        route = "RR" if route in ("RFD", "RURALROUTE") else route
        return f"{route}{int(found['number'])}-{plain_id(found['id'])}"
    found = _BOX_FIRST.match(s) or _BOX_ALONE.match(s)
    return plain_id(found["id"]) if found else ""


def without_box(s: str) -> str:
    """A street address without the box that follows it."""
    found = _BOX_LAST.search(s) if s[:1].isdigit() else None
    return s[: found.start()] if found and " " in s[: found.start()] else s


def take_lot(s: str) -> tuple[str, str]:
    """The text without ``LOT n``, and the lot's id (empty without one)."""
    found = _LOT.search(s)
    if not found or found["id"] in SUFFIXES or found["id"] in DIRECTIONS or _ORDINAL.fullmatch(found["id"]):
        return s, ""
    return _without(s, found), plain_id(found["id"])


def take_rear_and_off(s: str) -> tuple[str, bool, bool]:
    """The text without REAR (or RR) and OFF, and whether they were there."""
    tokens = _GLUED_REAR.sub(r"\1 REAR", s).split()
    rear = False
    for word in ("REAR", "RR"):
        while word in tokens:
            place = tokens.index(word)
            after = place + 2 if tokens[place + 1 : place + 2] == ["OF"] else place + 1
            rest = tokens[:place] + tokens[after:]
            if not _has_name(rest):
                break
            tokens, rear = rest, True
    off = False
    places = [0, len(tokens) - 1]
    if _NUMBER_TOKEN.fullmatch(tokens[0] if tokens else ""):
        places.append(1)
    for place in sorted({p for p in places if 0 <= p < len(tokens)}, reverse=True):
        after = place + 2 if tokens[place + 1 : place + 2] == ["OF"] else place + 1
        rest = tokens[:place] + tokens[after:]
        if tokens[place] == "OFF" and _has_name(rest):
            tokens, off = rest, True
    return " ".join(tokens), rear, off


def _has_name(tokens: list[str]) -> bool:
    """Is something left that can be a street, besides the number and one street type?"""
    words = tokens[1:] if tokens and _NUMBER_TOKEN.fullmatch(tokens[0]) else tokens
    return len(words) > 1 or (len(words) == 1 and words[0] not in SUFFIXES)


def take_units(s: str) -> tuple[str, str]:
    """The text without its building, floor and unit, and these as one id without blanks."""
    before: list[str] = []
    # A look for a few letters is cheaper than a pattern that is not there.
    for hint, pattern, letter in (
        ("B", _BUILDING, "B"),
        ("FL", _FLOOR_NUMBER, "F"),
        (" FL", _FLOOR_ORDINAL, "F"),
    ):
        found = pattern.search(s) if hint in s else None
        if found and _may_go(s, found):
            floor = ORDINALS.get(found["id"], found["id"])
            before.append(letter + (re.sub(r"(?<=[0-9])[A-Z]+", "", floor) if letter == "F" else floor))
            s = _without(s, found)
    units: list[str] = []
    found = _UNIT_AFTER_NUMBER.match(s)
    if found and found["id"] not in DIRECTIONS and not _ORDINAL.fullmatch(found["id"]):
        units.append(UNIT_WORDS.get(found["word"] or "", "") + found["id"])
        s = found["number"] + s[found.end() :]
    # The last one stands first in the list until it is turned.
    last: list[str] = []
    while len(last) < 3 and (not last or "#" in s or not _UNIT_WORDS.isdisjoint(s.split())):
        found = _UNIT_LAST.search(s) or _HASH_LAST.search(s) or _NO_LAST.search(s)
        if not found or not _may_go(s, found):
            break
        word = found.groupdict().get("word") or ""
        if UNIT_WORDS.get(word) and found["id"].isalpha() and len(found["id"]) > 1:
            break  # PARKING DECK is no space
        last.append(UNIT_WORDS.get(word, "") + (BARE_UNITS.get(found["id"]) or plain_id(found["id"])))
        s = s[: found.start()]
    if (before or last) and " " in s and s.rsplit(" ", 1)[1] in UNIT_WORDS:
        s = s.rsplit(" ", 1)[0]
    return s, _joined([*before, *units, *reversed(last)])


def _may_go(s: str, found: re.Match[str]) -> bool:
    """Is the id no word of a street, and does a street remain in front?"""
    unit = found["id"]
    if unit in SUFFIXES or (len(unit) > 1 and unit in DIRECTIONS):
        return False
    return _has_name(s[: found.start()].split())


def _joined(ids: list[str]) -> str:
    """Ids side by side, with a hyphen where two digits would meet."""
    unit = ""
    for part in map(plain_id, ids):
        unit += f"-{part}" if unit[-1:].isdigit() and part[:1].isdigit() else part
    return unit


def _without(s: str, found: re.Match[str]) -> str:
    return f"{s[: found.start()]} {s[found.end() :].lstrip()}".strip()
