"""Court cases of a parcel: those tied to its owners, and what the absence of any other can mean.

"No case known" is never said alone: each type of case says where it was looked for, since when, or that no
source has it here (facts/courtlistener §9).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from leadflow_assets.domain.court_coverage import Coverage
from leadflow_assets.domain.courts.kinds import CASE_TYPES
from leadflow_assets.domain.courts.model import COURTLISTENER
from leadflow_assets.domain.courts.notices import case_notices, notices
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.tables import CASE_MATCHES
from leadflow_assets.search.case_notes import coverage_now, statements
from leadflow_assets.search.cases import CaseAtParcel, cases_of
from leadflow_assets.search.criteria import massachusetts_today
from leadflow_assets.search.parcel.model import Unknown

_LOOKED = ("covered", "stale")


@dataclass(frozen=True)
class LookedUp:
    """The last time the owners were looked up at a source by name; ``coverage`` are the courts asked.

    ``cases_found`` are cases that name somebody so called, which is no match. Not ``complete``: of a common
    name not all cases were read. ``properties`` of the parcel's ``of_properties`` were ever looked up.
    """

    searched_at: datetime
    outcome: str
    cases_found: int
    source: str
    coverage: str
    complete: bool
    properties: int
    of_properties: int


@dataclass(frozen=True)
class CourtCases:
    """What is known of court cases. ``known`` are confirmed or possible, the surest first.

    ``unconfirmed`` counts what is more likely a namesake's. ``statements`` tell every type of case: what was
    found, and what nothing found means. ``notices`` are the warnings of law for the types that are ``known``.
    """

    known: tuple[CaseAtParcel, ...]
    unconfirmed: int
    statements: tuple[str, ...]
    notices: tuple[str, ...]
    looked_up: LookedUp | None
    published_at: str | None
    sha256: str | None


def court_cases(
    lake: Lake, town_id: int, property_ids: Sequence[str], loc_id: str | None, as_of: str | None
) -> tuple[CourtCases, tuple[Unknown, ...]]:
    """The cases of a parcel's properties, and the unknowns that they leave.

    Of the past the lake's matches of then are shown, but none that may not be used today.

    Raises:
        UsageError: ``as_of`` is no date, or the history of that time has been cleaned up.
        StoreError: the lake or the state cannot be read.
    """
    every = cases_of(
        lake,
        town_id,
        property_ids,
        loc_id=loc_id,
        unconfirmed=True,
        as_of=as_of,
        today=massachusetts_today(),
    )
    known = tuple(case for case in every if case.tier != "unconfirmed")
    covered = coverage_now(lake)
    counted = Counter(case.case_type for case in known)
    entry = lake.snapshot(CASE_MATCHES, as_of).partitions.get(CASE_MATCHES.partition(town_id))
    made = CourtCases(
        known=known,
        unconfirmed=len(every) - len(known),
        statements=tuple(statements(tuple(CASE_TYPES), counted, covered)),
        notices=notices(counted),
        looked_up=_looked_up(lake, town_id, property_ids, loc_id),
        published_at=entry.published_at if entry else None,
        sha256=entry.data.sha256 if entry else None,
    )
    return made, tuple(_unknowns(covered, entry is not None))


def notes_of(case: CaseAtParcel) -> tuple[str, ...]:
    """What must stand beside one case: its own notes, and the warnings of its type that they lack."""
    general = notices([case.case_type])
    own = case_notices(case.case_type, case.represented_by_counsel)
    return tuple(dict.fromkeys(text for text in (*case.notes, *own) if text not in general))


def filed_on(case: CaseAtParcel) -> date | None:
    """The day the case was filed or recorded."""
    return case.date_filed or case.recorded_on


def _looked_up(lake: Lake, town_id: int, property_ids: Sequence[str], loc_id: str | None) -> LookedUp | None:
    """The newest look-up. One property is remembered by its parcel's LOC_ID, several each by its own id."""
    # Imported late: SQLAlchemy costs a third of a second.
    from leadflow_assets.state import case_searches, database

    wanted = [loc_id, *property_ids] if loc_id else list(property_ids)
    with database.session(lake.settings) as session:
        found = case_searches.latest(session, town_id, wanted)
    if not found:
        return None
    newest = max(found.values(), key=lambda search: search.searched_at)
    return LookedUp(
        searched_at=newest.searched_at,
        outcome=newest.outcome,
        cases_found=newest.cases_found,
        source=newest.source,
        coverage=newest.coverage,
        complete=newest.complete,
        properties=len(property_ids) if loc_id in found else len(found),
        of_properties=len(property_ids),
    )


def _unknowns(covered: Mapping[str, Sequence[Coverage]], matched: bool) -> list[Unknown]:
    """Types of cases that nobody looked for, by what would fill them; and matching that was not done."""
    told = []
    missing = {name: rows for name, rows in covered.items() if not any(r.state in _LOOKED for r in rows)}
    asked = {name: rows for name, rows in missing.items() if any(_could_ask(row) for row in rows)}
    if asked:
        why = dict.fromkeys(row.words for rows in asked.values() for row in rows if _could_ask(row))
        told.append(
            Unknown(
                "federal court cases",
                f"this is no clean record; not looked for: {_listed(asked)}. {' '.join(why).rstrip('.')}",
                "leadflow cases refresh, with COURTLISTENER_API_KEY",
            )
        )
    elsewhere = [name for name in missing if name not in asked]
    if elsewhere:
        told.append(
            Unknown(
                "court cases and records of Massachusetts",
                "this is no clean record; no open source has them, and none were imported: "
                f"{_listed(elsewhere)}",
                "a search at the court or registry, then `leadflow cases import FILE --source KIND`",
            )
        )
    if not matched and len(missing) < len(covered):
        told.append(
            Unknown(
                "whether cases that are here name an owner of this town",
                "the cases were not matched with the town's owners yet",
                "leadflow cases refresh",
            )
        )
    return told


def _could_ask(row: Coverage) -> bool:
    return row.source == COURTLISTENER and row.state in ("not_configured", "not_fetched")


def _listed(case_types: Sequence[str] | Mapping[str, object]) -> str:
    return ", ".join(CASE_TYPES[name].words for name in case_types)
