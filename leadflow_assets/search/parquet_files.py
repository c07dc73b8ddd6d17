"""mart/properties straight from its files: the relation that stands in for the index."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from leadflow_assets.lake.catalog import quoted
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.snapshots import PartitionEntry
from leadflow_assets.lake.tables import PROPERTIES
from leadflow_assets.search.areas import Box
from leadflow_assets.search.columns import SEARCH_COLUMNS
from leadflow_assets.search.criteria import SearchCriteria
from leadflow_assets.search.statement import area_condition


def parquet_relation(lake: Lake, entries: Sequence[PartitionEntry]) -> str:
    """A query for the search columns of some partitions; without any, one of the right shape."""
    columns = ", ".join(SEARCH_COLUMNS)
    if not entries:
        nothing = ", ".join(f"NULL::{_sql_type(name)} AS {name}" for name in SEARCH_COLUMNS)
        return f"SELECT {nothing} WHERE false"
    files = ", ".join(quoted(lake.store.location(entry.data.path)) for entry in entries)
    return f"SELECT {columns} FROM read_parquet([{files}], hive_partitioning = false)"


def may_touch(criteria: SearchCriteria, entry: PartitionEntry) -> bool:
    """Could a point of this file lie in one of the areas? Boxes are of degrees and left to DuckDB."""
    if not criteria.areas or entry.data.bbox is None:
        return True
    west, south, east, north = entry.data.bbox
    for area in criteria.areas:
        if isinstance(area, Box):
            return True
        _, (x1, x2, y1, y2, *_rest) = area_condition(area)
        if x1 <= east and x2 >= west and y1 <= north and y2 >= south:
            return True
    return False


def _sql_type(name: str) -> str:
    kind = PROPERTIES.schema.field(name).type
    names = {pa.int32(): "INTEGER", pa.int64(): "BIGINT", pa.float64(): "DOUBLE", pa.bool_(): "BOOLEAN"}
    return {**names, pa.date32(): "DATE"}.get(kind, "VARCHAR")
