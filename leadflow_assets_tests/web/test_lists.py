"""Lists on the page: what it shows and does is what the services know."""

from __future__ import annotations

import csv
import io
import json
import os
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import openpyxl
import pytest
from playwright.sync_api import Page
from pydantic import SecretStr

from leadflow_assets.search.criteria import SearchCriteria, criteria_from
from leadflow_assets.search.criteria_words import in_words
from leadflow_assets.search.lists.service import SavedLists
from leadflow_assets.settings import Settings
from leadflow_assets.state import change_alerts, database, exports
from leadflow_assets.web.links import list_path, search_path
from leadflow_assets.web.rendering import told
from leadflow_assets_tests.web.conftest import NARROW, WIDE, assert_accessible, assert_fits, serving, shot

HOSTILE = "<script>alert(1)</script>\"'&"


@pytest.fixture(scope="module")
def saved(web_settings: Settings) -> Iterator[SavedLists]:
    """The lists behind the page."""
    with SavedLists(web_settings) as opened:
        yield opened


@pytest.fixture(scope="module")
def ids(saved: SavedLists) -> list[str]:
    """Ids of properties in the lake."""
    return saved.searcher.ids(SearchCriteria())


def _save(client: httpx.Client, name: str, ids: list[str], **more: str) -> httpx.Response:
    return client.post("/lists", data={"name": name, "ids": "\n".join(ids), **more})


def test_pasted_ids_become_a_static_list_with_pages_of_members(
    client: httpx.Client, saved: SavedLists, ids: list[str]
) -> None:
    answer = _save(client, "Spring letters", ids[:150], description=HOSTILE)
    assert answer.status_code == 200 and answer.url.path == "/lists/Spring%20letters".replace("%20", " ")
    assert "150 members" in answer.text and HOSTILE not in answer.text and "&lt;script&gt;" in answer.text
    assert [m.property_id for m in saved.members("spring letters")] == sorted(ids[:150])
    second = client.get(list_path("Spring letters"), params={"page": 2})
    last = saved.members("Spring letters")[-1].property_id
    assert "101 to 150 of 150 members" in second.text and last in second.text and last not in answer.text
    row = saved.searcher.properties([last], ("site_address", "loc_id", "owner_name")).to_pylist()[0]
    assert row["site_address"] in second.text and f"/parcel/999-sampleton/{row['loc_id']}" in second.text


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"name": "Spring letters", "ids": "999-0001-0001-0000"}, "There is a list"),
        ({"name": "../up", "ids": "999-0001-0001-0000"}, "cannot be the name of a list"),
        ({"name": "empty", "ids": " ,\n"}, "There is no property id"),
        ({"name": "unknown", "ids": "999-none"}, "not in the lake"),
        ({"name": "dynamic", "kind": "dynamic"}, "A dynamic list needs filters"),
        ({"name": "odd", "kind": "magic", "ids": "1"}, "no such kind of list"),
    ],
)
def test_what_cannot_be_saved_is_said_and_changes_nothing(
    client: httpx.Client, saved: SavedLists, ids: list[str], form: dict[str, str], words: str
) -> None:
    _save(client, "Spring letters", ids[:150])
    before = saved.all(archived=True)
    answer = client.post("/lists", data=form)
    assert answer.status_code == 400 and words in answer.text
    assert saved.all(archived=True) == before


def test_a_search_becomes_a_list(client: httpx.Client, saved: SavedLists) -> None:
    search = "?town=sampleton&owner_type=trust&min_value=300000"
    answer = client.post("/lists", data={"name": "rich trusts", "kind": "dynamic", "search": search})
    assert answer.status_code == 200 and "trust" in answer.text and "at least $300,000" in answer.text
    found = saved.find("rich trusts")
    criteria = criteria_from(json.loads(found.criteria_json or "{}"))
    assert found.kind == "dynamic" and criteria.owner_types == ("trust",) and criteria.min_value == 300_000
    client.post("/lists", data={"name": "those trusts", "kind": "static", "search": search})
    assert [m.property_id for m in saved.members("those trusts")] == saved.searcher.ids(criteria)


def test_a_dynamic_list_says_its_search_and_is_refreshed(client: httpx.Client, saved: SavedLists) -> None:
    criteria = criteria_from({"towns": ["sampleton"], "absentee": "any", "max_value": 400_000})
    saved.save_dynamic("absent owners", criteria)
    answer = client.get(list_path("absent owners"))
    for label, value in in_words(criteria):
        assert label in answer.text and value in answer.text
    assert str(search_path(criteria)).replace("&", "&amp;") in answer.text
    assert "Take the ticked" not in answer.text
    refreshed = client.post(list_path("ABSENT owners", "refresh"))
    assert "no changes" in refreshed.text and saved.find("absent owners").refresh_no == 2
    refused = client.post(list_path("absent owners", "add"), data={"ids": "999-0001-0001-0000"})
    assert refused.status_code == 400 and "is dynamic" in refused.text


def test_members_are_added_and_taken_off_and_the_log_says_so(
    client: httpx.Client, saved: SavedLists, ids: list[str]
) -> None:
    saved.save_static("by hand", ids[:2])
    assert client.post(list_path("by hand", "add"), data={"ids": f"{ids[2]}, {ids[3]}"}).status_code == 200
    client.post(list_path("by hand", "remove"), data={"property_id": [ids[0], ids[2]]})
    assert [m.property_id for m in saved.members("by hand")] == sorted([ids[1], ids[3]])
    log = client.get(list_path("by hand", "changes"), params={"since": "2020-01-01", "event": "went"})
    assert ids[0] in log.text and "removed by hand" in log.text and ids[3] not in log.text
    for form in ({}, {"property_id": "999-none"}):
        assert client.post(list_path("by hand", "remove"), data=form).status_code == 400
    assert client.get(list_path("by hand", "changes"), params={"since": "soon"}).status_code == 400
    assert client.get(list_path("by hand", "changes"), params={"event": "x"}).status_code == 400


def test_an_archived_list_stands_apart_and_comes_back(
    client: httpx.Client, saved: SavedLists, ids: list[str]
) -> None:
    saved.save_static("old one", ids[:1])
    archived = client.post(list_path("old one", "archive"))
    assert "Restore" in archived.text and saved.find("old one").archived_at is not None
    index = client.get("/lists").text
    assert index.index("Archived</h2>") < index.index(">old one</a>")
    refused = client.post(list_path("old one", "refresh"))
    assert refused.status_code == 400 and "is archived" in refused.text
    client.post(list_path("old one", "restore"))
    assert saved.find("old one").archived_at is None


def test_lists_are_combined_from_left_to_right(
    client: httpx.Client, saved: SavedLists, ids: list[str]
) -> None:
    for name, part in (("one", ids[:6]), ("two", ids[3:9]), ("three", ids[4:5])):
        saved.save_static(f"part {name}", part)
    form = {
        "name": "joined",
        "list_name": ["part one", "part two", "part three", ""],
        "operator": ["and", "not", "or"],
    }
    answer = client.post("/lists/combine", data=form)
    assert answer.status_code == 200 and "part one AND part two NOT part three" in answer.text
    assert {m.property_id for m in saved.members("joined")} == set(ids[3:6]) - {ids[4]}
    for wrong in (
        {"name": "bad", "list_name": ["part one", ""], "operator": ["and"]},
        {"name": "bad", "list_name": ["part one", "nothing"], "operator": ["and"]},
        {"name": "bad", "list_name": ["part one", "part two"], "operator": ["xor"]},
        {"name": "bad", "list_name": ["part one", "part two"], "operator": ["and", "or"]},
        {"name": "joined", "list_name": ["part one", "part two"], "operator": ["and"]},
    ):
        assert client.post("/lists/combine", data=wrong).status_code == 400
    assert client.get(list_path("bad")).status_code == 404


def test_every_page_of_an_unknown_list_is_not_found(client: httpx.Client) -> None:
    for part in ("", "changes", "watches", "report", "report.csv", "export"):
        path = list_path("nowhere", part) if part else list_path("nowhere")
        assert client.get(path).status_code == 404
    for part in ("refresh", "archive", "restore"):
        assert client.post(list_path("nowhere", part)).status_code == 404


def test_a_list_may_have_the_name_of_a_page(client: httpx.Client, saved: SavedLists, ids: list[str]) -> None:
    saved.save_static("import", ids[:1])
    assert ids[0] in client.get(list_path("import")).text
    assert "Import a file" in client.get("/lists/import").text


@pytest.mark.parametrize("format", ["csv", "xlsx", "geojson", "geoparquet", "map"])
def test_an_export_is_the_list_and_is_written_down(
    client: httpx.Client, web_settings: Settings, saved: SavedLists, ids: list[str], format: str
) -> None:
    if format == "csv":
        saved.save_static("to export", ids[:20])
    answer = client.get(list_path("to export", "export"), params={"format": format})
    assert answer.status_code == 200 and "attachment" in answer.headers["content-disposition"]
    if format == "csv":
        assert [row["property_id"] for row in _csv(answer.content)] == sorted(ids[:20])
    with database.session(web_settings) as session:
        line = exports.latest(session, 1)[0]
    assert (line.way, line.what, line.format, line.rows) == ("page", "list", format, 20)
    assert "to export" not in (line.filters, line.what)


def test_an_unknown_format_is_refused(client: httpx.Client, saved: SavedLists, ids: list[str]) -> None:
    saved.save_static("not to export", ids[:2])
    assert client.get(list_path("not to export", "export"), params={"format": "doc"}).status_code == 400


def _csv(content: bytes) -> list[dict[str, str]]:
    """The rows of a CSV that comes with its description in a ZIP."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".csv"))
        return list(csv.DictReader(io.StringIO(archive.read(name).decode("utf-8-sig"))))


def test_a_list_is_watched_where_that_is_set_up(
    client: httpx.Client, web_settings: Settings, saved: SavedLists, ids: list[str]
) -> None:
    saved.save_static("watched", ids[:1])
    refused = client.post(list_path("watched", "watch"), data={"channel": "email", "rhythm": "daily"})
    assert refused.status_code == 409 and "There is no mail server" in refused.text
    assert client.post(list_path("watched", "watch"), data={"channel": "pigeon"}).status_code == 400
    with database.session(web_settings) as session:
        assert change_alerts.watches(session) == []
    assert "not set up" in client.get(list_path("watched", "watches")).text


def test_a_watch_begins_and_ends(web_settings: Settings, saved: SavedLists, ids: list[str]) -> None:
    saved.save_static("told of", ids[:1])
    hook = SecretStr("http://127.0.0.1:9/hook")
    settings = web_settings.model_copy(update={"leadflow_alert_webhook_url": hook})
    form = {"channel": "webhook", "rhythm": "daily", "kind": ["sale", "list_gained"]}
    with serving(settings) as url, httpx.Client(base_url=url, follow_redirects=True) as client:
        started = client.post(list_path("told of", "watch"), data=form)
        assert "told by webhook in a digest every morning" in started.text
        assert "sale, list gained" in started.text or "list gained, sale" in started.text
        wrong = client.post(list_path("told of", "watch"), data={"channel": "webhook", "kind": "x"})
        assert wrong.status_code == 400 and hook.get_secret_value() not in started.text
        with database.session(settings) as session:
            (watch,) = change_alerts.watches(session)
        assert (watch.list_name, watch.rhythm, watch.stopped_at) == ("told of", "daily", None)
        client.post(list_path("told of", "unwatch"), data={"channel": "webhook", "rhythm": "daily"})
    with database.session(settings) as session:
        assert change_alerts.watches(session, active=True) == []


def test_an_upload_that_nobody_saves_is_gone_after_a_day(
    client: httpx.Client, web_settings: Settings, ids: list[str]
) -> None:
    file = {"file": ("forgotten.csv", b"property_id\n" + ids[0].encode())}
    looked = client.post("/lists/import", data={"name": "forgotten"}, files=file)
    place = web_settings.data_dir / "list_uploads" / looked.url.path.rpartition("/")[2]
    assert place.is_dir()
    yesterday = time.time() - 25 * 3600
    os.utime(place, (yesterday, yesterday))
    client.get("/lists/import")
    assert not place.exists() and client.get(str(looked.url)).status_code == 404


def _file(tmp_path: Path, saved: SavedLists, ids: list[str]) -> Path:
    rows = saved.searcher.properties(ids[:2], ("site_address", "property_id")).to_pylist()
    path = tmp_path / "visited.csv"
    with path.open("w", newline="", encoding="utf-8") as target:
        writer = csv.writer(target)
        writer.writerow(["Property Address", "City", "Remark"])
        writer.writerow([rows[0]["site_address"], "Sampleton", HOSTILE])
        writer.writerow([rows[1]["site_address"], "Sampleton", "=1+1"])
        writer.writerow(["99 NOWHERE RD", "Sampleton", ""])
        writer.writerow([rows[0]["site_address"], "Sampleton", "again"])
    return path


def test_a_file_is_looked_at_before_it_is_saved(
    client: httpx.Client, web_settings: Settings, saved: SavedLists, ids: list[str], tmp_path: Path
) -> None:
    path = _file(tmp_path, saved, ids)
    expected = saved.save_import("expected", path, dry_run=True)
    with path.open("rb") as content:
        looked = client.post("/lists/import", data={"name": "visited"}, files={"file": (HOSTILE, content)})
    assert looked.status_code == 200 and "Nothing is saved yet" in looked.text and HOSTILE not in looked.text
    for row in expected.rows:
        assert told(row.why) in looked.text
    assert "column Property Address" in looked.text and "Remark" in looked.text
    assert client.get(list_path("visited")).status_code == 404
    done = client.post(looked.url.path, data={"name": "visited"})
    assert [m.property_id for m in saved.members("visited")] == sorted(ids[:2])
    assert done.url.path == "/lists/visited/report" and f"{expected.counts['exact']:,} exact" in done.text
    none = client.get(list_path("visited", "report"), params={"result": "none"})
    assert "99 NOWHERE RD" in none.text and "1 to 1 of 1 rows" in none.text
    report = list(csv.DictReader(io.StringIO(client.get("/lists/visited/report.csv").text.lstrip("\ufeff"))))
    assert [row["Remark"] for row in report] == [HOSTILE, "=1+1", "", "again"]
    with database.session(web_settings) as session:
        assert exports.latest(session, 1)[0].what == "import report"
    assert client.post(looked.url.path, data={"name": "once more"}).status_code == 404


def test_a_workbook_is_imported_as_it_stands(
    client: httpx.Client, saved: SavedLists, ids: list[str], tmp_path: Path
) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in (["Property ID", "Remark"], [ids[4], 7], [ids[5], None]):
        book.active.append(row)
    book.save(tmp_path / "picked.xlsx")
    file = {"file": ("picked.xlsx", (tmp_path / "picked.xlsx").read_bytes())}
    looked = client.post("/lists/import", data={"name": "of a workbook"}, files=file)
    assert "Excel workbook, sheet Sheet" in looked.text
    client.post(looked.url.path, data={"name": "of a workbook"})
    assert [m.property_id for m in saved.members("of a workbook")] == sorted(ids[4:6])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "holds no rows"),
        (b"%PDF-1.7 something", "is a PDF"),
        (b"colour,size\nred,3\n", "names no column that tells a property"),
        (b'address,city\n"1 MAIN ST' + b"," * 1_100_000, "line 2"),
    ],
)
def test_a_file_that_is_no_table_is_refused_and_not_kept(
    client: httpx.Client, web_settings: Settings, content: bytes, words: str
) -> None:
    answer = client.post("/lists/import", data={"name": "broken"}, files={"file": ("broken.csv", content)})
    assert answer.status_code == 400 and words in answer.text and "broken.csv" in answer.text
    assert str(web_settings.data_dir) not in answer.text
    assert list((web_settings.data_dir / "list_uploads").iterdir()) == []


def test_a_file_for_a_taken_name_or_an_unknown_town_is_refused(
    client: httpx.Client, saved: SavedLists, ids: list[str]
) -> None:
    saved.save_static("taken", ids[:1])
    file = {"file": ("a.csv", b"property_id\n" + ids[0].encode())}
    assert client.post("/lists/import", data={"name": "Taken"}, files=file).status_code == 400
    wrong = client.post("/lists/import", data={"name": "new", "town": "Atlantis"}, files=file)
    assert wrong.status_code == 400 and "no town" in wrong.text
    assert client.get("/lists/import/../../state.sqlite").status_code == 404
    assert client.get(f"/lists/import/{'0' * 32}", params={"name": "x"}).status_code == 404


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_a_person_saves_imports_combines_exports_and_archives(
    open_page: Callable[..., Page],
    url: str,
    saved: SavedLists,
    ids: list[str],
    tmp_path: Path,
    size: tuple[int, int],
) -> None:
    mark = f"{size[0]}"
    page = open_page(size)
    page.goto(f"{url}/lists")
    page.get_by_text("New list of property ids").click()
    form = page.locator("form", has=page.get_by_role("button", name="Save the list"))
    form.get_by_label("Name").fill(f"walk {mark}")
    form.get_by_label("Property ids").fill("\n".join(ids[:8]))
    page.get_by_role("button", name="Save the list").click()
    page.wait_for_url("**/lists/walk*")
    assert page.get_by_role("status").inner_text().startswith("The list is saved: 8 members")
    assert_accessible(page)
    assert_fits(page)
    shot(page, f"list-{mark}")
    with page.expect_download() as download:
        page.get_by_label("Format").select_option("csv")
        page.get_by_role("button", name="Export 8 members").click()
    rows = _csv(download.value.path().read_bytes())
    assert [row["property_id"] for row in rows] == [m.property_id for m in saved.members(f"walk {mark}")]

    page.goto(f"{url}/lists/import")
    page.get_by_label("File of addresses").set_input_files(_file(tmp_path, saved, ids))
    page.get_by_label("Name of the new list").fill(f"file {mark}")
    page.get_by_role("button", name="Look at the file").click()
    page.get_by_role("heading", name="Row by row").wait_for()
    assert_accessible(page)
    assert_fits(page)
    shot(page, f"import-{mark}")
    page.get_by_role("button", name="as a list").click()
    page.get_by_role("heading", name="What became of each row").wait_for()

    page.goto(f"{url}/lists")
    page.get_by_text("Combine lists").click()
    page.get_by_label("Name of the new list").fill(f"both {mark}")
    page.get_by_label("First list").select_option(f"walk {mark}")
    page.get_by_label("Second list").select_option(f"file {mark}")
    assert_accessible(page)
    assert_fits(page)
    shot(page, f"lists-{mark}")
    page.get_by_role("button", name="Make the list").click()
    page.get_by_role("heading", name=f"both {mark}").wait_for()
    assert [m.property_id for m in saved.members(f"both {mark}")] == sorted(ids[:2])
    page.get_by_role("button", name="Archive").click()
    page.get_by_role("button", name="Restore").click()
    page.get_by_role("button", name="Archive").wait_for()
    assert saved.find(f"both {mark}").archived_at is None
