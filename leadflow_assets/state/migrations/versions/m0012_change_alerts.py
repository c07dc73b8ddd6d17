"""Create change_watches, change_messages and change_tellings: which events were told to whom."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def _moment(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "change_watches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("rhythm", sa.Text(), nullable=False),
        sa.Column("kinds_json", sa.Text(), nullable=True),
        _moment("since"),
        _moment("stopped_at", nullable=True),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.CheckConstraint("channel IN ('webhook', 'email')", name=op.f("ck_change_watches_channel")),
        sa.CheckConstraint("rhythm IN ('now', 'daily')", name=op.f("ck_change_watches_rhythm")),
        sa.ForeignKeyConstraint(
            ["list_id"], ["saved_lists.id"], name=op.f("fk_change_watches_list_id_saved_lists")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change_watches")),
    )
    op.create_index(
        "uq_change_watches_once", "change_watches", ["list_id", "channel", "rhythm"], unique=True
    )
    op.create_table(
        "change_messages",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("watch_id", sa.Integer(), nullable=False),
        _moment("created_at"),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _moment("next_try_at"),
        sa.Column("sender", sa.Text(), nullable=True),
        _moment("claimed_at", nullable=True),
        _moment("sent_at", nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "status IN ('waiting', 'sending', 'sent')", name=op.f("ck_change_messages_status")
        ),
        sa.ForeignKeyConstraint(
            ["watch_id"], ["change_watches.id"], name=op.f("fk_change_messages_watch_id_change_watches")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_change_messages")),
    )
    op.create_index("ix_change_messages_status", "change_messages", ["status", "next_try_at"])
    op.create_index("ix_change_messages_watch", "change_messages", ["watch_id", "created_at"])
    op.create_table(
        "change_tellings",
        sa.Column("watch_id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("message_key", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_key"],
            ["change_messages.key"],
            name=op.f("fk_change_tellings_message_key_change_messages"),
        ),
        sa.ForeignKeyConstraint(
            ["watch_id"], ["change_watches.id"], name=op.f("fk_change_tellings_watch_id_change_watches")
        ),
        sa.PrimaryKeyConstraint("watch_id", "event_id", name=op.f("pk_change_tellings")),
    )
    op.create_index("ix_change_tellings_message", "change_tellings", ["message_key"])


def downgrade() -> None:
    """Drop the tables."""
    for table in ("change_tellings", "change_messages", "change_watches"):
        op.drop_table(table)
