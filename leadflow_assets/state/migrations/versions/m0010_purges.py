"""Create purge_salt, purges and purge_keys: what was removed for good and must not come back."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def _moment(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "purge_salt",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        _text("salt"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purge_salt")),
    )
    op.create_table(
        "purges",
        sa.Column("id", sa.Integer(), nullable=False),
        _text("kind"),
        _text("reason"),
        _text("requested_by"),
        _moment("requested_at"),
        _moment("finished_at", nullable=True),
        _text("counts_json"),
        sa.CheckConstraint("kind IN ('case', 'person')", name=op.f("ck_purges_kind")),
        sa.CheckConstraint(
            "reason IN ('sealed', 'expunged', 'opt_out', 'error', 'other')", name=op.f("ck_purges_reason")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purges")),
    )
    op.create_table(
        "purge_keys",
        _text("kind"),
        _text("value"),
        sa.Column("town_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("purge_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint("kind", "value", "town_id", "purge_id", name=op.f("pk_purge_keys")),
    )
    op.create_index("ix_purge_keys_purge_id", "purge_keys", ["purge_id"])


def downgrade() -> None:
    """Drop the tables."""
    for table in ("purge_keys", "purges", "purge_salt"):
        op.drop_table(table)
