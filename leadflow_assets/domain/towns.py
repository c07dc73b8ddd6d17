"""The 351 towns of Massachusetts: ids, names, partition keys, and the words people use for them.

Ids and spellings are MassGIS's (towns in alphabetical order, 1 to 351); some differ from the legal name:
Attleboro, Manchester. Devens (352) has no package of its own and is not a partition, but occurs as
TOWN_ID inside its neighbours' packages.
"""

from __future__ import annotations

import csv
import difflib
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources

from leadflow_assets.errors import UsageError

DEVENS_ID = 352
SAMPLETON_ID = 999
# Dukes county and Nantucket are islands; MassGIS delivers them in the Mainland zone like all others.
HIGHEST_TOWN_ID = 351


@dataclass(frozen=True)
class Town:
    """One town as MassGIS names it.

    ``link_name`` is the upper-case name without spaces that stands in package names and URLs;
    ``note`` is a known weakness of its mapping: boundary_conflict, low_match_rate or patched_extract.
    """

    town_id: int
    name: str
    link_name: str
    other_name: str
    county: str
    county_fips: str
    kind: str
    population_2010: int
    note: str

    @property
    def key(self) -> str:
        """Dagster partition key, permanent: ``025-bellingham``."""
        return f"{self.town_id:03d}-{self.name.lower().replace(' ', '-')}"

    @property
    def shapefile_zip(self) -> str:
        """Name of the shapefile package: ``L3_SHP_M025_BELLINGHAM.zip``."""
        return f"L3_SHP_M{self.town_id:03d}_{self.link_name}.zip"

    @property
    def geodatabase_zip(self) -> str:
        """Name of the file geodatabase package: ``M025_parcels_gdb.zip``."""
        return f"M{self.town_id:03d}_parcels_gdb.zip"

    @property
    def is_sample(self) -> bool:
        """Is this the fictional town of the demo?"""
        return self.town_id == SAMPLETON_ID


SAMPLETON = Town(SAMPLETON_ID, "Sampleton", "SAMPLETON", "", "Sample", "25999", "sample", 0, "")


@cache
def all_towns() -> tuple[Town, ...]:
    """The 351 towns by id, without Sampleton."""
    text = resources.files(__package__).joinpath("reference/towns.csv").read_text(encoding="utf-8")
    return tuple(
        Town(
            town_id=int(row["town_id"]),
            name=row["name"],
            link_name=row["link_name"],
            other_name=row["other_name"],
            county=row["county"],
            county_fips=row["county_fips"],
            kind=row["kind"],
            population_2010=int(row["population_2010"]),
            note=row["boundary_or_match_note"],
        )
        for row in csv.DictReader(text.splitlines())
    )


def towns(*, demo: bool) -> tuple[Town, ...]:
    """The towns that are partitions: all 351, and Sampleton when the demo is on."""
    return (*all_towns(), SAMPLETON) if demo else all_towns()


@cache
def _by_id() -> dict[int, Town]:
    return {town.town_id: town for town in towns(demo=True)}


def town_by_id(town_id: int) -> Town:
    """The town with this id (Sampleton included).

    Raises:
        UsageError: there is no such town.
    """
    town = _by_id().get(town_id)
    if town is None:
        detail = "Devens has no package of its own." if town_id == DEVENS_ID else "Ids run from 1 to 351."
        raise UsageError(f"There is no town {town_id}.", detail)
    return town


def _folded(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", name.lower())


@cache
def _by_name() -> dict[str, Town]:
    names: dict[str, Town] = {}
    for town in towns(demo=True):
        for name in (town.name, town.other_name, town.key):
            if name:
                names[_folded(name)] = town
    return names


def find_town(text: str, *, demo: bool = True) -> Town:
    """The town a person means by an id (25, 025), a name in any case, or a partition key.

    Raises:
        UsageError: no such town; names the nearest ones.
    """
    wanted = text.strip()
    town = (
        _by_id().get(int(wanted))
        if wanted.isascii() and wanted.isdigit()
        else _by_name().get(_folded(wanted))
    )
    if town is not None and (demo or not town.is_sample):
        return town
    if town is not None:
        raise UsageError("Sampleton is the demo's town and the demo is off.", "Run `leadflow demo` first.")
    if wanted.isascii() and wanted.isdigit():
        return town_by_id(int(wanted))
    known = {_folded(t.name): t.name for t in towns(demo=demo)}
    near = [known[n] for n in difflib.get_close_matches(_folded(wanted), known, n=3, cutoff=0.6)]
    hint = f"Did you mean {', '.join(near)}?" if near else "`leadflow towns` lists all of them."
    raise UsageError(f"There is no town {wanted!r} in Massachusetts.", hint)
