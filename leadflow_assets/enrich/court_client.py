"""CourtListener's client with everything it needs: settings, list of calls, kept answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from leadflow_assets.enrich.court_answers import CourtAnswers
from leadflow_assets.lake.lake import Lake
from leadflow_assets.settings import Settings
from leadflow_assets.sources.courtlistener.answers import Answer
from leadflow_assets.sources.courtlistener.client import TIMEOUT_SECONDS, CourtListenerClient
from leadflow_assets.sources.courtlistener.limiter import PATIENCE, CallLimiter, CallLog, default_windows
from leadflow_assets.sources.http import make_client
from leadflow_assets.state.call_list import CallList

VENDOR = "courtlistener"


def _now() -> datetime:
    return datetime.now(UTC)


def open_limiter(
    settings: Settings,
    *,
    patience: timedelta = PATIENCE,
    log: CallLog | None = None,
    now: Callable[[], datetime] = _now,
    sleep: Callable[[float], None] = time.sleep,
) -> CallLimiter:
    """The windows that the settings name, over the list of calls that all processes share.

    ``log`` replaces that list, for example to announce waits.
    """
    windows = default_windows(
        settings.leadflow_courtlistener_calls_per_minute,
        settings.leadflow_courtlistener_calls_per_hour,
        settings.leadflow_courtlistener_calls_per_day,
    )
    calls = log or CallList(settings, VENDOR)
    return CallLimiter(calls, windows, patience=patience, now=now, sleep=sleep)


@contextmanager
def open_courtlistener(
    settings: Settings,
    lake: Lake,
    *,
    patience: timedelta = PATIENCE,
    limiter: CallLimiter | None = None,
    kept: Callable[[str], Answer | None] | None = None,
    now: Callable[[], datetime] = _now,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[CourtListenerClient]:
    """A client whose answers wait in the lake until their dockets are published.

    ``patience`` is the longest wait for room in a window: short where a person waits for the answer.
    ``limiter`` replaces the one of the settings. ``kept`` gives an answer that is here already, by the hash
    of its question: that is not sent then. Without a token the client refuses its first call and says which
    setting is missing.
    """
    token = settings.courtlistener_api_key
    with make_client(TIMEOUT_SECONDS) as http:
        yield CourtListenerClient(
            token.get_secret_value() if token else None,
            limiter=limiter or open_limiter(settings, patience=patience, now=now, sleep=sleep),
            http=http,
            keep=CourtAnswers(lake.store).keep,
            kept=kept,
            base_url=settings.leadflow_courtlistener_url,
            now=now,
            sleep=sleep,
        )
