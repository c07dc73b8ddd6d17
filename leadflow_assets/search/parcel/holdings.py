"""What else an owner holds: same name and same mailing address; the rest is said, never claimed.

Grouping stays inside a shared mailing address: two owners of one name are two people until an address
says otherwise. Addresses of care-of agents and managers make false groups, so one that many owners use
is only counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

Row = dict[str, Any]
Key = tuple[str | None, str | None]
# From so many distinct owners on, an address says nothing about who belongs together.
HUB_OWNERS = 25
# A city or the Commonwealth holds thousands; the totals count them all.
_MOST_LISTED = 500
_AT_ADDRESS = """
SELECT property_id, town, loc_id, site_address, use_description, owner_name, owner_type, owner_key,
    mailing_key, total_value, last_sale_date
FROM properties
WHERE mailing_key IN (SELECT unnest($mailing_keys)) AND NOT is_condominium_master
ORDER BY property_id
"""
_BY_NAME = """
SELECT owner_key, count(*) FROM properties
WHERE owner_key IN (SELECT unnest($owner_keys)) AND NOT is_condominium_master
GROUP BY owner_key
"""


@dataclass(frozen=True)
class Holding:
    """Another property that may belong to an owner of this parcel."""

    property_id: str
    town: str
    loc_id: str | None
    site_address: str | None
    use_description: str | None
    owner_name: str | None
    owner_type: str
    total_value: int | None
    last_sale_date: date | None


@dataclass(frozen=True)
class OwnerHoldings:
    """What else an owner of this parcel holds in the towns of the lake.

    ``same_owner``: same name and same mailing address. ``same_address``: other names at that address,
    listed only where fewer than 25 owners use it. The totals count all, the tuples hold the first of
    them. ``same_name_elsewhere`` counts properties under the same name at other addresses.
    """

    owner_name: str | None
    properties_here: tuple[str, ...]
    same_owner: tuple[Holding, ...]
    same_owner_total: int
    same_owner_value: int
    same_address: tuple[Holding, ...]
    same_address_total: int
    owners_at_address: int
    address_is_hub: bool
    same_name_elsewhere: int
    remark: str


def holdings_of(
    connection: duckdb.DuckDBPyConnection, records: Sequence[Mapping[str, Any]]
) -> tuple[OwnerHoldings, ...]:
    """Holdings of every owner of ``records`` (rows of mart/properties on one parcel), in their order.

    ``connection`` has the relation ``properties`` (see ``Searcher``): all towns of the lake.
    """
    owners: dict[Key, list[Mapping[str, Any]]] = defaultdict(list)
    for record in records:
        if not record["is_condominium_master"]:
            owners[record["owner_key"], record["mailing_key"]].append(record)
    at_address: dict[str, list[Row]] = defaultdict(list)
    for row in _rows(connection, _AT_ADDRESS, mailing_keys=_known(key[1] for key in owners)):
        at_address[row["mailing_key"]].append(row)
    by_name = dict(connection.execute(_BY_NAME, {"owner_keys": _known(key[0] for key in owners)}).fetchall())
    here = {record["property_id"] for record in records}
    return tuple(_holdings(key, own, here, at_address, by_name) for key, own in owners.items())


def _known(keys: Any) -> list[str]:
    return sorted({key for key in keys if key})


def _rows(connection: duckdb.DuckDBPyConnection, sql: str, **values: Any) -> list[Row]:
    found = connection.execute(sql, values)
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _holdings(
    key: Key,
    own: Sequence[Mapping[str, Any]],
    here: set[str],
    at_address: Mapping[str, Sequence[Row]],
    by_name: Mapping[str, int],
) -> OwnerHoldings:
    owner, mailing = key
    there = at_address.get(mailing, ()) if mailing else ()
    same = [row for row in there if owner and row["owner_key"] == owner]
    elsewhere = [row for row in same if row["property_id"] not in here]
    others = [row for row in there if row["owner_key"] != owner and row["property_id"] not in here]
    owners_there = len({row["owner_key"] for row in there if row["owner_key"]})
    hub = owners_there >= HUB_OWNERS
    return OwnerHoldings(
        owner_name=own[0]["owner_name"],
        properties_here=tuple(str(record["property_id"]) for record in own),
        same_owner=tuple(_holding(row) for row in elsewhere[:_MOST_LISTED]),
        same_owner_total=len(elsewhere),
        same_owner_value=sum(row["total_value"] or 0 for row in elsewhere),
        same_address=() if hub else tuple(_holding(row) for row in others[:_MOST_LISTED]),
        same_address_total=len(others),
        owners_at_address=owners_there,
        address_is_hub=hub,
        same_name_elsewhere=max(0, by_name.get(owner, 0) - len(same)) if owner else 0,
        remark=_remark(owner, mailing, owners_there),
    )


def _holding(row: Row) -> Holding:
    kept = {name: cell for name, cell in row.items() if name not in ("owner_key", "mailing_key")}
    return Holding(**kept)


def _remark(owner: str | None, mailing: str | None, owners_there: int) -> str:
    if not owner:
        return "no owner is named, so nothing can be grouped"
    if not mailing:
        return "no mailing address that could be read, so nothing can be grouped"
    if owners_there >= HUB_OWNERS:
        return (
            f"{owners_there} owners use this mailing address (an agent, manager or office): "
            "the others are not listed"
        )
    return ""
