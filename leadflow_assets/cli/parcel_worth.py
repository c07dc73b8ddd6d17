"""Equity and return of a property as text: known, or a scenario that says so, or unknown and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from leadflow_assets.cli.parcel_layout import heading, line, money
from leadflow_assets.search.parcel.words import EQUITY_METHODS, VALUE_SOURCES, WHY_NO_EQUITY

if TYPE_CHECKING:
    from leadflow_assets.domain.loans import Equity, Return
    from leadflow_assets.search.parcel.model import Unit
    from leadflow_assets.search.parcel.worth import Worth


def show_worth(unit: Unit) -> None:
    """The section of one property."""
    if unit.is_condominium_master:
        return
    heading(f"Equity and return of {unit.property_id}")
    for label, text in _lines(unit.worth):
        line(label, text)


def _lines(worth: Worth) -> Iterator[tuple[str, str]]:
    equity = worth.equity
    if equity.method == "unknown":
        why = equity.why_unknown or ""
        yield "Equity", f"unknown: {WHY_NO_EQUITY.get(why, why)}"
    else:
        how = EQUITY_METHODS[equity.method]
        yield "Equity", f"{_interval(equity)}; {how}: {equity.loan_source}, on {_value(equity)}"
    if worth.assumed is not None and worth.assumed.method == "assumed":
        yield (
            "Scenario",
            f"{_interval(worth.assumed)}, had {worth.assumed.loan_source} been lent at that month's "
            f"usual rate, on {_value(worth.assumed)}: nobody has seen such a loan, and no score counts it",
        )
    if worth.returned is not None:
        yield "Return", _return(worth.returned, assumed=worth.assumed is not None)


def _interval(equity: Equity) -> str:
    low, mid, high = (money(round(amount or 0)) for amount in (equity.low, equity.mid, equity.high))
    return (
        f"{mid} ({low} to {high}); loans are {equity.cltv_mid:.0f} % of the value "
        f"({equity.cltv_low:.0f} to {equity.cltv_high:.0f} %)"
    )


def _value(equity: Equity) -> str:
    value = equity.value
    if value is None:
        return "no value"
    year = f" of fiscal year {value.fiscal_year}" if value.fiscal_year else ""
    return f"{VALUE_SOURCES[value.source]}{year} of {money(round(value.mid))}"


def _return(made: Return, *, assumed: bool) -> str:
    rate = f", {made.annual_percent:+.2f} % a year" if made.annual_percent is not None else ""
    text = (
        f"{money(round(made.value_change), '+')} ({made.value_change_percent:+.1f} %{rate}) on the last price"
    )
    if made.roi_percent is None or made.cash_in is None:
        return text
    by = ", in the scenario" if assumed else ""
    return (
        f"{text}; {made.roi_percent:+.1f} % on {money(round(made.cash_in))} paid in so far{by} "
        "(price less what is still owed; interest, taxes and upkeep are not counted)"
    )
