"""The audit's quick look and pandera agree on every table; faults are told by column, never by value."""

from __future__ import annotations

import pandas as pd
import pandera.pandas as pandera
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandera.typing import Series

from leadflow_assets.lake.audit import schema_problems
from leadflow_assets.lake.columns import Double, Int32, TableModel, Text, arrow_schema, column


class Sample(TableModel):
    """A table with every kind of rule that the schemas use."""

    town_id: Series[Int32] = column("id", ge=1)
    kind: Series[Text] = column("kind", nullable=True, isin=("FEE", "TAX"))
    lon: Series[Double] = column("degrees", nullable=True, ge=-75, le=-69)
    owner: Series[Text] = column("owner", nullable=True, pii=True, str_matches=r"^[A-Z ]+$")


ROW = st.fixed_dictionaries(
    {
        "town_id": st.one_of(st.none(), st.integers(-2, 400)),
        "kind": st.sampled_from([None, "FEE", "TAX", "fee", ""]),
        "lon": st.one_of(st.none(), st.floats(-80, -60)),
        "owner": st.sampled_from([None, "SMITH JOHN", "smith"]),
    }
)


def table(rows: list[dict[str, object]]) -> pa.Table:
    nullable = pa.schema([field.with_nullable(True) for field in arrow_schema(Sample)])
    return pa.Table.from_pylist(rows, schema=nullable)


def pandera_passes(rows: pa.Table) -> bool:
    try:
        Sample.validate(rows.to_pandas(types_mapper=pd.ArrowDtype), lazy=True)
    except pandera.errors.SchemaErrors:
        return False
    return True


@pytest.mark.filterwarnings("ignore::FutureWarning")  # pandera's own, when it collects its failures
@given(st.lists(ROW, max_size=6))
def test_the_audit_passes_exactly_what_pandera_passes(rows: list[dict[str, object]]) -> None:
    given_table = table(rows)
    assert (schema_problems(given_table, Sample) == []) == pandera_passes(given_table)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"town_id": 0}, "town_id breaks greater_than_or_equal_to"),
        ({"town_id": None}, "town_id is null 1x"),
        ({"kind": "LANE"}, "kind breaks isin"),
        ({"lon": -60.0}, "lon breaks less_than_or_equal_to"),
        ({"owner": "secret name"}, "owner breaks str_matches"),
    ],
)
def test_a_fault_is_told_by_column_and_rule_and_never_by_value(change: dict[str, object], told: str) -> None:
    good = {"town_id": 25, "kind": "FEE", "lon": -71.0, "owner": "SMITH JOHN"}
    problems = schema_problems(table([good, good | change]), Sample)
    assert len(problems) == 1 and told in problems[0]
    assert "secret" not in problems[0]


def test_another_type_or_order_of_columns_is_a_fault() -> None:
    rows = table([{"town_id": 25}])
    assert "instead of int32" in schema_problems(rows.cast(_wider(rows.schema)), Sample)[0]
    assert "columns are" in schema_problems(rows.select(["kind", "town_id", "lon", "owner"]), Sample)[0]


def _wider(schema: pa.Schema) -> pa.Schema:
    return schema.set(0, pa.field("town_id", pa.int64()))
