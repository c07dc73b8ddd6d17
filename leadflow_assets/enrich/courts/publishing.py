"""Partitions of the three tables: written, audited, put into the lake; published by who made them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from leadflow_assets.domain.courts.model import CourtCase, CourtParty
from leadflow_assets.domain.courts.rows import RawDocket
from leadflow_assets.enrich.court_rows import to_rows
from leadflow_assets.enrich.courts.code import courts_code_version
from leadflow_assets.enrich.courts.kept import Place
from leadflow_assets.lake.lake import Lake, fingerprint
from leadflow_assets.lake.publish import StagedPartition, upload
from leadflow_assets.lake.snapshots import PartitionEntry
from leadflow_assets.lake.tables import SCHEMA_VERSION, Table

Record = TypeVar("Record", RawDocket, CourtCase, CourtParty)


def made_of(table: Table, inputs: Mapping[str, str]) -> str:
    """The fingerprint of a partition that this code makes from these inputs."""
    return fingerprint(table, inputs, courts_code_version())


def put(
    lake: Lake,
    table: Table,
    place: Place,
    records: Sequence[Record],
    kind: type[Record],
    inputs: Mapping[str, str],
    facts: Mapping[str, Any],
    folder: Path,
) -> PartitionEntry:
    """Write the records of one partition, audit them, and put the file where nothing refers to it yet.

    Raises:
        AuditError: the rows break the table's contract.
        StoreError: the disk is full or not writable.
    """
    # Imported late: the schema library takes longer to load than most commands.
    from leadflow_assets.lake.audit import audit_file, require
    from leadflow_assets.lake.geoparquet import write_parquet

    version = courts_code_version()
    provenance = {"inputs": json.dumps(dict(inputs), sort_keys=True), "code_version": version}
    path = folder / f"{table.short_name}.parquet"
    file = write_parquet(path, to_rows(records, kind), table, provenance=provenance)
    partition = table.partition(*place)
    require(audit_file(path, table, expected_rows=len(records)), table, partition)
    staged = StagedPartition(
        table=table.name,
        partition=partition,
        files={"data": file},
        fingerprint=made_of(table, inputs),
        inputs=inputs,
        schema_version=SCHEMA_VERSION,
        code_version=version,
        facts=facts,
    )
    entry = upload(lake.store, staged)
    path.unlink()
    return entry
