"""What the signals of one property are derived from: facts of mart/properties, of its records, of its cases.

Names are those of the tables. None is unknown, never zero and never "none".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, Literal

from leadflow_assets.domain.loans.balance import Loan
from leadflow_assets.domain.loans.equity import LoanFacts, Value, assessed_value, market_value
from leadflow_assets.domain.local_days import local_day

# ATTOM's answers are asked for again after this many days (its cache), the roll comes once a year.
ATTOM_FRESH_DAYS: Final = 60
ROLL_FRESH_DAYS: Final = 550
# Types of open loans in ATTOM's loan model: P purchase, R refinance, E equity line.
LINE_KINDS: Final = ("E", "HELOC", "LOC", "CREDIT LINE", "LINE OF CREDIT", "HOME EQUITY")
# The dataset that has the year of unpaid tax; elsewhere its absence says nothing.
TAX_FILES: Final = "TAX_ASSESSOR"


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice of foreclosure. ``stage`` is default_notice, lis_pendens, sale_notice, bank_owned or None."""

    stage: str | None
    recorded_on: date | None = None
    auction_on: date | None = None
    reference: str = ""


@dataclass(frozen=True, slots=True)
class LienRecord:
    """A lien or judgment of a delivered file; ``kind`` in the file's words."""

    kind: str | None
    recorded_on: date | None = None
    released_on: date | None = None
    reference: str = ""


@dataclass(frozen=True, slots=True)
class CaseFact:
    """A row of mart/case_matches: a case, and how sure it is that its party is the owner.

    ``method`` is name, site_address or parcel_id; ``decision`` what a person decided; ``known_on`` the day it
    was fetched or imported.
    """

    case_type: str
    role: str
    probability: float
    method: str = "name"
    decision: Literal["confirmed", "rejected"] | None = None
    is_debtor: bool | None = None
    title: str = "unknown"
    status: str | None = None
    filed_on: date | None = None
    recorded_on: date | None = None
    terminated_on: date | None = None
    dismissed_on: date | None = None
    discharged_on: date | None = None
    released_on: date | None = None
    lien_type: str | None = None
    lien_status: str | None = None
    judgment_amount: float | None = None
    expires_on: date | None = None
    known_on: date | None = None
    source: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Sale:
    """A change of hands. ``is_market`` False: nominal, or no price is told; the owner may be the same."""

    day: date
    is_market: bool
    known_on: date | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked, beside what the facts themselves show, and how long an answer stays fresh.

    ``attom`` maps foreclosure, tax, liens and loans to the last day on which ATTOM was asked for it and
    answered, even with nothing. ``covered`` are the case types whose sources are complete and up to date at
    the day asked for (``domain.court_coverage``).
    """

    attom: Mapping[str, date] = field(default_factory=dict)
    covered: frozenset[str] = frozenset()
    attom_fresh_days: int = ATTOM_FRESH_DAYS
    roll_fresh_days: int = ROLL_FRESH_DAYS


@dataclass(frozen=True, slots=True)
class PropertyFacts:
    """The facts of one property. Days of sources are the first on which they could be known.

    ``roll_date`` is the day of the assessor's package, ``roll_seen_on`` the one on which it was fetched. The
    first of ``values`` that is known counts. ``vacant`` is only ever a source's word.
    """

    owner_type: str = "unknown"
    owner_name: str | None = None
    owner_count: int = 0
    owner_tax_title: bool = False
    is_condominium_master: bool = False
    occupancy: str = "uncertain"
    roll_source: str = "MassGIS L3"
    roll_date: date | None = None
    roll_seen_on: date | None = None
    fiscal_year: int | None = None
    roll_sale_date: date | None = None
    sales: tuple[Sale, ...] = ()
    values: tuple[Value | None, ...] = ()
    loans: tuple[LoanFacts, ...] = ()
    notices: tuple[Notice, ...] = ()
    foreclosure_source: str | None = None
    foreclosure_date: date | None = None
    tax_delinquent_year: int | None = None
    tax_source: str | None = None
    tax_date: date | None = None
    liens: tuple[LienRecord, ...] = ()
    liens_source: str | None = None
    liens_date: date | None = None
    vacant: bool | None = None
    vacant_source: str | None = None
    vacant_date: date | None = None

    @property
    def tax_file(self) -> bool:
        """Does the tax come from a source whose silence about unpaid tax means something?"""
        return (self.tax_source or "").endswith(TAX_FILES)


Row = Mapping[str, Any]


def facts_of(
    row: Row, notices: Sequence[Row] | None = None, liens: Sequence[Row] | None = None
) -> PropertyFacts:
    """From a row of mart/properties, and the lists of its record in mart/property_records.

    Without ``notices`` the newest notice, which mart/properties repeats, stands for all; without ``liens``
    there are none to weigh.
    """
    fetched = row["fetched_at"]
    return PropertyFacts(
        owner_type=row["owner_type"],
        owner_name=row["owner_name"],
        owner_count=row["owner_count"],
        owner_tax_title=row["owner_tax_title"],
        is_condominium_master=row["is_condominium_master"],
        occupancy=row["occupancy"],
        roll_source=row["source"],
        roll_date=row["source_date"],
        roll_seen_on=local_day(fetched) if isinstance(fetched, datetime) else None,
        fiscal_year=row["fiscal_year"],
        roll_sale_date=row["last_sale_date"],
        sales=_sales(row),
        values=(
            market_value(
                row["avm_value"], row["avm_low"], row["avm_high"], row["avm_date"] or row["avm_source_date"]
            ),
            assessed_value(row["total_value"], row["fiscal_year"], row["source_date"]),
        ),
        loans=loan_facts(row),
        notices=_notices(row) if notices is None else tuple(map(_notice, notices)),
        foreclosure_source=row["foreclosure_source"],
        foreclosure_date=row["foreclosure_source_date"],
        tax_delinquent_year=row["tax_delinquent_year"],
        tax_source=row["tax_source"],
        tax_date=row["tax_source_date"],
        liens=tuple(map(_lien, liens or ())),
        liens_source=row["liens_source"],
        liens_date=row["liens_source_date"],
    )


def case_of(row: Row) -> CaseFact:
    """From a row of mart/case_matches."""
    return CaseFact(
        row["case_type"],
        row["party_role"],
        row["probability"],
        row["method"],
        row["decision"],
        row["is_debtor"],
        row["title"],
        row["status"],
        row["date_filed"],
        row["recorded_on"],
        row["date_terminated"],
        row["date_dismissed"],
        row["date_discharged"],
        row["released_on"],
        row["lien_type"],
        row["lien_status"],
        row["judgment_amount"],
        row["expires_on"],
        local_day(row["fetched_at"]),
        row["source"],
        row["case_id"],
    )


def loan_facts(row: Row) -> tuple[LoanFacts, ...]:
    """What is known of the loans, the best source first.

    The loans that ATTOM's model takes to be open; its estimate of the balances; the mortgages on record. A
    record that speaks of mortgages and names none says that there are none.
    """
    found = []
    day = row["equity_source_date"]
    if row["equity_source"] is not None:
        if row["open_loans"]:
            found.append(LoanFacts(row["equity_source"], day, tuple(map(_open_loan, row["open_loans"]))))
        balance = row["loan_balance"]
        if balance is None and row["loan_to_value"] is not None and row["avm_value"]:
            balance = row["loan_to_value"] * row["avm_value"] / 100
        if balance is not None:
            found.append(LoanFacts(row["equity_source"], day, balance=balance))
    if row["mortgage_source"] is not None:
        loans = _mortgages(row)
        if loans or row["mortgage_found"] is False:
            found.append(LoanFacts(row["mortgage_source"], row["mortgage_source_date"], loans))
    return tuple(found)


def _open_loan(loan: Row) -> Loan:
    return Loan(
        loan["original_amount"], loan["recording_date"], loan["rate"], is_line=is_credit_line(loan["kind"])
    )


def _mortgages(row: Row) -> tuple[Loan, ...]:
    first = Loan(
        row["mortgage_amount"],
        row["mortgage_date"],
        row["mortgage_rate"],
        row["mortgage_term_months"],
        is_line=is_credit_line(row["mortgage_loan_type"]),
        is_adjustable=(row["mortgage_rate_type"] or "").upper().startswith(("ADJ", "ARM", "VAR")),
    )
    second = Loan(row["second_mortgage_amount"], row["second_mortgage_date"])
    # One without an amount is a loan all the same: left out, the others would pass for all of them.
    return tuple(loan for loan in (first, second) if (loan.amount, loan.recorded_on) != (None, None))


def is_credit_line(kind: str | None) -> bool:
    """Does the type of a loan say that it is a credit line, drawn as needed?"""
    return (kind or "").strip().upper() in LINE_KINDS


def _sales(row: Row) -> tuple[Sale, ...]:
    sales = []
    if row["last_sale_date"] is not None:
        sales.append(Sale(row["last_sale_date"], row["sale_is_nominal"] is False, row["source_date"]))
    if row["deed_sale_date"] is not None:
        priced = row["deed_sale_price"] is not None and not row["deed_sale_is_nominal"]
        sales.append(Sale(row["deed_sale_date"], priced, row["deed_source_date"]))
    return tuple(sales)


def _notices(row: Row) -> tuple[Notice, ...]:
    if row["foreclosure_source"] is None:
        return ()
    newest = Notice(
        row["foreclosure_stage"],
        row["foreclosure_recording_date"],
        row["foreclosure_auction_date"],
        row["foreclosure_case_number"] or "",
    )
    return (newest,)


def _notice(row: Row) -> Notice:
    reference = row["case_number"] or row["document_number"] or ""
    return Notice(row["stage"], row["recording_date"], row["auction_date"], reference)


def _lien(row: Row) -> LienRecord:
    return LienRecord(row["kind"], row["recording_date"], row["released_on"], row["document_number"] or "")
