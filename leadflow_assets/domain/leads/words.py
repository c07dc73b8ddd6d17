"""Why somebody is a lead, and what must be minded when talking to them, in words.

Sources of the notices: 940 CMR 25.00 (foreclosure-rescue transactions), 11 USC 362 (automatic stay). They are
no legal advice.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final

from leadflow_assets.domain.courts.imported import source_in_words
from leadflow_assets.domain.distress.table import ScoreTable

_CERTAIN: Final = 0.995
# Notice -> what it says.
NOTICES: Final = {
    "in_foreclosure": "In foreclosure: review each letter; no rescue offer, no advance fee (940 CMR 25.00).",
    "in_bankruptcy": "In bankruptcy: the automatic stay (11 USC 362) may forbid contact; ask counsel.",
}
_BY_GROUP: Final = {"foreclosure": "in_foreclosure"}
_BY_FACTOR: Final = {"bankruptcy": "in_bankruptcy"}


def reason_line(
    words: str, points: float, event_date: date | None, source: str | None, confidence: float | None
) -> str:
    """One reason: what it is, since when, by whom, how likely it is theirs, and its points."""
    told = [words]
    if event_date is not None:
        told[0] += f", {event_date.isoformat()}"
    if source:
        told.append(f"({source_in_words(source)})")
    unsure = "" if confidence is None or confidence >= _CERTAIN else f", link {confidence:.0%} likely"
    return f"{' '.join(told)}{unsure}: {points:.1f} points"


def notices_of(factors: Iterable[str], table: ScoreTable) -> tuple[str, ...]:
    """The notices of :data:`NOTICES` that the counted factors call for."""
    groups = {factor.name: factor.group for factor in table.factors}
    called = {
        notice
        for name in factors
        for notice in (_BY_FACTOR.get(name), _BY_GROUP.get(groups.get(name, "")))
        if notice
    }
    return tuple(name for name in NOTICES if name in called)
