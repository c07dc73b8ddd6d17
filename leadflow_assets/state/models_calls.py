"""Tables of calls at vendors whose limits roll: one list of calls for each, and when it is blocked."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from leadflow_assets.state.models import Base, UtcDateTime


class VendorCallRow(Base):
    """One call of the last day: ``called_at`` is when it was answered, or taken if it was not yet."""

    __tablename__ = "vendor_calls"
    __table_args__ = (Index("ix_vendor_calls_vendor", "vendor", "called_at"),)

    call_id: Mapped[str] = mapped_column(Text, primary_key=True)
    vendor: Mapped[str] = mapped_column(Text)
    called_at: Mapped[datetime] = mapped_column(UtcDateTime)
    answered: Mapped[bool] = mapped_column(Boolean)


class VendorCallListRow(Base):
    """One vendor's list: the row that everyone locks who changes it."""

    __tablename__ = "vendor_call_lists"

    vendor: Mapped[str] = mapped_column(Text, primary_key=True)
    blocked_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    corrected_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
