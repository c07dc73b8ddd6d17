"""What people decided about records and properties. Nothing is overwritten: each decision is a row."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from leadflow_assets.state.models_reviews import PropertyReviewRow


@dataclass(frozen=True)
class PropertyReview:
    """A decision. ``property_id`` None: the record is none of ours. ``decided_at`` aware."""

    source: str
    source_id: str
    property_id: str | None
    decided_by: str
    decided_at: datetime
    note: str = ""


_FIELDS = tuple(field.name for field in fields(PropertyReview))


def record(session: Session, review: PropertyReview) -> None:
    """Add a decision, which from now on is the one that counts. The caller commits."""
    session.add(PropertyReviewRow(**asdict(review)))


def latest(session: Session, source: str) -> dict[str, PropertyReview]:
    """The decision that counts for each of a source's ids."""
    newest = (
        select(func.max(PropertyReviewRow.id))
        .where(PropertyReviewRow.source == source)
        .group_by(PropertyReviewRow.source_id)
    )
    rows = session.scalars(select(PropertyReviewRow).where(PropertyReviewRow.id.in_(newest)))
    return {row.source_id: _review(row) for row in rows}


def newest(session: Session, source: str, limit: int) -> list[PropertyReview]:
    """The decisions that count for a source's ids, the newest first, at most ``limit``."""
    counting = (
        select(func.max(PropertyReviewRow.id))
        .where(PropertyReviewRow.source == source)
        .group_by(PropertyReviewRow.source_id)
    )
    rows = session.scalars(
        select(PropertyReviewRow)
        .where(PropertyReviewRow.id.in_(counting))
        .order_by(PropertyReviewRow.id.desc())
        .limit(limit)
    )
    return [_review(row) for row in rows]


def history(session: Session, source: str, source_id: str) -> list[PropertyReview]:
    """Every decision about one id, the oldest first."""
    rows = session.scalars(
        select(PropertyReviewRow)
        .where(PropertyReviewRow.source == source, PropertyReviewRow.source_id == source_id)
        .order_by(PropertyReviewRow.id)
    )
    return [_review(row) for row in rows]


def _review(row: PropertyReviewRow) -> PropertyReview:
    return PropertyReview(**{name: getattr(row, name) for name in _FIELDS})
