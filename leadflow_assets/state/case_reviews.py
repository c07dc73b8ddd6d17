"""What people decided about court parties and properties. Nothing is overwritten: a decision is a row.

Only a purge removes any (:func:`forget_cases`): a sealed case must not live on in its review.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import datetime

from sqlalchemy import delete, func, select, tuple_
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from leadflow_assets.state.models_case_reviews import CaseReviewRow

_AT_ONCE = 400


@dataclass(frozen=True)
class CaseReview:
    """A decision about one match. ``decision`` is confirmed or rejected, ``decided_at`` aware.

    ``probability`` (0 to 1) and ``evidence_version`` are what the model said when it was decided.
    """

    match_id: str
    case_id: str
    source: str
    party_id: str
    property_id: str
    town_id: int
    party_name: str
    party_role: str
    method: str
    decision: str
    decided_by: str
    decided_at: datetime
    reason: str
    probability: float
    evidence_version: str | None


_FIELDS = tuple(field.name for field in fields(CaseReview))


def record(session: Session, reviews: Iterable[CaseReview]) -> None:
    """Add decisions, which from now on are those that count. The caller commits."""
    session.add_all([CaseReviewRow(**asdict(review)) for review in reviews])


def latest(session: Session) -> list[CaseReview]:
    """The decision that counts for each match, by match id."""
    newest = select(func.max(CaseReviewRow.id)).group_by(CaseReviewRow.match_id)
    rows = session.scalars(
        select(CaseReviewRow).where(CaseReviewRow.id.in_(newest)).order_by(CaseReviewRow.match_id)
    )
    return [_review(row) for row in rows]


def newest(session: Session, limit: int) -> list[CaseReview]:
    """The decisions that count, the newest first, at most ``limit``."""
    counting = select(func.max(CaseReviewRow.id)).group_by(CaseReviewRow.match_id)
    rows = session.scalars(
        select(CaseReviewRow)
        .where(CaseReviewRow.id.in_(counting))
        .order_by(CaseReviewRow.id.desc())
        .limit(limit)
    )
    return [_review(row) for row in rows]


def history(session: Session, match_id: str) -> list[CaseReview]:
    """Every decision about one match, the oldest first."""
    rows = session.scalars(
        select(CaseReviewRow).where(CaseReviewRow.match_id == match_id).order_by(CaseReviewRow.id)
    )
    return [_review(row) for row in rows]


def state_of(session: Session) -> str:
    """Names what is decided: changes with every decision, and when any is forgotten."""
    found = session.execute(
        select(func.count(CaseReviewRow.id), func.max(CaseReviewRow.id), func.sum(CaseReviewRow.id))
    ).one()
    return hashlib.sha256("|".join(str(value or 0) for value in found).encode()).hexdigest()[:16]


def forget_cases(session: Session, cases: Iterable[tuple[str, str]]) -> int:
    """Remove every decision about these cases (case id, source); returns how many. The caller commits."""
    keys, removed = list(cases), 0
    for start in range(0, len(keys), _AT_ONCE):
        which = tuple_(CaseReviewRow.case_id, CaseReviewRow.source).in_(keys[start : start + _AT_ONCE])
        done = session.execute(delete(CaseReviewRow).where(which))
        removed += done.rowcount if isinstance(done, CursorResult) else 0
    return removed


def _review(row: CaseReviewRow) -> CaseReview:
    return CaseReview(**{name: getattr(row, name) for name in _FIELDS})
