"""Saved lists as this program reads and changes them: each change planned outside, written in one go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from leadflow_assets.errors import LeadflowError, StoreError, UsageError
from leadflow_assets.search.engine import Searcher, open_searcher
from leadflow_assets.search.lists.data import Present
from leadflow_assets.search.lists.plan import Plan
from leadflow_assets.settings import Settings
from leadflow_assets.state import database
from leadflow_assets.state import saved_lists as rows
from leadflow_assets.state.saved_lists import Event, ImportRow, Member, SavedList

MOST_MEMBERS = 500_000
_ATTEMPTS = 8
_NAMED = 5


@dataclass(frozen=True)
class ListChange:
    """A list after a command, with the lines its diff log gained and what a person should know."""

    saved: SavedList
    events: tuple[Event, ...] = ()
    notes: tuple[str, ...] = ()

    def count(self, event: str) -> int:
        """How many came, went, were followed or lost."""
        return sum(line.event == event for line in self.events)


class ListStore:
    """Reading lists, and writing planned changes of them."""

    def __init__(
        self,
        settings: Settings,
        *,
        searcher: Searcher | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._given = searcher
        self._opened: Searcher | None = None
        self._clock = clock

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._opened is not None:
            self._opened.close()

    @property
    def searcher(self) -> Searcher:
        """The searcher over the present data."""
        if self._given is not None:
            return self._given
        if self._opened is None:
            self._opened = open_searcher(self._settings)
        return self._opened

    def all(self, *, archived: bool = False) -> list[SavedList]:
        """Every list by name."""
        with database.session(self._settings) as session:
            return rows.all_lists(session, archived=archived)

    def news(self) -> dict[int, dict[str, int]]:
        """By id of the list: what happened at its last refresh and since, counted by event."""
        with database.session(self._settings) as session:
            return rows.news(session)

    def find(self, name: str) -> SavedList:
        """The list of that name.

        Raises:
            UsageError: there is none.
        """
        with database.session(self._settings) as session:
            return rows.find(session, name)

    def members(self, name: str, *, limit: int | None = None, offset: int = 0) -> list[Member]:
        """Members by property id, as of the last refresh; all of them, or a page."""
        with database.session(self._settings) as session:
            return rows.members(session, rows.find(session, name).id, limit=limit, offset=offset)

    def diff(self, name: str, *, since: datetime | None = None) -> list[Event]:
        """The diff log from the last refresh on (the first save counts as one), or from a moment on."""
        with database.session(self._settings) as session:
            saved = rows.find(session, name)
            first = 0 if since is not None else saved.refresh_no
            return rows.events(session, saved.id, revision=first, since=since)

    def archive(self, name: str) -> SavedList:
        """Hide a list; it keeps its members and its log and can be restored.

        Raises:
            UsageError: there is no such list.
        """
        return self._set_archived(name, archived=True)

    def restore(self, name: str) -> SavedList:
        """Bring an archived list back.

        Raises:
            UsageError: there is no such list.
        """
        return self._set_archived(name, archived=False)

    def _set_archived(self, name: str, *, archived: bool) -> SavedList:
        for _ in range(_ATTEMPTS):
            now = self._clock()
            with database.session(self._settings) as session:
                saved = rows.find(session, name)
                if (saved.archived_at is not None) == archived:
                    return saved
                if rows.claim(session, saved, now=now, archived_at=now if archived else None):
                    session.commit()
                    return rows.find(session, name)
        raise _busy(name)

    def _require_free(self, name: str) -> None:
        rows.checked_name(name)
        with database.session(self._settings) as session:
            existing = rows.exists(session, name)
        if existing is not None:
            raise rows.name_is_taken(existing)

    def _present_members(
        self, property_ids: Sequence[str], origin: str, present: Present | None = None
    ) -> list[Member]:
        require_room(len(property_ids))
        present = present or Present(self.searcher)
        made = present.members(property_ids, origin=origin, now=self._clock())
        return [made[property_id] for property_id in sorted(made)]

    def _known(self, property_ids: Sequence[str]) -> list[Member]:
        wanted = list(dict.fromkeys(property_ids))
        members = self._present_members(wanted, "added")
        here = {member.property_id for member in members}
        absent = [property_id for property_id in wanted if property_id not in here]
        if absent:
            raise unknown_ids(absent, "not in the lake", "`leadflow search` shows the ids of properties.")
        return members

    def _create(
        self,
        name: str,
        kind: str,
        members: Sequence[Member],
        reason: str,
        description: str,
        *,
        criteria_json: str | None = None,
        source_file: str | None = None,
        note: str | None = None,
        data_json: str | None = None,
        imported: Sequence[ImportRow] = (),
    ) -> ListChange:
        now = self._clock()
        mark = data_json or Present(self.searcher).mark()
        first = Plan(1, now, added=list(members))
        for member in members:
            first.tell(
                member.property_id,
                "came",
                f"{reason} ({member.origin.removeprefix('import ')} match)" if kind == "imported" else reason,
            )
        with database.session(self._settings) as session:
            list_id = rows.create(
                session,
                name,
                kind,
                now=now,
                description=description,
                criteria_json=criteria_json,
                source_file=source_file,
                note=note,
                data_json=mark,
            )
            rows.add_members(session, list_id, members)
            rows.add_events(session, list_id, first.events)
            rows.add_import_rows(session, list_id, imported)
            session.commit()
            return ListChange(rows.find(session, name), tuple(first.events))

    def _change(self, name: str, plan: Callable[[SavedList, Sequence[Member], datetime], Plan]) -> ListChange:
        """Plan a change on the list as it stands and write it, unless it was changed meanwhile."""
        for _ in range(_ATTEMPTS):
            with database.session(self._settings) as session:
                saved = rows.find(session, name)
                members = rows.members(session, saved.id)
            if saved.archived_at is not None:
                raise UsageError(
                    f"The list {saved.name!r} is archived.", f"leadflow lists restore {saved.name!r}"
                )
            made = plan(saved, members, self._clock())
            with database.session(self._settings) as session:
                if not rows.claim(session, saved, now=made.now, **made.fields):
                    continue
                rows.remove_members(session, saved.id, made.removed)
                rows.add_members(session, saved.id, made.added)
                rows.add_events(session, saved.id, made.events)
                session.commit()
                return ListChange(rows.find(session, name), tuple(made.events), tuple(made.notes))
        raise _busy(name)


def require_room(members: int) -> None:
    """Raise UsageError if a list cannot have so many members."""
    if members > MOST_MEMBERS:
        raise UsageError(
            f"The list would have {members:,} members; at most {MOST_MEMBERS:,} fit.", "Narrow the filters."
        )


def unknown_ids(ids: Sequence[str], what: str, hint: str) -> UsageError:
    """One error for all ids that are wrong, naming the first few."""
    shown = ", ".join(ids[:_NAMED]) + (f" and {len(ids) - _NAMED:,} more" if len(ids) > _NAMED else "")
    return UsageError(f"{len(ids):,} of the ids {'is' if len(ids) == 1 else 'are'} {what}: {shown}.", hint)


def _busy(name: str) -> LeadflowError:
    return StoreError(f"The list {name!r} is being changed by other processes all the time.", "Try again.")
