"""Create case_searches: when a parcel's owners were looked up among court cases."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "case_searches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("town_id", sa.Integer(), nullable=False),
        sa.Column("loc_id", sa.Text(), nullable=False),
        sa.Column("searched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("cases_found", sa.Integer(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("coverage", sa.Text(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('found', 'nothing', 'failed')", name=op.f("ck_case_searches_outcome")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_searches")),
    )
    op.create_index("ix_case_searches_parcel", "case_searches", ["town_id", "loc_id", "searched_at"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("case_searches")
