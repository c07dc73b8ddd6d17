"""How often a name is borne in the United States, as a surname and as a given name.

Source: US Census Bureau, "Frequently Occurring Surnames" and "First Names", 1990, public-domain facts
(as distributed with the package ``names`` 0.3.0), cut at 0.001 percent. The lists know few of the names
that came after 1990. Nothing may conclude from a name's absence that it is not a person's.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from importlib import resources

# Frequency from which a given name counts as common, in percent.
COMMON_GIVEN_NAME = 0.02


def _rows(file: str) -> list[dict[str, str]]:
    folder = resources.files("leadflow_assets.domain").joinpath("reference")
    lines = folder.joinpath(file).read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


@cache
def surnames() -> Mapping[str, float]:
    """Percent of persons by surname (capital letters)."""
    return {row["name"]: float(row["percent"]) for row in _rows("surnames.csv")}


@cache
def given_names() -> Mapping[str, tuple[float, float]]:
    """Percent of men and percent of women by given name (capital letters)."""
    return {
        row["name"]: (float(row["male_percent"]), float(row["female_percent"]))
        for row in _rows("given_names.csv")
    }


@cache
def _given_shares() -> Mapping[str, float]:
    return {name: (male + female) / 2 for name, (male, female) in given_names().items()}


@cache
def _common_given_names() -> frozenset[str]:
    return frozenset(name for name, both in given_names().items() if max(both) >= COMMON_GIVEN_NAME)


def surname_percent(name: str) -> float:
    """Percent of persons with this surname (folded); of a compound the more frequent of whole and parts."""
    table = surnames()
    percent = table.get(name)
    if percent is not None:
        return percent
    parts = name.replace("-", " ").split()
    if len(parts) < 2:
        return 0.0
    return max(table.get("".join(parts), 0.0), *(table.get(part, 0.0) for part in parts))


def given_percent(name: str) -> float:
    """Percent of persons with this given name (folded): half of men's plus half of women's."""
    table = _given_shares()
    percent = table.get(name)
    if percent is None:
        return table.get(name.partition("-")[0], 0.0) if "-" in name else 0.0
    return percent


def is_common_given_name(name: str) -> bool:
    """Borne by at least 0.02 percent of men or of women."""
    return name in _common_given_names()
