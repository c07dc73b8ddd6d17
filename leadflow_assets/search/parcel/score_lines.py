"""The lines of a distress score in words, and as segments that add up to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from leadflow_assets.search.parcel.words import MADE_LINES

if TYPE_CHECKING:
    from leadflow_assets.domain.distress import ScoreTable

_HUNDREDTHS = 100


@dataclass(frozen=True)
class Segment:
    """A part of the score: from ``start`` to ``end`` points, with the group and the words of its reason."""

    group: str
    what: str
    start: float
    end: float


def reason_lines(
    reasons: Sequence[Mapping[str, Any]], table: ScoreTable
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The lines that count and those that do not, with ``what``, ``source_words`` and ``from`` in words."""
    from leadflow_assets.domain.courts.imported import source_in_words

    groups = {group.name: group.words for group in table.groups}
    made: list[dict[str, Any]] = []
    for reason in reasons:
        if reason["kind"] == "signal":
            what = f"{groups[reason['group']]}: {table.by_name[reason['factor']].words}"
        else:
            within = f" {groups[reason['group']]}" if reason["group"] else ""
            what = f"({MADE_LINES[reason['kind']]}{within})"
        source = reason["source"] and source_in_words(reason["source"])
        made.append({**reason, "what": what, "source_words": source})
        told = (source, reason["source_date"], reason["record"], reason["note"])
        made[-1]["from"] = "\n".join(str(text) for text in told if text)
    return [one for one in made if one["counted"]], [one for one in made if not one["counted"]]


def segments(counted: Sequence[Mapping[str, Any]], score: float) -> tuple[Segment, ...]:
    """The counted signals side by side from 0 to ``score``, without gap or overlap.

    What a cap takes is taken off the last signals of its group, what the limit of 100 and rounding take or
    give is taken off or given to the last of all: reckoned in hundredths of a point, so that nothing is lost.
    ``counted`` are lines of :func:`reason_lines`.
    """
    signals = [line for line in counted if line["kind"] == "signal"]
    parts = [_hundredths(line["points"]) for line in signals]
    for line in counted:
        if line["kind"] != "signal":
            there = [n for n, one in enumerate(signals) if line["group"] in (None, "", one["group"])]
            _spread(parts, there, _hundredths(line["points"]))
    # Published scores have one decimal: whatever the lines leave belongs to the last signal.
    _spread(parts, range(len(parts)), _hundredths(score) - sum(parts))
    made, at = [], 0
    for line, part in zip(signals, parts, strict=True):
        if part > 0:
            made.append(Segment(line["group"], line["what"], at / _HUNDREDTHS, (at + part) / _HUNDREDTHS))
            at += part
    return tuple(made)


def _hundredths(points: float) -> int:
    return round(points * _HUNDREDTHS)


def _spread(parts: list[int], where: Sequence[int], amount: int) -> None:
    """Give ``amount`` to the last of the parts, or take it from them, none falling below nothing."""
    for index in reversed(where):
        given = max(amount, -parts[index])
        parts[index] += given
        amount -= given
        if not amount:
            return
