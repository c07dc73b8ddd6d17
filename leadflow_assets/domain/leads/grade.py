"""The grade of a lead: from the score of its best property, and from the coverage where the score is low.

A score is the low end of an interval: what was not asked can only add to it. So a high score needs no minimum
of coverage (it cannot even be reached without: each group that gives points counts as asked), while a low one
means little before enough was asked.
"""

from __future__ import annotations

from typing import Final

GRADES: Final = ("A", "B", "C", "D", "U")
# Grade and the least score (0 to 100) that earns it, highest first. Expert priors, as the points themselves:
# 40 is the cap of the foreclosure group, 20 one strong event of some age, 8 more than an address alone gives.
_LEAST: Final = (("A", 40.0), ("B", 20.0), ("C", 8.0))
# Below 8 points: at least this part of the points must have been asked about to call it low.
LEAST_COVERAGE: Final = 0.5
RULE: Final = (
    "A: score 40 or more. B: 20 or more. C: 8 or more. D: below 8, and at least half of the points were "
    "asked about. U: below 8, and less was asked about: unknown, not low. Uncalibrated: for ordering only."
)


def grade(score: float, coverage: float) -> str:
    """The grade, one of :data:`GRADES`, of a score (0 to 100) with its coverage (0 to 1)."""
    for letter, least in _LEAST:
        if score >= least:
            return letter
    return "D" if coverage >= LEAST_COVERAGE else "U"
