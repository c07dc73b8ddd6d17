"""Create the tables of saved lists: lists, members, the diff log, import reports."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = ("saved_lists", "saved_list_members", "saved_list_events", "saved_list_imports")


def upgrade() -> None:
    """Create the tables."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "saved_lists",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("criteria_json", sa.Text(), nullable=True),
        sa.Column("source_file", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=False),
        sa.Column("refreshed_at", moment, nullable=False),
        sa.Column("refresh_no", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("archived_at", moment, nullable=True),
        sa.Column("data_json", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('dynamic', 'static', 'imported')", name=op.f("ck_saved_lists_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_lists")),
        sa.UniqueConstraint("name_key", name=op.f("uq_saved_lists_name_key")),
    )
    op.create_table(
        "saved_list_members",
        sa.Column("list_id", sa.Integer(), nullable=False),
        sa.Column("property_id", sa.Text(), nullable=False),
        sa.Column("town_id", sa.Integer(), nullable=False),
        sa.Column("prop_id", sa.Text(), nullable=True),
        sa.Column("cama_id", sa.Text(), nullable=True),
        sa.Column("loc_id", sa.Text(), nullable=True),
        sa.Column("point_x", sa.Double(), nullable=True),
        sa.Column("point_y", sa.Double(), nullable=True),
        sa.Column("address_key", sa.Text(), nullable=True),
        sa.Column("records_on_parcel", sa.Integer(), nullable=True),
        sa.Column("values_json", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("added_at", moment, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("status_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "origin IN ('criteria', 'added', 'combined', 'import exact', 'import probable')",
            name=op.f("ck_saved_list_members_origin"),
        ),
        sa.CheckConstraint(
            "status IN ('present', 'lost', 'town not here')", name=op.f("ck_saved_list_members_status")
        ),
        _list_key("saved_list_members"),
        sa.PrimaryKeyConstraint("list_id", "property_id", name=op.f("pk_saved_list_members")),
    )
    op.create_table(
        "saved_list_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("happened_at", moment, nullable=False),
        sa.Column("property_id", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail_json", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "event IN ('came', 'went', 'followed', 'lost')", name=op.f("ck_saved_list_events_event")
        ),
        _list_key("saved_list_events"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_list_events")),
    )
    op.create_index(
        "uq_saved_list_events_once",
        "saved_list_events",
        ["list_id", "revision", "property_id", "event"],
        unique=True,
    )
    op.create_table(
        "saved_list_imports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=False),
        sa.Column("row_number", sa.Integer(), nullable=False),
        sa.Column("given", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("property_id", sa.Text(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "result IN ('exact', 'probable', 'none', 'duplicate')", name=op.f("ck_saved_list_imports_result")
        ),
        _list_key("saved_list_imports"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_list_imports")),
    )
    op.create_index("ix_saved_list_imports_row", "saved_list_imports", ["list_id", "row_number"])


def _list_key(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["list_id"], ["saved_lists.id"], name=op.f(f"fk_{table}_list_id_saved_lists")
    )


def downgrade() -> None:
    """Drop the tables."""
    for table in reversed(TABLES):
        op.drop_table(table)
