"""Notices of default and auction: what ATTOM's record types mean and which notice is the current one.

Record types are the vendor's: NOD notice of default, LIS lis pendens, NTS notice of trustee sale, NFS notice
of foreclosure sale, REO bank owned. A missing record is "not reported by ATTOM", not "not in foreclosure".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from leadflow_assets.sources.attom.keys import Keys
from leadflow_assets.sources.attom.record import Foreclosure

STAGES = {
    "NOD": "default_notice",
    "LIS": "lis_pendens",
    "NTS": "sale_notice",
    "NFS": "sale_notice",
    "REO": "bank_owned",
}
# OriginalLoanLoanNumber carries these words where the creditor is no lender.
CREDITORS = {"HOA": "association", "MUN": "municipality"}


def stage(record_type: str | None) -> str | None:
    """Where a foreclosure stands by its record type; None for a type the vendor does not document."""
    return STAGES.get((record_type or "").upper())


def creditor_kind(loan_number: str | None) -> str | None:
    """association, municipality or lender, by the loan number; None without one."""
    return None if loan_number is None else CREDITORS.get(loan_number.upper(), "lender")


def read_foreclosures(keys: Keys) -> tuple[Foreclosure, ...]:
    """The notices of preforeclosuredetails or expandedhistory, newest first, auctions joined to them."""
    auctions = keys.children("Auction")
    notices = [_notice(entry) for entry in keys.children("Default")]
    joined = [_with_auction(notice, auctions) for notice in notices]
    taken = {notice.foreclosure_id for notice in joined}
    alone = (_with_auction(Foreclosure(foreclosure_id=_id(auction)), [auction]) for auction in auctions)
    joined += [auction for auction in alone if auction.foreclosure_id not in taken]
    joined += [_history_notice(entry) for entry in keys.children("foreclosure")]
    real = [notice for notice in joined if replace(notice, foreclosure_id=None) != Foreclosure()]
    return tuple(sorted(real, key=_newest, reverse=True))


def foreclosure_facts(records: Sequence[Foreclosure]) -> dict[str, Any]:
    """The fields of a property: its newest notice, and all of them. ``records`` come newest first."""
    current = records[0]
    names = (
        "record_type",
        "stage",
        "creditor_kind",
        "recording_date",
        "auction_date",
        "judgment_date",
        "judgment_amount",
        "default_amount",
        "opening_bid",
        "case_number",
    )
    facts = {f"foreclosure_{name}": getattr(current, name) for name in names}
    return {**facts, "foreclosure_records": tuple(records)}


def _newest(notice: Foreclosure) -> date:
    days = (notice.recording_date, notice.auction_date, notice.judgment_date, notice.updated_on)
    return next((found for found in days if found), date.min)


def _id(entry: Keys) -> str | None:
    return entry.text("foreclosureID")


def _notice(entry: Keys) -> Foreclosure:
    record_type = entry.text("recordType")
    return Foreclosure(
        foreclosure_id=_id(entry),
        record_type=record_type,
        stage=stage(record_type),
        creditor_kind=creditor_kind(entry.text("originalLoanLoanNumber")),
        recording_date=entry.day("foreclosureRecordingDate", "foreclosureInstrumentDate"),
        judgment_date=entry.day("judgmentDate"),
        judgment_amount=entry.amount("judgmentAmount"),
        default_amount=entry.amount("defaultAmount"),
        opening_bid=entry.amount("recordedAuctionOpeningBid"),
        original_loan_amount=entry.amount("originalLoanAmount"),
        original_loan_date=entry.day("originalLoanRecordingDate"),
        loan_balance=entry.amount("loanBalance"),
        case_number=entry.text("caseNumber"),
        document_number=entry.text("foreclosureInstrumentNumber", "foreclosureBookPage"),
        lender=entry.text("lenderNameFullStandardized"),
        trustee=entry.text("trusteeName"),
        borrower=entry.text("borrowerNameOwner"),
        updated_on=entry.day("recordLastUpdated"),
    )


def _with_auction(notice: Foreclosure, auctions: Sequence[Keys]) -> Foreclosure:
    """Add the auction of the same foreclosure id."""
    found = next((auction for auction in auctions if _id(auction) == notice.foreclosure_id), None)
    if found is None:
        return notice
    place = [found.text("auctionAddress") or _street(found), found.text("auctionCity")]
    return replace(
        notice,
        auction_date=found.day("auctionDate"),
        auction_time=found.text("auctionTime"),
        auction_address=", ".join(filter(None, place)) or None,
    )


def _street(auction: Keys) -> str | None:
    names = ("HouseNumber", "Direction", "StreetName", "Suffix", "PostDirection", "Unit")
    return " ".join(filter(None, (auction.text(f"auction{name}") for name in names))) or None


def _history_notice(entry: Keys) -> Foreclosure:
    """A notice of expandedhistory, whose names differ."""
    record_type = entry.text("distressType", "recordType")
    return Foreclosure(
        foreclosure_id=_id(entry),
        record_type=record_type,
        stage=stage(record_type),
        recording_date=entry.day("recordingDate"),
        auction_date=entry.day("auctionDateTime", "auctionDate"),
        opening_bid=entry.amount("recordedOpeningBid"),
        original_loan_amount=entry.amount("originalLoanAmount"),
        case_number=entry.text("caseNumber"),
        document_number=entry.text("documentNumber", "trusteeSaleNumber"),
        lender=entry.text("beneficiaryName"),
        trustee=entry.text("trusteeName", "trusteeFullName"),
        borrower=entry.text("trustorFullName", "trustorName"),
    )
