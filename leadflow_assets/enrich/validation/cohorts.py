"""The past as it could be known: per release of a town the properties with their scores as of that day.

mart/properties is built anew from core/assessment_releases by the code that makes it now. Two ways to say
when something was known:

- ``ingested`` (strict): a release when it came into this lake; records of ATTOM and matched cases as the
  snapshots of that day have them.
- ``published``: a release on its source's own day, and a case on the day it was filed or recorded, though
  both came here later: both are public from then on. Of a case only dated facts are used, since its status is
  of today; and its link to the owner was judged with the roll of today. ATTOM's records are left out: what
  they said on a past day is not known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Final, Literal

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from leadflow_assets.domain.distress.table import ScoreTable
from leadflow_assets.domain.local_days import end_of_day, local_day
from leadflow_assets.enrich.scores.inputs import (
    Inputs,
    asked_of,
    open_database,
    read_asked,
    read_cases,
    read_inputs,
    read_records,
    relation,
)
from leadflow_assets.enrich.scoring import PROPERTY_COLUMNS, derive_set, score_set
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.snapshots import PartitionEntry
from leadflow_assets.lake.tables import (
    ASSESSMENT_RELEASES,
    PARCELS,
    PROPERTY_RECORDS,
    SCHEMA_VERSION,
    USE_CODES,
)
from leadflow_assets.pipeline.properties import Provenance, build_properties
from leadflow_assets.refresh.code import code_version

KnownFrom = Literal["ingested", "published"]
KNOWN_FROM: Final[tuple[KnownFrom, ...]] = ("ingested", "published")
# What the labels and the slices of a report need of a property, beside its score.
KEPT: Final = ("property_id", "town_id", "owner_type", "owners")
SALE: Final = ("last_sale_date", "sale_is_nominal", "sale_is_bulk")


@dataclass(frozen=True)
class Release:
    """One release of a town: the day from which it counts as known, and what is in it."""

    town_id: int
    name: str
    fiscal_year: int
    known_on: date
    entry: PartitionEntry


@dataclass(frozen=True)
class Cohort:
    """The properties of a release, with their scores as of the day it was known.

    ``rows`` has KEPT and SALE, then ``state``, ``score``, ``coverage`` and ``factors``.
    """

    release: Release
    rows: pa.Table


def releases(lake: Lake, known_from: KnownFrom) -> tuple[list[Release], int]:
    """All releases by town and day, and how many have no day of their source to go by."""
    found, without = [], 0
    for name, entry in lake.snapshot(ASSESSMENT_RELEASES).partitions.items():
        if entry.schema_version != SCHEMA_VERSION:
            continue
        town, _, release = name.removeprefix("town_id=").partition("/release=")
        day = _known_on(entry, known_from)
        if day is None:
            without += 1
            continue
        found.append(Release(int(town), release, int(entry.facts["fiscal_year"]), day, entry))
    return sorted(found, key=lambda one: (one.town_id, one.known_on, one.fiscal_year)), without


def _known_on(entry: PartitionEntry, known_from: KnownFrom) -> date | None:
    if known_from == "published":
        day = entry.facts.get("source_date")
        return date.fromisoformat(str(day)) if day else None
    moment = entry.facts.get("fetched_at") or entry.published_at
    return local_day(datetime.fromisoformat(str(moment)))


def cohorts(
    lake: Lake,
    chosen: Sequence[Release],
    table: ScoreTable,
    scoring: duckdb.DuckDBPyConnection,
    known_from: KnownFrom,
) -> Iterator[Cohort]:
    """The cohorts of these releases, one after the other.

    Raises:
        UsageError: the lake's history of a day has been cleaned up.
    """
    opened: dict[date, tuple[Inputs, duckdb.DuckDBPyConnection, pa.Table]] = {}
    try:
        for release in chosen:
            day = release.known_on
            if day not in opened:
                for _, connection, _ in opened.values():
                    connection.close()
                opened.clear()
                opened[day] = _open(lake, day, table, known_from)
            yield _cohort(lake, release, table, scoring, *opened[day], known_from)
    finally:
        for _, connection, _ in opened.values():
            connection.close()


def _open(
    lake: Lake, day: date, table: ScoreTable, known_from: KnownFrom
) -> tuple[Inputs, duckdb.DuckDBPyConnection, pa.Table]:
    when = end_of_day(day).isoformat() if known_from == "ingested" else None
    inputs = read_inputs(lake, day, table, when)
    connection = open_database(inputs)
    return inputs, connection, read_asked(connection)


def _cohort(
    lake: Lake,
    release: Release,
    table: ScoreTable,
    scoring: duckdb.DuckDBPyConnection,
    inputs: Inputs,
    reader: duckdb.DuckDBPyConnection,
    asked: pa.Table,
    known_from: KnownFrom,
) -> Cohort:
    town, day = release.town_id, release.known_on
    strict = known_from == "ingested"
    properties = read_release(lake, release, reader, inputs if strict else None)
    cases = read_cases(reader, inputs, [town])
    derived = derive_set(
        scoring,
        properties.select(PROPERTY_COLUMNS),
        day,
        cases=cases if strict or cases is None else as_published(cases),
        records=read_records(reader, inputs, [town]) if strict else None,
        asked=asked_of(asked, [town]) if strict else None,
        covered=frozenset(),
        attom_fresh_days=inputs.fresh_days,
        table=table,
    )
    scored = score_set(derived.subjects, derived.signals, day, table)
    rows = properties.select([*KEPT, *SALE])
    for name, column in (("state", "status"), ("score",) * 2, ("coverage",) * 2, ("factors",) * 2):
        rows = rows.append_column(name, scored[column])
    return Cohort(release, rows)


def read_release(
    lake: Lake, release: Release, reader: duckdb.DuckDBPyConnection, inputs: Inputs | None = None
) -> pa.Table:
    """mart/properties as it would have been made of this release; with ``inputs`` and of these records."""
    source = relation(lake, [release.entry])
    assessments = reader.execute(f"FROM {source}").to_arrow_table().cast(ASSESSMENT_RELEASES.schema)
    records = None
    if inputs is not None and release.town_id in inputs.records:
        told = relation(lake, [inputs.records[release.town_id]])
        records = reader.execute(f"FROM {told}").to_arrow_table().cast(PROPERTY_RECORDS.schema)
    noon = datetime.combine(release.known_on, time(12), UTC)
    return build_properties(
        release.town_id,
        PARCELS.schema.empty_table(),
        assessments,
        USE_CODES.schema.empty_table(),
        Provenance(release.known_on, noon, code_version()),
        records,
    )


def as_published(cases: pa.Table) -> pa.Table:
    """Cases as they were public on the day they were filed: known from then on, without undated facts."""
    filed = pc.coalesce(cases["date_filed"], cases["recorded_on"])
    kept = pc.is_valid(filed)
    cases, filed = cases.filter(kept), filed.filter(kept)
    noon = pc.add(filed.cast(pa.timestamp("us")), pa.scalar(12 * 3600 * 10**6, pa.duration("us")))
    changed: Mapping[str, Any] = {
        "fetched_at": noon.cast(pa.timestamp("us", "UTC")),
        "status": pa.nulls(len(cases), pa.string()),
        "title": pa.array(["unknown"] * len(cases), pa.string()),
        "lien_status": pa.nulls(len(cases), pa.string()),
        "expires_on": pa.nulls(len(cases), pa.date32()),
    }
    for name, values in changed.items():
        cases = cases.set_column(cases.column_names.index(name), name, values)
    return cases
