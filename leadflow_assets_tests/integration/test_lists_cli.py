"""`leadflow lists` as a person uses it: what it prints, what it refuses, and with which exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from leadflow_assets.cli.app import main
from leadflow_assets.domain.towns import SAMPLETON
from leadflow_assets.sampleton import Planted
from leadflow_assets.settings import Settings
from leadflow_assets_tests.conftest import forget_environment
from leadflow_assets_tests.integration.pipeline_helpers import refresh, settings_for

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, sample_package: tuple[Path, Planted]) -> Settings:
    settings = settings_for(tmp_path_factory.mktemp("lake") / "data", leadflow_demo=True)
    assert refresh(settings, SAMPLETON, sample_package[0]).status == "refreshed"
    return settings


@pytest.fixture
def run(
    lake: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Runs `leadflow lists ...` on the shared lake, with lists of this test's own."""
    forget_environment(monkeypatch, tmp_path)
    monkeypatch.setenv("LEADFLOW_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("LEADFLOW_LAKE", lake.lake_uri)
    monkeypatch.setenv("LEADFLOW_DEMO", "true")
    monkeypatch.setenv("COLUMNS", "120")

    def command(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(["lists", *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return command


def document(run: Run, *arguments: str) -> Any:
    code, out, _ = run(*arguments, "--json")
    assert code == 0, out
    return json.loads(out)


def some_ids(run: Run, count: int) -> list[str]:
    if "some" not in [row["name"] for row in lists_of(run)]:
        assert run("save", "some", "--max-value", "400000")[0] == 0
    rows = document(run, "show", "some", "--limit", str(count))["rows"]
    return [row["property_id"] for row in rows]


def lists_of(run: Run, *arguments: str) -> list[dict[str, Any]]:
    code, out, _ = run("list", "--json", *arguments)
    assert code == 0
    return [json.loads(line) for line in out.splitlines()]


def test_help_has_examples_for_every_command(run: Run) -> None:
    code, out, _ = run("--help")
    assert code == 0
    names = ["save", "show", "list", "add", "remove", "refresh", "diff", "archive", "restore", "export"]
    names += ["combine", "report"]
    assert all(f"  {name} " in out for name in names)
    for name in names:
        code, out, _ = run(name, "--help")
        assert (code, f"leadflow lists {name} " in out.partition("Examples:")[2]) == (0, True), name


def test_a_dynamic_list_is_saved_shown_listed_and_refreshed(run: Run) -> None:
    code, out, err = run(
        "save", "Rich homes", "--category", "residential", "--min-value", "700000", "--description", "d"
    )
    assert (code, out) == (0, "")
    assert err.startswith("Rich homes (dynamic): ")
    saved = document(run, "show", "rich homes", "--limit", "3")
    assert saved["criteria"] == {"categories": ["residential"], "min_value": 700_000}
    assert (saved["kind"], len(saved["rows"]), saved["description"]) == ("dynamic", 3, "d")
    assert all(row["total_value"] >= 700_000 and row["status"] == "present" for row in saved["rows"])
    code, out, err = run("show", "rich homes", "--limit", "2", "--offset", "1")
    assert saved["rows"][1]["property_id"] in out
    assert f"2 to 3 of {saved['members']:,} members" in err
    assert max(map(len, out.splitlines())) <= 120
    assert [row["name"] for row in lists_of(run)] == ["Rich homes"]
    code, out, err = run("refresh", "--all", "--json")
    assert (code, json.loads(out)["changes"]) == (0, {"came": 0, "went": 0, "followed": 0, "lost": 0})
    code, out, err = run("diff", "Rich homes")
    assert (code, out) == (0, "")
    assert err.startswith("Nothing changed on Rich homes since ")
    code, out, _ = run("diff", "Rich homes", "--since", "2020-01-01", "--event", "came", "--json")
    assert len(out.splitlines()) == saved["members"]
    assert json.loads(out.splitlines()[0])["reason"] == "first save of the list"


def test_ids_come_from_the_command_line_or_a_file(run: Run, tmp_path: Path) -> None:
    ids = some_ids(run, 4)
    assert document(run, "save", "picked", "--ids", ",".join(ids[:2]))["members"] == 2
    (tmp_path / "ids.txt").write_text("property_id\n" + "\n".join(ids) + "\n")
    assert document(run, "add", "picked", str(tmp_path / "ids.txt"))["changes"]["came"] == 2
    assert document(run, "remove", "picked", *ids[:3])["members"] == 1
    code, _, err = run("add", "picked", "999-none")
    assert (code, "999-none" in err) == (2, True)
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    assert run("add", "picked", str(tmp_path / "bytes"))[0] == 2
    assert run("save", "empty", "--ids", " , ")[0] == 2


def test_an_import_reports_row_by_row(run: Run, tmp_path: Path) -> None:
    ids = some_ids(run, 2)
    rows = [*ids, ids[0], "999-gone"]
    (tmp_path / "in.csv").write_bytes(
        "\r\n".join(["sep=;", "Property ID;Remark", *(f"{i};é" for i in rows)]).encode("cp1252")
    )
    dry = document(run, "save", "imp", "--import", str(tmp_path / "in.csv"), "--dry-run")
    assert dry["counts"] == {"exact": 2, "probable": 0, "none": 1, "duplicate": 1}
    assert (dry["list"], dry["report"]) == (None, None)
    code, out, err = run("save", "imp", "--import", str(tmp_path / "in.csv"), "--town", "sampleton")
    assert code == 0
    assert out.split()[:4] == ["exact", "probable", "none", "duplicate"]
    assert "4 rows, Windows-1252, semicolon between 2 columns" in err
    report = tmp_path / "data" / "list_reports" / "imp.csv"
    assert str(report) in err
    assert report.read_text("utf-8-sig").splitlines()[4].startswith("4,6,none,,no,")
    code, out, _ = run("report", "imp", "--json")
    assert [json.loads(line)["result"] for line in out.splitlines()] == [
        "exact",
        "exact",
        "duplicate",
        "none",
    ]
    assert run("report", "some")[0] == 2


def test_lists_combine_archive_and_come_back(run: Run) -> None:
    ids = some_ids(run, 3)
    run("save", "a one", "--ids", ",".join(ids[:2]))
    run("save", "b", "--ids", ",".join(ids[1:]))
    made = document(run, "combine", "ab", "a", "one", "AND", "B")
    assert (made["members"], made["note"]) == (1, "a one AND b")
    assert document(run, "combine", "every", "a one or b")["members"] == 3
    assert document(run, "archive", "ab")["archived"] is True
    assert "ab" not in [row["name"] for row in lists_of(run)]
    assert "ab" in [row["name"] for row in lists_of(run, "--all")]
    assert run("refresh", "ab")[0] == 2
    assert document(run, "restore", "AB")["archived"] is False
    assert run("combine", "x", "a one", "and")[0] == 2
    assert run("combine", "x", "a one", "and", "nope")[0] == 2


def test_an_export_holds_the_members(run: Run, tmp_path: Path) -> None:
    ids = some_ids(run, 3)
    run("save", "picked", "--ids", ",".join(ids))
    done = document(run, "export", "picked", "--format", "geoparquet", "-o", str(tmp_path / "p.parquet"))
    assert (done["rows"], done["not_in_the_lake"]) == (3, 0)
    assert sorted(pq.read_table(tmp_path / "p.parquet")["property_id"].to_pylist()) == ids
    assert "picked" in Path(done["sidecar"]).read_text()
    assert run("export", "picked", "--format", "pdf", "-o", str(tmp_path / "p.pdf"))[0] == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("save", "a/b", "--town", "sampleton"),
        ("save", "and", "--town", "sampleton"),
        ("save", "x"),
        ("save", "x", "--town", "nowhere"),
        ("save", "x", "--ids", "1", "--town", "sampleton"),
        ("save", "x", "--ids", "1", "--import", "f.csv"),
        ("save", "x", "--import", "missing.csv"),
        ("save", "x", "--import", "missing.csv", "--min-value", "1"),
        ("save", "x", "--dry-run", "--town", "sampleton"),
        ("show", "nope"),
        ("refresh",),
        ("refresh", "nope"),
        ("diff", "nope"),
        ("diff", "nope", "--since", "yesterday"),
        ("diff", "nope", "--event", "left"),
        ("archive", "nope"),
        ("export", "nope", "--format", "csv", "-o", "x.csv"),
        ("frobnicate",),
    ],
)
def test_wrong_usage_is_one_sentence_and_a_two(run: Run, arguments: tuple[str, ...]) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    code, out, _ = run(*arguments, "--json")
    assert (code, json.loads(out)["exit_code"]) == (2, 2)


def test_an_owners_name_reaches_neither_the_log_nor_the_reasons(run: Run) -> None:
    (first, *_) = document(run, "show", "some", "--limit", "5")["rows"] if some_ids(run, 1) else []
    word = str(first["owner_name"]).replace(",", " ").split()[0]
    assert run("save", "family", "--owner", word)[0] == 0
    _, out, _ = run("diff", "family", "--json")
    assert out and word not in out
