"""`leadflow parcel` as a person runs it: text, JSON, errors and exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import pytest
import typer

from leadflow_assets.cli import errors, output, parcel
from leadflow_assets.domain.towns import SAMPLETON
from leadflow_assets.enrich.unified.merge import merge
from leadflow_assets.sampleton import PackageSpec, Planted, write_package
from leadflow_assets.settings import Settings
from leadflow_assets.sources.attom.record import AttomProperty, Lien, OpenLoan
from leadflow_assets_tests.conftest import forget_environment
from leadflow_assets_tests.integration.pipeline_helpers import refresh, settings_for
from leadflow_assets_tests.integration.unified_helpers import publish_batch, rows_of, with_mortgage


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
    rows = sorted(rows_of(settings, "mart/properties"), key=lambda row: str(row["property_id"]))
    known = [
        row["property_id"]
        for quirk, count in (("price_zero", 1), ("condo_stack", 4))
        for row in [row for row in rows if row["loc_id"] == planted.quirks[quirk][0]["LOC_ID"]][:count]
    ]
    publish_batch(settings, "one", [_with_everything(n, name) for n, name in enumerate(known, start=1)])
    merge(settings)
    return settings, planted


def _with_everything(attom_id: int, property_id: str) -> AttomProperty:
    """What ATTOM may say of a property, all of it."""
    record = AttomProperty(
        attom_id=attom_id,
        property_id=property_id,
        second_mortgage_amount=40_000,
        available_equity=-12_000,
        loan_to_value=103.0,
        open_loans=(OpenLoan(1, 410_000, date(2021, 6, 1), "P", "A SAVINGS BANK", 3.125),),
        equity_source="LOAN_MODEL",
        tax_amount=4_321.4,
        tax_year=2026,
        tax_delinquent_year=2024,
        tax_source="TAX_ASSESSOR",
        tax_source_date=date(2026, 9, 15),
        foreclosure_record_type="LIS",
        foreclosure_stage="lis_pendens",
        foreclosure_recording_date=date(2026, 8, 3),
        foreclosure_default_amount=9_900,
        foreclosure_source="preforeclosuredetails",
        avm_value=400_000,
        avm_low=380_000,
        avm_high=420_000,
        avm_score=88,
        avm_date=date(2026, 9, 30),
        avm_source="attomavm",
        propensity_score=71.5,
        propensity_group="HIGH",
        propensity_source="PROPENSITY",
        lien_records=(Lien("TAX", 5_000), Lien("HOA", 700)),
        liens_source="LIENS",
        last_sale_date=date(2026, 5, 5),
        last_sale_price=777_000,
        last_sale_is_nominal=False,
        sale_source="RECORDER",
        sale_source_date=date(2026, 9, 2),
    )
    terms = {"mortgage_lender": "A SAVINGS BANK", "mortgage_rate": 3.125, "mortgage_rate_type": "FIXED"}
    return with_mortgage(record, 410_000, "2026-09-01", mortgage_term_months=360, **terms)


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


def test_what_attom_says_is_told_with_its_source_and_what_differs(
    run: Run, lake: tuple[Settings, Planted]
) -> None:
    shown = run("999", lake[1].quirks["price_zero"][0]["LOC_ID"])
    text = " ".join(shown.out.split())
    for told in (
        "Mortgage $410,000 lent, by A SAVINGS BANK, 3.125 % fixed, 360 months [ATTOM detailmortgageowner, ",
        "Second mortgage $40,000 lent",
        "Equity -$12,000 available, -3 % of the value, loan to value 103 %; an estimate [ATTOM LOAN_MODEL, ",
        "open loan 1: $410,000 lent, 2021-06-01, by A SAVINGS BANK, 3.125 %",
        "Tax $4,321 for 2026, unpaid for 2024 [ATTOM TAX_ASSESSOR, 2026-09-15]",
        "LIS: lis pendens: a suit about the property is pending, recorded 2026-08-03, in default $9,900",
        "Value by model $400,000, $380,000 to $420,000, confidence 88 of 100; an estimate, not an appraisal",
        "Default risk 71.5 of 100, group HIGH [ATTOM PROPENSITY, undated]",
        "Liens 2 not released, $5,700 in all [ATTOM LIENS, undated]",
        "Sale by ATTOM 2026-05-05, $777,000 [ATTOM RECORDER, 2026-09-02]",
        "Sources differ last sale: later sale: last_sale_date ",
    ):
        assert told in text, told
    assert "loans and equity" not in shown.out.lower().split("not known")[1]


def test_of_many_units_it_is_counted_what_attom_knows(run: Run, lake: tuple[Settings, Planted]) -> None:
    shown = run("999", lake[1].quirks["condo_stack"][0]["LOC_ID"])
    text = " ".join(shown.out.split())
    assert "ATTOM knows of 30 properties: mortgages 4, equity 4, tax 4" in text
    assert "Sources differ for 4 of 30 properties" in text


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
