"""Names and numbers out of the state database: reviews, notes, criteria, lists.

Every table is looked at, whatever it is for: what is added later is reached too. Rows about a purged case, or
a purged party of one, go; texts lose the name. Properties whose owner is withheld leave the saved lists.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, MetaData, RowMapping, Table, Text, and_, delete, select, text, update
from sqlalchemy.orm import Session

from leadflow_assets.domain.purge_names import REMOVED
from leadflow_assets.domain.purging import WITHHELD, Purged, property_place
from leadflow_assets.enrich.purge.documents import stripped
from leadflow_assets.enrich.purge.objects import by_name
from leadflow_assets.errors import StoreError
from leadflow_assets.settings import Settings
from leadflow_assets.state import database, saved_lists
from leadflow_assets.state.models import SavedListMemberRow
from leadflow_assets.state.saved_lists import Event

_NOT_LOOKED_AT: Final = frozenset({"alembic_version", "purges", "purge_keys", "purge_salt", "charges"})
_NAME_A_DOCKET: Final = frozenset({"court", "docket_id"})
_CASE_ID: Final = re.compile(r"\b[a-z0-9]{2,15}:[0-9A-Za-z#-]+")
_WORDS: Final = re.compile(
    r"[A-Za-z\u00c0-\u024f].*[^A-Za-z\u00c0-\u024f].*[A-Za-z\u00c0-\u024f]|\d", re.DOTALL
)


def clean_state(
    settings: Settings, purged: Purged, own: Purged, now: datetime, *, dry_run: bool
) -> dict[str, int]:
    """Clean every table; how many rows went or changed, by table.

    ``own`` is what the purge under way purges: its properties leave the lists, once.
    """
    counts: dict[str, int] = {}
    with database.session(settings) as session:
        # What is deleted must not stay in free pages of the file.
        if session.get_bind().dialect.name == "sqlite":
            session.execute(text("PRAGMA secure_delete = ON"))
        known = MetaData()
        known.reflect(session.connection())
        if members := _leave_lists(session, own, now, dry_run):
            counts["state.saved_list_members"] = members
        for table in known.sorted_tables:
            if table.name not in _NOT_LOOKED_AT and (found := _clean_table(session, table, purged, dry_run)):
                name = f"state.{table.name}"
                counts[name] = counts.get(name, 0) + found
        if dry_run:
            session.rollback()
        else:
            session.commit()
    if not dry_run:
        _compact(settings, sorted(name.removeprefix("state.") for name in counts))
    return counts


def _compact(settings: Settings, tables: list[str]) -> None:
    """Make the database's files anew, so that nothing of what was removed, now or earlier, is left in them.

    Raises:
        StoreError: somebody else uses the database all the time.
    """
    with database.session(settings) as session:
        engine = session.connection().engine
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name != "sqlite":
            for name in tables:
                connection.exec_driver_sql(f'VACUUM (FULL) "{name}"')
            return
        raw = connection.connection.dbapi_connection
        assert raw is not None
        try:
            raw.cursor().execute("VACUUM")
            busy = raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        except sqlite3.OperationalError:
            busy = 1
        if busy:
            raise StoreError(
                "The state database is in use, so that removed rows may still lie in its files.",
                "Run `leadflow purge resume` when nothing else runs.",
            )


def _leave_lists(session: Session, purged: Purged, now: datetime, dry_run: bool) -> int:
    """Take properties whose owner is withheld off every list, with an event that says why."""
    removed = 0
    for saved in saved_lists.all_lists(session, archived=True):
        query = select(SavedListMemberRow.property_id).where(SavedListMemberRow.list_id == saved.id)
        gone = [one for one in session.scalars(query) if purged.places([property_place(one)])]
        if not gone:
            continue
        removed += len(gone)
        if not dry_run and saved_lists.claim(session, saved, now=now):
            saved_lists.remove_members(session, saved.id, gone)
            events = [Event(saved.revision + 1, now, one, "went", WITHHELD) for one in gone]
            saved_lists.add_events(session, saved.id, events)
    return removed


def _clean_table(session: Session, table: Table, purged: Purged, dry_run: bool) -> int:
    texts = [column for column in table.columns if isinstance(column.type, Text)]
    keys = list(table.primary_key.columns)
    if not texts or not keys:
        return 0
    named = [column for column in table.columns if column.name in _NAME_A_DOCKET]
    columns = list(dict.fromkeys([*keys, *texts, *named]))
    count = 0
    for row in session.execute(select(*columns)).mappings().all():
        cells = {column.name: row[column.name] for column in texts}
        if _is_about_purged(row, purged):
            count += 1
            if not dry_run:
                session.execute(delete(table).where(_is_row(keys, row)))
            continue
        changes = {
            name: clean for name, cell in cells.items() if (clean := _clean_cell(cell, purged)) != cell
        }
        if changes:
            count += 1
            if not dry_run:
                session.execute(update(table).where(_is_row(keys, row)).values(changes))
    return count


def _is_row(keys: list[Column[Any]], row: RowMapping) -> Any:
    return and_(*(column == row[column.name] for column in keys))


def _is_about_purged(row: RowMapping, purged: Purged) -> bool:
    case_id = row.get("case_id")
    docket_id = row.get("docket_id")
    return (
        purged.has_case(case_id)
        or purged.has_party(case_id, row.get("party_id"))
        or (docket_id is not None and purged.has_docket(str(row.get("court")), int(docket_id)))
    )


def _clean_cell(cell: str | None, purged: Purged) -> str | None:
    if not cell or not _WORDS.search(cell):
        return cell
    strip = _strip(purged)
    if cell[:1] in "{[":
        try:
            before = json.loads(cell)
        except ValueError:
            return strip(cell)
        after = stripped(before, strip)
        return cell if after == before else json.dumps(after, sort_keys=True, separators=(",", ":"))
    return strip(cell)


def _strip(purged: Purged) -> Callable[[str], str]:
    by_names = by_name(purged)

    def strip(value: str) -> str:
        return by_names(_CASE_ID.sub(lambda m: REMOVED if purged.has_case(m[0]) else m[0], value))

    return strip
