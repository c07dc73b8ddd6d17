"""Table of people's decisions about which property's owner a court party is."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Double, Index, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from leadflow_assets.state.models import Base, UtcDateTime

CASE_DECISIONS = ("confirmed", "rejected")


class CaseReviewRow(Base):
    """One decision; the newest of a match counts, the earlier ones are its history.

    ``probability`` and ``evidence_version`` are the model's at the moment of the decision. Name, role and
    method are kept so that a decision still shows when the model no longer makes the match.
    """

    __tablename__ = "case_reviews"
    __table_args__ = (
        CheckConstraint(f"decision IN {CASE_DECISIONS}", "decision"),
        Index("ix_case_reviews_match", "match_id", "id"),
        Index("ix_case_reviews_case", "case_id", "source"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    match_id: Mapped[str] = mapped_column(Text)
    case_id: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    party_id: Mapped[str] = mapped_column(Text)
    property_id: Mapped[str] = mapped_column(Text)
    town_id: Mapped[int] = mapped_column(Integer)
    party_name: Mapped[str] = mapped_column(Text)
    party_role: Mapped[str] = mapped_column(Text)
    method: Mapped[str] = mapped_column(Text)
    decision: Mapped[str] = mapped_column(Text)
    decided_by: Mapped[str] = mapped_column(Text)
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)
    reason: Mapped[str] = mapped_column(Text)
    probability: Mapped[float] = mapped_column(Double)
    evidence_version: Mapped[str | None] = mapped_column(Text)
