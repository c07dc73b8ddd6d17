"""Parties: the words for their roles, and the address under a name on a docket.

Courts print an address as lines: whom it goes through, the street, a unit, the city with state and ZIP,
sometimes a county and a telephone number. Identifiers must have been taken out before (``identifiers``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from leadflow_assets.domain.addresses import address_key, parse_mailing, split_place
from leadflow_assets.domain.addresses.places import STATES, city_key, zip5
from leadflow_assets.domain.courts.identifiers import REMOVED
from leadflow_assets.domain.courts.model import CourtCase, CourtParty, short_hash
from leadflow_assets.domain.towns import SAMPLETON, all_towns

# The first that fits counts; "joint debtor" must come before "debtor".
_ROLE_WORDS: tuple[tuple[str, str], ...] = (
    ("joint_debtor", r"\bjoint debtor\b|\bdebtor 2\b"),
    ("us_trustee", r"\bu\.? ?s\.? trustee\b|\bunited states trustee\b"),
    ("trustee", r"\btrustee\b"),
    ("counter_claimant", r"\bcounter[- ]?(?:claimant|plaintiff)\b"),
    ("counter_defendant", r"\bcounter[- ]?defendant\b"),
    ("cross_claimant", r"\bcross[- ]?(?:claimant|plaintiff)\b"),
    ("cross_defendant", r"\bcross[- ]?defendant\b"),
    ("third_party_plaintiff", r"\bthird[- ]?party plaintiff\b"),
    ("third_party_defendant", r"\bthird[- ]?party defendant\b"),
    ("intervenor", r"\bintervenor\b"),
    ("plaintiff", r"\bplaintiff\b|\blandlord\b|\blender\b|\bmortgagee\b|\bforeclosing\b"),
    ("petitioner", r"\bpetitioner\b|\bpetitioning\b"),
    ("respondent", r"\brespondent\b"),
    ("owner", r"\bowners?\b|\bassessed to\b|\bmortgagors?\b|\btaxpayer\b"),
    ("tenant", r"\btenants?\b|\boccupants?\b"),
    ("decedent", r"\bdecedent\b|\bdeceased\b|\bestate of\b"),
    ("representative", r"\bpersonal representative\b|\bexecut(?:or|rix)\b|\badministrat(?:or|rix)\b"),
    ("creditor", r"\bcreditor\b|\bclaimant\b|\blien ?holder\b"),
    ("grantee", r"\bgrantee\b|\bbuyer\b"),
    ("grantor", r"\bgrantor\b|\bseller\b"),
    ("defendant", r"\bdefendant\b"),
    ("debtor", r"\bdebtor\b"),
    ("interested_party", r"\binterested\b|\bnotice\b"),
)
_ROLES = tuple((role, re.compile(words, re.IGNORECASE)) for role, words in _ROLE_WORDS)
ROLES = (*(role for role, _ in _ROLE_WORDS), "other", "unknown")
DEBTORS = frozenset({"debtor", "joint_debtor"})

_TELEPHONE = re.compile(
    r"(?:(?:tel(?:ephone)?|ph(?:one)?|fax|cell|mobile)\b\.?[\s:]*)?\+?1?[-\s.]?\(?\d{3}\)?[-\s.]*\d{3}[-\s.]?\d{4}"
    r"(?:\s*(?:x|ext\.?)\s*\d+)?(?:\s*\((?:fax|cell|phone)\))?",
    re.IGNORECASE,
)
_NO_ADDRESS = re.compile(r"\s*(?:tel|telephone|phone|fax|e-?mail)\b.*|.*\S@\S.*|\s*PRO SE\s*", re.IGNORECASE)
_COUNTY = re.compile(r"([A-Z][A-Z .]+)-([A-Z]{2})")
_PLACE = re.compile(r"(?P<city>[^\d,]+?)[\s,]+(?P<state>[A-Za-z]{2})\.?[\s,]+(?P<zip>\d{5}(?:-?\d{4})?)")
_CARE_OF = re.compile(r"\s*(?:c\s*/\s*o\b|care of\b|attn\b|attention\b|%)[\s:.]*", re.IGNORECASE)
_BOX = re.compile(r"\s*(?:p\.?\s?o\.?\s?)?box\s*#?\s*\d|\s*p\.?\s?o\.?\s?drawer\b", re.IGNORECASE)
_NUMBERED = re.compile(r"\s*#?\d+(?!\s*(?:st|nd|rd|th)\s+(?:fl|floor)\b)", re.IGNORECASE)
_NUMBER_WORD = re.compile(r"\s*(?:one|two|three|four|five|six|seven|eight|nine|ten)\s+[A-Z]", re.IGNORECASE)
_UNIT = re.compile(
    r"\s*(?:#\s*\w|(?:apt|apartment|unit|suite|ste|room|rm|floor|fl|bldg|building)\b|\d+(?:st|nd|rd|th)\s+fl)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class PartyAddress:
    """An address as a docket prints it; a part that is not there is None.

    ``text`` is all of it in one line, without care-of, county and telephone; ``line`` the normalized street
    or box.
    """

    text: str | None = None
    care_of: str | None = None
    line: str | None = None
    unit: str | None = None
    city: str | None = None
    state: str | None = None
    zip: str | None = None
    town_id: int | None = None
    address_key: str | None = None
    mailing_key: str | None = None


NO_ADDRESS = PartyAddress()


def read_role(given: str | None) -> str:
    """One of :data:`ROLES` for a source's word: ``other`` for one that is not known, ``unknown`` for none."""
    text = (given or "").replace("_", " ").strip()
    if not text:
        return "unknown"
    return next((role for role, words in _ROLES if words.search(text)), "other")


def is_debtor(role: str) -> bool | None:
    """Is a party with that role a debtor? None where the role does not tell."""
    return None if role in ("unknown", "other") else role in DEBTORS


def read_extra_info(text: str | None) -> PartyAddress:
    """The address in the lines under a party's name (``extra_info``); all None where there is none."""
    lines = [line for raw in (text or "").replace(REMOVED, "").splitlines() if (line := _address_line(raw))]
    if not lines:
        return NO_ADDRESS
    place_at = next((k for k in range(len(lines) - 1, -1, -1) if _place(lines[k])), None)
    if place_at is None:
        care_of, street = _split_care_of(lines)
        return _address(care_of, street, None, None, None)
    city, state, zip_code = _place(lines[place_at]) or (None, None, None)
    care_of, street = _split_care_of(lines[:place_at])
    return _address(care_of, street, city, state, zip_code)


@lru_cache(maxsize=8_192)
def read_written_address(
    text: str | None, city: str | None = None, state: str | None = None, zip_code: str | None = None
) -> PartyAddress:
    """An address from a person's columns: the street, or all of it in one line, and what stands beside it."""
    lines = [" ".join(line.split()) for line in (text or "").splitlines() if line.strip()]
    line = ", ".join(lines)
    if line and not (city or zip_code):
        line, city, found_state, zip_code = split_place(line)
        state = state or found_state
    parts = [part for part in re.split(r"\s*[,;]\s*", line) if part]
    care_of, street = _split_care_of(parts)
    return _address(care_of, street, _clean(city), _clean(state), zip5(zip_code))


def make_party(
    case: CourtCase,
    *,
    name: str | None,
    role: str | None,
    name_from: str,
    address: PartyAddress = NO_ADDRESS,
    date_terminated: date | None = None,
    attorneys: int | None = None,
) -> CourtParty | None:
    """A party of a case by its name and the source's word for its role; None without a name.

    ``attorneys`` are those who act; None where the source does not say.
    """
    if not name or not re.search(r"\w", name):
        return None
    kind = read_role(role)
    debtor = is_debtor(kind)
    if case.case_type == "adversary_proceeding" and not debtor:
        # Either side of it may be the debtor of the bankruptcy that it belongs to.
        debtor = None
    return CourtParty(
        case_id=case.case_id,
        party_id=short_hash(kind, name),
        court=case.court,
        source=case.source,
        name=name,
        role=kind,
        role_given=role if name_from != "caption" else None,
        fetched_at=case.fetched_at,
        filed_month=case.filed_month,
        name_from=name_from,
        docket_id=case.docket_id,
        is_debtor=debtor,
        date_terminated=date_terminated,
        care_of=address.care_of,
        address=address.text,
        address_line=address.line,
        unit=address.unit,
        city=address.city,
        state=address.state,
        zip=address.zip,
        town_id=address.town_id,
        address_key=address.address_key,
        mailing_key=address.mailing_key,
        represented_by_counsel=None if attorneys is None else attorneys > 0,
        attorneys=attorneys,
        expires_on=case.expires_on,
    )


@lru_cache(maxsize=4_096)
def town_id_of(city: str | None) -> int | None:
    """The town that a city's name is; None for a village, a neighbourhood or another state's city."""
    return _town_ids().get(city_key(city)) if city else None


@lru_cache(maxsize=1)
def _town_ids() -> Mapping[str, int]:
    return {city_key(town.name): town.town_id for town in (*all_towns(), SAMPLETON)}


def _clean(text: str | None) -> str | None:
    return " ".join(text.upper().replace(".", "").split()) or None if text else None


def _address_line(raw: str) -> str:
    """The line with single blanks; empty where it is a telephone number, an e-mail address or a county."""
    line = " ".join(raw.split()).strip(" ,;")
    if _NO_ADDRESS.fullmatch(line) or _TELEPHONE.fullmatch(line) or _COUNTY.fullmatch(line):
        return ""
    return line


def _place(line: str) -> tuple[str, str, str] | None:
    found = _PLACE.fullmatch(line)
    if not found or found["state"].upper() not in STATES:
        return None
    zip_code = zip5(found["zip"])
    return (found["city"].upper().strip(" ."), found["state"].upper(), zip_code) if zip_code else None


def _split_care_of(lines: Sequence[str]) -> tuple[str | None, list[str]]:
    """Whom the address goes through, and the lines of the street.

    Lines above the street name a firm or an office, whether or not c/o stands before them.
    """
    first = next((k for k, line in enumerate(lines) if _is_street(line)), None)
    if first is None:
        first = next((k for k, line in enumerate(lines) if _NUMBER_WORD.match(line)), None)
    if first is None:
        named = [line for line in lines if _CARE_OF.match(line)]
        plain = [line for line in lines if line not in named]
        # Without a number nothing tells a street from a firm: the last line is the likelier street.
        above, street = [*named, *plain[:-1]], plain[-1:]
    else:
        above, street = list(lines[:first]), list(lines[first:])
    trailing = [line for line in street[1:] if _CARE_OF.match(line)]
    street = [line for line in street if line not in trailing]
    names = [_CARE_OF.sub("", line, count=1).strip(" ,") for line in (*above, *trailing)]
    return ", ".join(name for name in names if name) or None, street


def _is_street(line: str) -> bool:
    return bool(_BOX.match(line) or (_NUMBERED.match(line) and not _UNIT.match(line)))


def _address(
    care_of: str | None, street: Sequence[str], city: str | None, state: str | None, zip_code: str | None
) -> PartyAddress:
    if not (care_of or street or city or state or zip_code):
        return NO_ADDRESS
    units = [line for line in street[1:] if _UNIT.match(line)]
    read = parse_mailing(street[0] if street else None, " ".join(units) or None)
    town_id = town_id_of(city) if state in (None, "MA") else None
    last = " ".join(part for part in (state, zip_code) if part)
    text = ", ".join(part for part in (*street, city, last) if part)
    return PartyAddress(
        text=text or None,
        care_of=care_of,
        line=read.line or None,
        unit=read.unit or None,
        city=city,
        state=state,
        zip=zip_code,
        town_id=town_id,
        address_key=address_key(read, town_id),
        mailing_key=address_key(read, zip_code),
    )
