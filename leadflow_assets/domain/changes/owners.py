"""Are the owners others, or is the text only another?"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rapidfuzz import fuzz

from leadflow_assets.domain.linkage.names import NameForms, name_forms
from leadflow_assets.domain.linkage.nicknames import are_nicknames
from leadflow_assets.domain.owners import Owner, Party, search_words
from leadflow_assets.domain.owners.owner import FORMS

# Words this alike, in percent, may be one word with a typing mistake; shorter ones are other words.
_ALIKE = 85
_SHORTEST_ALIKE = 5
_FULL_FIELD = 20
_DIGITS = re.compile(r"[0-9]+")
_TRUSTS = ("trust",)
_GIVEN_IN_TRUST = 3


def owner_change(before: Owner | None, after: Owner | None) -> str | None:
    """One of ``OWNER_CHANGES``, or None: the same owners, a respelling, or a side that is not known."""
    if before is None or after is None or not before.raw.strip() or not after.raw.strip():
        return None
    if after.tax_title and not before.tax_title:
        return "tax_title"
    if _same_text(before, after):
        return None
    kept, gone, came = _matched(_owning(before), _owning(after))
    family = kept > 0 or _shares_surname(before, after)
    legal = _legal_change(before, after, family=family)
    if legal is not None:
        return legal
    if "trust" in (before.type, after.type):
        return _trust_change(before, after, family=family)
    if not kept:
        return "within_family" if family else "new_owner"
    return _among(before, after, gone, came)


def _among(before: Owner, after: Owner, gone: int, came: int) -> str | None:
    """Some stay. Who is missing where the text was cut, or says ET AL, may still be an owner."""
    added = came > 0 and not (before.co_owner_missing or before.et_al or before.truncated)
    removed = gone > 0 and not (after.co_owner_missing or after.et_al or after.truncated)
    if added and removed:
        return "partly"
    if added:
        return "co_owner_added"
    return "co_owner_removed" if removed else None


def _legal_change(before: Owner, after: Owner, *, family: bool) -> str | None:
    """Deaths and life estates, where the people or their family stay."""
    if not family:
        return None
    if after.type == "estate" and before.type != "estate":
        return "estate"
    if before.type == "estate" and after.type != "estate":
        return "from_estate"
    if after.life_estate and not before.life_estate:
        return "life_estate"
    return None


def _trust_change(before: Owner, after: Owner, *, family: bool) -> str | None:
    """A trust on one side or both. One trust under other trustees is the same owner."""
    if before.type in _TRUSTS and after.type in _TRUSTS and _same_organisation(before, after):
        return None
    if not family:
        return "new_owner"
    if after.type in _TRUSTS:
        return "into_trust"
    return "out_of_trust"


def _same_text(before: Owner, after: Owner) -> bool:
    """The same words in any order, or one cut in the middle of a word."""
    one, other = (search_words(_without_care_of(owner)) for owner in (before, after))
    if sorted(one.split()) == sorted(other.split()):
        return True
    short, long = sorted((one, other), key=len)
    inside = long.startswith(short) and len(short) >= _FULL_FIELD and long[len(short)] != " "
    if inside:
        return True
    same_key = bool(before.key) and before.key == after.key and _same_generation(before, after)
    return same_key and (before.type, before.life_estate) == (after.type, after.life_estate)


def _without_care_of(owner: Owner) -> str:
    return owner.raw[: owner.raw.find(owner.care_of)] if owner.care_of else owner.raw


def _owning(owner: Owner) -> list[Party]:
    return [party for party in owner.parties if party.role != "care_of"]


def _matched(before: Sequence[Party], after: Sequence[Party]) -> tuple[int, int, int]:
    """(how many stay, how many went, how many came)."""
    left = list(after)
    kept = 0
    for party in before:
        same = next((other for other in left if _same_party(party, other)), None)
        if same is not None:
            left.remove(same)
            kept += 1
    return kept, len(before) - kept, len(left)


def _same_party(one: Party, other: Party) -> bool:
    if one.is_person != other.is_person:
        return False
    if not one.is_person:
        return _alike_names(_organisation(one.name), _organisation(other.name))
    return _same_person(name_forms(one), name_forms(other))


def _same_person(a: NameForms, b: NameForms) -> bool:
    if a.suffix and b.suffix and a.suffix != b.suffix:
        return False
    last = (
        a.last == b.last
        or _alike(a.last, b.last)
        or bool(set(a.parts or (a.last,)) & set(b.parts or (b.last,)))
    )
    if not last:
        return False
    if not a.first or not b.first:
        return a.first == b.first
    if a.middle and b.middle and a.middle[0] != b.middle[0]:
        return False
    return _same_given(a.first, b.first) or _same_given(a.first, b.middle) or _same_given(a.middle, b.first)


def _same_given(a: str, b: str) -> bool:
    if not a or not b:
        return False
    if 1 in (len(a), len(b)):
        return a[0] == b[0]
    return a == b or _alike(a, b) or are_nicknames(a, b)


def _alike(a: str, b: str) -> bool:
    return min(len(a), len(b)) >= _SHORTEST_ALIKE and fuzz.ratio(a, b) >= _ALIKE


def _alike_names(a: str, b: str) -> bool:
    """Organisations: nearly the same text with the same numbers (series LLCs differ in nothing else)."""
    return a == b or (_DIGITS.findall(a) == _DIGITS.findall(b) and fuzz.ratio(a, b) >= _ALIKE + 5)


def _organisation(name: str) -> str:
    words = [FORMS.get(word, word) for word in search_words(name).split()]
    return " ".join(word for word in words if word not in ("THE", "AND"))


def _same_organisation(before: Owner, after: Owner) -> bool:
    names = [[_organisation(p.name) for p in _owning(owner) if not p.is_person] for owner in (before, after)]
    return any(_alike_names(one, other) for one in names[0] for other in names[1])


def _shares_surname(before: Owner, after: Owner) -> bool:
    """Does a surname of one side stand in the other's text? (SMITH JOHN; THE SMITH FAMILY TRUST)"""
    return _surname_in(before, after) or _surname_in(after, before)


def _surname_in(people: Owner, text: Owner) -> bool:
    words = set(search_words(_without_care_of(text)).split())
    surnames = {search_words(party.last) for party in _owning(people) if party.is_person and party.last}
    return any(len(name) >= _GIVEN_IN_TRUST and set(name.split()) <= words for name in surnames)


def _same_generation(before: Owner, after: Owner) -> bool:
    """Neither JR for SR, nor the reverse."""
    suffixes = [
        {name_forms(p).suffix for p in _owning(owner) if p.is_person} - {""} for owner in (before, after)
    ]
    return not suffixes[0] or not suffixes[1] or suffixes[0] == suffixes[1]
