"""Rows of saved lists in and out of the state database. The caller commits; nothing here searches.

Every change goes through :func:`claim`, which takes the list's row first: two processes that change one
list take turns, and who computed from an older revision is told so.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from leadflow_assets.errors import UsageError
from leadflow_assets.state.models import (
    SavedListEventRow,
    SavedListImportRow,
    SavedListMemberRow,
    SavedListRow,
)

_MOST_CHARACTERS = 80
_ALLOWED = re.compile(r"[\w \-.()&]+")
# Words of set algebra; a list of that name could not be combined.
OPERATORS = ("and", "or", "not")
_BATCH = 5000


@dataclass(frozen=True)
class SavedList:
    """One list. Times aware, UTC. ``members`` counts them; ``lost`` those that are not in the lake now.

    ``criteria_json`` only for dynamic lists. ``data_json`` says which data the members were last
    compared with. ``revision`` grows with every change; ``refresh_no`` is that of the last refresh.
    """

    id: int
    name: str
    kind: str
    description: str
    criteria_json: str | None
    source_file: str | None
    note: str | None
    created_at: datetime
    updated_at: datetime
    refreshed_at: datetime
    refresh_no: int
    revision: int
    archived_at: datetime | None
    data_json: str
    members: int
    lost: int


@dataclass(frozen=True)
class Member:
    """A property on a list as it was when last seen; coordinates in EPSG:26986 metres."""

    property_id: str
    town_id: int
    prop_id: str | None
    cama_id: str | None
    loc_id: str | None
    point_x: float | None
    point_y: float | None
    address_key: str | None
    records_on_parcel: int | None
    values_json: str
    origin: str
    added_at: datetime
    status: str = "present"
    status_reason: str | None = None


@dataclass(frozen=True)
class Event:
    """What happened to one property on a list, and the reason; ``revision`` is the list's after it."""

    revision: int
    happened_at: datetime
    property_id: str
    event: str
    reason: str
    detail_json: str | None = None


@dataclass(frozen=True)
class ImportRow:
    """What became of one row of an imported file; ``row_number`` counts lines with data from 1."""

    row_number: int
    given: str
    result: str
    property_id: str | None
    why: str


_MEMBER_FIELDS = tuple(field.name for field in fields(Member))
_EVENT_FIELDS = tuple(field.name for field in fields(Event))
_IMPORT_FIELDS = tuple(field.name for field in fields(ImportRow))


def checked_name(name: str) -> str:
    """The name, if a list may be called that.

    Raises:
        UsageError: empty, too long, or with characters that file names and commands cannot carry.
    """
    text = unicodedata.normalize("NFC", name)
    good = (
        0 < len(text) <= _MOST_CHARACTERS
        and _ALLOWED.fullmatch(text)
        and text == text.strip()
        and not text.startswith((".", "-"))
        and text.casefold() not in OPERATORS
    )
    if good:
        return text
    raise UsageError(
        f"{name[:_MOST_CHARACTERS]!r} cannot be the name of a list.",
        f"Use 1 to {_MOST_CHARACTERS} letters, digits, spaces and - _ . ( ) &; no slash, no dot, hyphen or "
        "space in front, no space at the end, and not the words and, or, not.",
    )


def exists(session: Session, name: str) -> SavedList | None:
    """The list of that name, in any case, archived or not; or None."""
    row = session.execute(_lists().where(SavedListRow.name_key == _key(name))).one_or_none()
    return _saved_list(row) if row else None


def find(session: Session, name: str) -> SavedList:
    """The list of that name, in any case, archived or not.

    Raises:
        UsageError: there is none.
    """
    found = exists(session, name)
    if found is not None:
        return found
    known = session.scalars(select(SavedListRow.name).order_by(SavedListRow.name_key).limit(6)).all()
    hint = f"Lists: {', '.join(known[:5])}{', ...' if len(known) > 5 else '.'}" if known else ""
    raise UsageError(f"There is no list {name!r}.", hint or "`leadflow lists save NAME ...` makes one.")


def all_lists(session: Session, *, archived: bool = False) -> list[SavedList]:
    """Every list by name; archived ones only if asked for."""
    query = _lists().order_by(SavedListRow.name_key)
    if not archived:
        query = query.where(SavedListRow.archived_at.is_(None))
    return [_saved_list(row) for row in session.execute(query)]


def create(
    session: Session,
    name: str,
    kind: str,
    *,
    now: datetime,
    description: str = "",
    criteria_json: str | None = None,
    source_file: str | None = None,
    note: str | None = None,
    data_json: str = "{}",
) -> int:
    """Make a list without members; returns its id.

    Raises:
        UsageError: a bad name, or one that is taken.
    """
    row = SavedListRow(
        name=checked_name(name),
        name_key=_key(name),
        kind=kind,
        description=description,
        criteria_json=criteria_json,
        source_file=source_file,
        note=note,
        created_at=now,
        updated_at=now,
        refreshed_at=now,
        refresh_no=1,
        revision=1,
        data_json=data_json,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        raise name_is_taken(find(session, name)) from None
    return row.id


def name_is_taken(existing: SavedList) -> UsageError:
    """The error for a name that another list has."""
    where = " (archived)" if existing.archived_at else ""
    return UsageError(
        f"There is a list {existing.name!r} already{where}.",
        "Choose another name; `leadflow lists refresh` brings a list up to date.",
    )


def claim(session: Session, seen: SavedList, *, now: datetime, **changes: Any) -> bool:
    """Take the list's row until the commit, raise its revision by one and set ``changes``.

    False, and nothing is changed, if the list is not as it was ``seen``: another process was faster.
    """
    values = {"revision": seen.revision + 1, "updated_at": now, **changes}
    statement = (
        update(SavedListRow)
        .where(SavedListRow.id == seen.id, SavedListRow.revision == seen.revision)
        .values(values)
    )
    result = session.execute(statement, execution_options={"synchronize_session": False})
    return bool(result.rowcount)  # type: ignore[attr-defined]


def newest_event(session: Session, list_id: int) -> int:
    """The revision of the newest line of a list's log; 0 where it has none."""
    query = select(func.max(SavedListEventRow.revision)).where(SavedListEventRow.list_id == list_id)
    return session.scalar(query) or 0


def members(session: Session, list_id: int, *, limit: int | None = None, offset: int = 0) -> list[Member]:
    """Members of a list by property id; all of them, or a page."""
    columns = [getattr(SavedListMemberRow, name) for name in _MEMBER_FIELDS]
    query = (
        select(*columns).where(SavedListMemberRow.list_id == list_id).order_by(SavedListMemberRow.property_id)
    )
    return [Member(*row) for row in session.execute(query.limit(limit).offset(offset))]


def member_ids(session: Session, name: str) -> list[str]:
    """Property ids on the list of that name, sorted; as of its last refresh.

    Raises:
        UsageError: there is no such list.
    """
    query = select(SavedListMemberRow.property_id).where(SavedListMemberRow.list_id == find(session, name).id)
    return sorted(session.scalars(query))


def add_members(session: Session, list_id: int, added: Iterable[Member]) -> None:
    """Insert members."""
    _insert(session, SavedListMemberRow, [{"list_id": list_id, **_plain(member)} for member in added])


def remove_members(session: Session, list_id: int, property_ids: Sequence[str]) -> int:
    """Delete members; returns how many were on the list."""
    removed = 0
    for start in range(0, len(property_ids), _BATCH):
        chunk = property_ids[start : start + _BATCH]
        result = session.execute(
            delete(SavedListMemberRow).where(
                SavedListMemberRow.list_id == list_id, SavedListMemberRow.property_id.in_(chunk)
            ),
            execution_options={"synchronize_session": False},
        )
        removed += result.rowcount  # type: ignore[attr-defined]
    return removed


def add_events(session: Session, list_id: int, events: Iterable[Event]) -> None:
    """Append to the diff log."""
    _insert(session, SavedListEventRow, [{"list_id": list_id, **_plain(event)} for event in events])


def events(
    session: Session, list_id: int, *, revision: int = 0, since: datetime | None = None
) -> list[Event]:
    """The diff log in order of time: from a revision or from a moment on, or all of it."""
    columns = [getattr(SavedListEventRow, name) for name in _EVENT_FIELDS]
    query = select(*columns).where(SavedListEventRow.list_id == list_id)
    query = query.where(SavedListEventRow.revision >= revision)
    if since is not None:
        query = query.where(SavedListEventRow.happened_at >= since)
    order = (SavedListEventRow.revision, SavedListEventRow.event, SavedListEventRow.property_id)
    return [Event(*row) for row in session.execute(query.order_by(*order))]


def news(session: Session) -> dict[int, dict[str, int]]:
    """What happened to each list at its last refresh and since, counted by event; not its first save."""
    query = (
        select(SavedListEventRow.list_id, SavedListEventRow.event, func.count())
        .join(SavedListRow, SavedListRow.id == SavedListEventRow.list_id)
        .where(SavedListEventRow.revision >= SavedListRow.refresh_no, SavedListEventRow.revision > 1)
        .group_by(SavedListEventRow.list_id, SavedListEventRow.event)
    )
    found: dict[int, dict[str, int]] = {}
    for list_id, event, count in session.execute(query):
        found.setdefault(list_id, {})[event] = count
    return found


def add_import_rows(session: Session, list_id: int, rows: Iterable[ImportRow]) -> None:
    """Keep an import's match report."""
    _insert(session, SavedListImportRow, [{"list_id": list_id, **_plain(row)} for row in rows])


def import_rows(session: Session, list_id: int) -> list[ImportRow]:
    """The match report of an imported list in the order of the file."""
    columns = [getattr(SavedListImportRow, name) for name in _IMPORT_FIELDS]
    query = select(*columns).where(SavedListImportRow.list_id == list_id).order_by(SavedListImportRow.id)
    return [ImportRow(*row) for row in session.execute(query)]


def _lists() -> Select[tuple[SavedListRow, int, int]]:
    counted = (
        select(
            SavedListMemberRow.list_id,
            func.count().label("members"),
            func.count().filter(SavedListMemberRow.status == "lost").label("lost"),
        )
        .group_by(SavedListMemberRow.list_id)
        .subquery()
    )
    return (
        select(
            SavedListRow,
            func.coalesce(counted.c.members, 0),
            func.coalesce(counted.c.lost, 0),
        )
        .outerjoin(counted, counted.c.list_id == SavedListRow.id)
        .execution_options(populate_existing=True)
    )


def _saved_list(row: Any) -> SavedList:
    found, members, lost = row
    known = [field.name for field in fields(SavedList) if field.name not in ("members", "lost")]
    return SavedList(**{name: getattr(found, name) for name in known}, members=members, lost=lost)


def _insert(session: Session, table: type[Any], rows: Sequence[dict[str, Any]]) -> None:
    for start in range(0, len(rows), _BATCH):
        session.execute(insert(table), list(rows[start : start + _BATCH]))


def _plain(row: Any) -> dict[str, Any]:
    # Not dataclasses.asdict, which copies every value: lists have a hundred thousand members.
    return dict(vars(row))


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
