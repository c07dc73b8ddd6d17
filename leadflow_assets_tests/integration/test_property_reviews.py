"""What waits for a person, and that a person's word is kept, counts, and can be taken back."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from leadflow_assets.domain.towns import SAMPLETON
from leadflow_assets.enrich.unified.merge import merge
from leadflow_assets.enrich.unified.reviews import confirm, decisions, reject, waiting
from leadflow_assets.errors import UsageError
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.tables import PROPERTIES, PROPERTY_RECORDS
from leadflow_assets.sampleton import Planted
from leadflow_assets.settings import Settings
from leadflow_assets.state import database, property_reviews
from leadflow_assets_tests.integration.pipeline_helpers import MONROE, refresh, settings_for, write_small
from leadflow_assets_tests.integration.unified_helpers import (
    attom,
    property_records,
    publish_batch,
    rows_of,
    with_mortgage,
)

BUILDING, ANSWER, HOUSE = 1, 2, 3


@pytest.fixture(scope="module")
def merged(tmp_path_factory: pytest.TempPathFactory, sample_package: tuple[Path, Planted]) -> Settings:
    """Sampleton with a building of units that has a mortgage, and an answer with another house number."""
    folder = tmp_path_factory.mktemp("reviews")
    settings = settings_for(folder / "data", leadflow_demo=True)
    for town, package in ((SAMPLETON, sample_package[0]), (MONROE, write_small(folder, MONROE, parcels=30))):
        assert refresh(settings, town, package).status == "refreshed"
    flats = units(settings)
    house = plain_house(settings)
    address = flats[0]["site_address"]
    other = f"{house['house_number'] + 5_000} {house['street_normalized']}"
    records = [
        with_mortgage(attom(BUILDING, address), 9_000_000, "2026-01-01"),
        with_mortgage(attom(ANSWER, other, property_id=house["property_id"]), 200_000, "2026-01-01"),
        with_mortgage(attom(HOUSE, house["site_address"]), 300_000, "2026-01-01"),
    ]
    publish_batch(settings, "one", records)
    merge(settings)
    return settings


@pytest.fixture
def settings(merged: Settings, tmp_path: Path) -> Settings:
    """A copy of that lake and its state."""
    shutil.copytree(merged.data_dir, tmp_path / "data", symlinks=True)
    return settings_for(tmp_path / "data", leadflow_demo=True)


def properties(settings: Settings, town_id: int = 999) -> dict[str, dict[str, Any]]:
    return {row["property_id"]: row for row in rows_of(settings, PROPERTIES.name, town_id)}


def units(settings: Settings) -> list[dict[str, Any]]:
    """The units of one building, all at one address."""
    rows = [row for row in properties(settings).values() if row["unit"] and not row["is_condominium_master"]]
    first = min(rows, key=lambda row: str(row["property_id"]))
    base = str(first["address_key"]).rpartition("|")[0]
    return [row for row in rows if str(row["address_key"]).rpartition("|")[0] == base]


def plain_house(settings: Settings) -> dict[str, Any]:
    rows = sorted(properties(settings).values(), key=lambda row: str(row["property_id"]))
    keys = [row["address_key"] for row in rows]
    return next(
        row for row in rows if row["house_number"] and not row["unit"] and keys.count(row["address_key"]) == 1
    )


def mortgages(settings: Settings) -> dict[str, int]:
    """Amount by property, of those that have one."""
    rows = properties(settings).values()
    return {row["property_id"]: row["mortgage_amount"] for row in rows if row["mortgage_amount"]}


def test_what_waits_says_why_and_what_it_may_be(settings: Settings) -> None:
    flats, house = units(settings), plain_house(settings)
    by_id = {row.attom_id: row for row in waiting(settings)}
    assert by_id.keys() == {BUILDING, ANSWER}
    building, answer = by_id[BUILDING], by_id[ANSWER]
    assert building.reason == "several_properties"
    assert set(building.candidates) == {row["property_id"] for row in flats}
    assert (building.town, building.site_address) == ("Sampleton", flats[0]["site_address"])
    assert (answer.reason, answer.candidates) == ("other_number", (house["property_id"],))
    assert mortgages(settings) == {house["property_id"]: 300_000}
    assert waiting(settings, towns=[MONROE.town_id]) == []


def test_a_confirmed_match_counts_and_outranks_the_rules(settings: Settings) -> None:
    flats, house = units(settings), plain_house(settings)
    chosen = flats[1]["property_id"]
    report = confirm(settings, BUILDING, chosen, by="pat", note="the deed names it")
    assert (report.matched["person"], report.towns_changed) == (1, (999,))
    assert mortgages(settings) == {house["property_id"]: 300_000, chosen: 9_000_000}
    # ATTOM has two ids for the house: the one that a person names is it, the other waits now.
    confirm(settings, ANSWER, house["property_id"], by="pat")
    assert mortgages(settings)[house["property_id"]] == 200_000
    assert [(row.attom_id, row.reason) for row in waiting(settings)] == [(HOUSE, "property_taken")]
    records = {row["attom_id"]: row for row in property_records(settings)}
    assert records[ANSWER]["match_method"] == "person" and records[ANSWER]["match_reason"] == "confirmed"


def test_a_decision_can_be_taken_back_and_nothing_of_it_is_lost(settings: Settings) -> None:
    chosen = units(settings)[0]["property_id"]
    confirm(settings, BUILDING, chosen, by="pat", note="first thought")
    report = reject(settings, BUILDING, by="sam", note="it is the whole building")
    assert chosen not in mortgages(settings) and report.towns_changed == (999,)
    assert BUILDING not in {row.attom_id for row in waiting(settings)}
    (record,) = [row for row in property_records(settings) if row["attom_id"] == BUILDING]
    assert (record["match_status"], record["match_method"], record["match_reason"]) == (
        "unmatched",
        "person",
        "rejected",
    )
    told = decisions(settings, BUILDING)
    assert [(d.property_id, d.decided_by, d.note) for d in told] == [
        (chosen, "pat", "first thought"),
        (None, "sam", "it is the whole building"),
    ]
    assert all(d.decided_at.tzinfo for d in told) and told[0].decided_at <= told[1].decided_at


def test_a_decision_moves_a_record_to_another_town_and_back(settings: Settings) -> None:
    there = sorted(properties(settings, MONROE.town_id))[0]
    report = confirm(settings, BUILDING, there, by="pat")
    assert set(report.records_changed) == {999, MONROE.town_id} == set(report.towns_changed)
    assert properties(settings, MONROE.town_id)[there]["mortgage_amount"] == 9_000_000
    assert BUILDING not in {row["attom_id"] for row in property_records(settings)}
    back = units(settings)[0]["property_id"]
    report = confirm(settings, BUILDING, back, by="pat")
    assert set(report.towns_changed) == {999, MONROE.town_id}
    assert properties(settings, MONROE.town_id)[there]["mortgage_amount"] is None
    assert f"town_id={MONROE.town_id}" not in Lake(settings).snapshot(PROPERTY_RECORDS).partitions
    assert mortgages(settings)[back] == 9_000_000


def test_decisions_survive_a_refresh_and_a_lost_property_waits_again(settings: Settings) -> None:
    chosen = units(settings)[0]["property_id"]
    confirm(settings, BUILDING, chosen, by="pat")
    assert refresh(settings, SAMPLETON, force=True).status == "refreshed"
    assert merge(settings).matched["person"] == 1
    with database.session(settings) as session:
        gone = property_reviews.latest(session, "ATTOM")[str(BUILDING)]
        property_reviews.record(
            session,
            property_reviews.PropertyReview("ATTOM", str(BUILDING), "999-gone", "x", gone.decided_at),
        )
        session.commit()
    merge(settings)
    found = {row.attom_id: row.reason for row in waiting(settings)}
    assert found[BUILDING] == "decision_outdated" and chosen not in mortgages(settings)


def test_decisions_about_what_is_not_here_are_refused(settings: Settings) -> None:
    house = plain_house(settings)["property_id"]
    with pytest.raises(UsageError, match="ATTOM id 77"):
        confirm(settings, 77, house, by="pat")
    with pytest.raises(UsageError, match="ATTOM id 77"):
        reject(settings, 77, by="pat")
    with pytest.raises(UsageError, match="no property 999-nothing"):
        confirm(settings, BUILDING, "999-nothing", by="pat")
    with pytest.raises(UsageError, match="who decided"):
        reject(settings, BUILDING, by=" ")
    assert decisions(settings, BUILDING) == [] == decisions(settings, 77)
