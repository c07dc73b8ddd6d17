"""Telling somebody: one JSON message to the address that LEADFLOW_ALERT_WEBHOOK_URL names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import httpx

from leadflow_assets.settings import Settings

_WEBHOOK_SECONDS = 10.0


def send_alert(settings: Settings, payload: Mapping[str, Any], key: str | None = None) -> None:
    """POST the alert where one is wanted; with ``key`` as Idempotency-Key, so that a second copy is known.

    Raises:
        httpx.HTTPError: it was not delivered; Dagster shows the failed tick.
    """
    url = settings.leadflow_alert_webhook_url
    if url is not None:
        headers = {"Idempotency-Key": key} if key is not None else {}
        answer = httpx.post(
            url.get_secret_value(), json=dict(payload), headers=headers, timeout=_WEBHOOK_SECONDS
        )
        answer.raise_for_status()


def alert_sender(settings: Settings) -> Callable[[Mapping[str, Any], str], None] | None:
    """:func:`send_alert` for these settings; None where no address is set."""
    return partial(send_alert, settings) if settings.leadflow_alert_webhook_url else None
