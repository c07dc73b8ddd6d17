"""Several tellings of one case by one source become one, so that nothing is counted or matched twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date

from leadflow_assets.domain.courts.model import CourtCase, CourtParty

# Where a party's name was found, the surer first: a role is known in the first and guessed in the last.
_SURER = {name: rank for rank, name in enumerate(("import", "docket", "parties", "caption", "search"))}
_ALWAYS_SET = frozenset({"case_id", "court", "case_type", "source", "fetched_at"})
# Every telling speaks of these: a case that was opened again must not stay closed.
_NEWEST_SAYS = frozenset({"date_terminated", "status", "expires_on"})
_MORE = tuple(field.name for field in fields(CourtCase) if field.name not in _ALWAYS_SET | _NEWEST_SAYS)


@dataclass(frozen=True)
class Combined:
    """Cases and parties without repetition, each party in the month of its case."""

    cases: tuple[CourtCase, ...]
    parties: tuple[CourtParty, ...]

    def partitions(self) -> Mapping[tuple[str, str], tuple[list[CourtCase], list[CourtParty]]]:
        """Rows by court and month filed."""
        found: dict[tuple[str, str], tuple[list[CourtCase], list[CourtParty]]] = {}
        for case in self.cases:
            found.setdefault((case.court, case.filed_month), ([], []))[0].append(case)
        for party in self.parties:
            found.setdefault((party.court, party.filed_month), ([], []))[1].append(party)
        return found


def combine(cases: Iterable[CourtCase], parties: Iterable[CourtParty] = ()) -> Combined:
    """One row per case and source, and per party of it: the newest says, an older one fills what it lacks.

    A docket that had no date when it was first seen moves to its month with its parties. The same docket
    under two numbers, or two dockets under one number, are one case.
    """
    by_key: dict[tuple[str, str], CourtCase] = {}
    renamed: dict[tuple[str, str], str] = {}
    of_docket: dict[tuple[str, int], tuple[str, str]] = {}
    for case in sorted(cases, key=_newest_last):
        key = (case.source, case.case_id)
        docket = (case.source, case.docket_id) if case.docket_id is not None else None
        earlier = of_docket.get(docket, key) if docket else key
        if earlier != key and earlier in by_key:
            # The docket got its number, or another one, since it was first seen.
            renamed[earlier] = case.case_id
            case = _filled(case, by_key.pop(earlier))
        by_key[key] = _filled(case, by_key[key]) if key in by_key else case
        if docket:
            of_docket[docket] = key
    kept = _parties(parties, by_key, renamed)
    return Combined(tuple(by_key[key] for key in sorted(by_key)), tuple(kept))


def in_force(cases: Iterable[CourtCase], today: date) -> list[CourtCase]:
    """The cases that may still be used on that day."""
    return [case for case in cases if case.expires_on is None or case.expires_on >= today]


def _newest_last(case: CourtCase) -> tuple[object, ...]:
    return case.fetched_at, case.docket_id or 0, case.docket_number or "", case.case_type


def _filled(newer: CourtCase, older: CourtCase) -> CourtCase:
    missing = {
        name: getattr(older, name)
        for name in _MORE
        if getattr(newer, name) is None and getattr(older, name) is not None
    }
    return replace(newer, **missing) if missing else newer


def _parties(
    parties: Iterable[CourtParty],
    cases: Mapping[tuple[str, str], CourtCase],
    renamed: Mapping[tuple[str, str], str],
) -> Sequence[CourtParty]:
    newest: dict[tuple[str, str, str], CourtParty] = {}
    named: dict[tuple[str, str], int] = {}
    for party in sorted(parties, key=lambda one: (one.fetched_at, one.party_id)):
        case_id = _current_id((party.source, party.case_id), renamed)
        case = cases.get((party.source, case_id))
        if case is not None:
            party = replace(party, case_id=case_id, court=case.court, filed_month=case.filed_month)
        newest[party.source, party.case_id, party.party_id] = party
    for party in newest.values():
        key = (party.source, party.case_id)
        named[key] = min(named.get(key, len(_SURER)), _SURER[party.name_from])
    # Once the docket's own list of parties is there, names guessed from a caption or a search hit go.
    sure = _SURER["parties"]
    kept = [
        party
        for party in newest.values()
        if named[party.source, party.case_id] > sure or _SURER[party.name_from] <= sure
    ]
    return sorted(kept, key=lambda one: (one.source, one.case_id, one.party_id))


def _current_id(key: tuple[str, str], renamed: Mapping[tuple[str, str], str]) -> str:
    seen = set()
    while key in renamed and key not in seen:
        seen.add(key)
        key = (key[0], renamed[key])
    return key[1]
