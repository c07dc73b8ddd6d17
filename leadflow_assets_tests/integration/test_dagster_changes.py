"""Changes by themselves: Dagster compares, tells who watches, and shows what could not be delivered."""

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import update

from leadflow_assets.assets.changes import CHANGES_KEY
from leadflow_assets.assets.resources import LeadflowSettings
from leadflow_assets.automation.changes import changes_outdated, changes_to_tell
from leadflow_assets.cli.app import main
from leadflow_assets.definitions import build_definitions
from leadflow_assets.domain.digest_day import last_digest
from leadflow_assets.enrich.changes import due
from leadflow_assets.enrich.changes.service import build, outdated
from leadflow_assets.enrich.scores.service import score_towns
from leadflow_assets.search.criteria import SearchCriteria
from leadflow_assets.search.lists.service import SavedLists
from leadflow_assets.settings import Settings
from leadflow_assets.state import database
from leadflow_assets.state.models import SavedListRow
from leadflow_assets.state.models_changes import ChangeMessageRow
from leadflow_assets_tests.integration.changes_helpers import (
    events_of,
    match,
    publish_matches,
    publish_release,
    watch_list,
    write_releases,
)
from leadflow_assets_tests.integration.pipeline_helpers import settings_for
from leadflow_assets_tests.vendors.smtp import Mailbox, mail_server
from leadflow_assets_tests.vendors.webhook import Hook, webhook_server

EARLY = datetime(2026, 1, 1, tzinfo=UTC)
watch = partial(watch_list, now=EARLY)
RECIPIENT = "ann@example.org"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Two releases of Sampleton and a list of three properties; nothing compared, nothing scored."""
    folder = tmp_path_factory.mktemp("dagster_changes")
    (first, _), (second, planted) = write_releases(folder, 2)
    settings = settings_for(folder / "data", leadflow_demo=True)
    publish_release(settings, first)
    with SavedLists(settings, clock=lambda: EARLY) as lists:
        lists.save_static("picked", [f"999-{case['PROP_ID']}" for case in planted.quirks["sale"]][:3])
        lists.save_dynamic("recent", SearchCriteria(sold_after="2024-06-01"))
    publish_release(settings, second)
    return settings


@pytest.fixture
def settings(base: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A copy of that lake and its state, which the environment names too."""
    shutil.copytree(base.data_dir, tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LEADFLOW_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("LEADFLOW_DEMO", "true")
    monkeypatch.setenv("MASSGIS_LIVE_FETCH_ENABLED", "false")
    return settings_for(tmp_path / "data", leadflow_demo=True)


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    with webhook_server() as running:
        monkeypatch.setenv("LEADFLOW_ALERT_WEBHOOK_URL", running.url)
        yield running


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    with mail_server() as running:
        monkeypatch.setenv("LEADFLOW_SMTP_HOST", "127.0.0.1")
        monkeypatch.setenv("LEADFLOW_SMTP_PORT", str(running.port))
        monkeypatch.setenv("LEADFLOW_SMTP_SECURITY", "none")
        monkeypatch.setenv("LEADFLOW_ALERT_EMAIL_FROM", "leads@example.org")
        monkeypatch.setenv("LEADFLOW_ALERT_EMAIL_TO", RECIPIENT)
        yield running


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def run_job(name: str, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    job = build_definitions().resolve_job_def(name)
    return job.execute_in_process(instance=instance, raise_on_error=False)


def asked(sensor: Any, instance: dg.DagsterInstance) -> list[str]:
    """Run keys that a sensor asks for now."""
    answer = sensor(dg.build_sensor_context(instance=instance, resources={"settings": LeadflowSettings()}))
    assert isinstance(answer, dg.SensorResult)
    return [str(request.run_key) for request in answer.run_requests or ()]


def warnings_of(instance: dg.DagsterInstance, result: dg.ExecuteInProcessResult) -> list[str]:
    return [line.user_message for line in instance.all_logs(result.run_id) if line.level == 30]


def failure_of(result: dg.ExecuteInProcessResult) -> tuple[str | None, str]:
    (event,) = [event for event in result.all_events if event.is_step_failure]
    assert event.step_failure_data.user_failure_data is not None
    return event.step_key, str(event.step_failure_data.user_failure_data.description)


def make_due(settings: Settings, **more: Any) -> None:
    """Every waiting message may be tried now."""
    with database.session(settings) as session:
        session.execute(
            update(ChangeMessageRow).values(next_try_at=datetime.now(UTC) - timedelta(seconds=1), **more)
        )
        session.commit()


def test_a_score_that_crosses_a_threshold_is_told_once(
    settings: Settings, hook: Hook, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEADFLOW_CHANGE_SCORE_THRESHOLDS", "5")
    with SavedLists(settings) as lists:
        picked = lists.members("picked")[0].property_id
    watch(settings, "picked", "webhook", kinds=["score_crossed"])
    score_towns(settings)
    (first,) = asked(changes_outdated, instance)
    assert [first] == asked(changes_outdated, instance) and first.startswith("changes:")
    assert run_job("build_changes", instance).success
    assert asked(changes_outdated, instance) == [] and hook.calls == []

    filed = datetime.now(UTC).date() - timedelta(days=30)
    case = match(picked, "case-1", tier="confirmed", probability=0.99, date_filed=filed)
    publish_matches(settings, [case])
    assert score_towns(settings).towns_changed == (999,)
    (second,) = asked(changes_outdated, instance)
    assert second != first
    assert run_job("build_changes", instance).success
    ((_, payload),) = hook.calls
    assert payload["list"] == "picked"
    assert [(e["property_id"], e["kind"]) for e in payload["events"]] == [(picked, "score_crossed")]
    (row,) = [row for row in events_of(settings) if row["kind"] == "score_crossed"]
    assert (row["score_threshold"], row["score_direction"]) == (5, "up")
    assert asked(changes_outdated, instance) == asked(changes_to_tell, instance) == []
    assert run_job("build_changes", instance).success and run_job("tell_changes", instance).success
    assert len(hook.calls) == 1


def test_a_town_shows_its_events_and_nobody_by_name(settings: Settings, instance: dg.DagsterInstance) -> None:
    job = build_definitions().resolve_implicit_global_asset_job_def()
    ends = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
    result = job.execute_in_process(
        instance=instance, asset_selection=[CHANGES_KEY], tags=dict.fromkeys(ends, "999-sampleton")
    )
    assert result.success
    event = instance.get_latest_materialization_event(CHANGES_KEY)
    assert event is not None and event.asset_materialization is not None
    assert event.asset_materialization.partition == "999-sampleton"
    metadata = event.asset_materialization.metadata
    assert isinstance(metadata["kinds"], dg.TableMetadataValue)
    kinds = {record.data["kind"]: record.data["new"] for record in metadata["kinds"].records}
    rows = events_of(settings)
    assert kinds["sale"] == len([row for row in rows if row["kind"] == "sale"]) > 0
    assert metadata["new_events"].value == len(rows) == metadata["dagster/partition_row_count"].value
    assert metadata["splits_and_mergers_seen"].value is True
    shown = json.dumps([str(line) for line in instance.all_logs(result.run_id)])
    names = {row[name] for row in rows for name in ("owner_after", "site_address", "mailing_after")} - {None}
    assert names and not any(name in shown for name in names)


def test_who_watches_is_told_of_what_came_to_a_list_once(
    settings: Settings, hook: Hook, instance: dg.DagsterInstance
) -> None:
    build(settings)
    assert asked(changes_to_tell, instance) == []  # nobody watches
    watch(settings, "recent", "webhook", kinds=["list_gained"])
    (first,) = asked(changes_to_tell, instance)
    assert [first] == asked(changes_to_tell, instance)
    assert run_job("tell_changes", instance).success
    assert {event["kind"] for event in hook.calls[0][1]["events"]} == {"list_gained"}
    assert asked(changes_to_tell, instance) == []
    watch(settings, "picked", "webhook", kinds=["list_gained"])
    (second,) = asked(changes_to_tell, instance)
    assert second != first and run_job("tell_changes", instance).success and len(hook.calls) == 1
    (more,) = [row["property_id"] for row in events_of(settings) if row["kind"] == "appeared"]
    with SavedLists(settings) as lists:
        lists.add("picked", [more])
    assert len(asked(changes_to_tell, instance)) == 1 and run_job("tell_changes", instance).success
    assert [event["property_id"] for event in hook.calls[1][1]["events"]] == [more]
    assert asked(changes_to_tell, instance) == []


def test_a_digest_is_asked_for_when_its_hour_has_come(settings: Settings) -> None:
    watch(settings, "picked", "webhook", "daily")
    eight = last_digest(datetime.now(UTC))
    due.remember(settings, due.lake_state(settings), due.told_state(settings, now=eight))
    assert due.outstanding(settings, now=eight) is None
    # Midnight is another day, on which a search may find something else; the hour asks once more.
    before, after = eight + timedelta(hours=22), eight + timedelta(hours=25)
    due.remember(settings, due.lake_state(settings), due.told_state(settings, now=before))
    assert due.outstanding(settings, now=before) is None
    assert due.outstanding(settings, now=after) is not None


def test_a_mail_server_that_is_down_shows_and_later_delivers_once(
    settings: Settings, mailbox: Mailbox, instance: dg.DagsterInstance
) -> None:
    watch(settings, "picked", "email")
    mailbox.refuse = "451 later"
    result = run_job("build_changes", instance)
    assert result.success and not mailbox.messages and outdated(settings) is None
    (said,) = warnings_of(instance, result)
    assert "picked by email: The mail server answered 451." in said and "leadflow changes outbox" in said
    assert asked(changes_to_tell, instance) == []  # not at once

    make_due(settings)
    (again,) = asked(changes_to_tell, instance)
    assert run_job("tell_changes", instance).success
    # After an hour a person is needed: the step fails, which is told of as every failed run is.
    make_due(settings, created_at=datetime.now(UTC) - timedelta(hours=2))
    assert asked(changes_to_tell, instance) != [again]
    result = run_job("build_changes", instance)
    assert failure_of(result)[0] == "tell_who_watches"
    assert (
        "1 messages wait for longer than an hour: picked by email: The mail server" in failure_of(result)[1]
    )
    assert [event.step_key for event in result.all_events if event.is_step_success] == ["build_all_changes"]
    shown = str(list(instance.all_logs(result.run_id)))
    assert RECIPIENT not in shown

    mailbox.refuse = ""
    make_due(settings)
    assert run_job("tell_changes", instance).success and run_job("tell_changes", instance).success
    assert [letter["Subject"] for letter in mailbox.messages] == ["picked: 3 sales"]


def test_a_webhook_that_refuses_keeps_its_address_to_itself(
    settings: Settings, hook: Hook, instance: dg.DagsterInstance
) -> None:
    watch(settings, "picked", "webhook")
    hook.status = 404
    result = run_job("build_changes", instance)
    assert result.success
    assert "picked by webhook: the webhook answered 404." in warnings_of(instance, result)[0]
    assert "secret-hook" not in str(list(instance.all_logs(result.run_id)))


def test_half_an_email_configuration_is_said_and_keeps_no_webhook_waiting(
    settings: Settings,
    hook: Hook,
    mailbox: Mailbox,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LEADFLOW_ALERT_EMAIL_TO", "")
    watch(settings, "picked", "webhook")
    watch(settings, "picked", "email")
    result = run_job("build_changes", instance)
    assert result.success and len(hook.calls) == 1
    said = " ".join(warnings_of(instance, result))
    assert "LEADFLOW_ALERT_EMAIL_TO" in said and "picked by email: email is not configured" in said


def test_a_list_that_cannot_be_refreshed_fails_alone(
    settings: Settings, hook: Hook, instance: dg.DagsterInstance
) -> None:
    watch(settings, "picked", "webhook")
    watch(settings, "recent", "webhook")
    with database.session(settings) as session:
        # A filter that another version of the program knows.
        changed = update(SavedListRow).where(SavedListRow.name == "recent")
        session.execute(changed.values(criteria_json='{"unheard_of": 1}'))
        session.commit()
    result = run_job("build_changes", instance)
    step, said = failure_of(result)
    assert step == "tell_who_watches" and said.startswith("Watched lists are not up to date: recent: ")
    assert "picked" in [payload["list"] for _, payload in hook.calls]
    assert len(asked(changes_to_tell, instance)) == 1  # it is tried again


def test_the_command_builds_with_the_scores_and_thresholds_of_the_settings(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with SavedLists(settings) as lists:
        picked = lists.members("picked")[0].property_id
    score_towns(settings)
    assert main(["changes", "build"]) == 0
    filed = datetime.now(UTC).date() - timedelta(days=30)
    case = match(picked, "case-1", tier="confirmed", probability=0.99, date_filed=filed)
    publish_matches(settings, [case])
    score_towns(settings)
    monkeypatch.setenv("LEADFLOW_CHANGE_SCORE_THRESHOLDS", "5,99")
    capsys.readouterr()
    assert main(["changes", "build", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["added"] == {"case_matched": 1, "score_crossed": 1}


def doctor(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, str]]:
    main(["doctor", "--json"])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return {row["name"]: row for row in rows}


def test_the_doctor_says_what_is_configured_and_what_waits(
    settings: Settings,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = doctor(capsys)
    assert found["e-mail alerts"]["status"] == "not_configured"
    assert (found["change alerts"]["status"], found["change alerts"]["detail"]) == (
        "ok",
        "0 watches, 0 messages wait",
    )
    monkeypatch.setenv("LEADFLOW_SMTP_HOST", "127.0.0.1")
    assert doctor(capsys)["e-mail alerts"]["status"] == "warning"
    monkeypatch.setenv("LEADFLOW_SMTP_PORT", "9")
    monkeypatch.setenv("LEADFLOW_ALERT_EMAIL_FROM", "leads@example.org")
    monkeypatch.setenv("LEADFLOW_ALERT_EMAIL_TO", RECIPIENT)
    watch(settings, "picked", "email")
    assert run_job("build_changes", instance).success
    found = doctor(capsys)
    assert found["e-mail alerts"]["status"] == "ok" and "127.0.0.1:9" in found["e-mail alerts"]["detail"]
    assert found["change alerts"]["status"] == "warning"
    assert "1 were refused" in found["change alerts"]["detail"]
    assert "ConnectionRefusedError" in found["change alerts"]["detail"]
    assert RECIPIENT not in json.dumps(found)
