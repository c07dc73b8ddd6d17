"""Figures of an ordering: against definitions written out by hand, and what must hold of any set."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadflow_assets.enrich.validation import statistics
from leadflow_assets.enrich.validation.statistics import bins, figures, non_decreasing, rate_ratio, wilson

patient = settings(deadline=None, max_examples=60)
SETS = st.lists(st.tuples(st.integers(0, 30), st.booleans()), min_size=60, max_size=200)


def _arrays(rows: list[tuple[int, bool]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([score / 10 for score, _ in rows]), np.array([event for _, event in rows])


def _auc_by_pairs(scores: np.ndarray, events: np.ndarray) -> float:
    wins = [
        1.0 if mine > other else 0.5 if mine == other else 0.0
        for mine in scores[events]
        for other in scores[~events]
    ]
    return float(np.mean(wins))


@patient
@given(SETS)
def test_auc_is_the_share_of_pairs_in_order(rows: list[tuple[int, bool]]) -> None:
    scores, events = _arrays(rows)
    found = figures(scores, events, resamples=200)
    if found.auc is None:
        assert min(found.events, found.properties - found.events) < 10
        return
    assert found.auc.value == pytest.approx(_auc_by_pairs(scores, events))
    assert found.auc.low <= found.auc.high
    assert found.lift is not None and found.precision is not None
    for top, precision in found.precision.items():
        assert 0 <= precision.value <= 1
        assert found.lift[top].value == pytest.approx(precision.value / found.base_rate)


@patient
@given(SETS, st.randoms(use_true_random=False))
def test_the_order_of_properties_does_not_show(rows: list[tuple[int, bool]], rng: object) -> None:
    shuffled = list(rows)
    rng.shuffle(shuffled)  # type: ignore[attr-defined]
    assert figures(*_arrays(rows), resamples=50) == figures(*_arrays(shuffled), resamples=50)


def test_a_top_that_ends_among_equal_scores_takes_its_share_of_them() -> None:
    scores = np.array([9.0] * 5 + [3.0] * 20 + [0.0] * 75)
    events = np.zeros(100, bool)
    events[:2] = events[5:15] = True  # 2 of 5, then 10 of 20
    found = figures(scores, events)
    assert found.precision is not None
    assert found.precision[0.1].value == pytest.approx((2 + 10 * 5 / 20) / 10)
    assert found.precision[0.01].value == pytest.approx(0.4)


def test_the_bootstrap_covers_what_a_bootstrap_of_single_properties_covers() -> None:
    rng = np.random.default_rng(3)
    scores = rng.integers(0, 50, 2_000) / 10
    events = rng.random(2_000) < 0.05 + scores / 40
    found = figures(scores, events, resamples=2_000)
    drawn = []
    for _ in range(400):
        chosen = rng.integers(0, 2_000, 2_000)
        counts = statistics.count(scores[chosen], events[chosen])
        drawn.append(statistics.auc(counts.events[None, :], (counts.properties - counts.events)[None, :])[0])
    low, high = np.percentile(drawn, [2.5, 97.5])
    assert found.auc is not None
    assert (found.auc.low, found.auc.high) == pytest.approx((low, high), abs=0.006)


@patient
@given(SETS)
def test_bins_hold_everything_once_and_never_tear_equal_scores(rows: list[tuple[int, bool]]) -> None:
    scores, events = _arrays(rows)
    made = bins(scores, events)
    assert sum(one.properties for one in made) == len(rows)
    assert sum(one.events for one in made) == events.sum()
    assert all(a.highest < b.lowest for a, b in itertools.pairwise(made))
    assert 1 <= len(made) <= 10 and all(one.properties >= len(rows) / 10 for one in made)
    for one in made:
        assert ((scores >= one.lowest) & (scores <= one.highest)).sum() == one.properties


def test_rates_that_fall_by_more_than_their_error_do_not_pass() -> None:
    scores = np.repeat([1.0, 2.0, 3.0], 1_000)
    events = np.zeros(3_000, bool)
    events[:50] = events[1_000:1_100] = events[2_000:2_200] = True
    assert non_decreasing(bins(scores, events))
    events[2_010:2_200] = False
    assert not non_decreasing(bins(scores, events))


def test_intervals_of_shares_and_ratios_are_the_textbook_s() -> None:
    found = wilson(10, 100)
    assert (found.value, found.low, found.high) == pytest.approx((0.1, 0.0552, 0.1744), abs=1e-4)
    assert wilson(0, 50).low == 0
    ratio = rate_ratio((30, 50), (100, 500))
    assert ratio is not None
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((3.0, 2.0140, 4.4686), abs=1e-3)
    assert rate_ratio((4, 50), (100, 500)) is None
    assert rate_ratio((0, 0), (0, 500)) is None
