"""Tables of spending at vendors: charges, the lock each vendor's caps are kept under, alerts, rates, answers.

Money is in millionths of a dollar (``micros``), so that a report at 2.5 cents is exact.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Date, Index, Integer, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from leadflow_assets.state.models import Base, UtcDateTime

CHARGE_STATES = ("reserved", "sent", "unknown", "settled", "released")
OPEN_STATES = ("reserved", "sent", "unknown")
ANSWER_OUTCOMES = ("returned", "no_match", "ambiguous", "error")
_OPEN = text(f"state IN {OPEN_STATES}")


class ChargeRow(Base):
    """One call that costs money, from its reservation to what was billed for it.

    ``counted_micros`` is what it counts for against the caps of ``day`` (UTC) now. ``owner`` is the process
    that holds it, ``expires_at`` when it is given up for lost.
    """

    __tablename__ = "charges"
    __table_args__ = (
        CheckConstraint(f"state IN {CHARGE_STATES}", name="state"),
        Index("ix_charges_vendor", "vendor", "day"),
        # At most one open charge per question: the database itself keeps anyone from paying twice.
        Index(
            "uq_charges_open",
            "vendor",
            "request_hash",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
    )

    charge_id: Mapped[str] = mapped_column(Text, primary_key=True)
    vendor: Mapped[str] = mapped_column(Text)
    endpoint: Mapped[str] = mapped_column(Text)
    unit: Mapped[str] = mapped_column(Text)
    request_hash: Mapped[str] = mapped_column(Text)
    batch_id: Mapped[str | None] = mapped_column(Text)
    day: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(Text)
    price_micros: Mapped[int] = mapped_column(BigInteger)
    reserved_units: Mapped[int] = mapped_column(Integer)
    settled_units: Mapped[int | None] = mapped_column(Integer)
    counted_micros: Mapped[int] = mapped_column(BigInteger)
    owner: Mapped[str] = mapped_column(Text)
    reserved_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    note: Mapped[str | None] = mapped_column(Text)


class SpendVendorRow(Base):
    """One vendor: the row that every reservation at it locks, so that two never look at the cap at once."""

    __tablename__ = "spend_vendors"

    vendor: Mapped[str] = mapped_column(Text, primary_key=True)


class SpendAlertRow(Base):
    """A share of a daily cap that was reached, and when somebody was told."""

    __tablename__ = "spend_alerts"

    vendor: Mapped[str] = mapped_column(Text, primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    percent: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    reached_at: Mapped[datetime] = mapped_column(UtcDateTime)
    reported_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RateWindowRow(Base):
    """Calls made at a vendor in one clock minute (UTC), by all processes together."""

    __tablename__ = "rate_windows"

    vendor: Mapped[str] = mapped_column(Text, primary_key=True)
    minute: Mapped[datetime] = mapped_column(UtcDateTime)
    used: Mapped[int] = mapped_column(Integer)
    blocked_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class VendorAnswerRow(Base):
    """The last answer to a question, by endpoint and by each name of the property it is about.

    ``identity`` holds no address in clear; the body lies in the archive under ``archive_key``.
    """

    __tablename__ = "vendor_answers"
    __table_args__ = (
        CheckConstraint(f"outcome IN {ANSWER_OUTCOMES}", name="outcome"),
        Index("ix_vendor_answers_fetched_at", "fetched_at"),
    )

    vendor: Mapped[str] = mapped_column(Text, primary_key=True)
    endpoint: Mapped[str] = mapped_column(Text, primary_key=True)
    identity: Mapped[str] = mapped_column(Text, primary_key=True)
    request_id: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str] = mapped_column(Text)
    units: Mapped[int] = mapped_column(Integer)
    fetched_at: Mapped[datetime] = mapped_column(UtcDateTime)
    archive_key: Mapped[str] = mapped_column(Text)
