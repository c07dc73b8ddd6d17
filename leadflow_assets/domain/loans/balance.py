"""What is still owed on one loan: [low, mid, high], and what had to be assumed for it.

Rules: the project's sheet on the distress score, section 8. Dollars, percent a year, months.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from leadflow_assets.domain.loans.rates import (
    FIFTEEN_YEARS,
    STATED,
    THIRTY_YEARS,
    Rate,
    loan_rate,
    missing_rate_error,
)
from leadflow_assets.errors import UsageError

DAYS_PER_MONTH: Final = 30.4375
# A deed and the mortgage that pays for it are dated at the signing or the recording: weeks apart at most.
PURCHASE_DAYS: Final = 31
# own: a credit line's draw is between nothing and its limit; half of it is the middle, flagged as assumed.
ASSUMED_DRAW: Final = 0.5

# What a balance rests on, beside what the source says.
RATE_MISSING = "rate_missing"
RATE_AFTER_TABLE = "rate_after_table"  # younger than the survey's table: its last month
TERM_ASSUMED = "term_assumed"
DRAW_ASSUMED = "draw_assumed"  # a credit line without a reported balance
ADJUSTABLE = "adjustable_rate"  # the stated rate may have changed since
PAID_OFF = "paid_off"  # k >= n
RELEASED = "released"
SOLD_LATER = "sold_later"
FLAGS: Final = (
    RATE_MISSING,
    RATE_AFTER_TABLE,
    TERM_ASSUMED,
    DRAW_ASSUMED,
    ADJUSTABLE,
    PAID_OFF,
    RELEASED,
    SOLD_LATER,
)


@dataclass(frozen=True, slots=True)
class Loan:
    """One loan as a source tells it.

    ``amount`` is what was lent, or the limit of a credit line (``is_line``), dollars; ``rate`` percent a
    year; ``reported_balance`` what the lender says is owed. None is unknown.
    """

    amount: float | None
    recorded_on: date | None
    rate: float | None = None
    term_months: int | None = None
    is_line: bool = False
    is_adjustable: bool = False
    reported_balance: float | None = None
    released_on: date | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """What is owed, dollars: 0 <= low <= mid <= high. ``flags`` are of :data:`FLAGS`."""

    low: float
    mid: float
    high: float
    rate: Rate | None = None
    term_months: int | None = None
    flags: tuple[str, ...] = ()


def months_since(recorded_on: date, asof: date) -> int:
    """Whole months between two days; 0 for a loan of the future."""
    return max(0, int((asof - recorded_on).days / DAYS_PER_MONTH))


def amortized(amount: float, rate: float, term_months: int, months: int) -> float:
    """The balance of a level-payment loan after ``months`` payments.

    ``rate`` is percent a year; 0 is paid back in equal parts.

    Raises:
        UsageError: a negative amount, rate or number of months, or no term.
    """
    if amount < 0 or rate < 0 or months < 0 or term_months < 1:
        raise UsageError(
            f"A loan of {amount:g} dollars at {rate:g} percent over {term_months} months, {months} of them "
            "past, cannot be amortized.",
            "Amounts, rates and months are not negative, and a term has at least one month.",
        )
    if months >= term_months:
        return 0.0
    # The sheet's formula over (1 + i)^n, so that no term or rate is too large for the arithmetic.
    discount = 1 / (1 + rate / 1200)
    paid_in_all = 1 - discount**term_months
    if paid_in_all == 0:
        return amount * (1 - months / term_months)
    return amount * (1 - discount ** (term_months - months)) / paid_in_all


def loan_balance(loan: Loan, asof: date, last_sale: date | None = None) -> Balance | None:
    """What is owed on a loan at ``asof``; None where it cannot be told.

    ``last_sale`` is the property's last sale that was not nominal: it paid off what was recorded before it.
    The rate missing: the survey's, and the measured error either way. The term missing: 360 months, but the
    low end is the balance of a loan over 180. A credit line may be drawn up to its limit.
    """
    if loan.recorded_on is None or loan.recorded_on > asof:
        return None
    if loan.released_on is not None and loan.released_on <= asof:
        return Balance(0.0, 0.0, 0.0, flags=(RELEASED,))
    if last_sale is not None and loan.recorded_on + timedelta(days=PURCHASE_DAYS) < last_sale <= asof:
        return Balance(0.0, 0.0, 0.0, flags=(SOLD_LATER,))
    if loan.amount is None or loan.amount < 0:
        return None
    return _credit_line(loan, loan.amount) if loan.is_line else _term_loan(loan, loan.amount, asof)


def _credit_line(loan: Loan, limit: float) -> Balance:
    if loan.reported_balance is None:
        return Balance(0.0, ASSUMED_DRAW * limit, limit, flags=(DRAW_ASSUMED,))
    drawn = max(0.0, loan.reported_balance)
    return Balance(drawn, drawn, max(limit, drawn))


def _term_loan(loan: Loan, amount: float, asof: date) -> Balance | None:
    if loan.recorded_on is None:
        return None
    rate = loan_rate(loan.rate, loan.recorded_on, loan.term_months)
    if rate is None or rate.percent < 0:
        return None
    if loan.reported_balance is not None:
        owed = max(0.0, loan.reported_balance)
        return Balance(owed, owed, owed, rate, loan.term_months)
    term = loan.term_months if loan.term_months and loan.term_months > 0 else THIRTY_YEARS
    months = months_since(loan.recorded_on, asof)
    mid = amortized(amount, rate.percent, term, months)
    low, high = mid, mid
    if not loan.term_months or loan.term_months < 1:
        low = amortized(amount, rate.percent, FIFTEEN_YEARS, months)
    if rate.source != STATED and months < term:
        error = amount * missing_rate_error(loan.recorded_on) / 100
        low, high = max(0.0, low - error), min(amount, high + error)
    flags = (
        RATE_MISSING if rate.source != STATED else "",
        RATE_AFTER_TABLE if rate.after_table else "",
        TERM_ASSUMED if not loan.term_months or loan.term_months < 1 else "",
        ADJUSTABLE if loan.is_adjustable and rate.source == STATED else "",
        PAID_OFF if months >= term else "",
    )
    return Balance(low, mid, high, rate, term, tuple(filter(None, flags)))
