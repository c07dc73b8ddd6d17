"""Owners cut at the end of a town's field: where the cut lies, and the keywords it leaves in pieces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

# The rules accept the beginning of these words at a cut, from three letters on.
CUT_KEYWORDS = ("TRUST", "TRUSTEE", "REVOCABLE", "IRREVOCABLE", "REALTY")
_SHORTEST_PIECE = 3
# A pile-up: this many rows at least, this share of the column, this many times the next length's rows.
_FEWEST_ROWS = 10
_SMALLEST_SHARE = 0.01
_CLIFF = 5
_SHORTEST_FIELD = 15
_LARGEST_SHARE_BEYOND = 0.05
_TRUST_ENDINGS = (
    " FAMILY",
    " FAM",
    " FAM R T",
    " REV",
    " REVOC T",
    " LIVING",
    " LIV",
    " LVG",
    " R T",
    " RL T",
)


@dataclass(frozen=True, slots=True)
class OwnerField:
    """What is learnt from a town's whole column before its rows are parsed.

    ``pile_up`` is the length at which values are cut, None when there is none; ``default_order`` is
    ``last_first`` or ``natural``, the tie-break for names without a comma.
    """

    pile_up: int | None
    default_order: str


def find_pile_up(values: Iterable[str]) -> int | None:
    """The length at which the values of a field are cut; None for a field that shows no cliff."""
    lengths = Counter(len(value.strip()) for value in values)
    del lengths[0]
    total = lengths.total()
    needed = max(_FEWEST_ROWS, total * _SMALLEST_SHARE)
    beyond = 0
    for length in sorted(lengths, reverse=True):
        count = lengths[length]
        if length < _SHORTEST_FIELD or beyond > total * _LARGEST_SHARE_BEYOND:
            return None
        if count >= needed and count >= _CLIFF * lengths[length + 1]:
            return length
        beyond += count
    return None


def is_cut(text: str, field: OwnerField | None) -> bool:
    """Does the value fill the field up to the length where values are cut?"""
    return field is not None and field.pile_up is not None and len(text.strip()) == field.pile_up


def complete(words: list[str]) -> list[str]:
    """The words of a cut value, with a cut keyword at the end made whole. A cut LE stays what it is."""
    last = words[-1] if words else ""
    if len(words) > 1 and len(last) >= _SHORTEST_PIECE:
        for keyword in CUT_KEYWORDS:
            if keyword.startswith(last):
                return [*words[:-1], keyword]
    return words


def ends_like_a_trust(text: str) -> bool:
    """Does a cut value end where its TRUST would begin (DOE FAMILY, OAK STREET R T)?"""
    return text.endswith(_TRUST_ENDINGS)
