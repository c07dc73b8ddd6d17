"""Types of cases and liens, and how a docket's own words tell which one it is.

``action_type``, the lien types and both lists of statuses are the predecessor's terms, so that its lists
and filters keep their meaning. Nature of suit codes are those of the federal civil cover sheet (JS 44).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from leadflow_assets.domain.courts.model import is_bankruptcy_court

# The noun of the words below: the first plural among them.
_PLURAL = re.compile(r"\b(petition|proceeding|suit|case|order|deed|eviction|judgment|lien)s\b")


@dataclass(frozen=True)
class CaseType:
    """``words`` say it in the plural; ``action_type`` is the predecessor's term, None for no action."""

    words: str
    action_type: str | None

    @property
    def word(self) -> str:
        """It in the singular."""
        return _PLURAL.sub(r"\1", self.words, count=1)


CASE_TYPES: Mapping[str, CaseType] = {
    "bankruptcy_petition": CaseType("bankruptcy petitions", "other"),
    "adversary_proceeding": CaseType("adversary proceedings in bankruptcy", "federal_civil"),
    "foreclosure_suit": CaseType("federal foreclosure suits", "foreclosure"),
    "rent_lease_ejectment": CaseType("federal rent, lease and ejectment suits", "federal_civil"),
    "torts_to_land": CaseType("federal suits for torts to land", "federal_civil"),
    "other_real_property": CaseType("other federal real property suits", "federal_civil"),
    "tax_lien_suit": CaseType("federal tax lien suits", "federal_civil"),
    "other_civil": CaseType("other federal civil cases", "federal_civil"),
    "federal_criminal": CaseType("federal criminal cases", "federal_criminal"),
    "servicemembers_case": CaseType("Land Court Servicemembers cases", "foreclosure"),
    "tax_lien_case": CaseType("Land Court tax lien cases", "land_court"),
    "order_of_notice": CaseType("recorded orders of notice", "foreclosure"),
    "foreclosure_deed": CaseType("recorded foreclosure deeds", "foreclosure"),
    "probate": CaseType("probate cases", "probate"),
    "eviction": CaseType("evictions (summary process)", "eviction"),
    "civil_judgment": CaseType("civil judgments", "civil_judgment"),
    "state_civil": CaseType("other state civil cases", "state_civil"),
    "recorded_lien": CaseType("recorded liens", None),
    "other": CaseType("other cases", "other"),
}
ACTION_TYPES: Mapping[str, tuple[str, ...]] = {
    "foreclosure": ("foreclosure",),
    "eviction": ("eviction", "summary process", "eviction summary process"),
    "civil_judgment": ("civil judgment", "judgment", "judgement"),
    "land_court": ("land court", "land court case"),
    "bankruptcy_ch7": ("bankruptcy chapter 7", "bankruptcy ch7", "chapter 7"),
    "bankruptcy_ch11": ("bankruptcy chapter 11", "bankruptcy ch11", "chapter 11"),
    "bankruptcy_ch13": ("bankruptcy chapter 13", "bankruptcy ch13", "chapter 13"),
    "federal_civil": ("federal civil", "federal civil case"),
    "federal_criminal": ("federal criminal", "federal criminal case"),
    "state_civil": ("state civil", "state civil case", "civil", "small claims"),
    "state_criminal": ("state criminal", "state criminal case"),
    "probate": ("probate", "probate estate matter", "estate"),
    "other": ("other",),
}
# What a person's word for the action makes the case, where the file says no type.
CASE_TYPE_OF_ACTION: Mapping[str, str] = {
    "foreclosure": "servicemembers_case",
    "eviction": "eviction",
    "civil_judgment": "civil_judgment",
    "land_court": "tax_lien_case",
    "bankruptcy_ch7": "bankruptcy_petition",
    "bankruptcy_ch11": "bankruptcy_petition",
    "bankruptcy_ch13": "bankruptcy_petition",
    "federal_civil": "other_civil",
    "federal_criminal": "federal_criminal",
    "state_civil": "state_civil",
    "state_criminal": "other",
    "probate": "probate",
    "other": "other",
}
CASE_STATUSES: Mapping[str, tuple[str, ...]] = {
    "filed": ("filed", "new"),
    "pending": ("pending",),
    "active": ("active", "open"),
    "dismissed": ("dismissed",),
    "settled": ("settled", "redeemed", "redemption"),
    "judgment": ("judgment", "judgement", "judgment entered"),
    "closed": ("closed", "disposed", "terminated"),
    "appealed": ("appealed", "under appeal"),
}
LIEN_TYPES: Mapping[str, tuple[str, ...]] = {
    "mortgage": ("mortgage",),
    "tax_municipal": (
        "tax municipal", "municipal tax lien", "municipal tax", "tax taking", "taking", "town tax",
        "city tax", "property tax", "municipal lien", "water sewer lien",
    ),
    "tax_federal": ("tax federal", "federal tax lien", "federal tax"),
    "tax_state": ("tax state", "state tax lien", "state tax", "dor", "department of revenue"),
    "mechanics": ("mechanics", "mechanics lien", "mechanic s lien", "mechanic lien"),
    "irs": ("irs", "irs lien"),
    "ucc": ("ucc", "ucc filing", "ucc 1"),
    "judgment": ("judgment", "judgment lien", "judgement", "judgement lien", "execution", "attachment"),
    "hoa": ("hoa", "hoa lien", "condominium", "condominium lien", "condo lien", "condo"),
    "other": ("other",),
}  # fmt: skip
LIEN_STATUSES: Mapping[str, tuple[str, ...]] = {
    "active": ("active", "open", "recorded"),
    "released": ("released", "release"),
    "discharged": ("discharged", "discharge"),
    "satisfied": ("satisfied", "paid", "redeemed", "redemption"),
    "partial": ("partial", "partially released", "partial release"),
}

_NATURES = {
    "220": "foreclosure_suit",
    "230": "rent_lease_ejectment",
    "240": "torts_to_land",
    "210": "other_real_property",
    "245": "other_real_property",
    "290": "other_real_property",
}
_NATURE_WORDS = (
    (re.compile(r"foreclosure", re.IGNORECASE), "foreclosure_suit"),
    (re.compile(r"ejectment|rent[, ]+lease", re.IGNORECASE), "rent_lease_ejectment"),
    (re.compile(r"torts? to land", re.IGNORECASE), "torts_to_land"),
    (
        re.compile(r"(?:other )?real property|land condemnation|tort product liability", re.IGNORECASE),
        "other_real_property",
    ),
)
_TAX_LIEN_CAUSE = re.compile(
    r"\b26:?\s?(?:U\.?S\.?C\.?)?\s?§?\s?7403\b|enforce (?:a )?(?:federal )?tax lien", re.I
)
_TAX_CAUSE = re.compile(r"\b26:\s?74\d\d\b")
_TAX_NATURE = re.compile(r"^(?:870|871)\b|^taxes?\b", re.IGNORECASE)
_UNITED_STATES = re.compile(r"(?:the )?(?:united states|u\.?s\.?a\.?\b|usa\b)", re.IGNORECASE)
# Lower case only: an upper-case V. is the initial of a middle name (facts/courtlistener §7).
_VERSUS = re.compile(r"\s+vs?\.\s+")
_ADVERSARY_NAME = re.compile(r"\s*-\s*adversary proceeding\b.*", re.IGNORECASE | re.DOTALL)
# Adversary proceedings carry a nature of suit, petitions none: `426 Dischargeability 523`, `72 Injunctive`.
_ADVERSARY_NATURE = re.compile(r"\s*(?:0?[1-9]\d|4\d\d)\s*\(?[A-Za-z]")
_CHAPTER = re.compile(r"\b(?:chapter\s*)?(7|9|11|12|13|15)\b", re.IGNORECASE)
_PETITION_TEXT = re.compile(r"chapter\s+(7|9|11|12|13|15)\b", re.IGNORECASE)


def caption_sides(case_name: str | None) -> tuple[str, str] | None:
    """The two sides of ``A v. B``; None where the caption has no two."""
    sides = _VERSUS.split(without_adversary_mark(case_name), maxsplit=1)
    if len(sides) != 2 or not all(side.strip() for side in sides):
        return None
    return sides[0].strip(), sides[1].strip()


def without_adversary_mark(case_name: str | None) -> str:
    """The name without a trailing ``- Adversary Proceeding``, with single blanks."""
    return " ".join(_ADVERSARY_NAME.sub("", case_name or "").split())


def is_adversary(case_name: str | None, nature_of_suit: str | None = None) -> bool:
    """Is a bankruptcy court's case a suit within a bankruptcy rather than a petition?"""
    name = case_name or ""
    return bool(
        _ADVERSARY_NAME.search(name) or _VERSUS.search(name) or _ADVERSARY_NATURE.match(nature_of_suit or "")
    )


def federal_case_type(
    court: str,
    case_name: str | None,
    nature_of_suit: str | None = None,
    cause: str | None = None,
    docket_number: str | None = None,
) -> str:
    """The case type of a federal docket by its court, caption, nature of suit, cause and number."""
    if is_bankruptcy_court(court):
        return "adversary_proceeding" if is_adversary(case_name, nature_of_suit) else "bankruptcy_petition"
    if re.search(r"-(?:cr|mj|po)-", docket_number or "", re.IGNORECASE):
        return "federal_criminal"
    nature, why = (nature_of_suit or "").strip(), cause or ""
    sides = caption_sides(case_name)
    by_the_government = bool(sides and _UNITED_STATES.match(sides[0]))
    taxes = bool(_TAX_NATURE.match(nature) or _TAX_CAUSE.search(why))
    if _TAX_LIEN_CAUSE.search(why) or (by_the_government and taxes):
        return "tax_lien_suit"
    code = re.match(r"(\d{3})\b", nature)
    if code:
        return _NATURES.get(code[1], "other_civil")
    return next((kind for words, kind in _NATURE_WORDS if words.search(nature)), "other_civil")


def action_type_of(case_type: str, chapter: str | None = None) -> str | None:
    """The predecessor's term for a case; None for a record that is no action."""
    if case_type == "bankruptcy_petition" and chapter in {"7", "11", "13"}:
        return f"bankruptcy_ch{chapter}"
    return CASE_TYPES[case_type].action_type


def read_chapter(text: str | None) -> str | None:
    """The chapter of the bankruptcy code in a field such as ``13`` or ``Chapter 13``; None without one."""
    found = _CHAPTER.search(text or "")
    return found[1] if found else None


def chapter_in_entries(descriptions: list[str]) -> str | None:
    """The chapter named by the first docket entry that names one: ``Chapter 13 Voluntary Petition``."""
    return next((found[1] for text in descriptions if (found := _PETITION_TEXT.search(text))), None)


def read_word(text: str | None, known: Mapping[str, tuple[str, ...]]) -> str | None:
    """The term that a person's word stands for in one of the lists above; None where none fits."""
    wanted = re.sub(r"[^a-z0-9]+", " ", (text or "").lower()).strip()
    return next((name for name, words in known.items() if wanted in (name.replace("_", " "), *words)), None)
