"""The audit's quick look and pandera agree on every table; faults are told by column, never by value."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pandera
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandera.typing import Series

from leadflow_assets.lake.audit import audit_file, schema_problems
from leadflow_assets.lake.columns import Double, Int32, TableModel, Text, arrow_schema, column
from leadflow_assets.lake.geoparquet import write_parquet
from leadflow_assets.lake.tables import PARCELS
from leadflow_assets_tests.conftest import parcel_rows


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
@settings(deadline=None)
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


def test_faults_far_apart_in_a_large_file_are_counted_together(tmp_path: Path) -> None:
    rows = parcel_rows(1, 40_000)
    path = tmp_path / "parcels.parquet"

    def audited(name: str, change: Callable[[list[Any]], None]) -> tuple[str, ...]:
        values = rows[name].to_pylist()
        change(values)
        field = rows.schema.field(name)
        changed = rows.set_column(rows.schema.names.index(name), field, pa.array(values, field.type))
        write_parquet(path, changed, PARCELS, provenance={})
        return audit_file(path, PARCELS, expected_rows=40_000).problems

    def both_ends(value: object) -> Callable[[list[Any]], None]:
        return lambda values: values.__setitem__(slice(0, 40_000, 39_999), [value, value])

    assert audited("lon", lambda _: None) == ()
    (told,) = audited("lon", both_ends(-60.0))
    assert "lon breaks" in told and "(2x)" in told
    assert audited("loc_id", both_ends("M_1_1")) == ("key (loc_id) repeats 1x",)
    (told,) = audited("geometry", both_ends(bytes(21)))
    assert told == "2 geometries are not MultiPolygon"


def test_a_file_cut_short_is_not_readable(tmp_path: Path) -> None:
    path = tmp_path / "parcels.parquet"
    write_parquet(path, parcel_rows(1, 100), PARCELS, provenance={})
    path.write_bytes(path.read_bytes()[:-100])
    assert "not readable as Parquet" in audit_file(path, PARCELS).problems[0]
