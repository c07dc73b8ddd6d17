"""Watching a list: whom to tell of its events, on which channel, and how often."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from leadflow_assets.domain.digest_day import digest_window, last_digest
from leadflow_assets.domain.local_days import local_day
from leadflow_assets.enrich.changes.email import email_settings
from leadflow_assets.errors import NotConfiguredError, UsageError
from leadflow_assets.search.changes import ChangeQuery, Event, check_kinds, find_changes
from leadflow_assets.settings import Settings
from leadflow_assets.state import change_alerts, database, saved_lists
from leadflow_assets.state.change_alerts import Watch
from leadflow_assets.state.models_changes import CHANNELS


def start_watching(
    settings: Settings, list_name: str, channel: str, *, daily: bool, kinds: Sequence[str] | None
) -> Watch:
    """Tell of a list's events from now on; ``kinds`` None: every kind but the quiet ones.

    Raises:
        UsageError: no such list, channel or kind.
        NotConfiguredError: the channel leads nowhere yet.
    """
    require_channel(channel)
    check_kinds(kinds)
    _require_configured(settings, channel)
    with database.session(settings) as session:
        saved = saved_lists.find(session, list_name)
        rhythm = "daily" if daily else "now"
        made = change_alerts.start_watch(
            session, saved.id, channel, rhythm, kinds=kinds, now=datetime.now(UTC)
        )
        session.commit()
    return made


def stop_watching(
    settings: Settings, list_name: str, channel: str | None, rhythm: str | None = None
) -> tuple[str, int]:
    """Tell no more of a list, on one channel and rhythm or on all: its name, and how many watches stopped.

    Raises:
        UsageError: no such list or channel.
    """
    if channel is not None:
        require_channel(channel)
    with database.session(settings) as session:
        saved = saved_lists.find(session, list_name)
        stopped = change_alerts.stop_watches(session, saved.id, channel, rhythm, now=datetime.now(UTC))
        session.commit()
    return saved.name, stopped


def require_channel(text: str) -> None:
    """Accept a channel.

    Raises:
        UsageError: it is none; lists them.
    """
    if text not in CHANNELS:
        raise UsageError(f"There is no channel {text!r}.", f"Choose: {', '.join(CHANNELS)}.")


def coming_digest() -> date:
    """The day of the digest that comes next."""
    return local_day(last_digest(datetime.now(UTC))) + timedelta(days=1)


def digest_of(settings: Settings, list_name: str, day: date | None = None) -> tuple[date, list[Event]]:
    """The digest of a list on a day (None: the coming one): its day, and the events it tells.

    Raises:
        UsageError: no such list, or a day that is still to come.
    """
    coming = coming_digest()
    of = day or coming
    if of > coming:
        raise UsageError(
            f"{of} is still to come: nobody knows what will happen.", f"Give a day until {coming}."
        )
    start, end = digest_window(of)
    found = find_changes(settings, ChangeQuery(since=start, list_name=list_name))
    return of, [event for event in reversed(found) if event["seen_at"] < end]


def _require_configured(settings: Settings, channel: str) -> None:
    if channel == "webhook" and settings.leadflow_alert_webhook_url is None:
        raise NotConfiguredError("There is no webhook.", "Set LEADFLOW_ALERT_WEBHOOK_URL.")
    if channel == "email" and email_settings(settings) is None:
        raise NotConfiguredError(
            "There is no mail server.",
            "Set LEADFLOW_SMTP_HOST, LEADFLOW_ALERT_EMAIL_FROM and LEADFLOW_ALERT_EMAIL_TO.",
        )
