"""Points, coverage and intervals of many properties: the arithmetic of ``domain.distress.scoring`` on arrays.

Sums run in the order of the table, and decay comes from the domain's own function by whole days: the numbers
are the scalar ones to the last bit. A test compares the two on thousands of random sets.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from leadflow_assets.domain.distress.signal import (
    CLEARED,
    FUTURE,
    NOT_YET_KNOWN,
    UNCONFIRMED,
    UNDATED,
    decay_after,
)
from leadflow_assets.domain.distress.table import HIGHEST, Group, ScoreTable
from leadflow_assets.domain.linkage.posterior import CONFIRMED_FROM, POSSIBLE_FROM
from leadflow_assets.enrich.scoring.rounding import Doubles, round_as_python

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
# In the order in which the scalar implementation finds them; 0 is none.
REFUSED_AS: Final = ("", CLEARED, NOT_YET_KNOWN, UNDATED, FUTURE, UNCONFIRMED)
_EPOCH: Final = date(1970, 1, 1)
# Longer than any record lasts; later days are computed one by one.
_TABLED_DAYS: Final = 40_000


@dataclass(frozen=True)
class Weighed:
    """Signals, sorted by property, factor, and the strongest first; ``order`` leads back to the input.

    ``refused`` indexes :data:`REFUSED_AS`; ``best`` marks the one that stands for its factor.
    """

    order: Ints
    row: Ints
    factor: Ints
    confidence: Doubles
    decay: Doubles
    value: Doubles
    if_linked: Doubles
    refused: Ints
    best: Bools


@dataclass(frozen=True)
class Summed:
    """One row per property: totals rounded as stored; per group (columns) points before the cap."""

    score: Doubles
    coverage: Doubles
    high: Doubles
    score_if_links_hold: Doubles
    high_if_links_hold: Doubles
    raw: Doubles
    clipped: Bools
    # Per group: points after the cap, and what its unknown factors may still add to them.
    points: Doubles
    rooms: Doubles
    # Per factor: does it count, is there a signal that could?
    counted: Bools
    present: Bools
    # Per group: is nothing of it known, is all of it?
    unknown: Bools
    whole: Bools


def weigh(signals: pa.Table, table: ScoreTable, asof: date) -> Weighed:
    """Weigh the signals of a table of SIGNALS_SCHEMA and sort them as the lines of an explanation."""
    row, factor = _ints(signals["row"]), _ints(signals["factor"])
    today = (asof - _EPOCH).days
    probability = signals["probability"].to_numpy()
    event, no_event = _days(signals["event_date"])
    told, no_source_date = _days(signals["source_date"])
    scheduled = np.array([f.scheduled for f in table.factors])[factor]
    decays = np.array([f.half_life_months is not None for f in table.factors])[factor]
    sure = np.where(
        probability >= CONFIRMED_FROM, 1.0, np.where(probability >= POSSIBLE_FROM, probability, 0.0)
    )
    cleared = pc.not_equal(pc.fill_null(signals["cleared"], ""), "").to_numpy()
    refused = np.select(
        [
            cleared,
            ~no_source_date & (told > today),
            no_event & decays,
            ~no_event & (event > today) & ~scheduled,
            sure == 0,
        ],
        [1, 2, 3, 4, 5],
        0,
    )
    left = _decays(table, factor, np.where(no_event, 0, today - event), decays & ~no_event)
    points = np.array([f.points for f in table.factors])[factor]
    value = np.where(refused > 0, 0.0, points * sure * left)
    if_linked = np.where(refused > 0, 0.0, points * left)
    key = row * len(table.factors) + factor
    order = _sorted(signals, key, refused > 0, value, np.where(no_event, -(2**40), event))
    first = np.ones(len(order), bool)
    first[1:] = key[order][1:] != key[order][:-1]
    return Weighed(
        order,
        row[order],
        factor[order],
        sure[order],
        left[order],
        value[order],
        if_linked[order],
        refused[order],
        first & (refused[order] == 0),
    )


def sum_up(weighed: Weighed, first_row: int, known: Ints, table: ScoreTable) -> Summed:
    """Combine the signals of the properties ``first_row`` and following, one per entry of ``known``.

    ``weighed`` holds the signals of these rows only. ``known`` has a bit per factor, in the table's order,
    set where its source was asked and is fresh.
    """
    shape = (len(known), len(table.factors))
    value, linked, present = np.zeros(shape), np.zeros(shape), np.zeros(shape, bool)
    at = (weighed.row - first_row, weighed.factor)
    best = weighed.best
    value[at[0][best], at[1][best]] = weighed.value[best]
    present[at[0][best], at[1][best]] = True
    if len(weighed.row):
        key = at[0] * shape[1] + at[1]
        starts = np.nonzero(np.concatenate(([True], key[1:] != key[:-1])))[0]
        linked.reshape(-1)[key[starts]] = np.maximum.reduceat(weighed.if_linked, starts)
    asked = (known[:, None] >> np.arange(shape[1])) & 1 == 1
    counted = np.zeros(shape, bool)
    raw = np.zeros((shape[0], len(table.groups)))
    unknown, whole = np.zeros(raw.shape, bool), np.zeros(raw.shape, bool)
    points: list[Doubles] = []
    rooms: list[Doubles] = []
    linked_points: list[Doubles] = []
    linked_rooms: list[Doubles] = []
    known_caps = np.zeros(shape[0])
    start = 0
    for place, group in enumerate(table.groups):
        columns = slice(start, start + len(group.factors))
        start += len(group.factors)
        here = present[:, columns]
        code, known_code = _codes(group, asked[:, columns], here)
        most, share = _most(group)
        raw[:, place], counted[:, columns] = _combine(group, value[:, columns], here)
        over, _ = _combine(group, linked[:, columns], here)
        for total, capped, room in ((raw[:, place], points, rooms), (over, linked_points, linked_rooms)):
            capped.append(np.minimum(group.cap, total))
            room.append(np.minimum(group.cap - capped[-1], most[code]))
        known_caps += group.cap * share[known_code]
        unknown[:, place], whole[:, place] = known_code == 0, code == 0
    total, total_linked = _in_order(points), _in_order(linked_points)
    return Summed(
        round_as_python(np.minimum(HIGHEST, total), 1),
        round_as_python(known_caps / table.caps, 2),
        round_as_python(np.minimum(HIGHEST, total + _in_order(rooms)), 1),
        round_as_python(np.minimum(HIGHEST, total_linked), 1),
        round_as_python(np.minimum(HIGHEST, total_linked + _in_order(linked_rooms)), 1),
        raw,
        total > HIGHEST,
        np.stack(points, axis=1),
        np.stack(rooms, axis=1),
        counted,
        present,
        unknown,
        whole,
    )


def _combine(group: Group, values: Doubles, present: Bools) -> tuple[Doubles, Bools]:
    """The points of a group before the cap, and which factors count."""
    counted = present.copy()
    kinds = (
        [tuple(range(len(group.factors)))]
        if group.combine == "max"
        else [
            tuple(i for i, factor in enumerate(group.factors) if factor.exclusive == kind)
            for kind in dict.fromkeys(factor.exclusive for factor in group.factors if factor.exclusive)
        ]
    )
    for kind in kinds:
        columns = list(kind)
        strongest = np.where(present[:, columns], values[:, columns], -1.0).argmax(axis=1)
        counted[:, columns] &= np.arange(len(columns)) == strongest[:, None]
    return _in_order([np.where(counted[:, i], values[:, i], 0.0) for i in range(len(group.factors))]), counted


def _codes(group: Group, asked: Bools, present: Bools) -> tuple[Ints, Ints]:
    """The unknown and the known factors of a group, a bit for each."""
    width = len(group.factors)
    everything = (1 << width) - 1
    if group.combine == "max":
        whole = asked.all(axis=1) | present.any(axis=1)
        known = np.where(whole, everything, 0)
    else:
        told = asked | present
        for kind in {factor.exclusive for factor in group.factors if factor.exclusive}:
            columns = [i for i, factor in enumerate(group.factors) if factor.exclusive == kind]
            told[:, columns] |= present[:, columns].any(axis=1, keepdims=True)
        known = told @ (1 << np.arange(width))
    return everything - known, known


@lru_cache(maxsize=64)
def _most(group: Group) -> tuple[Doubles, Doubles]:
    """By the bits of some factors: the most they can give, and that as a share of the most of all."""
    subsets = [
        frozenset(factor.name for i, factor in enumerate(group.factors) if code >> i & 1)
        for code in range(1 << len(group.factors))
    ]
    most = np.array([group.most(names) for names in subsets])
    return most, most / group.most_of_all


def _in_order(columns: list[Doubles]) -> Doubles:
    """The sum, added from the first to the last: floating point remembers the order."""
    total = np.zeros_like(columns[0])
    for column in columns:
        total = total + column
    return total


def _decays(table: ScoreTable, factor: Ints, days: Ints, decays: Bools) -> Doubles:
    left = np.ones(len(factor))
    for half_life in {f.half_life_months for f in table.factors if f.half_life_months is not None}:
        with_it = np.array([f.half_life_months == half_life for f in table.factors])
        chosen = decays & with_it[factor]
        wanted = np.maximum(days[chosen], 0)
        found = _decay_by_day(half_life)[np.minimum(wanted, _TABLED_DAYS - 1)]
        for place in np.nonzero(wanted >= _TABLED_DAYS)[0]:
            found[place] = decay_after(half_life, int(wanted[place]))
        left[chosen] = found
    return left


@lru_cache(maxsize=32)
def _decay_by_day(half_life_months: float) -> Doubles:
    return np.array([decay_after(half_life_months, day) for day in range(_TABLED_DAYS)])


def _sorted(signals: pa.Table, key: Ints, refused: Bools, value: Doubles, event: Ints) -> Ints:
    """By property and factor, what counts before what does not, the stronger, then the later first.

    Ties by source and reference, so that the order of the input never shows.
    """
    order = np.lexsort((-event, -value, refused, key))
    if len(order) < 2:
        return order
    same = np.ones(len(order) - 1, bool)
    for column in (key, refused, value, event):
        same &= column[order][1:] == column[order][:-1]
    if not same.any():
        return order
    run = np.cumsum(np.concatenate(([True], ~same)))
    tied = np.nonzero(np.concatenate((same, [False])) | np.concatenate(([False], same)))[0]
    texts = [pc.fill_null(signals[name].take(pa.array(order[tied])), "") for name in ("source", "reference")]
    ties = pa.table({"run": run[tied], "source": texts[0], "reference": texts[1]})
    by = pc.sort_indices(ties, [(name, "ascending") for name in ties.column_names]).to_numpy()
    order[tied] = order[tied][by]
    return order


def _ints(column: pa.ChunkedArray) -> Ints:
    return np.asarray(column.to_numpy(), np.int64)


def _days(column: pa.ChunkedArray) -> tuple[Ints, Bools]:
    """Days since 1970 (0 where there is none), and where there is none."""
    missing = pc.is_null(column).to_numpy()
    days = pc.fill_null(column.cast(pa.int32()), 0).to_numpy().astype(np.int64)
    return days, missing
