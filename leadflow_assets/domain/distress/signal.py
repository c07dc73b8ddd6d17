"""One signal of distress as a source tells it, and whether it counts at a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from leadflow_assets.domain.distress.table import Factor
from leadflow_assets.domain.linkage.posterior import CONFIRMED_FROM, POSSIBLE_FROM

DAYS_PER_MONTH: Final = 30.4375

# Why a signal does not count. A cleared one says so itself.
UNCONFIRMED = "unconfirmed"  # a link under 0.5, or rejected by a person
FUTURE = "future"  # an error of the source: the event lies after the day asked for
NOT_YET_KNOWN = "not_yet_known"  # the source told it later than the day asked for
UNDATED = "undated"  # points that decay, and nothing to decay from
CLEARED = "cleared"
REFUSALS: Final = (CLEARED, FUTURE, NOT_YET_KNOWN, UNDATED, UNCONFIRMED)
# Refusals that are faults of the data, for a count of errors.
FAULTS: Final = (FUTURE, UNDATED)


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal of a factor of the table.

    ``event_date`` is the day of the event, or the day a lasting state was last seen (an owner's text).
    ``probability`` says how sure it is that the signal is this property's: 1 where it is keyed by parcel or
    confirmed by a person, 0 where a person rejected it. ``source_date`` is the first day on which it could be
    known from ``source``; ``reference`` names the record. ``cleared`` says why it is history; ``note`` is
    shown with it.
    """

    factor: str
    event_date: date | None = None
    probability: float = 1.0
    source: str = ""
    source_date: date | None = None
    reference: str = ""
    cleared: str = ""
    note: str = ""


def link_probability(probability: float, decision: Literal["confirmed", "rejected"] | None = None) -> float:
    """The probability that counts: what a person has decided outranks the model's."""
    if decision is not None:
        return 1.0 if decision == "confirmed" else 0.0
    return probability


def confidence(probability: float) -> float:
    """What a probability counts for: all from 0.95 on, nothing under 0.5, itself between (tiers of links)."""
    if probability >= CONFIRMED_FROM:
        return 1.0
    return probability if probability >= POSSIBLE_FROM else 0.0


def decay(factor: Factor, event_date: date | None, asof: date) -> float:
    """What is left of a factor's points at ``asof``: 1 for a new event, or one that does not decay."""
    if factor.half_life_months is None or event_date is None:
        return 1.0
    return decay_after(factor.half_life_months, (asof - event_date).days)


def decay_after(half_life_months: float, days: int) -> float:
    """What is left after so many days; events still to come are new."""
    return float(0.5 ** (max(0, days) / DAYS_PER_MONTH / half_life_months))


def refusal(signal: Signal, factor: Factor, asof: date) -> str | None:
    """Why the signal does not count at ``asof``, one of :data:`REFUSALS`; None if it does."""
    if signal.cleared:
        return CLEARED
    if signal.source_date is not None and signal.source_date > asof:
        return NOT_YET_KNOWN
    if signal.event_date is None:
        return UNDATED if factor.half_life_months is not None else _by_link(signal)
    if signal.event_date > asof and not factor.scheduled:
        return FUTURE
    return _by_link(signal)


def _by_link(signal: Signal) -> str | None:
    return None if confidence(signal.probability) > 0 else UNCONFIRMED
