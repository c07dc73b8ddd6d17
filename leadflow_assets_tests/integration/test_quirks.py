"""Every case planted in a sample package reaches the tables as the fact sheet demands."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely

from leadflow_assets.domain.towns import SAMPLETON
from leadflow_assets.lake.schemas import core_massgis
from leadflow_assets.sampleton import PackageSpec, Planted, write_package
from leadflow_assets_tests.integration.pipeline_helpers import (
    MADE,
    MEMBERS,
    Published,
    Row,
    dbf_rows,
    only,
    raw_values,
    refresh,
    settings_for,
)

SQUARE_FEET_PER_ACRE = 43_560
PARTS = ["bldg_val", "land_val", "other_val"]


@dataclass(frozen=True)
class Sample:
    """A package, what was planted in it, and what was published from it."""

    spec: PackageSpec
    package: Path
    planted: Planted
    town: Published


def make(folder: Path, **spec: Any) -> Sample:
    """Write a package of Sampleton and refresh it into a lake of its own."""
    wanted = PackageSpec(**spec)
    package = folder / "L3_SHP_M999_SAMPLETON.zip"
    planted = write_package(wanted, package)
    settings = settings_for(folder / "data", leadflow_demo=True)
    report = refresh(settings, SAMPLETON, package)
    assert (report.status, report.error) == ("refreshed", None)
    return Sample(wanted, package, planted, Published(settings, SAMPLETON))


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return make(tmp_path_factory.mktemp("quirks"))


VARIANTS: dict[str, dict[str, Any]] = {
    "old_names": {"old_names": True},
    "metres": {"letter": "M"},
    "upper_folder": {"upper_folder": True},
    "latin_1": {"encoding": "latin-1"},
    "plain": {"quirks": False, "parcels": 60},
}


@pytest.fixture(scope="module", params=[*VARIANTS])
def variant(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return make(tmp_path_factory.mktemp(request.param), **VARIANTS[request.param])


# --- What each quirk must become. A check gets the published town and the list of its cases.

Cases = list[dict[str, Any]]
Check = Callable[[Published, Cases], None]


def _each(check: Callable[[dict[str, Any], Row, Row], None]) -> Check:
    """A check of single records: the case, the core row and the mart row."""

    def run(town: Published, cases: Cases) -> None:
        for case in cases:
            check(case, *town.by_record(case))

    return run


def _columns(core: Mapping[str, str] | None = None, mart: Mapping[str, str] | None = None) -> Check:
    """Columns of core and mart that must hold a value of ``expected`` as it stands."""

    def check(case: dict[str, Any], record: Row, prop: Row) -> None:
        for row, names in ((record, core or {}), (prop, mart or {})):
            for column, key in names.items():
                assert row[column] == case["expected"][key], column

    return _each(check)


def _records(town: Published, loc_id: str) -> pd.DataFrame:
    return town.properties[town.properties["loc_id"] == loc_id]


def _rejects(town: Published, table: str, reason: str) -> list[Row]:
    rows = town.rejects[table]
    return [only(rows.iloc[[k]]) for k in range(len(rows)) if rows.iloc[k]["reason"] == reason]


def _kept_as(town: Published, reason: str, loc_id: str) -> None:
    """The polygon is in the quarantine as kept, and in the table."""
    (row,) = [r for r in _rejects(town, "core/parcels", reason) if raw_values(r)["LOC_ID"] == loc_id]
    assert row["disposition"] == "kept"
    assert town.parcel(loc_id)


def tax_polygons(town: Published, cases: Cases) -> None:
    pieces = town.interests[(town.interests["legal_type"] == "FEE") & town.interests["taxpar_id"].notna()]
    for case in cases:
        parcel = town.parcel(case["LOC_ID"])
        assert (parcel["poly_type"], parcel["map_par_id"]) == ("TAX", None)
        mine = pieces[pieces["taxpar_id"] == case["LOC_ID"]]
        assert sorted(mine["map_par_id"]) == case["constituents"]
        assert mine["area_m2"].sum() == pytest.approx(parcel["area_m2"], rel=1e-6)
        assert town.by_record(case)[1]["poly_type"] == "TAX"


def without_record(town: Published, cases: Cases) -> None:
    for case in cases:
        parcel = town.parcel(case["LOC_ID"])
        assert parcel["no_match"] == case["NO_MATCH"]
        assert _records(town, case["LOC_ID"]).empty
    fee = town.parcels[town.parcels["poly_type"].isin(["FEE", "TAX"]) & (town.parcels["no_match"] != "Y")]
    with_record = fee["loc_id"].isin(set(town.assessments["loc_id"].dropna()))
    matched, total, _ = town.facts("core/assessments")["match_rates"]["fee_and_tax_polygons"]
    # Those marked Y are not among them; those marked N are, and fail.
    assert (matched, total) == (int(with_record.sum()), len(fee))
    marked_n = [case["LOC_ID"] for case in cases if case["expected"]["counts_in_match_rate"]]
    assert set(marked_n) <= set(fee["loc_id"][~with_record])
    assert town.facts("core/assessments")["polygons_without_record"] == total - matched


def no_map_par_id(town: Published, cases: Cases) -> None:
    for case in cases:
        parcel = town.parcel(case["LOC_ID"])
        assert (parcel["map_par_id"], parcel["poly_type"]) == (None, "FEE")
        assert town.by_record(case)[0]["parcel_match"] == "matched"


def map_par_id_twice(town: Published, cases: Cases) -> None:
    (case,) = cases
    for loc_id in case["LOC_IDS"]:
        assert town.parcel(loc_id)["map_par_id"] == case["MAP_PAR_ID"]
        assert len(_records(town, loc_id)) == 1


def record_on_row(town: Published, cases: Cases) -> None:
    for case in cases:
        _, prop = town.by_record(case)
        assert (prop["parcel_match"], prop["poly_type"]) == ("matched", case["POLY_TYPE"])
        assert prop["point_x"] is not None


def bowtie(town: Published, cases: Cases) -> None:
    (case,) = cases
    parcel = town.parcel(case["LOC_ID"])
    assert parcel["geometry_repair"] == "Self-intersection"
    assert shapely.is_valid(parcel["geometry"]) and parcel["area_m2"] > 100
    _kept_as(town, "geometry_repaired", case["LOC_ID"])


def invalid_other_legal(town: Published, cases: Cases) -> None:
    by_row = {r["row_number"]: r for r in _all_rejects(town, "core/parcel_interests")}
    assert set(by_row) == {case["row"] + 1 for case in cases}
    for case in cases:
        found = by_row[case["row"] + 1]
        assert raw_values(found)["LEGAL_TYPE"] == case["LEGAL_TYPE"]
        if case["fault"] == "too_few_points":
            assert (found["disposition"], found["reason"]) == ("dropped", "geometry_unrepairable")
        else:
            assert (found["disposition"], found["reason"]) == ("kept", "geometry_repaired")
    assert town.interests["geometry_repair"].notna().sum() == 1
    assert shapely.is_valid(town.interests.geometry.to_numpy()).all()


def _all_rejects(town: Published, table: str) -> list[Row]:
    rows = town.rejects[table]
    return [only(rows.iloc[[k]]) for k in range(len(rows))]


def malformed_id(town: Published, cases: Cases) -> None:
    (case,) = cases
    parcel = town.parcel(case["LOC_ID"])
    assert (parcel["loc_id_letter"], parcel["loc_id_inside"]) == (None, None)
    point = shapely.Point(parcel["point_x"], parcel["point_y"])
    assert shapely.contains(parcel["geometry"], point)
    _kept_as(town, "loc_id_malformed", case["LOC_ID"])
    assert len(_records(town, case["LOC_ID"])) == 1


def other_letter(town: Published, cases: Cases) -> None:
    (case,) = cases
    parcel = town.parcel(case["LOC_ID"])
    assert (parcel["loc_id_letter"], parcel["loc_id_inside"]) == (case["LOC_ID"][0], True)
    _kept_as(town, "loc_id_other_letter", case["LOC_ID"])


def point_outside(town: Published, cases: Cases) -> None:
    (case,) = cases
    parcel = town.parcel(case["LOC_ID"])
    assert parcel["loc_id_inside"] is False or not parcel["loc_id_inside"]
    assert shapely.contains(parcel["geometry"], shapely.Point(parcel["point_x"], parcel["point_y"]))
    _kept_as(town, "loc_id_point_outside", case["LOC_ID"])


def id_on_two_polygons(town: Published, cases: Cases) -> None:
    (case,) = cases
    parcel = town.parcel(case["LOC_ID"])
    (dropped,) = _rejects(town, "core/parcels", "loc_id_duplicate")
    assert dropped["disposition"] == "dropped"
    assert {parcel["map_par_id"], raw_values(dropped)["MAP_PAR_ID"]} == set(case["MAP_PAR_IDS"])
    assert parcel["area_m2"] >= raw_values(dropped)["SHAPE_AREA"] - 0.01
    # One record stays one property.
    assert len(_records(town, case["LOC_ID"])) == 1


def polygon_without_id(town: Published, cases: Cases) -> None:
    (case,) = cases
    (dropped,) = _rejects(town, "core/parcels", "loc_id_null")
    assert dropped["disposition"] == "dropped"
    assert raw_values(dropped)["MAP_PAR_ID"] == case["MAP_PAR_ID"]
    assert case["MAP_PAR_ID"] not in set(town.parcels["map_par_id"])
    assert town.parcels["loc_id"].notna().all()


def devens(town: Published, cases: Cases) -> None:
    for case in cases:
        record, prop = town.by_record(case)
        parcel = town.parcel(case["LOC_ID"])
        assert (record["town_id_in_row"], parcel["town_id_in_row"]) == (case["TOWN_ID"],) * 2
        assert (record["town_id"], parcel["town_id"], prop["town_id"]) == (town.town.town_id,) * 3


def multipolygon(town: Published, cases: Cases) -> None:
    for case in cases:
        parts = shapely.get_parts(town.parcel(case["LOC_ID"])["geometry"])
        assert len(parts) == case["expected"]["parts"]
        assert shapely.get_num_interior_rings(parts).sum() == case["expected"]["holes"]


def many_vertices(town: Published, cases: Cases) -> None:
    for case in cases:
        geometry = town.parcel(case["LOC_ID"])["geometry"]
        assert shapely.get_num_coordinates(geometry) == case["expected"]["vertices"]


def stack(town: Published, cases: Cases) -> None:
    for case in cases:
        expected, rows = case["expected"], _records(town, case["LOC_ID"])
        masters = rows[rows["is_condominium_master"]]
        units = rows[~rows["is_condominium_master"]]
        assert (len(rows), len(units), len(masters)) == tuple(
            expected[k] for k in ("records", "units", "masters")
        )
        assert set(units["prop_id"]) == set(case["PROP_IDS"])
        assert rows["records_on_parcel"].unique().tolist() == [expected["records"]]
        assert int(rows["total_value"].sum()) == expected["total_val"]
        assert (units["land_value"] == 0).all() and units["lot_acres"].isna().all()
        # A unit's lot is not the polygon: no ratio to be taken for a fault.
        assert rows["lot_to_parcel_ratio"].isna().all()
        if expected["masters"]:
            assert masters["prop_id"].tolist() == [case["master"]["PROP_ID"]]
            assert masters["use_code"].tolist() == [case["USE_CODE"]]
            assert masters[["owner_name", "units"]].isna().all(axis=None)


def full_duplicates(town: Published, cases: Cases) -> None:
    for case in cases:
        core = town.assessments
        expected = case["expected"]
        assert (core["prop_id"] == case["PROP_ID"]).sum() == expected["rows_kept"]
        dropped = [
            r
            for r in _rejects(town, "core/assessments", "duplicate_row")
            if raw_values(r)["PROP_ID"] == case["PROP_ID"]
        ]
        assert [r["disposition"] for r in dropped] == ["dropped"] * expected["rows_dropped"]
        assert len({r["row_number"] for r in dropped}) == expected["rows_dropped"]


def prop_id_twice(town: Published, cases: Cases) -> None:
    (case,) = cases
    rows = [town.by_record(record)[1] for record in case["records"]]
    assert len({row["property_id"] for row in rows}) == case["expected"]["rows_kept"]
    assert [row["prop_id"] for row in rows] == [case["PROP_ID"]] * 2
    assert [row["loc_id"] for row in rows] == [record["LOC_ID"] for record in case["records"]]
    kept = _rejects(town, "core/assessments", "prop_id_duplicate")
    assert [row["disposition"] for row in kept] == ["kept"] * 2


def many_numbers(town: Published, cases: Cases) -> None:
    (case,) = cases
    rows = _records(town, case["LOC_ID"])
    assert len(rows) == case["expected"]["records"]
    assert sorted(rows["address_number"], key=int) == case["ADDR_NUMS"]


def unmatched(town: Published, cases: Cases) -> None:
    for case in cases:
        expected, (record, prop) = case["expected"], town.by_record(case)
        assert (record["parcel_match"], prop["parcel_match"]) == (expected["reason"],) * 2
        assert (prop["poly_type"], prop["point_x"], prop["lon"], prop["parcel_sqft"]) == (None,) * 4
        assert prop["total_value"] == expected["total_val"]
        (row,) = [
            r
            for r in _rejects(town, "core/assessments", expected["reason"])
            if raw_values(r)["PROP_ID"] == case["PROP_ID"]
        ]
        assert (row["disposition"], row["dollars"]) == ("kept", case["TOTAL_VAL"])


def total_of_parts(case: dict[str, Any], record: Row, prop: Row) -> None:
    assert record["total_val"] == case["TOTAL_VAL"]
    assert prop["total_value"] == case["expected"]["total_val"]
    assert prop["total_value_is_sum"] == case["expected"]["total_val_from_parts"]


def bulk_deed(town: Published, cases: Cases) -> None:
    (case,) = cases
    core = town.assessments[town.assessments["prop_id"].isin(case["PROP_IDS"])]
    assert len(core) == case["expected"]["rows"]
    assert core["ls_deed_rows"].unique().tolist() == [case["expected"]["rows"]]
    assert core["ls_bulk"].all()
    mart = town.properties[town.properties["prop_id"].isin(case["PROP_IDS"])]
    assert mart["sale_is_bulk"].all() and not mart["sale_is_market"].any()
    assert mart["last_sale_price"].unique().tolist() == [case["LS_PRICE"]]


def lot_size(case: dict[str, Any], record: Row, prop: Row) -> None:
    expected = case["expected"]["lot_size_sqft"]
    assert prop["lot_sqft"] == expected
    assert prop["lot_acres"] == (None if expected is None else pytest.approx(expected / SQUARE_FEET_PER_ACRE))


def square_feet(case: dict[str, Any], record: Row, prop: Row) -> None:
    assert (record["lot_units"], record["lot_size"]) == ("S", case["LOT_SIZE"])
    lot_size(case, record, prop)
    assert 0.7 < prop["lot_to_parcel_ratio"] < 1.4


def lot_size_far_off(case: dict[str, Any], record: Row, prop: Row) -> None:
    assert prop["lot_acres"] == pytest.approx(case["LOT_SIZE"])
    assert prop["lot_to_parcel_ratio"] > 1.4


def sale_date(*statuses: str) -> Check:
    def run(town: Published, cases: Cases) -> None:
        found = []
        for case in cases:
            record, prop = town.by_record(case)
            wanted = case["expected"]["ls_date"] and date.fromisoformat(case["expected"]["ls_date"])
            assert record["ls_date_raw"] == (case["LS_DATE"] or None)
            assert record["ls_date"] == prop["last_sale_date"] == wanted
            assert record["ls_date_status"] == prop["last_sale_date_status"]
            # The price is a usual one: the date alone decides.
            assert prop["sale_is_market"] == (wanted is not None)
            found.append(record["ls_date_status"])
        assert found == list(statuses)

    return run


def price(case: dict[str, Any], record: Row, prop: Row) -> None:
    assert record["ls_price"] == case["LS_PRICE"]
    assert prop["last_sale_price"] == case["expected"]["ls_price"]
    assert record["ls_nominal"] and prop["sale_is_nominal"] and not prop["sale_is_market"]


def units_zero(case: dict[str, Any], record: Row, prop: Row) -> None:
    assert record["units"] is None
    assert (prop["units"], prop["units_source"]) == (case["expected"]["units_from_use_code"], "use_code")


def units_contradict(case: dict[str, Any], record: Row, prop: Row) -> None:
    assert (record["units"], record["use_code"]) == (case["expected"]["units"], case["expected"]["use_code"])
    assert (prop["units"], prop["units_source"]) == (case["expected"]["units"], "assessor")
    assert (prop["units_low"], prop["units_high"]) == (1, 1)


def areas_zero(case: dict[str, Any], record: Row, prop: Row) -> None:
    assert (prop["building_sqft"], prop["residential_sqft"]) == (None, None)


def zoning(case: dict[str, Any], record: Row, prop: Row) -> None:
    assert record["zoning"] == case["ZONING"]
    assert prop["zoning"] == case["expected"]["zoning_folded"]


def zip_mistyped(case: dict[str, Any], record: Row, prop: Row) -> None:
    assert record["zip"] == case["ZIP"]
    assert prop["zip"] is None


def mailing_as_published(case: dict[str, Any], record: Row, prop: Row) -> None:
    columns = {"own_addr": "mailing_address", "own_city": "mailing_city", "own_state": "mailing_state"}
    columns |= {"own_zip": "mailing_zip", "own_co": "mailing_country"}
    for core, mart in columns.items():
        if core.upper() in case:
            assert record[core] == prop[mart] == (case[core.upper()] or None)
    assert not prop["mailing_is_site"]


def address_number(case: dict[str, Any], record: Row, prop: Row) -> None:
    assert record["addr_num"] == prop["address_number"] == case["expected"]["addr_num"]
    assert record["site_addr"] == " ".join(case["SITE_ADDR"].split())


def address_parts(case: dict[str, Any], record: Row, prop: Row) -> None:
    assert prop["address_number"] == (case["ADDR_NUM"] or None)
    assert prop["street"] == (case["FULL_STR"] or None)
    assert prop["site_address"] == " ".join(case["SITE_ADDR"].split())


def mailing_blank(case: dict[str, Any], record: Row, prop: Row) -> None:
    assert record["own_addr"] is None
    assert prop["mailing_is_site"]
    assert prop["mailing_address"] == prop["site_address"] is not None
    assert (prop["mailing_city"], prop["mailing_state"]) == ("SAMPLETON", "MA")
    assert prop["mailing_zip"] == prop["zip"] is not None


def no_owner(case: dict[str, Any], record: Row, prop: Row) -> None:
    assert (record["owner1"], prop["owner_name"]) == (None, None)
    assert not prop["is_condominium_master"]


def non_ascii(case: dict[str, Any], record: Row, prop: Row) -> None:
    for name, mart in (("owner1", "owner_name"), ("full_str", "street")):
        if name in case["expected"]:
            assert record[name] == prop[mart] == case["expected"][name]


def use_code(town: Published, cases: Cases) -> None:
    for case in cases:
        expected, (record, prop) = case["expected"], town.by_record(case)
        code = "013" if case["USE_CODE"] == "13" else case["USE_CODE"] or None
        assert record["use_code"] == prop["use_code"] == code
        if code is None:
            assert (prop["use_description"], prop["category"]) == (None, "unknown")
            continue
        meaning = _plain_row(town.use_codes.loc[code])
        assert prop["use_description"] == meaning["description"]
        assert prop["use_resolved_from"] == meaning["resolved_from"]
        assert meaning["records"] == (town.assessments["use_code"] == code).sum()
        if expected["use_code_resolved"] is None:
            assert (meaning["resolved_from"], meaning["description"]) == ("unknown", None)
        elif expected["use_code_is_local"]:
            assert (meaning["resolved_from"], meaning["description"]) == ("town", expected["use_desc"])
        else:
            same = _plain_row(town.use_codes.loc[expected["use_code_resolved"]])
            assert meaning["resolved_from"] in ("state", "first_three")
            assert meaning["description"] == same["state_description"]


def _plain_row(row: Any) -> Row:
    return {name: None if pd.isna(value) else value for name, value in row.to_dict().items()}


def last_edit(town: Published, cases: Cases) -> None:
    (case,) = cases
    raw = str(case["LAST_EDIT"])
    dropped = [raw_values(r) for r in _all_rejects(town, "core/parcels") if r["disposition"] == "dropped"]
    lost = sum(str(row["LAST_EDIT"]) == raw for row in dropped)
    same = town.parcels[town.parcels["last_edit_raw"] == raw]
    assert len(same) == case["rows"] - lost
    assert {f"{day:%Y%m%d}" for day in same["last_edit"]} == {raw}


def single_spaces(town: Published, cases: Cases) -> None:
    for table, columns in (
        (town.assessments, ("site_addr", "full_str", "owner1", "own_addr")),
        (town.properties, ("site_address", "street", "owner_name", "mailing_address")),
    ):
        for column in columns:
            assert not table[column].dropna().str.contains("  ", regex=False).any()
    assert town.assessments["site_addr"].notna().sum() >= cases[0]["rows"] - 3


CHECKS: dict[str, Check] = {
    "tax_polygon_with_constituents": tax_polygons,
    "polygon_without_record": without_record,
    "polygon_no_match_y": without_record,
    "fee_without_map_par_id": no_map_par_id,
    "map_par_id_duplicate": map_par_id_twice,
    "record_on_row_polygon": record_on_row,
    "invalid_polygon_bowtie": bowtie,
    "invalid_ring_in_othleg": invalid_other_legal,
    "loc_id_malformed": malformed_id,
    "loc_id_other_letter": other_letter,
    "loc_id_point_outside": point_outside,
    "loc_id_duplicate_polygon": id_on_two_polygons,
    "loc_id_null_polygon": polygon_without_id,
    "devens_town_id": devens,
    "multipolygon": multipolygon,
    "polygon_hole": multipolygon,
    "row_many_vertices": many_vertices,
    "condo_stack": stack,
    "condo_stack_with_master": stack,
    "full_duplicate_row": full_duplicates,
    "prop_id_duplicate": prop_id_twice,
    "many_numbers_on_polygon": many_numbers,
    "loc_id_null": unmatched,
    "loc_id_dangling": unmatched,
    "total_zero_with_parts": _each(total_of_parts),
    "total_differs_from_sum": _each(total_of_parts),
    "bulk_deed": bulk_deed,
    "lot_units_square_feet": _each(square_feet),
    "lot_size_far_off": _each(lot_size_far_off),
    "sale_date_sentinel": sale_date("sentinel", "sentinel"),
    "sale_date_before_1800": sale_date("before_1800", "before_1800"),
    "sale_date_1821": sale_date("ok"),
    "sale_date_future": sale_date("future"),
    "sale_date_beyond_2262": sale_date("future"),
    "sale_date_invalid": sale_date("invalid", "missing"),
    "sale_date_null": sale_date("missing"),
    "price_zero": _each(price),
    "price_one": _each(price),
    "price_nominal": _each(price),
    "book_page_odd": _columns(mart={"deed_book": "ls_book", "deed_page": "ls_page"}),
    "lot_size_zero": _each(lot_size),
    "year_built_zero": _columns({"year_built": "year_built"}, {"year_built": "year_built"}),
    "year_built_impossible": _columns(mart={"year_built": "year_built"}),
    "units_zero": _each(units_zero),
    "units_contradict_use_code": _each(units_contradict),
    "rooms_zero": _columns({"num_rooms": "num_rooms"}, {"rooms": "num_rooms"}),
    "area_zero": _each(areas_zero),
    "stories_text": _columns({"stories": "stories"}, {"stories": "stories"}),
    "zoning_case_twins": _each(zoning),
    "zip_null": _columns({"zip": "zip"}, {"zip": "zip"}),
    "zip_mistyped": _each(zip_mistyped),
    "zip_mangled": _each(mailing_as_published),
    "own_co_odd": _each(mailing_as_published),
    "addr_num_zero": _each(address_number),
    "addr_num_leading_zero": _each(address_number),
    "addr_num_range": _each(address_number),
    "addr_num_fraction": _each(address_number),
    "springfield_range": _each(address_number),
    "addr_parts_null": _each(address_parts),
    "unit_letter_before_street": _each(address_parts),
    "location_rear": _columns({"location": "location"}, {"unit_location": "location"}),
    "own_addr_blank": _each(mailing_blank),
    "owner_null": _each(no_owner),
    "non_ascii_text": _each(non_ascii),
    "use_code_local": use_code,
    "use_code_local_clash": use_code,
    "use_code_letter": use_code,
    "use_code_four": use_code,
    "use_code_unpadded": use_code,
    "use_code_removed": use_code,
    "use_code_unknown": use_code,
    "use_code_null": use_code,
    "last_edit_initial": last_edit,
    "site_addr_double_space": single_spaces,
}


def test_every_planted_quirk_has_a_check_and_every_check_a_quirk(sample: Sample) -> None:
    assert set(sample.planted.quirks) == set(CHECKS)


@pytest.mark.parametrize("name", CHECKS)
def test_the_quirk_is_handled(name: str, sample: Sample) -> None:
    cases: Any = sample.planted.quirks[name]
    assert cases
    CHECKS[name](sample.town, cases)


# --- Nothing gets lost


def _lost_and_found(sample: Sample) -> None:
    town = sample.town
    for member, table in MEMBERS.items():
        raw = dbf_rows(sample.package, member, sample.spec.encoding)
        facts = town.facts(table)
        rejects = town.rejects[table]
        dropped = rejects[rejects["disposition"] == "dropped"]
        assert facts["rows_in"] == len(raw), table
        assert facts["dropped"] == dropped["row_number"].nunique(), table
        if table != "core/use_codes":
            assert len(raw) == len(town.frame(table)) + facts["dropped"], table
        assert rejects["reason"].notna().all() and (rejects["member"] == member).all()
        for row in _all_rejects(town, table):
            written = {k.upper(): v for k, v in raw[row["row_number"] - 1].items()}
            read = raw_values(row)
            assert set(read) == set(written)
            for name in ("PROP_ID", "LOC_ID", "OWNER1", "TOTAL_VAL", "LEGAL_TYPE", "MAP_PAR_ID", "TOWN_ID"):
                if name in written:
                    assert (read[name] or "") == (written[name] or ""), name


def test_rows_in_are_rows_out_and_rows_dropped(sample: Sample) -> None:
    _lost_and_found(sample)


def test_records_kept_with_a_reservation_stand_in_both_places(sample: Sample) -> None:
    town = sample.town
    kept = [r for r in _all_rejects(town, "core/assessments") if r["disposition"] == "kept"]
    assert len(kept) == 7
    for row in kept:
        raw = raw_values(row)
        assert town.by_record({"PROP_ID": raw["PROP_ID"], "CAMA_ID": raw["CAMA_ID"]})


def test_every_record_is_one_property_and_one_record_of_its_release(sample: Sample) -> None:
    town = sample.town
    properties, core = town.properties, town.assessments
    assert properties["property_id"].is_unique and properties["property_id"].notna().all()
    assert core["assessment_id"].is_unique
    assert set(properties["assessment_id"]) == set(core["assessment_id"])
    assert len(properties) == len(core)
    folder = town.base / "core/assessment_releases/town_id=999/release=CY25_FY26"
    history = pq.ParquetFile(folder / "assessment_releases.parquet").read()
    assert history.equals(pq.ParquetFile(town.file("core/assessments")).read())


def test_dollars_are_the_same_in_the_package_the_records_and_the_properties(sample: Sample) -> None:
    town, core = sample.town, sample.town.assessments
    raw = dbf_rows(sample.package, "Assess")
    duplicates = _rejects(town, "core/assessments", "duplicate_row")
    in_package = sum(row["TOTAL_VAL"] for row in raw) - sum(row["dollars"] for row in duplicates)
    assert int(core["total_val"].sum()) == in_package == town.facts("core/assessments")["dollars"]
    zero = (core["total_val"] == 0) & (core[PARTS].sum(axis=1) > 0)
    from_parts = int(core.loc[zero, PARTS].sum().sum())
    assert int(town.properties["total_value"].sum()) == in_package + from_parts
    for column, mart in (
        ("bldg_val", "building_value"),
        ("land_val", "land_value"),
        ("other_val", "other_value"),
    ):
        assert core[column].sum() == town.properties[mart].sum()


def test_what_has_no_polygon_is_told_in_rows_and_dollars(sample: Sample) -> None:
    cases: Any = [*sample.planted.quirks["loc_id_null"], *sample.planted.quirks["loc_id_dangling"]]
    facts = sample.town.facts("core/assessments")
    assert facts["unmatched_records"] == len(cases)
    assert facts["unmatched_dollars"] == sum(case["TOTAL_VAL"] for case in cases)
    missing = sample.town.properties["point_x"].isna()
    assert int(missing.sum()) == len(cases)


def test_the_quarantine_is_a_folder_of_its_own_and_marked_as_personal(sample: Sample) -> None:
    files = list((sample.town.base / "core/parcels").rglob("*.parquet"))
    assert [path.name for path in files] == ["parcels.parquet"]
    field = core_massgis.Quarantine.to_schema().columns["raw_values"]
    assert field.metadata["pii"]
    row = _all_rejects(sample.town, "core/assessments")[0]
    assert isinstance(json.loads(row["raw_values"]), dict)


# --- Packages of other shapes


def test_a_package_of_another_shape_loses_nothing(variant: Sample) -> None:
    _lost_and_found(variant)
    for table in MADE:
        if table != "core/assessment_releases":
            assert variant.town.file(table).is_file()


def test_a_package_of_another_shape_has_its_quirks_handled(variant: Sample) -> None:
    failed = {}
    for name, cases in variant.planted.quirks.items():
        try:
            CHECKS[name](variant.town, cases)  # type: ignore[arg-type]
        except AssertionError as error:
            failed[name] = str(error)
    assert not failed
    assert bool(variant.planted.quirks) == variant.spec.quirks


def test_a_package_without_release_in_its_names_is_known_by_its_fiscal_year(variant: Sample) -> None:
    facts = variant.town.facts("core/assessments")
    core = variant.town.assessments
    expected = "FY26" if variant.spec.old_names else "CY25_FY26"
    assert (facts["release"], core["release"].unique().tolist()) == (expected, [expected])
    assert core["fy"].unique().tolist() == [2026]
    assert core["cy"].isna().all() == variant.spec.old_names
    assert core["cama_id"].isna().all() == variant.spec.old_names
    history = variant.town.base / f"core/assessment_releases/town_id=999/release={expected}"
    assert [p.name for p in history.iterdir()] == ["assessment_releases.parquet"]


def test_text_and_letter_are_those_of_the_package(variant: Sample) -> None:
    spec, town = variant.spec, variant.town
    assert town.facts("core/parcels")["loc_id_letter"] == spec.letter
    encoding = town.facts("core/assessments")["encoding"]
    # A package in latin-1 says so in its .cpg; without any foreign letter both readings are one.
    assert encoding == ("latin-1" if spec.encoding == "latin-1" else "utf-8")
    letters = Counter(town.parcels["loc_id_letter"].dropna())
    assert letters.most_common(1)[0][0] == spec.letter
    assert town.properties["property_id"].is_unique


def test_an_empty_misc_layer_is_an_empty_table(variant: Sample) -> None:
    rows = variant.town.frame("core/misc_features")
    assert len(rows) == (6 if variant.spec.quirks else 0)
