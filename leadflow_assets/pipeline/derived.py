"""What the assessor's texts say: the address, the owners, where the bill goes, and who lives there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from leadflow_assets.domain.addresses import (
    Address,
    address_key,
    learn_suffix_overrides,
    parse_address,
    parse_mailing,
    zip5,
)
from leadflow_assets.domain.occupancy import Occupancy, classify
from leadflow_assets.domain.owners import Owner, OwnerField, learn_owner_field, parse_owner, search_words
from leadflow_assets.lake.columns import PARTIES_TYPE
from leadflow_assets.lake.tables import PROPERTIES

_READ = (
    "assessment_id",
    "site_addr",
    "addr_num",
    "full_str",
    "location",
    "city",
    "zip",
    "owner1",
    "own_addr",
    "own_city",
    "own_state",
    "own_zip",
    "own_co",
)
DERIVED = (
    "address_kind",
    "house_number",
    "house_number_high",
    "street_normalized",
    "unit",
    "address_key",
    "owner_type",
    "owner_type_rule",
    "owners",
    "owner_count",
    "owner_key",
    "owner_words",
    "owner_care_of",
    "owner_tax_title",
    "owner_life_estate",
    "owner_is_trustee",
    "co_owner_missing",
    "mailing_key",
    "occupancy",
    "occupancy_reason",
)
_SCHEMA = pa.schema(
    [
        pa.field("assessment_id", pa.string()),
        *(PROPERTIES.schema.field(n).with_nullable(True) for n in DERIVED),
    ]
)


def derive(town_id: int, town: str, assessments: pa.Table) -> pa.Table:
    """Read each record's texts; one row per record with ``assessment_id`` and the columns of DERIVED.

    How this town abbreviates its streets, cuts its owners' names and orders them is learned from the
    whole column first.
    """
    records = assessments.select(list(_READ)).to_pylist()
    reader = _Reader(town_id, town, records)
    rows = [reader.row(record) for record in records]
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


class _Reader:
    """Reads the records of one town; equal texts are parsed once."""

    def __init__(self, town_id: int, town: str, records: list[dict[str, Any]]) -> None:
        self.town_id = town_id
        self.town = town
        self.overrides = learn_suffix_overrides(
            (r["site_addr"], r["full_str"], r["own_addr"]) for r in records
        )
        self.field: OwnerField = learn_owner_field(r["owner1"] for r in records)
        self._sites: dict[tuple[str | None, str | None], Address] = {}
        self._mailings: dict[str | None, Address] = {}
        self._owners: dict[str | None, dict[str, Any]] = {}

    def row(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """The derived columns of one record."""
        site = self._site(record)
        mailing = self._mailing(record, site)
        occupancy = self._occupancy(record, site, mailing)
        numbers = site.numbers() or (None, None)
        return {
            "assessment_id": record["assessment_id"],
            "address_kind": site.kind,
            "house_number": numbers[0],
            "house_number_high": numbers[1],
            "street_normalized": site.street or None,
            "unit": site.unit or None,
            "address_key": address_key(site, self.town_id),
            "mailing_key": address_key(mailing, _place(record, self.town)),
            "occupancy": occupancy.state,
            "occupancy_reason": occupancy.reason,
            **self._owner(record["owner1"]),
        }

    def _site(self, record: Mapping[str, Any]) -> Address:
        """SITE_ADDR; else the parts it is made of; LOCATION where a unit stands nowhere else."""
        text = record["site_addr"] or " ".join(filter(None, (record["addr_num"], record["full_str"]))) or None
        asked = (text, record["location"])
        if asked not in self._sites:
            address = parse_address(text, self.overrides)
            if text and record["location"] and not address.unit:
                with_unit = parse_address(f"{text} {record['location']}", self.overrides)
                # LOCATION holds anything; only what is read as a unit of the same street is one.
                if with_unit.unit and with_unit.street == address.street and with_unit.num == address.num:
                    address = with_unit
            self._sites[asked] = address
        return self._sites[asked]

    def _mailing(self, record: Mapping[str, Any], site: Address) -> Address:
        line = record["own_addr"]
        if line is None:
            return site  # the standard: blank means the same as the site
        if line not in self._mailings:
            self._mailings[line] = parse_mailing(line, None, self.overrides)
        return self._mailings[line]

    def _occupancy(self, record: Mapping[str, Any], site: Address, mailing: Address) -> Occupancy:
        return classify(
            site,
            mailing,
            site_city=record["city"],
            site_zip=record["zip"],
            town=self.town,
            mailing_city=record["own_city"],
            mailing_state=record["own_state"],
            mailing_zip=record["own_zip"],
            mailing_country=record["own_co"],
            mailing_given=record["own_addr"] is not None,
        )

    def _owner(self, text: str | None) -> dict[str, Any]:
        if text not in self._owners:
            self._owners[text] = _owner_columns(parse_owner(text, None, self.field))
        return self._owners[text]


def _place(record: Mapping[str, Any], town: str) -> str:
    """What tells equal streets of different places apart: the mailing ZIP, else the city."""
    if record["own_addr"] is None:
        return zip5(record["zip"]) or town.upper()
    return zip5(record["own_zip"]) or (record["own_city"] or town).upper()


def _owner_columns(owner: Owner) -> dict[str, Any]:
    keys = tuple(field.name for field in PARTIES_TYPE.value_type)
    return {
        "owner_type": owner.type,
        "owner_type_rule": owner.type_rule,
        "owners": [{key: getattr(party, key) for key in keys} for party in owner.parties] or None,
        "owner_count": _count(party.role for party in owner.parties),
        "owner_key": owner.key or None,
        "owner_words": search_words(owner.raw) or None,
        "owner_care_of": owner.care_of or None,
        "owner_tax_title": owner.tax_title,
        "owner_life_estate": owner.life_estate,
        "owner_is_trustee": owner.trustee,
        "co_owner_missing": owner.co_owner_missing,
    }


def _count(roles: Iterable[str]) -> int:
    return sum(role != "care_of" for role in roles)
