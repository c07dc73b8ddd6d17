"""From a text of a known type to its parties: marks are taken out and noted, roles set, the rest is names.

The patterns ignore case and expect a text without dots; what they take out is noted, never lost silently.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from leadflow_assets.domain.owners import keywords as kw
from leadflow_assets.domain.owners.kinds import decide
from leadflow_assets.domain.owners.names import is_common_given_name
from leadflow_assets.domain.owners.parties import Party, organisation, persons
from leadflow_assets.domain.owners.text import fold, without_shares, words_of

_I = re.IGNORECASE
_EDGES = " ,;:&+/-\\"
# Recorded tenancies, the longer form first.
_VESTING = (
    (
        "joint_tenants_with_survivorship",
        re.compile(r"\bJ/?T\s?/?WROS\b|\bJT TEN WROS\b|\bJOINT TENANTS? WITH [\w ]*SURVIVORSHIP\b", _I),
    ),
    (
        "tenants_by_entirety",
        re.compile(r"\bT/E\b|\bTBE\b|\bTEN(?:ANTS?)? (?:BY|IN) (?:THE )?ENTIRET(?:Y|IES)\b", _I),
    ),
    ("joint_tenants", re.compile(r"\bJ/T\b|(?<=\S )(?<=..)\bJT\b(?: TEN)?|\bJOINT TENANTS?\b", _I)),
    ("tenants_in_common", re.compile(r"\bT/C\b|\bTEN(?:ANTS?)? IN COMMON\b", _I)),
    ("husband_and_wife", re.compile(r"\bH/W\b|\bHUSBAND (?:&|AND) WIFE\b|\bWIFE (?:&|AND) HUSBAND\b", _I)),
)
_VESTING_WORDS = frozenset(["JT", "JTWROS", "TBE", "TEN", "TENANT", "TENANTS", "JOINT", "HUSBAND", "WIFE"])
_OTHERS = re.compile(r"\bET\s?(?:ALS?|UX|VIR)\b", _I)
_OTHERS_WORDS = frozenset(["ET", "ETAL", "ETALS", "ETUX", "ETVIR"])
_ALIAS = re.compile(r"(?<![A-Z0-9])[AFN]/?K/?A\b.*$", _I)
_PARENTHESES = re.compile(r"\([^)]*\)?")
_LIFE = re.compile(
    r"[-(\s]*(?:\bA )?(?:(?<![A-Z0-9])L ?/ ?E(?![A-Z0-9])|\bLIFE EST(?:ATES?)?\b|\bLIFE TEN(?:ANTS?)?\b|"
    r"\bFOR (?:HIS |HER |THEIR )?LIFE\b|\(\s*L ?E\s*\)|\bLE\W*$)\s*\)?",
    _I,
)
_DEAD = r"(?:ESTATE|EST|HEIRS?|DEVISEES?)"
_DECEDENT = re.compile(rf"\b(?:THE )?(?:{_DEAD}|DECEASED|DECD)\b(?: OF\b)?", _I)
_BESIDE_ESTATE = re.compile(rf"^(?P<who>.+?)\s*(?:[&+;/]|\bAND\b)\s*(?P<rest>(?:THE )?{_DEAD} OF\b.*)$", _I)
_FIDUCIARY = re.compile(
    r"^(?P<who>.+?)[\s,;-]+(?P<word>EXECUTORS?|EXECUTRIX|EXEC|ADMINISTRAT(?:ORS?|RIX)|PERSONAL REP\w*|HEIR)\b"
    r"(?: (?:OF|FOR|TO))?(?: THE)?(?P<rest>.*)$",
    _I,
)
_TRUSTEE = re.compile(r"(?:\bAS )?(?:\bCO[- ]?)?\b(?:TRUSTEES?|TTEES?|TRS|TR)\b(?: OF$)?", _I)
_TRUSTEES_OF = re.compile(r"^(?:THE )?(?:TRUSTEES?|TTEES?|TRS) (?:OF|FOR) (?:THE )?(?P<trust>.+)$", _I)
_PEOPLE_THEN_TRUST = re.compile(
    r"^(?P<people>.+?)[\s,;/(-]+(?:AS )?(?:CO[- ])?(?:TRUSTEES?|TTEES?|TRS?)\b\)?[\s,;/-]*"
    r"(?:(?:OF|FOR|U/?D/?T|U/A|UNDER)\b\s*)?(?:THE )?(?P<trust>[A-Z0-9].*)$",
    _I,
)
_TRUST_THEN_PEOPLE = re.compile(
    r"^(?P<trust>.+\b(?:TRUST|TRT|TRST))\b(?P<between>[\s,;:/&+-]+)(?P<people>.+)$", _I
)
_TRUST_NAMES = frozenset(
    [
        "TRUST",
        "TRUSTS",
        "TRT",
        "TRST",
        "REALTY",
        "RLTY",
        "RTY",
        "NOMINEE",
        "NOM",
        "FAMILY",
        "FAM",
        "REVOCABLE",
        "REV",
        "REVOC",
        "IRREVOCABLE",
        "IRREV",
        "IRREVOC",
        "LIVING",
        "LIV",
        "LVG",
        "RLT",
        "UDT",
        "UTD",
        "DTD",
    ]
) | (kw.STREETS | {"ST", "RT", "LLC", "INC"})
_DATE_WORDS = frozenset(["UDT", "UTD", "DTD", "DATED", "U", "D", "T", "A"])
_TRUSTEES_PROPER = frozenset(["TRUSTEE", "TRUSTEES", "TTEE", "TTEES", "TRS"])
_TRUSTEE_WORDS = _TRUSTEES_PROPER | {"TR"}


@dataclass(slots=True)
class Reading:
    """What has been found in one owner so far."""

    default_order: str
    parties: list[Party] = field(default_factory=list)
    vesting: str = ""
    et_al: bool = False

    @property
    def surname(self) -> str:
        """The surname that a first name alone inherits."""
        return self.parties[-1].last if self.parties else ""

    def add_persons(self, text: str, role: str) -> None:
        """Read names from ``text`` and give them a role."""
        self.parties += persons(text.strip(_EDGES), self.default_order, role, self.surname)


def is_plain(folded: str) -> bool:
    """Is a person's text nothing but names, with no marks to take out?"""
    if "/" in folded or "%" in folded or "(" in folded:
        return False
    words = folded.split()
    return _VESTING_WORDS.isdisjoint(words) and _OTHERS_WORDS.isdisjoint(words)


def read(reading: Reading, text: str, kind: str, role: str = "owner") -> None:
    """Add the parties of ``text``, whose own type is ``kind``."""
    if kind in ("person", "life_estate", "estate", "trust"):
        text = _take_marks(reading, text.replace(".", ""))
        if kind == "person":
            reading.add_persons(_without_parentheses(text), role)
        elif kind == "life_estate":
            _read_life_estate(reading, text)
        elif kind == "estate":
            _read_estate(reading, text)
        else:
            _read_trust(reading, text, role)
    elif kind != "unknown":
        _read_organisation(reading, text, role)


def _read_again(reading: Reading, text: str, role: str) -> None:
    """Read a part of a text as what it is by itself."""
    if text := text.strip(_EDGES):
        read(reading, text, decide(fold(text))[0], role)


def _take_marks(reading: Reading, text: str) -> str:
    text = " ".join(without_shares(text).split())
    words = set(words_of(fold(text)))
    if not _OTHERS_WORDS.isdisjoint(words):
        text, found = _OTHERS.subn(" ", text)
        reading.et_al |= found > 0
    if "/" in text or not _VESTING_WORDS.isdisjoint(words):
        text = _ALIAS.sub(" ", text)
        for word, pattern in _VESTING:
            # SMITH JT: two initials.
            if word == "joint_tenants" and len(words) < 3 and "/" not in text:
                continue
            text, found = pattern.subn(" ", text)
            if found and not reading.vesting:
                reading.vesting = word
    return " ".join(text.split()).strip(_EDGES)


def _without_parentheses(text: str) -> str:
    if "(" not in text:
        return text
    kept = _PARENTHESES.sub(" ", text).strip(_EDGES)
    return kept or text.strip("() ")


def _read_life_estate(reading: Reading, text: str) -> None:
    """Before the mark the living tenant, after it who holds the remainder; a mark in front serves all."""
    found = _LIFE.search(text)
    if found is None:
        reading.add_persons(_without_parentheses(text), "life_tenant")
        return
    before = _without_parentheses(text[: found.start()].strip(_EDGES + "("))
    after = re.sub(r"^\W*(?:OF|IN|FOR)\b", "", text[found.end() :], flags=_I).strip(_EDGES)
    if not before:
        reading.add_persons(_without_parentheses(after), "life_tenant")
        return
    reading.add_persons(_TRUSTEE.sub(" ", before), "life_tenant")
    _read_again(reading, after, "owner")


def _read_estate(reading: Reading, text: str) -> None:
    """The dead owner; beside, the executor (a trustee of the estate), an heir, or an owner alive."""
    beside = _BESIDE_ESTATE.match(text)
    if beside and not kw.ESTATE.words.issuperset(words_of(fold(beside["who"]))):
        _read_again(reading, beside["who"], "owner")
        text = beside["rest"]
    fiduciary = _FIDUCIARY.match(text)
    if fiduciary and not _DECEDENT.search(fiduciary["who"]):
        role = "heir" if fiduciary["word"].upper() == "HEIR" else "trustee"
        reading.add_persons(_without_parentheses(fiduciary["who"]), role)
        text = fiduciary["rest"]
    text = _TRUSTEE.sub(" ", _DECEDENT.sub(" ", text)).strip(_EDGES)
    text = re.sub(rf"\b(?:{'|'.join(sorted(kw.ESTATE.words))}|PERSONAL REP\w*)\b", " ", text, flags=_I)
    reading.add_persons(re.sub(r"^\W*OF\b", " ", _without_parentheses(text), flags=_I), "decedent")


def _names_a_trust(text: str) -> bool:
    words = words_of(fold(text))
    inside = words[1:] if words[:1] == ["ST"] else words
    return not _TRUST_NAMES.isdisjoint(inside) or any(c.isdigit() for word in words for c in word)


def _read_trust(reading: Reading, text: str, role: str) -> None:
    """Trustees who are persons, the trust itself, or both."""
    if _TRUSTEE_WORDS.isdisjoint(words_of(fold(text))) and not any(sign in text for sign in "&+;"):
        _read_organisation(reading, text, role)
        return
    if whole := _TRUSTEES_OF.match(text):
        reading.parties.append(organisation(whole["trust"], role))
        return
    both = _PEOPLE_THEN_TRUST.match(text)
    if both and not _names_a_trust(both["people"]) and len(both["people"].split()) > 1:
        trust_words = words_of(fold(both["trust"]))
        named = _names_a_trust(both["trust"]) or trust_words[-1:] in (["TR"], ["TRS"])
        if named and len(trust_words) > 1:
            reading.add_persons(_without_parentheses(both["people"]), "trustee")
            if all(word in _DATE_WORDS or word.isdigit() for word in trust_words):
                return  # TRUSTEE U/D/T 1/2/99: a date, and no name
            reading.parties.append(organisation(both["trust"].strip(_EDGES), role))
            return
    both = _TRUST_THEN_PEOPLE.match(text)
    if both and _are_people(both["people"], both["between"]):
        reading.parties.append(organisation(both["trust"], role))
        trustees = _TRUSTEE.search(both["people"]) is not None
        reading.add_persons(_TRUSTEE.sub(" ; ", both["people"]), "trustee" if trustees else role)
        return
    rest = _TRUSTEE.sub(" ; ", text)
    if rest != text and not _names_a_trust(text) and len(words_of(fold(rest))) > 1:
        reading.add_persons(_without_parentheses(rest), "trustee")
        return
    name = (
        re.sub(r"[\s,-]+(?:TRUSTEES?|TTEES?|TRS)\W*$", "", text, flags=_I) if _names_a_trust(text) else text
    )
    _read_organisation(reading, name, role)


def _are_people(text: str, between: str) -> bool:
    """Do names follow a trust: behind a separator, or with the word trustee?"""
    words = words_of(fold(text))
    if _names_a_trust(text) or not any(len(word) > 1 and word not in kw.KEYWORDS for word in words):
        return False
    people = _TRUSTEE.sub(" ", text)
    marked = not _TRUSTEE_WORDS.isdisjoint(words) and len(words) > 2
    return (marked or any(sign in between for sign in "&+;")) and decide(fold(people))[0] == "person"


def _read_organisation(reading: Reading, text: str, role: str) -> None:
    """One organisation; with ``LAST, FIRST & ORGANISATION`` the person too."""
    text, others = _OTHERS.subn(" ", text) if "ET" in text.upper() else (text, 0)
    reading.et_al |= others > 0
    text = " ".join(text.split()).strip(_EDGES)
    if "," in text and ("&" in text or "+" in text):
        segments = re.split(r"\s*[&+]\s*", text)
        while len(segments) > 1 and _is_person_with_comma(segments[0]):
            reading.add_persons(segments.pop(0), role)
        text = " & ".join(segments) if reading.parties else text
    if text:
        reading.parties.append(organisation(text, role))


def _is_person_with_comma(segment: str) -> bool:
    last, _, given = fold(segment).partition(",")
    first = given.split()[:1]
    return (
        bool(last.strip() and first)
        and is_common_given_name(first[0])
        and decide(fold(segment))[0] == "person"
    )


def mentions_trustee(folded: str, kind: str, parties: list[Party]) -> bool:
    """Does the text name trustees? TR behind the name of a trust is the trust itself."""
    if "TR" not in folded and "TTEE" not in folded:
        return False
    if not _TRUSTEES_PROPER.isdisjoint(words_of(folded)):
        return True
    return kind != "estate" and any(party.role == "trustee" for party in parties)


def only_roles(words: list[str]) -> bool:
    """Is a co-owner's text no name at all (TRS, A LIFE ESTATE, REALTY TRUST)?"""
    return bool(words) and all(
        word in kw.KEYWORDS or word in kw.ROLE_WORDS or word == "FAMILY" for word in words
    )
