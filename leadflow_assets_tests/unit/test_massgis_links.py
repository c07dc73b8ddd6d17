"""The table of links: read whatever its layout, never trusted blindly, never a reason to stop."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import openpyxl
import pytest

from leadflow_assets.errors import SourceAnswerError, UsageError
from leadflow_assets.sources.http import make_client
from leadflow_assets.sources.massgis import links as module
from leadflow_assets.sources.massgis.links import load_links, parse_links_table, shipped_links
from leadflow_assets_tests.vendors.massgis import Fault, MassgisServer

SHARED = Path(__file__).resolve().parents[3] / "shared" / "massgis"
WORKBOOK = SHARED / "MassGIS_Parcel_Download_Links_8.xlsx"
HEADER = (
    "Town Name",
    "Town ID",
    "Shapefile Download URL",
    "File GDB Download URL",
    "Assessed Fiscal Year",
    "Note",
)
needs_workbook = pytest.mark.skipif(
    not WORKBOOK.exists(), reason="the real links workbook is not in ../shared"
)


@pytest.fixture
def server() -> Iterator[MassgisServer]:
    with MassgisServer() as running:
        yield running


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with make_client(timeout=2) as made:
        yield made


def workbook(*rows: tuple[object, ...], sheets: tuple[str, ...] = ("Links",)) -> bytes:
    book = openpyxl.Workbook()
    for title in sheets:
        sheet = book.create_sheet(title)
    for row in rows:
        sheet.append(row)
    book.remove(book.worksheets[0])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def csv_of(*lines: str) -> bytes:
    return "\n".join(lines).encode()


def shipped_csv(**changes: str | None) -> bytes:
    """The shipped copy as a table, with rows replaced (``t25="25,x,y"``) or left out (None)."""
    lines = ["Town ID,Shapefile Download URL,File GDB Download URL"]
    for town_id, row in shipped_links().items():
        line = changes.get(f"t{town_id}", f"{town_id},{row.shapefile_url},{row.geodatabase_url}")
        lines += [line] if line is not None else []
    return csv_of(*lines)


def test_shipped_copy_has_every_town_and_boston() -> None:
    links = shipped_links("https://mirror.example")
    assert sorted(links) == list(range(1, 352))
    assert links[35].shapefile_url == "https://mirror.example/shapefiles/l3parcels/L3_SHP_M035_BOSTON.zip"
    assert links[95].shapefile_url == "https://mirror.example/shapefiles/l3parcels/L3_SHP_M095_FALLRIVER.zip"
    assert links[25].geodatabase_url == "https://mirror.example/gdbs/l3parcels/M025_parcels_gdb.zip"
    assert str(shipped_links()[1].shapefile_url).startswith(
        "https://s3.us-east-1.amazonaws.com/download.massgis."
    )


@needs_workbook
def test_real_workbook() -> None:
    rows = parse_links_table(WORKBOOK.read_bytes(), WORKBOOK.name)
    assert len(rows) == 351
    boston = next(row for row in rows if row.town_id == 35)
    assert (boston.shapefile_url, boston.geodatabase_url, boston.fiscal_year) == (None, None, 2020)
    assert "Open Data Portal" in boston.note
    acton = next(row for row in rows if row.town_id == 2)
    place = "http://download.massgis.digital.mass.gov/shapefiles/l3parcels"
    assert acton.shapefile_url == f"{place}/L3_SHP_M002_ACTON.zip"


@needs_workbook
def test_real_workbook_agrees_with_the_shipped_rule_but_for_boston() -> None:
    result = load_links(str(WORKBOOK), live=False, timeout=1)
    assert result.origin == "file"
    assert result.problem is None
    assert result.drift == ["Without a link in the table, shipped link taken: Boston (35)."]
    assert result.links[35].shapefile_url == shipped_links()[35].shapefile_url
    assert result.links[35].fiscal_year == 2020
    assert "Portal" in result.links[35].note


def test_columns_are_found_by_title_and_the_header_below_other_rows() -> None:
    data = workbook(
        ("MassGIS download links", None),
        (None,),
        ("NOTE", "FY", "FGDB_LINK", "SHAPE_LINK", "TOWN_ID", "TOWN"),
        ("patched", 2024.0, "https://h/g.zip", " https://h/s.zip ", "025", "BELLINGHAM"),
        ("total", None, None, None, None, None),
        sheets=("About", "Links"),
    )
    (row,) = parse_links_table(data, "table.xlsx")
    assert (row.town_id, row.fiscal_year, row.note) == (25, 2024, "patched")
    assert (row.shapefile_url, row.geodatabase_url) == ("https://h/s.zip", "https://h/g.zip")


def test_rows_beyond_a_wrong_sheet_extent_are_read() -> None:
    data = workbook(HEADER, ("ACTON", 2, "https://h/s.zip", None, 2020, None))
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b'<dimension ref="A1:F2"', b'<dimension ref="A1:A1"'))
    assert parse_links_table(buffer.getvalue(), "t.xlsx")[0].shapefile_url == "https://h/s.zip"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_csv_dialects(delimiter: str, encoding: str) -> None:
    text = (
        delimiter.join(HEADER)
        + "\r\n"
        + delimiter.join(("X", "7.0", "https://h/s.zip", "", "2020", "é"))
        + "\r\n"
    )
    (row,) = parse_links_table(text.encode(encoding), "table.csv")
    assert (row.town_id, row.shapefile_url, row.geodatabase_url, row.note) == (
        7,
        "https://h/s.zip",
        None,
        "é",
    )


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><html>sign in", "an HTML page"),
        (b"<?xml version='1.0'?><Error/>", "an XML document"),
        (b"PK\x03\x04 cut off", "not a readable workbook"),
        (b"Town,Link\nActon,https://h/s.zip\n", "no rows of a town id"),
        (b"Town ID,Shapefile\n", "no rows of a town id"),
        (b"\xd0\xcf\x11\xe0 old workbook", "no rows of a town id"),
    ],
)
def test_what_is_no_table_is_refused(data: bytes, what: str) -> None:
    with pytest.raises(SourceAnswerError, match=what):
        parse_links_table(data, "table")


def test_a_damaged_workbook_is_refused_whatever_is_damaged() -> None:
    data = workbook(HEADER, ("ACTON", 2, "https://h/s.zip", None, 2020, None))
    for name in (
        "xl/workbook.xml",
        "xl/worksheets/sheet1.xml",
        "xl/sharedStrings.xml",
        "[Content_Types].xml",
    ):
        for content in (None, b"", b"<broken", b"<a/>"):
            buffer = io.BytesIO()
            with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w") as new:
                for member in old.namelist():
                    if member != name:
                        new.writestr(member, old.read(member))
                    elif content is not None:
                        new.writestr(member, content)
            try:
                rows = parse_links_table(buffer.getvalue(), "t.xlsx")
            except SourceAnswerError:
                continue
            assert [row.town_id for row in rows] == [2]


def test_drift_is_told_in_sentences(server: MassgisServer, client: httpx.Client) -> None:
    bucket = "http://download.massgis.digital.mass.gov"
    gdb = f"{bucket}/gdbs/l3parcels/M0{{}}_parcels_gdb.zip"
    url = server.put(
        "/links",
        shipped_csv(
            t1=None,
            t25=f"25,{bucket}/shapefiles/l3parcels/L3_SHP_M025_BELLINGHAM.zip,{gdb.format(25)}\n25,https://h/x.zip,",
            t26=f"26,{bucket}/shapefiles/l3parcels/L3_SHP_M026_BELMONT_V2.zip,{gdb.format(26)}",
            t27=f"27,https://elsewhere.example/a/L3_SHP_M027_BERKLEY.zip?key=1,{gdb.format(27)}",
            t35="35,Visit the portal,",
            t351=f"351,{bucket}/shapefiles/l3parcels/L3_SHP_M351_YARMOUTH.zip,\n352,https://h/devens.zip,",
        ),
    )
    result = load_links(url, live=True, timeout=2, client=client)
    assert (result.origin, result.problem) == ("live", None)
    assert result.drift == [
        "Not in the table: Abington (1).",
        "In the table more than once, first row taken: Bellingham (25).",
        "Unknown town ids, left out: 352.",
        "Without a link in the table, shipped link taken: Boston (35).",
        "Other shapefile file name than the shipped link: Belmont (26).",
        "The shapefile is in https://elsewhere.example/a: Berkley (27).",
    ]
    assert sorted(result.links) == list(range(1, 352))
    shipped = shipped_links()
    assert result.links[1] == shipped[1]
    assert result.links[35].shapefile_url == shipped[35].shapefile_url
    assert result.links[25].shapefile_url == f"{bucket}/shapefiles/l3parcels/L3_SHP_M025_BELLINGHAM.zip"
    assert result.links[351].geodatabase_url is None


def test_many_towns_make_one_sentence(server: MassgisServer, client: httpx.Client) -> None:
    url = server.put("/links", csv_of("Town ID,Shapefile", "3,https://h/L3_SHP_M003_ACUSHNET.zip"))
    drift = load_links(url, live=True, timeout=2, client=client).drift
    assert (
        drift[0]
        == "Not in the table: Abington (1), Acton (2), Adams (4), Agawam (5), Alford (6) and 345 more."
    )
    assert drift[1:] == ["The shapefile is in https://h: Acushnet (3)."]


def test_a_live_table_cannot_point_into_local_files(server: MassgisServer, client: httpx.Client) -> None:
    url = server.put("/links", csv_of("Town ID,Shapefile,GDB", "25,/etc/secret.zip,file:///etc/secret.zip"))
    row = load_links(url, live=True, timeout=2, client=client).links[25]
    assert row.shapefile_url == shipped_links()[25].shapefile_url


def test_a_mirror_on_disk(tmp_path: Path) -> None:
    table = tmp_path / "mirror" / "links.csv"
    table.parent.mkdir()
    absolute = tmp_path / "elsewhere" / "M026.zip"
    table.write_text(
        "Town ID,Shapefile,GDB\n"
        "25,shapefiles/L3_SHP_M025_BELLINGHAM.zip,\n"
        f"26,{absolute},{absolute.as_uri()}\n"
        "999,sample.zip,\n"
    )
    result = load_links(str(table), live=False, timeout=1)
    assert sorted(result.links) == [25, 26, 999]
    assert result.links[25].shapefile_url == str(table.parent / "shapefiles/L3_SHP_M025_BELLINGHAM.zip")
    assert result.links[26].shapefile_url == str(absolute)
    assert result.links[26].geodatabase_url == absolute.as_uri()
    assert result.links[999].shapefile_url == str(table.parent / "sample.zip")
    assert load_links(table.as_uri(), live=False, timeout=1).links == result.links


def test_not_live_never_asks(server: MassgisServer) -> None:
    result = load_links(server.base + "/links", live=False, timeout=1)
    assert (result.origin, len(result.links), result.drift) == ("shipped", 351, [])
    assert "MASSGIS_LIVE_FETCH_ENABLED" in str(result.problem)
    assert server.requests == []


@pytest.mark.parametrize(
    ("fault", "what"),
    [
        (Fault(status=403, body=b"no"), "answered 403"),
        (Fault(status=200, body=b"<html>down</html>", headers={"Content-Type": "text/html"}), "an HTML page"),
        (Fault(status=302, headers={"Location": "/links"}), None),
        (Fault(hang_after=0), "did not answer in time"),
    ],
)
def test_a_failing_url_falls_back_and_says_so(
    server: MassgisServer, client: httpx.Client, fault: Fault, what: str | None
) -> None:
    server.put("/links", shipped_csv())
    server.fault("/links", fault)
    result = load_links(server.base + "/links?token=hush", live=True, timeout=0.3, client=client)
    assert len(result.links) == 351
    if what is None:
        assert (result.origin, result.drift) == ("live", [])
    else:
        assert result.origin == "shipped"
        assert what in str(result.problem)
    assert "hush" not in f"{result.problem}{result.drift}"


def test_a_table_too_large_falls_back(
    server: MassgisServer, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_TABLE_BYTES", 1000)
    url = server.put("/links", shipped_csv())
    result = load_links(url, live=True, timeout=2, client=client)
    assert (result.origin, "more than 1,000 bytes" in str(result.problem)) == ("shipped", True)


def test_without_a_client_it_makes_one(server: MassgisServer) -> None:
    assert load_links(server.put("/links", shipped_csv()), live=True, timeout=2).origin == "live"


def test_a_named_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.csv cannot be read"):
        load_links(str(tmp_path / "none.csv"), live=True, timeout=1)
    with pytest.raises(UsageError, match="cannot be read"):
        load_links(str(tmp_path), live=True, timeout=1)
    (tmp_path / "bad.csv").write_text("nothing here")
    with pytest.raises(SourceAnswerError, match=r"bad\.csv has no rows"):
        load_links(str(tmp_path / "bad.csv"), live=True, timeout=1)
