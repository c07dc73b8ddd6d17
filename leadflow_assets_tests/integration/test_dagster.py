"""Dagster's front: it loads, reports towns one by one, asks for new releases, and tells of failures."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import dagster as dg
import pytest

from leadflow_assets.assets.metadata import asset_key
from leadflow_assets.assets.resources import LeadflowSettings
from leadflow_assets.automation.jobs import RANGE_END, RANGE_START, nightly_refresh, town_run_requests
from leadflow_assets.automation.published import published_elsewhere
from leadflow_assets.automation.sensors import alert_on_failure, new_releases, search_index_outdated
from leadflow_assets.definitions import build_definitions
from leadflow_assets.domain.towns import find_town
from leadflow_assets.lake import tables
from leadflow_assets.lake.audit import problems_of_published
from leadflow_assets.lake.lake import Lake
from leadflow_assets.partitions import ranges
from leadflow_assets.refresh.plan import RefreshOptions
from leadflow_assets.refresh.run import refresh_towns
from leadflow_assets.sampleton import PackageSpec, write_faulty_package, write_package
from leadflow_assets.search.criteria import SearchCriteria
from leadflow_assets.search.engine import open_searcher
from leadflow_assets_tests.vendors.massgis import MassgisServer

TOWNS = ("monroe", "monson", "montague")  # 190, 191, 192: neighbours in the list
OWNERS = b"& SPOUSE"


@pytest.fixture
def source(tmp_path: Path) -> Iterator[MassgisServer]:
    with MassgisServer() as server:
        yield server


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LeadflowSettings:
    monkeypatch.chdir(tmp_path)
    return LeadflowSettings(
        overrides={
            "leadflow_data_dir": str(tmp_path / "data"),
            "massgis_links": str(tmp_path / "links.csv"),
            # A worker process takes longer to start than to make such a town.
            "leadflow_workers": "1",
        }
    )


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def serve(server: MassgisServer, tmp_path: Path, faulty: str | None = None) -> None:
    """Packages of three towns behind HTTP and a links table that names them."""
    lines = ["Town Name,Town ID,Shapefile Download URL,File GDB Download URL,Assessed Fiscal Year,Note"]
    for name in TOWNS:
        town = find_town(name)
        path = tmp_path / town.shapefile_zip
        spec = PackageSpec(town_id=town.town_id, name=town.name, parcels=40, quirks=False)
        if name == faulty:
            write_faulty_package("wrong_crs", path, spec)
        else:
            write_package(spec, path)
        server.put(f"/{town.shapefile_zip}", path.read_bytes())
        lines.append(f"{town.name.upper()},{town.town_id},{server.base}/{town.shapefile_zip},,2026,")
    (tmp_path / "links.csv").write_text("\n".join(lines), encoding="utf-8")


def run_towns(settings: LeadflowSettings, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    job = build_definitions(settings).resolve_job_def("refresh_towns")
    tags = {RANGE_START: find_town(TOWNS[0]).key, RANGE_END: find_town(TOWNS[-1]).key}
    return job.execute_in_process(instance=instance, tags=tags, raise_on_error=False)


def test_definitions_load_with_all_tables_as_assets(settings: LeadflowSettings) -> None:
    definitions = build_definitions(settings)
    dg.Definitions.validate_loadable(definitions)
    graph = definitions.resolve_asset_graph()
    names = {key.to_user_string() for key in graph.materializable_asset_keys}
    assert names == {t.name for t in tables.TABLES} | {"mart/search_index"}


def test_no_misspelt_dependency_became_an_external_asset(settings: LeadflowSettings) -> None:
    assert build_definitions(settings).resolve_asset_graph().external_asset_keys == set()


def test_every_asset_has_owner_group_kinds_description_and_columns(settings: LeadflowSettings) -> None:
    for node in build_definitions(settings).resolve_asset_graph().asset_nodes:
        assert node.owners and node.group_name and node.kinds and node.description, node.key
        if node.key.path[0] != "raw":
            assert node.metadata["dagster/column_schema"].columns, node.key


def test_personal_columns_are_tagged_in_dagsters_catalog(settings: LeadflowSettings) -> None:
    graph = build_definitions(settings).resolve_asset_graph()
    columns = graph.get(asset_key(tables.PROPERTIES)).metadata["dagster/column_schema"].columns
    assert {column.name for column in columns if "pii" in column.tags} == tables.PROPERTIES.pii


def test_partitions_are_the_351_towns_and_sampleton_only_with_the_demo(
    settings: LeadflowSettings, tmp_path: Path
) -> None:
    key = asset_key(tables.PARCELS)
    partitions = build_definitions(settings).resolve_asset_graph().get(key).partitions_def
    assert partitions is not None and len(partitions.get_partition_keys()) == 351
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "demo-on").touch()
    partitions = build_definitions(settings).resolve_asset_graph().get(key).partitions_def
    assert partitions is not None and partitions.get_partition_keys()[-1] == "999-sampleton"


def test_one_bad_town_fails_alone_and_is_the_only_one_missing(
    settings: LeadflowSettings, instance: dg.DagsterInstance, source: MassgisServer, tmp_path: Path
) -> None:
    serve(source, tmp_path, faulty="monson")
    in_processes = LeadflowSettings(overrides={**settings.overrides, "leadflow_workers": "2"})
    result = run_towns(in_processes, instance)
    assert not result.success
    for table in tables.MASSGIS:
        done = instance.get_materialized_partitions(asset_key(table))
        assert done == {find_town("monroe").key, find_town("montague").key}, table.name
    failure = next(e for e in result.all_events if e.is_step_failure)
    shown = failure.step_failure_data.error_display_string  # type: ignore[union-attr]
    assert "1 of 3 towns failed: 191-monson" in shown
    logged = [entry.dagster_event for entry in instance.all_logs(result.run_id) if entry.dagster_event]
    evaluations = {
        (e.asset_check_evaluation_data.partition, e.asset_check_evaluation_data.passed)
        for e in logged
        if e.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION
    }
    assert ("191-monson", False) in evaluations and ("190-monroe", True) in evaluations


@pytest.mark.slow
def test_a_second_run_reports_nothing_new_and_still_succeeds(
    settings: LeadflowSettings, instance: dg.DagsterInstance, source: MassgisServer, tmp_path: Path
) -> None:
    serve(source, tmp_path)
    assert run_towns(settings, instance).success
    again = run_towns(settings, instance)
    assert again.success and again.asset_materializations_for_node("massgis") == []


@pytest.mark.slow
def test_partitions_published_outside_dagster_are_recorded_by_its_next_run(
    settings: LeadflowSettings, source: MassgisServer, tmp_path: Path
) -> None:
    serve(source, tmp_path)
    with dg.DagsterInstance.ephemeral() as other:
        assert run_towns(settings, other).success
    with dg.DagsterInstance.ephemeral() as fresh:
        assert run_towns(settings, fresh).success
        assert len(fresh.get_materialized_partitions(asset_key(tables.PROPERTIES))) == 3


@pytest.mark.slow
def test_what_the_command_line_published_appears_in_dagster_once(
    settings: LeadflowSettings, instance: dg.DagsterInstance, source: MassgisServer, tmp_path: Path
) -> None:
    serve(source, tmp_path)
    for report in refresh_towns(settings.load(), [find_town(TOWNS[0])]):
        assert report.error is None
    resources = {"settings": settings}
    first = published_elsewhere(dg.build_sensor_context(instance=instance, resources=resources))
    assert isinstance(first, dg.SensorResult)
    told = {(e.asset_key.to_user_string(), e.partition) for e in first.asset_events}
    assert told == {(table.name, find_town(TOWNS[0]).key) for table in tables.MASSGIS}
    again = dg.build_sensor_context(instance=instance, resources=resources, cursor=first.cursor)
    second = published_elsewhere(again)
    assert isinstance(second, dg.SensorResult) and not second.asset_events
    run_towns(settings, instance)
    context = dg.build_sensor_context(instance=instance, resources=resources, cursor=second.cursor)
    third = published_elsewhere(context)
    assert isinstance(third, dg.SensorResult) and not third.asset_events


def test_metadata_has_what_a_person_wants_and_no_owner(
    settings: LeadflowSettings, instance: dg.DagsterInstance, source: MassgisServer, tmp_path: Path
) -> None:
    serve(source, tmp_path)
    result = run_towns(settings, instance)
    events = result.asset_materializations_for_node("massgis")
    parcels = next(e for e in events if e.asset_key == asset_key(tables.PARCELS))
    assert parcels.metadata["dagster/partition_row_count"].value > 0
    assert "data:image/png;base64," in parcels.metadata["map"].value
    assert Path(str(parcels.metadata["dagster/uri"].value)).is_file()
    raw = next(e for e in events if e.asset_key == asset_key(tables.MASSGIS_PACKAGES))
    assert {"url", "sha256", "fetched_at", "etag"} <= raw.metadata.keys()
    assessments = next(e for e in events if e.asset_key == asset_key(tables.ASSESSMENTS))
    assert "match_rates" in assessments.metadata
    everything = json.dumps([{k: str(v.value) for k, v in e.metadata.items()} for e in events]).encode()
    assert OWNERS not in everything


def test_the_contract_check_finds_a_file_damaged_or_lost_after_publishing(
    settings: LeadflowSettings, instance: dg.DagsterInstance, source: MassgisServer, tmp_path: Path
) -> None:
    serve(source, tmp_path)
    run_towns(settings, instance)
    lake = Lake(settings.load())

    def problems() -> list[str]:
        entry = lake.snapshot(tables.PARCELS).partitions["town_id=190"]
        return problems_of_published(lake, tables.PARCELS, entry)

    assert problems() == []
    version = next((tmp_path / "data/lake/_versions/core/parcels/town_id=190").glob("*.parquet"))
    damaged = bytearray(version.read_bytes())
    damaged[100] ^= 0xFF
    version.write_bytes(bytes(damaged))
    assert problems() == ["the bytes are not those that were published"]
    version.unlink()
    assert "is gone" in problems()[0]


def test_the_sensor_asks_by_head_only_and_requests_just_the_changed_town(
    settings: LeadflowSettings, instance: dg.DagsterInstance, source: MassgisServer, tmp_path: Path
) -> None:
    serve(source, tmp_path)
    run_towns(settings, instance)
    before = len(source.requests)
    quiet = new_releases(dg.build_sensor_context(instance=instance, resources={"settings": settings}))
    assert isinstance(quiet, dg.SensorResult) and not quiet.run_requests and quiet.skip_reason
    town = find_town("monson")
    spec = PackageSpec(town_id=town.town_id, name=town.name, parcels=41, quirks=False)
    write_package(spec, tmp_path / "newer.zip")
    source.put(f"/{town.shapefile_zip}", (tmp_path / "newer.zip").read_bytes())
    context = dg.build_sensor_context(
        instance=instance, resources={"settings": settings}, cursor=quiet.cursor
    )
    found = new_releases(context)
    assert isinstance(found, dg.SensorResult) and found.run_requests is not None
    assert [(r.tags[RANGE_START], r.tags[RANGE_END]) for r in found.run_requests] == [(town.key, town.key)]
    assert {request.method for request in source.requests[before:]} == {"HEAD"}


def test_the_sensor_says_why_it_does_nothing(settings: LeadflowSettings, tmp_path: Path) -> None:
    empty = new_releases(dg.build_sensor_context(resources={"settings": settings}))
    assert isinstance(empty, dg.SensorResult) and "No town is in the lake" in str(empty.skip_reason)
    off = LeadflowSettings(overrides={**settings.overrides, "massgis_live_fetch_enabled": "false"})
    result = new_releases(dg.build_sensor_context(resources={"settings": off}))
    assert isinstance(result, dg.SensorResult) and "MASSGIS_LIVE_FETCH_ENABLED" in str(result.skip_reason)


def test_the_nightly_schedule_asks_for_ranges_of_watched_towns(settings: LeadflowSettings) -> None:
    watched = LeadflowSettings(overrides={**settings.overrides, "leadflow_watched_towns": "1,2,3,25"})
    context = dg.build_schedule_context(
        scheduled_execution_time=datetime(2026, 11, 22, tzinfo=UTC), resources={"settings": watched}
    )
    data = nightly_refresh.evaluate_tick(context)
    asked = [(r.tags[RANGE_START], r.tags[RANGE_END]) for r in data.run_requests or []]
    assert asked == [("001-abington", "003-acushnet"), ("025-bellingham", "025-bellingham")]


def test_ranges_never_cover_a_town_that_was_not_asked_for() -> None:
    towns = [find_town(str(i)) for i in (351, 1, 3, 2, 349)]
    assert [(a.town_id, b.town_id) for a, b in ranges(towns, demo=False)] == [(1, 3), (349, 349), (351, 351)]
    assert len(list(town_run_requests(towns, demo=False))) == 3


def test_a_failed_run_is_told_by_webhook(
    settings: LeadflowSettings, instance: dg.DagsterInstance, source: MassgisServer, tmp_path: Path
) -> None:
    serve(source, tmp_path, faulty="monson")
    result = run_towns(settings, instance)
    told: list[dict[str, str]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/alert"
        hooked = LeadflowSettings(overrides={**settings.overrides, "leadflow_alert_webhook_url": url})
        context = dg.build_run_status_sensor_context(
            sensor_name="alert_on_failure",
            dagster_instance=instance,
            dagster_run=result.dagster_run,
            dagster_event=result.get_run_failure_event(),
            resources={"settings": hooked},
        ).for_run_failure()
        alert_on_failure(context)
    finally:
        server.shutdown()
        server.server_close()
    assert told[0]["run_id"] == result.run_id and "191-monson" in told[0]["message"]


def test_the_same_bytes_under_a_new_mark_are_fetched_once_and_not_every_night(
    settings: LeadflowSettings, source: MassgisServer, tmp_path: Path
) -> None:
    serve(source, tmp_path)
    town = find_town(TOWNS[0])
    path = tmp_path / town.shapefile_zip
    by_hand = RefreshOptions(source=str(path))
    assert [r.status for r in refresh_towns(settings.load(), [town], by_hand)] == ["refreshed"]
    assert [r.status for r in refresh_towns(settings.load(), [town])] == ["unchanged"]
    before = len(source.requests)
    assert [r.status for r in refresh_towns(settings.load(), [town])] == ["unchanged"]
    assert [request.method for request in source.requests[before:]] == ["HEAD"]


@pytest.mark.slow
def test_the_search_index_follows_the_mart_once_per_snapshot(
    settings: LeadflowSettings, instance: dg.DagsterInstance, source: MassgisServer, tmp_path: Path
) -> None:
    definitions = build_definitions(settings)

    def ask() -> dg.RunRequest | dg.SkipReason:
        resources = {"settings": settings}
        answer = search_index_outdated(dg.build_sensor_context(instance=instance, resources=resources))
        assert isinstance(answer, dg.RunRequest | dg.SkipReason)
        return answer

    assert "is empty" in str(getattr(ask(), "skip_message", ""))
    serve(source, tmp_path)
    assert run_towns(settings, instance).success
    request = ask()
    assert isinstance(request, dg.RunRequest) and ask() == request
    result = definitions.resolve_job_def("build_search_index").execute_in_process(instance=instance)
    (event,) = result.get_asset_materialization_events()
    metadata = event.materialization.metadata
    assert metadata["towns"].value == 3 and metadata["dagster/row_count"].value > 100
    assert isinstance(ask(), dg.SkipReason)
    with open_searcher(settings.load(), engine="index") as searcher:
        assert searcher.count(SearchCriteria(towns=(190, 191, 192))) > 100
