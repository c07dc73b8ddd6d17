"""Review: what waits, deciding it once, what was decided meanwhile, and what a kill leaves."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page

from leadflow_assets.enrich.case_matches import reviews as case_reviews
from leadflow_assets.enrich.reviewing import cases
from leadflow_assets.enrich.reviewing.outcome import Outcome
from leadflow_assets.enrich.unified import reviews as property_reviews
from leadflow_assets.search.cases import cases_of
from leadflow_assets.search.engine import open_searcher
from leadflow_assets.settings import Settings
from leadflow_assets.web.pages import review_view
from leadflow_assets_tests.web.conftest import NARROW, WIDE, assert_accessible, assert_fits, shot

HOSTILE = "<script>alert(1)</script>"


def text_of(answer: httpx.Response) -> str:
    """What a person reads: no tags, blanks made one."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def waiting_cases(settings: Settings) -> list[case_reviews.WaitingMatch]:
    return case_reviews.waiting(settings, limit=None, least=0.0)


def confirmed_matches(settings: Settings) -> list[Any]:
    """Match ids of the demo that the model confirms: they do not wait, but may be decided."""
    with open_searcher(settings) as searcher:
        ids = searcher.connection.execute("SELECT property_id FROM properties WHERE town_id = 999").fetchall()
        found = cases_of(searcher.lake, 999, [one for (one,) in ids])
    return [(case, party) for case in found for party in case.parties]


def test_what_waits_is_what_the_services_say(client: httpx.Client, web_settings: Settings) -> None:
    records, matches = property_reviews.waiting(web_settings), waiting_cases(web_settings)
    assert len(records) > review_view.PER_PAGE and matches
    pages = -(-len(records) // review_view.PER_PAGE)
    shown = [
        int(found)
        for number in range(1, pages + 1)
        for found in re.findall(
            r'id="attom-(\d+)"', client.get("/review", params={"kind": "properties", "page": number}).text
        )
    ]
    assert shown == [one.attom_id for one in records]
    answer = client.get("/review", params={"kind": "cases", "all": 1})
    assert re.findall(r'id="(m[0-9a-f]{16})"', answer.text) == [one.match_id for one in matches]
    said = text_of(answer)
    for match in matches:
        assert match.party_name in said and (match.owner_name or "") in said
        assert all(sentence in said for sentence in match.evidence)
    # By town: what the queue holds of each kind.
    assert f"Sampleton {len(matches)} {len(records)}" in said


def test_a_page_beyond_the_last_is_the_last(client: httpx.Client) -> None:
    assert "Page 3 of 3" in text_of(client.get("/review", params={"kind": "properties", "page": 99}))


def test_nothing_waits_where_nothing_is(client: httpx.Client) -> None:
    assert "Nothing waits for a decision in Bellingham" in text_of(client.get("/review?town=25"))
    assert "namesake's are left out" in text_of(client.get("/review?kind=cases"))


@pytest.mark.parametrize("query", ["town=atlantis", "kind=x", "page=0", "page=x"])
def test_what_cannot_be_asked_is_refused(client: httpx.Client, query: str) -> None:
    assert client.get(f"/review?{query}").status_code == 400


def test_a_case_is_decided_once_and_may_be_decided_otherwise(
    client: httpx.Client, web_settings: Settings
) -> None:
    match = waiting_cases(web_settings)[0]
    path = f"/review/cases/{match.match_id}"
    answer = client.post(
        path, data={"decision": "rejected", "note": "a namesake", "kind": "cases", "all": "1"}
    )
    assert "The case match is rejected; remembered." in text_of(answer)
    assert answer.url.params["kind"] == "cases"
    assert match.match_id not in {one.match_id for one in waiting_cases(web_settings)}
    assert "“a namesake”" in text_of(answer)
    # A second time, and from a page that has not seen it.
    assert "is rejected already" in text_of(client.post(path, data={"decision": "rejected"}))
    refused = text_of(client.post(path, data={"decision": "confirmed"}))
    assert "decided otherwise meanwhile: rejected" in refused
    history = case_reviews.look_at(web_settings, match.match_id).history
    assert [(one.decision, one.reason) for one in history] == [("rejected", "a namesake")]
    # Seen, it may be decided otherwise.
    again = client.post(path, data={"decision": "confirmed", "seen": "rejected"})
    assert "The case match is confirmed; remembered." in text_of(again)
    history = case_reviews.look_at(web_settings, match.match_id).history
    assert [one.decision for one in history] == ["rejected", "confirmed"]


def test_what_is_gone_is_said(client: httpx.Client) -> None:
    answer = client.post("/review/cases/m0000000000000000", data={"decision": "confirmed"})
    assert answer.status_code == 404 and "It may be gone since" in answer.text
    answer = client.post("/review/properties/1", data={"decision": "rejected"})
    assert answer.status_code == 404 and "It may be gone since" in answer.text


def test_a_decision_is_one_of_two(client: httpx.Client, web_settings: Settings) -> None:
    match = waiting_cases(web_settings)[0]
    answer = client.post(f"/review/cases/{match.match_id}", data={"decision": "perhaps"})
    assert answer.status_code == 400
    assert not case_reviews.look_at(web_settings, match.match_id).history


def test_a_record_is_confirmed_and_rejected(client: httpx.Client, web_settings: Settings) -> None:
    first, second = property_reviews.waiting(web_settings)[:2]
    path = f"/review/properties/{first.attom_id}"
    assert client.post(path, data={"decision": "confirmed"}).status_code == 400
    unknown = {"decision": "confirmed", "other_id": "999-none"}
    assert client.post(path, data=unknown).status_code == 404
    assert not property_reviews.decisions(web_settings, first.attom_id)
    chosen = {"decision": "confirmed", "property_id": first.candidates[0]}
    answer = client.post(path, data={**chosen, "next": f"attom-{second.attom_id}"}, follow_redirects=False)
    assert answer.headers["location"].endswith(f"#attom-{second.attom_id}")
    assert "already" in text_of(client.post(path, data=chosen))
    decided = property_reviews.decisions(web_settings, first.attom_id)
    assert [one.property_id for one in decided] == [first.candidates[0]]
    assert first.attom_id not in {one.attom_id for one in property_reviews.waiting(web_settings)}
    other = client.post(path, data={"decision": "rejected", "seen": first.candidates[0]})
    assert f"ATTOM {first.attom_id} is rejected" in text_of(other)


def test_from_the_parcels_page_one_comes_back_to_it(client: httpx.Client, web_settings: Settings) -> None:
    case, party = confirmed_matches(web_settings)[0]
    page = client.get(f"/parcel/999-sampleton/{case.loc_id}")
    assert f'action="/review/cases/{party.match_id}"' in page.text
    data = {"decision": "confirmed", "back": "parcel", "note": "the deed says so"}
    answer = client.post(f"/review/cases/{party.match_id}", data=data, follow_redirects=False)
    assert answer.headers["location"] == f"/parcel/999-sampleton/{case.loc_id}#cases"
    assert "confirmed by" in text_of(client.get(f"/parcel/999-sampleton/{case.loc_id}"))


def test_what_a_kill_cut_short_is_brought_to_its_end(
    web_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    match = waiting_cases(web_settings)[-1]

    def killed(*args: object, **named: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(case_reviews, "lay_over", killed)
        with pytest.raises(KeyboardInterrupt):
            cases.decide_case(web_settings, match.match_id, "rejected", by="somebody")
    # Remembered, but not laid over what is published: it waits still.
    assert match.match_id in {one.match_id for one in waiting_cases(web_settings)}
    again = cases.decide_case(web_settings, match.match_id, "rejected", by="somebody else")
    assert (again.outcome, again.by) == (Outcome.ALREADY, "somebody")
    assert match.match_id not in {one.match_id for one in waiting_cases(web_settings)}


def test_hostile_text_never_becomes_markup(
    client: httpx.Client, web_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    match = waiting_cases(web_settings)[0]
    planted = replace(match, party_name=HOSTILE, owner_name=HOSTILE, evidence=(HOSTILE,), url="javascript:x")
    planted_page = case_reviews.WaitingPage((planted,), {match.town_id: 1})
    monkeypatch.setattr(case_reviews, "waiting_page", lambda *args, **named: planted_page)
    answer = client.get("/review?kind=cases")
    assert answer.status_code == 200 and html.escape(HOSTILE) in answer.text
    assert "<script>alert" not in answer.text and "javascript:" not in answer.text
    note = {"decision": "rejected", "note": HOSTILE}
    monkeypatch.undo()
    answer = client.post(f"/review/cases/{match.match_id}", data=note)
    assert html.escape(HOSTILE) in answer.text and HOSTILE not in answer.text


def test_a_person_decides_one_after_the_other(
    open_page: Callable[..., Page], url: str, web_settings: Settings
) -> None:
    for size, name in ((WIDE, "review-wide"), (NARROW, "review-narrow")):
        page = open_page(size)
        page.goto(f"{url}/review?kind=properties&page=3")
        assert_fits(page)
        assert_accessible(page)
        shot(page, name)
    page.goto(f"{url}/review?kind=properties")
    first, second = property_reviews.waiting(web_settings)[:2]
    item = page.locator(f"#attom-{first.attom_id}")
    item.get_by_label(first.candidates[0], exact=True).check()
    item.get_by_label("Note").fill("the one with the house")
    item.get_by_role("button", name="Confirm").press("Enter")
    page.get_by_text(f"ATTOM {first.attom_id} is confirmed as {first.candidates[0]}").wait_for()
    assert page.url.endswith(f"#attom-{second.attom_id}")
    page.locator(f"#attom-{second.attom_id}").get_by_role("button", name="Reject").click()
    page.get_by_text(f"ATTOM {second.attom_id} is rejected").wait_for()
    assert page.get_by_text("“the one with the house”").is_visible()


def test_of_two_who_decide_at_once_the_second_is_told(client: httpx.Client, web_settings: Settings) -> None:
    match = waiting_cases(web_settings)[-1]
    with ThreadPoolExecutor(2) as pool:
        tries = [
            pool.submit(client.post, f"/review/cases/{match.match_id}", data={"decision": word, "seen": ""})
            for word in ("confirmed", "rejected")
        ]
        said = [text_of(one.result()) for one in tries]
    assert sum("decided otherwise meanwhile" in text for text in said) == 1
