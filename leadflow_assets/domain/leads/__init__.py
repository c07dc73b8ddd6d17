"""Leads: one per owner and mailing address, how they are graded, and what stands beside the grade.

Pure rules; a grade orders conversations and is no probability. Never for credit, tenant or job screening.
"""

from __future__ import annotations

from leadflow_assets.domain.leads.grade import GRADES, RULE, grade
from leadflow_assets.domain.leads.identity import lead_id
from leadflow_assets.domain.leads.opportunity import (
    EQUITY_BANDS,
    OPPORTUNITIES,
    REACH_WORDS,
    REACHES,
    equity_band,
    opportunity,
    reach,
)
from leadflow_assets.domain.leads.status import FIRST, STATUSES
from leadflow_assets.domain.leads.words import NOTICES, notices_of, reason_line

__all__ = [
    "EQUITY_BANDS",
    "FIRST",
    "GRADES",
    "NOTICES",
    "OPPORTUNITIES",
    "REACHES",
    "REACH_WORDS",
    "RULE",
    "STATUSES",
    "equity_band",
    "grade",
    "lead_id",
    "notices_of",
    "opportunity",
    "reach",
    "reason_line",
]
