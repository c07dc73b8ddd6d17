"""From weights to probabilities: everybody who could be the party competes, seen or not.

Source: the project's sheet on linkage, section 5.3 to 5.5.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from math import exp2
from typing import Literal

from leadflow_assets.domain.linkage.weights import EQUAL_AMONG_MATCHES, STATE_ADULTS
from leadflow_assets.domain.towns import all_towns

# Order of magnitude of the firms, trusts and associations that may own property in Massachusetts.
STATE_ORGANISATIONS = 1_000_000
CONFIRMED_FROM = 0.95
POSSIBLE_FROM = 0.5

Tier = Literal["confirmed", "possible", "unconfirmed", "rejected"]
TIERS: tuple[Tier, ...] = ("confirmed", "possible", "unconfirmed", "rejected")

# Of a random person's expected weight (1), the part that lies on equal surname and equal given name. Owners
# with these are compared one by one, so that this part of them must not count among the unseen as well.
COUNTED_BY_NAME = EQUAL_AMONG_MATCHES**2


def unseen(population: int, owners: int) -> float:
    """How many of the population compete without having been compared, each with weight 1 on average.

    The sheet takes the whole population N. That counts the namesakes who own twice: in N, and one by one
    among the candidates. ``owners`` are the distinct persons compared.
    """
    return population - COUNTED_BY_NAME * min(owners, population)


def posterior(bits: float, all_bits: list[float], unseen_persons: float) -> float:
    """Probability that the party is the candidate with ``bits``, one of ``all_bits`` that compete for it."""
    return exp2(bits) / (unseen_persons + sum(exp2(other) for other in sorted(all_bits)))


def expected_namesakes(surname_share: float, given_share: float, population: int = STATE_ADULTS) -> float:
    """How many persons of a population bear a full name by chance."""
    return population * surname_share * given_share


def tier(probability: float, decision: Literal["confirmed", "rejected"] | None = None) -> Tier:
    """The tier of a match; what a person has decided outranks the probability."""
    if decision is not None:
        return decision
    if probability >= CONFIRMED_FROM:
        return "confirmed"
    return "possible" if probability >= POSSIBLE_FROM else "unconfirmed"


@cache
def adults_of_towns() -> Mapping[int, int]:
    """Adults by town id: the state's adults spread as its population of 2010 was."""
    towns = [*all_towns()]
    everybody = sum(town.population_2010 for town in towns)
    return {town.town_id: round(STATE_ADULTS * town.population_2010 / everybody) for town in towns}
