"""The last check of each town's source: asked by a refresh, shown by `leadflow towns` and the sensor."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from leadflow_assets.state.models import SourceCheckRow


@dataclass(frozen=True)
class SourceCheck:
    """What a source said about one town's package. ``size`` in bytes; times aware.

    ``outcome`` is unchanged, changed, unreachable or missing; ``problem`` says what went wrong.
    """

    town_id: int
    url: str
    etag: str | None
    last_modified: datetime | None
    size: int | None
    checked_at: datetime
    outcome: str
    problem: str | None = None


_FIELDS = tuple(field.name for field in fields(SourceCheck))


def record(session: Session, check: SourceCheck) -> None:
    """Keep ``check`` as its town's last one; an older check never replaces a newer. The caller commits.

    Raises:
        sqlalchemy.exc.IntegrityError: ``outcome`` is not one of the four words.
    """
    values = asdict(check)
    # The same statement in two dialects: SQLAlchemy has no common form of it.
    if session.get_bind().dialect.name == "postgresql":
        postgres = postgresql.insert(SourceCheckRow).values(values)
        session.execute(
            postgres.on_conflict_do_update(
                index_elements=["town_id"],
                set_={name: postgres.excluded[name] for name in _FIELDS},
                where=postgres.excluded.checked_at >= SourceCheckRow.checked_at,
            )
        )
        return
    lite = sqlite.insert(SourceCheckRow).values(values)
    session.execute(
        lite.on_conflict_do_update(
            index_elements=["town_id"],
            set_={name: lite.excluded[name] for name in _FIELDS},
            where=lite.excluded.checked_at >= SourceCheckRow.checked_at,
        )
    )


def latest(session: Session) -> dict[int, SourceCheck]:
    """The last check of every town that was ever asked about, by town id."""
    rows = session.scalars(select(SourceCheckRow).order_by(SourceCheckRow.town_id))
    return {row.town_id: SourceCheck(**{name: getattr(row, name) for name in _FIELDS}) for row in rows}
