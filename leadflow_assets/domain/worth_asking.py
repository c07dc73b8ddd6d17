"""Which properties are worth a paid question first, judged by what the assessor's roll says for nothing.

An order, not a score: it only decides where money goes first. Long tenure is left out on purpose: in the
towns examined it told nothing about who sells.
"""

from __future__ import annotations

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
