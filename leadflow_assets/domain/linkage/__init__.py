"""Rules that link the parties of court cases to owners of properties: names, weights, probabilities.

Pure and one pair at a time; ``enrich.linkage`` applies them to a whole state in SQL made from the same
constants. A name alone is never a fact: everybody who could be the party competes.
"""

from __future__ import annotations

from leadflow_assets.domain.linkage.captions import CaseName, CaseParty, read_case_party
from leadflow_assets.domain.linkage.debtor_address import DebtorPlace, read_debtor_place
from leadflow_assets.domain.linkage.posterior import TIERS, Tier, tier

__all__ = [
    "TIERS",
    "CaseName",
    "CaseParty",
    "DebtorPlace",
    "Tier",
    "read_case_party",
    "read_debtor_place",
    "tier",
]
