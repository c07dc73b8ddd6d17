"""Changes on the page: the events that the service finds, in its words, and what was not compared."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from playwright.sync_api import Page

from leadflow_assets.domain.changes.words import sentence
from leadflow_assets.domain.local_days import local_day
from leadflow_assets.enrich.changes.compared import compared
from leadflow_assets.enrich.changes.messages import digest as write_digest
from leadflow_assets.enrich.changes.watching import coming_digest, digest_of
from leadflow_assets.search.changes import ChangeQuery, find_changes
from leadflow_assets.search.lists.service import SavedLists
from leadflow_assets.settings import Settings
from leadflow_assets.web.rendering import told
from leadflow_assets_tests.web.conftest import NARROW, WIDE, assert_accessible, assert_fits, shot


def test_the_feed_has_every_event_in_the_service_s_words(
    client: httpx.Client, web_settings: Settings
) -> None:
    events = find_changes(web_settings, ChangeQuery())
    answer = client.get("/changes")
    assert f"of {len(events):,} events" in answer.text
    places = [answer.text.index(told(sentence(event))) for event in events]
    assert places == sorted(places)
    for event in events:
        assert f"/parcel/999-sampleton/{event['loc_id']}" in answer.text


def test_the_feed_says_what_was_not_compared(client: httpx.Client, web_settings: Settings) -> None:
    found = compared(web_settings)
    assert found.only_one == ("Sampleton",) and found.last is not None
    assert "Only one release is here" in client.get("/changes").text


def test_filters_find_what_the_service_finds(client: httpx.Client, web_settings: Settings) -> None:
    events = find_changes(web_settings, ChangeQuery())
    with SavedLists(web_settings) as lists:
        lists.save_static("followed", [events[0]["property_id"]])
        lists.add("followed", [events[1]["property_id"]])
    ours = find_changes(web_settings, ChangeQuery(list_name="followed"))
    answer = client.get("/changes", params={"list": "followed", "town": "sampleton"})
    assert f"of {len(ours):,} events" in answer.text and "came to the list: added by hand" in answer.text
    assert "of 1 events" in client.get("/changes", params={"list": "followed", "kind": "list_gained"}).text
    assert "Nothing of that kind" in client.get("/changes", params={"kind": "sale"}).text
    seen = local_day(min(event["seen_at"] for event in events))
    before = client.get("/changes", params={"until": str(seen - timedelta(days=2))})
    assert "Nothing of that kind" in before.text
    after = client.get("/changes", params={"since": str(seen - timedelta(days=1)), "until": ""})
    assert f"of {len(events):,} events" in after.text


@pytest.mark.parametrize(
    "asked",
    [{"kind": "x"}, {"town": "Atlantis"}, {"list": "nothing"}, {"since": "soon"}, {"until": "2026-13-01"}],
)
def test_a_wrong_filter_is_one_clear_error(client: httpx.Client, asked: dict[str, str]) -> None:
    answer = client.get("/changes", params=asked)
    assert answer.status_code == 400 and answer.text.count('role="alert"') == 1


def test_the_digest_is_the_daily_letter(client: httpx.Client, web_settings: Settings) -> None:
    events = find_changes(web_settings, ChangeQuery())
    with SavedLists(web_settings) as lists:
        lists.save_static("told", [events[0]["property_id"]])
    _, listed = digest_of(web_settings, "told")
    answer = client.get("/changes/digest", params={"list": "told"})
    for line in write_digest("told", listed).splitlines():
        assert line.strip() in answer.text
    later = str(coming_digest() + timedelta(days=1))
    assert client.get("/changes/digest", params={"list": "told", "day": later}).status_code == 400
    assert client.get("/changes/digest", params={"list": "nothing"}).status_code == 400


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_a_person_reads_the_feed(open_page: Callable[..., Page], url: str, size: tuple[int, int]) -> None:
    page = open_page(size)
    page.goto(f"{url}/changes")
    page.get_by_role("combobox", name="Town").select_option("Sampleton")
    page.get_by_text("Every kind of event").click()
    page.get_by_label("A court case names the owner").check()
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**/changes?*kind=case_matched*")
    assert_accessible(page)
    assert_fits(page)
    shot(page, f"changes-{size[0]}")
