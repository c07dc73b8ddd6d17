"""Court cases in the parcel report: what is shown and why, what is not, and what nothing found means."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic import SecretStr

from leadflow_assets.cli import errors, parcel
from leadflow_assets.domain.courts.kinds import CASE_TYPES
from leadflow_assets.domain.towns import SAMPLETON
from leadflow_assets.lake.lake import Lake
from leadflow_assets.sampleton import Planted
from leadflow_assets.search.index import build_index
from leadflow_assets.search.parcel.report import ParcelReport, as_document, parcel_report
from leadflow_assets.settings import Settings
from leadflow_assets.state import case_searches, database
from leadflow_assets.state.case_searches import CaseSearch
from leadflow_assets_tests.conftest import forget_environment
from leadflow_assets_tests.integration.case_helpers import a_match, publish_matches
from leadflow_assets_tests.integration.pipeline_helpers import Published, refresh, settings_for

Run = Callable[..., tuple[int, str, str]]


@dataclass(frozen=True)
class Court:
    """Sampleton with the cases of some properties; ``rows`` are those properties, one parcel each."""

    settings: Settings
    rows: list[dict[str, Any]]

    def report(self, number: int, **more: Any) -> ParcelReport:
        return parcel_report(self.settings, SAMPLETON, self.rows[number]["loc_id"], **more)


@pytest.fixture(scope="module")
def court(tmp_path_factory: pytest.TempPathFactory, sample_package: tuple[Path, Planted]) -> Court:
    settings = settings_for(tmp_path_factory.mktemp("court") / "data", leadflow_demo=True)
    assert refresh(settings, SAMPLETON, sample_package[0]).status == "refreshed"
    frame = Published(settings, SAMPLETON).properties
    single = frame[~frame["loc_id"].duplicated(keep=False) & frame["loc_id"].notna()]
    first = single.sort_values("property_id").head(6).to_dict("records")
    rows = [{str(name): value for name, value in row.items()} for row in first]
    ids = [row["property_id"] for row in rows]
    publish_matches(
        settings,
        [
            a_match(ids[0], 1, represented_by_counsel=True, loc_id=rows[0]["loc_id"]),
            a_match(ids[0], 1, tier="possible", party="Fictional Spouse", loc_id=rows[0]["loc_id"]),
            a_match(ids[0], 2, tier="possible", filed=date(2024, 5, 5), status="closed", rivals=3),
            a_match(ids[0], 3, tier="unconfirmed", party="Namesake"),
            a_match(ids[0], 4, tier="rejected", decision="rejected", party="Nobody Here"),
            a_match(ids[0], 5, "eviction", expires_on=date(2020, 1, 1), party="Long Expired"),
            a_match(ids[1], 6, "eviction", expires_on=date(2999, 1, 1), stated_source="the clerk's list"),
            a_match(
                ids[2], 7, "recorded_lien", filed=None, recorded_on=date(2025, 3, 4), lien_type="mechanics",
                lien_amount=12_500.0, lien_status="active", decision="confirmed", decided_by="Pat Clerk",
                decided_at=datetime(2026, 10, 20, tzinfo=UTC),
            ),
        ],
    )  # fmt: skip
    build_index(Lake(settings))
    return Court(settings, rows)


def test_cases_stand_with_tier_probability_and_evidence(court: Court) -> None:
    cases = court.report(0).cases
    assert [(case.tier, case.docket_number) for case in cases.known] == [
        ("confirmed", "26-00001"), ("possible", "26-00002"),
    ]  # fmt: skip
    first, second = cases.known
    assert first.probability == 0.97 and first.represented_by_counsel is True
    assert {party.party_name for party in first.parties} == {"Fictional Debtor", "Fictional Spouse"}
    assert "Surname: FENNELCOTE on both sides" in first.parties[0].evidence[0]
    assert second.rivals == 3
    assert cases.unconfirmed == 1


def test_rejected_and_expired_ones_are_nowhere(court: Court) -> None:
    told = json.dumps(as_document(court.report(0)))
    assert "Nobody Here" not in told and "Long Expired" not in told and "Namesake" not in told


def test_warnings_go_with_the_types_that_are_there(court: Court) -> None:
    stay = " ".join(court.report(0).cases.notices)
    assert "11 U.S.C. 362" in stay and "not legal advice" in stay and "sealed" not in stay
    sealed = " ".join(court.report(1).cases.notices)
    assert "may have been sealed" in sealed and "not legal advice" in sealed and "362" not in sealed
    assert court.report(3).cases.notices == ()


def test_nothing_known_is_told_of_every_type_of_case(court: Court) -> None:
    report = court.report(3)
    assert report.cases.known == ()
    told = " ".join(report.cases.statements)
    assert all(kind.words in told for kind in CASE_TYPES.values())
    gaps = {gap.what: gap for gap in report.unknowns if "case" in gap.what}
    federal, state = gaps["federal court cases"], gaps["court cases and records of Massachusetts"]
    assert "bankruptcy petitions" in federal.why and "COURTLISTENER_API_KEY" in federal.why
    assert "evictions" in state.why and "no clean record" in state.why


def test_cases_name_their_source_and_when_it_told(court: Court) -> None:
    sources = {
        (fact.source, fact.fetched_at) for fact in court.report(0).sources if fact.fields == "court cases"
    }
    assert sources == {("CourtListener (mab)", datetime(2026, 10, 5, 9, tzinfo=UTC))}
    (fact,) = [fact for fact in court.report(1).sources if fact.fields == "court cases"]
    assert fact.source == "the clerk's list" and fact.sha256


def test_the_past_shows_the_matches_of_then(court: Court) -> None:
    before = court.report(0, as_of="2999-01-01")
    assert len(before.cases.known) == 2


def test_the_last_look_up_is_told(court: Court, tmp_path: Path) -> None:
    url = SecretStr(f"sqlite:///{tmp_path / 'state.sqlite'}")
    mine = court.settings.model_copy(update={"database_url": url})
    loc_id = court.rows[3]["loc_id"]
    assert parcel_report(mine, SAMPLETON, loc_id).cases.looked_up is None
    moment = datetime(2026, 10, 9, 8, tzinfo=UTC)
    with database.session(mine) as session:
        for outcome, day in (("failed", 11), ("nothing", 9), ("found", 2)):
            search = CaseSearch(
                999, loc_id, moment.replace(day=day), outcome, 4, 2, "courtlistener", "mab mad"
            )
            case_searches.record(session, search)
        session.commit()
    found = parcel_report(mine, SAMPLETON, loc_id).cases.looked_up
    assert found is not None
    assert (found.outcome, found.searched_at, found.coverage) == ("nothing", moment, "mab mad")


@pytest.fixture
def run(
    court: Court, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    forget_environment(monkeypatch, tmp_path)
    monkeypatch.setenv("LEADFLOW_DATA_DIR", str(court.settings.leadflow_data_dir))
    monkeypatch.setenv("LEADFLOW_DEMO", "true")
    monkeypatch.setenv("COLUMNS", "110")
    app = typer.Typer(rich_markup_mode=None)
    app.callback()(lambda: None)
    parcel.register(app)

    def invoke(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = errors.run(typer.main.get_command(app), ["parcel", "sampleton", *arguments])
        return code, *capsys.readouterr()

    return invoke


def test_the_text_shows_cases_warnings_and_coverage(run: Run, court: Court) -> None:
    code, out, _ = run(court.rows[0]["loc_id"])
    assert code == 0
    section = out.partition("Court cases: 2 tied to the owners")[2].partition("Neighbours' market sales")[0]
    text = " ".join(section.split())
    assert "Confirmed bankruptcy petition, chapter 7 26-00001, 2026-10-02 (probability 0.97)" in text
    assert "Possible bankruptcy petition, chapter 7 26-00002, 2024-05-05 (probability 0.60)" in text
    assert "3 other owners fit about as well" in text and "closed" in text
    assert "[courtlistener mab, 2026-10-05]" in text
    assert "Warning: Bankruptcy: the automatic stay (11 U.S.C. 362)" in text
    assert "1 more likely of namesakes" in text
    assert "Not looked for, so not known:" in text
    assert max(map(len, section.splitlines())) <= 120


def test_the_text_of_liens_decisions_evictions_and_of_none(run: Run, court: Court) -> None:
    text = " ".join(run(court.rows[2]["loc_id"])[1].split())
    assert "Confirmed recorded lien 26-00007, 2025-03-04 (by Pat Clerk on 2026-10-20)" in text
    assert "mechanics lien $12,500, active" in text
    text = " ".join(run(court.rows[1]["loc_id"])[1].split())
    assert "the clerk's list" in text and "may be used until 2999-01-01" in text
    assert "Warning: Eviction: brought in by hand" in text
    text = " ".join(run(court.rows[3]["loc_id"])[1].split())
    assert "Court cases: none known here Not looked for, so not known:" in text


def test_json_holds_the_whole_section(run: Run, court: Court) -> None:
    code, out, _ = run(court.rows[0]["loc_id"], "--json")
    cases = json.loads(out)["cases"]
    assert code == 0
    assert [case["tier"] for case in cases["known"]] == ["confirmed", "possible"]
    assert cases["known"][0]["parties"][0]["evidence"] and cases["statements"] and cases["notices"]
