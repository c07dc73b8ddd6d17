"""How good matches are against the truth: precision and recall along the ranking, and calibration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

BINS = 10
TARGET_GAP = 0.05


@dataclass(frozen=True)
class Ranking:
    """Matches from the likeliest down: probability, whether true, and how many links there are to find."""

    probability: np.ndarray
    true: np.ndarray
    links: int

    @property
    def _curve(self) -> tuple[np.ndarray, np.ndarray]:
        """(precision, recall) at the end of each run of equal probabilities."""
        hits = self.true.cumsum()
        ends = np.flatnonzero(np.append(np.diff(self.probability) != 0, True))
        return hits[ends] / (ends + 1), hits[ends] / self.links

    def recall_at(self, precision: float) -> float:
        """The largest part of the links found while the matches above are right so often."""
        reached, recall = self._curve
        return float(recall[reached >= precision].max(initial=0.0))

    @property
    def average_precision(self) -> float:
        """The area under precision over recall."""
        precision, recall = self._curve
        return float((np.diff(recall, prepend=0.0) * precision).sum())

    def bins(self) -> list[tuple[float, int, float, float]]:
        """(lower bound, matches, mean probability, true share) of the ten bins that hold any."""
        at = np.minimum((self.probability * BINS).astype(int), BINS - 1)
        return [
            (i / BINS, int(rows.sum()), float(self.probability[rows].mean()), float(self.true[rows].mean()))
            for i in range(BINS)
            if (rows := at == i).any()
        ]

    def confirmed(self, least: float) -> tuple[float, float]:
        """(precision, recall) of everything at or above a probability."""
        rows = self.probability >= least
        hits = float(self.true[rows].sum())
        return hits / max(float(rows.sum()), 1.0), hits / self.links


def rank(matches: pa.Table, truth: pa.Table, parties: set[str]) -> Ranking:
    """The ranking of the matches of some parties."""
    links = {
        (party, found)
        for party, found in zip(
            *(truth[name].to_pylist() for name in ("party_id", "property_id")), strict=True
        )
        if party in parties
    }
    columns = ("party_id", "property_id", "probability")
    rows = [row for row in zip(*(matches[c].to_pylist() for c in columns), strict=True) if row[0] in parties]
    rows.sort(key=lambda row: (-row[2], row[0], row[1]))
    return Ranking(
        np.array([row[2] for row in rows]), np.array([row[:2] in links for row in rows], bool), len(links)
    )


def show(name: str, ranking: Ranking) -> None:
    """Print one line of figures."""
    precision, recall = ranking.confirmed(0.95)
    print(
        f"{name:26}{ranking.links:8,}{ranking.average_precision:8.3f}{ranking.recall_at(0.95):9.3f}"
        f"{ranking.recall_at(0.99):9.3f}{precision:12.4f}{recall:9.3f}"
    )


def show_calibration(name: str, ranking: Ranking) -> float:
    """Print the ten bins and the mean distance, weighted by matches; return the distance."""
    print(f"\ncalibration, {name}\n{'bin':12}{'matches':>9}{'predicted':>11}{'true':>8}{'gap':>8}")
    for lower, count, predicted, true in ranking.bins():
        gap = predicted - true
        mark = "  !" if abs(gap) > TARGET_GAP else ""
        print(f"{lower:.1f} - {lower + 0.1:.1f}{count:12,}{predicted:11.3f}{true:8.3f}{gap:+8.3f}{mark}")
    total = sum(count for _, count, _, _ in ranking.bins())
    distance = sum(count * abs(p - t) for _, count, p, t in ranking.bins()) / total
    print(f"mean gap, weighted by matches: {distance:.4f}")
    return distance
