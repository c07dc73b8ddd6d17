"""Asking a court: days filed, newest first, with what was asked noted page by page.

A page ends in the middle of a day; the days above that one are done. Whatever ends a walk, the next one
sees which days are missing and asks only for those.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from leadflow_assets.domain.courts.model import UNKNOWN_MONTH
from leadflow_assets.domain.courts.rows import DOCKETS, SEARCH
from leadflow_assets.enrich.courts.kept import Kept
from leadflow_assets.enrich.courts.report import CourtDone, CourtStep, Progress, Stop
from leadflow_assets.enrich.courts.waiting import StopAsked
from leadflow_assets.settings import Settings
from leadflow_assets.sources.courtlistener.answers import About
from leadflow_assets.sources.courtlistener.client import CourtListenerClient
from leadflow_assets.sources.courtlistener.errors import CourtListenerNotFoundError
from leadflow_assets.sources.courtlistener.paging import Hit, KnownHit
from leadflow_assets.sources.courtlistener.queries import SearchQuery
from leadflow_assets.sources.courtlistener.values import as_date, as_int
from leadflow_assets.state import court_progress, database

# The courts' own days.
EASTERN = ZoneInfo("America/New_York")
_DAY = timedelta(days=1)
# Dockets without a day are few; each is asked for again after a week, and not all on one day.
UNDATED_AGAIN = timedelta(days=7)
UNDATED_AT_ONCE = 5
Room = Callable[[], bool]


def court_day(moment: datetime) -> date:
    """The day of a moment where the courts are."""
    return moment.astimezone(EASTERN).date()


def months_between(first: date, last: date) -> list[str]:
    """The months from one day to another: ``2026-09``, ``2026-10``."""
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    return [
        f"{first.year + (first.month - 1 + k) // 12}-{(first.month - 1 + k) % 12 + 1:02d}"
        for k in range(count)
    ]


def always() -> bool:
    """There is room for another call."""
    return True


class Walker:
    """One court in one run, with one client. ``done`` counts what it did."""

    def __init__(
        self,
        settings: Settings,
        client: CourtListenerClient,
        kept: Callable[[], Kept],
        court: str,
        *,
        now: Callable[[], datetime],
        progress: Progress,
        stop: Stop,
    ) -> None:
        self._settings = settings
        self._client = client
        self._kept = kept
        self._court = court
        self._now = now
        self._progress = progress
        self._stop = stop
        self.done = CourtDone(court)

    def daily(self) -> None:
        """What was filed since the last time, with the overlap, then the days that an earlier run missed.

        It ends early at a page of which every case is here and every day was over when it was asked for.
        """
        today = court_day(self._now())
        with database.session(self._settings) as session:
            known = court_progress.progress_of(session, self._court)
            days = court_progress.days_asked(session, self._court)
        overlap = timedelta(days=self._settings.leadflow_court_overlap_days)
        newest = known.covered[1] if known.covered and known.wanted_since else None
        first = min(newest, today) - overlap if newest else today - overlap
        wanted = min(known.wanted_since or first, first)
        self._change(wanted_since=wanted)
        over = {day for day, asked_at in days.items() if court_day(asked_at) > day}
        here = self._kept().docket_ids(self._court, SEARCH) if newest else set()

        def is_known(hit: Hit) -> bool:
            return as_date(hit.get("dateFiled")) in over and as_int(hit.get("docket_id")) in here

        self.ask_days(first, today, is_known=is_known if newest else None)
        for gap in self._gaps(wanted, today):
            self.ask_days(*gap)

    def month(self, month: str) -> None:
        """A month whole; what an interrupted run asked of it already is not asked again."""
        first = date.fromisoformat(f"{month}-01")
        last = min((first + timedelta(days=31)).replace(day=1) - _DAY, court_day(self._now()))
        with database.session(self._settings) as session:
            begun = court_progress.begin_month(session, self._court, month, self._now())
            session.commit()
        for gap in self._gaps(first, last, begun):
            self.ask_days(*gap)
        with database.session(self._settings) as session:
            court_progress.end_month(session, self._court, month)
            session.commit()

    def month_before(self, reaches: date, room: Room) -> bool:
        """One month, or what is missing of it, further back than the days that are here; False: none left."""
        with database.session(self._settings) as session:
            covered = court_progress.progress_of(session, self._court).covered
        if covered is None or covered[0] <= reaches:
            return False
        last = covered[0] - _DAY
        first = max(last.replace(day=1), reaches)
        self._change(wanted_since=first)
        for gap in self._gaps(first, last):
            if not self.ask_days(*gap, room=room):
                break
        return True

    def is_left_before(self, reaches: date) -> bool:
        """Are there days between that one and those that are here?"""
        with database.session(self._settings) as session:
            covered = court_progress.progress_of(session, self._court).covered
        return covered is not None and covered[0] > reaches

    def tell_coverage(self) -> None:
        """Note in ``done`` from when to when nothing is missing now."""
        with database.session(self._settings) as session:
            covered = court_progress.progress_of(session, self._court).covered
        self.done.since, self.done.until = covered or (None, None)

    def ask_days(
        self, first: date, last: date, *, is_known: KnownHit | None = None, room: Room = always
    ) -> bool:
        """All cases filed from ``first`` to ``last``; False where there was no room for all of them.

        Raises:
            What the client raises, and StopAsked; the days that were read to their end are noted.
        """
        query = SearchQuery((self._court,), filed_after=first, filed_before=last)
        begun, lowest = self._now(), last
        for page in self._client.search(query, is_known=is_known):
            self.done.pages += 1
            self.done.cases += len(page.new)
            asked_at = min(begun, page.answer.fetched_at)
            days = [day for hit in page.hits if (day := as_date(hit.get("dateFiled"))) is not None]
            following = page.answer.document.get("next")
            # The day in which the page ends may go on in the next one.
            reached = min([*days, lowest])
            self._note(first if following is None else reached + _DAY, lowest, asked_at)
            lowest = reached
            self._tell(f"{self._court}: cases filed {reached if days else first}")
            if following is not None and not room():
                return False
        return True

    def new_dockets(self) -> None:
        """Dockets that CourtListener made since the last time: among them are those without a day filed."""
        today = court_day(self._now())
        with database.session(self._settings) as session:
            known = court_progress.progress_of(session, self._court)
        overlap = timedelta(days=self._settings.leadflow_court_overlap_days)
        since = known.dockets_since or today - overlap
        begun = known.dockets_begun or today
        if known.dockets_below is not None:
            self._list_dockets(since, begun, known.dockets_below)
            since, begun = begun - _DAY, today
        here = self._kept().docket_ids(self._court, DOCKETS) if known.dockets_since else set()
        self._list_dockets(since, begun, None, here)

    def _list_dockets(
        self, since: date, begun: date, below: int | None, here: set[int] | None = None
    ) -> None:
        for page in self._client.new_dockets(self._court, since, below=below):
            self.done.pages += 1
            ids = [number for docket in page.dockets if (number := as_int(docket.get("id"))) is not None]
            self._tell(f"{self._court}: dockets made since {since}")
            if here and ids and set(ids) <= here:
                break
            lowest = min([*ids, *([below] if below is not None else [])], default=None)
            self._change(dockets_since=since, dockets_begun=begun, dockets_below=lowest)
        # The last day was not over: its dockets are listed once more the next time.
        self._change(dockets_since=begun - _DAY, dockets_begun=None, dockets_below=None)

    def undated(self, room: Room) -> None:
        """Ask again for dockets that had no day filed: with one they move to their month."""
        dockets = self._kept().dockets_of((self._court, UNKNOWN_MONTH))
        with database.session(self._settings) as session:
            asked = court_progress.questions(session, DOCKETS)
        before = self._now() - UNDATED_AGAIN
        due = sorted((max(told, asked.get(number, told)), number) for number, told in dockets.items())
        for moment, docket_id in due[:UNDATED_AT_ONCE]:
            if moment > before or not room():
                break
            # Also "there is none" is an answer that is kept, and a question that is noted.
            with contextlib.suppress(CourtListenerNotFoundError):
                self._client.docket(About(self._court, docket_id))
            self.done.undated += 1
            self._tell(f"{self._court}: dockets without a day")

    def _gaps(self, first: date, last: date, since: datetime | None = None) -> list[court_progress.Span]:
        with database.session(self._settings) as session:
            days = court_progress.days_asked(session, self._court)
        return court_progress.gaps(days, first, last, since)

    def _note(self, first: date, last: date, asked_at: datetime) -> None:
        if first > last:
            return
        with database.session(self._settings) as session:
            court_progress.mark_asked(session, self._court, first, last, asked_at)
            session.commit()

    def _change(self, **changes: object) -> None:
        with database.session(self._settings) as session:
            court_progress.change(session, self._court, **changes)
            session.commit()

    def _tell(self, text: str) -> None:
        self._progress(CourtStep(text, self._client.calls))
        if self._stop():
            raise StopAsked
