"""What a person sees beside a materialization. Counts, dates and places; never personal data."""

from __future__ import annotations

import inspect
from collections.abc import Collection
from pathlib import Path
from typing import Any

import dagster as dg

from leadflow_assets.lake.columns import pandas_arrow_type
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.publish import current_key
from leadflow_assets.lake.snapshots import PartitionEntry
from leadflow_assets.lake.tables import Table

OWNER = "team:data"


def asset_key(table: Table) -> dg.AssetKey:
    """``core/parcels`` in the lake is the key ["core", "parcels"]."""
    return dg.AssetKey(table.name.split("/"))


def column_schema(table: Table, only: Collection[str] | None = None) -> dg.TableSchema:
    """Columns of a table (or ``only`` some): type, meaning, null or not, personal data or not."""
    assert table.model is not None
    columns = []
    for name, spec in table.model.to_schema().columns.items():
        if only is not None and name not in only:
            continue
        columns.append(
            dg.TableColumn(
                str(name),
                str(pandas_arrow_type(spec)),
                description=spec.description,
                constraints=dg.TableColumnConstraints(nullable=bool(spec.nullable)),
                tags={"pii": ""} if (spec.metadata or {}).get("pii") else {},
            )
        )
    return dg.TableSchema(columns)


def described(table: Table) -> str:
    """What a table is, for the asset catalog."""
    text = f"One row is {table.one_row}."
    if table.model is not None and table.model.__doc__:
        # Without the source's indentation, which Markdown would take for code; it knows one backtick.
        text = inspect.cleandoc(table.model.__doc__).replace("``", "`")
    return f"{text}\n\nIn SQL: `{table.view}`. Columns: docs/tables/{table.view}.md."


def partition_metadata(lake: Lake, table: Table, entry: PartitionEntry) -> dict[str, Any]:
    """Metadata of one published partition."""
    data = entry.data
    partition = data.path.removeprefix(f"_versions/{table.name}/").rpartition("/")[0]
    where = lake.store.location(current_key(table.name, partition, "data", Path(data.path).suffix))
    metadata: dict[str, Any] = {
        "dagster/uri": where,
        "size_bytes": data.bytes,
        "sha256": data.sha256,
    }
    if release := entry.facts.get("release"):
        metadata["release"] = str(release)
    if table.model is not None:
        metadata["dagster/partition_row_count"] = data.rows
    else:
        metadata |= _receipt(entry.facts["receipt"])
    if reasons := entry.facts.get("reasons"):
        metadata["rejects"] = dg.MetadataValue.table(
            [dg.TableRecord({"reason": reason, "rows": rows}) for reason, rows in reasons.items()]
        )
    if rates := entry.facts.get("match_rates"):
        metadata["match_rates"] = dg.MetadataValue.table([_rate(name, *rate) for name, rate in rates.items()])
        metadata["unmatched_dollars"] = entry.facts["unmatched_dollars"]
    for name in ("poly_types", "types", "sale_dates"):
        if counts := entry.facts.get(name):
            metadata[name] = dg.MetadataValue.json(counts)
    return metadata


def _rate(name: str, matched: int, total: int, minimum: float) -> dg.TableRecord:
    percent = round(100 * matched / total, 2) if total else 100.0
    verdict = "met" if percent >= minimum else "below the standard"
    return dg.TableRecord(
        {
            "rate": name,
            "matched": matched,
            "of": total,
            "percent": percent,
            "minimum": minimum,
            "verdict": verdict,
        }
    )


def _receipt(receipt: dict[str, Any]) -> dict[str, Any]:
    names = ("url", "file_name", "etag", "last_modified", "fetched_at", "request_id")
    return {name: str(receipt[name]) for name in names if receipt.get(name)}
