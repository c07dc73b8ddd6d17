"""Counting calls per clock minute across processes and restarts."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from leadflow_assets.settings import Settings
from leadflow_assets.state import database
from leadflow_assets.state.models_spend import RateWindowRow

MINUTE = timedelta(minutes=1)


class RateWindow:
    """The calls of one vendor in the current minute, shared by every process on the database."""

    def __init__(self, settings: Settings, vendor: str) -> None:
        self._settings = settings
        self._vendor = vendor

    def take(self, limit: int, now: datetime) -> datetime | None:
        """Take one of the minute's ``limit`` calls: None when it was given, else when to ask again (UTC)."""
        minute = now.replace(second=0, microsecond=0)
        with database.session(self._settings) as session:
            mine = select(RateWindowRow).where(RateWindowRow.vendor == self._vendor).with_for_update()
            row = session.scalar(mine)
            if row is None:
                dialect = session.get_bind().dialect.name
                insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
                first = insert(RateWindowRow).values(vendor=self._vendor, minute=minute, used=0)
                session.execute(first.on_conflict_do_nothing())
                row = session.scalars(mine).one()
            if row.blocked_until is not None and now < row.blocked_until:
                session.commit()
                return row.blocked_until
            # A host whose clock runs ahead has begun the next minute: its count goes on. A minute far
            # ahead was written by a clock that has been put right since.
            ahead = minute < row.minute <= minute + MINUTE
            if row.minute != minute and not ahead:
                row.minute, row.used = minute, 0
            given = row.used < limit
            row.used += given
            again = row.minute + MINUTE
            session.commit()
            return None if given else again

    def block(self, until: datetime) -> None:
        """Nobody calls before ``until``: the vendor says that the minute is used up."""
        with database.session(self._settings) as session:
            row = session.scalars(
                select(RateWindowRow).where(RateWindowRow.vendor == self._vendor).with_for_update()
            ).one_or_none()
            if row is not None and (row.blocked_until is None or row.blocked_until < until):
                row.blocked_until = until
            session.commit()
