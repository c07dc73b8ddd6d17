"""What a court calls a party, read: persons or organisations, with their other names.

Courts write names in natural order (``John A. Smith, Jr.``) or as ``Smith, John``, and add what is no name:
``et al.``, capacities, aliases (a/k/a, f/k/a, d/b/a). Names themselves are read by the rules for owners.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from leadflow_assets.domain.owners import OwnerField, Party, parse_owner, search_words
from leadflow_assets.domain.owners.names import given_percent, surname_percent
from leadflow_assets.domain.owners.order import MOSTLY_NATURAL, NATURAL
from leadflow_assets.domain.owners.parties import organisation

PLACEHOLDER = "placeholder"
ALIASES = ("aka", "fka", "nka", "dba")
# Party types of which no property is looked for: creditors and the public, whose holdings say nothing here.
NEVER_LINKED = frozenset({"government", "bank", "unknown", PLACEHOLDER})

_I = re.IGNORECASE
# Clerks type names in natural order and mixed case; lists of owners come in capitals, surname first or not.
_AS_PRINTED, _IN_CAPITALS = OwnerField(None, MOSTLY_NATURAL), OwnerField(None, NATURAL)
_IDENTIFIERS = re.compile(
    r"(?:\b(?:SSN|ITIN|EIN|TAX ID)\b.*$)|\b[\dX*]{3}-[\dX*]{2}-\d{4}\b|\b\d\d-\d{7}\b", _I
)
_OPENING = re.compile(
    r"^\s*(?:IN\s+RE\b:?|(?:IN\s+THE\s+)?MATTER\s+OF\b:?|EX\s+PARTE\b|(?:MR|MRS|MS|MISS|DR|HON|REV|PROF)\b\.?)"
    r"\s*(?=\S+\s+\S|\S+,)",
    _I,
)
_OTHERS = re.compile(r"[\s,;]*\b(?:ET\.?\s*(?:ALS?|UX|VIR)\b\.?|AND OTHERS\b)", _I)
_ROLE_AT_END = re.compile(
    r"(?:\s*[,(-]\s*(?:(?:JOINT|ALLEGED)\s+)?(?:DEBTORS?|PLAINTIFFS?|DEFENDANTS?|PETITIONERS?|RESPONDENTS?|"
    r"PRO SE|ADVERSARY PROCEEDING)\b\W*)+$",
    _I,
)
_CAPACITY = re.compile(
    r"[,\s]+(?:INDIVIDUALLY(?:\s+AND)?|SOLELY|AS(?:\s+(?:S?HE|THEY|IT)\s+(?:IS|ARE))?|"
    r"IN\s+(?:HIS|HER|ITS|THEIR)\s+(?:OFFICIAL\s+|REPRESENTATIVE\s+)?CAPACIT(?:Y|IES)(?:\s+AS)?)(?=\s|$)",
    _I,
)
_TITLES = re.compile(
    r",\s*(?:M\.?D|ESQ(?:UIRE)?|PH\.?D|D\.?D\.?S|D\.?M\.?D|C\.?P\.?A|J\.?D)\.?(?=\s*(?:,|$))", _I
)
_ALIAS = re.compile(
    r"[\s,;(]*(?<![A-Z0-9])(?:"
    r"(?P<dba>(?:ALSO\s+)?(?:F[./]*)?D\s?[./]*\s?B\s?[./]*\s?A\b\.?|(?:FORMERLY\s+)?DOING\s+BUSINESS\s+AS\b|T/A\b|TRADING\s+AS\b)|"
    r"(?P<fka>F[./]*K[./]*A\b\.?|FORMERLY\s+(?:KNOWN\s+AS\b)?|N[EÉ]E\b)|"
    r"(?P<nka>N[./]+K[./]+A\b\.?|NKA\b|NOW\s+KNOWN\s+AS\b)|"
    r"(?P<aka>A[./]*K[./]*A\b\.?|ALSO\s+KNOWN\s+AS\b)"
    r")[\s:]+(?=\S)",
    _I,
)
_PLACEHOLDER = re.compile(
    r"^(?:THE\s+)?(?:UNKNOWN\b|ANY\s+AND\s+ALL\b|ALL\s+(?:OTHER\s+)?(?:PERSONS|OCCUPANTS|PARTIES)\b|OCCUPANTS?\b|"
    r"(?:TENANTS|PARTIES|PERSONS)\s+IN\s+POSSESSION\b|PUTATIVE\b|(?:JOHN|JANE)\s+(?:DOE|ROE)S?\b(?!-)"
    r"(?=\W*$|\s+(?:NOS?\.?\s*)?\d|\s+(?:I|II|III|AND|THROUGH)\b)|(?:DOE|ROE)S?\s+\d)",
    _I,
)
# Words that the rules for owners leave to persons, since towns' rolls do not hold such owners.
_ORGANISATION_WORDS = frozenset(
    [
        "AGENCY",
        "AUTO",
        "BOARD",
        "BUREAU",
        "CAFE",
        "CENTER",
        "COMMISSION",
        "COOPERATIVE",
        "DEPARTMENT",
        "OFFICE",
        "PIZZA",
        "RESTAURANT",
    ]
)
_PARENTHESES = re.compile(r"\([^)]*\)?")


@dataclass(frozen=True, slots=True)
class CaseName:
    """One name of one person or organisation. ``alias`` is empty or one of :data:`ALIASES`.

    ``member`` numbers the persons and organisations of the text: a joint caption has two.
    """

    member: int
    alias: str
    party: Party


@dataclass(frozen=True, slots=True)
class CaseParty:
    """A party's text, read. ``kind`` is a type of owner or :data:`PLACEHOLDER` (John Doe, occupants)."""

    kind: str
    names: tuple[CaseName, ...]
    et_al: bool

    @property
    def is_linkable(self) -> bool:
        """Is it somebody whose property may be looked for?"""
        return bool(self.names) and self.kind not in NEVER_LINKED


def read_case_party(text: str | None) -> CaseParty:
    """Read one party of a case as a court writes it. Never raises; nothing readable gives no names."""
    line = _IDENTIFIERS.sub(" ", " ".join((text or "").split()))
    line, found = _OTHERS.subn("", line)
    et_al = found > 0
    line = _ROLE_AT_END.sub("", line)
    while (shorter := _OPENING.sub("", line, count=1)) != line:
        line = shorter
    pieces = _at_aliases(line)
    main = _plain(pieces[0][1])
    if _PLACEHOLDER.match(main):
        return CaseParty(PLACEHOLDER, (), et_al)
    kind, members = _read_names(main)
    members = [party for party in members if search_words(party.name)]
    names = [CaseName(number, "", party) for number, party in enumerate(members)]
    for alias, piece in pieces[1:]:
        # An alias names whoever stands last before it.
        names += [CaseName(len(members) - 1, alias, p) for p in _aliases(alias, _plain(piece), members)]
    return CaseParty(kind if members else "unknown", tuple(names), et_al)


def _read_names(text: str) -> tuple[str, list[Party]]:
    """The kind of a text without aliases, and whom it names."""
    owner = parse_owner(text, None, _IN_CAPITALS if text == text.upper() else _AS_PRINTED)
    if owner.type == "person" and not _ORGANISATION_WORDS.isdisjoint(search_words(text).split()):
        return "company", [organisation(text, confidence=0.6)]
    return owner.type, [_cleaned(party) for party in owner.parties if party.role != "care_of"]


def _at_aliases(line: str) -> list[tuple[str, str]]:
    """The text up to the first alias, then each alias with its kind."""
    pieces: list[tuple[str, str]] = []
    kind, start = "", 0
    for sign in _ALIAS.finditer(line):
        if not line[start : sign.start()].strip(" ,;("):
            continue  # a name may open like one: AKA JOHN
        pieces.append((kind, line[start : sign.start()]))
        kind, start = str(sign.lastgroup), sign.end()
    pieces.append((kind, line[start:]))
    return pieces


def _plain(piece: str) -> str:
    """A name without capacities, parentheses and what hangs on its ends."""
    text = _TITLES.sub("", _CAPACITY.sub(", ", f" {piece}"))
    without = _PARENTHESES.sub(" ", text)
    text = without if without.strip(" ,;") else text
    return " ".join(text.replace(" ,", ",").replace(",,", ",").split()).strip(" ,;:-()")


def _cleaned(party: Party) -> Party:
    return replace(party, name=party.name.strip(" ,;:-"))


def _aliases(alias: str, piece: str, members: list[Party]) -> list[Party]:
    """The parties an alias names; one word alone takes what is missing from the name it stands for.

    Whoever does business under a name does so under a firm's, whatever it looks like.
    """
    if not members or not search_words(piece):
        return []
    main = members[-1]
    if alias == "dba":
        return [organisation(piece, confidence=0.6)]
    found = [party for party in _read_names(piece)[1] if search_words(party.name)]
    if len(found) == 1 and found[0].is_person and found[0].order == "single" and main.is_person:
        word = search_words(found[0].last)
        if given_percent(word) > surname_percent(word):
            return [replace(main, first=found[0].last, name=f"{found[0].last} {main.last}")]
        return [replace(main, last=found[0].last, name=f"{main.first} {found[0].last}")]
    return found
