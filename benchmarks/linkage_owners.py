"""Owners of a made-up state, as mart/properties would hold them: half of the labelled set for linkage.

Households live in the 351 towns as its people do; they own homes and further parcels, are couples, have
relatives of one surname, fathers and sons of one name, and communities that share names. Firms and trusts
own the rest. Nobody is taken from a record.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa

from benchmarks.linkage_names import COMMUNITIES, Names
from leadflow_assets.domain.towns import all_towns
from leadflow_assets.lake.columns import PARTIES_TYPE

FIRM_SHARE = 0.18  # of properties, as in a real town
TODAY = date(2026, 11, 1)
OWNER_SHARE = 0.46  # owners of their home or another property, among adults


def _words(text: str) -> list[str]:
    return text.split()


STREETS = _words(
    "ACORN ADAMS ASH BAKER BEACON BEECH BIRCH BRIDGE BROOK CANAL CEDAR CENTRAL CHERRY CHESTNUT CLARK CLINTON "
    "COLLEGE CONCORD COTTAGE CRESCENT CROSS DEPOT EAGLE ELM ESSEX EVERETT FAIRVIEW FOREST FRANKLIN FRONT "
    "GARDEN GLEN GRANITE GROVE HANCOCK HARVARD HAWTHORNE HIGHLAND HILLSIDE HOWARD IRVING JEFFERSON KING "
    "LAUREL LEXINGTON LIBERTY LINCOLN LINDEN LOCUST MAIN MAPLE MARKET MEADOW MILL MYRTLE NEWTON OAK ORCHARD "
    "OXFORD PARK PEARL PINE PLEASANT PLYMOUTH PROSPECT PURCHASE RIVER SALEM SCHOOL SPRING SPRUCE STATE "
    "SUMMER SUMMIT SYCAMORE TEMPLE TREMONT UNION VERNON WALNUT WARREN WASHINGTON WATER WAVERLY WEBSTER "
    "WILLOW WINTER WOODLAND"
)
KINDS = (("ST", "Street"), ("RD", "Road"), ("AVE", "Avenue"), ("DR", "Drive"), ("LN", "Lane"))
_FIRM_HEADS = _words("HARBOR SUMMIT GRANITE COASTAL PIONEER LIBERTY BEACON PILGRIM COLONIAL ATLANTIC")
_FIRM_TAILS = (
    *("REALTY TRUST", "NOMINEE TRUST", "REALTY LLC", "PROPERTIES LLC", "LLC", "INC", "HOLDINGS LLC"),
    *("DEVELOPMENT CORP", "ASSOCIATES LP", "FAMILY TRUST"),
)
_LETTERS = np.array([*"ABCDEFGHIJKLMNOPQRSTUVWXYZ"])
NO = -1


@dataclass
class Towns:
    """Towns as arrays: id, county, share of the people, and the ZIPs made up for them."""

    ids: np.ndarray
    names: np.ndarray
    counties: np.ndarray
    weights: np.ndarray
    zips: np.ndarray  # how many

    def zip_code(self, town: np.ndarray, which: np.ndarray) -> np.ndarray:
        """Five digits; each town has ZIPs of its own."""
        return np.char.zfill((1001 + 5 * town + which % self.zips[town]).astype(str), 5)


def make_towns() -> Towns:
    """All 351 towns."""
    towns = all_towns()
    people = np.array([town.population_2010 for town in towns], float)
    return Towns(
        np.array([town.town_id for town in towns], np.int32),
        np.array([town.name for town in towns]),
        np.array([town.county for town in towns]),
        people / people.sum(),
        np.clip(people // 25_000 + 1, 1, 5).astype(int),
    )


@dataclass
class Addresses:
    """Addresses as arrays of town, number, street, kind of street and ZIP."""

    town: np.ndarray
    number: np.ndarray
    street: np.ndarray
    kind: np.ndarray
    zip_code: np.ndarray

    @classmethod
    def draw(cls, random: np.random.Generator, towns: Towns, town: np.ndarray) -> Addresses:
        """One address in each of the towns given."""
        count = len(town)
        return cls(
            town,
            random.integers(1, 2_000, count),
            random.integers(0, len(STREETS), count),
            random.integers(0, len(KINDS), count),
            towns.zip_code(town, random.integers(0, 5, count)),
        )

    def take(self, rows: np.ndarray) -> Addresses:
        """The addresses of some rows."""
        return Addresses(
            *(getattr(self, name)[rows] for name in ("town", "number", "street", "kind", "zip_code"))
        )

    def keys(self, places: np.ndarray) -> np.ndarray:
        """The keys as mart/properties writes them, within ``places``."""
        parts = (
            places.astype(str),
            "|",
            self.number.astype(str),
            "||||||",
            np.array(STREETS)[self.street],
            "|",
            np.array([kind for kind, _ in KINDS])[self.kind],
            "||",
        )
        keys = parts[0]
        for part in parts[1:]:
            keys = np.char.add(keys, part)
        return keys

    def text(self, row: int, towns: Towns) -> str:
        """The lines of an address as a court prints it."""
        street = f"{self.number[row]} {STREETS[self.street[row]].title()} {KINDS[self.kind[row]][1]}"
        return f"{street}\n{towns.names[self.town[row]]}, MA {self.zip_code[row]}"


@dataclass
class People:
    """Persons as arrays; ``last`` and ``first`` are texts, ``middle`` a letter, ``suffix`` may be empty."""

    last: np.ndarray
    first: np.ndarray
    middle: np.ndarray
    suffix: np.ndarray
    man: np.ndarray


@dataclass
class Households:
    """Owning households: heads, their partners (``couple``), and where they live."""

    community: np.ndarray
    head: People
    partner: People
    couple: np.ndarray
    home: Addresses


def draw_communities(random: np.random.Generator, towns: Towns, town: np.ndarray) -> np.ndarray:
    """A community, or NO, for a person in each of the towns."""
    chances = np.array(
        [[c.share * (2.0 if county in c.counties else 0.6) for c in COMMUNITIES] for county in towns.counties]
    )
    bounds = chances.cumsum(axis=1)[town]
    at = random.random(len(town))
    found = (at[:, None] > bounds).sum(axis=1)
    return np.where(found == len(COMMUNITIES), NO, found)


def draw_last(random: np.random.Generator, names: Names, community: np.ndarray) -> np.ndarray:
    """Surnames; two of five in a community bear one of its commonest."""
    last = names.last.draw(random, len(community))
    own = (community != NO) & (random.random(len(community)) < 0.4)
    for at, place in enumerate(COMMUNITIES):
        rows = np.flatnonzero(own & (community == at))
        last[rows] = random.choice(np.array(place.surnames), len(rows))
    return last


def draw_first(
    random: np.random.Generator, names: Names, community: np.ndarray, man: np.ndarray
) -> np.ndarray:
    """Given names; three of ten in a community bear one of its commonest."""
    count = len(community)
    first = np.where(man, names.men.draw(random, count), names.women.draw(random, count))
    own = (community != NO) & (random.random(count) < 0.3)
    for at, place in enumerate(COMMUNITIES):
        for pool, of_men in ((place.men, True), (place.women, False)):
            rows = np.flatnonzero(own & (community == at) & (man == of_men))
            first[rows] = random.choice(np.array(pool), len(rows))
    return first


def draw_people(random: np.random.Generator, names: Names, community: np.ndarray, man: np.ndarray) -> People:
    """Persons of given communities and sexes."""
    count = len(man)
    middle = draw_first(random, names, np.full(count, NO), man).astype("U1")
    suffix = np.where(
        man & (random.random(count) < 0.05), random.choice(np.array(["JR", "JR", "SR", "III"]), count), ""
    )
    return People(
        draw_last(random, names, community),
        draw_first(random, names, community, man),
        middle,
        suffix,
        man,
    )


def draw_households(random: np.random.Generator, names: Names, towns: Towns, count: int) -> Households:
    """Owning households in order of their towns."""
    town = np.sort(random.choice(len(towns.ids), count, p=towns.weights))
    community = draw_communities(random, towns, town)
    man = random.random(count) < 0.7
    head = draw_people(random, names, community, man)
    partner = draw_people(random, names, community, ~man)
    kept_name = random.random(count) < 0.03
    # Neighbours in the list live in one town: relatives, and fathers whose sons bear their name.
    after = np.arange(1, count)
    kin = after[random.random(count - 1) < 0.10]
    head.last[kin] = head.last[kin - 1]
    sons = after[(random.random(count - 1) < 0.015) & man[1:] & man[:-1]]
    head.last[sons], head.first[sons] = head.last[sons - 1], head.first[sons - 1]
    head.suffix[sons] = np.where(random.random(len(sons)) < 0.6, "JR", "")
    partner.last = np.where(kept_name, partner.last, head.last)
    couple = random.random(count) < 0.55
    return Households(community, head, partner, couple, Addresses.draw(random, towns, town))


@dataclass
class Deeds:
    """Who owns which property: household (NO for a firm's), who is named, when bought, how."""

    household: np.ndarray
    head: np.ndarray
    partner: np.ndarray
    site: Addresses
    bill_keys: np.ndarray
    bought: np.ndarray  # days before TODAY
    nominal: np.ndarray
    firm: np.ndarray  # names of firms, empty for persons
    entity: np.ndarray  # which firm, NO for persons

    @property
    def ids(self) -> np.ndarray:
        """The properties' ids."""
        return np.char.add("P", np.arange(len(self.household)).astype(str))


def draw_deeds(
    random: np.random.Generator, names: Names, towns: Towns, households: Households, properties: int
) -> Deeds:
    """Each household's home, further parcels of some, and firms' properties, to the number wanted."""
    count = len(households.couple)
    firms = round(properties * FIRM_SHARE)
    extra = properties - firms - count
    # A few own many: further parcels fall on a tenth of the households, unevenly.
    landlords = random.choice(count, max(count // 10, 1), replace=False)
    uneven = random.exponential(1, len(landlords))
    owner = random.choice(landlords, extra, p=uneven / uneven.sum())
    town = np.where(
        random.random(extra) < 0.6,
        households.home.town[owner],
        random.choice(len(towns.ids), extra, p=towns.weights),
    )
    others = Addresses.draw(
        random, towns, np.concatenate([town, random.choice(len(towns.ids), firms, p=towns.weights)])
    )
    site = Addresses(
        *(
            np.concatenate([getattr(households.home, name), getattr(others, name)])
            for name in ("town", "number", "street", "kind", "zip_code")
        )
    )
    household = np.concatenate([np.arange(count), owner, np.full(firms, NO)])
    # Nine of ten further parcels are billed to the owner's home, the rest to the parcel itself.
    bill = site.take(np.arange(properties))
    to_home = np.flatnonzero((household != NO) & (random.random(properties) < 0.9))
    for name in ("town", "number", "street", "kind", "zip_code"):
        getattr(bill, name)[to_home] = getattr(households.home, name)[household[to_home]]
    both = random.random(properties) < 0.8
    couple = np.where(household == NO, False, households.couple[household])
    alone_is_head = random.random(properties) < 0.8
    # Firms own three properties in two.
    entity = random.integers(0, max(firms * 2 // 3, 1), firms)
    firm_names = _firms(random, names, max(firms * 2 // 3, 1))
    return Deeds(
        household,
        (household != NO) & (~couple | both | alone_is_head),
        couple & (both | ~alone_is_head),
        site,
        bill.keys(bill.zip_code),
        (random.random(properties) ** 1.5 * 365 * 35).astype(int) + 30,
        random.random(properties) < 0.33,
        np.concatenate([np.full(count + extra, "", firm_names.dtype), firm_names[entity]]),
        np.concatenate([np.full(count + extra, NO), entity]),
    )


def _firms(random: np.random.Generator, names: Names, count: int) -> np.ndarray:
    """Names of firms and trusts; the register keeps its own apart by a number, trusts may share a name."""
    street = random.choice(np.array(STREETS), count)
    number = random.integers(1, 2_000, count).astype(str)
    by_street = np.char.add(np.char.add(number, " "), np.char.add(street, " STREET"))
    fancy = np.char.add(np.char.add(random.choice(np.array(_FIRM_HEADS), count), " "), street)
    kind = random.random(count)
    head = np.where(kind < 0.35, by_street, np.where(kind < 0.75, names.last.draw(random, count), fancy))
    tail = random.choice(np.array(_FIRM_TAILS), count)
    seen: Counter[str] = Counter()
    found = []
    for one, other in zip(head.tolist(), tail.tolist(), strict=True):
        name = f"{one} {other}"
        seen[name] += 1
        again = seen[name] if not other.endswith("TRUST") and seen[name] > 1 else 0
        found.append(f"{one} {again} {other}" if again else name)
    return np.array(found)


def owners_table(random: np.random.Generator, towns: Towns, households: Households, deeds: Deeds) -> pa.Table:
    """The owners as columns of mart/properties. Two of three records show the middle initial."""
    count = len(deeds.household)
    rows = np.concatenate(
        [np.flatnonzero(deeds.head), np.flatnonzero(deeds.partner), np.flatnonzero(deeds.firm != "")]
    )
    which = np.repeat([0, 1, 2], [deeds.head.sum(), deeds.partner.sum(), (deeds.firm != "").sum()])
    order = np.lexsort((which, rows))
    rows, which = rows[order], which[order]
    household = deeds.household[rows]
    person = which < 2

    def text(name: str) -> np.ndarray:
        both = np.where(
            which == 0,
            getattr(households.head, name)[household],
            getattr(households.partner, name)[household],
        )
        return np.where(person, both, "")

    last, first, middle, suffix = (text(name) for name in ("last", "first", "middle", "suffix"))
    middle = np.where(random.random(len(rows)) < 0.66, middle, "")
    typo = np.flatnonzero(person & (random.random(len(rows)) < 0.01))
    last[typo] = [misspell(random, name) for name in last[typo]]
    columns = {
        "name": np.where(person, first, deeds.firm[rows]),
        "last": last,
        "first": first,
        "middle": middle,
        "suffix": suffix,
        "role": np.full(len(rows), "owner"),
        "is_person": person,
        "confidence": np.full(len(rows), 0.9),
    }
    ends = np.bincount(rows, minlength=count).cumsum()
    days = np.datetime64(TODAY) - deeds.bought
    return pa.table(
        {
            "property_id": deeds.ids,
            "town_id": towns.ids[deeds.site.town],
            "owners": _party_lists(columns, ends),
            "address_key": deeds.site.keys(towns.ids[deeds.site.town]),
            "mailing_key": deeds.bill_keys,
            "mailing_city": pa.nulls(count, pa.string()),
            "last_sale_date": pa.array(days.astype("datetime64[D]"), pa.date32()),
            "sale_is_nominal": deeds.nominal,
        }
    )


def _party_lists(columns: dict[str, np.ndarray], ends: np.ndarray) -> pa.ChunkedArray:
    """Lists of parties by property, ``ends`` being where each property's end; in chunks for Arrow's sake."""
    chunks = []
    for first in range(0, len(ends), 250_000):
        bounds = np.concatenate([[0 if first == 0 else ends[first - 1]], ends[first : first + 250_000]])
        rows = slice(bounds[0], bounds[-1])
        struct = pa.StructArray.from_arrays(
            [pa.array(columns[field.name][rows], field.type) for field in PARTIES_TYPE.value_type],
            fields=[*PARTIES_TYPE.value_type],
        )
        chunks.append(pa.ListArray.from_arrays(pa.array((bounds - bounds[0]).astype(np.int32)), struct))
    return pa.chunked_array(chunks)


def misspell(random: np.random.Generator, name: str) -> str:
    """A name with one typing mistake, mostly behind its first letter."""
    if len(name) < 3:
        return name + "E"
    at = int(random.integers(1, len(name))) if random.random() < 0.95 else 0
    letter = str(random.choice(_LETTERS))
    kind = int(random.integers(0, 4))
    if kind == 0:
        return name[:at] + letter + name[at + 1 :]
    if kind == 1:
        return name[:at] + name[at + 1 :]
    if kind == 2:
        return name[:at] + letter + name[at:]
    at = min(at, len(name) - 2)
    return name[:at] + name[at + 1] + name[at] + name[at + 2 :]
