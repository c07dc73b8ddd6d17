"""What tests of changes share: releases of Sampleton, and published tables of cases and scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from leadflow_assets.domain.towns import SAMPLETON_ID, town_by_id
from leadflow_assets.lake import tables
from leadflow_assets.lake.tables import CASE_MATCHES, Table
from leadflow_assets.sampleton import PackageSpec, Planted, next_release, write_package
from leadflow_assets.settings import Settings
from leadflow_assets.state import change_alerts, database, saved_lists
from leadflow_assets_tests.integration.pipeline_helpers import refresh
from leadflow_assets_tests.integration.unified_helpers import publish_rows, rows_of

SAMPLETON = town_by_id(SAMPLETON_ID)
# Sales planted two years later still lie in the past.
SPEC = PackageSpec(fiscal_year=2025, calendar_year=2024)
SCORES = Table("mart/test_scores", "one score of one property", ("town_id",), key=("property_id",))
# What a planted change is called as an event.
KINDS = {"value_changed": "value_moved", "merge": "merged"}
Row = dict[str, Any]


def write_releases(folder: Path, count: int) -> list[tuple[Path, Planted]]:
    """The packages of Sampleton in successive years, and what was planted in each."""
    made = []
    for year in range(count):
        path = folder / str(year) / SAMPLETON.shapefile_zip
        path.parent.mkdir(parents=True)
        write = partial(next_release, years=year) if year else write_package
        made.append((path, write(SPEC, path)))
    return made


def publish_release(settings: Settings, package: Path, **options: Any) -> None:
    """Refresh Sampleton from a package."""
    report = refresh(settings, SAMPLETON, package, **options)
    assert report.status in ("refreshed", "unchanged"), report.error


def events_of(settings: Settings) -> list[Row]:
    """Sampleton's mart/property_changes as a stranger reads it."""
    return rows_of(settings, tables.PROPERTY_CHANGES.name)


def planted_events(planted: Planted) -> Counter[tuple[str, str]]:
    """(kind, property id) of every change that was planted in a release."""
    found: Counter[tuple[str, str]] = Counter()
    for name, cases in planted.quirks.items():
        for case in cases:
            found[KINDS.get(name, name), f"999-{case['PROP_ID']}"] += 1
    return found


def told(rows: Sequence[Row]) -> Counter[tuple[str, str]]:
    """(kind, property id) of events."""
    return Counter((row["kind"], row["property_id"]) for row in rows)


def match(property_id: str, case_id: str, **more: Any) -> Row:
    """A row of mart/case_matches, as far as it is asked for."""
    return {
        "match_id": f"{case_id}-{property_id}-{more.get('party_id', 'p1')}",
        "town_id": 999,
        "property_id": property_id,
        "case_id": case_id,
        "source": "courtlistener",
        "court": "mab",
        "filed_month": "2026-10",
        "case_type": "bankruptcy_petition",
        "date_filed": date(2026, 10, 5),
        "fetched_at": datetime(2026, 10, 6, tzinfo=UTC),
        "party_id": "p1",
        "party_name": "PETER ASHGROVE",
        "party_role": "debtor",
        "method": "name",
        "title": "held",
        "model_probability": 0.8,
        "probability": 0.8,
        "tier": "possible",
        **more,
    }


def publish_matches(settings: Settings, rows: Sequence[Row]) -> None:
    """Publish Sampleton's mart/case_matches."""
    complete = [{name: row.get(name) for name in CASE_MATCHES.schema.names} for row in rows]
    publish(settings, CASE_MATCHES, pa.Table.from_pylist(complete, schema=CASE_MATCHES.schema))


def watch_list(
    settings: Settings,
    name: str,
    channel: str = "webhook",
    rhythm: str = "now",
    *,
    now: datetime,
    kinds: Sequence[str] | None = None,
) -> None:
    """Watch a saved list from that moment on."""
    with database.session(settings) as session:
        saved = saved_lists.find(session, name)
        change_alerts.start_watch(session, saved.id, channel, rhythm, kinds=kinds, now=now)
        session.commit()


def publish_scores(settings: Settings, scores: Mapping[str, float], as_of: date, **more: str) -> None:
    """Publish Sampleton's scores."""
    rows = [{"property_id": name, "score": score, "as_of": as_of, **more} for name, score in scores.items()]
    publish(settings, SCORES, pa.Table.from_pylist(rows))


def publish(settings: Settings, table: Table, rows: pa.Table) -> None:
    """Publish Sampleton's partition of a table."""
    publish_rows(settings, table, table.partition(999), rows)
