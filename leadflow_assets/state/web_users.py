"""Who may log in to the page, who is logged in, and how often logins were refused. The caller commits."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from leadflow_assets.errors import UsageError
from leadflow_assets.state.models_web import LoginFailureRow, WebSessionRow, WebUserRow

SHORTEST_PASSWORD = 12
# Refused logins within the window after which a name, or an address, has to wait.
WINDOW = timedelta(minutes=15)
MOST_PER_NAME, MOST_PER_ADDRESS = 5, 20
_LONGEST_PASSWORD = 1024
_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
_hasher = PasswordHasher()
# Checked where a name is unknown, so that this takes as long as a wrong password.
_NOBODY = _hasher.hash(secrets.token_hex(16))


def names(session: Session) -> list[str]:
    """Everybody who may log in."""
    return list(session.scalars(select(WebUserRow.name).order_by(WebUserRow.name)))


def set_password(session: Session, name: str, password: str, now: datetime) -> bool:
    """Add a person, or give them a new password, which ends their logins; True where they are new.

    Raises:
        UsageError: a name that cannot be one, or a password that is too short or too long.
    """
    name = name.lower()
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is no name to log in with.", "Letters, digits and . _ @ -; at most 64 of them."
        )
    if not SHORTEST_PASSWORD <= len(password) <= _LONGEST_PASSWORD:
        raise UsageError(
            f"A password has {SHORTEST_PASSWORD} to {_LONGEST_PASSWORD} characters, this {len(password)}.",
            "Several words in a row are easy to keep and hard to guess.",
        )
    row = session.get(WebUserRow, name)
    if row is None:
        session.add(WebUserRow(name=name, password_hash=_hasher.hash(password), created_at=now))
        return True
    row.password_hash = _hasher.hash(password)
    session.execute(delete(WebSessionRow).where(WebSessionRow.user_name == name))
    return False


def remove(session: Session, name: str) -> None:
    """Remove a person and end their logins.

    Raises:
        UsageError: there is no such person.
    """
    row = session.get(WebUserRow, name.lower())
    if row is None:
        raise UsageError(f"Nobody logs in as {name!r}.", "`leadflow web users` lists who does.")
    session.execute(delete(WebSessionRow).where(WebSessionRow.user_name == row.name))
    session.delete(row)


def must_wait(session: Session, name: str, address: str, now: datetime) -> bool:
    """Were too many logins refused lately, under this name or from this address?"""
    counted = func.count(LoginFailureRow.id)
    recent = LoginFailureRow.at > now - WINDOW
    by_name = session.scalar(select(counted).where(recent, LoginFailureRow.name_hash == _hash(name.lower())))
    by_address = session.scalar(select(counted).where(recent, LoginFailureRow.address_hash == _hash(address)))
    return (by_name or 0) >= MOST_PER_NAME or (by_address or 0) >= MOST_PER_ADDRESS


def log_in(session: Session, name: str, password: str, address: str, now: datetime) -> str | None:
    """The token of a new login; None where name and password do not belong together, which is counted."""
    name = name.lower()
    row = session.get(WebUserRow, name)
    if not _is_right(row.password_hash if row else _NOBODY, password) or row is None:
        session.execute(delete(LoginFailureRow).where(LoginFailureRow.at < now - WINDOW))
        session.add(LoginFailureRow(at=now, name_hash=_hash(name), address_hash=_hash(address)))
        return None
    if _hasher.check_needs_rehash(row.password_hash):
        row.password_hash = _hasher.hash(password)
    session.execute(delete(LoginFailureRow).where(LoginFailureRow.name_hash == _hash(name)))
    token = secrets.token_urlsafe(32)
    session.add(WebSessionRow(token_hash=_hash(token), user_name=name, created_at=now, seen_at=now))
    return token


def person_of(session: Session, token: str, now: datetime, idle: timedelta) -> str | None:
    """Whose login this is; None where there is none, or it was not used for ``idle``."""
    row = session.get(WebSessionRow, _hash(token))
    if row is None or row.seen_at < now - idle:
        return None
    # Not at every click: a write for each page would hold up others.
    if row.seen_at < now - timedelta(minutes=1):
        row.seen_at = now
    return row.user_name


def log_out(session: Session, token: str, now: datetime, idle: timedelta) -> None:
    """End a login; those that nobody used for long go with it."""
    forgotten = or_(WebSessionRow.token_hash == _hash(token), WebSessionRow.seen_at < now - idle)
    session.execute(delete(WebSessionRow).where(forgotten))


def _is_right(password_hash: str, password: str) -> bool:
    try:
        return len(password) <= _LONGEST_PASSWORD and _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
