"""The rules of :mod:`values` as DuckDB expressions, so that files are read at the speed of the engine.

Each kind is two steps, since SQL has no local names: ``parse`` turns a VARCHAR column into a number, a date
or words, ``keep`` turns what was parsed into the value or null. A test holds both readings together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_NUMBER = r"[+-]?\$?\s?(\d{1,3}(,\d{3})+|\d+)?(\.\d*)?"
# How nearly all cells are written; these need no cleaning.
_PLAIN_NUMBER = r"-?\d+(\.\d+)?"
_TIME = r"([T ]\d{1,2}:\d{2}.*)?"
_ISO = r"\d{4}-\d{1,2}-\d{1,2}"
_SLASHED = r"\d{1,2}/\d{1,2}/\d{4}"
_SHORT = r"\d{1,2}/\d{1,2}/\d{2}"


def _is_one_of(x: str, *words: str) -> str:
    """Is it one of some words, in any case? An IN would become a join, made for all rows before any CASE."""
    listed = ", ".join(f"'{word}'" for word in words)
    return f"list_contains([{listed}], lower(trim({x})))"


@dataclass(frozen=True)
class Kind:
    """How a column is read: ``keep(parse(column))``."""

    parse: Callable[[str], str]
    keep: Callable[[str], str]

    def sql(self, column: str) -> str:
        """Both steps in one expression; for tests and single columns."""
        return f"(SELECT {self.keep('p')} FROM (SELECT {self.parse(column)} AS p))"


def _words(x: str) -> str:
    """Words with single spaces; null for the ways to say nothing."""
    spaced = f"contains({x}, '  ') OR contains({x}, chr(9))"
    clean = f"strlen({x}) > 4 AND NOT ({spaced} OR starts_with({x}, ' ') OR ends_with({x}, ' '))"
    nothing = _is_one_of(x, "", "-1", "null", "none", "n/a", "{}")
    single = f"trim(regexp_replace({x}, '\\s+', ' ', 'g'))"
    return (
        f"CASE WHEN {clean} THEN {x} WHEN {nothing} THEN NULL "
        f"WHEN {spaced} THEN nullif({single}, '') ELSE trim({x}) END"
    )


def _number(x: str) -> str:
    """A number of any written form, 0 and -1 included."""
    bare = f"replace(replace(replace(trim({x}), '$', ''), ',', ''), ' ', '')"
    written = f"{x} <> '' AND regexp_full_match(trim({x}), '{_NUMBER}')"
    return (
        f"CASE WHEN regexp_full_match({x}, '{_PLAIN_NUMBER}') THEN TRY_CAST({x} AS DOUBLE) "
        f"WHEN {written} THEN TRY_CAST({bare} AS DOUBLE) END"
    )


def _date(x: str) -> str:
    """A date in one of the vendor's forms."""
    d = f"trim({x})"
    return (
        f"CASE WHEN {x} = '' THEN NULL WHEN regexp_full_match({x}, '{_ISO}') THEN TRY_CAST({x} AS DATE) "
        f"WHEN regexp_full_match({d}, '{_ISO}{_TIME}') THEN TRY_CAST(regexp_extract({d}, '^{_ISO}') AS DATE) "
        f"WHEN regexp_full_match({d}, '{_SLASHED}{_TIME}') "
        f"THEN CAST(try_strptime(regexp_extract({d}, '^{_SLASHED}'), '%m/%d/%Y') AS DATE) "
        f"WHEN regexp_full_match({d}, '{_SHORT}{_TIME}') "
        f"THEN CAST(try_strptime(regexp_extract({d}, '^{_SHORT}'), '%m/%d/%y') AS DATE) "
        f"WHEN regexp_full_match({d}, '\\d{{8}}{_TIME}') "
        f"THEN CAST(try_strptime(left({d}, 8), '%Y%m%d') AS DATE) END"
    )


def _truth(x: str) -> str:
    """Yes or no."""
    return (
        f"CASE WHEN {_is_one_of(x, 'true', 't', 'yes', 'y', '1')} THEN true "
        f"WHEN {_is_one_of(x, 'false', 'f', 'no', 'n', '0')} THEN false END"
    )


def _occupied(x: str) -> str:
    """Does the owner live there?"""
    word = f"upper(trim({x}))"
    return (
        f"CASE WHEN {word} = 'O' OR starts_with({word}, 'OWNER OCC') OR starts_with({word}, 'OCCUPIED') "
        f"THEN true WHEN {word} = 'A' OR starts_with({word}, 'ABSENTEE') THEN false ELSE {_truth(x)} END"
    )


def _rounded(condition: str) -> Callable[[str], str]:
    """Whole numbers, half away from zero, where the number keeps the condition."""
    return lambda p: (
        f"CASE WHEN {condition.format(p=p)} AND abs({p}) < 9.2e18 THEN CAST(round({p}) AS BIGINT) END"
    )


def _finite(condition: str) -> Callable[[str], str]:
    return lambda p: f"CASE WHEN isfinite({p}) AND {condition.format(p=p)} THEN {p} END"


def _as_is(p: str) -> str:
    return p


KINDS: dict[str, Kind] = {
    "text": Kind(_words, _as_is),
    "number": Kind(_number, _finite("{p} <> -1 AND {p} <> 0")),
    "number0": Kind(_number, _finite("{p} <> -1")),
    "amount": Kind(_number, _rounded("{p} >= 0.5")),
    "amount0": Kind(_number, _rounded("{p} > -0.5")),
    "signed0": Kind(_number, _rounded("{p} <> -1")),
    "rate": Kind(_number, _finite("{p} > 0 AND {p} < 100")),
    "year": Kind(_number, _rounded("{p} >= 1599.5 AND {p} < 2100.5")),
    "day": Kind(
        _date,
        lambda p: (
            f"CASE WHEN year({p}) >= 1600 AND {p} <> DATE '1900-01-01' AND {p} <> DATE '1901-01-01' "
            f"THEN {p} END"
        ),
    ),
    "flag": Kind(_truth, _as_is),
    # The absence of a mark proves nothing: only a set one is kept.
    "mark": Kind(_truth, lambda p: f"nullif({p}, false)"),
    "occupied": Kind(_occupied, _as_is),
}
