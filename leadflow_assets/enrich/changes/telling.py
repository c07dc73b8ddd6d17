"""Telling people: the events of watched lists become messages, and messages are sent.

First every event is given to one message of each watch, in a transaction; then messages are sent, and what
was sent is noted. A process that dies in between leaves a message that is sent again with the same key, and
never a second message about the same event.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from pydantic import ValidationError

from leadflow_assets.domain.digest_day import last_digest
from leadflow_assets.domain.local_days import local_day
from leadflow_assets.enrich.changes import due
from leadflow_assets.enrich.changes.email import EmailSettings, compose, send_email
from leadflow_assets.enrich.changes.messages import letter, webhook_payload
from leadflow_assets.errors import LeadflowError
from leadflow_assets.search.changes import ChangeQuery, Event, find_changes
from leadflow_assets.settings import Settings
from leadflow_assets.state import change_alerts, database
from leadflow_assets.state.change_alerts import Message, Watch

# Of one message; more become several.
MOST_EVENTS = 200
# Mail servers ask to come again as a matter of course; after this somebody should look.
LONG_WAIT = timedelta(hours=1)
# Gets the payload and the key, which it must hand on so that the receiver can tell a second copy.
Webhook = Callable[[Mapping[str, Any], str], None]


@dataclass(frozen=True)
class TellReport:
    """Messages made, sent and not delivered (they are tried again), and the events in those made.

    ``overdue`` counts those not delivered that wait for longer than an hour; ``not_refreshed`` says which
    watched lists could not be brought up to date, and why.
    """

    made: int = 0
    events: int = 0
    sent: int = 0
    problems: tuple[str, ...] = ()
    overdue: int = 0
    not_refreshed: tuple[str, ...] = ()


def tell(
    settings: Settings,
    *,
    webhook: Webhook | None,
    email: EmailSettings | None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> TellReport:
    """Make the messages that are due, and send all that wait. ``None``: the channel is not configured.

    Raises:
        StoreError: the lake or the state database cannot be used.
    """
    made, events = plan_messages(settings, now=now())
    sent = send_messages(settings, webhook=webhook, email=email, now=now)
    return replace(sent, made=made, events=events)


def refresh_and_tell(
    settings: Settings,
    *,
    webhook: Webhook | None,
    email: EmailSettings | None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> TellReport:
    """Bring the watched lists up to date, then :func:`tell`; a list that fails keeps nobody from being told.

    Raises:
        StoreError: the lake or the state database cannot be used.
    """
    moment = now()
    lake = due.lake_state(settings)
    problems = refresh_watched(settings)
    told = due.told_state(settings, now=moment)
    done = tell(settings, webhook=webhook, email=email, now=now)
    if not problems:
        due.remember(settings, lake, told)
    return replace(done, not_refreshed=problems)


def refresh_watched(settings: Settings) -> tuple[str, ...]:
    """Bring every watched list up to date, so that it has gained and lost what it should.

    Returns why some could not be; the others are.
    """
    # Imported late: the searcher is not needed to send what waits.
    from leadflow_assets.search.lists.service import SavedLists

    with database.session(settings) as session:
        names = sorted({watch.list_name for watch in change_alerts.watches(session, active=True)})
    problems = []
    if names:
        with SavedLists(settings) as lists:
            for name in names:
                try:
                    lists.refresh(name)
                except LeadflowError as error:
                    problems.append(f"{name}: {error.message}")
                except ValidationError:
                    # Its text may hold what is searched for.
                    problems.append(f"{name}: its filters are of another version of this program.")
    return tuple(problems)


def plan_messages(settings: Settings, *, now: datetime) -> tuple[int, int]:
    """Give every event that a watch has not told to a message; returns how many messages and events."""
    with database.session(settings) as session:
        watched = change_alerts.watches(session, active=True)
    made = events = 0
    for watch in watched:
        query = ChangeQuery(since=watch.since, kinds=watch.kinds, list_name=watch.list_name)
        found = find_changes(settings, query, today=now.date())
        # A digest ends with its hour.
        end = last_digest(now) if watch.rhythm == "daily" else None
        # The oldest first, as they are told.
        ids = [event["event_id"] for event in reversed(found) if end is None or event["seen_at"] < end]
        if not ids:
            continue
        with database.session(settings) as session:
            keys = change_alerts.put_out(session, watch, ids, most=MOST_EVENTS, now=now)
            events += sum(len(change_alerts.events_of(session, key)) for key in keys)
            session.commit()
        made += len(keys)
    return made, events


def send_messages(
    settings: Settings,
    *,
    webhook: Webhook | None,
    email: EmailSettings | None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> TellReport:
    """Send what waits; tells how many were delivered, and why others were not."""
    with database.session(settings) as session:
        waiting = change_alerts.due(session, now=now())
        watches = {watch.id: watch for watch in change_alerts.watches(session)}
    sent, overdue, problems = 0, 0, []
    for message in waiting:
        with database.session(settings) as session:
            mine = change_alerts.claim(session, message, now=now())
            session.commit()
        if not mine:
            continue
        watch = watches[message.watch_id]
        problem = _send(settings, watch, message, webhook, email, now())
        with database.session(settings) as session:
            if problem is None:
                change_alerts.note_sent(session, message.key, now=now())
                sent += 1
            else:
                change_alerts.note_failed(session, message.key, problem, now=now())
                problems.append(f"{watch.list_name} by {watch.channel}: {problem}")
                overdue += message.created_at < now() - LONG_WAIT
            session.commit()
    return TellReport(sent=sent, problems=tuple(problems), overdue=overdue)


def _send(
    settings: Settings,
    watch: Watch,
    message: Message,
    webhook: Webhook | None,
    email: EmailSettings | None,
    now: datetime,
) -> str | None:
    """Send one message; why it could not be, or None. What may no longer be told is left out."""
    events = _events(settings, watch, message, now)
    if not events:
        return None
    if (webhook if watch.channel == "webhook" else email) is None:
        return f"{watch.channel} is not configured"
    try:
        if watch.channel == "webhook":
            assert webhook is not None
            webhook(webhook_payload(watch.list_name, watch.rhythm, message.key, events), message.key)
        else:
            assert email is not None
            day = local_day(message.created_at)
            said = letter(watch.list_name, watch.rhythm, day, events, owners=email.owners)
            send_email(email, compose(email, said, message.key, message.created_at))
    except LeadflowError as error:
        return error.message
    except httpx.HTTPStatusError as error:
        return f"the webhook answered {error.response.status_code}"
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        # Its text may hold the address, which is a secret.
        return f"the webhook cannot be reached: {type(error).__name__}"
    return None


def _events(settings: Settings, watch: Watch, message: Message, now: datetime) -> list[Event]:
    with database.session(settings) as session:
        ids = change_alerts.events_of(session, message.key)
    query = ChangeQuery(list_name=watch.list_name, event_ids=ids)
    found = find_changes(settings, query, today=now.date())
    return list(reversed(found))
