"""ATTOM as the settings configure it: its ledger, its kept answers, its prices, its client."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from leadflow_assets.enrich.attom_cache import VENDOR, AttomCache
from leadflow_assets.lake.lake import Lake
from leadflow_assets.settings import Settings
from leadflow_assets.sources.attom.client import TIMEOUT_SECONDS, AttomClient
from leadflow_assets.sources.attom.limiter import MinuteLimiter
from leadflow_assets.sources.attom.prices import Prices
from leadflow_assets.sources.http import make_client
from leadflow_assets.state.ledger import Ledger
from leadflow_assets.state.rate_windows import RateWindow
from leadflow_assets.state.vendor_answers import VendorAnswers


def _now() -> datetime:
    return datetime.now(UTC)


def open_ledger(settings: Settings, *, now: Callable[[], datetime] = _now) -> Ledger:
    """The ledger of ATTOM with the caps of the settings."""
    return Ledger(
        settings,
        VENDOR,
        daily_cap_cents=settings.daily_cap_attom_cents,
        monthly_cap_cents=settings.leadflow_attom_monthly_cap_cents,
        now=now,
    )


def open_cache(settings: Settings, lake: Lake, *, now: Callable[[], datetime] = _now) -> AttomCache:
    """The kept answers, with the ages of the settings."""
    return AttomCache(
        VendorAnswers(settings, VENDOR),
        lake.store,
        max_age_days=settings.attom_cache_max_age_days,
        negative_max_age_days=settings.leadflow_attom_negative_max_age_days,
        now=now,
    )


def prices(settings: Settings) -> Prices:
    """What ATTOM's reports cost.

    Raises:
        UsageError: a price is set for no endpoint, or negative.
    """
    return Prices(settings.leadflow_attom_price_cents, settings.leadflow_attom_prices)


@contextmanager
def open_client(
    settings: Settings,
    lake: Lake,
    *,
    now: Callable[[], datetime] = _now,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[AttomClient]:
    """A client for all threads of this process; without a key it gives kept answers only.

    ``sleep`` waits for the limiter and between attempts; an error it raises ends the call before it is sent.

    Raises:
        UsageError: a price is set for no endpoint, or negative.
    """
    key = settings.attom_api_key.get_secret_value() if settings.attom_api_key else None
    with make_client(timeout=TIMEOUT_SECONDS) as http:
        yield AttomClient(
            key,
            charges=open_ledger(settings, now=now),
            answers=open_cache(settings, lake, now=now),
            limiter=MinuteLimiter(
                RateWindow(settings, VENDOR), settings.leadflow_attom_calls_per_minute, sleep=sleep
            ),
            prices=prices(settings),
            http=http,
            base_url=settings.leadflow_attom_url,
            sleep=sleep,
        )
