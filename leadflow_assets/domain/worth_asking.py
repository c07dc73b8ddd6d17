"""Which properties are worth a paid question first, judged by what the assessor's roll says for nothing.

An order, not a score: it only decides where money goes first. Long tenure is left out on purpose: in the
towns examined it told nothing about who sells.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Final

# Signal -> its weight and what it means, strongest first.
SIGNALS: Final[dict[str, tuple[int, str]]] = {
    "tax_title": (4, "the town holds a tax title"),
    "estate": (4, "owned by an estate"),
    "absentee_out_of_state": (2, "owner lives out of state"),
    "absentee_in_state": (1, "owner lives elsewhere in the state"),
}
# Owners with whom there is no conversation about selling a home in distress.
NOT_ASKED_OWNER_TYPES: Final = ("government", "nonprofit", "bank", "condominium_association")


def free_signals(owner_type: str, tax_title: bool, occupancy: str) -> tuple[str, ...]:
    """The signals of :data:`SIGNALS` that a property of the roll shows, strongest first."""
    shown = {
        "tax_title": tax_title,
        "estate": owner_type == "estate",
        "absentee_out_of_state": occupancy == "absentee_out_of_state",
        "absentee_in_state": occupancy == "absentee_in_state",
    }
    return tuple(name for name in SIGNALS if shown[name])


def weight(signals: tuple[str, ...]) -> int:
    """What they weigh together; more is asked about earlier."""
    return sum(SIGNALS[name][0] for name in signals)


# Endpoint of ATTOM -> the group of the score whose unknown part its answer settles, as scoring counts it.
SETTLES: Final[dict[str, str]] = {
    "preforeclosuredetails": "foreclosure",
    "detailmortgageowner": "leverage",
    "homeequity": "leverage",
}


def settled_groups(endpoints: Iterable[str]) -> frozenset[str]:
    """The groups of the score that these endpoints can tell of."""
    return frozenset(SETTLES[name] for name in endpoints if name in SETTLES)


def room(unknown_points: Mapping[str, float], groups: Collection[str]) -> float:
    """By how many points answers about these groups could move the score at most.

    ``unknown_points`` is what each group may still add. That most answers add nothing is true of every
    property alike: nobody has measured how often which does, so no chance is made up here.
    """
    return sum(points for group, points in unknown_points.items() if group in groups)


def points_per_cent(points: float, cents: Decimal) -> float:
    """What a cent may buy; where answers cost nothing, the points themselves."""
    return points / float(cents) if cents > 0 else points
