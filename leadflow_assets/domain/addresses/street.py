"""The street of an address: direction, name, type, direction, and a unit that follows without a word."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from leadflow_assets.domain.addresses.tables import (
    BARE_UNITS,
    COMPOUND_ORDINALS,
    DIRECTION_LETTERS,
    DIRECTION_WORDS,
    DIRECTIONS,
    NAME_WORDS,
    NUMBERED_WORDS,
    ROUTE_WORDS,
    STREET_TYPES,
    TENS,
)

_ROUTE = re.compile(
    r"(?:(?:STATE|US|MA|SR) )?(?:RTE?|ROUTE|HWY|HIGHWAY) ([0-9]{1,3}[A-Z]?)|(?:US|MA|SR) ([0-9]{1,3}[A-Z]?)"
)
_ROUTE_INSIDE = re.compile(r"(?<![A-Z0-9])(?:RT|ROUTE) (?=[0-9])")
_GLUED_ROUTE = re.compile(r"(RTE?|ROUTE|HWY|US|MA|SR)-?([0-9]{1,3}[A-Z]?)")
_UNIT = re.compile(r"[0-9]{1,4}(?:-?[A-Z])?|[0-9]{1,4}-[0-9]{1,4}|[A-Z]-?[0-9]{1,4}")
_KING = re.compile(r"^(?:DR )?(?:MARTIN LUTHER KING|M ?L KING|MLK)(?: JR)?$")
_O_NAME = re.compile(r"(?<![A-Z0-9])(O|MC|MAC) (?=[A-Z]{2})")
# Words that call for a closer look at a name.
_NOTABLE = (
    frozenset(NAME_WORDS)
    | frozenset(DIRECTION_WORDS)
    | frozenset(TENS)
    | {"O", "MC", "MAC", "KING", "MLK", "RT", "ROUTE"}
)


@dataclass(slots=True)
class Street:
    """What :func:`read_street` found; the fields are those of ``Address``."""

    predir: str = ""
    name: str = ""
    suffix: str = ""
    postdir: str = ""


def take_unit(tokens: list[str], suffixes: Mapping[str, str]) -> tuple[list[str], str]:
    """A unit without a word at the end of a numbered address: ``MAIN ST 3``, ``MAIN ST A``, ``BROADWAY 3``.

    Not after a route, and not where the street would lose its name (AVENUE C).
    """
    last, before = tokens[-1], tokens[-2] if len(tokens) > 1 else ""
    typed = _ends_in_type(tokens[:-1], suffixes)
    if typed and last in BARE_UNITS:
        return tokens[:-1], BARE_UNITS[last]
    if len(last) == 1 and last.isalpha():
        named = typed or (len(tokens) == 2 and before.endswith("WAY") and len(before) > 3)
        return (tokens[:-1], last) if named and last not in DIRECTION_LETTERS else (tokens, "")
    if not _UNIT.fullmatch(last) or before in NUMBERED_WORDS:
        return tokens, ""
    unit = _joined_unit(last)
    if typed or (len(tokens) == 2 and before in suffixes and suffixes[before] not in STREET_TYPES):
        return tokens[:-1], unit
    if len(tokens) > 3 and before in DIRECTIONS and _ends_in_type(tokens[:-2], suffixes):
        return tokens[:-1], unit
    named = before.isalpha() and len(before) > 2 and before not in DIRECTIONS and before not in suffixes
    return (tokens[:-1], unit) if named else (tokens, "")


def _ends_in_type(tokens: list[str], suffixes: Mapping[str, str]) -> bool:
    """Do the words end in a street type that has a name before it?"""
    if len(tokens) < 2 or tokens[-1] not in suffixes or tokens[-1] in ROUTE_WORDS:
        return False
    # N AVENUE C is Avenue C.
    return len(tokens) > 2 or suffixes[tokens[-1]] != "AVE" or tokens[0] not in DIRECTIONS


def _joined_unit(text: str) -> str:
    plain = text.lstrip("0") or "0"
    return plain if plain.replace("-", "").isdigit() else plain.replace("-", "")


def is_letter_street(tokens: list[str], suffixes: Mapping[str, str]) -> bool:
    """``K ST``, ``A ST EXT``: the letter in front is the street's name, not the number's."""
    if tokens[1] not in suffixes:
        return False
    return all(token in DIRECTIONS or suffixes.get(token) == "EXT" for token in tokens[2:])


def read_street(tokens: list[str], suffixes: Mapping[str, str]) -> Street:
    """Read the words of a street, without number and unit."""
    if not tokens:
        return Street()
    found = Street()
    glued = _GLUED_ROUTE.fullmatch(tokens[-1])
    if glued:
        tokens = [*tokens[:-1], glued[1], glued[2]]
    if len(tokens) > 2 and tokens[-1] in DIRECTIONS and (tokens[-2] in suffixes or tokens[-2][0].isdigit()):
        found.postdir = DIRECTIONS[tokens[-1]]
        tokens = tokens[:-1]
    if tokens[0] in DIRECTIONS and len(tokens) > 1 and not _only_types(tokens[1:], suffixes):
        found.predir = DIRECTIONS[tokens[0]]
        tokens = tokens[1:]
    route = _ROUTE.fullmatch(" ".join(tokens)) if tokens[-1][0].isdigit() else None
    if route:
        found.name = f"RTE {route[1] or route[2]}"
        return found
    last = tokens[-1]
    if len(tokens) > 1 and tokens[0] != "THE" and last in suffixes:
        found.suffix = suffixes[last]
        tokens = tokens[:-1]
        if found.suffix == "EXT" and len(tokens) > 1 and tokens[-1] in suffixes:
            found.suffix = f"{suffixes[tokens[-1]]} EXT"
            tokens = tokens[:-1]
    found.name = " ".join(tokens) if _NOTABLE.isdisjoint(tokens) else _name(tokens, suffixes)
    # A town may have learned what the code stands for on this street only ("OAK TR").
    whole = f"{found.name} {last}" if found.suffix else found.name
    if whole in suffixes and " " in whole:
        found.name, found.suffix = whole.removesuffix(f" {last}"), suffixes[whole]
    return found


def _only_types(tokens: list[str], suffixes: Mapping[str, str]) -> bool:
    """A street type, alone or extended: the word in front is then the name (EAST ST, NORTH RD EXT)."""
    if tokens[0] not in suffixes:
        return False
    return len(tokens) == 1 or (len(tokens) == 2 and suffixes.get(tokens[1]) == "EXT")


def _name(tokens: list[str], suffixes: Mapping[str, str]) -> str:
    """One spelling of a name's words."""
    if _before_route(tokens, suffixes):
        tokens = [*tokens[:-3], suffixes[tokens[-3]], *tokens[-2:]]
    words: list[str] = []
    at = 0
    while at < len(tokens):
        pair = (tokens[at], tokens[at + 1]) if at + 1 < len(tokens) else ("", "")
        if pair in COMPOUND_ORDINALS:
            words.append(COMPOUND_ORDINALS[pair])
            at += 2
            continue
        words.append(_word(tokens, at))
        at += 1
    name = _O_NAME.sub(r"\1", " ".join(words))
    name = _ROUTE_INSIDE.sub("RTE ", name)
    return "MLK" if _KING.fullmatch(name) else name


def _word(tokens: list[str], at: int) -> str:
    word = tokens[at]
    if word in ("NO", "SO"):
        numbered = at + 1 < len(tokens) and tokens[at + 1][0].isdigit()
        return word if numbered else DIRECTION_WORDS[word]
    if word in DIRECTION_WORDS and at > 0 and tokens[at - 1] == "OLD" and at + 1 < len(tokens):
        return DIRECTION_WORDS[word]
    return NAME_WORDS.get(word, word)


def _before_route(tokens: list[str], suffixes: Mapping[str, str]) -> bool:
    """``WORCESTER ROAD RTE 9``: a street that also gives its route's number stays a name of its own."""
    return (
        len(tokens) > 3
        and tokens[-1][0].isdigit()
        and tokens[-2] in ROUTE_WORDS
        and suffixes.get(tokens[-3]) in STREET_TYPES
    )
