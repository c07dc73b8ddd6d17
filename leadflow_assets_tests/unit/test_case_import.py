"""Files of cases that people bring: read whatever wrote them, checked row by row, whole or not at all."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadflow_assets.domain.courts.combine import combine
from leadflow_assets.domain.courts.imported import IMPORT_KINDS
from leadflow_assets.domain.courts.model import CourtCase, CourtParty
from leadflow_assets.domain.courts.rows import RawDocket
from leadflow_assets.enrich.court_rows import to_rows
from leadflow_assets.errors import UsageError
from leadflow_assets.lake.audit import schema_problems
from leadflow_assets.lake.tables import COURT_CASES, COURT_DOCKETS, COURT_PARTIES
from leadflow_assets.sources.imports.case_columns import ALIASES
from leadflow_assets.sources.imports.case_values import (
    CellError,
    date_style,
    read_amount,
    read_date,
    read_names,
)
from leadflow_assets.sources.imports.cases import CaseImport, CaseImportError, parse_imports, read_cases

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
TODAY = NOON.date()
TEMPLATES = Path(__file__).resolve().parents[2] / "docs" / "templates"
GOOD = {
    "Case Number": "26 SM 001234",
    "Filed": "10/03/2026",
    "Owner": "Odette Brackenfell",
    "Property Address": "12 Granite St",
    "Town": "Bellingham",
    "Zip": "02019",
}


def write_csv(folder: Path, rows: Sequence[Mapping[str, str]], header: Sequence[str] | None = None) -> Path:
    path = folder / "cases.csv"
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, header or list(dict.fromkeys(key for row in rows for key in row)))
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(out.getvalue(), encoding="utf-8")
    return path


def read(path: Path, kind: str = "land_court_servicemembers", **more: Any) -> CaseImport:
    return read_cases(path, kind, imported_at=NOON, **more)


def read_rows(
    folder: Path, *changes: Mapping[str, str], kind: str = "land_court_servicemembers"
) -> CaseImport:
    return read(write_csv(folder, [{**GOOD, **change} for change in changes]), kind)


def problems(found: CaseImport) -> list[tuple[int, str | None, str]]:
    return [(problem.row_number, problem.column, problem.reason) for problem in found.problems]


# --- What is read


def test_a_row_becomes_a_case_with_its_source_and_its_end(tmp_path: Path) -> None:
    path = write_csv(tmp_path, [{**GOOD, "Lender": "Lantern Bank", "Attorney": "Quill Umber", "Notes": "x"}])
    found = read(path, stated_source="Land Court public search, by hand")
    assert found.problems == found.notes == ()
    assert (found.rows_read, found.duplicates, found.unused) == (1, 0, ("Notes",))
    assert found.columns["owner"] == "Owner" and found.columns["address"] == "Property Address"
    assert found.format == "CSV, UTF-8, comma"
    both = found.combined()
    (case,) = both.cases
    assert (case.case_id, case.court) == ("masslandct:26SM001234", "masslandct")
    assert (case.case_type, case.action_type) == ("servicemembers_case", "foreclosure")
    assert (case.date_filed, case.filed_month) == (date(2026, 10, 3), "2026-10")
    assert (case.site_address_key, case.site_mailing_key) == (
        "25|12||||||GRANITE|ST||",
        "02019|12||||||GRANITE|ST||",
    )
    assert (case.source, case.stated_source) == (
        "land_court_servicemembers",
        "Land Court public search, by hand",
    )
    assert (case.source_file, case.row_number) == ("cases.csv", 2)
    assert case.source_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert case.expires_on == TODAY + timedelta(days=3 * 365)
    assert {(party.name, party.role, party.represented_by_counsel) for party in both.parties} == {
        ("Lantern Bank", "plaintiff", None),
        ("Odette Brackenfell", "owner", True),
    }
    (row,) = found.accepted()
    assert "Quill" in row.body and '"x"' not in row.body


@pytest.mark.parametrize("kind", IMPORT_KINDS)
def test_every_template_is_imported_without_a_problem(kind: str) -> None:
    found = read(TEMPLATES / f"{kind}.csv", kind)
    assert found.problems == ()
    both = found.combined()
    assert len(both.cases) == len(found.accepted()) == 2
    assert both.parties
    assert all(case.site_mailing_key and case.town_id for case in both.cases)
    for records, record, table in (
        (found.rows, RawDocket, COURT_DOCKETS),
        (both.cases, CourtCase, COURT_CASES),
        (both.parties, CourtParty, COURT_PARTIES),
    ):
        assert table.model is not None
        assert schema_problems(to_rows(records, record), table.model) == []  # type: ignore[type-var, arg-type]


def test_the_templates_page_lists_every_kind_and_their_columns_are_known() -> None:
    page = (TEMPLATES / "README.md").read_text(encoding="utf-8")
    for kind in IMPORT_KINDS.values():
        assert f"| `{kind.name}` | [{kind.name}.csv]({kind.name}.csv) |" in page
        header = (TEMPLATES / f"{kind.name}.csv").read_text(encoding="utf-8").splitlines()[0]
        assert set(header.split(",")) <= set(ALIASES)


def test_liens_carry_type_amount_and_release(tmp_path: Path) -> None:
    rows = [
        {"Party": "Odette Brackenfell", "Lien Type": "Federal Tax Lien", "Amount": "$12,345.60",
         "Recorded": "2026-01-05", "Released": "2026-03-01", "Book": "100", "Page": "7", "County": "Norfolk"},
        {"Party": "Odette Brackenfell", "Lien Type": "Mechanic's lien", "Lien Status": "partial release",
         "Recorded": "2026-02-05", "Book": "1", "Page": "007", "County": "Norfolk", "Amount": ""},
        {"Party": "Odette Brackenfell", "Lien Type": "odd", "Recorded": "2026-02-06", "Amount": "5"},
    ]  # fmt: skip
    found = read(write_csv(tmp_path, rows), "other")
    assert problems(found) == []
    assert [(note.row_number, note.column) for note in found.notes] == [(4, "Lien Type")]
    cases = {case.row_number: case for case in found.combined().cases}
    federal, mechanics, odd = (cases[number] for number in (2, 3, 4))
    assert (federal.case_type, federal.action_type) == ("recorded_lien", None)
    assert (federal.lien_type, federal.lien_status) == ("tax_federal", "released")
    assert (federal.lien_amount, federal.released_on) == (Decimal("12345.60"), date(2026, 3, 1))
    assert (federal.recorded_on, federal.book, federal.page) == (date(2026, 1, 5), "100", "7")
    assert (mechanics.lien_type, mechanics.lien_status, mechanics.lien_amount) == (
        "mechanics",
        "partial",
        None,
    )
    assert (odd.case_type, odd.lien_type, odd.amount_claimed) == ("other", None, Decimal("5.00"))
    assert len({case.case_id for case in cases.values()}) == 3


def test_legal_actions_in_the_older_words(tmp_path: Path) -> None:
    header = ("Docket", "Date", "Name", "Legal Action", "Court")
    rows = [
        ("1", "2026-10-01", "A B", "Bankruptcy Chapter 13", "US Bankruptcy Court"),
        ("2", "2026-10-01", "C D", "Summary Process", "District Court"),
        ("3", "2026-10-01", "E F", "", "Court of Nowhere"),
    ]
    found = read(write_csv(tmp_path, [dict(zip(header, row, strict=True)) for row in rows]), "other")
    told = [(case.court, case.case_type, case.action_type, case.chapter) for case in found.combined().cases]
    assert told == [
        ("mab", "bankruptcy_petition", "bankruptcy_ch13", "13"),
        ("massdistct", "eviction", "eviction", None),
        ("other", "other", "other", None),
    ]


def test_tenants_are_not_kept_anywhere(tmp_path: Path) -> None:
    row = {
        "Case Number": "26H82SP000001",
        "Filed": "2026-10-01",
        "Caption": "Cindercote v. Umberwold",
        "Landlord": "Leopold Cindercote",
        "Tenant": "Zelda Umberwold",
        "Address": "12 Granite St",
        "City": "Worcester",
    }
    found = read(write_csv(tmp_path, [row]), "housing_court")
    (kept,) = found.accepted()
    assert "Umberwold" not in kept.body
    both = found.combined()
    assert [(party.name, party.role) for party in both.parties] == [("Leopold Cindercote", "plaintiff")]
    assert both.cases[0].expires_on == TODAY + timedelta(days=90)
    assert [note.reason for note in found.notes] == ["names of tenants are not kept"]
    alone = read(write_csv(tmp_path, [{**row, "Landlord": ""}]), "housing_court")
    assert problems(alone) == [(2, None, "no landlord (plaintiff) is named")]


def test_identifiers_in_any_cell_are_taken_out_first(tmp_path: Path) -> None:
    found = read_rows(
        tmp_path,
        {
            "Owner": "Odette Brackenfell SSN 123-45-6789",
            "Property Address": "12 Granite St\nTax ID: 12-3456789",
        },
    )
    (row,) = found.accepted()
    assert not re.search(r"\d{3}-\d\d-\d{4}|\d\d-\d{7}|SSN", row.body)
    assert {note.column for note in found.notes} == {"Owner", "Property Address"}
    assert "123-45" not in str(found.notes)
    assert found.combined().cases[0].site_address == "12 Granite St, BELLINGHAM, 02019"


def test_a_mailing_address_may_lie_anywhere_and_is_the_owners(tmp_path: Path) -> None:
    mailing = {
        "Mailing Address": "9 Palm Ave",
        "Mailing City": "Naples",
        "Mailing State": "FL",
        "Mailing Zip": "34102",
    }
    found = read_rows(tmp_path, {**mailing, "Plaintiff": "Lantern Bank"})
    assert found.problems == ()
    addresses = {party.role: party.mailing_key for party in found.combined().parties}
    assert addresses == {"owner": "34102|9||||||PALM|AVE||", "plaintiff": None}


# --- What cannot be used


@pytest.mark.parametrize(
    ("change", "column", "reason"),
    [
        ({"Filed": "2026-02-30"}, "Filed", "no day of the calendar"),
        ({"Filed": "45932"}, "Filed", "spreadsheet's number"),
        ({"Filed": "last week"}, "Filed", "no day in a known form"),
        ({"Filed": "11/03/2026"}, "Filed", "future"),
        ({"Filed": "01/01/1890"}, "Filed", "before 1950"),
        ({"Filed": ""}, None, "no date filed or recorded"),
        ({"Owner": " ; "}, None, "no party is named"),
        ({"Case Number": "n/a"}, None, "no case number"),
        ({"Zip": "03060"}, "Property Address", "outside Massachusetts"),
        ({"State": "NH", "Zip": ""}, "Property Address", "outside Massachusetts"),
        (
            {"Property Address": "12 Granite St, Nashua, NH 03060", "Town": "", "Zip": ""},
            "Property Address",
            "outside",
        ),
        ({"State": "NH"}, "Zip", "belongs to another state"),
        ({"State": "Bavaria"}, "State", "no state"),
        ({"Zip": "123456"}, "Zip", "no ZIP"),
        ({"Lien Amount": "much"}, "Lien Amount", "no amount"),
        ({"Lien Amount": "-5"}, "Lien Amount", "no amount"),
        ({"Legal Action": "duel"}, "Legal Action", "no legal action that is known"),
        ({"Date Closed": "2026-10-01"}, "Date Closed", "lies before date_filed"),
        ({"Recorded": "2026-10-02", "Released": "2026-10-01"}, "Released", "lies before recorded_on"),
    ],
)
def test_a_row_that_cannot_be_used_is_told_by_number_column_and_reason(
    tmp_path: Path, change: Mapping[str, str], column: str | None, reason: str
) -> None:
    found = read_rows(tmp_path, {"Case Number": "26 SM 000001"}, change)
    ((row, named, why),) = problems(found)
    assert (row, named) == (3, column)
    assert reason in why
    for cell in change.values():
        assert not cell.strip() or cell not in why
    with pytest.raises(CaseImportError, match=r"1 of 2 rows.*row 3.*Nothing was imported"):
        found.accepted()
    assert [kept.row_number for kept in found.accepted(skip_bad=True)] == [2]


def test_one_value_with_the_day_first_makes_the_whole_column_doubtful(tmp_path: Path) -> None:
    found = read_rows(
        tmp_path,
        {"Case Number": "1", "Filed": "02/03/2026"},
        {"Case Number": "2", "Filed": "13/02/2026"},
        {"Case Number": "3", "Filed": "2026-02-13"},
    )
    assert [row for row, _, _ in problems(found)] == [2, 3]
    assert [kept.row_number for kept in found.accepted(skip_bad=True)] == [4]


def test_a_file_without_a_good_row_is_refused_even_when_bad_ones_are_skipped(tmp_path: Path) -> None:
    with pytest.raises(CaseImportError, match="no row that can be used"):
        read_rows(tmp_path, {"Owner": ""}).accepted(skip_bad=True)
    with pytest.raises(CaseImportError, match="no row"):
        read(write_csv(tmp_path, [], list(GOOD))).accepted()


def test_many_problems_are_counted_and_a_few_shown(tmp_path: Path) -> None:
    found = read_rows(tmp_path, *[{"Owner": ""}] * 30)
    with pytest.raises(CaseImportError, match=r"30 of 30 rows.* and 25 more"):
        found.accepted()


def test_repeated_rows_are_counted_and_different_details_told(tmp_path: Path) -> None:
    found = read_rows(tmp_path, {}, {}, {"Property Address": "14 Granite St"})
    assert (found.rows_read, len(found.rows), found.duplicates) == (3, 1, 2)
    assert [note.row_number for note in found.notes] == [4]
    assert found.combined().cases[0].site_address_key == "25|14||||||GRANITE|ST||"


def test_the_same_file_again_replaces_and_another_party_adds(tmp_path: Path) -> None:
    first = read_rows(tmp_path, {})
    again = read_cases(
        write_csv(tmp_path, [GOOD, {**GOOD, "Owner": "Otis Brackenfell"}]),
        "land_court_servicemembers",
        imported_at=NOON + timedelta(days=30),
    )
    assert first.rows[0].record_id == again.rows[0].record_id != again.rows[1].record_id
    parsed = parse_imports([*first.rows, *again.rows])
    both = combine(parsed.cases, parsed.parties)
    assert [case.expires_on for case in both.cases] == [again.rows[0].expires_on]
    assert len(both.parties) == 2


# --- Files of all kinds


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_any_encoding_delimiter_and_titles_above_the_header(
    tmp_path: Path, codec: str, delimiter: str
) -> None:
    out = io.StringIO(newline="")
    out.write("Land Court search results\r\n\r\n")
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(GOOD)
    writer.writerow([cell.replace("Odette", "Zoë") for cell in GOOD.values()])
    path = tmp_path / "x.csv"
    path.write_bytes(out.getvalue().encode(codec))
    found = read(path)
    assert [party.name for party in found.combined().parties] == ["Zoë Brackenfell"]
    assert found.rows[0].row_number == 4


def workbook(path: Path, rows: Sequence[Sequence[Any]], sheet: str = "Cases") -> Path:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.title = sheet
    for row in rows:
        page.append(list(row))
    book.create_sheet("Other").append(["nothing"])
    book.save(path)
    return path


def test_an_excel_workbook_with_real_dates_and_numbers(tmp_path: Path) -> None:
    rows = [
        ["Results of a search"],
        [],
        list(GOOD),
        ["26 SM 001234", datetime(2026, 10, 3), "Odette Brackenfell", "12 Granite St", "Bellingham", 2019],  # noqa: DTZ001
        [None] * 6,
    ]
    path = workbook(tmp_path / "cases.xlsx", rows)
    found = read(path)
    assert found.format == "Excel workbook, sheet Cases"
    assert found.problems == ()
    (case,) = found.combined().cases
    assert (case.date_filed, case.site_zip, case.row_number) == (date(2026, 10, 3), "02019", 4)
    assert read(path, sheet="Cases").rows == found.rows
    with pytest.raises(UsageError, match=r"no sheet 'Nope'") as caught:
        read(path, sheet="Nope")
    assert "Cases, Other" in caught.value.hint
    with pytest.raises(UsageError, match="no row that names"):
        read(path, sheet="Other")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no row that names its columns"),
        (b"PK\x03\x04 nonsense", "damaged workbook"),
        (b"\xd0\xcf\x11\xe0", "old Excel workbook"),
        (b"%PDF-1.7", "a PDF"),
        (b"\x00\x01\x02" * 50, "not a text file"),
        (b"color,size\nred,5\n", "no row that names its columns"),
        (b"docket number,date filed\n1,2026-10-01\n", "no column of names"),
    ],
)
def test_what_is_no_file_of_cases_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=words):
        read(path)


def test_archives_that_are_no_workbook_or_unpack_to_too_much_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("hello.txt", b"0" * 3_000_000)
    with pytest.raises(UsageError, match="no Excel workbook"):
        read(path)
    monkeypatch.setattr("leadflow_assets.sources.imports.workbook.MOST_UNPACKED", 1_000_000)
    with pytest.raises(UsageError, match="too much"):
        read(path)


def test_missing_files_unknown_kinds_and_too_many_rows(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no file"):
        read(tmp_path / "none.csv")
    path = write_csv(tmp_path, [GOOD] * 4)
    with pytest.raises(UsageError, match="no kind of file 'gossip'") as caught:
        read(path, "gossip")
    assert "housing_court" in caught.value.hint
    with pytest.raises(UsageError, match="more than 2 rows"):
        read(path, most_rows=2)
    with pytest.raises(UsageError, match="no sheets"):
        read(path, sheet="Cases")


def test_columns_are_mapped_by_hand_where_their_names_do_not_tell(tmp_path: Path) -> None:
    row = {
        "No.": "26 SM 001234",
        "When": "2026-10-03",
        "Assessed Party": "Odette Brackenfell",
        "Date": "2026-01-01",
    }
    path = write_csv(tmp_path, [row])
    with pytest.raises(UsageError, match="no column of names") as caught:
        read(path)
    assert "--map" in caught.value.hint
    found = read(path, mapping={"docket_number": "no.", "date_filed": "When", "owner": "ASSESSED PARTY"})
    assert found.unused == ("Date",)
    assert found.combined().cases[0].date_filed == date(2026, 10, 3)
    with pytest.raises(UsageError, match="no column 'Boss'") as caught:
        read(path, mapping={"owner": "Boss"})
    assert "Assessed Party" in caught.value.hint
    with pytest.raises(UsageError, match="no column part 'boss'"):
        read(path, mapping={"boss": "When"})


# --- Cells


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("2026-10-03", date(2026, 10, 3)),
        ("2026-10-03 00:00:00", date(2026, 10, 3)),
        ("2026-1-3T10:00:00Z", date(2026, 1, 3)),
        ("10/3/2026", date(2026, 10, 3)),
        ("10/03/26", date(2026, 10, 3)),
        ("10-03-2026 4:15 PM", date(2026, 10, 3)),
        ("10.3.1999", date(1999, 10, 3)),
        ("7/4/76", date(1976, 7, 4)),
        ("October 3, 2026", date(2026, 10, 3)),
        ("Oct 3, 2026", date(2026, 10, 3)),
        ("3 October 2026", date(2026, 10, 3)),
        ("03-Oct-26", date(2026, 10, 3)),
        ("", None),
        (" N/A ", None),
    ],
)
def test_days_as_people_write_them(cell: str, day: date | None) -> None:
    assert read_date(cell, date_style([cell]), TODAY) == day


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        *(("$12,345.6", "12345.60"), ("0", "0.00"), ("1234", "1234.00"), ("", "nothing"), ("N/A", "nothing")),
        *((wrong, None) for wrong in ("USD", "12 345", "1e5", "(500)", "nan", "9" * 13)),
    ],
)
def test_amounts_as_people_write_them(cell: str, amount: str | None) -> None:
    if amount is None:
        with pytest.raises(CellError):
            read_amount(cell)
    else:
        assert read_amount(cell) == (None if amount == "nothing" else Decimal(amount))


def test_several_names_in_a_cell() -> None:
    assert read_names("Ada  Aldercote ; Otis Aldercote\n;Ada Aldercote; n/a; -") == [
        "Ada Aldercote",
        "Otis Aldercote",
    ]
    assert read_names("Brackenfell, Odette") == ["Brackenfell, Odette"]


@given(st.text(max_size=20), st.booleans())
def test_reading_a_cell_gives_a_day_an_amount_or_a_reason(cell: str, day: bool) -> None:
    try:
        value = read_date(cell, date_style([cell]), TODAY) if day else read_amount(cell)
    except CellError as error:
        assert not cell.strip() or len(cell) < 4 or cell not in str(error)
    else:
        assert value is None or isinstance(value, date | Decimal)


COLUMNS = ("owner", "date_filed", "docket_number", "address", "city", "zip", "lien_type", "amount", "court")
odd_rows = st.fixed_dictionaries({}, optional={name: st.text(max_size=12) for name in COLUMNS})


@settings(deadline=None, max_examples=60)
@given(st.lists(odd_rows, max_size=5), st.sampled_from(sorted(IMPORT_KINDS)))
def test_every_row_is_kept_or_told_and_what_is_kept_fits_the_tables(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, str]], kind: str
) -> None:
    good = {"owner": "Ada Aldercote", "date_filed": "2026-10-01", "docket_number": "26 X 1"}
    path = write_csv(tmp_path_factory.mktemp("import"), [{**good, **row} for row in rows], COLUMNS)
    try:
        found = read(path, kind)
    except UsageError:
        return  # a character that no text file holds
    told = {problem.row_number for problem in found.problems}
    assert found.rows_read == len(told) + len(found.rows) + found.duplicates
    both = found.combined()
    assert {case.case_id for case in both.cases} == {party.case_id for party in both.parties}
    assert COURT_CASES.model is not None and COURT_PARTIES.model is not None
    assert schema_problems(to_rows(both.cases, CourtCase), COURT_CASES.model) == []
    assert schema_problems(to_rows(both.parties, CourtParty), COURT_PARTIES.model) == []
    assert all(json.loads(row.body) for row in found.rows)
