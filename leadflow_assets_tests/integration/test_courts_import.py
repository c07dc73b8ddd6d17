"""Files of cases from the disk to the tables: whole or not at all, renewed, expired, beside the API's."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from leadflow_assets.domain.courts.imported import IMPORT_KINDS
from leadflow_assets.enrich.courts.listing import list_cases
from leadflow_assets.enrich.courts.service import Courts
from leadflow_assets.errors import UsageError
from leadflow_assets.lake.lake import Lake
from leadflow_assets.settings import Settings
from leadflow_assets.sources.imports.cases import CaseImportError
from leadflow_assets_tests.conftest import KINDS
from leadflow_assets_tests.integration.courts_helpers import (
    MONDAY,
    Clock,
    assert_no_identifier,
    cases,
    court_settings,
    dockets,
    numbers,
    parties,
    with_clock,
)
from leadflow_assets_tests.integration.pipeline_helpers import usually
from leadflow_assets_tests.vendors.courtlistener import CourtListenerServer
from leadflow_assets_tests.vendors.courtlistener_cases import sample_month

TEMPLATES = Path(__file__).resolve().parents[2] / "docs" / "templates"
LIENS = (
    ("Case No", "Filed", "Assessed To Name", "Location", "Town", "Zip", "Amount"),
    ("26 TL 001001", "2026-09-14", "Ada B Aldercote", "12 Granite St", "Holden", "01520", "$4,210.55"),
    ("26 TL 001002", "2026-10-02", "Otis Fennelshaw; Cora Fennelshaw", "3 Mill Rd", "Acton", "01720", "900"),
)  # fmt: skip


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings(clean_environment: None, tmp_path: Path) -> Settings:
    return court_settings(tmp_path, None)


@pytest.fixture
def courts(settings: Settings, clock: Clock) -> Courts:
    return with_clock(settings, clock)


@pytest.fixture
def server(clock: Clock) -> Iterator[CourtListenerServer]:
    found, _ = sample_month(count=40)
    with CourtListenerServer(found, clock=clock) as running:
        yield running


def write_csv(path: Path, rows: Sequence[Sequence[str]] = LIENS) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


def write_xlsx(path: Path, rows: Sequence[Sequence[Any]] = LIENS, sheet: str = "Cases") -> Path:
    book = openpyxl.Workbook()
    page = book.create_sheet(sheet)
    for row in rows:
        page.append(list(row))
    book.save(path)
    return path


def import_liens(courts: Courts, path: Path, **options: Any) -> Any:
    return courts.import_file(path, "land_court_tax_lien", mapping={"owner": "Assessed To Name"}, **options)


def test_every_template_goes_through_to_the_tables(courts: Courts, settings: Settings) -> None:
    for name, kind in IMPORT_KINDS.items():
        report = courts.import_file(TEMPLATES / f"{name}.csv", name)
        assert report.landed.new == report.rows == report.rows_read > 0, name
        assert report.expires_on == kind.expires_on(MONDAY.date())
    found = cases(settings)
    assert {row["source"] for row in found} == set(IMPORT_KINDS)
    assert {row["expires_on"] for row in found if row["source"] == "housing_court"} == {
        MONDAY.date() + timedelta(days=90)
    }
    assert all(row["source_file"] and row["source_sha256"] and row["row_number"] for row in found)


def test_a_dry_run_says_everything_and_changes_nothing(
    courts: Courts, settings: Settings, tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "liens.csv")
    report = import_liens(courts, path, dry_run=True)
    assert report.dry_run and (report.landed.new, report.rows, report.bad_rows) == (2, 2, 0)
    assert report.columns["owner"] == "Assessed To Name"
    assert (report.first, report.last) == (date(2026, 9, 14), date(2026, 10, 2))
    assert dockets(settings) == [] and numbers(settings) == dict.fromkeys(numbers(settings), 0)
    assert import_liens(courts, path).landed.new == 2
    assert import_liens(courts, path, dry_run=True).landed.unchanged == 2


def test_csv_and_xlsx_are_the_same_cases_with_their_provenance(
    courts: Courts, settings: Settings, tmp_path: Path, clock: Clock
) -> None:
    import_liens(courts, write_csv(tmp_path / "liens.csv"), stated_source="Town list of September")
    (row,) = [row for row in cases(settings) if row["docket_number"] == "26 TL 001001"]
    assert (row["case_type"], row["lien_type"], row["lien_amount"]) == (
        "tax_lien_case",
        "tax_municipal",
        4210.55,
    )
    assert (row["court"], row["filed_month"], row["town_id"]) == ("masslandct", "2026-09", 134)
    assert (row["source_file"], row["row_number"], row["stated_source"]) == (
        "liens.csv", 2, "Town list of September",
    )  # fmt: skip
    assert {p["name"] for p in parties(settings)} == {"Ada B Aldercote", "Otis Fennelshaw", "Cora Fennelshaw"}
    clock.now += timedelta(days=1)
    report = import_liens(courts, write_xlsx(tmp_path / "liens.xlsx"), sheet="Cases")
    assert (report.landed.new, report.landed.changed) == (0, 2)
    assert {row["source_file"] for row in cases(settings)} == {"liens.xlsx"}
    assert len(cases(settings)) == 2


def test_a_bad_date_takes_nothing_of_the_file(courts: Courts, settings: Settings, tmp_path: Path) -> None:
    rows = [*LIENS, ("26 TL 001003", "31.12.2026", "Ivo Gorsegate", "1 Granite St", "Holden", "01520", "10")]
    path = write_csv(tmp_path / "liens.csv", rows)
    with pytest.raises(CaseImportError, match=r"1 of 3 rows.*row 4: Filed.*Nothing was imported") as caught:
        import_liens(courts, path)
    assert "Gorsegate" not in str(caught.value) and caught.value.exit_code == 2
    assert dockets(settings) == []
    report = import_liens(courts, path, dry_run=True)
    assert (report.bad_rows, report.rows) == (1, 2) and "row 4" in report.problems[0]
    report = import_liens(courts, path, skip_bad=True)
    assert (report.landed.new, report.bad_rows) == (2, 1)


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("liens.csv", "no_such_kind", "no kind"),
        ("liens.csv", None, "what kind"),
        ("missing.csv", "probate", "missing.csv"),
        ("liens.json", None, "no docket file"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_words(
    courts: Courts, settings: Settings, tmp_path: Path, name: str, kind: str | None, words: str
) -> None:
    write_csv(tmp_path / "liens.csv")
    (tmp_path / "liens.json").write_text("[1]")
    with pytest.raises(UsageError, match=words):
        courts.import_file(tmp_path / name, kind)
    assert dockets(settings) == []


def test_the_same_again_renews_and_another_day_moves_the_row(
    courts: Courts, settings: Settings, tmp_path: Path, clock: Clock
) -> None:
    path = write_csv(tmp_path / "liens.csv")
    import_liens(courts, path)
    before = {row["docket_number"]: row["expires_on"] for row in cases(settings)}
    same = numbers(settings)
    assert import_liens(courts, path).landed.unchanged == 2 and numbers(settings) == same
    clock.now += timedelta(days=30)
    assert import_liens(courts, path).landed.changed == 2
    after = {row["docket_number"]: row["expires_on"] for row in cases(settings)}
    assert {number: (after[number] - before[number]).days for number in before} == dict.fromkeys(before, 30)
    # A wrong day is corrected: the case leaves its old month.
    clock.now += timedelta(minutes=5)
    corrected = [LIENS[0], (LIENS[1][0], "2026-08-14", *LIENS[1][2:]), LIENS[2]]
    report = import_liens(courts, write_csv(path, corrected))
    assert (report.landed.moved, report.landed.changed) == (1, 2)
    assert sorted(row["filed_month"] for row in cases(settings)) == ["2026-08", "2026-10"]
    assert sorted(row["filed_month"] for row in dockets(settings)) == ["2026-08", "2026-10"]


def test_rows_leave_when_they_expire(
    courts: Courts, settings: Settings, tmp_path: Path, clock: Clock
) -> None:
    evictions = [
        ("docket_number", "date_filed", "plaintiff", "address", "city", "zip"),
        ("26H82SP000001", "2026-10-12", "Copper Newt Realty LLC", "15 Granite St", "Worcester", "01604"),
        ("26H82SP000002", "2026-10-13", "Ivo Cindercote", "2 Granite St", "Worcester", "01604"),
    ]
    courts.import_file(write_csv(tmp_path / "evictions.csv", evictions), "housing_court")
    import_liens(courts, write_csv(tmp_path / "liens.csv"))
    clock.now += timedelta(days=60)
    courts.import_file(write_csv(tmp_path / "evictions.csv", evictions[:2]), "housing_court")
    assert courts.expire(date(2027, 1, 31)).expired == 0
    assert courts.expire(date(2027, 2, 1)).expired == 1
    assert sorted(row["docket_number"] for row in cases(settings) if row["source"] == "housing_court") == [
        "26H82SP000001"
    ]
    # Landing does it by itself.
    clock.now += timedelta(days=120)
    assert courts.land().expired == 1
    assert {row["source"] for row in (*dockets(settings), *cases(settings), *parties(settings))} == {
        "land_court_tax_lien"
    }
    assert courts.land().rebuilt == ()
    (told,) = [row for row in courts.coverage() if row.source == "housing_court"]
    assert told.state == "not_available" and "None imported" in told.words


def test_imports_are_covered_as_far_as_they_go(courts: Courts, tmp_path: Path, clock: Clock) -> None:
    import_liens(courts, write_csv(tmp_path / "liens.csv"))
    rows = {row.source: row for row in courts.coverage() if row.case_type == "tax_lien_case"}
    told = rows["land_court_tax_lien"]
    assert (told.state, told.since, told.last) == ("covered", date(2026, 9, 14), MONDAY.date())
    assert "as far as the imported files go (2 cases in force)" in told.words
    assert rows["courtlistener"].state == "not_available"
    clock.now += timedelta(days=40)
    assert {row.state for row in courts.coverage() if row.source == "land_court_tax_lien"} == {"stale"}


def test_imported_rows_and_those_of_the_api_stand_side_by_side(
    settings: Settings, tmp_path: Path, server: CourtListenerServer, clock: Clock
) -> None:
    asking = court_settings(tmp_path, server)
    courts = with_clock(asking, clock)
    courts.month("mab", "2026-10")
    case = server.cases[3]
    rows = [
        ("docket_number", "date_filed", "party", "court", "case_type", "chapter"),
        (
            f"1:{case.docket_number}",
            str(case.date_filed),
            case.parties[0].name,
            "mab",
            "bankruptcy_petition",
            "7",
        ),
    ]
    courts.import_file(write_csv(tmp_path / "own.csv", rows), "other")
    number = f"mab:{case.docket_number}"
    both = [row for row in cases(asking) if row["case_id"] == number]
    assert sorted(row["source"] for row in both) == ["courtlistener", "other"]
    assert {row["filed_month"] for row in both} == {"2026-10"}
    before = numbers(asking)
    clock.now += timedelta(hours=25)
    courts.month("mab", "2026-10")
    assert numbers(asking) == before
    clock.now += timedelta(days=400)
    courts.land()
    assert [row["source"] for row in cases(asking) if row["case_id"] == number] == ["courtlistener"]


def test_identifiers_of_a_file_are_nowhere_afterwards(
    courts: Courts, settings: Settings, tmp_path: Path
) -> None:
    rows = [
        ("docket_number", "date_filed", "decedent", "representative", "address", "city", "zip"),
        ("WO26P1001EA", "2026-10-05", "Ada Fell SSN 123-45-6789", "Otis Fell xxx-xx-4321", "1 Granite St",
         "Holden", "01520"),
    ]  # fmt: skip
    report = courts.import_file(write_csv(tmp_path / "probate.csv", rows), "probate")
    assert any("identifier" in note for note in report.notes)
    assert assert_no_identifier(settings.data_dir, ["123-45-6789", "xxx-xx-4321"]) > 3
    assert sorted(row["name"].split()[0] for row in parties(settings)) == ["Ada", "Otis"]


# --- Real dockets


def test_the_real_dockets_go_through_the_import(
    courts: Courts, settings: Settings, shared_courtlistener: Path
) -> None:
    files = sorted((shared_courtlistener / "dockets").glob("*.json"))
    assert len(files) == 5
    for path in files:
        report = courts.import_file(
            path, "docket_file" if "mad" in path.name else None, stated_source="PACER"
        )
        assert (report.kind, report.landed.new, report.cases) == ("docket_file", 1, 1)
        assert report.parties > 1 and report.expires_on is None and report.problems == ()
    found = {row["source_file"]: row for row in cases(settings)}
    types = {name.removesuffix(".json"): row["case_type"] for name, row in found.items()}
    assert types == {
        "bankruptcy_mab_1": "adversary_proceeding",
        "bankruptcy_mab_2": "bankruptcy_petition",
        "bankruptcy_mab_4": "bankruptcy_petition",
        "bankruptcy_mab_6": "adversary_proceeding",
        "district_mad_193254": types["district_mad_193254"],
    }
    assert found["district_mad_193254.json"]["court"] == "mad"
    debtors = [row for row in parties(settings) if row["is_debtor"] and row["court"] == "mab"]
    assert len(debtors) >= 3 and all(row["address_key"] for row in debtors if row["zip"])
    assert {row["source"] for row in cases(settings)} == {"courtlistener"}
    before = numbers(settings)
    for path in files:
        assert courts.import_file(path, stated_source="PACER").landed.unchanged == 1
    assert numbers(settings) == before
    assert assert_no_identifier(settings.data_dir, []) > 5


@pytest.mark.parametrize("lake", usually(KINDS, "local"), indirect=True)
def test_a_lake_in_a_bucket_takes_the_same_cases(lake: Lake, tmp_path: Path, clock: Clock) -> None:
    courts = with_clock(lake.settings, clock)
    path = write_csv(tmp_path / "liens.csv")
    assert import_liens(courts, path).landed.new == 2
    clock.now += timedelta(days=1)
    assert import_liens(courts, path).landed.changed == 2
    courts.import_file(TEMPLATES / "probate.csv", "probate")
    found = list_cases(lake, MONDAY.date())
    assert found.total == len(found.rows) == 4
    assert courts.expire(date(2040, 1, 1)).expired == 4
    assert list_cases(lake, MONDAY.date()).total == 0


def test_a_docket_report_without_its_parties_is_refused(courts: Courts, tmp_path: Path) -> None:
    path = tmp_path / "docket.json"
    path.write_text(json.dumps({"court_id": "mab", "docket_number": "26-10001"}))
    with pytest.raises(UsageError, match="no docket file"):
        courts.import_file(path)
    with pytest.raises(UsageError, match="neither columns nor sheets"):
        courts.import_file(path, sheet="Cases")


def test_an_imported_day_is_the_courts_own(courts: Courts, tmp_path: Path, clock: Clock) -> None:
    """At four in the morning UTC it is still the day before where the courts are."""
    clock.now = datetime.fromisoformat("2026-11-03T04:00:00+00:00")
    report = import_liens(courts, write_csv(tmp_path / "liens.csv"))
    assert report.landed.new == 2


def test_imported_rows_can_be_withdrawn_and_the_others_stay(tmp_path: Path) -> None:
    settings = court_settings(tmp_path, None)
    courts = Courts(settings)
    templates = Path(__file__).parents[2] / "docs" / "templates"
    for kind in ("land_court_tax_lien", "probate"):
        courts.import_file(templates / f"{kind}.csv", kind)
    gone = courts.withdraw(lambda row: row.source_file == "probate.csv")
    assert gone.withheld == 2
    assert {case["source"] for case in cases(settings)} == {"land_court_tax_lien"}
    assert {party["source"] for party in parties(settings)} == {"land_court_tax_lien"}
    assert courts.withdraw(lambda row: row.source_file == "probate.csv").partitions == ()
