"""Use codes: what a Massachusetts assessor's class code means, in this town.

Three digits from the Department of Revenue, an optional fourth character of the town's own. A code means
what its town says first, then what the state says, then what its first three characters say. Boston has
a scheme of its own that contradicts the state's in places. Leading zeros are part of a code.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources

BOSTON_ID = 35

CATEGORY_BY_FIRST_DIGIT = {
    "0": "mixed",
    "1": "residential",
    "2": "open_space",
    "3": "commercial",
    "4": "industrial",
    "5": "personal_property",
    "6": "forest",
    "7": "agricultural",
    "8": "recreational",
    "9": "exempt",
}
UNKNOWN = "unknown"
CATEGORIES = (*CATEGORY_BY_FIRST_DIGIT.values(), UNKNOWN)
SOURCES = ("town", "boston", "state", "shipped", "first_three", UNKNOWN)

# Dwelling units by class: lowest and highest (None: no limit). MassGIS sheet and DOR classification.
_STATE_UNITS: Mapping[str, tuple[int, int | None]] = {
    "101": (1, 1),
    "102": (1, 1),
    "104": (2, 2),
    "105": (3, 3),
    "111": (4, 8),
    "112": (9, None),
}
_BOSTON_UNITS: Mapping[str, tuple[int, int | None]] = {
    **_STATE_UNITS,
    "025": (1, 1),
    "026": (2, 2),
    "027": (3, 3),
    "111": (4, 6),
    "112": (7, 30),
    "113": (31, 99),
    "114": (100, None),
}
# Boston's assessing department: occupancy codes that differ from the state's.
_BOSTON: Mapping[str, str] = {
    "012": "Mixed use, residential and open land",
    "013": "Mixed use, residential and commercial",
    "019": "Mixed use, residential and exempt",
    "025": "Residential and commercial, one dwelling",
    "026": "Residential and commercial, two dwellings",
    "027": "Residential and commercial, three dwellings",
    "031": "Mixed use, commercial and residential",
    "108": "Condominium parking space",
    "111": "Apartments, 4 to 6 units",
    "112": "Apartments, 7 to 30 units",
    "113": "Apartments, 31 to 99 units",
    "114": "Apartments, 100 units or more",
    "125": "Subsidized housing",
    "126": "Subsidized housing",
    "127": "Subsidized housing",
    "901": "Exempt: Commonwealth of Massachusetts",
    "902": "Exempt: City of Boston",
    "907": "Exempt: Chapter 121A",
    "908": "Exempt: Boston Housing Authority",
    "995": "Condominium main record",
}
# "Other, Open Space" in the state's list, the master record of a condominium in many towns.
CONDOMINIUM_MASTER_CODES = frozenset({"995", "9950", "996", "199"})


@dataclass(frozen=True)
class UseCodeMeaning:
    """What one code means in one town.

    ``resolved_from`` is one of :data:`SOURCES`; ``units_low`` and ``units_high`` are dwelling units that
    the code implies (``units_high`` None with ``units_low`` set: no upper limit).
    """

    code: str
    description: str | None
    state_description: str | None
    local_description: str | None
    resolved_from: str
    category: str
    units_low: int | None
    units_high: int | None


@cache
def shipped_state_codes() -> Mapping[str, str]:
    """The state's codes that come with this package, three characters and four (a zero on the right)."""
    text = resources.files(__package__).joinpath("reference/use_codes.csv").read_text(encoding="utf-8")
    codes: dict[str, str] = {}
    for row in csv.DictReader(text.splitlines()):
        codes[row["code"]] = row["description"]
        if row["code"] != "000":
            codes[row["code"] + "0"] = row["description"]
    return codes


@lru_cache(maxsize=8192)
def normalize(code: str | None) -> str | None:
    """Upper case without blanks; one or two digits get the zeros back that a spreadsheet ate."""
    if code is None or not (text := re.sub(r"\s+", "", code).upper()):
        return None
    return text.zfill(3) if text.isascii() and text.isdigit() else text


def resolve(code: str, *, town_id: int, local: Mapping[str, str], state: Mapping[str, str]) -> UseCodeMeaning:
    """What ``code`` (normalized) means in a town, given the town's and the state's rows of its table."""
    stem = code[:3]
    return _resolve(
        code, town_id == BOSTON_ID, local.get(code), local.get(stem), state.get(code), state.get(stem)
    )


# Six hundred state codes are the same in every town.
@lru_cache(maxsize=8192)
def _resolve(
    code: str,
    in_boston: bool,
    local: str | None,
    local_stem: str | None,
    state: str | None,
    state_stem: str | None,
) -> UseCodeMeaning:
    stem = code[:3]
    shipped = shipped_state_codes()
    boston = _BOSTON if in_boston else {}
    padded = stem if len(code) == 4 and code.endswith("0") else code  # 1110 is 111, padded on the right
    candidates = (
        ("town", local),
        ("boston", boston.get(padded)),
        ("state", state),
        ("shipped", shipped.get(code)),
        ("first_three", local_stem or boston.get(stem) or state_stem or shipped.get(stem)),
    )
    source, description = next(((s, d) for s, d in candidates if d), (UNKNOWN, None))
    low, high = _units(stem, in_boston, source)
    return UseCodeMeaning(
        code=code,
        description=description,
        state_description=state or shipped.get(code),
        local_description=local,
        resolved_from=source,
        category=category(code, town_id=BOSTON_ID if in_boston else 0),
        units_low=low,
        units_high=high,
    )


def _units(stem: str, in_boston: bool, source: str) -> tuple[int | None, int | None]:
    table = _BOSTON_UNITS if in_boston else _STATE_UNITS
    return table.get(stem, (None, None)) if source != UNKNOWN else (None, None)


def category(code: str, *, town_id: int) -> str:
    """The property class by the code's first digit; 000 and codes without a digit are unknown."""
    if code in ("000", "0000"):
        return UNKNOWN
    if town_id == BOSTON_ID and code[:3] in ("025", "026", "027"):
        return "mixed"
    return CATEGORY_BY_FIRST_DIGIT.get(code[:1], UNKNOWN)
