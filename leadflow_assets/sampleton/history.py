"""A history with planted effects: years of rolls and foreclosures in which it is known who sells, and why.

For the validation of a score: what is planted here it has to find again, and nothing else. Owners, streets
and prices are made up. Years run from one release's day to the next; what an owner's text, mailing address
and cases say on that day decides the chance of an arms-length sale, and of a foreclosure, until the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from leadflow_assets.sampleton.people import owner_names, street_names

Bools = NDArray[np.bool_]
Doubles = NDArray[np.float64]
# How many times likelier a sale becomes, by factor of the score.
EFFECTS: Final[Mapping[str, float]] = {
    "estate": 4.0,
    "heirs": 1.8,
    "absentee_out_of_state": 2.0,
    "absentee_in_state": 1.4,
    "foreclosure_complaint": 3.0,
}
# The share of properties that have a factor at the start, and gain it in a year.
_SHARES: Final = {
    "estate": (0.05, 0.01),
    "heirs": (0.03, 0.005),
    "absentee_out_of_state": (0.06, 0.0),
    "absentee_in_state": (0.15, 0.0),
    "foreclosure_complaint": (0.0, 0.02),
}
_YEARLY_SALES: Final = 0.045
_YEARLY_FORECLOSURES: Final = 0.003
_AFTER_COMPLAINT: Final = 0.25
_NOMINAL_DEEDS: Final = 0.02
_COMPLAINT_DAYS: Final = 730
_STREETS: Final = 60
_ELSEWHERE: Final = {
    "absentee_in_state": ("QUINCY", "MA", "02169"),
    "absentee_out_of_state": ("NASHUA", "NH", "03060"),
}


@dataclass(frozen=True)
class HistorySpec:
    """``first_year`` is the fiscal year of the first of ``releases`` rolls, one a year, each of 10 January.

    ``effects`` multiply the chance of a sale; an empty mapping plants nothing at all.
    """

    town_id: int
    town: str
    properties: int = 6_000
    first_year: int = 2020
    releases: int = 6
    seed: int = 1
    effects: Mapping[str, float] = field(default_factory=lambda: dict(EFFECTS))

    def day(self, place: int) -> date:
        """The day of a release, counted from 0."""
        return date(self.first_year + place, 1, 10)


@dataclass(frozen=True)
class HistoricRelease:
    """One roll: ``columns`` of core/assessment_releases, and what is planted on its day.

    ``chance`` is each property's chance of an arms-length sale until the next release, ``has`` who has which
    factor, in the order of the rows.
    """

    name: str
    fiscal_year: int
    day: date
    columns: Mapping[str, list[Any]]
    chance: Doubles
    has: Mapping[str, Bools]


@dataclass(frozen=True)
class Filing:
    """A Servicemembers complaint about a property, or the foreclosure deed that ended its ownership."""

    prop_id: str
    number: int
    case_type: str
    day: date


@dataclass(frozen=True)
class History:
    """Rolls from the oldest on, and what was filed and recorded about properties."""

    releases: tuple[HistoricRelease, ...]
    filings: tuple[Filing, ...]


def write_history(spec: HistorySpec) -> History:
    """Make the history; the same spec gives the same one."""
    town = _Town(spec)
    made = []
    for place in range(spec.releases):
        made.append(town.release(place))
        town.live(place)
    return History(tuple(made), tuple(town.filings))


class _Town:
    """The town as it is on the day of a release, changed year by year."""

    def __init__(self, spec: HistorySpec) -> None:
        self.spec = spec
        self.rng = np.random.default_rng([spec.seed, spec.town_id])
        n = spec.properties
        self.has = {name: self.rng.random(n) < start for name, (start, _) in _SHARES.items()}
        self.has["heirs"] &= ~self.has["estate"]
        self.has["absentee_in_state"] &= ~self.has["absentee_out_of_state"]
        self.names = self._persons(n)
        self.sold = [spec.day(0) - timedelta(days=int(days)) for days in self.rng.integers(400, 9_000, n)]
        self.price = self._prices(n)
        self.streets = street_names(_STREETS, self.rng)
        self.complained: list[date | None] = [None] * n
        self.filings: list[Filing] = []

    def release(self, place: int) -> HistoricRelease:
        """The roll of the day, with the chances of the year that follows."""
        year = self.spec.first_year + place
        name = f"CY{(year - 1) % 100:02d}_FY{year % 100:02d}"
        has = {factor: marks.copy() for factor, marks in self.has.items()}
        return HistoricRelease(
            name, year, self.spec.day(place), self._columns(name, year), self._chances(), has
        )

    def live(self, place: int) -> None:
        """One year: complaints and deeds, sales, and what owners come to."""
        spec, rng, n = self.spec, self.rng, self.spec.properties
        start = spec.day(place)
        days = (spec.day(place + 1) - start).days
        sells = rng.random(n) < self._chances()
        taken = ~sells & (
            rng.random(n)
            < np.where(self.has["foreclosure_complaint"], _AFTER_COMPLAINT, _YEARLY_FORECLOSURES)
        )
        renamed = ~sells & ~taken & (rng.random(n) < _NOMINAL_DEEDS)
        when = [start + timedelta(days=int(day)) for day in rng.integers(1, days, n)]
        for row in np.nonzero(taken)[0].tolist():
            self._file(row, "foreclosure_deed", when[row])
        newcomers, prices = self._persons(n), self._prices(n)
        for row in np.nonzero(sells | taken)[0].tolist():
            self.names[row], self.sold[row], self.complained[row] = newcomers[row], when[row], None
            # A foreclosed property goes to an affiliate of the lender for a nominal price.
            self.price[row] = prices[row] if sells[row] else 100
        for row in np.nonzero(renamed)[0].tolist():
            self.sold[row], self.price[row] = when[row], 1
        for factor in ("estate", "heirs", "foreclosure_complaint"):
            self.has[factor] &= ~(sells | taken)
        self._grow(place)

    def _grow(self, place: int) -> None:
        """What owners come to before the next release's day; a complaint counts for two years."""
        n, end = self.spec.properties, self.spec.day(place + 1)
        gains = {factor: self.rng.random(n) < gained for factor, (_, gained) in _SHARES.items()}
        for row in np.nonzero(gains.pop("foreclosure_complaint"))[0].tolist():
            day = end - timedelta(days=int(self.rng.integers(2, 40)))
            self._file(row, "servicemembers_case", day)
            self.complained[row] = day
        for factor, gained in gains.items():
            self.has[factor] |= gained
        self.has["heirs"] &= ~self.has["estate"]
        since = end - timedelta(days=_COMPLAINT_DAYS)
        self.has["foreclosure_complaint"] = np.array(
            [day is not None and day > since for day in self.complained]
        )

    def _file(self, row: int, case_type: str, day: date) -> None:
        self.filings.append(Filing(self._id(row), len(self.filings), case_type, day))

    def _chances(self) -> Doubles:
        chance = np.full(self.spec.properties, _YEARLY_SALES)
        for factor, effect in self.spec.effects.items():
            chance[self.has[factor]] *= effect
        capped: Doubles = np.minimum(chance, 0.9)
        return capped

    def _columns(self, name: str, year: int) -> dict[str, list[Any]]:
        spec, rows = self.spec, range(self.spec.properties)
        mailing = [self._mailing(row) for row in rows]
        return {
            "town_id": [spec.town_id] * spec.properties,
            "assessment_id": [f"{spec.town_id}-{name}-{row:06d}" for row in rows],
            "prop_id": [self._id(row) for row in rows],
            "parcel_match": ["loc_id_null"] * spec.properties,
            "total_val": [400_000 + 10 * row for row in rows],
            "fy": [year] * spec.properties,
            "release": [name] * spec.properties,
            "ls_date": list(self.sold),
            "ls_date_status": ["ok"] * spec.properties,
            "ls_price": [int(price) for price in self.price],
            "ls_nominal": [price < 1_000 for price in self.price],
            "ls_deed_rows": [1] * spec.properties,
            "ls_bulk": [False] * spec.properties,
            "use_code": ["101"] * spec.properties,
            "site_addr": [self._address(row) for row in rows],
            "city": [spec.town] * spec.properties,
            "zip": ["02000"] * spec.properties,
            "owner1": [self._owner(row) for row in rows],
            "own_addr": [where[0] for where in mailing],
            "own_city": [where[1] for where in mailing],
            "own_state": [where[2] for where in mailing],
            "own_zip": [where[3] for where in mailing],
        }

    def _owner(self, row: int) -> str:
        last, first = self.names[row]
        if self.has["estate"][row]:
            return f"ESTATE OF {first} {last}"
        return f"HEIRS OF {first} {last}" if self.has["heirs"][row] else f"{last}, {first}"

    def _mailing(self, row: int) -> tuple[str | None, str | None, str | None, str | None]:
        for factor, (city, state, code) in _ELSEWHERE.items():
            if self.has[factor][row]:
                return f"{row % 300 + 1} LANTERN ST", city, state, code
        return self._address(row), self.spec.town, "MA", "02000"

    def _address(self, row: int) -> str:
        return f"{row // _STREETS * 2 + 1} {self.streets[row % _STREETS]}"

    def _id(self, row: int) -> str:
        return f"{row:06d}"

    def _persons(self, count: int) -> list[tuple[str, str]]:
        """Surnames and first names."""
        found: list[tuple[str, str]] = []
        while len(found) < count:
            for text in owner_names(2 * count, self.rng):
                last, _, first = text.partition(", ")
                if first.isalpha():
                    found.append((last, first))
        return found[:count]

    def _prices(self, count: int) -> list[int]:
        return [int(price) * 1_000 for price in self.rng.integers(200, 900, count)]
