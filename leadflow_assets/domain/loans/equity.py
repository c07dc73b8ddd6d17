"""What an owner would keep: value less loans, always as [low, mid, high], and how it was found.

Three methods that must not be mixed: ``attom`` (the open loans are known and amortized here),
``attom_homeequity`` (the vendor's own estimate of the balances) and ``assumed`` (a scenario, see
``scenario``). Without loan data equity is unknown, not the whole value. Rules: the project's sheet on the
distress score, section 8.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from leadflow_assets.domain.loans.balance import Balance, Loan, loan_balance

ATTOM, HOME_EQUITY, ASSUMED, UNKNOWN = "attom", "attom_homeequity", "assumed", "unknown"
METHODS: Final = (ATTOM, HOME_EQUITY, ASSUMED, UNKNOWN)
AVM, ASSESSED = "attom_avm", "assessed"
VALUE_SOURCES: Final = (AVM, ASSESSED)
# Why equity is unknown.
NO_VALUE = "no_value"
NO_LOAN_DATA = "no_loan_data"
SOLD_SINCE = "sold_since_loan_data"  # the buyer's loans are not among them
LOAN_INCOMPLETE = "loan_incomplete"  # a loan without amount or date, or older than the table of rates
REASONS: Final = (NO_VALUE, NO_LOAN_DATA, SOLD_SINCE, LOAN_INCOMPLETE)


@dataclass(frozen=True, slots=True)
class Value:
    """What the property is worth, dollars, and who says so.

    An assessed value has no range of its own (low = mid = high) and lags the market; ``fiscal_year`` labels
    it.
    """

    low: float
    mid: float
    high: float
    source: str
    fiscal_year: int | None = None
    day: date | None = None


@dataclass(frozen=True, slots=True)
class LoanFacts:
    """What one source says of the loans on a property.

    ``loans`` None: it does not list them; empty: it says that there are none. ``balance`` is the vendor's own
    estimate of all balances, dollars. ``known_on`` is the source's day.
    """

    source: str
    known_on: date | None
    loans: tuple[Loan, ...] | None = None
    balance: float | None = None


@dataclass(frozen=True, slots=True)
class Equity:
    """Equity and combined loan-to-value (percent), each [low, mid, high]; all None when ``unknown``.

    ``method`` is one of :data:`METHODS`, ``why_unknown`` of :data:`REASONS`. ``flags`` are those of the
    balances, each once.
    """

    method: str
    low: float | None = None
    mid: float | None = None
    high: float | None = None
    cltv_low: float | None = None
    cltv_mid: float | None = None
    cltv_high: float | None = None
    balance: Balance | None = None
    value: Value | None = None
    loan_source: str | None = None
    flags: tuple[str, ...] = ()
    why_unknown: str | None = None


def market_value(avm: float | None, low: float | None, high: float | None, day: date | None) -> Value | None:
    """A model's market value with its range; an end that is missing, or on the wrong side, is the value."""
    if avm is None or avm <= 0:
        return None
    lowest = min(avm, low) if low is not None and low > 0 else avm
    return Value(lowest, avm, max(avm, high or avm), AVM, day=day)


def assessed_value(total: float | None, fiscal_year: int | None, day: date | None) -> Value | None:
    """The assessed total under its fiscal year; ``day`` is the one on which it could be known."""
    if total is None or total <= 0:
        return None
    return Value(total, total, total, ASSESSED, fiscal_year, day)


def choose_value(values: Sequence[Value | None], asof: date) -> Value | None:
    """The first of the values that could be known at ``asof``: the market's before the assessor's."""
    return next((v for v in values if v is not None and (v.day is None or v.day <= asof)), None)


def estimate_equity(
    value: Value | None, facts: Sequence[LoanFacts], asof: date, last_sale: date | None = None
) -> Equity:
    """Equity at ``asof`` by the first of ``facts`` that suffices.

    ``last_sale`` is the last sale that was not nominal. A source older than it knows nothing of the buyer's
    loans: unknown. What a source says after ``asof`` is not looked at.
    """
    if value is None:
        return Equity(UNKNOWN, why_unknown=NO_VALUE)
    why = NO_LOAN_DATA
    for fact in facts:
        if fact.known_on is None or fact.known_on > asof:
            continue
        if last_sale is not None and fact.known_on < last_sale <= asof:
            why = SOLD_SINCE
        elif fact.loans is not None:
            balances = [loan_balance(loan, asof, last_sale) for loan in fact.loans]
            complete = [balance for balance in balances if balance is not None]
            if len(complete) == len(balances):
                return of_balance(ATTOM, value, total(complete), fact.source)
            why = LOAN_INCOMPLETE
        elif fact.balance is not None:
            owed = max(0.0, fact.balance)
            return of_balance(HOME_EQUITY, value, Balance(owed, owed, owed), fact.source)
    return Equity(UNKNOWN, value=value, why_unknown=why)


def total(balances: Sequence[Balance]) -> Balance:
    """All of them together; flags once each, in the order they were met."""
    flags = dict.fromkeys(flag for balance in balances for flag in balance.flags)
    return Balance(
        sum(balance.low for balance in balances),
        sum(balance.mid for balance in balances),
        sum(balance.high for balance in balances),
        flags=tuple(flags),
    )


def of_balance(method: str, value: Value, balance: Balance, loan_source: str | None) -> Equity:
    """Equity and loan-to-value where both sides are known: the lowest value meets the highest balance."""
    return Equity(
        method,
        value.low - balance.high,
        value.mid - balance.mid,
        value.high - balance.low,
        100 * balance.low / value.high,
        100 * balance.mid / value.mid,
        100 * balance.high / value.low,
        balance,
        value,
        loan_source,
        balance.flags,
    )
