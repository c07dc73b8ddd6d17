"""The list of a vendor's calls that all its windows look at, shared by processes and kept across restarts."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from leadflow_assets.domain.call_windows import Wait, Window, correction, next_call, used
from leadflow_assets.settings import Settings
from leadflow_assets.state import database
from leadflow_assets.state.models_calls import VendorCallListRow, VendorCallRow

# A clock that ran ahead and was put right must not block everyone; a second host's may be off a little.
_AHEAD = timedelta(minutes=5)
_KEPT = timedelta(days=1)


class CallList:
    """The calls of one vendor, for every process on the state database."""

    def __init__(self, settings: Settings, vendor: str) -> None:
        self._settings = settings
        self._vendor = vendor

    def take(self, windows: Sequence[Window], now: datetime) -> str | Wait:
        """Note a call that is about to be made and return its id; or when to ask again."""
        with database.session(self._settings) as session:
            row = self._lock(session)
            wait = next_call([call.called_at for call in self._calls(session, now)], windows, now)
            if row.blocked_until is not None and row.blocked_until > now:
                blocked = Wait(row.blocked_until, None)
                wait = blocked if wait is None or wait.until < blocked.until else wait
            call_id = uuid.uuid4().hex
            if wait is None:
                session.add(self._row(call_id, now, answered=False))
            longest = max((window.length for window in windows), default=_KEPT)
            session.execute(
                delete(VendorCallRow).where(
                    VendorCallRow.vendor == self._vendor,
                    VendorCallRow.called_at < now - max(longest, _KEPT),
                )
            )
            session.commit()
        return call_id if wait is None else wait

    def answered(self, call_id: str, now: datetime) -> None:
        """The call was answered, and counts from then on."""
        with database.session(self._settings) as session:
            changed = update(VendorCallRow).where(VendorCallRow.call_id == call_id)
            session.execute(changed.values(called_at=now, answered=True))
            session.commit()

    def forget(self, call_id: str) -> None:
        """The call does not count."""
        with database.session(self._settings) as session:
            session.execute(delete(VendorCallRow).where(VendorCallRow.call_id == call_id))
            session.commit()

    def block(self, until: datetime) -> None:
        """Give no call before ``until``; an earlier end never replaces a later one."""
        with database.session(self._settings) as session:
            row = self._lock(session)
            if row.blocked_until is None or row.blocked_until < until:
                row.blocked_until = until
            session.commit()

    def correct(self, theirs: Mapping[timedelta, int], now: datetime) -> None:
        """Make each window hold what the vendor says was used."""
        with database.session(self._settings) as session:
            row = self._lock(session)
            calls = self._calls(session, now)
            change = correction([call.called_at for call in calls], theirs, now)
            for place in change.remove:
                if calls[place].answered:
                    session.delete(calls[place])
            session.add_all(self._row(uuid.uuid4().hex, moment, answered=True) for moment in change.add)
            row.corrected_at = now
            session.commit()

    def used(self, windows: Sequence[Window], now: datetime) -> Mapping[Window, int]:
        """How many calls each window holds."""
        with database.session(self._settings) as session:
            return used([call.called_at for call in self._calls(session, now)], windows, now)

    def _row(self, call_id: str, moment: datetime, *, answered: bool) -> VendorCallRow:
        return VendorCallRow(call_id=call_id, vendor=self._vendor, called_at=moment, answered=answered)

    def _calls(self, session: Session, now: datetime) -> list[VendorCallRow]:
        mine = (VendorCallRow.vendor == self._vendor) & (VendorCallRow.called_at <= now + _AHEAD)
        return list(session.scalars(select(VendorCallRow).where(mine).order_by(VendorCallRow.called_at)))

    def _lock(self, session: Session) -> VendorCallListRow:
        insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
        session.execute(insert(VendorCallListRow).values(vendor=self._vendor).on_conflict_do_nothing())
        mine = select(VendorCallListRow).where(VendorCallListRow.vendor == self._vendor)
        return session.scalars(mine.with_for_update()).one()
