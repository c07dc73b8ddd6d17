"""Create web_users, web_sessions, web_login_failures and exports: the page's logins, and who took what."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def _moment(name: str) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "web_users",
        _text("name"),
        _text("password_hash"),
        _moment("created_at"),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_web_users")),
    )
    op.create_table(
        "web_sessions",
        _text("token_hash"),
        _text("user_name"),
        _moment("created_at"),
        _moment("seen_at"),
        sa.ForeignKeyConstraint(
            ["user_name"],
            ["web_users.name"],
            name=op.f("fk_web_sessions_user_name_web_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_web_sessions")),
    )
    op.create_index("ix_web_sessions_user_name", "web_sessions", ["user_name"])
    op.create_table(
        "web_login_failures",
        sa.Column("id", sa.Integer(), nullable=False),
        _moment("at"),
        _text("name_hash"),
        _text("address_hash"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_web_login_failures")),
    )
    op.create_index("ix_web_login_failures_at", "web_login_failures", ["at"])
    op.create_table(
        "exports",
        sa.Column("id", sa.Integer(), nullable=False),
        _moment("at"),
        _text("person"),
        _text("way"),
        _text("what"),
        _text("filters"),
        _text("format"),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        _text("sha256"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exports")),
    )
    op.create_index("ix_exports_at", "exports", ["at"])


def downgrade() -> None:
    """Drop the tables."""
    for table in ("exports", "web_login_failures", "web_sessions", "web_users"):
        op.drop_table(table)
