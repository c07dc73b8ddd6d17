"""From ATTOM's answers to a property: both casing families, moving keys, and the ways to say "none"."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadflow_assets.errors import UsageError
from leadflow_assets.lake.columns import arrow_schema
from leadflow_assets.lake.schemas.attom import OUTCOMES as TABLE_OUTCOMES
from leadflow_assets.lake.schemas.attom import AttomProperties
from leadflow_assets.sources.attom.answers import OUTCOMES, found_properties, judge
from leadflow_assets.sources.attom.endpoints import (
    ENDPOINTS,
    EXPANDED_PROFILE,
    PREFORECLOSURE,
    PropertyQuery,
    find_endpoint,
    identities,
    request_hash,
)
from leadflow_assets.sources.attom.errors import AttomMalformedError, AttomQuotaError, AttomRequestError
from leadflow_assets.sources.attom.keys import Keys
from leadflow_assets.sources.attom.parse import parse_document
from leadflow_assets.sources.attom.record import (
    GROUPS,
    AttomProperty,
    arrow_fields,
    as_table,
    combine,
    group_fields,
    has_group,
)
from leadflow_assets_tests.vendors import attom_bodies as bodies
from leadflow_assets_tests.vendors.attom_bodies import SampleProperty

FETCHED = datetime(2026, 10, 1, 12, tzinfo=UTC)
SAMPLE = SampleProperty(1001)
CAPTURES = Path(__file__).resolve().parents[3] / "shared" / "vendors" / "attom"
BY_ID = identities(EXPANDED_PROFILE, PropertyQuery(attom_id=1001))[0]


def parsed(endpoint: str, body: dict[str, Any]) -> AttomProperty:
    (record,) = parse_document(bodies.envelope([body]), endpoint, FETCHED)
    return record


def shown(record: AttomProperty, group: str) -> dict[str, Any]:
    """What the record says of a group."""
    return {name: value for name in group_fields(group) if (value := getattr(record, name)) is not None}


def test_an_expandedprofile_gives_all_it_has() -> None:
    record = parsed("expandedprofile", bodies.expandedprofile(SAMPLE))
    assert (record.attom_id, record.fips, record.apn) == (1001, "25099", "12-34-0")
    assert (record.longitude, record.latitude, record.local_use_code) == (-71.234567, 42.345678, "101")
    assert (record.lot_acres, record.lot_sqft, record.bathrooms, record.units) == (0.25, 10890, 1.5, 1)
    assert (record.category_code, record.is_bank_owned, record.year_built) == ("10", False, 1925)
    assert shown(record, "owner") == {
        "owner_1": "EXAMPLE PAT",
        "owner_3": "EXAMPLE SAM",
        "owner_is_company": False,
        "owner_type": "INDIVIDUAL",
        "mailing_address": "12 SAMPLE ST, SAMPLETON, MA 01999-0001",
        "owner_occupied": True,
    }
    assert shown(record, "tax") == {
        "assessed_total": 400_000,
        "assessed_land": 150_000,
        "assessed_improvements": 250_000,
        "market_total": 430_000,
        "tax_amount": 5120.45,
        "tax_year": 2026,
    }
    assert shown(record, "mortgage") == {
        "mortgage_found": True,
        "mortgage_amount": 300_000,
        "mortgage_rate": 3.125,
        "mortgage_rate_type": "FIXED",
        "mortgage_lender": "SAMPLE SAVINGS BANK",
        "mortgage_term_months": 360,
        "mortgage_date": date(2021, 6, 1),
        "mortgage_due_date": date(2051, 6, 1),
        "mortgage_loan_type": "CNV",
        "mortgage_deed_type": "WD",
        "mortgage_document_number": "0000012345",
    }
    assert record.last_sale_price == 400_000 and record.last_sale_is_estimated is False
    assert {g for g in GROUPS if has_group(record, g)} == {"property", "owner", "tax", "mortgage", "sale"}
    assert (record.tax_source, record.tax_source_date) == ("expandedprofile", date(2026, 9, 15))
    assert record.tax_fetched_at == FETCHED


def _lowered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key.lower(): _lowered(entry) for key, entry in value.items()}
    return [_lowered(entry) for entry in value] if isinstance(value, list) else value


@pytest.mark.parametrize("endpoint", [name for name in ENDPOINTS if hasattr(bodies, name)])
def test_case_of_keys_never_matters(endpoint: str) -> None:
    body = getattr(bodies, endpoint)(SAMPLE)
    assert parsed(endpoint, _lowered(body)) == parsed(endpoint, body)


@pytest.mark.parametrize("endpoint", [name for name in ENDPOINTS if hasattr(bodies, name)])
def test_null_and_missing_keys_are_the_same_outside_of_mortgages(endpoint: str) -> None:
    body = getattr(bodies, endpoint)(SAMPLE)
    padded = {
        **body,
        "lot": body.get("lot"),
        "utilities": None,
        "sale": body.get("sale"),
        "avm": body.get("avm"),
    }
    assert parsed(endpoint, padded) == parsed(endpoint, body)


@pytest.mark.parametrize(
    "none",
    [
        None,
        {},
        {"amount": 0},
        {"FirstConcurrent": {"amount": 0, "companyCode": "-1"}, "SecondConcurrent": {}},
        {"FirstConcurrent": None, "title": {"companyName": "SAMPLE TITLE"}},
        {"amount": 0, "date": "", "term": "360", "lender": {"lastname": "", "companycode": ""}},
    ],
)
def test_no_mortgage_is_said_in_many_ways(none: Any) -> None:
    body = bodies.detailmortgageowner(SAMPLE) | {"mortgage": none}
    record = parsed("detailmortgageowner", body)
    assert shown(record, "mortgage") == {"mortgage_found": False}
    del body["mortgage"]
    assert not has_group(parsed("detailmortgageowner", body), "mortgage"), "not asked is not the same as none"


def test_detailmortgageowner_gives_the_mortgage_as_one_object() -> None:
    record = parsed("detailmortgageowner", bodies.detailmortgageowner(SAMPLE))
    assert (record.mortgage_amount, record.mortgage_lender) == (300_000, "SAMPLE SAVINGS BANK")
    assert (record.mortgage_due_date, record.mortgage_rate) == (date(2051, 6, 1), 3.125)
    assert record.owner_occupied is False


def test_balances_are_estimates_and_zero_is_no_debt() -> None:
    record = parsed("homeequity", bodies.homeequity(SAMPLE))
    assert record.equity_is_estimate is True and record.total_loan_balance == 260_000
    assert (record.second_loan_balance, record.loan_to_value) == (0, 50)
    assert record.mortgage_amount is None and record.equity_source_date == date(2026, 9, 1)
    empty = {"homeEquity": dict.fromkeys(bodies.homeequity(SAMPLE)["homeEquity"], 0)}
    assert not has_group(parsed("homeequity", {**bodies.detail(SAMPLE), **empty}), "equity")


def test_a_valuation_has_its_range_and_day() -> None:
    record = parsed("attomavm", bodies.attomavm(SAMPLE))
    assert shown(record, "avm") == {
        "avm_value": 520_000,
        "avm_low": 480_000,
        "avm_high": 560_000,
        "avm_score": 88,
        "avm_date": date(2026, 9, 20),
    }
    assert record.avm_source_date == date(2026, 9, 20)


def test_sale_history_is_sorted_and_marks_estimates_and_nominal_deeds() -> None:
    history = parsed("saleshistory", bodies.saleshistory(SAMPLE)).sale_history or ()
    assert [(s.sale_date, s.price, s.is_estimated, s.is_nominal) for s in history] == [
        (date(2021, 5, 28), 400_000, False, False),
        (date(2010, 2, 3), None, False, True),
        (date(1999, 4, 1), 150_000, True, False),
    ]
    record = parsed("saleshistory", bodies.saleshistory(SAMPLE))
    assert (record.last_sale_date, record.last_buyer) == (date(2021, 5, 28), "EXAMPLE PAT")


def test_the_amount_of_a_sale_stood_elsewhere_in_2023() -> None:
    body = bodies.expandedprofile(SAMPLE)
    sale = body["sale"]
    moved = {**sale, "saleAmountData": sale["amount"]}
    del moved["amount"]
    assert parsed("expandedprofile", {**body, "sale": moved}) == parsed("expandedprofile", body)


@pytest.mark.parametrize("place", ["root", "property", "listed"])
def test_preforeclosure_is_read_wherever_it_stands(place: str) -> None:
    details = bodies.preforeclosuredetails(SAMPLE)
    document: dict[str, Any] = {"PreforeclosureDetails": details}
    if place == "property":
        document = {"property": {"PreforeclosureDetails": details}}
    elif place == "listed":
        document = bodies.envelope([{"PreforeclosureDetails": details}])
    (record,) = parse_document(document, "preforeclosuredetails", FETCHED)
    assert (record.foreclosure_record_type, record.foreclosure_stage) == ("LIS", "lis_pendens")
    assert record.foreclosure_recording_date == date(2026, 8, 14)
    assert (record.foreclosure_default_amount, record.foreclosure_judgment_amount) == (12_345, None)
    assert (record.foreclosure_auction_date, record.foreclosure_creditor_kind) == (
        date(2026, 10, 1),
        "lender",
    )
    (notice,) = record.foreclosure_records or ()
    assert (notice.auction_address, notice.original_loan_amount) == ("12 SAMPLE ST, SAMPLETON", 300_000)


def test_the_newest_notice_speaks_for_the_property() -> None:
    details = bodies.preforeclosuredetails(SAMPLE)
    older = {"foreclosureID": 5, "recordType": "NOD", "foreclosureRecordingDate": "2019-01-01"}
    association = {**older, "foreclosureID": 6, "originalLoanLoanNumber": "HOA"}
    details["Default"] = [older, *details["Default"], association]
    (record,) = parse_document({"PreforeclosureDetails": details}, "preforeclosuredetails", FETCHED)
    notices = record.foreclosure_records or ()
    assert [n.record_type for n in notices] == [
        "LIS",
        "NOD",
        "NOD",
    ] and record.foreclosure_stage == "lis_pendens"
    assert {n.foreclosure_id: n.creditor_kind for n in notices} == {
        "77": "lender",
        "5": None,
        "6": "association",
    }


def test_nothing_reported_is_silence_not_an_all_clear() -> None:
    details = {"PropertyIdentification": {"ATTOMID": 1001}, "Default": [], "Auction": [{"foreclosureID": 0}]}
    (record,) = parse_document({"PreforeclosureDetails": details}, "preforeclosuredetails", FETCHED)
    assert not has_group(record, "foreclosure")


def test_history_answers_carry_foreclosures_too() -> None:
    notice = {
        "recordingDate": "2011-03-01",
        "distressType": "NTS",
        "beneficiaryName": "SAMPLE SAVINGS BANK",
        "auctionDateTime": "04/02/2011 10:00",
        "recordedOpeningBid": "$120,500",
    }
    record = parsed("expandedhistory", {**bodies.saleshistory(SAMPLE), "foreclosure": [notice]})
    assert (record.foreclosure_stage, record.foreclosure_opening_bid) == ("sale_notice", 120_500)
    assert record.foreclosure_auction_date == date(2011, 4, 2)


def test_units_are_properties_of_their_own() -> None:
    units = [bodies.expandedprofile(SampleProperty(2000 + n, unit=str(n))) for n in range(3)]
    found = parse_document(bodies.envelope(units), "expandedprofile", FETCHED)
    assert [record.attom_id for record in found] == [2000, 2001, 2002]
    nameless = {**units[0], "identifier": {"Id": 0}}
    assert parse_document(bodies.envelope([nameless]), "expandedprofile", FETCHED) == []
    # Asked by its id, it is that one: preforeclosuredetails may not repeat it.
    (record,) = parse_document(bodies.envelope([nameless]), "expandedprofile", FETCHED, asked_for=1001)
    assert record.attom_id == 1001


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_an_answer_with_any_value_replaced_by_any_other_is_still_parsed(data: st.DataObject) -> None:
    endpoint = data.draw(st.sampled_from([name for name in ENDPOINTS if hasattr(bodies, name)]))
    body = json.loads(json.dumps(getattr(bodies, endpoint)(SAMPLE)))
    node: Any = body
    while True:
        key = data.draw(st.sampled_from(list(node) if isinstance(node, dict) else list(range(len(node)))))
        deeper = isinstance(node[key], dict | list) and node[key] and data.draw(st.booleans())
        if not deeper:
            break
        node = node[key]
    node[key] = data.draw(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just({}) | st.just([[], {}])
    )
    for record in parse_document(bodies.envelope([body]), endpoint, FETCHED):
        as_table([record])


# --- Putting answers together


def test_of_two_answers_the_newer_source_wins_group_by_group() -> None:
    profile = parsed("expandedprofile", bodies.expandedprofile(SAMPLE))
    newer = replace(
        parsed("detailmortgageowner", bodies.detailmortgageowner(SAMPLE)),
        owner_source_date=date(2026, 9, 16),
        mortgage_source_date=date(2026, 9, 1),
        property_id="999-1",
    )
    equity = parsed("homeequity", bodies.homeequity(SAMPLE))
    merged = combine([profile, newer, equity])
    assert (merged.owner_source, merged.owner_occupied) == ("detailmortgageowner", False)
    assert (merged.mortgage_source, merged.mortgage_document_number) == ("expandedprofile", "0000012345")
    assert merged.owner_3 is None, "a group comes whole from one source"
    assert (merged.equity_source, merged.total_loan_balance) == ("homeequity", 260_000)
    assert merged.property_id == "999-1" and merged == combine([equity, newer, profile])
    with pytest.raises(ValueError, match="one property"):
        combine([profile, replace(newer, attom_id=7)])


def test_the_table_has_the_fields_of_the_record() -> None:
    table = arrow_schema(AttomProperties)
    record = arrow_fields()
    assert list(table)[1:] == list(record) and table.names[0] == "batch_id"
    assert tuple(TABLE_OUTCOMES) == OUTCOMES
    facts = [name for group in GROUPS for name in group_fields(group)]
    others = {"attom_id", "property_id", "other_columns"}
    origins = {f"{g}_{part}" for g in GROUPS for part in ("source", "source_date", "fetched_at")}
    assert {f.name for f in fields(AttomProperty)} == {*facts, *others, *origins}
    assert len(facts) == len(set(facts))
    (row,) = as_table([parsed("saleshistory", bodies.saleshistory(SAMPLE))]).to_pylist()
    assert [sale["price"] for sale in row["sale_history"]] == [400_000, None, 150_000]


# --- Envelopes


def verdict(status: int, body: object, content_type: str = "application/json") -> tuple[str, str | None]:
    text = body if isinstance(body, str) else json.dumps(body)
    found = judge(EXPANDED_PROFILE, BY_ID, status, text, content_type)
    return found.outcome, found.reason


@pytest.mark.parametrize("status", [200, 400, 404])
def test_the_message_decides_and_not_the_status(status: int) -> None:
    assert verdict(status, bodies.envelope([])) == ("no_match", None)
    gateway = {"Response": {"status": {"msg": "SuccessWithoutResult"}}}
    assert verdict(status, gateway) == ("no_match", None)


def test_a_code_that_contradicts_the_message_is_ignored() -> None:
    body = bodies.envelope([bodies.detail(SAMPLE)])
    body["status"]["code"] = 1
    assert verdict(200, body) == ("returned", None)
    body["status"]["total"] = 10_000
    assert verdict(200, body) == ("ambiguous", "several_properties")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("<html></html>", "an HTML page"),
        ("<?xml version='1.0'?><a/>", "an XML document"),
        ("[1", "not JSON"),
        ('{"a": 1}', "without a status"),
        ("", "not JSON"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_a_200_that_is_not_attoms_is_named(body: str, said: str) -> None:
    with pytest.raises(AttomMalformedError, match=said):
        verdict(200, body, "")


def test_refusals_have_their_types() -> None:
    with pytest.raises(AttomRequestError, match="400"):
        verdict(400, {"status": {"msg": "Invalid parameter"}})
    with pytest.raises(AttomQuotaError):
        verdict(403, "monthly limit")


# --- Names of a property


def test_the_same_question_has_the_same_hash_however_it_is_typed() -> None:
    def hashed(line1: str, line2: str) -> str:
        query = PropertyQuery(address1=line1, address2=line2)
        return request_hash(EXPANDED_PROFILE, identities(EXPANDED_PROFILE, query)[0])

    assert hashed("12 Sample St.", "Sampleton,  MA 01999") == hashed("12  SAMPLE ST", "sampleton ma 01999")
    assert hashed("12 Sample St", "Sampleton, MA 01999") != hashed("1 2 Sample St", "Sampleton, MA 01999")
    first = identities(EXPANDED_PROFILE, PropertyQuery(address1="12 Sample St", address2="X, MA 01999"))[0]
    assert "SAMPLE" not in first.key.upper(), "the index holds no address in clear"


def test_a_property_is_named_by_id_then_address_then_parcel() -> None:
    query = PropertyQuery(
        attom_id=7, address1="1 A St", address2="B, MA 01999", fips="25099", apn="1", county="C", state="MA"
    )
    assert [name.kind for name in identities(EXPANDED_PROFILE, query)] == ["attom_id", "address", "parcel"]
    names = {name.kind: dict(name.parameters) for name in identities(PREFORECLOSURE, query)}
    assert names["address"] == {"combinedAddress": "1 A St, B, MA 01999"}
    assert names["parcel"] == {"apn": "1", "county": "C", "state": "MA"}
    with pytest.raises(UsageError, match="cannot be named"):
        identities(EXPANDED_PROFILE, PropertyQuery(address1="1 A St", fips="25099"))
    with pytest.raises(UsageError, match="no ATTOM endpoint"):
        find_endpoint("propensity")


# --- The vendor's own captures


def capture(name: str) -> Any:
    path = CAPTURES / name
    if not path.is_file():
        pytest.skip("no folder shared/vendors/attom beside the checkout: the captures are not here")
    return json.loads(path.read_text(encoding="utf-8"))


def test_captured_answers_of_both_families_agree() -> None:
    names = ("property_expandedprofile.json", "property_detailowner.json", "allevents_detail.json")
    found = [parse_document(capture(name), name, FETCHED)[0] for name in names]
    same = ("attom_id", "apn", "site_address", "municipality", "lot_sqft", "bedrooms", "year_built", "units")
    for name in same:
        assert len({getattr(record, name) for record in found}) == 1, name
    assert found[0].owner_1 == found[1].owner_1 is not None
    assert found[0].owner_3 == found[1].owner_3 is not None and found[0].owner_2 is None
    assert (found[0].mortgage_amount, found[0].mortgage_term_months) == (510_000, 301)
    assert found[0].second_mortgage_amount is None and found[0].foreclosure_source is None
    assert (found[2].avm_value, found[2].avm_score) == (741_808, 99)
    assert found[0].last_sale_price == found[2].last_sale_price == 710_000


def test_a_captured_area_query_is_ten_properties() -> None:
    document = capture("property_address.json")
    assert len(found_properties(document)) == len(parse_document(document, "address", FETCHED)) == 10
    by_id = identities(EXPANDED_PROFILE, PropertyQuery(attom_id=1))[0]
    found = judge(EXPANDED_PROFILE, by_id, 200, json.dumps(document))
    assert (found.outcome, found.reports) == ("ambiguous", 10)


def test_reconstructed_placeholders_say_nothing() -> None:
    """Shapes from client code, values blank: an assumption, and all of it must read as "none"."""
    mortgage = capture("reconstructed/property_detailmortgageowner.json")
    assert parse_document(mortgage, "detailmortgageowner", FETCHED) == []
    mortgage["property"][0]["identifier"]["attomId"] = 5
    (record,) = parse_document(mortgage, "detailmortgageowner", FETCHED)
    assert record.mortgage_found is False
    equity = capture("reconstructed/valuation_homeequity.json")
    equity["property"][0]["identifier"]["attomId"] = 5
    (record,) = parse_document(equity, "homeequity", FETCHED)
    assert record.equity_source is None and record.avm_source is None
    details = capture("reconstructed/preforeclosuredetails_v3.json")
    assert Keys(details).child("PreforeclosureDetails").children("Default")
