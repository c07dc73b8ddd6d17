"""Random sets of signals for tests of the distress score, from a seed: the same every time."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta

import pyarrow as pa

from leadflow_assets.domain.distress import ScoreTable, Signal
from leadflow_assets.domain.distress.scoring import known_factors
from leadflow_assets.enrich.scoring.scores import SIGNALS_SCHEMA, SUBJECTS_SCHEMA, known_bits

ASOF = date(2026, 11, 22)
PROBABILITIES = (1.0, 1.0, 0.97, 0.95, 0.9499, 0.72, 0.5, 0.4999, 0.2, 0.0)


@dataclass(frozen=True)
class SignalSet:
    """The signals of one property, what was asked about it, and why the score may not apply."""

    signals: tuple[Signal, ...]
    known: tuple[str, ...]
    not_applicable: str | None = None


def signal_sets(table: ScoreTable, count: int, seed: int, *, faults: bool = True) -> list[SignalSet]:
    """So many sets; with ``faults`` some signals lie ahead, have no date, or are history."""
    rng = random.Random(seed)
    return [_signal_set(table, rng, faults) for _ in range(count)]


def _signal_set(table: ScoreTable, rng: random.Random, faults: bool) -> SignalSet:
    size = rng.choice((0, 1, 1, 2, 3, 4, 6, 9, 14, 20))
    names = [factor.name for factor in table.factors]
    if rng.random() < 0.3:  # the strongest of every group: caps and the clip
        chosen = [group.factors[0].name for group in table.groups] + rng.choices(names, k=size)
    else:
        chosen = rng.choices(names, k=size)
    signals = tuple(signal(table, name, rng, faults) for name in chosen)
    groups = [group.name for group in table.groups]
    known = rng.sample(groups, rng.randint(0, len(groups))) + rng.sample(names, rng.choice((0, 0, 1, 4)))
    return SignalSet(signals, tuple(known), "bank_owned" if rng.random() < 0.02 else None)


def signal(table: ScoreTable, name: str, rng: random.Random, faults: bool) -> Signal:
    """A random signal of a factor."""
    age = rng.choice((0, 0, 30, 365, 913, rng.randint(0, 4_000), rng.randint(0, 60_000)))
    event: date | None = ASOF - timedelta(days=age)
    half_life = table.by_name[name].half_life_months
    if half_life is None and rng.random() < 0.5:
        event = None
    told: date | None = ASOF - timedelta(days=rng.randint(0, 900)) if rng.random() < 0.7 else None
    cleared = ""
    if faults and rng.random() < 0.15:
        kind = rng.randrange(4)
        event = ASOF + timedelta(days=rng.randint(1, 400)) if kind == 0 else event
        event = None if kind == 1 else event
        told = ASOF + timedelta(days=rng.randint(1, 400)) if kind == 2 else told
        cleared = "sold since" if kind == 3 else ""
    if table.by_name[name].scheduled and rng.random() < 0.3:
        event = ASOF + timedelta(days=rng.randint(1, 300))
    probability = rng.choice((*PROBABILITIES, rng.random()))
    return Signal(
        name,
        event,
        probability,
        rng.choice(("", "one source", "other source")),
        told,
        rng.choice(("", "r1", "r2", "r3")),
        cleared,
        rng.choice(("", "a note")),
    )


def as_tables(sets: list[SignalSet], table: ScoreTable) -> tuple[pa.Table, pa.Table]:
    """The sets as subjects and signals for the set-based implementation."""
    subjects = {
        "property_id": [f"p{i}" for i in range(len(sets))],
        "known": [known_bits(known_factors(one.known, table), table) for one in sets],
        "not_applicable": [one.not_applicable for one in sets],
    }
    places = {factor.name: place for place, factor in enumerate(table.factors)}
    rows = [
        (
            i,
            places[s.factor],
            s.event_date,
            s.probability,
            s.source,
            s.source_date,
            s.reference,
            s.cleared,
            s.note,
        )
        for i, one in enumerate(sets)
        for s in one.signals
    ]
    columns = zip(*rows, strict=True) if rows else [()] * len(SIGNALS_SCHEMA)
    arrays = [pa.array(list(c), f.type) for c, f in zip(columns, SIGNALS_SCHEMA, strict=True)]
    return pa.table(subjects, schema=SUBJECTS_SCHEMA), pa.Table.from_arrays(arrays, schema=SIGNALS_SCHEMA)
