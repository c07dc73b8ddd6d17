"""Codes of the lake in words a person reads."""

from __future__ import annotations

POLY_TYPES = {
    "FEE": "parcel owned in fee",
    "TAX": "several deeded parcels under one tax record",
    "ROW": "public right of way",
    "PRIV_ROW": "private right of way",
    "RAIL_ROW": "railroad right of way",
    "WATER": "water",
}
# The rule numbers are those of domain/owners.
OWNER_RULES = {
    1: "no owner is named",
    2: "a person whose surname is also a word for an organization",
    3: "the name is that of a public body",
    4: "a trust company, which is a bank",
    5: "a condominium's or homeowners' association",
    6: "words of a bank or lender in the name",
    7: "words of a church, school, club or charity in the name",
    8: "the name marks a life estate: somebody may live there for life",
    9: "estate, heirs or devisees: the owner of record has died",
    10: "the name ends in a company's legal form",
    11: "words of a trust or trustee in the name",
    12: "words of a business in the name",
    13: "a number stands in the name, as in companies' names",
    14: "no word of a company, trust or public body in the name, so a person",
    15: "withheld at the owner's request",
}
ROLES = {
    "owner": "owner",
    "trustee": "trustee",
    "life_tenant": "life tenant",
    "decedent": "deceased",
    "heir": "heir",
    "care_of": "care of",
}
OCCUPANCIES = {
    "owner_occupied": "the owner seems to live there",
    "absentee_in_state": "absentee owner, in Massachusetts",
    "absentee_out_of_state": "absentee owner, out of state",
    "uncertain": "uncertain",
}
OCCUPANCY_REASONS = {
    "declared_exemption": "the owner declared a residential exemption",
    "same_address": "the tax bill goes to the property",
    "suffix_missing": "the tax bill goes to the property (the street's type is left out on one side)",
    "zip_match_city_misspelt": "the tax bill goes to the property (the city is spelt differently)",
    "no_mailing_address": "no mailing address is given, which by the standard means the property",
    "mailing_not_given": "the source gives no mailing addresses",
    "withheld": "withheld at the owner's request",
    "mailing_unreadable": "the mailing address cannot be read",
    "near_equal_street_name": "the mailing street is nearly equal: perhaps a typing mistake",
    "other_suffix": "same number and street name, but another type of street",
    "other_direction": "same number and street name, but another direction",
    "other_number_on_street": "the tax bill goes to another number of the same street",
    "other_town_same_address": "same number and street, but in another town",
    "post_office_box_local": "the tax bill goes to a post office box in town",
    "no_number": "one of the two addresses has no house number",
    "state_unknown": "the mailing address is elsewhere and names no state",
    "elsewhere": "the tax bill goes to another address",
    "post_office_box_elsewhere": "the tax bill goes to a post office box elsewhere",
    "state_contradicts_zip": "the tax bill goes elsewhere; its state and ZIP disagree, the ZIP is believed",
    "foreign": "the tax bill goes abroad",
}
DATE_STATUSES = {
    "ok": "the date is known",
    "missing": "no sale date is recorded",
    "sentinel": "the source has a date that stands for an unknown one (1900 or 1901)",
    "before_1800": "the date published lies before 1800",
    "future": "the date published lies in the future",
    "invalid": "what is published is not a date",
}
LEGAL_TYPES = {
    "FEE": "fee ownership",
    "EASE": "easement",
    "CR": "conservation restriction",
    "APR": "agricultural preservation restriction",
    "CRX": "land excluded from a conservation restriction",
    "APRX": "land excluded from an agricultural preservation restriction",
    "PRIV_ROW": "private right of way",
    "RAIL_ROW": "railroad right of way",
    "ROW_OVER": "right of way that passes over",
    "RAIL_OVER": "railroad that passes over",
    "OTHER": "another interest",
}
FORECLOSURE_STAGES = {
    "default_notice": "notice of default",
    "lis_pendens": "lis pendens: a suit about the property is pending",
    "sale_notice": "notice of a foreclosure sale",
    "bank_owned": "owned by a lender after foreclosure",
}
PARCEL_MATCHES = {
    "matched": "the record's LOC_ID has a polygon",
    "loc_id_null": "the record names no LOC_ID",
    "loc_id_dangling": "no polygon has the record's LOC_ID",
}
# Who says what a property is worth, and how its loans were found.
VALUE_SOURCES = {"attom_avm": "ATTOM's model of the market value", "assessed": "the assessed value"}
EQUITY_METHODS = {
    "attom": "open loans amortized here",
    "attom_homeequity": "the vendor's estimate of the balances",
}
WHY_NO_EQUITY = {
    "no_value": "the value is not known",
    "no_loan_data": "nothing is known of loans, which is not the same as none",
    "sold_since_loan_data": "it was sold after the day of the loan data",
    "loan_incomplete": "a loan has no amount or date",
}
# What is known of a group of points.
GROUP_STATES = {
    "present": "present",
    "absent": "asked: nothing there",
    "partly_known": "partly asked: nothing there",
    "unknown": "unknown: not asked",
}
WHY_NOT = {
    "weaker": "a stronger signal of its group counts",
    "cleared": "history",
    "not_yet_known": "not known on that day",
    "undated": "has no date",
    "future": "its date lies ahead",
    "unconfirmed": "not confirmed",
    "not_applicable": "no score applies",
}
MADE_LINES = {
    "group_cap": "cap of the group",
    "clip_at_100": "100 is the most",
    "rounding": "rounding",
}
NOT_APPLICABLE = {
    "bank": "a bank owns it",
    "bank_owned": "a bank took it over",
    "government": "a public body owns it",
    "condominium_association": "a condominium association owns it",
    "condominium_master": "it is a master record of a condominium",
}
SCORE_USE = "The score must not be used for credit, tenant or job screening."
# Who could say what is not known of a group of points.
GROUP_SETTLED_BY = {
    "foreclosure": "ATTOM's notices, or imported Land Court Servicemembers cases and orders of notice",
    "tax": "ATTOM's tax records, or imported Land Court tax lien cases",
    "insolvency_liens": "bankruptcies from CourtListener, and ATTOM's liens and judgments",
    "life_event": "imported probate cases (divorces have no open source)",
    "leverage": "ATTOM's loans and market value",
    "occupancy": "ATTOM, which may say whether it is vacant",
    "landlord": "imported evictions (Housing or District Court)",
}
