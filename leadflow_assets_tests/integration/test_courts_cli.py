"""`leadflow cases` as a person uses it, against a loopback CourtListener."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from leadflow_assets.cli import cases as cases_cli
from leadflow_assets.cli.app import main
from leadflow_assets.cli.common import current_settings
from leadflow_assets.domain.courts.kinds import CASE_TYPES
from leadflow_assets.settings import Settings
from leadflow_assets_tests.integration.courts_helpers import (
    Clock,
    cases,
    court_settings,
    dated,
    with_clock,
)
from leadflow_assets_tests.integration.test_courts_import import LIENS, write_csv, write_xlsx
from leadflow_assets_tests.vendors.courtlistener import TOKEN, CourtListenerServer
from leadflow_assets_tests.vendors.courtlistener_cases import sample_month

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> Iterator[CourtListenerServer]:
    found, _ = sample_month(count=70)
    with CourtListenerServer(found, clock=clock) as running:
        yield running


@pytest.fixture
def settings(clean_environment: None, tmp_path: Path, server: CourtListenerServer) -> Settings:
    return court_settings(tmp_path, server)


@pytest.fixture
def run(
    settings: Settings,
    server: CourtListenerServer,
    clock: Clock,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    """One command line; the commands live by the clock."""
    monkeypatch.setenv("LEADFLOW_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("COURTLISTENER_API_KEY", TOKEN)
    monkeypatch.setenv("LEADFLOW_COURTLISTENER_URL", server.base)
    monkeypatch.setenv("LEADFLOW_COURTS", "mab")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(cases_cli, "opened", lambda: with_clock(current_settings(), clock))

    def ran(*arguments: object) -> tuple[int, str, str]:
        code = main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return ran


def fits(text: str) -> bool:
    return all(len(line) <= 80 for line in text.splitlines())


def test_a_month_from_the_command_line_to_the_tables(
    run: Run, settings: Settings, server: CourtListenerServer
) -> None:
    code, out, err = run("cases", "refresh", "--court", "mab", "--month", "2026-10")
    assert code == 0
    assert "mab" in out and "2026-10-01" in out and "2026-10-31" in out and fits(out)
    assert "4 calls; 67 rows new" in err and "121 calls are left today" in err
    assert {row["docket_id"] for row in cases(settings)} == dated(server.cases)
    code, out, err = run("cases", "list", "--month", "2026-10", "--type", "bankruptcy_petition", "--limit", 5)
    assert code == 0 and fits(out)
    assert len([line for line in out.splitlines() if "2026-10-" in line]) == 5
    assert "5 of 66 cases shown" in err and "Found 66 bankruptcy petitions. CourtListener (mab)" in err
    code, out, _ = run("cases", "list", "--json", "--limit", 1000)
    rows = [json.loads(line) for line in out.splitlines()]
    assert len(rows) == 67 and {row["source"] for row in rows} == {"courtlistener"}


def test_a_wait_is_announced_on_stderr(run: Run, settings: Settings, server: CourtListenerServer) -> None:
    code, _, err = run("cases", "refresh")
    assert code == 0
    assert "waits 60 s for the minute's window (5/min)" in err
    assert max(len(line) for line in err.splitlines()) < 200
    assert 429 not in server.statuses()


def test_the_days_end_is_code_4_and_what_was_done_is_shown(
    run: Run, settings: Settings, server: CourtListenerServer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEADFLOW_COURTLISTENER_CALLS_PER_DAY", "2")
    code, out, err = run("cases", "refresh", "--month", "2026-10")
    assert code == 4
    assert "mab" in out and "resumes at 2026-11-03 12:00 UTC" in err and "Before that: 2 calls" in err
    assert len(cases(settings)) == 40
    code, out, _ = run("cases", "refresh", "--month", "2026-10", "--json")
    assert code == 4 and json.loads(out)["exit_code"] == 4
    monkeypatch.setenv("LEADFLOW_COURTLISTENER_CALLS_PER_DAY", "50")
    clock.now += timedelta(hours=25)
    code, out, _ = run("cases", "refresh", "--month", "2026-10", "--json")
    report = json.loads(out)
    assert code == 0 and report["courts"][0]["since"] == "2026-10-01" and report["resumes_at"] is None
    assert {row["docket_id"] for row in cases(settings)} == dated(server.cases)


def test_a_token_that_is_missing_or_wrong_is_code_3(
    run: Run, server: CourtListenerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURTLISTENER_API_KEY", "wrong-token")
    code, out, err = run("cases", "refresh")
    assert (code, out) == (3, "") and "not accepted" in err and "wrong-token" not in err
    monkeypatch.delenv("COURTLISTENER_API_KEY")
    code, out, err = run("cases", "refresh")
    assert (code, out) == (3, "") and "Set COURTLISTENER_API_KEY" in err
    assert server.statuses() == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("refresh", "--month", "October"),
        ("refresh", "--court", "MAB!"),
        ("import", "liens.csv"),
        ("import", "liens.csv", "--source", "probate", "--map", "owner"),
        ("coverage", "--type", "divorce"),
        ("list", "--type", "divorce"),
        ("list", "--source", "newspaper"),
    ],
)
def test_wrong_usage_is_code_2_with_a_way_out(run: Run, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    write_csv(tmp_path / "liens.csv")
    code, out, err = run("cases", *arguments)
    assert code == 2 and out == "" and err.startswith("error: ") and "hint: " in err


def test_an_import_is_tried_done_and_covered(run: Run, settings: Settings, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "liens.csv")
    wanted = ("--source", "land_court_tax_lien", "--map", "owner=Assessed To Name", "--from", "Town list")
    code, out, err = run("cases", "import", path, *wanted, "--dry-run")
    assert code == 0 and fits(out)
    assert "would be imported" in out and "2 new" in out and "Nothing was changed" in err
    assert cases(settings) == []
    code, out, _ = run("cases", "import", path, *wanted)
    assert code == 0 and "2 read, 2 usable" in out and len(cases(settings)) == 2
    book = write_xlsx(tmp_path / "liens.xlsx")
    code, out, _ = run("cases", "import", book, *wanted, "--sheet", "Cases", "--json")
    report = json.loads(out)
    assert code == 0 and (report["landed"]["changed"], report["rows"]) == (2, 2)
    assert report["stated_source"] == "Town list"
    code, out, _ = run("cases", "coverage", "--type", "tax_lien_case")
    assert code == 0 and fits(out)
    assert "Not available from CourtListener" in " ".join(out.split())
    assert "from 2026-09-14 on" in " ".join(out.split())


def test_a_file_with_a_wrong_date_is_code_2_and_nothing_is_taken(
    run: Run, settings: Settings, tmp_path: Path
) -> None:
    rows = [*LIENS, ("26 TL 001003", "31/12/2026", "Ivo Gorsegate", "1 Mill Rd", "Holden", "01520", "10")]
    path = write_csv(tmp_path / "liens.csv", rows)
    wanted = ("--source", "land_court_tax_lien", "--map", "owner=Assessed To Name")
    code, out, err = run("cases", "import", path, *wanted)
    assert code == 2 and out == "" and "row 4: Filed" in err and "Gorsegate" not in err
    code, _, err = run("cases", "import", path, *wanted, "--dry-run")
    assert code == 2 and "cannot be used: row 4: Filed" in err
    assert cases(settings) == []
    code, _, _ = run("cases", "import", path, *wanted, "--skip-bad")
    assert code == 0 and len(cases(settings)) == 2


def test_coverage_names_every_case_type_in_words(run: Run) -> None:
    code, out, _ = run("cases", "coverage")
    assert code == 0 and fits(out)
    assert all(name in out for name in CASE_TYPES)
    code, out, _ = run("cases", "coverage", "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    assert {row["case_type"] for row in rows} == set(CASE_TYPES)
    assert all(row["words"].endswith(".") or row["words"].endswith(").") for row in rows)
    assert {row["state"] for row in rows} == {"not_available", "not_fetched"}


def test_nothing_found_never_stands_alone(run: Run) -> None:
    code, out, err = run("cases", "list", "--type", "eviction")
    assert (code, out) == (0, "")
    assert "Whether there are evictions (summary process) is not known." in err


def test_help_shows_examples(run: Run) -> None:
    for command in ("refresh", "import", "coverage", "list"):
        code, out, _ = run("cases", command, "--help")
        assert code == 0 and f"leadflow cases {command}" in out.partition("Examples:")[2]


def test_doctor_tells_how_far_cases_go(
    run: Run, server: CourtListenerServer, settings: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from leadflow_assets.enrich.courts import health

    monkeypatch.setattr(health, "Courts", lambda given: with_clock(given, clock))
    told = health.attention(settings)
    assert told.detail == "0 cases; no court was asked yet" and told.warnings == ()
    assert run("cases", "refresh", "--month", "2026-10")[0] == 0
    told = health.attention(settings)
    assert told.detail == "67 cases; mab from 2026-10-01 to 2026-10-31" and told.warnings == ()
    clock.now += timedelta(days=30)
    assert "Too long ago: courtlistener" in health.attention(settings).warnings[0]
    assert "the token is accepted" in health.ask_for_usage(settings)
