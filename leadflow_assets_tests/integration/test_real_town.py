"""A real town in both formats: the numbers measured for the fact sheet, and the same tables from both.

The two packages of Bellingham stand beside the repository and are not part of it.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely

from leadflow_assets.domain.towns import town_by_id
from leadflow_assets_tests.integration.pipeline_helpers import (
    SHARED,
    Published,
    dbf_rows,
    refresh,
    settings_for,
)

PACKAGES = {
    "shapefile": SHARED / "massgis" / "L3_SHP_M025_BELLINGHAM.zip",
    "geodatabase": SHARED / "massgis" / "M025_parcels_gdb.zip",
}
MISSING = [path.name for path in PACKAGES.values() if not path.is_file()]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not in ../shared/massgis: {', '.join(MISSING)}")
BELLINGHAM = town_by_id(25)
STACK = "F_667198_2853392"
LOCAL_CODES = {"0137", "0317", "0341", "049", "303", "327", "343", "722"}

# Columns that a shapefile cannot tell null from zero in, or that are made from curves.
NULLS = {"year_built", "units", "num_rooms"}
FROM_SHAPE = {"area_m2", "perimeter_m", "geometry_repair", "parcel_sqft", "lot_to_parcel_ratio"}
SHAPES = {"geometry", "bbox"}
FROM_FETCH = {"fetched_at", "source_date"}
FROM_NULLS = {"units", "units_source", "rooms", "year_built"}


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Published]:
    made = {}
    for name, package in PACKAGES.items():
        settings = settings_for(tmp_path_factory.mktemp(name))
        report = refresh(settings, BELLINGHAM, package)
        assert (report.status, report.error) == ("refreshed", None)
        made[name] = Published(settings, BELLINGHAM)
    return made


@pytest.fixture(params=[*PACKAGES])
def town(request: pytest.FixtureRequest, towns: dict[str, Published]) -> Published:
    return towns[request.param]


def _counts(values: pd.Series) -> dict[Any, int]:
    return dict(Counter(values.dropna()))


# --- The sheet's numbers (section 6), for both formats


def test_polygons_by_type(town: Published) -> None:
    assert _counts(town.parcels["poly_type"]) == {
        "FEE": 6217,
        "PRIV_ROW": 20,
        "WATER": 14,
        "ROW": 13,
        "RAIL_ROW": 9,
    }
    assert town.facts("core/parcels")["rows_in"] == len(town.parcels) == 6273
    assert _counts(town.interests["legal_type"]) == {"EASE": 542, "PRIV_ROW": 10, "ROW_OVER": 9}
    assert town.facts("core/parcel_interests")["rows_in"] == 566


def test_every_polygon_is_valid_and_its_id_lies_inside(town: Published) -> None:
    parcels = town.parcels
    shapes = parcels.geometry.to_numpy()
    assert shapely.is_valid(shapes).all()
    assert set(shapely.get_type_id(shapes)) == {6}
    assert town.rejects["core/parcels"].empty
    assert parcels["loc_id"].is_unique
    assert parcels["loc_id_letter"].unique().tolist() == ["F"]
    assert parcels["loc_id_inside"].all()
    assert shapely.contains_xy(shapes, parcels["point_x"], parcels["point_y"]).all()
    assert parcels.crs is not None and parcels.crs.to_epsg() == 26986


def test_bounds_of_the_town(town: Published) -> None:
    expected = (199745.44, 862987.71, 204842.47, 876152.65)
    assert town.parcels.total_bounds == pytest.approx(expected, abs=0.01)
    assert town.entry("core/parcels").data.bbox == pytest.approx(expected, abs=0.01)
    assert town.parcels["lon"].between(-71.53, -71.43).all()
    assert town.parcels["lat"].between(42.0, 42.15).all()


def test_the_largest_polygon_is_a_way_of_60134_vertices(towns: dict[str, Published]) -> None:
    parcels = towns["shapefile"].parcels
    sizes = shapely.get_num_coordinates(parcels.geometry.to_numpy())
    assert (int(sizes.max()), parcels["poly_type"].iloc[int(sizes.argmax())]) == (60134, "ROW")


def test_parts_of_polygons_are_those_of_the_shapefile(towns: dict[str, Published]) -> None:
    parts = shapely.get_num_geometries(towns["shapefile"].parcels.geometry.to_numpy())
    assert (int((parts == 1).sum()), int((parts > 1).sum())) == (6229, 44)


def test_invalid_easements_are_repaired_or_quarantined(towns: dict[str, Published]) -> None:
    rejects = towns["shapefile"].rejects["core/parcel_interests"]
    assert _counts(rejects["disposition"]) == {"dropped": 5, "kept": 4}
    assert rejects["row_number"].nunique() == 9
    for town in towns.values():
        assert shapely.is_valid(town.interests.geometry.to_numpy()).all()


def test_ids_on_the_assessors_map(town: Published) -> None:
    fee = town.parcels[town.parcels["poly_type"] == "FEE"]
    assert fee["map_par_id"].isna().sum() == 12
    shared = fee["map_par_id"].dropna().value_counts()
    assert shared[shared > 1].sum() == 4
    both = town.assessments["prop_id"].isin(set(town.parcels["map_par_id"].dropna()))
    assert both.mean() == pytest.approx(0.874, abs=0.0006)


def test_days_of_last_edit(town: Published) -> None:
    assert (town.parcels["last_edit_raw"] == "20120925").sum() == 5782
    assert (town.parcels["last_edit"] == date(2012, 9, 25)).sum() == 5782
    assert town.parcels["last_edit"].notna().all()


def test_records_and_their_match(town: Published) -> None:
    core, facts = town.assessments, town.facts("core/assessments")
    assert len(core) == 6999
    assert _counts(core["parcel_match"]) == {"matched": 6990, "loc_id_null": 5, "loc_id_dangling": 4}
    assert facts["unmatched_records"] == 9
    assert facts["unmatched_dollars"] == pytest.approx(1_690_000, abs=5_000)
    assert core["total_val"].sum() == pytest.approx(4.09e9, rel=0.001)
    assert facts["unmatched_dollars"] / facts["dollars"] == pytest.approx(0.0004, abs=0.00005)
    rejects = town.rejects["core/assessments"]
    assert _counts(rejects["reason"]) == {"loc_id_null": 5, "loc_id_dangling": 4}
    assert set(rejects["disposition"]) == {"kept"}
    assert rejects["dollars"].sum() == facts["unmatched_dollars"]
    unmatched = core[core["parcel_match"] != "matched"]
    house = unmatched[unmatched["use_code"] == "101"]["total_val"]
    assert 478_600 in house.tolist()
    land = unmatched[unmatched["use_code"] == "452"]
    assert (land["total_val"].tolist(), land["bldg_val"].tolist()) == ([780_800], [0])


def test_match_rates_of_the_standard(town: Published) -> None:
    rates = town.facts("core/assessments")["match_rates"]
    assert rates["fee_and_tax_polygons"] == [6217 - 32, 6217, 99.0]
    assert town.facts("core/assessments")["polygons_without_record"] == 32
    matched, total = (sum(rates[n][k] for n in ("records_with_structure", "other_records")) for k in (0, 1))
    assert (matched, total) == (6990, 6999)
    assert (rates["records_with_structure"][2], rates["other_records"][2]) == (99.8, 97.0)


def test_stacks_of_records(town: Published) -> None:
    sizes = town.assessments["loc_id"].dropna().value_counts()
    stacks = sizes[sizes > 1]
    assert (len(stacks), int(stacks.sum()), int(stacks.max())) == (96, 897, 250)
    units = town.properties[town.properties["loc_id"] == STACK]
    assert len(units) == 250
    assert units["use_code"].unique().tolist() == ["102"]
    assert (units["land_value"] == 0).all() and units["lot_acres"].isna().all()
    assert not units["is_condominium_master"].any()
    assert units["records_on_parcel"].unique().tolist() == [250]
    on_others = town.properties["poly_type"].isin(["RAIL_ROW", "WATER", "ROW", "PRIV_ROW"])
    assert _counts(town.properties.loc[on_others, "poly_type"]) == {"RAIL_ROW": 2, "WATER": 2}


def test_values_are_whole_and_nothing_is_lost_to_the_join(town: Published) -> None:
    core, mart = town.assessments, town.properties
    assert (core["total_val"] == core[["bldg_val", "land_val", "other_val"]].sum(axis=1)).all()
    assert (core["total_val"] > 0).all() and not mart["total_value_is_sum"].any()
    assert len(mart) == 6999 and mart["property_id"].is_unique
    assert mart["total_value"].sum() == core["total_val"].sum()
    assert core["prop_id"].is_unique and core["assessment_id"].is_unique


def test_use_codes_in_use(town: Published) -> None:
    codes = town.assessments["use_code"]
    counts = codes.value_counts()
    assert {code: int(counts[code]) for code in ("101", "102", "132", "104", "130")} == {
        "101": 4915,
        "102": 925,
        "132": 198,
        "104": 189,
        "130": 80,
    }
    assert codes.nunique() == 97
    assert _counts(codes.str.len()) == {3: 6997, 4: 2}
    assert codes.str.isdigit().all()
    assert set(codes) <= set(town.use_codes.index)
    assert town.facts("core/use_codes")["rows_from_source"] == 607 + 8
    assert town.facts("core/use_codes")["unresolved_codes"] == []


def test_the_towns_own_codes_come_first(town: Published) -> None:
    codes = town.use_codes
    local = codes[codes["local_description"].notna()]
    assert set(local.index) == LOCAL_CODES
    assert (local["resolved_from"] == "town").all()
    assert (local["description"] == local["local_description"]).all()
    solar = codes.loc["0341"]
    assert "solar farm" in solar["description"].lower()
    assert solar["category"] == "mixed"
    assert "bank" in codes.loc["341", "description"].lower()
    used = town.properties[town.properties["use_code"].isin(list(LOCAL_CODES))]
    assert (used["use_resolved_from"] == "town").all()


def test_dates_of_sales(town: Published) -> None:
    core = town.assessments
    status = _counts(core["ls_date_status"])
    assert status == {"ok": 6999 - 8 - 57, "missing": 8, "sentinel": 57}
    assert set(core.loc[core["ls_date_status"] == "sentinel", "ls_date_raw"]) == {"19010101"}
    assert core["ls_date_raw"].isna().sum() == 8
    dates = core["ls_date"].dropna()
    assert dates.min() == date(1821, 10, 24)
    assert f"{dates.min():%Y%m%d}" in set(core["ls_date_raw"])
    assert (dates.map("{:%Y%m%d}".format) == core.loc[dates.index, "ls_date_raw"]).all()


def test_nominal_prices(town: Published) -> None:
    prices = town.assessments["ls_price"]
    assert ((prices == 0).sum(), (prices == 1).sum(), prices.between(1, 999).sum()) == (9, 1117, 2407)
    assert town.assessments["ls_nominal"].sum() == 9 + 2407
    mart = town.properties
    assert mart["last_sale_price"].isna().sum() == 9
    assert not mart.loc[mart["sale_is_nominal"], "sale_is_market"].any()


def test_one_deed_for_64_records_is_no_market_sale(town: Published) -> None:
    core = town.assessments
    deed = core[(core["ls_date_raw"] == "20220415") & (core["ls_price"] == 3_150_000)]
    assert len(deed) == 64
    assert deed["ls_bulk"].all()
    ids = set(deed["assessment_id"])
    mart = town.properties[town.properties["assessment_id"].isin(ids)]
    assert mart["sale_is_bulk"].all() and not mart["sale_is_market"].any()
    market = town.properties[town.properties["sale_is_market"]]
    assert not market["sale_is_bulk"].any() and (market["last_sale_price"] >= 1000).all()


def test_buildings_and_lots(town: Published) -> None:
    core, mart = town.assessments, town.properties
    assert core["year_built"].isna().sum() == 675
    assert not (core["year_built"] == 0).any()
    assert (core["lot_size"] == 0).sum() == 925 == mart["lot_acres"].isna().sum()
    assert core["lot_units"].unique().tolist() == ["A"]
    ratio = mart["lot_to_parcel_ratio"].dropna().astype(float)
    assert ratio.median() == pytest.approx(0.999, abs=0.001)
    assert np.percentile(ratio, [1, 99]) == pytest.approx([0.74, 1.31], abs=0.02)
    filled = mart[mart["lot_acres"].notna()]
    assert (filled["lot_sqft"] / filled["lot_acres"]).astype(float).to_numpy() == pytest.approx(43_560.0)
    assert (core["res_area"] == core["bld_area"]).all()


def test_units_of_the_two_formats(towns: dict[str, Published]) -> None:
    for name, nulls, zeros in (("shapefile", 675, 0), ("geodatabase", 531, 144)):
        units = towns[name].assessments["units"]
        assert (units.isna().sum(), (units == 0).sum()) == (nulls, zeros)
    for name, nulls, zeros in (("shapefile", 873 + 51, 0), ("geodatabase", 873, 51)):
        rooms = towns[name].assessments["num_rooms"]
        assert (rooms.isna().sum(), (rooms == 0).sum()) == (nulls, zeros)
    for town in towns.values():
        core = town.assessments
        assert ((core["use_code"] == "101") & (core["units"] == 2)).sum() == 58
        # In the shapefile 0, in the geodatabase 0 or nothing.
        assert ((core["use_code"] == "102") & (core["units"].fillna(0) == 0)).sum() == 76


def test_unknown_units_come_from_the_class_where_it_says_how_many(town: Published) -> None:
    mart = town.properties
    derived = mart[mart["units_source"] == "use_code"]
    assert len(derived) >= 76
    assert (derived["units"] == derived["units_low"]).all()
    assert set(derived["use_code"].str[:3]) <= {"101", "102", "104", "105"}
    assert (mart["units"].isna() == mart["units_source"].isna()).all()
    assert not (mart["units"] == 0).any()


def test_addresses(town: Published) -> None:
    core = town.assessments
    raw = dbf_rows(PACKAGES["shapefile"], "Assess")
    assert sum("  " in row["SITE_ADDR"] for row in raw) == 6906
    assert sum(row["ADDR_NUM"] == "0" for row in raw) == 502
    for column in ("site_addr", "full_str", "owner1", "own_addr"):
        assert not core[column].dropna().str.contains("  ", regex=False).any()
    assert not (core["addr_num"] == "0").any()
    blank = sum(row["ADDR_NUM"].strip() in ("", "0") for row in raw)
    assert core["addr_num"].isna().sum() == blank
    assert core["zip"].isna().sum() == 52
    assert core["zip"].dropna().unique().tolist() == ["02019"]
    assert core["city"].unique().tolist() == ["BELLINGHAM"]
    assert core["owner1"].notna().all()
    assert core["reg_id"].isna().all()
    assert core["own_state"].nunique() == 29
    assert core["zoning"].isna().mean() == pytest.approx(0.5, abs=0.02)
    assert town.properties["zoning"].dropna().str.isupper().all()
    assert core["fy"].unique().tolist() == [2026]
    assert core["cy"].unique().tolist() == [2025]


def test_the_release_and_the_history(town: Published) -> None:
    facts = town.facts("core/assessments")
    assert (facts["release"], facts["fiscal_year"], facts["note"]) == ("CY25_FY26", 2026, "")
    history = town.base / "core/assessment_releases/town_id=25/release=CY25_FY26/assessment_releases.parquet"
    assert history.read_bytes() == town.file("core/assessments").read_bytes()


# --- One release, two formats: the same tables


def _compare(
    towns: dict[str, Published], table: str, key: str, apart: set[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare both tables column by column, but for those that stand ``apart``; these are returned."""
    one, other = (pq.ParquetFile(towns[name].file(table)).read().sort_by(key) for name in PACKAGES)
    assert one.schema.names == other.schema.names
    assert one[key].equals(other[key]), f"ids of {table} differ"
    apart = (apart & set(one.schema.names)) | {key}
    differ = [n for n in one.schema.names if n not in apart | SHAPES and not one[n].equals(other[n])]
    assert not differ
    left, right = (t.select(sorted(apart)).to_pandas(types_mapper=pd.ArrowDtype) for t in (one, other))
    return left.set_index(key), right.set_index(key)


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("core/parcels", "loc_id"),
        ("core/assessments", "assessment_id"),
        ("core/parcel_interests", "interest_id"),
        ("core/misc_features", "feature_id"),
        ("core/use_codes", "use_code"),
        ("mart/properties", "property_id"),
    ],
)
def test_both_formats_give_the_same_ids_and_columns(
    towns: dict[str, Published], table: str, key: str
) -> None:
    apart = FROM_FETCH | FROM_SHAPE | (FROM_NULLS if table == "mart/properties" else NULLS)
    one, other = _compare(towns, table, key, apart)
    for column in FROM_SHAPE & set(one.columns) - {"geometry_repair"}:
        left, right = one[column].astype(float), other[column].astype(float)
        assert (left.isna() == right.isna()).all()
        # A curve of an easement of a few square metres may be more than a hundredth of it.
        near = np.isclose(left, right, rtol=0.01, atol=1.5 if "interests" in table else 0.0) | left.isna()
        assert near.all(), f"{column} of {(~near).sum()} rows differs by more than a hundredth"


def test_only_what_a_shapefile_cannot_say_differs_in_the_records(towns: dict[str, Published]) -> None:
    one, other = _compare(towns, "core/assessments", "assessment_id", NULLS)
    for column in NULLS:
        pd.testing.assert_series_equal(one[column], other[column].where(other[column] != 0))
    assert one["year_built"].equals(other["year_built"])


def test_only_curves_differ_in_the_polygons(towns: dict[str, Published]) -> None:
    one, other = (towns[name].parcels.set_index("loc_id").sort_index() for name in PACKAGES)
    shapes = one.geometry.normalize(), other.geometry.normalize()
    apart = ~shapely.equals_exact(shapes[0].to_numpy(), shapes[1].to_numpy(), tolerance=0)
    assert 422 <= int(apart.sum()) <= 427
    assert other["area_m2"].to_numpy() == pytest.approx(one["area_m2"].to_numpy(), rel=0.01)
    same = ~apart
    assert other["area_m2"].to_numpy()[same] == pytest.approx(one["area_m2"].to_numpy()[same], rel=1e-6)


def test_the_properties_differ_in_nulls_and_curves_only(towns: dict[str, Published]) -> None:
    one, other = _compare(towns, "mart/properties", "property_id", FROM_NULLS | FROM_SHAPE | FROM_FETCH)
    # An unknown count and a count of zero both leave the class to say how many.
    for column in ("year_built", "units", "units_source"):
        assert one[column].equals(other[column])
    differ = one["rooms"].fillna(-1) != other["rooms"].fillna(-1)
    # Rooms are told as published: the geodatabase says zero where the shapefile can say nothing.
    assert (other.loc[differ, "rooms"] == 0).all()
    assert int(differ.sum()) == 51
