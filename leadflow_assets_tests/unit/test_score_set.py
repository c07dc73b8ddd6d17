"""The set-based score against the scalar one: every number and every line of 20,000 random sets."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadflow_assets.domain.distress import ScoreRecord, Signal, load_table, parse_table, score
from leadflow_assets.enrich.scoring.rounding import round_as_python
from leadflow_assets.enrich.scoring.scores import SCORES_SCHEMA, score_set
from leadflow_assets.errors import UsageError
from leadflow_assets_tests.unit.score_sets import ASOF, SignalSet, as_tables, signal_sets

TABLE = load_table()
patient = settings(deadline=None)
OTHER = """
version = "distress-9.0.0"
[[groups]]
name = "b"
words = "B"
cap = 50
combine = "sum"
[[groups.factors]]
name = "b_one"
words = "one"
points = 33.3
half_life_months = 7
exclusive = "kind"
[[groups.factors]]
name = "b_two"
words = "two"
points = 33.3
exclusive = "kind"
[[groups.factors]]
name = "b_three"
words = "three"
points = 41.7
half_life_months = 31.5
[[groups]]
name = "a"
words = "A"
cap = 90
combine = "max"
[[groups.factors]]
name = "a_one"
words = "one"
points = 90
half_life_months = 3
scheduled = true
[[groups.factors]]
name = "a_two"
words = "two"
points = 90
half_life_months = 3
"""


def _plain(record: ScoreRecord) -> dict[str, Any]:
    """What the set-based table says of a property, from the scalar record."""
    applies = record.status != "not_applicable"
    counted = [line.factor for line in record.lines if line.counted and line.kind == "signal"]
    return {
        "status": record.status,
        "reason": record.reason,
        "score": record.score,
        "coverage": record.coverage,
        "high": record.high,
        "score_if_links_hold": record.score_if_links_hold,
        "high_if_links_hold": record.high_if_links_hold,
        "factors": counted if applies else None,
        "groups_present": sum(g.state == "present" for g in record.groups) if applies else None,
        "groups_unknown": [g.name for g in record.groups if g.state == "unknown"] if applies else None,
        "groups": [_named(asdict(group)) for group in record.groups] if applies else None,
        "faults": record.faults,
        "lines": [_text(asdict(line)) for line in record.lines],
    }


def _named(group: dict[str, Any]) -> dict[str, Any]:
    return {"group": group.pop("name"), **group}


def _text(line: dict[str, Any]) -> dict[str, Any]:
    return line | {name: line[name] or "" for name in ("source", "reference", "note")}


def _compare(sets: list[SignalSet], table: Any = TABLE, asof: date = ASOF) -> None:
    found = score_set(*as_tables(sets, table), asof, table).to_pylist()
    for one, row in zip(sets, found, strict=True):
        record = score(one.signals, asof, one.known, table=table, not_applicable=one.not_applicable)
        expected = _plain(record)
        row["lines"] = [_text(line) for line in row["lines"]]
        assert {name: row[name] for name in expected} == expected, one


@pytest.mark.slow
def test_both_implementations_agree_on_20_000_random_sets() -> None:
    _compare(signal_sets(TABLE, 20_000, seed=1))


def _numbers(sets: list[SignalSet]) -> pd.DataFrame:
    found = score_set(*as_tables(sets, TABLE), ASOF, TABLE)
    return found.select(["score", "coverage", "high", "score_if_links_hold"]).to_pandas()


@pytest.mark.slow
def test_every_property_of_the_sheet_holds_on_20_000_random_sets() -> None:
    rng = random.Random(20)
    sets = [replace(one, not_applicable=None) for one in signal_sets(TABLE, 20_000, seed=9)]
    found = _numbers(sets)
    assert ((found.score >= 0) & (found.score <= found.high) & (found.high <= 100)).all()
    assert ((found.coverage >= 0) & (found.coverage <= 1) & (found.score_if_links_hold >= found.score)).all()
    lines = score_set(*as_tables(sets, TABLE), ASOF, TABLE)["lines"].to_pylist()
    sums = [round(sum(line["points"] for line in own if line["counted"]), 2) for own in lines]
    assert sums == found.score.tolist()

    shuffled = [replace(one, signals=tuple(rng.sample(one.signals, len(one.signals)))) for one in sets]
    assert _numbers(shuffled).equals(found)
    extra = [one.signals[:1] for one in signal_sets(TABLE, 20_000, seed=8, faults=False)]
    more = [replace(one, signals=one.signals + added) for one, added in zip(sets, extra, strict=True)]
    assert (_numbers(more).score >= found.score).all()
    assert (_numbers([_changed(one, rng, _certain) for one in sets]).score >= found.score).all()
    assert (_numbers([_changed(one, rng, _older) for one in sets]).score <= found.score).all()
    names = [group.name for group in TABLE.groups] + list(TABLE.by_name)
    asked = _numbers([replace(one, known=(*one.known, rng.choice(names))) for one in sets])
    assert (asked.score == found.score).all()
    assert ((asked.coverage >= found.coverage) & (asked.high <= found.high)).all()


def _changed(one: SignalSet, rng: random.Random, change: Callable[[Signal], Signal]) -> SignalSet:
    """The set with one of its signals changed."""
    signals = list(one.signals)
    if signals:
        place = rng.randrange(len(signals))
        signals[place] = change(signals[place])
    return replace(one, signals=tuple(signals))


def _certain(signal: Signal) -> Signal:
    return replace(signal, event_date=ASOF, probability=1.0, cleared="", source_date=None)


def _older(signal: Signal) -> Signal:
    """Half a year older; an event that lies ahead is refused, and no older one."""
    if signal.event_date is None or signal.event_date > ASOF:
        return signal
    return replace(signal, event_date=signal.event_date - timedelta(days=183))


def test_both_agree_under_another_table() -> None:
    table = parse_table(OTHER)
    _compare(signal_sets(table, 1_000, seed=2), table)


def test_parts_that_are_summed_apart_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    subjects, signals = as_tables(signal_sets(TABLE, 300, seed=3), TABLE)
    whole = score_set(subjects, signals, ASOF)
    monkeypatch.setattr("leadflow_assets.enrich.scoring.scores._AT_ONCE", 7)
    assert score_set(subjects, signals, ASOF).combine_chunks() == whole.combine_chunks()


def test_the_order_of_signals_does_not_show() -> None:
    subjects, signals = as_tables(signal_sets(TABLE, 300, seed=4), TABLE)
    shuffled = signals.take(pa.array(np.random.default_rng(5).permutation(len(signals))))
    one, other = (score_set(subjects, rows, ASOF).combine_chunks() for rows in (signals, shuffled))
    without = [name for name in SCORES_SCHEMA.names if name != "lines"]
    assert one.select(without) == other.select(without)
    # Signals equal in all that orders them may differ in their notes alone.
    for name in ("kind", "points", "counted", "factor", "why_not", "event_date", "source", "reference"):
        lines = [pc.struct_field(table["lines"].combine_chunks().flatten(), name) for table in (one, other)]
        assert lines[0] == lines[1], name


def test_nobody_and_nothing() -> None:
    nobody, nothing = as_tables([], TABLE)
    assert score_set(nobody, nothing, ASOF).schema == SCORES_SCHEMA
    subjects, _ = as_tables([SignalSet((), ())], TABLE)
    row = score_set(subjects, nothing, ASOF).to_pylist()[0]
    assert (row["status"], row["score"], row["coverage"], row["high"]) == ("unknown", 0.0, 0.0, 100.0)
    assert row["lines"] == []


@pytest.mark.parametrize(
    ("column", "value"),
    [("row", 1), ("row", -1), ("factor", 99), ("probability", 1.5), ("probability", float("nan"))],
)
def test_signals_that_name_nothing_are_refused(column: str, value: float) -> None:
    subjects, signals = as_tables([SignalSet((Signal("vacant", ASOF),), ())], TABLE)
    at = signals.schema.get_field_index(column)
    field = signals.schema.field(at)
    with pytest.raises(UsageError):
        score_set(subjects, signals.set_column(at, field, pa.array([value], field.type)), ASOF)


@patient
@given(st.lists(st.floats(-200, 200) | st.integers(-4000, 4000).map(lambda n: n / 20)), st.integers(0, 3))
def test_rounding_is_pythons(values: list[float], digits: int) -> None:
    found = round_as_python(np.array(values, dtype=float), digits)
    assert found.tolist() == [round(value, digits) for value in values]
