"""Outcomes, reasons and endpoints of batches in words, for people who never read the code."""

from __future__ import annotations

from leadflow_assets.enrich.batches.outcome import (
    INCOMPLETE,
    NOT_IN_PLAN,
    UNKNOWN_TO_PROFILE,
    UNNAMEABLE,
    UNRESOLVED_PROFILE,
    UNSETTLED,
)

OUTCOMES = {
    "returned": "returned",
    "no_match": "no match",
    "ambiguous": "ambiguous",
    "error": "error",
    "pending": "pending",
}
REASONS = {
    UNKNOWN_TO_PROFILE: "ATTOM's profile does not know it; the others were not asked",
    UNRESOLVED_PROFILE: "the profile could not tell which property is meant; the others were not asked",
    NOT_IN_PLAN: "the endpoint is not part of the contract with ATTOM",
    UNSETTLED: "the call broke off and may have been billed: resolve its charge on the spending page",
    UNNAMEABLE: "the row names the property in no way that ATTOM understands",
    INCOMPLETE: "found, but one of the endpoints brought nothing that can be used",
    "several_properties": "several properties fit",
    "another_property": "ATTOM answered with another property",
    "another_zip": "the ZIP code differs",
    "another_unit": "the unit differs",
    "weak_match": "ATTOM calls its own match weak",
    "malformed": "the answer cannot be read",
    "broken_line": "the line of the result cannot be read",
    "missing_in_result": "the service returned no line for it",
}
ENDPOINTS = {
    "expandedprofile": "profile: the property, its owner, assessment and tax",
    "detail": "detail: the building; stands in for the profile",
    "assessmentdetail": "assessment and tax; stands in for the profile",
    "detailmortgageowner": "mortgage and owner",
    "homeequity": "equity: what is owed and what is left, by ATTOM's model",
    "attomavm": "estimated market value",
    "saleshistory": "sales",
    "expandedhistory": "sales with deeds and loans",
    "preforeclosuredetails": "foreclosure notices and auctions",
}


def reason(name: str | None) -> str:
    """A reason in words; empty where there is none."""
    return REASONS.get(name, name.replace("_", " ")) if name else ""
