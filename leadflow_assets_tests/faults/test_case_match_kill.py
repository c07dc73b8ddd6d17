"""Matching may be killed anywhere: nothing half is seen, and the next call ends it, decisions included."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leadflow_assets.enrich.case_matches import publishing, reviews, service
from leadflow_assets.enrich.case_matches.reviews import decide
from leadflow_assets.enrich.case_matches.service import match_cases
from leadflow_assets.lake import publish
from leadflow_assets.lake.audit import problems_of_published
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.publish import Publisher
from leadflow_assets.lake.snapshots import SnapshotLog
from leadflow_assets.lake.tables import CASE_MATCHES
from leadflow_assets.settings import Settings
from leadflow_assets_tests.faults.kills import dying, killed, two_towns
from leadflow_assets_tests.integration.case_matches_helpers import (
    TODAY,
    formal,
    lines_of,
    matches,
    persons,
    petition,
    publish_cases,
    versions,
)
from leadflow_assets_tests.integration.pipeline_helpers import GOSNOLD, MONROE, copy_lake, usually
from leadflow_assets_tests.integration.unified_helpers import rows_of

TOWNS = {MONROE: ("Monroe", "01350"), GOSNOLD: ("Gosnold", "02713")}


# Where a child dies: the owner of a function, its name, and what stands in its place. One town at a time is
# published, so that the first is there and the second not.
MOMENTS: dict[str, tuple[Any, str, Callable[[Any], Any]]] = {
    "before anything is published": (Publisher, "publish", lambda f: dying(f, 1)),
    "between two towns": (Publisher, "publish", lambda f: dying(f, 2)),
    "between upload and log": (SnapshotLog, "commit", lambda f: dying(f, 2)),
    "between log and current copy": (SnapshotLog, "commit", lambda f: dying(f, 2, after=True)),
    "in the current copies": (publish, "refresh_current", lambda f: dying(f, 4)),
    "before it is remembered": (service, "_write_done", lambda f: dying(f, 1)),
    "after it is remembered": (service, "_write_done", lambda f: dying(f, 1, after=True)),
}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Two small towns, and a debtor in each."""
    settings = two_towns(tmp_path_factory.mktemp("kill"))
    told = []
    for town, (city, zip_code) in TOWNS.items():
        rows = [
            row for row in persons(rows_of(settings, "mart/properties", town.town_id)) if row["house_number"]
        ]
        here = min(rows, key=lambda row: str(row["property_id"]))
        lines = lines_of(here, city, zip_code)
        told.append(petition(f"26-10{town.town_id}", formal(here["owners"][0]), lines=lines))
    publish_cases(settings, *told)
    return settings


@pytest.fixture(scope="module")
def undisturbed(lake: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The same, matched in peace."""
    settings = copy_lake(lake, tmp_path_factory.mktemp("peace") / "data")
    assert match_cases(settings, today=TODAY).towns_changed == tuple(sorted(town.town_id for town in TOWNS))
    return settings


def match_until(settings: Settings, moment: str) -> None:
    owner, name, made = MOMENTS[moment]
    setattr(owner, name, made(getattr(owner, name)))
    publishing._GROUP = 1
    match_cases(settings, today=TODAY)


def decide_until(settings: Settings, match_id: str) -> None:
    setattr(reviews, "lay_over", dying(service.lay_over))  # noqa: B010
    decide(settings, match_id, "rejected", by="pat")


@pytest.mark.parametrize("moment", usually(MOMENTS, "between log and current copy"))
def test_a_kill_is_made_good_by_the_next_call(
    moment: str, lake: Settings, undisturbed: Settings, tmp_path: Path
) -> None:
    settings = copy_lake(lake, tmp_path / "data")
    killed(match_until, settings, moment)
    table = Lake(settings)
    for entry in table.snapshot(CASE_MATCHES).partitions.values():
        assert problems_of_published(table, CASE_MATCHES, entry) == []
    match_cases(settings, today=TODAY)
    assert versions(settings) == versions(undisturbed)
    for town in TOWNS:
        assert matches(settings, town.town_id) == matches(undisturbed, town.town_id) != []
    assert match_cases(settings, today=TODAY).towns_changed == ()
    assert match_cases(settings, today=TODAY, force=True).towns_changed == ()
    assert not list(table.staging.glob("*/")), "what a dead process left is swept by the next that works"


def test_a_decision_is_kept_though_its_process_dies_before_it_shows(
    undisturbed: Settings, tmp_path: Path
) -> None:
    settings = copy_lake(undisturbed, tmp_path / "data")
    (row,) = matches(settings, MONROE.town_id)
    killed(decide_until, settings, row["match_id"])
    assert matches(settings, MONROE.town_id)[0]["decision"] is None
    report = match_cases(settings, today=TODAY)
    assert (report.linked, report.towns_changed) == (False, (MONROE.town_id,))
    assert matches(settings, MONROE.town_id)[0]["tier"] == "rejected"
