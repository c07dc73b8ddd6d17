"""Leads' states in the database: additions and changes of status. Nothing is overwritten: a change is a row.

Only a purge removes any (:func:`forget`). The caller commits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime

from sqlalchemy import delete, func, insert, select
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from leadflow_assets.state.models_leads import LeadAdditionRow, LeadEventRow

_AT_ONCE = 400


@dataclass(frozen=True)
class LeadEvent:
    """One change of status, one of domain.leads.STATUSES. ``changed_at`` is aware."""

    lead_id: str
    property_id: str | None
    status: str
    changed_by: str
    changed_at: datetime
    note: str


_FIELDS = tuple(field.name for field in fields(LeadEvent))


def add(
    session: Session, property_ids: Iterable[str], *, by: str, now: datetime, batch_id: str | None = None
) -> int:
    """Make the owners of these properties leads; returns how many properties were not added before."""
    wanted = sorted(set(property_ids))
    known: set[str] = set()
    for part in _parts(wanted):
        query = select(LeadAdditionRow.property_id).where(LeadAdditionRow.property_id.in_(part))
        known |= set(session.scalars(query))
    rows = [
        {"property_id": one, "added_by": by, "added_at": now, "batch_id": batch_id}
        for one in wanted
        if one not in known
    ]
    for start in range(0, len(rows), _AT_ONCE):
        session.execute(insert(LeadAdditionRow), rows[start : start + _AT_ONCE])
    return len(rows)


def additions(session: Session) -> list[str]:
    """The properties that were added, in order."""
    return list(session.scalars(select(LeadAdditionRow.property_id).order_by(LeadAdditionRow.property_id)))


def state_of(session: Session) -> str:
    """Names what is added: changes with every addition."""
    return hashlib.sha256("\n".join(additions(session)).encode()).hexdigest()[:16]


def record(session: Session, events: Iterable[LeadEvent]) -> None:
    """Add changes, which from now on are those that count."""
    session.add_all([LeadEventRow(**asdict(event)) for event in events])


def latest(session: Session, lead_ids: Sequence[str] | None = None) -> dict[str, LeadEvent]:
    """The change that counts of each lead that has any, of all or of these."""
    newest = select(func.max(LeadEventRow.id)).group_by(LeadEventRow.lead_id)
    found: dict[str, LeadEvent] = {}
    for part in [None] if lead_ids is None else _parts(lead_ids):
        chosen = newest if part is None else newest.where(LeadEventRow.lead_id.in_(part))
        for row in session.scalars(select(LeadEventRow).where(LeadEventRow.id.in_(chosen))):
            found[row.lead_id] = _event(row)
    return found


def history(session: Session, lead_id: str) -> list[LeadEvent]:
    """Every change of one lead, the oldest first."""
    rows = session.scalars(
        select(LeadEventRow).where(LeadEventRow.lead_id == lead_id).order_by(LeadEventRow.id)
    )
    return [_event(row) for row in rows]


def places(session: Session) -> list[tuple[str, str]]:
    """Each lead that has changes with each of the properties where it was at one of them."""
    query = select(LeadEventRow.lead_id, LeadEventRow.property_id).where(
        LeadEventRow.property_id.is_not(None)
    )
    return [(lead_id, str(property_id)) for lead_id, property_id in session.execute(query.distinct())]


def forget(session: Session, lead_ids: Iterable[str], property_ids: Iterable[str] = ()) -> int:
    """Remove everything about these leads and additions; returns how many rows."""
    removed = 0
    for column, wanted in (
        (LeadEventRow.lead_id, sorted(set(lead_ids))),
        (LeadAdditionRow.property_id, sorted(set(property_ids))),
    ):
        for part in _parts(wanted):
            done = session.execute(delete(column.class_).where(column.in_(part)))
            removed += done.rowcount if isinstance(done, CursorResult) else 0
    return removed


def _parts(values: Sequence[str]) -> list[Sequence[str]]:
    return [values[start : start + _AT_ONCE] for start in range(0, len(values), _AT_ONCE)]


def _event(row: LeadEventRow) -> LeadEvent:
    return LeadEvent(**{name: getattr(row, name) for name in _FIELDS})
