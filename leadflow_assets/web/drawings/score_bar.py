"""A distress score as one bar: its reasons side by side, then what is not known, then what was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from leadflow_assets.search.parcel.score_lines import Segment, segments

_FULL: Final = 100.0


@dataclass(frozen=True)
class ScoreBar:
    """Points from 0 to 100. ``unknown`` is from where to where what nobody asked may still add.

    ``known`` False: no group is known, and the bar must not look like a low one.
    """

    score: float
    high: float
    known: bool
    parts: tuple[Segment, ...]

    @property
    def unknown(self) -> float:
        """How many points what is unknown may add."""
        return max(0.0, round(self.high - self.score, 1))


def score_bar(row: Mapping[str, Any], counted: Sequence[Mapping[str, Any]]) -> ScoreBar | None:
    """From a row of mart/distress_scores and its counted lines in words; None where no score applies."""
    if row["state"] == "not_applicable" or row["high"] is None:
        return None
    score = float(row["score"] or 0.0)
    high = min(_FULL, float(row["high"]))
    return ScoreBar(score, high, row["state"] == "scored", segments(counted, score))
