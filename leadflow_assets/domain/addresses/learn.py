"""A town's own codes for street types, learned from rows that spell the same address in several ways."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from leadflow_assets.domain.addresses.clean import clean
from leadflow_assets.domain.addresses.parse import parse_address
from leadflow_assets.domain.addresses.tables import DIRECTIONS, NUMBERED_WORDS, SUFFIXES, UNIT_WORDS

# The assessor's own code, for the whole town: the rows that say so, and their share of all that say a type
# (a mistake of one owner in four rows does not spoil it).
FEWEST_ROWS = 3
SHARE = 0.75
# A letter that begins a street's name, instead of following the number: rows, none of which is without it.
FEWEST_ROWS_OF_AN_INITIAL = 5
# A code that owners write for one street: rows, which must all agree.
FEWEST_ROWS_OF_A_STREET = 2
_CODE = re.compile(r"[A-Z]{2,4}")
# Codes that mean the same everywhere; a row that contradicts them is a mistake in that row.
_SETTLED = frozenset(SUFFIXES.values()) | frozenset({"STREET", "AV", "WY", "ROAD", "LANE"})


class _Spelling(NamedTuple):
    """A street as it is written: the house number, the name, and the word in the place of its type."""

    num: int | None
    name: str
    word: str


def learn_suffix_overrides(rows: Iterable[tuple[str | None, str | None, str | None]]) -> dict[str, str]:
    """What one town's codes stand for: ``{"CR": "CIR", "OAK TR": "TER"}``, for ``parse_address``.

    ``rows`` are (SITE_ADDR, FULL_STR, OWN_ADDR) of the town. A row is evidence when two of its spellings
    have the same street name (and the same number where both have one), one ends in a code that is not
    settled everywhere, and the other in a street type that is spelled out or a standard abbreviation.

    A code in the town's own columns is learned for all streets from :data:`FEWEST_ROWS` rows of which
    :data:`SHARE` agree. A code in the owners' spelling is learned for one street only, from
    :data:`FEWEST_ROWS_OF_A_STREET` rows that all agree, when the town has no street written like that.

    A street whose every FULL_STR (:data:`FEWEST_ROWS_OF_AN_INITIAL` or more) begins with the same letter has
    that letter in its name: ``{"R ALDER DR": "DR"}`` keeps ``12 R ALDER DR`` from being a rear.
    """
    codes: dict[str, Counter[str]] = defaultdict(Counter)
    by_owners: Counter[tuple[str, str, str]] = Counter()
    streets: dict[str, Counter[str]] = defaultdict(Counter)
    written: set[str] = set()
    initials: dict[str, Counter[str]] = defaultdict(Counter)
    for site, full, mailing in rows:
        if full:
            letter, street = _initial(full)
            initials[street][letter] += 1
        own = {spelling for text in (site, full) if text and (spelling := _spelling(text))}
        owners = {spelling} if mailing and (spelling := _spelling(mailing)) else set()
        for spelling in own:
            written |= {f"{spelling.name} {spelling.word}", f"{spelling.name} {SUFFIXES.get(spelling.word)}"}
        for code, suffix in {(a.word, suffix) for a, suffix in _pairs(own, own)}:
            codes[code][suffix] += 1
        by_owners.update({(a.name, a.word, suffix) for a, suffix in _pairs(own, owners)})
        for street, suffix in {(f"{a.name} {a.word}", suffix) for a, suffix in _pairs(owners, own)}:
            streets[street][suffix] += 1
    for (name, code, suffix), count in by_owners.items():
        # Where the town has both, the owner's address is on the other street.
        if f"{name} {suffix}" not in written:
            codes[code][suffix] += count
    learned = _agreed(codes, FEWEST_ROWS, SHARE)
    learned = {code: suffix for code, suffix in learned.items() if SUFFIXES.get(code) != suffix}
    meanings = {**SUFFIXES, **learned}
    for street, suffix in _agreed(streets, FEWEST_ROWS_OF_A_STREET, 1.0).items():
        if street not in written and meanings.get(street.rsplit(" ", 1)[1]) != suffix:
            learned[street] = suffix
    for street, letters in initials.items():
        letter, count = letters.most_common(1)[0]
        if letter and len(letters) == 1 and count >= FEWEST_ROWS_OF_AN_INITIAL:
            learned[f"{letter} {street}"] = street.rsplit(" ", 1)[1]
    return dict(sorted(learned.items()))


@lru_cache(maxsize=65_536)
def _initial(full: str) -> tuple[str, str]:
    """The letter a street starts with (empty without one, or when it is a direction), and the rest."""
    first, _, rest = clean(full).partition(" ")
    address = parse_address(rest)
    if len(first) > 1 or not first.isalpha() or first in DIRECTIONS or not address.suffix or address.predir:
        address = parse_address(full)
        return "", f"{address.name} {address.suffix}"
    return first, f"{address.name} {address.suffix}"


def _pairs(coded: set[_Spelling], clear: set[_Spelling]) -> Iterator[tuple[_Spelling, str]]:
    """Each spelling with a code, with the street type the same street has in another spelling."""
    for a in coded:
        for b in clear:
            same = a.name == b.name and (a.num == b.num or None in (a.num, b.num))
            if same and _is_open(a.word) and _is_clear(b.word):
                yield a, SUFFIXES[b.word]


def _agreed(votes: Mapping[str, Counter[str]], fewest: int, share: float) -> dict[str, str]:
    winners = {code: counts.most_common(1)[0] for code, counts in votes.items()}
    return {
        code: suffix
        for code, (suffix, rows) in winners.items()
        if rows >= fewest and rows >= share * votes[code].total()
    }


@lru_cache(maxsize=262_144)
def _spelling(text: str) -> _Spelling | None:
    address = parse_address(text)
    if address.kind != "street":
        return None
    if address.suffix:
        suffix = address.suffix.split()[0]
        words = reversed(clean(text).split())
        name, word = address.name, next((word for word in words if SUFFIXES.get(word) == suffix), "")
    else:
        name, _, word = address.name.rpartition(" ")
        word = word if _is_open(word) else ""
    return _Spelling(address.num, name, word) if name and word else None


def _is_open(word: str) -> bool:
    """Can the word be a code whose meaning is the town's own?"""
    if not _CODE.fullmatch(word) or word in _SETTLED or word in DIRECTIONS:
        return False
    return word not in UNIT_WORDS and word not in NUMBERED_WORDS and (word in SUFFIXES or len(word) <= 3)


def _is_clear(word: str) -> bool:
    """Spelled out, or the standard abbreviation."""
    return word in SUFFIXES and (word in _SETTLED or len(word) > 4)
