"""Scoring may be killed anywhere: nothing half is seen, and the next call ends it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leadflow_assets.enrich.scores import service
from leadflow_assets.enrich.scores.service import outdated, score_towns
from leadflow_assets.lake import publish
from leadflow_assets.lake.audit import problems_of_published
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.publish import Publisher
from leadflow_assets.lake.snapshots import SnapshotLog
from leadflow_assets.lake.tables import DISTRESS_SCORES
from leadflow_assets.settings import Settings
from leadflow_assets_tests.faults.kills import dying, killed, two_towns
from leadflow_assets_tests.integration.pipeline_helpers import copy_lake, usually

# Where a child dies: the owner of a function, its name, and what stands in its place. One town at a time is
# scored, so that the first is there and the second not.
MOMENTS: dict[str, tuple[Any, str, Callable[[Any], Any]]] = {
    "before anything is published": (Publisher, "publish", lambda f: dying(f, 1)),
    "between two towns": (Publisher, "publish", lambda f: dying(f, 2)),
    "while a town is staged": (service, "staged_entry", lambda f: dying(f, 2, after=True)),
    "between upload and log": (SnapshotLog, "commit", lambda f: dying(f, 2)),
    "between log and current copy": (SnapshotLog, "commit", lambda f: dying(f, 2, after=True)),
    "in the current copies": (publish, "refresh_current", lambda f: dying(f, 4)),
    "before it is remembered": (service, "write_done", lambda f: dying(f, 1)),
    "after it is remembered": (service, "write_done", lambda f: dying(f, 1, after=True)),
}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Two small towns."""
    return two_towns(tmp_path_factory.mktemp("kill"))


@pytest.fixture(scope="module")
def undisturbed(lake: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The same, scored in peace."""
    settings = copy_lake(lake, tmp_path_factory.mktemp("peace") / "data")
    assert score_towns(settings).towns_changed == (109, 190)
    return settings


def _versions(settings: Settings) -> dict[str, str]:
    entries = Lake(settings).snapshot(DISTRESS_SCORES).partitions
    return {name: entry.data.sha256 for name, entry in entries.items()}


def score_until(settings: Settings, moment: str) -> None:
    owner, name, made = MOMENTS[moment]
    setattr(owner, name, made(getattr(owner, name)))
    setattr(service, "_AT_ONCE", 1)  # noqa: B010
    score_towns(settings)


@pytest.mark.parametrize("moment", usually(MOMENTS, "between log and current copy"))
def test_a_kill_is_made_good_by_the_next_call(
    moment: str, lake: Settings, undisturbed: Settings, tmp_path: Path
) -> None:
    settings = copy_lake(lake, tmp_path / "data")
    killed(score_until, settings, moment)
    table = Lake(settings)
    for entry in table.snapshot(DISTRESS_SCORES).partitions.values():
        assert problems_of_published(table, DISTRESS_SCORES, entry) == []
    score_towns(settings)
    assert _versions(settings) == _versions(undisturbed)
    assert publish.repair(table.store, DISTRESS_SCORES.name) == 0
    assert outdated(settings) is None
    assert score_towns(settings).scored is False
    score_towns(settings, force=True)
    assert not list(table.staging.glob("*/")), "what a dead process left is swept by the next that works"
