"""What a property would leave its owner, and what the last purchase has returned: figures beside the score.

Equity is unknown without loan data. A report then shows a scenario in its place, named as one: a loan of a
usual share of the last market price, which nobody has seen and which never enters the score.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from leadflow_assets.domain.distress.facts import facts_of
from leadflow_assets.domain.distress.signals import last_market_sale
from leadflow_assets.domain.loans import (
    Equity,
    Purchase,
    Return,
    assumed_equity,
    choose_value,
    estimate_equity,
    returns,
)


@dataclass(frozen=True)
class Scenario:
    """The loan that is assumed where none is known: percent of the last market price, and months."""

    loan_to_value: float
    term_months: int


@dataclass(frozen=True)
class Worth:
    """``equity`` from loans that are known; ``assumed`` the scenario, only where nothing is known of loans.

    ``returned`` is counted with the balance of the one that is there; its ``cash_in`` and ``roi_percent`` are
    therefore a scenario's where ``assumed`` is. All None for a property without value or market sale.
    """

    equity: Equity
    assumed: Equity | None
    returned: Return | None


def worth_of(row: Mapping[str, Any], day: date, scenario: Scenario) -> Worth:
    """From a row of mart/properties, as of ``day``."""
    facts = facts_of(row)
    value = choose_value(facts.values, day)
    sold = last_market_sale(facts.sales, day)
    equity = estimate_equity(value, facts.loans, day, sold.day if sold else None)
    purchase = None
    if row["sale_is_market"] and row["last_sale_date"] is not None and row["last_sale_date"] <= day:
        purchase = Purchase(row["last_sale_date"], float(row["last_sale_price"]))
    assumed = None
    if value is not None and purchase is not None and equity.method == "unknown":
        assumed = assumed_equity(
            value,
            purchase,
            day,
            loan_to_value=scenario.loan_to_value,
            term_months=scenario.term_months,
        )
    balance = equity.balance or (assumed.balance if assumed else None)
    returned = returns(value.mid, value.day or day, purchase, balance) if value else None
    return Worth(equity, assumed, returned)
