"""The parameters of the rules, and what a town's values did as a whole."""

from __future__ import annotations

import hashlib
import math
from dataclasses import astuple, dataclass
from functools import cached_property


@dataclass(frozen=True)
class ChangeRules:
    """Thresholds. Shares are of one (0.1 is ten percent), money in dollars, areas in square feet.

    A value has moved when it differs from its class's median move by more than ``value_floor`` and by more
    than ``value_spreads`` robust standard deviations of the town's moves (1.4826 times the median absolute
    deviation), and by ``value_dollars`` from what the median move would have made of it. So in a year in
    which the town's values stand still any single move counts, in a revaluation only an unusual one.
    """

    value_floor: float = 0.005
    value_spreads: float = 5.0
    value_dollars: int = 1000
    # A median of fewer records says little of a class; the whole town's is taken then.
    class_records: int = 30
    # A last sale this many years before the earlier release's fiscal year is history, not news.
    late_sale_years: int = 3
    building_dollars: int = 10_000
    new_building_years: int = 3
    growth_share: float = 0.1
    growth_sqft: int = 100
    # More records of a town than this with another area, year or owner's format: the town's format changed.
    widespread: float = 0.25
    # Of the records with one use code, the share (and the fewest) that moved together to be a recoding.
    recoding_share: float = 0.8
    recoding_records: int = 20
    # A piece belongs to a parcel that holds this share of it.
    part_share: float = 0.75
    # Scores are not told of for a smaller step.
    score_step: float = 1.0

    @cached_property
    def version(self) -> str:
        """Eight hex digits that change with any threshold."""
        return hashlib.sha256(repr(astuple(self)).encode()).hexdigest()[:8]


@dataclass(frozen=True)
class TownMoves:
    """What a town's values did between two releases.

    ``median`` and ``spread`` are of ln(after / before) of the property's class, or of the whole town;
    ``spread`` is 1.4826 times the median absolute deviation. ``areas_shifted``: so many buildings have
    another area that the town measures otherwise now. ``recodings`` are (old, new) use codes by which the
    town only writes otherwise.
    """

    median: float = 0.0
    spread: float = 0.0
    areas_shifted: bool = False
    years_shifted: bool = False
    mailings_withdrawn: bool = False
    recodings: frozenset[tuple[str, str]] = frozenset()


def unusual_move(before: int | None, after: int | None, town: TownMoves, rules: ChangeRules) -> bool:
    """Did an assessed value move other than its town's? From or to nothing: any move of ``value_dollars``."""
    if before is None or after is None:
        return False
    if before <= 0 or after <= 0:
        return abs(after - before) >= rules.value_dollars
    off = math.log(after / before) - town.median
    expected = before * math.exp(town.median)
    threshold = max(math.log1p(rules.value_floor), rules.value_spreads * town.spread)
    return abs(off) > threshold and abs(after - expected) >= rules.value_dollars
