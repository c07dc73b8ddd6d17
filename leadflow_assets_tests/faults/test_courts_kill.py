"""A refresh may be killed anywhere: no answer is lost, none is asked for twice, and the next run ends it.

The children are real processes that kill themselves with SIGKILL at a certain call of a certain step.
"""

from __future__ import annotations

import csv
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from leadflow_assets.enrich.court_answers import CourtAnswers
from leadflow_assets.enrich.courts import landing
from leadflow_assets.enrich.courts.service import Courts
from leadflow_assets.lake.publish import Publisher
from leadflow_assets.lake.tables import COURT_CASES, COURT_PARTIES
from leadflow_assets.settings import Settings
from leadflow_assets.state import court_progress
from leadflow_assets_tests.conftest import process_context
from leadflow_assets_tests.faults.kills import dying, killed
from leadflow_assets_tests.integration.courts_helpers import (
    Clock,
    asked_twice,
    cases,
    court_settings,
    dated,
    dockets,
    numbers,
    parties,
    with_clock,
)
from leadflow_assets_tests.integration.pipeline_helpers import usually
from leadflow_assets_tests.vendors.courtlistener import CourtListenerServer
from leadflow_assets_tests.vendors.courtlistener_cases import sample_month


def die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def before_table(name: str) -> Callable[..., Callable[..., Any]]:
    """``publish``, but death comes before that table."""

    def made(publish: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(self: Publisher, table: str, uploaded: Any) -> Any:
            if table == name:
                die()
            return publish(self, table, uploaded)

        return wrapped

    return made


# Where a child dies: the owner of a function, its name, and what stands in its place.
MOMENTS: dict[str, tuple[Any, str, Callable[[Any], Any]]] = {
    "after an answer is kept": (CourtAnswers, "keep", lambda f: dying(f, 2, after=True)),
    "before a day is noted": (court_progress, "mark_asked", lambda f: dying(f, 2)),
    "between fetch and landing": (landing, "make_plan", lambda f: dying(f, 2)),
    "before raw": (landing, "publish", lambda f: dying(f, 2)),
    "between raw and core": (Publisher, "publish", before_table(COURT_CASES.name)),
    "between cases and parties": (Publisher, "publish", before_table(COURT_PARTIES.name)),
    "before the answers are forgotten": (CourtAnswers, "forget", lambda f: dying(f, 2)),
}


def refresh_until(settings: Settings, moment: str) -> None:
    owner, name, made = MOMENTS[moment]
    setattr(owner, name, made(getattr(owner, name)))
    with_clock(settings, Clock()).month("mab", "2026-10")


def import_until(settings: Settings, file: Path, moment: str) -> None:
    owner, name, made = MOMENTS[moment]
    setattr(owner, name, made(getattr(owner, name)))
    with_clock(settings, Clock()).import_file(file, "probate")


@pytest.fixture
def server() -> Iterator[CourtListenerServer]:
    found, _ = sample_month(count=70)
    # Every process has a clock of its own here: the windows are not what is tested.
    with CourtListenerServer(found, clock=Clock()) as running:
        running.rates = [(10_000, "min", 60), (10_000, "hour", 3600), (10_000, "day", 86400)]
        yield running


@pytest.fixture
def settings(clean_environment: None, tmp_path: Path, server: CourtListenerServer) -> Settings:
    return court_settings(
        tmp_path,
        server,
        leadflow_courtlistener_calls_per_minute=10_000,
        leadflow_courtlistener_calls_per_hour=10_000,
        leadflow_courtlistener_calls_per_day=10_000,
    )


def assert_whole(settings: Settings, server: CourtListenerServer) -> None:
    """Every case once in each table, nothing asked twice, nothing left behind."""
    wanted = dated(server.cases)
    assert {row["docket_id"] for row in dockets(settings)} == wanted
    assert sorted(row["docket_id"] for row in cases(settings)) == sorted(wanted)
    assert {row["docket_id"] for row in parties(settings)} == wanted
    assert asked_twice(server) == {}
    assert Courts(settings).waiting() == []
    assert list((settings.data_dir / "staging").glob("*")) == []


@pytest.mark.parametrize("moment", usually(MOMENTS, "between raw and core"))
def test_the_next_run_ends_what_a_killed_one_began(
    settings: Settings, server: CourtListenerServer, moment: str
) -> None:
    killed(refresh_until, settings, moment)
    calls = len(server.counted)
    with_clock(settings, Clock()).month("mab", "2026-10")
    assert_whole(settings, server)
    assert len(server.counted) <= 5, f"{calls} calls before, one page may begin within a day"


@pytest.mark.slow
def test_a_refresh_that_is_killed_again_and_again_comes_to_its_end(
    settings: Settings, server: CourtListenerServer
) -> None:
    for moment in ("after an answer is kept", "before a day is noted", "before raw", "between raw and core"):
        killed(refresh_until, settings, moment)
    with_clock(settings, Clock()).month("mab", "2026-10")
    assert_whole(settings, server)
    before = numbers(settings)
    assert with_clock(settings, Clock()).land().rebuilt == ()
    assert numbers(settings) == before


def race(settings: Settings, start: Any, ended: Any) -> None:
    start.wait(timeout=60)
    report = with_clock(settings, Clock()).refresh()
    ended.put((report.calls, report.landed.new))


def test_two_processes_at_once_ask_once_and_publish_once(
    settings: Settings, server: CourtListenerServer
) -> None:
    settings = settings.model_copy(update={"leadflow_court_calls_kept": 10_000})  # the walk alone
    context = process_context()
    start, ended = context.Barrier(2), context.Queue()
    children = [context.Process(target=race, args=(settings, start, ended)) for _ in range(2)]
    for child in children:
        child.start()
    told = sorted(ended.get(timeout=120) for _ in range(2))
    for child in children:
        child.join(timeout=60)
    assert [child.exitcode for child in children] == [0, 0]
    # The second waited, looked at what is new since, and found nothing.
    assert told[0][1] == 0 and told[0][0] <= 3 and told[1][1] > 0
    held = [row["docket_id"] for row in cases(settings)]
    assert len(held) == len(set(held)) == len({row["docket_id"] for row in dockets(settings)})


def write_probate(path: Path, count: int) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["docket_number", "date_filed", "decedent"])
        out.writerows(
            (f"WO26P{k:04d}EA", f"2026-{9 + k % 2:02d}-1{k % 10}", f"Ada Fell {k}") for k in range(count)
        )
    return path


@pytest.mark.parametrize("moment", ["between raw and core", "between cases and parties"])
def test_a_killed_import_is_whole_or_not_at_all(settings: Settings, tmp_path: Path, moment: str) -> None:
    file = write_probate(tmp_path / "probate.csv", 40)
    killed(import_until, settings, file, moment)
    assert len(dockets(settings)) == 40, "two months came in one entry of the log"
    report = with_clock(settings, Clock()).import_file(file, "probate")
    assert (report.landed.new, report.landed.unchanged) == (0, 40)
    assert len(cases(settings)) == len(parties(settings)) == 40
