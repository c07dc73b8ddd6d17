"""Saved lists of properties with court cases: who comes, who goes, and that the reason names the case."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from leadflow_assets.domain.courts.kinds import CASE_TYPES
from leadflow_assets.domain.courts.notices import case_notices, notices
from leadflow_assets.domain.towns import SAMPLETON
from leadflow_assets.lake.lake import Lake
from leadflow_assets.sampleton import Planted
from leadflow_assets.search.case_rows import mark
from leadflow_assets.search.criteria import SearchCriteria
from leadflow_assets.search.engine import open_searcher
from leadflow_assets.search.index import build_index
from leadflow_assets.search.lists.case_reasons import ONE, case_changes
from leadflow_assets.search.lists.service import SavedLists
from leadflow_assets.search.lists.store import ListChange
from leadflow_assets.settings import Settings
from leadflow_assets_tests.integration.case_helpers import a_match, publish_matches
from leadflow_assets_tests.integration.pipeline_helpers import refresh, settings_for

BANKRUPT = SearchCriteria(cases=("bankruptcy_petition",))
FAR_OFF = date(2999, 1, 1)


# --- In words


def test_each_type_of_case_has_words_of_its_own() -> None:
    assert ONE.keys() == CASE_TYPES.keys() and len(set(ONE.values())) == len(ONE)


PETITION = "bankruptcy_petition|2026-10-02|confirmed"


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        ([], [PETITION], "a bankruptcy petition was filed 2026-10-02"),
        (
            [], ["bankruptcy_petition|2026-10-02|possible"],
            "a bankruptcy petition was filed 2026-10-02 (possible match)",
        ),
        ([], ["bankruptcy_petition||confirmed"], "a bankruptcy petition is tied to it now"),
        ([PETITION], [], "a bankruptcy petition filed 2026-10-02 is not tied to it any more"),
        (
            ["bankruptcy_petition|2026-10-02|possible"], [PETITION],
            "a bankruptcy petition filed 2026-10-02 is confirmed now, was possible",
        ),
        ([PETITION], [PETITION], ""),
        (["probate|2026-01-01|confirmed"], [PETITION, "probate|2026-01-01|confirmed"],
         "a bankruptcy petition was filed 2026-10-02"),
        ([], [PETITION, "recorded_lien|2026-11-11|confirmed"], "a bankruptcy petition was filed 2026-10-02"),
        ([], ["recorded_lien|2026-11-11|confirmed"], "a lien was recorded 2026-11-11"),
    ],
)  # fmt: skip
def test_what_changed_is_told_in_words(before: list[str], now: list[str], told: str) -> None:
    assert case_changes(before, now, BANKRUPT) == told


MARKS = st.lists(
    st.builds(
        lambda kind, day, tier: mark({"case_type": kind, "filed": day, "tier": tier}),
        st.sampled_from(list(CASE_TYPES)),
        st.none() | st.dates(date(2020, 1, 1), date(2027, 1, 1)),
        st.sampled_from(["confirmed", "possible"]),
    ),
    max_size=9,
)


@given(before=MARKS, now=MARKS)
def test_a_change_is_always_told_and_none_never(before: list[str], now: list[str]) -> None:
    told = case_changes(before, now, SearchCriteria(cases=("any",)))
    assert bool(told) == (sorted(before) != sorted(now))


def test_of_an_eviction_only_its_type_is_remembered() -> None:
    one, other = ({"case_type": "eviction", "filed": day, "tier": t} for day, t in
                  ((date(2026, 1, 2), "confirmed"), (date(2025, 3, 4), "possible")))  # fmt: skip
    assert mark(one) == mark(other) == "eviction||"
    assert (
        case_changes([], [mark(one)], SearchCriteria(cases=("eviction",))) == "an eviction is tied to it now"
    )


@pytest.mark.parametrize("case_type", CASE_TYPES)
def test_every_warning_says_that_it_is_no_advice(case_type: str) -> None:
    assert all(text.endswith("not legal advice.") for text in notices([case_type]))
    bankrupt = case_type in ("bankruptcy_petition", "adversary_proceeding")
    told = " ".join(case_notices(case_type, None))
    assert ("362" in told, "counsel" in told) == (bankrupt, bankrupt)
    assert "counsel" not in " ".join(case_notices(case_type, False))


# --- On a lake


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, sample_package: tuple[Path, Planted]) -> Settings:
    settings = settings_for(tmp_path_factory.mktemp("lists") / "data", leadflow_demo=True)
    assert refresh(settings, SAMPLETON, sample_package[0]).status == "refreshed"
    return settings


@pytest.fixture
def settings(lake: Settings, tmp_path: Path) -> Settings:
    """The shared lake, with lists of this test's own."""
    return lake.model_copy(update={"database_url": SecretStr(f"sqlite:///{tmp_path / 'state.sqlite'}")})


@pytest.fixture(scope="module")
def ids(lake: Settings) -> list[str]:
    with open_searcher(lake) as searcher:
        return searcher.ids(SearchCriteria())[:6]


def refreshed(settings: Settings, name: str, rows: Sequence[dict[str, Any]]) -> ListChange:
    """Publish other matches, then refresh the list."""
    publish_matches(settings, rows, towns=[999])
    with SavedLists(settings) as lists:
        return lists.refresh(name)


def saved(
    settings: Settings, name: str, criteria: SearchCriteria, rows: Sequence[dict[str, Any]]
) -> ListChange:
    publish_matches(settings, rows, towns=[999])
    with SavedLists(settings) as lists:
        return lists.save_dynamic(name, criteria)


def test_a_list_says_which_petition_brought_a_property_and_which_took_it_away(
    settings: Settings, ids: list[str]
) -> None:
    first = [a_match(ids[0], 1), a_match(ids[1], 2, filed=date(2026, 9, 9))]
    change = saved(settings, "bankrupt", BANKRUPT, first)
    assert change.saved.members == 2
    assert any("not legal advice" in text for text in change.notes)
    later = [first[0], a_match(ids[2], 3, filed=date(2026, 10, 20)), a_match(ids[2], 4, "probate")]
    change = refreshed(settings, "bankrupt", later)
    reasons = {line.property_id: (line.event, line.reason) for line in change.events}
    assert reasons == {
        ids[1]: (
            "went",
            "no longer matches: a bankruptcy petition filed 2026-09-09 is not tied to it any more "
            "(filter cases bankruptcy_petition)",
        ),
        ids[2]: (
            "came",
            "now matches: a bankruptcy petition was filed 2026-10-20 (filter cases bankruptcy_petition)",
        ),
    }
    (came,) = [line for line in change.events if line.event == "came"]
    assert json.loads(came.detail_json or "{}")["cases"]["cases"][0] == []
    assert refreshed(settings, "bankrupt", later).events == ()


def test_a_decision_that_makes_a_case_sure_is_told(settings: Settings, ids: list[str]) -> None:
    sure = SearchCriteria(case_tiers=("confirmed",), cases=("bankruptcy_petition",))
    saved(settings, "sure", sure, [a_match(ids[0], 1, tier="possible")])
    decided = a_match(ids[0], 1, tier="confirmed", decision="confirmed")
    (line,) = refreshed(settings, "sure", [decided]).events
    assert line.reason == (
        "now matches: a bankruptcy petition filed 2026-10-02 is confirmed now, was possible "
        "(filter cases bankruptcy_petition, case_tiers confirmed)"
    )


def test_other_filters_keep_their_own_reasons(settings: Settings, ids: list[str]) -> None:
    both = SearchCriteria(cases=("any",), min_value=1)
    saved(settings, "both", both, [])
    (line,) = refreshed(settings, "both", [a_match(ids[3], 9, "probate", filed=date(2026, 8, 1))]).events
    assert "a probate case was filed 2026-08-01 (filter cases any)" in line.reason
    assert "min_value" not in line.reason


def test_of_an_eviction_nothing_but_its_type_stays(settings: Settings, ids: list[str]) -> None:
    asked = SearchCriteria(cases=("eviction",))
    saved(settings, "evicted", asked, [])
    row = a_match(ids[4], 5, "eviction", filed=date(2026, 7, 8), expires_on=FAR_OFF)
    (line,) = refreshed(settings, "evicted", [row]).events
    assert line.reason == "now matches: an eviction is tied to it now (filter cases eviction)"
    with SavedLists(settings) as lists:
        (member,) = lists.members("evicted")
    kept = f"{member.values_json} {line.detail_json}"
    assert "2026-07-08" not in kept and "Fictional Debtor" not in kept
    (line,) = refreshed(settings, "evicted", []).events
    assert line.reason.startswith("no longer matches: an eviction is not tied to it any more")


def test_lists_without_filters_on_cases_remember_none(settings: Settings, ids: list[str]) -> None:
    change = saved(settings, "plain", SearchCriteria(min_value=1), [a_match(ids[0], 1)])
    with SavedLists(settings) as lists:
        assert all("cases" not in json.loads(member.values_json) for member in lists.members("plain"))
    assert "cases" not in json.loads(change.saved.data_json)


def test_a_list_is_the_same_over_the_index(settings: Settings, ids: list[str]) -> None:
    rows = [a_match(ids[n], n) for n in range(4)]
    publish_matches(settings, rows)
    build_index(Lake(settings))
    with open_searcher(settings, engine="index") as searcher:
        lists = SavedLists(settings, searcher=searcher)
        lists.save_dynamic("indexed", BANKRUPT)
        assert [member.property_id for member in lists.members("indexed")] == ids[:4]
        assert lists.refresh("indexed").events == ()
