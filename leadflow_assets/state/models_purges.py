"""Tables of purges: who asked for what and when, and the salted hashes of what must not come back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from leadflow_assets.state.models import Base, UtcDateTime

PURGE_KINDS = ("case", "person")
PURGE_REASONS = ("sealed", "expunged", "opt_out", "error", "other")


class PurgeSaltRow(Base):
    """The salt of this installation's hashes: one row, made at random once."""

    __tablename__ = "purge_salt"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    salt: Mapped[str] = mapped_column(Text)


class PurgeRow(Base):
    """One purge. It is recorded before anything is removed; ``finished_at`` is null until all is.

    ``counts_json`` says how much was removed where, by table or place.
    """

    __tablename__ = "purges"
    __table_args__ = (
        CheckConstraint(f"kind IN {PURGE_KINDS}", name="kind"),
        CheckConstraint(f"reason IN {PURGE_REASONS}", name="reason"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    requested_by: Mapped[str] = mapped_column(Text)
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    counts_json: Mapped[str] = mapped_column(Text)


class PurgeKeyRow(Base):
    """One hash of something that was purged. ``town_id`` is 0 but for people at properties of a town."""

    __tablename__ = "purge_keys"
    __table_args__ = (Index("ix_purge_keys_purge_id", "purge_id"),)

    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[str] = mapped_column(Text, primary_key=True)
    town_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    purge_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
