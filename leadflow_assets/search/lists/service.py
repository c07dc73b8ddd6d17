"""Saved lists: kept searches and kept properties that survive new releases, with a log of every change.

A dynamic list has criteria and finds its members anew at each refresh; a static or imported one has ids and
follows them. What a command changes is written in one transaction. Searching happens outside of it: who
finds that the list was changed meanwhile starts again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from leadflow_assets.domain.towns import Town, find_town
from leadflow_assets.errors import UsageError
from leadflow_assets.search.criteria import SearchCriteria
from leadflow_assets.search.lists.algebra import combined_ids, parse_expression
from leadflow_assets.search.lists.data import Earlier, Present
from leadflow_assets.search.lists.file import read_list_file
from leadflow_assets.search.lists.matching import counts, match_file
from leadflow_assets.search.lists.plan import FIRST_SAVE, Plan, plan_refresh
from leadflow_assets.search.lists.report import write_report
from leadflow_assets.search.lists.store import ListChange, ListStore, require_room, unknown_ids
from leadflow_assets.state import database
from leadflow_assets.state import saved_lists as rows
from leadflow_assets.state.saved_lists import ImportRow, Member, SavedList


@dataclass(frozen=True)
class Imported:
    """An import: rows of the file by result, where the report is, and the list (None for a dry run).

    ``columns`` says which column of the file was taken for what, ``unused`` names the others: they are kept
    in the report.
    """

    counts: Mapping[str, int]
    rows: tuple[ImportRow, ...]
    read_as: str
    report: Path | None
    accept_probable: bool
    change: ListChange | None
    columns: Mapping[str, str]
    unused: tuple[str, ...]


class SavedLists(ListStore):
    """What can be done with saved lists. The searcher is opened when first needed.

    ``clock`` gives the present moment (aware).
    """

    def save_dynamic(self, name: str, criteria: SearchCriteria, *, description: str = "") -> ListChange:
        """Keep a search as a list.

        Raises:
            UsageError: a bad or taken name, or more matches than a list holds.
            LeadflowError: none of the towns asked for has data.
        """
        self._require_free(name)
        described = self.searcher.describe(criteria)
        found = self.searcher.ids(criteria)
        present = Present(self.searcher, criteria.asks_for_cases, criteria.asks_for_scores)
        members = self._present_members(found, "criteria", present)
        change = self._create(
            name,
            "dynamic",
            members,
            FIRST_SAVE,
            description,
            criteria_json=json.dumps(criteria.document()),
            data_json=present.mark(),
        )
        return ListChange(change.saved, change.events, described.notes)

    def save_static(self, name: str, property_ids: Sequence[str], *, description: str = "") -> ListChange:
        """Keep some properties as a list.

        Raises:
            UsageError: a bad or taken name, or ids that are not there.
        """
        self._require_free(name)
        return self._create(name, "static", self._known(property_ids), FIRST_SAVE, description)

    def save_import(
        self,
        name: str,
        path: Path,
        *,
        town: str | None = None,
        accept_probable: bool = False,
        report: Path | None = None,
        dry_run: bool = False,
        description: str = "",
    ) -> Imported:
        """Make a list of the properties that a file of addresses or ids names, with a report of its rows.

        The report goes to ``report``, or below the data folder; a dry run writes one only if it is named.

        Raises:
            UsageError: a bad or taken name, a file that cannot be read, an unknown town.
            StoreError: the report cannot be written.
        """
        self._require_free(name)
        where: Town | None = find_town(town, demo=self._settings.demo_on) if town else None
        file = read_list_file(path)
        present = Present(self.searcher)
        matched = match_file(file, self.searcher.connection, tuple(present.towns), town=where)
        wanted = ("exact", "probable") if accept_probable else ("exact",)
        origins = {
            r.property_id: f"import {r.result}" for r in matched if r.property_id and r.result in wanted
        }
        target = report
        if target is None and not dry_run:
            target = self._settings.data_dir / "list_reports" / f"{rows.checked_name(name)}.csv"
        if target is not None:
            write_report(target, file, matched, set(origins) if not dry_run else ())
        apart = f"{file.delimiter} between " if file.delimiter else ""
        read_as = (
            f"{len(file.rows):,} rows, {file.encoding}, {apart}{len(file.header)} columns; "
            f"{file.blank_rows:,} blank rows skipped, {file.uneven_rows:,} of another width than the header"
        )
        change = None
        if not dry_run:
            members = []
            for origin in ("import exact", "import probable"):
                chosen = [property_id for property_id, o in origins.items() if o == origin]
                members += self._present_members(chosen, origin)
            change = self._create(
                name, "imported", members, "imported", description, source_file=path.name, imported=matched
            )
        columns = {role: file.header[place] for role, place in file.roles.items()}
        unused = tuple(name for name in file.header if name not in columns.values())
        return Imported(counts(matched), matched, read_as, target, accept_probable, change, columns, unused)

    def import_report(self, name: str) -> list[ImportRow]:
        """The match report of an imported list."""
        with database.session(self._settings) as session:
            return rows.import_rows(session, rows.find(session, name).id)

    def combine(self, name: str, expression: Sequence[str], *, description: str = "") -> ListChange:
        """Make a static list from others: ``A and B``, ``A or B``, ``A not B``, from left to right.

        Members are taken as they stand at each list's last refresh.

        Raises:
            UsageError: a bad or taken name, an unknown list, or an expression that is none.
        """
        self._require_free(name)
        with database.session(self._settings) as session:
            steps = parse_expression(expression, lambda text: rows.exists(session, text) is not None)
            lists = [rows.find(session, text) for _, text in steps]
            members = [{m.property_id: m for m in rows.members(session, saved.id)} for saved in lists]
        operators = [operator for operator, _ in steps]
        chosen = combined_ids(list(zip(operators, members, strict=True)))
        now = self._clock()
        by_id = {property_id: m for found in reversed(members) for property_id, m in found.items()}
        origin = {"origin": "combined", "added_at": now}
        made = [Member(**{**vars(by_id[property_id]), **origin}) for property_id in sorted(chosen)]
        told = " ".join(
            f"{operator.upper()} {saved.name}" for operator, saved in zip(operators, lists, strict=True)
        )
        # Compared with the oldest of the data, so that the next refresh looks back far enough.
        oldest = min(lists, key=lambda saved: saved.refreshed_at)
        text = told.removeprefix("OR ")
        change = self._create(
            name, "static", made, f"combined: {text}", description, note=text, data_json=oldest.data_json
        )
        ages = {saved.name: saved.refreshed_at for saved in lists}
        notes = [f"{n} as of its refresh on {moment:%Y-%m-%d %H:%M} UTC" for n, moment in ages.items()]
        return ListChange(change.saved, change.events, tuple(notes))

    def add(self, name: str, property_ids: Sequence[str]) -> ListChange:
        """Add properties to a static or imported list; those on it already stay as they are.

        Raises:
            UsageError: unknown list or ids, a dynamic or an archived list.
        """
        wanted = {member.property_id: member for member in self._known(property_ids)}

        def plan(saved: SavedList, members: Sequence[Member], now: datetime) -> Plan:
            _require_changeable_by_hand(saved)
            made = Plan(saved.revision + 1, now)
            here = {member.property_id for member in members}
            made.added = [member for property_id, member in wanted.items() if property_id not in here]
            require_room(len(here) + len(made.added))
            for member in made.added:
                made.tell(member.property_id, "came", "added by hand")
            if len(made.added) < len(wanted):
                made.notes.append(f"{len(wanted) - len(made.added):,} are on the list already.")
            return made

        return self._change(name, plan)

    def remove(self, name: str, property_ids: Sequence[str]) -> ListChange:
        """Take properties off a static or imported list.

        Raises:
            UsageError: unknown list, ids that are not on it, a dynamic or an archived list.
        """
        wanted = tuple(dict.fromkeys(property_ids))

        def plan(saved: SavedList, members: Sequence[Member], now: datetime) -> Plan:
            _require_changeable_by_hand(saved)
            here = {member.property_id for member in members}
            absent = [property_id for property_id in wanted if property_id not in here]
            if absent:
                raise unknown_ids(absent, f"not on the list {saved.name!r}", "See `leadflow lists show`.")
            made = Plan(saved.revision + 1, now, removed=list(wanted))
            for property_id in wanted:
                made.tell(property_id, "went", "removed by hand")
            return made

        return self._change(name, plan)

    def refresh(self, name: str) -> ListChange:
        """Bring a list up to date with the lake; the diff log says who came, who went, and why.

        Raises:
            UsageError: unknown or archived list.
            LeadflowError: the lake is empty.
        """

        def plan(saved: SavedList, members: Sequence[Member], now: datetime) -> Plan:
            earlier = Earlier(self._settings, saved)
            try:
                present = Present(self.searcher, earlier.with_cases, earlier.with_scores)
                made = plan_refresh(saved, members, present, earlier, now)
            finally:
                earlier.close()
            require_room(len(members) + len(made.added) - len(made.removed))
            return made

        return self._change(name, plan)


def _require_changeable_by_hand(saved: SavedList) -> None:
    if saved.kind == "dynamic":
        raise UsageError(
            f"The list {saved.name!r} is dynamic: its members are what its filters find.",
            "Make a static one of it: leadflow lists combine NEW "
            f"{saved.name!r}; or leave properties out with --not-list.",
        )
