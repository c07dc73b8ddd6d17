"""Figures beside the facts: what a loan at the last purchase would leave today, and what the sale returned.

The ``assumed`` method is a scenario for a page that would else be empty: a loan of a usual share of the
last market price, at the survey's rate of its month. Nobody has seen that loan; it never enters the score.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from leadflow_assets.domain.loans.balance import Balance, Loan, loan_balance
from leadflow_assets.domain.loans.equity import (
    ASSUMED,
    LOAN_INCOMPLETE,
    NO_LOAN_DATA,
    NO_VALUE,
    UNKNOWN,
    Equity,
    Value,
    of_balance,
)
from leadflow_assets.domain.loans.rates import THIRTY_YEARS
from leadflow_assets.errors import UsageError

DEFAULT_LOAN_TO_VALUE: Final = 80.0  # percent of the price
DAYS_PER_YEAR: Final = 365.25


@dataclass(frozen=True, slots=True)
class Purchase:
    """The last market sale: day and price in dollars. Nominal and bulk sales are none."""

    day: date
    price: float


@dataclass(frozen=True, slots=True)
class Return:
    """What a property made of its purchase.

    ``value_change`` is value less price, dollars; ``value_change_percent`` that in percent of the price;
    ``annual_percent`` that as a yearly rate from the sale to the value's day, None under a year.
    ``cash_in`` is the price less what is still owed: down payment and principal repaid; interest, tax and
    upkeep are not in it. ``roi_percent`` is the value change in percent of ``cash_in``, None where that is
    not positive or the loan is unknown.
    """

    value_change: float
    value_change_percent: float
    annual_percent: float | None
    cash_in: float | None
    roi_percent: float | None


def assumed_equity(
    value: Value | None,
    purchase: Purchase | None,
    asof: date,
    *,
    loan_to_value: float = DEFAULT_LOAN_TO_VALUE,
    term_months: int = THIRTY_YEARS,
) -> Equity:
    """The scenario: a loan of ``loan_to_value`` percent of the last market price, over ``term_months``.

    The interval covers the rate alone, which is the survey's; whether there was such a loan is not in it.

    Raises:
        UsageError: a share outside 0 to 100 percent, or no term.
    """
    if not 0 <= loan_to_value <= 100 or term_months < 1:
        raise UsageError(
            f"A loan of {loan_to_value:g} percent over {term_months} months is no scenario.",
            "Give a loan-to-value from 0 to 100 percent and a term of at least one month.",
        )
    if value is None:
        return Equity(UNKNOWN, why_unknown=NO_VALUE)
    if purchase is None or purchase.day > asof:
        return Equity(UNKNOWN, value=value, why_unknown=NO_LOAN_DATA)
    loan = Loan(purchase.price * loan_to_value / 100, purchase.day, term_months=term_months)
    owed = loan_balance(loan, asof)
    if owed is None:
        return Equity(UNKNOWN, value=value, why_unknown=LOAN_INCOMPLETE)
    words = f"{loan_to_value:g} percent of the last price over {term_months} months"
    return of_balance(ASSUMED, value, owed, words)


def returns(
    value: float, value_day: date, purchase: Purchase | None, balance: Balance | None = None
) -> Return | None:
    """What the last market sale has returned by ``value_day``; None without one, or with a later one.

    ``balance`` is what is owed then, by whichever method its reader names.
    """
    if purchase is None or purchase.price <= 0 or value <= 0 or purchase.day > value_day:
        return None
    change = value - purchase.price
    years = (value_day - purchase.day).days / DAYS_PER_YEAR
    annual = 100 * ((value / purchase.price) ** (1 / years) - 1) if years >= 1 else None
    cash = purchase.price - balance.mid if balance is not None else None
    roi = 100 * change / cash if cash is not None and cash > 0 else None
    return Return(change, 100 * change / purchase.price, annual, cash, roi)
