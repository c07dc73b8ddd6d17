"""Which word of a name is the surname: frequencies, particles, and the habit of the town.

Names the tables do not know fall to the town's habit, never to another owner type.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from leadflow_assets.domain.owners.names import given_percent, is_common_given_name, surname_percent
from leadflow_assets.domain.owners.text import fold

# The last is for names as courts print them: only names that can hardly be natural are read otherwise.
LAST_FIRST, NATURAL, MOSTLY_NATURAL = "last_first", "natural", "mostly_natural"
_SMOOTH = 0.0005
_TIE = 0.5
_HARDLY_NATURAL = 5.0
# An initial at the end cannot be a surname; an initial in the middle mostly follows a given name.
_INITIAL_AT_END = 2.0
_INITIAL_INSIDE = -1.5
_CLEAR = 2.0  # log-odds from which a row speaks for its town's habit
_PARTICLES = frozenset(
    ["DE", "LA", "LE", "DEL", "DELA", "DI", "DA", "DOS", "VAN", "VON", "ST", "SAN", "MC", "MAC", "O"]
)
_SECOND_PARTICLES = _PARTICLES | {"DER", "DEN", "LOS", "LAS"}
_INNER_PARTICLES = frozenset(["DER", "DEN", "LA", "LOS", "LAS"])
_OPENING_PARTICLES = frozenset(["VAN", "VON", "ST", "DE", "DI", "DA", "DOS"])


def log_odds(names: list[str]) -> float:
    """Ln of the odds that folded ``names`` (two or more) stand as LAST FIRST and not as FIRST LAST."""
    long = [name for name in names if len(name) > 1]
    if len(long) < 2:
        return 0.0 if len(names[0]) > 1 else -_CLEAR
    first, second, last = long[0], long[1], long[-1]
    if len(names[0]) == 1:
        return -_CLEAR  # J ROBERT DOE
    odds = _log(surname_percent(first)) + _log(given_percent(second))
    odds -= _log(given_percent(first)) + _log(surname_percent(last))
    if len(names[-1]) == 1:
        odds += _INITIAL_AT_END
    elif len(names[1]) == 1:
        odds += _INITIAL_INSIDE
    return odds


def _log(percent: float) -> float:
    return math.log(percent + _SMOOTH)


def is_last_first(odds: float, default_order: str) -> bool:
    """Decide by the odds; near even the town's habit decides."""
    if default_order == MOSTLY_NATURAL:
        return odds >= _HARDLY_NATURAL
    return odds >= _TIE or (odds >= -_TIE and default_order == LAST_FIRST)


def usual_order(names: Iterable[list[str]]) -> str:
    """The habit of a town, from its comma-free names (folded words): the majority of the clear ones."""
    balance = 0
    for words in names:
        if len(words) > 1:
            odds = log_odds(words)
            balance += (odds >= _CLEAR) - (odds <= -_CLEAR)
    return NATURAL if balance < 0 else LAST_FIRST


def join_particles(tokens: list[str]) -> list[str]:
    """Surname particles with the name that follows: DE LA CRUZ MARIA becomes ``DE LA CRUZ``, ``MARIA``.

    Only when a name remains beside the joined one.
    """
    if len(tokens) < 3:
        return tokens
    folded = [fold(token) for token in tokens]
    if _PARTICLES.isdisjoint(folded) and not _is_elided(folded):
        return tokens
    joined: list[str] = []
    at = 0
    while at < len(tokens):
        end = at
        if folded[at] in _PARTICLES or (at == 0 and _is_elided(folded)):
            end += 1
            while end < len(tokens) - 1 and folded[end] in _SECOND_PARTICLES:
                end += 1
            end = min(end, len(tokens) - 1)
            # LE VAN THANH and LE JOHN A: a surname of its own.
            alone = folded[at] == "LE" and (
                folded[at + 1 : at + 2] in (["VAN"], ["THI"]) or _given(folded, at)
            )
            others = [name for name in folded[:at] + folded[end + 1 :] if len(name) > 1]
            if alone or not others or len(folded[end]) == 1:
                end = at
        joined.append(" ".join(tokens[at : end + 1]))
        at = end + 1
    return joined


def _is_elided(folded: list[str]) -> bool:
    """L HEUREUX, D AMICO: an article before a vowel, written apart."""
    return folded[0] in ("L", "D") and folded[1][:1] in "AEIOUH" and not is_common_given_name(folded[1])


def is_one_surname(tokens: list[str]) -> bool:
    """Are these nothing but particles and the name they belong to (VAN DER BERG)?"""
    folded = [fold(token) for token in tokens]
    # VAN THANH behind LE are given names.
    return len(folded) > 2 and folded[1] in _INNER_PARTICLES and _SECOND_PARTICLES.issuperset(folded[:-1])


def _given(folded: list[str], at: int) -> bool:
    return at + 1 < len(folded) and is_common_given_name(folded[at + 1])


def opens_with_particle(tokens: list[str]) -> bool:
    """Does a name of more than two words open with a particle that no given name opens with?"""
    return len(tokens) > 2 and fold(tokens[0]) in _OPENING_PARTICLES


def split_last_first(tokens: list[str]) -> tuple[str, list[str]]:
    """(surname, given names) of LAST FIRST MIDDLE, particles joined; two surnames stay together."""
    joined = join_particles(tokens)
    take = 2 if _two_surnames([fold(token) for token in joined[:3]]) else 1
    return " ".join(joined[:take]), " ".join(joined[take:]).split()


def _two_surnames(names: list[str]) -> bool:
    """SILVA SANTOS MARIA: the second is a surname and no given name, the third is a given name."""
    if len(names) < 3 or min(len(name) for name in names) < 2:
        return False
    return (
        surname_percent(names[1]) >= max(0.01, 5 * given_percent(names[1]))
        and given_percent(names[1]) < 0.015
        and is_common_given_name(names[2])
        and given_percent(names[2]) > surname_percent(names[2])
    )


def split_natural(tokens: list[str]) -> tuple[str, list[str]]:
    """(surname, given names) of FIRST MIDDLE LAST, particles joined."""
    joined = join_particles(tokens)
    at = max((k for k, name in enumerate(joined) if len(name) > 1), default=len(joined) - 1)
    return joined[at], " ".join(joined[:at] + joined[at + 1 :]).split()


def inherits_surname(names: list[str]) -> bool:
    """Is a later segment (folded) only given names: one, with an initial, or two of them?"""
    long = [name for name in names if len(name) > 1]
    if len(names) == 1:
        return True
    if len(long) <= 1:
        # MARY B inherits; J SMITH does not.
        opens_with_initial = len(names[0]) == 1 and len(long) == 1
        return not (opens_with_initial and surname_percent(long[0]) > given_percent(long[0]))
    if len(long) != 2 or len(names) > 3 or len(names[0]) == 1 or len(names[1]) == 1:
        return False
    first, second = long
    return (
        given_percent(first) > surname_percent(first)
        and given_percent(second) > 0
        and surname_percent(second) < 0.01
    )
