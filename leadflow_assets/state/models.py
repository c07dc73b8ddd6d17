"""Tables of the state database. ``migrations/`` makes them; a test compares the two."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

OUTCOMES = ("unchanged", "changed", "unreachable", "missing")
LIST_KINDS = ("dynamic", "static", "imported")
MEMBER_ORIGINS = ("criteria", "added", "combined", "import exact", "import probable")
MEMBER_STATUSES = ("present", "lost", "town not here")
LIST_EVENTS = ("came", "went", "followed", "lost")
IMPORT_RESULTS = ("exact", "probable", "none", "duplicate")
# Constraints have predictable names, so that a later migration can drop them on both databases.
_NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: aware in, aware UTC out. SQLite has no time zones and keeps the UTC wall time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC.

        Raises:
            ValueError: the value is naive, so nobody can tell which moment it is.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime without a time zone cannot be stored")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the moment its time zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of every state table."""

    metadata = MetaData(naming_convention=_NAMING)


class SourceCheckRow(Base):
    """What a source last said about one town's package. ``size`` in bytes."""

    __tablename__ = "source_checks"
    __table_args__ = (CheckConstraint(f"outcome IN {OUTCOMES}", name="outcome"),)

    town_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    url: Mapped[str] = mapped_column(Text)
    etag: Mapped[str | None] = mapped_column(Text)
    last_modified: Mapped[datetime | None] = mapped_column(UtcDateTime)
    size: Mapped[int | None] = mapped_column(BigInteger)
    checked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    outcome: Mapped[str] = mapped_column(Text)
    problem: Mapped[str | None] = mapped_column(Text)


class SavedListRow(Base):
    """A saved list. ``name_key`` is the name in lower case: two lists must differ in more than that.

    ``revision`` grows with every change of the list: who computed something from an older one starts
    again. ``refresh_no`` is the revision that the last refresh made. ``data_json`` says which data the
    members were last compared with: the snapshot's time, and release and SHA-256 by town id.
    """

    __tablename__ = "saved_lists"
    __table_args__ = (CheckConstraint(f"kind IN {LIST_KINDS}", name="kind"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    name_key: Mapped[str] = mapped_column(Text, unique=True)
    kind: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text)
    criteria_json: Mapped[str | None] = mapped_column(Text)
    source_file: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    refreshed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    refresh_no: Mapped[int] = mapped_column(Integer)
    revision: Mapped[int] = mapped_column(Integer)
    archived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    data_json: Mapped[str] = mapped_column(Text)


class SavedListMemberRow(Base):
    """A property on a list, with what it takes to find it again and to say what changed.

    Coordinates in EPSG:26986 metres. ``values_json`` holds the searched fields as they were; of owners
    only a hash.
    """

    __tablename__ = "saved_list_members"
    __table_args__ = (
        CheckConstraint(f"origin IN {MEMBER_ORIGINS}", name="origin"),
        CheckConstraint(f"status IN {MEMBER_STATUSES}", name="status"),
    )

    list_id: Mapped[int] = mapped_column(ForeignKey("saved_lists.id"), primary_key=True)
    property_id: Mapped[str] = mapped_column(Text, primary_key=True)
    town_id: Mapped[int] = mapped_column(Integer)
    prop_id: Mapped[str | None] = mapped_column(Text)
    cama_id: Mapped[str | None] = mapped_column(Text)
    loc_id: Mapped[str | None] = mapped_column(Text)
    point_x: Mapped[float | None] = mapped_column(Double)
    point_y: Mapped[float | None] = mapped_column(Double)
    address_key: Mapped[str | None] = mapped_column(Text)
    records_on_parcel: Mapped[int | None] = mapped_column(Integer)
    values_json: Mapped[str] = mapped_column(Text)
    origin: Mapped[str] = mapped_column(Text)
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)
    status: Mapped[str] = mapped_column(Text)
    status_reason: Mapped[str | None] = mapped_column(Text)


class SavedListEventRow(Base):
    """Who came to a list, who went, who changed its id or was lost, and the reason.

    ``revision`` is that of the list after the change.
    """

    __tablename__ = "saved_list_events"
    __table_args__ = (
        CheckConstraint(f"event IN {LIST_EVENTS}", name="event"),
        Index("uq_saved_list_events_once", "list_id", "revision", "property_id", "event", unique=True),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("saved_lists.id"))
    revision: Mapped[int] = mapped_column(Integer)
    happened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    property_id: Mapped[str] = mapped_column(Text)
    event: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    detail_json: Mapped[str | None] = mapped_column(Text)


class SavedListImportRow(Base):
    """What became of one row of an imported file; a row that names a whole parcel has several."""

    __tablename__ = "saved_list_imports"
    __table_args__ = (
        CheckConstraint(f"result IN {IMPORT_RESULTS}", name="result"),
        Index("ix_saved_list_imports_row", "list_id", "row_number"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("saved_lists.id"))
    row_number: Mapped[int] = mapped_column(Integer)
    given: Mapped[str] = mapped_column(Text)
    result: Mapped[str] = mapped_column(Text)
    property_id: Mapped[str | None] = mapped_column(Text)
    why: Mapped[str] = mapped_column(Text)
