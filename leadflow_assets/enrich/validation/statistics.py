"""Figures of an ordering against what happened, each with a bootstrap interval.

Scores have a tenth of a point, so a set of properties is a small table: how many with each score, and how
many of these had the event. A bootstrap resample of properties is a multinomial draw of that table's cells,
exactly, and costs the same for a thousand properties as for millions. Properties of one score are in no
order: where the first hundredth ends among them, they count in part.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from leadflow_assets.enrich.scoring.rounding import Doubles

Ints = NDArray[np.int64]
RESAMPLES: Final = 400
SEED: Final = 20261122
TOPS: Final = (0.01, 0.10)
MOST_BINS: Final = 10
# With fewer of either kind a figure would say nothing.
FEWEST: Final = 10
_LOW, _HIGH = 2.5, 97.5
_NORMAL = 1.959963984540054


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Bin:
    """Properties of neighbouring scores: how many, and the share with the event (Wilson interval, 95 %)."""

    lowest: float
    highest: float
    properties: int
    events: int
    rate: Estimate


@dataclass(frozen=True)
class Figures:
    """How an ordering did. ``lift`` and ``precision`` are keyed by the share of the top: 0.01, 0.1.

    All figures are None where there are fewer than ten properties with, or without, the event.
    """

    properties: int
    events: int
    base_rate: float
    auc: Estimate | None
    precision: dict[float, Estimate] | None
    lift: dict[float, Estimate] | None


@dataclass(frozen=True)
class Counts:
    """Per distinct score, falling: properties and events."""

    scores: Doubles
    properties: Ints
    events: Ints


def count(scores: Doubles, events: NDArray[np.bool_]) -> Counts:
    """The table of a set of properties."""
    values, place = np.unique(-scores, return_inverse=True)
    properties = np.bincount(place, minlength=len(values))
    return Counts(-values, properties, np.bincount(place[events], minlength=len(values)))


def figures(scores: Doubles, events: NDArray[np.bool_], resamples: int = RESAMPLES) -> Figures:
    """All figures of a set; the same set always gives the same intervals."""
    n, positives = len(scores), int(events.sum())
    base = positives / n if n else 0.0
    if positives < FEWEST or n - positives < FEWEST:
        return Figures(n, positives, base, None, None, None)
    table = count(scores, events)
    drawn_events, drawn_others = _resampled(table, resamples)
    every_events = np.vstack([table.events, drawn_events])
    every_others = np.vstack([table.properties - table.events, drawn_others])
    precision = {top: top_precision(every_events, every_others, top) for top in TOPS}
    rates = every_events.sum(axis=1) / n
    return Figures(
        n,
        positives,
        base,
        _estimate(auc(every_events, every_others)),
        {top: _estimate(found) for top, found in precision.items()},
        {top: _estimate(found / rates) for top, found in precision.items()},
    )


def auc(events: Ints, others: Ints) -> Doubles:
    """The chance that a property with the event stands before one without, ties half; one per row.

    Columns are scores, falling.
    """
    before = np.cumsum(events, axis=1) - events
    wins: Doubles = (others * (before + 0.5 * events)).sum(axis=1)
    pairs = events.sum(axis=1).astype(float) * others.sum(axis=1)
    found = np.full(len(pairs), np.nan)
    np.divide(wins, pairs, out=found, where=pairs > 0)
    return found


def top_precision(events: Ints, others: Ints, share: float) -> Doubles:
    """The share with the event among the first ``share`` of each row."""
    properties = events + others
    total = properties.sum(axis=1, keepdims=True)
    wanted = share * total
    before = np.cumsum(properties, axis=1) - properties
    part = np.clip((wanted - before) / np.maximum(properties, 1), 0.0, 1.0)
    found: Doubles = (events * part).sum(axis=1) / wanted[:, 0]
    return found


def bins(scores: Doubles, events: NDArray[np.bool_], most: int = MOST_BINS) -> tuple[Bin, ...]:
    """From the lowest scores on bins of at least a tenth of the properties; equal scores stay together.

    Where many have one score there are fewer than ten.
    """
    table = count(scores, events)
    size = len(scores) / most
    edges: list[int] = []  # the place behind each bin, from the end of the falling scores
    held = 0
    for place in range(len(table.scores) - 1, -1, -1):
        held += int(table.properties[place])
        if held >= size:
            edges.append(place)
            held = 0
    if held and edges:
        edges[-1] = 0  # too few are left for a bin of their own
    made = []
    start = len(table.scores)
    for edge in edges:
        n = int(table.properties[edge:start].sum())
        happened = int(table.events[edge:start].sum())
        low, high = float(table.scores[start - 1]), float(table.scores[edge])
        made.append(Bin(low, high, n, happened, wilson(happened, n)))
        start = edge
    return tuple(made)


def wilson(events: int, properties: int) -> Estimate:
    """A share with its 95 % Wilson interval."""
    if not properties:
        return Estimate(math.nan, 0.0, 1.0)
    share, z2 = events / properties, _NORMAL**2
    middle = (share + z2 / (2 * properties)) / (1 + z2 / properties)
    spread = share * (1 - share) / properties + z2 / (4 * properties**2)
    half = _NORMAL * math.sqrt(spread) / (1 + z2 / properties)
    low, high = middle - half if events else 0.0, middle + half if events < properties else 1.0
    return Estimate(share, max(0.0, low), min(1.0, high))


def rate_ratio(events: tuple[int, int], properties: tuple[int, int]) -> Estimate | None:
    """How many times more often the event came in the first group; None where either had fewer than five.

    The interval is the usual one of the logarithm (Katz).
    """
    if min(events) < FEWEST // 2 or not min(properties):
        return None
    value = (events[0] / properties[0]) / (events[1] / properties[1])
    error = math.sqrt(sum(1 / e - 1 / n for e, n in zip(events, properties, strict=True)))
    return Estimate(value, value * math.exp(-_NORMAL * error), value * math.exp(_NORMAL * error))


def non_decreasing(rates: tuple[Bin, ...]) -> bool:
    """Does no bin lie below an earlier one by more than their errors allow?"""
    highest = -math.inf
    for one in rates:
        if one.rate.high < highest:
            return False
        highest = max(highest, one.rate.low)
    return True


def _resampled(table: Counts, resamples: int) -> tuple[Ints, Ints]:
    cells = np.concatenate([table.events, table.properties - table.events])
    total = int(cells.sum())
    drawn = np.random.default_rng(SEED).multinomial(total, cells / total, size=resamples)
    width = len(table.scores)
    return drawn[:, :width], drawn[:, width:]


def _estimate(values: Doubles) -> Estimate:
    """The first value with the spread of the others."""
    drawn = values[1:][~np.isnan(values[1:])]
    low, high = np.percentile(drawn, [_LOW, _HIGH])
    return Estimate(float(values[0]), float(low), float(high))
