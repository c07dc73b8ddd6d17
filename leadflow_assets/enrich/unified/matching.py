"""Which property of ours each ATTOM id is: by our id, its address, its parcel number, or a person's word.

All records of one ATTOM id are judged together. A delivered file of loans or values names no address at all;
it is matched through what the assessor's file, or an answer, says of the same id. The order:

1. A person's decision outranks everything (``confirmed``, ``rejected``).
2. The id of ours that ATTOM was asked with, unless the answer contradicts it: another number, street, unit or
   town goes to review, never silently in.
3. The address, town by town, with its unit: a unit is matched by its unit's record only, and a building
   without a unit is not one of several units. A range of numbers and a number in it are one address where
   nothing else is there. Of several, the parcel number may say which.
4. The parcel number as letters and digits: PROP_ID, LOC_ID or MAP_PAR_ID of the town.
5. A near miss (the street's type, a letter behind the number, a town that shares the ZIP) waits for a person.

The town is the taxing jurisdiction, else the site's city (a village counts where the towns here use its
name), else the ZIP's towns; never the county. One property has one ATTOM id: of several the best founded
stays, and equally good ones all wait. What stands in ``matching.sql`` works on whole tables.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from functools import cache
from importlib import resources
from typing import Any, Final, Literal

import duckdb
import pyarrow as pa

from leadflow_assets.domain.addresses import parse_address
from leadflow_assets.enrich.unified.gazetteer import Gazetteer
from leadflow_assets.lake.schemas.property_records import MATCH_REASONS

Status = Literal["matched", "review", "unmatched"]
_ADDRESS: Final = "address_key"
# reason -> status, method, how well founded (1 is best). The order of reasons in a review is their weight.
_REASONS: Final[Mapping[str, tuple[Status, str | None, int]]] = {
    "confirmed": ("matched", "person", 1),
    "property_id": ("matched", "property_id", 2),
    "same_address": ("matched", _ADDRESS, 3),
    "address_and_parcel_number": ("matched", _ADDRESS, 3),
    "only_unit_at_address": ("matched", _ADDRESS, 4),
    "number_in_range": ("matched", _ADDRESS, 5),
    "parcel_number": ("matched", "parcel_number", 6),
    "other_town": ("review", None, 0),
    "other_street": ("review", None, 0),
    "other_number": ("review", None, 0),
    "other_unit": ("review", None, 0),
    "parcel_number_differs": ("review", None, 0),
    "address_differs": ("review", None, 0),
    "sources_disagree": ("review", None, 0),
    "several_properties": ("review", None, 0),
    "unit_not_found": ("review", None, 0),
    "similar_address": ("review", None, 0),
    "other_town_by_zip": ("review", None, 0),
    "property_taken": ("review", None, 0),
    "decision_outdated": ("review", None, 0),
    "no_such_address": ("unmatched", None, 0),
    "rejected": ("unmatched", "person", 0),
}
assert set(_REASONS) == set(MATCH_REASONS)
# Contradictions: whatever else was found, a person must look.
_BLOCKING: Final = frozenset(
    {"other_town", "other_street", "other_number", "other_unit", "parcel_number_differs", "address_differs"}
)
_EVIDENCE = """
CREATE OR REPLACE TEMP TABLE all_evidence AS
WITH told AS (
    SELECT DISTINCT attom_id, property_id AS asked_for, site_address, site_unit, site_city, site_state,
        site_zip, municipality, apn, fips
    FROM attom
    WHERE coalesce(property_id, site_address, site_city, site_zip, municipality, apn) IS NOT NULL
)
SELECT row_number() OVER () AS evidence_id, *
FROM (
    FROM told UNION ALL BY NAME
    -- Files of loans and values say nothing of the place: one line for an id of which nothing else does.
    SELECT DISTINCT attom_id FROM attom ANTI JOIN told USING (attom_id)
)
"""
_PLACE_COLUMNS = ("municipality", "site_city", "site_zip", "site_state", "fips")


# ATTOM ids that may stand in one of some towns, now or as published.
_CONCERNED = """
CREATE OR REPLACE TEMP TABLE evidence AS
WITH wanted AS (SELECT unnest($towns::INTEGER[]) AS town_id),
theirs AS (SELECT property_id FROM properties SEMI JOIN wanted USING (town_id)),
concerned AS (
    SELECT attom_id FROM evidence_places WHERE list_has_any(towns || other_towns, $towns::INTEGER[])
    UNION SELECT attom_id FROM all_evidence WHERE asked_for IN (FROM theirs)
    UNION SELECT attom_id FROM decided WHERE property_id IN (FROM theirs)
    UNION SELECT attom_id FROM published SEMI JOIN wanted USING (town_id)
)
FROM all_evidence SEMI JOIN concerned USING (attom_id)
"""


def read_evidence(connection: duckdb.DuckDBPyConnection, decided: Mapping[int, str | None]) -> None:
    """Gather in which ways each ATTOM id names its property; the first half of matching.

    The connection must have ``attom`` (columns of core/attom_properties, any number of batches),
    ``properties`` (of mart/properties) and ``parcels`` (town_id, loc_id, map_par_id). ``decided`` is what
    people said: ATTOM id -> property id, None for "none of ours".
    """
    connection.execute(_EVIDENCE)
    _register(connection, "decided", _decisions(decided))
    _register(connection, "reasons", _reasons())
    _register(connection, "places", _places(connection))
    same = " AND ".join(f"p.{name} IS NOT DISTINCT FROM e.{name}" for name in _PLACE_COLUMNS)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE evidence_places AS SELECT e.evidence_id, e.attom_id, p.towns, "
        f"p.other_towns, p.is_sure, p.is_elsewhere FROM all_evidence AS e JOIN places AS p ON {same}"
    )


def towns_touched(connection: duckdb.DuckDBPyConnection, batch_ids: Collection[str]) -> set[int]:
    """Towns in which ATTOM ids of these batches may stand, or stand as published (``published``)."""
    rows = connection.execute(
        "WITH theirs AS ("
        "SELECT DISTINCT attom_id FROM attom WHERE batch_id IN (SELECT unnest(?::VARCHAR[]))), "
        "hints AS (SELECT asked_for AS property_id FROM all_evidence SEMI JOIN theirs USING (attom_id) "
        "UNION SELECT property_id FROM decided SEMI JOIN theirs USING (attom_id)) "
        "SELECT unnest(towns || other_towns) FROM evidence_places SEMI JOIN theirs USING (attom_id) "
        "UNION SELECT town_id FROM published SEMI JOIN theirs USING (attom_id) "
        "UNION SELECT town_id FROM properties SEMI JOIN hints USING (property_id)",
        [list(batch_ids)],
    ).fetchall()
    return {town for (town,) in rows}


def match_ids(connection: duckdb.DuckDBPyConnection, towns: Collection[int] | None = None) -> None:
    """Make the temporary table ``matches``: one row per ATTOM id. Needs :func:`read_evidence`.

    Its columns: attom_id, town_id, property_id, match_status, match_method, match_reason, candidates and
    is_elsewhere (it lies in another state). Without a town nothing is known here of where it lies: then all
    but the last are null. ``towns`` limits it to the ids that may concern these towns (or did, as
    ``published``): what is said of these towns is then complete, of others not.
    """
    if towns is None:
        connection.execute("CREATE OR REPLACE TEMP TABLE evidence AS FROM all_evidence")
    else:
        connection.execute(_CONCERNED, {"towns": list(towns)})
    _register(connection, "addresses", _addresses(connection))
    _register(connection, "street_codes", street_codes(connection, _TOWNS_ASKED))
    connection.execute(_sql())


@cache
def _sql() -> str:
    return resources.files(__package__).joinpath("matching.sql").read_text(encoding="utf-8")


def _register(connection: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    """As a table of DuckDB's own: joins over Arrow would go through it again for each."""
    connection.register("__rows", rows)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM __rows")
    connection.unregister("__rows")


def _decisions(decided: Mapping[int, str | None]) -> pa.Table:
    kinds = pa.schema([("attom_id", pa.int64()), ("property_id", pa.string())])
    return pa.table([list(decided), list(decided.values())], schema=kinds)


def _reasons() -> pa.Table:
    return pa.Table.from_pylist(
        [
            {
                "reason": reason,
                "rank": rank,
                "status": status,
                "method": method,
                "strength": strength,
                "blocks": reason in _BLOCKING,
            }
            for rank, (reason, (status, method, strength)) in enumerate(_REASONS.items())
        ]
    )


_ADDRESS_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("site_address", "site_unit", "head", "base", "street", "letters")),
        *((name, pa.int32()) for name in ("low", "high")),
        *((name, pa.string()) for name in ("rear", "off", "predir", "name", "suffix", "postdir", "unit")),
        ("is_place", pa.bool_()),
    ]
)


def _addresses(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Every distinct site address of the evidence, read once."""
    texts = connection.execute("SELECT DISTINCT site_address, site_unit FROM evidence").fetchall()
    rows = [(text, unit, *_read(text, unit)) for text, unit in texts]
    columns: Any = list(zip(*rows, strict=True)) if rows else [[] for _ in _ADDRESS_SCHEMA]
    arrays = [pa.array(values, field.type) for values, field in zip(columns, _ADDRESS_SCHEMA, strict=True)]
    return pa.table(arrays, schema=_ADDRESS_SCHEMA)


_UNREADABLE = (None, None, None, "", None, None, "", "", "", "", "", "", "", False)


def _read(text: str | None, unit: str | None) -> tuple[Any, ...]:
    """The parts of an address as ``matching.sql`` compares them, in the order of the schema."""
    address = parse_address(text)
    if text and unit and not address.unit:
        named = unit if not unit.replace("-", "").isalnum() else f"UNIT {unit}"
        address = parse_address(f"{text} {named}")
    if address.kind != "street":
        return _UNREADABLE
    number, high, rear, off, lot, predir, name, suffix, postdir, unit_key = address.key.split("|")
    numbers = address.numbers() or (None, None)
    head = "|".join((number, high, rear, off, lot, predir))
    return (
        head,
        "|".join((head, name, suffix, postdir)),
        "|".join((rear, off, predir, name, suffix, postdir)),
        address.num_suffix,
        *numbers,
        rear,
        off,
        predir,
        name,
        suffix,
        postdir,
        unit_key,
        # A street alone, without number or lot, is no address of one property.
        address.num is not None or bool(lot),
    )


_STREETS = """
SELECT DISTINCT town_id, street, string_split(address_key, '|')[8], string_split(address_key, '|')[9]
FROM properties
WHERE street IS NOT NULL AND len(string_split(address_key, '|')) = 11
    AND town_id IN ({towns})
"""
_TOWNS_ASKED = "SELECT unnest(towns) FROM evidence_places SEMI JOIN evidence USING (evidence_id)"
_CODE_COLUMNS = ("town_id", "name", "suffix", "our_name", "our_suffix")


def street_codes(connection: duckdb.DuckDBPyConnection, towns: str) -> pa.Table:
    """Streets that a town writes with a code of its own (OAK CR), as anybody reads them and as it means them.

    ``towns`` is a query for the ids of the towns in question. What a code means was learned when the town's
    mart/properties was made; here it is only looked up in the view ``properties``. Columns: town_id, name and
    suffix as read, our_name and our_suffix as meant.
    """
    meant: dict[tuple[int, str, str], set[tuple[str, str]]] = defaultdict(set)
    real = set()
    for town_id, text, name, suffix in connection.execute(_STREETS.format(towns=towns)).fetchall():
        real.add((town_id, name, suffix))
        read = parse_address(f"1 {text}")
        if read.kind == "street":
            meant[town_id, read.name, read.suffix].add((name, suffix))
    rows = [
        (*read, *ours)
        for read, found in meant.items()
        for ours in found
        # Not where it could be either, and not where a street is really called that.
        if len(found) == 1 and read not in real
    ]
    columns: Any = list(zip(*rows, strict=True)) if rows else [[] for _ in _CODE_COLUMNS]
    kinds = [pa.int32(), *[pa.string()] * 4]
    arrays = [pa.array(values, kind) for values, kind in zip(columns, kinds, strict=True)]
    return pa.table(arrays, names=list(_CODE_COLUMNS))


_PLACE_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in _PLACE_COLUMNS),
        ("towns", pa.list_(pa.int32())),
        ("other_towns", pa.list_(pa.int32())),
        ("is_sure", pa.bool_()),
        ("is_elsewhere", pa.bool_()),
    ]
)


def _places(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Every distinct place of the evidence, with the towns it may be."""
    known = connection.execute("SELECT DISTINCT town_id, city, zip FROM properties").fetchall()
    gazetteer = Gazetteer(known)
    asked = connection.execute(f"SELECT DISTINCT {', '.join(_PLACE_COLUMNS)} FROM all_evidence").fetchall()
    rows = [dict(zip(_PLACE_COLUMNS, place, strict=True)) | gazetteer.towns_of(*place) for place in asked]
    return pa.Table.from_pylist(rows, schema=_PLACE_SCHEMA)
