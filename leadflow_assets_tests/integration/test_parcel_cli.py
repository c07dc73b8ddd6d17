"""`leadflow parcel` as a person runs it: text, JSON, errors and exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import pytest
import typer

from leadflow_assets.cli import errors, output, parcel
from leadflow_assets.domain.towns import SAMPLETON
from leadflow_assets.sampleton import PackageSpec, Planted, write_package
from leadflow_assets.settings import Settings
from leadflow_assets_tests.conftest import forget_environment
from leadflow_assets_tests.integration.pipeline_helpers import refresh, settings_for


@dataclass(frozen=True)
class Answer:
    """What a run left behind."""

    code: int
    out: str
    err: str


Run = Callable[..., Answer]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Planted]:
    folder = tmp_path_factory.mktemp("parcel_cli")
    settings = settings_for(folder / "data", leadflow_demo=True)
    package = folder / SAMPLETON.shapefile_zip
    planted = write_package(PackageSpec(), package)
    assert refresh(settings, SAMPLETON, package).status == "refreshed"
    return settings, planted


@pytest.fixture
def run(
    lake: tuple[Settings, Planted],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Runs `leadflow parcel` over the lake, in this process and an empty folder."""
    forget_environment(monkeypatch, tmp_path_factory.mktemp("empty"))
    monkeypatch.setenv("LEADFLOW_DATA_DIR", str(lake[0].leadflow_data_dir))
    monkeypatch.setenv("LEADFLOW_DEMO", "true")
    app = typer.Typer(rich_markup_mode=None)
    app.callback()(lambda: None)
    parcel.register(app)

    def invoke(*arguments: str) -> Answer:
        capsys.readouterr()
        code = errors.run(typer.main.get_command(app), ["parcel", *arguments])
        printed = capsys.readouterr()
        return Answer(code, printed.out, printed.err)

    return invoke


def _sections(text: str) -> list[str]:
    """The titles: lines that begin at the margin after an empty line."""
    lines = text.splitlines()
    return [line for before, line in pairwise(lines) if not before and line]


def test_a_house_shows_every_section_in_lines_that_fit(run: Run, lake: tuple[Settings, Planted]) -> None:
    case = lake[1].quirks["sale_date_1821"][0]
    shown = run("sampleton", case["LOC_ID"])
    assert (shown.code, shown.err.count("error")) == (0, 0)
    titles = " | ".join(_sections(shown.out))
    for word in (
        f"Parcel {case['LOC_ID']}, Sampleton",
        "Property 999-",
        "Assessed values: history begins with",
        "Other holdings",
        "Easements",
        "market sales",
        "Sources",
        "Not known",
    ):
        assert word in titles
    assert "1821-09-14" in shown.out
    told = [line for line in shown.out.splitlines() if line.startswith("  ") and " /" not in line]
    assert max(len(line) for line in told) <= 120


def test_a_condominium_is_summed_up_and_one_unit_can_be_named(
    run: Run, lake: tuple[Settings, Planted]
) -> None:
    case = lake[1].quirks["condo_stack"][0]
    shown = run("999", case["LOC_ID"])
    assert "30 assessment records on the parcel" in shown.out
    assert "... and 18 more; --unit PROPERTY shows one whole, --json all" in shown.out
    assert f"${case['expected']['total_val']:,} in all" in shown.out
    assert "Property 999-" not in shown.out
    named = f"999-{case['PROP_IDS'][7]}"
    whole = run("999", case["LOC_ID"], "--unit", named)
    assert f"Property {named}" in whole.out and f"Compared         {named}" in whole.out


def test_no_figure_is_cut_on_a_narrow_terminal(
    run: Run, lake: tuple[Settings, Planted], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    output.stdout.cache_clear()
    try:
        for quirk in ("sale_date_1821", "condo_stack", "tax_polygon_with_constituents"):
            loc_id = lake[1].quirks[quirk][0]["LOC_ID"]
            document = json.loads(run("999", loc_id, "--json").out)
            shown = run("999", loc_id).out
            prices = [f"{sale['sale_price']:,}" for sale in document["comparables"]["sales"]]
            totals = [f"{unit['total_value']:,}" for unit in document["units"][:12]]
            assert all(figure in shown for figure in (*prices, *totals))
            assert "\N{HORIZONTAL ELLIPSIS}" not in shown
    finally:
        output.stdout.cache_clear()


def test_a_tax_parcel_and_its_pieces(run: Run, lake: tuple[Settings, Planted]) -> None:
    case = lake[1].quirks["tax_polygon_with_constituents"][1]
    shown = run("999", case["LOC_ID"])
    assert "TAX: several deeded parcels under one tax record" in shown.out
    assert all(piece in shown.out for piece in case["constituents"])


def test_what_has_no_record_and_what_has_no_polygon(run: Run, lake: tuple[Settings, Planted]) -> None:
    bare = run("999", lake[1].quirks["polygon_without_record"][0]["LOC_ID"])
    assert bare.code == 0 and "none: no assessment record names this polygon" in bare.out
    lost = run("999", lake[1].quirks["loc_id_dangling"][0]["LOC_ID"])
    assert lost.code == 0 and "Record without a polygon, Sampleton" in lost.out
    assert "Easements" not in lost.out


def test_json_is_one_document_with_everything(run: Run, lake: tuple[Settings, Planted]) -> None:
    case = lake[1].quirks["condo_stack"][0]
    document = json.loads(run("999", case["LOC_ID"], "--json").out)
    assert len(document["units"]) == 30 and len(document["units"][0]["value_history"]) == 1
    assert set(document) >= {
        "parcel",
        "units",
        "holdings",
        "interests",
        "comparables",
        "sources",
        "receipt",
        "unknowns",
    }


@pytest.mark.parametrize(
    ("arguments", "code", "message", "hint"),
    [
        (("nowhere", "M_1_1"), 2, "There is no town 'nowhere'", ""),
        (("sampleton", "M_1_1"), 2, "There is no parcel M_1_1 in Sampleton", "within 50 m"),
        (
            ("sampleton", "rubbish"),
            2,
            "There is no parcel with that LOC_ID",
            "leadflow search --town sampleton",
        ),
        (("monroe", "M_1_1"), 1, "There is no data for Monroe", "leadflow refresh monroe"),
        (("sampleton", "M_1_1", "--as-of", "someday"), 2, "'someday' is not a date", ""),
    ],
)
def test_errors_name_the_way_out(
    run: Run, arguments: tuple[str, ...], code: int, message: str, hint: str
) -> None:
    shown = run(*arguments)
    assert (shown.code, shown.out) == (code, "")
    assert message in shown.err and hint in shown.err
    as_json = run(*arguments, "--json")
    document = json.loads(as_json.out)
    assert (document["exit_code"], as_json.code) == (code, code)


def test_help_has_examples(run: Run) -> None:
    shown = run("--help")
    assert shown.code == 0
    assert "leadflow parcel bellingham F_667198_2853392" in shown.out
