"""What a property would leave its owner, and what the last purchase has returned: figures beside the score.

Equity is unknown without loan data. A report then shows a scenario in its place, named as one: a loan of a
usual share of the last market price, which nobody has seen and which never enters the score.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
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
from leadflow_assets.domain.loans.balance import PURCHASE_DAYS
from leadflow_assets.domain.loans.equity import LOAN_INCOMPLETE, UNKNOWN


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
    purchase = _purchase(row, day, sold.day if sold else None)
    assumed = None
    nothing_known = equity.method == UNKNOWN and equity.why_unknown != LOAN_INCOMPLETE
    if value is not None and purchase is not None and nothing_known:
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


def _purchase(row: Mapping[str, Any], day: date, sold: date | None) -> Purchase | None:
    """The last market sale: the roll's, or that of a later deed which the roll does not show yet.

    Such a deed with an estimated price gives none: the roll's would be an earlier owner's.
    """
    shown, deed = row["last_sale_date"], row["deed_sale_date"]
    if sold is not None and sold == deed and (shown is None or deed > shown + timedelta(days=PURCHASE_DAYS)):
        return None if row["deed_sale_is_estimated"] else Purchase(deed, float(row["deed_sale_price"]))
    if row["sale_is_market"] and shown is not None and shown <= day:
        return Purchase(shown, float(row["last_sale_price"]))
    return None
