"""Settings: the order of their sources, what is refused, and that secrets stay secret."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from leadflow_assets.errors import UsageError
from leadflow_assets.settings import Settings, is_secret, load_settings, origins

SECRETS = {
    "leadflow_alert_webhook_url",
    "leadflow_smtp_password",
    "database_url",
    "aws_secret_access_key",
    "attom_api_key",
    "courtlistener_api_key",
    "batchdata_api_key",
    "openai_api_key",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory and an environment without our settings."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_later_sources_win_and_are_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = ("leadflow_workers", "massgis_max_age_days", "massgis_max_package_mb", "daily_cap_attom_cents")
    workers, age, package, _ = keys
    (folder / "leadflow.toml").write_text(f"{workers} = 3\n{age} = 3\n{package} = 3\n")
    (folder / ".env").write_text(f"{workers.upper()}=4\n{age.upper()}=4\n")
    monkeypatch.setenv(workers.upper(), "5")
    settings = load_settings()
    assert [getattr(settings, key) for key in keys] == [5, 4, 3, 10_000]
    found = origins(settings)
    assert [found[key] for key in keys] == ["environment", ".env", "leadflow.toml", "default"]


def test_an_empty_variable_is_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADFLOW_WORKERS", "")
    settings = load_settings()
    assert settings.leadflow_workers == 2
    assert origins(settings)["leadflow_workers"] == "default"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LEADFLOW_WORKERS", "many"),
        ("LEADFLOW_WORKERS", "0"),
        ("LEADFLOW_LAKE", "gs://bucket/lake"),
        ("LEADFLOW_LAKE", "s3://"),
        ("LEADFLOW_WATCHED_TOWNS", "bellingham"),
        ("LEADFLOW_COURTS", "mab;mad"),
        ("LEADFLOW_COURTLISTENER_CALLS_PER_DAY", "0"),
        ("MASSGIS_DIRECTORY_TIMEOUT", "-1"),
        ("LEADFLOW_SMTP_PORT", "70000"),
        ("LEADFLOW_SMTP_SECURITY", "ssl"),
        ("LEADFLOW_ALERT_EMAIL_FROM", "ann@example.org,bob@example.org"),
        ("LEADFLOW_ALERT_EMAIL_TO", "ann@example.org;bob@example.org"),
        ("LEADFLOW_ALERT_EMAIL_TO", "ann"),
        ("LEADFLOW_CHANGE_SCORE_THRESHOLDS", "40,high"),
        ("LEADFLOW_CHANGE_SCORE_THRESHOLDS", "0,40"),
        ("LEADFLOW_CHANGE_SCORE_THRESHOLDS", "nan"),
    ],
)
def test_a_bad_value_is_named_and_shown(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(UsageError) as caught:
        load_settings()
    assert name in caught.value.message
    assert value in caught.value.message


def test_a_bad_secret_is_named_and_not_shown() -> None:
    with pytest.raises(UsageError) as caught:
        load_settings(attom_api_key=["s3cret"])
    assert "ATTOM_API_KEY" in caught.value.message
    assert "s3cret" not in str(caught.value)


def test_an_unknown_key_in_the_file_is_refused(folder: Path) -> None:
    (folder / "leadflow.toml").write_text("leadflow_wrokers = 3\n")
    with pytest.raises(UsageError, match="leadflow_wrokers"):
        load_settings()


def test_a_file_that_is_no_toml_is_refused(folder: Path) -> None:
    (folder / "leadflow.toml").write_text("workers: 3\n")
    with pytest.raises(UsageError, match="not valid TOML"):
        load_settings()


def test_secrets_are_marked_collected_and_hidden() -> None:
    assert {name for name in Settings.model_fields if is_secret(name)} == SECRETS
    settings = load_settings(attom_api_key=SecretStr("short"), openai_api_key=SecretStr("a longer one"))
    assert settings.secret_values() == ["a longer one", "short"]
    assert "short" not in repr(settings)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "{folder}/data/lake"),
        ({"leadflow_data_dir": "elsewhere"}, "{folder}/elsewhere/lake"),
        ({"leadflow_lake": "lakes/one/"}, "{folder}/lakes/one"),
        ({"leadflow_lake": "s3://bucket/lake/"}, "s3://bucket/lake"),
        ({"use_s3_for_gis": True, "aws_storage_bucket_name": "gis"}, "s3://gis/lake"),
        ({"aws_storage_bucket_name": "gis"}, "{folder}/data/lake"),
        (
            {"use_s3_for_gis": True, "aws_storage_bucket_name": "gis", "leadflow_lake": "here"},
            "{folder}/here",
        ),
    ],
)
def test_where_the_lake_is(given: dict[str, object], expected: str, folder: Path) -> None:
    assert load_settings(**given).lake_uri == expected.format(folder=folder.resolve())


def test_where_the_state_database_is(folder: Path) -> None:
    assert load_settings().state_url == f"sqlite:///{folder.resolve()}/data/state.sqlite"
    heroku = load_settings(database_url=SecretStr("postgres://u:p@h/postgres://"))
    assert heroku.state_url == "postgresql://u:p@h/postgres://"


def test_the_demo_is_on_by_setting_or_marker(folder: Path) -> None:
    assert not load_settings().demo_on
    assert load_settings(leadflow_demo=True).demo_on
    (folder / "data").mkdir()
    (folder / "data" / "demo-on").touch()
    assert load_settings().demo_on


def test_thresholds_and_addresses_are_put_in_order() -> None:
    assert load_settings().change_score_thresholds == (40, 60, 80)
    assert load_settings(leadflow_change_score_thresholds="90, 12.5,90").change_score_thresholds == (12.5, 90)
    given = load_settings(leadflow_alert_email_to=" ann@example.org, bob@example.org ,ann@example.org")
    assert given.leadflow_alert_email_to == "ann@example.org,bob@example.org"
