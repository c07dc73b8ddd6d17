"""A list of deletions takes back what its dataset said before, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from leadflow_assets.enrich.batches.delivered import DELETIONS
from leadflow_assets.enrich.unified.deletions import without_deleted
from leadflow_assets.lake.tables import ATTOM_PROPERTIES
from leadflow_assets.sources.attom.record import AttomProperty, Foreclosure, as_table

FETCHED = datetime(2026, 10, 1, tzinfo=UTC)
LATER = FETCHED + timedelta(days=7)
NOTICES = (
    Foreclosure(foreclosure_id="T2", record_type="NFS", recording_date=date(2026, 8, 1), opening_bid=200),
    Foreclosure(foreclosure_id="T1", record_type="LIS", recording_date=date(2026, 5, 1)),
)
PROPERTY = AttomProperty(
    attom_id=7,
    tax_amount=100.0,
    tax_source="TAX_ASSESSOR",
    tax_fetched_at=FETCHED,
    foreclosure_record_type="NFS",
    foreclosure_recording_date=date(2026, 8, 1),
    foreclosure_opening_bid=200,
    foreclosure_records=NOTICES,
    foreclosure_source="PREFORECLOSURE",
    foreclosure_fetched_at=FETCHED,
)


def kept(record: AttomProperty, *deleted: tuple[int, str | None, str, datetime]) -> dict[str, Any]:
    rows = as_table([record])
    rows = rows.add_column(0, "batch_id", pa.array(["b1"])).select(ATTOM_PROPERTIES.schema.names)
    listed = pa.Table.from_pylist(
        [dict(zip(DELETIONS.names, row, strict=True)) for row in deleted], schema=DELETIONS
    )
    with duckdb.connect() as connection:
        connection.register("delivered", rows)
        (row,) = connection.sql(without_deleted(connection, "delivered", listed)).to_arrow_table().to_pylist()
    return dict(row)


def test_nothing_deleted_changes_nothing() -> None:
    assert kept(PROPERTY)["tax_amount"] == 100.0
    assert kept(PROPERTY, (8, None, "TAX_ASSESSOR", LATER))["tax_amount"] == 100.0


def test_a_property_deleted_from_a_dataset_loses_what_that_dataset_said() -> None:
    row = kept(PROPERTY, (7, None, "TAX_ASSESSOR", LATER))
    assert row["tax_amount"] is None and row["tax_source"] is None and row["tax_fetched_at"] is None
    assert row["foreclosure_record_type"] == "NFS" and len(row["foreclosure_records"]) == 2


@pytest.mark.parametrize("moment", [FETCHED, FETCHED - timedelta(days=1)])
def test_what_was_fetched_later_than_the_deletion_stays(moment: datetime) -> None:
    assert kept(PROPERTY, (7, None, "TAX_ASSESSOR", moment))["tax_amount"] == 100.0


def test_a_deleted_notice_leaves_the_next_to_speak() -> None:
    row = kept(PROPERTY, (7, "T2", "PREFORECLOSURE", LATER))
    assert [notice["foreclosure_id"] for notice in row["foreclosure_records"]] == ["T1"]
    assert row["foreclosure_record_type"] == "LIS"
    assert row["foreclosure_recording_date"] == date(2026, 5, 1)
    assert row["foreclosure_opening_bid"] is None
    assert row["foreclosure_source"] == "PREFORECLOSURE"
    assert row["tax_amount"] == 100.0


def test_with_its_last_notice_the_group_is_gone() -> None:
    row = kept(PROPERTY, (7, "T2", "PREFORECLOSURE", LATER), (7, "T1", "PREFORECLOSURE", LATER))
    assert row["foreclosure_records"] is None and row["foreclosure_source"] is None
    assert row["foreclosure_record_type"] is None


def test_an_older_notice_deleted_changes_the_list_and_not_the_newest() -> None:
    row = kept(PROPERTY, (7, "T1", "PREFORECLOSURE", LATER))
    assert [notice["foreclosure_id"] for notice in row["foreclosure_records"]] == ["T2"]
    assert row["foreclosure_record_type"] == "NFS" and row["foreclosure_opening_bid"] == 200


def test_what_was_asked_of_attom_itself_is_not_touched() -> None:
    asked = replace(PROPERTY, tax_source="expandedprofile")
    assert kept(asked, (7, None, "TAX_ASSESSOR", LATER))["tax_amount"] == 100.0
