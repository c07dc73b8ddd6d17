"""Create court_progress, court_days, court_months and court_questions: how far courts were asked."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _moment(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "court_progress",
        sa.Column("court", sa.Text(), nullable=False),
        sa.Column("wanted_since", sa.Date(), nullable=True),
        sa.Column("spans", sa.Text(), nullable=False),
        _moment("last_asked_at", nullable=True),
        sa.Column("dockets_since", sa.Date(), nullable=True),
        sa.Column("dockets_begun", sa.Date(), nullable=True),
        sa.Column("dockets_below", sa.BigInteger(), nullable=True),
        _moment("resumes_at", nullable=True),
        sa.Column("stopped_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("court", name=op.f("pk_court_progress")),
    )
    op.create_table(
        "court_days",
        sa.Column("court", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        _moment("asked_at"),
        sa.PrimaryKeyConstraint("court", "day", name=op.f("pk_court_days")),
    )
    op.create_table(
        "court_months",
        sa.Column("court", sa.Text(), nullable=False),
        sa.Column("filed_month", sa.Text(), nullable=False),
        _moment("begun_at"),
        sa.PrimaryKeyConstraint("court", "filed_month", name=op.f("pk_court_months")),
    )
    op.create_table(
        "court_questions",
        sa.Column("docket_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("court", sa.Text(), nullable=False),
        _moment("asked_at"),
        sa.Column("http_status", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("docket_id", "endpoint", name=op.f("pk_court_questions")),
    )


def downgrade() -> None:
    """Drop the tables."""
    for table in ("court_questions", "court_months", "court_days", "court_progress"):
        op.drop_table(table)
