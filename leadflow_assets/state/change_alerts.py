"""Who is told of which events, exactly once: watches, and the outbox of their messages.

An event is given to a message in the transaction that makes the message, so no two messages of a watch have
one in common, whoever plans them. A message is sent at least once, each time with its key: between sending
and noting it a process may die. The caller commits.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from leadflow_assets.domain.digest_day import last_digest
from leadflow_assets.state.models import SavedListRow
from leadflow_assets.state.models_changes import ChangeMessageRow, ChangeTellingRow, ChangeWatchRow
from leadflow_assets.state.processes import is_gone, this_process

# No sending takes this long: whoever holds a message for longer is not there any more.
_LONGEST = timedelta(hours=1)
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=6)
_BATCH = 500


@dataclass(frozen=True)
class Watch:
    """A watch of a list. ``kinds`` None is every kind but the quiet ones; times aware, UTC."""

    id: int
    list_id: int
    list_name: str
    channel: str
    rhythm: str
    kinds: tuple[str, ...] | None
    since: datetime
    stopped_at: datetime | None


@dataclass(frozen=True)
class Message:
    """A message of the outbox; ``problem`` is why it was not delivered the last time."""

    key: str
    watch_id: int
    created_at: datetime
    events: int
    status: str
    attempts: int
    next_try_at: datetime
    sent_at: datetime | None
    problem: str | None


_MESSAGE_FIELDS = tuple(field.name for field in fields(Message))


def start_watch(
    session: Session,
    list_id: int,
    channel: str,
    rhythm: str,
    *,
    kinds: Sequence[str] | None,
    now: datetime,
) -> Watch:
    """Watch a list from now on. One that is watched so already gets the kinds, and keeps what it told."""
    found = _find(session, list_id, channel, rhythm)
    if found is None:
        try:
            with session.begin_nested():
                session.add(
                    ChangeWatchRow(
                        list_id=list_id,
                        channel=channel,
                        rhythm=rhythm,
                        kinds_json=_kinds_json(kinds),
                        since=now,
                        stopped_at=None,
                        turn=0,
                    )
                )
        except IntegrityError:
            pass  # another process was faster; its watch gets our kinds
        found = _find(session, list_id, channel, rhythm)
        assert found is not None, "a watch that was just made is there"
    found.kinds_json = _kinds_json(kinds)
    if found.stopped_at is not None:
        found.stopped_at, found.since = None, now
    session.flush()
    return next(watch for watch in watches(session) if watch.id == found.id)


def stop_watches(
    session: Session, list_id: int, channel: str | None, rhythm: str | None, *, now: datetime
) -> int:
    """Tell no more of a list, on one channel and rhythm or on all; returns how many watches that stopped."""
    statement = update(ChangeWatchRow).where(
        ChangeWatchRow.list_id == list_id, ChangeWatchRow.stopped_at.is_(None)
    )
    if channel is not None:
        statement = statement.where(ChangeWatchRow.channel == channel)
    if rhythm is not None:
        statement = statement.where(ChangeWatchRow.rhythm == rhythm)
    return _rowcount(session, statement.values(stopped_at=now))


def watches(session: Session, *, active: bool = False) -> list[Watch]:
    """Every watch by list; ``active``: those that are not stopped, of lists that are not archived."""
    query = (
        select(ChangeWatchRow, SavedListRow.name, SavedListRow.archived_at)
        .join(SavedListRow, SavedListRow.id == ChangeWatchRow.list_id)
        .order_by(SavedListRow.name_key, ChangeWatchRow.channel, ChangeWatchRow.rhythm)
        .execution_options(populate_existing=True)
    )
    found = []
    for row, name, archived_at in session.execute(query):
        if active and (row.stopped_at is not None or archived_at is not None):
            continue
        kinds = tuple(json.loads(row.kinds_json)) if row.kinds_json else None
        found.append(
            Watch(row.id, row.list_id, name, row.channel, row.rhythm, kinds, row.since, row.stopped_at)
        )
    return found


def put_out(
    session: Session, watch: Watch, event_ids: Sequence[str], *, most: int, now: datetime
) -> list[str]:
    """Make messages of the events that the watch has not told, ``most`` in each; returns their keys.

    A daily watch gets none until the next digest is due (:func:`last_digest`). Takes the watch's row first:
    two processes that do this take turns.
    """
    taken = update(ChangeWatchRow).where(ChangeWatchRow.id == watch.id)
    _rowcount(session, taken.values(turn=ChangeWatchRow.turn + 1))
    if watch.rhythm == "daily" and _has_digest(session, watch.id, last_digest(now)):
        return []
    told = _told(session, watch.id, event_ids)
    untold = [event_id for event_id in dict.fromkeys(event_ids) if event_id not in told]
    keys = []
    for start in range(0, len(untold), most):
        chunk = untold[start : start + most]
        key = uuid.uuid4().hex
        keys.append(key)
        session.add(
            ChangeMessageRow(
                key=key,
                watch_id=watch.id,
                created_at=now,
                events=len(chunk),
                status="waiting",
                attempts=0,
                next_try_at=now,
            )
        )
        session.flush()
        rows = [{"watch_id": watch.id, "event_id": name, "message_key": key} for name in chunk]
        session.execute(insert(ChangeTellingRow), rows)
    return keys


def due(session: Session, *, now: datetime) -> list[Message]:
    """Messages to be sent now, the oldest first; those too whose sender died on the way."""
    statuses = or_(
        (ChangeMessageRow.status == "waiting") & (ChangeMessageRow.next_try_at <= now),
        ChangeMessageRow.status == "sending",
    )
    query = (
        select(ChangeMessageRow).where(statuses).order_by(ChangeMessageRow.created_at, ChangeMessageRow.key)
    )
    return [_message(row) for row in session.scalars(query) if row.status == "waiting" or _is_dead(row, now)]


def messages(session: Session, *, limit: int) -> list[Message]:
    """The newest messages."""
    query = select(ChangeMessageRow).order_by(ChangeMessageRow.created_at.desc(), ChangeMessageRow.key)
    return [_message(row) for row in session.scalars(query.limit(limit))]


def unsent(session: Session) -> list[Message]:
    """Every message that was not delivered yet, the oldest first."""
    query = select(ChangeMessageRow).where(ChangeMessageRow.status != "sent")
    return [_message(row) for row in session.scalars(query.order_by(ChangeMessageRow.created_at))]


def claim(session: Session, message: Message, *, now: datetime) -> bool:
    """Take a message for sending; False if another process has it. Commit before sending."""
    statement = (
        update(ChangeMessageRow)
        .where(
            ChangeMessageRow.key == message.key,
            ChangeMessageRow.status == message.status,
            ChangeMessageRow.attempts == message.attempts,
        )
        .values(
            status="sending", sender=this_process(), claimed_at=now, attempts=ChangeMessageRow.attempts + 1
        )
    )
    return _rowcount(session, statement) == 1


def note_sent(session: Session, key: str, *, now: datetime) -> None:
    """The message was delivered."""
    _note(session, key, status="sent", sent_at=now, sender=None, problem=None)


def note_failed(session: Session, key: str, problem: str, *, now: datetime) -> None:
    """The message was not delivered; it is tried again, later each time."""
    attempts = session.scalars(select(ChangeMessageRow.attempts).where(ChangeMessageRow.key == key)).one()
    pause = min(_FIRST_PAUSE * 2 ** min(attempts - 1, 12), _LONGEST_PAUSE)
    _note(session, key, status="waiting", sender=None, problem=problem, next_try_at=now + pause)


def events_of(session: Session, key: str) -> list[str]:
    """Ids of a message's events."""
    query = select(ChangeTellingRow.event_id).where(ChangeTellingRow.message_key == key)
    return sorted(session.scalars(query))


def forget(session: Session, event_ids: Collection[str]) -> int:
    """Remove that these events, which were purged, were told; returns how many rows."""
    ids, removed = sorted(event_ids), 0
    for start in range(0, len(ids), _BATCH):
        removed += _rowcount(
            session,
            delete(ChangeTellingRow).where(ChangeTellingRow.event_id.in_(ids[start : start + _BATCH])),
        )
    return removed


def _find(session: Session, list_id: int, channel: str, rhythm: str) -> ChangeWatchRow | None:
    query = select(ChangeWatchRow).where(
        ChangeWatchRow.list_id == list_id,
        ChangeWatchRow.channel == channel,
        ChangeWatchRow.rhythm == rhythm,
    )
    return session.scalars(query).one_or_none()


def _told(session: Session, watch_id: int, event_ids: Collection[str]) -> set[str]:
    ids, found = list(event_ids), set()
    for start in range(0, len(ids), _BATCH):
        query = select(ChangeTellingRow.event_id).where(
            ChangeTellingRow.watch_id == watch_id,
            ChangeTellingRow.event_id.in_(ids[start : start + _BATCH]),
        )
        found |= set(session.scalars(query))
    return found


def _has_digest(session: Session, watch_id: int, due_at: datetime) -> bool:
    query = select(ChangeMessageRow.key).where(
        ChangeMessageRow.watch_id == watch_id, ChangeMessageRow.created_at >= due_at
    )
    return session.scalars(query.limit(1)).first() is not None


def _is_dead(row: ChangeMessageRow, now: datetime) -> bool:
    gone = row.sender is None or is_gone(row.sender)
    return gone or row.claimed_at is None or row.claimed_at < now - _LONGEST


def _note(session: Session, key: str, **values: Any) -> None:
    _rowcount(session, update(ChangeMessageRow).where(ChangeMessageRow.key == key).values(**values))


def _rowcount(session: Session, statement: Any) -> int:
    result = session.execute(statement, execution_options={"synchronize_session": False})
    return int(result.rowcount)  # type: ignore[attr-defined]


def _kinds_json(kinds: Iterable[str] | None) -> str | None:
    return json.dumps(sorted(set(kinds))) if kinds else None


def _message(row: ChangeMessageRow) -> Message:
    return Message(**{name: getattr(row, name) for name in _MESSAGE_FIELDS})
