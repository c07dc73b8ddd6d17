"""Loans, balances and equity: pure rules, dollars and percent, always as of a stated day."""

from __future__ import annotations

from leadflow_assets.domain.loans.balance import Balance, Loan, amortized, loan_balance, months_since
from leadflow_assets.domain.loans.equity import (
    METHODS,
    Equity,
    LoanFacts,
    Value,
    assessed_value,
    choose_value,
    estimate_equity,
    market_value,
)
from leadflow_assets.domain.loans.rates import Rate, loan_rate, missing_rate_error
from leadflow_assets.domain.loans.scenario import Purchase, Return, assumed_equity, returns

__all__ = [
    "METHODS",
    "Balance",
    "Equity",
    "Loan",
    "LoanFacts",
    "Purchase",
    "Rate",
    "Return",
    "Value",
    "amortized",
    "assessed_value",
    "assumed_equity",
    "choose_value",
    "estimate_equity",
    "loan_balance",
    "loan_rate",
    "market_value",
    "missing_rate_error",
    "months_since",
    "returns",
]
