"""The report of a validation: every label by itself, with its slices, gates, and what cannot be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from leadflow_assets.domain.distress import UNCALIBRATED
from leadflow_assets.enrich.scoring.rounding import Doubles
from leadflow_assets.enrich.validation.labels import Label
from leadflow_assets.enrich.validation.statistics import (
    RESAMPLES,
    Bin,
    Estimate,
    Figures,
    bins,
    figures,
    non_decreasing,
    rate_ratio,
)

# Upper ends of the bands of coverage, and their names.
BANDS: Final = ((0.05, "under 0.05"), (0.25, "0.05 to 0.25"), (0.5, "0.25 to 0.5"), (1.01, "0.5 and more"))
_MOST_TOWNS: Final = 20
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Slice:
    """A part of the properties: of a band of coverage, a town, or a kind of owner."""

    by: str
    name: str
    figures: Figures


@dataclass(frozen=True)
class FactorRate:
    """How much more often the event came where a factor counted than where it did not."""

    factor: str
    properties: int
    events: int
    ratio: Estimate | None


@dataclass(frozen=True)
class Gate:
    """A rule that a table must pass; ``passed`` None: these data cannot tell."""

    name: str
    passed: bool | None
    told: str


@dataclass(frozen=True)
class LabelReport:
    """One label. ``cohorts`` are the days of the scores; ``why_not`` says why there are no figures."""

    label: Label
    cohorts: tuple[date, ...]
    observed: int
    not_observed: int
    figures: Figures | None
    deciles: tuple[Bin, ...]
    slices: tuple[Slice, ...]
    factors: tuple[FactorRate, ...]
    gates: tuple[Gate, ...]
    why_not: str | None

    @property
    def passes(self) -> bool:
        """Does the table pass every gate, for this label and these data?"""
        return bool(self.gates) and all(gate.passed for gate in self.gates)


@dataclass(frozen=True)
class ValidationReport:
    """What can be said of a table of points today. ``label`` stays until every gate is passed."""

    version: str
    table_hash: str
    known_from: str
    releases: int
    cohorts: int
    properties: int
    labels: tuple[LabelReport, ...]
    notes: tuple[str, ...]
    label: str = UNCALIBRATED


@dataclass(frozen=True)
class Observed:
    """The properties with an observed label, each once: columns of a cohort's rows, and what happened."""

    rows: pa.Table
    events: Bools


def label_report(
    label: Label,
    observed: Observed,
    towns: Mapping[int, str],
    *,
    cohorts: Sequence[date],
    not_observed: int,
    why_not: str | None,
    resamples: int = RESAMPLES,
) -> LabelReport:
    """The figures of one label; without any observed property only the reason."""
    n = len(observed.events)
    if why_not is not None or not n:
        told = why_not or "no property has an observed outcome"
        return LabelReport(label, tuple(cohorts), n, not_observed, None, (), (), (), _gates(None, ()), told)
    scores = observed.rows["score"].to_numpy()
    whole = figures(scores, observed.events, resamples)
    deciles = bins(scores, observed.events) if whole.auc is not None else ()
    reason = None if whole.auc is not None else "fewer than ten properties with, or without, the event"
    return LabelReport(
        label,
        tuple(cohorts),
        n,
        not_observed,
        whole,
        deciles,
        tuple(_slices(observed, scores, towns, resamples)),
        _factors(observed),
        _gates(whole, deciles),
        reason,
    )


def band(coverage: float) -> str:
    """The band of a coverage."""
    return next(name for end, name in BANDS if coverage < end)


def _slices(observed: Observed, scores: Doubles, towns: Mapping[int, str], resamples: int) -> list[Slice]:
    coverage = np.array([band(value) for value in observed.rows["coverage"].to_pylist()])
    town_ids = observed.rows["town_id"].to_numpy()
    owners = np.array(observed.rows["owner_type"].to_pylist())
    made = []
    for by, values, names in (
        ("coverage", coverage, {name: name for _, name in BANDS}),
        ("town", town_ids, {town: towns[town] for town in _largest(town_ids)}),
        ("owner type", owners, {str(kind): str(kind) for kind in np.unique(owners)}),
    ):
        for value, name in names.items():
            chosen = values == value
            if chosen.any():
                made.append(Slice(by, name, figures(scores[chosen], observed.events[chosen], resamples)))
    return made


def _largest(town_ids: NDArray[np.int32]) -> list[int]:
    found, counts = np.unique(town_ids, return_counts=True)
    return sorted(found[np.argsort(-counts, kind="stable")[:_MOST_TOWNS]].tolist())


def _factors(observed: Observed) -> tuple[FactorRate, ...]:
    lists = observed.rows["factors"].combine_chunks()
    owner = np.repeat(np.arange(len(lists)), np.diff(lists.offsets.to_numpy()))
    names = np.array(lists.flatten().to_pylist(), dtype=object)
    total, happened = len(lists), int(observed.events.sum())
    rates = []
    for name in sorted(set(names.tolist())):
        has = np.zeros(total, bool)
        has[owner[names == name]] = True
        n, events = int(has.sum()), int(observed.events[has].sum())
        ratio = rate_ratio((events, happened - events), (n, total - n))
        rates.append(FactorRate(name, n, events, ratio))
    return tuple(rates)


def _gates(found: Figures | None, deciles: tuple[Bin, ...]) -> tuple[Gate, ...]:
    lift = found.lift[0.1] if found is not None and found.lift is not None else None
    told = (
        f"lift {lift.value:.2f}, from {lift.low:.2f} to {lift.high:.2f}"
        if lift
        else "too few outcomes are observed"
    )
    rising = non_decreasing(deciles) if len(deciles) > 1 else None
    shown = f"{len(deciles)} bins of equal scores" if deciles else "too few outcomes are observed"
    return (
        Gate("the best tenth has more events than chance (low end of its lift above 1)",
             lift.low > 1 if lift else None, told),
        Gate("from bin to bin the rate does not fall by more than its error", rising, shown),
    )  # fmt: skip
