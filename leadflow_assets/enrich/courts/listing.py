"""Cases as they are published, for people: those in force, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from leadflow_assets.domain.courts.imported import IMPORT_KINDS
from leadflow_assets.domain.courts.kinds import CASE_TYPES
from leadflow_assets.domain.courts.model import COURTLISTENER
from leadflow_assets.enrich.courts.kept import open_tables
from leadflow_assets.errors import UsageError
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.tables import COURT_CASES

COLUMNS = (
    "case_id",
    "case_type",
    "action_type",
    "chapter",
    "status",
    "date_filed",
    "recorded_on",
    "date_terminated",
    "case_name",
    "court",
    "filed_month",
    "docket_number",
    "source",
    "stated_source",
    "source_file",
    "expires_on",
)


@dataclass(frozen=True)
class CaseList:
    """So many cases in all, and the first of them as rows of :data:`COLUMNS`."""

    total: int
    rows: Sequence[dict[str, Any]]


def list_cases(
    lake: Lake,
    today: date,
    *,
    court: str | None = None,
    month: str | None = None,
    case_type: str | None = None,
    source: str | None = None,
    limit: int = 50,
) -> CaseList:
    """The cases in force on that day that fit all that is given.

    Raises:
        UsageError: there is no such case type or source.
    """
    for value, known, what in (
        (case_type, tuple(CASE_TYPES), "case type"),
        (source, (COURTLISTENER, *IMPORT_KINDS), "source"),
    ):
        if value is not None and value not in known:
            raise UsageError(f"There is no {what} {value!r}.", f"There are: {', '.join(known)}.")
    given = {"court": court, "filed_month": month, "case_type": case_type, "source": source}
    wanted = {name: value for name, value in given.items() if value is not None}
    filters = " AND ".join(
        ["coalesce(expires_on >= $today, TRUE)", *(f"{name} = ${name}" for name in wanted)]
    )
    entries = list(lake.snapshot(COURT_CASES).partitions.values())
    with open_tables(lake, {"cases": (COURT_CASES, entries)}) as connection:
        values = {"today": today, **wanted}
        counted = connection.execute(f"SELECT count(*) FROM cases WHERE {filters}", values).fetchone()
        found = connection.execute(
            f"SELECT {', '.join(COLUMNS)} FROM cases WHERE {filters} "
            "ORDER BY coalesce(date_filed, recorded_on) DESC NULLS LAST, case_id, source LIMIT $most",
            {**values, "most": limit},
        ).fetchall()
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in found]
    return CaseList(counted[0] if counted else 0, rows)
