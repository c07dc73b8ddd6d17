"""The rules of leads: who is one, how they are graded, what stands beside the grade."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadflow_assets.domain.distress.table import load_table
from leadflow_assets.domain.leads import (
    EQUITY_BANDS,
    GRADES,
    OPPORTUNITIES,
    REACHES,
    STATUSES,
    equity_band,
    grade,
    lead_id,
    notices_of,
    opportunity,
    reach,
    reason_line,
)
from leadflow_assets.domain.owners import OWNER_TYPES
from leadflow_assets.domain.worth_asking import SETTLES, points_per_cent, room, settled_groups
from leadflow_assets.enrich.choice import Candidate
from leadflow_assets.sources.attom.endpoints import ENDPOINTS
from leadflow_assets.state.models_leads import LEAD_STATUSES


@pytest.mark.parametrize(
    ("score", "coverage", "expected"),
    [
        (100.0, 1.0, "A"),
        (40.0, 0.32, "A"),
        (39.9, 1.0, "B"),
        (20.0, 0.2, "B"),
        (19.9, 0.5, "C"),
        (8.0, 0.1, "C"),
        (7.9, 0.5, "D"),
        (0.0, 0.5, "D"),
        (7.9, 0.49, "U"),
        (0.0, 0.0, "U"),
    ],
)
def test_a_grade_follows_the_rule(score: float, coverage: float, expected: str) -> None:
    assert grade(score, coverage) == expected


@given(st.floats(0, 100), st.floats(0, 1), st.floats(0, 100), st.floats(0, 1))
def test_a_higher_score_never_has_a_worse_grade_of_a_to_c(a: float, x: float, b: float, y: float) -> None:
    better, worse = grade(max(a, b), x), grade(min(a, b), y)
    assert GRADES.index(better) <= GRADES.index(worse) or {better, worse} == {"D", "U"}


def test_owners_with_one_address_are_one_lead_and_namesakes_are_not() -> None:
    one = lead_id("DOE JANE", "02019|12 ELM ST", "025-1")
    assert one == lead_id("DOE JANE", "02019|12 ELM ST", "999-2")
    assert one != lead_id("DOE JANE", "02019|14 ELM ST", "025-1")
    assert one != lead_id("DOE JOHN", "02019|12 ELM ST", "025-1")
    assert lead_id("DOE JANE", None, "025-1") != lead_id("DOE JANE", None, "025-2")
    assert one.startswith("lead-") and "DOE" not in one


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (None, None, "unknown"),
        (10.0, 59.9, "large"),
        (10.0, 60.0, "some"),
        (79.0, 80.0, "thin"),
        (50.0, 100.0, "negative"),
        (None, 30.0, "large"),
    ],
)
def test_the_cautious_end_decides_the_band(low: float | None, high: float | None, expected: str) -> None:
    assert equity_band(low, high) == expected


@pytest.mark.parametrize(
    ("address", "zip_", "country", "is_site", "occupancy", "expected"),
    [
        ("12 ELM ST", "02019", None, False, "owner_occupied", "home"),
        ("12 ELM ST", "02019", "USA", False, "absentee_in_state", "post"),
        ("12 ELM ST", "02019", None, True, "uncertain", "site_assumed"),
        ("12 RUE NEUVE", "75001", "FRANCE", False, "absentee_out_of_state", "abroad"),
        (None, "02019", None, False, "owner_occupied", "incomplete"),
        ("12 ELM ST", None, None, False, "owner_occupied", "incomplete"),
    ],
)
def test_how_post_reaches_them(
    address: str | None, zip_: str | None, country: str | None, is_site: bool, occupancy: str, expected: str
) -> None:
    found = reach(address, None, "MA", zip_, country, is_site=is_site, occupancy=occupancy)
    assert found == expected


@given(st.sampled_from(EQUITY_BANDS), st.sampled_from(OWNER_TYPES), st.sampled_from(REACHES))
def test_opportunity_is_unknown_where_equity_is_and_never_high_without_reach(
    band: str, owner: str, reached: str
) -> None:
    found = opportunity(band, owner, reached)
    assert found in OPPORTUNITIES
    if reached == "incomplete" or band in ("thin", "negative"):
        assert found == "low"
    elif band == "unknown":
        assert found == "unknown"
    assert found != "high" or (band == "large" and reached in ("home", "post"))


def test_a_reason_says_what_when_by_whom_and_how_likely() -> None:
    line = reason_line("open bankruptcy", 10.29, date(2026, 5, 4), "courtlistener", 0.72)
    assert line == "open bankruptcy, 2026-05-04 (CourtListener), link 72% likely: 10.3 points"
    assert reason_line("owner lives out of state", 4.0, None, None, 1.0) == (
        "owner lives out of state: 4.0 points"
    )


def test_foreclosure_and_bankruptcy_are_marked() -> None:
    table = load_table()
    assert notices_of(["bankruptcy", "sale_notice"], table) == ("in_foreclosure", "in_bankruptcy")
    assert notices_of(["absentee_in_state", "estate"], table) == ()


def test_the_database_knows_the_same_statuses() -> None:
    assert LEAD_STATUSES == STATUSES


def test_what_asking_may_bring_is_the_unknown_part_that_the_endpoints_settle() -> None:
    groups = settled_groups(["homeequity", "preforeclosuredetails", "attomavm"])
    assert groups == {"foreclosure", "leverage"}
    assert groups <= {group.name for group in load_table().groups}
    assert SETTLES.keys() <= ENDPOINTS.keys()
    unknown = {"foreclosure": 40.0, "tax": 25.0, "leverage": 0.0}
    assert room(unknown, groups) == 40.0
    assert room(unknown, settled_groups(["attomavm"])) == 0.0
    assert points_per_cent(40.0, Decimal(20)) == 2.0
    assert points_per_cent(40.0, Decimal(0)) == 40.0


def test_why_asking_brings_nothing_is_said_as_it_is() -> None:
    told = Candidate("p", (), None, 40.0, Decimal(20)).worth
    assert told == "may add up to 40 points for 20 cents (2.00 points per cent)"
    assert "answered lately" in Candidate("p", (), None, 0.0, Decimal(20)).worth
    other = Candidate("p", (), None, 0.0, Decimal(10), tells=False).worth
    assert other == "no part of the score is told by what is asked"
