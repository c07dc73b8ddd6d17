"""How far each court was asked: which days filed, which lists of new dockets, which single dockets.

Days are kept one by one, so that an interrupted search leaves a gap that the next run sees, wherever it
stands; what people read is the stretches of days without a gap.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from leadflow_assets.state.models_court_progress import (
    CourtDayRow,
    CourtMonthRow,
    CourtProgressRow,
    CourtQuestionRow,
)

Span = tuple[date, date]
_DAY = timedelta(days=1)
# A month that was begun so long ago is begun anew: its first days may have got more cases since.
_MONTH_HOLDS = timedelta(days=7)


@dataclass(frozen=True)
class CourtProgress:
    """One court. Days are inclusive, times aware.

    ``wanted_since`` is the first day that the routine wants; ``spans`` are the stretches of days that were
    asked, the oldest first; ``last_asked_at`` is when the last day of the newest one was. ``resumes_at`` and
    ``stopped_by`` are set where the last run could not go on.
    """

    court: str
    wanted_since: date | None = None
    spans: tuple[Span, ...] = ()
    last_asked_at: datetime | None = None
    dockets_since: date | None = None
    dockets_begun: date | None = None
    dockets_below: int | None = None
    resumes_at: datetime | None = None
    stopped_by: str | None = None

    @property
    def covered(self) -> Span | None:
        """The newest stretch: nothing is missing from its first day to its last."""
        return self.spans[-1] if self.spans else None


@dataclass(frozen=True)
class Question:
    """A question about one docket that was answered, be it by 404."""

    docket_id: int
    endpoint: str
    court: str
    asked_at: datetime
    http_status: int


def progress_of(session: Session, court: str) -> CourtProgress:
    """What is known of a court; an empty one where it was never asked."""
    row = session.get(CourtProgressRow, court)
    return CourtProgress(court) if row is None else _progress(row)


def all_progress(session: Session) -> list[CourtProgress]:
    """Every court that was ever asked, by its id."""
    rows = session.scalars(select(CourtProgressRow).order_by(CourtProgressRow.court))
    return [_progress(row) for row in rows]


def change(session: Session, court: str, **changes: Any) -> None:
    """Set some fields of a court, which is added where it is not there. The caller commits."""
    row = session.get(CourtProgressRow, court)
    if row is None:
        row = CourtProgressRow(court=court, spans="[]")
        session.add(row)
    for name, value in changes.items():
        setattr(row, name, value)
    session.flush()


def days_asked(session: Session, court: str) -> dict[date, datetime]:
    """When each day of a court was asked for to the end."""
    rows = session.scalars(select(CourtDayRow).where(CourtDayRow.court == court))
    return {row.day: row.asked_at for row in rows}


def mark_asked(session: Session, court: str, first: date, last: date, asked_at: datetime) -> None:
    """All cases filed from ``first`` to ``last`` were asked for. The caller commits."""
    count = (last - first).days + 1
    rows = [{"court": court, "day": first + k * _DAY, "asked_at": asked_at} for k in range(count)]
    if not rows:
        return
    _upsert(session, CourtDayRow, rows, ("court", "day"))
    days = days_asked(session, court)
    spans = spans_of(days)
    change(
        session,
        court,
        spans=json.dumps([[start.isoformat(), end.isoformat()] for start, end in spans]),
        last_asked_at=days[spans[-1][1]],
    )


def begin_month(session: Session, court: str, month: str, now: datetime) -> datetime:
    """Since when a month is being asked: days that were asked before that must be asked again.

    An earlier beginning counts as long as that month was not finished. The caller commits.
    """
    row = session.get(CourtMonthRow, (court, month))
    if row is None:
        row = CourtMonthRow(court=court, filed_month=month, begun_at=now)
        session.add(row)
    elif row.begun_at < now - _MONTH_HOLDS:
        row.begun_at = now
    session.flush()
    return row.begun_at


def end_month(session: Session, court: str, month: str) -> None:
    """The month was asked whole. The caller commits."""
    mine = (CourtMonthRow.court == court) & (CourtMonthRow.filed_month == month)
    session.execute(delete(CourtMonthRow).where(mine))


def open_months(session: Session) -> list[tuple[str, str]]:
    """Court and month of those that were begun and not finished."""
    rows = session.scalars(select(CourtMonthRow).order_by(CourtMonthRow.court, CourtMonthRow.filed_month))
    return [(row.court, row.filed_month) for row in rows]


def note_questions(session: Session, questions: Iterable[Question]) -> None:
    """Remember questions about single dockets; the last one of a kind counts. The caller commits."""
    newest = {
        (question.docket_id, question.endpoint): asdict(question)
        for question in sorted(questions, key=lambda one: one.asked_at)
    }
    if newest:
        _upsert(session, CourtQuestionRow, list(newest.values()), ("docket_id", "endpoint"))


def questions(session: Session, endpoint: str) -> dict[int, datetime]:
    """When each docket was last asked for at an endpoint."""
    found = select(CourtQuestionRow.docket_id, CourtQuestionRow.asked_at)
    return {row[0]: row[1] for row in session.execute(found.where(CourtQuestionRow.endpoint == endpoint))}


def spans_of(days: Iterable[date]) -> tuple[Span, ...]:
    """The stretches of days without a gap, the oldest first."""
    spans: list[Span] = []
    for day in sorted(set(days)):
        if spans and day == spans[-1][1] + _DAY:
            spans[-1] = (spans[-1][0], day)
        else:
            spans.append((day, day))
    return tuple(spans)


def gaps(days: Mapping[date, datetime], first: date, last: date, since: datetime | None = None) -> list[Span]:
    """The stretches of days from ``first`` to ``last`` that were not asked (since then), newest first."""
    wanted = [first + k * _DAY for k in range((last - first).days + 1)]
    missing = [day for day in wanted if day not in days or (since is not None and days[day] < since)]
    return list(reversed(spans_of(missing)))


def _progress(row: CourtProgressRow) -> CourtProgress:
    spans = tuple(
        (date.fromisoformat(first), date.fromisoformat(last)) for first, last in json.loads(row.spans)
    )
    names = (
        "wanted_since",
        "last_asked_at",
        "dockets_since",
        "dockets_begun",
        "dockets_below",
        "resumes_at",
        "stopped_by",
    )
    return CourtProgress(court=row.court, spans=spans, **{name: getattr(row, name) for name in names})


def _upsert(session: Session, model: type[Any], rows: list[dict[str, Any]], key: tuple[str, ...]) -> None:
    # The same statement in two dialects: SQLAlchemy has no common form of it.
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    made = insert(model).values(rows)
    others = {name: made.excluded[name] for name in rows[0] if name not in key}
    session.execute(made.on_conflict_do_update(index_elements=list(key), set_=others))
