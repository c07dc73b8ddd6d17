"""Which courts count as asked: a source is, where nothing that could still count for much is missing.

*own*: CourtListener counts for a case type when every court of it is up to date and reaches back a whole
half-life of the factor, so that what is older could add less than half of its points. An imported file tells
what stands in it, never what is missing: it adds signals, and leaves their group as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Final

from leadflow_assets.domain.court_coverage import SourceFacts, by_type, coverage
from leadflow_assets.domain.courts.model import COURTLISTENER
from leadflow_assets.domain.distress.signal import DAYS_PER_MONTH
from leadflow_assets.domain.distress.table import ScoreTable

# The factor that cases of a type are; of other types no source is ever complete.
COURT_FACTORS: Final[Mapping[str, str]] = {
    "bankruptcy_petition": "bankruptcy",
    "eviction": "eviction_plaintiff",
    "servicemembers_case": "foreclosure_complaint",
}


def covered_types(facts: Iterable[SourceFacts], asof: date, table: ScoreTable) -> frozenset[str]:
    """The case types whose silence says something at ``asof``."""
    rows = by_type(coverage(facts, asof))
    found = set()
    for case_type, factor in COURT_FACTORS.items():
        months = table.by_name[factor].half_life_months if factor in table.by_name else None
        courts = [row for row in rows[case_type] if row.source == COURTLISTENER]
        reaches = asof - timedelta(days=round((months or 0) * DAYS_PER_MONTH))
        if courts and all(c.state == "covered" and c.since and c.since <= reaches for c in courts):
            found.add(case_type)
    return frozenset(found)
