"""The distress scores of many properties, with their explanations, as one Arrow table.

The scalar ``domain.distress.scoring`` is the reference; a test compares every number and every line.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadflow_assets.domain.distress import record as words
from leadflow_assets.domain.distress.signal import FAULTS
from leadflow_assets.domain.distress.table import ScoreTable, load_table
from leadflow_assets.enrich.scoring.kernel import REFUSED_AS, Bools, Ints, Summed, Weighed, sum_up, weigh
from leadflow_assets.enrich.scoring.lines import GROUPS_TYPE, LINES_TYPE, groups_of, lines_of, names_where
from leadflow_assets.errors import UsageError

# One row per property; signals name it by its place here.
SUBJECTS_SCHEMA: Final = pa.schema(
    [
        pa.field("property_id", pa.string(), nullable=False),
        # A bit per factor in the table's order: its source was asked and is fresh.
        pa.field("known", pa.int64(), nullable=False),
        # Why the score does not apply; null where it does.
        pa.field("not_applicable", pa.string()),
    ]
)
SIGNALS_SCHEMA: Final = pa.schema(
    [
        pa.field("row", pa.int64(), nullable=False),
        # Place of the factor in the table.
        pa.field("factor", pa.int64(), nullable=False),
        pa.field("event_date", pa.date32()),
        pa.field("probability", pa.float64(), nullable=False),
        pa.field("source", pa.string()),
        pa.field("source_date", pa.date32()),
        pa.field("reference", pa.string()),
        # Why it is history; null or empty where it is not.
        pa.field("cleared", pa.string()),
        pa.field("note", pa.string()),
    ]
)
SCORES_SCHEMA: Final = pa.schema(
    [
        pa.field("property_id", pa.string(), nullable=False),
        pa.field("asof", pa.date32(), nullable=False),
        pa.field("table_version", pa.string(), nullable=False),
        pa.field("table_hash", pa.string(), nullable=False),
        pa.field("status", pa.string(), nullable=False),
        pa.field("reason", pa.string()),
        pa.field("score", pa.float64()),
        pa.field("coverage", pa.float64()),
        pa.field("high", pa.float64()),
        pa.field("score_if_links_hold", pa.float64()),
        pa.field("high_if_links_hold", pa.float64()),
        # Factors that count, groups with such a factor, and groups of which nothing is known.
        pa.field("factors", pa.list_(pa.string())),
        pa.field("groups_present", pa.int32()),
        pa.field("groups_unknown", pa.list_(pa.string())),
        # What is known of each group, in the order of the table; null where the score does not apply.
        pa.field("groups", GROUPS_TYPE),
        pa.field("lines", LINES_TYPE, nullable=False),
        pa.field("faults", pa.int32(), nullable=False),
    ]
)
# Properties that are summed up together: bounds the memory.
_AT_ONCE: Final = 100_000


def known_bits(names: frozenset[str], table: ScoreTable) -> int:
    """The bits of ``known`` for names of factors (``domain.distress.scoring.known_factors``)."""
    return sum(1 << place for place, factor in enumerate(table.factors) if factor.name in names)


def score_set(subjects: pa.Table, signals: pa.Table, asof: date, table: ScoreTable | None = None) -> pa.Table:
    """Score the properties of ``subjects`` (SUBJECTS_SCHEMA) at ``asof`` by ``signals`` (SIGNALS_SCHEMA).

    One row per subject, in its order, as SCORES_SCHEMA; neither the order of signals nor what is scored
    together shows in the result.

    Raises:
        UsageError: a signal names no row or factor, or its probability is none.
    """
    table = table or load_table()
    _check(signals, len(subjects), len(table.factors))
    weighed = weigh(signals, table, asof)
    parts = [
        _part(subjects.slice(first, _AT_ONCE), first, mine, signals, asof, table)
        for first, mine in _slices(weighed, len(subjects))
    ]
    return pa.concat_tables(parts) if parts else SCORES_SCHEMA.empty_table()


def _check(signals: pa.Table, rows: int, factors: int) -> None:
    if not len(signals):
        return
    for name, limit in (("row", rows), ("factor", factors)):
        ends = pc.min_max(signals[name]).as_py()
        if ends["min"] < 0 or ends["max"] >= limit:
            raise UsageError(
                f"A signal names {name} {ends['max'] if ends['min'] >= 0 else ends['min']} of {limit}.",
                "Rows and factors count from 0.",
            )
    probability = signals["probability"].to_numpy()
    if not ((probability >= 0) & (probability <= 1)).all():
        raise UsageError("A signal's probability is no number from 0 to 1.", "Give 0 to 1.")


def _slices(weighed: Weighed, rows: int) -> Iterator[tuple[int, Weighed]]:
    """The signals of each hundred thousand properties, with the first of these."""
    for first in range(0, rows, _AT_ONCE):
        start, end = np.searchsorted(weighed.row, [first, first + _AT_ONCE])
        fields = {name: values[start:end] for name, values in vars(weighed).items()}
        yield first, Weighed(**fields)


def _part(
    subjects: pa.Table, first: int, weighed: Weighed, signals: pa.Table, asof: date, table: ScoreTable
) -> pa.Table:
    known = subjects["known"].to_numpy().astype(np.int64)
    summed = sum_up(weighed, first, known, table)
    does_not = pc.is_valid(subjects["not_applicable"]).to_numpy()
    where = weighed.row - first
    counted = weighed.best & summed.counted[where, weighed.factor]
    lines = lines_of(weighed, where, counted, summed, signals, table, does_not)
    blank = pa.array(does_not)
    columns = {
        "property_id": subjects["property_id"],
        "asof": pa.repeat(pa.scalar(asof, pa.date32()), len(subjects)),
        "table_version": pa.repeat(table.version, len(subjects)),
        "table_hash": pa.repeat(table.hash, len(subjects)),
        "status": _status(summed, does_not),
        "reason": subjects["not_applicable"],
        **{
            name: pa.array(getattr(summed, name), mask=does_not)
            for name in ("score", "coverage", "high", "score_if_links_hold", "high_if_links_hold")
        },
        "factors": names_where(summed.counted, [factor.name for factor in table.factors], does_not),
        "groups_present": pc.if_else(blank, pa.scalar(None, pa.int32()), _groups_present(summed, table)),
        "groups_unknown": names_where(summed.unknown, [group.name for group in table.groups], does_not),
        "groups": groups_of(summed, table, does_not),
        "lines": lines,
        "faults": pa.array(_faults(weighed, where, len(subjects)), pa.int32()),
    }
    return pa.table(columns).cast(SCORES_SCHEMA)


def _status(summed: Summed, does_not: Bools) -> pa.Array:
    choices = np.where(does_not, 2, np.where(summed.unknown.all(axis=1), 1, 0))
    names = pa.array([words.SCORED, words.UNKNOWN, words.NOT_APPLICABLE])
    return pa.DictionaryArray.from_arrays(pa.array(choices, pa.int8()), names).cast(pa.string())


def _groups_present(summed: Summed, table: ScoreTable) -> pa.Array:
    starts = np.cumsum([0, *(len(group.factors) for group in table.groups[:-1])])
    present = np.add.reduceat(summed.counted.astype(np.int32), starts, axis=1) > 0
    return pa.array(present.sum(axis=1), pa.int32())


def _faults(weighed: Weighed, where: Ints, rows: int) -> Ints:
    codes = [REFUSED_AS.index(name) for name in FAULTS]
    return np.bincount(where[np.isin(weighed.refused, codes)], minlength=rows)
