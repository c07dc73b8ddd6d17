"""The client against a vendor that limits, loses cursors, repeats pages, fails and prints identifiers."""

from __future__ import annotations

import gzip
import logging
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import SecretStr

from leadflow_assets.domain.courts.combine import Combined, combine
from leadflow_assets.domain.courts.model import CourtCase, CourtParty
from leadflow_assets.domain.courts.rows import RawDocket, settle
from leadflow_assets.enrich.court_answers import CourtAnswers
from leadflow_assets.enrich.court_client import open_courtlistener
from leadflow_assets.enrich.court_rows import to_rows
from leadflow_assets.errors import LeadflowError, NotConfiguredError
from leadflow_assets.lake.audit import audit_file
from leadflow_assets.lake.geoparquet import write_parquet
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.tables import COURT_CASES, COURT_DOCKETS, COURT_PARTIES
from leadflow_assets.settings import Settings
from leadflow_assets.sources.courtlistener.answers import About, Answer
from leadflow_assets.sources.courtlistener.client import ATTEMPTS, CourtListenerClient
from leadflow_assets.sources.courtlistener.errors import (
    CourtListenerAnswerError,
    CourtListenerBlockedError,
    CourtListenerBudgetError,
    CourtListenerGoneError,
    CourtListenerMaintenanceError,
    CourtListenerNotFoundError,
    CourtListenerPagingError,
    CourtListenerPermissionError,
    CourtListenerQueryError,
    CourtListenerThrottledError,
    CourtListenerTokenError,
    CourtListenerUnavailableError,
)
from leadflow_assets.sources.courtlistener.limiter import CallLimiter, default_windows
from leadflow_assets.sources.courtlistener.paging import SearchPage
from leadflow_assets.sources.courtlistener.parse import parse_rows
from leadflow_assets.sources.courtlistener.queries import SearchQuery
from leadflow_assets.sources.courtlistener.raw import raw_dockets
from leadflow_assets.sources.http import make_client
from leadflow_assets.state.call_list import CallList
from leadflow_assets_tests.vendors.courtlistener import HTML, TOKEN, CourtListenerServer, Fault
from leadflow_assets_tests.vendors.courtlistener_cases import SampleCase, SampleParty, sample_month

MONDAY = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
OCTOBER = SearchQuery(("mab",), date(2026, 10, 1), date(2026, 10, 31))


class Clock:
    """The clock of both sides; only sleeping moves it."""

    def __init__(self, now: datetime = MONDAY) -> None:
        self.now = now
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


class Desk:
    """A client over the state database and the lake of one test."""

    def __init__(
        self, settings: Settings, server: CourtListenerServer, clock: Clock, *, token: str | None = TOKEN,
        patience: timedelta = timedelta(minutes=65), base: str | None = None,
    ) -> None:  # fmt: skip
        self.answers = CourtAnswers(Lake(settings).store)
        self.http = make_client(timeout=5.0)
        self.limiter = CallLimiter(
            CallList(settings, "courtlistener"),
            default_windows(),
            patience=patience,
            now=clock,
            sleep=clock.sleep,
        )
        self.client = CourtListenerClient(
            token,
            limiter=self.limiter,
            http=self.http,
            keep=self.answers.keep,
            base_url=base or server.base,
            now=clock,
            sleep=clock.sleep,
        )

    def kept(self) -> list[Answer]:
        return [answer for _, answer in self.answers.waiting()]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> Iterator[CourtListenerServer]:
    cases, _ = sample_month(count=70)
    with CourtListenerServer(cases, clock=clock) as running:
        yield running


@pytest.fixture
def desk(settings: Settings, server: CourtListenerServer, clock: Clock) -> Iterator[Desk]:
    made = Desk(settings, server, clock)
    yield made
    made.http.close()


def dated(server: CourtListenerServer) -> set[int]:
    return {case.docket_id for case in server.cases if case.date_filed}


def found(pages: list[SearchPage]) -> list[int]:
    return [hit["docket_id"] for page in pages for hit in page.new]


# --- Searching


def test_a_search_is_read_to_its_end_newest_first_and_kept(desk: Desk, server: CourtListenerServer) -> None:
    pages = list(desk.client.search(OCTOBER))
    assert [len(page.hits) for page in pages] == [20, 20, 20, 7]
    assert set(found(pages)) == dated(server) and len(found(pages)) == 67
    days = [hit["dateFiled"] for page in pages for hit in page.hits]
    assert days == sorted(days, reverse=True)
    assert pages[0].total == 67
    first, *others = [call for call in server.calls if call.path == "search"]
    assert first.parameters == {
        "type": "r",
        "court": "mab",
        "filed_after": "2026-10-01",
        "filed_before": "2026-10-31",
        "order_by": "dateFiled desc",
    }
    assert all(call.parameters["cursor"] for call in others)
    kept = desk.kept()
    assert [(answer.endpoint, answer.http_status) for answer in kept] == [("search", 200)] * 4
    assert len({answer.request_hash for answer in kept}) == 4
    assert all(answer.fetched_at.tzinfo for answer in kept)
    assert desk.client.calls == len(server.counted) == 4


def test_a_search_ends_when_a_whole_page_is_known_or_enough_was_read(
    desk: Desk, server: CourtListenerServer
) -> None:
    known = sorted(dated(server))[:-20]
    pages = list(desk.client.search(OCTOBER, is_known=lambda hit: hit["docket_id"] in known))
    assert len(pages) == 2
    assert len(list(desk.client.search(OCTOBER, most_pages=1))) == 1
    assert len(server.counted) == 3


def test_the_token_goes_in_a_header_and_nowhere_else(
    desk: Desk, server: CourtListenerServer, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    list(desk.client.search(OCTOBER, most_pages=2))
    assert all(call.headers["authorization"] == f"Token {TOKEN}" for call in server.calls)
    assert all(TOKEN not in str(call.parameters) for call in server.calls)
    assert TOKEN not in caplog.text
    assert_nowhere(settings.data_dir, TOKEN)


def test_a_docket_on_two_pages_or_under_two_ids_is_new_once(desk: Desk, server: CourtListenerServer) -> None:
    twin = server.cases[30]
    server.cases.append(
        SampleCase(
            1,
            "mab",
            f"4:{twin.docket_number[:2]}-bk-{twin.docket_number[3:]}",
            twin.case_name,
            twin.date_filed,
        )
    )
    server.repeat_hits = 3
    pages = list(desk.client.search(OCTOBER))
    assert sum(len(page.hits) for page in pages) > 68
    new = found(pages)
    assert len(new) == len(set(new)) == 67
    assert {twin.docket_id, 1} & set(new) == {twin.docket_id}


def test_an_invalid_cursor_starts_again_from_the_last_day(desk: Desk, server: CourtListenerServer) -> None:
    pages = []
    for page in desk.client.search(OCTOBER):
        pages.append(page)
        if len(pages) == 2:
            server.expire(page.answer.document["next"])
    assert set(found(pages)) == dated(server) and len(found(pages)) == 67
    starts = [
        c.parameters["filed_before"]
        for c in server.calls
        if c.path == "search" and "cursor" not in c.parameters
    ]
    last = min(hit["dateFiled"] for hit in pages[1].hits)
    assert starts == ["2026-10-31", last]


def test_a_link_that_leads_back_is_noticed_and_nothing_is_lost(
    desk: Desk, server: CourtListenerServer
) -> None:
    links: list[str] = []

    def remember(document: dict[str, Any]) -> dict[str, Any]:
        links.append(document["next"])
        return document

    def lead_back(document: dict[str, Any]) -> dict[str, Any]:
        return {**document, "next": links[0]}

    server.fault(Fault(rewrite=remember), Fault(rewrite=lead_back))
    assert set(found(list(desk.client.search(OCTOBER)))) == dated(server)
    assert len(server.counted) < 10


def test_pages_without_an_end_are_given_up(desk: Desk, server: CourtListenerServer) -> None:
    def stay(document: dict[str, Any]) -> dict[str, Any]:
        asked = {**server.calls[-1].parameters, "cursor": "cz0xJnA9MA=="}
        return {**document, "next": f"{server.base}/search/?{urlencode(asked)}"}

    server.fault(*[Fault(rewrite=stay)] * 40)
    seen: list[int] = []
    with pytest.raises(CourtListenerPagingError, match="without an end"):
        for page in desk.client.search(OCTOBER):
            seen += [hit["docket_id"] for hit in page.new]
    assert len(seen) == len(set(seen)) >= 20
    assert len(server.counted) < 20


@pytest.mark.parametrize("ignored", ["court", "filed_after", "filed_before"])
def test_a_filter_that_search_ignores_is_noticed(
    desk: Desk, server: CourtListenerServer, ignored: str
) -> None:
    server.cases.append(SampleCase(2, "scb", "26-99999", "Somebody Else", date(2026, 10, 20)))
    server.cases.append(SampleCase(3, "mab", "26-00001", "Too Early", date(2025, 10, 1)))
    server.cases.append(SampleCase(4, "mab", "26-99998", "Too Late", date(2026, 12, 1)))
    server.ignored_filters = {ignored}
    with pytest.raises(CourtListenerAnswerError, match=f"ignored the filter {ignored}"):
        list(desk.client.search(OCTOBER))


def test_dockets_without_a_date_are_found_by_when_they_were_made(
    desk: Desk, server: CourtListenerServer
) -> None:
    pages = list(desk.client.new_dockets("mab", date(2026, 10, 1)))
    listed = [docket for page in pages for docket in page.dockets]
    assert {docket["id"] for docket in listed} == {case.docket_id for case in server.cases}
    undated = [docket for docket in listed if docket["date_filed"] is None]
    assert len(undated) == 3
    cases = parse_rows(row for page in pages for row in raw_dockets(page.answer)).cases
    assert sum(case.filed_month == "unknown" for case in cases) == 3


def test_a_lost_cursor_of_dockets_goes_on_below_the_last_id(desk: Desk, server: CourtListenerServer) -> None:
    ids: list[int] = []
    for page in desk.client.new_dockets("mab", date(2026, 10, 1)):
        if not ids:
            server.expire(page.answer.document["next"])
        ids += [docket["id"] for docket in page.dockets]
    assert sorted(ids) == sorted(case.docket_id for case in server.cases)
    below = [call.parameters.get("id__lt") for call in server.calls if call.path == "dockets"]
    assert str(ids[19]) in below


# --- Parties and bankruptcy information


def test_parties_come_with_addresses_and_counsel_of_their_docket_only(
    desk: Desk, server: CourtListenerServer
) -> None:
    extra = "c/o Quill & Umber, Esq.\n12 Granite St\nUnit 3\nBellingham, MA 02019\nSSN / ITIN: xxx-xx-1234"
    parties = (
        SampleParty("Odette Brackenfell", "Debtor", extra, (2, 6)),
        SampleParty("Otis Brackenfell", "Joint Debtor", "12 Granite St\nBellingham, MA 02019", (6,)),
        SampleParty("", "Creditor"),
        *(SampleParty(f"Creditor {n}", "Creditor", "Boston, MA 02108") for n in range(20)),
    )
    case = SampleCase(9, "mab", "26-40009", "Odette Brackenfell", date(2026, 10, 5), "13", parties=parties)
    server.cases.append(case)
    about = About("mab", 9, case.date_filed)
    answers = [desk.client.docket(about), *desk.client.parties(about)]
    assert next(call.parameters for call in server.calls if call.path == "parties") == {
        "docket": "9",
        "filter_nested_results": "True",
    }
    parsed = parse_rows(row for answer in answers for row in raw_dockets(answer))
    both = combine(parsed.cases, parsed.parties)
    (debtor,) = [party for party in both.parties if party.role == "debtor"]
    (joint,) = [party for party in both.parties if party.role == "joint_debtor"]
    assert (debtor.address, debtor.care_of) == (
        "12 Granite St, Unit 3, BELLINGHAM, MA 02019",
        "Quill & Umber, Esq.",
    )
    assert (debtor.unit, debtor.town_id, debtor.zip) == ("3", 25, "02019")
    assert (debtor.attorneys, debtor.represented_by_counsel) == (1, True)
    assert (joint.attorneys, joint.represented_by_counsel) == (0, False)
    assert {party.case_id for party in both.parties} == {"mab:26-40009"}
    assert len(both.parties) == 22
    assert [problem.reason for problem in parsed.problems] == ["a party without a name"]


def test_bankruptcy_information_is_asked_by_the_dockets_own_link(
    desk: Desk, server: CourtListenerServer
) -> None:
    case = server.cases[0]
    about = About("mab", case.docket_id, case.date_filed)
    docket = desk.client.docket(about)
    information = desk.client.bankruptcy_information(about, docket.document["bankruptcy_information"])
    (*_, told) = parse_rows([*raw_dockets(docket), *raw_dockets(information)]).cases
    assert (told.chapter, told.trustee) == (case.chapter, case.trustee)
    assert all("docket=" not in str(call.parameters) for call in server.calls)


def test_a_link_to_another_address_gets_no_token(desk: Desk, server: CourtListenerServer) -> None:
    with CourtListenerServer(server.cases) as other:
        server.fault(Fault(rewrite=lambda document: {**document, "next": f"{other.base}/search/?type=r"}))
        with pytest.raises(CourtListenerAnswerError, match="not its address"):
            list(desk.client.search(OCTOBER))
        assert other.calls == []


# --- Refusals


def refused(desk: Desk) -> LeadflowError:
    with pytest.raises(LeadflowError) as caught:
        list(desk.client.search(OCTOBER))
    return caught.value


def test_without_a_token_nothing_is_sent(
    settings: Settings, server: CourtListenerServer, clock: Clock
) -> None:
    for token in (None, "", "  "):
        error = refused(Desk(settings, server, clock, token=token))
        assert isinstance(error, NotConfiguredError) and "COURTLISTENER_API_KEY" in error.hint
    assert isinstance(refused(Desk(settings, server, clock, token="a b\u00e9")), CourtListenerTokenError)
    assert server.calls == []


def test_a_wrong_token_is_named_as_such(
    settings: Settings, server: CourtListenerServer, clock: Clock
) -> None:
    error = refused(Desk(settings, server, clock, token="wrong-token"))
    assert isinstance(error, CourtListenerTokenError)
    assert error.exit_code == 3
    assert "not accepted" in error.message
    assert "wrong-token" not in str(error)
    assert server.statuses() == []  # api-usage said it already


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (400, b'{"detail":"Unbalanced quotes in \\"Ada Aldercote"}', CourtListenerQueryError, "refuses"),
        (400, b'{"detail":"x","unknown_params":["limit"]}', CourtListenerQueryError, "limit"),
        (401, b'{"detail":"Invalid token."}', CourtListenerTokenError, "not accepted"),
        (403, b'{"detail":"You do not have permission"}', CourtListenerPermissionError, "may not read"),
        (
            403,
            b'{"detail":"...permission to access V3 of the API"}',
            CourtListenerPermissionError,
            "version 3",
        ),
        (404, b'{"detail":"Not found."}', CourtListenerNotFoundError, "no such thing"),
        (410, b"{}", CourtListenerGoneError, "switched off"),
        (302, b"", CourtListenerAnswerError, "no answer"),
        (200, b"[]", CourtListenerAnswerError, "not its JSON"),
        (200, b"{}", CourtListenerAnswerError, "no page"),
        (200, b'{"results": "none"}', CourtListenerAnswerError, "no page"),
        (200, b'{"results": [{}', CourtListenerAnswerError, "not its JSON"),
    ],
)
def test_what_does_not_pass_is_said_and_not_sent_again(
    desk: Desk, server: CourtListenerServer, status: int, body: bytes, kind: type[LeadflowError], words: str
) -> None:
    server.fault(Fault(status, body=body))
    error = refused(desk)
    assert type(error) is kind
    assert words in str(error)
    assert "Aldercote" not in str(error)
    assert len(server.counted) == 1


def test_an_html_page_stands_for_maintenance(desk: Desk, server: CourtListenerServer) -> None:
    server.fault(Fault(200, body=HTML, content_type="text/html; charset=utf-8"))
    error = refused(desk)
    assert type(error) is CourtListenerMaintenanceError
    assert error.retryable and "HTML page" in error.message
    assert desk.kept() == []


def test_a_passing_fault_is_tried_again_and_then_told(
    desk: Desk, server: CourtListenerServer, clock: Clock
) -> None:
    server.fault(Fault(503, body=HTML, content_type="text/html"), Fault(502), Fault(hang_before=True))
    assert len(found(list(desk.client.search(OCTOBER, most_pages=1)))) == 20
    assert len(server.counted) == desk.client.calls == 4
    server.fault(*[Fault(500)] * ATTEMPTS)
    error = refused(desk)
    assert type(error) is CourtListenerUnavailableError and error.retryable
    server.fault(*[Fault(cut_after=30)] * ATTEMPTS)
    assert isinstance(refused(desk), CourtListenerUnavailableError)


def test_nobody_there_costs_no_call(settings: Settings, server: CourtListenerServer, clock: Clock) -> None:
    desk = Desk(settings, server, clock, base="http://127.0.0.1:9/api/rest/v4")
    assert isinstance(refused(desk), CourtListenerUnavailableError)
    assert desk.limiter.left() == 125
    assert desk.client.calls == 0


def test_on_thursday_night_nothing_is_sent(desk: Desk, server: CourtListenerServer, clock: Clock) -> None:
    clock.now = datetime(2026, 11, 6, 5, 30, tzinfo=UTC)  # Thursday 21:30 in California
    error = refused(desk)
    assert type(error) is CourtListenerMaintenanceError
    assert "2026-11-06 08:00 UTC" in error.message
    assert server.calls == []
    clock.now += timedelta(hours=3)
    assert len(list(desk.client.search(OCTOBER))) == 4


def test_a_forbidden_endpoint_leaves_the_others(desk: Desk, server: CourtListenerServer) -> None:
    server.forbidden = {"parties"}
    about = About("mab", server.cases[0].docket_id)
    with pytest.raises(CourtListenerPermissionError):
        desk.client.parties(about)
    assert desk.client.docket(about).document["id"] == about.docket_id


def test_a_docket_that_is_not_there_is_an_answer_that_is_kept(desk: Desk) -> None:
    with pytest.raises(CourtListenerNotFoundError):
        desk.client.docket(About("mab", 404))
    (answer,) = desk.kept()
    assert (answer.http_status, answer.about, raw_dockets(answer)) == (404, About("mab", 404), [])


# --- Limits


def test_throttled_calls_wait_as_asked_and_are_not_counted(
    desk: Desk, server: CourtListenerServer, clock: Clock
) -> None:
    server.usage_status = 404
    server.counted = [clock.now - timedelta(seconds=k) for k in range(5)]  # somebody else's calls
    list(desk.client.search(OCTOBER, most_pages=1))
    assert server.statuses() == [429, 200]
    assert sum(clock.slept) >= 55
    assert desk.client.calls == 1
    assert desk.limiter.left() == 124
    assert "our own count" in desk.client.notes[0]


def test_without_a_header_the_words_of_a_429_are_read(
    desk: Desk, server: CourtListenerServer, clock: Clock
) -> None:
    server.send_retry_after = False
    body = b'{"detail":"Request was throttled. Rate limit exceeded: 5/min. Expected available in 7 seconds."}'
    server.fault(Fault(429, body=body, counted=False))
    list(desk.client.search(OCTOBER, most_pages=1))
    assert 7 <= sum(clock.slept) < 10


def test_throttled_again_and_again_is_told(desk: Desk, server: CourtListenerServer) -> None:
    server.fault(*[Fault(429, {"Retry-After": "2"}, b"{}", counted=False)] * ATTEMPTS)
    error = refused(desk)
    assert type(error) is CourtListenerThrottledError and error.retryable
    assert desk.client.calls == 0


def test_the_first_call_takes_over_what_others_used(
    desk: Desk, server: CourtListenerServer, clock: Clock
) -> None:
    server.counted = [clock.now - timedelta(hours=2, minutes=k) for k in range(30)]
    server.counted += [clock.now - timedelta(seconds=20)] * 3
    list(desk.client.search(OCTOBER))
    assert 429 not in server.statuses()
    assert desk.limiter.left() == 125 - 33 - 4


def test_a_smaller_allowance_than_ours_is_kept_to(
    desk: Desk, server: CourtListenerServer, clock: Clock
) -> None:
    server.rates = [(2, "min", 60), (50, "hour", 3600), (125, "day", 86400)]
    list(desk.client.search(OCTOBER))
    assert 429 not in server.statuses()
    assert clock.now - MONDAY >= timedelta(seconds=60)


def test_a_full_day_says_when_it_resumes_and_nothing_is_sent(
    desk: Desk, server: CourtListenerServer, clock: Clock
) -> None:
    server.counted = [clock.now - timedelta(hours=5)] * 125
    error = refused(desk)
    assert isinstance(error, CourtListenerBudgetError)
    assert error.exit_code == 4
    assert error.resumes_at is not None
    assert error.resumes_at - clock.now >= timedelta(hours=19)
    assert error.resumes_at.strftime("%Y-%m-%d %H:%M UTC") in error.message
    assert server.statuses() == []


def test_a_day_that_only_the_vendor_knows_to_be_full_ends_the_run_too(
    desk: Desk, server: CourtListenerServer, clock: Clock
) -> None:
    server.usage_status = 404
    server.counted = [clock.now - timedelta(hours=5)] * 125
    error = refused(desk)
    assert isinstance(error, CourtListenerBudgetError) and error.exit_code == 4
    assert server.statuses() == [429]
    assert isinstance(refused(desk), CourtListenerBudgetError)
    assert server.statuses() == [429]  # and nobody asks again before then


def test_a_blocked_account_is_told_and_not_asked_again(desk: Desk, server: CourtListenerServer) -> None:
    server.blocked = True
    error = refused(desk)
    assert type(error) is CourtListenerBlockedError
    assert "blocked" in error.message
    assert server.statuses() == []
    server.usage_status = 404
    assert type(refused(desk)) is CourtListenerBlockedError
    assert server.statuses() == [429]


def test_the_windows_hold_after_a_restart(
    settings: Settings, server: CourtListenerServer, clock: Clock
) -> None:
    server.usage_status = 404
    for _ in range(3):
        desk = Desk(settings, server, clock)
        list(desk.client.search(OCTOBER))
    assert 429 not in server.statuses()
    assert len(server.counted) == 12


def test_the_settings_make_a_client(
    settings: Settings, server: CourtListenerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # This one runs by the real clock, on Thursday nights too.
    monkeypatch.setattr("leadflow_assets.sources.courtlistener.client.maintenance_until", lambda now: None)
    server.clock = lambda: datetime.now(UTC)
    mine = settings.model_copy(
        update={
            "courtlistener_api_key": SecretStr(TOKEN),
            "leadflow_courtlistener_url": f"{server.base}/",
            "leadflow_courtlistener_calls_per_day": 2,
        }
    )
    with open_courtlistener(mine, Lake(mine)) as client:
        pages = client.search(OCTOBER)
        assert [len(next(pages).hits) for _ in range(2)] == [20, 20]
        with pytest.raises(CourtListenerBudgetError, match="2/day"):
            next(pages)
        assert len(CourtAnswers(Lake(mine).store).waiting()) == 2
    with (
        open_courtlistener(settings, Lake(settings)) as client,
        pytest.raises(NotConfiguredError, match="not configured"),
    ):
        next(client.search(OCTOBER))


def test_kept_answers_wait_until_they_are_forgotten(desk: Desk, settings: Settings, clock: Clock) -> None:
    pages = []
    for page in desk.client.search(OCTOBER, most_pages=2):
        pages.append(page)
        clock.now += timedelta(seconds=1)
    desk.client.docket(About("mab", pages[0].hits[0]["docket_id"], date(2026, 10, 31)))
    again = CourtAnswers(Lake(settings).store)
    waiting = again.waiting()
    assert [answer for _, answer in waiting][:2] == [page.answer for page in pages]
    assert waiting[2][1].about == About("mab", pages[0].hits[0]["docket_id"], date(2026, 10, 31))
    again.forget(key for key, _ in waiting[:2])
    assert [answer for _, answer in again.waiting()] == [waiting[2][1]]


# --- A month


def test_a_month_of_600_cases_takes_at_most_60_calls_and_leaves_no_identifier(
    settings: Settings, clock: Clock
) -> None:
    cases, identifiers = sample_month()
    with CourtListenerServer(cases, clock=clock) as server:
        desk = Desk(settings, server, clock)
        rows = [row for page in desk.client.search(OCTOBER) for row in raw_dockets(page.answer)]
        rows += [
            row
            for page in desk.client.new_dockets("mab", date(2026, 10, 15), most_pages=4)
            for row in raw_dockets(page.answer)
        ]
        petitions = [case for case in parse_rows(rows).cases if case.case_type == "bankruptcy_petition"]
        for case in petitions[:24]:
            assert case.docket_id is not None
            for answer in desk.client.parties(About(case.court, case.docket_id, case.date_filed)):
                rows += raw_dockets(answer)
        assert len(server.counted) <= 60
        assert server.statuses() == [200] * len(server.counted)
        assert desk.client.notes == []
        desk.http.close()
    settled = settle(rows)
    parsed = parse_rows(settled)
    both = combine(parsed.cases, parsed.parties)
    assert parsed.problems == ()
    assert len(both.cases) >= 598
    types = {kind: sum(case.case_type == kind for case in both.cases) for kind in ("adversary_proceeding",)}
    assert types["adversary_proceeding"] == 12
    addressed = {party.case_id for party in both.parties if party.is_debtor and party.address}
    assert len(addressed) == 24
    assert len(desk.kept()) == len(server.counted)
    publish(settings, settled, both)
    assert len(identifiers) > 500
    bodies = "\n".join(row.body for row in settled)
    assert not [identifier for identifier in identifiers if identifier in bodies]
    assert_nowhere(settings.data_dir, *identifiers)


def publish(settings: Settings, rows: list[RawDocket], both: Combined) -> None:
    """Write every partition of the three tables and audit it, as a publisher would."""
    folder = settings.data_dir / "lake"
    partitions = {
        COURT_DOCKETS: _grouped(rows, RawDocket),
        COURT_CASES: _grouped(both.cases, CourtCase),
        COURT_PARTIES: _grouped(both.parties, CourtParty),
    }
    for table, found in partitions.items():
        for (court, month), content in found.items():
            path = folder / table.name / table.partition(court, month) / "x.parquet"
            path.parent.mkdir(parents=True)
            write_parquet(path, content, table, provenance={})
            report = audit_file(path, table, expected_rows=content.num_rows)
            assert report.problems == (), (table.name, month)
    assert {month for _, month in partitions[COURT_CASES]} == {"2026-10", "unknown"}


def _grouped(records: Sequence[Any], kind: type[Any]) -> dict[tuple[str, str], pa.Table]:
    keys = sorted({(record.court, record.filed_month) for record in records})
    return {
        key: to_rows([one for one in records if (one.court, one.filed_month) == key], kind) for key in keys
    }


def assert_nowhere(folder: Path, *words: str) -> None:
    """No file below the folder holds one of the words, packed or not, nor anything of that form."""
    wanted = [word.encode() for word in words]
    plain = re.compile(rb"xxx-xx-[0-9]{4}|[0-9]{2}-[0-9]{7}")
    formed = {word for word in wanted if plain.fullmatch(word)}
    form = re.compile(rb"(?<![0-9a-f])(?:xxx-xx-[0-9]{4}|[0-9]{2}-[0-9]{7}(?![0-9a-f]))")
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        content = path.read_bytes()
        if path.suffix == ".parquet":
            content = str(pq.read_table(path, partitioning=None).to_pylist()).encode()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
        if path.suffix in {".gz", ".parquet"}:
            assert not form.search(content), f"{path.name} holds something of an identifier's form"
        found = set(plain.findall(content))
        held = [word for word in wanted if word in found or (word not in formed and word in content)]
        assert not held, f"{path.name} holds what must be nowhere"
