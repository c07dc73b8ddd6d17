"""Delivered files in ATTOM's form for a fictional town: tax assessor, loan model, preforeclosure, AVM.

Made from the town's own properties, so that they match as real deliveries would: nearly all by address,
one not at all. Every figure is invented; the same town gives the same
files. Names of files and lenders say SAMPLE.
"""

from __future__ import annotations

import csv
import hashlib
import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

# Rows of the roll that a delivery is made of: mart/properties' columns.
COLUMNS = (
    "property_id",
    "site_address",
    "unit",
    "town",
    "zip",
    "total_value",
    "last_sale_date",
    "last_sale_price",
    "category",
    "occupancy",
)
# The day of the extract: fixed, so that the demo makes the same files whenever it runs.
EXTRACTED_ON = date(2026, 11, 2)
SAMPLE_PREFIX = "SAMPLE_"
_FIRST_ID = 990_000_001
_LENDERS = ("SAMPLE SAVINGS BANK", "SAMPLETON CREDIT UNION", "EXAMPLE HOME LOANS")
_YEARS_LENT = 30
_MOST_AT_ADDRESS = 2
_TAX_COLUMNS = (
    "[ATTOM ID]",
    "SitusStateCountyFIPS",
    "PropertyJurisdictionName",
    "PropertyAddressFull",
    "PropertyAddressUnitValue",
    "PropertyAddressCity",
    "PropertyAddressState",
    "PropertyAddressZIP",
    "StatusOwnerOccupiedFlag",
    "TaxAssessedValueTotal",
    "TaxYearAssessed",
    "TaxBilledAmount",
    "TaxFiscalYear",
    "TaxDelinquentYear",
    "PublicationDate",
)


def write_deliveries(
    properties: Sequence[Mapping[str, Any]], folder: Path, *, today: date = EXTRACTED_ON
) -> list[Path]:
    """Write the four files for residential properties with an address; returns their paths.

    ``properties`` are rows with :data:`COLUMNS`; ``today`` is the day of the extract.
    """
    homes = _with_few_doubts(row for row in properties if row["category"] == "residential")
    known = [(number, row, _dice(row)) for number, row in enumerate(homes, start=_FIRST_ID)]
    folder.mkdir(parents=True, exist_ok=True)
    stamp = f"{today:%Y%m%d}"
    return [
        _write(folder / f"{SAMPLE_PREFIX}TAXASSESSOR_{stamp}.txt", "\t", _tax_rows(known, today)),
        _write(folder / f"{SAMPLE_PREFIX}LOANMODEL_{stamp}.txt", "|", _loan_rows(known, today)),
        _write(folder / f"{SAMPLE_PREFIX}PREFORECLOSURE_{stamp}.csv", ",", _notice_rows(known, today)),
        _write(folder / f"{SAMPLE_PREFIX}AVM_{stamp}.csv", ",", _value_rows(known, today)),
    ]


_Row = tuple[int, Mapping[str, Any], random.Random]


def _with_few_doubts(properties: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """By id; of records that share an address no more than two, which is enough to need a decision."""
    kept: list[Mapping[str, Any]] = []
    at: dict[tuple[str, str], int] = {}
    for row in sorted(properties, key=lambda row: str(row["property_id"])):
        place = (row["site_address"] or "", row["unit"] or "")
        at[place] = at.get(place, 0) + 1
        if row["site_address"] and at[place] <= _MOST_AT_ADDRESS:
            kept.append(row)
    return kept


def _dice(row: Mapping[str, Any]) -> random.Random:
    """Chance that depends on the property alone."""
    return random.Random(hashlib.sha256(str(row["property_id"]).encode()).digest())


def _write(path: Path, delimiter: str, rows: Iterable[Mapping[str, Any]]) -> Path:
    written = list(rows)
    with path.open("w", encoding="latin-1", newline="") as file:
        writer = csv.DictWriter(file, list(written[0]) if written else ["[ATTOM ID]"], delimiter=delimiter)
        writer.writeheader()
        writer.writerows(written)
    return path


def _tax_rows(known: Sequence[_Row], today: date) -> Iterable[dict[str, Any]]:
    for attom_id, row, dice in known:
        value = row["total_value"] or 0
        yield {
            "[ATTOM ID]": attom_id,
            "SitusStateCountyFIPS": "25099",
            "PropertyJurisdictionName": row["town"],
            "PropertyAddressFull": row["site_address"],
            "PropertyAddressUnitValue": row["unit"] or "",
            "PropertyAddressCity": row["town"],
            "PropertyAddressState": "MA",
            "PropertyAddressZIP": row["zip"] or "",
            "StatusOwnerOccupiedFlag": "Y" if row["occupancy"] == "owner_occupied" else "N",
            "TaxAssessedValueTotal": value,
            "TaxYearAssessed": today.year,
            "TaxBilledAmount": f"{value * 0.0125:.2f}",
            "TaxFiscalYear": today.year,
            "TaxDelinquentYear": today.year - dice.randint(1, 2) if dice.random() < 0.05 else 0,
            "PublicationDate": f"{today:%m/%d/%Y}",
        }
    if known:
        # An address that the roll does not have: it must end as unmatched, visibly.
        attom_id, row, _ = known[-1]
        place = {"PropertyJurisdictionName": row["town"], "PropertyAddressCity": row["town"]}
        yield {
            **dict.fromkeys(_TAX_COLUMNS, ""),
            **place,
            "[ATTOM ID]": attom_id + 1,
            "PropertyAddressFull": "9999 NOWHERE RD",
            "PropertyAddressState": "MA",
            "TaxAssessedValueTotal": 1000,
            "PublicationDate": f"{today:%m/%d/%Y}",
        }


def _loan_rows(known: Sequence[_Row], today: date) -> Iterable[dict[str, Any]]:
    """Open loans of those who bought at a price and have not paid back; amounts are what was lent."""
    for attom_id, row, dice in known:
        bought, price = row["last_sale_date"], row["last_sale_price"]
        chance = dice.random()
        if not bought or not price or price < 50_000 or chance > 0.7:
            continue
        age = (today - bought).days / 365.25
        if age >= _YEARS_LENT:
            continue
        lent = round(price * (0.6 + 0.35 * dice.random()), -2)
        owed = lent * (1 - (age / _YEARS_LENT) ** 1.3)
        value = row["total_value"] or price
        yield {
            "[ATTOM ID]": attom_id,
            "LTV": f"{100 * owed / value:.1f}" if value else "",
            "AvailableEquity": round(value - owed),
            "LendableEquity": round(0.8 * value - owed),
            "CurrentFirstPositionOpenLoanAmount": round(lent),
            "CurrentFirstPositionOpenLoanRecordingDate": f"{bought:%Y-%m-%d}",
            "CurrentFirstPositionOpenLoanType": "P",
            "CurrentFirstPositionOpenLoanLenderNameFirst": dice.choice(_LENDERS),
            "CurrentFirstPositionOpenLoanInterestRate": f"{3 + 4 * dice.random():.3f}",
            "PublicationDate": f"{today:%Y-%m-%d}",
        }


def _notice_rows(known: Sequence[_Row], today: date) -> Iterable[dict[str, Any]]:
    for attom_id, row, dice in known:
        if dice.random() > 0.03:
            continue
        recorded = today - timedelta(days=dice.randint(20, 400))
        kind = dice.choice(("LIS", "NFS"))
        auction = recorded + timedelta(days=60) if kind == "NFS" else None
        yield {
            "TransactionID": f"{attom_id}01",
            "[ATTOM ID]": attom_id,
            "RecordType": kind,
            "ForeclosureRecordingDate": f"{recorded:%m/%d/%Y}",
            "AuctionDate": f"{auction:%m/%d/%Y}" if auction else "",
            "DefaultAmount": f"${round((row['total_value'] or 300_000) * 0.04):,}",
            "LenderNameFullStandardized": dice.choice(_LENDERS),
            "CaseNumber": "",
            "RecordLastUpdated": f"{today:%m/%d/%Y}",
            "PublicationDate": f"{today:%m/%d/%Y}",
        }


def _value_rows(known: Sequence[_Row], today: date) -> Iterable[dict[str, Any]]:
    for attom_id, row, dice in known:
        if not row["total_value"]:
            continue
        value = row["total_value"] * (0.95 + 0.25 * dice.random())
        spread = 0.06 + 0.1 * dice.random()
        yield {
            "[ATTOM ID]": attom_id,
            "EstimatedValue": round(value),
            "EstimatedMinValue": round(value * (1 - spread)),
            "EstimatedMaxValue": round(value * (1 + spread)),
            "ConfidenceScore": round(100 - 300 * spread),
            "ValuationDate": f"{today:%m/%d/%y}",
        }
