"""Releases of Sampleton with planted changes: every one is an event once, and nothing else is."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from leadflow_assets.enrich.changes.service import BuildReport, build
from leadflow_assets.lake import tables
from leadflow_assets.lake.lake import Lake
from leadflow_assets.sampleton import Planted
from leadflow_assets.search.changes import ChangeQuery, find_changes
from leadflow_assets.settings import Settings
from leadflow_assets_tests.integration.changes_helpers import (
    SAMPLETON,
    SCORES,
    events_of,
    match,
    planted_events,
    publish_matches,
    publish_release,
    publish_scores,
    told,
    write_releases,
)
from leadflow_assets_tests.integration.pipeline_helpers import settings_for

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Releases:
    """Three packages, and a lake in which the first two were published one after the other."""

    packages: list[tuple[Path, Planted]]
    settings: Settings
    first: BuildReport


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Releases:
    folder = tmp_path_factory.mktemp("changes")
    packages = write_releases(folder, 3)
    settings = settings_for(folder / "data", leadflow_demo=True)
    publish_release(settings, packages[0][0])
    first = build(settings, now=NOON)
    publish_release(settings, packages[1][0])
    build(settings, now=NOON)
    return Releases(packages, settings, first)


@pytest.fixture
def settings(releases: Releases, tmp_path: Path) -> Settings:
    """A copy of that lake."""
    shutil.copytree(releases.settings.data_dir, tmp_path / "data")
    return settings_for(tmp_path / "data", leadflow_demo=True)


def file_hash(settings: Settings) -> str:
    (entry,) = Lake(settings).snapshot(tables.PROPERTY_CHANGES).partitions.values()
    return entry.data.sha256


def test_every_planted_change_is_one_event_and_nothing_else_is(releases: Releases) -> None:
    assert releases.first == BuildReport()
    rows = events_of(releases.settings)
    assert told(rows) == planted_events(releases.packages[1][1])
    assert len({row["event_id"] for row in rows}) == len(rows) == 20
    assert {(row["from_release"], row["to_release"]) for row in rows} == {("CY24_FY25", "CY25_FY26")}
    assert {row["seen_at"] for row in rows} == {NOON}
    assert {row["source"] for row in rows} == {"MassGIS"}
    assert all(row["confidence"] >= 0.9 for row in rows)


def test_events_say_what_was_planted(releases: Releases) -> None:
    planted: Any = releases.packages[1][1].quirks
    rows = {(row["kind"], row["property_id"]): row for row in events_of(releases.settings)}
    for case in planted["sale"]:
        row = rows["sale", f"999-{case['PROP_ID']}"]
        assert row["sale_price_after"] == case["new"]["LS_PRICE"]
        assert row["event_date"] == row["sale_date_after"] == date.fromisoformat(case["new"]["LS_DATE"])
        assert row["sale_quality"] == ("market" if case["expected"]["is_market"] else "nominal")
        assert (row["owner_before"], row["owner_after"]) == (case["old"]["OWNER1"], case["new"]["OWNER1"])
        assert row["includes"] == ["owner_changed"]
    for case in planted["owner_changed"]:
        row = rows["owner_changed", f"999-{case['PROP_ID']}"]
        company = " INC" in str(case["old"]["OWNER1"])
        assert row["owner_change"] == ("new_owner" if company else "into_trust")
    for case in planted["value_changed"]:
        row = rows["value_moved", f"999-{case['PROP_ID']}"]
        assert (row["value_before"], row["value_after"]) == (
            case["old"]["TOTAL_VAL"],
            case["new"]["TOTAL_VAL"],
        )
        assert row["value_move"] == pytest.approx(row["value_after"] / row["value_before"] - 1, abs=1e-5)
        assert row["town_move"] == 0
    for case in planted["split"]:
        row = rows["split", f"999-{case['PROP_ID']}"]
        assert row["loc_ids_before"] == [case["old_LOC_ID"]]
        assert row["loc_ids_after"] == sorted(case["new_LOC_IDS"])
        assert row["property_ids_after"] == [f"999-{case['PROP_ID']}", f"999-{case['PROP_ID']}-A"]
    (case,) = planted["merge"]
    row = rows["merged", f"999-{case['PROP_ID']}"]
    assert (row["loc_ids_before"], row["loc_ids_after"]) == (
        sorted(case["old_LOC_IDS"]),
        [case["new_LOC_ID"]],
    )
    assert row["property_ids_before"] == sorted(f"999-{case[k]}" for k in ("PROP_ID", "gone_PROP_ID"))


def test_an_event_exists_once_whatever_is_run_again(releases: Releases, settings: Settings) -> None:
    before = file_hash(settings)
    assert build(settings) == BuildReport()
    publish_release(settings, releases.packages[1][0])
    publish_release(settings, releases.packages[1][0], force=True)
    assert build(settings) == BuildReport()
    assert file_hash(settings) == before
    again = build(settings, again=True)
    assert (again.compared, again.events, again.towns) == (1, 0, (999,))
    assert told(events_of(settings)) == planted_events(releases.packages[1][1])
    assert {row["seen_at"] for row in events_of(settings)} == {NOON}


def test_three_releases_tell_each_change_once(releases: Releases, settings: Settings, tmp_path: Path) -> None:
    publish_release(settings, releases.packages[2][0])
    assert build(settings).compared == 1
    both = planted_events(releases.packages[1][1]) + planted_events(releases.packages[2][1])
    assert told(events_of(settings)) == both
    # All at once into an empty lake: the same events, by the same names.
    fresh = settings_for(tmp_path / "fresh", leadflow_demo=True)
    for package, _ in releases.packages:
        publish_release(fresh, package)
    assert build(fresh).compared == 2
    assert told(events_of(fresh)) == both
    assert {r["event_id"] for r in events_of(fresh)} == {r["event_id"] for r in events_of(settings)}


def test_a_release_that_comes_late_is_history_and_no_news(releases: Releases, tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "data", leadflow_demo=True)
    publish_release(settings, releases.packages[0][0])
    publish_release(settings, releases.packages[2][0])
    build(settings)
    both = planted_events(releases.packages[1][1]) + planted_events(releases.packages[2][1])
    assert told(events_of(settings)) == both
    publish_release(settings, releases.packages[1][0], force=True)
    assert build(settings) == BuildReport()


def test_without_the_earlier_polygons_it_says_so(releases: Releases, tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "data", leadflow_demo=True)
    for package, _ in releases.packages[:2]:
        publish_release(settings, package)
    shutil.rmtree(Path(settings.lake_uri, "_log", "core", "parcels"))
    done = build(settings)
    assert done.without_polygons == (999,)
    kinds = Counter(row["kind"] for row in events_of(settings))
    # Split parcels keep their first record; what came and went beside it shows as such, less sure.
    assert kinds == {"sale": 6, "owner_changed": 4, "value_moved": 5, "vanished": 2, "appeared": 3}
    assert {r["confidence"] for r in events_of(settings) if r["kind"] == "appeared"} == {0.7}


def test_property_ids_are_those_of_the_unified_property(releases: Releases) -> None:
    path = Path(releases.settings.lake_uri, "mart/properties/town_id=999/properties.parquet")
    here = set(pq.read_table(path, columns=["property_id"], partitioning=None)["property_id"].to_pylist())
    for row in events_of(releases.settings):
        assert (row["property_id"] in here) == (row["kind"] != "vanished")
        assert set(row["property_ids_after"] or ()) <= here


def test_a_case_is_told_once_possible_and_once_certain(settings: Settings) -> None:
    where = events_of(settings)[0]["property_id"]
    publish_matches(settings, [
        match(where, "c1", party_id="p1"), match(where, "c1", party_id="p2", probability=0.6),
        match(where, "c2", tier="unconfirmed", probability=0.2), match(where, "c3", tier="rejected"),
        match(where, "c4", expires_on=date(2026, 1, 1)),
    ])  # fmt: skip
    assert build(settings, now=NOON).added == {"case_matched": 1}
    (case,) = [row for row in events_of(settings) if row["kind"] == "case_matched"]
    assert (case["case_id"], case["case_tier"], case["case_probability"]) == ("c1", "possible", 0.8)
    assert (case["event_date"], case["source"]) == (date(2026, 10, 5), "courts")
    assert case["site_address"] and case["from_release"] is None
    sure = match(where, "c1", tier="confirmed", probability=0.97)
    publish_matches(settings, [sure, match(where, "c5", expires_on=date(2026, 12, 1))])
    assert build(settings, now=NOON).added == {"case_matched": 2}
    publish_matches(settings, [match(where, "c1"), match(where, "c5", expires_on=date(2026, 12, 1))])
    assert build(settings, now=NOON).events == 0
    # A case that expires leaves by itself; one whose match is withdrawn leaves with it.
    later = datetime(2026, 12, 2, tzinfo=UTC)
    assert not [e for e in find_changes(settings, ChangeQuery(), today=later.date()) if e["case_id"] == "c5"]
    assert build(settings, now=later).removed == 1
    publish_matches(settings, [])
    assert build(settings, now=later).removed == 2
    assert not [row for row in events_of(settings) if row["kind"] == "case_matched"]


def test_scores_that_cross_a_threshold(settings: Settings) -> None:
    one, two, three = sorted({row["property_id"] for row in events_of(settings)})[:3]
    publish_scores(settings, {one: 30.0, two: 65.0, three: 39.8}, date(2026, 10, 1))
    assert build(settings, scores=SCORES, now=NOON).events == 0
    publish_scores(settings, {one: 62.0, two: 39.0, three: 40.1}, date(2026, 11, 1))
    assert build(settings, scores=SCORES, now=NOON).added == {"score_crossed": 4}
    crossed = [row for row in events_of(settings) if row["kind"] == "score_crossed"]
    assert {(r["property_id"], r["score_threshold"], r["score_direction"]) for r in crossed} == {
        (one, 40, "up"), (one, 60, "up"), (two, 60, "down"), (two, 40, "down"),
    }  # fmt: skip
    assert {r["event_date"] for r in crossed} == {date(2026, 11, 1)}
    assert build(settings, scores=SCORES) == BuildReport()
    # Another table of weights: what it changes did not happen to the property.
    publish_scores(settings, {one: 10.0}, date(2026, 11, 2), table_version="2")
    build(settings, scores=SCORES)
    publish_scores(settings, {one: 90.0}, date(2026, 11, 3), table_version="3")
    assert "score_crossed" not in build(settings, scores=SCORES).added


def test_what_is_asked_for_is_found(releases: Releases) -> None:
    settings = releases.settings
    everything = find_changes(settings, ChangeQuery())
    assert len(everything) == 20
    assert len(find_changes(settings, ChangeQuery(kinds=["owner_changed"]))) == 10
    assert len(find_changes(settings, ChangeQuery(towns=[999], since=NOON))) == 20
    assert find_changes(settings, ChangeQuery(since=datetime(2026, 11, 21, tzinfo=UTC))) == []
    assert find_changes(settings, ChangeQuery(towns=[25])) == []


def test_nothing_personal_is_in_the_log(releases: Releases) -> None:
    (entry,) = Lake(releases.settings).snapshot(tables.PROPERTY_CHANGES).partitions.values()
    text = json.dumps(entry.facts)
    names = {row["owner_after"] for row in events_of(releases.settings)} - {None}
    assert names and not any(name in text for name in names)
    assert tables.PROPERTY_CHANGES.pii == {"owner_before", "owner_after", "mailing_before", "mailing_after"}
    assert SAMPLETON.town_id == 999
