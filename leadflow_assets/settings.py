"""Every setting of the product: its environment name, file key, default and whether it is secret.

Order, later wins: defaults < ``leadflow.toml`` (working directory) < ``.env`` < environment. The file key
is the environment name in lower case. ``docs/settings.md`` is generated from this class.
"""

from __future__ import annotations

import os
import re
import tomllib
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from leadflow_assets.errors import UsageError
from leadflow_assets.settings_web import WebSettings

Origin = Literal["default", "leadflow.toml", ".env", "environment"]
TOML_FILE = "leadflow.toml"
ENV_FILE = ".env"
_ADDRESS = re.compile(r"[^\s@,<>\"]+@[^\s@,<>\"]+")


class Settings(WebSettings):
    """Effective settings. Relative paths are taken from the working directory."""

    model_config = SettingsConfigDict(
        env_file=ENV_FILE, toml_file=TOML_FILE, extra="ignore", env_ignore_empty=True, frozen=True
    )

    # The lake and the folder for everything else that is written.
    leadflow_data_dir: Path = Field(
        Path("data"), description="Folder for everything that is written and is not the lake."
    )
    leadflow_lake: str = Field(
        "", description="The lake: a folder or s3://bucket/prefix. Empty: `lake` in the data folder."
    )
    leadflow_demo: bool = Field(
        False, description="Add the fictional town Sampleton (999). `leadflow demo` switches it on."
    )
    leadflow_workers: int = Field(2, ge=1, le=64, description="Worker processes of a refresh.")
    leadflow_duckdb_memory: str = Field("4GB", description="DuckDB memory limit of one process.")
    leadflow_alert_webhook_url: SecretStr | None = Field(
        None, description="Where a failed run is reported (JSON POST). Unset: the log only."
    )
    leadflow_smtp_host: str = Field("", description="Mail server of e-mail alerts. Empty: no e-mail.")
    leadflow_smtp_port: int = Field(587, ge=1, le=65535, description="Port of the mail server.")
    leadflow_smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="How the line to the mail server is encrypted: `starttls`, `tls` or `none`."
    )
    leadflow_smtp_user: str = Field("", description="User of the mail server. Empty: no login.")
    leadflow_smtp_password: SecretStr | None = Field(None, description="Password of that user.")
    leadflow_alert_email_from: str = Field("", description="Address that e-mail alerts come from.")
    leadflow_alert_email_to: str = Field(
        "", description="Addresses that e-mail alerts go to, separated by commas."
    )
    leadflow_alert_email_owners: bool = Field(
        False, description="May e-mail alerts hold the names of owners? They are personal data."
    )
    leadflow_change_score_thresholds: str = Field(
        "40,60,80",
        description="Distress scores whose crossing is an event, separated by commas; above 0, at most 100.",
    )
    leadflow_watched_towns: str = Field(
        "held",
        description="Towns the sensor and the nightly schedule keep fresh: `held` (those in the lake), "
        "`all`, or ids separated by commas.",
    )
    database_url: SecretStr | None = Field(
        None, description="State database (SQLAlchemy URL). Unset: `state.sqlite` in the data folder."
    )

    # S3 (names kept from the predecessor).
    use_s3_for_gis: bool = Field(
        False, description="With AWS_STORAGE_BUCKET_NAME and no LEADFLOW_LAKE: the lake is s3://BUCKET/lake."
    )
    aws_storage_bucket_name: str = Field("", description="Bucket used by USE_S3_FOR_GIS.")
    aws_s3_region_name: str = Field("us-east-1", description="Region of the bucket.")
    aws_access_key_id: str = Field("", description="Access key. Empty: the usual AWS credential chain.")
    aws_secret_access_key: SecretStr | None = Field(None, description="Secret of the access key.")
    aws_endpoint_url: str = Field("", description="S3 server other than Amazon's, for example MinIO.")

    # MassGIS (the first two names kept from the predecessor).
    massgis_live_fetch_enabled: bool = Field(True, description="May MassGIS be asked over the network?")
    massgis_directory_timeout: float = Field(
        10.0, gt=0, le=600, description="Seconds to wait for the links table and for a HEAD request."
    )
    massgis_links: str = Field(
        "https://www.mass.gov/doc/massgis-parcel-data-download-links-table/download",
        description="Table of download links: URL or file (.xlsx or .csv). The shipped copy is the fallback.",
    )
    massgis_max_age_days: int = Field(
        90, ge=1, description="Age at which a package that cannot be checked is fetched again."
    )
    massgis_max_package_mb: int = Field(
        512, ge=1, description="Largest package accepted, megabytes (unpacked: twenty times that)."
    )

    # Geocoding: the parcels themselves answer; an online service only if it is switched on.
    leadflow_online_geocoder: Literal["off", "census"] = Field(
        "off", description="Ask the US Census geocoder for addresses that no parcel has: `census`, or `off`."
    )
    census_geocoder_url: str = Field(
        "https://geocoding.geo.census.gov/geocoder", description="Base URL of the US Census geocoder."
    )

    # Vendors of later sources; `leadflow doctor` says which are set.
    attom_api_key: SecretStr | None = Field(None, description="ATTOM API key.")
    attom_cache_max_age_days: int = Field(60, ge=0, description="Age at which an ATTOM answer is stale.")
    leadflow_attom_negative_max_age_days: int = Field(
        30, ge=0, description="Age at which ATTOM's `no match` is asked again."
    )
    leadflow_attom_url: str = Field(
        "https://api.gateway.attomdata.com", description="Base URL of the ATTOM API."
    )
    leadflow_attom_calls_per_minute: int = Field(
        200, ge=1, description="Calls to ATTOM in a clock minute, over all processes; ATTOM's limit is 200."
    )
    leadflow_attom_price_cents: Decimal = Field(
        Decimal(10), ge=0, description="Cents that ATTOM bills for one report."
    )
    leadflow_attom_prices: dict[str, Decimal] = Field(
        {},
        description="Cents per report where an endpoint has a price of its own, as JSON: "
        '`{"homeequity": 20}`.',
    )
    leadflow_attom_monthly_cap_cents: int | None = Field(
        None, ge=0, description="Monthly spending cap at ATTOM, cents. Unset: only the daily cap holds."
    )
    attom_default_state: str = Field("MA", description="State assumed in ATTOM requests.")
    daily_cap_attom_cents: int = Field(10000, ge=0, description="Daily spending cap at ATTOM, cents.")
    leadflow_attom_endpoints: str = Field(
        "expandedprofile,detailmortgageowner,preforeclosuredetails,homeequity,attomavm",
        description="Endpoints that a batch asks about each property, separated by commas; each is billed.",
    )
    leadflow_attom_deliveries: str = Field(
        "", description="Folder or s3://bucket/prefix where ATTOM's delivered files arrive. Empty: none."
    )
    leadflow_attom_batch_url: str = Field(
        "",
        description="Base URL of an address-batch service of ATTOM. Empty: off; no such service is public.",
    )
    batch_upload_dir: str = Field("_batches/uploads", description="Uploaded batch files, below the lake.")
    batch_results_dir: str = Field("_batches/results", description="Delivered files, below the lake.")
    courtlistener_api_key: SecretStr | None = Field(None, description="CourtListener API token.")
    leadflow_courtlistener_url: str = Field(
        "https://www.courtlistener.com/api/rest/v4", description="Base URL of the CourtListener API."
    )
    leadflow_courtlistener_calls_per_minute: int = Field(
        5, ge=1, description="Calls to CourtListener in any minute, over all processes; 5 without membership."
    )
    leadflow_courtlistener_calls_per_hour: int = Field(
        50, ge=1, description="Calls to CourtListener in any hour; 50 without membership."
    )
    leadflow_courtlistener_calls_per_day: int = Field(
        125, ge=1, description="Calls to CourtListener in any 24 hours; 125 without membership."
    )
    leadflow_courts: str = Field(
        "mab,mad", description="CourtListener ids of the courts whose dockets are fetched, the first first."
    )
    leadflow_court_overlap_days: int = Field(
        14, ge=0, description="Days that a daily fetch of dockets looks back, since cases appear late."
    )
    leadflow_court_backfill_from: date | None = Field(
        None,
        description="First day filed that the backfill of dockets reaches, YYYY-MM-DD; empty: none.",
    )
    leadflow_court_calls_kept: int = Field(
        10, ge=0, description="Calls of a day that the routine leaves for people's own court look-ups."
    )
    lien_search_auto_threshold: int = Field(
        1000, ge=0, description="Largest list for which court look-ups start by themselves."
    )
    leadflow_assumed_loan_to_value: float = Field(
        80.0,
        ge=0,
        le=100,
        description="Loan in percent of the last market price, in the scenario shown where no loan is known.",
    )
    leadflow_assumed_term_months: int = Field(
        360, ge=1, description="Term of that loan in months; the scenario is never part of a score."
    )
    batchdata_api_key: SecretStr | None = Field(None, description="BatchData API key (skip trace).")
    openai_api_key: SecretStr | None = Field(None, description="OpenAI API key (letter drafts).")

    @field_validator("leadflow_lake")
    @classmethod
    def _lake_is_folder_or_s3(cls, value: str) -> str:
        if "://" in value and not value.startswith("s3://"):
            raise ValueError("must be a folder or s3://bucket/prefix")
        if value.startswith("s3://") and not value.removeprefix("s3://").strip("/"):
            raise ValueError("names no bucket: s3://bucket/prefix")
        return value.rstrip("/") if len(value) > 1 else value

    @field_validator("leadflow_attom_deliveries")
    @classmethod
    def _deliveries_are_a_folder_or_s3(cls, value: str) -> str:
        if "://" in value and not value.startswith("s3://"):
            raise ValueError("must be a folder or s3://bucket/prefix")
        return value.rstrip("/") if len(value) > 1 else value

    @field_validator("batch_upload_dir", "batch_results_dir")
    @classmethod
    def _batch_folders_are_in_the_lake(cls, value: str) -> str:
        parts = value.strip("/").split("/")
        if value.startswith("/") or "://" in value or not all(parts) or {".", ".."} & set(parts):
            raise ValueError("must be a folder below the lake, like _batches/uploads")
        return value.strip("/")

    @field_validator("leadflow_courts")
    @classmethod
    def _courts_are_ids(cls, value: str) -> str:
        ids = [part.strip() for part in value.split(",")]
        if not all(re.fullmatch(r"[a-z0-9]{2,15}", court) for court in ids):
            raise ValueError("must be CourtListener's court ids separated by commas, like mab,mad")
        return ",".join(dict.fromkeys(ids))

    @field_validator("leadflow_watched_towns")
    @classmethod
    def _watched_towns_are_known_words_or_ids(cls, value: str) -> str:
        if value in {"held", "all"} or all(part.strip().isdigit() for part in value.split(",")):
            return value
        raise ValueError("must be `held`, `all`, or town ids separated by commas")

    @field_validator("leadflow_alert_email_from", "leadflow_alert_email_to")
    @classmethod
    def _addresses_are_plain(cls, value: str) -> str:
        addresses = [part.strip() for part in value.split(",")] if value.strip() else []
        if not all(_ADDRESS.fullmatch(address) for address in addresses):
            raise ValueError("must be e-mail addresses like ann@example.org, separated by commas")
        return ",".join(dict.fromkeys(addresses))

    @field_validator("leadflow_alert_email_from")
    @classmethod
    def _one_sender(cls, value: str) -> str:
        if "," in value:
            raise ValueError("must be one address")
        return value

    @field_validator("leadflow_change_score_thresholds")
    @classmethod
    def _thresholds_are_scores(cls, value: str) -> str:
        try:
            scores = {float(part) for part in value.split(",")}
        except ValueError:
            scores = set()
        if not scores or not all(0 < score <= 100 for score in scores):
            raise ValueError("must be scores above 0 and at most 100, separated by commas, like 40,60,80")
        return ",".join(f"{score:g}" for score in sorted(scores))

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment over ``.env`` over ``leadflow.toml`` over defaults."""
        return init_settings, env_settings, dotenv_settings, TomlConfigSettingsSource(settings_cls)

    @property
    def lake_uri(self) -> str:
        """The lake's base: an absolute folder, or ``s3://bucket/prefix`` without a trailing slash."""
        if self.leadflow_lake.startswith("s3://"):
            return self.leadflow_lake
        if self.leadflow_lake:
            return str(Path(self.leadflow_lake).expanduser().resolve())
        if self.use_s3_for_gis and self.aws_storage_bucket_name:
            return f"s3://{self.aws_storage_bucket_name}/lake"
        return str(self.data_dir / "lake")

    @property
    def data_dir(self) -> Path:
        """The data folder, absolute."""
        return self.leadflow_data_dir.expanduser().resolve()

    @property
    def state_url(self) -> str:
        """SQLAlchemy URL of the state database. May hold a password: never log it."""
        if self.database_url:
            url = self.database_url.get_secret_value()
            # Django and Heroku style; SQLAlchemy knows the dialect as "postgresql".
            return url.replace("postgres://", "postgresql://", 1) if url.startswith("postgres://") else url
        return f"sqlite:///{self.data_dir / 'state.sqlite'}"

    @property
    def change_score_thresholds(self) -> tuple[float, ...]:
        """The scores whose crossing is an event, the lowest first."""
        return tuple(float(part) for part in self.leadflow_change_score_thresholds.split(","))

    @property
    def demo_marker(self) -> Path:
        """File whose presence says that the demo has been run here and Sampleton is shown."""
        return self.data_dir / "demo-on"

    @property
    def demo_on(self) -> bool:
        """Is Sampleton one of the towns?"""
        return self.leadflow_demo or self.demo_marker.exists()

    def secret_values(self) -> list[str]:
        """Every secret's text, longest first, for redaction."""
        values = [v.get_secret_value() for v in dict(self).values() if isinstance(v, SecretStr)]
        return sorted((v for v in values if v), key=len, reverse=True)


def load_settings(**overrides: Any) -> Settings:
    """Read the settings now; ``overrides`` win over every source (tests, command-line flags).

    Raises:
        UsageError: a value or a key of ``leadflow.toml`` is wrong; names it, never shows a secret.
    """
    _check_toml_keys()
    try:
        return Settings(**overrides)
    except ValidationError as error:
        problems = []
        for problem in error.errors():
            name = str(problem["loc"][0]) if problem["loc"] else "settings"
            shown = "" if is_secret(name) else f" (is {problem.get('input')!r})"
            problems.append(f"{name.upper()}{shown}: {problem['msg']}")
        raise UsageError(
            "Bad setting: " + "; ".join(problems) + ".", "See docs/settings.md or `leadflow config`."
        ) from None


@cache
def is_secret(name: str) -> bool:
    """Is the setting with this field name a secret, to be masked wherever it is shown?"""
    field = Settings.model_fields.get(name)
    return field is not None and SecretStr in (field.annotation, *get_args(field.annotation))


def origins(settings: Settings) -> dict[str, Origin]:
    """Where each field's effective value came from."""
    toml = set(TomlConfigSettingsSource(Settings)())
    dotenv = set(DotEnvSettingsSource(Settings)())
    environment = set(EnvSettingsSource(Settings, env_ignore_empty=True)())
    result: dict[str, Origin] = {}
    for name in type(settings).model_fields:
        if name in environment:
            result[name] = "environment"
        elif name in dotenv:
            result[name] = ".env"
        else:
            result[name] = "leadflow.toml" if name in toml else "default"
    return result


def _check_toml_keys() -> None:
    """Refuse a misspelt key instead of ignoring it.

    Raises:
        UsageError: the file is not TOML, or has a key that is no setting.
    """
    path = Path(os.curdir) / TOML_FILE
    if not path.is_file():
        return
    try:
        keys = set(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path.resolve()} is not valid TOML: {error}.") from None
    unknown = sorted(keys - set(Settings.model_fields))
    if unknown:
        raise UsageError(
            f"{path.resolve()} has unknown keys: {', '.join(unknown)}.",
            "Keys are the environment names in lower case; see docs/settings.md.",
        )
