"""`leadflow review` and `leadflow cases find` as a person runs them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer

from leadflow_assets.cli import case_find, errors, output, review
from leadflow_assets.domain.courts.kinds import CASE_TYPES
from leadflow_assets.domain.towns import SAMPLETON
from leadflow_assets.enrich.case_matches.service import match_cases
from leadflow_assets.enrich.unified.merge import merge
from leadflow_assets.sampleton import Planted
from leadflow_assets.settings import Settings
from leadflow_assets_tests.conftest import forget_environment
from leadflow_assets_tests.integration.case_matches_helpers import (
    imported,
    lines_of,
    natural,
    persons,
    petition,
    publish_cases,
)
from leadflow_assets_tests.integration.pipeline_helpers import refresh, settings_for
from leadflow_assets_tests.integration.unified_helpers import attom, publish_batch, rows_of, with_mortgage


@dataclass(frozen=True)
class Answer:
    """What a run left behind."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Places:
    """A home with a petition, one whose case has another name, and the building that ATTOM means."""

    settings: Settings
    debtors: dict[str, str]
    others: dict[str, str]


Run = Callable[..., Answer]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory, sample_package: tuple[Path, Planted]) -> Places:
    folder = tmp_path_factory.mktemp("review_cli")
    settings = settings_for(folder / "data", leadflow_demo=True)
    assert refresh(settings, SAMPLETON, sample_package[0]).status == "refreshed"
    rows = sorted(rows_of(settings, "mart/properties"), key=lambda row: str(row["property_id"]))
    keys = [row["address_key"] for row in rows]
    homes = [row for row in persons(rows) if row["house_number"] and keys.count(row["address_key"]) == 1]
    one, two = [row for row in homes if row["records_on_parcel"] == 1 and not row["unit"]][:2]
    flat = next(row for row in rows if row["unit"] and not row["is_condominium_master"])
    publish_cases(
        settings,
        petition("26-10001", natural(one["owners"][0]), lines=lines_of(one, "Sampleton", "02000")),
        imported(
            "registry_order_of_notice", "9", ("owner", "Anna Anders"), at=f"{two['site_address']}, Sampleton"
        ),
    )
    match_cases(settings)
    building = f"{flat['address_number']} {flat['street']}"
    publish_batch(settings, "one", [with_mortgage(attom(1, building), 9_000, "2026-01-01")])
    merge(settings)
    return Places(settings, one, two)


@pytest.fixture
def run(
    places: Places, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Run:
    forget_environment(monkeypatch, tmp_path)
    monkeypatch.setenv("LEADFLOW_DATA_DIR", str(places.settings.data_dir))
    monkeypatch.setenv("LEADFLOW_DEMO", "true")
    app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
    review.register(app)
    cases = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
    case_find.register(cases)
    cases.callback()(lambda: None)
    app.add_typer(cases, name="cases")
    command = typer.main.get_command(app)

    def go(*arguments: str) -> Answer:
        output.forget_consoles()
        code = errors.run(command, arguments)
        printed = capsys.readouterr()
        return Answer(code, printed.out, printed.err)

    return go


def test_both_kinds_wait_and_their_ids_tell_which_is_meant(run: Run, places: Places) -> None:
    rows = [json.loads(line) for line in run("review", "list", "--json").out.splitlines()]
    assert [row["kind"] for row in rows] == ["cases", "properties"]
    case, record = rows
    assert (case["property_id"], case["tier"]) == (places.others["property_id"], "possible")
    assert any("the case names this address" in text for text in case["evidence"])
    only = run("review", "list", "--kind", "cases", "--json").out.splitlines()
    assert [json.loads(line)["match_id"] for line in only] == [case["match_id"]]
    table = run("review", "list", "--kind", "cases", "--town", "sampleton").out
    assert case["match_id"] in table and "70%" in table and "Anders" in table
    assert "Nothing waits" in run("review", "list", "--kind", "cases", "--town", "monroe").err
    shown = run("review", "show", case["match_id"])
    assert "the name on record is not that of the case's party" in shown.out
    assert run("review", "confirm", str(record["attom_id"]), record["candidates"][0], "--by", "pat").code == 0
    left = run("review", "list", "--json").out.splitlines()
    assert [json.loads(line)["kind"] for line in left] == ["cases"]


def test_a_decision_is_told_remembered_and_can_be_taken_back(run: Run) -> None:
    (line,) = run("review", "list", "--kind", "cases", "--json").out.splitlines()
    match_id = json.loads(line)["match_id"]
    done = run("review", "reject", match_id, "--by", "pat", "--reason", "a namesake")
    assert done.code == 0 and f"Match {match_id} is rejected; remembered." in done.err
    assert run("review", "list", "--kind", "cases", "--json").out == ""
    told = json.loads(run("review", "confirm", match_id, "--by", "sam", "--json").out)
    assert (told["decision"], told["match_ids"]) == ("confirmed", [match_id])
    history = json.loads(run("review", "show", match_id, "--json").out)["history"]
    assert [(row["decision"], row["decided_by"], row["reason"]) for row in history] == [
        ("rejected", "pat", "a namesake"),
        ("confirmed", "sam", ""),
    ]
    text = run("review", "show", match_id).out
    assert "a namesake" in text and "sam" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("confirm", "m0123456789abcdef"), "There is no match m0123456789abcdef"),
        (("reject", "somebody"), "is no id of a match"),
        (("confirm", "184713191"), "Which property is it?"),
        (("confirm", "m0123456789abcdef", "025-1"), "has its property already"),
        (("show", "184713191"), "no id of a case match"),
        (("list", "--town", "nowhere"), "nowhere"),
    ],
)
def test_wrong_ids_are_explained(arguments: tuple[str, ...], said: str, run: Run) -> None:
    answer = run("review", *arguments)
    assert answer.code == 2 and said in answer.err and "hint:" in answer.err


def test_a_parcels_cases_are_shown_with_evidence_and_with_what_was_looked_for(
    run: Run, places: Places
) -> None:
    loc_id = places.debtors["loc_id"]
    answer = run("cases", "find", "sampleton", loc_id)
    assert answer.code == 0
    assert "bankruptcy petition, chapter 13, 26-10001, filed 2026-10-05: confirmed, 99%" in answer.out
    assert "the party's address is the property's or its bill's" in answer.out
    assert "automatic stay" in answer.out and "represented by counsel" in answer.out
    assert "Not looked for, so not known:" in answer.out and "evictions (summary process)" in answer.out
    document = json.loads(run("cases", "find", "999", loc_id, "--json").out)
    (case,) = document["cases"]
    assert (case["case_id"], case["tier"], case["is_open"]) == ("mab:26-10001", "confirmed", True)
    assert case["parties"][0]["property_id"] == places.debtors["property_id"]
    assert set(document["coverage"]) == set(CASE_TYPES)
    same = run("cases", "find", "999", str(places.debtors["property_id"]), "--json").out
    assert json.loads(same)["cases"] == document["cases"]


def test_no_case_found_is_never_said_alone(run: Run, places: Places) -> None:
    rows = rows_of(places.settings, "mart/properties")
    taken = {places.debtors["loc_id"], places.others["loc_id"]}
    empty = min(str(row["loc_id"]) for row in rows if row["loc_id"] and row["loc_id"] not in taken)
    answer = run("cases", "find", "sampleton", empty)
    assert answer.code == 0 and "What that means, type by type" in answer.err
    assert "Not looked for, so not known:" in answer.out
    assert all(kind.words in answer.out for kind in CASE_TYPES.values())
    wrong = run("cases", "find", "sampleton", "F_1_1")
    assert wrong.code == 2 and "no such parcel" in wrong.err
    elsewhere = run("cases", "find", "monroe", "F_1_1")
    assert elsewhere.code == 2 and "is not in the lake" in elsewhere.err
