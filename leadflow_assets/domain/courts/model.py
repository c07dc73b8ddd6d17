"""What a court case and a party of it are, whatever the source: an API's answer, a docket file, a row."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

COURTLISTENER = "courtlistener"
UNKNOWN_MONTH = "unknown"
_COURT = re.compile(r"[a-z0-9]{2,15}")
_FEDERAL_NUMBER = re.compile(r"(?:\d{1,2}:)?(\d{2})-(?:([A-Za-z]{1,4})-)?(\d{1,7})(?:[-\s].*)?")
# A bankruptcy number is one series, whether or not the kind of case is written into it.
_BANKRUPTCY_KINDS = frozenset({"bk", "ap", "ad", "adv"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CourtCase:
    """One case as one source tells it. Money in dollars; a date that is not known is None.

    ``case_type`` is one of ``kinds.CASE_TYPES``, ``action_type`` one of ``kinds.ACTION_TYPES``.
    ``docket_id`` is CourtListener's. ``source`` is ``courtlistener`` or the kind of an imported file;
    ``stated_source``, ``source_file``, ``source_sha256`` and ``row_number`` say where an imported row comes
    from. After ``expires_on`` the row must not be used any more. ``lien_*``, ``recorded_on``,
    ``released_on``, ``book``, ``page`` and ``instrument`` describe a recorded lien or document.
    """

    case_id: str
    court: str
    case_type: str
    source: str
    fetched_at: datetime
    docket_id: int | None = None
    docket_number: str | None = None
    case_name: str | None = None
    action_type: str | None = None
    status: str | None = None
    chapter: str | None = None
    date_filed: date | None = None
    date_terminated: date | None = None
    date_converted: date | None = None
    date_dismissed: date | None = None
    date_discharged: date | None = None
    trustee: str | None = None
    nature_of_suit: str | None = None
    cause: str | None = None
    amount_claimed: Decimal | None = None
    judgment_amount: Decimal | None = None
    lien_type: str | None = None
    lien_status: str | None = None
    lien_amount: Decimal | None = None
    lien_holder: str | None = None
    recorded_on: date | None = None
    released_on: date | None = None
    book: str | None = None
    page: str | None = None
    instrument: str | None = None
    site_address: str | None = None
    site_address_key: str | None = None
    site_mailing_key: str | None = None
    site_city: str | None = None
    site_state: str | None = None
    site_zip: str | None = None
    town_id: int | None = None
    parcel_id: str | None = None
    pacer_case_id: str | None = None
    url: str | None = None
    stated_source: str | None = None
    source_file: str | None = None
    source_sha256: str | None = None
    row_number: int | None = None
    expires_on: date | None = None

    @property
    def filed_month(self) -> str:
        """The month it is kept under: ``2026-10``, or ``unknown`` without a date."""
        return month_of(self.date_filed or self.recorded_on)


@dataclass(frozen=True, slots=True, kw_only=True)
class CourtParty:
    """One party of a case as one source names it.

    ``role`` is one of ``parties.ROLES``, ``role_given`` the source's word for it. ``is_debtor`` and
    ``represented_by_counsel`` are None where the source does not say. ``name_from`` tells how the name was
    found: ``parties``, ``search``, ``caption``, ``docket`` or ``import``. ``care_of`` is whom the address
    goes through: with one, the address need not be the party's own. ``address_key`` is that of
    ``domain.addresses`` behind a town id, ``mailing_key`` behind a ZIP.
    """

    case_id: str
    party_id: str
    court: str
    source: str
    name: str
    role: str
    fetched_at: datetime
    filed_month: str
    name_from: str
    docket_id: int | None = None
    role_given: str | None = None
    is_debtor: bool | None = None
    date_terminated: date | None = None
    care_of: str | None = None
    address: str | None = None
    address_line: str | None = None
    unit: str | None = None
    city: str | None = None
    state: str | None = None
    zip: str | None = None
    town_id: int | None = None
    address_key: str | None = None
    mailing_key: str | None = None
    represented_by_counsel: bool | None = None
    attorneys: int | None = None
    expires_on: date | None = None


def is_court_id(text: str | None) -> bool:
    """Could it be the id of a court? It becomes part of a path."""
    return bool(_COURT.fullmatch(text or ""))


def month_of(day: date | None) -> str:
    """The partition of a day: ``2026-10``; ``unknown`` for None."""
    return day.strftime("%Y-%m") if day else UNKNOWN_MONTH


def is_bankruptcy_court(court: str) -> bool:
    """CourtListener's ids of bankruptcy courts end in b: mab, nhb, rib."""
    return len(court) > 2 and court.endswith("b")


def docket_number_key(court: str, number: str | None) -> str | None:
    """One spelling of a docket number, equal for all that mean one case of one court; None without any.

    Federal numbers lose the office and the judge's initials (``1:26-cv-10234-MGM`` is ``26-cv-10234``), a
    bankruptcy number its kind as well. Others keep letters and digits: ``24 SM 001234`` is ``24SM001234``.
    """
    text = " ".join((number or "").split())
    found = _FEDERAL_NUMBER.fullmatch(text)
    if found:
        year, kind, serial = found[1], (found[2] or "").lower(), found[3].zfill(5)
        if not kind or (is_bankruptcy_court(court) and kind in _BANKRUPTCY_KINDS):
            return f"{year}-{serial}"
        return f"{year}-{kind}-{serial}"
    return re.sub(r"[^0-9A-Z]", "", text.upper()) or None


def case_id(court: str, number: str | None, otherwise: str) -> str:
    """The case's id: court and number, so that two sources of one case agree.

    ``otherwise`` names it where there is no number: a docket id, or a hash of the row.
    """
    return f"{court}:{docket_number_key(court, number) or f'#{otherwise}'}"


def short_hash(*parts: str | None) -> str:
    """Sixteen hex digits that name the parts together."""
    joined = "\x1f".join(" ".join((part or "").upper().split()) for part in parts)
    return hashlib.sha256(joined.encode()).hexdigest()[:16]
