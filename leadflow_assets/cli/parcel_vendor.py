"""What ATTOM says of a property, as text: loans, tax, foreclosure, value, liens, and where sources differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

from leadflow_assets.cli.parcel_layout import heading, line, money

if TYPE_CHECKING:
    from leadflow_assets.search.parcel.model import Unit
    from leadflow_assets.search.parcel.vendor import Conflict, Loan, VendorFacts

_GROUPS = ("mortgages", "equity", "tax", "foreclosure", "valuation", "propensity", "liens", "deed")


def show_vendor(unit: Unit) -> None:
    """The section of one property; nothing where ATTOM says nothing of it."""
    facts = unit.vendor
    if facts.attom_id is None:
        return
    heading(f"ATTOM {facts.attom_id} on {unit.property_id}")
    for label, text in _lines(facts):
        line(label, text)
    if not any(getattr(facts, group) is not None for group in _GROUPS):
        line("Nothing", "it is matched, but no loans, tax, foreclosure or value came with it")
    _conflicts(facts.conflicts)


def show_vendor_counts(units: Sequence[Unit]) -> None:
    """How much is known of a parcel's many properties."""
    ours = [unit for unit in units if not unit.is_condominium_master]
    known = {group: sum(getattr(unit.vendor, group) is not None for unit in ours) for group in _GROUPS}
    told = [f"{group} {count}" for group, count in known.items() if count]
    line("ATTOM knows", f"of {len(ours)} properties: {', '.join(told)}" if told else None)
    differing = sum(bool(unit.vendor.conflicts) for unit in ours)
    line("Sources differ", f"for {differing} of {len(ours)} properties" if differing else None)


def _lines(facts: VendorFacts) -> Iterator[tuple[str, str]]:
    if facts.mortgages is not None:
        source = _origin(facts.mortgages.source, facts.mortgages.source_date)
        none = "none named" if facts.mortgages.found is False else "no particulars"
        first = _loan(facts.mortgages.first) if facts.mortgages.first else none
        yield "Mortgage", f"{first} {source}"
        if facts.mortgages.second:
            yield "Second mortgage", f"{_loan(facts.mortgages.second)} {source}"
    if facts.equity is not None:
        yield from _equity_lines(facts)
    if facts.tax is not None:
        tax = facts.tax
        bill = f"{money(round(tax.amount))} for {tax.year or 'an unnamed year'}" if tax.amount else ""
        unpaid = f"unpaid for {tax.delinquent_year}" if tax.delinquent_year else ""
        yield "Tax", f"{_joined([bill, unpaid]) or 'no bill given'} {_origin(tax.source, tax.source_date)}"
    if facts.foreclosure is not None:
        yield "Foreclosure", _foreclosure(facts)
    if facts.valuation is not None:
        value = facts.valuation
        span = f", {money(value.low)} to {money(value.high)}" if value.low and value.high else ""
        score = f", confidence {value.score} of 100" if value.score is not None else ""
        shown = money(value.value) if value.value is not None else "no value"
        origin = _origin(value.source, value.day or value.source_date)
        yield "Value by model", f"{shown}{span}{score}; an estimate, not an appraisal {origin}"
    if facts.propensity is not None:
        chance = facts.propensity
        group = f", group {chance.group}" if chance.group else ""
        score = f"{chance.score:g} of 100" if chance.score is not None else "no score"
        yield "Default risk", f"{score}{group} {_origin(chance.source, chance.source_date)}"
    if facts.liens is not None:
        liens = facts.liens
        worth = f", {money(liens.amount)} in all" if liens.amount is not None else ""
        yield "Liens", f"{liens.count} not released{worth} {_origin(liens.source, liens.source_date)}"
    if facts.deed is not None:
        deed = facts.deed
        marks = [
            money(deed.price) if deed.price is not None else "no price",
            deed.kind or "",
            "price estimated by ATTOM" if deed.is_estimated else "",
            "nominal" if deed.is_nominal else "",
        ]
        origin = _origin(deed.source, deed.source_date)
        yield "Sale by ATTOM", f"{_joined([str(deed.day or 'no date'), *marks])} {origin}"


def _equity_lines(facts: VendorFacts) -> Iterator[tuple[str, str]]:
    assert facts.equity is not None
    equity = facts.equity
    parts = [
        f"{money(equity.available_equity)} available" if equity.available_equity is not None else "",
        f"{equity.equity_percent:g} % of the value" if equity.equity_percent is not None else "",
        f"loans {money(equity.loan_balance)}" if equity.loan_balance is not None else "",
        f"loan to value {equity.loan_to_value:g} %" if equity.loan_to_value is not None else "",
    ]
    origin = _origin(equity.source, equity.source_date)
    yield "Equity", f"{_joined(parts) or 'no amount given'}; an estimate {origin}"
    for loan in equity.open_loans:
        yield "", f"open loan {loan.position}: {_loan(loan)}"


def _foreclosure(facts: VendorFacts) -> str:
    assert facts.foreclosure is not None
    notice = facts.foreclosure
    parts = [
        f"{notice.record_type or 'no type'}: {notice.meaning}",
        _dated("recorded", notice.recording_date),
        _dated("auction", notice.auction_date),
        _dated("judgment", notice.judgment_date),
        f"judgment {money(notice.judgment_amount)}" if notice.judgment_amount else "",
        f"in default {money(notice.default_amount)}" if notice.default_amount else "",
        f"opening bid {money(notice.opening_bid)}" if notice.opening_bid else "",
        f"case {notice.case_number}" if notice.case_number else "",
        f"creditor: {notice.creditor_kind}" if notice.creditor_kind else "",
    ]
    return f"{_joined(parts)} {_origin(notice.source, notice.source_date)}"


def _loan(loan: Loan) -> str:
    """What was lent; a balance is never said to be known."""
    parts = [
        f"{money(loan.amount)} lent" if loan.amount is not None else "amount not given",
        str(loan.day or ""),
        f"by {loan.lender}" if loan.lender else "",
        f"{loan.rate:g} % {(loan.rate_type or '').lower()}".strip() if loan.rate is not None else "",
        f"{loan.term_months} months" if loan.term_months else "",
        f"due {loan.due_date}" if loan.due_date else "",
    ]
    return _joined(parts)


def _conflicts(conflicts: Iterable[Conflict]) -> None:
    for number, found in enumerate(conflicts):
        kept = _origin(found.kept_source, found.kept_date)
        other = _origin(found.other_source, found.other_date)
        name = found.fields.replace("_", " ")
        line(
            "Sources differ" if number == 0 else "", f"{name}: {found.difference}; shown {kept}, not {other}"
        )


def _joined(parts: Iterable[str]) -> str:
    return ", ".join(part for part in parts if part)


def _dated(what: str, day: date | None) -> str:
    return f"{what} {day}" if day else ""


def _origin(source: str, day: date | None) -> str:
    return f"[{source}, {day}]" if day else f"[{source}, undated]"
