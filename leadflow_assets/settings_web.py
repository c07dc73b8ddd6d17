"""Settings of the page."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_NAME = re.compile(r"[A-Za-z0-9.:\[\]-]+")


class WebSettings(BaseSettings):
    """What `leadflow web` reads; a part of the settings of the whole program."""

    model_config = SettingsConfigDict(frozen=True)

    # The page.
    leadflow_web_host: str = Field(
        "127.0.0.1", description="Address the page listens on. Beyond this machine it demands a login."
    )
    leadflow_web_port: int = Field(8000, ge=1, le=65535, description="Port of the page.")
    leadflow_web_names: str = Field(
        "",
        description="Host names by which browsers reach the page, separated by commas; this machine's own "
        "names are always known.",
    )
    leadflow_web_certificate: Path | None = Field(
        None, description="File with the TLS certificate chain (PEM). With it the page speaks https."
    )
    leadflow_web_certificate_key: Path | None = Field(
        None, description="File with the certificate's private key (PEM)."
    )
    leadflow_web_session_hours: int = Field(
        12, ge=1, le=720, description="Hours after which an unused login ends."
    )
    leadflow_web_upload_mb: int = Field(20, ge=1, le=2048, description="Largest file the page takes, MB.")
    leadflow_web_basemap_url: str = Field(
        "",
        description="Tiles below the parcels, like https://tiles.example.org/{z}/{x}/{y}.png. Empty: none, "
        "and no request leaves this machine.",
    )
    leadflow_web_basemap_attribution: str = Field("", description="Whom to name as the source of the tiles.")
    leadflow_dagster_url: str = Field(
        "http://127.0.0.1:3000", description="Where the Dagster UI is, for links from the page. Empty: none."
    )

    @field_validator("leadflow_web_names")
    @classmethod
    def _names_are_hosts(cls, value: str) -> str:
        names = [part.strip().lower() for part in value.split(",") if part.strip()]
        if not all(_NAME.fullmatch(name) for name in names):
            raise ValueError("must be host names separated by commas, like leads.example.org")
        return ",".join(dict.fromkeys(names))

    @field_validator("leadflow_web_basemap_url")
    @classmethod
    def _basemap_is_a_template(cls, value: str) -> str:
        if value and (
            not value.startswith(("https://", "http://"))
            or not all(part in value for part in ("{z}", "{x}", "{y}"))
        ):
            raise ValueError("must be a URL with {z}, {x} and {y}")
        return value

    @field_validator("leadflow_dagster_url")
    @classmethod
    def _dagster_is_a_url(cls, value: str) -> str:
        if value and not value.startswith(("https://", "http://")):
            raise ValueError("must be a URL")
        return value.rstrip("/")
