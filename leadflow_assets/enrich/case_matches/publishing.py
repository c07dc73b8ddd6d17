"""Publishing mart/case_matches: town by town, and only what changed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import duckdb
import pyarrow as pa

from leadflow_assets.enrich.case_matches.inputs import Inputs, rules_version
from leadflow_assets.lake.lake import fingerprint
from leadflow_assets.lake.publish import Publisher, StagedPartition, upload
from leadflow_assets.lake.tables import CASE_MATCHES, COURT_CASES, COURT_PARTIES, PROPERTIES
from leadflow_assets.refresh.code import code_version
from leadflow_assets.refresh.stage import stage

# Takes rows of mart/case_matches and gives back those that may be published.
Keep: TypeAlias = Callable[[pa.Table], pa.Table]
# Towns published together: a kill costs at most this many towns' work.
_GROUP = 16
_CONTENTS = """
SELECT town_id, md5(string_agg(md5(to_json(f)::VARCHAR), '' ORDER BY match_id))
FROM final AS f GROUP BY town_id
"""
_TIERS = "SELECT town_id, tier, count(*) FROM final GROUP BY ALL ORDER BY ALL"


def keep_only(connection: duckdb.DuckDBPyConnection, keep: Keep) -> None:
    """Leave out of ``final`` what must not be published."""
    kept = keep(connection.execute("FROM final").to_arrow_table().cast(CASE_MATCHES.schema))
    connection.register("kept_in", kept)
    connection.execute("CREATE OR REPLACE TEMP TABLE final AS FROM kept_in")
    connection.unregister("kept_in")


def count_tiers(connection: duckdb.DuckDBPyConnection, towns: Collection[int] | None) -> dict[str, int]:
    """Rows of ``final`` by tier, of all towns or of these."""
    counts: dict[str, int] = {}
    for town, tier, rows in connection.execute(_TIERS).fetchall():
        if towns is None or town in towns:
            counts[tier] = counts.get(tier, 0) + rows
    return counts


def publish_towns(
    connection: duckdb.DuckDBPyConnection,
    inputs: Inputs,
    towns: Collection[int] | None,
    made_from: Mapping[str, str],
    folder: Path,
    run_id: str,
) -> set[int]:
    """Publish ``final`` where it changed, of all towns or of these; returns the towns that were.

    ``made_from`` is what all rows have in common: frequencies, decisions.

    Raises:
        AuditError: the rows would break the table's contract; nothing of their group is published.
        StoreError: the lake or the staging folder cannot be written.
    """
    contents = dict(connection.execute(_CONTENTS).fetchall())
    wanted = {
        town: _fingerprint(content) for town, content in contents.items() if towns is None or town in towns
    }
    here = {t: e.fingerprint for t, e in inputs.published.items() if towns is None or t in towns}
    changed = sorted(town for town in wanted if here.get(town) != wanted[town])
    gone = sorted(here.keys() - wanted.keys())
    publisher = Publisher(inputs.lake.store, run_id)
    # What has to go goes first: a sealed case must not wait for the rest.
    if gone:
        publisher.publish(CASE_MATCHES.name, {CASE_MATCHES.partition(town): None for town in gone})
    for group in _groups(changed):
        entries = {}
        for town in group:
            place = folder / f"town_{town}"
            place.mkdir(exist_ok=True)
            staged = _stage(connection, inputs, town, made_from, place)
            entries[staged.partition] = upload(inputs.lake.store, replace(staged, fingerprint=wanted[town]))
            shutil.rmtree(place)
        publisher.publish(CASE_MATCHES.name, entries)
    return {*changed, *gone}


def _fingerprint(content: str) -> str:
    """By what the rows say: a case that matches nobody in the town changes nothing here."""
    return fingerprint(CASE_MATCHES, {"rows": content}, code_version())


def _stage(
    connection: duckdb.DuckDBPyConnection,
    inputs: Inputs,
    town: int,
    made_from: Mapping[str, str],
    folder: Path,
) -> StagedPartition:
    rows = connection.execute(
        "FROM final WHERE town_id = ? ORDER BY property_id, case_id, source, party_id", [town]
    ).to_arrow_table()
    rows = rows.cast(CASE_MATCHES.schema)
    tiers = rows.group_by("tier").aggregate([([], "count_all")]).to_pylist()
    facts = {
        "rows_in": rows.num_rows,
        "cases": rows.group_by("case_id").aggregate([]).num_rows,
        **{row["tier"]: row["count_all"] for row in tiers},
    }
    lineage = {**made_from, "rules": rules_version(), **_files(inputs, town, rows)}
    return stage(CASE_MATCHES, rows, CASE_MATCHES.partition(town), lineage, facts, folder)


def _files(inputs: Inputs, town: int, rows: pa.Table) -> dict[str, str]:
    """The partitions that the rows come from, with their hashes."""
    months = rows.group_by(["court", "filed_month"]).aggregate([]).to_pylist()
    found = {f"{PROPERTIES.name}/{PROPERTIES.partition(town)}": inputs.properties[town].data.sha256}
    for month in months:
        for table, entries in ((COURT_CASES, inputs.cases), (COURT_PARTIES, inputs.parties)):
            partition = table.partition(month["court"], month["filed_month"])
            if partition in entries:
                found[f"{table.name}/{partition}"] = entries[partition].data.sha256
    return found


def _groups(towns: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(towns), _GROUP):
        yield towns[start : start + _GROUP]
