"""Tables of leads' states: what was added by hand or by a batch, and where each conversation stands."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from leadflow_assets.state.models import Base, UtcDateTime

LEAD_STATUSES = ("new", "working", "contacted", "dead", "won")


class LeadAdditionRow(Base):
    """A property whose owner is a lead because somebody said so. ``batch_id`` None: a person by hand."""

    __tablename__ = "lead_additions"

    property_id: Mapped[str] = mapped_column(Text, primary_key=True)
    added_by: Mapped[str] = mapped_column(Text)
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)
    batch_id: Mapped[str | None] = mapped_column(Text)


class LeadEventRow(Base):
    """One change of a lead's status; the newest counts, the earlier ones are its history.

    ``property_id`` is the lead's best property at that moment, so that the event can be understood when the
    lead is gone (the property was sold).
    """

    __tablename__ = "lead_events"
    __table_args__ = (
        CheckConstraint(f"status IN {LEAD_STATUSES}", "status"),
        Index("ix_lead_events_lead", "lead_id", "id"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    lead_id: Mapped[str] = mapped_column(Text)
    property_id: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    changed_by: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    note: Mapped[str] = mapped_column(Text)
