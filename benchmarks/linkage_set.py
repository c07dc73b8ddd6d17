"""The labelled set: court parties drawn from all adults, written as courts write, with what goes wrong.

True is a link between a party and each property whose deed names that person and that was theirs at filing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.linkage_names import Names, make_names
from benchmarks.linkage_owners import (
    NO,
    OWNER_SHARE,
    TODAY,
    Addresses,
    Deeds,
    Households,
    Towns,
    draw_communities,
    draw_deeds,
    draw_households,
    draw_people,
    make_towns,
    misspell,
    owners_table,
)
from leadflow_assets.domain.linkage.nicknames import nicknames
from leadflow_assets.enrich.linkage.parties import PARTIES_SCHEMA

FILED_WITHIN_DAYS = 365 * 4
# A deed at a nominal price after filing: mostly the same people in another form.
STILL_THEIRS_IF_NOMINAL = 0.85


@dataclass
class Maker:
    """Makes cases one after another; ``rows`` and ``links`` are what comes out."""

    random: np.random.Generator
    names: Names
    towns: Towns
    households: Households
    deeds: Deeds
    parties: int
    rows: list[dict[str, Any]] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        order = np.argsort(self.deeds.household, kind="stable")
        self._order = order
        self._start = np.searchsorted(self.deeds.household[order], np.arange(len(self.households.couple) + 1))
        self._ids = self.deeds.ids
        self._firms = np.flatnonzero(self.deeds.household == NO)
        names, entities = self.deeds.firm[self._firms].tolist(), self.deeds.entity[self._firms].tolist()
        self._entities = dict(zip(names, entities, strict=True))
        self._letters = self._pools()
        # Strangers, two by two, in the towns where the pairs live.
        self._town = np.repeat(self.random.choice(len(self.towns.ids), self.parties, p=self.towns.weights), 2)
        communities = draw_communities(self.random, self.towns, self._town)
        man = np.tile([True, False], self.parties) ^ np.repeat(self.random.random(self.parties) < 0.45, 2)
        self._people = draw_people(self.random, self.names, communities, man)
        self._homes = Addresses.draw(self.random, self.towns, self._town)
        self._pair = 0

    def _pools(self) -> dict[str, np.ndarray]:
        common = np.concatenate([self.names.men.names[:1200], self.names.women.names[:3000]])
        return {letter: common[common.astype("U1") == letter] for letter in np.unique(common.astype("U1"))}

    def chance(self, probability: float) -> bool:
        """True so often."""
        return bool(self.random.random() < probability)

    def filed(self) -> date:
        """A day of the last years."""
        return TODAY - timedelta(days=int(self.random.integers(0, FILED_WITHIN_DAYS)))

    def properties(self, household: int, partner: bool, filed: date) -> list[int]:
        """What a member of a household owned on a day."""
        theirs = self._order[self._start[household] : self._start[household + 1]]
        named = self.deeds.partner if partner else self.deeds.head
        found = []
        for row in theirs:
            if named[row] and self._held(int(row), filed):
                found.append(int(row))
        return found

    def _held(self, row: int, filed: date) -> bool:
        later = TODAY - timedelta(days=int(self.deeds.bought[row])) > filed
        return not later or bool(self.deeds.nominal[row] and self.chance(STILL_THEIRS_IF_NOMINAL))

    def add(
        self, case: int, filed: date, name: str, address: tuple[str, str] | None, owned: list[int]
    ) -> None:
        """Write one party; ``address`` is the full text and the city."""
        party = f"C{case:06d}-{len(self.rows) % 10}"
        self.rows.append(
            {
                "party_id": party,
                "case_id": f"C{case:06d}",
                "name": name,
                "filed": filed,
                "address": address[0] if address else None,
                "city": address[1] if address else None,
                "zip": None,
                "counties": None,
            }
        )
        self.links += [(party, str(self._ids[row])) for row in owned]

    def owners_case(self, case: int) -> None:
        """A household that owns: one of the two, or both as joint debtors."""
        household = int(self.random.integers(0, len(self.households.couple)))
        joint = bool(self.households.couple[household]) and self.chance(0.4)
        first = joint or not self.households.couple[household] or self.chance(0.55)
        filed = self.filed()
        address = self._address(self.households.home, household)
        for partner in [False, True] if joint else [not first]:
            person = self.households.partner if partner else self.households.head
            owned = self.properties(household, partner, filed)
            self.add(case, filed, self._name(person, household), address, owned)

    def strangers_case(self, case: int) -> None:
        """Adults who own nothing (any more): tenants, relatives at home, former owners, couples."""
        kind = self.random.random()
        filed = self.filed()
        self._pair += 2
        at, people = self._pair - 2, self._people
        if kind < 0.25:  # a relative in an owner's house, some a father's namesake
            household = int(self.random.integers(0, len(self.households.couple)))
            head = self.households.head
            if self.chance(0.75):
                people.last[at] = head.last[household]
                if people.man[at] and head.man[household] and self.chance(0.08):
                    people.first[at], people.suffix[at] = (
                        head.first[household],
                        "JR" if self.chance(0.6) else "",
                    )
            self.add(
                case, filed, self._name(people, at), self._address(self.households.home, household, 0.95), []
            )
            return
        joint = self.chance(0.25)
        if joint:
            people.last[at + 1] = people.last[at]
        home, row = self._homes, at
        if kind < 0.55:  # somebody else's property now: sold before the roll was made, or a tenant's
            home, row = self.deeds.site, int(self.random.integers(0, len(self.deeds.household)))
            if kind < 0.35:
                filed = TODAY - timedelta(days=int(self.deeds.bought[row]) + 60)
        address = self._address(home, row, 0.95)
        for member in range(1 + joint):
            self.add(case, filed, self._name(people, at + member), address, [])

    def firms_case(self, case: int) -> None:
        """A firm that owns, spelled otherwise, or one that only resembles it."""
        row = int(self._firms[self.random.integers(0, len(self._firms))])
        name, filed, kind = str(self.deeds.firm[row]), self.filed(), self.random.random()
        address = self._address(self.deeds.site, row, 0.5)
        if kind >= 0.4:  # a firm that owns nothing
            name = f"{self.names.last.draw(self.random, 1)[0]} {self.random.choice(['LLC', 'INC', 'CORP'])}"
        elif kind >= 0.2:
            name = self._other_firm(name)
        entity = self.deeds.entity[row] if kind < 0.2 else self._entities.get(name, NO)
        same = self._firms[self.deeds.entity[self._firms] == entity]
        owned = [int(one) for one in same if self._held(int(one), filed)]
        self.add(case, filed, self._spelled_firm(name), address, owned)

    def _other_firm(self, name: str) -> str:
        words = name.split()
        if words[0].isdigit():
            words[0] = str(int(words[0]) + int(self.random.integers(1, 30)))
        elif words[-1] in ("LLC", "INC") and self.chance(0.5):
            words[-1] = "INC" if words[-1] == "LLC" else "LLC"
        else:
            words[0] = str(self.random.choice(["NORTHERN", "VALLEY", "MOHAWK"]))
        return " ".join(words)

    def _spelled_firm(self, name: str) -> str:
        for short, full in (("LLC", "L.L.C."), ("CORP", "Corporation"), ("INC", "Incorporated")):
            if name.endswith(short) and self.chance(0.5):
                return f"{name[: -len(short)].title()}{full}"
        return name.title() if self.chance(0.8) else f"The {name.title()}"

    def _address(self, home: Addresses, row: int, at_home: float = 0.80) -> tuple[str, str]:
        """Where the court says they live: at home, mostly; else in the same town, or anywhere."""
        chance = self.random.random()
        if chance >= at_home:
            moved = chance >= at_home + (1 - at_home) / 2
            town = int(
                self.random.choice(len(self.towns.ids), p=self.towns.weights) if moved else home.town[row]
            )
            home, row = Addresses.draw(self.random, self.towns, np.array([town])), 0
        return home.text(row, self.towns), str(self.towns.names[home.town[row]])

    def _name(self, people: Any, row: int) -> str:
        """A name as a court has it, with what may have happened to it on the way."""
        last, first = str(people.last[row]), str(people.first[row])
        alias = ""
        if not people.man[row] and self.chance(0.03):
            maiden = str(self.names.last.draw(self.random, 1)[0])
            alias = f" f/k/a {first.title()} {last.title()}" if self.chance(0.4) else ""
            last = maiden
        if self.chance(0.03):
            last = misspell(self.random, last)
        if self.chance(0.02):
            first = misspell(self.random, first)
        elif self.chance(0.06) and (short := sorted(nicknames().get(first, ()))):
            first = str(self.random.choice(short))
        middle = self._middle(str(people.middle[row]))
        suffix = str(people.suffix[row])
        suffix = {"JR": ", Jr.", "SR": ", Sr.", "III": ", III", "": ""}[suffix] if self.chance(0.7) else ""
        if self.chance(0.1):
            return f"{last.title()}, {first.title()}{middle}{suffix}{alias}"
        return f"{first.title()}{middle} {last.title()}{suffix}{alias}"

    def _middle(self, letter: str) -> str:
        """Two of three with a middle name; one in thirty of those another's."""
        if not self.chance(0.66) or letter not in self._letters:
            return ""
        if self.chance(0.03):
            letter = str(self.random.choice([*self._letters]))
        return (
            f" {str(self.random.choice(self._letters[letter])).title()}"
            if self.chance(0.2)
            else f" {letter}."
        )


def make_cases(
    random: np.random.Generator,
    names: Names,
    towns: Towns,
    households: Households,
    deeds: Deeds,
    parties: int,
    shares: tuple[float, float],
) -> tuple[pa.Table, pa.Table]:
    """So many parties (PARTIES_SCHEMA) and the true links (party_id, property_id).

    ``shares``: of firms among the parties, and of owners among the persons.
    """
    maker = Maker(random, names, towns, households, deeds, parties)
    firms, owners = shares
    case = 0
    while len(maker.rows) < parties:
        kind = random.random()
        if kind < firms:
            maker.firms_case(case)
        elif kind < firms + (1 - firms) * owners:
            maker.owners_case(case)
        else:
            maker.strangers_case(case)
        case += 1
    kept = {row["party_id"] for row in maker.rows[:parties]}
    links = [link for link in maker.links if link[0] in kept]
    truth = pa.table(
        {"party_id": [party for party, _ in links], "property_id": [found for _, found in links]},
        schema=pa.schema([("party_id", pa.string()), ("property_id", pa.string())]),
    )
    return pa.Table.from_pylist(maker.rows[:parties], schema=PARTIES_SCHEMA), truth


@dataclass(frozen=True)
class LabelledSet:
    """Owners, parties, the links that are true, and how many adults the parties were drawn from."""

    owners: pa.Table
    parties: pa.Table
    truth: pa.Table
    population: int


def make_set(
    properties: int, parties: int, seed: int, *, firms: float = 0.1, owner_share: float = OWNER_SHARE
) -> LabelledSet:
    """A set of so many properties and parties, the same for the same numbers.

    ``firms`` is their share of the parties, ``owner_share`` that of owners among the persons; the population
    is that of which the owners are OWNER_SHARE.
    """
    random = np.random.default_rng(seed)
    towns, names = make_towns(), make_names(random, properties)
    households = draw_households(random, names, towns, round(properties * 0.72))
    deeds = draw_deeds(random, names, towns, households, properties)
    owners = owners_table(random, towns, households, deeds)
    named = np.zeros((2, len(households.couple)), bool)
    for which, member in enumerate((deeds.head, deeds.partner)):
        named[which][deeds.household[member]] = True
    population = round(named.sum() / OWNER_SHARE)
    table, truth = make_cases(random, names, towns, households, deeds, parties, (firms, owner_share))
    return LabelledSet(owners, table, truth, population)
