"""Words for writing schemas: column types, and what a column means beside its type."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any

import pandas as pd
import pandera.pandas as pandera
import pyarrow as pa

Text = Annotated[pd.ArrowDtype, pa.string()]
Int32 = Annotated[pd.ArrowDtype, pa.int32()]
Int64 = Annotated[pd.ArrowDtype, pa.int64()]
Double = Annotated[pd.ArrowDtype, pa.float64()]
Bool = Annotated[pd.ArrowDtype, pa.bool_()]
Date = Annotated[pd.ArrowDtype, pa.date32()]
Moment = Annotated[pd.ArrowDtype, pa.timestamp("us", tz="UTC")]
Wkb = Annotated[pd.ArrowDtype, pa.binary()]

BBOX_TYPE = pa.struct([(name, pa.float64()) for name in ("xmin", "ymin", "xmax", "ymax")])
Bbox = Annotated[pd.ArrowDtype, BBOX_TYPE]

_PARTY_TEXTS = ("name", "last", "first", "middle", "suffix", "role")
PARTIES_TYPE = pa.list_(
    pa.struct(
        [
            *((name, pa.string()) for name in _PARTY_TEXTS),
            ("is_person", pa.bool_()),
            ("confidence", pa.float64()),
        ]
    )
)
Parties = Annotated[pd.ArrowDtype, PARTIES_TYPE]
SOURCES_TYPE = pa.list_(
    pa.struct(
        [
            ("fields", pa.string()),
            ("source", pa.string()),
            ("source_date", pa.date32()),
            ("version", pa.string()),
        ]
    )
)
Sources = Annotated[pd.ArrowDtype, SOURCES_TYPE]


def column(description: str, *, nullable: bool = False, pii: bool = False, **checks: Any) -> Any:
    """A column: what it means (with its unit), whether it may be null, whether it is personal data."""
    return pandera.Field(nullable=nullable, description=description, metadata={"pii": pii}, **checks)


class TableModel(pandera.DataFrameModel):
    """Base of every table's schema: exactly these columns, in this order, of these types."""

    class Config:
        """Columns as listed, no others."""

        strict = True
        ordered = True


@cache
def arrow_schema(model: type[TableModel]) -> pa.Schema:
    """The Arrow schema of a model: what is written to Parquet."""
    fields = []
    for name, spec in model.to_schema().columns.items():
        fields.append(pa.field(str(name), pandas_arrow_type(spec), nullable=bool(spec.nullable)))
    return pa.schema(fields)


def pandas_arrow_type(spec: Any) -> pa.DataType:
    """The Arrow type behind a pandera column."""
    return spec.dtype.type.pyarrow_dtype


def pii_columns(model: type[TableModel]) -> frozenset[str]:
    """Names of the columns that hold personal data."""
    columns = model.to_schema().columns.items()
    return frozenset(str(name) for name, spec in columns if (spec.metadata or {}).get("pii"))
