"""Rules of matching that need no lake: who may own, where a debtor lives, one case of many rows."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadflow_assets.domain.courts.kinds import CASE_TYPES
from leadflow_assets.domain.courts.parties import ROLES
from leadflow_assets.domain.linkage.case_roles import is_about_one_property, may_own
from leadflow_assets.domain.linkage.divisions import counties_of_petition
from leadflow_assets.domain.linkage.words import explain
from leadflow_assets.domain.towns import all_towns
from leadflow_assets.lake.schemas.case_matches import DECISIONS
from leadflow_assets.search.cases import folded, group_cases

STRANGERS = ("trustee", "us_trustee", "creditor", "tenant", "grantee", "representative", "interested_party")


@given(st.sampled_from(STRANGERS), st.sampled_from(sorted(CASE_TYPES)), st.sampled_from((None, False)))
def test_a_stranger_to_the_property_never_owns_it(role: str, case_type: str, debtor: bool | None) -> None:
    assert not may_own(role, case_type, debtor)


@pytest.mark.parametrize(
    ("role", "case_type", "owns"),
    [
        ("debtor", "bankruptcy_petition", True),
        ("joint_debtor", "bankruptcy_petition", True),
        ("decedent", "probate", True),
        ("grantor", "foreclosure_deed", True),
        ("defendant", "tax_lien_suit", True),
        ("plaintiff", "tax_lien_suit", False),
        ("plaintiff", "eviction", True),
        ("defendant", "eviction", False),
        ("plaintiff", "foreclosure_suit", True),  # the owner sues: Massachusetts forecloses without a court
        ("plaintiff", "servicemembers_case", False),  # the lender
        ("unknown", "bankruptcy_petition", False),
    ],
)
def test_who_may_own(role: str, case_type: str, owns: bool) -> None:
    assert may_own(role, case_type, None) is owns


def test_the_debtor_of_an_adversary_proceeding_may_be_its_plaintiff() -> None:
    assert may_own("plaintiff", "adversary_proceeding", True)
    assert not may_own("plaintiff", "adversary_proceeding", None)


def test_which_cases_are_about_one_property() -> None:
    assert is_about_one_property("order_of_notice", None)
    assert is_about_one_property("recorded_lien", "tax_municipal")
    assert not is_about_one_property("recorded_lien", "judgment")
    assert not is_about_one_property("bankruptcy_petition", None)


@pytest.mark.parametrize(
    ("court", "number", "county", "other"),
    [
        ("mab", "26-10234", "Suffolk", "Berkshire"),
        ("mab", "26-30234", "Hampden", "Worcester"),
        ("mab", "26-40234", "Worcester", "Hampden"),
        ("mab", "1:26-bk-40234", "Worcester", "Suffolk"),
    ],
)
def test_the_number_of_a_petition_tells_the_division(
    court: str, number: str, county: str, other: str
) -> None:
    counties = counties_of_petition(court, number)
    assert county in counties and other not in counties


@given(
    st.sampled_from(("mab", "mad", "nhb")), st.one_of(st.none(), st.text(), st.from_regex(r"\d{2}-\d{4,6}"))
)
def test_a_number_that_tells_nothing_gives_no_county(court: str, number: str | None) -> None:
    counties = counties_of_petition(court, number)
    assert set(counties) <= {town.county for town in all_towns()}
    if court != "mab":
        assert counties == ()


@given(st.text())
def test_folding_a_name_twice_changes_nothing(name: str) -> None:
    assert folded(folded(name)) == folded(name)
    assert folded(f"  {name}, ") == folded(name)


def test_evidence_without_a_weight_is_said_without_one() -> None:
    term = {
        "term": "site",
        "outcome": "several",
        "ours": "address",
        "theirs": "3",
        "share": None,
        "bits": None,
    }
    assert explain([term]) == ["Property: the case names 3 properties together by their address"]


NAMES = ("Anna Anders", "ANNA ANDERS", "Bert Bertram")
_BASE: dict[str, Any] = {
    "town_id": 999,
    "loc_id": "F_1_2",
    "case_type": "bankruptcy_petition",
    "action_type": "bankruptcy_ch13",
    "court": "mab",
    "status": None,
    "stated_source": None,
    "is_debtor": True,
    "owner_number": 0,
    "owner_role": "owner",
    "method": "name",
    "title": "held",
    "weight_bits": 30.0,
    "rivals": 0,
    "unseen": 1e6,
    "evidence": None,
    "evidence_version": "v",
    "decided_at": None,
    "decided_by": None,
    "party_role": "debtor",
    "url": None,
    **dict.fromkeys(
        ("docket_id", "docket_number", "case_name", "chapter", "date_dismissed", "date_discharged")
    ),
    **dict.fromkeys(("recorded_on", "released_on", "amount_claimed", "judgment_amount")),
    **dict.fromkeys(("lien_type", "lien_status", "lien_amount", "date_terminated")),
}


@st.composite
def told(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Rows as mart/case_matches may hold them for a parcel."""
    rows = []
    for number in range(draw(st.integers(0, 12))):
        decision = draw(st.sampled_from((None, None, *DECISIONS)))
        model = draw(st.sampled_from((0.02, 0.4, 0.5, 0.7, 0.94, 0.95, 1.0)))
        tier = decision or ("confirmed" if model >= 0.95 else "possible" if model >= 0.5 else "unconfirmed")
        day = date(2026, 1, 1) + timedelta(days=draw(st.integers(0, 300)))
        rows.append(
            {
                **_BASE,
                "match_id": f"m{number:016x}",
                "case_id": draw(st.sampled_from(("mab:1", "mab:2", "mab:3"))),
                "source": draw(st.sampled_from(("courtlistener", "other"))),
                "property_id": draw(st.sampled_from(("999-1", "999-2"))),
                "party_name": draw(st.sampled_from(NAMES)),
                "represented_by_counsel": draw(st.sampled_from((None, False, True))),
                "model_probability": model,
                "probability": {None: model, "confirmed": 1.0, "rejected": 0.0}[decision],
                "tier": tier,
                "decision": decision,
                "date_filed": day,
                "fetched_at": datetime(2026, 10, 1, tzinfo=UTC),
                "expires_on": draw(st.sampled_from((None, day))),
            }
        )
    return rows


@given(told(), st.randoms(use_true_random=False))
def test_each_case_is_told_once_in_whatever_order_its_rows_come(
    rows: list[dict[str, Any]], dice: random.Random
) -> None:
    cases = group_cases(rows)
    assert len({case.case_id for case in cases}) == len(cases)
    ids = [party.match_id for case in cases for party in case.parties]
    assert len(ids) == len(set(ids))
    shuffled = list(rows)
    dice.shuffle(shuffled)
    assert group_cases(shuffled) == cases


@given(told())
def test_a_no_is_never_shown_and_a_yes_always(rows: list[dict[str, Any]]) -> None:
    shown = {party.match_id for case in group_cases(rows) for party in case.parties}
    for row in rows:
        claim = (row["case_id"], row["property_id"], folded(row["party_name"]))
        refused = any(
            other["decision"] == "rejected"
            and (other["case_id"], other["property_id"], folded(other["party_name"])) == claim
            for other in rows
        )
        if row["decision"] == "confirmed":
            assert row["match_id"] in shown
        elif row["decision"] == "rejected":
            assert row["match_id"] not in shown
        else:
            assert (row["match_id"] in shown) is not refused


@given(told())
def test_the_surest_match_of_a_case_speaks_for_it(rows: list[dict[str, Any]]) -> None:
    order = ("confirmed", "possible", "unconfirmed")
    cases = group_cases(rows)
    ranks = [(order.index(case.tier), -case.probability) for case in cases]
    assert ranks == sorted(ranks)
    for case in cases:
        assert (case.tier, case.probability) == min(
            ((party.tier, party.probability) for party in case.parties),
            key=lambda told: (order.index(told[0]), -told[1]),
        )
        assert case.represented_by_counsel == (
            any(party.represented_by_counsel for party in case.parties)
            if any(party.represented_by_counsel is not None for party in case.parties)
            else None
        )


def test_every_role_is_decided_for_every_case() -> None:
    owning = {role for role in ROLES for case_type in CASE_TYPES if may_own(role, case_type, None)}
    assert {"owner", "debtor", "joint_debtor", "decedent", "grantor", "defendant", "plaintiff"} <= owning
    assert owning.isdisjoint(STRANGERS)
