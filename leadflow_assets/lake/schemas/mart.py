"""Mart tables: what people use. Plain English names; dollars unless a unit stands in the name."""

from __future__ import annotations

from typing import Annotated

import pandas as pd
import pyarrow as pa
from pandera.typing import Series

from leadflow_assets.domain import sales, use_codes
from leadflow_assets.domain.occupancy import OCCUPANCIES
from leadflow_assets.domain.occupancy import REASONS as OCCUPANCY_REASONS
from leadflow_assets.domain.owners import OWNER_TYPES
from leadflow_assets.lake.columns import (
    Bbox,
    Bool,
    Date,
    Double,
    Int32,
    Int64,
    Moment,
    Parties,
    Sources,
    TableModel,
    Text,
    Wkb,
    column,
)
from leadflow_assets.lake.schemas.attom import OpenLoans
from leadflow_assets.lake.schemas.core_massgis import PARCEL_MATCHES, POLY_TYPES

UNIT_SOURCES = ("assessor", "use_code")
ADDRESS_KINDS = ("street", "pobox", "none")
CONFLICTS_TYPE = pa.list_(
    pa.struct(
        [
            ("fields", pa.string()),
            ("kept_source", pa.string()),
            ("kept_date", pa.date32()),
            ("other_source", pa.string()),
            ("other_date", pa.date32()),
            ("difference", pa.string()),
        ]
    )
)
Conflicts = Annotated[pd.ArrowDtype, CONFLICTS_TYPE]


class Properties(TableModel):
    """The unified property: one assessment record with its parcel, owners, occupancy and last sale, and what
    ATTOM says of its loans, tax, foreclosure, value, liens and sale.

    Geometry is a point in the parcel. What is derived from text stands beside the text it came from. A fact
    of ATTOM is null where ATTOM was not asked, or said nothing: null is unknown, not zero.
    """

    property_id: Series[Text] = column("Id of the property: town and PROP_ID, made unique by CAMA_ID")
    town_id: Series[Int32] = column("MassGIS town id, 1 to 351", ge=1)
    town: Series[Text] = column("Town")
    loc_id: Series[Text] = column("LOC_ID of the parcel; not permanent", nullable=True)
    prop_id: Series[Text] = column("Assessor's property id as published", nullable=True)
    cama_id: Series[Text] = column("Record id in the assessor's system", nullable=True)
    assessment_id: Series[Text] = column("Key of the record in core.assessments")
    parcel_match: Series[Text] = column("Is there a polygon for it?", isin=PARCEL_MATCHES)
    poly_type: Series[Text] = column("Type of the polygon", nullable=True, isin=POLY_TYPES)
    records_on_parcel: Series[Int32] = column("Records that share the polygon", nullable=True)
    is_condominium_master: Series[Bool] = column("Master record: no value, no owner, not a unit")
    site_address: Series[Text] = column("Site address as published", nullable=True)
    address_number: Series[Text] = column("Number, range or fraction as published", nullable=True)
    street: Series[Text] = column("Street as published", nullable=True)
    unit_location: Series[Text] = column("Unit, rear, side as published", nullable=True)
    address_kind: Series[Text] = column("What the site address could be read as", isin=ADDRESS_KINDS)
    house_number: Series[Int32] = column("House number, the lowest of a range", nullable=True)
    house_number_high: Series[Int32] = column(
        "Highest number of a range; the number itself without one", nullable=True
    )
    street_normalized: Series[Text] = column("Street with standard abbreviations: N MAIN ST", nullable=True)
    unit: Series[Text] = column("Unit, normalized: 3B, F2 (floor), B1 (building)", nullable=True)
    address_key: Series[Text] = column(
        "Town id and normalized site address: equal keys are one address", nullable=True
    )
    city: Series[Text] = column("Site town as published", nullable=True)
    zip: Series[Text] = column("Site ZIP, five digits; null where the source has none", nullable=True)
    owner_name: Series[Text] = column("Owner as published", nullable=True, pii=True)
    owner_type: Series[Text] = column("Kind of owner, from the words of the name", isin=OWNER_TYPES)
    owner_type_rule: Series[Int32] = column("Number of the rule that decided it", ge=1)
    owners: Series[Parties] = column("The parties in the owner's name, in order", nullable=True, pii=True)
    owner_count: Series[Int32] = column("Parties that own; trustees count, a care-of does not", ge=0)
    owner_key: Series[Text] = column(
        "Normalized owner: with mailing_key, one owner of several properties", nullable=True, pii=True
    )
    owner_words: Series[Text] = column("Words of the owner's name, for search", nullable=True, pii=True)
    owner_care_of: Series[Text] = column("Care of whom, from the owner's name", nullable=True, pii=True)
    owner_tax_title: Series[Bool] = column("The owner's name says that the town holds a tax title")
    owner_life_estate: Series[Bool] = column("The owner's name says that somebody has a life estate")
    owner_is_trustee: Series[Bool] = column("The owner's name says that somebody holds as trustee")
    co_owner_missing: Series[Bool] = column("The name ends in & or +: a second owner was cut off")
    mailing_address: Series[Text] = column(
        "Mailing address; the site's where none is given", nullable=True, pii=True
    )
    mailing_city: Series[Text] = column("Mailing city", nullable=True, pii=True)
    mailing_state: Series[Text] = column("Mailing state", nullable=True, pii=True)
    mailing_zip: Series[Text] = column("Mailing ZIP as published", nullable=True, pii=True)
    mailing_country: Series[Text] = column("Mailing country as published", nullable=True, pii=True)
    mailing_is_site: Series[Bool] = column("No mailing address was given, so the site's stands for it")
    mailing_key: Series[Text] = column(
        "ZIP (or city) and normalized mailing address: equal keys are one address", nullable=True, pii=True
    )
    occupancy: Series[Text] = column("Does the owner live there?", isin=OCCUPANCIES)
    occupancy_reason: Series[Text] = column("Why that is thought", isin=OCCUPANCY_REASONS)
    use_code: Series[Text] = column("Use code", nullable=True)
    use_description: Series[Text] = column("What the use code means in this town", nullable=True)
    use_resolved_from: Series[Text] = column(
        "Where that meaning came from", nullable=True, isin=use_codes.SOURCES
    )
    category: Series[Text] = column("Property class", isin=use_codes.CATEGORIES)
    total_value: Series[Int64] = column("Assessed total, dollars", nullable=True)
    total_value_is_sum: Series[Bool] = column("Published as 0; replaced by the sum of its parts")
    land_value: Series[Int64] = column("Assessed land, dollars", nullable=True)
    building_value: Series[Int64] = column("Assessed buildings, dollars", nullable=True)
    other_value: Series[Int64] = column("Assessed other structures, dollars", nullable=True)
    lot_acres: Series[Double] = column("Deed area, acres", nullable=True, ge=0)
    lot_sqft: Series[Double] = column("Deed area, square feet", nullable=True, ge=0)
    parcel_sqft: Series[Double] = column("Area of the polygon, square feet", nullable=True, ge=0)
    lot_to_parcel_ratio: Series[Double] = column(
        "Deed area over polygon area; 0.7 to 1.4 is usual", nullable=True
    )
    building_sqft: Series[Int64] = column("Building area, square feet", nullable=True)
    residential_sqft: Series[Int64] = column("Residential area, square feet", nullable=True)
    year_built: Series[Int32] = column("Year built", nullable=True)
    units: Series[Int32] = column("Dwelling units", nullable=True)
    units_source: Series[Text] = column(
        "assessor, or derived from the use code", nullable=True, isin=UNIT_SOURCES
    )
    units_low: Series[Int32] = column("Fewest units the use code implies", nullable=True)
    units_high: Series[Int32] = column("Most units the use code implies", nullable=True)
    rooms: Series[Int32] = column("Rooms", nullable=True)
    style: Series[Text] = column("Style as published", nullable=True)
    stories: Series[Text] = column("Stories as published", nullable=True)
    zoning: Series[Text] = column("Zoning code, upper case", nullable=True)
    last_sale_date: Series[Date] = column("Last sale date where it is one", nullable=True)
    last_sale_date_status: Series[Text] = column("What the published date is", isin=sales.DATE_STATUSES)
    last_sale_price: Series[Int64] = column(
        "Last sale price, dollars; null where 0 was published", nullable=True
    )
    sale_is_nominal: Series[Bool] = column("Published price below 1,000 dollars", nullable=True)
    sale_is_bulk: Series[Bool] = column("One deed for three or more records")
    sale_is_market: Series[Bool] = column("Date known, price neither nominal nor bulk: market evidence")
    tenure_years: Series[Double] = column(
        "Years from the last sale of any kind to the day the package was fetched", nullable=True
    )
    value_change: Series[Int64] = column("Assessed total minus last market price, dollars", nullable=True)
    value_change_percent: Series[Double] = column("That, in percent of the price", nullable=True)
    value_annual_rate: Series[Double] = column(
        "That as a yearly rate, percent, from the sale to the assessment's 1 January; null under a year",
        nullable=True,
    )
    deed_book: Series[Text] = column("Registry of deeds book", nullable=True)
    deed_page: Series[Text] = column("Registry of deeds page", nullable=True)
    attom_id: Series[Int64] = column("ATTOM id of the property; null where none is matched", nullable=True)
    mortgage_found: Series[Bool] = column(
        "False: the source speaks of mortgages and names none", nullable=True
    )
    mortgage_amount: Series[Int64] = column("Amount lent, dollars; not a balance", nullable=True)
    mortgage_date: Series[Date] = column("Day of the mortgage", nullable=True)
    mortgage_lender: Series[Text] = column("Lender", nullable=True)
    mortgage_rate: Series[Double] = column("Interest, percent a year", nullable=True)
    mortgage_rate_type: Series[Text] = column("Fixed or adjustable, as sent", nullable=True)
    mortgage_term_months: Series[Int64] = column("Term, months", nullable=True)
    mortgage_due_date: Series[Date] = column("Day the mortgage ends", nullable=True)
    mortgage_loan_type: Series[Text] = column("Type of loan, code", nullable=True)
    second_mortgage_amount: Series[Int64] = column("Second mortgage: amount lent, dollars", nullable=True)
    second_mortgage_date: Series[Date] = column("Second mortgage: its day", nullable=True)
    second_mortgage_lender: Series[Text] = column("Second mortgage: lender", nullable=True)
    mortgage_source: Series[Text] = column("Source of the mortgages; null: nobody was asked", nullable=True)
    mortgage_source_date: Series[Date] = column("Day of that source", nullable=True)
    open_loans: Series[OpenLoans] = column("Loans modelled to be open, with the amounts lent", nullable=True)
    loan_balance: Series[Int64] = column("Estimated balance of all loans, dollars", nullable=True)
    loan_to_value: Series[Double] = column("Estimated loans over value, percent", nullable=True)
    available_equity: Series[Int64] = column(
        "Estimated value less loans, dollars; may be negative", nullable=True
    )
    equity_percent: Series[Double] = column(
        "100 less loan_to_value; without one, available_equity in percent of avm_value", nullable=True
    )
    equity_source: Series[Text] = column("Source of balances and equity; null: unknown", nullable=True)
    equity_source_date: Series[Date] = column("Day of that source", nullable=True)
    tax_amount: Series[Double] = column("Tax of the year, dollars", nullable=True)
    tax_year: Series[Int64] = column("Year of the tax", nullable=True)
    tax_delinquent_year: Series[Int64] = column(
        "Latest year of unpaid tax; null is unknown, not paid", nullable=True
    )
    tax_source: Series[Text] = column("Source of the tax; null: unknown", nullable=True)
    tax_source_date: Series[Date] = column("Day of that source", nullable=True)
    foreclosure_record_type: Series[Text] = column(
        "Newest notice: NOD, LIS, NTS, NFS, REO, or as sent; null is unknown, not none", nullable=True
    )
    foreclosure_stage: Series[Text] = column("What that type means; null if undocumented", nullable=True)
    foreclosure_creditor_kind: Series[Text] = column("lender, association or municipality", nullable=True)
    foreclosure_recording_date: Series[Date] = column("Day the notice was recorded", nullable=True)
    foreclosure_auction_date: Series[Date] = column("Day of the auction", nullable=True)
    foreclosure_judgment_date: Series[Date] = column("Day of the judgment", nullable=True)
    foreclosure_judgment_amount: Series[Int64] = column("Judgment, dollars", nullable=True)
    foreclosure_default_amount: Series[Int64] = column("Amount in default, dollars", nullable=True)
    foreclosure_opening_bid: Series[Int64] = column("Opening bid, dollars", nullable=True)
    foreclosure_case_number: Series[Text] = column("Court case number", nullable=True)
    foreclosure_source: Series[Text] = column("Source of the notice; null: none reported", nullable=True)
    foreclosure_source_date: Series[Date] = column("Day of that source", nullable=True)
    avm_value: Series[Int64] = column("Estimated market value (a model's), dollars", nullable=True)
    avm_low: Series[Int64] = column("Its low end, dollars", nullable=True)
    avm_high: Series[Int64] = column("Its high end, dollars", nullable=True)
    avm_score: Series[Int64] = column("Confidence, 0 to 100", nullable=True)
    avm_date: Series[Date] = column("Day of the estimate", nullable=True)
    avm_source: Series[Text] = column("Source of the estimate; null: unknown", nullable=True)
    avm_source_date: Series[Date] = column("Day of that source", nullable=True)
    propensity_score: Series[Double] = column("Propensity to default within a year, 0 to 100", nullable=True)
    propensity_group: Series[Text] = column("Its group", nullable=True)
    propensity_source: Series[Text] = column("Source of the propensity; null: unknown", nullable=True)
    propensity_source_date: Series[Date] = column("Day of that source", nullable=True)
    lien_count: Series[Int32] = column("Liens and judgments not released; null is unknown", nullable=True)
    lien_amount: Series[Int64] = column("Sum of those whose amount is known, dollars", nullable=True)
    liens_source: Series[Text] = column("Source of the liens; null: unknown", nullable=True)
    liens_source_date: Series[Date] = column("Day of that source", nullable=True)
    deed_sale_date: Series[Date] = column(
        "Last sale as ATTOM has it; the assessor's is last_sale_date", nullable=True
    )
    deed_sale_price: Series[Int64] = column("Its price, dollars", nullable=True)
    deed_sale_kind: Series[Text] = column("Kind of transfer, as sent", nullable=True)
    deed_sale_is_estimated: Series[Bool] = column("The price is an estimate of ATTOM", nullable=True)
    deed_sale_is_nominal: Series[Bool] = column("The deed names no real price", nullable=True)
    deed_source: Series[Text] = column("Source of that sale; null: unknown", nullable=True)
    deed_source_date: Series[Date] = column("Day of that source", nullable=True)
    conflicts: Series[Conflicts] = column(
        "Where sources differ, and which one is shown here; null: there is one source only", nullable=True
    )
    fiscal_year: Series[Int32] = column("Fiscal year of the assessment")
    release: Series[Text] = column("Release of the package, for example CY25_FY26")
    source: Series[Text] = column("Where the assessor's fields came from")
    source_date: Series[Date] = column("Day the package was last modified at its source", nullable=True)
    fetched_at: Series[Moment] = column("When the package was fetched, UTC")
    sources: Series[Sources] = column("Where each group of fields came from, its date and version")
    point_x: Series[Double] = column("Point in the parcel, EPSG:26986 metres east", nullable=True)
    point_y: Series[Double] = column("Point in the parcel, EPSG:26986 metres north", nullable=True)
    lon: Series[Double] = column("Longitude of that point, degrees", nullable=True)
    lat: Series[Double] = column("Latitude of that point, degrees", nullable=True)
    bbox: Series[Bbox] = column("Bounding box of the point, EPSG:26986 metres", nullable=True)
    geometry: Series[Wkb] = column("Point in the parcel, EPSG:26986; null without a parcel", nullable=True)
