"""Bodies in ATTOM's shapes for fictional properties: both casing families, moving keys, text numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

TRANSACTION_ID = "0123456789abcdef0123456789abcdef"


@dataclass(frozen=True)
class SampleProperty:
    """A property the vendor knows. ``unit`` makes it one of several at its address."""

    attom_id: int
    line1: str = "12 SAMPLE ST"
    city: str = "SAMPLETON"
    state: str = "MA"
    zip: str = "01999"
    fips: str = "25099"
    apn: str = "12-34-0"
    unit: str | None = None
    match_code: str | None = "ExaStr"
    mortgage_amount: int = 300_000
    owner: str = "EXAMPLE PAT"
    co_owner: str = "EXAMPLE SAM"
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def line(self) -> str:
        """The first address line with the unit."""
        return f"{self.line1} UNIT {self.unit}" if self.unit else self.line1


def envelope(properties: list[dict[str, Any]], *, total: int | None = None) -> dict[str, Any]:
    """A found answer; one without a result if there are no properties."""
    found = bool(properties)
    status: dict[str, Any] = {
        "version": "1.0.0",
        "code": 0 if found else 1,
        "msg": "SuccessWithResult" if found else "SuccessWithoutResult",
        "total": len(properties) if total is None else total,
        "page": 1,
        "pagesize": 10,
        "responseDateTime": "2026-10-01T12:00:00.000Z",
        "transactionID": TRANSACTION_ID,
    }
    return {"status": status, "property": properties}


def _common(sample: SampleProperty) -> dict[str, Any]:
    address: dict[str, Any] = {
        "country": "US",
        "countrySubd": sample.state,
        "line1": sample.line,
        "line2": f"{sample.city}, {sample.state} {sample.zip}",
        "locality": sample.city,
        "oneLine": f"{sample.line}, {sample.city}, {sample.state} {sample.zip}",
        "postal1": sample.zip,
        "postal2": "0001",
    }
    if sample.match_code:
        address["matchCode"] = sample.match_code
    return {
        "identifier": {
            "Id": sample.attom_id,
            "fips": sample.fips,
            "apn": sample.apn,
            "attomId": sample.attom_id,
        },
        "address": address,
        "location": {"accuracy": "Rooftop", "latitude": "42.345678", "longitude": "-71.234567"},
        "vintage": {"lastModified": "2026-09-15", "pubDate": "2026-09-15"},
    }


def expandedprofile(sample: SampleProperty) -> dict[str, Any]:
    """The camelCase family: owner and mortgage stand below assessment."""
    mortgage: dict[str, Any] = {"FirstConcurrent": {"amount": 0, "companyCode": "-1"}}
    if sample.mortgage_amount:
        mortgage = {
            "FirstConcurrent": {
                "trustDeedDocumentNumber": "0000012345",
                "amount": sample.mortgage_amount,
                "lenderLastName": "SAMPLE SAVINGS BANK ",
                "companyCode": "1234",
                "date": "2021-06-01",
                "loanTypeCode": "CNV",
                "deedType": "WD",
                "term": "360",
                "dueDate": "2051-06-01",
                "interestRate": "3.125",
                "interestRateType": "FIXED",
            },
            "SecondConcurrent": {"amount": 0, "companyCode": "-1"},
            "title": {"companyName": "SAMPLE TITLE"},
        }
    return {
        **_common(sample),
        "lot": {"lotSize1": 0.25, "lotSize2": 10890, "siteZoningIdent": "R-1"},
        "area": {"countrySecSubd": "Sample County", "countyUse1": "101  ", "munName": sample.city},
        "summary": {
            "absenteeInd": "OWNER OCCUPIED",
            "propClass": "Single Family Residence / Townhouse",
            "propType": "SFR",
            "propertyType": "SINGLE FAMILY RESIDENCE",
            "yearBuilt": 1925,
            "propIndicator": 10,
            "REOflag": "False",
        },
        "building": {
            "size": {"bldgSize": 1800, "livingSize": 1600, "universalSize": 1600},
            "rooms": {"bathsTotal": 1.5, "beds": 3, "roomsTotal": 7},
            "summary": {"levels": 2, "unitsCount": "1"},
        },
        "sale": {
            "saleSearchDate": "2021-06-01",
            "saleTransDate": "2021-05-28",
            "sellerName": "SAMPLE SELLER",
            "amount": {
                "saleAmt": 400000,
                "saleCode": "SALE PRICE (FULL) Full sales price as per documents",
                "saleRecDate": "2021-06-01",
                "saleDocNum": "0000012344",
                "saleTransType": "Resale",
            },
        },
        "assessment": {
            "assessed": {"assdImprValue": 250000, "assdLandValue": 150000, "assdTtlValue": 400000},
            "market": {"mktImprValue": 0, "mktLandValue": -1, "mktTtlValue": 430000},
            "tax": {"taxAmt": 5120.45, "taxYear": 2026, "exemption": {}},
            "owner": {
                "corporateIndicator": "N",
                "type": "INDIVIDUAL",
                "owner1": {"fullName": f"{sample.owner} ", "lastName": "EXAMPLE "},
                "owner2": {},
                "owner3": {"fullName": sample.co_owner},
                "owner4": {},
                "absenteeOwnerStatus": "O",
                "mailingAddressOneLine": f"{sample.line}, {sample.city}, {sample.state} {sample.zip}-0001",
            },
            "mortgage": mortgage,
        },
        **sample.extra,
    }


def detail(sample: SampleProperty) -> dict[str, Any]:
    """The lower-case family, without owner, values and mortgage."""
    return {
        **_common(sample),
        "lot": {"lotsize1": 0.25, "lotsize2": 10890},
        "area": {"countrysecsubd": "Sample County", "munname": sample.city},
        "summary": {"absenteeInd": "OWNER OCCUPIED", "proptype": "SFR", "yearbuilt": 1925},
        "building": {"size": {"bldgsize": 1800}, "rooms": {"bathstotal": 1.5, "beds": 3}},
    }


def assessmentdetail(sample: SampleProperty) -> dict[str, Any]:
    """Values and tax in lower case."""
    return {
        **_common(sample),
        "assessment": {
            "assessed": {"assdimprvalue": 250000, "assdlandvalue": 150000, "assdttlvalue": 400000},
            "market": {"mktttlvalue": 430000},
            "tax": {"taxamt": 5120.45, "taxyear": 2026},
        },
    }


def detailmortgageowner(sample: SampleProperty) -> dict[str, Any]:
    """The mortgage as one object with a lender of its own; an assumption, no capture exists."""
    return {
        **_common(sample),
        "owner": {
            "corporateindicator": "N",
            "owner1": {"fullname": sample.owner},
            "owner2": {},
            "absenteeownerstatus": "A",
            "mailingaddressoneline": "PO BOX 9, ELSEWHERE, NH 03999",
        },
        "mortgage": {
            "amount": sample.mortgage_amount,
            "date": "2021-06-01",
            "loantypecode": "CNV",
            "term": "360",
            "duedate": "06/01/2051",
            "interestrate": "3.125",
            "lender": {"lastname": "SAMPLE SAVINGS BANK", "companycode": "1234"},
        },
    }


def attomavm(sample: SampleProperty) -> dict[str, Any]:
    """A valuation with its range."""
    amount = {"scr": 88, "value": 520000, "high": 560000, "low": 480000, "fsd": 8}
    return {**_common(sample), "avm": {"eventDate": "2026-09-20", "amount": amount}}


def homeequity(sample: SampleProperty) -> dict[str, Any]:
    """Balances as the vendor estimates them; an assumption, no capture exists."""
    return {
        **_common(sample),
        "avm": {"eventDate": "2026-09-20", "amount": {"value": 520000}},
        "homeEquity": {
            "LTV": 50,
            "estimatedAvailableEquity": 260000,
            "estimatedLendableEquity": 156000,
            "firstAmortizedLoanAmount": 260000,
            "secondAmortizedLoanAmount": 0,
            "thirdAmortizedLoanAmount": 0,
            "totalEstimatedLoanBalance": 260000,
            "recordLastUpdated": "2026-09-01",
        },
    }


def saleshistory(sample: SampleProperty) -> dict[str, Any]:
    """Deeds in no order: one estimated, one nominal."""
    return {
        **_common(sample),
        "salehistory": [
            {
                "saleTransDate": "1999-04-01",
                "amount": {
                    "saleamt": 150000,
                    "salecode": "ESTIMATED Sale price is not available due to non-disclosure counties",
                    "saletranstype": "Resale",
                },
            },
            {
                "saleTransDate": "2021-05-28",
                "sellerName": "SAMPLE SELLER",
                "buyerName": sample.owner,
                "amount": {"saleamt": 400000, "salecode": "SALE PRICE (FULL)", "saletranstype": "Resale"},
            },
            {"saleTransDate": "2010-02-03", "amount": {"saleamt": 0, "saletranstype": "Nominal/Quit Claim"}},
        ],
    }


def preforeclosuredetails(sample: SampleProperty) -> dict[str, Any]:
    """One notice and its auction; casing is an assumption, no capture exists."""
    return {
        "PropertyIdentification": {"ATTOMID": sample.attom_id},
        "Default": [
            {
                "foreclosureID": 77,
                "recordType": "LIS",
                "borrowerNameOwner": sample.owner,
                "caseNumber": "26 SM 000001",
                "defaultAmount": "$12,345",
                "foreclosureRecordingDate": "08/14/2026",
                "judgmentAmount": 0,
                "lenderNameFullStandardized": "SAMPLE SAVINGS BANK",
                "originalLoanAmount": "$300,000",
                "originalLoanLoanNumber": "900001",
                "recordLastUpdated": "2026-08-20",
            }
        ],
        "Auction": [
            {
                "foreclosureID": 77,
                "auctionCity": "SAMPLETON",
                "auctionDate": "10/1/2026",
                "auctionHouseNumber": "12",
                "auctionStreetName": "SAMPLE",
                "auctionSuffix": "ST",
                "auctionTime": "12:30 PM",
            }
        ],
    }
