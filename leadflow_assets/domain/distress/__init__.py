"""The distress score: grouped, capped, aged points with coverage, an interval and reasons that add up.

Expert priors, not calibrated: it orders properties, it is no probability. Never offer it for credit,
tenant or job screening. ATTOM's propensity to default stands beside it (mart/properties) and never enters it:
it is made from the same signals.
"""

from __future__ import annotations

from leadflow_assets.domain.distress.record import UNCALIBRATED, GroupState, Line, ScoreRecord
from leadflow_assets.domain.distress.scoring import score
from leadflow_assets.domain.distress.signal import Signal, confidence, link_probability
from leadflow_assets.domain.distress.table import (
    CURRENT,
    ScoreTable,
    ScoreTableError,
    load_table,
    parse_table,
    versions,
)

__all__ = [
    "CURRENT",
    "UNCALIBRATED",
    "GroupState",
    "Line",
    "ScoreRecord",
    "ScoreTable",
    "ScoreTableError",
    "Signal",
    "confidence",
    "link_probability",
    "load_table",
    "parse_table",
    "score",
    "versions",
]
