"""What ATTOM says of an owner who was purged: out of rows, answers and properties.

The owner of a property is withheld as a whole, co-owner and mailing address too. Sellers, buyers, borrowers
and debtors are withheld where they are the one who was purged.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import pyarrow as pa

from leadflow_assets.domain.addresses import address_key, parse_address, zip5
from leadflow_assets.domain.courts.parties import town_id_of
from leadflow_assets.domain.purging import PLACE, Purged, address_place, attom_place, property_place
from leadflow_assets.domain.towns import SAMPLETON
from leadflow_assets.enrich.purge.documents import stripped
from leadflow_assets.enrich.purge.tables import Cleaned

_ROWS_AT_ONCE: Final = 4096
_OWNERS: Final = ("owner_1", "owner_2", "owner_3", "owner_4")
# The whole group, its source included: a source that may not be quoted says nothing.
_OWNER_GROUP: Final = (
    *_OWNERS,
    *("owner_is_company", "owner_type", "owner_relationship"),
    *("mailing_address", "mailing_city", "mailing_state", "mailing_zip"),
    *("owner_occupied", "owner_source", "owner_source_date", "owner_fetched_at"),
    "owner_key",
)
_TEXTS: Final = ("last_seller", "last_buyer", "legal_description")
_LISTS: Final[Mapping[str, tuple[str, ...]]] = {
    "sale_history": ("seller", "buyer"),
    "foreclosure_records": ("borrower",),
    "lien_records": ("debtor",),
}


def clean_properties(purged: Purged, rows: pa.Table) -> Cleaned | None:
    """Rows of core/attom_properties and of mart/property_records."""
    return _in_parts(purged, rows, _clean_some_properties)


def _in_parts(
    purged: Purged, rows: pa.Table, clean: Callable[[Purged, pa.Table], Cleaned | None]
) -> Cleaned | None:
    """Some rows at a time: of a whole county's file only a few are ever Python objects at once."""
    if not purged.of_kind(PLACE):
        return None
    parts, changed = [], 0
    for start in range(0, rows.num_rows, _ROWS_AT_ONCE):
        part = rows.slice(start, _ROWS_AT_ONCE)
        found = clean(purged, part)
        parts.append(part if found is None else found.rows)
        changed += 0 if found is None else found.changed
    return Cleaned(pa.concat_tables(parts), 0, changed) if changed else None


def _clean_some_properties(purged: Purged, rows: pa.Table) -> Cleaned | None:
    wanted = [n for n in ("attom_id", "property_id", *_ADDRESS) if n in rows.column_names]
    changes: dict[int, dict[str, Any]] = {}
    for number, row in enumerate(rows.select(wanted).to_pylist()):
        places = purged.places(places_of(row))
        if places:
            change = _change(purged, places, rows.slice(number, 1).to_pylist()[0])
            if change:
                changes[number] = change
    if not changes:
        return None
    for name in sorted({name for change in changes.values() for name in change}):
        values = rows[name].to_pylist()
        for number, change in changes.items():
            if name in change:
                values[number] = change[name]
        at = rows.schema.get_field_index(name)
        rows = rows.set_column(at, rows.schema.field(at), pa.array(values, rows.schema.field(at).type))
    return Cleaned(rows, 0, len(changes))


_ADDRESS: Final = ("site_address", "site_unit", "site_city", "municipality", "site_zip")


def places_of(row: Mapping[str, Any]) -> list[str]:
    """The places that a property of ATTOM is: its id, ours, its address in its town and in its ZIP."""
    places = [attom_place(row["attom_id"])] if row.get("attom_id") is not None else []
    if row.get("property_id"):
        places.append(property_place(row["property_id"]))
    return [*places, *_address_places(*(row.get(name) for name in _ADDRESS))]


def _address_places(
    line: str | None, unit: str | None, city: str | None, municipality: str | None, zip_code: str | None
) -> list[str]:
    address = parse_address(" ".join(part for part in (line, unit) if part) or None)
    towns = (_town_id(municipality), _town_id(city), zip5(zip_code))
    keys = {address_key(address, place) for place in towns if place}
    return [address_place(key) for key in sorted(key for key in keys if key)]


def _town_id(name: str | None) -> int | None:
    if name and name.upper() == SAMPLETON.name.upper():
        return SAMPLETON.town_id
    return town_id_of(name)


def _change(purged: Purged, places: Iterable[str], row: Mapping[str, Any]) -> dict[str, Any]:
    places = tuple(places)
    change: dict[str, Any] = {}
    owned = any(purged.mentions(row.get(name), places) for name in (*_OWNERS, "owner_key"))
    if owned:
        change |= {name: None for name in _OWNER_GROUP if row.get(name) is not None}
        change |= {"other_columns": None} if row.get("other_columns") else {}
    for name in _TEXTS:
        if row.get(name) and purged.mentions(row[name], places):
            change[name] = purged.without_people(row[name], places) or None
    for name, parts in _LISTS.items():
        items = row.get(name) or ()
        clean = [_without(purged, places, item, parts) for item in items]
        if clean != list(items):
            change[name] = clean
    return change


def _without(
    purged: Purged, places: Iterable[str], item: Mapping[str, Any], parts: Iterable[str]
) -> dict[str, Any]:
    names = {part: purged.without_people(item[part], places) or None for part in parts if item.get(part)}
    return {**item, **names}


def clean_results(purged: Purged, rows: pa.Table) -> Cleaned | None:
    """Rows of raw/attom_results: the answers as sent, without the owner."""
    return _in_parts(purged, rows, _clean_some_results)


def _clean_some_results(purged: Purged, rows: pa.Table) -> Cleaned | None:
    bodies = rows["body"].to_pylist()
    ids, ours = rows["attom_id"].to_pylist(), rows["property_id"].to_pylist()
    changed = 0
    for number, body in enumerate(bodies):
        if body:
            clean = clean_body(purged, body, {"attom_id": ids[number], "property_id": ours[number]})
            if clean != body:
                bodies[number], changed = clean, changed + 1
    if not changed:
        return None
    at = rows.schema.get_field_index("body")
    return Cleaned(rows.set_column(at, rows.schema.field(at), pa.array(bodies, pa.string())), 0, changed)


def clean_body(purged: Purged, body: str, about: Mapping[str, Any]) -> str:
    """An answer as sent, or a row of a file as JSON, without owners who were purged."""
    try:
        document = json.loads(body)
    except ValueError:
        # A row of a delivered file that could not be read.
        return purged.without_people(body, places_of(about))
    places = purged.places([*places_of(about), *_places_within(document)])
    if not places:
        return body
    after = stripped(document, lambda text: purged.without_people(text, places))
    return body if after == document else json.dumps(after, ensure_ascii=False, separators=(",", ":"))


def _places_within(document: Any) -> set[str]:
    """The places that an answer itself names: ATTOM ids and addresses, wherever they stand."""
    if isinstance(document, list):
        return set().union(*(_places_within(item) for item in document)) if document else set()
    if not isinstance(document, dict):
        return set()
    found: set[str] = set()
    plain = {_plain(key): value for key, value in document.items()}
    for name in ("attomid", "obpropid"):
        value = plain.get(name)
        if isinstance(value, int | str) and str(value).isdigit():
            found.add(attom_place(int(value)))
    line = plain.get("line1") or plain.get("propertyaddressfull")
    if isinstance(line, str):
        city = plain.get("locality") or plain.get("propertyaddresscity")
        zip_code = plain.get("postal1") or plain.get("propertyaddresszip")
        town = plain.get("propertyjurisdictionname")
        found |= set(_address_places(line, None, _text(city), _text(town), _text(zip_code)))
    for value in document.values():
        found |= _places_within(value)
    return found


def _plain(key: str) -> str:
    return "".join(sign for sign in key.lower() if sign.isalnum())


def _text(value: Any) -> str | None:
    return str(value) if isinstance(value, str | int) else None
