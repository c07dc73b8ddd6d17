"""Court cases in Dagster: the daily fetch, months as partitions, going on the next day, matches by town."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from leadflow_assets.assets.metadata import asset_key
from leadflow_assets.assets.resources import LeadflowSettings
from leadflow_assets.automation.courts import case_matches_outdated, courts_resume, daily_court_cases
from leadflow_assets.automation.published import published_elsewhere
from leadflow_assets.definitions import build_definitions
from leadflow_assets.domain.towns import find_town
from leadflow_assets.enrich.courts.service import Courts
from leadflow_assets.lake import tables
from leadflow_assets.lake.lake import Lake
from leadflow_assets.refresh.plan import RefreshOptions
from leadflow_assets.refresh.run import refresh_towns
from leadflow_assets.sampleton import PackageSpec, write_package
from leadflow_assets_tests.integration.courts_helpers import assert_no_identifier, cases, rows_of
from leadflow_assets_tests.vendors.courtlistener import TOKEN, CourtListenerServer
from leadflow_assets_tests.vendors.courtlistener_cases import SampleCase, sample_month

MONROE = find_town("monroe")
COUNT = 45
TODAY = datetime.now(UTC).date()
TEMPLATE = Path(__file__).parents[2] / "docs" / "templates" / "land_court_tax_lien.csv"


def recent(case: SampleCase, number: int) -> SampleCase:
    """The case as if it had been filed in the last days."""
    if case.date_filed is None:
        return replace(case, created=TODAY - timedelta(days=2))
    return replace(case, date_filed=TODAY - timedelta(days=1 + number % 8), created=None)


@pytest.fixture
def identifiers() -> list[str]:
    return []


@pytest.fixture
def server(identifiers: list[str]) -> Iterator[CourtListenerServer]:
    month, printed = sample_month(count=COUNT)
    identifiers += printed
    with CourtListenerServer([recent(case, number) for number, case in enumerate(month)]) as vendor:
        vendor.rates = [(1000, "min", 60), (1000, "hour", 3600), (125, "day", 86400)]
        yield vendor


@pytest.fixture
def settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: CourtListenerServer
) -> LeadflowSettings:
    monkeypatch.chdir(tmp_path)
    return resource(tmp_path, server)


def resource(tmp_path: Path, server: CourtListenerServer, **more: str) -> LeadflowSettings:
    return LeadflowSettings(
        overrides={
            "leadflow_data_dir": str(tmp_path / "data"),
            "courtlistener_api_key": TOKEN,
            "leadflow_courtlistener_url": server.base,
            "leadflow_courts": "mab",
            "leadflow_courtlistener_calls_per_minute": "1000",
            "leadflow_courtlistener_calls_per_hour": "1000",
            **more,
        }
    )


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def fetch_monroe(tmp_path: Path, settings: LeadflowSettings) -> None:
    package = tmp_path / MONROE.shapefile_zip
    write_package(PackageSpec(town_id=MONROE.town_id, name=MONROE.name, parcels=40, quirks=False), package)
    reports = list(refresh_towns(settings.load(), [MONROE], RefreshOptions(source=str(package))))
    assert [report.status for report in reports] == ["refreshed"]


def run(settings: LeadflowSettings, instance: dg.DagsterInstance, job: str) -> dg.ExecuteInProcessResult:
    definition = build_definitions(settings).resolve_job_def(job)
    return definition.execute_in_process(instance=instance, raise_on_error=False)


def materialized(result: dg.ExecuteInProcessResult) -> dict[str, set[str]]:
    """Partitions by asset."""
    found: dict[str, set[str]] = {}
    for event in result.all_events:
        if event.is_step_materialization and event.asset_key and event.partition:
            found.setdefault(event.asset_key.to_user_string(), set()).add(event.partition)
    return found


def tick(
    sensor: dg.SensorDefinition, settings: LeadflowSettings, cursor: str | None = None
) -> dg.SensorExecutionData:
    with dg.build_sensor_context(cursor=cursor, resources={"settings": settings}) as context:
        return sensor.evaluate_tick(context)


def test_without_a_token_the_schedule_says_which_setting_is_missing(tmp_path: Path) -> None:
    nothing = LeadflowSettings(overrides={"leadflow_data_dir": str(tmp_path / "data")})
    context = dg.build_schedule_context(
        scheduled_execution_time=datetime(2026, 11, 2, 11, 15, tzinfo=UTC), resources={"settings": nothing}
    )
    told = daily_court_cases.evaluate_tick(context)
    assert not told.run_requests and "COURTLISTENER_API_KEY" in (told.skip_message or "")
    assert "COURTLISTENER_API_KEY" in (tick(courts_resume, nothing).skip_message or "")
    with dg.DagsterInstance.ephemeral() as instance:
        assert not run(nothing, instance, "refresh_court_cases").success


def test_from_the_schedule_to_the_matches(
    tmp_path: Path, settings: LeadflowSettings, instance: dg.DagsterInstance, identifiers: list[str]
) -> None:
    fetch_monroe(tmp_path, settings)
    context = dg.build_schedule_context(
        scheduled_execution_time=datetime(2026, 11, 2, 11, 15, tzinfo=UTC), resources={"settings": settings}
    )
    requests = daily_court_cases.evaluate_tick(context).run_requests or []
    assert [request.run_key for request in requests] == ["courts:2026-11-02"]
    result = run(settings, instance, "refresh_court_cases")
    assert result.success
    found = materialized(result)
    months = {f"mab|{case['filed_month']}" for case in cases(settings.load())}
    for table in tables.COURTS:
        assert found[table.name] >= months, table.name
    assert set(instance.get_dynamic_partitions("court_months")) == found[tables.COURT_DOCKETS.name]
    assert tick(case_matches_outdated, settings).skip_message == "The matches are up to date."
    again = run(settings, instance, "refresh_court_cases")
    assert again.success and tables.COURT_CASES.name not in materialized(again)
    assert_no_identifier(tmp_path / "data", identifiers)


@pytest.mark.slow
def test_what_the_day_does_not_allow_goes_on_when_there_are_calls_again(
    tmp_path: Path, server: CourtListenerServer, instance: dg.DagsterInstance
) -> None:
    few = resource(tmp_path, server, leadflow_courtlistener_calls_per_day="2")
    result = run(few, instance, "refresh_court_cases")
    assert result.success, "a used-up day is no failure"
    assert 0 < len(cases(few.load())) < COUNT - 3
    waits = tick(courts_resume, few)
    assert (
        waits.cursor and not waits.run_requests and "There are calls again at" in (waits.skip_message or "")
    )
    # The next day: the limits are no longer reached.
    more = resource(tmp_path, server, leadflow_courtlistener_calls_per_day="120")
    assert run(more, instance, "refresh_court_cases").success
    assert len({case["docket_id"] for case in cases(more.load())}) == COUNT
    goes_on = tick(courts_resume, more, waits.cursor)
    assert [request.run_key for request in goes_on.run_requests or []] == [f"resume:{waits.cursor}"]
    assert goes_on.cursor == "none"
    assert tick(courts_resume, more, goes_on.cursor).skip_message == "No fetch waits for calls."


def test_a_month_is_materialized_whole_and_an_imported_one_made_anew(
    tmp_path: Path, settings: LeadflowSettings, instance: dg.DagsterInstance, server: CourtListenerServer
) -> None:
    report = Courts(settings.load()).import_file(TEMPLATE, "land_court_tax_lien")
    assert report.cases == 2
    sensor = tick_with(instance, settings)
    assert {event.partition for event in sensor.asset_events} == {"masslandct|2026-08"}
    month = f"mab|{TODAY - timedelta(days=1):%Y-%m}"
    keys = [month, "masslandct|2026-08"]
    instance.add_dynamic_partitions("court_months", keys)
    definitions = build_definitions(settings)
    for key in keys:
        result = dg.materialize(
            [definitions.get_assets_def(asset_key(tables.COURT_DOCKETS))],
            partition_key=key,
            instance=instance,
            resources={"settings": settings},
            raise_on_error=False,
        )
        assert result.success
        assert materialized(result)[tables.COURT_CASES.name] >= {key}
    wanted = {c.docket_id for c in server.cases if c.date_filed and f"mab|{c.date_filed:%Y-%m}" == month}
    here = {
        case["docket_id"]
        for case in cases(settings.load())
        if f"{case['court']}|{case['filed_month']}" == month
    }
    assert here == wanted


def test_matches_are_made_anew_when_cases_were_imported(
    tmp_path: Path, settings: LeadflowSettings, instance: dg.DagsterInstance
) -> None:
    fetch_monroe(tmp_path, settings)
    home = next(
        row
        for row in rows_of(settings.load(), tables.PROPERTIES)
        if row["house_number"] and row["owners"][0]["is_person"] and len(row["owners"][0]["first"] or "") > 1
    )
    owner = " ".join(filter(None, (home["owners"][0]["first"], home["owners"][0]["last"])))
    file = tmp_path / "liens.csv"
    file.write_text(
        "docket_number,date_filed,plaintiff,owner,address,city,zip,lien_amount\n"
        f"26 TL 000001,{TODAY - timedelta(days=30)},Town of Monroe,{owner},"
        f"{home['site_address']},Monroe,{home['zip'] or '01350'},4000\n"
    )
    Courts(settings.load()).import_file(file, "land_court_tax_lien")
    requests = tick(case_matches_outdated, settings).run_requests or []
    assert len(requests) == 1 and str(requests[0].run_key).startswith("match:")
    result = run(settings, instance, "match_cases_to_properties")
    assert result.success and materialized(result) == {tables.CASE_MATCHES.name: {MONROE.key}}
    matches = rows_of(settings.load(), tables.CASE_MATCHES)
    assert [(row["property_id"], row["tier"]) for row in matches] == [(home["property_id"], "confirmed")]
    assert tick(case_matches_outdated, settings).skip_message == "The matches are up to date."
    entry = Lake(settings.load()).snapshot(tables.CASE_MATCHES).partitions[f"town_id={MONROE.town_id}"]
    told = str([event for event in result.all_events if event.is_step_materialization])
    assert owner not in told and entry.data.rows == 1


def tick_with(instance: dg.DagsterInstance, settings: LeadflowSettings) -> dg.SensorExecutionData:
    with dg.build_sensor_context(instance=instance, resources={"settings": settings}) as context:
        return published_elsewhere.evaluate_tick(context)
