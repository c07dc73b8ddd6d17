"""What the tests of the unified property share: batches of ATTOM as they are published, fictional all."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from leadflow_assets.lake.geoparquet import write_parquet
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.publish import Publisher, StagedPartition, upload
from leadflow_assets.lake.snapshots import PartitionEntry
from leadflow_assets.lake.tables import (
    ATTOM_PROPERTIES,
    ATTOM_RESULTS,
    PROPERTY_RECORDS,
    SCHEMA_VERSION,
    Table,
)
from leadflow_assets.settings import Settings
from leadflow_assets.sources.attom.record import AttomProperty, as_table

FETCHED = datetime(2026, 10, 1, 12, tzinfo=UTC)
PLACE: dict[str, Any] = {
    "site_state": "MA",
    "municipality": "SAMPLETON",
    "property_source": "expandedprofile",
    "property_source_date": date(2026, 9, 15),
    "property_fetched_at": FETCHED,
}


def attom(attom_id: int, site_address: str | None = None, **facts: Any) -> AttomProperty:
    """A property of ATTOM in Sampleton, with whatever facts are given."""
    return AttomProperty(**({"attom_id": attom_id, "site_address": site_address} | PLACE | facts))


def with_mortgage(record: AttomProperty, amount: int, day: str, **more: Any) -> AttomProperty:
    """The record with a mortgage, as a source of that day has it."""
    facts: dict[str, Any] = {
        "mortgage_found": True,
        "mortgage_amount": amount,
        "mortgage_source": "detailmortgageowner",
        "mortgage_source_date": date.fromisoformat(day),
        "mortgage_fetched_at": FETCHED,
    }
    return replace(record, **(facts | more))


def publish_batch(settings: Settings, batch_id: str, records: Sequence[AttomProperty]) -> None:
    """Publish a partition of core/attom_properties."""
    table = as_table(sorted(records, key=lambda record: record.attom_id))
    rows = table.add_column(0, "batch_id", pa.array([batch_id] * table.num_rows, pa.string()))
    publish_rows(settings, ATTOM_PROPERTIES, ATTOM_PROPERTIES.partition(batch_id), rows)


def uploaded_rows(settings: Settings, table: Table, partition: str, rows: pa.Table) -> PartitionEntry:
    """Rows of one partition in the lake, not published yet."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{table.short_name}.parquet"
        file = write_parquet(path, rows, table, schema=rows.schema, provenance={})
        staged = StagedPartition(
            table=table.name,
            partition=partition,
            files={"data": file},
            fingerprint=file.sha256,
            inputs={},
            schema_version=SCHEMA_VERSION,
            code_version="test",
        )
        return upload(Lake(settings).store, staged)


def publish_rows(settings: Settings, table: Table, partition: str, rows: pa.Table) -> None:
    """Publish one partition."""
    entry = uploaded_rows(settings, table, partition, rows)
    Publisher(Lake(settings).store, "test").publish(table.name, {partition: entry})


def publish_answers(settings: Settings, batch_id: str, answers: Sequence[dict[str, Any]]) -> None:
    """Publish a partition of raw/attom_results; each answer names property_id, endpoint and outcome."""
    rows = [
        {
            "batch_id": batch_id,
            "request_number": number,
            "reports": 0,
            "from_cache": False,
            "fetched_at": FETCHED,
            **answer,
        }
        for number, answer in enumerate(answers, start=1)
    ]
    table = pa.Table.from_pylist(rows, schema=ATTOM_RESULTS.schema)
    publish_rows(settings, ATTOM_RESULTS, ATTOM_RESULTS.partition(batch_id), table)


def rows_of(settings: Settings, table: str, town_id: int = 999) -> list[dict[str, Any]]:
    """The current file of a town's mart table, as a stranger reads it."""
    path = Path(settings.lake_uri, table, f"town_id={town_id}", f"{table.partition('/')[2]}.parquet")
    return pq.read_table(path, partitioning=None).to_pylist() if path.exists() else []


def property_records(settings: Settings, town_id: int = 999) -> list[dict[str, Any]]:
    """The town's mart/property_records."""
    return rows_of(settings, PROPERTY_RECORDS.name, town_id)
