"""Balances, equity and returns: the sheet's formulas, its measured errors, and what stays unknown."""

from __future__ import annotations

import random
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadflow_assets.domain.loans import (
    Loan,
    LoanFacts,
    Purchase,
    Value,
    amortized,
    assessed_value,
    assumed_equity,
    choose_value,
    estimate_equity,
    loan_balance,
    loan_rate,
    market_value,
    missing_rate_error,
    months_since,
    returns,
)
from leadflow_assets.domain.loans.balance import Balance
from leadflow_assets.domain.loans.rates import survey
from leadflow_assets.errors import UsageError

ASOF = date(2025, 12, 31)
patient = settings(deadline=None)
DAYS = st.dates(date(1960, 1, 1), date(2030, 12, 31))
LOANS = st.builds(
    Loan,
    amount=st.none() | st.floats(0, 5e6),
    recorded_on=st.none() | DAYS,
    rate=st.none() | st.floats(0, 25),
    term_months=st.none() | st.integers(0, 480),
    is_line=st.booleans(),
    reported_balance=st.none() | st.floats(-1e4, 5e6),
    released_on=st.none() | DAYS,
)
VALUES = st.builds(
    lambda mid, low, high: Value(mid * low, mid, mid * high, "attom_avm"),
    st.floats(1, 1e7),
    st.floats(0.5, 1),
    st.floats(1, 2),
)


# --- Rates


def test_the_survey_has_every_month_and_its_15_years_later() -> None:
    months = list(survey())
    assert (months[0], months[-1], len(months)) == ("1971-04", "2025-12", 657)
    assert survey()["1991-07"][1] is None
    assert survey()["1991-08"][1] is not None


@pytest.mark.parametrize(
    ("day", "term", "source", "month"),
    [
        (date(2012, 6, 15), None, "pmms_30y", "2012-06"),
        (date(2012, 6, 15), 360, "pmms_30y", "2012-06"),
        (date(2012, 6, 15), 180, "pmms_15y", "2012-06"),
        (date(2012, 6, 15), 182, "pmms_15y", "2012-06"),
        (date(1985, 6, 15), 180, "pmms_30y", "1985-06"),
    ],
)
def test_a_missing_rate_is_the_surveys_of_its_month(day: date, term: int, source: str, month: str) -> None:
    rate = loan_rate(None, day, term)
    assert rate is not None
    assert (rate.source, rate.month, rate.after_table) == (source, month, False)
    assert rate.percent == survey()[month][1 if source == "pmms_15y" else 0]


def test_a_stated_rate_is_used_and_edges_of_the_table_are_told() -> None:
    stated = loan_rate(3.25, date(1950, 1, 1))
    assert stated is not None and (stated.percent, stated.source) == (3.25, "stated")
    assert loan_rate(None, date(1971, 3, 31)) is None
    younger = loan_rate(None, date(2026, 5, 1))
    assert younger is not None and (younger.month, younger.after_table) == ("2025-12", True)


# --- One loan


@pytest.mark.parametrize(
    ("amount", "rate", "term", "months", "expected"),
    [
        (300_000, 6.0, 360, 60, 279_163.07),
        (100_000, 0.0, 360, 180, 50_000.0),
        (100_000, 5.0, 360, 0, 100_000.0),
        (100_000, 5.0, 360, 360, 0.0),
        (100_000, 5.0, 360, 999, 0.0),
        (100_000, 10.0, 99_999, 3, 100_000.0),
        (100_000, 1e-14, 360, 180, 50_000.0),
    ],
)
def test_balances_by_the_formula(amount: float, rate: float, term: int, months: int, expected: float) -> None:
    assert amortized(amount, rate, term, months) == pytest.approx(expected, abs=0.01)


def test_a_balance_is_what_the_payments_leave() -> None:
    owed, payment = 250_000.0, 250_000 * (0.045 / 12) / (1 - (1 + 0.045 / 12) ** -240)
    for month in range(1, 241):
        owed = owed * (1 + 0.045 / 12) - payment
        assert amortized(250_000, 4.5, 240, month) == pytest.approx(owed, abs=0.01)


@pytest.mark.parametrize("bad", [(-1, 5, 360, 1), (1, -5, 360, 1), (1, 5, 0, 0), (1, 5, 360, -1)])
def test_what_cannot_be_amortized_is_refused(bad: tuple[float, float, int, int]) -> None:
    with pytest.raises(UsageError, match="cannot be amortized"):
        amortized(*bad)


def test_months_are_whole_and_of_the_past() -> None:
    assert months_since(date(2025, 12, 1), date(2025, 12, 31)) == 0
    assert months_since(date(2025, 11, 30), date(2025, 12, 31)) == 1
    assert months_since(date(2030, 1, 1), ASOF) == 0


@patient
@given(LOANS, DAYS, st.none() | DAYS)
def test_a_balance_is_an_interval_within_what_was_lent(loan: Loan, asof: date, sale: date | None) -> None:
    found = loan_balance(loan, asof, sale)
    if found is None:
        return
    assert 0 <= found.low <= found.mid <= found.high
    if not loan.is_line and loan.reported_balance is None and "released" not in found.flags:
        assert found.high <= (loan.amount or 0) + 1e-6


def test_a_missing_term_widens_the_low_end_to_180_months() -> None:
    found = loan_balance(Loan(200_000, date(2015, 12, 1), 4.0), ASOF)
    months = months_since(date(2015, 12, 1), ASOF)
    assert found is not None and found.flags == ("term_assumed",)
    assert found.mid == found.high == pytest.approx(amortized(200_000, 4.0, 360, months))
    assert found.low == pytest.approx(amortized(200_000, 4.0, 180, months))


def test_a_missing_rate_widens_both_ends_by_the_measured_error() -> None:
    found = loan_balance(Loan(200_000, date(2015, 12, 1), None, 360), ASOF)
    assert found is not None and found.flags == ("rate_missing",)
    assert found.high - found.mid == pytest.approx(200_000 * 0.026)
    assert found.mid - found.low == pytest.approx(200_000 * 0.026)


def test_what_is_over_is_zero_and_what_is_not_told_is_unknown() -> None:
    loan = Loan(200_000, date(2015, 12, 1), 4.0, 360)
    over = {
        "released": loan_balance(Loan(200_000, date(2015, 12, 1), 4.0, released_on=ASOF), ASOF),
        "sold_later": loan_balance(loan, ASOF, date(2020, 1, 1)),
        "paid_off": loan_balance(Loan(200_000, date(1990, 1, 1), 9.0, 360), ASOF),
    }
    for flag, found in over.items():
        assert found is not None and (found.high, found.flags) == (0.0, (flag,))
    # The deed that the loan paid for, and a sale after the day asked for, end nothing.
    for sale in (date(2015, 12, 20), date(2026, 1, 1)):
        still = loan_balance(loan, ASOF, sale)
        assert still is not None and still.mid > 0
    for unknown in (
        Loan(None, date(2015, 1, 1)),
        Loan(1000, None),
        Loan(1000, date(1960, 1, 1)),
        Loan(1000, date(2026, 1, 1)),
    ):
        assert loan_balance(unknown, ASOF) is None


def test_a_credit_line_may_be_drawn_to_its_limit() -> None:
    told = loan_balance(Loan(80_000, date(2019, 1, 1), is_line=True, reported_balance=12_000), ASOF)
    assert told == Balance(12_000, 12_000, 80_000)
    assumed = loan_balance(Loan(80_000, date(2019, 1, 1), is_line=True), ASOF)
    assert assumed is not None
    assert (assumed.low, assumed.mid, assumed.high, assumed.flags) == (0, 40_000, 80_000, ("draw_assumed",))


@pytest.mark.parametrize(
    ("years", "mean", "high_end"),
    [
        ((2020, 2025), 0.31, 1.1),
        ((2010, 2019), 1.01, 2.6),
        ((2000, 2009), 1.14, 2.8),
        ((1996, 1999), 0.48, 1.5),
    ],
)
def test_the_error_of_a_missing_rate_is_the_measured_one(
    years: tuple[int, int], mean: float, high_end: float
) -> None:
    """Note rates drawn around the survey as in the sheet, 30-year loans, as of the end of 2025."""
    rng = random.Random(7)
    errors = []
    for _ in range(4_000):
        day = date(rng.randint(*years), rng.randint(1, 12), rng.randint(1, 28))
        assumed = loan_rate(None, day)
        assert assumed is not None
        months = months_since(day, ASOF)
        rate = max(0.0, assumed.percent + rng.gauss(0.05, 0.45))
        errors.append(abs(amortized(100, rate, 360, months) - amortized(100, assumed.percent, 360, months)))
    assert sum(errors) / len(errors) == pytest.approx(mean, abs=0.1)
    assert sorted(errors)[int(0.95 * len(errors))] == pytest.approx(high_end, abs=0.3)
    assert missing_rate_error(date(years[0], 1, 1)) == high_end


# --- Equity


@patient
@given(VALUES, st.lists(LOANS, max_size=3), DAYS, st.none() | DAYS)
def test_equity_is_an_interval_or_unknown(
    value: Value, loans: list[Loan], asof: date, sale: date | None
) -> None:
    found = estimate_equity(value, [LoanFacts("s", asof, tuple(loans))], asof, sale)
    if found.method == "unknown":
        assert found.why_unknown and found.mid is None and found.cltv_mid is None
        return
    assert found.low is not None and found.mid is not None and found.high is not None
    assert found.cltv_low is not None and found.cltv_mid is not None and found.cltv_high is not None
    assert found.low <= found.mid <= found.high <= value.high
    assert 0 <= found.cltv_low <= found.cltv_mid <= found.cltv_high


VALUE = Value(450_000, 500_000, 550_000, "attom_avm")
OPEN = LoanFacts("ATTOM LOAN_MODEL", date(2025, 6, 1), (Loan(300_000, date(2020, 1, 1), 3.5, 360),))
ESTIMATE = LoanFacts("ATTOM valuation/homeequity", date(2025, 6, 1), balance=260_000)


def test_the_lowest_value_meets_the_highest_balance() -> None:
    found = estimate_equity(VALUE, [ESTIMATE], ASOF)
    assert (found.method, found.low, found.mid, found.high) == ("attom_homeequity", 190_000, 240_000, 290_000)
    assert found.cltv_mid == pytest.approx(52.0)
    assert found.cltv_high == pytest.approx(100 * 260 / 450)
    assert estimate_equity(VALUE, [OPEN, ESTIMATE], ASOF).method == "attom"


@pytest.mark.parametrize(
    ("value", "facts", "sale", "why"),
    [
        (VALUE, [], None, "no_loan_data"),
        (None, [OPEN], None, "no_value"),
        (VALUE, [OPEN], date(2025, 9, 1), "sold_since_loan_data"),
        (VALUE, [LoanFacts("s", date(2026, 1, 1), balance=1.0)], None, "no_loan_data"),
        (VALUE, [LoanFacts("s", None, balance=1.0)], None, "no_loan_data"),
        (VALUE, [LoanFacts("s", ASOF, (Loan(None, ASOF),))], None, "loan_incomplete"),
    ],
)
def test_unknown_stays_unknown(value: Value, facts: list[LoanFacts], sale: date | None, why: str) -> None:
    found = estimate_equity(value, facts, ASOF, sale)
    assert (found.method, found.why_unknown, found.mid) == ("unknown", why, None)


def test_a_source_that_names_no_loan_is_no_missing_source() -> None:
    assert estimate_equity(VALUE, [LoanFacts("s", ASOF, ())], ASOF).mid == VALUE.mid
    incomplete = LoanFacts("s", ASOF, (Loan(None, ASOF),))
    assert estimate_equity(VALUE, [incomplete, ESTIMATE], ASOF).method == "attom_homeequity"


def test_the_market_value_goes_before_the_assessed_one_that_is_labelled() -> None:
    market = market_value(500_000, 450_000, None, date(2025, 1, 1))
    assessed = assessed_value(400_000, 2026, date(2025, 7, 1))
    assert market == Value(450_000, 500_000, 500_000, "attom_avm", day=date(2025, 1, 1))
    assert choose_value([market, assessed], ASOF) == market
    assert choose_value([None, assessed], ASOF) == assessed
    assert assessed is not None and (assessed.source, assessed.fiscal_year) == ("assessed", 2026)
    assert choose_value([market, assessed], date(2020, 1, 1)) is None
    assert market_value(0, None, None, None) is None and assessed_value(0, 2026, None) is None


# --- Scenario and returns


def test_the_scenario_says_that_it_is_one() -> None:
    found = assumed_equity(
        VALUE, Purchase(date(2015, 6, 1), 400_000), ASOF, loan_to_value=75, term_months=360
    )
    rate = survey()["2015-06"][0]
    owed = amortized(300_000, rate, 360, months_since(date(2015, 6, 1), ASOF))
    assert found.method == "assumed"
    assert found.loan_source == "75 percent of the last price over 360 months"
    assert found.mid == pytest.approx(500_000 - owed)
    assert assumed_equity(VALUE, None, ASOF).method == "unknown"
    assert assumed_equity(VALUE, Purchase(date(1950, 1, 1), 9_000), ASOF).why_unknown == "loan_incomplete"
    with pytest.raises(UsageError):
        assumed_equity(VALUE, None, ASOF, loan_to_value=120)


def test_returns_on_the_purchase() -> None:
    bought = Purchase(date(2015, 12, 31), 400_000)
    found = returns(500_000, ASOF, bought, Balance(240_000, 250_000, 260_000))
    assert found is not None
    assert (found.value_change, found.value_change_percent) == (100_000, 25.0)
    assert found.annual_percent == pytest.approx(2.26, abs=0.01)
    assert (found.cash_in, found.roi_percent) == (150_000, pytest.approx(66.67, abs=0.01))
    unknown = returns(500_000, ASOF, bought)
    assert unknown is not None and unknown.roi_percent is None and unknown.cash_in is None
    lately = returns(410_000, ASOF, Purchase(date(2025, 8, 1), 400_000))
    assert lately is not None and lately.annual_percent is None
    assert returns(500_000, ASOF, None) is None
    assert returns(500_000, ASOF, Purchase(date(2026, 1, 1), 1.0)) is None
