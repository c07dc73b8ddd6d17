"""Files of addresses and ids that people import: how they are read, and which properties they name."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadflow_assets.domain.addresses import address_key, parse_address
from leadflow_assets.domain.towns import find_town
from leadflow_assets.errors import StoreError, UsageError
from leadflow_assets.search.lists.file import ListFile, read_list_file
from leadflow_assets.search.lists.matching import counts, match_file
from leadflow_assets.search.lists.report import write_report
from leadflow_assets.state.saved_lists import ImportRow

BELLINGHAM, FOXBOROUGH = find_town("bellingham"), find_town("foxborough")
patient = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
HEADER = ("Address", "City", "Note")
ROWS = (("12 Élan St", "Bellingham", 'says "hello", twice'), ("14 Main St", "Bellingham", "two\nlines"))
COUNT = {"exact": 0, "probable": 0, "none": 0, "duplicate": 0}


def text_of(rows: Sequence[Sequence[str]], delimiter: str = ",") -> str:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue()


def read(folder: Path, content: bytes | str, **limits: int) -> ListFile:
    path = folder / "given.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_list_file(path, **limits)


# --- Reading


@pytest.mark.parametrize(
    ("delimiter", "named"), [(",", "comma"), (";", "semicolon"), ("\t", "tab"), ("|", "bar")]
)
@pytest.mark.parametrize(
    ("before", "codec", "encoding"),
    [
        (b"", "utf-8", "UTF-8"),
        (codecs.BOM_UTF8, "utf-8", "UTF-8 with a byte order mark"),
        (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
        (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16"),
        (b"", "utf-16-le", "UTF-16 without a byte order mark"),
        (b"", "utf-16-be", "UTF-16 without a byte order mark"),
        (b"", "cp1252", "Windows-1252"),
    ],
)
def test_a_file_is_read_whatever_wrote_it(
    tmp_path: Path, before: bytes, codec: str, encoding: str, delimiter: str, named: str
) -> None:
    found = read(tmp_path, before + text_of([HEADER, *ROWS], delimiter).encode(codec))
    assert (found.encoding, found.delimiter) == (encoding, named)
    assert (found.header, found.rows) == (HEADER, ROWS)
    assert found.cell(0, "address") == "12 Élan St"
    assert found.roles == {"address": 0, "town": 1}


@patient
@given(
    st.lists(
        st.tuples(
            *[
                st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=12)
                for _ in range(3)
            ]
        ),
        min_size=1,
        max_size=20,
    ),
    st.sampled_from(",;\t|"),
)
def test_cells_come_back_as_they_were_written(
    tmp_path: Path, rows: list[tuple[str, str, str]], delimiter: str
) -> None:
    found = read(tmp_path, text_of([("Property Address", "ZIP Code", "Extra"), *rows], delimiter))
    assert list(found.rows) == rows


@patient
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused_in_words(tmp_path: Path, content: bytes) -> None:
    try:
        found = read(tmp_path, content)
    except UsageError as refused:
        assert refused.hint
    else:
        assert all(len(row) == len(found.header) for row in found.rows)


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("PROPERTY_ID", "property_id"), ("Property ID", "property_id"), ("loc_id", "loc_id"),
        ("LocID", "loc_id"),
        ("Parcel-ID", "prop_id"), (" APN ", "prop_id"), ("site address", "address"), ("Site_Addr", "address"),
        ("STREET ADDRESS", "address"), ("Full Address", "address"), ("Town/City", "town"), ("Zip", "zip"),
        ("Street Number", "number"), ("Street Name", "street"), ("Apt.", "unit"),
    ],
)  # fmt: skip
def test_columns_are_known_by_the_names_people_use(tmp_path: Path, name: str, role: str) -> None:
    assert read(tmp_path, f"Owner,{name},address\nx,y,z\n").roles[role] == 1


def test_the_mailing_address_is_never_taken_for_the_site(tmp_path: Path) -> None:
    found = read(tmp_path, "Mailing Address,Owner Address,Mailing City,Site Address\na,b,c,d\n")
    assert found.roles == {"address": 3}


def test_two_hundred_columns_blank_rows_and_uneven_rows(tmp_path: Path) -> None:
    header = [f"c{n}" for n in range(198)] + ["Address", "Address"]
    long = [str(n) for n in range(200)]
    found = read(tmp_path, text_of([header, long, ["", " "], [], long[:50], [*long, "more"], [""] * 200]))
    assert found.roles == {"address": 198}
    assert (len(found.rows), found.blank_rows, found.uneven_rows) == (3, 3, 2)
    assert found.header[198:] == ("Address", "Address (2)", "column 201")
    assert {len(row) for row in found.rows} == {201}
    assert found.line_numbers == (2, 5, 6)
    assert found.rows[2][200] == "more"


def test_a_list_of_ids_needs_no_header(tmp_path: Path) -> None:
    assert read(tmp_path, "025-1\n025-2\n").roles == {"property_id": 0}
    found = read(tmp_path, "F_660000_2850000\nF_660001_2850000\n")
    assert (found.roles, len(found.rows)) == ({"loc_id": 0}, 2)


def test_excels_own_line_names_the_delimiter(tmp_path: Path) -> None:
    found = read(tmp_path, "sep=;\r\nAddress;City\r\n1, Main St;Bellingham\r\n")
    assert (found.delimiter, found.rows) == ("semicolon", (("1, Main St", "Bellingham"),))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04" + bytes(40), "damaged workbook"),
        (b"\xd0\xcf\x11\xe0" + bytes(40), "old Excel"),
        (b"%PDF-1.7", "is a PDF"),
        (b"\x1f\x8b\x08\x00", "compressed"),
        (bytes(range(256)), "not a text file"),
        (b"Address\n\x81\x8d\x8f", "not a text file"),
        (b"", "holds no rows"),
        (b"\n , ,\n", "holds no rows"),
        (b"Name,Phone\nx,y\n", "no column that tells a property"),
        (b'Address\n"' + b"x" * 1_100_000, "not readable as CSV"),
        (b"Address" + b"," * 3000, "3,001 cells"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_list_is_refused_in_one_sentence(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(UsageError, match=said) as refused:
        read(tmp_path, content)
    assert refused.value.hint


def test_the_first_sheet_of_a_workbook_is_read_as_it_stands(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.title = "Mailing"
    for row in ([], ["Address", "City", "ZIP", "Seen", "Note"], ["12 Main St", "Bellingham", 2019], [None]):
        page.append(row)
    page.append(["14 Main St", None, "02019", date(2026, 5, 1), "=HYPERLINK(1)"])
    book.create_sheet("Other").append(["loc_id"])
    path = tmp_path / "list.xlsx"
    book.save(path)
    found = read_list_file(path)
    assert (found.encoding, found.delimiter) == ("Excel workbook, sheet Mailing", "")
    assert found.header == ("Address", "City", "ZIP", "Seen", "Note")
    assert found.rows[0] == ("12 Main St", "Bellingham", "2019", "", "")
    assert found.rows[1][:4] == ("14 Main St", "", "02019", "2026-05-01")
    assert (found.line_numbers, found.uneven_rows) == ((3, 5), 0)
    with pytest.raises(UsageError, match="more than 1 rows"):
        read_list_file(path, most_rows=1)


def test_refusals_quote_no_cell(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        read(tmp_path, "Winterbottom Wilhelmina,555-0100\nWinterbottom Walter,555-0101\n")
    assert "Winterbottom" not in str(refused.value)


def test_size_is_bounded(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"0\.0 MB; at most"):
        read(tmp_path, "Address\n" + "1 Main St\n" * 10, most_bytes=50)
    with pytest.raises(UsageError, match="more than 3 rows"):
        read(tmp_path, "Address\n" + "1 Main St\n" * 4, most_rows=3)
    assert len(read(tmp_path, "Address\n" + "1 Main St\n" * 3, most_rows=3).rows) == 3
    with pytest.raises(UsageError, match="There is no file"):
        read_list_file(tmp_path / "nowhere.csv")
    with pytest.raises(UsageError, match="There is no file"):
        read_list_file(tmp_path)


# --- Matching

# Property id, site address, unit told apart in the address, ZIP, LOC_ID, master of a condominium?
PROPERTIES = (
    ("025-1", "12 Main St", "02019", "F_1_1", False),
    ("025-2", "14-18 Main St", "02019", "F_2_1", False),
    ("025-3", "20 Main St Unit 1", "02019", "F_3_1", False),
    ("025-4", "20 Main St Unit 2", "02019", "F_3_1", False),
    ("025-5", "20 Main St", "02019", "F_3_1", True),
    ("025-6", "22 Main St Unit 1", None, "F_4_1", False),
    ("025-7", "12 Rear Main St", None, "F_5_1", False),
    ("025-8", "7 Hollybrook Rd", "02019", "F_6_1", False),
    ("025-9", "7 Winding Oak Ln", "02019", "F_7_1", False),
    ("025-10", "7 Winding Oaks Ct", "02019", "F_8_1", False),
    ("025-11", "5 10th Ave", "02019", "F_9_1", False),
    ("025-12", "12 N Main St", "02019", "F_10_1", False),
    ("025-13", "30A Elm St", "02019", "F_11_1", False),
    ("025-14", "3 Bellwood Cir", "02019", "F_12_1", False),
    ("025-15", "9 Twin St", "02019", "F_13_1", False),
    ("025-16", "9 Twin St", "02019", "F_14_1", False),
    ("208-1", "12 Main St", "02054", "F_20_1", False),
    ("208-2~7", "1 Shared Way", "02054", "F_21_1", False),
)


@pytest.fixture(scope="module")
def lake() -> Iterator[duckdb.DuckDBPyConnection]:
    """The relation ``properties`` of a searcher, with the columns that an import looks at."""
    rows: list[dict[str, Any]] = []
    for property_id, line, code, loc, master in PROPERTIES:
        address = parse_address(line)
        town_id = int(property_id[:3])
        low, high = address.numbers() or (None, None)
        rows.append(
            {
                "property_id": property_id, "town_id": town_id, "prop_id": property_id[4:].partition("~")[0],
                "loc_id": loc, "zip": code, "is_condominium_master": master,
                "address_key": address_key(address, town_id), "street_normalized": address.street,
                "house_number": low, "house_number_high": high, "unit": address.unit or None,
            }
        )  # fmt: skip
    with duckdb.connect() as connection:
        connection.register("given", pa.Table.from_pylist(rows))
        connection.execute("CREATE TABLE properties AS FROM given")
        yield connection


def match(
    lake: duckdb.DuckDBPyConnection, folder: Path, text: str, town: str | None = None
) -> tuple[ImportRow, ...]:
    file = read(folder, text)
    return match_file(file, lake, (25, 208), town=find_town(town) if town else None)


def one(lake: duckdb.DuckDBPyConnection, folder: Path, line: str, town: str | None = "25") -> ImportRow:
    (found,) = match(lake, folder, text_of([("Address",), (line,)]), town)
    return found


@pytest.mark.parametrize(
    ("line", "property_id"),
    [
        ("12 Main St", "025-1"), ("12 MAIN STREET", "025-1"), ("  12   main st. ", "025-1"),
        ("12 Main Street, Bellingham, MA 02019", "025-1"), ("14-18 main st", "025-2"),
        ("14 18 Main Street", "025-2"), ("20 Main St #2", "025-4"), ("20 Main Street Apt 2", "025-4"),
        ("12 Main St Rear", "025-7"), ("12R Main St", "025-7"), ("12 North Main St", "025-12"),
        ("5 Tenth Avenue", "025-11"), ("30 A Elm St", "025-13"),
    ],
)  # fmt: skip
def test_the_same_address_in_any_spelling_is_exact(
    lake: duckdb.DuckDBPyConnection, tmp_path: Path, line: str, property_id: str
) -> None:
    found = one(lake, tmp_path, line)
    assert (found.result, found.property_id, found.why) == (
        "exact",
        property_id,
        "same address in Bellingham",
    )


@pytest.mark.parametrize(
    ("line", "property_id", "why"),
    [
        ("22 Main St", "025-6", "unit"),
        ("12 Main St Unit 4", "025-1", "unit"),
        ("16 Main St", "025-2", "14-18"),
        ("12 Main", "025-1", "MAIN ST"),
        ("12 Main Ave", "025-1", "MAIN ST"),
        ("7 Holybrook Rd", "025-8", "nearly"),
        ("7 Holybrook", "025-8", "nearly"),
        ("30 Elm St Unit A", "025-13", "letter"),
        ("3 Bellwood CR", "025-14", "BELLWOOD CIR"),
        ("12 S Main St", "025-1", "MAIN ST"),
        ("12 Main St, Atlantis", "025-1", "'ATLANTIS' is no town, taken for Bellingham"),
    ],
)
def test_what_nearly_fits_one_record_is_probable(
    lake: duckdb.DuckDBPyConnection, tmp_path: Path, line: str, property_id: str, why: str
) -> None:
    found = one(lake, tmp_path, line)
    assert (found.result, found.property_id) == ("probable", property_id)
    assert why in found.why


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("20 Main St Unit 3", "no record with that number"),
        ("12A Main St", "no record with that number"),
        ("99 Main St", "no record with that number"),
        ("12 Off Main St", "no record with that number"),
        ("5 16th Ave", "no such street"),
        ("7 Nowhere Ln", "no such street"),
        ("Main St", "no number"),
        ("7 Winding Oakes", "2 records fit"),
        ("9 Twin St", "2 records have this address"),
        ("PO Box 12", "P.O. box"),
        ("12 Main St, Providence, RI 02903", "the state is RI"),
        ("12 Main St, Foxborough", "no data for Foxborough here (leadflow refresh foxborough)"),
    ],
)
def test_what_does_not_fit_says_why(
    lake: duckdb.DuckDBPyConnection, tmp_path: Path, line: str, why: str
) -> None:
    found = one(lake, tmp_path, line)
    assert (found.result, found.property_id) == ("none", None)
    assert why in found.why


def test_a_building_without_its_unit_is_left_to_the_person(
    lake: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """The condominium's master has the plain address and is not what anybody means."""
    for line in ("20 Main St", "20 Main"):
        found = one(lake, tmp_path, line)
        assert (found.result, found.property_id) == ("none", None)
        assert found.why.startswith("2 records fit: ")
        assert found.why.endswith("025-3, 025-4")


def test_the_town_comes_from_its_column_then_the_zip_then_the_option(
    lake: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    lines = (
        ("12 Main St", "Millis", "02019"), ("12 Main St", "", "02019"), ("12 Main St", "", "2019-1234"),
        ("12 Main St", "Village", "02019"), ("12 Main St", "", ""), ("12 Main St", "", "01001"),
        ("12 Main St", "25", ""),
    )  # fmt: skip
    text = text_of([("address", "city", "zip"), *lines])
    towns = {25: "Bellingham", 208: "Norfolk"}
    assert find_town("208").name == towns[208]
    found = match(lake, tmp_path, text, "208")
    told = [(row.result, row.property_id) for row in found]
    assert told == [
        ("none", None), ("exact", "025-1"), ("duplicate", "025-1"), ("duplicate", "025-1"),
        ("exact", "208-1"), ("duplicate", "208-1"), ("duplicate", "025-1"),
    ]  # fmt: skip
    assert "no data for Millis" in found[0].why
    without = match(lake, tmp_path, text)
    assert [row.why for row in without][4] == "no town: give a town, a ZIP or --town"
    assert "no town here has the ZIP 01001" in without[5].why


def test_ids_are_exact_and_a_parcel_names_all_its_records(
    lake: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    text = (
        "property_id,loc_id,parcel id,town\n025-1,,,\n,f_3_1,,\n,,8,Bellingham\n,,2,Norfolk\n,,13,\n"
        "025-99,,,\n,F_9_9,,\n,,,\n"
    )
    found = match(lake, tmp_path, text.replace(",,,\n", ",,, \n"))
    assert [(row.row_number, row.result, row.property_id) for row in found] == [
        (1, "exact", "025-1"), (2, "exact", "025-3"), (2, "exact", "025-4"), (3, "exact", "025-8"),
        (4, "exact", "208-2~7"), (5, "probable", "025-13"), (6, "none", None), (7, "none", None),
    ]  # fmt: skip
    assert counts(found) == {"exact": 4, "probable": 1, "none": 2, "duplicate": 0}


def test_an_id_that_is_not_there_leaves_the_address_to_decide(
    lake: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    found = match(lake, tmp_path, "property_id,address\n025-777,12 Main St\n025-777,99 Main St\n", "25")
    assert [(row.result, row.property_id) for row in found] == [("exact", "025-1"), ("none", None)]
    assert found[1].why.startswith("property_id not found; not found in Bellingham")


def test_a_later_exact_row_goes_before_an_earlier_probable_one(
    lake: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    found = match(lake, tmp_path, "address\n12 Main\n12 Main St\n12 MAIN ST\n", "25")
    assert [(row.result, row.why) for row in found] == [
        ("duplicate", "same property as row 2"),
        ("exact", "same address in Bellingham"),
        ("duplicate", "same property as row 2"),
    ]
    assert counts(found) == {**COUNT, "exact": 1, "duplicate": 2}


def test_number_street_and_unit_may_stand_in_columns_of_their_own(
    lake: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    text = (
        "Street Number,Street Name,Apt,Town\n20,Main Street,2,Bellingham\n20,Main Street,Unit 1,Bellingham\n"
    )
    assert [row.property_id for row in match(lake, tmp_path, text)] == ["025-4", "025-3"]


def test_the_report_keeps_every_column_of_the_file(lake: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    file = read(tmp_path, "Address,result,Note\n12 Main St,mine,a\n\n1 Nowhere,theirs,b\n")
    found = match_file(file, lake, (25, 208), town=BELLINGHAM)
    target = tmp_path / "new" / "report.csv"
    write_report(target, file, found, {"025-1"})
    with target.open(encoding="utf-8-sig", newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert [(r["line"], r["result"], r["property_id"], r["on_list"]) for r in rows] == [
        ("2", "exact", "025-1", "yes"),
        ("4", "none", "", "no"),
    ]
    assert [(r["Address"], r["result (given)"], r["Note"]) for r in rows] == [
        ("12 Main St", "mine", "a"),
        ("1 Nowhere", "theirs", "b"),
    ]
    assert [path.name for path in target.parent.iterdir()] == ["report.csv"]


def test_a_report_that_cannot_be_written_is_said(lake: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    file = read(tmp_path, "Address\n12 Main St\n")
    with pytest.raises(StoreError, match="Cannot write the report"):
        write_report(tmp_path / "given.csv" / "report.csv", file, (), ())
