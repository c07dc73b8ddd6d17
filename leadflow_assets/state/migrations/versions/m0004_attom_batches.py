"""Create attom_batch_jobs, attom_batch_requests and attom_batch_answers: batches of properties at ATTOM."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_OUTCOMES = "outcome IN ('returned', 'no_match', 'ambiguous', 'error', 'pending')"


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _count(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _moment(name: str, *, nullable: bool = True) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "attom_batch_jobs",
        _text("id"),
        _text("name"),
        _text("transport"),
        _text("status"),
        _text("external_job_id", nullable=True),
        _text("source_file", nullable=True),
        _text("upload_key", nullable=True),
        _text("results_key", nullable=True),
        _text("endpoints"),
        _count("rows_given"),
        _count("duplicates"),
        _count("total_records"),
        _count("completed_records"),
        _count("processed_records"),
        _count("lead_count", nullable=True),
        _count("progress"),
        sa.Column("expected_micros", sa.BigInteger(), nullable=False),
        sa.Column("saved_micros", sa.BigInteger(), nullable=False),
        _text("error_message", nullable=True),
        _text("facts_json"),
        _text("landed_json", nullable=True),
        _moment("created_at", nullable=False),
        _moment("submitted_at"),
        _moment("started_at"),
        _moment("ready_at"),
        _moment("downloaded_at"),
        _moment("processed_at"),
        _moment("failed_at"),
        _moment("cancelled_at"),
        _moment("updated_at", nullable=False),
        _text("claim_id", nullable=True),
        _text("claim_owner", nullable=True),
        _moment("claim_expires_at"),
        sa.CheckConstraint(
            "status IN ('created', 'submitted', 'in_progress', 'ready', 'downloaded', 'processed', "
            "'failed', 'cancelled')",
            name=op.f("ck_attom_batch_jobs_status"),
        ),
        sa.CheckConstraint(
            "transport IN ('rest', 'files', 'endpoint')", name=op.f("ck_attom_batch_jobs_transport")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attom_batch_jobs")),
    )
    op.create_index("ix_attom_batch_jobs_status", "attom_batch_jobs", ["status"])
    op.create_table(
        "attom_batch_requests",
        _text("job_id"),
        sa.Column("request_number", sa.Integer(), autoincrement=False, nullable=False),
        _text("property_id", nullable=True),
        _text("source_rows"),
        _text("match_kind"),
        _text("query_json"),
        sa.Column("attom_id", sa.BigInteger(), nullable=True),
        _text("outcome"),
        _text("reason", nullable=True),
        sa.CheckConstraint(
            "match_kind IN ('exact', 'probable', 'none', 'property')",
            name=op.f("ck_attom_batch_requests_match_kind"),
        ),
        sa.CheckConstraint(_OUTCOMES, name=op.f("ck_attom_batch_requests_outcome")),
        _of_job("attom_batch_requests"),
        sa.PrimaryKeyConstraint("job_id", "request_number", name=op.f("pk_attom_batch_requests")),
    )
    op.create_index("ix_attom_batch_requests_outcome", "attom_batch_requests", ["job_id", "outcome"])
    op.create_table(
        "attom_batch_answers",
        _text("job_id"),
        sa.Column("request_number", sa.Integer(), autoincrement=False, nullable=False),
        _text("endpoint"),
        _text("request_id", nullable=True),
        _text("request_hash", nullable=True),
        _text("outcome"),
        _text("reason", nullable=True),
        _count("reports"),
        sa.Column("from_cache", sa.Boolean(), nullable=False),
        sa.Column("attom_id", sa.BigInteger(), nullable=True),
        _moment("fetched_at"),
        sa.CheckConstraint(_OUTCOMES, name=op.f("ck_attom_batch_answers_outcome")),
        _of_job("attom_batch_answers"),
        sa.PrimaryKeyConstraint("job_id", "request_number", "endpoint", name=op.f("pk_attom_batch_answers")),
    )
    op.create_index("ix_attom_batch_answers_request_id", "attom_batch_answers", ["request_id"])


def _of_job(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_job_id_attom_batch_jobs")
    return sa.ForeignKeyConstraint(["job_id"], ["attom_batch_jobs.id"], name=name)


def downgrade() -> None:
    """Drop the tables."""
    for table in ("attom_batch_answers", "attom_batch_requests", "attom_batch_jobs"):
        op.drop_table(table)
