"""What ATTOM says of one property, as a report holds it: each group with its source and day.

Dollars and percent. A group is None where nothing is known of it; why it is not stands among the report's
unknowns. Amounts of mortgages are what was lent, balances and equity are ATTOM's estimates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from leadflow_assets.search.parcel import words as words

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Loan:
    """A mortgage at its origination, or a loan that is modelled to be open (``position`` 1 to 3)."""

    amount: int | None
    day: date | None
    lender: str | None
    rate: float | None = None
    rate_type: str | None = None
    term_months: int | None = None
    due_date: date | None = None
    kind: str | None = None
    position: int | None = None


@dataclass(frozen=True)
class Mortgages:
    """Mortgages on record. ``found`` False: the source speaks of mortgages and names none."""

    found: bool | None
    first: Loan | None
    second: Loan | None
    source: str
    source_date: date | None


@dataclass(frozen=True)
class Equity:
    """Estimated balances and equity."""

    loan_balance: int | None
    loan_to_value: float | None
    available_equity: int | None
    equity_percent: float | None
    open_loans: tuple[Loan, ...]
    source: str
    source_date: date | None


@dataclass(frozen=True)
class Tax:
    """The tax bill; ``delinquent_year`` None is unknown, not paid."""

    amount: float | None
    year: int | None
    delinquent_year: int | None
    source: str
    source_date: date | None


@dataclass(frozen=True)
class ForeclosureNotice:
    """The newest notice of default or auction."""

    record_type: str | None
    stage: str | None
    meaning: str
    creditor_kind: str | None
    recording_date: date | None
    auction_date: date | None
    judgment_date: date | None
    judgment_amount: int | None
    default_amount: int | None
    opening_bid: int | None
    case_number: str | None
    source: str
    source_date: date | None


@dataclass(frozen=True)
class Valuation:
    """A model's market value with its range; ``score`` is its confidence, 0 to 100."""

    value: int | None
    low: int | None
    high: int | None
    score: int | None
    day: date | None
    source: str
    source_date: date | None


@dataclass(frozen=True)
class Propensity:
    """How likely a default within a year is held to be, 0 to 100."""

    score: float | None
    group: str | None
    source: str
    source_date: date | None


@dataclass(frozen=True)
class Liens:
    """Liens and judgments that are not released."""

    count: int | None
    amount: int | None
    source: str
    source_date: date | None


@dataclass(frozen=True)
class DeedSale:
    """The last sale as ATTOM has it; the assessor's stands apart."""

    day: date | None
    price: int | None
    kind: str | None
    is_estimated: bool | None
    is_nominal: bool | None
    source: str
    source_date: date | None


@dataclass(frozen=True)
class Conflict:
    """Two sources differ; ``kept_source`` is the one that is shown."""

    fields: str
    kept_source: str
    kept_date: date | None
    other_source: str
    other_date: date | None
    difference: str


@dataclass(frozen=True)
class VendorFacts:
    """Everything ATTOM says of a property; ``attom_id`` None: no record of ATTOM is matched to it."""

    attom_id: int | None
    mortgages: Mortgages | None
    equity: Equity | None
    tax: Tax | None
    foreclosure: ForeclosureNotice | None
    valuation: Valuation | None
    propensity: Propensity | None
    liens: Liens | None
    deed: DeedSale | None
    conflicts: tuple[Conflict, ...]


def vendor_facts_of(row: Row) -> VendorFacts:
    """From a row of mart/properties."""
    return VendorFacts(
        attom_id=row["attom_id"],
        mortgages=_mortgages(row) if row["mortgage_source"] else None,
        equity=_equity(row) if row["equity_source"] else None,
        tax=_tax(row) if row["tax_source"] else None,
        foreclosure=_foreclosure(row) if row["foreclosure_source"] else None,
        valuation=_valuation(row) if row["avm_source"] else None,
        propensity=_propensity(row) if row["propensity_source"] else None,
        liens=_liens(row) if row["liens_source"] else None,
        deed=_deed(row) if row["deed_source"] else None,
        conflicts=tuple(Conflict(**conflict) for conflict in row["conflicts"] or ()),
    )


def _mortgages(row: Row) -> Mortgages:
    first = Loan(
        amount=row["mortgage_amount"],
        day=row["mortgage_date"],
        lender=row["mortgage_lender"],
        rate=row["mortgage_rate"],
        rate_type=row["mortgage_rate_type"],
        term_months=row["mortgage_term_months"],
        due_date=row["mortgage_due_date"],
        kind=row["mortgage_loan_type"],
    )
    second = Loan(row["second_mortgage_amount"], row["second_mortgage_date"], row["second_mortgage_lender"])
    return Mortgages(
        found=row["mortgage_found"],
        first=_real(first),
        second=_real(second),
        source=row["mortgage_source"],
        source_date=row["mortgage_source_date"],
    )


def _real(loan: Loan) -> Loan | None:
    return loan if loan.amount is not None or loan.day or loan.lender else None


def _equity(row: Row) -> Equity:
    loans = tuple(
        Loan(
            amount=loan["original_amount"],
            day=loan["recording_date"],
            lender=loan["lender"],
            rate=loan["rate"],
            kind=loan["kind"],
            position=loan["position"],
        )
        for loan in row["open_loans"] or ()
    )
    return Equity(
        loan_balance=row["loan_balance"],
        loan_to_value=row["loan_to_value"],
        available_equity=row["available_equity"],
        equity_percent=row["equity_percent"],
        open_loans=loans,
        source=row["equity_source"],
        source_date=row["equity_source_date"],
    )


def _tax(row: Row) -> Tax:
    return Tax(
        amount=row["tax_amount"],
        year=row["tax_year"],
        delinquent_year=row["tax_delinquent_year"],
        source=row["tax_source"],
        source_date=row["tax_source_date"],
    )


def _foreclosure(row: Row) -> ForeclosureNotice:
    stage = row["foreclosure_stage"]
    return ForeclosureNotice(
        record_type=row["foreclosure_record_type"],
        stage=stage,
        meaning=words.FORECLOSURE_STAGES.get(stage, "a type that ATTOM does not document"),
        creditor_kind=row["foreclosure_creditor_kind"],
        recording_date=row["foreclosure_recording_date"],
        auction_date=row["foreclosure_auction_date"],
        judgment_date=row["foreclosure_judgment_date"],
        judgment_amount=row["foreclosure_judgment_amount"],
        default_amount=row["foreclosure_default_amount"],
        opening_bid=row["foreclosure_opening_bid"],
        case_number=row["foreclosure_case_number"],
        source=row["foreclosure_source"],
        source_date=row["foreclosure_source_date"],
    )


def _valuation(row: Row) -> Valuation:
    return Valuation(
        value=row["avm_value"],
        low=row["avm_low"],
        high=row["avm_high"],
        score=row["avm_score"],
        day=row["avm_date"],
        source=row["avm_source"],
        source_date=row["avm_source_date"],
    )


def _propensity(row: Row) -> Propensity:
    return Propensity(
        score=row["propensity_score"],
        group=row["propensity_group"],
        source=row["propensity_source"],
        source_date=row["propensity_source_date"],
    )


def _liens(row: Row) -> Liens:
    return Liens(
        count=row["lien_count"],
        amount=row["lien_amount"],
        source=row["liens_source"],
        source_date=row["liens_source_date"],
    )


def _deed(row: Row) -> DeedSale:
    return DeedSale(
        day=row["deed_sale_date"],
        price=row["deed_sale_price"],
        kind=row["deed_sale_kind"],
        is_estimated=row["deed_sale_is_estimated"],
        is_nominal=row["deed_sale_is_nominal"],
        source=row["deed_source"],
        source_date=row["deed_source_date"],
    )
