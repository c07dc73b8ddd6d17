"""The results of a search for the grid: rows as JSON, what each column is, and what is said beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from leadflow_assets.domain.distress.table import load_table
from leadflow_assets.lake.tables import PROPERTIES
from leadflow_assets.search.areas import METRES_PER_MILE
from leadflow_assets.search.case_notes import remark_on_columns
from leadflow_assets.search.columns import CASE_COLUMNS, EXPORT_COLUMNS, SCORE_COLUMNS
from leadflow_assets.search.criteria import SearchCriteria
from leadflow_assets.search.engine import DEFAULT_SORT, Searcher
from leadflow_assets.search.exports.formats import describe_column, kind, label
from leadflow_assets.search.results import TownFreshness
from leadflow_assets.search.score_notes import notes_on_scores
from leadflow_assets.search.selection import DISTANCE, circles
from leadflow_assets.search.statement import NEEDS_LOANS
from leadflow_assets.web.links import parcel_path
from leadflow_assets.web.rendering import day, money, number, percent

BLOCK = 100
# Shown unless somebody chooses others.
USUAL = (
    "site_address",
    "town",
    "score",
    "score_coverage",
    "owner_name",
    "occupancy",
    "use_description",
    "total_value",
    "last_sale_date",
    "last_sale_price",
    "score_reasons",
)
_EQUITY = ("available_equity", "equity_percent", "loan_balance")
_CASES = ("case_types", "case_best_tier", "case_newest")
# What every row needs: its parcel's page and its place.
_ALWAYS = ("property_id", "town_id", "loc_id")
_COVERAGES = ("score_coverage",)
_FIRST_ROWS = 40
_WRITTEN: Mapping[str, Callable[[Any], str]] = {
    "money": money,
    "count": number,
    "decimal": lambda value: number(value, 2),
    "percent": lambda value: f"{number(value, 2)}%",
    "share": percent,
    "distance": lambda value: f"{value / METRES_PER_MILE:.2f} mi",
    "date": day,
    "boolean": lambda value: "Yes" if value else "No",
}


@dataclass(frozen=True)
class Block:
    """Some rows of a result in its order, and how many there are in all."""

    rows: list[dict[str, Any]]
    total: int
    freshness: tuple[TownFreshness, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class FirstTable:
    """``labels`` of the columns; of each row the address of its parcel's page and its texts."""

    labels: list[str]
    rows: list[tuple[str | None, list[str]]]


def columns_to_choose() -> list[dict[str, str]]:
    """Every column of the grid: ``name``, ``label``, ``kind`` (see formats.kind) and ``says``."""
    types = {field.name: field.type for field in PROPERTIES.schema}
    shown = [name for name in EXPORT_COLUMNS if name not in ("town_id", "lon", "lat", "source")]
    found = [
        {
            "name": name,
            "label": _label(name),
            "kind": "share" if name in _COVERAGES else _kind(name, types),
            "says": describe_column(name),
        }
        for name in shown
    ]
    return [*found, {"name": DISTANCE, "label": "Distance", "kind": "distance", "says": "From the center"}]


def usual_columns(criteria: SearchCriteria, towns: int) -> list[str]:
    """The columns that show what was asked; ``towns`` are searched."""
    names = [name for name in USUAL if name != "town" or towns > 1]
    if not set(criteria.filters()).isdisjoint(NEEDS_LOANS):
        names += _EQUITY
    if criteria.asks_for_cases:
        names[3:3] = _CASES
    if circles(criteria):
        names.insert(1, DISTANCE)
    return names


def usual_sort(criteria: SearchCriteria) -> tuple[str, ...]:
    """The nearest first around a place; the highest score first where scores are asked for."""
    if circles(criteria):
        return ("distance",)
    return ("-score",) if criteria.asks_for_scores else DEFAULT_SORT


def read_block(
    searcher: Searcher, criteria: SearchCriteria, sort: Sequence[str], offset: int, columns: Sequence[str]
) -> Block:
    """The rows from ``offset`` on, at most :data:`BLOCK` of them.

    Raises:
        UsageError: an unknown column, or nothing is here to be searched.
    """
    wanted = tuple(dict.fromkeys((*_ALWAYS, *(name for name in columns if name != DISTANCE))))
    if circles(criteria):
        wanted = (*wanted, DISTANCE)
    found = searcher.search(criteria, sort=sort, limit=BLOCK, offset=offset, columns=wanted)
    return Block([_row(row) for row in found.rows.to_pylist()], found.total, found.freshness, found.notes)


def remarks(searcher: Searcher, criteria: SearchCriteria, block: Block) -> list[str]:
    """What a person must know: what was not searched, is not covered, or is not known."""
    told = list(block.notes)
    if not criteria.asks_for_scores:
        told += notes_on_scores(searcher.scores, block.freshness)
    if not criteria.asks_for_cases:
        told += remark_on_columns(searcher.cases)
    return [_without_columns(text) for text in told]


def first_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> FirstTable:
    """The first rows as plain text: what is on the screen before a script runs, or where none does."""
    known = {column["name"]: column for column in columns_to_choose()}
    shown = [known[name] for name in columns if name in known]
    lines = [
        (row.get("href"), [_text(row.get(column["name"]), column["kind"]) for column in shown])
        for row in rows[:_FIRST_ROWS]
    ]
    return FirstTable([column["label"] for column in shown], lines)


def _text(value: Any, kind: str) -> str:
    if value is None:
        return ""
    if kind in _WRITTEN:
        return _WRITTEN[kind](value)
    return str(value).replace("_", " ") if kind == "words" else str(value)


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: value for name, value in row.items() if value is not None}
    if reasons := row.get("score_reasons"):
        factors = load_table().by_name
        names = reasons.split(", ")
        shown["score_reasons"] = "; ".join(
            factors[name].words if name in factors else name.replace("_", " ") for name in names
        )
    shown["href"] = parcel_path(row["town_id"], row["loc_id"]) if row["loc_id"] else None
    return shown


def _kind(name: str, types: Mapping[str, pa.DataType]) -> str:
    if name in types:
        return "words" if name in ("occupancy", "owner_type", "category") else kind(name, types[name])
    numbers = {"case_count": "count", "score": "decimal", "score_high": "decimal", "score_signals": "count"}
    assert name in CASE_COLUMNS or name in SCORE_COLUMNS
    if name in ("case_newest", "score_as_of"):
        return "date"
    return numbers.get(name, "words" if name != "score_reasons" else "text")


def _label(name: str) -> str:
    known = {
        "site_address": "Address",
        "owner_name": "Owner",
        "use_description": "Use",
        "occupancy": "Owner lives",
        "total_value": "Value",
        "last_sale_date": "Last sale",
        "last_sale_price": "Sale price",
        "score_coverage": "Score known",
        "score_reasons": "Reasons",
        "case_types": "Court cases",
        "case_best_tier": "Surest case",
        "case_newest": "Newest case",
    }
    return known.get(name, label(name))


def _without_columns(text: str) -> str:
    return text.replace("case_* columns", "columns of court cases")
