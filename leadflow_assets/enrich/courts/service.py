"""Court cases as the command line, Dagster and the page use them: asked, landed, imported, expired.

Every step may be killed anywhere and called again: an answer is kept before it is read, days that were read
are noted, and the next call lands what waits before it asks for more.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from leadflow_assets.domain.court_coverage import Coverage, coverage
from leadflow_assets.domain.courts.rows import RawDocket
from leadflow_assets.enrich.court_answers import CourtAnswers
from leadflow_assets.enrich.courts import landing
from leadflow_assets.enrich.courts.importing import read_file, require_usable
from leadflow_assets.enrich.courts.kept import Kept, Place
from leadflow_assets.enrich.courts.landing import Clean
from leadflow_assets.enrich.courts.locks import one_at_a_time
from leadflow_assets.enrich.courts.rebuilding import rebuild_stale
from leadflow_assets.enrich.courts.report import (
    CourtsReport,
    ImportReport,
    LandReport,
    Progress,
    Stop,
    never,
    tell_nobody,
)
from leadflow_assets.enrich.courts.routine import Routine, require_months
from leadflow_assets.enrich.courts.walking import court_day, months_between
from leadflow_assets.enrich.purge.hooks import docket_filter
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.publish import Publisher, catch_up
from leadflow_assets.lake.staging import staging_folder
from leadflow_assets.lake.tables import COURTS
from leadflow_assets.search.court_facts import court_facts
from leadflow_assets.settings import Settings
from leadflow_assets.sources.courtlistener.answers import Answer
from leadflow_assets.sources.courtlistener.raw import raw_dockets
from leadflow_assets.state import court_progress, database
from leadflow_assets.state.court_progress import Question


def _now() -> datetime:
    return datetime.now(UTC)


class Courts:
    """The court cases of the effective settings.

    ``clean`` gives of rows those that may be kept; None: what was purged stays out. ``now`` and ``sleep``
    replace the clock. ``report`` is what the last refresh did, also where it ended with an error.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        run_id: str | None = None,
        now: Callable[[], datetime] = _now,
        sleep: Callable[[float], None] = time.sleep,
        clean: Clean | None = None,
    ) -> None:
        self.settings = settings
        self.lake = Lake(settings)
        self.now = now
        self.sleep = sleep
        self.report = CourtsReport()
        self._run_id = run_id or uuid.uuid4().hex[:12]
        self._clean = clean or docket_filter(settings)

    @property
    def courts(self) -> tuple[str, ...]:
        """The courts of the settings, the first first."""
        return tuple(self.settings.leadflow_courts.split(","))

    def refresh(
        self,
        courts: Sequence[str] | None = None,
        months: Sequence[str] | None = None,
        *,
        progress: Progress = tell_nobody,
        stop: Stop = never,
    ) -> CourtsReport:
        """Land what waits, ask what is due, land that.

        Per court the days since the last time, with the overlap, and new dockets without a day; then a month
        further back and the parties of the cases most worth it, as far as the day's calls go. ``months``
        (``2026-10``): exactly those, whole, and nothing else.

        Raises:
            UsageError: no court id, a month that is none, or lies ahead.
            NotConfiguredError: no token, a wrong one, or a blocked account.
            CourtListenerBudgetError: the windows are full for long; ``resumes_at`` says until when.
            What the client raises. Whatever it is, all that was fetched is landed before, and
            :attr:`report` tells of it.
        """
        wanted = require_months(courts or self.courts, months, court_day(self.now()))
        self.report = CourtsReport()
        routine = Routine(self, wanted, progress=progress, stop=stop)
        return routine.run(courts or self.courts)

    def month(
        self, court: str, filed_month: str, *, progress: Progress = tell_nobody, stop: Stop = never
    ) -> CourtsReport:
        """One partition, whole. Raises as :meth:`refresh`."""
        return self.refresh([court], [filed_month], progress=progress, stop=stop)

    def partitions_due(self, courts: Sequence[str] | None = None) -> list[tuple[str, str]]:
        """Court and month of those with days that are wanted and were never asked, newest first.

        Wanted is what the daily routine reached and what LEADFLOW_COURT_BACKFILL_FROM says; of a court that
        was never asked, the overlap.
        """
        today = court_day(self.now())
        due: list[tuple[str, str]] = []
        with database.session(self.settings) as session:
            begun = court_progress.open_months(session)
            for court in courts or self.courts:
                since = court_progress.progress_of(session, court).wanted_since or today
                days = court_progress.days_asked(session, court)
                first = min(since, self.settings.leadflow_court_backfill_from or since)
                missing = court_progress.gaps(days, first, today)
                months = {month for start, end in missing for month in months_between(start, end)}
                months |= {month for of_court, month in begun if of_court == court}
                due += [(court, month) for month in sorted(months, reverse=True)]
        return due

    def land(self) -> LandReport:
        """Publish the answers that wait, drop what has expired, and finish what a killed run left behind.

        Raises:
            AuditError, StoreError: what was not published stays as it was, and the answers wait on.
        """
        answers = CourtAnswers(self.lake.store)
        with one_at_a_time(self.settings, "landing"):
            waiting = answers.waiting()
            rows = [row for _, answer in waiting for row in raw_dockets(answer)]
            report = self._publish(rows)
            self._note_questions([answer for _, answer in waiting])
            answers.forget(key for key, _ in waiting)
        return replace(report, answers=len(waiting))

    def rebuild(self, partitions: Sequence[Place] | None = None) -> LandReport:
        """Make the core anew from raw where the code or the rows changed; ``partitions``: court and month."""
        with (
            one_at_a_time(self.settings, "landing"),
            staging_folder(self.lake.staging, self._run_id) as folder,
        ):
            return rebuild_stale(Kept(self.lake), self._publisher(), folder, only=partitions)

    def expire(self, today: date | None = None) -> LandReport:
        """Take out of raw and core what must not be used any more on that day."""
        with one_at_a_time(self.settings, "landing"):
            return self._publish([], today)

    def import_file(
        self,
        path: Path,
        kind: str | None = None,
        *,
        stated_source: str | None = None,
        mapping: Mapping[str, str] | None = None,
        sheet: str | None = None,
        skip_bad: bool = False,
        dry_run: bool = False,
    ) -> ImportReport:
        """Import a file of cases: all of it, or nothing. The same rows again renew their expiry.

        ``kind`` is one of ``importing.KINDS``; a ``.json`` file is a docket report. ``dry_run`` changes
        nothing and tells of rows that cannot be used instead of refusing the file.

        Raises:
            UsageError: the file cannot be read as that kind.
            CaseImportError: it has rows that cannot be used.
        """
        read = read_file(
            path,
            kind,
            imported_at=self.now(),
            stated_source=stated_source,
            mapping=mapping,
            sheet=sheet,
        )
        if dry_run:
            plan = self._plan(Kept(self.lake), read.rows, court_day(self.now()), expire=False)
            return read.report(_counted(plan), dry_run=True)
        rows = require_usable(read, skip_bad=skip_bad)
        with one_at_a_time(self.settings, "landing"):
            return read.report(self._publish(rows), dry_run=False)

    def coverage(self, today: date | None = None) -> tuple[Coverage, ...]:
        """What an empty answer means, per case type and source."""
        return coverage(court_facts(self.settings, self.lake), today or court_day(self.now()))

    def resumes_at(self) -> datetime | None:
        """When the calls that the last refresh ran out of are there again; None where it did not."""
        with database.session(self.settings) as session:
            moments = [one.resumes_at for one in court_progress.all_progress(session) if one.resumes_at]
        latest = max(moments, default=None)
        return latest if latest is not None and latest > self.now() else None

    def waiting(self) -> list[Answer]:
        """The answers that wait to be landed."""
        return [answer for _, answer in CourtAnswers(self.lake.store).waiting()]

    def _publish(self, rows: Sequence[RawDocket], today: date | None = None) -> LandReport:
        """Raw, then core; under the lock."""
        for table in COURTS:
            catch_up(self.lake.store, table.name)
        with staging_folder(self.lake.staging, self._run_id) as folder:
            kept = Kept(self.lake)
            plan = self._plan(kept, rows, today or court_day(self.now()))
            partitions = landing.publish(kept, plan, self._publisher(), folder)
            rebuilt = rebuild_stale(Kept(self.lake), self._publisher(), folder)
        return rebuilt + replace(_counted(plan), partitions=partitions)

    def _plan(
        self, kept: Kept, rows: Sequence[RawDocket], today: date, *, expire: bool = True
    ) -> landing.Plan:
        also = landing.expiring(kept, today) if expire else ()
        return landing.make_plan(kept, rows, today, self._clean, also)

    def _publisher(self) -> Publisher:
        return Publisher(self.lake.store, self._run_id)

    def _note_questions(self, answers: Sequence[Answer]) -> None:
        asked = [
            Question(
                answer.about.docket_id,
                answer.endpoint,
                answer.about.court,
                answer.fetched_at,
                answer.http_status,
            )
            for answer in answers
            if answer.about is not None
        ]
        if asked:
            with database.session(self.settings) as session:
                court_progress.note_questions(session, asked)
                session.commit()


def _counted(plan: landing.Plan) -> LandReport:
    return LandReport(
        new=plan.new,
        changed=plan.changed,
        unchanged=plan.unchanged,
        moved=plan.moved,
        expired=plan.expired,
        withheld=plan.withheld,
    )
