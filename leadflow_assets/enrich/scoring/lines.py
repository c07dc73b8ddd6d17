"""The explanations of many scores: one line per signal, and what caps, clip and rounding take or give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadflow_assets.domain.distress import record as words
from leadflow_assets.domain.distress.table import ScoreTable
from leadflow_assets.enrich.scoring.kernel import REFUSED_AS, Bools, Ints, Summed, Weighed
from leadflow_assets.enrich.scoring.rounding import Doubles, round_as_python

LINE_TYPE: Final = pa.struct(
    [
        ("kind", pa.string()),
        ("points", pa.float64()),
        ("counted", pa.bool_()),
        ("group", pa.string()),
        ("factor", pa.string()),
        ("confidence", pa.float64()),
        ("decay", pa.float64()),
        ("why_not", pa.string()),
        ("event_date", pa.date32()),
        ("source", pa.string()),
        ("source_date", pa.date32()),
        ("reference", pa.string()),
        ("note", pa.string()),
    ]
)
LINES_TYPE: Final = pa.list_(LINE_TYPE)
GROUP_TYPE: Final = pa.struct(
    [
        ("group", pa.string()),
        ("state", pa.string()),
        ("points", pa.float64()),
        ("cap", pa.float64()),
        ("unknown_points", pa.float64()),
    ]
)
GROUPS_TYPE: Final = pa.list_(GROUP_TYPE)
_WHY_NOT: Final = (*REFUSED_AS, words.WEAKER, words.NOT_APPLICABLE)
_KINDS: Final = words.LINE_KINDS


def lines_of(
    weighed: Weighed,
    where: Ints,
    counted: Bools,
    summed: Summed,
    signals: pa.Table,
    table: ScoreTable,
    does_not: Bools,
) -> pa.Array:
    """Lists of LINE_TYPE, one per property, in the order of ``domain.distress.scoring``.

    ``where`` is the property of each weighed signal, ``counted`` whether it counts; ``does_not`` marks the
    properties that the score does not apply to: their lines are shown, and none is counted.
    """
    rows, groups = len(summed.score), len(table.groups)
    group_of = np.repeat(np.arange(groups), [len(group.factors) for group in table.groups])
    points = round_as_python(weighed.value, 2)
    group = group_of[weighed.factor]
    sums = np.bincount((where * groups + group)[counted], points[counted], minlength=rows * groups).reshape(
        rows, groups
    )
    caps = np.array([one.cap for one in table.groups])
    over = np.where(summed.raw > caps, round_as_python(caps - sums, 2), 0.0)
    left = round_as_python(summed.score - (sums + over).sum(axis=1), 2)
    over[does_not], left[does_not] = 0.0, 0.0
    cap_row, cap_group = np.nonzero(over)
    left_row = np.nonzero(left)[0]
    last = 2 * groups
    places = [
        where * (last + 1) + 2 * group,
        cap_row * (last + 1) + 2 * cap_group + 1,
        left_row * (last + 1) + last,
    ]
    order = np.argsort(np.concatenate(places), kind="stable")
    why = _why_not(weighed, counted, does_not[where])
    kind = [
        np.zeros(len(where), int),
        np.full(len(cap_row), 1),
        np.where(summed.clipped[left_row], _KINDS.index(words.CLIP), _KINDS.index(words.ROUNDING)),
    ]
    extra = len(cap_row) + len(left_row)
    numbers = {
        "points": np.concatenate([points, over[cap_row, cap_group], left[left_row]])[order],
        "counted": np.concatenate([counted & ~does_not[where], np.ones(extra, bool)])[order],
    }
    group_place = np.concatenate([group, cap_group, np.full(len(left_row), -1)])[order]
    # Signals' own columns: the place of each line's signal, none for the lines made here.
    at = np.concatenate([weighed.order, np.full(extra, -1)])[order]
    factor_place = np.concatenate([weighed.factor, np.full(extra, -1)])[order]
    fields = [
        _named(np.concatenate(kind)[order], _KINDS),
        pa.array(numbers["points"]),
        pa.array(numbers["counted"]),
        _named(group_place, [one.name for one in table.groups]),
        _named(factor_place, [one.name for one in table.factors]),
        _padded(weighed.confidence, extra, order),
        _padded(round_as_python(weighed.decay, 3), extra, order),
        _named(np.concatenate([why, np.full(extra, -1)])[order], _WHY_NOT),
        *(_taken(signals[name], at) for name in ("event_date", "source", "source_date", "reference")),
        _taken(_note(signals), at),
    ]
    structs = pa.StructArray.from_arrays(fields, fields=list(LINE_TYPE))
    owner = np.concatenate([where, cap_row, left_row])
    offsets = np.concatenate(([0], np.cumsum(np.bincount(owner, minlength=rows))))
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), structs)


def names_where(marks: Bools, names: Sequence[str], without: Bools) -> pa.Array:
    """Lists of the names whose column is marked, one list per row; null for rows ``without``."""
    marked = marks & ~without[:, None]
    found = _named(np.nonzero(marked)[1], names)
    offsets = np.concatenate(([0], np.cumsum(marked.sum(axis=1))))
    mask = pa.array(without) if without.any() else None
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), found, mask=mask)


def groups_of(summed: Summed, table: ScoreTable, without: Bools) -> pa.Array:
    """The state of every group, in the order of the table, one list per row; null for rows ``without``."""
    starts = np.cumsum([0, *(len(group.factors) for group in table.groups[:-1])])
    found = np.add.reduceat(summed.counted.astype(np.int32), starts, axis=1) > 0
    state = np.select([found, summed.unknown, summed.whole], [0, 3, 1], 2)
    kept = ~without
    rows, groups = int(kept.sum()), len(table.groups)
    fields = [
        _named(np.tile(np.arange(groups), rows), [group.name for group in table.groups]),
        _named(state[kept].reshape(-1), words.GROUP_STATES),
        pa.array(round_as_python(summed.points[kept].reshape(-1), 2)),
        pa.array(np.tile([group.cap for group in table.groups], rows)),
        pa.array(round_as_python(summed.rooms[kept].reshape(-1), 2)),
    ]
    structs = pa.StructArray.from_arrays(fields, fields=list(GROUP_TYPE))
    offsets = np.concatenate(([0], np.cumsum(np.where(kept, groups, 0))))
    mask = pa.array(without) if without.any() else None
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), structs, mask=mask)


def _why_not(weighed: Weighed, counted: Bools, does_not: Bools) -> Ints:
    """Places in _WHY_NOT; -1 where the signal counts."""
    uncounted = np.where(weighed.refused > 0, weighed.refused, _WHY_NOT.index(words.WEAKER))
    why = np.where(counted, -1, uncounted)
    return np.where(does_not & counted, _WHY_NOT.index(words.NOT_APPLICABLE), why)


def _named(places: Ints, names: Sequence[str]) -> pa.Array:
    """The names at these places; null at -1."""
    indices = pa.array(places, pa.int32(), mask=places < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(names)).cast(pa.string())


def _padded(values: Doubles, extra: int, order: Ints) -> pa.Array:
    mask = np.concatenate([np.zeros(len(values), bool), np.ones(extra, bool)])
    return pa.array(np.concatenate([values, np.zeros(extra)])[order], mask=mask[order])


def _taken(column: pa.ChunkedArray, places: Ints) -> pa.Array:
    taken = column.take(pa.array(places, mask=places < 0))
    return taken.combine_chunks() if isinstance(taken, pa.ChunkedArray) else taken


def _note(signals: pa.Table) -> pa.ChunkedArray:
    """Why a signal is history, or else its note."""
    return pc.if_else(
        pc.not_equal(pc.fill_null(signals["cleared"], ""), ""),
        signals["cleared"],
        signals["note"],
    )
