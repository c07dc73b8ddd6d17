"""``leadflow leads``: what a person sees, changes and takes along."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from leadflow_assets.cli.app import main
from leadflow_assets.enrich.batches.service import Batches
from leadflow_assets.enrich.scores.service import score_towns
from leadflow_assets.sampleton import Planted
from leadflow_assets.settings import Settings, load_settings
from leadflow_assets_tests.conftest import forget_environment
from leadflow_assets_tests.integration.search_helpers import make_search_lake
from leadflow_assets_tests.integration.unified_helpers import rows_of

Row = dict[str, Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, sample_package: tuple[Path, Planted]) -> Path:
    settings = make_search_lake(tmp_path_factory.mktemp("leads_cli"), sample_package[0]).settings
    score_towns(settings)
    return settings.data_dir


@pytest.fixture
def settings(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    forget_environment(monkeypatch, tmp_path)
    shutil.copytree(folder, tmp_path / "data", symlinks=True)
    monkeypatch.setenv("LEADFLOW_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("LEADFLOW_DEMO", "true")
    return load_settings()


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def rows(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[Row]:
    code, out, err = run(capsys, "leads", *arguments, "--json")
    assert code == 0, err
    return [json.loads(line) for line in out.splitlines()]


def document(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    code, out, err = run(capsys, *arguments, "--json")
    assert code == 0, err
    return json.loads(out)


def test_leads_are_ranked_and_filtered(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "leads")
    assert code == 0 and "There are no leads yet" in err
    report = document(capsys, "leads", "run")
    found = rows(capsys, "--limit", "100000")
    assert len(found) == report["leads"] > 100
    order = [(-row["score"], -row["coverage"], row["property_id"]) for row in found]
    assert order == sorted(order) and [row["rank"] for row in found] == list(range(1, len(found) + 1))
    for arguments, holds in (
        (("--grade", "b"), lambda row: row["grade"] == "B"),
        (("--min-score", "5", "--min-coverage", "0.3"), lambda r: r["score"] >= 5 and r["coverage"] >= 0.3),
        (("--opportunity", "high"), lambda row: row["opportunity"] == "high"),
        (("--town", "monroe"), lambda row: any(m["town_id"] == 190 for m in row["properties"])),
    ):
        some = rows(capsys, *arguments, "--limit", "100000")
        assert {row["lead_id"] for row in some} == {row["lead_id"] for row in found if holds(row)}
    assert any(row["grade"] == "B" for row in found)
    code, out, err = run(capsys, "leads", "--limit", "3")
    assert code == 0 and "ordering only" in err and found[0]["lead_id"][:9] in out


def test_a_saved_list_narrows_the_leads(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "leads", "run")
    found = rows(capsys, "--limit", "5")
    last = found[-1]["properties"][-1]["property_id"]
    assert run(capsys, "lists", "save", "picked", "--ids", f"{last},{found[0]['property_id']}")[0] == 0
    some = rows(capsys, "--list", "picked")
    assert {row["lead_id"] for row in some} == {found[0]["lead_id"], found[-1]["lead_id"]}


def test_a_status_is_kept_with_its_history_through_a_rebuild(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "leads", "run")
    lead, other = (row["lead_id"] for row in rows(capsys, "--limit", "2"))
    assert run(capsys, "leads", "status", lead, other, "contacted", "--by", "ada", "--note", "rang")[0] == 0
    assert run(capsys, "leads", "status", other, "dead", "--by", "ada")[0] == 0
    assert run(capsys, "leads", "run", "--force")[0] == 0
    assert [row["lead_id"] for row in rows(capsys, "--status", "contacted")] == [lead]
    assert other not in {row["lead_id"] for row in rows(capsys, "--limit", "100000")}
    shown = document(capsys, "leads", "show", other)
    assert [event["status"] for event in shown["history"]] == ["contacted", "dead"]
    assert (shown["lead"]["status"], shown["lead"]["status_changed_by"]) == ("dead", "ada")
    code, out, _ = run(capsys, "leads", "show", lead)
    assert code == 0
    for text in ("Grade ", "ordering only", "points", "Opportunity", "Mail to", "Status: contacted", "rang"):
        assert text in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("leads", "--grade", "Z"), "no grade 'Z'"),
        (("leads", "--list", "nobody"), "nobody"),
        (("leads", "show", "lead-0000000000000000"), "There is no lead"),
        (("leads", "status", "lead-0000000000000000", "won"), "There is no lead"),
        (("leads", "status", "lead-0000000000000000", "sold"), "no status 'sold'"),
        (("leads", "add", "999-none"), "There is no property 999-none"),
        (("leads", "export", "-o", "leads.pdf"), "csv or xlsx"),
        (("leads", "export", "--batch", "none", "-o", "leads.csv"), "none"),
    ],
)
def test_a_bad_question_is_one_clear_error(
    settings: Settings, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    run(capsys, "leads", "run")
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "") and message in err


def test_the_same_status_again_needs_a_note(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "leads", "run")
    lead = rows(capsys, "--limit", "1")[0]["lead_id"]
    code, _, err = run(capsys, "leads", "status", lead, "new")
    assert code == 2 and "is new already" in err
    assert run(capsys, "leads", "status", lead, "new", "--note", "no answer")[0] == 0


def test_an_export_holds_what_the_list_shows(
    settings: Settings, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    found = document(capsys, "leads", "run") and rows(capsys, "--min-score", "8", "--limit", "100000")
    target = tmp_path / "leads.csv"
    done = document(capsys, "leads", "export", "--min-score", "8", "-o", str(target))
    with target.open(encoding="utf-8-sig", newline="") as file:
        written = list(csv.DictReader(file))
    assert [row["lead_id"] for row in written] == [row["lead_id"] for row in found]
    assert done["rows"] == len(found)
    assert [float(row["score"]) for row in written] == [row["score"] for row in found]
    assert all(
        row["mailing_zip"] == (given["mailing_zip"] or "") for row, given in zip(written, found, strict=True)
    )
    sidecar = json.loads((tmp_path / "leads.csv.leadflow.json").read_text(encoding="utf-8"))
    assert sidecar["criteria"] == {"leads": {"min_score": 8.0}}
    assert all(column["meaning"] for column in sidecar["columns"])
    assert any("distress-1.0.0" in note and "uncalibrated" in note for note in sidecar["notes"])
    assert run(capsys, "leads", "export", "--grade", "B", "-o", str(tmp_path / "b.xlsx"))[0] == 0
    sheet = openpyxl.load_workbook(tmp_path / "b.xlsx", read_only=True).worksheets[0]
    assert len(list(sheet.rows)) - 1 == len(rows(capsys, "--grade", "B", "--limit", "100000"))


def test_a_batchs_export_keeps_every_column_and_row_of_the_user(
    settings: Settings, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    run(capsys, "leads", "run")
    lead = rows(capsys, "--limit", "1")[0]
    known = {m["property_id"] for row in rows(capsys, "--limit", "100000") for m in row["properties"]}
    quiet = next(
        row["property_id"]
        for row in rows_of(settings, "mart/properties")
        if row["property_id"] not in known and row["site_address"]
    )
    given = tmp_path / "mine.csv"
    given.write_text(
        f"property_id,score,my note\n{quiet},keep,=1+1\n{lead['property_id']},warm,ring her\n",
        encoding="utf-8",
    )
    job = Batches(settings).create(given, name="mine")
    target = tmp_path / "out.csv"
    assert run(capsys, "leads", "export", "--batch", job.job_id, "-o", str(target))[0] == 0
    with target.open(encoding="utf-8-sig", newline="") as file:
        written = list(csv.DictReader(file))
    assert [row["property_id (given)"] for row in written] == [quiet, lead["property_id"]]
    assert [row["score (given)"] for row in written] == ["keep", "warm"]
    assert [row["my note"] for row in written] == ["'=1+1", "ring her"]
    assert [row["lead_id"] for row in written] == ["", lead["lead_id"]]
