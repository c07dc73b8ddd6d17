"""From kept rows of one partition to its cases and parties; the same rows give the same tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from leadflow_assets.domain.courts.combine import combine
from leadflow_assets.domain.courts.model import CourtCase, CourtParty
from leadflow_assets.domain.courts.rows import IMPORT, RawDocket
from leadflow_assets.sources.courtlistener.parse import parse_rows
from leadflow_assets.sources.imports.cases import parse_imports

CaseKey = tuple[str, str]


@dataclass(frozen=True)
class Core:
    """Cases and parties of one partition; ``problems`` counts, by reason, what could not be used."""

    cases: tuple[CourtCase, ...]
    parties: tuple[CourtParty, ...]
    problems: Mapping[str, int]

    def without(self, keys: Collection[CaseKey]) -> Core:
        """The same without some cases (source, case id) and their parties."""
        cases = tuple(case for case in self.cases if (case.source, case.case_id) not in keys)
        parties = tuple(party for party in self.parties if (party.source, party.case_id) not in keys)
        return Core(cases, parties, self.problems)

    def facts(self) -> dict[str, Any]:
        """By source: how many cases, filed or recorded between which days, told last when."""
        found: dict[str, dict[str, Any]] = {}
        for case in self.cases:
            day = case.date_filed or case.recorded_on
            mine = found.setdefault(case.source, {"cases": 0, "first": None, "last": None, "told": None})
            mine["cases"] += 1
            mine["told"] = max(filter(None, (mine["told"], case.fetched_at.isoformat())))
            if day is not None:
                mine["first"] = min(filter(None, (mine["first"], day.isoformat())))
                mine["last"] = max(filter(None, (mine["last"], day.isoformat())))
        return {"cases": len(self.cases), "parties": len(self.parties), "sources": found}


def make_core(rows: Sequence[RawDocket]) -> Core:
    """The cases and parties of a partition's rows.

    The day filed is the docket's, as the rows were settled by it, also where an older telling says another.
    """
    parsed = parse_rows(row for row in rows if row.endpoint != IMPORT)
    imported = parse_imports(rows)
    filed = {row.docket_id: row.date_filed for row in rows if row.docket_id is not None}
    cases = [
        replace(case, date_filed=filed[case.docket_id]) if case.docket_id in filed else case
        for case in parsed.cases
    ]
    both = combine([*cases, *imported.cases], [*parsed.parties, *imported.parties])
    problems = Counter(problem.reason for problem in (*parsed.problems, *imported.problems))
    # A party whose case is not here cannot be shown: a page of parties came, its docket never did.
    known = {(case.source, case.case_id) for case in both.cases}
    parties = tuple(party for party in both.parties if (party.source, party.case_id) in known)
    if len(parties) < len(both.parties):
        problems["a party of a docket that is not here"] += len(both.parties) - len(parties)
    return Core(both.cases, parties, dict(sorted(problems.items())))
