"""Seeded questions of each kind: our criteria and the same condition for PostGIS."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import cos, pi, radians, sin
from random import Random
from typing import Any

from leadflow_assets.search.areas import Circle, Polygon
from leadflow_assets.search.criteria import SearchCriteria
from leadflow_assets.search.engine import DEFAULT_SORT, Searcher
from leadflow_assets.search.statement import to_state_plane

_NOT_MASTER = "NOT is_condominium_master"
_ABSENTEE = "occupancy IN ('absentee_in_state', 'absentee_out_of_state')"
_METRES_PER_DEGREE = 111_320.0
_SAMPLED = 5_000

Sample = Mapping[str, Any]


@dataclass(frozen=True)
class Question:
    """Criteria, and the peer's WHERE with its parameters; ``order`` where the kind's does not do."""

    criteria: SearchCriteria
    where: str
    parameters: tuple[Any, ...] = ()
    order: str = ""

    @classmethod
    def everything(cls) -> Question:
        """All that a search without a filter shows."""
        return cls(SearchCriteria(), _NOT_MASTER)


@dataclass(frozen=True)
class Kind:
    """One kind of question; milliseconds and the most that ours may take of the peer's time."""

    name: str
    ask: Callable[[Random, Sequence[Sample]], Question]
    target: str
    p95: float | None = None
    ratio: float | None = None
    sort: tuple[str, ...] = DEFAULT_SORT
    order: str = "property_id"
    counts: bool = False


def read_sample(searcher: Searcher, seed: int) -> list[Sample]:
    """Some properties to ask about, the same ones for the same data and seed."""
    rows = searcher.connection.execute(
        "SELECT property_id, town_id, category, total_value, loc_id, lon, lat, owner_words, "
        "street_normalized, house_number FROM properties "
        "WHERE NOT is_condominium_master AND loc_id IS NOT NULL AND lon IS NOT NULL "
        "AND owner_words IS NOT NULL AND street_normalized IS NOT NULL AND house_number IS NOT NULL "
        "AND total_value > 0 ORDER BY hash(property_id || ?) LIMIT ?",
        [str(seed), _SAMPLED],
    ).to_arrow_table()
    return list(rows.to_pylist())


def _town(random: Random, samples: Sequence[Sample]) -> Question:
    one = random.choice(samples)
    low = int(one["total_value"] * random.uniform(0.4, 1.0))
    high = int(one["total_value"] * random.uniform(1.0, 2.5))
    criteria = SearchCriteria(
        towns=(one["town_id"],),
        categories=(one["category"],),
        min_value=low,
        max_value=high,
        absentee="any",
    )
    where = (
        f"town_id = %s AND category = %s AND total_value BETWEEN %s AND %s AND {_ABSENTEE} AND {_NOT_MASTER}"
    )
    return Question(criteria, where, (one["town_id"], one["category"], low, high))


def _circle(random: Random, samples: Sequence[Sample]) -> Question:
    one = random.choice(samples)
    lon, lat = one["lon"] + random.uniform(-0.003, 0.003), one["lat"] + random.uniform(-0.003, 0.003)
    x, y = to_state_plane(lon, lat)
    criteria = SearchCriteria(areas=(Circle(lon=lon, lat=lat, radius_m=500),))
    point = f"ST_SetSRID(ST_MakePoint({x!r}, {y!r}), 26986)"
    where = f"ST_DWithin(geom, {point}, 500) AND {_NOT_MASTER}"
    return Question(criteria, where, (), f"geom <-> {point}, property_id")


def _polygon(random: Random, samples: Sequence[Sample]) -> Question:
    """A ragged polygon of eight to twenty corners, 300 to 900 m from its middle."""
    one = random.choice(samples)
    corners = random.randint(8, 20)
    ring = []
    for number in range(corners):
        angle, far = 2 * pi * number / corners, random.uniform(300, 900) / _METRES_PER_DEGREE
        ring.append([one["lon"] + far * cos(angle) / cos(radians(one["lat"])), one["lat"] + far * sin(angle)])
    geometry = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
    where = (
        "ST_Intersects(geom, ST_Transform(ST_SetSRID(ST_GeomFromGeoJSON(%s), 4326), 26986)) "
        f"AND {_NOT_MASTER}"
    )
    return Question(SearchCriteria(areas=(Polygon(geometry=geometry),)), where, (json.dumps(geometry),))


def _loc_id(random: Random, samples: Sequence[Sample]) -> Question:
    one = random.choice(samples)
    return Question(
        SearchCriteria(loc_ids=(one["loc_id"],)), f"loc_id = %s AND {_NOT_MASTER}", (one["loc_id"],)
    )


def _owner(random: Random, samples: Sequence[Sample]) -> Question:
    """The first word of an owner, or beginnings of two words, as people type them."""
    words = random.choice(samples)["owner_words"].split()
    chosen = [words[0]] if len(words) == 1 or random.random() < 0.5 else words[:2]
    chosen = [word[: random.randint(4, 8)] for word in chosen]
    where = f"owner_vector @@ %s::tsquery AND {_NOT_MASTER}"
    query = " & ".join(f"'{word}':*" for word in chosen)
    return Question(SearchCriteria(owner=" ".join(chosen)), where, (query,))


def _street(random: Random, samples: Sequence[Sample]) -> Question:
    """The beginning of a street's first word, half the time with a house number before the whole street."""
    one = random.choice(samples)
    words = one["street_normalized"].split()
    if random.random() < 0.5:
        word = words[0][: random.randint(4, 8)]
        where = f"street_vector @@ %s::tsquery AND {_NOT_MASTER}"
        return Question(SearchCriteria(street=word), where, (_street_query([word]),))
    number = one["house_number"]
    where = (
        f"street_vector @@ %s::tsquery AND house_number <= %s AND house_number_high >= %s AND {_NOT_MASTER}"
    )
    criteria = SearchCriteria(address=f"{number} {one['street_normalized']}")
    return Question(criteria, where, (_street_query(words), number, number))


def _street_query(words: Sequence[str]) -> str:
    """Abbreviations (ST, N) as they are, other words as beginnings: the search's own rule for streets."""
    return " & ".join(f"'{word}'" + ("" if len(word) <= 2 or word.isdigit() else ":*") for word in words)


def _inside(random: Random, samples: Sequence[Sample]) -> Question:
    words = random.choice(samples)["owner_words"]
    length = random.randint(4, 7)
    start = random.randint(0, max(0, len(words) - length))
    text = words[start : start + length].strip()
    return Question(
        SearchCriteria(owner=f"*{text}*"), f"owner_words LIKE %s AND {_NOT_MASTER}", (f"%{text}%",)
    )


def _state(random: Random, samples: Sequence[Sample]) -> Question:
    """Half a filter of the state: a category, a least value, mostly absentee owners."""
    one = random.choice(samples)
    low = int(one["total_value"] * random.uniform(0.3, 1.2))
    absentee = random.random() < 0.7
    criteria = SearchCriteria(
        categories=(one["category"],), min_value=low, absentee="any" if absentee else None
    )
    where = f"category = %s AND total_value >= %s AND {_NOT_MASTER}" + (
        f" AND {_ABSENTEE}" if absentee else ""
    )
    return Question(criteria, where, (one["category"], low))


KINDS = (
    Kind("town, category, value", _town, "at most 2x, p95 25 ms", p95=25, ratio=2),
    Kind("radius 500 m", _circle, "p95 10 ms", p95=10, sort=("distance",)),
    Kind("polygon", _polygon, "p95 10 ms", p95=10),
    Kind("LOC_ID", _loc_id, "p95 5 ms", p95=5),
    Kind("owner words", _owner, "p95 25 ms", p95=25),
    Kind("address words", _street, "p95 25 ms", p95=25),
    Kind("owner contains", _inside, "p95 120 ms, faster", p95=120, ratio=1),
    Kind(
        "statewide by value", _state, "p95 100 ms", p95=100, sort=("-total_value",),
        order="total_value DESC NULLS LAST, property_id",
    ),
    Kind("statewide per town", _state, "at least 10x faster", ratio=0.1, counts=True),
)  # fmt: skip
