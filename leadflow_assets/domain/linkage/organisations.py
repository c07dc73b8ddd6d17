"""Firms, trusts and associations compared: legal form, numbers, and the words that tell them apart.

Source: the project's sheet on linkage, section 5.6. INC and LLC are different forms, and different firms;
all numbers must agree (8 OAK STREET LLC is not 18 OAK STREET LLC); rare words must be equal.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import log2

from leadflow_assets.domain.linkage.posterior import STATE_ORGANISATIONS
from leadflow_assets.domain.linkage.weights import EQUAL_AMONG_MATCHES
from leadflow_assets.domain.owners import search_words
from leadflow_assets.domain.owners.owner import FORMS

# Forms that the state's register holds: no two entities on it may bear one name.
REGISTERED_FORMS = frozenset({"LLC", "INC", "CORP", "LTD", "LP", "LLP", "PLLC", "LLLP", "PC"})
LEGAL_FORMS = REGISTERED_FORMS | {"TRUST"}
SPELLED_FORMS = (("L L C", "LLC"), ("L L P", "LLP"), ("L P", "LP"), ("P C", "PC"), ("P L L C", "PLLC"))
UNSAID = frozenset({"THE", "AND", "OF", "A"})
# Words beyond the form of the name that mean the same.
WORDS = {
    **{form: word for form, word in FORMS.items() if word != "TRUST"},
    "TRT": "TRUST",
    "TRST": "TRUST",
    "TR": "TRUST",
    "STREET": "ST",
    "SAINT": "ST",
    "AVE": "AVENUE",
    "AV": "AVENUE",
    "RD": "ROAD",
    "LN": "LANE",
    "DR": "DRIVE",
    "PROPERTY": "PROPERTIES",
    "MGMT": "MANAGEMENT",
    "DEV": "DEVELOPMENT",
    "ENTERPRISE": "ENTERPRISES",
    "INVESTMENT": "INVESTMENTS",
    "GRP": "GROUP",
    "HOLDING": "HOLDINGS",
    "ASSOC": "ASSOCIATES",
    "LIMITED": "LTD",
    "INTL": "INTERNATIONAL",
}
# A word of at least one organisation in a hundred may be missing on one side.
COMMON_FROM = 0.01
WORD_FLOOR = 1e-5
MISSING_WORD_BITS = -3.0  # own: names are written in full mostly, and a word less may be another firm
# own: a name on the register is borne once, but for foreign firms and dissolved ones: 0.04 namesakes.
REGISTERED_NAME_BITS = log2(STATE_ORGANISATIONS / 0.04)


@dataclass(frozen=True, slots=True)
class OrganisationForms:
    """An organisation's name for comparison: its words in order, its numbers, its legal form or nothing."""

    words: tuple[str, ...]
    numbers: tuple[str, ...]
    form: str


def organisation_forms(name: str) -> OrganisationForms:
    """The words, sorted numbers and legal form of a name. A form is the last word that is one."""
    text = f" {search_words(name)} "
    for spelled, form in SPELLED_FORMS:
        text = re.sub(rf"(?<= ){spelled}(?= )", form, text)
    words = [WORDS.get(word, word) for word in text.split()]
    form = next((word for word in reversed(words) if word in LEGAL_FORMS), "")
    kept = tuple(word for word in words if word not in UNSAID and word != form)
    numbers = tuple(sorted(word for word in kept if any(sign.isdigit() for sign in word)))
    return OrganisationForms(tuple(word for word in kept if word not in numbers), numbers, form)


def organisation_outcome(
    one: OrganisationForms, other: OrganisationForms, shares: Mapping[str, float]
) -> str:
    """Compare two organisations: registered, equal, words_missing or other.

    ``registered``: the whole name with a form of the register. ``words_missing``: one side lacks common
    words or the form. ``shares`` are the parts of all organisations that bear a word.
    """
    if one.numbers != other.numbers or (one.form and other.form and one.form != other.form):
        return "other"
    only_one, only_other = set(one.words) - set(other.words), set(other.words) - set(one.words)
    if (only_one and only_other) or not (set(one.words) & set(other.words) or one.numbers):
        return "other"
    if any(shares.get(word, 0.0) < COMMON_FROM for word in only_one | only_other):
        return "other"
    if only_one or only_other or one.form != other.form:
        return "words_missing"
    return "registered" if one.form in REGISTERED_FORMS and one.words == other.words else "equal"


def organisation_bits(
    one: OrganisationForms, other: OrganisationForms, shares: Mapping[str, float]
) -> float | None:
    """The weight of two organisations' names; None where they cannot be one."""
    outcome = organisation_outcome(one, other, shares)
    if outcome == "other":
        return None
    shared = [*sorted(set(one.words) & set(other.words)), *one.numbers]
    if one.form and one.form == other.form:
        shared.append(one.form)
    bits = sum(log2(EQUAL_AMONG_MATCHES / max(shares.get(word, 0.0), WORD_FLOOR)) for word in shared)
    bits += MISSING_WORD_BITS * len(set(one.words) ^ set(other.words))
    return max(bits, REGISTERED_NAME_BITS) if outcome == "registered" else bits
