"""Events that no release tells of: court cases that name an owner, and scores that crossed a threshold.

Scores are any lake table by town with ``property_id``, ``score`` and ``as_of`` (and, if it has one,
``table_version``): the file of now is compared with the file that was compared last. Without one, or after
another table of weights, there is nothing to compare, and the present scores are only remembered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from leadflow_assets.domain.changes import event_id
from leadflow_assets.enrich.changes.events import Event
from leadflow_assets.enrich.changes.plan import Context, TownWork
from leadflow_assets.lake.catalog import quoted
from leadflow_assets.lake.tables import PROPERTIES

SCORE_COLUMNS = ("property_id", "score", "as_of")
_CASES = """
SELECT c.property_id, c.case_id, arg_max(c.loc_id, c.probability) AS loc_id,
    arg_max(c.case_type, c.probability) AS case_type, max(c.probability) AS probability,
    bool_or(c.tier = 'confirmed') AS confirmed,
    min(coalesce(c.date_filed, c.recorded_on)) AS day,
    CASE WHEN bool_or(c.expires_on IS NULL) THEN NULL ELSE max(c.expires_on) END AS expires_on,
    any_value(p.site_address) AS site_address
FROM read_parquet({matches}, hive_partitioning = false) AS c
LEFT JOIN {properties} AS p USING (property_id)
WHERE c.tier IN ('confirmed', 'possible') AND (c.expires_on IS NULL OR c.expires_on >= $today)
GROUP BY c.property_id, c.case_id ORDER BY ALL
"""
_CROSSED = """
SELECT a.property_id, b.score AS score_before, a.score AS score_after, a.as_of AS day, t.threshold,
    CASE WHEN a.score >= t.threshold THEN 'up' ELSE 'down' END AS direction,
    p.loc_id, p.site_address
FROM read_parquet({after}, hive_partitioning = false) AS a
JOIN read_parquet({before}, hive_partitioning = false) AS b USING (property_id)
JOIN (SELECT unnest($thresholds::DOUBLE[]) AS threshold) AS t
    ON (a.score >= t.threshold) <> (b.score >= t.threshold)
LEFT JOIN {properties} AS p USING (property_id)
WHERE abs(a.score - b.score) >= $step {same_table}
ORDER BY a.property_id, t.threshold
"""


def case_events(
    context: Context, connection: duckdb.DuckDBPyConnection, work: TownWork, former: Mapping[str, str]
) -> list[Event]:
    """Every case that may be shown for a property of the town, possible or confirmed, one event each.

    A case that became certain after it was possible is told of once more; under another id of the property
    (``former`` has the first) it is the same event.
    """
    if work.cases is None:
        return []
    sql = _CASES.format(matches=_file(context, work.cases.data.path), properties=_properties(context, work))
    rows = _rows(connection, sql, today=context.seen_at.date())
    return [_case_event(context, work, row, former.get(row["property_id"])) for row in rows]


def _case_event(context: Context, work: TownWork, row: dict[str, Any], former: str | None) -> Event:
    tier = "confirmed" if row["confirmed"] else "possible"
    return {
        **_base(context, work, "case_matched", row, f"{row['case_id']} {tier}", former),
        "event_date": row["day"],
        "case_id": row["case_id"],
        "case_type": row["case_type"],
        "case_tier": tier,
        "case_probability": row["probability"],
        "expires_on": row["expires_on"],
        "source": "courts",
        "confidence": row["probability"],
    }


def score_events(
    context: Context,
    connection: duckdb.DuckDBPyConnection,
    work: TownWork,
    thresholds: Sequence[float],
) -> list[Event]:
    """Thresholds that lie between the scores of now and those that were compared last."""
    if work.scores is None or work.scores_before is None or not thresholds:
        return []
    if not context.lake.store.exists(work.scores_before):
        return []
    files = [_file(context, path) for path in (work.scores.data.path, work.scores_before)]
    versioned = all("table_version" in _columns(connection, file) for file in files)
    sql = _CROSSED.format(
        after=files[0],
        before=files[1],
        properties=_properties(context, work),
        same_table="AND a.table_version = b.table_version" if versioned else "",
    )
    rows = _rows(connection, sql, thresholds=list(thresholds), step=context.rules.score_step)
    return [_score_event(context, work, row) for row in rows]


def _score_event(context: Context, work: TownWork, row: dict[str, Any]) -> Event:
    happening = f"{row['threshold']:g} {row['direction']} {row['day']}"
    return {
        **_base(context, work, "score_crossed", row, happening),
        "event_date": row["day"],
        "score_before": row["score_before"],
        "score_after": row["score_after"],
        "score_threshold": row["threshold"],
        "score_direction": row["direction"],
        "source": "score",
        "confidence": 1.0,
    }


def _base(
    context: Context,
    work: TownWork,
    kind: str,
    row: dict[str, Any],
    happening: str,
    former: str | None = None,
) -> Event:
    return {
        "event_id": event_id(work.town_id, kind, former or row["property_id"], happening),
        "town_id": work.town_id,
        "property_id": row["property_id"],
        "loc_id": row["loc_id"],
        "site_address": row["site_address"],
        "kind": kind,
        "seen_at": context.seen_at,
        "rules_version": context.rules.version,
    }


def _rows(connection: duckdb.DuckDBPyConnection, sql: str, **values: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = connection.execute(sql, values).to_arrow_table().to_pylist()
    return rows


def _columns(connection: duckdb.DuckDBPyConnection, file: str) -> set[str]:
    described = connection.execute(f"DESCRIBE SELECT * FROM read_parquet({file})").fetchall()
    return {str(row[0]) for row in described}


def _file(context: Context, path: str) -> str:
    return quoted(context.lake.store.location(path))


def _properties(context: Context, work: TownWork) -> str:
    """Address and parcel of the town's properties as they are now; nothing where they are not here."""
    entry = context.lake.snapshot(PROPERTIES).partitions.get(PROPERTIES.partition(work.town_id))
    if entry is None:
        return "(SELECT NULL::VARCHAR AS property_id, NULL::VARCHAR AS loc_id, NULL AS site_address LIMIT 0)"
    return f"read_parquet({_file(context, entry.data.path)}, hive_partitioning = false)"
