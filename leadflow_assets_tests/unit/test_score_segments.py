"""A score as segments: they stand side by side and add up to it, whatever the lines are."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from leadflow_assets.search.parcel.score_lines import segments
from leadflow_assets.web.drawings.score_bar import score_bar

GROUPS = ("foreclosure", "tax", "life_event")
POINTS = st.integers(1, 4000).map(lambda hundredths: hundredths / 100)


def signal(group: str, points: float) -> dict[str, Any]:
    return {"kind": "signal", "group": group, "points": points, "what": f"{group} {points}"}


@st.composite
def lines(draw: st.DrawFn) -> tuple[list[dict[str, Any]], float]:
    """Signals, what caps of groups take, the limit of 100, rounding to a tenth; and the score of them."""
    made = [signal(group, draw(POINTS)) for group in draw(st.lists(st.sampled_from(GROUPS), min_size=1))]
    for group in GROUPS:
        held = sum(round(100 * one["points"]) for one in made if one["group"] == group)
        taken = draw(st.integers(0, held))
        if taken:
            made.append({"kind": "group_cap", "group": group, "points": -taken / 100, "what": "cap"})
    left = sum(round(100 * one["points"]) for one in made)
    if left > 10_000:
        made.append({"kind": "clip_at_100", "group": None, "points": (10_000 - left) / 100, "what": "clip"})
        left = 10_000
    score = round(left / 100, 1)
    if round(100 * score) != left:
        points = (round(100 * score) - left) / 100
        made.append({"kind": "rounding", "group": None, "points": points, "what": "rounding"})
    return made, score


@given(lines())
def test_segments_add_up_to_the_score_without_gap(case: tuple[list[dict[str, Any]], float]) -> None:
    counted, score = case
    parts = segments(counted, score)
    assert sum(round(100 * part.end) - round(100 * part.start) for part in parts) == round(100 * score)
    assert all(part.end > part.start for part in parts)
    ends = [0.0, *(part.end for part in parts)]
    assert [part.start for part in parts] == ends[:-1]


@given(lines())
def test_no_segment_is_larger_than_its_signal_but_for_rounding(
    case: tuple[list[dict[str, Any]], float],
) -> None:
    counted, score = case
    signals = {one["what"]: one["points"] for one in counted if one["kind"] == "signal"}
    for part in segments(counted, score):
        assert part.end - part.start <= signals[part.what] + 0.051


def test_what_a_cap_takes_comes_off_its_own_group() -> None:
    counted = [
        signal("tax", 20.0),
        signal("tax", 10.0),
        signal("life_event", 5.0),
        {"kind": "group_cap", "group": "tax", "points": -5.0, "what": "cap"},
    ]
    sizes = [(part.group, round(part.end - part.start, 2)) for part in segments(counted, 30.0)]
    assert sizes == [("tax", 20.0), ("tax", 5.0), ("life_event", 5.0)]


def test_unknown_is_no_low_score() -> None:
    bar = score_bar({"state": "unknown", "score": 0.0, "high": 100.0}, [])
    assert bar is not None and not bar.known
    assert (bar.unknown, bar.parts) == (100.0, ())


def test_where_no_score_applies_there_is_no_bar() -> None:
    assert score_bar({"state": "not_applicable", "score": None, "high": None}, []) is None
