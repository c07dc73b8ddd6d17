"""What kind of owner a text names: fourteen ordered rules, the first that hits decides.

Rules by keyword only: no rule makes something else of a person because a name looks foreign. Name tables
may rescue a text *to* person (rule 2). The rule that fired is kept with the type.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from leadflow_assets.domain.owners import keywords as kw
from leadflow_assets.domain.owners.names import given_percent, is_common_given_name, surname_percent
from leadflow_assets.domain.owners.text import cut_care_of, fold, words_of
from leadflow_assets.domain.owners.truncation import OwnerField, complete, ends_like_a_trust, is_cut

OWNER_TYPES = (
    "person",
    "trust",
    "company",
    "nonprofit",
    "government",
    "bank",
    "condominium_association",
    "life_estate",
    "estate",
    "unknown",
)
_DIGIT = re.compile(r"\d")
_GLUED_LIFE_ESTATE = re.compile(r"[A-Z]\s*-\s*LE\s*$")
# An initial has no second half: A-LE is no name that was cut.
_GLUED_TO_INITIAL = re.compile(r"\b[A-Z]\s*-\s*LE\s*$")
# JOHN & MARY DOE LT: a living, family or realty trust in two letters, behind a couple in natural order.
_COUPLE_TRUST = re.compile(
    r"^\s*[A-Z]+(?: [A-Z])? [&+] [A-Z]+(?: [A-Z])? [A-Z]{2,}(?: |-|- )(?:[LFR]/T|LT|FT|RT|R T)\s*$"
)
_KEYWORD_AS_GIVEN = re.compile(r"^\s*[A-Z-]+,\s*(?P<name>BANKS|TEMPLE|PARISH) [A-Z]\b")
_LAST_SEGMENT = re.compile(r"[&;+]|\bAND\b")
_STREET_ADDRESS = re.compile(
    r"^\s*(?:\d+[A-Z]?(?:-\d+)? (?:[A-Z0-9]+ ){1,4}(?:ST|STREET|AVE|AVENUE|RD|ROAD|LN|LANE|DR|"
    r"DRIVE|CT|COURT|PL|"
    r"PLACE|WAY|CIR|CIRCLE|TER|TERRACE|BLVD|HWY|PKWY|SQ)\b(?! (?:REALTY|TRUST|NOM|LLC|RT))|P ?O BOX|BOX \d|"
    r"(?:SUITE|STE|APT|UNIT|FLOOR) ?#? ?\d)"
)


@dataclass(frozen=True, slots=True)
class OwnerType:
    """A type of :data:`OWNER_TYPES` and the number (1 to 14) of the rule that decided."""

    name: str
    rule: int


def owner_type(text: str | None, co_owner: str | None = None, field: OwnerField | None = None) -> OwnerType:
    """The type of an owner, from the owner's field and, where the town has one, the co-owner's.

    ``field`` is what :func:`learn_owner_field` found in the town's column; with it, keywords cut at the
    end of the field are understood. Never raises.
    """
    raw = text or ""
    folded = fold(cut_care_of(raw)[0])
    co_folded = co_owner_text(co_owner) if co_owner else ""
    if field is None:
        return OwnerType(*decide(folded, co_folded))
    return OwnerType(*decide(folded, co_folded, is_cut(raw, field), near_cut(raw, field)))


def near_cut(raw: str, field: OwnerField | None) -> bool:
    """Is the value cut, or was a blank the last character that fitted?"""
    return field is not None and field.pile_up is not None and len(raw.strip()) - field.pile_up in (-1, 0)


def co_owner_text(co_owner: str | None) -> str:
    """The folded part of a co-owner's field that says who owns; empty for an address or a tax title."""
    if not co_owner:
        return ""
    folded = fold(cut_care_of(co_owner)[0])
    return "" if _STREET_ADDRESS.search(folded) or has_tax_title(folded) else folded


def has_tax_title(folded: str) -> bool:
    """Does TAX TITLE occur: the town holds or seeks the title for unpaid taxes."""
    return "TAX" in folded and "TAX TITLE" in " ".join(folded.split())


def has_life_estate(folded: str, cut: bool = False) -> bool:
    """Does the text carry the mark of a living tenant (L/E, LIFE ESTATE, LE at the end)?"""
    if not ("LIFE" in folded or "/" in folded or "(" in folded or folded.rstrip(" ,&+;").endswith("LE")):
        return False
    words = words_of(folded)
    return kw.LIFE_ESTATE.hits(set(words), " ".join(words)) or _ends_in_le(folded, words, cut)


def decide(folded: str, co_folded: str = "", cut: bool = False, near: bool = False) -> tuple[str, int]:
    """(type, rule) of folded texts from which care-of tails are cut."""
    words = words_of(folded)
    if cut and "," not in folded:
        words = complete(words)
    if not co_folded and words and kw.TRIGGERS.isdisjoint(words) and not _spelled_out(words):
        if near and _is_short_trust(folded, words, near):
            return "trust", 11
        if _DIGIT.search(folded) and _has_number(words):
            return "company", 13
        return "person", 14
    co_words = words_of(co_folded)
    if " ".join(words) in kw.UNKNOWN_TEXTS:
        words, folded, co_words, co_folded = co_words, co_folded, [], ""
        if " ".join(words) in kw.UNKNOWN_TEXTS:
            return "unknown", 1
    own, rescued = _without_surname(words, folded)
    other, _ = _without_surname(co_words, co_folded) if co_words else ([], False)
    name, rule = _by_keyword([*own, *other], own, other)
    if rule >= 8 and _life_estate(own, other, folded, co_folded, cut):
        return "life_estate", 8
    if rule < 13:
        return name, rule
    if _is_short_trust(folded, own, near):
        return "trust", 11
    if rescued:
        return "person", 2
    return ("company", 13) if _has_number(own) else ("person", 14)


def _spelled_out(words: list[str]) -> bool:
    """Does the text end in two letters, the last of L L C, N A, U S A or R T?"""
    return words[-1] in kw.SPELLED_ENDS and len(words) > 1 and len(words[-2]) == 1


def _is_short_trust(folded: str, words: list[str], near: bool) -> bool:
    """Trusts named by two letters (OAK STREET RT), and those whose TRUST was cut off."""
    if "," in folded:
        return False
    if near and ends_like_a_trust(" ".join(words)):
        return True
    if words[-1:] == ["RT"] and (_has_number(words) or not kw.STREETS.isdisjoint(words)):
        return True
    return _COUPLE_TRUST.match(folded) is not None


def _by_keyword(words: list[str], own: list[str], other: list[str]) -> tuple[str, int]:
    """Rules 3 to 12 without 8, which needs the text itself."""
    words = _without_co_trustee(_without_places(words))
    found, text = set(words), " ".join(words)
    if kw.ALL_TRIGGERS.isdisjoint(found):
        return "person", 14
    for rule in kw.FIRST_RULES:
        if rule.hits(found, text):
            return rule.type, rule.number
    legal = _ends_in_legal_form(own) or _ends_in_legal_form(other)
    life = kw.LIFE_ESTATE.hits(found, text)
    if not legal and not life and kw.ESTATE.hits(found, text) and not kw.NOT_AN_ESTATE.search(text):
        return "estate", 9
    if legal:
        return "company", 10
    for rule in (kw.TRUST, kw.COMPANY):
        if rule.hits(found, text):
            return rule.type, rule.number
    return "person", 14


def _life_estate(own: list[str], other: list[str], folded: str, co_folded: str, cut: bool) -> bool:
    for words, text in ((own, folded), (other, co_folded)):
        if words and (kw.LIFE_ESTATE.hits(set(words), " ".join(words)) or _ends_in_le(text, words, cut)):
            return True
    return other == ["LE"]


def _ends_in_le(folded: str, words: list[str], cut: bool) -> bool:
    """LE as the last word is a life estate; as the second of two, or after a surname, it is a name."""
    if len(words) < 3 or words[-1] != "LE":
        return False
    if cut:
        return _GLUED_TO_INITIAL.search(folded) is not None
    if _GLUED_LIFE_ESTATE.search(folded):
        return True
    if words[-2] in ("THI", "VAN"):
        return False
    *before, last = _LAST_SEGMENT.split(folded)
    segment = words_of(last)
    if before and len(segment) == 2:
        return given_percent(segment[0]) > surname_percent(segment[0])
    return True


def _ends_in_legal_form(words: list[str]) -> bool:
    if words and words[-1] == "THE":
        words = words[:-1]
    return bool(words) and (words[-1] in kw.LEGAL_FORMS or words[-3:] == ["L", "L", "C"])


def _has_number(words: list[str]) -> bool:
    return any(word not in kw.SUFFIXES and _DIGIT.search(word) for word in words)


def _without_surname(words: list[str], folded: str) -> tuple[list[str], bool]:
    """Rule 2: the words without a keyword that is this person's surname, and whether there was one."""
    if kw.SURNAME_KEYWORDS.isdisjoint(words):
        return words, False
    found = [
        word for word in words if word not in kw.SUFFIXES and word != "AND" and word not in kw.ROLE_WORDS
    ]
    if "LE" in words[:1]:
        found.insert(0, "LE")
    if not 2 <= len(found) <= 6:
        return words, False
    surname = _surname(found, folded)
    if not surname:
        return words, False
    return [word for word in words if word != surname], True


def _surname(words: list[str], folded: str) -> str:
    first, second, *rest = words
    if first in kw.SURNAME_KEYWORDS and not (first == "TEMPLE" and second in kw.CONGREGATION_NAMES):
        if is_common_given_name(second) and all(_given_or_initial(word) for word in rest):
            return first
        if (
            first in kw.COMMA_SURNAMES
            and folded.lstrip(" ,").startswith(f"{first},")
            and kw.KEYWORDS.isdisjoint(words[1:])
            and kw.CONGREGATION_NAMES.isdisjoint(words[1:])
        ):
            return first
    if given := _KEYWORD_AS_GIVEN.match(folded):
        others = [word for word in words[1:] if word != given["name"]]
        return given["name"] if all(_given_or_initial(word) for word in others) else ""
    last = words[-1]
    initial = any(len(word) == 1 for word in words[1:-1])
    natural = last in kw.PLAIN_SURNAMES or (initial and last in ("CHURCH", "BANK", "HOMES"))
    if natural and is_common_given_name(first) and all(_given_or_initial(word) for word in words[1:-1]):
        return last
    return ""


def _given_or_initial(word: str) -> bool:
    return len(word) == 1 or (given_percent(word) > 0 and word not in kw.KEYWORDS)


def _without_places(words: list[str]) -> list[str]:
    """CHURCH STREET REALTY TRUST and BANKS FAMILY TRUST name a place and a family, not a church or a bank."""
    places = kw.BANK.words | kw.NONPROFIT.words
    kept = [
        word
        for word, after, beyond in zip(words, [*words[1:], ""], [*words[2:], "", ""], strict=False)
        if not (
            word in places
            and (
                after in kw.STREETS
                or after in kw.FAMILY
                or (after == "ST" and (not beyond or beyond in kw.KEYWORDS))
            )
        )
    ]
    if len(kept) < len(words) and (not kw.KEYWORDS.isdisjoint(kept) or _has_number(kept)):
        return kept
    return words


def _without_co_trustee(words: list[str]) -> list[str]:
    """CO-TRUSTEE is no company."""
    if "CO" not in words:
        return words
    followers = {"TR", "TRS", "TRUSTEE", "TRUSTEES", "TTEE", "TTEES", "EXECUTOR", "EXECUTORS", "OWNER"}
    pairs = zip(words, [*words[1:], ""], strict=True)
    return [word for word, after in pairs if not (word == "CO" and after in followers)]
