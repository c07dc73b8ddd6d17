"""Purging a case or a person: recorded first, then removed everywhere, and finished by whoever comes next.

The order is what makes it safe to be killed anywhere: the hashes are in the state database before anything is
removed, so nothing can come back meanwhile; everything after that may be done again, and `resume` does.
"""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pyarrow as pa

from leadflow_assets.domain.purging import CASE, PLACE, REASONS, Key, Purged
from leadflow_assets.enrich.purge import attom_tables, court_tables
from leadflow_assets.enrich.purge.deriving import derived
from leadflow_assets.enrich.purge.exports import clean_exports, rebuild_index, sweep_temporary
from leadflow_assets.enrich.purge.made_tables import MadeTables, make_anew
from leadflow_assets.enrich.purge.objects import clean_objects
from leadflow_assets.enrich.purge.owner_tables import Owners
from leadflow_assets.enrich.purge.state_rows import clean_state
from leadflow_assets.enrich.purge.tables import DATA, Cleaned, Rule, clean_table
from leadflow_assets.enrich.purge.target import Target
from leadflow_assets.errors import UsageError
from leadflow_assets.lake import tables
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.staging import staging_folder, sweep
from leadflow_assets.refresh.properties import with_withheld
from leadflow_assets.settings import Settings
from leadflow_assets.state import database, purges
from leadflow_assets.state.purges import Purge

_QUARANTINE = "quarantine"


@dataclass(frozen=True)
class PurgeReport:
    """What a purge removed, or would: ``counts`` by table, file or place. ``purge_id`` None: a dry run.

    Of a table ``removed`` and ``changed`` count its current rows, ``earlier files`` those of its history.
    """

    purge_id: int | None
    kind: str
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def anything(self) -> bool:
        """Was there anything to remove?"""
        return bool(self.counts)


class Purges:
    """All purges of an installation."""

    def __init__(
        self, settings: Settings, *, run_id: str | None = None, now: Callable[[], datetime] | None = None
    ) -> None:
        self._settings = settings
        self._lake = Lake(settings)
        self._run_id = run_id or uuid.uuid4().hex[:12]
        self._now = now or (lambda: datetime.now(UTC))

    def purge(self, target: Target, *, reason: str, by: str, dry_run: bool = False) -> PurgeReport:
        """Purge a case or a person for good; with ``dry_run`` only count.

        Raises:
            UsageError: no such reason, or nobody asked.
            StoreError: something refused; what was recorded is finished by :meth:`resume`.
        """
        if reason not in REASONS:
            raise UsageError(f"There is no reason {reason!r}.", f"Reasons: {', '.join(REASONS)}.")
        if not by.strip():
            raise UsageError("A purge needs the name of who asks for it.", "Give --by NAME.")
        if dry_run:
            return self._count(target)
        with database.session(self._settings) as session:
            keys = target.keys(Purged(purges.new_salt(session)))
            purge_id = purges.record(session, target.kind, reason, by.strip(), self._now(), keys)
            session.commit()
        return self._finish(purge_id, target.kind)

    def resume(self) -> list[PurgeReport]:
        """Finish every purge that was not, the oldest first."""
        with database.session(self._settings) as session:
            waiting = purges.all_purges(session, unfinished=True)
        return [self._finish(purge.id, purge.kind) for purge in waiting]

    def all(self) -> list[Purge]:
        """Every purge, the oldest first."""
        with database.session(self._settings) as session:
            return purges.all_purges(session)

    def _count(self, target: Target) -> PurgeReport:
        with database.session(self._settings) as session:
            known = purges.load(session)
        # A salt of its own will do where nothing was purged yet: nothing is kept.
        known = known if known.salt else Purged(uuid.uuid4().bytes)
        keys = target.keys(known)
        with staging_folder(self._lake.staging, f"purge-{self._run_id}") as folder:
            own = Purged(known.salt).with_keys(keys)
            more = derived(self._lake, known.with_keys(keys), folder / "read")
            run = _Run(
                self._settings, self._lake, known.with_keys({*keys, *more}), own.with_keys(more), folder
            )
            counts = run.clean(self._run_id, self._now(), dry_run=True)
        return PurgeReport(None, target.kind, counts)

    def _finish(self, purge_id: int, kind: str) -> PurgeReport:
        with (
            purges.one_at_a_time(self._settings),
            _nothing_else(self._settings),
            staging_folder(self._lake.staging, f"purge-{self._run_id}") as folder,
        ):
            sweep(self._lake.staging)
            sweep_temporary(self._settings)
            with database.session(self._settings) as session:
                mine = [p for p in purges.all_purges(session) if p.id == purge_id]
                known = purges.load(session)
            if not mine or mine[0].finished_at is not None:
                return PurgeReport(purge_id, kind, mine[0].counts if mine else {})
            more = derived(self._lake, known, folder / "read")
            self._add(purge_id, more)
            with database.session(self._settings) as session:
                own = purges.load(session, purge_id)
            # Of whoever was recorded meanwhile nothing is removed yet: where else they are known would
            # be gone before it was looked for.
            run = _Run(self._settings, self._lake, known.with_keys(more), own, folder)
            run.learned = lambda keys: self._add(purge_id, keys)
            counts = run.clean(self._run_id, self._now(), dry_run=False)
            with database.session(self._settings) as session:
                purges.finish(session, purge_id, counts, self._now())
                session.commit()
        # Without the locks, which scoring and making leads take themselves.
        if run.made is not None and run.made.towns:
            make_anew(self._settings, run.made.towns)
        return PurgeReport(purge_id, kind, counts)

    def _add(self, purge_id: int, keys: Iterable[Key]) -> None:
        with database.session(self._settings) as session:
            purges.add_keys(session, purge_id, keys)
            session.commit()


@dataclass
class _Run:
    """One pass over every place. ``purged`` is all that is known, ``own`` what this purge is about."""

    settings: Settings
    lake: Lake
    purged: Purged
    own: Purged
    folder: Path
    learned: Callable[[Collection[Key]], None] = lambda keys: None
    made: MadeTables | None = None

    def clean(self, run_id: str, now: datetime, *, dry_run: bool) -> dict[str, int]:
        """Clean everything; counts by place."""
        counts: Counter[str] = Counter()
        objects, learned = clean_objects(self.lake, self.purged, self.folder / "objects", dry_run=dry_run)
        self._learn(learned)
        counts.update({f"{name}: files": number for name, number in objects.by_folder.items()})
        made = self.made = MadeTables(
            self.settings, lambda: self.purged, self.own, self.folder / "made", dry_run=dry_run
        )
        clean = partial(self._clean_tables, counts, run_id, dry_run)
        clean([*self._rules(), *made.rules()])
        # Before the texts of the state: a removed lead's notes go as a whole.
        counts.update(made.forget_states())
        counts.update(clean_exports(self.settings, self.purged, made.traces, dry_run=dry_run))
        # By the matches it is known where purged cases counted: they go when nothing else is left.
        clean([self._matches()])
        touched = any(counts[f"{view}: {what}"] for view in _SEARCHED for what in ("removed", "changed"))
        if touched and not dry_run:
            counts["search index"] += rebuild_index(self.lake)
        counts.update(clean_state(self.settings, self.purged, self.own, now, dry_run=dry_run))
        return {name: number for name, number in sorted(counts.items()) if number}

    def _clean_tables(self, counts: Counter[str], run_id: str, dry_run: bool, rules: Iterable[Rule]) -> None:
        for rule in rules:
            place = self.folder / "tables"
            place.mkdir(parents=True, exist_ok=True)
            found = clean_table(self.lake, rule, place, run_id=run_id, dry_run=dry_run)
            name = rule.table.view
            counts[f"{name}: removed"] += found.removed
            counts[f"{name}: changed"] += found.changed
            counts[f"{name}: earlier files"] += found.earlier_files
            shutil.rmtree(place, ignore_errors=True)

    def _learn(self, keys: Collection[Key]) -> None:
        if keys:
            self.learned(keys)
            self.purged = self.purged.with_keys(keys)

    def _rules(self) -> list[Rule]:
        """The tables of sources that can hold anything, the ones that others are made from first."""
        rules: list[Rule] = []
        if self.purged.of_kind(CASE) or self.purged.of_kind(PLACE):
            rules += [
                Rule(tables.COURT_DOCKETS, lambda rows, role, partition: self._dockets(rows)),
                Rule(tables.COURT_CASES, lambda rows, role, p: court_tables.clean_cases(self.purged, rows)),
                Rule(
                    tables.COURT_PARTIES, lambda rows, role, p: court_tables.clean_parties(self.purged, rows)
                ),
            ]
        if self.purged.of_kind(PLACE):
            clean = attom_tables.clean_properties
            rules += [
                Rule(
                    tables.ATTOM_RESULTS,
                    lambda rows, role, p: attom_tables.clean_results(self.purged, rows),
                    remakes=True,
                ),
                Rule(tables.ATTOM_PROPERTIES, lambda rows, role, p: clean(self.purged, rows), remakes=True),
                Rule(tables.PROPERTY_RECORDS, lambda rows, role, p: clean(self.purged, rows)),
                *self._owner_rules(),
            ]
        return rules

    def _matches(self) -> Rule:
        return Rule(tables.CASE_MATCHES, lambda rows, role, p: court_tables.clean_matches(self.purged, rows))

    def _dockets(self, rows: pa.Table) -> Cleaned | None:
        clean, learned = court_tables.clean_raw(self.purged, rows)
        self._learn(learned)
        return clean

    def _owner_rules(self) -> list[Rule]:
        owners = Owners(self.purged)
        towns = {f"town_id={town}" for town in self.purged.towns}

        def in_town(partition: str) -> bool:
            return partition.partition("/")[0] in towns

        def inputs(table: tables.Table) -> Callable[[str, Mapping[str, str]], dict[str, str]]:
            return lambda partition, given: with_withheld(table, given, self._mark(partition))

        return [
            Rule(
                tables.PROPERTIES,
                lambda rows, role, p: owners.properties(rows),
                in_town,
                inputs(tables.PROPERTIES),
            ),
            *(
                Rule(
                    table,
                    lambda rows, role, p: owners.assessments(rows, role),
                    in_town,
                    inputs(table),
                    (DATA, _QUARANTINE),
                )
                for table in (tables.ASSESSMENTS, tables.ASSESSMENT_RELEASES)
            ),
        ]

    def _mark(self, partition: str) -> str:
        town = partition.partition("/")[0].removeprefix("town_id=")
        return self.purged.town_mark(int(town))


@contextlib.contextmanager
def _nothing_else(settings: Settings) -> Iterator[None]:
    """Wait for whatever reads on this machine what is removed now: landings, merges, matchings and the like.

    Whoever waits for one of these reads the purges after it has got it.
    """
    with contextlib.ExitStack() as held:
        for name in _LOCKS:
            path = settings.data_dir / name
            path.parent.mkdir(parents=True, exist_ok=True)
            fcntl.flock(held.enter_context(path.open("w")), fcntl.LOCK_EX)
        yield


# The locks of courts, unified, case_matches, scores, changes and leads (all of enrich), as they work.
_LOCKS = (
    *("courts/landing.lock", "unified/merge.lock", "case_matches/match.lock"),
    *("scores/score.lock", "changes/build.lock", "leads/leads.lock"),
)
_SEARCHED = (tables.PROPERTIES.view, tables.CASE_MATCHES.view, tables.DISTRESS_SCORES.view)
