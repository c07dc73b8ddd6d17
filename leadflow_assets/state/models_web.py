"""Tables of the page: who may log in, who is logged in, refused logins, and what was exported by whom."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from leadflow_assets.state.models import Base, UtcDateTime


class WebUserRow(Base):
    """A person who may log in. ``password_hash`` is Argon2id with its parameters and salt."""

    __tablename__ = "web_users"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    password_hash: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class WebSessionRow(Base):
    """A login. Only the SHA-256 of its token is kept: who reads this table cannot use one."""

    __tablename__ = "web_sessions"
    __table_args__ = (Index("ix_web_sessions_user_name", "user_name"),)

    token_hash: Mapped[str] = mapped_column(Text, primary_key=True)
    user_name: Mapped[str] = mapped_column(ForeignKey("web_users.name", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)


class LoginFailureRow(Base):
    """A refused login, counted against the name that was tried and the address it came from (hashes)."""

    __tablename__ = "web_login_failures"
    __table_args__ = (Index("ix_web_login_failures_at", "at"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    name_hash: Mapped[str] = mapped_column(Text)
    address_hash: Mapped[str] = mapped_column(Text)


class ExportRow(Base):
    """A file that left: who took what, when. ``filters`` names the filters, never what was typed in them."""

    __tablename__ = "exports"
    __table_args__ = (Index("ix_exports_at", "at"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    person: Mapped[str] = mapped_column(Text)
    way: Mapped[str] = mapped_column(Text)
    what: Mapped[str] = mapped_column(Text)
    filters: Mapped[str] = mapped_column(Text)
    format: Mapped[str] = mapped_column(Text)
    rows: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(Text)
