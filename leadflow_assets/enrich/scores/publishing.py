"""Publishing mart/distress_scores: town by town, and only what changed, or what time has moved.

Scores decay every day. A town whose inputs are the same is published anew only when something counts that
did not (or no longer), when coverage, equity or a state changed, or when a number moved by a whole point:
what stands in the table is never further than that from the score of the day.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from leadflow_assets.domain.distress import record as words
from leadflow_assets.domain.distress.table import ScoreTable
from leadflow_assets.enrich.scores.inputs import Inputs, relation
from leadflow_assets.lake.publish import upload
from leadflow_assets.lake.snapshots import PartitionEntry
from leadflow_assets.lake.tables import DISTRESS_SCORES
from leadflow_assets.refresh.stage import stage

# Points of the score, and percent of loans over value, by which a published town may be behind.
MOST_BEHIND: Final = 1.0
HISTOGRAM_STEP: Final = 5
_SAME: Final = ("state", "not_applicable_reason", "coverage", "factors", "faults", "equity_method")
_NEAR: Final = ("score", "high", "score_if_links_hold", "cltv_mid")
_MOST_FACTORS: Final = 12


def has_moved(reader: duckdb.DuckDBPyConnection, rows: pa.Table, inputs: Inputs, town: int) -> bool:
    """Does the published town, made from the same, say something else by now?"""
    published = relation(inputs.lake, [inputs.published[town]])
    differs = [f"n.{name} IS DISTINCT FROM p.{name}" for name in _SAME]
    differs += [f"abs(n.{name} - p.{name}) >= {MOST_BEHIND}" for name in _NEAR]
    reader.register("new_rows", rows.select(["property_id", *_SAME, *_NEAR]))
    try:
        found = reader.execute(
            f"SELECT count(*) FROM new_rows AS n FULL JOIN {published} AS p USING (property_id) "
            f"WHERE {' OR '.join(differs)}"
        ).fetchone()
    finally:
        reader.unregister("new_rows")
    return bool(found and found[0])


def staged_entry(
    inputs: Inputs,
    town: int,
    rows: pa.Table,
    made_from: Mapping[str, str],
    table: ScoreTable,
    asof: date,
    folder: Path,
) -> tuple[str, PartitionEntry]:
    """Write, audit and upload one town; its partition and entry wait to be published.

    Raises:
        AuditError: the rows break the table's contract.
        StoreError: the disk or the store refuses.
    """
    place = folder / f"town_{town}"
    place.mkdir(exist_ok=True)
    partition = DISTRESS_SCORES.partition(town)
    facts = {
        "rows_in": rows.num_rows,
        "as_of": asof.isoformat(),
        "version": table.version,
        "table_hash": table.hash,
        **figures(rows),
    }
    staged = stage(DISTRESS_SCORES, rows, partition, made_from, facts, place)
    entry = upload(inputs.lake.store, staged)
    shutil.rmtree(place)
    return partition, replace(entry, fingerprint=staged.fingerprint)


def figures(rows: pa.Table) -> dict[str, Any]:
    """What lists and pictures show of a town: no property by itself.

    ``histogram`` counts scores by steps of five points, those of 0 apart in ``without_signal``.
    """
    states = {row["values"]: row["counts"] for row in pc.value_counts(rows["state"]).to_pylist()}
    scored = rows.filter(pc.equal(rows["state"], words.SCORED))
    above = pc.filter(scored["score"], pc.greater(scored["score"], 0)).to_numpy()
    steps = [0] * (100 // HISTOGRAM_STEP)
    for score in above:
        steps[min(int(score // HISTOGRAM_STEP), len(steps) - 1)] += 1
    factors = Counter(pc.list_flatten(rows["factors"]).to_pylist())
    return {
        **{name: states.get(name, 0) for name in words.STATUSES},
        "coverage": round(pc.mean(scored["coverage"]).as_py() or 0.0, 3) if scored.num_rows else 0.0,
        "with_signal": len(above),
        "highest": max(above.tolist(), default=0.0),
        "histogram": steps,
        "factors": dict(factors.most_common(_MOST_FACTORS)),
        "faults": pc.sum(rows["faults"]).as_py() or 0,
    }
