"""The parcel report over two releases of Sampleton, judged by pandas and shapely, and over the real town."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
import shapely

from leadflow_assets.domain.towns import SAMPLETON, town_by_id
from leadflow_assets.enrich.unified.merge import merge
from leadflow_assets.errors import LeadflowError, StoreError, UsageError
from leadflow_assets.lake import tables
from leadflow_assets.lake.lake import Lake
from leadflow_assets.sampleton import PackageSpec, Planted, next_release, write_package
from leadflow_assets.search.engine import open_searcher
from leadflow_assets.search.index import build_index
from leadflow_assets.search.parcel.holdings import holdings_of
from leadflow_assets.search.parcel.report import ParcelReport, as_document, parcel_report
from leadflow_assets.sources.attom.record import Lien, OpenLoan
from leadflow_assets_tests.integration.pipeline_helpers import Published, refresh, settings_for
from leadflow_assets_tests.integration.unified_helpers import (
    attom,
    publish_answers,
    publish_batch,
    rows_of,
    with_mortgage,
)

DAY = date(2026, 6, 1)
SQUARE_FEET = 10.763910416709722
HALF_MILE = 804.672


@dataclass(frozen=True)
class TwoReleases:
    """Sampleton in its second release, what was planted in each, and the tables as others read them."""

    town: Published
    first: Planted
    second: Planted

    def report(self, loc_id: str, **more: Any) -> ParcelReport:
        return parcel_report(self.town.settings, SAMPLETON, loc_id, **({"day": DAY} | more))

    def loc_id(self, prop_id: str) -> str:
        (loc_id,) = self.town.properties.query("prop_id == @prop_id")["loc_id"]
        return str(loc_id)


@pytest.fixture(scope="module")
def sampleton(tmp_path_factory: pytest.TempPathFactory) -> TwoReleases:
    folder = tmp_path_factory.mktemp("report")
    settings = settings_for(folder / "data", leadflow_demo=True)
    planted = []
    for name, write in (("first", write_package), ("second", next_release)):
        (folder / name).mkdir()
        package = folder / name / SAMPLETON.shapefile_zip
        planted.append(write(PackageSpec(), package))
        report = refresh(settings, SAMPLETON, package)
        assert report.status == "refreshed", report.error
    build_index(Lake(settings))
    return TwoReleases(Published(settings, SAMPLETON), *planted)


@pytest.fixture(scope="module")
def bellingham(tmp_path_factory: pytest.TempPathFactory, shared_massgis: Path) -> Iterator[Published]:
    folder = tmp_path_factory.mktemp("real")
    settings = settings_for(folder)
    report = refresh(settings, town_by_id(25), shared_massgis / "L3_SHP_M025_BELLINGHAM.zip")
    assert report.status == "refreshed", report.error
    build_index(Lake(settings))
    yield Published(settings, town_by_id(25))
    shutil.rmtree(folder)


def test_a_house_over_two_releases(sampleton: TwoReleases) -> None:
    for case in sampleton.second.quirks["value_changed"]:
        (unit,) = sampleton.report(sampleton.loc_id(case["PROP_ID"])).units
        before, after = unit.value_history
        assert (before.fiscal_year, after.fiscal_year) == (
            sampleton.first.fiscal_year,
            sampleton.second.fiscal_year,
        )
        old, new = case["old"], case["new"]
        assert (before.building_value, after.building_value) == (old["BLDG_VAL"], new["BLDG_VAL"])
        assert after.total_change == new["TOTAL_VAL"] - old["TOTAL_VAL"]
        percent = 100 * (new["TOTAL_VAL"] - old["TOTAL_VAL"]) / old["TOTAL_VAL"]
        assert after.total_change_percent == pytest.approx(percent, abs=0.05)
        assert (before.owner_changed, before.total_change) == (None, None)
        assert (after.owner_changed, after.sale_changed) == (False, False)


def test_new_owners_and_sales_show_in_the_history(sampleton: TwoReleases) -> None:
    for name, sold in (("sale", True), ("owner_changed", False)):
        for case in sampleton.second.quirks[name]:
            (unit,) = sampleton.report(sampleton.loc_id(case["PROP_ID"])).units
            last = unit.value_history[-1]
            assert (last.owner_changed, last.sale_changed) == (True, sold)
    for case in sampleton.second.quirks["sale"]:
        (unit,) = sampleton.report(sampleton.loc_id(case["PROP_ID"])).units
        assert unit.sale.verdict == ("market" if case["expected"]["is_market"] else "nominal")
        assert (unit.sale.deed_book, unit.sale.deed_page) == ("43555", case["new"]["LS_PAGE"])


def test_an_old_id_leads_to_the_parcels_that_followed(sampleton: TwoReleases) -> None:
    for case in sampleton.second.quirks["split"]:
        with pytest.raises(UsageError, match="There is no parcel") as caught:
            sampleton.report(case["old_LOC_ID"])
        assert sampleton.loc_id(case["PROP_ID"]) in caught.value.hint
        (unit,) = sampleton.report(case["new_LOC_IDS"][0]).units
        assert [past.loc_id for past in unit.value_history] == [case["old_LOC_ID"], case["new_LOC_IDS"][0]]
    for case in sampleton.second.quirks["vanished"]:
        with pytest.raises(UsageError) as caught:
            sampleton.report(case["LOC_ID"])
        assert "none of them is in the current release" in caught.value.hint


def test_records_that_share_a_prop_id_keep_apart_in_the_past(sampleton: TwoReleases) -> None:
    for case in sampleton.first.quirks["prop_id_duplicate"]:
        for record in case["records"]:
            (unit,) = sampleton.report(record["LOC_ID"]).units
            assert unit.cama_id == str(record["CAMA_ID"])
            assert [past.loc_id for past in unit.value_history] == [record["LOC_ID"]] * 2


def test_a_condominium_with_its_master(sampleton: TwoReleases) -> None:
    for case in sampleton.first.quirks["condo_stack_with_master"]:
        report = sampleton.report(case["LOC_ID"])
        masters = [unit for unit in report.units if unit.is_condominium_master]
        assert len(report.units) == case["expected"]["records"]
        assert len(masters) == case["expected"]["masters"]
        assert sum(u.total_value or 0 for u in report.units) == case["expected"]["total_val"]
        assert report.comparables.subject not in {unit.property_id for unit in masters}
        named = report.units[0].property_id
        if not report.units[0].is_condominium_master:
            assert sampleton.report(case["LOC_ID"], unit=named).comparables.subject == named


def test_a_unit_that_is_not_on_the_parcel_is_refused(sampleton: TwoReleases) -> None:
    case = sampleton.first.quirks["condo_stack"][0]
    with pytest.raises(UsageError, match="not on the parcel"):
        sampleton.report(case["LOC_ID"], unit="999-nothing")


def test_a_tax_parcel_is_explained_by_its_pieces(sampleton: TwoReleases) -> None:
    for case in sampleton.first.quirks["tax_polygon_with_constituents"]:
        report = sampleton.report(case["LOC_ID"])
        assert report.parcel is not None and report.parcel.poly_type == "TAX"
        assert [piece.map_par_id for piece in report.pieces] == sorted(case["constituents"])
        assert sum(p.area_sqft for p in report.pieces) == pytest.approx(report.parcel.area_sqft, rel=0.01)
        assert not {"FEE"} & {found.legal_type for found in report.interests}


def test_a_polygon_without_a_record(sampleton: TwoReleases) -> None:
    for case in sampleton.first.quirks["polygon_without_record"]:
        report = sampleton.report(case["LOC_ID"])
        assert (report.units, report.holdings) == ((), ())
        assert report.comparables.estimate is None
        assert any("no assessment record" in gap.why for gap in report.unknowns)
        assert any(fact.source == "MassGIS L3 TaxPar" for fact in report.sources)


def test_records_without_a_polygon(sampleton: TwoReleases) -> None:
    for case in sampleton.first.quirks["loc_id_dangling"]:
        report = sampleton.report(case["LOC_ID"])
        assert (report.parcel, len(report.units), report.interests) == (None, 1, ())
        assert "where it lies" in {gap.what for gap in report.unknowns}
    lost = sampleton.town.properties.query("parcel_match == 'loc_id_null'")
    assert len(lost) == len(sampleton.first.quirks["loc_id_null"])
    for property_id in lost["property_id"]:
        (unit,) = sampleton.report(property_id).units
        assert unit.property_id == property_id


def test_other_ids_and_addresses_name_the_parcel_and_open_nothing(sampleton: TwoReleases) -> None:
    rows = sampleton.town.properties
    alone = rows[rows["house_number"].notna() & rows["loc_id"].notna() & (rows["records_on_parcel"] == 1)]
    row = alone.drop_duplicates("address_key", keep=False).iloc[0]
    for given in (row["prop_id"], row["property_id"], row["site_address"], row["site_address"].lower()):
        with pytest.raises(UsageError) as caught:
            sampleton.report(given)
        assert row["loc_id"] in caught.value.hint
        assert row["street"] not in str(caught.value).upper()
    assert sampleton.report(f" {row['loc_id'].lower()} ").parcel is not None


def test_a_mistyped_id_names_what_lies_there(sampleton: TwoReleases) -> None:
    shape = sampleton.town.parcels.query("poly_type == 'FEE' and loc_id_inside == True").iloc[5]
    letter, x, y = shape["loc_id"].split("_")
    with pytest.raises(UsageError, match="There is no parcel") as caught:
        sampleton.report(f"{letter}_{int(x) + 1}_{y}")
    assert shape["loc_id"] in caught.value.hint
    with pytest.raises(UsageError) as caught:
        sampleton.report(f"{letter}_{x[:4]}")
    assert f"{letter}_{x[:4]}" in caught.value.hint
    with pytest.raises(UsageError, match="no parcel"):
        sampleton.report("12 NOWHERE NEAR LN")


def _interests_by_shapely(town: Published, loc_id: str) -> dict[str, float]:
    """Square feet of each interest on a parcel, by geopandas and shapely."""
    (parcel,) = town.parcels.query("loc_id == @loc_id").geometry
    found = {}
    for row in town.interests.itertuples():
        area = shapely.intersection(row.geometry, parcel).area
        if area >= 0.05 and row.taxpar_id != loc_id:
            found[row.interest_id] = area * SQUARE_FEET
    return found


def test_interests_are_the_overlaps_that_shapely_finds(sampleton: TwoReleases) -> None:
    parcels = sampleton.town.parcels
    shapes = sampleton.town.interests.geometry.union_all()
    touched = parcels[parcels.geometry.intersects(shapes)]
    several = [loc for loc in touched["loc_id"][:60] if _interests_by_shapely(sampleton.town, loc)]
    edges_only = [loc for loc in touched["loc_id"][:60] if loc not in several]
    assert several
    for loc_id in [*several[:6], *edges_only[:3]]:
        report = sampleton.report(loc_id)
        expected = _interests_by_shapely(sampleton.town, loc_id)
        assert {i.interest_id: i.overlap_sqft for i in report.interests} == pytest.approx(expected, abs=0.1)
        assert report.parcel is not None
        for interest in report.interests:
            share = 100 * interest.overlap_sqft / report.parcel.area_sqft
            assert interest.share_percent == pytest.approx(share, abs=0.02)


@pytest.mark.slow
def test_holdings_are_those_of_the_same_owner_at_the_same_address(sampleton: TwoReleases) -> None:
    rows = sampleton.town.properties
    rows = rows[~rows["is_condominium_master"]]
    counts = rows[rows["owner_key"].notna() & rows["mailing_key"].notna()].groupby(
        ["owner_key", "mailing_key"]
    )
    pairs = [pair for pair, group in counts if len(group) > 1 and group["loc_id"].nunique() > 1][:4]
    assert pairs
    for owner, mailing in pairs:
        own = rows[(rows["owner_key"] == owner) & (rows["mailing_key"] == mailing)]
        loc_id = own["loc_id"].dropna().iloc[0]
        here = set(rows[rows["loc_id"] == loc_id]["property_id"])
        expected = own[~own["property_id"].isin(here)]
        report = sampleton.report(loc_id)
        (held,) = [h for h in report.holdings if set(h.properties_here) & set(own["property_id"])]
        assert {row.property_id for row in held.same_owner} == set(expected["property_id"])
        assert held.same_owner_value == expected["total_value"].fillna(0).sum()
        assert held.same_name_elsewhere == (rows["owner_key"] == owner).sum() - len(own)
        at_address = rows[rows["mailing_key"] == mailing]
        owners = at_address["owner_key"].nunique()
        others = at_address[(at_address["owner_key"] != owner) & ~at_address["property_id"].isin(here)]
        assert (held.owners_at_address, held.address_is_hub) == (owners, owners >= 25)
        assert held.same_address_total == len(others)
        assert len(held.same_address) == (0 if owners >= 25 else len(others))


@pytest.mark.parametrize(("owners", "hub"), [(24, False), (25, True)])
def test_an_address_of_many_owners_is_counted_and_not_listed(owners: int, hub: bool) -> None:
    columns = ("town", "loc_id", "site_address", "use_description", "owner_type", "last_sale_date")
    keys = [(f"K-{n}", f"OWNER {n}", "02000|1|ELM") for n in range(owners)]
    keys += [("K-0", "OWNER 0", "02000|1|ELM"), ("K-0", "OWNER 0", "02000|9|OAK")]
    rows = pd.DataFrame(keys, columns=["owner_key", "owner_name", "mailing_key"])
    rows["property_id"] = [f"P{n}" for n in range(len(rows))]
    rows = rows.assign(**dict.fromkeys(columns), total_value=100, is_condominium_master=False)
    with duckdb.connect() as connection:
        connection.register("properties", rows)
        (held,) = holdings_of(connection, rows.head(1).to_dict("records"))
    assert [row.property_id for row in held.same_owner] == [f"P{owners}"]
    assert (held.same_owner_value, held.same_name_elsewhere) == (100, 1)
    assert (held.owners_at_address, held.address_is_hub) == (owners, hub)
    assert held.same_address_total == owners - 1
    assert len(held.same_address) == (0 if hub else owners - 1)
    assert bool(held.remark) == hub


def _inside_first_window(town: Published, unit: Any, point: tuple[float, float]) -> pd.DataFrame:
    rows = town.properties
    away = np.hypot(rows["point_x"].astype(float) - point[0], rows["point_y"].astype(float) - point[1])
    size = (rows["building_sqft"].astype(float) / unit.building_sqft - 1).abs()
    sold = pd.to_datetime(rows["last_sale_date"].astype(str), errors="coerce")
    fits = (away <= HALF_MILE) & (size <= 0.2) & rows["sale_is_market"].astype(bool)
    fits &= (sold >= "2024-06-01") & (sold <= "2026-06-01")
    fits &= rows["use_code"].astype(str).str.startswith(unit.use_code[:3]) & (
        rows["property_id"] != unit.property_id
    )
    return rows[fits & (rows["category"] == unit.category)]


def test_comparables_keep_to_what_they_say(sampleton: TwoReleases) -> None:
    rows = sampleton.town.properties
    houses = rows[
        (rows["use_code"] == "101") & (rows["records_on_parcel"] == 1) & rows["building_sqft"].notna()
    ]
    with_estimate = 0
    for loc_id in houses["loc_id"].dropna()[:12]:
        report = sampleton.report(loc_id)
        found, (unit,) = report.comparables, report.units
        assert report.parcel is not None and found.subject == unit.property_id
        assert unit.property_id not in {sale.property_id for sale in found.sales}
        assert len(found.sales) == min(10, found.candidates)
        assert [s.difference for s in found.sales] == sorted(s.difference for s in found.sales)
        if not found.widened:
            first = _inside_first_window(sampleton.town, unit, (report.parcel.point_x, report.parcel.point_y))
            assert {sale.property_id for sale in found.sales} <= set(first["property_id"])
        if found.estimate is None:
            assert len(found.sales) < 3 and found.no_estimate_because
            continue
        with_estimate += 1
        rates = [sale.sale_price / sale.building_sqft for sale in found.sales if sale.building_sqft]
        low, middle, high = np.percentile(rates, [25, 50, 75]) * unit.building_sqft
        worth = found.estimate
        assert (worth.low, worth.value, worth.high) == pytest.approx((low, middle, high), abs=501)
        assert worth.sales == len(rates) and "not an appraisal" in worth.label
    assert with_estimate


def test_too_few_sales_give_no_estimate(sampleton: TwoReleases) -> None:
    loc_id = sampleton.loc_id(sampleton.second.quirks["value_changed"][0]["PROP_ID"])
    found = sampleton.report(loc_id, day=date(1950, 1, 1)).comparables
    assert (found.sales, found.estimate) == ((), None)
    assert "fewer than 3" in found.no_estimate_because
    assert len(found.widened) == 4


def test_bulk_and_nominal_and_missing_sales_say_why(sampleton: TwoReleases) -> None:
    deed = sampleton.first.quirks["bulk_deed"][0]
    (unit,) = sampleton.report(sampleton.loc_id(deed["PROP_IDS"][0])).units
    assert (unit.sale.verdict, unit.sale.records_on_deed) == ("bulk", deed["expected"]["rows"])
    assert unit.sale.value_change is None
    for name, verdict in (("price_nominal", "nominal"), ("price_zero", "unknown")):
        for case in sampleton.first.quirks[name]:
            (unit,) = sampleton.report(case["LOC_ID"]).units
            assert unit.sale.verdict == verdict
    for case in sampleton.first.quirks["sale_date_future"]:
        report = sampleton.report(case["LOC_ID"])
        assert report.units[0].sale.date_status == "future"
        assert "when it was last sold" in {gap.what for gap in report.unknowns}


@pytest.mark.parametrize(
    ("quirk", "what"),
    [
        ("zip_null", "the ZIP"),
        ("year_built_zero", "the year built"),
        ("lot_size_zero", "the deeded lot size"),
        ("own_addr_blank", "a mailing address of its own"),
        ("owner_null", "the owner"),
        ("use_code_unknown", "what the use code means"),
    ],
)
def test_gaps_are_named_with_a_remedy(sampleton: TwoReleases, quirk: str, what: str) -> None:
    for case in sampleton.first.quirks[quirk]:
        report = sampleton.report(case["LOC_ID"])
        (gap,) = [gap for gap in report.unknowns if gap.what == what]
        assert gap.properties == (report.units[0].property_id,)
        assert gap.why and gap.filled_by


def test_what_no_source_has_is_said_of_every_parcel(sampleton: TwoReleases) -> None:
    for quirk in ("condo_stack", "polygon_without_record"):
        told = {gap.what for gap in sampleton.report(sampleton.first.quirks[quirk][0]["LOC_ID"]).unknowns}
        assert {"loans and equity", "vacancy", "phone numbers and e-mail of owners"} <= told
        assert any("court cases" in what for what in told)


@dataclass(frozen=True)
class WithAttom:
    """Sampleton with what ATTOM says of one house, a building of units that waits, and some inquiries."""

    settings: Any
    house: dict[str, Any]
    flats: list[dict[str, Any]]
    asked: list[dict[str, Any]]

    def report(self, loc_id: str, **settings: Any) -> ParcelReport:
        used = settings_for(self.settings.data_dir, leadflow_demo=True, **settings)
        return parcel_report(used, SAMPLETON, loc_id, day=DAY)


@pytest.fixture(scope="module")
def with_attom(tmp_path_factory: pytest.TempPathFactory, sampleton: TwoReleases) -> WithAttom:
    data = tmp_path_factory.mktemp("attom") / "data"
    shutil.copytree(sampleton.town.settings.data_dir, data, symlinks=True)
    settings = settings_for(data, leadflow_demo=True)
    rows = sorted(rows_of(settings, tables.PROPERTIES.name), key=lambda row: str(row["property_id"]))
    alone = [row for row in rows if row["records_on_parcel"] == 1 and row["house_number"] and not row["unit"]]
    house, asked = alone[0], alone[1:6]
    flats = [row for row in rows if row["loc_id"] == sampleton.first.quirks["condo_stack"][0]["LOC_ID"]]
    record = attom(
        7,
        property_id=house["property_id"],
        site_address=house["site_address"],
        available_equity=140_000,
        loan_to_value=65.0,
        total_loan_balance=260_000,
        open_loans=(OpenLoan(1, 300_000, date(2021, 6, 1), "P", "A SAVINGS BANK", 3.125),),
        equity_source="homeequity",
        equity_source_date=date(2026, 9, 1),
        tax_amount=4_321.0,
        tax_year=2026,
        tax_source="expandedprofile",
        tax_source_date=date(2026, 9, 15),
        foreclosure_record_type="NFS",
        foreclosure_stage="sale_notice",
        foreclosure_auction_date=date(2026, 12, 1),
        foreclosure_source="preforeclosuredetails",
        avm_value=400_000,
        avm_low=380_000,
        avm_high=420_000,
        avm_score=88,
        avm_source="attomavm",
        propensity_score=71.0,
        propensity_group="HIGH",
        propensity_source="PROPENSITY",
        lien_records=(Lien("TAX", 5_000),),
        liens_source="LIENS",
        last_sale_date=date(2026, 5, 5),
        last_sale_price=777_000,
        sale_source="RECORDER",
        sale_source_date=date(2026, 9, 2),
    )
    records = [with_mortgage(record, 300_000, "2026-09-01", mortgage_lender="A SAVINGS BANK")]
    records.append(attom(8, flats[0]["site_address"]))
    publish_batch(settings, "one", records)
    answers = [
        (asked[0], "homeequity", "no_match"),
        (asked[1], "homeequity", "returned"),
        (asked[2], "homeequity", "error"),
        (asked[2], "homeequity", "ambiguous"),
        (asked[3], "preforeclosuredetails", "pending"),
    ]
    publish_answers(
        settings,
        "one",
        [
            {"property_id": row["property_id"], "endpoint": endpoint, "outcome": outcome}
            for row, endpoint, outcome in answers
        ],
    )
    merge(settings)
    build_index(Lake(settings))
    return WithAttom(settings, house, flats, asked)


def test_what_attom_says_stands_with_its_source_and_day(with_attom: WithAttom) -> None:
    report = with_attom.report(with_attom.house["loc_id"])
    (unit,) = report.units
    vendor = unit.vendor
    assert vendor.attom_id == 7
    assert vendor.mortgages is not None and vendor.mortgages.first is not None
    assert (vendor.mortgages.first.amount, vendor.mortgages.second) == (300_000, None)
    assert (vendor.mortgages.source, vendor.mortgages.source_date) == (
        "ATTOM detailmortgageowner",
        date(2026, 9, 1),
    )
    assert vendor.equity is not None and vendor.equity.open_loans[0].amount == 300_000
    assert (vendor.equity.loan_balance, vendor.equity.equity_percent) == (260_000, 35.0)
    assert vendor.tax is not None and (vendor.tax.amount, vendor.tax.delinquent_year) == (4_321.0, None)
    assert vendor.foreclosure is not None and vendor.foreclosure.meaning == "notice of a foreclosure sale"
    assert vendor.valuation is not None and vendor.valuation.score == 88
    assert vendor.propensity is not None and vendor.propensity.group == "HIGH"
    assert vendor.liens is not None and (vendor.liens.count, vendor.liens.amount) == (1, 5_000)
    assert vendor.deed is not None and vendor.deed.price == 777_000
    assert "last_sale" in {conflict.fields for conflict in vendor.conflicts}
    fields = {(fact.fields, fact.source) for fact in report.sources}
    assert {("mortgage", "ATTOM detailmortgageowner"), ("liens", "ATTOM LIENS")} <= fields
    gaps = {gap.what: gap.why for gap in report.unknowns}
    assert not {"loans and equity", "mortgages", "liens and judgments", "a market value by a model"} & set(
        gaps
    )
    assert "names no unpaid year" in gaps["unpaid taxes"]
    document = json.loads(json.dumps(as_document(report), allow_nan=False))
    assert document["units"][0]["vendor"]["foreclosure"]["auction_date"] == "2026-12-01"


@pytest.mark.parametrize(
    ("number", "what", "said"),
    [
        (0, "loans and equity", "asked on 2026-10-01 and knows no such property"),
        (1, "loans and equity", "asked on 2026-10-01 and says nothing of it"),
        (2, "loans and equity", "the answer was an error"),
        (3, "foreclosure notices (none reported is not none)", "the answer is pending"),
        (3, "loans and equity", "ATTOM was not asked about it"),
        (4, "mortgages", "ATTOM was not asked about it"),
        (4, "liens and judgments", "comes in ATTOM's files only"),
    ],
)
def test_of_what_is_unknown_it_is_said_why(with_attom: WithAttom, number: int, what: str, said: str) -> None:
    report = with_attom.report(with_attom.asked[number]["loc_id"], attom_api_key="a key")
    (gap,) = [gap for gap in report.unknowns if gap.what == what]
    assert said in gap.why and gap.filled_by
    assert gap.properties == (with_attom.asked[number]["property_id"],)


def test_without_a_key_and_while_a_record_waits_the_report_says_so(with_attom: WithAttom) -> None:
    report = with_attom.report(with_attom.asked[4]["loc_id"])
    gaps = {gap.what: gap.why for gap in report.unknowns}
    assert "ATTOM_API_KEY is not set" in gaps["loans and equity"]
    condominium = with_attom.report(with_attom.flats[0]["loc_id"])
    (gap,) = [gap for gap in condominium.unknowns if gap.what == "loans and equity"]
    assert "waits for a person (several properties)" in gap.why
    assert f"({len(gap.properties)} of {len(condominium.units)} records)" in gap.why


def test_the_document_is_complete_json(sampleton: TwoReleases) -> None:
    case = sampleton.first.quirks["condo_stack"][0]
    report = sampleton.report(case["LOC_ID"])
    document = json.loads(json.dumps(as_document(report), allow_nan=False))
    assert len(document["units"]) == case["expected"]["records"]
    shape = shapely.from_wkb(bytes.fromhex(document["parcel"]["outline_wkb"]))
    (published,) = sampleton.town.parcels.query(f"loc_id == '{case['LOC_ID']}'").geometry
    assert shapely.equals_exact(shape, published, tolerance=0)
    package = Lake(sampleton.town.settings).snapshot(tables.MASSGIS_PACKAGES).partitions["town_id=999"]
    assert document["receipt"]["sha256"] == package.data.sha256
    assert Path(document["receipt"]["stored_at"]).stat().st_size == document["receipt"]["size"]
    fields = [source["fields"] for source in document["sources"]]
    assert len([name for name in fields if name.startswith("value history")]) == 2
    assert document["day"] == "2026-06-01"


def test_index_and_parquet_give_the_same_report(sampleton: TwoReleases) -> None:
    loc_id = sampleton.loc_id(sampleton.second.quirks["sale"][1]["PROP_ID"])
    reports = []
    for engine in ("index", "parquet"):
        with open_searcher(sampleton.town.settings, engine=engine) as searcher:
            reports.append(sampleton.report(loc_id, searcher=searcher))
            assert searcher.connection.execute("SELECT 1").fetchone() == (1,)  # left open
    assert reports[0] == reports[1]


def test_the_past_can_be_asked_for(sampleton: TwoReleases) -> None:
    case = sampleton.second.quirks["split"][0]
    log = Lake(sampleton.town.settings).snapshot(tables.PROPERTIES, 1)
    # Every table of the first release was published by then, and none of the second.
    second = min(
        Lake(sampleton.town.settings).snapshot(table, 2).committed
        for table in tables.MASSGIS
        if table is not tables.ASSESSMENT_RELEASES
    )
    assert log.committed < second
    before = (second - pd.Timedelta(milliseconds=1)).isoformat()
    report = sampleton.report(case["old_LOC_ID"], as_of=before)
    assert len(report.releases) == 1 and report.history.startswith("history begins with")
    with pytest.raises(LeadflowError, match="no data"):
        sampleton.report(case["old_LOC_ID"], as_of="2020-01-01")


def test_a_town_without_data_and_a_damaged_file(tmp_path: Path, sampleton: TwoReleases) -> None:
    with pytest.raises(LeadflowError, match="no data for Monroe") as caught:
        parcel_report(sampleton.town.settings, town_by_id(190), "M_1_1")
    assert caught.value.exit_code == 1 and "leadflow refresh monroe" in caught.value.hint
    shutil.copytree(sampleton.town.settings.leadflow_data_dir, tmp_path / "copy")
    settings = settings_for(tmp_path / "copy", leadflow_demo=True)
    entry = Lake(settings).snapshot(tables.PARCELS).partitions["town_id=999"]
    file = Path(Lake(settings).store.location(entry.data.path))
    file.unlink()
    file.write_bytes(b"not parquet")
    with pytest.raises(StoreError, match="cannot be read"):
        parcel_report(settings, SAMPLETON, sampleton.first.quirks["condo_stack"][0]["LOC_ID"])


@pytest.mark.slow
def test_the_real_town(bellingham: Published) -> None:
    report = parcel_report(bellingham.settings, bellingham.town, "F_667198_2853392", day=DAY)
    assert len(report.units) == 250
    assert {unit.use_code for unit in report.units} == {"102"}
    assert report.history == "history begins with CY25_FY26"
    assert report.comparables.estimate is not None
    assert {sale.use_code for sale in report.comparables.sales} == {"102"}
    parcels, interests = bellingham.parcels, bellingham.interests
    widest = parcels.sindex.query(interests.geometry.iloc[:40].to_numpy(), predicate="intersects")[1]
    for loc_id in parcels["loc_id"].iloc[sorted(set(widest.tolist()))[:8]]:
        found = parcel_report(bellingham.settings, bellingham.town, loc_id, day=DAY).interests
        expected = _interests_by_shapely(bellingham, loc_id)
        assert {i.interest_id: i.overlap_sqft for i in found} == pytest.approx(expected, abs=0.1, rel=1e-6)
    lost = bellingham.properties.query("parcel_match == 'loc_id_null'")
    assert len(lost) == 5
    for property_id in lost["property_id"]:
        assert parcel_report(bellingham.settings, bellingham.town, property_id).parcel is None
