"""Writing a partition and auditing what was written, so that it is ready to be published."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from leadflow_assets.lake import tables
from leadflow_assets.lake.audit import audit_file, require
from leadflow_assets.lake.geoparquet import write_parquet
from leadflow_assets.lake.lake import fingerprint
from leadflow_assets.lake.publish import StagedPartition
from leadflow_assets.lake.tables import SCHEMA_VERSION, Table
from leadflow_assets.refresh.code import code_version


def stage(
    table: Table,
    rows: pa.Table,
    partition: str,
    inputs: Mapping[str, str],
    facts: Mapping[str, Any],
    folder: Path,
    rejects: pa.Table | None = None,
) -> StagedPartition:
    """Write, then audit what was written; rejects go beside it if there are any.

    Raises:
        AuditError: the rows break the table's contract.
        StoreError: the disk is full or not writable.
    """
    version = code_version()
    lineage = {"inputs": json.dumps(dict(inputs), sort_keys=True), "code_version": version}
    data = write_parquet(folder / f"{table.short_name}.parquet", rows, table, provenance=lineage)
    require(audit_file(data.path, table, expected_rows=rows.num_rows), table, partition)
    files = {"data": data}
    if rejects is not None and rejects.num_rows:
        files["quarantine"] = write_parquet(
            folder / f"{table.short_name}_quarantine.parquet",
            rejects,
            table,
            schema=tables.QUARANTINE.schema,
            provenance=lineage,
        )
    return StagedPartition(
        table=table.name,
        partition=partition,
        files=files,
        fingerprint=fingerprint(table, inputs, version),
        inputs=inputs,
        schema_version=SCHEMA_VERSION,
        code_version=version,
        facts=facts,
    )
