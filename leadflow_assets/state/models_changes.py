"""Tables of who is told what: watches of saved lists, messages on their way, and what each has told."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from leadflow_assets.state.models import Base, UtcDateTime

CHANNELS = ("webhook", "email")
RHYTHMS = ("now", "daily")
MESSAGE_STATUSES = ("waiting", "sending", "sent")


class ChangeWatchRow(Base):
    """A saved list whose events are told on one channel. ``turn`` grows with every message planned.

    ``kinds_json`` limits what is told; null is everything but what is quiet. Nothing seen before ``since``
    is told.
    """

    __tablename__ = "change_watches"
    __table_args__ = (
        CheckConstraint(f"channel IN {CHANNELS}", name="channel"),
        CheckConstraint(f"rhythm IN {RHYTHMS}", name="rhythm"),
        Index("uq_change_watches_once", "list_id", "channel", "rhythm", unique=True),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("saved_lists.id"))
    channel: Mapped[str] = mapped_column(Text)
    rhythm: Mapped[str] = mapped_column(Text)
    kinds_json: Mapped[str | None] = mapped_column(Text)
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    stopped_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    turn: Mapped[int] = mapped_column(Integer)


class ChangeMessageRow(Base):
    """A message of the outbox. ``key`` goes with it every time it is sent: who gets it twice can tell.

    ``sender`` is the process that sends it now. Its events stand in change_tellings; no text is kept.
    """

    __tablename__ = "change_messages"
    __table_args__ = (
        CheckConstraint(f"status IN {MESSAGE_STATUSES}", name="status"),
        Index("ix_change_messages_status", "status", "next_try_at"),
        Index("ix_change_messages_watch", "watch_id", "created_at"),
    )

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    watch_id: Mapped[int] = mapped_column(ForeignKey("change_watches.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    events: Mapped[int] = mapped_column(Integer)
    status: Mapped[str] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(Integer)
    next_try_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sender: Mapped[str | None] = mapped_column(Text)
    claimed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    problem: Mapped[str | None] = mapped_column(Text)


class ChangeTellingRow(Base):
    """An event that a watch has told, or is about to: it belongs to one message, for ever."""

    __tablename__ = "change_tellings"
    __table_args__ = (Index("ix_change_tellings_message", "message_key"),)

    watch_id: Mapped[int] = mapped_column(ForeignKey("change_watches.id"), primary_key=True)
    event_id: Mapped[str] = mapped_column(Text, primary_key=True)
    message_key: Mapped[str] = mapped_column(ForeignKey("change_messages.key"))
