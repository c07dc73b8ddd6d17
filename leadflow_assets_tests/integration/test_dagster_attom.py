"""Batches in Dagster: submitted from the UI, gone on with by a sensor, landed with checks and their cost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from leadflow_assets.assets.attom import PROPERTIES_KEY, RESULTS_KEY
from leadflow_assets.assets.resources import LeadflowSettings
from leadflow_assets.automation.attom import attom_batches_open, attom_deliveries, spend_alerts
from leadflow_assets.automation.published import published_elsewhere
from leadflow_assets.definitions import build_definitions
from leadflow_assets.domain.towns import SAMPLETON
from leadflow_assets.enrich.batches.service import Batches
from leadflow_assets.partitions import attom_batches
from leadflow_assets.sampleton import Planted
from leadflow_assets.settings import Settings
from leadflow_assets_tests.conftest import forget_environment
from leadflow_assets_tests.integration.attom_helpers import homes, known_to_the_vendor, write_addresses
from leadflow_assets_tests.integration.pipeline_helpers import refresh, settings_for
from leadflow_assets_tests.vendors.attom import KEY, AttomServer


@pytest.fixture
def loaded(tmp_path: Path, sample_package: tuple[Path, Planted], monkeypatch: pytest.MonkeyPatch) -> Settings:
    forget_environment(monkeypatch, tmp_path)
    made = settings_for(tmp_path / "data", leadflow_demo=True)
    assert refresh(made, SAMPLETON, sample_package[0]).status == "refreshed"
    return made


@pytest.fixture
def vendor(loaded: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[AttomServer]:
    with AttomServer(known_to_the_vendor(homes(loaded, 3))) as server:
        monkeypatch.setenv("ATTOM_API_KEY", KEY)
        monkeypatch.setenv("LEADFLOW_ATTOM_URL", server.base)
        yield server


@pytest.fixture
def settings(tmp_path: Path) -> LeadflowSettings:
    return LeadflowSettings(
        overrides={
            "leadflow_data_dir": str(tmp_path / "data"),
            "leadflow_demo": "true",
            "leadflow_attom_calls_per_minute": "100000",
            "leadflow_attom_endpoints": "expandedprofile,attomavm",
        }
    )


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def submit(
    settings: LeadflowSettings, instance: dg.DagsterInstance, file: Path, *, name: str = "spring"
) -> dg.ExecuteInProcessResult:
    job = build_definitions(settings).resolve_job_def("submit_attom_batch")
    config = {"ops": {"submit_batch": {"config": {"file": str(file), "name": name}}}}
    return job.execute_in_process(run_config=config, instance=instance, raise_on_error=False)


def look(settings: LeadflowSettings, instance: dg.DagsterInstance) -> dg.SensorResult:
    context = dg.build_sensor_context(instance=instance, resources={"settings": settings})
    found = attom_batches_open(context)
    assert isinstance(found, dg.SensorResult)
    return found


def land(settings: LeadflowSettings, instance: dg.DagsterInstance, job_id: str) -> dg.ExecuteInProcessResult:
    job = build_definitions(settings).resolve_job_def("land_attom_batch")
    return job.execute_in_process(partition_key=job_id, instance=instance, raise_on_error=False)


def submitted(settings: LeadflowSettings, instance: dg.DagsterInstance, rows: list[Any], folder: Path) -> str:
    result = submit(settings, instance, write_addresses(folder / "mine.csv", rows))
    assert result.success
    return str(result.output_for_node("submit_batch"))


def test_a_batch_from_the_launchpad_is_landed_by_the_sensors_run_with_every_property_accounted_for(
    settings: LeadflowSettings,
    loaded: Settings,
    instance: dg.DagsterInstance,
    vendor: AttomServer,
    tmp_path: Path,
) -> None:
    job_id = submitted(settings, instance, homes(loaded, 5), tmp_path)
    assert instance.has_dynamic_partition(str(attom_batches.name), job_id)
    assert vendor.calls == []
    (request,) = look(settings, instance).run_requests or ()
    assert request.partition_key == job_id
    result = land(settings, instance, job_id)
    assert result.success
    checks = {e.check_name: e for e in result.get_asset_check_evaluations()}
    assert {name: e.passed for name, e in checks.items()} == {
        "accounted_for": True,
        "nothing_pending": True,
        "spend_within_cap": True,
    }
    counted = {name: value.value for name, value in checks["accounted_for"].metadata.items()}
    assert counted["returned"] == 3 and counted["no_match"] == 2 and counted["requested"] == 5
    (event,) = [e for e in result.get_asset_materialization_events() if e.asset_key == RESULTS_KEY]
    metadata = event.materialization.metadata
    assert metadata["spent_cents"].value == 60.0 and metadata["cap_cents"].value == 10_000
    assert metadata["dagster/partition_row_count"].value == 10
    assert instance.get_materialized_partitions(PROPERTIES_KEY) == {job_id}
    assert not look(settings, instance).run_requests, "nothing is open any more"


def test_no_personal_data_and_no_key_reach_dagsters_records(
    settings: LeadflowSettings,
    loaded: Settings,
    instance: dg.DagsterInstance,
    vendor: AttomServer,
    tmp_path: Path,
) -> None:
    job_id = submitted(settings, instance, homes(loaded, 3), tmp_path)
    result = land(settings, instance, job_id)
    said = json.dumps([str(entry) for entry in instance.all_logs(result.run_id)])
    assert "EXAMPLE PAT" not in said and KEY not in said


@pytest.mark.slow
def test_at_the_cap_the_run_ends_without_a_result_and_the_sensor_waits(
    settings: LeadflowSettings,
    loaded: Settings,
    instance: dg.DagsterInstance,
    vendor: AttomServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DAILY_CAP_ATTOM_CENTS", "20")
    job_id = submitted(settings, instance, homes(loaded, 3), tmp_path)
    result = land(settings, instance, job_id)
    assert result.success and not result.get_asset_materialization_events()
    while look(settings, instance).run_requests:
        # A call that was called off before it was sent gives its cents back, and the sensor uses them.
        assert land(settings, instance, job_id).success
    assert vendor.reports == 2
    assert "cap" in str(look(settings, instance).skip_reason)
    told = spend_alerts(dg.build_sensor_context(instance=instance, resources={"settings": settings}))
    assert isinstance(told, dg.SensorResult) and "2 alerts" in str(told.skip_reason)
    monkeypatch.setenv("DAILY_CAP_ATTOM_CENTS", "1000")
    assert len(look(settings, instance).run_requests or ()) == 1
    assert land(settings, instance, job_id).success
    assert vendor.reports == 6


def test_without_a_key_the_sensor_says_what_to_set(
    settings: LeadflowSettings,
    loaded: Settings,
    instance: dg.DagsterInstance,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("ATTOM_API_KEY", raising=False)
    job_id = submitted(settings, instance, homes(loaded, 2), tmp_path)
    found = look(settings, instance)
    assert not found.run_requests and "set ATTOM_API_KEY" in str(found.skip_reason)
    result = land(settings, instance, job_id)
    assert not result.success
    failure = next(e for e in result.all_events if e.is_step_failure)
    assert "ATTOM_API_KEY" in failure.step_failure_data.error_display_string


def test_a_batch_of_the_command_line_appears_in_dagster_once(
    settings: LeadflowSettings,
    loaded: Settings,
    instance: dg.DagsterInstance,
    vendor: AttomServer,
    tmp_path: Path,
) -> None:
    batches = Batches(settings.load())
    job = batches.create(write_addresses(tmp_path / "mine.csv", homes(loaded, 3)), name="terminal")
    batches.submit(job.job_id)
    batches.advance(job.job_id)
    context = dg.build_sensor_context(instance=instance, resources={"settings": settings})
    first = published_elsewhere(context)
    assert isinstance(first, dg.SensorResult)
    told = {
        (e.asset_key, e.partition) for e in first.asset_events if e.asset_key in (RESULTS_KEY, PROPERTIES_KEY)
    }
    assert told == {(RESULTS_KEY, job.job_id), (PROPERTIES_KEY, job.job_id)}
    assert instance.has_dynamic_partition(str(attom_batches.name), job.job_id)
    again = published_elsewhere(
        dg.build_sensor_context(instance=instance, cursor=first.cursor, resources={"settings": settings})
    )
    assert isinstance(again, dg.SensorResult) and not again.asset_events


def test_deliveries_are_taken_only_where_a_folder_is_named(
    settings: LeadflowSettings, loaded: Settings, instance: dg.DagsterInstance
) -> None:
    found = attom_deliveries(dg.build_sensor_context(instance=instance, resources={"settings": settings}))
    assert isinstance(found, dg.SensorResult)
    assert "LEADFLOW_ATTOM_DELIVERIES" in str(found.skip_reason)


def test_a_file_that_cannot_be_read_fails_the_submission_in_words(
    settings: LeadflowSettings, loaded: Settings, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    result = submit(settings, instance, tmp_path / "nowhere.csv")
    assert not result.success
    failure = next(e for e in result.all_events if e.is_step_failure)
    assert "nowhere.csv" in failure.step_failure_data.error_display_string
