"""Table of look-ups of court cases by the owners of a parcel."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, CheckConstraint, Index, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from leadflow_assets.state.models import Base, UtcDateTime


class CaseSearchRow(Base):
    """One look-up. ``loc_id`` is the property's id where a record has no parcel; no name is kept.

    ``coverage`` are the courts asked, ``complete`` is false where a name had more cases than were read.
    """

    __tablename__ = "case_searches"
    __table_args__ = (
        CheckConstraint("outcome IN ('found', 'nothing', 'failed')", name="outcome"),
        Index("ix_case_searches_parcel", "town_id", "loc_id", "searched_at"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    town_id: Mapped[int] = mapped_column(Integer)
    loc_id: Mapped[str] = mapped_column(Text)
    searched_at: Mapped[datetime] = mapped_column(UtcDateTime)
    outcome: Mapped[str] = mapped_column(Text)
    cases_found: Mapped[int] = mapped_column(Integer)
    calls: Mapped[int] = mapped_column(Integer)
    source: Mapped[str] = mapped_column(Text)
    coverage: Mapped[str] = mapped_column(Text)
    complete: Mapped[bool] = mapped_column(Boolean)
