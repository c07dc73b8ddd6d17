"""The points of the towns and the state's outline: plain facts that must fit each other."""

from __future__ import annotations

import math
from collections import defaultdict

from shapely.geometry import MultiPolygon, Point, Polygon

from leadflow_assets.domain.state_map import state_outline, town_centres
from leadflow_assets.domain.towns import all_towns

# Kilometres of a degree at 42 degrees north.
EAST, NORTH = 82.7, 111.2


def kilometres(a: tuple[float, float], b: tuple[float, float]) -> float:
    return math.hypot((a[0] - b[0]) * EAST, (a[1] - b[1]) * NORTH)


def test_every_town_has_a_point_in_the_state() -> None:
    centres = town_centres()
    assert set(centres) == {town.town_id for town in all_towns()}
    state = MultiPolygon([Polygon(ring) for ring in state_outline()]).buffer(0.03)
    outside = [town.name for town in all_towns() if not state.contains(Point(centres[town.town_id]))]
    assert outside == []


def test_towns_lie_near_others_of_their_county() -> None:
    centres = town_centres()
    counties = defaultdict(list)
    for town in all_towns():
        counties[town.county].append(centres[town.town_id])
    for town in all_towns():
        here = centres[town.town_id]
        others = [kilometres(here, place) for place in counties[town.county] if place != here]
        assert not others or min(others) < 20, town.name


def test_no_two_towns_coincide() -> None:
    places = list(town_centres().values())
    nearest = min(kilometres(a, b) for n, a in enumerate(places) for b in places[:n])
    assert nearest > 1


def test_some_places_that_everybody_knows() -> None:
    centres = {town.name: town_centres()[town.town_id] for town in all_towns()}
    for name, place in {
        "Boston": (-71.06, 42.36),
        "Pittsfield": (-73.25, 42.45),
        "Nantucket": (-70.10, 41.28),
        "Provincetown": (-70.19, 42.06),
        "Worcester": (-71.80, 42.26),
    }.items():
        assert kilometres(centres[name], place) < 4, name


def test_the_outline_is_closed_and_about_as_large_as_the_state() -> None:
    rings = state_outline()
    assert all(ring[0] == ring[-1] and len(ring) >= 4 for ring in rings)
    area = sum(Polygon(ring).area for ring in rings) * EAST * NORTH
    # Land, 20,200 square kilometres, and some water near the shore.
    assert 19_000 < area < 23_000
