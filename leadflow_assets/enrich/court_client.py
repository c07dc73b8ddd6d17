"""CourtListener's client with everything it needs: settings, list of calls, kept answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from leadflow_assets.enrich.court_answers import CourtAnswers
from leadflow_assets.lake.lake import Lake
from leadflow_assets.settings import Settings
from leadflow_assets.sources.courtlistener.client import TIMEOUT_SECONDS, CourtListenerClient
from leadflow_assets.sources.courtlistener.limiter import PATIENCE, CallLimiter, default_windows
from leadflow_assets.sources.http import make_client
from leadflow_assets.state.call_list import CallList

VENDOR = "courtlistener"


def open_limiter(settings: Settings, *, patience: timedelta = PATIENCE) -> CallLimiter:
    """The windows that the settings name, over the list of calls that all processes share."""
    windows = default_windows(
        settings.leadflow_courtlistener_calls_per_minute,
        settings.leadflow_courtlistener_calls_per_hour,
        settings.leadflow_courtlistener_calls_per_day,
    )
    return CallLimiter(CallList(settings, VENDOR), windows, patience=patience)


@contextmanager
def open_courtlistener(
    settings: Settings, lake: Lake, *, patience: timedelta = PATIENCE
) -> Iterator[CourtListenerClient]:
    """A client whose answers wait in the lake until their dockets are published.

    ``patience`` is the longest wait for room in a window: short where a person waits for the answer. Without
    a token the client refuses its first call and says which setting is missing.
    """
    token = settings.courtlistener_api_key
    with make_client(TIMEOUT_SECONDS) as http:
        yield CourtListenerClient(
            token.get_secret_value() if token else None,
            limiter=open_limiter(settings, patience=patience),
            http=http,
            keep=CourtAnswers(lake.store).keep,
            base_url=settings.leadflow_courtlistener_url,
        )
