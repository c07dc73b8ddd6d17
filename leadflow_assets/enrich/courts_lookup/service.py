"""Looking up owners at CourtListener: who was asked within 90 days is not asked again, and calls are few.

Every answer is kept before it is read and lands with the routine's. A name alone is no match: what is found
here are cases that name somebody so called; the matching decides whose they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from leadflow_assets.domain.courts.model import COURTLISTENER
from leadflow_assets.domain.towns import Town
from leadflow_assets.enrich.court_client import open_courtlistener, open_limiter
from leadflow_assets.enrich.courts_lookup.names import bears
from leadflow_assets.enrich.courts_lookup.parcels import Parcel, parcels_at, parcels_of
from leadflow_assets.errors import LeadflowError, NotConfiguredError, UsageError
from leadflow_assets.lake.lake import Lake
from leadflow_assets.settings import Settings
from leadflow_assets.sources.courtlistener.client import CourtListenerClient
from leadflow_assets.sources.courtlistener.errors import CourtListenerAnswerError, CourtListenerBudgetError
from leadflow_assets.sources.courtlistener.limiter import PATIENCE
from leadflow_assets.sources.courtlistener.paging import Hit, SearchPage
from leadflow_assets.sources.courtlistener.queries import SearchQuery
from leadflow_assets.sources.courtlistener.values import as_text
from leadflow_assets.state import case_searches, database, saved_lists
from leadflow_assets.state.case_searches import MEMORY, CaseSearch

# Of a common name the newest cases: three pages of 20.
MOST_PAGES = 3
# More owners than that on one parcel are a building: not asked for without a word.
MOST_NAMES = 10
# Somebody waits: a minute's window is worth waiting for, an hour's only for a list.
SHORT_PATIENCE = timedelta(minutes=3)
# So many hits without the surname cannot be chance.
_CLEARLY_IGNORED = 3


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class LookupPlan:
    """What a look-up would do. ``calls`` is the least: a common name takes up to ``MOST_PAGES``.

    ``recent`` were asked within 90 days, ``nobody`` have no owner to ask for. ``days`` counts today, with the
    calls that are left of it. ``courts`` are asked all in one call.
    """

    parcels: tuple[Parcel, ...]
    recent: int
    nobody: int
    calls: int
    calls_left: int
    calls_per_day: int
    days: int
    courts: tuple[str, ...]
    patience: timedelta = PATIENCE


@dataclass
class LookupReport:
    """What was done. ``cases`` name somebody so called; ``waiting`` parcels are for the next time."""

    asked: int = 0
    found: int = 0
    nothing: int = 0
    failed: int = 0
    cases: int = 0
    calls: int = 0
    waiting: int = 0
    incomplete: int = 0
    landed: bool = False


class CourtLookups:
    """Look-ups of the effective settings. ``land`` publishes the answers that wait; None: the routine does.

    ``report`` is what the last run did, also where it ended with an error. ``now`` replaces the clock.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        land: Callable[[], object] | None = None,
        now: Callable[[], datetime] = _now,
    ) -> None:
        self.settings = settings
        self.lake = Lake(settings)
        self.report = LookupReport()
        self._land = land
        self._now = now

    @property
    def courts(self) -> tuple[str, ...]:
        """The courts of the settings."""
        return tuple(self.settings.leadflow_courts.split(","))

    def plan_parcel(self, town: Town, loc_id: str, *, force: bool = False, again: bool = False) -> LookupPlan:
        """What looking up one parcel would do. ``again``: also if it was asked within 90 days.

        Raises:
            LeadflowError: there is no data for the town.
            UsageError: no such parcel, or (without ``force``) a building with many owners.
        """
        parcels = parcels_at(self.lake, town, loc_id)
        plan = self._plan(parcels, again, SHORT_PATIENCE)
        if plan.calls > MOST_NAMES and not force:
            raise UsageError(
                f"The parcel has {plan.calls} owners to ask for, each a call of {plan.calls_per_day} a day.",
                "Save the properties that matter as a list and look that up, or add --force.",
            )
        return plan

    def plan_list(self, name: str, *, force: bool = False, again: bool = False) -> LookupPlan:
        """What looking up a saved list would do, parcel by parcel.

        Raises:
            UsageError: there is no such list, or (without ``force``) it is longer than
                LIEN_SEARCH_AUTO_THRESHOLD.
            LeadflowError: none of its towns is in the lake.
        """
        with database.session(self.settings) as session:
            ids = saved_lists.member_ids(session, name)
        most = self.settings.lien_search_auto_threshold
        if len(ids) > most and not force:
            raise UsageError(
                f"The list {name!r} has {len(ids):,} properties: not looked up by itself, {most:,} would be.",
                "See --dry-run for calls and days, then add --force, or raise LIEN_SEARCH_AUTO_THRESHOLD.",
            )
        return self._plan(parcels_of(self.lake, ids), again, PATIENCE)

    def _plan(self, parcels: Sequence[Parcel], again: bool, patience: timedelta) -> LookupPlan:
        asked = set() if again else self._recent(parcels)
        due = [parcel for parcel in parcels if (parcel.town_id, parcel.loc_id) not in asked]
        wanted = [parcel for parcel in due if parcel.names]
        calls = len({name for parcel in wanted for name in parcel.names})
        left, per_day = open_limiter(self.settings).left(), self.settings.leadflow_courtlistener_calls_per_day
        return LookupPlan(
            parcels=tuple(wanted),
            recent=len(parcels) - len(due),
            nobody=len(due) - len(wanted),
            calls=calls,
            calls_left=left,
            calls_per_day=per_day,
            days=(1 if calls else 0) + math.ceil(max(calls - left, 0) / per_day),
            courts=self.courts,
            patience=patience,
        )

    def _recent(self, parcels: Sequence[Parcel]) -> set[tuple[int, str]]:
        since = self._now() - MEMORY
        towns: dict[int, list[str]] = {}
        for parcel in parcels:
            towns.setdefault(parcel.town_id, []).append(parcel.loc_id)
        with database.session(self.settings) as session:
            found = [
                search
                for town_id, ids in towns.items()
                for search in case_searches.latest(session, town_id, ids).values()
            ]
        return {(search.town_id, search.loc_id) for search in found if search.searched_at > since}

    def run(self, plan: LookupPlan, *, progress: Callable[[], None] = lambda: None) -> LookupReport:
        """Ask, parcel by parcel; each is remembered as soon as it is answered, so that a rerun goes on.

        A name that several parcels share is asked for once. Whatever ends the run, what was answered is
        landed (with ``land``) before the error is raised.

        Raises:
            CourtListenerBudgetError: the calls are used up; says when there are more.
            NotConfiguredError: no token, or a wrong one.
            LeadflowError: CourtListener did not answer, or with something else.
        """
        self.report = LookupReport(waiting=len(plan.parcels))
        known: dict[str, tuple[frozenset[str], bool]] = {}
        try:
            with open_courtlistener(self.settings, self.lake, patience=plan.patience) as client:
                for parcel in plan.parcels:
                    self._look_up(client, parcel, known)
                    progress()
        finally:
            if self._land is not None and self.report.calls:
                self._land()
                self.report.landed = True
        return self.report

    def _look_up(
        self, client: CourtListenerClient, parcel: Parcel, known: dict[str, tuple[frozenset[str], bool]]
    ) -> None:
        before = client.calls
        try:
            for name in parcel.names:
                if name not in known:
                    known[name] = self._cases_of(client, name)
        except LeadflowError as error:
            self.report.calls += client.calls - before
            if not isinstance(error, CourtListenerBudgetError | NotConfiguredError):
                self.report.failed += 1
                self._remember(parcel, "failed", 0, client.calls - before, complete=False)
            raise
        cases = frozenset().union(*(known[name][0] for name in parcel.names))
        complete = all(known[name][1] for name in parcel.names)
        calls = client.calls - before
        self._remember(parcel, "found" if cases else "nothing", len(cases), calls, complete=complete)
        self.report.asked += 1
        self.report.waiting -= 1
        self.report.found += bool(cases)
        self.report.nothing += not cases
        self.report.cases += len(cases)
        self.report.calls += calls
        self.report.incomplete += not complete

    def _cases_of(self, client: CourtListenerClient, name: str) -> tuple[frozenset[str], bool]:
        """Dockets that name somebody so called, and whether those are all."""
        query = SearchQuery(self.courts, party_name=name)
        found: set[str] = set()
        read, total = 0, 0
        for page in client.search(query, most_pages=MOST_PAGES):
            _require_asked(page, name)
            read += len(page.new)
            total = page.total or 0
            found |= {str(hit.get("docket_id")) for hit in page.new if bears(name, _told(hit))}
        return frozenset(found), read >= total

    def _remember(self, parcel: Parcel, outcome: str, cases: int, calls: int, *, complete: bool) -> None:
        search = CaseSearch(
            town_id=parcel.town_id,
            loc_id=parcel.loc_id,
            searched_at=self._now(),
            outcome=outcome,
            cases_found=cases,
            calls=calls,
            source=COURTLISTENER,
            coverage=" ".join(self.courts),
            complete=complete,
        )
        with database.session(self.settings) as session:
            case_searches.record(session, search)
            session.commit()


def _told(hit: Hit) -> list[str]:
    """The names on a hit: its parties, and its caption, where parties may be missing."""
    parties = hit.get("party")
    listed = parties if isinstance(parties, list) else [parties]
    return [text for value in (*listed, hit.get("caseName")) if (text := as_text(value))]


def _require_asked(page: SearchPage, name: str) -> None:
    """Search ignores parameters that it does not know: then nobody on the page bears the name's last word."""
    surname = name.split()[-1]
    if len(page.hits) >= _CLEARLY_IGNORED and not any(bears(surname, _told(hit)) for hit in page.hits):
        raise CourtListenerAnswerError(
            "CourtListener's search ignored the filter party_name: no hit is what was asked for.",
            "The API may have changed: update leadflow.",
        )
