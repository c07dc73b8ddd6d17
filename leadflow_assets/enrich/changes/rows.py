"""A town's events as they are published: read, and read with what is new. Rows are added, never changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from leadflow_assets.enrich.changes.events import Event
from leadflow_assets.enrich.changes.plan import TownWork
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.tables import PROPERTY_CHANGES

_CASE = "case_matched"


def published_rows(lake: Lake, work: TownWork, folder: Path) -> pa.Table:
    """The town's events so far; a column that an older version did not have is null."""
    schema = PROPERTY_CHANGES.schema
    if work.published is None:
        return schema.empty_table()
    table = pq.read_table(lake.store.fetch(work.published.data.path, folder), partitioning=None)
    columns = [
        table[field.name].cast(field.type)
        if field.name in table.schema.names
        else pa.nulls(len(table), field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def with_new(rows: pa.Table, events: Sequence[Event]) -> tuple[pa.Table, Counter[str], int]:
    """The rows with the events that are not among them, without cases that may not be shown any more."""
    known = set(rows["event_id"].to_pylist())
    in_force = {(event["property_id"], event["case_id"]) for event in events if event["kind"] == _CASE}
    confirmed = {
        (row["property_id"], row["case_id"])
        for row in rows.filter(pc.equal(rows["case_tier"], "confirmed"))
        .select(["property_id", "case_id"])
        .to_pylist()
    }
    new: dict[str, Event] = {}
    for event in events:
        told = event["kind"] == _CASE and (event["property_id"], event["case_id"]) in confirmed
        if event["event_id"] not in known and not told:
            new.setdefault(event["event_id"], event)
    is_case = pc.equal(rows["kind"], _CASE)
    stays = [
        not case or (row["property_id"], row["case_id"]) in in_force
        for case, row in zip(
            is_case.to_pylist(), rows.select(["property_id", "case_id"]).to_pylist(), strict=True
        )
    ]
    kept = rows.filter(pa.array(stays, pa.bool_()))
    added = pa.Table.from_pylist(list(new.values()), schema=PROPERTY_CHANGES.schema)
    merged = pa.concat_tables([kept, added]).sort_by([("seen_at", "ascending"), ("event_id", "ascending")])
    return merged, Counter(event["kind"] for event in new.values()), len(rows) - len(kept)


def former_ids(rows: pa.Table, events: Sequence[Event]) -> Mapping[str, str]:
    """By the id that a property has now: the first it had here, as far as it was renumbered."""
    renumbered = rows.filter(pc.equal(rows["kind"], "renumbered"))
    told = [*renumbered.to_pylist(), *(event for event in events if event["kind"] == "renumbered")]
    before = {event["property_ids_after"][0]: event["property_ids_before"][0] for event in told}
    return {property_id: _first(property_id, before) for property_id in before}


def _first(property_id: str, before: Mapping[str, str]) -> str:
    seen = {property_id}
    while (earlier := before.get(property_id)) is not None and earlier not in seen:
        seen.add(earlier)
        property_id = earlier
    return property_id
