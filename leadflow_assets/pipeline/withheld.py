"""Owners who asked to be left out: their names and mailing addresses are withheld from a town's tables.

Who that is stands in salted hashes (``domain.purging``): a name at a property or at an address. A property
that is sold shows its new owner. The public package stays as it was published; from it these tables are made
anew without the owner each time.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadflow_assets.domain.occupancy import UNCERTAIN
from leadflow_assets.domain.purging import (
    PLACE,
    WITHHELD,
    WITHHELD_RULE,
    Purged,
    address_place,
    property_place,
)

# Columns of core/assessments and of quarantined rows that tell who the owner is and where the bill goes.
ASSESSMENT_COLUMNS: Final = ("owner1", "own_addr", "own_city", "own_state", "own_zip", "own_co")
_ASSESS: Final = "Assess"
_MAILING: Final = tuple(f"mailing_{part}" for part in ("address", "city", "state", "zip", "country", "key"))
_NULLED: Final = ("owners", "owner_key", "owner_words", "owner_care_of", *_MAILING)
_SET: Final[dict[str, Any]] = {
    "owner_name": WITHHELD,
    "owner_type": "unknown",
    "owner_type_rule": WITHHELD_RULE,
    "owner_count": 0,
    "owner_tax_title": False,
    "owner_life_estate": False,
    "owner_is_trustee": False,
    "co_owner_missing": False,
    "mailing_is_site": False,
    "occupancy": UNCERTAIN,
    "occupancy_reason": "withheld",
}


def withheld_properties(purged: Purged, rows: pa.Table) -> pa.Array:
    """Which rows of mart/properties name an owner who is withheld there."""
    names = ("property_id", "address_key", "mailing_key", "owner_name", "owner_care_of")
    read = [_cells(rows, name) for name in names]
    found = [
        name is not None
        and name != WITHHELD
        and _is_withheld(purged, f"{name} ; {care_of or ''}", property_id, (site, mailing))
        for property_id, site, mailing, name, care_of in zip(*read, strict=True)
    ]
    return pa.array(found, pa.bool_())


def withheld_assessments(purged: Purged, rows: pa.Table, known: Collection[str] = ()) -> pa.Array:
    """Which rows of core/assessments are of such owners; ``known`` are ids of records found to be."""
    names = ("town_id", "prop_id", "cama_id", "assessment_id", "owner1")
    read = [_cells(rows, name) for name in names]
    found = []
    for town_id, prop_id, cama_id, assessment_id, owner in zip(*read, strict=True):
        here = owner is not None and assessment_id in known
        for property_id in (
            () if here or owner is None else property_ids(town_id, prop_id, cama_id, assessment_id)
        ):
            here = here or _is_withheld(purged, owner, property_id, ())
        found.append(here)
    return pa.array(found, pa.bool_())


def property_ids(town_id: int, prop_id: str | None, cama_id: str | None, assessment_id: str) -> list[str]:
    """The ids in mart/properties that a record may have: see properties.sql."""
    if prop_id is None:
        return [assessment_id]
    plain = f"{town_id:03d}-{prop_id}"
    return [plain, f"{plain}~{cama_id or '0'}"]


def _cells(rows: pa.Table, name: str) -> list[Any]:
    """A column's values; files of earlier versions may lack it."""
    return rows[name].to_pylist() if name in rows.column_names else [None] * rows.num_rows


def _is_withheld(purged: Purged, owner: str, property_id: str, keys: tuple[str | None, ...]) -> bool:
    places = [property_place(property_id), *(address_place(key) for key in keys if key)]
    return purged.mentions(owner, places)


def without_property_owners(rows: pa.Table, mask: pa.Array) -> pa.Table:
    """Rows of mart/properties with the owner withheld where ``mask`` says so."""
    values = {**dict.fromkeys(_NULLED), **_SET}
    return _replaced(rows, mask, {name: value for name, value in values.items() if name in rows.column_names})


def without_assessment_owners(rows: pa.Table, mask: pa.Array) -> pa.Table:
    """The same for rows of core/assessments and core/assessment_releases."""
    return _replaced(rows, mask, {name: None for name in ASSESSMENT_COLUMNS if name in rows.column_names})


def without_quarantined_owners(purged: Purged, rows: pa.Table) -> pa.Table | None:
    """Quarantined rows of Assess with such owners withheld; None where there are none."""
    if not purged.of_kind(PLACE):
        return None
    texts = rows["raw_values"].to_pylist()
    changed = False
    for number, (town_id, member, text) in enumerate(
        zip(rows["town_id"].to_pylist(), rows["member"].to_pylist(), texts, strict=True)
    ):
        if member != _ASSESS:
            continue
        values = json.loads(text)
        owner, prop_id = values.get("OWNER1"), values.get("PROP_ID")
        if not owner or not prop_id:
            continue
        ids = property_ids(town_id, str(prop_id), values.get("CAMA_ID"), "")
        if any(_is_withheld(purged, str(owner), one, ()) for one in ids):
            withheld = {name: None for name in values if name.lower() in ASSESSMENT_COLUMNS}
            texts[number] = json.dumps({**values, **withheld}, default=str)
            changed = True
    if not changed:
        return None
    at = rows.schema.get_field_index("raw_values")
    return rows.set_column(at, rows.schema.field(at), pa.array(texts, pa.string()))


def _replaced(rows: pa.Table, mask: pa.Array, values: dict[str, Any]) -> pa.Table:
    at = pa.chunked_array([mask])
    for name, value in values.items():
        field = rows.schema.field(name)
        if pa.types.is_nested(field.type):
            # No kernel chooses between nested values row by row.
            kept = rows[name].combine_chunks()
            places = np.arange(len(kept))
            order = pa.array(places, mask=mask.to_numpy(zero_copy_only=False))
            column = kept.take(order)
        else:
            column = pc.if_else(at, pa.scalar(value, field.type), rows[name])
        rows = rows.set_column(rows.schema.get_field_index(name), field, column)
    return rows
