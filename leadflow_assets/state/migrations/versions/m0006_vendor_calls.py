"""Create vendor_calls and vendor_call_lists: limits that roll, such as CourtListener's."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def _moment(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "vendor_calls",
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        _moment("called_at"),
        sa.Column("answered", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_vendor_calls")),
    )
    op.create_index("ix_vendor_calls_vendor", "vendor_calls", ["vendor", "called_at"])
    op.create_table(
        "vendor_call_lists",
        sa.Column("vendor", sa.Text(), nullable=False),
        _moment("blocked_until", nullable=True),
        _moment("corrected_at", nullable=True),
        sa.PrimaryKeyConstraint("vendor", name=op.f("pk_vendor_call_lists")),
    )


def downgrade() -> None:
    """Drop the tables."""
    for table in ("vendor_call_lists", "vendor_calls"):
        op.drop_table(table)
