"""What a merge reads: every batch of ATTOM, our properties, and the records that are published already.

All of it stays in DuckDB: of half a million records only addresses and owners' names pass through Python,
each distinct text once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from leadflow_assets.domain.owners import parse_owner
from leadflow_assets.enrich.batches.delivered import deletions
from leadflow_assets.enrich.unified.deletions import without_deleted
from leadflow_assets.lake import tables
from leadflow_assets.lake.catalog import connect, quoted
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.schemas.property_records import GROUPS, group_facts
from leadflow_assets.lake.snapshots import PartitionEntry
from leadflow_assets.lake.tables import PROPERTY_RECORDS, SCHEMA_VERSION, Table

SOURCE: Final = "ATTOM"
_OWNERS: Final = ("owner_1", "owner_2", "owner_3", "owner_4")
_PLACE: Final = (
    "site_address",
    "site_unit",
    "site_city",
    "site_state",
    "site_zip",
    "municipality",
    "apn",
    "fips",
)
_PROPERTY_COLUMNS: Final = (
    "property_id",
    "town_id",
    "loc_id",
    "prop_id",
    "street",
    "address_key",
    "house_number",
    "house_number_high",
    "unit",
    "city",
    "zip",
    "is_condominium_master",
)


@dataclass(frozen=True)
class Inputs:
    """Newest snapshots. ``properties`` holds towns of this version only, ``older`` the ids of the others."""

    lake: Lake
    attom: Mapping[str, PartitionEntry]
    properties: Mapping[int, PartitionEntry]
    older: frozenset[int]
    records: Mapping[int, PartitionEntry]
    parcels: Mapping[str, PartitionEntry]
    packages: Mapping[int, PartitionEntry]


def read_inputs(lake: Lake) -> Inputs:
    """What is published now."""
    properties = lake.snapshot(tables.PROPERTIES).by_town()
    current = {town: entry for town, entry in properties.items() if entry.schema_version == SCHEMA_VERSION}
    return Inputs(
        lake=lake,
        attom=lake.snapshot(tables.ATTOM_PROPERTIES).partitions,
        properties=current,
        older=frozenset(properties.keys() - current.keys()),
        records=lake.snapshot(PROPERTY_RECORDS).by_town(),
        parcels=lake.snapshot(tables.PARCELS).partitions,
        packages=lake.snapshot(tables.MASSGIS_PACKAGES).by_town(),
    )


def open_database(inputs: Inputs) -> duckdb.DuckDBPyConnection:
    """A DuckDB with the relations that matching and gathering read: attom, properties, parcels, published."""
    settings = inputs.lake.settings
    connection = connect(settings, spatial=False)
    _create_views(connection, inputs)
    return connection


def _create_views(connection: duckdb.DuckDBPyConnection, inputs: Inputs) -> None:
    wanted: Sequence[tuple[str, Table, Iterable[PartitionEntry], Sequence[str]]] = (
        ("attom", tables.ATTOM_PROPERTIES, inputs.attom.values(), tables.ATTOM_PROPERTIES.schema.names),
        ("properties", tables.PROPERTIES, inputs.properties.values(), _PROPERTY_COLUMNS),
        ("parcels", tables.PARCELS, inputs.parcels.values(), ("town_id", "loc_id", "map_par_id")),
        ("published", PROPERTY_RECORDS, inputs.records.values(), PROPERTY_RECORDS.schema.names),
    )
    for name, table, entries, columns in wanted:
        files = ", ".join(quoted(inputs.lake.store.location(entry.data.path)) for entry in entries)
        if files:
            source = f"read_parquet([{files}], hive_partitioning = false, union_by_name = true)"
        else:
            connection.register(f"__no_{name}", table.schema.empty_table())
            source = f"__no_{name}"
        if name == "attom":
            query = without_deleted(connection, source, deletions(inputs.lake))
        else:
            query = f"SELECT {', '.join(columns)} FROM {source}"
        connection.execute(f"CREATE TEMP VIEW {name} AS {query}")


def gather_lines(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the temporary table ``lines``: one row per record that has a town, with its match, without facts.

    Needs ``matches``. The same facts of one ATTOM id in several batches are one record, fetched when it was
    fetched last.
    """
    fetched = [f"{group}_fetched_at" for group in GROUPS]
    said = ", ".join(
        [f"to_json({_packed(_PLACE)})"]
        # Most records speak of one or two groups; a silent one costs nothing.
        + [
            f"CASE WHEN {g}_source IS NOT NULL THEN to_json({_packed(_hashed(g))})::VARCHAR END"
            for g in GROUPS
        ]
    )
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE lines AS
        WITH hashed AS (
            SELECT attom_id, batch_id, {", ".join(fetched)},
                left(md5(concat_ws(chr(10), {said})), 16) AS record_hash
            FROM attom SEMI JOIN (FROM matches WHERE town_id IS NOT NULL) USING (attom_id)
        ),
        kept AS (
            SELECT attom_id, record_hash,
                max({{'at': coalesce(greatest({", ".join(fetched)}), TIMESTAMPTZ '1970-01-01'),
                     'batch': batch_id}}).batch AS batch_id,
                {", ".join(f"max({name}) AS {name}" for name in fetched)}
            FROM hashed GROUP BY ALL
        )
        SELECT '{SOURCE}-' || k.attom_id || '-' || k.record_hash AS record_id, k.*, m.* EXCLUDE (attom_id)
        FROM kept AS k JOIN matches AS m USING (attom_id)
        WHERE m.town_id IS NOT NULL
    """)


def _hashed(group: str) -> tuple[str, ...]:
    """What makes a group's facts other facts: all but when they were fetched."""
    facts = (*_OWNERS, "owner_occupied") if group == "owner" else group_facts(group)
    return (*facts, f"{group}_source", f"{group}_source_date")


def _packed(names: Iterable[str]) -> str:
    return f"struct_pack({', '.join(f'{name} := {name}' for name in names)})"


def town_contents(connection: duckdb.DuckDBPyConnection) -> dict[int, str]:
    """A hash per town of everything that decides what stands in its mart/property_records."""
    times = ", ".join(f"epoch_us({group}_fetched_at)" for group in GROUPS)
    line = (
        "concat_ws('|', record_id, batch_id, coalesce(property_id, ''), match_status, "
        "coalesce(match_method, ''), match_reason, to_json(candidates)::VARCHAR, "
        f"to_json([{times}])::VARCHAR)"
    )
    rows = connection.execute(
        f"SELECT town_id, md5(string_agg({line}, chr(10) ORDER BY record_id)) FROM lines GROUP BY town_id"
    ).fetchall()
    return dict(rows)


def moved_with(connection: duckdb.DuckDBPyConnection, towns: Collection[int]) -> set[int]:
    """These towns, and every town that an ATTOM id moved to or from together with one of them."""
    pairs = connection.execute(
        "SELECT DISTINCT p.town_id, l.town_id FROM published AS p JOIN lines AS l USING (attom_id) "
        "WHERE p.town_id <> l.town_id"
    ).fetchall()
    found, before = set(towns), -1
    while len(found) != before:
        before = len(found)
        found |= {town for pair in pairs if found & set(pair) for town in pair}
    return found


def write_records(connection: duckdb.DuckDBPyConnection, towns: Collection[int], path: Path) -> None:
    """The rows of mart/property_records of these towns, town after town, as one Parquet file."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE chosen AS FROM lines "
        "SEMI JOIN (SELECT unnest(?::INTEGER[]) AS town_id) USING (town_id)",
        [list(towns)],
    )
    connection.register("owner_keys", _owner_keys(connection))
    from_lines = {
        *("record_id", "property_id", "town_id", "batch_id", "attom_id", "record_hash"),
        *("match_status", "match_method", "match_reason", "candidates"),
        *(f"{group}_fetched_at" for group in GROUPS),
    }
    own = {"source": f"'{SOURCE}' AS source", "owner_key": "o.owner_key"}
    columns = [
        own.get(name) or (f"l.{name}" if name in from_lines else f"a.{name}")
        for name in PROPERTY_RECORDS.schema.names
    ]
    same_owner = " AND ".join(f"o.{name} IS NOT DISTINCT FROM a.{name}" for name in _OWNERS)
    connection.execute(
        f"COPY (SELECT {', '.join(columns)} FROM chosen AS l "
        f"JOIN attom AS a ON a.attom_id = l.attom_id AND a.batch_id = l.batch_id "
        f"LEFT JOIN owner_keys AS o ON {same_owner} ORDER BY l.town_id, l.record_id) "
        f"TO {quoted(str(path))} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE 8192)"
    )
    connection.unregister("owner_keys")


def _owner_keys(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """The owner key of every distinct set of owners among the chosen records that are matched."""
    texts = connection.execute(
        f"SELECT DISTINCT {', '.join(f'a.{name}' for name in _OWNERS)} FROM attom AS a "
        "JOIN chosen AS l ON l.attom_id = a.attom_id AND l.batch_id = a.batch_id "
        "WHERE l.property_id IS NOT NULL AND a.owner_source IS NOT NULL"
    ).fetchall()
    columns = [*_OWNERS, "owner_key"]
    rows = [dict(zip(columns, (*owners, owner_key(owners)), strict=True)) for owners in texts]
    return pa.Table.from_pylist(rows, schema=pa.schema([(name, pa.string()) for name in columns]))


def owner_key(owners: Iterable[str | None]) -> str | None:
    """The key of owners that stand one to a field, as ``parse_owner`` gives it for all in one."""
    keys = {key for owner in owners if owner for key in parse_owner(owner).key.split(" & ") if key}
    return " & ".join(sorted(keys)) or None


def read_town(connection: duckdb.DuckDBPyConnection, path: Path, town_id: int) -> pa.Table:
    """One town's rows of a file that :func:`write_records` wrote."""
    rows = connection.execute(
        "SELECT * FROM read_parquet(?) WHERE town_id = ? ORDER BY record_id", [str(path), town_id]
    ).to_arrow_table()
    return rows.cast(PROPERTY_RECORDS.schema)
