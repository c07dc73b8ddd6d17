"""A person's file against parcels that are here: which rows are ours, how they are asked, what is left."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from leadflow_assets.domain.addresses import parse_address
from leadflow_assets.enrich.batches import matching
from leadflow_assets.enrich.batches.naming import query_of_record
from leadflow_assets.enrich.batches.service import Batches
from leadflow_assets.errors import UsageError
from leadflow_assets.lake.tables import ATTOM_PROPERTIES
from leadflow_assets.settings import Settings
from leadflow_assets.sources.attom.endpoints import PropertyQuery
from leadflow_assets_tests.conftest import forget_environment
from leadflow_assets_tests.integration.batches_helpers import assert_accounted, batch_settings, rows_of
from leadflow_assets_tests.integration.pipeline_helpers import MONROE, refresh, settings_for, write_small
from leadflow_assets_tests.integration.search_helpers import read_properties
from leadflow_assets_tests.vendors.attom import AttomServer
from leadflow_assets_tests.vendors.attom_bodies import SampleProperty


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, pd.DataFrame]:
    """A lake with mart/properties of a small town, and its rows."""
    folder = tmp_path_factory.mktemp("monroe")
    with pytest.MonkeyPatch.context() as patch:
        forget_environment(patch, folder)
        settings = settings_for(folder / "data")
        report = refresh(settings, MONROE, write_small(folder, MONROE))
        assert report.status == "refreshed", report.error
        return settings, read_properties(settings)


@pytest.fixture
def settings(clean_environment: None, town: tuple[Settings, pd.DataFrame], tmp_path: Path) -> Settings:
    """The town's lake with a state database of the test's own."""
    return batch_settings(tmp_path, None, leadflow_lake=town[0].lake_uri)


@pytest.fixture
def houses(town: tuple[Settings, pd.DataFrame]) -> list[dict[str, Any]]:
    """Properties that an address names alone, with a house number and no unit."""
    frame = town[1]
    alone = frame[~frame.duplicated("address_key", keep=False) & frame["house_number"].notna()]
    plain = alone[alone["unit"].isna() & ~alone["is_condominium_master"]]
    assert len(plain) >= 6
    return [dict(row) for _, row in plain.sort_values("property_id").astype(object).iterrows()]


def write_rows(path: Path, header: list[str], rows: list[list[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def given(house: dict[str, Any]) -> list[str]:
    return [house["site_address"].title(), MONROE.name, "MA", house["zip"] or ""]


HEADER = ["Property Street", "Property City", "Property State", "Property Zip"]


def test_rows_that_are_ours_are_asked_by_our_address(
    settings: Settings, houses: list[dict[str, Any]], tmp_path: Path
) -> None:
    first, second, third = houses[:3]
    number = parse_address(third["site_address"]).num
    rows = [
        given(first),
        given(second),
        given(first),
        given(third),
        ["12 Elsewhere Rd", "Keene", "NH", "03431"],
    ]
    rows[3][0] = f"{number} {third['street_normalized']} UNIT 99"
    batches = Batches(settings)
    file = write_rows(tmp_path / "list.csv", HEADER, rows)
    preview = batches.preview(file)
    assert dict(preview.matches) == {"exact": 2, "probable": 1, "none": 1, "duplicate": 1, "unnameable": 0}
    job = batches.create(file, name="Monroe")
    requests = batches.requests(job.job_id)
    assert [(r.property_id, r.match, r.source_rows) for r in requests] == [
        (first["property_id"], "exact", (1, 3)),
        (second["property_id"], "exact", (2,)),
        (third["property_id"], "probable", (4,)),
        (None, "none", (5,)),
    ]
    assert requests[0].query.address1 == first["site_address"]
    assert requests[2].query.address1 == third["site_address"], "ours, not as it was written"
    assert requests[0].query.address2 == f"Monroe, MA {first['zip'] or ''}".strip()
    assert requests[0].query.fips == MONROE.county_fips
    assert requests[3].query.address2 == "Keene, NH 03431"
    assert (job.duplicates, job.total_records) == (1, 4)
    by_row = {row.row_number: row for row in preview.report}
    assert "same property as row 1" in by_row[3].why and "only Massachusetts" in by_row[5].why


def test_a_file_of_ids_and_a_list_of_ids_ask_the_same(
    settings: Settings, houses: list[dict[str, Any]], tmp_path: Path
) -> None:
    ids = [house["property_id"] for house in houses[:4]]
    batches = Batches(settings)
    of_file = batches.create(
        write_rows(tmp_path / "ids.csv", ["property_id"], [[i] for i in ids]), name="File"
    )
    of_ids = batches.create_from_properties([*ids, ids[0]], name="Ids")
    assert [r.query for r in batches.requests(of_file.job_id)] == [
        r.query for r in batches.requests(of_ids.job_id)
    ]
    assert {r.match for r in batches.requests(of_ids.job_id)} == {"property"}
    assert (of_ids.rows_given, of_ids.total_records, of_ids.duplicates) == (5, 4, 1)
    assert batches.preview_properties(ids).requests == 4
    with pytest.raises(UsageError, match="1 properties are not here: 190-nothing"):
        batches.create_from_properties([*ids, "190-nothing"], name="Wrong")
    with pytest.raises(UsageError, match="No property"):
        batches.preview_properties([])


def test_a_property_that_cannot_be_named_is_accounted_for_and_not_asked(
    settings: Settings, houses: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_a_number(record: Mapping[str, Any]) -> tuple[PropertyQuery, str]:
        nothing = record["property_id"] == houses[0]["property_id"]
        return query_of_record({**record, "site_address": "SAMPLE ST"} if nothing else record)

    monkeypatch.setattr(matching, "query_of_record", without_a_number)
    batches = Batches(settings)
    ids = [house["property_id"] for house in houses[:2]]
    preview = batches.preview_properties(ids)
    assert (preview.matches["unnameable"], preview.requests, preview.to_ask) == (1, 2, 2)
    assert "no house number" in preview.report[0].why
    job = batches.create_from_properties(ids, name="Bare")
    assert [(r.outcome, r.reason) for r in batches.requests(job.job_id)] == [
        ("error", "unnameable"),
        ("pending", None),
    ]
    file = write_rows(
        tmp_path / "l.csv", ["property_id", "Street", "Town"], [[ids[0], "7 Other St", "Monroe"]]
    )
    named = batches.create(file, name="By its row")
    (request,) = batches.requests(named.job_id)
    assert (request.property_id, request.query.address1) == (ids[0], "7 OTHER ST")


def test_what_was_found_carries_our_ids_and_comes_back_beside_the_rows(
    settings: Settings, houses: list[dict[str, Any]], tmp_path: Path
) -> None:
    known = [
        SampleProperty(
            3000 + n,
            line1=house["site_address"],
            city=MONROE.name.upper(),
            zip=house["zip"] or "",
            apn=house["prop_id"],
        )
        for n, house in enumerate(houses[:3])
    ]
    with AttomServer(known) as server:
        own = settings.model_copy(update={"leadflow_attom_url": server.base})
        batches = Batches(own)
        file = write_rows(
            tmp_path / "l.csv", [*HEADER, "My note"], [[*given(h), f"n{i}"] for i, h in enumerate(houses[:4])]
        )
        job = batches.advance(batches.create(file, name="Ours").job_id)
        assert_accounted(own, server, job)
        found = {row["attom_id"]: row["property_id"] for row in rows_of(own, ATTOM_PROPERTIES, job)}
        assert found == {3000 + n: house["property_id"] for n, house in enumerate(houses[:3])}
        batches.export(job.job_id, tmp_path / "found.csv")
        with (tmp_path / "found.csv").open(encoding="utf-8-sig", newline="") as exported:
            rows = list(csv.DictReader(exported))
        assert [(row["My note"], row["match"], row["outcome"]) for row in rows] == [
            ("n0", "exact", "returned"),
            ("n1", "exact", "returned"),
            ("n2", "exact", "returned"),
            ("n3", "exact", "no_match"),
        ]
        assert [row["property_id"] for row in rows] == [house["property_id"] for house in houses[:4]]
        assert Counter(row["owner_1"] for row in rows) == {"EXAMPLE PAT": 3, "": 1}


def test_two_properties_of_ours_with_one_answer_are_not_told_apart(
    settings: Settings, houses: list[dict[str, Any]]
) -> None:
    """The record names none of them: which one it is must be reviewed."""
    same = [
        SampleProperty(4000, line1=house["site_address"], city="MONROE", zip=house["zip"] or "")
        for house in houses[:2]
    ]
    with AttomServer(same) as server:
        own = settings.model_copy(update={"leadflow_attom_url": server.base})
        batches = Batches(own)
        ids = [house["property_id"] for house in houses[:2]]
        made = batches.create_from_properties(ids, name="One", endpoints=["expandedprofile"])
        job = batches.advance(made.job_id)
        assert [r.attom_id for r in batches.requests(job.job_id)] == [4000, 4000]
        (row,) = rows_of(own, ATTOM_PROPERTIES, job)
        assert (row["attom_id"], row["property_id"]) == (4000, None)
