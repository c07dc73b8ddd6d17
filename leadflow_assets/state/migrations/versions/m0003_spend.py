"""Create charges, spend_vendors, spend_alerts, rate_windows and vendor_answers: spending at vendors."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_OPEN = sa.text("state IN ('reserved', 'sent', 'unknown')")


def _moment(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "charges",
        sa.Column("charge_id", sa.Text(), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.Text(), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("price_micros", sa.BigInteger(), nullable=False),
        sa.Column("reserved_units", sa.Integer(), nullable=False),
        sa.Column("settled_units", sa.Integer(), nullable=True),
        sa.Column("counted_micros", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        _moment("reserved_at"),
        _moment("expires_at"),
        _moment("sent_at", nullable=True),
        _moment("closed_at", nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('reserved', 'sent', 'unknown', 'settled', 'released')",
            name=op.f("ck_charges_state"),
        ),
        sa.PrimaryKeyConstraint("charge_id", name=op.f("pk_charges")),
    )
    op.create_index("ix_charges_vendor", "charges", ["vendor", "day"])
    op.create_index(
        "uq_charges_open",
        "charges",
        ["vendor", "request_hash"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_table(
        "spend_vendors",
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("vendor", name=op.f("pk_spend_vendors")),
    )
    op.create_table(
        "spend_alerts",
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("percent", sa.Integer(), autoincrement=False, nullable=False),
        _moment("reached_at"),
        _moment("reported_at", nullable=True),
        sa.PrimaryKeyConstraint("vendor", "day", "percent", name=op.f("pk_spend_alerts")),
    )
    op.create_table(
        "rate_windows",
        sa.Column("vendor", sa.Text(), nullable=False),
        _moment("minute"),
        sa.Column("used", sa.Integer(), nullable=False),
        _moment("blocked_until", nullable=True),
        sa.PrimaryKeyConstraint("vendor", name=op.f("pk_rate_windows")),
    )
    op.create_table(
        "vendor_answers",
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        _moment("fetched_at"),
        sa.Column("archive_key", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('returned', 'no_match', 'ambiguous', 'error')",
            name=op.f("ck_vendor_answers_outcome"),
        ),
        sa.PrimaryKeyConstraint("vendor", "endpoint", "identity", name=op.f("pk_vendor_answers")),
    )
    op.create_index("ix_vendor_answers_fetched_at", "vendor_answers", ["fetched_at"])


def downgrade() -> None:
    """Drop the tables."""
    for table in ("vendor_answers", "rate_windows", "spend_alerts", "spend_vendors", "charges"):
        op.drop_table(table)
