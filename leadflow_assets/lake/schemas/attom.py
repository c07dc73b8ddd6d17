"""Tables of ATTOM: what was answered, and each property as ATTOM sees it.

The columns of AttomProperties are the fields of ``sources.attom.record.AttomProperty``; a test compares the
two. Amounts are dollars, areas square feet unless the name says acres.
"""

from __future__ import annotations

from typing import Annotated

import pandas as pd
import pyarrow as pa
from pandera.typing import Series

from leadflow_assets.lake.columns import (
    Bool,
    Date,
    Double,
    Int32,
    Int64,
    Moment,
    TableModel,
    Text,
    column,
)

OUTCOMES = ("returned", "no_match", "ambiguous", "error", "pending")

_text, _int, _double, _bool, _date = pa.string(), pa.int64(), pa.float64(), pa.bool_(), pa.date32()

Sales = Annotated[
    pd.ArrowDtype,
    pa.list_(
        pa.struct(
            [
                ("sale_date", _date),
                ("recording_date", _date),
                ("price", _int),
                ("kind", _text),
                ("document_number", _text),
                ("is_estimated", _bool),
                ("is_nominal", _bool),
                ("seller", _text),
                ("buyer", _text),
            ]
        )
    ),
]
Foreclosures = Annotated[
    pd.ArrowDtype,
    pa.list_(
        pa.struct(
            [
                ("foreclosure_id", _text),
                ("record_type", _text),
                ("stage", _text),
                ("creditor_kind", _text),
                ("recording_date", _date),
                ("auction_date", _date),
                ("auction_time", _text),
                ("auction_address", _text),
                ("judgment_date", _date),
                ("judgment_amount", _int),
                ("default_amount", _int),
                ("opening_bid", _int),
                ("original_loan_amount", _int),
                ("original_loan_date", _date),
                ("loan_balance", _int),
                ("case_number", _text),
                ("document_number", _text),
                ("lender", _text),
                ("trustee", _text),
                ("borrower", _text),
                ("updated_on", _date),
            ]
        )
    ),
]
OpenLoans = Annotated[
    pd.ArrowDtype,
    pa.list_(
        pa.struct(
            [
                ("position", _int),
                ("original_amount", _int),
                ("recording_date", _date),
                ("kind", _text),
                ("lender", _text),
                ("rate", _double),
                ("document_number", _text),
            ]
        )
    ),
]
Liens = Annotated[
    pd.ArrowDtype,
    pa.list_(
        pa.struct(
            [
                ("kind", _text),
                ("amount", _int),
                ("recording_date", _date),
                ("creditor", _text),
                ("debtor", _text),
                ("document_number", _text),
                ("released_on", _date),
            ]
        )
    ),
]


class AttomResults(TableModel):
    """One answer of ATTOM to one question about one requested property; every request has its row."""

    batch_id: Series[Text] = column("Batch that the request belongs to")
    request_number: Series[Int64] = column("Place of the property in the batch, from 1", ge=1)
    property_id: Series[Text] = column("Id of the property in mart.properties, where known", nullable=True)
    endpoint: Series[Text] = column("Endpoint that was asked, or dataset of a delivered file")
    request_id: Series[Text] = column("Id of the charge and of the archived answer", nullable=True)
    request_hash: Series[Text] = column("Names the question: equal for equal questions", nullable=True)
    outcome: Series[Text] = column("How it ended", isin=OUTCOMES)
    reason: Series[Text] = column("Why it is ambiguous, an error or pending, as a stable word", nullable=True)
    http_status: Series[Int32] = column("HTTP status of the answer", nullable=True)
    message: Series[Text] = column("status.msg of the answer", nullable=True)
    transaction_id: Series[Text] = column("ATTOM's id of the call, for their support", nullable=True)
    attom_id: Series[Int64] = column("ATTOM id of the property found", nullable=True)
    reports: Series[Int32] = column("Reports billed when it was fetched", ge=0)
    from_cache: Series[Bool] = column("Answered from what was kept: nothing was billed for this batch")
    fetched_at: Series[Moment] = column("When it was fetched, UTC; null while pending", nullable=True)
    body: Series[Text] = column("The answer as sent, JSON", nullable=True, pii=True)


class AttomProperties(TableModel):
    """One property, or one unit, as ATTOM sees it. Groups of fields name their own source and day."""

    batch_id: Series[Text] = column("Batch that delivered it")
    attom_id: Series[Int64] = column("ATTOM id of the property or unit", ge=1)
    property_id: Series[Text] = column("Id of the property in mart.properties, where known", nullable=True)
    fips: Series[Text] = column("County FIPS code; in Massachusetts not the town", nullable=True)
    apn: Series[Text] = column("Parcel number as ATTOM has it", nullable=True)
    site_address: Series[Text] = column("Site address, first line", nullable=True)
    site_unit: Series[Text] = column("Unit at the site", nullable=True)
    site_city: Series[Text] = column("Site city", nullable=True)
    site_state: Series[Text] = column("Site state", nullable=True)
    site_zip: Series[Text] = column("Site ZIP, five digits", nullable=True)
    municipality: Series[Text] = column("Taxing jurisdiction: the town in Massachusetts", nullable=True)
    county: Series[Text] = column("County", nullable=True)
    match_code: Series[Text] = column("How well the address matched; Exa...: exactly", nullable=True)
    longitude: Series[Double] = column("Longitude, degrees WGS 84", nullable=True, ge=-180, le=180)
    latitude: Series[Double] = column("Latitude, degrees WGS 84", nullable=True, ge=-90, le=90)
    location_accuracy: Series[Text] = column("How the coordinates were found", nullable=True)
    property_class: Series[Text] = column("Class of property, words", nullable=True)
    property_type: Series[Text] = column("Type of property, code", nullable=True)
    property_use: Series[Text] = column("Use, words", nullable=True)
    category_code: Series[Text] = column("Property indicator or standardized use code", nullable=True)
    local_use_code: Series[Text] = column("The assessor's own use code", nullable=True)
    zoning: Series[Text] = column("Zoning", nullable=True)
    legal_description: Series[Text] = column("Legal description", nullable=True)
    year_built: Series[Int64] = column("Year built", nullable=True)
    year_built_effective: Series[Int64] = column("Year built, adjusted for changes", nullable=True)
    lot_acres: Series[Double] = column("Lot, acres", nullable=True)
    lot_sqft: Series[Double] = column("Lot, square feet", nullable=True)
    building_sqft: Series[Int64] = column("Building, square feet", nullable=True)
    living_sqft: Series[Int64] = column("Living area, square feet", nullable=True)
    bedrooms: Series[Int64] = column("Bedrooms", nullable=True)
    bathrooms: Series[Double] = column("Bathrooms", nullable=True)
    rooms: Series[Int64] = column("Rooms", nullable=True)
    stories: Series[Double] = column("Stories", nullable=True)
    units: Series[Int64] = column("Units", nullable=True)
    condition: Series[Text] = column("Condition, words", nullable=True)
    is_bank_owned: Series[Bool] = column("ATTOM marks it as bank owned (REO)", nullable=True)
    property_source: Series[Text] = column(
        "Where the property fields come from: endpoint or dataset; null: no source speaks of them",
        nullable=True,
    )
    property_source_date: Series[Date] = column("Day of that source", nullable=True)
    property_fetched_at: Series[Moment] = column("When it was fetched, UTC", nullable=True)
    owner_1: Series[Text] = column("First owner as sent", nullable=True, pii=True)
    owner_2: Series[Text] = column("Second owner as sent", nullable=True, pii=True)
    owner_3: Series[Text] = column("Third owner as sent; often the second person", nullable=True, pii=True)
    owner_4: Series[Text] = column("Fourth owner as sent", nullable=True, pii=True)
    owner_is_company: Series[Bool] = column("Is the owner a company?", nullable=True)
    owner_type: Series[Text] = column("Type of owner, words", nullable=True)
    owner_relationship: Series[Text] = column("How the owners hold it, code", nullable=True)
    mailing_address: Series[Text] = column("Mailing address", nullable=True, pii=True)
    mailing_city: Series[Text] = column("Mailing city, files only", nullable=True, pii=True)
    mailing_state: Series[Text] = column("Mailing state, files only", nullable=True, pii=True)
    mailing_zip: Series[Text] = column("Mailing ZIP, files only", nullable=True, pii=True)
    owner_occupied: Series[Bool] = column("Does the owner live there?", nullable=True)
    no_solicitation: Series[Bool] = column("A mark against solicitation; null proves nothing", nullable=True)
    owner_source: Series[Text] = column(
        "Where the owner fields come from: endpoint or dataset; null: no source speaks of them", nullable=True
    )
    owner_source_date: Series[Date] = column("Day of that source", nullable=True)
    owner_fetched_at: Series[Moment] = column("When it was fetched, UTC", nullable=True)
    assessed_total: Series[Int64] = column("Assessed total, dollars", nullable=True)
    assessed_land: Series[Int64] = column("Assessed land, dollars", nullable=True)
    assessed_improvements: Series[Int64] = column("Assessed improvements, dollars", nullable=True)
    assessed_year: Series[Int64] = column("Year of the assessment", nullable=True)
    market_total: Series[Int64] = column("Assessor's market value, dollars", nullable=True)
    market_land: Series[Int64] = column("Assessor's market value of land, dollars", nullable=True)
    market_improvements: Series[Int64] = column(
        "Assessor's market value of improvements, dollars", nullable=True
    )
    tax_amount: Series[Double] = column("Tax of the year, dollars", nullable=True)
    tax_year: Series[Int64] = column("Year of the tax", nullable=True)
    tax_delinquent_year: Series[Int64] = column("Latest year of unpaid tax; files only", nullable=True)
    tax_source: Series[Text] = column(
        "Where the tax fields come from: endpoint or dataset; null: no source speaks of them", nullable=True
    )
    tax_source_date: Series[Date] = column("Day of that source", nullable=True)
    tax_fetched_at: Series[Moment] = column("When it was fetched, UTC", nullable=True)
    mortgage_found: Series[Bool] = column(
        "False: the answer speaks of mortgages and names none", nullable=True
    )
    mortgage_amount: Series[Int64] = column("Amount lent, dollars; not a balance", nullable=True)
    mortgage_rate: Series[Double] = column("Interest, percent a year", nullable=True)
    mortgage_rate_type: Series[Text] = column("Fixed or adjustable, as sent", nullable=True)
    mortgage_lender: Series[Text] = column("Lender", nullable=True)
    mortgage_term_months: Series[Int64] = column("Term, months", nullable=True)
    mortgage_date: Series[Date] = column("Day of the mortgage", nullable=True)
    mortgage_due_date: Series[Date] = column("Day the mortgage ends", nullable=True)
    mortgage_loan_type: Series[Text] = column("Type of loan, code", nullable=True)
    mortgage_deed_type: Series[Text] = column("Type of deed, code", nullable=True)
    mortgage_document_number: Series[Text] = column("Document number", nullable=True)
    second_mortgage_amount: Series[Int64] = column(
        "Second mortgage: amount lent, dollars; not a balance", nullable=True
    )
    second_mortgage_rate: Series[Double] = column("Second mortgage: interest, percent a year", nullable=True)
    second_mortgage_rate_type: Series[Text] = column(
        "Second mortgage: fixed or adjustable, as sent", nullable=True
    )
    second_mortgage_lender: Series[Text] = column("Second mortgage: lender", nullable=True)
    second_mortgage_term_months: Series[Int64] = column("Second mortgage: term, months", nullable=True)
    second_mortgage_date: Series[Date] = column("Second mortgage: day of the mortgage", nullable=True)
    second_mortgage_due_date: Series[Date] = column("Second mortgage: day the mortgage ends", nullable=True)
    second_mortgage_loan_type: Series[Text] = column("Second mortgage: type of loan, code", nullable=True)
    second_mortgage_deed_type: Series[Text] = column("Second mortgage: type of deed, code", nullable=True)
    second_mortgage_document_number: Series[Text] = column("Second mortgage: document number", nullable=True)
    mortgage_source: Series[Text] = column(
        "Where the mortgage fields come from: endpoint or dataset; null: no source speaks of them",
        nullable=True,
    )
    mortgage_source_date: Series[Date] = column("Day of that source", nullable=True)
    mortgage_fetched_at: Series[Moment] = column("When it was fetched, UTC", nullable=True)
    foreclosure_record_type: Series[Text] = column("NOD, LIS, NTS, NFS, REO, or as sent", nullable=True)
    foreclosure_stage: Series[Text] = column("What that type means; null if undocumented", nullable=True)
    foreclosure_creditor_kind: Series[Text] = column("lender, association or municipality", nullable=True)
    foreclosure_recording_date: Series[Date] = column("Day the notice was recorded", nullable=True)
    foreclosure_auction_date: Series[Date] = column("Day of the auction", nullable=True)
    foreclosure_judgment_date: Series[Date] = column("Day of the judgment", nullable=True)
    foreclosure_judgment_amount: Series[Int64] = column("Judgment, dollars", nullable=True)
    foreclosure_default_amount: Series[Int64] = column("Amount in default, dollars", nullable=True)
    foreclosure_opening_bid: Series[Int64] = column("Opening bid, dollars", nullable=True)
    foreclosure_case_number: Series[Text] = column("Court case number", nullable=True)
    foreclosure_records: Series[Foreclosures] = column("All notices, newest first", nullable=True, pii=True)
    foreclosure_source: Series[Text] = column(
        "Where the foreclosure fields come from: endpoint or dataset; null: no source speaks of them",
        nullable=True,
    )
    foreclosure_source_date: Series[Date] = column("Day of that source", nullable=True)
    foreclosure_fetched_at: Series[Moment] = column("When it was fetched, UTC", nullable=True)
    last_sale_date: Series[Date] = column("Day of the last sale", nullable=True)
    last_sale_recording_date: Series[Date] = column("Day its deed was recorded", nullable=True)
    last_sale_price: Series[Int64] = column("Its price, dollars", nullable=True)
    last_sale_kind: Series[Text] = column("Kind of transfer, as sent", nullable=True)
    last_sale_document_number: Series[Text] = column("Document number of the deed", nullable=True)
    last_sale_is_estimated: Series[Bool] = column("The price is an estimate of ATTOM", nullable=True)
    last_sale_is_nominal: Series[Bool] = column("The deed names no real price", nullable=True)
    last_seller: Series[Text] = column("Seller", nullable=True, pii=True)
    last_buyer: Series[Text] = column("Buyer", nullable=True, pii=True)
    sale_history: Series[Sales] = column("All deeds sent, newest first", nullable=True, pii=True)
    sale_source: Series[Text] = column(
        "Where the sale fields come from: endpoint or dataset; null: no source speaks of them", nullable=True
    )
    sale_source_date: Series[Date] = column("Day of that source", nullable=True)
    sale_fetched_at: Series[Moment] = column("When it was fetched, UTC", nullable=True)
    avm_value: Series[Int64] = column("Estimated market value, dollars", nullable=True)
    avm_low: Series[Int64] = column("Its low end, dollars", nullable=True)
    avm_high: Series[Int64] = column("Its high end, dollars", nullable=True)
    avm_score: Series[Int64] = column("Confidence, 0 to 100", nullable=True)
    avm_date: Series[Date] = column("Day of the estimate", nullable=True)
    avm_source: Series[Text] = column(
        "Where the avm fields come from: endpoint or dataset; null: no source speaks of them", nullable=True
    )
    avm_source_date: Series[Date] = column("Day of that source", nullable=True)
    avm_fetched_at: Series[Moment] = column("When it was fetched, UTC", nullable=True)
    equity_is_estimate: Series[Bool] = column(
        "Always true: balances and equity are worked out, not reported", nullable=True
    )
    loan_to_value: Series[Double] = column("Loans over value, percent as sent", nullable=True)
    available_equity: Series[Int64] = column("Value less loans, dollars; may be negative", nullable=True)
    lendable_equity: Series[Int64] = column("Part of it that may be lent on, dollars", nullable=True)
    first_loan_balance: Series[Int64] = column("Estimated balance of the first loan, dollars", nullable=True)
    second_loan_balance: Series[Int64] = column(
        "Estimated balance of the second loan, dollars", nullable=True
    )
    third_loan_balance: Series[Int64] = column("Estimated balance of the third loan, dollars", nullable=True)
    total_loan_balance: Series[Int64] = column("Estimated balance of all loans, dollars", nullable=True)
    open_loans: Series[OpenLoans] = column("Loans modelled to be open, with the amounts lent", nullable=True)
    equity_source: Series[Text] = column(
        "Where the equity fields come from: endpoint or dataset; null: no source speaks of them",
        nullable=True,
    )
    equity_source_date: Series[Date] = column("Day of that source", nullable=True)
    equity_fetched_at: Series[Moment] = column("When it was fetched, UTC", nullable=True)
    propensity_score: Series[Double] = column(
        "Propensity to default within a year, 0 to 100; files only", nullable=True
    )
    propensity_group: Series[Text] = column("Its group; files only", nullable=True)
    propensity_source: Series[Text] = column(
        "Where the propensity fields come from: endpoint or dataset; null: no source speaks of them",
        nullable=True,
    )
    propensity_source_date: Series[Date] = column("Day of that source", nullable=True)
    propensity_fetched_at: Series[Moment] = column("When it was fetched, UTC", nullable=True)
    lien_records: Series[Liens] = column("Liens and judgments; files only", nullable=True, pii=True)
    liens_source: Series[Text] = column(
        "Where the liens fields come from: endpoint or dataset; null: no source speaks of them", nullable=True
    )
    liens_source_date: Series[Date] = column("Day of that source", nullable=True)
    liens_fetched_at: Series[Moment] = column("When it was fetched, UTC", nullable=True)
    other_columns: Series[Text] = column("Undocumented columns of a file, JSON", nullable=True, pii=True)
