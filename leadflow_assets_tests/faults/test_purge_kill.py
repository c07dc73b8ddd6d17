"""A purge may die at any moment, and two may run at once: what was recorded is finished, nothing is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadflow_assets.enrich.purge.service import Purges
from leadflow_assets.enrich.purge.target import CaseTarget, PersonTarget, read_case, read_person
from leadflow_assets.sampleton import Planted as Package
from leadflow_assets.settings import Settings
from leadflow_assets.state import database, purges
from leadflow_assets_tests.faults.kills import die_at_step, ended, start
from leadflow_assets_tests.integration.pipeline_helpers import settings_for
from leadflow_assets_tests.integration.purge_helpers import Planted, places_that_say, plant
from leadflow_assets_tests.integration.test_purge import SEALED, assert_gone, assert_sound, copied

# Steps that change a name on disk, in the order of a purge: links, renames, removals.
KILLS = (1, 9, 36)


def purge_until(settings: Settings, what: PersonTarget | CaseTarget, step: int = 0) -> None:
    """Until the n-th link, rename or removal (0: to its end)."""
    if step:
        die_at_step(step, "link", "replace", "unlink")
    Purges(settings).purge(what, reason="other", by="pat")


@pytest.fixture(scope="module")
def planted_once(tmp_path_factory: pytest.TempPathFactory, sample_package: tuple[Path, Package]) -> Planted:
    """One lake on disk; tests take copies."""
    folder = tmp_path_factory.mktemp("planted")
    return plant(settings_for(folder / "data", leadflow_demo=True), sample_package[0])


def owner_of(planted: Planted) -> PersonTarget:
    return read_person(planted.owner.name, properties=[planted.owner.property_id])


@pytest.mark.slow
def test_a_purge_killed_anywhere_is_finished_by_the_next(planted_once: Planted, tmp_path: Path) -> None:
    killed = 0
    for step in KILLS:
        planted = copied(planted_once, tmp_path / f"killed{step}")
        code = ended(start(purge_until, planted.settings, owner_of(planted), step))
        with database.session(planted.settings) as session:
            (purge,) = purges.all_purges(session)
        if code == -9:
            killed += 1
            assert purge.finished_at is None, "a purge is recorded before anything is removed"
        assert len(Purges(planted.settings).resume()) == (purge.finished_at is None)
        assert_gone(planted)
        assert_sound(planted)
    assert killed == len(KILLS)


def test_two_purges_at_once_do_not_undo_each_other(planted_once: Planted, tmp_path: Path) -> None:
    planted = copied(planted_once, tmp_path)

    both = [
        start(purge_until, planted.settings, what) for what in (owner_of(planted), read_case("mab:26-40104"))
    ]

    assert [ended(process) for process in both] == [0, 0]
    assert Purges(planted.settings).resume() == []
    assert places_that_say(planted, [*planted.owner.needles, *SEALED]) == []
    assert_sound(planted)
