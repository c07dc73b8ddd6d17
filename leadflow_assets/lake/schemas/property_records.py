"""mart/property_records: what each source says of each property, before anything is decided between them.

The facts are those of ``sources.attom.record.AttomProperty`` that mart/properties takes over, in its words; a
test compares the two. Dollars unless a name says otherwise.
"""

from __future__ import annotations

from typing import Annotated, Final

import pandas as pd
import pyarrow as pa
from pandera.typing import Series

from leadflow_assets.lake.columns import Bool, Date, Double, Int32, Int64, Moment, TableModel, Text, column
from leadflow_assets.lake.schemas.attom import Foreclosures, Liens, OpenLoans, Sales

MATCH_STATUSES: Final = ("matched", "review", "unmatched")
MATCH_METHODS: Final = ("property_id", "address_key", "parcel_number", "person")
MATCH_REASONS: Final = (
    # matched
    "property_id",  # it was asked for by our id, and its address does not contradict that
    "same_address",
    "only_unit_at_address",  # no unit is named, and only one property is there
    "number_in_range",  # 41 and 41-43 of one street, and nothing else is there
    "address_and_parcel_number",  # several share the address; the parcel number says which
    "parcel_number",
    "confirmed",  # a person said so
    # review
    "other_number",  # it was asked for by our id, and its address has another number, ...
    "other_street",
    "other_unit",
    "other_town",
    "several_properties",
    "unit_not_found",  # the building is here, that unit is not
    "similar_address",
    "other_town_by_zip",  # its town has no such address, a town of its ZIP has
    "address_differs",  # by our id or parcel number it is one property, by its address another
    "parcel_number_differs",  # the address is here, its parcel number is that of another property
    "sources_disagree",  # records of one ATTOM id lead to several properties
    "property_taken",  # another ATTOM id leads to the same property, as well or better
    "decision_outdated",  # a person named a property that is no longer here
    # unmatched
    "no_such_address",
    "rejected",  # a person said that it is none of ours
)
Ids = Annotated[pd.ArrowDtype, pa.list_(pa.string())]


class PropertyRecords(TableModel):
    """One source record of one property: what was said, by whom, and which property it is.

    Records that wait for a person, or that no property was found for, stand here too. Each group of facts
    names its own source, day and fetch.
    """

    record_id: Series[Text] = column("Source, its id of the property, and the hash of the facts")
    property_id: Series[Text] = column(
        "Id in mart.properties; null while it waits for review or is unmatched", nullable=True
    )
    town_id: Series[Int32] = column("MassGIS town id, 1 to 351", ge=1)
    source: Series[Text] = column("Who says it: ATTOM")
    batch_id: Series[Text] = column("Batch that said it last")
    attom_id: Series[Int64] = column("ATTOM id of the property or unit", ge=1)
    record_hash: Series[Text] = column("Hash of the facts: the same facts again are the same record")
    match_status: Series[Text] = column("Is its property known?", isin=MATCH_STATUSES)
    match_method: Series[Text] = column("What decided the match", nullable=True, isin=MATCH_METHODS)
    match_reason: Series[Text] = column("Why it is matched, or is not", isin=MATCH_REASONS)
    candidates: Series[Ids] = column("Properties it may be, while it waits for review", nullable=True)
    site_address: Series[Text] = column("Site address as the source has it", nullable=True)
    site_unit: Series[Text] = column("Unit as the source has it", nullable=True)
    site_city: Series[Text] = column("Site city as the source has it", nullable=True)
    site_zip: Series[Text] = column("Site ZIP", nullable=True)
    municipality: Series[Text] = column("Taxing jurisdiction as the source has it", nullable=True)
    apn: Series[Text] = column("Parcel number as the source has it", nullable=True)
    owner_occupied: Series[Bool] = column("Does the owner live there?", nullable=True)
    owner_key: Series[Text] = column("Normalized owner, as in mart.properties", nullable=True, pii=True)
    owner_source: Series[Text] = column(
        "Endpoint or dataset of the owner facts; null: none speaks of them", nullable=True
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
        "Endpoint or dataset of the tax facts; null: none speaks of them", nullable=True
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
        "Endpoint or dataset of the mortgage facts; null: none speaks of them", nullable=True
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
        "Endpoint or dataset of the foreclosure facts; null: none speaks of them", nullable=True
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
        "Endpoint or dataset of the sale facts; null: none speaks of them", nullable=True
    )
    sale_source_date: Series[Date] = column("Day of that source", nullable=True)
    sale_fetched_at: Series[Moment] = column("When it was fetched, UTC", nullable=True)
    avm_value: Series[Int64] = column("Estimated market value, dollars", nullable=True)
    avm_low: Series[Int64] = column("Its low end, dollars", nullable=True)
    avm_high: Series[Int64] = column("Its high end, dollars", nullable=True)
    avm_score: Series[Int64] = column("Confidence, 0 to 100", nullable=True)
    avm_date: Series[Date] = column("Day of the estimate", nullable=True)
    avm_source: Series[Text] = column(
        "Endpoint or dataset of the avm facts; null: none speaks of them", nullable=True
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
        "Endpoint or dataset of the equity facts; null: none speaks of them", nullable=True
    )
    equity_source_date: Series[Date] = column("Day of that source", nullable=True)
    equity_fetched_at: Series[Moment] = column("When it was fetched, UTC", nullable=True)
    propensity_score: Series[Double] = column(
        "Propensity to default within a year, 0 to 100; files only", nullable=True
    )
    propensity_group: Series[Text] = column("Its group; files only", nullable=True)
    propensity_source: Series[Text] = column(
        "Endpoint or dataset of the propensity facts; null: none speaks of them", nullable=True
    )
    propensity_source_date: Series[Date] = column("Day of that source", nullable=True)
    propensity_fetched_at: Series[Moment] = column("When it was fetched, UTC", nullable=True)
    lien_records: Series[Liens] = column("Liens and judgments; files only", nullable=True, pii=True)
    liens_source: Series[Text] = column(
        "Endpoint or dataset of the liens facts; null: none speaks of them", nullable=True
    )
    liens_source_date: Series[Date] = column("Day of that source", nullable=True)
    liens_fetched_at: Series[Moment] = column("When it was fetched, UTC", nullable=True)


# Groups of facts in the order of the columns; a group's facts end where its ``_source`` stands.
GROUPS: Final = ("owner", "tax", "mortgage", "foreclosure", "sale", "avm", "equity", "propensity", "liens")
ORIGIN: Final = ("source", "source_date", "fetched_at")


def group_facts(group: str) -> tuple[str, ...]:
    """The columns of a group, without the three of its origin."""
    names = list(PropertyRecords.to_schema().columns)
    at = GROUPS.index(group)
    start = names.index(f"{GROUPS[at - 1]}_fetched_at" if at else "apn") + 1
    return tuple(names[start : names.index(f"{group}_source")])
