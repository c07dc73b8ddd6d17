"""What was purged, in and out of the state database. The caller commits, but where it says otherwise.

Names and numbers never come here: a purge is who asked, when, why, how much, and salted hashes.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from leadflow_assets.domain.purging import PASSING, Key, Purged
from leadflow_assets.settings import Settings
from leadflow_assets.state import database
from leadflow_assets.state.models_purges import PurgeKeyRow, PurgeRow, PurgeSaltRow

_AT_ONCE = 400
_ADVISORY_LOCK = 7_206_551_108


@dataclass(frozen=True)
class Purge:
    """One purge as recorded. ``finished_at`` None: it was not finished. ``counts``: removed, by place."""

    id: int
    kind: str
    reason: str
    requested_by: str
    requested_at: datetime
    finished_at: datetime | None
    counts: Mapping[str, int]


def new_salt(session: Session) -> bytes:
    """This installation's salt, made at random by whoever asks first."""
    found = session.scalar(select(PurgeSaltRow.salt).where(PurgeSaltRow.id == 1))
    if found is None:
        with contextlib.suppress(IntegrityError), session.begin_nested():
            session.add(PurgeSaltRow(id=1, salt=secrets.token_hex(32)))
        found = session.scalar(select(PurgeSaltRow.salt).where(PurgeSaltRow.id == 1))
    return bytes.fromhex(str(found))


def load(session: Session, purge_id: int | None = None) -> Purged:
    """Everything that was purged, or by one purge; false where nothing was."""
    salt = session.scalar(select(PurgeSaltRow.salt).where(PurgeSaltRow.id == 1))
    if salt is None:
        return Purged(b"")
    query = select(PurgeKeyRow.kind, PurgeKeyRow.value, PurgeKeyRow.town_id).distinct()
    rows = session.execute(query if purge_id is None else query.where(PurgeKeyRow.purge_id == purge_id))
    return Purged(bytes.fromhex(salt)).with_keys(Key(kind, value, town) for kind, value, town in rows)


def is_purged_case(session: Session, court: str, case_id: str | None, docket_id: int | None = None) -> bool:
    """Was the case, or the docket, purged?"""
    purged = load(session)
    return purged.has_case(case_id) or purged.has_docket(court, docket_id)


def purged_people(session: Session) -> Purged:
    """Everybody who was purged somewhere: ask ``mentions(text, places)``."""
    return load(session)


def record(session: Session, kind: str, reason: str, by: str, now: datetime, keys: Iterable[Key]) -> int:
    """Write down a purge with its hashes, before anything is removed; returns its number."""
    row = PurgeRow(
        kind=kind, reason=reason, requested_by=by, requested_at=now, finished_at=None, counts_json="{}"
    )
    session.add(row)
    session.flush()
    add_keys(session, row.id, keys)
    return row.id


def add_keys(session: Session, purge_id: int, keys: Iterable[Key]) -> int:
    """Add hashes to a purge; returns how many are new to it."""
    known = {
        Key(kind, value, town)
        for kind, value, town in session.execute(
            select(PurgeKeyRow.kind, PurgeKeyRow.value, PurgeKeyRow.town_id).where(
                PurgeKeyRow.purge_id == purge_id
            )
        )
    }
    added = [
        {"kind": key.kind, "value": key.value, "town_id": key.town_id, "purge_id": purge_id}
        for key in sorted(set(keys) - known)
    ]
    for start in range(0, len(added), _AT_ONCE):
        session.execute(insert(PurgeKeyRow), added[start : start + _AT_ONCE])
    return len(added)


def finish(session: Session, purge_id: int, counts: Mapping[str, int], now: datetime) -> None:
    """All is removed: keep how much, and forget the names and numbers that stood alone."""
    session.execute(
        delete(PurgeKeyRow).where(PurgeKeyRow.purge_id == purge_id, PurgeKeyRow.kind.in_(PASSING))
    )
    session.execute(
        update(PurgeRow)
        .where(PurgeRow.id == purge_id)
        .values(finished_at=now, counts_json=json.dumps(dict(counts), sort_keys=True))
    )


def all_purges(session: Session, *, unfinished: bool = False) -> list[Purge]:
    """The purges, the oldest first; only those that were not finished, if asked."""
    query = select(PurgeRow).order_by(PurgeRow.id)
    if unfinished:
        query = query.where(PurgeRow.finished_at.is_(None))
    return [
        Purge(
            row.id,
            row.kind,
            row.reason,
            row.requested_by,
            row.requested_at,
            row.finished_at,
            json.loads(row.counts_json),
        )
        for row in session.scalars(query)
    ]


@contextlib.contextmanager
def one_at_a_time(settings: Settings) -> Iterator[None]:
    """Whoever removes something waits here for others who do, on every machine of this state database."""
    folder = settings.data_dir / "purges"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "purge.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not settings.state_url.startswith("postgresql"):
            yield
            return
        with database.session(settings) as session:
            engine = session.get_bind().engine
        # The lock is the connection's, not a transaction's: others may go on meanwhile.
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _ADVISORY_LOCK})
            connection.commit()
            try:
                yield
            finally:
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _ADVISORY_LOCK})
