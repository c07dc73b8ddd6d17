"""Who took what out: a line in the state database for every file that leaves, by whichever face."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from leadflow_assets.search.exports.formats import Export
from leadflow_assets.settings import Settings
from leadflow_assets.state import database, exports

Way = Literal["page", "command line"]


def log_export(
    settings: Settings, person: str, way: Way, what: str, filters: Mapping[str, Any], done: Export
) -> None:
    """Note an export: who, which way, what, when, how many rows, and the hash of the file.

    Of ``filters`` only the names are kept, and the ids of towns: what was typed may be a person's name.

    Raises:
        StoreError: the state database cannot be written.
    """
    towns = ",".join(str(town) for town in filters.get("towns", ()))
    names = ", ".join(name for name in filters if name != "towns")
    told = "; ".join(part for part in (f"towns {towns}" if towns else "", names) if part)
    line = exports.ExportLine(
        at=datetime.now(UTC),
        person=person,
        way=way,
        what=what,
        filters=told or "none",
        format=done.format,
        rows=done.rows,
        sha256=done.sha256,
    )
    with database.session(settings) as session:
        exports.record(session, line)
        session.commit()
