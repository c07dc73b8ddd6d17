"""One score, line by line, for any day: reckoned anew from what was here then, by the code of the table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from leadflow_assets.domain.distress import UNCALIBRATED
from leadflow_assets.domain.distress.table import CURRENT, ScoreTable, load_table
from leadflow_assets.domain.local_days import end_of_day
from leadflow_assets.domain.towns import town_by_id
from leadflow_assets.enrich.scores.inputs import Inputs, open_database, read_asked, read_inputs, relation
from leadflow_assets.enrich.scores.rows import score_rows
from leadflow_assets.enrich.scores.service import before_data, known_day, nothing_of
from leadflow_assets.enrich.scoring import database
from leadflow_assets.errors import UsageError
from leadflow_assets.lake.lake import Lake
from leadflow_assets.settings import Settings


@dataclass(frozen=True)
class PublishedScore:
    """What mart/distress_scores says of the property: the same within a point, unless data came since."""

    asof: date
    score: float | None


@dataclass(frozen=True)
class Explanation:
    """The score of a property at a day: ``row`` as in mart/distress_scores, ``table`` with the words for it.

    ``courts_covered`` are the types of cases whose sources were asked; None for a past day, of which that is
    not known. ``label`` says what the number is worth.
    """

    row: Mapping[str, Any]
    table: ScoreTable
    published: PublishedScore | None
    courts_covered: tuple[str, ...] | None
    label: str = UNCALIBRATED

    def document(self) -> dict[str, Any]:
        """Everything as JSON values may say it."""
        published = self.published
        return {
            **self.row,
            "label": self.label,
            "courts_covered": self.courts_covered,
            "published": {"as_of": published.asof, "score": published.score} if published else None,
        }


def explain(
    settings: Settings, property_id: str, *, asof: date | None = None, table_version: str | None = None
) -> Explanation:
    """Score one property as of a day (default: today in Massachusetts) from what had been published by then.

    Raises:
        UsageError: there is no such property; the day is still to come, or before any data of its town; what
            was here was made by an older version.
    """
    lake, table, day = Lake(settings), load_table(table_version or CURRENT), known_day(asof)
    now = read_inputs(lake, day, table)
    town = _town_of(now, property_id)
    past = day != known_day(None)
    inputs = read_inputs(lake, day, table, end_of_day(day).isoformat()) if past else now
    if town in inputs.older:
        raise UsageError(
            f"What was here of {town_by_id(town).name} on {day} is of an older version, which is not read.",
            "Give a later day, or leave --as-of out.",
        )
    if town not in inputs.properties:
        raise before_data(town, now.properties[town], day)
    with open_database(inputs) as reader, database() as scoring:
        asked = read_asked(reader)
        rows = score_rows(reader, scoring, inputs, [town], asked, day, table, property_id=property_id)
        if not rows.num_rows:
            raise _no_such(property_id)
        published = _published(reader, now, town, property_id)
    covered = None if past else tuple(sorted(inputs.covered))
    return Explanation(rows.to_pylist()[0], table, published, covered)


def _town_of(inputs: Inputs, property_id: str) -> int:
    town = property_id.partition("-")[0]
    number = int(town) if town.isascii() and town.isdigit() else 0
    if number in inputs.older:
        raise nothing_of(number, older=True)
    if number not in inputs.properties:
        raise _no_such(property_id)
    return number


def _no_such(property_id: str) -> UsageError:
    return UsageError(f"There is no property {property_id} here.", "Find it with `leadflow search`.")


def _published(
    reader: duckdb.DuckDBPyConnection, inputs: Inputs, town: int, property_id: str
) -> PublishedScore | None:
    source = relation(inputs.lake, [inputs.published[town]]) if town in inputs.published else None
    if source is None:
        return None
    found = reader.execute(
        f"SELECT as_of, score FROM {source} WHERE property_id = ?", [property_id]
    ).fetchone()
    return PublishedScore(*found) if found else None
