"""Telling somebody: one JSON message to the address that LEADFLOW_ALERT_WEBHOOK_URL names."""

from __future__ import annotations

import httpx

from leadflow_assets.settings import Settings

_WEBHOOK_SECONDS = 10.0


def send_alert(settings: Settings, payload: dict[str, str]) -> None:
    """POST the alert where one is wanted.

    Raises:
        httpx.HTTPError: it was not delivered; Dagster shows the failed tick.
    """
    url = settings.leadflow_alert_webhook_url
    if url is not None:
        httpx.post(url.get_secret_value(), json=payload, timeout=_WEBHOOK_SECONDS).raise_for_status()
