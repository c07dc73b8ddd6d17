"""Records that an address nearly names: another unit, street type or range, or a letter or two of the street.

REAR, OFF, another direction and a letter after the number make other properties, and two units do: those
are never near. Nor are names whose digits differ (10TH and 16TH).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from leadflow_assets.domain.addresses import Address

_NEAR_ENOUGH = 90.0  # of 100, rapidfuzz's ratio of two street names
# Parts of address_key: town | number | high | rear | off | lot | predir | name | suffix | postdir | unit.
_STREET = {name: f"split_part(address_key, '|', {n})" for name, n in
           {"predir": 7, "name": 8, "suffix": 9, "postdir": 10}.items()}  # fmt: skip
_LONGEST_TYPE = 4
# How far a street is off: the number of other parts (type, directions), and this much for another name.
_OTHER_NAME = 10
_ROW = tuple[int, Address, tuple[int, ...], str | None]


@dataclass(frozen=True)
class Near:
    """What is nearest to an address: its records (none, one or several) and in what they differ."""

    property_ids: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class _Street:
    town_id: int
    normalized: str
    predir: str
    name: str
    suffix: str
    postdir: str


@dataclass(frozen=True)
class _Candidate:
    property_id: str
    level: int
    street: str
    number: str
    high: str
    rear: str
    off: str
    unit: str
    zip: str | None
    is_master: bool


def near_matches(connection: duckdb.DuckDBPyConnection, rows: Sequence[_ROW]) -> dict[int, Near]:
    """For each row (number, address, towns, ZIP) what is nearest in the relation ``properties``."""
    if not rows:
        return {}
    streets = _streets(connection, {town for _, _, towns, _ in rows for town in towns})
    asked = []
    on_street: dict[int, bool] = {}
    for number, address, towns, _ in rows:
        like = [(street, level) for town in towns for street, level in streets.like(town, address)]
        on_street[number] = bool(like)
        numbers = address.numbers()
        if numbers is not None:
            asked += [(number, s.town_id, s.normalized, level, *numbers) for s, level in like]
    candidates = _candidates(connection, asked)
    return {
        number: _nearest(address, code, candidates.get(number, []), on_street[number])
        for number, address, _, code in rows
    }


class _Streets:
    def __init__(self, streets: Sequence[_Street]) -> None:
        self._by_town: dict[int, dict[str, list[_Street]]] = defaultdict(lambda: defaultdict(list))
        for street in streets:
            self._by_town[street.town_id][street.name].append(street)
        self._known: dict[tuple[int, str], list[tuple[str, bool]]] = {}

    def like(self, town: int, address: Address) -> list[tuple[_Street, int]]:
        """Streets of a town that may be meant, each with how much it differs."""
        found = []
        names = self._names(town, address.name)
        first, _, last = address.name.rpartition(" ")
        if first and not address.suffix and last.isalpha() and len(last) <= _LONGEST_TYPE:
            # A street type of the town's own (CR): the parser cannot tell it from a name.
            names = [*names, *((name, same) for name, same in self._names(town, first) if same)]
        for name, same_name in names:
            for street in self._by_town[town][name]:
                if not all(
                    one == other or not (one and other)
                    for one, other in ((street.predir, address.predir), (street.postdir, address.postdir))
                ):
                    continue
                parts = (street.predir, street.suffix, street.postdir)
                asked = (address.predir, address.suffix, address.postdir)
                other = sum(one != two for one, two in zip(parts, asked, strict=True))
                if same_name:
                    found.append((street, other))
                elif street.suffix == address.suffix or not (street.suffix and address.suffix):
                    found.append((street, _OTHER_NAME + other))
        return found

    def _names(self, town: int, name: str) -> list[tuple[str, bool]]:
        """Names of streets in a town that are, or nearly are, the one asked for."""
        from rapidfuzz import fuzz, process

        key = (town, name)
        if key not in self._known:
            digits = re.findall(r"\d+", name)
            similar = process.extract(
                name, list(self._by_town[town]), scorer=fuzz.ratio, score_cutoff=_NEAR_ENOUGH, limit=None
            )
            self._known[key] = [
                (other, other == name) for other, _, _ in similar if re.findall(r"\d+", other) == digits
            ]
        return self._known[key]


def _streets(connection: duckdb.DuckDBPyConnection, towns: set[int]) -> _Streets:
    parts = ", ".join(_STREET.values())
    rows = connection.execute(
        f"SELECT DISTINCT town_id, street_normalized, {parts} FROM properties "
        "WHERE town_id IN (SELECT unnest(?::INTEGER[])) AND street_normalized IS NOT NULL "
        "AND address_key IS NOT NULL ORDER BY ALL",
        [sorted(towns)],
    ).fetchall()
    return _Streets([_Street(*row) for row in rows])


def _candidates(
    connection: duckdb.DuckDBPyConnection, asked: Sequence[tuple[int, int, str, int, int, int]]
) -> Mapping[int, list[_Candidate]]:
    """Records on the streets found whose number, or range of numbers, meets the one asked for."""
    names = ("row", "town", "street", "level", "low", "high")
    columns: list[Sequence[object]] = list(zip(*asked, strict=True)) if asked else [() for _ in names]
    kinds = (pa.int64(), pa.int32(), pa.string(), pa.int32(), pa.int64(), pa.int64())
    arrays = [pa.array(values, kind) for values, kind in zip(columns, kinds, strict=True)]
    connection.register("__asked", pa.table(arrays, names=list(names)))
    try:
        rows = connection.execute(
            "SELECT a.row, p.property_id, a.level, a.street, "
            + ", ".join(f"split_part(p.address_key, '|', {n})" for n in (2, 3, 4, 5, 11))
            + ", p.zip, p.is_condominium_master FROM __asked AS a JOIN properties AS p "
            "ON p.town_id = a.town AND p.street_normalized = a.street "
            "AND p.house_number <= a.high AND coalesce(p.house_number_high, p.house_number) >= a.low "
            "ORDER BY ALL"
        ).fetchall()
    finally:
        connection.unregister("__asked")
    found: dict[int, list[_Candidate]] = defaultdict(list)
    for number, *rest in rows:
        found[number].append(_Candidate(*rest))
    return found


def _nearest(address: Address, code: str | None, candidates: Sequence[_Candidate], on_street: bool) -> Near:
    units = [candidate for candidate in candidates if not candidate.is_master]
    possible = [(c, told) for c in units if (told := _differences(address, c)) is not None]
    if not possible:
        if address.num is None and on_street:
            return Near((), "the address has no number")
        return Near((), "no record with that number on the street" if on_street else "no such street")
    level = min(c.level for c, _ in possible)
    best = [(c, told) for c, told in possible if c.level == level]
    fewest = min(len(told) for _, told in best)
    best = [(c, told) for c, told in best if len(told) == fewest]
    if len(best) > 1 and code:
        best = [pair for pair in best if pair[0].zip == code] or best
    return Near(
        tuple(c.property_id for c, _ in best), best[0][1][0] if len(best) > 1 else ", ".join(best[0][1])
    )


def _differences(address: Address, candidate: _Candidate) -> list[str] | None:
    """In what a record differs from the address, in words; None: it is another property."""
    if (candidate.rear == "R", candidate.off == "O") != (address.rear, address.off):
        return None
    letter, unit = re.sub(r"^\d+", "", candidate.number), candidate.unit
    told = []
    if candidate.level >= _OTHER_NAME:
        told.append(f"the street is nearly the same: {candidate.street}")
    elif candidate.level:
        told.append(f"the street is {candidate.street}")
    if (letter, unit) != (address.num_suffix, address.unit):
        if letter == address.num_suffix and not (unit and address.unit):
            told.append("the unit is missing" if unit else "the record has no unit")
        elif {letter, unit} == {address.num_suffix, address.unit}:
            # 12A MAIN ST and 12 MAIN ST UNIT A are written for each other.
            told.append("the letter is a unit")
        else:
            return None
    low, high = address.numbers() or (0, 0)
    number = int(candidate.number.removesuffix(letter) or 0)
    if (number, int(candidate.high or number)) != (low, high):
        told.append(f"the number is part of {number}-{candidate.high or high}")
    return told or ["written in another way"]
