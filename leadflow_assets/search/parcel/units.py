"""Rows of the lake as the values of a parcel report, with what their codes mean in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from leadflow_assets.domain.measures import SQUARE_FEET_PER_ACRE, SQUARE_FEET_PER_SQUARE_METRE
from leadflow_assets.domain.sales import BULK_ROWS, NOMINAL_BELOW
from leadflow_assets.search.parcel import words as words
from leadflow_assets.search.parcel.comparables import plausible
from leadflow_assets.search.parcel.history import History
from leadflow_assets.search.parcel.model import (
    Mailing,
    OwnerParty,
    Ownership,
    ParcelFacts,
    Sale,
    Unit,
)
from leadflow_assets.search.parcel.vendor import vendor_facts_of
from leadflow_assets.search.parcel.worth import Scenario, worth_of

Row = Mapping[str, Any]
FEET_PER_METRE = 1 / 0.3048
_DAYS_PER_YEAR = 365.25


def parcel_facts(row: Row) -> ParcelFacts:
    """The polygon, from a row of core/parcels with its geometry as WKB."""
    area = row["area_m2"] * SQUARE_FEET_PER_SQUARE_METRE
    return ParcelFacts(
        **{name: row[name] for name in _SAME_IN_PARCEL},
        poly_type_meaning=words.POLY_TYPES[row["poly_type"]],
        area_sqft=round(area, 1),
        area_acres=round(area / SQUARE_FEET_PER_ACRE, 4),
        perimeter_ft=round(row["perimeter_m"] * FEET_PER_METRE, 1),
        polygon_source=row["source"],
        outline_wkb=bytes(row["geometry"]),
    )


_SAME_IN_PARCEL = (
    "loc_id",
    "map_par_id",
    "map_no",
    "poly_type",
    "lon",
    "lat",
    "point_x",
    "point_y",
    "loc_id_inside",
    "geometry_repair",
    "plan_id",
    "last_edit",
    "release",
)
_SAME_IN_UNIT = (
    "property_id",
    "prop_id",
    "cama_id",
    "parcel_match",
    "is_condominium_master",
    "site_address",
    "unit",
    "city",
    "zip",
    "category",
    "use_code",
    "use_description",
    "use_resolved_from",
    "total_value",
    "total_value_is_sum",
    "land_value",
    "building_value",
    "other_value",
    "lot_acres",
    "lot_sqft",
    "lot_to_parcel_ratio",
    "building_sqft",
    "residential_sqft",
    "year_built",
    "units",
    "units_source",
    "units_low",
    "units_high",
    "rooms",
    "style",
    "stories",
    "zoning",
    "fiscal_year",
    "release",
)


def unit_of(row: Row, history: History, day: date, scenario: Scenario) -> Unit:
    """One property, from its row of mart/properties and its past; tenure and loans are counted to ``day``."""
    return Unit(
        **{name: row[name] for name in _SAME_IN_UNIT},
        owners=_ownership(row),
        sale=_sale(row, history.current(row), day),
        vendor=vendor_facts_of(row),
        worth=worth_of(row, day, scenario),
        value_history=history.of(row),
    )


def _ownership(row: Row) -> Ownership:
    parties = tuple(
        OwnerParty(party["name"], party["role"], bool(party["is_person"]), party["confidence"])
        for party in row["owners"] or ()
    )
    mailing = Mailing(
        address=row["mailing_address"],
        city=row["mailing_city"],
        state=row["mailing_state"],
        zip=row["mailing_zip"],
        country=row["mailing_country"],
        is_site=row["mailing_is_site"],
    )
    return Ownership(
        name=row["owner_name"],
        type=row["owner_type"],
        type_meaning=words.OWNER_RULES.get(row["owner_type_rule"], ""),
        type_rule=row["owner_type_rule"],
        parties=parties,
        care_of=row["owner_care_of"],
        co_owner_missing=row["co_owner_missing"],
        life_estate=row["owner_life_estate"],
        trustee=row["owner_is_trustee"],
        tax_title=row["owner_tax_title"],
        mailing=mailing,
        occupancy=row["occupancy"],
        occupancy_meaning=words.OCCUPANCIES[row["occupancy"]],
        occupancy_reason=row["occupancy_reason"],
        occupancy_why=words.OCCUPANCY_REASONS[row["occupancy_reason"]],
    )


def _sale(row: Row, record: Row | None, day: date) -> Sale:
    sold = row["last_sale_date"]
    on_deed = record["ls_deed_rows"] if record else None
    verdict, why = _verdict(row, on_deed)
    held = round((day - sold).days / _DAYS_PER_YEAR, 1) if sold and sold <= day else None
    return Sale(
        sale_date=sold,
        date_status=row["last_sale_date_status"],
        price=row["last_sale_price"],
        verdict=verdict,
        why=why,
        records_on_deed=on_deed,
        deed_book=row["deed_book"],
        deed_page=row["deed_page"],
        registry_id=record["reg_id"] if record else None,
        tenure_years=held,
        value_change=row["value_change"],
        value_change_percent=row["value_change_percent"],
        annual_rate=row["value_annual_rate"],
        definition=_definition(row),
    )


def _verdict(row: Row, on_deed: int | None) -> tuple[str, str]:
    if row["sale_is_market"]:
        reasons = [f"dated, ${NOMINAL_BELOW:,} or more, one deed for fewer than {BULK_ROWS} records"]
        if on_deed == BULK_ROWS - 1:
            reasons.append("but another record shares the deed: the price may be for both")
        if row["total_value"] and not plausible(row["last_sale_price"] / row["total_value"]):
            reasons.append("but the price is far from the assessed value: it may be for more, or for a part")
        reasons.append("whether buyer and seller were strangers is not in the source")
        return "market", "; ".join(reasons)
    if row["sale_is_bulk"]:
        count = f"{on_deed} records" if on_deed else f"{BULK_ROWS} or more records"
        nominal = ", and it is nominal" if row["sale_is_nominal"] else ""
        return "bulk", f"one deed for {count} of the town: the price is not this property's alone{nominal}"
    if row["last_sale_price"] is None:
        return "unknown", "no price is recorded (0 or blank in the source)"
    if row["sale_is_nominal"]:
        return "nominal", f"a price below ${NOMINAL_BELOW:,} is no market price (gift, family, trust)"
    return "unknown", words.DATE_STATUSES[row["last_sale_date_status"]]


def _definition(row: Row) -> str:
    if row["value_change"] is None:
        return "only a market sale is compared with the assessed value"
    year = row["fiscal_year"]
    text = f"assessed total of FY{year} minus the price paid"
    if row["value_annual_rate"] is None:
        return f"{text}; no yearly rate: the sale is no full year before 1 January {year - 1}"
    return f"{text}; yearly rate from the sale to 1 January {year - 1}, the day FY{year} values stand for"
