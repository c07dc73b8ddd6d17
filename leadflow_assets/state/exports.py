"""Who exported what, when: a line for every file that leaves. The caller commits."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from leadflow_assets.state.models_web import ExportRow


@dataclass(frozen=True)
class ExportLine:
    """One export. ``way`` is the page or the command line; ``filters`` names filters, not what they ask."""

    at: datetime
    person: str
    way: str
    what: str
    filters: str
    format: str
    rows: int
    sha256: str


def record(session: Session, line: ExportLine) -> None:
    """Add a line."""
    session.add(ExportRow(**vars(line)))


def latest(session: Session, limit: int = 100) -> list[ExportLine]:
    """The newest lines, the newest first."""
    rows = session.scalars(select(ExportRow).order_by(ExportRow.at.desc(), ExportRow.id.desc()).limit(limit))
    return [
        ExportLine(**{field.name: getattr(row, field.name) for field in fields(ExportLine)}) for row in rows
    ]
