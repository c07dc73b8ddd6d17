"""What `leadflow doctor` says of e-mail alerts and of messages that were not delivered. Nothing is sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from leadflow_assets.enrich.changes.email import email_settings
from leadflow_assets.errors import NotConfiguredError
from leadflow_assets.settings import Settings
from leadflow_assets.state import change_alerts, database


@dataclass(frozen=True)
class EmailState:
    """``configured`` is None for half a configuration; ``detail`` names no address."""

    configured: bool | None
    detail: str
    what_to_do: str = ""


@dataclass(frozen=True)
class Outbox:
    """Active watches, messages that wait, and of these the ones that were refused at least once.

    ``problem`` is the refusal of the oldest, ``since`` when it was made (aware, UTC).
    """

    watches: int
    waiting: int
    refused: int
    problem: str | None = None
    since: datetime | None = None


def email_state(settings: Settings) -> EmailState:
    """Is e-mail not configured, half configured, or configured?"""
    try:
        found = email_settings(settings)
    except NotConfiguredError as error:
        return EmailState(None, f"incomplete: {error.message}", error.hint)
    if found is None:
        if settings.leadflow_alert_email_from or settings.leadflow_alert_email_to:
            return EmailState(
                None, "incomplete: E-mail has addresses, and no server.", "Set LEADFLOW_SMTP_HOST."
            )
        return EmailState(False, "not set", "Set LEADFLOW_SMTP_HOST, LEADFLOW_ALERT_EMAIL_FROM and _TO.")
    login = "with a login" if found.user else "without a login"
    owners = "; with names of owners" if found.owners else ""
    count = len(found.recipients)
    return EmailState(
        True,
        f"{found.host}:{found.port} ({found.security}, {login}) to {count} "
        f"address{'es' if count > 1 else ''}{owners}; not tried",
    )


def outbox(settings: Settings) -> Outbox:
    """The messages that were not delivered yet.

    Raises:
        StoreError: the state database cannot be used.
    """
    with database.session(settings) as session:
        watched = len(change_alerts.watches(session, active=True))
        unsent = change_alerts.unsent(session)
    refused = [message for message in unsent if message.problem]
    first = refused[0] if refused else None
    return Outbox(
        watched,
        len(unsent),
        len(refused),
        first.problem if first else None,
        first.created_at.astimezone(UTC) if first else None,
    )
