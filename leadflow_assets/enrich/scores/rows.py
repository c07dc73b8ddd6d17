"""The rows of mart/distress_scores of some towns at a day: read, derived, scored and put together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from leadflow_assets.domain.distress.table import ScoreTable
from leadflow_assets.enrich.scores.inputs import Inputs, asked_of, read_cases, read_records, relation
from leadflow_assets.enrich.scoring import PROPERTY_COLUMNS, derive_set, score_set
from leadflow_assets.lake.schemas.distress_scores import REASON_TYPE
from leadflow_assets.lake.tables import DISTRESS_SCORES

_BESIDE: Final = ("town_id", "loc_id", "propensity_score", "propensity_group", "propensity_source_date")


def score_rows(
    reader: duckdb.DuckDBPyConnection,
    scoring: duckdb.DuckDBPyConnection,
    inputs: Inputs,
    towns: Sequence[int],
    asked: pa.Table,
    asof: date,
    table: ScoreTable,
    *,
    property_id: str | None = None,
) -> pa.Table:
    """The rows of these towns (or of one property in them), in the order of town and id.

    ``reader`` reads the lake, ``scoring`` is ``enrich.scoring.database``; ``asked`` is ``read_asked``.
    """
    properties = _read_properties(reader, inputs, towns, property_id)
    derived = derive_set(
        scoring,
        properties,
        asof,
        cases=read_cases(reader, inputs, towns),
        records=read_records(reader, inputs, towns),
        asked=asked_of(asked, towns),
        covered=inputs.covered,
        attom_fresh_days=inputs.fresh_days,
        table=table,
    )
    scored = score_set(derived.subjects, derived.signals, asof, table)
    return _put_together(properties, scored, derived.equity)


def _read_properties(
    reader: duckdb.DuckDBPyConnection, inputs: Inputs, towns: Sequence[int], property_id: str | None
) -> pa.Table:
    source = relation(inputs.lake, [inputs.properties[town] for town in towns])
    columns = ", ".join((*PROPERTY_COLUMNS, *_BESIDE))
    only = "WHERE property_id = ?" if property_id is not None else ""
    return reader.execute(
        f"SELECT {columns} FROM {source} {only} ORDER BY town_id, property_id",
        [property_id] if property_id is not None else [],
    ).to_arrow_table()


def _put_together(properties: pa.Table, scored: pa.Table, equity: pa.Table) -> pa.Table:
    counted = pc.list_value_length(scored["factors"])
    columns: dict[str, Any] = {
        "property_id": scored["property_id"],
        "town_id": properties["town_id"],
        "loc_id": properties["loc_id"],
        "version": scored["table_version"],
        "table_hash": scored["table_hash"],
        "as_of": scored["asof"],
        "state": scored["status"],
        "not_applicable_reason": scored["reason"],
        "low": scored["score"],
        **{
            name: scored[name]
            for name in ("score", "coverage", "high", "score_if_links_hold", "high_if_links_hold")
        },
        "signals": counted,
        **{name: scored[name] for name in ("factors", "faults", "groups")},
        "reasons": _reasons(scored["lines"]),
        **{
            name: equity[name]
            for name in equity.column_names
            if name not in ("equity_value_source", "equity_loan_source")
        },
        "value_source": equity["equity_value_source"],
        "loan_source": equity["equity_loan_source"],
        **{name: properties[name] for name in _BESIDE[2:]},
    }
    schema = DISTRESS_SCORES.schema
    return pa.table([columns[name] for name in schema.names], names=schema.names).cast(schema)


def _reasons(lines: pa.ChunkedArray) -> pa.ChunkedArray:
    """The same lists under the names of the table."""
    chunks = [
        pa.ListArray.from_arrays(
            chunk.offsets, pa.StructArray.from_arrays(chunk.values.flatten(), fields=list(REASON_TYPE))
        )
        for chunk in lines.chunks
    ]
    return pa.chunked_array(chunks, pa.list_(REASON_TYPE))
