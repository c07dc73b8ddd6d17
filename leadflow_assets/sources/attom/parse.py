"""From ATTOM's answers to :class:`AttomProperty`, whatever the endpoint and its casing.

Each group is read from every place it is known to stand at. A mortgage's amount is what was lent, never a
balance; balances come from homeequity alone and are marked as estimates. A missing foreclosure record
means that ATTOM reports none, so the group stays silent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from leadflow_assets.sources.attom import values
from leadflow_assets.sources.attom.answers import Answer, found_properties
from leadflow_assets.sources.attom.foreclosures import foreclosure_facts, read_foreclosures
from leadflow_assets.sources.attom.keys import Keys
from leadflow_assets.sources.attom.record import GROUPS, AttomProperty, Sale, group_fields

Facts = dict[str, Any]


@dataclass(frozen=True)
class _Group:
    """What one source says of a group, and of which day it is."""

    facts: Facts
    source_date: date | None


def parse_answer(answer: Answer, *, property_id: str | None = None) -> list[AttomProperty]:
    """The properties of a kept answer: one, several where it was ambiguous, none where nothing matched."""
    if answer.outcome not in ("returned", "ambiguous"):
        return []
    found = parse_document(answer.document, answer.endpoint, answer.fetched_at, asked_for=_asked_for(answer))
    if property_id is None or answer.outcome == "ambiguous":
        return found
    return [_with_id(record, property_id) for record in found]


def parse_document(
    document: Any, endpoint: str, fetched_at: datetime, *, asked_for: int | None = None
) -> list[AttomProperty]:
    """The properties of a body, each unit by its own ATTOM id.

    One without an id is the one that was ``asked_for`` by its id; where none was, it is left out.
    """
    parsed = (_parse_property(keys, endpoint, fetched_at, asked_for) for keys in found_properties(document))
    return [record for record in parsed if record is not None]


def _asked_for(answer: Answer) -> int | None:
    """The ATTOM id in the question, where it was asked by id and one property came back."""
    kind, _, value = answer.identity.partition(":")
    return int(value) if kind == "attom" and answer.outcome == "returned" else None


def _with_id(record: AttomProperty, property_id: str) -> AttomProperty:
    return AttomProperty(**{**vars(record), "property_id": property_id})


def _parse_property(
    keys: Keys, endpoint: str, fetched_at: datetime, asked_for: int | None
) -> AttomProperty | None:
    named = keys.integer("identifier.attomId", "identifier.Id", "PropertyIdentification.ATTOMID")
    attom_id = asked_for if named is None else named
    if attom_id is None or attom_id <= 0:
        return None
    known: Facts = {"attom_id": attom_id}
    for group, read in _READERS.items():
        found = read(keys)
        if found is None or all(value is None for value in found.facts.values()):
            continue
        known |= found.facts
        known |= {
            f"{group}_source": endpoint,
            f"{group}_source_date": found.source_date,
            f"{group}_fetched_at": fetched_at,
        }
    return AttomProperty(**known)


def _vintage(keys: Keys) -> date | None:
    return keys.day("vintage.lastModified", "vintage.pubDate")


def _property(keys: Keys) -> _Group:
    facts: Facts = {
        "fips": keys.text("identifier.fips"),
        "apn": keys.text("identifier.apn"),
        "site_address": keys.text("address.line1"),
        "site_unit": keys.text("address.situsUnitValue", "address.unitValue"),
        "site_city": keys.text("address.locality"),
        "site_state": keys.text("address.countrySubd"),
        "site_zip": keys.text("address.postal1"),
        "municipality": keys.text("area.munName"),
        "county": keys.text("area.countrySecSubd"),
        "match_code": keys.text("address.matchCode"),
        "longitude": _degrees(keys, "location.longitude", 180),
        "latitude": _degrees(keys, "location.latitude", 90),
        "location_accuracy": keys.text("location.accuracy"),
        "property_class": keys.text("summary.propClass"),
        "property_type": keys.text("summary.propType"),
        "property_use": keys.text("summary.propertyType", "summary.propLandUse"),
        "category_code": keys.text("summary.propIndicator"),
        "local_use_code": keys.text("area.countyUse1"),
        "zoning": keys.text("lot.siteZoningIdent", "lot.zoningType"),
        "legal_description": keys.text("summary.legal1"),
        "year_built": keys.year("summary.yearBuilt"),
        "year_built_effective": keys.year("building.summary.yearBuiltEffective"),
        "lot_acres": keys.number("lot.lotSize1"),
        "lot_sqft": keys.number("lot.lotSize2"),
        "building_sqft": keys.amount("building.size.bldgSize", "building.size.universalSize"),
        "living_sqft": keys.amount("building.size.livingSize"),
        "bedrooms": keys.amount("building.rooms.beds"),
        "bathrooms": keys.number("building.rooms.bathsTotal"),
        "rooms": keys.amount("building.rooms.roomsTotal"),
        "stories": keys.number("building.summary.levels"),
        "units": keys.amount("building.summary.unitsCount"),
        "condition": keys.text("building.construction.condition"),
        "is_bank_owned": keys.flag("summary.REOflag"),
    }
    return _Group(facts, _vintage(keys))


def _degrees(keys: Keys, path: str, most: float) -> float | None:
    found = keys.number(path)
    return found if found is not None and abs(found) <= most else None


def _owner(keys: Keys) -> _Group | None:
    owner = keys.child("owner", "assessment.owner")
    if not owner:
        return None
    company = owner.text("corporateIndicator")
    facts: Facts = {
        # The second person often stands third, with an empty second: places are kept as sent.
        **{f"owner_{n}": owner.text(f"owner{n}.fullName") or _joined(owner, n) for n in range(1, 5)},
        "owner_is_company": values.flag(company),
        "owner_type": owner.text("type", "description"),
        "owner_relationship": owner.text("ownerRelationshipType"),
        "mailing_address": owner.text("mailingAddressOneLine"),
        "owner_occupied": owner.owner_occupied("absenteeOwnerStatus"),
    }
    if facts["owner_occupied"] is None:
        facts["owner_occupied"] = keys.owner_occupied("summary.absenteeInd")
    return _Group(facts, _vintage(keys))


def _joined(owner: Keys, position: int) -> str | None:
    parts = (owner.text(f"owner{position}.firstNameAndMi"), owner.text(f"owner{position}.lastName"))
    return " ".join(filter(None, parts)) or None


def _tax(keys: Keys) -> _Group | None:
    found = keys.child("assessment")
    if not found:
        return None
    facts: Facts = {
        "assessed_total": found.amount("assessed.assdTtlValue"),
        "assessed_land": found.amount("assessed.assdLandValue"),
        "assessed_improvements": found.amount("assessed.assdImprValue"),
        "assessed_year": found.year("tax.taxYearAssessed", "tax.assessorYear"),
        "market_total": found.amount("market.mktTtlValue"),
        "market_land": found.amount("market.mktLandValue"),
        "market_improvements": found.amount("market.mktImprValue"),
        "tax_amount": found.number("tax.taxAmt"),
        "tax_year": found.year("tax.taxYear"),
        "tax_delinquent_year": found.year("tax.taxDelinquentYear", "delinquentYear"),
    }
    return _Group(facts, _vintage(keys))


_MORTGAGE_PATHS = ("mortgage", "assessment.mortgage", "sale.mortgage")
_MORTGAGE_PARTS = (
    "amount",
    "rate",
    "rate_type",
    "lender",
    "term_months",
    "date",
    "due_date",
    "loan_type",
    "deed_type",
    "document_number",
)


def _mortgage(keys: Keys) -> _Group | None:
    if not keys.holds(*_MORTGAGE_PATHS):
        return None
    found = keys.child(*_MORTGAGE_PATHS)
    nested = found.holds("FirstConcurrent", "SecondConcurrent")
    first = _loan(found.child("FirstConcurrent") if nested else found)
    second = _loan(found.child("SecondConcurrent"))
    facts: Facts = {f"mortgage_{name}": value for name, value in first.items()}
    facts |= {f"second_mortgage_{name}": value for name, value in second.items()}
    facts["mortgage_found"] = any(value is not None for value in facts.values())
    return _Group(facts, _vintage(keys))


def _loan(loan: Keys) -> Facts:
    """One mortgage at its origination; all None where it is one of the forms of "no mortgage"."""
    lender = loan.text("lenderLastName", "lender.lastName", "lender.name", "lender.companyName")
    facts: Facts = {
        "amount": loan.amount("amount"),
        "rate": loan.rate("interestRate"),
        "rate_type": loan.text("interestRateType"),
        "lender": lender,
        "term_months": loan.amount("term"),
        "date": loan.day("date"),
        "due_date": loan.day("dueDate"),
        "loan_type": loan.text("loanTypeCode"),
        "deed_type": loan.text("deedType"),
        "document_number": loan.text("trustDeedDocumentNumber", "documentNumber"),
    }
    # A term or a type alone is a blank form, not a loan.
    real = any(facts[name] is not None for name in ("amount", "lender", "date", "document_number"))
    return facts if real else dict.fromkeys(_MORTGAGE_PARTS)


def _foreclosure(keys: Keys) -> _Group | None:
    records = read_foreclosures(keys)
    if not records:
        return None
    newest = max((r.updated_on for r in records if r.updated_on), default=None)
    return _Group(foreclosure_facts(records), newest or _vintage(keys))


def _sale(keys: Keys) -> _Group | None:
    listed = keys.children("saleHistory", "saleshistory")
    history = sorted((_deed(entry) for entry in listed), key=_sold, reverse=True)
    current = keys.child("sale")
    last = _deed(current) if current else history[0] if history else Sale()
    if not history and last == Sale():
        return None
    facts: Facts = {
        "last_sale_date": last.sale_date,
        "last_sale_recording_date": last.recording_date,
        "last_sale_price": last.price,
        "last_sale_kind": last.kind,
        "last_sale_document_number": last.document_number,
        "last_sale_is_estimated": last.is_estimated,
        "last_sale_is_nominal": last.is_nominal,
        "last_seller": last.seller,
        "last_buyer": last.buyer,
        "sale_history": tuple(history) or None,
    }
    return _Group(facts, _vintage(keys))


def _sold(sale: Sale) -> date:
    return sale.sale_date or sale.recording_date or date.min


def _deed(keys: Keys) -> Sale:
    """One deed of ``sale`` or ``salehistory``; the amount stood under ``saleAmountData`` in 2023."""

    def part(name: str) -> tuple[str, ...]:
        return f"amount.{name}", f"saleAmountData.{name}", name

    code, kind = keys.text(*part("saleCode")), keys.text(*part("saleTransType"))
    described = code is not None or kind is not None
    nominal = (kind or "").lower().startswith(("nominal", "quit claim"))
    return Sale(
        sale_date=keys.day("saleTransDate", "saleSearchDate"),
        recording_date=keys.day(*part("saleRecDate")),
        price=keys.amount(*part("saleAmt")),
        kind=kind,
        document_number=keys.text(*part("saleDocNum")),
        is_estimated=code.upper().startswith("ESTIMATED") if code else (False if described else None),
        is_nominal=nominal if described else None,
        seller=keys.text("sellerName"),
        buyer=keys.text("buyerName"),
    )


def _avm(keys: Keys) -> _Group | None:
    found = keys.child("avm")
    facts: Facts = {
        "avm_value": found.amount("amount.value"),
        "avm_low": found.amount("amount.low"),
        "avm_high": found.amount("amount.high"),
        "avm_score": found.amount("amount.scr"),
        "avm_date": found.day("eventDate"),
    }
    return _Group(facts, facts["avm_date"]) if facts["avm_value"] else None


def _equity(keys: Keys) -> _Group | None:
    """Balances are worked out by the vendor from the loans' terms: estimates, all of them."""
    found = keys.child("homeEquity")
    facts: Facts = {
        "loan_to_value": found.number("LTV", zero=True),
        "available_equity": found.integer("estimatedAvailableEquity", zero=True),
        "lendable_equity": found.integer("estimatedLendableEquity", zero=True),
        "first_loan_balance": found.amount("firstAmortizedLoanAmount", zero=True),
        "second_loan_balance": found.amount("secondAmortizedLoanAmount", zero=True),
        "third_loan_balance": found.amount("thirdAmortizedLoanAmount", zero=True),
        "total_loan_balance": found.amount("totalEstimatedLoanBalance", zero=True),
    }
    # All zero is an empty form; a zero balance beside an equity is a property without debt.
    if not any(facts.values()):
        return None
    updated = found.day("recordLastUpdated") or keys.day("avm.eventDate")
    return _Group({**facts, "equity_is_estimate": True}, updated)


_READERS: dict[str, Callable[[Keys], _Group | None]] = {
    "property": _property,
    "owner": _owner,
    "tax": _tax,
    "mortgage": _mortgage,
    "foreclosure": _foreclosure,
    "sale": _sale,
    "avm": _avm,
    "equity": _equity,
}
assert set(_READERS) <= set(GROUPS) and all(group_fields(group) for group in GROUPS)
