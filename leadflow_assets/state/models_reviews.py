"""Table of people's decisions about which property a source's record is."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from leadflow_assets.state.models import Base, UtcDateTime


class PropertyReviewRow(Base):
    """One decision; the newest of a source's id counts, the earlier ones are its history.

    ``property_id`` is null where the record was said to be none of ours.
    """

    __tablename__ = "property_reviews"
    __table_args__ = (Index("ix_property_reviews_source", "source", "source_id", "id"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    source: Mapped[str] = mapped_column(Text)
    source_id: Mapped[str] = mapped_column(Text)
    property_id: Mapped[str | None] = mapped_column(Text)
    decided_by: Mapped[str] = mapped_column(Text)
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)
    note: Mapped[str] = mapped_column(Text)
