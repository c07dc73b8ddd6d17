"""mart/distress_scores: what stands there, from what, and when it is made anew.

Sampleton and Monroe are refreshed once, with some loans, notices and taxes of ATTOM; each test scores a copy.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from leadflow_assets.domain.court_coverage import SourceFacts
from leadflow_assets.domain.distress import load_table, score
from leadflow_assets.domain.distress.courts_asked import covered_types
from leadflow_assets.domain.distress.facts import Asked, case_of, facts_of
from leadflow_assets.domain.distress.signals import derive
from leadflow_assets.domain.local_days import end_of_day, local_day
from leadflow_assets.enrich.choice_room import rooms
from leadflow_assets.enrich.scores.explain import explain
from leadflow_assets.enrich.scores.service import outdated, score_towns
from leadflow_assets.enrich.unified.merge import merge
from leadflow_assets.errors import UsageError
from leadflow_assets.lake.audit import problems_of_published
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.publish import Publisher
from leadflow_assets.lake.tables import DISTRESS_SCORES, PROPERTIES, TABLES
from leadflow_assets.sampleton import Planted
from leadflow_assets.settings import Settings
from leadflow_assets.sources.attom.endpoints import ENDPOINTS
from leadflow_assets.state import court_progress, database
from leadflow_assets_tests.conftest import lake_overrides
from leadflow_assets_tests.integration.case_helpers import a_match, publish_matches
from leadflow_assets_tests.integration.pipeline_helpers import MONROE, refresh, settings_for, write_small
from leadflow_assets_tests.integration.search_helpers import make_search_lake
from leadflow_assets_tests.integration.test_search import publish_without_columns
from leadflow_assets_tests.integration.unified_helpers import attom, publish_answers, publish_batch, rows_of

Row = dict[str, Any]
TODAY = local_day(datetime.now(UTC))
TABLE = load_table()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, sample_package: tuple[Path, Planted]) -> Settings:
    return make_search_lake(tmp_path_factory.mktemp("scores"), sample_package[0]).settings


@pytest.fixture
def settings(made: Settings, tmp_path: Path) -> Settings:
    """A copy of that lake."""
    shutil.copytree(made.data_dir, tmp_path / "data", symlinks=True)
    return settings_for(tmp_path / "data", leadflow_demo=True)


def scores(settings: Settings, town_id: int = 999) -> dict[str, Row]:
    return {row["property_id"]: row for row in rows_of(settings, DISTRESS_SCORES.name, town_id)}


def versions(settings: Settings) -> dict[str, str]:
    entries = Lake(settings).snapshot(DISTRESS_SCORES).partitions
    return {name: entry.data.sha256 for name, entry in entries.items()}


def people(settings: Settings, count: int, *, known_to_attom: bool) -> list[str]:
    """Homes of persons that live there, with a record of ATTOM or without one."""
    known = {row["property_id"] for row in rows_of(settings, "mart/property_records")}
    found = [
        row["property_id"]
        for row in rows_of(settings, "mart/properties")
        if (row["property_id"] in known) is known_to_attom
        and row["owner_type"] == "person"
        and row["owner_count"] < 3
        and row["occupancy"] == "owner_occupied"
        and row["foreclosure_source"] is None
        and row["tax_delinquent_year"] is None
    ]
    return sorted(found)[:count]


def _asked(settings: Settings) -> dict[str, dict[str, date]]:
    """What ATTOM's endpoints answered, last, by property: read from mart/property_records by hand."""
    found: dict[str, dict[str, date]] = {}
    for row in rows_of(settings, "mart/property_records"):
        for group, what in (("foreclosure", "foreclosure"), ("mortgage", "loans"), ("equity", "loans")):
            if row["property_id"] and row[f"{group}_source"] in ENDPOINTS and row[f"{group}_fetched_at"]:
                days = found.setdefault(row["property_id"], {})
                days[what] = max(days.get(what, date.min), local_day(row[f"{group}_fetched_at"]))
    return found


def test_every_score_is_the_one_that_the_rules_give_for_the_property_alone(settings: Settings) -> None:
    ids = people(settings, 40, known_to_attom=False)
    kinds = ("bankruptcy_petition", "civil_judgment", "foreclosure_deed", "probate", "tax_lien_case")
    rows = [
        a_match(
            ids[n], n + 1, kinds[n % 5], "confirmed" if n % 2 else "possible", TODAY - timedelta(30 * n + 9)
        )
        for n in range(40)
    ]
    publish_matches(settings, rows)
    report = score_towns(settings)
    found = scores(settings)
    properties = {row["property_id"]: row for row in rows_of(settings, "mart/properties")}
    records = {row["property_id"]: row for row in rows_of(settings, "mart/property_records")}
    matched = rows_of(settings, "mart/case_matches")
    asked = _asked(settings)
    assert found.keys() == properties.keys() and report.properties == len(found) + 61
    states: dict[str, int] = {}
    for property_id, row in found.items():
        record = records.get(property_id, {})
        facts = facts_of(
            properties[property_id], record.get("foreclosure_records"), record.get("lien_records")
        )
        cases = [case_of(case) for case in matched if case["property_id"] == property_id]
        derived = derive(facts, TODAY, Asked(asked.get(property_id, {})), cases)
        alone = score(derived.signals, TODAY, derived.known, not_applicable=derived.not_applicable)
        names = ("score", "coverage", "high", "faults")
        assert [row[name] for name in names] == [getattr(alone, name) for name in names], property_id
        assert (row["state"], row["equity_method"]) == (alone.status, derived.equity.method)
        assert len(row["reasons"]) == len(alone.lines)
        groups = [(group["group"], group["state"], group["points"]) for group in row["groups"] or ()]
        assert groups == [(group.name, group.state, group.points) for group in alone.groups]
        states[row["state"]] = states.get(row["state"], 0) + 1
    assert states.keys() == {"scored", "unknown", "not_applicable"}
    factors = {factor for row in found.values() for factor in row["factors"] or ()}
    assert factors >= {"bankruptcy", "judgment_lien", "tax_taking", "auction_scheduled", "cltv_100"}
    assert len({group["state"] for row in found.values() for group in row["groups"] or ()}) == 4


def test_the_counted_lines_add_up_and_unknown_is_not_low(settings: Settings) -> None:
    score_towns(settings)
    for row in scores(settings).values():
        counted = round(sum(line["points"] for line in row["reasons"] if line["counted"]), 2)
        assert counted == (row["score"] or 0)
        if row["state"] == "not_applicable":
            assert row["score"] is None and row["not_applicable_reason"]
        else:
            assert row["low"] == row["score"] <= row["high"] <= 100
        if row["state"] == "unknown":
            assert (row["score"], row["coverage"], row["high"], row["signals"]) == (0, 0, 100, 0)
            assert {group["state"] for group in row["groups"]} == {"unknown"}


def test_nothing_is_reckoned_twice_and_only_what_changed_is_published(settings: Settings) -> None:
    assert outdated(settings) is not None
    assert score_towns(settings).towns_changed == (190, 999)
    assert outdated(settings) is None
    again = score_towns(settings)
    assert (again.scored, again.towns_changed, again.towns) == (False, (), 2)
    before = versions(settings)
    (home,) = people(settings, 1, known_to_attom=False)
    publish_matches(settings, [a_match(home, tier="confirmed", filed=TODAY - timedelta(3))])
    assert outdated(settings) is not None
    assert score_towns(settings).towns_changed == (999,)
    assert versions(settings)["town_id=190"] == before["town_id=190"]
    assert scores(settings)[home]["factors"] == ["bankruptcy"]
    assert score_towns(settings, towns=[190, 999]).scored is False
    assert score_towns(settings, towns=[190], force=True).towns_changed == (190,)
    lake = Lake(settings)
    for entry in lake.snapshot(DISTRESS_SCORES).partitions.values():
        assert problems_of_published(lake, DISTRESS_SCORES, entry) == []


def test_time_alone_publishes_a_town_when_a_number_has_moved_by_a_point(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from leadflow_assets.enrich.scores import service

    score_towns(settings)
    before = scores(settings)
    published: list[tuple[int, ...]] = []
    for days in (1, 2, 14):
        day = TODAY + timedelta(days)
        monkeypatch.setattr(service, "known_day", lambda _asof, day=day: day)
        report = score_towns(settings)
        assert report.scored and report.asof == day
        published.append(report.towns_changed)
    after = scores(settings)
    assert (999,) in published and () in published, published
    moved = [name for name, row in after.items() if (row["score"] or 0) < (before[name]["score"] or 0) - 1]
    assert moved and {row["as_of"] for row in after.values()} != {TODAY}
    assert {row["as_of"] for row in scores(settings, 190).values()} == {TODAY}


def test_what_attom_does_not_have_counts_as_asked_only_where_it_knows_the_property(
    settings: Settings,
) -> None:
    known, stranger = (
        people(settings, 1, known_to_attom=True)[0],
        people(settings, 1, known_to_attom=False)[0],
    )
    old = people(settings, 2, known_to_attom=True)[1]
    now = datetime.now(UTC)
    answer = {"endpoint": "preforeclosuredetails", "outcome": "no_match", "fetched_at": now}
    answers = [{**answer, "property_id": name} for name in (known, stranger)]
    answers.append({**answer, "property_id": old, "fetched_at": now - timedelta(61)})
    publish_answers(settings, "empty", answers)
    score_towns(settings)
    found = scores(settings)
    states = {name: found[name]["groups"][0]["state"] for name in (known, stranger, old)}
    assert states == {known: "absent", stranger: "unknown", old: "unknown"}
    assert found[known]["coverage"] >= 0.32 and found[stranger]["coverage"] < 0.32
    room = rooms(Lake(settings), [999], ["preforeclosuredetails"])
    assert [room[name] for name in (known, stranger, old)] == [0, 0, 40], "the same answer again"
    both = rooms(Lake(settings), [999], ["preforeclosuredetails", "homeequity"])
    assert both[stranger] == 12, "of its loans ATTOM was not asked"
    assert set(rooms(Lake(settings), [999], ["attomavm"]).values()) == {0}
    decided = {"property_id": old, "outcome": "no_match", "request_number": 1}
    profile = {**decided, "endpoint": "expandedprofile", "fetched_at": now}
    publish_answers(settings, "unknown", [profile, {**decided, "endpoint": "homeequity", "fetched_at": None}])
    assert rooms(Lake(settings), [999], ["homeequity"])[old] == 0
    refused = [{**answer, "property_id": old, "outcome": "error", "reason": "not_in_plan"}]
    publish_answers(settings, "refused", refused)
    score_towns(settings)
    assert scores(settings)[old]["groups"][0]["state"] == "unknown"


def test_a_person_s_no_and_a_namesake_are_no_signal_and_an_eviction_leaves_no_number(
    settings: Settings,
) -> None:
    rejected, namesake, landlord = people(settings, 3, known_to_attom=False)
    filed = TODAY - timedelta(20)
    told_twice = a_match(rejected, 1, filed=filed)
    rows = [
        {**told_twice, "decision": "rejected", "tier": "rejected", "probability": 0.0},
        {**told_twice, "source": "other", "match_id": "another"},
        a_match(namesake, 2, tier="unconfirmed", filed=filed),
        a_match(landlord, 3, "eviction", filed=filed, party_role="plaintiff", expires_on=date(2099, 1, 1)),
    ]
    publish_matches(settings, rows)
    score_towns(settings)
    found = scores(settings)
    assert found[rejected]["reasons"] == found[namesake]["reasons"] == []
    assert found[rejected]["groups"][2]["state"] == "unknown"
    line = found[landlord]["reasons"][0]
    assert (line["factor"], line["record"], line["counted"]) == ("eviction_plaintiff", None, True)
    assert rows[3]["case_id"] not in json.dumps(list(found.values()), default=str)


def test_bankruptcies_count_as_asked_once_the_court_is_known_far_enough_back(settings: Settings) -> None:
    (home,) = people(settings, 1, known_to_attom=False)
    score_towns(settings)
    assert scores(settings)[home]["groups"][2]["state"] == "unknown"
    with database.session(settings) as session, session.begin():
        now = datetime.now(UTC)
        court_progress.mark_asked(session, "mab", TODAY - timedelta(600), TODAY, now)
        court_progress.change(session, "mab", last_asked_at=now)
    assert outdated(settings) is not None
    score_towns(settings)
    group = scores(settings)[home]["groups"][2]
    assert (group["state"], group["unknown_points"]) == ("partly_known", 16.0)


def _court(**more: Any) -> SourceFacts:
    noon = datetime(2026, 11, 20, 17, tzinfo=UTC)
    return replace(SourceFacts("courtlistener", "mab", since=date(2025, 1, 1), last=noon), **more)


@pytest.mark.parametrize(
    ("facts", "covered"),
    [
        ([_court()], {"bankruptcy_petition"}),
        ([_court(since=date(2025, 5, 24))], set()),
        ([_court(last=datetime(2026, 11, 1, tzinfo=UTC))], set()),
        ([_court(), _court(court="nhb", since=None, last=None)], set()),
        ([SourceFacts("housing_court", "mahousct", since=date(2020, 1, 1), last=_court().last)], set()),
        ([], set()),
    ],
    ids=["all", "not far enough back", "stale", "another court not asked", "an import", "nothing"],
)
def test_a_court_counts_as_asked_when_nothing_that_matters_is_missing(
    facts: Sequence[SourceFacts], covered: set[str]
) -> None:
    assert covered_types(facts, date(2026, 11, 22), TABLE) == covered


def test_a_town_that_left_the_lake_loses_its_scores_and_an_unknown_one_is_an_error(
    settings: Settings,
) -> None:
    score_towns(settings)
    with pytest.raises(UsageError, match="no data for Gosnold"):
        score_towns(settings, towns=[109])
    with pytest.raises(UsageError, match="no points table"):
        score_towns(settings, table_version="distress-0.0.1")
    with pytest.raises(UsageError, match="still to come"):
        score_towns(settings, asof=TODAY + timedelta(2))
    with pytest.raises(UsageError, match="Nothing was known of Monroe on 2020-01-01"):
        score_towns(settings, asof=date(2020, 1, 1))
    lake = Lake(settings)
    Publisher(lake.store, "test").publish(PROPERTIES.name, {"town_id=190": None})
    assert score_towns(settings).towns_gone == (190,)
    assert versions(settings).keys() == {"town_id=999"}


def test_explained_alone_a_score_is_the_published_one(settings: Settings) -> None:
    score_towns(settings)
    found = scores(settings)
    highest = max(found, key=lambda name: found[name]["score"] or 0)
    told = explain(settings, highest)
    assert dict(told.row) == found[highest]
    assert told.published is not None and told.published.score == found[highest]["score"]
    assert told.label == "uncalibrated - ordering only"
    for name in ("999-none-such", "109-1", "nothing"):
        with pytest.raises(UsageError, match="no property"):
            explain(settings, name)


def test_a_past_day_is_explained_from_what_was_here_then(settings: Settings) -> None:
    past = TODAY - timedelta(10)
    with pytest.raises(UsageError, match="its data is here since"):
        explain(settings, people(settings, 1, known_to_attom=False)[0], asof=past)
    (home,) = people(settings, 1, known_to_attom=False)
    publish_matches(settings, [a_match(home, tier="confirmed", filed=past - timedelta(20))])
    _published_earlier(settings, past)
    later = a_match(home, 2, "tax_lien_case", filed=past - timedelta(20))
    publish_matches(settings, [a_match(home, tier="confirmed", filed=past - timedelta(20)), later])
    assert explain(settings, home).row["factors"] == ["tax_taking", "bankruptcy"]
    then = explain(settings, home, asof=past)
    assert then.row["factors"] == ["bankruptcy"] and then.row["as_of"] == past
    assert then.courts_covered is None


def test_what_an_older_version_made_is_named_as_that(settings: Settings, tmp_path: Path) -> None:
    past = TODAY - timedelta(10)
    monroe = rows_of(settings, PROPERTIES.name, 190)[0]["property_id"]
    lake = Lake(settings)
    now = lake.snapshot(PROPERTIES).partitions["town_id=190"]
    publish_without_columns(lake, 190, tmp_path)
    with pytest.raises(UsageError, match="made by an older version") as today:
        explain(settings, monroe)
    assert "leadflow refresh monroe" in str(today.value.hint)
    _published_earlier(settings, past)
    Publisher(lake.store, "test").publish(PROPERTIES.name, {"town_id=190": now})
    assert explain(settings, monroe).row["property_id"] == monroe
    with pytest.raises(UsageError, match="is of an older version, which is not read"):
        explain(settings, monroe, asof=past)


def _published_earlier(settings: Settings, day: date) -> None:
    """Move everything that was published so far to that day."""
    moment = (end_of_day(day) - timedelta(hours=6)).isoformat()
    for table in TABLES:
        for path in sorted(Path(settings.lake_uri, "_log", table.name).glob("*.json")):
            path.write_text(json.dumps(json.loads(path.read_text()) | {"committed_at": moment}))


@pytest.mark.slow
def test_the_same_in_a_bucket(tmp_path: Path, s3_server: str) -> None:
    settings = settings_for(tmp_path / "data", **lake_overrides("s3", s3_server))
    assert refresh(settings, MONROE, write_small(tmp_path, MONROE)).status == "refreshed"
    publish_batch(settings, "one", [attom(1, property_id="190-none")])
    merge(settings)
    report = score_towns(settings)
    assert report.towns_changed == (190,) and report.properties > 50
    assert score_towns(settings).scored is False
