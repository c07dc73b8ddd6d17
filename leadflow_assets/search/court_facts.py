"""What is known of each source of court cases: the facts from which coverage is told.

They come from the state (how far courts were asked) and from the facts of published partitions (what was
imported): no table is opened.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time

from leadflow_assets.domain.court_coverage import SourceFacts
from leadflow_assets.domain.courts.imported import IMPORT_KINDS
from leadflow_assets.domain.courts.model import COURTLISTENER
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.tables import COURT_CASES
from leadflow_assets.settings import Settings

_MOST_SPANS = 3


def court_facts(settings: Settings, lake: Lake) -> list[SourceFacts]:
    """The courts of LEADFLOW_COURTS at CourtListener, and every kind of which something is imported.

    Raises:
        StoreError: the state database or the lake cannot be read.
    """
    return [*_courts(settings), *_imports(lake)]


def _courts(settings: Settings) -> list[SourceFacts]:
    # Imported late: SQLAlchemy costs a third of a second.
    from leadflow_assets.state import court_progress, database
    from leadflow_assets.state.court_progress import CourtProgress

    with database.session(settings) as session:
        known = {progress.court: progress for progress in court_progress.all_progress(session)}
    configured = settings.courtlistener_api_key is not None
    facts = []
    for court in settings.leadflow_courts.split(","):
        progress = known.get(court, CourtProgress(court))
        since, until = progress.covered or (None, None)
        facts.append(
            SourceFacts(
                source=COURTLISTENER,
                court=court,
                # What was fetched stays true where the token was taken away since.
                configured=configured or until is not None,
                since=since,
                last=_last(until, progress.last_asked_at),
                partial=_partial(progress.spans, progress.wanted_since),
            )
        )
    return facts


def _last(until: date | None, asked_at: datetime | None) -> datetime | None:
    """Up to when nothing is missing: the moment of asking, or the last day asked for where that was over."""
    if until is None or asked_at is None:
        return None
    return min(asked_at, datetime.combine(until, time(12), UTC)) if until < asked_at.date() else asked_at


def _partial(spans: Sequence[tuple[date, date]], wanted_since: date | None) -> str | None:
    """The other stretches of days, and whether the routine is still to fill what lies between."""
    if len(spans) < 2:
        return None
    earlier = [f"{first} to {last}" for first, last in reversed(spans[:-1])]
    more = f" and {len(earlier) - _MOST_SPANS} more stretches" if len(earlier) > _MOST_SPANS else ""
    told = f"also {', '.join(earlier[:_MOST_SPANS])}{more}"
    filling = wanted_since is not None and wanted_since < spans[-1][0]
    return f"{told}; the days between are not asked yet" if filling else f"{told}, and not between"


def _imports(lake: Lake) -> list[SourceFacts]:
    """One per kind. A file tells what stands in it, not what is missing: that is said with every result."""
    counts: dict[str, int] = {}
    first: dict[str, list[str]] = {}
    told: dict[str, list[str]] = {}
    for entry in lake.snapshot(COURT_CASES).partitions.values():
        for source, facts in entry.facts.get("sources", {}).items():
            counts[source] = counts.get(source, 0) + facts["cases"]
            first.setdefault(source, []).extend(filter(None, [facts["first"]]))
            told.setdefault(source, []).extend(filter(None, [facts["told"]]))
    return [
        SourceFacts(
            source=kind,
            court=IMPORT_KINDS[kind].court,
            since=date.fromisoformat(min(first[kind])) if first[kind] else None,
            last=datetime.fromisoformat(max(told[kind])) if told[kind] else None,
            partial=f"as far as the imported files go ({counts[kind]:,} cases in force)",
        )
        for kind in IMPORT_KINDS
        if counts.get(kind)
    ]
