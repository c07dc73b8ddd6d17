"""A court from the vendor to the tables: a month, every day, the past, parties, and what breaks off."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from leadflow_assets.domain.courts.rows import RawDocket
from leadflow_assets.enrich.courts.report import CourtStep
from leadflow_assets.enrich.courts.service import Courts
from leadflow_assets.errors import LeadflowError, NotConfiguredError, UsageError
from leadflow_assets.lake.audit import audit_file
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.tables import COURTS
from leadflow_assets.settings import Settings
from leadflow_assets.sources.courtlistener.errors import (
    CourtListenerBudgetError,
    CourtListenerMaintenanceError,
    CourtListenerTokenError,
)
from leadflow_assets.state import court_progress, database
from leadflow_assets_tests.integration.courts_helpers import (
    MONDAY,
    Clock,
    asked,
    asked_twice,
    assert_no_identifier,
    cases,
    court_settings,
    dated,
    dockets,
    numbers,
    parties,
    with_clock,
)
from leadflow_assets_tests.vendors.courtlistener import HTML, CourtListenerServer, Fault
from leadflow_assets_tests.vendors.courtlistener_cases import SampleCase, SampleParty, sample_month

DAY = date(2026, 10, 29)
OCTOBER = "court=mab/filed_month=2026-10"
UNKNOWN = "court=mab/filed_month=unknown"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> Iterator[CourtListenerServer]:
    found, _ = sample_month(count=70)
    with CourtListenerServer(found, clock=clock) as running:
        yield running


@pytest.fixture
def settings(clean_environment: None, tmp_path: Path, server: CourtListenerServer) -> Settings:
    return court_settings(tmp_path, server)


@pytest.fixture
def courts(settings: Settings, clock: Clock) -> Courts:
    return with_clock(settings, clock)


def tomorrow(clock: Clock) -> None:
    """Later than a day: every window is empty again."""
    clock.now += timedelta(hours=25)


def short_of_calls(settings: Settings, calls: int, kept: int = 0) -> Settings:
    return settings.model_copy(
        update={"leadflow_courtlistener_calls_per_day": calls, "leadflow_court_calls_kept": kept}
    )


# --- A month


@pytest.mark.slow
def test_a_month_of_600_cases_takes_at_most_60_calls_to_the_published_tables(
    clean_environment: None, tmp_path: Path, clock: Clock
) -> None:
    found, identifiers = sample_month()
    steps: list[CourtStep] = []
    with CourtListenerServer(found, clock=clock) as server:
        settings = court_settings(tmp_path, server)
        courts = with_clock(settings, clock)
        report = courts.month("mab", "2026-10", progress=steps.append)
        assert len(server.counted) == report.calls == 30 <= 60
        assert set(server.statuses()) == {200}
        assert (report.landed.new, report.landed.partitions) == (597, (OCTOBER,))
        assert {row["docket_id"] for row in cases(settings)} == dated(found)
        assert len(cases(settings)) == 597 and len(parties(settings)) > 1_200
        types = [row["case_type"] for row in cases(settings)]
        assert types.count("adversary_proceeding") == 12
        assert {row["filed_month"] for row in (*cases(settings), *parties(settings))} == {"2026-10"}
        for table in COURTS:
            for path in Path(settings.lake_uri, table.name).rglob("*.parquet"):
                assert audit_file(path, table).problems == ()
        # The windows were waited for, and every wait was announced with its reason.
        waits = [step.text for step in steps if step.waiting]
        assert waits and all(
            text.startswith("waits ") and "the minute's window (5/min)" in text for text in waits
        )
        assert sum(clock.slept) >= 5 * 60 - 5
        # Days, parties, new dockets: the routine goes on beside it, and no identifier is anywhere.
        courts.refresh()
        assert {row["filed_month"] for row in dockets(settings)} == {"2026-10", "unknown"}
        assert sum(row["endpoint"] == "parties" for row in dockets(settings)) > 20
    assert len(identifiers) > 500
    assert assert_no_identifier(settings.data_dir, identifiers) > 10


def test_asking_again_for_the_same_publishes_nothing(
    courts: Courts, settings: Settings, server: CourtListenerServer, clock: Clock
) -> None:
    courts.month("mab", "2026-10")
    before, rows = numbers(settings), (dockets(settings), cases(settings), parties(settings))
    tomorrow(clock)
    # The vendor's index was written anew: it says so, and nothing else is different.
    server.cases = [replace(case, created=date(2026, 11, 3)) for case in server.cases]
    report = courts.month("mab", "2026-10")
    assert (report.calls, report.landed.answers) == (4, 4)
    assert (report.landed.new, report.landed.changed, report.landed.unchanged) == (0, 0, 67)
    assert report.landed.partitions == report.landed.rebuilt == ()
    assert numbers(settings) == before
    assert (dockets(settings), cases(settings), parties(settings)) == rows


def test_what_changed_is_published_and_the_newest_telling_counts(
    courts: Courts, settings: Settings, server: CourtListenerServer, clock: Clock
) -> None:
    courts.month("mab", "2026-10")
    changed = server.cases[5]
    server.cases[5] = replace(changed, date_terminated=date(2026, 11, 2))
    tomorrow(clock)
    report = courts.month("mab", "2026-10")
    assert (report.landed.changed, report.landed.unchanged) == (1, 66)
    (row,) = [row for row in cases(settings) if row["docket_id"] == changed.docket_id]
    assert row["date_terminated"] == date(2026, 11, 2)
    assert len(cases(settings)) == 67


def test_a_month_that_is_none_and_a_court_that_is_none_are_refused(
    courts: Courts, server: CourtListenerServer
) -> None:
    for month in ("2026-13", "october", "2026-12"):
        with pytest.raises(UsageError, match=month):
            courts.refresh(months=[month])
    with pytest.raises(UsageError, match="court id"):
        courts.refresh(["../mab"])
    assert server.calls == []


# --- Every day


def test_the_first_day_asks_for_the_overlap_and_for_dockets_without_a_day(
    courts: Courts, settings: Settings, server: CourtListenerServer
) -> None:
    report = courts.refresh()
    first = min(call.parameters["filed_after"] for call in server.calls if "filed_after" in call.parameters)
    assert first == "2026-10-19"
    since = next(c.parameters["date_created__gte"] for c in server.calls if c.path == "dockets")
    assert since == "2026-10-19"
    (court,) = report.courts
    assert (court.court, court.since, court.until) == ("mab", date(2026, 10, 19), date(2026, 11, 2))
    undated = [row for row in cases(settings) if row["date_filed"] is None]
    made = {c.docket_id for c in server.cases if c.date_filed is None and c.made.date() >= date(2026, 10, 19)}
    assert {row["docket_id"] for row in undated} == made and made
    assert {row["filed_month"] for row in undated} == {"unknown"}


def test_the_next_day_stops_at_a_page_that_is_known(
    courts: Courts, settings: Settings, server: CourtListenerServer, clock: Clock
) -> None:
    settings = short_of_calls(settings, 125, kept=125)  # the walk alone
    courts = with_clock(settings, clock)
    courts.refresh()
    known = {row["docket_id"] for row in cases(settings)}
    tomorrow(clock)
    late = SampleCase(90_000_001, "mab", "26-20001", "Odette Nettlewold", date(2026, 11, 3), "7")
    early = SampleCase(90_000_002, "mab", "26-20002", "Otis Nettlewold", date(2026, 10, 20), "13",
                       created=date(2026, 11, 3))  # fmt: skip
    server.cases += [late, early]
    calls = len(server.counted)
    report = courts.refresh()
    assert len(server.counted) - calls <= 4
    found = {row["docket_id"] for row in cases(settings)}
    # The second was filed long before; it is on the list of new dockets.
    assert found - known == {90_000_001, 90_000_002}
    assert report.courts[0].until == date(2026, 11, 3)
    assert asked_twice(server) == {}


def test_a_fortnight_and_more_without_a_run_leaves_no_gap(
    courts: Courts, settings: Settings, server: CourtListenerServer, clock: Clock
) -> None:
    courts.refresh()
    later, _ = sample_month(2026, 11, count=60, seed=3)
    server.cases += [replace(case, docket_id=case.docket_id + 1_000_000) for case in later]
    clock.now = datetime(2026, 11, 27, 12, tzinfo=UTC)
    report = courts.refresh()
    found = {row["docket_id"] for row in cases(settings)}
    assert (
        dated(
            c
            for c in server.cases
            if c.date_filed and date(2026, 10, 19) <= c.date_filed <= date(2026, 11, 27)
        )
        <= found
    )
    assert report.courts[0].since == date(2026, 10, 19)


def test_an_undated_docket_moves_to_its_month_with_everything_of_it(
    courts: Courts, settings: Settings, server: CourtListenerServer, clock: Clock
) -> None:
    server.cases = [replace(c, created=date(2026, 10, 20)) if not c.date_filed else c for c in server.cases]
    courts.refresh()
    undated = next(row for row in dockets(settings) if row["filed_month"] == "unknown")
    place = next(k for k, case in enumerate(server.cases) if case.docket_id == undated["docket_id"])
    server.cases[place] = replace(server.cases[place], date_filed=date(2026, 9, 30), chapter="13")
    clock.now += timedelta(days=8)
    report = courts.refresh()
    assert report.courts[0].undated >= 1 and report.landed.moved >= 1
    rows = [row for row in dockets(settings) if row["docket_id"] == undated["docket_id"]]
    assert {row["filed_month"] for row in rows} == {"2026-09"}
    (case,) = [row for row in cases(settings) if row["docket_id"] == undated["docket_id"]]
    assert (case["filed_month"], case["date_filed"]) == ("2026-09", date(2026, 9, 30))
    mine = [row for row in parties(settings) if row["case_id"] == case["case_id"]]
    assert mine and {row["filed_month"] for row in mine} == {"2026-09"}


@pytest.mark.slow
def test_a_docket_without_a_day_is_asked_for_once_a_week(
    courts: Courts, server: CourtListenerServer, clock: Clock
) -> None:
    courts.refresh()
    for _ in range(3):
        clock.now += timedelta(days=3)
        courts.refresh()
    again = [path for path in server.paths() if path.startswith("dockets/")]
    undated = sum(case.date_filed is None and case.made.date() >= date(2026, 10, 19) for case in server.cases)
    assert len(again) == undated > 0


def test_two_dockets_under_one_number_are_one_case(
    courts: Courts, settings: Settings, server: CourtListenerServer, clock: Clock
) -> None:
    """The feed's docket stays without a day, and the court's own one has it."""
    twin = next(case for case in server.cases if case.date_filed and case.date_filed > date(2026, 10, 25))
    server.cases.append(replace(twin, docket_id=90_000_003, date_filed=None, created=date(2026, 10, 30)))
    courts.refresh()
    held = {row["docket_id"]: row["filed_month"] for row in dockets(settings)}
    assert held[90_000_003] == "unknown" and held[twin.docket_id] == "2026-10"
    number = f"mab:{twin.docket_number}"
    assert [row["filed_month"] for row in cases(settings) if row["case_id"] == number] == ["2026-10"]


# --- The past and the parties


@pytest.mark.slow
def test_the_past_comes_month_by_month_as_far_as_the_day_goes(
    clean_environment: None, tmp_path: Path, clock: Clock
) -> None:
    found = [
        replace(case, docket_id=case.docket_id + 1_000_000 * month)
        for month in (8, 9, 10)
        for case in sample_month(2026, month, count=70, seed=month)[0]
    ]
    with CourtListenerServer(found, clock=clock) as server:
        settings = court_settings(
            tmp_path,
            server,
            leadflow_court_backfill_from=date(2026, 8, 10),
            leadflow_courtlistener_calls_per_day=16,
        )
        courts = with_clock(settings, clock)
        first = courts.refresh()
        assert first.more and first.calls == 6 and first.calls_left == 10
        assert courts.partitions_due() == [("mab", "2026-10"), ("mab", "2026-09"), ("mab", "2026-08")]
        days = 1
        while courts.refresh().courts[0].since != date(2026, 8, 10):
            tomorrow(clock)
            days += 1
            assert days < 12
        wanted = dated(case for case in found if case.date_filed and case.date_filed >= date(2026, 8, 10))
        assert wanted <= {row["docket_id"] for row in cases(settings)}
        assert courts.partitions_due() == []
        assert set(server.statuses()) == {200}


def test_parties_are_asked_for_where_they_help_most(
    courts: Courts, settings: Settings, server: CourtListenerServer
) -> None:
    report = courts.refresh()
    about = [int(call.parameters["docket"]) for call in server.calls if call.path == "parties"]
    assert len(about) == len(set(about)) == report.courts[0].parties > 10
    by_id = {case.docket_id: case for case in server.cases}
    asked_for = [by_id[number] for number in about]
    assert all(" v. " not in case.case_name and "Adversary" not in case.case_name for case in asked_for)
    firms = {case.docket_id for case in server.cases if case.case_name.endswith((".", "LLC"))}
    assert not firms & set(about)
    # Only a search tells the chapter; what the list of new dockets has from before does not.
    chapters = [c.chapter for c in asked_for if c.date_filed and c.date_filed >= date(2026, 10, 19)]
    assert chapters == sorted(chapters, key=("13", "7", "11").index)
    addressed = {row["docket_id"] for row in parties(settings) if row["is_debtor"] and row["address"]}
    assert addressed == set(about)
    assert all(row["town_id"] for row in parties(settings) if row["city"] == "FRANKLIN")


@pytest.mark.slow
def test_parties_are_asked_for_once_and_some_calls_stay_for_people(
    settings: Settings, server: CourtListenerServer, clock: Clock
) -> None:
    courts = with_clock(short_of_calls(settings, 20, kept=10), clock)
    report = courts.refresh()
    assert report.more and report.calls_left == 10
    # A docket that is gone is an answer too.
    gone = {case.docket_id for case in server.cases if case.chapter == "13"}
    server.cases = [case for case in server.cases if case.docket_id not in gone] or server.cases
    for _ in range(4):
        tomorrow(clock)
        courts.refresh()
    about = [call.parameters["docket"] for call in server.calls if call.path == "parties"]
    assert len(about) == len(set(about))


@pytest.mark.slow
def test_without_the_right_to_read_parties_the_rest_goes_on(
    courts: Courts, settings: Settings, server: CourtListenerServer
) -> None:
    server.forbidden = {"parties"}
    report = courts.refresh()
    assert any("No parties were asked for" in note and "403" in note for note in report.notes)
    assert report.courts[0].parties == 0 and cases(settings)


def test_a_suit_about_real_property_is_asked_for_after_the_petitions(
    clean_environment: None, tmp_path: Path, clock: Clock
) -> None:
    found, _ = sample_month(count=6)
    found = [replace(case, date_filed=date(2026, 10, 28)) for case in found]
    found += [
        SampleCase(80_000_001, "mad", "1:26-cv-10001", "Lantern Cooperative Bank v. Aldercote", DAY,
                   nature_of_suit="Foreclosure",
                   parties=(SampleParty("Ada Aldercote", "Defendant", "1 Granite St\nHolden, MA 01520"),)),
        SampleCase(80_000_002, "mad", "1:26-cv-10002", "Fell v. Gate", DAY, nature_of_suit="Contract: Other"),
    ]  # fmt: skip
    with CourtListenerServer(found, clock=clock) as server:
        settings = court_settings(tmp_path, server, leadflow_courts="mab,mad")
        with_clock(settings, clock).refresh()
        about = [int(call.parameters["docket"]) for call in server.calls if call.path == "parties"]
    assert about[-1] == 80_000_001 and 80_000_002 not in about and len(about) > 3
    (row,) = [row for row in parties(settings) if row["case_id"] == "mad:26-cv-10001" and row["address"]]
    assert row["role"] == "defendant" and row["city"] == "HOLDEN"


# --- What breaks off


def test_a_day_without_calls_left_ends_with_4_and_the_next_one_goes_on(
    settings: Settings, server: CourtListenerServer, clock: Clock
) -> None:
    courts = with_clock(short_of_calls(settings, 2), clock)
    with pytest.raises(CourtListenerBudgetError, match=r"2/day.*Before that: 2 calls, 40 rows new") as caught:
        courts.refresh(months=["2026-10"])
    assert caught.value.exit_code == 4
    assert courts.report.calls == 2 and courts.report.more
    assert len(cases(settings)) == 40, "what was fetched is published"
    resumes_at = courts.resumes_at()
    assert resumes_at is not None and resumes_at == caught.value.resumes_at == courts.report.resumes_at
    assert timedelta(hours=23) < resumes_at - clock.now <= timedelta(hours=24)
    with pytest.raises(CourtListenerBudgetError):
        courts.refresh(months=["2026-10"])
    assert len(server.counted) == 2, "nobody is asked before then"
    for _ in range(3):
        clock.now = resumes_at + timedelta(seconds=1)
        try:
            courts.refresh(months=["2026-10"])
        except CourtListenerBudgetError as error:
            resumes_at = error.resumes_at or clock.now
    assert {row["docket_id"] for row in cases(settings)} == dated(server.cases)
    assert asked_twice(server) == {}
    assert 4 <= len(server.counted) <= 6
    assert courts.resumes_at() is None
    with database.session(settings) as session:
        assert court_progress.progress_of(session, "mab").stopped_by is None
        assert court_progress.open_months(session) == []


@pytest.mark.slow
def test_a_daily_walk_that_broke_off_is_finished_the_next_day(
    settings: Settings, server: CourtListenerServer, clock: Clock
) -> None:
    courts = with_clock(short_of_calls(settings, 1), clock)
    with pytest.raises(CourtListenerBudgetError):
        courts.refresh()
    courts = with_clock(short_of_calls(settings, 100), clock)
    tomorrow(clock)
    report = courts.refresh()
    wanted = dated(case for case in server.cases if case.date_filed and case.date_filed >= date(2026, 10, 19))
    assert wanted <= {row["docket_id"] for row in cases(settings)}
    assert report.courts[0].since == date(2026, 10, 19)
    assert asked_twice(server) == {}


def test_a_list_of_dockets_that_broke_off_goes_on_where_it_was(
    settings: Settings, server: CourtListenerServer, clock: Clock
) -> None:
    server.cases = [replace(case, created=date(2026, 10, 31)) for case in server.cases]
    courts = with_clock(short_of_calls(settings, 4), clock)
    with pytest.raises(CourtListenerBudgetError):
        courts.refresh()
    assert server.paths() == ["search", "search", "dockets", "dockets"]
    courts = with_clock(short_of_calls(settings, 100, kept=80), clock)
    tomorrow(clock)
    courts.refresh()
    lists = [call.parameters for call in server.calls if call.path == "dockets"]
    assert "id__lt" in lists[2]
    assert {row["docket_id"] for row in dockets(settings)} == {case.docket_id for case in server.cases}
    assert asked_twice(server) == {}


def test_bad_cursors_repeated_pages_and_repeated_hits_lose_nothing(
    courts: Courts, settings: Settings, server: CourtListenerServer
) -> None:
    server.repeat_hits = 3
    pages: list[dict[str, Any]] = []

    def expire(document: dict[str, Any]) -> dict[str, Any]:
        server.expire(document["next"])
        return document

    def remember(document: dict[str, Any]) -> dict[str, Any]:
        pages.append(document)
        return document

    server.fault(Fault(rewrite=remember), Fault(rewrite=lambda _: pages[0]), Fault(rewrite=expire))
    courts.month("mab", "2026-10")
    assert {row["docket_id"] for row in cases(settings)} == dated(server.cases)
    assert len(cases(settings)) == 67
    with database.session(settings) as session:
        assert court_progress.progress_of(session, "mab").spans == ((date(2026, 10, 1), date(2026, 10, 31)),)


def test_maintenance_ends_it_with_words_and_what_was_fetched_is_published(
    courts: Courts, settings: Settings, server: CourtListenerServer, clock: Clock
) -> None:
    server.fault(Fault(), Fault(), *[Fault(503, body=HTML, content_type="text/html")] * 4)
    with pytest.raises(CourtListenerMaintenanceError) as caught:
        courts.month("mab", "2026-10")
    assert caught.value.exit_code == 1 and caught.value.retryable
    assert len(cases(settings)) == 40 and courts.waiting() == []
    courts.month("mab", "2026-10")
    assert {row["docket_id"] for row in cases(settings)} == dated(server.cases)
    clock.now = datetime(2026, 11, 6, 5, 30, tzinfo=UTC)  # Thursday 21:30 in California
    calls = len(server.calls)
    with pytest.raises(CourtListenerMaintenanceError, match="until 2026-11-06 08:00 UTC"):
        courts.refresh()
    assert len(server.calls) == calls


def test_without_a_token_and_with_a_wrong_one_the_code_is_3(
    settings: Settings, server: CourtListenerServer, clock: Clock
) -> None:
    for token, kind in ((None, NotConfiguredError), (SecretStr("wrong-token"), CourtListenerTokenError)):
        courts = with_clock(settings.model_copy(update={"courtlistener_api_key": token}), clock)
        with pytest.raises(LeadflowError) as caught:
            courts.refresh()
        assert type(caught.value) is kind and caught.value.exit_code == 3
        assert "COURTLISTENER_API_KEY" in caught.value.hint and "wrong-token" not in str(caught.value)
    assert server.statuses() == []


def test_a_stop_ends_a_wait_and_keeps_what_was_fetched(
    settings: Settings, server: CourtListenerServer, clock: Clock
) -> None:
    steps: list[CourtStep] = []
    settings = settings.model_copy(update={"leadflow_courtlistener_calls_per_minute": 2})
    courts = with_clock(settings, clock)
    report = courts.refresh(
        months=["2026-10"], progress=steps.append, stop=lambda: any(step.waiting for step in steps)
    )
    assert report.stopped and report.more and report.calls == 2
    assert len(cases(settings)) == 40
    assert sum(clock.slept) <= 2


def test_answers_of_others_are_landed_too_and_what_is_purged_is_not(
    settings: Settings, server: CourtListenerServer, clock: Clock
) -> None:
    with_clock(settings, clock).month("mab", "2026-10")
    gone = server.cases[3].docket_id

    def clean(rows: Sequence[RawDocket], beside: Sequence[RawDocket]) -> list[RawDocket]:
        return [row for row in rows if row.docket_id != gone]

    courts = with_clock(settings, clock, clean=clean)
    server.cases[4] = replace(server.cases[4], date_terminated=date(2026, 11, 1))
    tomorrow(clock)
    report = courts.month("mab", "2026-10")
    assert report.landed.withheld == 2  # the one that was here, and the one that came again
    assert gone not in {
        row["docket_id"] for row in (*dockets(settings), *cases(settings), *parties(settings))
    }


def test_the_core_is_made_anew_when_its_code_changed(
    courts: Courts, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    courts.month("mab", "2026-10")
    before = numbers(settings)
    assert courts.rebuild().rebuilt == ()
    monkeypatch.setattr("leadflow_assets.enrich.courts.publishing.courts_code_version", lambda: "another")
    assert courts.rebuild([("mad", "2026-10")]).rebuilt == ()
    assert courts.rebuild().rebuilt == (OCTOBER,)
    after = numbers(settings)
    assert after["raw/court_dockets"] == before["raw/court_dockets"]
    assert after["core/court_cases"] == before["core/court_cases"] + 1
    entry = Lake(settings).snapshot(COURTS[1]).partitions[OCTOBER]
    assert entry.code_version == "another" and entry.facts["cases"] == 67


def test_the_routine_that_has_nothing_to_do_costs_few_calls(
    courts: Courts, settings: Settings, clock: Clock, server: CourtListenerServer
) -> None:
    courts = with_clock(short_of_calls(settings, 125, kept=125), clock)
    courts.refresh()
    for _ in range(3):
        tomorrow(clock)
        calls = len(server.counted)
        courts.refresh()
        assert len(server.counted) - calls <= 3


def test_coverage_tells_since_when_and_what_is_missing(
    courts: Courts, settings: Settings, clock: Clock
) -> None:
    def words(case_type: str, when: date) -> list[str]:
        return [row.words for row in courts.coverage(when) if row.case_type == case_type]

    assert words("bankruptcy_petition", MONDAY.date()) == ["CourtListener (mab) was not asked yet."]
    courts.month("mab", "2026-10")
    (told,) = words("bankruptcy_petition", MONDAY.date())
    assert "from 2026-10-01 on" in told and "2026-10-31" in told
    courts.refresh()
    (told,) = words("bankruptcy_petition", MONDAY.date())
    assert "from 2026-10-01 on, last brought up to date on 2026-11-02." in told
    (told,) = words("bankruptcy_petition", date(2026, 11, 20))
    assert "too long ago" in told
    courts.month("mab", "2026-03")
    (told,) = words("bankruptcy_petition", MONDAY.date())
    assert "also 2026-03-01 to 2026-03-31, and not between" in told
    assert all(row.state == "not_available" for row in courts.coverage() if row.case_type == "eviction")


def test_no_question_is_repeated_on_the_next_days(
    courts: Courts, server: CourtListenerServer, clock: Clock
) -> None:
    for _ in range(3):
        courts.refresh()
        tomorrow(clock)
    searches = [question for question in asked(server) if question[0] in ("search", "parties")]
    assert len(searches) == len(set(searches))
