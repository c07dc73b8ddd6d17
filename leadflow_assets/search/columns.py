"""What search shows, filters and sorts by: columns of mart/properties, and what cases and scores add."""

from __future__ import annotations

from leadflow_assets.domain.leads.status import STATUSES

SEARCH_COLUMNS = (
    "property_id",
    "town_id",
    "town",
    "loc_id",
    "prop_id",
    "cama_id",
    "poly_type",
    "is_condominium_master",
    "site_address",
    "address_key",
    "house_number",
    "house_number_high",
    "street_normalized",
    "unit",
    "zip",
    "category",
    "use_code",
    "use_description",
    "style",
    "owner_name",
    "owner_type",
    "owner_count",
    "owner_key",
    "owner_words",
    "owner_tax_title",
    "co_owner_missing",
    "occupancy",
    "occupancy_reason",
    "mailing_address",
    "mailing_city",
    "mailing_state",
    "mailing_zip",
    "mailing_key",
    "total_value",
    "land_value",
    "building_value",
    "last_sale_date",
    "last_sale_price",
    "sale_is_market",
    "sale_is_nominal",
    "sale_is_bulk",
    "tenure_years",
    "value_change",
    "value_change_percent",
    "value_annual_rate",
    "lot_acres",
    "building_sqft",
    "year_built",
    "units",
    "rooms",
    "stories",
    "zoning",
    "attom_id",
    "mortgage_amount",
    "mortgage_date",
    "mortgage_lender",
    "loan_balance",
    "available_equity",
    "equity_percent",
    "equity_source_date",
    "avm_value",
    "tax_delinquent_year",
    "foreclosure_stage",
    "foreclosure_auction_date",
    "lon",
    "lat",
    "point_x",
    "point_y",
    "fiscal_year",
    "release",
    "source",
    "source_date",
)
# Keys and normalized forms that serve the search itself.
_HELPERS = frozenset(
    {
        "is_condominium_master",
        "address_key",
        "house_number",
        "house_number_high",
        "street_normalized",
        "owner_key",
        "owner_words",
        "mailing_key",
        "point_x",
        "point_y",
    }
)
# Of the court cases that are tied to a property, confirmed or possible, and may be used today.
CASE_COLUMNS = {
    "case_count": "Court cases tied to the property, confirmed or possible; blank is not none, see the notes",
    "case_types": "Their types",
    "case_best_tier": "The surest of them: confirmed or possible",
    "case_newest": "Day the newest of them was filed or recorded",
}
# Of mart/distress_scores.
SCORE_COLUMNS = {
    "score": "Distress score, 0 to 100, uncalibrated: ordering only; blank: nothing is known, or no score",
    "score_high": "What it would be, were everything there that is unknown",
    "score_coverage": "Part of its points whose sources were asked, 0 to 1",
    "score_state": "scored, unknown (which is not low) or not_applicable",
    "score_signals": "Signals that count",
    "score_reasons": "Their factors; `leadflow score explain` tells each",
    "score_as_of": "Day for which it is reckoned",
}
SHOWN_COLUMNS = (*SEARCH_COLUMNS, *CASE_COLUMNS, *SCORE_COLUMNS)
EXPORT_COLUMNS = tuple(name for name in SHOWN_COLUMNS if name not in _HELPERS)

# What the state database adds to the columns of mart/leads.
LEAD_STATE_COLUMNS = {
    "rank": "Place in the order: score, then coverage, then id of the best property",
    "status": "Where the conversation stands: " + ", ".join(STATUSES),
    "status_changed_at": "When that was said, UTC",
    "status_changed_by": "Who said it",
    "status_note": "What they noted",
}
