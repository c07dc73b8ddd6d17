"""How a property is named to ATTOM: by its street address with town and ZIP.

Parcel numbers are not used: in Massachusetts they repeat from town to town, and ATTOM's FIPS code is the
county's. An address without a house number is not used either: what it would bring could not be told from
what was meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from leadflow_assets.domain.addresses import Address, parse_address, split_place, zip5
from leadflow_assets.domain.towns import town_by_id
from leadflow_assets.errors import UsageError
from leadflow_assets.search.geocode.places import NotLocatedError, read_address
from leadflow_assets.search.lists.file import ListFile
from leadflow_assets.sources.attom.endpoints import PropertyQuery

# What naming a property of ours takes of mart/properties.
RECORD_COLUMNS = ("property_id", "town_id", "town", "site_address", "unit", "zip")


def query_of_record(record: Mapping[str, Any]) -> tuple[PropertyQuery, str]:
    """A property of ours (:data:`RECORD_COLUMNS`), and why it cannot be named by its address ("": it can)."""
    town = town_by_id(record["town_id"])
    known = PropertyQuery(property_id=record["property_id"], fips=town.county_fips)
    site = " ".join((record["site_address"] or "").split())
    address = parse_address(site)
    problem = _problem(address)
    if problem:
        return known, problem
    line = address.line if address.unit else f"{site} UNIT {record['unit']}" if record["unit"] else site
    return _named(known, line, record["town"], "MA", record["zip"])


def query_of_row(file: ListFile, row: int, *, default_state: str) -> tuple[PropertyQuery, str]:
    """The property of a row of a person's file by its own address, and why it cannot be named ("": it can).

    ``row`` counts from 0.
    """
    line = file.cell(row, "address") or f"{file.cell(row, 'number')} {file.cell(row, 'street')}".strip()
    if not line:
        return PropertyQuery(), "the row has no address"
    street, read_city, read_state, read_zip = split_place(line)
    city = file.cell(row, "town") or read_city or ""
    code = zip5(file.cell(row, "zip")) or read_zip
    state = file.cell(row, "state").upper() or read_state or default_state
    if not city and not code:
        street, city = _trailing_town(line, street)
    address = parse_address(street)
    unit = file.cell(row, "unit").lstrip("#").strip()
    if unit and not address.unit:
        address = parse_address(f"{address.line} UNIT {unit}")
    problem = _problem(address)
    if not problem and not city and not code:
        problem = "neither a town nor a ZIP"
    return (PropertyQuery(), problem) if problem else _named(PropertyQuery(), address.line, city, state, code)


def _named(
    known: PropertyQuery, line: str, city: str, state: str, code: str | None
) -> tuple[PropertyQuery, str]:
    place = ", ".join(filter(None, (city, f"{state} {code or ''}".strip())))
    return replace(known, address1=line, address2=place), ""


def _problem(address: Address) -> str:
    if address.kind == "pobox":
        return "a P.O. box is no property"
    if address.kind != "street":
        return "no street could be read in it"
    return "" if address.num is not None else "no house number"


def _trailing_town(line: str, street: str) -> tuple[str, str]:
    """``12 Main St Bellingham``: the street, and the town that ends it ("": none)."""
    try:
        reading = read_address(line)[0]
    except (UsageError, NotLocatedError):
        return street, ""
    return (reading.address.raw, reading.town.name) if reading.town else (street, "")
