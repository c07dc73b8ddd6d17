"""Whole exports, read back by other programs: cells, geometry, sidecars, refusals, kills, a real browser."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import duckdb
import geopandas
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from leadflow_assets.errors import LeadflowError, NotConfiguredError, StoreError, UsageError
from leadflow_assets.lake.extensions import extension_path
from leadflow_assets.lake.lake import Lake
from leadflow_assets.search.exports import (
    FORMATS,
    MAP_MAX_ROWS,
    SUFFIXES,
    XLSX_MAX_ROWS,
    Export,
    ExportRequest,
    needed_columns,
    parcel_outlines,
    write_export,
)
from leadflow_assets.search.exports import leaflet as leaflet_module
from leadflow_assets.search.exports.values import no_rows
from leadflow_assets_tests.conftest import process_context, publish_parcels

Key = tuple[int, str]
INJECTION = "</script><img src=x onerror=\"document.documentElement.dataset.broken='yes'\">"
SCHEMA = pa.schema(
    {
        "property_id": pa.string(),
        "town_id": pa.int32(),
        "town": pa.string(),
        "loc_id": pa.string(),
        "site_address": pa.string(),
        "zip": pa.string(),
        "owner_name": pa.string(),
        "category": pa.string(),
        "total_value": pa.int64(),
        "value_change": pa.int64(),
        "lot_acres": pa.float64(),
        "year_built": pa.int32(),
        "sale_is_market": pa.bool_(),
        "last_sale_date": pa.date32(),
        "fetched_at": pa.timestamp("us", tz="UTC"),
        "owners": pa.list_(pa.struct({"name": pa.string(), "confidence": pa.float64()})),
        "lon": pa.float64(),
        "lat": pa.float64(),
        "point_x": pa.float64(),
        "point_y": pa.float64(),
    }
)
COLUMNS = tuple(SCHEMA.names[:-4])
FETCHED = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)


def _row(number: int, **more: Any) -> dict[str, Any]:
    return {
        "property_id": f"999-{number}",
        "town_id": 999,
        "town": "Sampleton",
        "loc_id": f"M_{number}",
        "site_address": f"{number} ELM ST",
        "zip": "02000",
        "owner_name": "WREN, ADA",
        "category": "residential",
        "total_value": 450_000,
        "value_change": -1_200,
        "lot_acres": 0.25,
        "year_built": 1905,
        "sale_is_market": True,
        "last_sale_date": date(2019, 5, 17),
        "fetched_at": FETCHED,
        "owners": [{"name": "WREN, ADA", "confidence": 0.9}],
        "lon": -71.5 + number / 1000,
        "lat": 42.1,
        "point_x": 200_000.0 + number * 100,
        "point_y": 870_000.0,
        **more,
    }


NOTHING = {name: None for name in SCHEMA.names if name not in ("property_id", "town_id")}
ROWS = [
    _row(1, owner_name="=2+3", site_address="0 ELM ST, REAR"),
    _row(2, owner_name=INJECTION, site_address=f'"OLD" {INJECTION}', last_sale_date=date(1821, 10, 24)),
    _row(
        3, loc_id="M_1", owner_name="\u0141AWA, \u00c9LISE \u4e2d", category="commercial"
    ),  # a unit of lot 1
    _row(4, loc_id="M_GONE", category="not a class"),  # its parcel is not there: a point
    {"property_id": "999-5", "town_id": 999, **NOTHING},  # nothing is known
]


def _outline(number: int) -> bytes:
    x, y = 200_000.0 + number * 100, 870_000.0
    box = shapely.box(x - 40, y - 40, x + 40, y + 40)
    return bytes(shapely.to_wkb(shapely.MultiPolygon([box])))


def outlines(keys: Sequence[Key]) -> Mapping[Key, bytes]:
    known = {(999, "M_1"): _outline(1), (999, "M_2"): _outline(2)}
    return {key: known[key] for key in keys if key in known}


def _request(folder: Path, format: str, **more: Any) -> ExportRequest:
    freshness = {
        "town_id": 999,
        "town": "Sampleton",
        "release": "CY25_FY26",
        "fiscal_year": 2026,
        "source_date": date(2026, 7, 4),
        "fetched_at": FETCHED,
        "records": 1448,
        "sha256": "ab" * 32,
    }
    request = ExportRequest(
        path=folder / f"leads{SUFFIXES[format]}",
        format=format,
        criteria={"towns": ["Sampleton"], "min_value": 100_000},
        freshness=[freshness],
        notes=["Evictions are not covered here."],
        columns=COLUMNS,
        list_name="Spring <letters> & calls",
    )
    return replace(request, **more)


def _reader(rows: Sequence[Mapping[str, Any]], schema: pa.Schema = SCHEMA) -> pa.RecordBatchReader:
    # In two batches, so that what is carried from one to the next is tested everywhere.
    batches = [pa.RecordBatch.from_pylist(list(part), schema=schema) for part in (rows[:2], rows[2:]) if part]
    return pa.RecordBatchReader.from_batches(schema, batches)


def _export(folder: Path, format: str, rows: Sequence[Mapping[str, Any]] = ROWS, **more: Any) -> Export:
    return write_export(_request(folder, format, **more), _reader(rows), outlines=outlines)


# --- What every format has in common


@pytest.mark.parametrize("format", FORMATS)
def test_every_export_has_a_sidecar_from_which_it_can_be_made_again(format: str, tmp_path: Path) -> None:
    told: list[int] = []
    request = _request(tmp_path, format, sort=("town",), as_of="2026-11-21")
    export = write_export(request, _reader(ROWS), outlines=outlines, on_rows=told.append)
    assert (export.rows, sum(told), export.format) == (5, 5, format)
    assert export.sha256 == hashlib.sha256(export.path.read_bytes()).hexdigest()
    assert export.sidecar.name == export.path.name + ".leadflow.json"
    sidecar = json.loads(export.sidecar.read_text(encoding="utf-8"))
    assert sidecar["sha256"] == export.sha256
    assert sidecar["bytes"] == export.path.stat().st_size
    assert sidecar["rows"] == 5
    assert sidecar["criteria"] == dict(request.criteria)
    assert (sidecar["sort"], sidecar["as_of"]) == (["town"], "2026-11-21")
    (town,) = sidecar["snapshot"]
    assert (town["release"], town["sha256"], town["source_date"]) == ("CY25_FY26", "ab" * 32, "2026-07-04")
    assert sidecar["notes"] == ["Evictions are not covered here."]
    assert "MassGIS" in sidecar["source"]
    assert "tenant" in sidecar["use"]
    made = datetime.fromisoformat(sidecar["created_at"])
    assert abs((datetime.now(UTC) - made).total_seconds()) < 600
    meanings = {column["name"]: column["meaning"] for column in sidecar["columns"]}
    assert "dollars" in meanings["total_value"]
    if format in ("geojson", "geoparquet", "map"):
        assert sidecar["geometry"] == {"outlines": 3, "points": 1, "without_place": 1}
    assert sorted(path.name for path in tmp_path.iterdir()) == [export.path.name, export.sidecar.name]


@pytest.mark.parametrize("format", FORMATS)
def test_a_result_without_rows_is_a_file_without_rows(format: str, tmp_path: Path) -> None:
    export = _export(tmp_path, format, rows=[])
    assert export.rows == 0
    assert json.loads(export.sidecar.read_text())["rows"] == 0
    if format == "csv":
        assert len(export.path.read_bytes().splitlines()) == 1
    elif format == "xlsx":
        assert openpyxl.load_workbook(export.path)["Properties"].max_row == 1
    elif format == "geojson":
        assert json.loads(export.path.read_text())["features"] == []
    elif format == "geoparquet":
        assert len(geopandas.read_parquet(export.path)) == 0
    else:
        assert _page_data(export.path)["places"] == []


@pytest.mark.parametrize("format", ["csv", "geojson", "geoparquet", "xlsx"])
def test_earlier_rows_are_let_go_while_later_ones_come(format: str, tmp_path: Path) -> None:
    schema = pa.schema([SCHEMA.field(name) for name in needed_columns(format, ("property_id", "owner_name"))])
    batch = pa.RecordBatch.from_pylist([_row(n, owner_name="x" * 1000) for n in range(1000)], schema=schema)
    held: list[int] = []

    def batches() -> Iterator[pa.RecordBatch]:
        before = pa.total_allocated_bytes()
        for _ in range(40):
            yield pa.RecordBatch.from_arrays(
                [pa.array(c.to_pylist(), c.type) for c in batch.columns], schema=schema
            )
            held.append(pa.total_allocated_bytes() - before)

    request = _request(tmp_path, format, columns=("property_id", "owner_name"))
    reader = pa.RecordBatchReader.from_batches(schema, batches())
    assert write_export(request, reader, outlines=None).rows == 40_000
    assert max(held[10:]) < 12 * batch.nbytes


# --- CSV


def _csv_rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))


def test_csv_is_rfc_4180_with_text_safe_and_numbers_untouched(tmp_path: Path) -> None:
    content = _export(tmp_path, "csv").path.read_bytes()
    assert content.count(b"\r\n") == 6
    assert b"\n" not in content.replace(b"\r\n", b"")
    first, second, third, _, last = _csv_rows(content)
    assert list(first) == list(COLUMNS)
    assert first["owner_name"] == "'=2+3"
    assert (first["zip"], first["total_value"], first["value_change"]) == ("02000", "450000", "-1200")
    assert (first["lot_acres"], first["sale_is_market"]) == ("0.25", "true")
    assert (first["last_sale_date"], first["fetched_at"]) == ("2019-05-17", "2026-11-20T08:30:00Z")
    assert json.loads(first["owners"]) == [{"name": "WREN, ADA", "confidence": 0.9}]
    assert second["site_address"] == f'"OLD" {INJECTION}'
    assert third["owner_name"] == "\u0141AWA, \u00c9LISE \u4e2d"
    assert {value for name, value in last.items() if name not in ("property_id", "town_id")} == {""}


def test_csv_states_its_rule_and_can_start_with_a_byte_order_mark(tmp_path: Path) -> None:
    export = _export(tmp_path, "csv", bom=True)
    assert export.path.read_bytes().startswith(b'\xef\xbb\xbf"property_id"')
    (rule,) = json.loads(export.sidecar.read_text())["remarks"]
    assert "apostrophe" in rule
    assert "undo" in rule


def test_line_breaks_inside_a_cell_survive_csv(tmp_path: Path) -> None:
    rows = [_row(1, owner_name='ONE\r\nTWO "THREE"'), _row(2, owner_name="\r\n=1")]
    first, second = _csv_rows(_export(tmp_path, "csv", rows).path.read_bytes())
    assert (first["owner_name"], second["owner_name"]) == ('ONE\r\nTWO "THREE"', "'\r\n=1")


# --- XLSX


def test_xlsx_cells_have_their_types_and_text_stays_text(tmp_path: Path) -> None:
    sheet = openpyxl.load_workbook(_export(tmp_path, "xlsx").path)["Properties"]
    header = [cell.value for cell in sheet[1]]
    assert header == list(COLUMNS)
    first, second = (dict(zip(header, sheet[row], strict=True)) for row in (2, 3))
    assert (first["owner_name"].value, first["owner_name"].data_type) in (
        ("=2+3", "s"),
        ("=2+3", "inlineStr"),
    )
    assert first["zip"].value == "02000"
    assert (first["total_value"].value, first["total_value"].number_format) == (450_000, "$#,##0")
    assert (first["year_built"].value, first["year_built"].number_format) == (1905, "General")
    assert first["last_sale_date"].value == datetime(2019, 5, 17)  # noqa: DTZ001
    assert first["last_sale_date"].number_format == "yyyy-mm-dd"
    assert first["fetched_at"].value == datetime(2026, 11, 20, 8, 30)  # noqa: DTZ001
    assert first["sale_is_market"].value is True
    assert second["last_sale_date"].value == "1821-10-24"
    assert [cell.value for cell in sheet[6]][2:] == [None] * (len(COLUMNS) - 2)
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:P6"
    assert sheet.column_dimensions["G"].width > 30


def test_no_cell_of_a_workbook_is_a_formula_or_a_link(tmp_path: Path) -> None:
    rows = [
        _row(1, owner_name="=1+1", site_address="https://example.org/a"),
        _row(2, owner_name="+1", zip="-1"),
    ]
    path = _export(tmp_path, "xlsx", rows).path
    for sheet in openpyxl.load_workbook(path):
        cells = [cell for line in sheet.iter_rows() for cell in line]
        assert not [cell.coordinate for cell in cells if cell.data_type == "f" or cell.hyperlink]


def test_xlsx_keeps_odd_characters(tmp_path: Path) -> None:
    odd = "A\tB\x01 _x0041_ <&> \u4e2d\U0001f3e0\ufffe "
    sheet = openpyxl.load_workbook(_export(tmp_path, "xlsx", [_row(1, owner_name=odd)]).path)["Properties"]
    assert openpyxl.utils.escape.unescape(sheet["G2"].value) == odd


def test_the_about_sheet_says_what_it_is(tmp_path: Path) -> None:
    sheet = openpyxl.load_workbook(_export(tmp_path, "xlsx", as_of="2026-11-21").path)["About"]
    lines = {str(line[0].value): str(line[1].value) for line in sheet.iter_rows() if line[0].value}
    assert lines["Rows"] == "5"
    assert json.loads(lines["Criteria"])["min_value"] == 100_000
    assert lines["As of"] == "2026-11-21"
    assert "CY25_FY26" in lines["Sampleton"]
    assert "2026-07-04" in lines["Sampleton"]
    assert "MassGIS" in lines["Source"]
    assert "Not for credit, tenant or employment screening" in lines["Use"]
    assert "dollars" in lines["total_value"]


def test_a_text_too_long_for_a_cell_is_refused_not_cut(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="row 2 of column owner_name") as caught:
        _export(tmp_path, "xlsx", [_row(1), _row(2, owner_name="WREN " * 7000)])
    assert "WREN" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


# --- GeoJSON


def test_geojson_has_outlines_points_and_nulls_in_degrees(tmp_path: Path) -> None:
    document = json.loads(_export(tmp_path, "geojson").path.read_text(encoding="utf-8"))
    features = document["features"]
    assert [feature["id"] for feature in features] == [f"999-{n}" for n in range(1, 6)]
    kinds = [feature["geometry"] and feature["geometry"]["type"] for feature in features]
    assert kinds == ["MultiPolygon", "MultiPolygon", "MultiPolygon", "Point", None]
    assert features[3]["geometry"]["coordinates"] == [-71.496, 42.1]
    outline = shapely.geometry.shape(features[0]["geometry"])
    assert outline.geoms[0].exterior.is_ccw
    assert outline.bounds[0] == pytest.approx(-71.49880, abs=0.001)
    assert outline.bounds[1] == pytest.approx(42.08, abs=0.01)
    first = features[0]["properties"]
    assert list(first) == list(COLUMNS)
    assert (first["owner_name"], first["value_change"], first["sale_is_market"]) == ("=2+3", -1200, True)
    assert (first["last_sale_date"], first["owners"][0]["confidence"]) == ("2019-05-17", 0.9)
    assert features[4]["properties"]["total_value"] is None
    assert document["leadflow"]["rows"] == 5
    assert "crs" not in document  # RFC 7946 has only one reference system


def test_geopandas_reads_the_geojson(tmp_path: Path) -> None:
    frame = geopandas.read_file(_export(tmp_path, "geojson").path)
    assert (len(frame), frame.crs.to_epsg()) == (5, 4326)
    assert frame.geometry.notna().sum() == 4
    assert frame.geometry.dropna().is_valid.all()


# --- GeoParquet


@pytest.fixture
def gpio_home(tmp_path: Path) -> Path:
    """A home folder in which DuckDB finds spatial installed, so that gpio downloads nothing."""
    home = tmp_path / "home"
    with duckdb.connect() as connection:
        (platform,) = connection.execute("PRAGMA platform").fetchone() or ("",)
    folder = home / ".duckdb" / "extensions" / f"v{duckdb.__version__}" / platform
    folder.mkdir(parents=True)
    (folder / "spatial.duckdb_extension").symlink_to(extension_path("spatial"))
    return home


def test_geoparquet_is_the_lakes_kind_of_file(tmp_path: Path) -> None:
    path = _export(tmp_path, "geoparquet").path
    frame = geopandas.read_parquet(path)
    assert (len(frame), frame.crs.to_epsg()) == (5, 26986)
    by_id = frame.set_index("property_id")
    assert by_id.geometry["999-1"].equals(shapely.from_wkb(_outline(1)))
    assert by_id.geometry["999-4"].equals(shapely.Point(200_400, 870_000))
    assert by_id.geometry["999-5"] is None
    assert by_id["owners"]["999-1"][0]["confidence"] == 0.9
    schema = pq.read_schema(path)
    assert schema.field("last_sale_date").type == pa.date32()
    assert schema.field("year_built").type == pa.int32()
    column = json.loads(schema.metadata[b"geo"])["columns"]["geometry"]
    assert column["geometry_types"] == ["MultiPolygon", "Point"]
    assert column["bbox"] == [200_060.0, 869_960.0, 200_400.0, 870_040.0]
    assert json.loads(schema.metadata[b"leadflow.export"])["criteria"]["towns"] == ["Sampleton"]
    group = pq.read_metadata(path).row_group(0)
    assert {group.column(i).compression for i in range(group.num_columns)} == {"ZSTD"}


def test_geoparquet_rows_are_in_hilbert_order_whatever_the_search_said(tmp_path: Path) -> None:
    rows = [
        _row(n, point_x=100_000.0 + n * 37 % 101 * 900, point_y=850_000.0 + n * 53 % 97 * 900)
        for n in range(300)
    ]
    paths = [
        _export(tmp_path, "geoparquet", order, path=tmp_path / f"{name}.parquet").path
        for name, order in (("there", rows), ("back", rows[::-1]))
    ]
    there, back = (geopandas.read_parquet(path) for path in paths)
    assert there["property_id"].tolist() == back["property_id"].tolist()
    walked = there.geometry.distance(there.geometry.shift()).sum()
    unsorted = geopandas.GeoSeries(shapely.points([r["point_x"] for r in rows], [r["point_y"] for r in rows]))
    assert walked < unsorted.distance(unsorted.shift()).sum() / 3


def test_gpio_check_all_finds_nothing_wrong(tmp_path: Path, gpio_home: Path) -> None:
    path = _export(tmp_path, "geoparquet", [_row(n) for n in range(1, 40)]).path
    done = subprocess.run(
        [Path(sys.executable).parent / "gpio", "check", "all", "--spec-details", path],
        env={**os.environ, "HOME": str(gpio_home)},
        capture_output=True,
        text=True,
        check=False,
    )
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert "proper metadata covering" in output
    assert not [line for line in output.splitlines() if any(sign in line for sign in "✗❌⚠")], output


def test_columns_that_geoparquet_makes_itself_are_refused(tmp_path: Path) -> None:
    schema = SCHEMA.append(pa.field("bbox", pa.string()))
    request = _request(tmp_path, "geoparquet", columns=("property_id", "bbox"))
    with pytest.raises(UsageError, match="bbox"):
        write_export(request, _reader([], schema), outlines=None)


# --- Outlines


def test_outlines_come_from_the_needed_towns_of_one_snapshot(lake: Lake, tmp_path: Path) -> None:
    publish_parcels(lake, tmp_path / "first", {1: "old", 2: "old", 3: "old"})
    with parcel_outlines(lake) as read:
        publish_parcels(lake, tmp_path / "second", {1: "new"}, rows=1)
        towns = {town_id: f"M_{100_000 + town_id * 300}_900020" for town_id in (1, 2)}
        found = read([*towns.items(), (2, "M_0_0"), (77, "M_0_0")])
    assert set(found) == set(towns.items())  # the second row of lots is in the first snapshot only
    for town_id, shape in (
        (town_id, shapely.from_wkb(found[town_id, loc_id])) for town_id, loc_id in towns.items()
    ):
        assert (shape.geom_type, shape.area) == ("MultiPolygon", 324.0)
        assert shape.bounds[0] == 100_000 + town_id * 300


def test_a_parcel_file_that_cannot_be_read_is_told_without_its_content(tmp_path: Path, lake: Lake) -> None:
    snapshot = publish_parcels(lake, tmp_path, {1: "one"})
    (entry,) = snapshot.partitions.values()
    lake.store.delete(entry.data.path)
    with parcel_outlines(lake) as read, pytest.raises(StoreError, match="cannot be read"):
        read([(1, "M_100300_900000")])


# --- Map


class _Page(HTMLParser):
    """What a page would load, and the text of its scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.references: list[str] = []
        self.tags: list[str] = []
        self.code: dict[str, str] = {}
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.references += [
            value or "" for name, value in attrs if name in ("src", "href", "srcset", "action")
        ]
        self._inside = tag if tag in ("script", "style") else ""
        if dict(attrs).get("id") == "data":
            self._inside = "data"

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.code[self._inside] = self.code.get(self._inside, "") + data


def _page(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def _page_data(path: Path) -> dict[str, Any]:
    return dict(json.loads(_page(path).code["data"]))


LOADS = r"""@import|\b(?:import\s*\(|import\s+[\w{*'"]|fetch\s*\(|XMLHttpRequest|WebSocket|sendBeacon)"""


def test_a_map_loads_nothing(tmp_path: Path) -> None:
    path = _export(tmp_path, "map").path
    page, text = _page(path), path.read_text(encoding="utf-8")
    assert page.references == []
    assert {"img", "iframe", "link", "object", "embed"}.isdisjoint(page.tags)
    for code in (page.code["script"], page.code["style"]):
        assert re.findall(r"""url\(\s*['"]?\s*(?!data:|#)[^)]*""", code) == []
        assert re.findall(LOADS, code) == []
        assert "sourceMappingURL" not in code
    without_comments = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    addresses = set(re.findall(r"https?://[^\s\"'<>)]+", without_comments))
    assert addresses == {"https://leafletjs.com", "http://www.w3.org/2000/svg"}  # a link, and a name
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy.startswith("default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; ")
    assert "img-src data:" in policy
    assert "Redistribution and use in source and binary forms" in text


def test_a_map_holds_places_records_and_what_they_are(tmp_path: Path) -> None:
    data = _page_data(_export(tmp_path, "map").path)
    assert data["title"] == "Spring <letters> & calls"
    assert [place["rows"] for place in data["places"]] == [[0, 2], [1], [3], [4]]
    assert ["outline" in place for place in data["places"]] == [True, True, False, False]
    assert ["point" in place for place in data["places"]] == [False, False, True, False]
    labels = [data["categories"][place["category"]]["label"] for place in data["places"]]
    assert labels == ["Residential", "Residential", "Unknown", "Unknown"]
    assert sum(category["rows"] for category in data["categories"]) == 5
    names = [field["name"] for field in data["fields"]]
    assert data["rows"][1][names.index("owner_name")] == INJECTION
    about = dict(data["about"])
    assert about["Note"] == "Evictions are not covered here."
    assert "CY25_FY26" in about["Sampleton"]
    x, y = data["origin"]
    steps = data["places"][0]["outline"][0][0]
    corners = [(x := x + steps[i], y := y + steps[i + 1]) for i in range(0, len(steps), 2)]
    exact = shapely.from_wkb(_outline(1))
    assert len(corners) == 4
    assert min(x for x, _ in corners) / 1e6 == pytest.approx(-71.499, abs=0.002)
    assert (max(y for _, y in corners) - min(y for _, y in corners)) / 1e6 == pytest.approx(
        80 / 111_200, rel=0.02
    )
    assert exact.bounds[2] - exact.bounds[0] == 80


def test_a_mark_of_the_template_inside_the_data_stays_data(tmp_path: Path) -> None:
    data = _page_data(_export(tmp_path, "map", [_row(1, owner_name="@@js@@")], list_name="@@data@@").path)
    assert data["title"] == "@@data@@"
    assert "@@js@@" in data["rows"][0]


def test_without_leaflet_a_map_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaflet_module.importlib.util, "find_spec", lambda name: None)
    leaflet_module.leaflet_script.cache_clear()
    with pytest.raises(NotConfiguredError, match="nicegui"):
        _export(tmp_path, "map")
    assert list(tmp_path.iterdir()) == []


def test_making_a_map_does_not_import_nicegui(tmp_path: Path) -> None:
    code = (
        "import sys; from leadflow_assets.search.exports.leaflet import leaflet_script, leaflet_style; "
        "leaflet_script(); leaflet_style(); sys.exit('nicegui' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.fixture(scope="module")
def browser() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    pytest.skip("no Chromium on this machine: the map page is not looked at in a browser")


def _dom(browser: str, page: Path, profile: Path) -> str:
    done = subprocess.run(
        [
            *(browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
            *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
            *(f"--user-data-dir={profile}", "--window-size=1200,800", "--virtual-time-budget=10000"),
            *("--dump-dom", page.as_uri()),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


CLICK_THE_SECOND = (
    '<script type="module">document.querySelectorAll("#list button")[1].click();</script></body>'
)


def test_a_browser_draws_the_map_and_text_from_the_data_does_nothing(browser: str, tmp_path: Path) -> None:
    path = _export(tmp_path, "map").path
    clicked = tmp_path / "clicked.html"
    clicked.write_text(
        path.read_text(encoding="utf-8").replace("</body>", CLICK_THE_SECOND), encoding="utf-8"
    )
    dom = _dom(browser, clicked, tmp_path / "profile")
    assert 'data-ready="yes"' in dom
    assert "<canvas" in dom
    assert "data-broken" not in dom
    body = dom.partition("<body>")[2].partition('<script id="data"')[0]
    assert "<img" not in body
    assert body.count("&lt;/script&gt;&lt;img src=x onerror=") == 3  # in the list, and twice in the popup
    assert "1821-10-24" in body  # the popup of the second entry is open
    assert "$450,000" in body
    assert "5 of 5 properties" in body


# --- Refusals and accidents


def test_what_cannot_be_written_is_refused_with_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(UsageError, match="does not exist"):
        _export(tmp_path, "csv", path=tmp_path / "nowhere" / "leads.csv")
    with pytest.raises(UsageError, match="is a folder"):
        _export(tmp_path, "csv", path=tmp_path / "folder.csv")
    with pytest.raises(UsageError, match="no export format 'pdf'"):
        write_export(replace(_request(tmp_path, "csv"), format="pdf"), _reader(ROWS), outlines=None)
    with pytest.raises(UsageError, match="lack the columns no_such"):
        _export(tmp_path, "csv", columns=("property_id", "no_such"))
    assert [path.name for path in tmp_path.iterdir()] == ["folder.csv"]


def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        folder = Path("/sys")
        if not folder.is_dir():
            pytest.skip("the superuser may write everywhere here")
    else:
        folder = tmp_path / "locked"
        folder.mkdir(mode=0o500)
    with pytest.raises(StoreError, match=f"Not allowed to write in {folder}"):
        _export(tmp_path, "csv", path=folder / "leads.csv")


@pytest.mark.parametrize(("format", "limit"), [("xlsx", XLSX_MAX_ROWS), ("map", MAP_MAX_ROWS)])
def test_too_many_rows_are_refused_before_any_is_read(format: str, limit: int, tmp_path: Path) -> None:
    def batches() -> Iterator[pa.RecordBatch]:
        raise AssertionError("a row was asked for")
        yield

    reader = pa.RecordBatchReader.from_batches(SCHEMA, batches())
    with pytest.raises(UsageError, match=f"{limit:,}"):
        write_export(_request(tmp_path, format, expected_rows=limit + 1), reader, outlines=None)
    assert list(tmp_path.iterdir()) == []


def test_a_map_that_grows_beyond_its_limit_leaves_the_old_one(tmp_path: Path) -> None:
    before = _export(tmp_path, "map")
    content = before.path.read_bytes()
    batch = no_rows(SCHEMA)
    big = pa.RecordBatch.from_pylist([_row(1)], schema=SCHEMA).take(pa.array([0] * (MAP_MAX_ROWS + 1)))
    reader = pa.RecordBatchReader.from_batches(SCHEMA, [batch, big])
    with pytest.raises(UsageError, match="Narrow the search"):
        write_export(_request(tmp_path, "map"), reader, outlines=outlines)
    assert before.path.read_bytes() == content
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("format", FORMATS)
def test_rows_that_fail_half_way_leave_what_was_there_and_say_no_name(format: str, tmp_path: Path) -> None:
    before = _export(tmp_path, format)
    content = before.path.read_bytes(), before.sidecar.read_bytes()

    def batches() -> Iterator[pa.RecordBatch]:
        yield pa.RecordBatch.from_pylist([_row(1)], schema=SCHEMA)
        raise OSError("could not convert WREN, ADA")

    reader = pa.RecordBatchReader.from_batches(SCHEMA, batches())
    with pytest.raises(StoreError, match="could not be read") as caught:
        write_export(_request(tmp_path, format), reader, outlines=outlines)
    assert "WREN" not in str(caught.value)
    assert (before.path.read_bytes(), before.sidecar.read_bytes()) == content
    assert len(list(tmp_path.iterdir())) == 2


def _many(rows: int) -> pa.RecordBatchReader:
    made = [_row(n, owner_name=f"{n * 7919 % 10007:x}" * 50) for n in range(rows)]
    batches = (pa.RecordBatch.from_pylist(made[n : n + 300], schema=SCHEMA) for n in range(0, rows, 300))
    return pa.RecordBatchReader.from_batches(SCHEMA, batches)


def _export_all_with_a_small_file_limit(folder: Path, answer: Connection) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16_384, 16_384))
    for format in FORMATS:
        try:
            write_export(_request(folder, format), _many(900), outlines=outlines)
            answer.send((format, "no error"))
        except LeadflowError as error:
            answer.send((format, f"{type(error).__name__}: {error}"))


def test_a_full_disk_is_told_and_leaves_what_was_there(tmp_path: Path) -> None:
    exports = {format: _export(tmp_path, format) for format in FORMATS}
    contents = {format: export.path.read_bytes() for format, export in exports.items()}
    told = dict(_in_a_process(_export_all_with_a_small_file_limit, tmp_path, len(FORMATS)))
    for format in FORMATS:
        assert told[format].startswith(f"StoreError: No space left to write the export in {tmp_path}."), told
        assert exports[format].path.read_bytes() == contents[format]
    assert len(list(tmp_path.iterdir())) == 2 * len(FORMATS)


def _in_a_process(work: Callable[[Path, Connection], None], folder: Path, answers: int) -> list[Any]:
    context = process_context()
    ours, theirs = context.Pipe()
    process = context.Process(target=work, args=(folder, theirs))
    process.start()
    theirs.close()
    try:
        return [ours.recv() for _ in range(answers)]
    finally:
        process.kill()
        process.join()


def _stop_half_way(folder: Path, answer: Connection) -> None:
    def batches() -> Iterator[pa.RecordBatch]:
        yield pa.RecordBatch.from_pylist([_row(n) for n in range(500)], schema=SCHEMA)
        answer.send("half way")
        time.sleep(300)

    for format in FORMATS:
        reader = pa.RecordBatchReader.from_batches(SCHEMA, batches())
        write_export(_request(folder, format), reader, outlines=outlines)


def test_a_killed_export_leaves_the_old_file_and_the_next_one_cleans_up(tmp_path: Path) -> None:
    before = _export(tmp_path, "csv")
    content = before.path.read_bytes()
    _in_a_process(_stop_half_way, tmp_path, 1)
    assert before.path.read_bytes() == content
    (left,) = tmp_path.glob(".leads.csv.*")
    os.utime(left, (0, 0))  # as if the kill had been a while ago
    assert _export(tmp_path, "csv").rows == 5
    assert len(list(tmp_path.iterdir())) == 2


def test_an_export_that_is_still_being_written_is_not_cleaned_up(tmp_path: Path) -> None:
    def batches() -> Iterator[pa.RecordBatch]:
        yield pa.RecordBatch.from_pylist([_row(1)], schema=SCHEMA)
        (working,) = tmp_path.glob(".leads.csv.*")
        os.utime(working, (0, 0))
        _export(tmp_path, "csv", rows=[])
        yield pa.RecordBatch.from_pylist([_row(2)], schema=SCHEMA)

    reader = pa.RecordBatchReader.from_batches(SCHEMA, batches())
    assert write_export(_request(tmp_path, "csv"), reader, outlines=None).rows == 2
    assert len(_csv_rows((tmp_path / "leads.csv").read_bytes())) == 2
    assert not list(tmp_path.glob(".leads.csv.*"))
