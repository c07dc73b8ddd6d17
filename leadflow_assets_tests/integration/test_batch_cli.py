"""`leadflow batch`, `enrich` and `spend` as a person uses them, against a loopback ATTOM."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from leadflow_assets.cli.app import main
from leadflow_assets.domain.towns import SAMPLETON
from leadflow_assets.enrich.health import ask_for_nothing
from leadflow_assets.sampleton import Planted, write_deliveries
from leadflow_assets.sampleton.attom_files import COLUMNS
from leadflow_assets.search.criteria import SearchCriteria
from leadflow_assets.search.engine import open_searcher
from leadflow_assets.settings import Settings, load_settings
from leadflow_assets_tests.conftest import forget_environment
from leadflow_assets_tests.integration.attom_helpers import homes, known_to_the_vendor, write_addresses
from leadflow_assets_tests.integration.pipeline_helpers import refresh, settings_for
from leadflow_assets_tests.vendors.attom import KEY, AttomServer, Fault

Run = Callable[..., tuple[int, str, str]]
TWO = "expandedprofile,homeequity"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, sample_package: tuple[Path, Planted]) -> Settings:
    settings = settings_for(tmp_path_factory.mktemp("lake") / "data", leadflow_demo=True)
    assert refresh(settings, SAMPLETON, sample_package[0]).status == "refreshed"
    return settings


@pytest.fixture
def rows(lake: Settings) -> list[dict[str, Any]]:
    return homes(lake, 6)


@pytest.fixture
def vendor(rows: list[dict[str, Any]]) -> Iterator[AttomServer]:
    """Knows the first four of six."""
    with AttomServer(known_to_the_vendor(rows[:4])) as server:
        yield server


@pytest.fixture
def run(
    lake: Settings,
    vendor: AttomServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Runs `leadflow ...` on a copy of the lake of this test's own."""
    forget_environment(monkeypatch, tmp_path)
    # Linked, as the lake links its own copies: no file of a lake is ever changed in place.
    shutil.copytree(Path(lake.lake_uri), tmp_path / "data" / "lake", copy_function=os.link)
    monkeypatch.setenv("LEADFLOW_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("LEADFLOW_DEMO", "true")
    monkeypatch.setenv("LEADFLOW_ATTOM_URL", vendor.base)
    monkeypatch.setenv("LEADFLOW_ATTOM_CALLS_PER_MINUTE", "100000")
    monkeypatch.setenv("LEADFLOW_ATTOM_ENDPOINTS", TWO)
    monkeypatch.setenv("ATTOM_API_KEY", KEY)
    monkeypatch.setenv("COLUMNS", "120")

    def command(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(list(arguments))
        out, err = capsys.readouterr()
        return code, out, err

    return command


def document(run: Run, *arguments: str) -> Any:
    code, out, err = run(*arguments, "--json")
    assert code == 0, out + err
    return json.loads(out)


def test_a_dry_run_says_what_matches_and_what_it_costs_and_sends_nothing(
    run: Run, vendor: AttomServer, rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    file = write_addresses(tmp_path / "mine.csv", [*rows, rows[0]])
    code, _, err = run("batch", "run-all", str(file), "--name", "try", "--dry-run")
    assert code == 0
    assert "7 rows" in err and "6 exact" in err and "1 duplicate" in err
    assert "6 properties to ask about" in err
    assert "12 questions (expandedprofile, homeequity) cost at most $1.20" in err
    assert vendor.calls == []
    assert run("batch", "list", "--json")[1] == ""


def test_run_all_ends_with_every_property_accounted_for_and_the_ledger_equal_to_the_bill(
    run: Run, vendor: AttomServer, rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    file = write_addresses(tmp_path / "mine.csv", rows)
    done = document(run, "batch", "run-all", str(file), "--name", "spring")
    assert done["status"] == "processed"
    assert done["outcomes"] == {"returned": 4, "no_match": 2, "ambiguous": 0, "error": 0, "pending": 0}
    assert vendor.reports == 8 and float(done["spent_cents"]) == 80.0
    spent = document(run, "spend")
    assert spent["days"][0]["settled_cents"] == 80.0 and spent["unknown_charges"] == []
    assert spent["budgets"][0]["left_cents"] == 10_000 - 80
    rows_of = document(run, "sql", "SELECT count(*) AS n FROM core.attom_properties", "--format", "json")
    assert rows_of["n"] == 4 if isinstance(rows_of, dict) else rows_of[0]["n"] == 4


def test_the_same_file_again_costs_nothing(
    run: Run, vendor: AttomServer, rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    file = write_addresses(tmp_path / "mine.csv", rows)
    document(run, "batch", "run-all", str(file), "--name", "first")
    calls = len(vendor.calls)
    again = document(run, "batch", "run-all", str(file), "--name", "second")
    assert len(vendor.calls) == calls
    assert float(again["spent_cents"]) == 0 and float(again["saved_cents"]) == 80
    assert again["outcomes"]["returned"] == 4


def test_results_keep_the_persons_own_columns(run: Run, rows: list[dict[str, Any]], tmp_path: Path) -> None:
    file = write_addresses(tmp_path / "mine.csv", rows)
    document(run, "batch", "run-all", str(file), "--name", "mine")
    assert run("batch", "results", "mine", "-o", str(tmp_path / "out.csv"))[0] == 0
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as opened:
        written = list(csv.DictReader(opened))
    assert [row["Lead No"] for row in written] == ["L1", "L2", "L3", "L4", "L5", "L6"]
    assert [row["outcome"] for row in written] == ["returned"] * 4 + ["no_match"] * 2


def test_without_a_key_the_batch_waits_and_the_exit_code_is_3(
    run: Run, rows: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, vendor: AttomServer
) -> None:
    monkeypatch.delenv("ATTOM_API_KEY")
    file = write_addresses(tmp_path / "mine.csv", rows)
    code, _, err = run("batch", "run-all", str(file), "--name", "later")
    assert code == 3 and "Set ATTOM_API_KEY" in err
    assert vendor.calls == []
    assert run("search", "--town", "sampleton", "--limit", "1")[0] == 0
    waiting = document(run, "batch", "status", "later")
    assert waiting["status"] == "submitted" and waiting["outcomes"]["pending"] == 6
    monkeypatch.setenv("ATTOM_API_KEY", KEY)
    assert document(run, "batch", "process", "later")["outcomes"]["returned"] == 4


def test_at_the_cap_the_rest_stays_pending_and_goes_on_with_a_higher_one(
    run: Run, rows: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, vendor: AttomServer
) -> None:
    monkeypatch.setenv("DAILY_CAP_ATTOM_CENTS", "40")
    file = write_addresses(tmp_path / "mine.csv", rows)
    code, _, err = run("batch", "run-all", str(file), "--name", "capped")
    assert code == 4 and "cap" in err
    assert vendor.reports <= 4
    assert document(run, "batch", "status", "capped")["outcomes"]["pending"] > 0
    monkeypatch.setenv("DAILY_CAP_ATTOM_CENTS", "1000")
    done = document(run, "batch", "process", "capped")
    assert done["outcomes"] == {"returned": 4, "no_match": 2, "ambiguous": 0, "error": 0, "pending": 0}
    assert vendor.reports == 8


def test_a_wrong_key_is_told_in_words(
    run: Run, rows: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATTOM_API_KEY", "wrong-key")
    file = write_addresses(tmp_path / "mine.csv", rows)
    code, out, err = run("batch", "run-all", str(file), "--name", "wrong")
    assert code == 3 and "the key is not accepted" in err
    assert "wrong-key" not in out + err


def test_an_unknown_charge_is_listed_and_resolved_by_a_person(
    run: Run, rows: list[dict[str, Any]], tmp_path: Path, vendor: AttomServer
) -> None:
    vendor.fault(Fault(cut_after=20))
    file = write_addresses(tmp_path / "mine.csv", rows[:1])
    run("batch", "run-all", str(file), "--name", "cut", "--endpoints", "expandedprofile")
    (charge,) = document(run, "spend")["unknown_charges"]
    assert run("batch", "process", "cut")[0] in (0, 1)
    assert sum(call.path.endswith("expandedprofile") for call in vendor.calls) == 1, (
        "never sent again by itself"
    )
    code, _, err = run("spend", "resolve", charge["charge_id"][:12], "--reports", "1")
    assert code == 0 and "settled at 1" in err
    assert document(run, "spend")["unknown_charges"] == []
    done = document(run, "batch", "process", "cut")
    assert done["outcomes"]["returned"] == 1


def test_enrich_takes_the_most_telling_within_the_sum(run: Run, vendor: AttomServer) -> None:
    choice = document(run, "enrich", "sampleton", "--max-cents", "100", "--dry-run")
    assert vendor.calls == []
    assert len(choice["chosen"]) == 5, "two questions of ten cents for each property"
    weights = {"tax_title": 4, "estate": 4, "absentee_out_of_state": 2, "absentee_in_state": 1}
    order = [sum(weights[signal] for signal in row["signals"]) for row in choice["chosen"]]
    assert order == sorted(order, reverse=True) and order[0] > 0
    values = document(run, "enrich", "sampleton", "--top", "2", "--endpoints", "attomavm", "--dry-run")
    assert {row["worth"] for row in values["chosen"]} == {"no part of the score is told by what is asked"}
    code, _, err = run("enrich", "sampleton")
    assert code == 2 and "--top" in err
    done = document(run, "enrich", "sampleton", "--top", "3", "--name", "best")
    assert done["total_records"] == 3 and sum(done["outcomes"].values()) == 3


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no rows"),
        (b"colour,size\nred,3\n", "property_id"),
        (b"\x00\x01\x02", "not"),
    ],
)
def test_a_file_that_names_nothing_is_refused_and_no_batch_is_left(
    run: Run, tmp_path: Path, content: bytes, said: str
) -> None:
    file = tmp_path / "bad.csv"
    file.write_bytes(content)
    code, _, err = run("batch", "submit", str(file), "--name", "bad")
    assert code == 2 and said in err
    assert run("batch", "list", "--json")[1] == ""


def test_an_unknown_batch_and_an_unknown_endpoint_are_named(
    run: Run, rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    code, _, err = run("batch", "status", "nothing")
    assert code == 2 and "nothing" in err
    file = write_addresses(tmp_path / "mine.csv", rows)
    code, _, err = run("batch", "submit", str(file), "--name", "x", "--endpoints", "everything")
    assert code == 2 and "expandedprofile" in err


def test_cancel_ends_a_batch_and_what_was_answered_stays(
    run: Run, rows: list[dict[str, Any]], tmp_path: Path, vendor: AttomServer
) -> None:
    file = write_addresses(tmp_path / "mine.csv", rows)
    document(run, "batch", "submit", str(file), "--name", "no")
    assert vendor.calls == [], "submitting sends nothing"
    assert document(run, "batch", "cancel", "no")["status"] == "cancelled"
    assert run("batch", "process", "no")[0] == 2


def delivered(settings: Settings, folder: Path) -> list[Path]:
    asked = SearchCriteria(towns=(999,))
    with (
        open_searcher(settings, engine="parquet") as searcher,
        searcher.stream(asked, columns=COLUMNS) as batches,
    ):
        rows = batches.read_all().to_pylist()
    return write_deliveries(rows, folder)


def test_delivered_files_need_no_key_join_the_properties_and_can_be_taken_back(
    run: Run, lake: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ATTOM_API_KEY")
    before = document(run, "search", "--town", "sampleton", "--min-equity", "1")
    assert before["total"] == 0 and any("needs ATTOM data" in note for note in before["notes"])
    files = delivered(lake, tmp_path / "files")
    for file in files:
        code, out, err = run("batch", "deliver", str(file), "--json")
        assert code == 0 and json.loads(out)["status"] == "processed", err
    found = document(run, "search", "--town", "sampleton", "--min-equity", "1")
    assert found["total"] > 100
    assert all(row["available_equity"] >= 1 for row in found["rows"])
    again = run("batch", "deliver", str(files[0]), "--json")
    assert again[0] == 0 and len(run("batch", "list", "--json")[1].splitlines()) == len(files)
    loans = next(
        job
        for job in map(json.loads, run("batch", "list", "--json")[1].splitlines())
        if job["name"].startswith("LOAN_MODEL")
    )
    assert run("batch", "withdraw", loans["job_id"])[0] == 0
    assert document(run, "search", "--town", "sampleton", "--min-equity", "1")["total"] == 0
    assert run("batch", "status", loans["job_id"])[0] == 2


def test_the_owners_in_delivered_files_become_leads_too(run: Run, lake: Settings, tmp_path: Path) -> None:
    file, *_ = delivered(lake, tmp_path / "files")
    job = json.loads(run("batch", "deliver", str(file), "--json")[1])["job_id"]
    code, _, err = run("batch", "process", job, "--leads")
    assert code == 0, err
    assert document(run, "batch", "status", job)["lead_count"] > 0
    listed = run("leads", "--batch", job, "--limit", "1", "--json")
    assert json.loads(listed[1])["is_added"] is True


@pytest.mark.slow
def test_a_later_list_of_deletions_takes_its_property_out_again(
    run: Run, lake: Settings, tmp_path: Path
) -> None:
    tax, loans, *_ = delivered(lake, tmp_path / "files")
    for file in (tax, loans):
        assert run("batch", "deliver", str(file))[0] == 0
    found = document(run, "search", "--town", "sampleton", "--min-equity", "1", "--limit", "500")
    gone = found["rows"][0]
    listed = tmp_path / "LOANMODEL_DELETES_0001.txt"
    listed.write_text(f"[ATTOM ID]\n{gone['attom_id']}\n", encoding="utf-8")
    code, _, err = run("batch", "deliver", str(listed))
    assert code == 0, err
    left = document(run, "search", "--town", "sampleton", "--min-equity", "1", "--limit", "500")
    assert left["total"] == found["total"] - 1
    assert gone["property_id"] not in {row["property_id"] for row in left["rows"]}


def test_a_record_that_fits_several_properties_waits_for_a_person_who_decides(
    run: Run, lake: Settings, tmp_path: Path
) -> None:
    tax, *_ = delivered(lake, tmp_path / "files")
    assert run("batch", "deliver", str(tax))[0] == 0
    waiting = [json.loads(line) for line in run("review", "list", "--json")[1].splitlines()]
    several = next(row for row in waiting if row["reason"] == "several_properties")
    chosen = several["candidates"][0]
    code, _, err = run("review", "confirm", str(several["attom_id"]), chosen, "--by", "a tester")
    assert code == 0 and "remembered" in err
    sql = f"SELECT attom_id FROM mart.properties WHERE property_id = '{chosen}'"
    assert str(several["attom_id"]) in run("sql", sql)[1]
    assert run("review", "reject", str(several["attom_id"]), "--by", "a tester")[0] == 0
    assert str(several["attom_id"]) not in run("sql", sql)[1]
    code, _, err = run("review", "confirm", "1", chosen)
    assert code == 2 and "ATTOM id 1" in err


def test_doctor_asks_attom_a_question_that_costs_nothing_and_tells_of_unknown_charges(
    run: Run,
    rows: list[dict[str, Any]],
    tmp_path: Path,
    vendor: AttomServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MASSGIS_LIVE_FETCH_ENABLED", "false")
    assert "accepted" in ask_for_nothing(load_settings())
    assert len(vendor.calls) == 1 and vendor.reports == 0
    vendor.fault(Fault(cut_after=20))
    file = write_addresses(tmp_path / "mine.csv", rows[:1])
    run("batch", "run-all", str(file), "--name", "cut", "--endpoints", "expandedprofile")
    monkeypatch.setenv("ATTOM_API_KEY", "wrong-key")
    out = run("doctor", "--live", "--json")[1]
    found = {row["name"]: row for row in map(json.loads, out.splitlines())}
    assert found["ATTOM live"]["status"] == "failed"
    assert found["ATTOM batches"]["status"] == "warning"
    assert "1 charges are unknown" in found["ATTOM batches"]["what_to_do"]
