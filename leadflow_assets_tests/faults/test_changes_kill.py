"""A build of changes may die at any step of publishing: the next one ends as if nothing was."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadflow_assets.domain.towns import Town, town_by_id
from leadflow_assets.enrich.changes import service
from leadflow_assets.enrich.changes.service import build
from leadflow_assets.lake import tables
from leadflow_assets.lake.lake import Lake
from leadflow_assets.sampleton import PackageSpec, next_release, write_package
from leadflow_assets.settings import Settings
from leadflow_assets_tests.faults.kills import die_at_step, ended, start
from leadflow_assets_tests.integration.pipeline_helpers import refresh, settings_for
from leadflow_assets_tests.integration.unified_helpers import rows_of

# More towns than one group: some are published when it dies, others are not.
TOWNS = [town_by_id(town_id) for town_id in (13, 62, 109)]
STEPS = (1, 2, 3, 5, 7)


def build_until(settings: Settings, step: int) -> None:
    """One town at a time, until the n-th link or rename."""
    die_at_step(step, "link", "replace")
    setattr(service, "_GROUP", 1)  # noqa: B010
    build(settings)


def write_town(folder: Path, town: Town) -> list[Path]:
    spec = PackageSpec(town_id=town.town_id, name=town.name, parcels=120, quirks=False)
    paths = [folder / str(year) / town.shapefile_zip for year in range(2)]
    for path, write in zip(paths, (write_package, next_release), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        write(spec, path)
    return paths


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Three small towns with two releases each, and nothing compared yet."""
    settings = settings_for(tmp_path / "data")
    for town in TOWNS:
        for package in write_town(tmp_path / "packages", town):
            assert refresh(settings, town, package).status == "refreshed"
    return settings


def ids(settings: Settings) -> list[str]:
    name = tables.PROPERTY_CHANGES.name
    return sorted(row["event_id"] for town in TOWNS for row in rows_of(settings, name, town.town_id))


@pytest.mark.slow
def test_killed_at_any_step_each_event_is_there_once(settings: Settings, tmp_path: Path) -> None:
    died = 0
    for step in STEPS:
        code = ended(start(build_until, settings, step))
        assert code in (0, -9)
        died += code == -9
    assert died >= 3
    build(settings)
    assert build(settings).towns == ()
    found_ids = ids(settings)
    assert len(found_ids) == len(set(found_ids)) == 20 * len(TOWNS)
    snapshot = Lake(settings).snapshot(tables.PROPERTY_CHANGES)
    assert sorted(entry.data.rows for entry in snapshot.partitions.values()) == [20, 20, 20]
    assert list((settings.data_dir / "staging").iterdir()) == []
