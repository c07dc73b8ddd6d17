"""The assessor's records of a drawn town: use, value, building, sale, owner and addresses, column by column.

Dollars, acres and square feet, as in the Assess table. One record per lot, except condominiums.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadflow_assets.sampleton import people
from leadflow_assets.sampleton.geometry import Plan, ring_measures
from leadflow_assets.sampleton.schema import Cell

SQUARE_METRES_PER_ACRE = 4046.8564224
CONDO_SHARE = 0.011  # of house lots; with their units this makes 1.12 records per lot
_USES: Mapping[str, Mapping[str, float]] = {
    "house": {
        "101": 0.795, "104": 0.055, "132": 0.032, "130": 0.024, "105": 0.014, "109": 0.01, "106": 0.01,
        "111": 0.008, "103": 0.006, "936": 0.006, "013": 0.006, "131": 0.005, "112": 0.004, "014": 0.002,
        "930": 0.006, "960": 0.003, "970": 0.002, "953": 0.002, "125": 0.01,
    },
    "shop": {
        "325": 0.22, "340": 0.14, "326": 0.11, "332": 0.1, "390": 0.09, "031": 0.09, "316": 0.07,
        "013": 0.05, "112": 0.05, "341": 0.03, "323": 0.03, "931": 0.02,
    },
    "works": {"401": 0.3, "400": 0.3, "440": 0.18, "423": 0.08, "424": 0.04, "442": 0.06, "041": 0.04},
    "farm": {"717": 0.2, "713": 0.2, "601": 0.16, "132": 0.14, "932": 0.12, "016": 0.06, "805": 0.06,
    "061": 0.06},
}  # fmt: skip
_VACANT = frozenset(
    ("130", "131", "132", "390", "423", "440", "442", "601", "713", "717", "805", "930", "932", "936", "953")
)
_UNITS = {
    "101": 1,
    "102": 1,
    "103": 1,
    "104": 2,
    "105": 3,
    "109": 2,
    "111": 6,
    "112": 16,
    "125": 12,
    "013": 1,
}
_STYLES = {"101": ("RANCH", "COLONIAL", "CAPE", "SPLIT LEVL", "OLD STYLE"), "102": ("CONDO-TNHS", "CONDEX")}
_OTHER_STYLES = ("MULTI-CONV", "CONVENT", "STORE", "LIGHT IND")
_ZONES = {
    "house": ("RES", "SUBN", ""),
    "shop": ("BUS1", "BUS1", ""),
    "works": ("IND", "IND", ""),
    "farm": ("AGR", "", ""),
}
_NOMINAL = (0, 1, 1, 1, 10, 100, 500)

Columns = dict[str, Sequence[Cell]]


@dataclass(frozen=True)
class Setting:
    """What all records of a town share. ``lots_loc_id`` and ``lots_prop_id`` have one entry per lot."""

    town_id: int
    town: str
    zip_code: str
    fiscal_year: int
    streets: Sequence[str]
    lots_loc_id: Sequence[str]
    lots_prop_id: Sequence[str]


@dataclass(frozen=True)
class Records:
    """``count`` rows as columns, and for each the index of its lot."""

    count: int
    columns: Columns
    lot_of: list[int]


def assess_records(plan: Plan, setting: Setting, rng: np.random.Generator) -> Records:
    """Records for every lot of the plan, in lot order, units of a condominium one after another."""
    lot_uses = _lot_uses(plan, rng)
    lot_units = np.ones(len(plan.lots), dtype=np.int64)
    condos = lot_uses == "102"
    lot_units[condos] = rng.choice([2, 2, 6, 12, 18, 40], int(condos.sum()))
    lot_of = np.repeat(np.arange(len(plan.lots)), lot_units)
    first = np.concatenate([[0], np.cumsum(lot_units)[:-1]])
    unit = np.where(condos[lot_of], np.arange(len(lot_of)) - first[lot_of] + 1, 0)
    uses = lot_uses[lot_of]
    acres = np.array([sum(ring_measures(ring)[1] for ring in lot.rings) for lot in plan.lots])[lot_of]
    acres = acres / SQUARE_METRES_PER_ACRE
    columns: Columns = {}
    columns.update(_values_and_building(uses, acres, rng))
    columns.update(_sales(columns["TOTAL_VAL"], setting.fiscal_year, rng))
    columns.update(_places(plan, setting, lot_of.tolist(), unit.tolist()))
    columns.update(_owners(columns, uses.tolist(), setting, rng))
    zones = [_ZONES[plan.lots[k].zone] for k in lot_of.tolist()]
    columns["ZONING"] = [z[k] for z, k in zip(zones, rng.integers(0, 3, len(lot_of)).tolist(), strict=True)]
    count = len(lot_of)
    columns["FY"] = [setting.fiscal_year] * count
    columns["LOT_UNITS"] = ["A"] * count
    columns["TOWN_ID"] = [setting.town_id] * count
    columns["CAMA_ID"] = list(range(101, 101 + count))
    return Records(count, columns, lot_of.tolist())


def _lot_uses(plan: Plan, rng: np.random.Generator) -> NDArray[np.str_]:
    zones = np.array([lot.zone for lot in plan.lots])
    uses = np.full(len(zones), "101", dtype="U4")
    for zone, shares in _USES.items():
        here = zones == zone
        weights = np.array(list(shares.values()))
        uses[here] = rng.choice(list(shares), int(here.sum()), p=weights / weights.sum())
    uses[(zones == "house") & (rng.random(len(zones)) < CONDO_SHARE)] = "102"
    return uses


def _values_and_building(
    uses: NDArray[np.str_], acres: NDArray[np.float64], rng: np.random.Generator
) -> Columns:
    count = len(uses)
    condo, vacant = uses == "102", np.isin(uses, list(_VACANT))
    code_list = uses.tolist()
    units = np.array([_UNITS.get(code, 0) for code in code_list])
    size = np.rint(rng.lognormal(7.45, 0.33, count) * np.clip(units, 1, 12) ** 0.8).astype(np.int64)
    size[vacant] = 0
    building = np.rint(size * rng.uniform(120, 260, count) / 100).astype(np.int64) * 100
    land = np.where(
        condo, 0, np.rint((900 + 600 * np.sqrt(acres)) * rng.uniform(0.7, 1.3, count)).astype(np.int64) * 100
    )
    other = np.where(rng.random(count) < 0.3, rng.integers(5, 300, count) * 100, 0)
    other[vacant | condo] = 0
    year = np.where(vacant, 0, np.clip(rng.normal(1968, 30, count), 1740, 2024).astype(np.int64))
    stories = [("1", "1.5", "2", "2", "2.5", "3")[k] for k in rng.integers(0, 6, count).tolist()]
    style = rng.integers(0, 20, count).tolist()
    empty = vacant.tolist()
    styles = [_STYLES.get(code, _OTHER_STYLES) for code in code_list]
    measured = np.round(acres * np.clip(rng.normal(1, 0.05, count), 0.75, 1.3), 4)
    return {
        "USE_CODE": code_list,
        "BLDG_VAL": building.tolist(),
        "LAND_VAL": land.tolist(),
        "OTHER_VAL": other.tolist(),
        "TOTAL_VAL": (building + land + other).tolist(),
        "LOT_SIZE": np.where(condo, 0.0, measured).tolist(),
        "YEAR_BUILT": year.tolist(),
        "BLD_AREA": size.tolist(),
        "RES_AREA": np.where(np.char.startswith(uses, "1"), size, 0).tolist(),
        "UNITS": np.where(vacant, 0, units).tolist(),
        "NUM_ROOMS": np.where(vacant, 0, np.clip(size // 320, 3, 60)).tolist(),
        "STYLE": ["" if e else s[k % len(s)] for e, s, k in zip(empty, styles, style, strict=True)],
        "STORIES": ["" if e else s for e, s in zip(empty, stories, strict=True)],
    }


def _sales(total: Sequence[Cell], fiscal_year: int, rng: np.random.Generator) -> Columns:
    """Last sales up to 30 June before the fiscal year, a third nominal; books grow with time."""
    count = len(total)
    end = np.datetime64(f"{fiscal_year - 1}-06-30")
    age = np.minimum(rng.exponential(4200, count), 17_000).astype(np.int64)
    dates = np.datetime_as_string(end - age).tolist()
    worth = np.array(total, dtype=np.float64) * np.exp(-0.000095 * age) * rng.uniform(0.85, 1.15, count)
    price = np.maximum(np.rint(worth / 100).astype(np.int64) * 100, 1000)
    nominal = rng.random(count) < 0.33
    price[nominal] = rng.choice(_NOMINAL, int(nominal.sum()))
    book = (np.maximum(42_000 - age * 2, 1500) + rng.integers(0, 40, count)).tolist()
    unrecorded = (rng.random(count) < 0.18).tolist()
    page = rng.integers(1, 600, count).tolist()
    return {
        "LS_DATE": [date.replace("-", "") for date in dates],
        "LS_PRICE": price.tolist(),
        "LS_BOOK": ["" if none else str(b) for none, b in zip(unrecorded, book, strict=True)],
        "LS_PAGE": ["" if none else str(p) for none, p in zip(unrecorded, page, strict=True)],
    }


def _places(plan: Plan, setting: Setting, lot_of: list[int], unit: list[int]) -> Columns:
    lots, streets = plan.lots, setting.streets
    count = len(lot_of)
    street = [streets[lots[k].street] for k in lot_of]
    number = [str(lots[k].number) for k in lot_of]
    prop_id = [setting.lots_prop_id[k] for k in lot_of]
    return {
        "PROP_ID": [f"{p[:-4]}{u:04d}" if u else p for p, u in zip(prop_id, unit, strict=True)],
        "LOC_ID": [setting.lots_loc_id[k] for k in lot_of],
        "SITE_ADDR": [f"{n}  {s}" for n, s in zip(number, street, strict=True)],
        "ADDR_NUM": number,
        "FULL_STR": street,
        "LOCATION": [f"UNIT {u}" if u else "" for u in unit],
        "CITY": [setting.town.upper()] * count,
        "ZIP": [setting.zip_code] * count,
    }


def _owners(columns: Columns, uses: list[str], setting: Setting, rng: np.random.Generator) -> Columns:
    count, town = len(uses), setting.town.upper()
    owners = people.owner_names(count, rng)
    for index, code in enumerate(uses):
        if code[0] == "9":
            owners[index] = people.exempt_owner(code, town, index)
    mailing = people.mailing_addresses(count, rng)
    here = zip(mailing, columns["ADDR_NUM"], columns["FULL_STR"], strict=True)
    full = [away or (f"{n} {s}", town, "MA", setting.zip_code) for away, n, s in here]
    return {
        "OWNER1": owners,
        "OWN_ADDR": [address[0] for address in full],
        "OWN_CITY": [address[1] for address in full],
        "OWN_STATE": [address[2] for address in full],
        "OWN_ZIP": [address[3] for address in full],
    }
