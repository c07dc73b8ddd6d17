"""The audit between writing and publishing: does a staged file keep the table's contract?

It reads the file back, so that what is checked is what would be published. Failures are told by column
and rule, never by value: values may be personal data.
"""

from __future__ import annotations

import hashlib
import io
import json
import warnings
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO

import pandas as pd
import pandera.pandas as pandera
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from leadflow_assets.errors import AuditError
from leadflow_assets.lake.columns import TableModel, arrow_schema
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.snapshots import PartitionEntry
from leadflow_assets.lake.tables import Table

_WKB_TYPES = {"Point": 1, "MultiPolygon": 6}
_MOST_SHOWN = 5
_ROWS_AT_ONCE = 16_384


@dataclass(frozen=True)
class AuditReport:
    """What was checked and what failed; ``problems`` is empty for a good file."""

    rows: int
    problems: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Did everything hold?"""
        return not self.problems


def audit_file(path: Path | BinaryIO, table: Table, *, expected_rows: int | None = None) -> AuditReport:
    """Check one Parquet file against its table: schema and value rules, unique keys, geometry, row count.

    Rows are read some at a time and key columns once more by themselves, so that the memory taken does not
    grow with a wide file.
    """
    assert table.model is not None, "raw files have no schema to audit"
    try:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            rows = file.metadata.num_rows
            problems = list(_problems(file, table))
    except (pa.ArrowException, OSError) as error:
        return AuditReport(0, (f"not readable as Parquet ({type(error).__name__})",))
    if expected_rows is not None and rows != expected_rows:
        problems.append(f"has {rows} rows instead of {expected_rows}")
    return AuditReport(rows, tuple(problems))


def _problems(file: pq.ParquetFile, table: Table) -> list[str]:
    assert table.model is not None
    schema = file.schema_arrow
    problems = _type_problems(schema, table.model)
    if problems:
        return problems
    counts: Counter[str] = Counter()
    for batch in file.iter_batches(_ROWS_AT_ONCE, use_threads=False):
        counts += _broken_rules(pa.Table.from_batches([batch]), table.model)
    problems = _worded(counts) or _key_problems(file, table)
    if table.geometry and not problems:
        problems = _geometry_problems(file, table)
    return problems


def problems_of_published(lake: Lake, table: Table, entry: PartitionEntry) -> list[str]:
    """What is wrong with a published partition now: its bytes, or what they say. Empty: nothing."""
    try:
        content = lake.store.read(entry.data.path)
    except FileNotFoundError:
        return [f"{lake.store.location(entry.data.path)} is gone"]
    if hashlib.sha256(content).hexdigest() != entry.data.sha256:
        return ["the bytes are not those that were published"]
    if table.model is None:
        return []
    return list(audit_file(io.BytesIO(content), table, expected_rows=entry.data.rows).problems)


def require(report: AuditReport, table: Table, partition: str) -> None:
    """Refuse to go on with a file that broke its contract.

    Raises:
        AuditError: names the table, the partition and the first problems.
    """
    if report.problems:
        shown = "; ".join(report.problems[:_MOST_SHOWN])
        raise AuditError(
            f"{table.view} {partition} broke its contract and was not published: {shown}.",
            "The published version stays as it was; see the quarantine and docs/tables.",
        )


def schema_problems(rows: pa.Table, model: type[TableModel]) -> list[str]:
    """Which columns break which rule of the model, and how often.

    Names, order, types and nulls are compared in Arrow, which has them at hand; pandera judges the columns
    with rules about values that do not pass a quick look, and words what is wrong with them.
    """
    return _type_problems(rows.schema, model) or _worded(_broken_rules(rows, model))


def _type_problems(found: pa.Schema, model: type[TableModel]) -> list[str]:
    wanted = arrow_schema(model)
    if found.names != wanted.names:
        return [f"columns are {', '.join(found.names)} instead of {', '.join(wanted.names)}"]
    return [
        f"column {want.name} is {have.type} instead of {want.type}"
        for want, have in zip(wanted, found, strict=True)
        if want.type != have.type
    ]


def _broken_rules(rows: pa.Table, model: type[TableModel]) -> Counter[str]:
    """How many rows break which rule; values are judged only where no column is null that must not be."""
    counts = Counter(
        {
            f"column {field.name} is null": nulls
            for field in arrow_schema(model)
            if not field.nullable and (nulls := rows[field.name].null_count)
        }
    )
    return counts or _broken_values(rows, model)


def _worded(counts: Counter[str]) -> list[str]:
    """Broken rules with how often; nulls first, since they hide the rest."""
    nulls = [f"{rule} {count}x" for rule, count in counts.items() if rule.endswith(" is null")]
    return nulls or [f"{rule} ({count}x)" for rule, count in counts.items()]


@cache
def _value_rules(model: type[TableModel]) -> pandera.DataFrameSchema:
    """The part of a model that speaks of values."""
    schema = model.to_schema()
    ruled = [name for name, column in schema.columns.items() if column.checks]
    return schema.select_columns(ruled)


def _broken_values(rows: pa.Table, model: type[TableModel]) -> Counter[str]:
    rules = _value_rules(model)
    suspects = [
        name for name, column in rules.columns.items() if not _surely_keeps(rows[name], column.checks)
    ]
    if not suspects:
        return Counter()
    try:
        frame = rows.select(suspects).to_pandas(types_mapper=pd.ArrowDtype)
        with warnings.catch_warnings():
            # pandera concatenates its failure cases in a way that pandas 3 will change.
            warnings.simplefilter("ignore", FutureWarning)
            rules.select_columns(suspects).validate(frame, lazy=True, inplace=True)
    except pandera.errors.SchemaErrors as error:
        cases = error.failure_cases.groupby(["column", "check"], dropna=False).size()
        return Counter({f"column {column} breaks {check}": int(n) for (column, check), n in cases.items()})
    return Counter()


def _surely_keeps(values: pa.ChunkedArray, checks: list[pandera.Check]) -> bool:
    """A look in Arrow that spares pandera the columns without fault: it needs milliseconds for each.

    Only says yes where it can tell; every other rule, and every doubt, is left to pandera.
    """
    for check in checks:
        rule = check.statistics or {}
        if check.name == "isin":
            known = pc.is_in(
                pc.unique(values), value_set=pa.array([*rule["allowed_values"], None], values.type)
            )
            kept = pc.all(known).as_py()
        elif check.name in ("greater_than_or_equal_to", "less_than_or_equal_to"):
            extremes = pc.min_max(values)
            low, high = extremes["min"].as_py(), extremes["max"].as_py()
            kept = low is None or (
                low >= rule["min_value"] if "min_value" in rule else high <= rule["max_value"]
            )
        else:
            return False
        if not kept:
            return False
    return True


def _key_problems(file: pq.ParquetFile, table: Table) -> list[str]:
    if not table.key:
        return []
    keys = file.read(list(table.key), use_threads=False)
    distinct = keys.group_by(list(table.key)).aggregate([]).num_rows
    repeated = keys.num_rows - distinct
    return [f"key ({', '.join(table.key)}) repeats {repeated}x"] if repeated else []


def _geometry_problems(file: pq.ParquetFile, table: Table) -> list[str]:
    geo = json.loads((file.schema_arrow.metadata or {}).get(b"geo", b"{}"))
    if geo.get("version") != "1.1.0":
        return ["has no GeoParquet 1.1 metadata"]
    # Byte order 1 and a type code: the first five bytes of every WKB say what it is.
    wanted = b"\x01" + _WKB_TYPES[str(table.geometry)].to_bytes(4, "little")
    wrong, together = 0, True
    for batch in file.iter_batches(_ROWS_AT_ONCE, columns=["geometry", "bbox"], use_threads=False):
        geometry = pc.drop_null(batch["geometry"])
        same = pc.sum(pc.equal(pc.binary_slice(geometry, 0, 5), pa.scalar(wanted, pa.binary()))).as_py() or 0
        wrong += len(geometry) - same
        together = together and batch["bbox"].null_count == batch["geometry"].null_count
    problems = [f"{wrong} geometries are not {table.geometry}"] if wrong else []
    if not together:
        problems.append("bounding boxes and geometries are not null together")
    return problems
