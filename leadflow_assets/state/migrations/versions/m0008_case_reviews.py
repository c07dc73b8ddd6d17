"""Create case_reviews: what people decided about court parties and properties."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "case_reviews",
        sa.Column("id", sa.Integer(), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("match_id", "case_id", "source", "party_id", "property_id")
        ),
        sa.Column("town_id", sa.Integer(), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("party_name", "party_role", "method", "decision", "decided_by")
        ),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("probability", sa.Double(), nullable=False),
        sa.Column("evidence_version", sa.Text(), nullable=True),
        sa.CheckConstraint("decision IN ('confirmed', 'rejected')", name=op.f("ck_case_reviews_decision")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_reviews")),
    )
    op.create_index("ix_case_reviews_match", "case_reviews", ["match_id", "id"])
    op.create_index("ix_case_reviews_case", "case_reviews", ["case_id", "source"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("case_reviews")
