"""One refresh: who is asked in which order, and what is kept when it breaks off."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from leadflow_assets.domain.courts.model import is_court_id
from leadflow_assets.domain.courts.rows import PARTIES
from leadflow_assets.enrich.court_client import VENDOR, open_courtlistener, open_limiter
from leadflow_assets.enrich.courts.kept import Kept
from leadflow_assets.enrich.courts.locks import one_at_a_time
from leadflow_assets.enrich.courts.parties_choice import choose
from leadflow_assets.enrich.courts.report import CourtsReport, CourtStep, Progress, Stop
from leadflow_assets.enrich.courts.waiting import AnnouncedCalls, StopAsked, stoppable
from leadflow_assets.enrich.courts.walking import Room, Walker
from leadflow_assets.errors import LeadflowError, UsageError
from leadflow_assets.sources.courtlistener.answers import About, Answer
from leadflow_assets.sources.courtlistener.client import CourtListenerClient
from leadflow_assets.sources.courtlistener.errors import (
    CourtListenerBudgetError,
    CourtListenerNotFoundError,
    CourtListenerPermissionError,
)
from leadflow_assets.sources.courtlistener.limiter import CallLimiter
from leadflow_assets.state import court_progress, database
from leadflow_assets.state.call_list import CallList

if TYPE_CHECKING:
    from leadflow_assets.enrich.courts.service import Courts

_MONTH = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])")


def require_months(courts: Sequence[str], months: Sequence[str] | None, today: date) -> tuple[str, ...]:
    """The months asked for, newest first, each once.

    Raises:
        UsageError: a court that is none, a month that is none or has not begun.
    """
    wrong = [court for court in courts if not is_court_id(court)]
    if wrong or not courts:
        shown = f"{wrong[0]!r} is no court id" if wrong else "No court is named"
        raise UsageError(f"{shown}.", "Court ids of CourtListener look like mab, mad.")
    for month in months or ():
        if not _MONTH.fullmatch(month):
            raise UsageError(f"{month!r} is no month.", "Write 2026-10.")
        if month > f"{today:%Y-%m}":
            raise UsageError(f"The month {month} has not begun.", "Ask for an earlier one.")
    return tuple(sorted(set(months or ()), reverse=True))


class Routine:
    """One refresh. What was fetched is landed whatever happens; what was done stands in the report."""

    def __init__(self, service: Courts, months: Sequence[str], *, progress: Progress, stop: Stop) -> None:
        self._service = service
        self._settings = service.settings
        self._months = months
        self._progress = progress
        self._stop = stop
        self._notes: list[str] = []
        self._client_now: CourtListenerClient | None = None

    def run(self, courts: Sequence[str]) -> CourtsReport:
        """See :meth:`Courts.refresh`."""
        try:
            with one_at_a_time(self._settings, "refresh", waits=self._wait_for_another, stop=self._stop):
                return self._run(list(dict.fromkeys(courts)))
        except StopAsked:
            self._service.report = replace(self._service.report, stopped=True)
            return self._service.report

    def _run(self, courts: list[str]) -> CourtsReport:
        # What a killed run fetched and did not read is not asked for again.
        kept_answers = {answer.request_hash: answer for answer in self._service.waiting()}
        self._land("landing what waits")
        more = stopped = False
        failure: LeadflowError | None = None
        with self._client(kept_answers) as (client, limiter):
            walkers = [self._walker(client, court) for court in courts]
            try:
                more = self._ask(client, limiter, walkers)
            except StopAsked:
                more = stopped = True
            except LeadflowError as error:
                more, failure = True, error
            self._land("publishing", client)
            self._tell_report(walkers, client, limiter, more=more, stopped=stopped)
        resumes_at = self._note_end(courts, failure)
        if isinstance(failure, CourtListenerBudgetError):
            told = f"{failure.message} Before that: {self._done_in_words()}."
            raise CourtListenerBudgetError(told, failure.hint, resumes_at) from None
        if failure is not None:
            raise failure
        return self._service.report

    def _ask(self, client: CourtListenerClient, limiter: CallLimiter, walkers: Sequence[Walker]) -> bool:
        """Everything that is due, in its order; is there more that waits for another day?"""
        if self._months:
            for month in self._months:
                for walker in walkers:
                    walker.month(month)
            return False
        for walker in walkers:
            walker.daily()
            walker.new_dockets()
            self._land(f"{walker.done.court}: publishing", client)

        def room() -> bool:
            return limiter.left() > self._settings.leadflow_court_calls_kept

        for walker in walkers:
            walker.undated(room)
        # Half of what is left goes to the past; what either does not need the other takes.
        spare = max(limiter.left() - self._settings.leadflow_court_calls_kept, 0)
        half = client.calls + (spare + 1) // 2
        self._backfill(client, walkers, lambda: room() and client.calls < half)
        left = self._ask_parties(client, walkers, room)
        return self._backfill(client, walkers, room) or left

    def _backfill(self, client: CourtListenerClient, walkers: Sequence[Walker], room: Room) -> bool:
        """Month by month into the past, court by court; is there more of it?"""
        reaches = self._settings.leadflow_court_backfill_from
        if reaches is None:
            return False
        asked = False
        for walker in walkers:
            while room() and walker.month_before(reaches, room):
                asked = True
        if asked:
            self._land("publishing", client)
        return any(walker.is_left_before(reaches) for walker in walkers)

    def _ask_parties(self, client: CourtListenerClient, walkers: Sequence[Walker], room: Room) -> bool:
        """The parties of the cases most worth it; are there more of them?"""
        done = {walker.done.court: walker.done for walker in walkers}
        with database.session(self._settings) as session:
            asked = set(court_progress.questions(session, PARTIES))
        kept = Kept(self._service.lake)
        for court in done:
            asked |= kept.docket_ids(court, PARTIES)
        for candidate in choose(self._service.lake, list(done), asked):
            if not room():
                return True
            mine = done[candidate.court]
            about = About(candidate.court, candidate.docket_id, candidate.date_filed)
            try:
                client.parties(about)
            except CourtListenerNotFoundError:
                pass  # the answer is kept, so that the question is not asked again
            except CourtListenerPermissionError as error:
                self._notes.append(f"No parties were asked for: {error.message}")
                return False
            mine.parties += 1
            self._tell(f"{mine.court}: parties of {mine.parties} cases", client)
        return False

    @contextmanager
    def _client(self, kept: Mapping[str, Answer]) -> Iterator[tuple[CourtListenerClient, CallLimiter]]:
        """A client whose waits are announced and end when somebody wants to stop."""
        service = self._service
        sleep = stoppable(service.sleep, self._stop)
        log = AnnouncedCalls(CallList(self._settings, VENDOR), self._announce)
        limiter = open_limiter(self._settings, log=log, now=service.now, sleep=sleep)
        with open_courtlistener(
            self._settings,
            service.lake,
            limiter=limiter,
            kept=kept.get,
            now=service.now,
            sleep=sleep,
        ) as client:
            self._client_now = client
            yield client, limiter

    def _walker(self, client: CourtListenerClient, court: str) -> Walker:
        return Walker(
            self._settings,
            client,
            lambda: Kept(self._service.lake),
            court,
            now=self._service.now,
            progress=self._progress,
            stop=self._stop,
        )

    def _land(self, text: str, client: CourtListenerClient | None = None) -> None:
        self._progress(CourtStep(text, client.calls if client else 0))
        landed = self._service.land()
        self._service.report = replace(self._service.report, landed=self._service.report.landed + landed)

    def _tell(self, text: str, client: CourtListenerClient) -> None:
        self._progress(CourtStep(text, client.calls))
        if self._stop():
            raise StopAsked

    def _announce(self, text: str) -> None:
        self._progress(CourtStep(text, self._client_now.calls if self._client_now else 0, waiting=True))

    def _wait_for_another(self) -> None:
        self._progress(CourtStep("waits for another refresh on this machine", 0, waiting=True))

    def _tell_report(
        self,
        walkers: Sequence[Walker],
        client: CourtListenerClient,
        limiter: CallLimiter,
        *,
        more: bool,
        stopped: bool,
    ) -> None:
        """What was done, as far as it came."""
        for walker in walkers:
            walker.tell_coverage()
        self._service.report = replace(
            self._service.report,
            courts=tuple(walker.done for walker in walkers),
            calls=client.calls,
            calls_left=limiter.left(),
            notes=(*client.notes, *self._notes),
            more=more,
            stopped=stopped,
        )

    def _note_end(self, courts: Sequence[str], failure: LeadflowError | None) -> datetime | None:
        """Keep why it stopped and when it may go on, for the schedule and for people."""
        resumes_at = failure.resumes_at if isinstance(failure, CourtListenerBudgetError) else None
        self._service.report = replace(self._service.report, resumes_at=resumes_at)
        stopped_by = None if failure is None else type(failure).__name__
        with database.session(self._settings) as session:
            for court in courts:
                court_progress.change(session, court, resumes_at=resumes_at, stopped_by=stopped_by)
            session.commit()
        return resumes_at

    def _done_in_words(self) -> str:
        report = self._service.report
        calls = f"{report.calls:,} calls"
        return f"{calls}, {report.landed.new:,} rows new, {len(report.landed.partitions):,} months published"
