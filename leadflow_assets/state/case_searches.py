"""When a parcel's owners were last looked up among court cases: the predecessor's LienSearchAttempt.

A parcel is not asked again within 90 days; what failed may be asked again at once. No name is kept here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from leadflow_assets.state.models_case_searches import CaseSearchRow

MEMORY = timedelta(days=90)
# Parameters of one statement; SQLite takes 32,766 at most.
_AT_ONCE = 10_000


@dataclass(frozen=True)
class CaseSearch:
    """One look-up of a parcel's owners.

    ``loc_id`` names the parcel, or is the property_id of a record without one. ``outcome`` is found, nothing
    or failed; ``cases_found`` counts cases that name somebody of an owner's name, not matches. ``coverage``
    are the courts asked. Not ``complete``: a name had more cases than were read. ``searched_at`` aware.
    """

    town_id: int
    loc_id: str
    searched_at: datetime
    outcome: str
    cases_found: int
    calls: int
    source: str
    coverage: str
    complete: bool = True


_FIELDS = tuple(field.name for field in fields(CaseSearch))


def record(session: Session, search: CaseSearch) -> None:
    """Add a look-up. The caller commits."""
    session.add(CaseSearchRow(**asdict(search)))


def latest(session: Session, town_id: int, loc_ids: Iterable[str]) -> dict[str, CaseSearch]:
    """The last look-up of each of a town's parcels that was answered, by LOC_ID; failed ones are left out."""
    wanted = list(dict.fromkeys(loc_ids))
    found: dict[str, CaseSearch] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        answered = (
            (CaseSearchRow.town_id == town_id)
            & CaseSearchRow.loc_id.in_(wanted[start : start + _AT_ONCE])
            & (CaseSearchRow.outcome != "failed")
        )
        # The newest by its moment; of two in one moment by its number.
        newest = func.row_number().over(
            partition_by=CaseSearchRow.loc_id,
            order_by=(CaseSearchRow.searched_at.desc(), CaseSearchRow.id.desc()),
        )
        numbered = select(CaseSearchRow.id, newest.label("place")).where(answered).subquery()
        first = select(numbered.c.id).where(numbered.c.place == 1)
        rows = session.scalars(select(CaseSearchRow).where(CaseSearchRow.id.in_(first)))
        found |= {row.loc_id: _search(row) for row in rows}
    return found


def history(session: Session, town_id: int, loc_id: str) -> list[CaseSearch]:
    """Every look-up of a parcel, the oldest first, failed ones too."""
    rows = session.scalars(
        select(CaseSearchRow)
        .where(CaseSearchRow.town_id == town_id, CaseSearchRow.loc_id == loc_id)
        .order_by(CaseSearchRow.searched_at, CaseSearchRow.id)
    )
    return [_search(row) for row in rows]


def _search(row: CaseSearchRow) -> CaseSearch:
    return CaseSearch(**{name: getattr(row, name) for name in _FIELDS})
