"""Tables of how far courts were asked: days filed, months on request, questions about single dockets."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, Date, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from leadflow_assets.state.models import Base, UtcDateTime


class CourtProgressRow(Base):
    """One court. ``spans`` is JSON: first and last day of each stretch of days that were asked, in order.

    ``dockets_*`` belong to the list of new dockets: it was read to its end for those made before
    ``dockets_since``; ``dockets_begun`` and ``dockets_below`` are set while a reading of it is interrupted.
    """

    __tablename__ = "court_progress"

    court: Mapped[str] = mapped_column(Text, primary_key=True)
    wanted_since: Mapped[date | None] = mapped_column(Date)
    spans: Mapped[str] = mapped_column(Text)
    last_asked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    dockets_since: Mapped[date | None] = mapped_column(Date)
    dockets_begun: Mapped[date | None] = mapped_column(Date)
    dockets_below: Mapped[int | None] = mapped_column(BigInteger)
    resumes_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    stopped_by: Mapped[str | None] = mapped_column(Text)


class CourtDayRow(Base):
    """All cases of a court filed on a day were asked for, to the end, at ``asked_at``."""

    __tablename__ = "court_days"

    court: Mapped[str] = mapped_column(Text, primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)


class CourtMonthRow(Base):
    """A month that somebody wants whole and that is not all asked yet."""

    __tablename__ = "court_months"

    court: Mapped[str] = mapped_column(Text, primary_key=True)
    filed_month: Mapped[str] = mapped_column(Text, primary_key=True)
    begun_at: Mapped[datetime] = mapped_column(UtcDateTime)


class CourtQuestionRow(Base):
    """A question about one docket that was answered, be it by 404."""

    __tablename__ = "court_questions"

    docket_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    endpoint: Mapped[str] = mapped_column(Text, primary_key=True)
    court: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    http_status: Mapped[int] = mapped_column(Integer)
