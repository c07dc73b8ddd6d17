"""Targeted look-ups against the loopback vendor: who is asked, how often, and what is remembered."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from leadflow_assets.cli import case_lookup, errors
from leadflow_assets.domain.owners import OWNER_TYPES, parse_owner
from leadflow_assets.domain.towns import SAMPLETON
from leadflow_assets.domain.worth_asking import NOT_ASKED_OWNER_TYPES
from leadflow_assets.enrich.court_answers import CourtAnswers
from leadflow_assets.enrich.courts_lookup.names import bears, names_to_ask
from leadflow_assets.enrich.courts_lookup.parcels import parcels_at
from leadflow_assets.enrich.courts_lookup.service import CourtLookups
from leadflow_assets.errors import LeadflowError, NotConfiguredError, UsageError
from leadflow_assets.lake.lake import Lake
from leadflow_assets.sampleton import Planted
from leadflow_assets.search.criteria import SearchCriteria
from leadflow_assets.search.engine import open_searcher
from leadflow_assets.search.lists.service import SavedLists
from leadflow_assets.search.parcel.report import parcel_report
from leadflow_assets.settings import Settings
from leadflow_assets.sources.courtlistener.errors import (
    CourtListenerAnswerError,
    CourtListenerBudgetError,
    CourtListenerQueryError,
)
from leadflow_assets.state import case_searches, database
from leadflow_assets_tests.conftest import forget_environment
from leadflow_assets_tests.integration.pipeline_helpers import Published, refresh, settings_for
from leadflow_assets_tests.integration.test_state import postgres_url as postgres_url
from leadflow_assets_tests.integration.test_state import settings as state_settings
from leadflow_assets_tests.vendors.courtlistener import TOKEN, CourtListenerServer, Fault
from leadflow_assets_tests.vendors.courtlistener_cases import SampleCase, SampleParty

Run = Callable[..., tuple[int, str, str]]
databases = state_settings


# --- Whom to ask for


def named(owner_type: str, text: str) -> tuple[str, ...]:
    owner = parse_owner(text)
    parties = [
        {name: getattr(party, name) for name in ("name", "first", "last", "role", "is_person")}
        for party in owner.parties
    ]
    return names_to_ask(owner_type, parties)


@pytest.mark.parametrize(
    ("owner_type", "text", "names"),
    [
        ("person", "FENNELCOTE, ADA B", ("ADA FENNELCOTE",)),
        ("person", "FENNELCOTE ADA B & OTIS", ("ADA FENNELCOTE", "OTIS FENNELCOTE")),
        ("person", "FENNELCOTE ADA & FENNELCOTE ADA JR", ("ADA FENNELCOTE",)),
        ("company", "COPPER NEWT CAFE LLC", ("COPPER NEWT CAFE",)),
        ("bank", "LANTERN SAVINGS BANK", ()),
        ("government", "TOWN OF SAMPLETON", ()),
        ("estate", "FENNELCOTE ADA ESTATE OF", ()),
        ("unknown", "UNKNOWN", ()),
    ],
)
def test_names_are_those_of_a_docket(owner_type: str, text: str, names: tuple[str, ...]) -> None:
    assert named(owner_type, text) == names


@given(st.sampled_from(OWNER_TYPES), st.text(max_size=40))
def test_no_name_is_a_single_word_and_nobody_public_is_asked_for(owner_type: str, text: str) -> None:
    names = named(owner_type, text)
    assert all(len(name.split()) > 1 for name in names)
    assert not names or owner_type not in NOT_ASKED_OWNER_TYPES


def test_a_docket_bears_a_name_in_any_order_but_in_one_party() -> None:
    assert bears("ADA FENNELCOTE", ["Ada B. Fennelcote"])
    assert bears("ADA FENNELCOTE", ["Fennelcote, Ada"])
    assert not bears("ADA FENNELCOTE", ["Ada Quillmere", "Otis Fennelcote"])
    assert not bears("ADA FENNELCOTE", ["Adam Fennelcote"])


# --- At the vendor


@dataclass
class Desk:
    """Sampleton with a vendor of its own; ``people`` are properties of one person, each on its own parcel."""

    settings: Settings
    server: CourtListenerServer
    people: list[dict[str, Any]]

    def name(self, number: int) -> str:
        (party,) = self.people[number]["owners"]
        return f"{party['first']} {party['last']}"

    def lookups(self, **more: Any) -> CourtLookups:
        return CourtLookups(self.settings, **more)

    def look_up(self, number: int, **more: Any) -> CourtLookups:
        lookups = self.lookups(**more)
        lookups.run(lookups.plan_parcel(SAMPLETON, self.people[number]["loc_id"]))
        return lookups

    def history(self, number: int) -> list[case_searches.CaseSearch]:
        with database.session(self.settings) as session:
            return case_searches.history(session, 999, self.people[number]["loc_id"])

    def asked(self) -> list[str]:
        return [call.parameters["party_name"] for call in self.server.calls if call.path == "search"]


def a_case(number: int, *names: str, court: str = "mab") -> SampleCase:
    return SampleCase(
        docket_id=1000 + number, court_id=court, docket_number=f"26-{10000 + number}", case_name=names[0],
        date_filed=date(2026, 9, 1) + timedelta(days=number % 28), chapter="7",
        parties=tuple(SampleParty(name, "Debtor") for name in names),
    )  # fmt: skip


@pytest.fixture(scope="module")
def lake(
    tmp_path_factory: pytest.TempPathFactory, sample_package: tuple[Path, Planted]
) -> tuple[Settings, list[dict[str, Any]]]:
    settings = settings_for(tmp_path_factory.mktemp("lake") / "data", leadflow_demo=True)
    assert refresh(settings, SAMPLETON, sample_package[0]).status == "refreshed"
    frame = Published(settings, SAMPLETON).properties
    single = frame[~frame["loc_id"].duplicated(keep=False) & frame["loc_id"].notna()]
    people, seen = [], set()
    persons = single[single["owner_type"] == "person"].sort_values("property_id")
    for found in persons.to_dict("records"):
        row = {str(name): value for name, value in found.items()}
        parties = row["owners"]
        names = names_to_ask("person", parties)
        if len(parties) == 1 and len(names) == 1 and names[0] not in seen:
            seen.add(names[0])
            people.append(row)
    return settings, people[:12]


@pytest.fixture
def desk(lake: tuple[Settings, list[dict[str, Any]]], tmp_path: Path) -> Iterator[Desk]:
    with CourtListenerServer() as server:
        server.rates = [(1000, "min", 60), (1000, "hour", 3600), (125, "day", 86400)]
        settings = lake[0].model_copy(
            update={
                "leadflow_data_dir": tmp_path / "data",
                "leadflow_lake": lake[0].lake_uri,
                "courtlistener_api_key": SecretStr(TOKEN),
                "leadflow_courtlistener_url": server.base,
                "leadflow_courtlistener_calls_per_minute": 1000,
                "leadflow_courtlistener_calls_per_hour": 1000,
            }
        )
        yield Desk(settings, server, lake[1])


@pytest.fixture(autouse=True)
def _no_answer_stays(
    lake: tuple[Settings, list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Each test leaves the lake as it was; the vendor's weekly maintenance is not tested here."""
    monkeypatch.setattr("leadflow_assets.sources.courtlistener.client.maintenance_until", lambda _now: None)
    yield
    answers = CourtAnswers(Lake(lake[0]).store)
    answers.forget([key for key, _ in answers.waiting()])


class TestAsking:
    def test_one_call_asks_all_courts_and_the_answer_is_kept(self, desk: Desk) -> None:
        desk.server.cases = [
            a_case(1, desk.name(0)),
            a_case(2, desk.name(0), court="mad"),
            a_case(3, "Otis Nobody"),
        ]
        report = desk.look_up(0).report
        assert (report.asked, report.found, report.cases, report.calls, report.waiting) == (1, 1, 2, 1, 0)
        (call,) = [call for call in desk.server.calls if call.path == "search"]
        assert (call.parameters["type"], call.parameters["court"]) == ("r", "mab mad")
        (kept,) = CourtAnswers(Lake(desk.settings).store).waiting()
        assert kept[1].endpoint == "search"
        (search,) = desk.history(0)
        assert (search.outcome, search.cases_found, search.calls, search.complete) == ("found", 2, 1, True)
        assert (search.source, search.coverage) == ("courtlistener", "mab mad")

    def test_nothing_is_an_answer_too_and_shows_in_the_report(self, desk: Desk) -> None:
        assert desk.look_up(0).report.nothing == 1
        found = parcel_report(desk.settings, SAMPLETON, desk.people[0]["loc_id"]).cases.looked_up
        assert found is not None
        assert (found.outcome, found.properties, found.of_properties) == ("nothing", 1, 1)

    def test_a_namesake_in_another_party_is_not_counted(self, desk: Desk) -> None:
        first, last = desk.name(0).split()[0], desk.name(0).split()[-1]
        desk.server.cases = [a_case(1, f"{first} Elsewhere", f"Somebody {last}")]
        report = desk.look_up(0).report
        assert (report.cases, report.nothing) == (0, 1)

    def test_of_a_common_name_only_the_newest_are_read(self, desk: Desk) -> None:
        desk.server.cases = [a_case(number, desk.name(0)) for number in range(75)]
        report = desk.look_up(0).report
        assert (report.calls, report.cases, report.incomplete) == (3, 60, 1)
        assert not desk.history(0)[0].complete

    def test_landing_comes_after_the_answers_and_also_after_an_error(self, desk: Desk) -> None:
        landed: list[int] = []
        waiting = CourtAnswers(Lake(desk.settings).store).waiting
        land = lambda: landed.append(len(waiting()))  # noqa: E731
        assert desk.look_up(0, land=land).report.landed
        desk.server.fault(Fault(status=400, body=b"{}"))
        with pytest.raises(LeadflowError):
            desk.look_up(1, land=land)
        assert landed[0] == 1 and len(landed) == 2


class TestMemory:
    def test_within_90_days_nobody_is_asked_again(self, desk: Desk) -> None:
        start = datetime(2026, 11, 2, 12, tzinfo=UTC)
        desk.look_up(0, now=lambda: start)
        later = desk.lookups(now=lambda: start + timedelta(days=89))
        plan = later.plan_parcel(SAMPLETON, desk.people[0]["loc_id"])
        assert (plan.parcels, plan.recent, plan.calls, plan.days) == ((), 1, 0, 0)
        again = later.plan_parcel(SAMPLETON, desk.people[0]["loc_id"], again=True)
        assert (len(again.parcels), again.recent) == (1, 0)
        expired = desk.lookups(now=lambda: start + timedelta(days=90))
        assert expired.plan_parcel(SAMPLETON, desk.people[0]["loc_id"]).calls == 1

    def test_what_failed_is_asked_again(self, desk: Desk) -> None:
        desk.server.fault(Fault(status=400, body=b'{"detail": "no"}'))
        with pytest.raises(LeadflowError):
            desk.look_up(0)
        assert [search.outcome for search in desk.history(0)] == ["failed"]
        assert desk.look_up(0).report.asked == 1
        assert [search.outcome for search in desk.history(0)] == ["failed", "nothing"]

    def test_units_of_one_parcel_are_remembered_each(self, desk: Desk) -> None:
        frame = Published(desk.settings, SAMPLETON).properties
        units = frame[frame["loc_id"].duplicated(keep=False) & ~frame["is_condominium_master"]]
        loc_id = units["loc_id"].value_counts().index[0]
        found = parcels_at(Lake(desk.settings), SAMPLETON, str(loc_id))
        assert len(found) > 1 and all(parcel.loc_id == parcel.property_id for parcel in found)


class TestState:
    def test_the_newest_answered_look_up_counts_on_both_databases(self, databases: Settings) -> None:
        start = datetime(2026, 11, 2, 12, tzinfo=UTC)
        told = [
            ("F_1_1", "found", 3),
            ("F_1_1", "failed", 9),
            ("F_1_1", "nothing", 5),
            ("F_2_2", "failed", 1),
        ]
        with database.session(databases) as session:
            for loc_id, outcome, day in told:
                moment = start + timedelta(days=day)
                search = case_searches.CaseSearch(25, loc_id, moment, outcome, 0, 1, "courtlistener", "mab")
                case_searches.record(session, search)
            session.commit()
        with database.session(databases) as session:
            ids = ["F_1_1", "F_2_2", *(f"F_{n}_0" for n in range(12_000))]
            found = case_searches.latest(session, 25, ids)
            assert {key: search.outcome for key, search in found.items()} == {"F_1_1": "nothing"}
            assert found["F_1_1"].searched_at == start + timedelta(days=5)
            assert case_searches.latest(session, 26, ids) == {}
            days = [search.searched_at.day for search in case_searches.history(session, 25, "F_1_1")]
            assert days == [5, 7, 11]


class TestLimits:
    def test_the_day_ends_and_the_next_one_goes_on(self, desk: Desk) -> None:
        with_day = desk.settings.model_copy(update={"leadflow_courtlistener_calls_per_day": 4})
        ids = [row["property_id"] for row in desk.people[:7]]
        with open_searcher(with_day) as searcher:
            SavedLists(with_day, searcher=searcher).save_static("seven", ids)
        lookups = CourtLookups(with_day)
        plan = lookups.plan_list("seven")
        assert (len(plan.parcels), plan.calls, plan.calls_left, plan.days) == (7, 7, 4, 2)
        with pytest.raises(CourtListenerBudgetError, match="resumes at") as caught:
            lookups.run(plan)
        assert caught.value.exit_code == 4
        assert (lookups.report.asked, lookups.report.waiting, lookups.report.failed) == (4, 3, 0)
        more = CourtLookups(desk.settings)
        rest = more.plan_list("seven")
        assert (len(rest.parcels), rest.recent) == (3, 4)
        more.run(rest)
        assert sorted(desk.asked()) == sorted({parcel.names[0] for parcel in plan.parcels})

    def test_a_long_list_is_not_looked_up_by_itself(self, desk: Desk) -> None:
        few = desk.settings.model_copy(update={"lien_search_auto_threshold": 2})
        ids = [row["property_id"] for row in desk.people[:3]]
        with open_searcher(few) as searcher:
            SavedLists(few, searcher=searcher).save_static("three", ids)
        with pytest.raises(UsageError, match="3 properties: not looked up by itself, 2 would be") as caught:
            CourtLookups(few).plan_list("three")
        assert "--force" in caught.value.hint and "LIEN_SEARCH_AUTO_THRESHOLD" in caught.value.hint
        assert len(CourtLookups(few).plan_list("three", force=True).parcels) == 3
        assert desk.server.calls == []

    def test_whole_town_plan_asks_for_nobody_public(self, desk: Desk) -> None:
        with open_searcher(desk.settings) as searcher:
            SavedLists(desk.settings, searcher=searcher).save_dynamic("all", SearchCriteria())
            count = searcher.count(SearchCriteria())
        plan = CourtLookups(desk.settings).plan_list("all", force=True)
        assert len(plan.parcels) + plan.nobody == count and plan.nobody > 0
        assert plan.days == 1 + -(-(plan.calls - 125) // 125)

    def test_without_a_token_nothing_is_sent_and_nothing_remembered(self, desk: Desk) -> None:
        bare = desk.settings.model_copy(update={"courtlistener_api_key": None})
        lookups = CourtLookups(bare)
        with pytest.raises(NotConfiguredError, match="not configured"):
            lookups.run(lookups.plan_parcel(SAMPLETON, desk.people[0]["loc_id"]))
        assert desk.history(0) == [] and desk.server.calls == []

    def test_an_ignored_filter_is_not_taken_for_an_answer(self, desk: Desk) -> None:
        desk.server.cases = [a_case(number, f"Nobody Known{number}") for number in range(5)]
        desk.server.ignored_filters = {"party_name"}
        with pytest.raises(CourtListenerAnswerError, match="ignored the filter party_name"):
            desk.look_up(0)
        assert [search.outcome for search in desk.history(0)] == ["failed"]

    def test_errors_hold_no_name(self, desk: Desk) -> None:
        desk.server.fault(Fault(status=400, body=b"{}"))
        with pytest.raises(CourtListenerQueryError) as caught:
            desk.look_up(0)
        words = {word.lower() for word in desk.name(0).split()}
        assert not words & set(str(caught.value).lower().split())


# --- On the command line


@pytest.fixture
def run(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    forget_environment(monkeypatch, tmp_path)
    given = {
        "LEADFLOW_DATA_DIR": str(desk.settings.leadflow_data_dir),
        "LEADFLOW_LAKE": desk.settings.lake_uri,
        "LEADFLOW_DEMO": "true",
        "COURTLISTENER_API_KEY": TOKEN,
        "LEADFLOW_COURTLISTENER_URL": desk.server.base,
        "LEADFLOW_COURTLISTENER_CALLS_PER_MINUTE": "1000",
        "LEADFLOW_COURTLISTENER_CALLS_PER_DAY": "3",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    app = typer.Typer(rich_markup_mode=None)
    app.callback()(lambda: None)
    case_lookup.register(app)

    def invoke(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = errors.run(typer.main.get_command(app), ["lookup", *arguments])
        return code, *capsys.readouterr()

    return invoke


class TestCommand:
    def test_a_dry_run_says_calls_and_days_and_sends_nothing(self, desk: Desk, run: Run) -> None:
        ids = [row["property_id"] for row in desk.people[:5]]
        with open_searcher(desk.settings) as searcher:
            SavedLists(desk.settings, searcher=searcher).save_static("five", ids)
        code, out, err = run("--list", "five", "--dry-run")
        assert (code, out) == (0, "")
        assert "5 parcels to look up at mab, mad: at least 5 calls, in 2 days (3 of 3 calls left)." in err
        code, out, _ = run("--list", "five", "--dry-run", "--json")
        assert (code, json.loads(out)["calls"], json.loads(out)["days"]) == (0, 5, 2)
        assert desk.server.calls == []
        code, _, err = run("--list", "five")
        assert code == 4
        assert "3 parcels looked up" in err and "2 parcels wait for the next time" in err
        assert "resumes at" in err

    def test_a_parcel_says_that_a_name_is_no_match(self, desk: Desk, run: Run) -> None:
        desk.server.cases = [a_case(1, desk.name(0))]
        code, _, err = run("sampleton", desk.people[0]["loc_id"])
        assert code == 0
        assert "1 parcels looked up at mab, mad with 1 calls: 1 cases name somebody so called" in err
        assert "A name alone is no match" in err and "State courts and registries are not" in err
        assert desk.name(0).split()[-1] not in err
        code, out, _ = run("sampleton", desk.people[0]["loc_id"], "--json")
        assert (code, json.loads(out)["plan"]["recent"], json.loads(out)["done"]["calls"]) == (0, 1, 0)

    @pytest.mark.parametrize(
        "arguments",
        [
            (),
            ("sampleton",),
            ("sampleton", "F_1_1", "--list", "x"),
            ("--list", "nope"),
            ("sampleton", "F_1_1"),
            ("nowhere", "F_1_1"),
        ],
    )
    def test_wrong_usage_is_one_sentence(self, run: Run, arguments: tuple[str, ...]) -> None:
        code, out, err = run(*arguments)
        assert (code, out) == (2, "") and err.startswith("error: ")

    def test_help_has_examples(self, run: Run) -> None:
        code, out, _ = run("--help")
        assert code == 0 and "leadflow cases lookup --list absentee --dry-run" in out
