"""A purge may die at any moment, and two may run at once: what was recorded is finished, nothing is left."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from leadflow_assets.enrich.purge.service import Purges
from leadflow_assets.sampleton import Planted as Package
from leadflow_assets.settings import Settings
from leadflow_assets.state import database, purges
from leadflow_assets_tests.integration.pipeline_helpers import REPOSITORY, settings_for
from leadflow_assets_tests.integration.purge_helpers import Planted, places_that_say, plant
from leadflow_assets_tests.integration.test_purge import SEALED, assert_gone, assert_sound

# Steps that change a name on disk, in the order of a purge: links, renames, removals.
KILLS = (1, 4, 9, 15, 24, 36, 50, 70)
# Kills itself at the n-th link, rename or removal (0: never).
_CHILD = """
import os, signal, sys
from pathlib import Path
from leadflow_assets.enrich.purge.service import Purges
from leadflow_assets.enrich.purge.target import read_case, read_person
from leadflow_assets_tests.integration.pipeline_helpers import settings_for

def counted(call, left=[int(sys.argv[2])]):
    def step(*args, **kwargs):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*args, **kwargs)
    return step

if int(sys.argv[2]):
    os.link, os.replace, os.unlink = counted(os.link), counted(os.replace), counted(os.unlink)
settings = settings_for(Path(sys.argv[1]), leadflow_demo=True)
what = read_case(sys.argv[3]) if len(sys.argv) == 4 else read_person(sys.argv[3], properties=[sys.argv[4]])
Purges(settings).purge(what, reason="other", by="pat")
"""


@pytest.fixture(scope="module")
def planted_once(tmp_path_factory: pytest.TempPathFactory, sample_package: tuple[Path, Package]) -> Planted:
    """One lake on disk; tests take copies."""
    folder = tmp_path_factory.mktemp("planted")
    return plant(settings_for(folder / "data", leadflow_demo=True), sample_package[0])


def copy_of(planted: Planted, folder: Path) -> Planted:
    """A copy with its hard links."""
    subprocess.run(["cp", "-a", str(planted.settings.data_dir), str(folder)], check=True)
    return replace(planted, settings=settings_for(folder, leadflow_demo=True))


def start(planted: Planted, die_at: int, *what: str) -> subprocess.Popen[bytes]:
    """A purge in a process of its own."""
    names = {name.upper() for name in Settings.model_fields}
    plain = {name: value for name, value in os.environ.items() if name.upper() not in names}
    return subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(planted.settings.data_dir), str(die_at), *what],
        cwd=planted.settings.data_dir,
        env=plain | {"PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def test_a_purge_killed_anywhere_is_finished_by_the_next(planted_once: Planted, tmp_path: Path) -> None:
    killed = 0
    for step in KILLS:
        planted = copy_of(planted_once, tmp_path / f"data{step}")
        owner = planted.owner
        code = start(planted, step, owner.name, owner.property_id).wait()
        with database.session(planted.settings) as session:
            (purge,) = purges.all_purges(session)
        if code == -9:
            killed += 1
            assert purge.finished_at is None, "a purge is recorded before anything is removed"
        assert len(Purges(planted.settings).resume()) == (purge.finished_at is None)
        assert_gone(planted)
        assert_sound(planted)
    assert killed >= len(KILLS) - 2


def test_two_purges_at_once_do_not_undo_each_other(planted_once: Planted, tmp_path: Path) -> None:
    planted = copy_of(planted_once, tmp_path / "data")
    owner = planted.owner

    both = [start(planted, 0, owner.name, owner.property_id), start(planted, 0, "mab:26-40104")]
    codes = [process.wait() for process in both]

    assert codes == [0, 0]
    assert Purges(planted.settings).resume() == []
    assert places_that_say(planted, [*owner.needles, *SEALED]) == []
    assert_sound(planted)
