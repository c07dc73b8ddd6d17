"""What matching reads: court cases and parties in force, properties, and the matches published already."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import TypeVar

import duckdb

from leadflow_assets.lake import tables
from leadflow_assets.lake.catalog import connect, quoted
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.snapshots import PartitionEntry
from leadflow_assets.lake.tables import (
    CASE_MATCHES,
    COURT_CASES,
    COURT_PARTIES,
    PROPERTIES,
    SCHEMA_VERSION,
    Table,
)
from leadflow_assets.refresh.code import hash_of_code
from leadflow_assets.refresh.properties import RECORDS_INPUT

# What decides how parties are matched, beside the tables.
_RULES = (
    "domain/linkage",
    "domain/courts",
    "domain/owners",
    "domain/addresses",
    "enrich/linkage",
    "enrich/case_matches",
)
Key = TypeVar("Key", int, str)
_ENDINGS = (".py", ".sql", ".csv", ".txt")


@dataclass(frozen=True)
class Inputs:
    """Newest snapshots, files of this version only. ``older`` are towns whose properties are of another."""

    lake: Lake
    cases: Mapping[str, PartitionEntry]
    parties: Mapping[str, PartitionEntry]
    properties: Mapping[int, PartitionEntry]
    older: frozenset[int]
    parcels: Mapping[str, PartitionEntry]
    published: Mapping[int, PartitionEntry]
    snapshot: int

    @property
    def linked(self) -> str:
        """Names everything that a linkage depends on: equal names, equal matches (but for what expires)."""
        content = [
            rules_version(),
            *(
                [name, entry.data.sha256]
                for part in (self.cases, self.parties)
                for name, entry in sorted(part.items())
            ),
            # Not by their bytes: what ATTOM says of a property changes nothing of its owners.
            *([town, _assessors_part(entry)] for town, entry in sorted(self.properties.items())),
        ]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _assessors_part(entry: PartitionEntry) -> list[object]:
    inputs = sorted((name, value) for name, value in entry.inputs.items() if name != RECORDS_INPUT)
    return [entry.code_version, inputs]


def read_inputs(lake: Lake) -> Inputs:
    """What is published now."""
    properties = lake.snapshot(PROPERTIES).by_town()
    matches = lake.snapshot(CASE_MATCHES)
    current = _current(properties)
    return Inputs(
        lake=lake,
        cases=_current(lake.snapshot(COURT_CASES).partitions),
        parties=_current(lake.snapshot(COURT_PARTIES).partitions),
        properties=current,
        older=frozenset(properties.keys() - current.keys()),
        parcels=_current(lake.snapshot(tables.PARCELS).partitions),
        published=matches.by_town(),
        snapshot=matches.number,
    )


def _current(entries: Mapping[Key, PartitionEntry]) -> dict[Key, PartitionEntry]:
    return {name: entry for name, entry in entries.items() if entry.schema_version == SCHEMA_VERSION}


@cache
def rules_version() -> str:
    """Twelve hex digits that change with any rule of matching."""
    return hash_of_code(_RULES, endings=_ENDINGS)


def open_database(inputs: Inputs, today: date) -> duckdb.DuckDBPyConnection:
    """A DuckDB with views: cases and parties that may be used today, properties, parcels, published."""
    settings = inputs.lake.settings
    connection = connect(settings, spatial=False)
    in_force = f"WHERE expires_on IS NULL OR expires_on >= DATE '{today.isoformat()}'"
    current = (entry for entry in inputs.published.values() if entry.schema_version == SCHEMA_VERSION)
    for name, table, entries, condition in (
        ("cases", COURT_CASES, inputs.cases.values(), in_force),
        ("parties", COURT_PARTIES, inputs.parties.values(), in_force),
        ("properties", PROPERTIES, inputs.properties.values(), ""),
        ("parcels", tables.PARCELS, inputs.parcels.values(), ""),
        ("published", CASE_MATCHES, current, in_force),
    ):
        source = _source(connection, inputs.lake, name, table, entries)
        connection.execute(f"CREATE VIEW {name} AS SELECT * FROM {source} {condition}")
    return connection


def hold_cases(connection: duckdb.DuckDBPyConnection) -> None:
    """Read cases and parties once: they lie in many small files, and matching asks for them often."""
    for name in ("cases", "parties"):
        # A temporary table stands before the view of its name.
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM main.{name}")


def _source(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    name: str,
    table: Table,
    entries: Iterable[PartitionEntry],
) -> str:
    files = ", ".join(quoted(lake.store.location(entry.data.path)) for entry in entries)
    if files:
        return f"read_parquet([{files}], hive_partitioning = false)"
    connection.register(f"__no_{name}", table.schema.empty_table())
    return f"__no_{name}"
