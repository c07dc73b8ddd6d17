"""core/court_cases and core/court_parties follow raw/court_dockets: made anew where the raw rows changed.

What each was made from stands in its inputs, so that a landing killed between raw and core is finished by
the next one, and a change of the code is noticed.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from leadflow_assets.domain.courts.model import UNKNOWN_MONTH, CourtCase, CourtParty
from leadflow_assets.enrich.courts.core import CaseKey, Core, make_core
from leadflow_assets.enrich.courts.kept import Kept, Place, open_tables, places, read_rows
from leadflow_assets.enrich.courts.publishing import made_of, put
from leadflow_assets.enrich.courts.report import LandReport
from leadflow_assets.lake.publish import Publisher
from leadflow_assets.lake.snapshots import PartitionEntry
from leadflow_assets.lake.tables import COURT_CASES, COURT_DOCKETS, COURT_PARTIES

_ELSEWHERE = "elsewhere"


@dataclass(frozen=True)
class _Now:
    """What is published now of the three tables."""

    kept: Kept
    cases: Mapping[Place, PartitionEntry]
    parties: Mapping[Place, PartitionEntry]


def rebuild_stale(
    kept: Kept, publisher: Publisher, folder: Path, *, only: Collection[Place] | None = None
) -> LandReport:
    """Make anew every partition of the core that is not made of its raw rows by this code.

    ``only`` limits it to some partitions.

    Raises:
        AuditError, StoreError: what was not published stays as it was; the next call goes on.
    """
    snapshot = kept.lake.snapshot
    now = _Now(kept, places(snapshot(COURT_CASES)), places(snapshot(COURT_PARTIES)))
    stale = {place for place in {*kept.entries, *now.cases, *now.parties} if _is_stale(now, place)}
    if only is not None:
        stale &= set(only)
    # What stands in `unknown` must not stand in a month of that court as well.
    stale |= {(court, UNKNOWN_MONTH) for court, _ in stale if (court, UNKNOWN_MONTH) in kept.entries}
    if not stale:
        return LandReport()
    made = {
        place: make_core(read_rows(kept.lake, kept.entries[place]))
        for place in sorted(stale)
        if place in kept.entries
    }
    return _publish(now, stale, made, publisher, folder)


def _publish(
    now: _Now, stale: Collection[Place], made: dict[Place, Core], publisher: Publisher, folder: Path
) -> LandReport:
    cases: dict[str, PartitionEntry | None] = {}
    parties: dict[str, PartitionEntry | None] = {}
    done: list[Core] = []
    lake = now.kept.lake
    for place in sorted(stale):
        names = COURT_CASES.partition(*place), COURT_PARTIES.partition(*place)
        if place not in made:
            cases[names[0]] = parties[names[1]] = None
            continue
        core, inputs = made[place], _inputs(now.kept.entries[place], place)
        if place[1] == UNKNOWN_MONTH:
            dated = _dated(now, place, made)
            core = core.without(dated)
            inputs[_ELSEWHERE] = hashlib.sha256(repr(sorted(dated)).encode()).hexdigest()[:16]
            if _is_made_of(now, place, inputs):
                continue
        facts = core.facts()
        cases[names[0]] = put(lake, COURT_CASES, place, core.cases, CourtCase, inputs, facts, folder)
        with_address = sum(party.address is not None for party in core.parties)
        told = {"parties": len(core.parties), "with_address": with_address}
        parties[names[1]] = put(lake, COURT_PARTIES, place, core.parties, CourtParty, inputs, told, folder)
        done.append(core)
    if cases:
        publisher.publish(COURT_CASES.name, cases)
        publisher.publish(COURT_PARTIES.name, parties)
    problems: Counter[str] = Counter()
    for core in done:
        problems.update(core.problems)
    return LandReport(
        rebuilt=tuple(sorted(cases)),
        cases=sum(len(core.cases) for core in done),
        parties=sum(len(core.parties) for core in done),
        problems=dict(sorted(problems.items())),
    )


def _inputs(raw: PartitionEntry, place: Place) -> dict[str, str]:
    return {f"{COURT_DOCKETS.name}/{COURT_DOCKETS.partition(*place)}": raw.data.sha256}


def _is_stale(now: _Now, place: Place) -> bool:
    raw = now.kept.entries.get(place)
    held = now.cases.get(place), now.parties.get(place)
    if raw is None:
        return held != (None, None)
    wanted = _inputs(raw, place)
    for table, entry in zip((COURT_CASES, COURT_PARTIES), held, strict=True):
        if entry is None or {**entry.inputs, **wanted} != dict(entry.inputs):
            return True
        if entry.fingerprint != made_of(table, entry.inputs):
            return True
    return False


def _is_made_of(now: _Now, place: Place, inputs: Mapping[str, str]) -> bool:
    held = ((COURT_CASES, now.cases.get(place)), (COURT_PARTIES, now.parties.get(place)))
    return all(entry is not None and entry.fingerprint == made_of(table, inputs) for table, entry in held)


def _dated(now: _Now, place: Place, made: Mapping[Place, Core]) -> set[CaseKey]:
    """The cases of ``unknown`` that a month of the same court has too, under another docket id."""
    court = place[0]
    wanted = {(case.source, case.case_id) for case in made[place].cases}
    found = {
        (case.source, case.case_id)
        for other, core in made.items()
        if other != place and other[0] == court
        for case in core.cases
    }
    rest = [
        entry
        for other, entry in now.cases.items()
        if other[0] == court and other != place and other not in made and other in now.kept.entries
    ]
    if rest and wanted:
        with open_tables(now.kept.lake, {"cases": (COURT_CASES, rest)}) as connection:
            ids = [case_id for _, case_id in wanted]
            query = (
                "SELECT DISTINCT source, case_id FROM cases WHERE case_id IN (SELECT unnest(?::VARCHAR[]))"
            )
            found |= {(source, case_id) for source, case_id in connection.execute(query, [ids]).fetchall()}
    return wanted & found
