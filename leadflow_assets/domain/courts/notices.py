"""What must stand beside a court case wherever it is shown: warnings of law, each with its source.

Not legal advice: the words tell a person to stop and ask, they decide nothing (facts/compliance §4, §5).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final

# When the rules below were last looked at.
RULES_OF: Final = date(2026, 10, 1)
_END = f"Rules as of {RULES_OF}; not legal advice."
AUTOMATIC_STAY: Final = (
    "Bankruptcy: the automatic stay (11 U.S.C. 362) forbids acts to collect or to get hold of the property, "
    f"so contact may be unlawful. Ask a lawyer first. {_END}"
)
COUNSEL: Final = "The party is represented by counsel: contact about the case goes through the attorney."
COUNSEL_UNKNOWN: Final = "Whether the debtor has counsel is not known; debtors mostly have."
EVICTION: Final = (
    "Eviction: brought in by hand, expires, and may have been sealed since (G.L. c. 239 s. 16). Look it up "
    f"again before any use; not for decisions on tenants, credit or work. {_END}"
)
FORECLOSURE: Final = (
    "Foreclosure: Massachusetts forbids for-profit foreclosure rescue and advance fees (rules of the "
    f"Attorney General; G.L. c. 93A). {_END}"
)
_BANKRUPTCIES = frozenset({"bankruptcy_petition", "adversary_proceeding"})
_FORECLOSURES = frozenset({"foreclosure_suit", "servicemembers_case", "order_of_notice", "foreclosure_deed"})
# Types whose records are sealed later: nothing of one case may outlive its row.
SEALED_LATER: Final = frozenset({"eviction"})


def notices(case_types: Iterable[str]) -> tuple[str, ...]:
    """The warnings for some types of cases, each once."""
    types = set(case_types)
    told = ((_BANKRUPTCIES, AUTOMATIC_STAY), (SEALED_LATER, EVICTION), (_FORECLOSURES, FORECLOSURE))
    return tuple(text for kinds, text in told if not types.isdisjoint(kinds))


def case_notices(case_type: str, represented_by_counsel: bool | None) -> tuple[str, ...]:
    """The warnings for one case. ``represented_by_counsel`` is its party's; None: not told."""
    told = notices([case_type])
    if case_type not in _BANKRUPTCIES or represented_by_counsel is False:
        return told
    return (*told, COUNSEL if represented_by_counsel else COUNSEL_UNKNOWN)
