"""Making leads may be killed anywhere: nothing half is seen, and the next call ends it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leadflow_assets.enrich.leads import publishing, service
from leadflow_assets.enrich.leads.service import make_leads, outdated
from leadflow_assets.enrich.scores.service import score_towns
from leadflow_assets.lake import publish
from leadflow_assets.lake.audit import problems_of_published
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.publish import Publisher
from leadflow_assets.lake.snapshots import SnapshotLog
from leadflow_assets.lake.tables import LEADS
from leadflow_assets.settings import Settings
from leadflow_assets_tests.faults.kills import dying, killed, two_towns
from leadflow_assets_tests.integration.pipeline_helpers import copy_lake, usually

# Where a child dies: the owner of a function, its name, and what stands in its place.
MOMENTS: dict[str, tuple[Any, str, Callable[[Any], Any]]] = {
    "before anything is published": (Publisher, "publish", lambda f: dying(f, 1)),
    "while the second town is uploaded": (publishing, "upload", lambda f: dying(f, 2)),
    "between upload and log": (SnapshotLog, "commit", lambda f: dying(f, 1)),
    "between log and current copy": (SnapshotLog, "commit", lambda f: dying(f, 1, after=True)),
    "before it is remembered": (service, "_write_done", lambda f: dying(f, 1)),
    "after it is remembered": (service, "_write_done", lambda f: dying(f, 1, after=True)),
}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Two small towns with scores."""
    settings = two_towns(tmp_path_factory.mktemp("lead_kill"))
    score_towns(settings)
    return settings


@pytest.fixture(scope="module")
def undisturbed(lake: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The same, made in peace."""
    settings = copy_lake(lake, tmp_path_factory.mktemp("lead_peace") / "data")
    assert make_leads(settings).towns_changed == (109, 190)
    return settings


def _versions(settings: Settings) -> dict[str, str]:
    entries = Lake(settings).snapshot(LEADS).partitions
    return {name: entry.data.sha256 for name, entry in entries.items()}


def make_until(settings: Settings, moment: str) -> None:
    owner, name, made = MOMENTS[moment]
    setattr(owner, name, made(getattr(owner, name)))
    make_leads(settings)


@pytest.mark.parametrize("moment", usually(MOMENTS, "between log and current copy"))
def test_a_kill_is_made_good_by_the_next_call(
    moment: str, lake: Settings, undisturbed: Settings, tmp_path: Path
) -> None:
    settings = copy_lake(lake, tmp_path / "data")
    killed(make_until, settings, moment)
    here = _versions(settings)
    assert here in ({}, _versions(undisturbed)), "all towns are seen, or none"
    make_leads(settings)
    assert _versions(settings) == _versions(undisturbed)
    for entry in Lake(settings).snapshot(LEADS).partitions.values():
        assert problems_of_published(Lake(settings), LEADS, entry) == []
    assert publish.repair(Lake(settings).store, LEADS.name) == 0
    assert outdated(settings) is None
    assert make_leads(settings).made is False
