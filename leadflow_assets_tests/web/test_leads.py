"""Leads on the page: ranked as the service ranks them, their status, their export, and making them anew."""

from __future__ import annotations

import csv
import fcntl
import io
import os
import signal
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page

from leadflow_assets.domain.leads import RULE
from leadflow_assets.enrich.leads import making as lead_making
from leadflow_assets.enrich.leads.adding import set_status
from leadflow_assets.enrich.leads.reading import LeadFilters, find_leads, lead
from leadflow_assets.enrich.leads.service import make_leads, outdated
from leadflow_assets.search.lists.service import SavedLists
from leadflow_assets.settings import Settings
from leadflow_assets.state import database, exports, leads
from leadflow_assets.web.rendering import told
from leadflow_assets_tests.web.conftest import NARROW, WIDE, assert_accessible, assert_fits, copied, shot

_WAIT_SECONDS = 120.0


def _ids(settings: Settings, **filters: object) -> list[str]:
    found: list[str] = find_leads(settings, LeadFilters(**filters)).rows["lead_id"].to_pylist()  # type: ignore[arg-type]
    return found


def _shown(answer: httpx.Response) -> list[str]:
    parts = answer.text.split('name="lead_id" value="')[1:]
    return [part.partition('"')[0] for part in parts]


def test_leads_are_ranked_as_the_service_ranks_them(client: httpx.Client, web_settings: Settings) -> None:
    every = _ids(web_settings)
    first, second = client.get("/leads"), client.get("/leads", params={"page": 2})
    assert _shown(first) == every[:50] and _shown(second) == every[50:100]
    assert f"51 to 100 of {len(every):,} leads" in second.text
    row = find_leads(web_settings, limit=1).rows.to_pylist()[0]
    for words in (*map(told, row["why"]), row["mailing_address"], "uncalibrated", "Not for credit", RULE):
        assert str(words) in first.text
    assert "/parcel/999-sampleton/" in first.text


@pytest.mark.parametrize(
    ("asked", "filters"),
    [
        ({"grade": ["A", "b"]}, {"grades": ("A", "B")}),
        ({"opportunity": "high", "town": "sampleton"}, {"opportunities": ("high",), "towns": (999,)}),
        ({"min_score": "20", "min_coverage": "0.6"}, {"min_score": 20.0, "min_coverage": 0.6}),
        ({"status": "dead"}, {"statuses": ("dead",)}),
        ({"min_score": "", "list": "", "town": ""}, {}),
    ],
)
def test_filters_find_what_the_service_finds(
    client: httpx.Client, web_settings: Settings, asked: dict[str, str], filters: dict[str, object]
) -> None:
    answer = client.get("/leads", params=asked)
    expected = _ids(web_settings, **filters)
    assert answer.status_code == 200 and _shown(answer) == expected[:50]
    counted = find_leads(web_settings, LeadFilters(**filters)).grades  # type: ignore[arg-type]
    without = {name: value for name, value in filters.items() if name != "grades"}
    assert sum(counted.values()) == len(_ids(web_settings, **without))


def test_leads_of_a_list(client: httpx.Client, web_settings: Settings) -> None:
    chosen = find_leads(web_settings, limit=3).rows["property_id"].to_pylist()
    with SavedLists(web_settings) as lists:
        lists.save_static("three", chosen)
    expected = _ids(web_settings, list_name="three")
    assert _shown(client.get("/leads", params={"list": "three"})) == expected
    assert len(expected) == 3


@pytest.mark.parametrize(
    "asked",
    [
        {"grade": "Z"},
        {"status": "asleep"},
        {"opportunity": "x"},
        {"town": "Atlantis"},
        {"min_score": "many"},
        {"min_score": "nan"},
        {"min_coverage": "2"},
        {"list": "nothing"},
        {"batch": "nothing"},
        {"page": "0"},
    ],
)
def test_a_wrong_filter_is_one_clear_error(client: httpx.Client, asked: dict[str, str]) -> None:
    answer = client.get("/leads", params=asked)
    assert answer.status_code == 400 and answer.text.count('role="alert"') == 1
    assert "Traceback" not in answer.text


def test_a_lead_tells_everything_and_keeps_its_history(client: httpx.Client, web_settings: Settings) -> None:
    lead_id = _ids(web_settings)[2]
    known = lead(web_settings, lead_id)
    assert known is not None
    answer = client.get(f"/leads/{lead_id}")
    for line in (*map(told, known["why"]), known["mailing_address"], lead_id):
        assert str(line) in answer.text
    for own in known["properties"]:
        assert own["property_id"] in answer.text
    hostile = "<b>calls back</b>"
    form = {"status": "contacted", "note": hostile}
    changed = client.post(f"/leads/{lead_id}/status", data=form)
    assert "&lt;b&gt;calls back" in changed.text and hostile not in changed.text
    with database.session(web_settings) as session:
        event = leads.history(session, lead_id)[-1]
    assert (event.status, event.note) == ("contacted", hostile) and event.changed_by in changed.text
    for wrong in ({"status": "contacted"}, {"status": "odd"}):
        assert client.post(f"/leads/{lead_id}/status", data=wrong).status_code == 400
    assert client.get("/leads/lead-none").status_code == 404
    assert client.post("/leads/lead-none/status", data={"status": "won"}).status_code == 404


def test_several_leads_change_together_or_none_does(client: httpx.Client, web_settings: Settings) -> None:
    chosen = _ids(web_settings)[10:13]
    back = "/leads?min_score=1"
    answer = client.post(
        "/leads/status", data={"lead_id": chosen, "status": "working", "note": "letter", "back": back}
    )
    assert "3 leads are working now" in answer.text and answer.url.query == b"min_score=1"
    assert set(chosen) <= set(_ids(web_settings, statuses=("working",)))
    wrong = client.post("/leads/status", data={"lead_id": [chosen[0], "lead-none"], "status": "won"})
    assert wrong.status_code == 400 and _ids(web_settings, statuses=("won",)) == []
    assert client.post("/leads/status", data={"status": "won"}).status_code == 400
    form = {"lead_id": chosen[0], "status": "dead", "back": "//elsewhere.example/"}
    elsewhere = client.post("/leads/status", data=form, follow_redirects=False)
    assert elsewhere.headers["location"] == "/leads"


def test_an_export_is_what_the_filters_find_and_is_written_down(
    client: httpx.Client, web_settings: Settings
) -> None:
    asked = {"format": "csv", "grade": ["B", "C"], "town": "Sampleton", "min_score": "", "list": ""}
    answer = client.get("/leads/export", params=asked)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        text = archive.read("leads.csv").decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["lead_id"] for row in rows] == _ids(web_settings, grades=("B", "C"))
    with database.session(web_settings) as session:
        line = exports.latest(session, 1)[0]
    assert (line.way, line.what, line.filters) == ("page", "leads", "towns 999; grade")
    assert line.rows == len(rows)
    assert client.get("/leads/export", params={"format": "pdf"}).status_code == 400
    both = client.get("/leads/export", params={"batch": "x", "grade": "A"})
    assert both.status_code == 400 and "no other filter" in both.text


def _ended(settings: Settings) -> lead_making.Making:
    deadline = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < deadline:
        made = lead_making.newest(settings)
        assert made is not None
        if made.state != lead_making.RUNNING:
            return made
        time.sleep(0.1)
    raise AssertionError("the making does not end")


def test_leads_are_made_anew_by_a_process_of_its_own(
    client: httpx.Client, web_settings: Settings, environment: Path
) -> None:
    make_leads(web_settings)
    (web_settings.data_dir / "leads" / "done.json").unlink()
    assert outdated(web_settings) is not None
    assert "have changed since these leads were made" in client.get("/leads").text
    assert "You may leave this page" in client.post("/leads/make").text
    done = _ended(web_settings)
    assert done.state == lead_making.FINISHED and outdated(web_settings) is None
    text = client.get("/leads").text
    assert done.message in text and "have changed since" not in text


def test_the_page_follows_a_making_by_itself(
    open_page: Callable[..., Page], url: str, web_settings: Settings
) -> None:
    make_leads(web_settings)
    with (web_settings.data_dir / "leads" / "leads.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        page = open_page(WIDE)
        page.goto(f"{url}/leads?min_score=34")
        page.get_by_role("button", name="Make the leads anew").click()
        page.get_by_text("Leads are being made since").wait_for()
        assert page.get_by_role("button", name="Make the leads anew").is_disabled()
        page.evaluate("document.activeElement.blur()")
    page.get_by_text("Nothing has changed").wait_for()


def test_a_making_that_dies_or_fails_is_told_and_can_be_repeated(
    environment: Path, demo_folder: Path
) -> None:
    settings = copied(demo_folder, environment / "dying")
    lock = (settings.data_dir / "leads" / "leads.lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    lead_making.start(settings, by="ann")
    with pytest.raises(Exception, match="being made already"):
        lead_making.start(settings, by="bob")
    for pid in _pids("leadflow_assets.enrich.leads.making", str(settings.data_dir)):
        os.kill(pid, signal.SIGKILL)
    died = _ended(settings)
    assert died.state == lead_making.FAILED and "ended before it was done" in died.message
    lock.close()
    (settings.data_dir / "state.sqlite").write_bytes(b"this is no database" * 100)
    lead_making.start(settings, by="ann")
    failed = _ended(settings)
    assert failed.state == lead_making.FAILED and failed.message and failed.ended_at


def _pids(module: str, data_dir: str) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command, given = (folder / "cmdline").read_bytes(), (folder / "environ").read_bytes()
        except OSError:
            continue
        if module.encode() in command and f"LEADFLOW_DATA_DIR={data_dir}".encode() in given:
            found.append(int(folder.name))
    return found


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_a_person_filters_leads_and_says_where_they_stand(
    open_page: Callable[..., Page], url: str, web_settings: Settings, size: tuple[int, int]
) -> None:
    chosen = _ids(web_settings, grades=("B",), statuses=("new",))[0]
    page = open_page(size)
    page.goto(f"{url}/leads")
    page.get_by_label("Known at least").select_option("0.5")
    page.get_by_label("Score at least").fill("25")
    page.get_by_label("new", exact=True).check()
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**/leads?*min_coverage=0.5*")
    assert_accessible(page)
    assert_fits(page)
    shot(page, f"leads-{size[0]}")
    page.goto(f"{url}/leads?grade=B&status=new&min_score=30")
    page.locator(f"input[name=lead_id][value={chosen}]").check()
    page.get_by_label("The ticked are now").select_option("won")
    page.get_by_label("Note").fill(f"said at {size[0]}")
    page.get_by_role("button", name="Change the status").click()
    page.get_by_text("1 lead is won now.").wait_for()
    page.goto(f"{url}/leads/{chosen}")
    history = page.get_by_role("table", name="History of the conversation")
    assert history.get_by_text(f"said at {size[0]}").count() == 1
    assert_accessible(page)
    assert_fits(page)
    shot(page, f"lead-{size[0]}")
    set_status(web_settings, [chosen], "new", by="ann", note="not yet")
