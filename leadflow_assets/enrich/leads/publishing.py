"""Publishing mart/leads: only towns whose rows changed, all of them in one step.

A lead moves to another town when another of its properties becomes the best; published town by town, it could
be seen in both or in none.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from leadflow_assets.domain.leads import GRADES, OPPORTUNITIES
from leadflow_assets.enrich.leads.inputs import Inputs
from leadflow_assets.lake.lake import fingerprint
from leadflow_assets.lake.publish import Publisher, upload
from leadflow_assets.lake.snapshots import PartitionEntry
from leadflow_assets.lake.tables import DISTRESS_SCORES, LEADS, PROPERTIES
from leadflow_assets.refresh.code import code_version
from leadflow_assets.refresh.stage import stage

_CONTENTS = """
SELECT town_id, md5(string_agg(md5(to_json(f)::VARCHAR), '' ORDER BY lead_id))
FROM final AS f GROUP BY town_id
"""


def publish_leads(
    connection: duckdb.DuckDBPyConnection, inputs: Inputs, folder: Path, run_id: str, *, force: bool = False
) -> tuple[set[int], set[int]]:
    """Publish ``final`` where it changed; returns the towns that were published, and those without any lead.

    Raises:
        AuditError: the rows would break the table's contract; nothing is published.
        StoreError: the lake or the staging folder cannot be written.
    """
    contents = dict(connection.execute(_CONTENTS).fetchall())
    wanted = {town: _fingerprint(content) for town, content in contents.items()}
    changed = {
        town
        for town, print_ in wanted.items()
        if force or town not in inputs.published or inputs.published[town].fingerprint != print_
    }
    gone = inputs.published.keys() - wanted.keys()
    entries: dict[str, PartitionEntry | None] = {LEADS.partition(town): None for town in gone}
    for town in sorted(changed):
        partition, entry = _staged(connection, inputs, town, wanted[town], folder)
        entries[partition] = entry
    if entries:
        Publisher(inputs.lake.store, run_id).publish(LEADS.name, entries)
    return changed, set(gone)


def _fingerprint(content: str) -> str:
    """By what the rows say: a property that makes no lead changes nothing here."""
    return fingerprint(LEADS, {"rows": content}, code_version())


def _staged(
    connection: duckdb.DuckDBPyConnection, inputs: Inputs, town: int, print_: str, folder: Path
) -> tuple[str, PartitionEntry]:
    rows = connection.execute(
        "FROM final WHERE town_id = ? ORDER BY score DESC, coverage DESC, property_id", [town]
    ).to_arrow_table()
    rows = rows.cast(LEADS.schema)
    place = folder / f"town_{town}"
    place.mkdir(exist_ok=True)
    lineage = {
        **inputs.others(),
        PROPERTIES.name: inputs.properties[town].data.sha256,
        DISTRESS_SCORES.name: inputs.scores[town].data.sha256,
    }
    staged = stage(LEADS, rows, LEADS.partition(town), lineage, figures(rows), place)
    entry = upload(inputs.lake.store, replace(staged, fingerprint=print_))
    shutil.rmtree(place)
    return staged.partition, entry


def figures(rows: pa.Table) -> dict[str, Any]:
    """What lists and pictures show of a town's leads: nobody by themselves."""
    grades = _counted(rows["grade"])
    opportunities = _counted(rows["opportunity"])
    return {
        "rows_in": rows.num_rows,
        "as_of": max(rows["as_of"].to_pylist()).isoformat(),
        "grades": {grade: grades.get(grade, 0) for grade in GRADES},
        "opportunities": {name: opportunities.get(name, 0) for name in OPPORTUNITIES},
        "added": pc.sum(rows["is_added"]).as_py() or 0,
        "in_several_towns": pc.sum(pc.greater(rows["town_count"], 1)).as_py() or 0,
    }


def _counted(values: pa.ChunkedArray) -> dict[str, int]:
    return {row["values"]: row["counts"] for row in pc.value_counts(values).to_pylist()}
