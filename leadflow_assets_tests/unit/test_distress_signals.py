"""Signals of a property as of a day: activity, clearing, roles, and what could be known (all invented)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from leadflow_assets.domain.distress import score
from leadflow_assets.domain.distress.facts import (
    Asked,
    CaseFact,
    LienRecord,
    Notice,
    PropertyFacts,
    Sale,
    facts_of,
)
from leadflow_assets.domain.distress.signals import Derived, cltv_factor, derive
from leadflow_assets.domain.loans import Loan, LoanFacts, Value
from leadflow_assets.search.parcel.worth import Scenario, Worth, worth_of

ASOF = date(2026, 11, 22)
TOLD = date(2026, 11, 1)
ROLL = date(2026, 3, 1)
BASE = PropertyFacts(
    owner_type="person",
    owner_name="DOE, JANE",
    owner_count=1,
    occupancy="owner_occupied",
    roll_date=ROLL,
    roll_seen_on=date(2026, 4, 1),
    fiscal_year=2026,
    roll_sale_date=date(2010, 5, 1),
    sales=(Sale(date(2010, 5, 1), True, ROLL),),
    foreclosure_source="ATTOM preforeclosuredetails",
    foreclosure_date=TOLD,
    liens_source="ATTOM LIENS",
    liens_date=TOLD,
)
CASE = CaseFact("bankruptcy_petition", "debtor", 0.9, filed_on=date(2026, 5, 1), known_on=date(2026, 5, 3))


def _derive(cases: tuple[CaseFact, ...] = (), asked: Asked | None = None, **facts: Any) -> Derived:
    return derive(replace(BASE, **facts), ASOF, asked, cases)


def _found(derived: Derived) -> dict[str, str]:
    """Factors with why they are history; empty where they are not."""
    return {signal.factor: signal.cleared for signal in derived.signals}


def _ago(days: int) -> date:
    return ASOF - timedelta(days=days)


# --- The roll


@pytest.mark.parametrize(
    ("facts", "factors"),
    [
        ({}, []),
        ({"occupancy": "absentee_out_of_state"}, ["absentee_out_of_state"]),
        ({"occupancy": "absentee_in_state"}, ["absentee_in_state"]),
        ({"occupancy": "uncertain"}, []),
        ({"owner_type": "estate", "owner_name": "ESTATE OF JANE DOE"}, ["estate"]),
        ({"owner_type": "estate", "owner_name": "HEIRS OF JANE DOE"}, ["heirs"]),
        ({"owner_type": "estate", "owner_name": "DOE JANE EST HEIRS OF"}, ["estate", "heirs"]),
        ({"owner_count": 2}, []),
        ({"owner_count": 3}, ["heirs"]),
        ({"owner_type": "trust", "owner_count": 3}, []),
        ({"owner_tax_title": True}, ["tax_taking"]),
    ],
)
def test_what_the_roll_says(facts: dict[str, Any], factors: list[str]) -> None:
    derived = _derive(**facts)
    assert sorted(signal.factor for signal in derived.signals) == factors
    assert {signal.event_date for signal in derived.signals} <= {ROLL}
    assert {signal.source_date for signal in derived.signals} <= {date(2026, 4, 1)}


def test_a_sale_that_the_roll_does_not_show_makes_its_owner_history() -> None:
    deed = Sale(date(2026, 6, 1), True, date(2026, 7, 1))
    derived = _derive(
        owner_type="estate",
        owner_name="ESTATE OF JANE DOE",
        occupancy="absentee_in_state",
        owner_tax_title=True,
        sales=(*BASE.sales, deed),
    )
    found = _found(derived)
    assert found["estate"].startswith("sold on 2026-06-01")
    assert found["absentee_in_state"].startswith("sold on 2026-06-01")
    assert found["tax_taking"] == ""  # stays with the land
    assert not {"absentee_in_state", "absentee_out_of_state"} & derived.known
    for same_owner in (
        replace(deed, is_market=False),  # nominal: a trust of their own
        replace(deed, day=date(2010, 5, 20)),  # the deed of the sale that the roll shows
        replace(deed, known_on=ASOF + timedelta(days=1)),
    ):
        assert "absentee_in_state" in _derive(sales=(*BASE.sales, same_owner)).known


# --- Foreclosure


@pytest.mark.parametrize(
    ("notice", "counts"),
    [
        (Notice("sale_notice", _ago(20), ASOF + timedelta(days=10)), {"auction_scheduled", "sale_notice"}),
        (Notice("sale_notice", _ago(90), _ago(59)), {"auction_scheduled", "sale_notice"}),
        (Notice("sale_notice", _ago(90), _ago(60)), set()),
        (Notice("sale_notice", _ago(90), ASOF + timedelta(days=365)), set()),
        (Notice("sale_notice", _ago(364)), {"sale_notice"}),
        (Notice("sale_notice", _ago(365)), set()),
        (Notice("lis_pendens", _ago(729)), {"foreclosure_complaint"}),
        (Notice("lis_pendens", _ago(730)), set()),
        (Notice("default_notice", _ago(100)), {"default_notice"}),
        (Notice(None, _ago(100), ASOF + timedelta(days=3)), {"auction_scheduled"}),
        (Notice(None, _ago(100)), set()),
    ],
)
def test_a_notice_counts_while_it_is_active(notice: Notice, counts: set[str]) -> None:
    found = _found(_derive(notices=(notice,)))
    assert {name for name, cleared in found.items() if not cleared} == counts


def test_a_sale_after_the_notice_makes_it_an_earlier_owners() -> None:
    notice = Notice("default_notice", _ago(100))
    assert (
        _found(_derive(notices=(notice,), sales=(Sale(_ago(50), True),)))["default_notice"]
        == f"sold on {_ago(50)}"
    )
    assert _found(_derive(notices=(notice,), sales=(Sale(_ago(150), True),)))["default_notice"] == ""
    assert _found(_derive(notices=(notice,), sales=(Sale(_ago(50), False),)))["default_notice"] == ""


def test_a_notice_of_the_future_is_a_fault_of_its_source() -> None:
    derived = _derive(notices=(Notice("default_notice", ASOF + timedelta(days=9)),))
    record = score(derived.signals, ASOF, derived.known)
    assert (record.score, record.faults) == (0.0, 1)


# --- Tax, liens, loans


@pytest.mark.parametrize(
    ("year", "factor", "event"),
    [
        (2023, "tax_delinquent_2_years", date(2023, 12, 31)),
        (2024, "tax_delinquent_2_years", date(2024, 12, 31)),
        (2025, "tax_delinquent_1_year", date(2025, 12, 31)),
        (2026, "tax_delinquent_1_year", TOLD),
        (2027, "tax_delinquent_1_year", date(2027, 12, 31)),  # refused as an event to come
        (99999, "tax_delinquent_1_year", None),
    ],
)
def test_unpaid_tax_by_its_year(year: int, factor: str, event: date | None) -> None:
    derived = _derive(tax_delinquent_year=year, tax_source="ATTOM TAX_ASSESSOR", tax_date=TOLD)
    assert [(signal.factor, signal.event_date) for signal in derived.signals] == [(factor, event)]
    record = score(derived.signals, ASOF)
    assert record.faults == (year > 2026)


@pytest.mark.parametrize(
    ("kind", "factor"),
    [
        ("Federal Tax Lien", "tax_lien"),
        ("IRS", "tax_lien"),
        ("State tax lien", "tax_lien"),
        ("Municipal tax lien", "tax_taking"),
        ("Abstract of Judgment", "judgment_lien"),
        ("MECHANICS LIEN", "judgment_lien"),
        ("HOA lien", None),
        (None, None),
    ],
)
def test_liens_by_their_kind_until_they_are_released(kind: str | None, factor: str | None) -> None:
    lien = LienRecord(kind, _ago(300))
    assert _found(_derive(liens=(lien,))) == ({factor: ""} if factor else {})
    released = _found(_derive(liens=(replace(lien, released_on=_ago(9)),)))
    assert released == ({factor: f"released on {_ago(9)}"} if factor else {})
    later = _found(_derive(liens=(replace(lien, released_on=ASOF + timedelta(days=9)),)))
    assert later == ({factor: ""} if factor else {})


@pytest.mark.parametrize(
    ("cltv", "factor"),
    [(79.9, None), (80, "cltv_80"), (90, "cltv_90"), (99.9, "cltv_90"), (100, "cltv_100"), (140, "cltv_100")],
)
def test_bands_of_leverage(cltv: float, factor: str | None) -> None:
    assert cltv_factor(cltv) == factor
    value = Value(90_000, 100_000, 125_000, "attom_avm", day=TOLD)
    derived = _derive(values=(value,), loans=(LoanFacts("ATTOM homeequity", TOLD, balance=1000 * cltv),))
    assert [signal.factor for signal in derived.signals] == ([factor] if factor else [])
    assert "leverage" in derived.known
    if factor == "cltv_90":
        assert "low and high fall in different bands" in derived.signals[0].note


def test_a_scenario_and_unknown_loans_say_nothing_of_leverage() -> None:
    value = Value(90_000, 100_000, 110_000, "assessed", 2026)
    unknown = _derive(values=(value,), sales=(Sale(date(2020, 1, 1), True),))
    assert "leverage" not in unknown.known and unknown.equity.method == "unknown"
    old = LoanFacts("ATTOM homeequity", _ago(61), balance=10_000.0)
    assert "leverage" not in _derive(values=(value,), loans=(old,)).known


# --- Cases


@pytest.mark.parametrize(
    ("change", "factor"),
    [
        ({}, "bankruptcy"),
        ({"role": "creditor"}, None),
        ({"role": "unknown"}, "bankruptcy"),
        ({"role": "unknown", "is_debtor": False}, None),
        ({"case_type": "adversary_proceeding"}, None),
        ({"case_type": "servicemembers_case", "role": "defendant"}, "foreclosure_complaint"),
        ({"case_type": "servicemembers_case", "role": "plaintiff"}, None),
        ({"case_type": "order_of_notice", "role": "owner"}, "foreclosure_complaint"),
        ({"case_type": "tax_lien_case", "role": "owner"}, "tax_taking"),
        ({"case_type": "tax_lien_suit", "role": "defendant"}, "tax_lien"),
        ({"case_type": "civil_judgment", "role": "defendant"}, "judgment_lien"),
        ({"case_type": "other_civil", "role": "defendant"}, None),
        ({"case_type": "other_civil", "role": "defendant", "status": "judgment"}, "judgment_lien"),
        ({"case_type": "eviction", "role": "plaintiff"}, "eviction_plaintiff"),
        ({"case_type": "eviction", "role": "defendant"}, None),
        ({"case_type": "probate", "role": "decedent"}, "estate"),
        ({"case_type": "probate", "role": "representative"}, None),
        ({"case_type": "recorded_lien", "role": "owner", "lien_type": "mechanics"}, "judgment_lien"),
        ({"case_type": "recorded_lien", "role": "owner", "lien_type": "irs"}, "tax_lien"),
        ({"case_type": "recorded_lien", "role": "owner", "lien_type": "mortgage"}, None),
        ({"case_type": "federal_criminal", "role": "defendant"}, None),
    ],
)  # fmt: skip
def test_which_case_is_which_factor(change: dict[str, Any], factor: str | None) -> None:
    derived = _derive((replace(CASE, **change),))
    assert [signal.factor for signal in derived.signals] == ([factor] if factor else [])


@pytest.mark.parametrize(
    ("change", "cleared"),
    [
        ({"dismissed_on": _ago(10)}, f"dismissed on {_ago(10)}"),
        ({"discharged_on": _ago(10)}, f"discharged on {_ago(10)}"),
        ({"terminated_on": _ago(10)}, f"closed on {_ago(10)}"),
        ({"terminated_on": ASOF + timedelta(days=10)}, ""),
        ({"status": "closed"}, "closed"),
        ({"status": "active"}, ""),
        ({"title": "bought_later"}, "the owner bought after it was filed"),
        ({"filed_on": date(2010, 4, 30)}, "sold on 2010-05-01"),
        # Other cases end with what they asked for.
        ({"case_type": "servicemembers_case", "role": "owner", "terminated_on": _ago(10)}, ""),
        ({"case_type": "servicemembers_case", "role": "owner", "status": "dismissed"}, "dismissed"),
        ({"case_type": "order_of_notice", "role": "owner", "filed_on": _ago(730)}, "two years old or older"),
        ({"case_type": "recorded_lien", "lien_type": "irs", "lien_status": "discharged"}, "lien discharged"),
        ({"case_type": "recorded_lien", "lien_type": "irs", "released_on": ASOF}, f"released on {ASOF}"),
    ],
)  # fmt: skip
def test_what_makes_a_case_history(change: dict[str, Any], cleared: str) -> None:
    assert [signal.cleared for signal in _derive((replace(CASE, **change),)).signals] == [cleared]


@pytest.mark.parametrize(
    ("change", "probability"),
    [({}, 0.9), ({"decision": "confirmed"}, 1.0), ({"decision": "rejected"}, 0.0),
     ({"method": "parcel_id"}, 1.0), ({"method": "site_address"}, 0.9)],
)  # fmt: skip
def test_how_sure_a_case_is(change: dict[str, Any], probability: float) -> None:
    assert [signal.probability for signal in _derive((replace(CASE, **change),)).signals] == [probability]


def test_expired_cases_say_nothing_and_later_ones_are_not_known_yet() -> None:
    assert _derive((replace(CASE, expires_on=_ago(1)),)).signals == ()
    assert len(_derive((replace(CASE, expires_on=ASOF),)).signals) == 1
    derived = _derive((replace(CASE, known_on=ASOF + timedelta(days=1)),))
    assert score(derived.signals, ASOF, derived.known).lines[0].why_not == "not_yet_known"


def test_a_foreclosure_deed_ends_the_earlier_owners_affairs() -> None:
    deed = CaseFact(
        "foreclosure_deed", "owner", 0.95, recorded_on=date(2026, 8, 1), known_on=date(2026, 9, 1)
    )
    assert _found(_derive((CASE, deed)))["bankruptcy"] == "sold on 2026-08-01"
    for no_deed in (replace(deed, probability=0.94), replace(deed, decision="rejected")):
        assert _found(_derive((CASE, no_deed)))["bankruptcy"] == ""


# --- What is known, and where no score applies


def test_only_what_was_asked_and_is_fresh_is_known() -> None:
    plain = replace(BASE, foreclosure_source=None, liens_source=None)
    absentee = {"absentee_in_state", "absentee_out_of_state"}
    assert derive(plain, ASOF).known == absentee
    assert derive(replace(plain, occupancy="uncertain"), ASOF).known == frozenset()
    assert derive(replace(plain, roll_date=_ago(600)), ASOF).known == frozenset()
    assert derive(BASE, ASOF).known == absentee | {"foreclosure", "tax_lien", "judgment_lien"}
    asked = Asked({"foreclosure": _ago(60), "tax": _ago(61), "liens": ASOF + timedelta(days=1)})
    assert derive(plain, ASOF, asked).known == absentee | {"foreclosure"}
    covered = Asked(covered=frozenset({"bankruptcy_petition", "servicemembers_case", "eviction", "probate"}))
    wanted = absentee | {"foreclosure", "bankruptcy", "eviction_plaintiff"}
    assert derive(plain, ASOF, covered).known == wanted
    file = replace(plain, tax_source="ATTOM TAX_ASSESSOR", tax_date=TOLD)
    assert "tax" in derive(file, ASOF).known
    assert "tax" not in derive(replace(file, tax_source="ATTOM expandedprofile"), ASOF).known


def test_before_any_data_nothing_is_known() -> None:
    facts = replace(BASE, owner_type="estate", owner_name="ESTATE OF JANE DOE")
    derived = derive(facts, date(2020, 1, 1), None, (CASE,))
    record = score(derived.signals, date(2020, 1, 1), derived.known)
    assert (record.status, record.score, record.coverage, record.high) == ("unknown", 0.0, 0.0, 100.0)
    assert record.faults == 0


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({}, None),
        ({"owner_type": "bank"}, "bank"),
        ({"owner_type": "government", "owner_tax_title": True}, "government"),
        ({"owner_type": "condominium_association"}, "condominium_association"),
        ({"owner_type": "nonprofit"}, None),
        ({"is_condominium_master": True}, "condominium_master"),
        ({"notices": (Notice("bank_owned", _ago(90)),)}, "bank_owned"),
        ({"notices": (Notice("bank_owned", _ago(90)),), "sales": (Sale(_ago(30), True),)}, None),
        ({"notices": (Notice("bank_owned", _ago(90)),), "foreclosure_date": ASOF + timedelta(days=1)}, None),
        ({"notices": (Notice("bank_owned"),)}, "bank_owned"),
        ({"notices": (Notice("bank_owned"),), "foreclosure_date": _ago(90), "sales": (Sale(_ago(30), True),)},
         None),
    ],
)  # fmt: skip
def test_where_no_score_applies(facts: dict[str, Any], reason: str | None) -> None:
    assert _derive(**facts).not_applicable == reason


def test_vacancy_is_only_ever_a_sources_word() -> None:
    assert "vacant" not in derive(BASE, ASOF).known
    told = {"vacant_source": "ATTOM", "vacant_date": TOLD}
    vacant = _derive(vacant=True, **told)
    assert _found(vacant) == {"vacant": ""} and "vacant" in vacant.known
    lived_in = _derive(vacant=False, **told)
    assert _found(lived_in) == {} and "vacant" in lived_in.known


def test_facts_of_a_row_of_the_table() -> None:
    row: dict[str, Any] = dict.fromkeys(_COLUMNS)
    row |= {
        "owner_type": "person",
        "owner_name": "DOE, JANE",
        "owner_count": 1,
        "owner_tax_title": False,
        "is_condominium_master": False,
        "occupancy": "owner_occupied",
        "source": "MassGIS L3",
        "source_date": ROLL,
        "fiscal_year": 2026,
        "total_value": 400_000,
        "last_sale_date": date(2012, 1, 1),
        "sale_is_nominal": False,
        "mortgage_source": "ATTOM detailmortgageowner",
        "mortgage_source_date": TOLD,
        "mortgage_found": True,
        "mortgage_amount": 300_000,
        "mortgage_date": date(2020, 1, 15),
        "mortgage_rate_type": "Adjustable",
        "equity_source": "ATTOM LOAN_MODEL",
        "equity_source_date": TOLD,
        "loan_to_value": 50.0,
        "avm_value": 500_000,
        "avm_source_date": TOLD,
        "open_loans": [
            {"original_amount": 50_000, "recording_date": date(2021, 1, 1), "kind": "E", "rate": None}
        ],
        "foreclosure_source": "ATTOM preforeclosuredetails",
        "foreclosure_stage": "lis_pendens",
        "foreclosure_recording_date": date(2026, 6, 1),
    }
    facts = facts_of(row)
    lines, estimate, mortgages = facts.loans
    assert lines.loans == (Loan(50_000, date(2021, 1, 1), is_line=True),)
    assert estimate.balance == 250_000
    assert mortgages.loans == (Loan(300_000, date(2020, 1, 15), is_adjustable=True),)
    assert [signal.factor for signal in derive(facts, ASOF).signals] == ["foreclosure_complaint"]
    second = facts_of(row | {"equity_source": None, "second_mortgage_date": date(2024, 3, 1)})
    first = Loan(300_000, date(2020, 1, 15), is_adjustable=True)
    assert second.loans[0].loans == (first, Loan(None, date(2024, 3, 1)))
    equity = derive(second, ASOF).equity
    assert (equity.method, equity.why_unknown) == ("unknown", "loan_incomplete")
    none = facts_of(
        row | {"mortgage_found": False, "mortgage_date": None, "mortgage_amount": None, "equity_source": None}
    )
    assert [fact.loans for fact in none.loans] == [()]
    lien = {"kind": "IRS", "recording_date": TOLD, "released_on": None, "document_number": "7"}
    listed = facts_of(row, notices=[], liens=[lien])
    assert [s.factor for s in derive(replace(listed, liens_source="ATTOM LIENS"), ASOF).signals] == [
        "tax_lien"
    ]


def test_a_report_reckons_from_the_sale_of_the_present_owner() -> None:
    row: dict[str, Any] = dict.fromkeys((*_COLUMNS, "deed_sale_is_estimated")) | {
        "owner_type": "person",
        "owner_count": 1,
        "occupancy": "owner_occupied",
        "source_date": ROLL,
        "fiscal_year": 2026,
        "total_value": 400_000,
        "last_sale_date": date(2012, 1, 1),
        "last_sale_price": 200_000,
        "sale_is_market": True,
        "sale_is_nominal": False,
    }
    scenario = Scenario(80, 360)
    assert _gained(worth_of(row, ASOF, scenario)) == 200_000
    row |= {"deed_sale_date": date(2025, 9, 1), "deed_sale_price": 390_000, "deed_source_date": TOLD}
    later = worth_of(row, ASOF, scenario)
    assert _gained(later) == 10_000 and later.assumed is not None and later.assumed.balance is not None
    assert later.assumed.balance.high == pytest.approx(0.8 * 390_000, rel=0.02)
    guessed = worth_of(row | {"deed_sale_is_estimated": True}, ASOF, scenario)
    assert (guessed.returned, guessed.assumed) == (None, None)
    same = worth_of(row | {"deed_sale_date": date(2012, 1, 20)}, ASOF, scenario)
    assert _gained(same) == 200_000
    loan = {"mortgage_source": "ATTOM detailmortgageowner", "mortgage_source_date": TOLD,
            "mortgage_found": True, "mortgage_date": date(2025, 9, 1)}  # fmt: skip
    known = worth_of(row | loan, ASOF, scenario)
    assert (known.equity.why_unknown, known.assumed) == ("loan_incomplete", None)


def _gained(worth: Worth) -> float | None:
    return worth.returned.value_change if worth.returned else None


_COLUMNS = (
    "owner_type", "owner_name", "owner_count", "owner_tax_title", "is_condominium_master", "occupancy",
    "source", "source_date", "fetched_at", "fiscal_year", "last_sale_date", "sale_is_nominal", "total_value",
    "avm_value", "avm_low", "avm_high", "avm_date", "avm_source_date", "open_loans", "loan_balance",
    "loan_to_value", "equity_source", "equity_source_date", "mortgage_source", "mortgage_source_date",
    "mortgage_found", "mortgage_amount", "mortgage_date", "mortgage_rate", "mortgage_rate_type",
    "mortgage_term_months", "mortgage_loan_type", "second_mortgage_amount", "second_mortgage_date",
    "foreclosure_source", "foreclosure_source_date", "foreclosure_stage", "foreclosure_recording_date",
    "foreclosure_auction_date", "foreclosure_case_number", "tax_delinquent_year", "tax_source",
    "tax_source_date", "liens_source", "liens_source_date", "deed_sale_date", "deed_sale_price",
    "deed_sale_is_nominal", "deed_source", "deed_source_date",
)  # fmt: skip
