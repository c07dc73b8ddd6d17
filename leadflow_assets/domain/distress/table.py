"""The points table of the distress score: read from TOML, checked rule by rule, named by its hash.

Tables are data and stay: a score stored with version and hash can be made again. Source of the points of
``distress-1.0.0``: the project's sheet on the distress score, section 3.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from typing import Any, Final, Literal

from leadflow_assets.errors import LeadflowError, UsageError

CURRENT: Final = "distress-1.0.0"
HIGHEST: Final = 100.0
SHOWN_HASH: Final = 12
# Hashes under which versions were released: an edited table must not pass for the one that was.
RELEASED: Final[Mapping[str, str]] = {
    "distress-1.0.0": "3677efeced07c52c252bcd3fdf6fc8533ab1ff502660dc9eab2c70dccf257653",
}
_VERSION = re.compile(r"distress-\d+\.\d+\.\d+")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_GROUP_KEYS = frozenset({"name", "words", "cap", "combine", "factors"})
_FACTOR_KEYS = frozenset({"name", "words", "points", "half_life_months", "exclusive", "scheduled"})

Combine = Literal["max", "sum"]


class ScoreTableError(LeadflowError):
    """A points table breaks a rule; the message names the rule and where."""


@dataclass(frozen=True, slots=True)
class Factor:
    """One kind of signal: its points at age 0, and after how many months half of them are left.

    ``exclusive``: of the factors of a group with one such word, one can be true at a time. ``scheduled``: its
    date may lie ahead.
    """

    name: str
    words: str
    group: str
    points: float
    half_life_months: float | None
    exclusive: str | None
    scheduled: bool


@dataclass(frozen=True)
class Group:
    """Factors that tell of one thing: the strongest counts (``max``), or their sum, up to the cap."""

    name: str
    words: str
    cap: float
    combine: Combine
    factors: tuple[Factor, ...]

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of its factors."""
        return frozenset(factor.name for factor in self.factors)

    @cached_property
    def kinds(self) -> Mapping[str, frozenset[str]]:
        """Names of factors that exclude each other, by their word."""
        words = {factor.exclusive for factor in self.factors if factor.exclusive}
        return {w: frozenset(f.name for f in self.factors if f.exclusive == w) for w in words}

    @cached_property
    def most_of_all(self) -> float:
        """The most points that its factors can give before the cap."""
        return self.most(self.names)

    def most(self, names: frozenset[str]) -> float:
        """The most points that these of its factors can give before the cap."""
        chosen = [factor for factor in self.factors if factor.name in names]
        if self.combine == "max":
            return max((factor.points for factor in chosen), default=0.0)
        best: dict[str, float] = {}
        for factor in chosen:
            slot = factor.exclusive or f"={factor.name}"
            best[slot] = max(best.get(slot, 0.0), factor.points)
        return sum(best.values())


@dataclass(frozen=True)
class ScoreTable:
    """A checked points table. The order of groups and factors is part of it: it breaks ties."""

    version: str
    groups: tuple[Group, ...]

    @cached_property
    def factors(self) -> tuple[Factor, ...]:
        """All factors, in the fixed order."""
        return tuple(factor for group in self.groups for factor in group.factors)

    @cached_property
    def by_name(self) -> Mapping[str, Factor]:
        """Factors by their names."""
        return {factor.name: factor for factor in self.factors}

    @cached_property
    def caps(self) -> float:
        """The sum of the caps: what coverage is measured against."""
        return sum(group.cap for group in self.groups)

    @cached_property
    def full_hash(self) -> str:
        """SHA-256 of the groups as canonical JSON (sorted keys, no blanks); words are not in it."""
        groups = [
            {
                "name": group.name,
                "cap": group.cap,
                "combine": group.combine,
                "factors": [
                    {
                        "name": factor.name,
                        "points": factor.points,
                        "half_life_months": factor.half_life_months,
                        "exclusive": factor.exclusive,
                        "scheduled": factor.scheduled,
                    }
                    for factor in group.factors
                ],
            }
            for group in self.groups
        ]
        text = json.dumps(groups, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def hash(self) -> str:
        """The first 12 hex digits of :attr:`full_hash`."""
        return self.full_hash[:SHOWN_HASH]


def versions() -> tuple[str, ...]:
    """Versions that come with the package, oldest first."""
    found = [entry.name.removesuffix(".toml") for entry in _folder().iterdir() if _is_table(entry.name)]
    return tuple(sorted(found, key=lambda name: [int(part) for part in name[9:].split(".")]))


@cache
def load_table(version: str = CURRENT) -> ScoreTable:
    """A table that comes with the package.

    Raises:
        UsageError: there is no such version.
        ScoreTableError: the file breaks a rule, or is not what was released under its version.
    """
    if version not in versions():
        raise UsageError(
            f"There is no points table {version!r}.", f"Known versions: {', '.join(versions())}."
        )
    text = _folder().joinpath(f"{version}.toml").read_text(encoding="utf-8")
    table = parse_table(text, f"{version}.toml")
    if table.version != version:
        raise _broken(f"{version}.toml", f"the version inside ({table.version}) is that of the file's name")
    released = RELEASED.get(version)
    if released is not None and table.full_hash != released:
        raise _broken(
            f"{version}.toml",
            "a change of a point, cap, mode or half-life needs a new version: the table's hash is "
            f"{table.hash}, {version} was released with {released[:SHOWN_HASH]}",
        )
    return table


def parse_table(text: str, where: str = "the points table") -> ScoreTable:
    """Read and check a table; ``where`` names it in errors.

    Raises:
        ScoreTableError: it is no TOML, or breaks a rule; the message names the first broken rule.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScoreTableError(
            f"{where} is no TOML: {error}.", "Compare it with a table that works."
        ) from error
    _keys(raw, frozenset({"version", "groups"}), where)
    version = raw.get("version")
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise _broken(where, "version is distress-MAJOR.MINOR.PATCH")
    groups = tuple(_group(entry, where) for entry in _entries(raw, "groups", where))
    _once([group.name for group in groups], f"{where}, groups")
    _once([factor.name for group in groups for factor in group.factors], f"{where}, factors")
    return ScoreTable(version, groups)


def _group(raw: Any, where: str) -> Group:
    name = _word(raw, "name", f"{where}, a group")
    here = f"{where}, group {name}"
    _keys(raw, _GROUP_KEYS, here)
    cap = _positive(raw, "cap", here)
    combine = raw.get("combine")
    if combine not in ("max", "sum"):
        raise _broken(here, "combine is max or sum")
    factors = tuple(_factor(entry, name, here) for entry in _entries(raw, "factors", here))
    for factor in factors:
        if factor.points > cap:
            raise _broken(
                f"{here}, factor {factor.name}",
                f"points ({factor.points:g}) are at most the group's cap ({cap:g})",
            )
    group = Group(name, _words(raw, here), cap, combine, factors)
    if group.most_of_all < cap:
        raise _broken(
            here,
            f"the cap ({cap:g}) can be reached by its factors (they give {group.most_of_all:g}); "
            "an interval would promise points that nothing can give",
        )
    return group


def _factor(raw: Any, group: str, where: str) -> Factor:
    name = _word(raw, "name", f"{where}, a factor")
    here = f"{where}, factor {name}"
    _keys(raw, _FACTOR_KEYS, here)
    scheduled = raw.get("scheduled", False)
    if not isinstance(scheduled, bool):
        raise _broken(here, "scheduled is true or false")
    return Factor(
        name,
        _words(raw, here),
        group,
        _positive(raw, "points", here),
        _positive(raw, "half_life_months", here) if "half_life_months" in raw else None,
        _word(raw, "exclusive", here) if "exclusive" in raw else None,
        scheduled,
    )


def _entries(raw: Mapping[str, Any], key: str, where: str) -> list[Any]:
    entries = raw.get(key)
    if not isinstance(entries, list) or not entries or not all(isinstance(e, dict) for e in entries):
        raise _broken(where, f"{key} is a list of at least one table")
    return entries


def _keys(raw: Mapping[str, Any], allowed: frozenset[str], where: str) -> None:
    unknown = sorted(set(raw) - allowed)
    if unknown:
        raise _broken(where, f"its keys are {', '.join(sorted(allowed))} (found {', '.join(unknown)})")


def _word(raw: Mapping[str, Any], key: str, where: str) -> str:
    value = raw.get(key)
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise _broken(where, f"{key} is a word of small letters, digits and _")
    return value


def _words(raw: Mapping[str, Any], where: str) -> str:
    value = raw.get("words")
    if not isinstance(value, str) or not value.strip():
        raise _broken(where, "words says in plain English what it is")
    return value


def _positive(raw: Mapping[str, Any], key: str, where: str) -> float:
    value = raw.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= sys.float_info.max:
        raise _broken(where, f"{key} is a number above 0 (found {value!r:.30})")
    return float(value)


def _once(names: list[str], where: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise _broken(where, f"each name stands once (twice: {', '.join(twice)})")


def _broken(where: str, rule: str) -> ScoreTableError:
    return ScoreTableError(f"{where} breaks the rule: {rule}.", "Correct the table and load it again.")


def _folder() -> Any:
    return resources.files("leadflow_assets.domain.distress").joinpath("tables")


def _is_table(name: str) -> bool:
    return name.endswith(".toml") and bool(_VERSION.fullmatch(name.removesuffix(".toml")))
