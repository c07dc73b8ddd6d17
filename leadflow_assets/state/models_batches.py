"""Tables of ATTOM batches: the job, the properties it asks about, and each endpoint's answer to each.

Money is in millionths of a dollar (``micros``), as in the ledger.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlalchemy import BigInteger, Boolean, CheckConstraint, ForeignKey, Index, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from leadflow_assets.state.models import Base, UtcDateTime

BATCH_STATUSES = (
    "created",
    "submitted",
    "in_progress",
    "ready",
    "downloaded",
    "processed",
    "failed",
    "cancelled",
)
BATCH_TRANSPORTS = ("rest", "files", "endpoint")
BatchOutcome = Literal["returned", "no_match", "ambiguous", "error", "pending"]
BATCH_OUTCOMES = ("returned", "no_match", "ambiguous", "error", "pending")
BATCH_MATCHES = ("exact", "probable", "none", "property")


class BatchJobRow(Base):
    """One batch. ``progress`` is percent of the requests answered; a time stands for each state reached.

    ``claim_id``, ``claim_owner`` and ``claim_expires_at`` say who works on it now. ``landed_json`` are the
    audited files that wait to be published; ``facts_json`` what a delivery or a landing told.
    """

    __tablename__ = "attom_batch_jobs"
    __table_args__ = (
        CheckConstraint(f"status IN {BATCH_STATUSES}", name="status"),
        CheckConstraint(f"transport IN {BATCH_TRANSPORTS}", name="transport"),
        Index("ix_attom_batch_jobs_status", "status"),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    transport: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    external_job_id: Mapped[str | None] = mapped_column(Text)
    source_file: Mapped[str | None] = mapped_column(Text)
    upload_key: Mapped[str | None] = mapped_column(Text)
    results_key: Mapped[str | None] = mapped_column(Text)
    endpoints: Mapped[str] = mapped_column(Text)
    rows_given: Mapped[int] = mapped_column(Integer)
    duplicates: Mapped[int] = mapped_column(Integer)
    total_records: Mapped[int] = mapped_column(Integer)
    completed_records: Mapped[int] = mapped_column(Integer)
    processed_records: Mapped[int] = mapped_column(Integer)
    lead_count: Mapped[int | None] = mapped_column(Integer)
    progress: Mapped[int] = mapped_column(Integer)
    expected_micros: Mapped[int] = mapped_column(BigInteger)
    saved_micros: Mapped[int] = mapped_column(BigInteger)
    error_message: Mapped[str | None] = mapped_column(Text)
    facts_json: Mapped[str] = mapped_column(Text)
    landed_json: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    submitted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ready_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    downloaded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    processed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancelled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    claim_id: Mapped[str | None] = mapped_column(Text)
    claim_owner: Mapped[str | None] = mapped_column(Text)
    claim_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class BatchRequestRow(Base):
    """One unique property of a batch: the rows of the user's file that name it, and how it ended.

    ``query_json`` holds the names under which ATTOM is asked.
    """

    __tablename__ = "attom_batch_requests"
    __table_args__ = (
        CheckConstraint(f"match_kind IN {BATCH_MATCHES}", name="match_kind"),
        CheckConstraint(f"outcome IN {BATCH_OUTCOMES}", name="outcome"),
        Index("ix_attom_batch_requests_outcome", "job_id", "outcome"),
    )

    job_id: Mapped[str] = mapped_column(ForeignKey("attom_batch_jobs.id"), primary_key=True)
    request_number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    property_id: Mapped[str | None] = mapped_column(Text)
    source_rows: Mapped[str] = mapped_column(Text)
    match_kind: Mapped[str] = mapped_column(Text)
    query_json: Mapped[str] = mapped_column(Text)
    attom_id: Mapped[int | None] = mapped_column(BigInteger)
    outcome: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)


class BatchAnswerRow(Base):
    """What one endpoint answered to one request; there is no row while it is pending."""

    __tablename__ = "attom_batch_answers"
    __table_args__ = (
        CheckConstraint(f"outcome IN {BATCH_OUTCOMES}", name="outcome"),
        Index("ix_attom_batch_answers_request_id", "request_id"),
    )

    job_id: Mapped[str] = mapped_column(ForeignKey("attom_batch_jobs.id"), primary_key=True)
    request_number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    endpoint: Mapped[str] = mapped_column(Text, primary_key=True)
    request_id: Mapped[str | None] = mapped_column(Text)
    request_hash: Mapped[str | None] = mapped_column(Text)
    outcome: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    reports: Mapped[int] = mapped_column(Integer)
    from_cache: Mapped[bool] = mapped_column(Boolean)
    attom_id: Mapped[int | None] = mapped_column(BigInteger)
    fetched_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
