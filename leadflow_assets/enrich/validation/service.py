"""Validation: scores of past days against what happened afterwards, as far as that can be known.

Nothing of a later day enters a score. Every property counts once for a label, on the last day whose outcome
is observed. Properties that the score does not apply to, and those of which nothing is known, are left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Final

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadflow_assets.domain.distress.record import SCORED
from leadflow_assets.domain.distress.table import CURRENT, ScoreTable, load_table
from leadflow_assets.domain.local_days import local_day
from leadflow_assets.domain.towns import town_by_id
from leadflow_assets.enrich.scores.inputs import open_database, read_asked, read_inputs
from leadflow_assets.enrich.scoring import database
from leadflow_assets.enrich.validation.cohorts import (
    KNOWN_FROM,
    Cohort,
    KnownFrom,
    Release,
    cohorts,
    releases,
)
from leadflow_assets.enrich.validation.labels import (
    LABELS,
    NOT_OBSERVED,
    OBSERVED_YES,
    Foreclosures,
    Label,
    Later,
    Outcomes,
    foreclosures,
    read_foreclosures,
    transfers,
)
from leadflow_assets.enrich.validation.report import LabelReport, Observed, ValidationReport, label_report
from leadflow_assets.enrich.validation.statistics import RESAMPLES
from leadflow_assets.errors import UsageError
from leadflow_assets.lake.lake import Lake
from leadflow_assets.settings import Settings

_LATER: Final = ["property_id", "last_sale_date", "sale_is_nominal", "sale_is_bulk", "owners"]
_SEEN: Final = ("property_id", "town_id", "owner_type", "score", "coverage", "factors")
NO_LATER_ROLL: Final = (
    "no release is here whose sales are complete for the whole window after an earlier one: a fiscal year's "
    "roll has all sales until the 1 January before it begins"
)
NO_FORECLOSURES: Final = (
    "no source lists foreclosures in Massachusetts completely. It becomes possible where ATTOM is asked "
    "again a year later, or with imported deeds that are stated to be complete (--deeds-complete FROM:TO)"
)


def validate(
    settings: Settings,
    *,
    towns: Collection[int] | None = None,
    known_from: KnownFrom = "ingested",
    table_version: str | None = None,
    deeds_complete: tuple[date, date] | None = None,
    resamples: int = RESAMPLES,
) -> ValidationReport:
    """Validate a table of points on all towns of the lake, or on these (ids).

    ``known_from`` is explained in ``cohorts``. ``deeds_complete`` states for which days the imported
    foreclosure deeds are complete. Needs no network and changes nothing.

    Raises:
        UsageError: no such table; nothing is here; a time that ends before it begins.
    """
    if known_from not in KNOWN_FROM:
        raise UsageError(f"There is no {known_from!r}.", f"Known: {', '.join(KNOWN_FROM)}.")
    if deeds_complete is not None and deeds_complete[0] >= deeds_complete[1]:
        raise UsageError("The deeds' time ends before it begins.", "Write --deeds-complete FROM:TO.")
    today = local_day(datetime.now(UTC))
    if deeds_complete is not None and deeds_complete[1] > today:
        raise UsageError(
            f"The deeds' time ends on {deeds_complete[1]}, which is still to come: nobody has its deeds.",
            "Give the last day that the imported deeds cover.",
        )
    lake, table = Lake(settings), load_table(table_version or CURRENT)
    found, without = releases(lake, known_from)
    chosen = [one for one in found if towns is None or one.town_id in towns]
    if not chosen and not without:
        raise UsageError(
            "There is no release of any of these towns here.", "Fetch one: leadflow refresh TOWN."
        )
    run = _Run(lake, table, known_from, _known(lake, table, deeds_complete))
    with database() as scoring:
        by_town: dict[int, list[Release]] = defaultdict(list)
        for release in chosen:
            by_town[release.town_id].append(release)
        for town in sorted(by_town):
            run.add_town(by_town[town], scoring)
    reports = tuple(run.label_report(label, resamples) for label in LABELS)
    return ValidationReport(
        table.version,
        table.hash,
        known_from,
        len(chosen),
        run.cohorts,
        len(run.properties),
        reports,
        tuple(_notes(known_from, without, reports)),
    )


def _known(lake: Lake, table: ScoreTable, complete: tuple[date, date] | None) -> Foreclosures:
    inputs = read_inputs(lake, local_day(datetime.now(UTC)), table)
    with open_database(inputs) as reader:
        return read_foreclosures(reader, inputs, read_asked(reader), complete)


@dataclass
class _Gathered:
    """The outcomes of one label so far: parts with rows, places and outcomes, newest day last."""

    parts: list[tuple[pa.Table, Outcomes]] = field(default_factory=list)
    days: set[date] = field(default_factory=set)
    not_observed: int = 0


class _Run:
    """Goes through the towns, and keeps what the report is made of."""

    def __init__(self, lake: Lake, table: ScoreTable, known_from: KnownFrom, known: Foreclosures) -> None:
        self._lake, self._table, self._known_from, self._known = lake, table, known_from, known
        self._gathered = {label: _Gathered() for label in LABELS}
        self.cohorts = 0
        self.properties: set[str] = set()

    def add_town(self, town_releases: Sequence[Release], scoring: duckdb.DuckDBPyConnection) -> None:
        """Score each release of a town as of its day and look at what came after it."""
        made = list(cohorts(self._lake, town_releases, self._table, scoring, self._known_from))
        later = [Later(one.release, one.rows.select(_LATER)) for one in made]
        for cohort in made:
            self._add(cohort, [one for one in later if one.release.known_on > cohort.release.known_on])

    def _add(self, cohort: Cohort, after: Sequence[Later]) -> None:
        rows = cohort.rows.filter(pc.equal(cohort.rows["state"], SCORED))
        self.cohorts += 1
        self.properties |= set(rows["property_id"].to_pylist())
        asof = cohort.release.known_on
        for label, gathered in self._gathered.items():
            if label.kind == "transfer":
                outcomes = transfers(label, asof, rows, after)
            else:
                outcomes = foreclosures(label, asof, rows["property_id"].to_pylist(), self._known)
            seen = outcomes != NOT_OBSERVED
            gathered.not_observed += int((~seen).sum())
            if seen.any():
                gathered.parts.append((rows.select(_SEEN).filter(pa.array(seen)), outcomes[seen]))
                gathered.days.add(asof)

    def label_report(self, label: Label, resamples: int) -> LabelReport:
        """The report of one label from all towns."""
        gathered = self._gathered[label]
        observed = _once(gathered.parts)
        towns = {int(town): town_by_id(int(town)).name for town in np.unique(_towns(observed))}
        why_not = None
        if not len(observed.events):
            why_not = NO_LATER_ROLL if label.kind == "transfer" else NO_FORECLOSURES
        return label_report(
            label,
            observed,
            towns,
            cohorts=sorted(gathered.days),
            not_observed=gathered.not_observed,
            why_not=why_not,
            resamples=resamples,
        )


def _towns(observed: Observed) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    return np.asarray(observed.rows["town_id"].to_numpy(), np.int32)


def _once(parts: Iterable[tuple[pa.Table, Outcomes]]) -> Observed:
    """Each property once: as it was on the last day with an observed outcome."""
    made = list(parts)
    if not made:
        schema = [("property_id", pa.string()), ("town_id", pa.int32())]
        return Observed(pa.schema(schema).empty_table(), np.zeros(0, bool))
    rows = pa.concat_tables([rows for rows, _ in made])
    events = np.concatenate([outcomes for _, outcomes in made]) == OBSERVED_YES
    last: Mapping[str, int] = {name: place for place, name in enumerate(rows["property_id"].to_pylist())}
    places = np.array(sorted(last.values()))
    return Observed(rows.take(pa.array(places)), events[places])


def _notes(known_from: KnownFrom, without: int, reports: Sequence[LabelReport]) -> list[str]:
    notes = [
        "A backtest of distress proper needs dated foreclosure and tax labels of Massachusetts, which no "
        "open source has: a transfer is no distress, and many sales are none.",
    ]
    if known_from == "published":
        notes.append(
            "Releases count as known from their source's day, cases from the day they were filed. Cases are "
            "tied to the owners of today, so that those of an owner who has sold since may be missing."
        )
    else:
        notes.append(
            "Only what had come into this lake by a day is used for it: a release fetched later counts from "
            "then. With --known-from published it counts from its source's day."
        )
    if without:
        notes.append(f"{without} releases have no day of their source and are left out.")
    for report in reports:
        if report.why_not:
            notes.append(f"Cannot be validated yet: {report.label.words}; {report.why_not}.")
    return notes
