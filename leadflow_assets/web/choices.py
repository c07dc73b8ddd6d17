"""What the form of a search offers: values and the words people know them by."""

from __future__ import annotations

from functools import cache

from leadflow_assets.domain.courts.kinds import ACTION_TYPES, CASE_TYPES, LIEN_TYPES
from leadflow_assets.domain.distress.table import load_table
from leadflow_assets.domain.use_codes import CATEGORIES
from leadflow_assets.search.criteria import ANY_CASE, SEARCHED_OWNER_TYPES

Choice = tuple[str, str]

# The classes of dwellings that people ask for by name (Department of Revenue, property type codes).
DWELLINGS: tuple[Choice, ...] = (
    ("101", "Single family"),
    ("102", "Condominium"),
    ("104", "Two-family"),
    ("105", "Three-family"),
    ("109", "Several houses on one lot"),
    ("111", "4 to 8 units"),
    ("112", "More than 8 units"),
    ("013", "Mixed, mostly residential"),
    ("130", "Vacant land, developable"),
)
FORMAT_WORDS = {
    "xlsx": "Excel workbook",
    "csv": "CSV in a ZIP file",
    "geojson": "GeoJSON",
    "geoparquet": "GeoParquet",
    "map": "map, one page",
}
OCCUPANCY: tuple[Choice, ...] = (
    ("any", "Owner lives elsewhere"),
    ("in_state", "Elsewhere in Massachusetts"),
    ("out_of_state", "Out of state"),
)


@cache
def owner_types() -> tuple[Choice, ...]:
    """Kinds of owners."""
    return tuple((name, _words(name)) for name in SEARCHED_OWNER_TYPES)


@cache
def categories() -> tuple[Choice, ...]:
    """Categories of use."""
    return tuple((name, _words(name)) for name in CATEGORIES)


@cache
def cases() -> tuple[Choice, ...]:
    """Types of court cases, then of legal actions where they are named otherwise."""
    types = [(name, _first_upper(kind.words)) for name, kind in CASE_TYPES.items()]
    actions = [(name, _words(name)) for name in ACTION_TYPES if name not in CASE_TYPES]
    return ((ANY_CASE, "Any case"), *types, *actions)


@cache
def lien_types() -> tuple[Choice, ...]:
    """Types of liens."""
    return tuple((name, _words(name)) for name in LIEN_TYPES)


@cache
def signals() -> tuple[tuple[str, tuple[Choice, ...]], ...]:
    """Signals of the distress score under their groups; the group itself comes first."""
    return tuple(
        (
            _words(group.name),
            (
                (group.name, f"Any: {_words(group.name).lower()}"),
                *((factor.name, _first_upper(factor.words)) for factor in group.factors),
            ),
        )
        for group in load_table().groups
    )


def _words(name: str) -> str:
    return _first_upper(name.replace("_", " "))


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]
