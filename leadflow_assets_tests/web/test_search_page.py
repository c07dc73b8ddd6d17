"""Searching as people do: filters, grid, map, drawing, sharing the address, exporting."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pandas as pd
import pytest
from openpyxl import load_workbook
from playwright.sync_api import Page, expect

from leadflow_assets.search.criteria import criteria_from
from leadflow_assets.search.engine import open_searcher
from leadflow_assets.settings import Settings
from leadflow_assets.state import database, exports
from leadflow_assets.web.criteria import query_of, read_search
from leadflow_assets_tests.web.conftest import NARROW, WIDE, assert_accessible, assert_fits, shot

Open = Callable[..., Page]
ROW = ".ag-center-cols-container .ag-row"
DWELLINGS = {"use_codes": ["104"], "absentee": "any"}
TWO_FAMILIES = "use_code=104&absentee=any"


def ids(settings: Settings, fields: dict[str, object]) -> list[str]:
    """What the command line's search finds."""
    with open_searcher(settings) as searcher:
        return searcher.ids(criteria_from(fields))


def ask(client: httpx.Client, path: str) -> dict[str, Any]:
    answer = client.get(path, headers={"Accept": "application/json"})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        (TWO_FAMILIES, DWELLINGS),
        (
            "town=Sampleton&min_value=%24400,000&max_value=900000",
            {"min_value": 400_000, "max_value": 900_000},
        ),
        ("owner_type=trust&owner_type=company", {"owner_types": ["trust", "company"]}),
        ("use_code=101,+102", {"use_codes": ["101", "102"]}),
        ("sold_before=2005&min_tenure_years=10", {"sold_before": "2005-01-01", "min_tenure_years": 10}),
        ("signal=foreclosure&min_score=10", {"signals": ["foreclosure"], "min_score": 10}),
        ("case=any&case_tier=confirmed", {"cases": ["any"], "case_tiers": ["confirmed"]}),
        ("owner_occupied=yes&min_units=2", {"owner_occupied": True, "min_units": 2}),
        ("", {}),
    ],
)
def test_the_page_finds_what_the_command_line_finds(
    client: httpx.Client, web_settings: Settings, query: str, fields: dict[str, object]
) -> None:
    found = ask(client, f"/search/results?{query}&all=yes")
    wanted = ids(web_settings, fields)
    assert found["total"] == len(wanted)
    rows = [row["property_id"] for row in found["rows"]]
    while len(rows) < len(wanted):
        block = ask(client, f"/search/rows?{query}&offset={len(rows)}")
        rows += [row["property_id"] for row in block["rows"]]
    assert sorted(rows) == sorted(wanted)


def test_places_add_up_and_addresses_are_found_once(client: httpx.Client, web_settings: Settings) -> None:
    polygon = "-70.5905,42.0660;-70.5860,42.0660;-70.5860,42.0700;-70.5905,42.0700"
    query = (
        f"near=146+PLEASANT+WAY,+SAMPLETON&radius=0.2mi&polygon={polygon}&bbox=-70.575,42.066,-70.573,42.07"
    )
    found = ask(client, f"/search/results?{query}")
    assert [area["kind"] for area in found["areas"]] == ["circle", "polygon", "box"]
    assert "146 PLEASANT WAY" in str(found["summary"])
    near = parse_qs(str(found["query"]))["near"]
    assert re.fullmatch(r"42\.\d{6},-70\.\d{6}", near[0])
    assert ask(client, f"/search/results?{found['query']}")["total"] == found["total"]
    corners = [[float(number) for number in corner.split(",")] for corner in polygon.split(";")]
    lat, lon = (float(number) for number in near[0].split(","))
    areas = [
        {"kind": "circle", "lat": lat, "lon": lon, "radius_m": 0.2 * 1609.344},
        {"kind": "polygon", "geometry": {"type": "Polygon", "coordinates": [[*corners, corners[0]]]}},
        {"kind": "box", "west": -70.575, "south": 42.066, "east": -70.573, "north": 42.07},
    ]
    assert found["total"] == len(ids(web_settings, {"areas": areas}))


def test_an_address_of_the_page_and_criteria_say_the_same(web_settings: Settings) -> None:
    query = (
        "town=Sampleton&use_code=104&absentee=any&min_value=100000&owner_occupied=&not_list=&signal=estate"
        "&near=42.07,-70.58&radius=800m&polygon=-70.59,42.066;-70.586,42.066;-70.586,42.07"
    )
    with open_searcher(web_settings) as searcher:
        read = read_search(searcher, parse_qs(query))
        again = read_search(searcher, parse_qs(query_of(read.criteria))).criteria
        plain = {"areas": (), "as_of": None}
        assert again.model_copy(update=plain) == read.criteria.model_copy(update=plain)
        assert searcher.ids(again) == searcher.ids(read.criteria)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("town=atlantis", "atlantis"),
        ("town=boston", "no data"),
        ("min_value=much", "min value"),
        ("sold_before=yesterday", "not a date"),
        ("near=1+NOWHERE+LN,+SAMPLETON&radius=1mi", "NOWHERE"),
        ("near=42.07,-70.58&radius=9000", "not a distance"),
        ("polygon=1,2;3", "drawn area"),
        ("polygon=-70.59,42.066;-70.58,42.07;-70.59,42.07;-70.58,42.066", "crosses itself"),
        ("bbox=1,2,3", "not a box"),
        ("min_value=900000&max_value=1", "max"),
        ("sort=password_hash&all=yes", "password_hash"),
        ("columns=owner_name;drop&all=yes", "drop"),
        ("list=no+such+list", "no such list"),
    ],
)
def test_a_wrong_search_says_what_to_mend(client: httpx.Client, query: str, words: str) -> None:
    answer = client.get(f"/search/results?{query}", headers={"Accept": "application/json"})
    told = answer.json()
    assert answer.status_code in (400, 409) and words in f"{told['message']} {told['hint']}", told
    assert "--" not in told["message"] + told["hint"]
    page = client.get(f"/?{query}")
    assert (
        page.status_code == answer.status_code and 'role="alert"' in page.text and 'id="filters"' in page.text
    )


def test_what_is_typed_never_becomes_markup(client: httpx.Client) -> None:
    nasty = '"><script>alert(1)</script>'
    for query in ({"owner": nasty}, {"address": nasty}, {"town": nasty}, {"list": nasty}, {"near": nasty}):
        text = client.get("/", params=query).text
        assert "<script>alert" not in text
    text = client.get("/?all=yes").text
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    assert data and json.loads(data[1])["first"]["total"] > 1000


def test_notes_stand_with_the_results(client: httpx.Client) -> None:
    text = client.get("/?all=yes").text
    for words in ("MassGIS", "CY25_FY26", "uncalibrated", "do not say that there is no case", "Sampleton"):
        assert words in text
    nothing = client.get("/?min_value=99999999").text
    assert "Nothing matches all filters together" in nothing and "0 properties" in nothing


def test_the_map_draws_outlines_from_near_and_dots_from_afar(client: httpx.Client) -> None:
    near = ask(client, f"/search/places?{TWO_FAMILIES}")
    places = near["places"]
    assert near["total"] == near["known"] == 13 and len(places) == 13
    assert all(place["outline"] for place in places)
    afar = ask(client, f"/search/places?{TWO_FAMILIES}&box=-71,41.9,-70,42.3&zoom=9")
    assert not any("outline" in place for place in afar["places"])
    west, south, east, north = near["bounds"]
    half = ask(
        client, f"/search/places?{TWO_FAMILIES}&box={west},{south},{(west + east) / 2},{north}&zoom=15"
    )
    assert 0 < half["in_view"] < 13
    ranks = [place["rank"] for place in half["places"]]
    order = [row["property_id"] for row in ask(client, f"/search/rows?{TWO_FAMILIES}")["rows"]]
    assert [place["id"] for place in half["places"]] == [order[rank] for rank in ranks]
    (town,) = client.get("/search/towns").json()
    assert town["name"] == "Sampleton" and len(town["rings"][0]) >= 4


@pytest.mark.parametrize("format", ["csv", "xlsx", "geojson", "geoparquet", "map"])
def test_exports_hold_what_was_found_and_leave_a_line(
    client: httpx.Client, web_settings: Settings, tmp_path: Path, format: str
) -> None:
    search = f"{TWO_FAMILIES}&owner=*E*&sort=-total_value"
    answer = client.post("/search/export", data={"search": search, "format": format})
    assert answer.status_code == 200 and "attachment" in answer.headers["content-disposition"]
    wanted = ids(web_settings, {**DWELLINGS, "owner": "*E*"})
    if format == "csv":
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            table, about = sorted(archive.namelist(), key=len)
            rows = pd.read_csv(archive.open(table), dtype=str)
            assert json.loads(archive.read(about))["rows"] == len(wanted)
        assert sorted(rows["property_id"]) == wanted
        assert rows["total_value"].astype(int).is_monotonic_decreasing
    elif format == "xlsx":
        sheet = load_workbook(io.BytesIO(answer.content), read_only=True).worksheets[0]
        assert sum(1 for _ in sheet.iter_rows()) == len(wanted) + 1
    with database.session(web_settings) as session:
        (line, *_) = exports.latest(session, 1)
    assert (line.format, line.rows, line.way, line.what) == (format, len(wanted), "page", "search")
    assert line.filters == "owner, use_codes, absentee" and "*E*" not in str(line)
    assert list((web_settings.data_dir / "exports").iterdir()) == []


def test_an_export_that_cannot_be_made_leaves_nothing(client: httpx.Client, web_settings: Settings) -> None:
    with database.session(web_settings) as session:
        before = len(exports.latest(session))
    for data, words in (
        ({"search": "", "format": "pdf"}, "export format"),
        ({"search": "columns=x", "format": "csv", "columns": "x"}, "x"),
        ({"search": "", "format": "csv", "limit": "some"}, "number of rows"),
        ({"search": ""}, "format"),
    ):
        answer = client.post("/search/export", data=data)
        assert answer.status_code == 400 and words in answer.text
    with database.session(web_settings) as session:
        assert len(exports.latest(session)) == before


def test_a_stranger_finds_five_two_families_near_an_address_and_exports_them(
    url: str, open_page: Open, tmp_path: Path
) -> None:
    page = open_page(WIDE)
    page.goto(url)
    expect(page.locator("#summary")).to_contain_text("can be searched")
    page.get_by_label("Address, or latitude and longitude").fill("146 PLEASANT WAY, SAMPLETON")
    page.get_by_label("Radius").fill("0.7mi")
    page.get_by_label("Two-family").check()
    page.get_by_text("Who", exact=True).click()
    page.get_by_label("Where the owner lives").select_option("Owner lives elsewhere")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#summary")).to_contain_text("properties in Sampleton")
    expect(page.locator(ROW).first).to_be_visible()
    assert "use_code=104" in page.url and "absentee=any" in page.url
    assert_accessible(page)
    assert_fits(page)
    shot(page, "search-wide")
    page.get_by_role("button", name="Export").click()
    page.get_by_label("Rows, at most").fill("5")
    with page.expect_download() as started:
        page.get_by_role("button", name="Download").click()
    file = tmp_path / started.value.suggested_filename
    started.value.save_as(file)
    rows = list(load_workbook(file, read_only=True).worksheets[0].iter_rows(values_only=True))
    named = dict(zip(rows[0], zip(*rows[1:], strict=True), strict=True))
    assert len(rows) == 6 and set(named["use_code"]) == {"104"}
    assert all(str(lives).startswith("absentee") for lives in named["occupancy"])
    # The address of the page is the search: sent to another, it shows the same.
    other = open_page(WIDE)
    other.goto(page.url)
    expect(other.locator("#summary .count")).to_have_text(page.locator("#summary .count").inner_text())


def test_grid_and_map_choose_each_other_and_sort_over_all(url: str, open_page: Open) -> None:
    page = open_page(WIDE)
    page.goto(f"{url}/?{TWO_FAMILIES}")
    expect(page.locator("#map-told")).to_have_text("13 places.")
    page.locator(".ag-header-cell[col-id=total_value]").click()
    page.locator(".ag-header-cell[col-id=total_value]").click()
    expect(page).to_have_url(re.compile("sort=-total_value"))
    values = page.locator(f"{ROW} [col-id=total_value]").all_inner_texts()
    dollars = [int(value.replace("$", "").replace(",", "")) for value in values]
    assert dollars == sorted(dollars, reverse=True)
    # The colors may mean the category.
    page.get_by_label("Color by").select_option("category")
    expect(page.locator("#legend")).to_contain_text("residential")
    page.get_by_role("button", name="Columns").click()
    page.locator("#columns").get_by_label("Year built").check()
    page.get_by_role("button", name="Show these").click()
    expect(page.locator(".ag-header-cell[col-id=year_built]")).to_have_count(1)
    assert "year_built" in parse_qs(urlsplit(page.url).query)["columns"][0]
    # A place on the map opens its popup and marks its row.
    box = page.locator("#map").bounding_box()
    assert box is not None
    page.locator(f"{ROW}").first.locator("[col-id=owner_name]").click()
    expect(page.locator(".ag-row-selected").first).to_be_visible()


def test_an_area_is_drawn_and_searched(url: str, open_page: Open) -> None:
    page = open_page(WIDE)
    page.goto(f"{url}/?town=sampleton")
    expect(page.locator("#map-told")).to_contain_text("places")
    everything = page.locator("#summary .count strong").inner_text()
    page.get_by_role("button", name="Draw an area").click()
    box = page.locator("#map").bounding_box()
    assert box is not None
    corners = [(0.35, 0.4), (0.6, 0.4), (0.6, 0.6), (0.35, 0.6), (0.35, 0.4)]
    for across, down in corners:
        page.mouse.click(box["x"] + box["width"] * across, box["y"] + box["height"] * down)
        page.wait_for_timeout(150)
    expect(page).to_have_url(re.compile("polygon="))
    expect(page.locator("#areas-told")).to_have_text("1 area drawn")
    expect(page.locator("#summary .count strong")).not_to_have_text(everything)
    page.get_by_role("button", name="Remove areas").click()
    expect(page.locator("#summary .count strong")).to_have_text(everything)
    # A click on the map is a place to search around.
    page.get_by_role("button", name="Click on the map").click()
    page.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)
    expect(page).to_have_url(re.compile(r"near=42\.\d+%2C-70"))
    expect(page.locator("#summary .count strong")).not_to_have_text(everything)


def test_on_a_phone_everything_is_reached(url: str, open_page: Open) -> None:
    page = open_page(NARROW)
    page.goto(f"{url}/?{TWO_FAMILIES}")
    expect(page.locator(ROW).first).to_be_visible()
    assert_fits(page)
    assert_accessible(page)
    shot(page, "search-narrow")
    page.get_by_role("button", name="Filters").click()
    page.get_by_label("Address", exact=True).fill("172 GRANITE ST")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#summary")).to_contain_text("0 properties")
    page.goto(f"{url}/?min_value=abc")
    expect(page.get_by_role("alert")).to_contain_text("min value")
    assert_fits(page)
