"""One property as ATTOM sees it: the typed record that answers and files are turned into.

Fields stand in groups (owner, tax, mortgage ...). Each group says where it came from, of which day its
source is, and when it was fetched, so that a newer owner never makes an older mortgage look new.
Amounts are dollars, areas square feet unless the name says acres, coordinates degrees WGS 84.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import date, datetime
from functools import cache
from typing import Any

import pyarrow as pa

GROUPS = (
    "property",
    "owner",
    "tax",
    "mortgage",
    "foreclosure",
    "sale",
    "avm",
    "equity",
    "propensity",
    "liens",
)


@dataclass(frozen=True)
class Sale:
    """One deed. ``is_estimated``: the price is the vendor's guess; ``is_nominal``: the deed names none."""

    sale_date: date | None = None
    recording_date: date | None = None
    price: int | None = None
    kind: str | None = None
    document_number: str | None = None
    is_estimated: bool | None = None
    is_nominal: bool | None = None
    seller: str | None = None
    buyer: str | None = None


@dataclass(frozen=True)
class Foreclosure:
    """One notice of default or auction. ``record_type`` NOD, LIS, NTS, NFS, REO, or as sent."""

    foreclosure_id: str | None = None
    record_type: str | None = None
    stage: str | None = None
    creditor_kind: str | None = None
    recording_date: date | None = None
    auction_date: date | None = None
    auction_time: str | None = None
    auction_address: str | None = None
    judgment_date: date | None = None
    judgment_amount: int | None = None
    default_amount: int | None = None
    opening_bid: int | None = None
    original_loan_amount: int | None = None
    original_loan_date: date | None = None
    loan_balance: int | None = None
    case_number: str | None = None
    document_number: str | None = None
    lender: str | None = None
    trustee: str | None = None
    borrower: str | None = None
    updated_on: date | None = None


@dataclass(frozen=True)
class OpenLoan:
    """A loan that ATTOM's model takes to be open; ``original_amount`` is what was lent, not what is owed."""

    position: int
    original_amount: int | None = None
    recording_date: date | None = None
    kind: str | None = None
    lender: str | None = None
    rate: float | None = None
    document_number: str | None = None


@dataclass(frozen=True)
class Lien:
    """One lien or judgment of a delivered file."""

    kind: str | None = None
    amount: int | None = None
    recording_date: date | None = None
    creditor: str | None = None
    debtor: str | None = None
    document_number: str | None = None
    released_on: date | None = None


@dataclass(frozen=True, kw_only=True)
class AttomProperty:
    """One property, or one unit of a building, by its ATTOM id. ``property_id`` is ours, where known.

    A group's facts stand before the three fields of its origin: ``tax_source`` ends the group tax.
    """

    attom_id: int
    property_id: str | None = None

    # What and where it is.
    fips: str | None = None
    apn: str | None = None
    site_address: str | None = None
    site_unit: str | None = None
    site_city: str | None = None
    site_state: str | None = None
    site_zip: str | None = None
    municipality: str | None = None
    county: str | None = None
    match_code: str | None = None
    longitude: float | None = None
    latitude: float | None = None
    location_accuracy: str | None = None
    property_class: str | None = None
    property_type: str | None = None
    property_use: str | None = None
    category_code: str | None = None
    local_use_code: str | None = None
    zoning: str | None = None
    legal_description: str | None = None
    year_built: int | None = None
    year_built_effective: int | None = None
    lot_acres: float | None = None
    lot_sqft: float | None = None
    building_sqft: int | None = None
    living_sqft: int | None = None
    bedrooms: int | None = None
    bathrooms: float | None = None
    rooms: int | None = None
    stories: float | None = None
    units: int | None = None
    condition: str | None = None
    is_bank_owned: bool | None = None
    property_source: str | None = None
    property_source_date: date | None = None
    property_fetched_at: datetime | None = None

    owner_1: str | None = None
    owner_2: str | None = None
    owner_3: str | None = None
    owner_4: str | None = None
    owner_is_company: bool | None = None
    owner_type: str | None = None
    owner_relationship: str | None = None
    mailing_address: str | None = None
    mailing_city: str | None = None
    mailing_state: str | None = None
    mailing_zip: str | None = None
    owner_occupied: bool | None = None
    no_solicitation: bool | None = None
    owner_source: str | None = None
    owner_source_date: date | None = None
    owner_fetched_at: datetime | None = None

    assessed_total: int | None = None
    assessed_land: int | None = None
    assessed_improvements: int | None = None
    assessed_year: int | None = None
    market_total: int | None = None
    market_land: int | None = None
    market_improvements: int | None = None
    tax_amount: float | None = None
    tax_year: int | None = None
    tax_delinquent_year: int | None = None
    tax_source: str | None = None
    tax_source_date: date | None = None
    tax_fetched_at: datetime | None = None

    mortgage_found: bool | None = None
    mortgage_amount: int | None = None
    mortgage_rate: float | None = None
    mortgage_rate_type: str | None = None
    mortgage_lender: str | None = None
    mortgage_term_months: int | None = None
    mortgage_date: date | None = None
    mortgage_due_date: date | None = None
    mortgage_loan_type: str | None = None
    mortgage_deed_type: str | None = None
    mortgage_document_number: str | None = None
    second_mortgage_amount: int | None = None
    second_mortgage_rate: float | None = None
    second_mortgage_rate_type: str | None = None
    second_mortgage_lender: str | None = None
    second_mortgage_term_months: int | None = None
    second_mortgage_date: date | None = None
    second_mortgage_due_date: date | None = None
    second_mortgage_loan_type: str | None = None
    second_mortgage_deed_type: str | None = None
    second_mortgage_document_number: str | None = None
    mortgage_source: str | None = None
    mortgage_source_date: date | None = None
    mortgage_fetched_at: datetime | None = None

    foreclosure_record_type: str | None = None
    foreclosure_stage: str | None = None
    foreclosure_creditor_kind: str | None = None
    foreclosure_recording_date: date | None = None
    foreclosure_auction_date: date | None = None
    foreclosure_judgment_date: date | None = None
    foreclosure_judgment_amount: int | None = None
    foreclosure_default_amount: int | None = None
    foreclosure_opening_bid: int | None = None
    foreclosure_case_number: str | None = None
    foreclosure_records: tuple[Foreclosure, ...] | None = None
    foreclosure_source: str | None = None
    foreclosure_source_date: date | None = None
    foreclosure_fetched_at: datetime | None = None

    last_sale_date: date | None = None
    last_sale_recording_date: date | None = None
    last_sale_price: int | None = None
    last_sale_kind: str | None = None
    last_sale_document_number: str | None = None
    last_sale_is_estimated: bool | None = None
    last_sale_is_nominal: bool | None = None
    last_seller: str | None = None
    last_buyer: str | None = None
    sale_history: tuple[Sale, ...] | None = None
    sale_source: str | None = None
    sale_source_date: date | None = None
    sale_fetched_at: datetime | None = None

    avm_value: int | None = None
    avm_low: int | None = None
    avm_high: int | None = None
    avm_score: int | None = None
    avm_date: date | None = None
    avm_source: str | None = None
    avm_source_date: date | None = None
    avm_fetched_at: datetime | None = None

    equity_is_estimate: bool | None = None
    loan_to_value: float | None = None
    available_equity: int | None = None
    lendable_equity: int | None = None
    first_loan_balance: int | None = None
    second_loan_balance: int | None = None
    third_loan_balance: int | None = None
    total_loan_balance: int | None = None
    open_loans: tuple[OpenLoan, ...] | None = None
    equity_source: str | None = None
    equity_source_date: date | None = None
    equity_fetched_at: datetime | None = None

    propensity_score: float | None = None
    propensity_group: str | None = None
    propensity_source: str | None = None
    propensity_source_date: date | None = None
    propensity_fetched_at: datetime | None = None

    lien_records: tuple[Lien, ...] | None = None
    liens_source: str | None = None
    liens_source_date: date | None = None
    liens_fetched_at: datetime | None = None

    other_columns: str | None = None


@cache
def group_fields(group: str) -> tuple[str, ...]:
    """The names of a group's facts, without its three origin fields."""
    names = [f.name for f in fields(AttomProperty)]
    end = names.index(f"{group}_source")
    before = GROUPS.index(group) - 1
    start = names.index(f"{GROUPS[before]}_fetched_at") + 1 if before >= 0 else names.index("property_id") + 1
    return tuple(names[start:end])


def has_group(record: AttomProperty, group: str) -> bool:
    """Does any source speak of the group? "No mortgage" is speaking; not having been asked is not."""
    return getattr(record, f"{group}_source") is not None


def combine(records: list[AttomProperty]) -> AttomProperty:
    """One property from several answers: per group the one with the newest source date, whole.

    Without dates, and between equal ones, the answer that says more wins, then the one fetched last.

    Raises:
        ValueError: there is none, or they are of different properties.
    """
    if len({record.attom_id for record in records}) != 1:
        raise ValueError("records of exactly one property can be combined")
    merged = records[0]
    for group in GROUPS:
        speaking = [record for record in records if has_group(record, group)]
        if not speaking:
            continue
        best = max(speaking, key=lambda record: _rank(record, group))
        names = (
            *group_fields(group),
            *(f"{group}_{part}" for part in ("source", "source_date", "fetched_at")),
        )
        merged = replace(merged, **{name: getattr(best, name) for name in names})
    known = (record.property_id for record in records if record.property_id)
    return replace(merged, property_id=next(known, None))


def _rank(record: AttomProperty, group: str) -> tuple[date, int, datetime]:
    said = sum(getattr(record, name) is not None for name in group_fields(group))
    fetched = getattr(record, f"{group}_fetched_at")
    return getattr(record, f"{group}_source_date") or date.min, said, fetched


@cache
def arrow_fields() -> pa.Schema:
    """The Arrow schema of :class:`AttomProperty`: what its rows are in a file."""
    hints = typing.get_type_hints(AttomProperty)
    return pa.schema(
        [
            pa.field(f.name, _arrow_type(hints[f.name]), nullable=f.name != "attom_id")
            for f in fields(AttomProperty)
        ]
    )


def as_table(records: Sequence[AttomProperty]) -> pa.Table:
    """Records as an Arrow table of :func:`arrow_fields`."""
    return pa.Table.from_pylist([asdict(record) for record in records], schema=arrow_fields())


_SCALARS: dict[type, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    date: pa.date32(),
    datetime: pa.timestamp("us", tz="UTC"),
}


def _arrow_type(hint: Any) -> pa.DataType:
    if isinstance(hint, types.UnionType):
        hint = next(arg for arg in typing.get_args(hint) if arg is not types.NoneType)
    if typing.get_origin(hint) is tuple:
        item = typing.get_args(hint)[0]
        hints = typing.get_type_hints(item)
        return pa.list_(pa.struct([(f.name, _arrow_type(hints[f.name])) for f in fields(item)]))
    return _SCALARS[hint]
