"""The persons of an owner's text: split at separators, suffixes out, surname and given names told apart."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from leadflow_assets.domain.owners import keywords as kw
from leadflow_assets.domain.owners import order as names_order
from leadflow_assets.domain.owners.names import given_percent, is_common_given_name, surname_percent
from leadflow_assets.domain.owners.text import fold

ROLES = ("owner", "trustee", "life_tenant", "decedent", "heir", "care_of")
_SEPARATOR = re.compile(r"[&;/+]|\band\b", re.IGNORECASE)
_STRAY = ' -"*#:()[]{}_,=<>!?~^|\\`'


@dataclass(frozen=True, slots=True)
class Party:
    """One person or organisation behind an owner's text.

    ``name`` is in natural order and keeps the spelling of the source, and so do ``last``, ``first``,
    ``middle`` and ``suffix`` of a person (empty when absent or not to be told apart). ``role`` is one of
    :data:`ROLES`; ``order`` says how the name was read: comma, last_first, natural, inherited, single or
    organisation. ``confidence`` lies between 0 and 1.
    """

    name: str
    last: str
    first: str
    middle: str
    suffix: str
    role: str
    is_person: bool
    order: str
    confidence: float


def organisation(name: str, role: str = "owner", confidence: float = 0.9) -> Party:
    """A party that is no person."""
    return Party(name, "", "", "", "", role, False, "organisation", confidence)


def persons(text: str, default_order: str, role: str, previous: str = "") -> list[Party]:
    """The persons a text names. ``previous`` is the surname that a first name alone inherits."""
    parties: list[Party] = []
    waiting: list[str] = []  # JOHN & MARY DOE: a given name whose surname follows
    segments = _segments(text)
    for index, segment in enumerate(segments):
        last = parties[-1].last if parties else previous
        if index and "," in segments[index - 1]:  # whoever puts a comma behind a surname does so again
            default_order = names_order.NATURAL
        found = _segment(segment, last, default_order, role)
        if not last and len(segments) > index + 1 and len(found) == 1 and _only_given(found[0]):
            waiting.append(segment)
            continue
        if waiting and found:
            earlier = _waiting(waiting, found[0], default_order, role)
            waiting = []
            if earlier and found[0].order == "single":  # nothing to inherit: both stand alone
                found = _segment(segment, earlier[-1].last, default_order, role)
            parties += earlier
        parties += found
    for segment in waiting:
        parties += _segment(segment, "", default_order, role)
    return parties


def _segments(text: str) -> list[str]:
    if "+" in text or ";" in text or "/" in text or "AND" in text.upper():
        return _SEPARATOR.split(text)
    return text.split("&")


def _only_given(party: Party) -> bool:
    """One given name, perhaps with an initial, and no surname to be seen."""
    if party.order == "single" or (len(party.first) == 1 and not party.middle and party.order != "comma"):
        name = fold(party.last)
    else:
        return False
    return is_common_given_name(name) and given_percent(name) > surname_percent(name)


def _waiting(segments: list[str], following: Party, default_order: str, role: str) -> list[Party]:
    surname = following.last if following.order == "natural" else ""
    return [party for segment in segments for party in _segment(segment, surname, default_order, role)]


def _segment(segment: str, previous: str, default_order: str, role: str) -> list[Party]:
    """The party of one segment; two when a comma separates persons with one surname."""
    if "," in segment:
        return _with_comma(segment, previous, default_order, role)
    tokens, suffix = _without_suffixes(_tokens(segment))
    if not tokens:
        return []
    return [_without_comma(tokens, suffix, previous, default_order, role)]


def _tokens(text: str) -> list[str]:
    tokens = text.split()
    if text.isascii() and text.replace(" ", "").isalpha():
        return tokens
    return [kept for token in tokens if fold(kept := token.strip(_STRAY)).strip()]


def _without_suffixes(tokens: list[str]) -> tuple[list[str], str]:
    """Tokens without JR, SR, II and the like, wherever they stand, and these."""
    if len(tokens) < 2 or kw.SUFFIXES.isdisjoint(folded := [token.upper() for token in tokens]):
        return tokens, ""
    found = []
    for at, word in enumerate(folded):
        # MD opens many names (Mohammed): a title only behind two others.
        if word in kw.SUFFIXES and (word != "MD" or at >= 2) and (at > 0 or word not in ("II", "IV", "SR")):
            found.append(at)
    if len(found) == len(tokens):
        return tokens, ""
    kept = [token for at, token in enumerate(tokens) if at not in found]
    return kept, " ".join(tokens[at] for at in found)


def _with_comma(segment: str, previous: str, default_order: str, role: str) -> list[Party]:
    parts: list[list[str]] = []
    suffixes: list[str] = []
    without_suffix = kw.SUFFIXES.isdisjoint(segment.upper().replace(",", " ").split())
    for part in segment.split(","):
        tokens = _tokens(part)
        if without_suffix:
            if tokens:
                parts.append(tokens)
            continue
        if (
            tokens
            and kw.SUFFIXES.issuperset(token.upper() for token in tokens)
            and fold(part).strip() != "MD"
        ):
            suffixes.append(" ".join(tokens))
            continue
        tokens, suffix = _without_suffixes(tokens)
        if suffix:
            suffixes.append(suffix)
        if tokens:
            parts.append(tokens)
    suffix = " ".join(suffixes)
    if not parts:
        return []
    if len(parts) == 1:
        return [_without_comma(parts[0], suffix, previous, default_order, role)]
    if len(parts) == 2:
        last, given = parts
        if len(last) > 1 and len(given) > 1 and last[0].upper() == given[0].upper():
            return [
                _without_comma(last, "", "", names_order.LAST_FIRST, role),
                _without_comma(given, suffix, last[0], default_order, role),
            ]
        return [_person(" ".join(last), given, suffix, role, "comma", 0.95)]
    if all(len(token) == 1 for part in parts[2:] for token in part):  # DOE, JOHN, A
        given = [token for part in parts[1:] for token in part]
        return [_person(" ".join(parts[0]), given, suffix, role, "comma", 0.85)]
    # Several pairs in one segment: which belongs to which is not known.
    name = ", ".join(" ".join(part) for part in parts)
    return [Party(name, "", "", "", suffix, role, True, "comma", 0.2)]


def _without_comma(tokens: list[str], suffix: str, previous: str, default_order: str, role: str) -> Party:
    if previous and len(tokens) == 1:
        return _person(previous, tokens, suffix, role, "inherited", 0.85)
    folded = [fold(token) for token in tokens]
    if previous:
        surname = fold(previous)
        width = surname.count(" ") + 1
        if len(tokens) > width and " ".join(folded[:width]) == surname:
            return _person(" ".join(tokens[:width]), tokens[width:], suffix, role, "last_first", 0.9)
        if len(tokens) > width and " ".join(folded[-width:]) == surname:
            return _person(" ".join(tokens[-width:]), tokens[:-width], suffix, role, "natural", 0.9)
        if names_order.inherits_surname(folded):
            return _person(previous, tokens, suffix, role, "inherited", 0.85)
    if len(tokens) == 1:
        return _person(tokens[0], [], suffix, role, "single", 0.3)
    if names_order.is_one_surname(tokens):
        return _person(" ".join(tokens), [], suffix, role, "single", 0.3)
    printed = default_order == names_order.MOSTLY_NATURAL
    if not previous and not printed and names_order.opens_with_particle(tokens):
        last, given = names_order.split_last_first(tokens)
        return _person(last, given, suffix, role, "last_first", 0.85)
    odds = names_order.log_odds([fold(name) for name in names_order.join_particles(tokens)])
    confidence = min(0.9, 0.55 + abs(odds) / 12)
    if names_order.is_last_first(odds, default_order):
        last, given = names_order.split_last_first(tokens)
        return _person(last, given, suffix, role, "last_first", confidence)
    last, given = names_order.split_natural(tokens)
    return _person(last, given, suffix, role, "natural", confidence)


def _person(last: str, given: list[str], suffix: str, role: str, how: str, confidence: float) -> Party:
    first = given[0] if given else ""
    middle = " ".join(given[1:]) if len(given) > 1 else ""
    name = " ".join([*given, last, suffix] if suffix else [*given, last])
    return Party(name, last, first, middle, suffix, role, True, how, confidence)


def less_sure(party: Party) -> Party:
    """The same party with less confidence: the value was cut in the middle of it, perhaps."""
    return replace(party, confidence=round(party.confidence * 0.8, 4))
