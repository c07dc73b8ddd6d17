"""Create source_checks: the last check of each town's source."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "source_checks",
        sa.Column("town_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("last_modified", sa.DateTime(timezone=True), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('unchanged', 'changed', 'unreachable', 'missing')",
            name=op.f("ck_source_checks_outcome"),
        ),
        sa.PrimaryKeyConstraint("town_id", name=op.f("pk_source_checks")),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("source_checks")
