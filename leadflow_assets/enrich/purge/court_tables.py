"""Rows of the tables of court cases without purged cases and people."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Final

import pyarrow as pa

from leadflow_assets.domain.courts.rows import RawDocket
from leadflow_assets.domain.purging import (
    Key,
    Purged,
    address_place,
    case_place,
    docket_place,
    property_place,
)
from leadflow_assets.enrich.court_rows import from_rows, to_rows
from leadflow_assets.enrich.purge.dockets import clean_dockets
from leadflow_assets.enrich.purge.tables import Cleaned
from leadflow_assets.lake.tables import CASE_MATCHES, COURT_CASES, COURT_PARTIES

_CASE_TEXTS: Final = ("case_name", "trustee", "lien_holder", "url", "cause", "stated_source")
_PARTY_TEXTS: Final = ("name", "care_of", "address")
_MATCH_TEXTS: Final = ("case_name", "url", "stated_source")


def clean_raw(purged: Purged, rows: pa.Table) -> tuple[Cleaned | None, frozenset[Key]]:
    """Rows of raw/court_dockets; with them the hashes that were learned."""
    records = from_rows(rows, RawDocket)
    clean = clean_dockets(purged, records, only_under_way=True)
    if not clean.removed and not clean.changed:
        return None, clean.learned
    made = to_rows(clean.rows, RawDocket).cast(rows.schema)
    return Cleaned(made, clean.removed, clean.changed), clean.learned


def clean_cases(purged: Purged, rows: pa.Table) -> Cleaned | None:
    """Rows of core/court_cases."""
    return _clean(purged, rows, COURT_CASES.schema.names, _CASE_TEXTS, lambda row, places: False)


def clean_parties(purged: Purged, rows: pa.Table) -> Cleaned | None:
    """Rows of core/court_parties: a purged party's row goes."""

    def goes(row: dict[str, Any], places: list[str]) -> bool:
        addresses = [address_place(row[n]) for n in ("address_key", "mailing_key") if row.get(n)]
        is_known = purged.has_party(row["case_id"], row["party_id"])
        return is_known or purged.mentions(row["name"], [*places, *addresses])

    return _clean(purged, rows, COURT_PARTIES.schema.names, _PARTY_TEXTS, goes)


def clean_matches(purged: Purged, rows: pa.Table) -> Cleaned | None:
    """Rows of mart/case_matches: those of a purged party, and those that tell the name of a withheld
    owner.
    """

    def goes(row: dict[str, Any], places: list[str]) -> bool:
        if purged.has_party(row["case_id"], row["party_id"]):
            return True
        everywhere = [*places, property_place(row["property_id"])]
        if not purged.places(everywhere):
            return False
        evidence = row.get("evidence") or ()
        texts = [row["party_name"], *(term[side] for term in evidence for side in ("ours", "theirs"))]
        # Evidence tells first and last names apart from each other: they are read together too.
        texts += [" ".join(str(term[side] or "") for term in evidence) for side in ("ours", "theirs")]
        return any(purged.mentions(text, everywhere) for text in texts)

    return _clean(purged, rows, CASE_MATCHES.schema.names, _MATCH_TEXTS, goes)


def _clean(
    purged: Purged,
    rows: pa.Table,
    names: Iterable[str],
    texts: Iterable[str],
    goes: Callable[[dict[str, Any], list[str]], bool],
) -> Cleaned | None:
    """Leave out rows of purged cases and those that ``goes`` names; take names out of the texts of others."""
    present = [name for name in names if name in rows.column_names]
    read = rows.select(present).to_pylist()
    kept: list[int] = []
    changes: dict[str, dict[int, str | None]] = {}
    has_case, has_docket = cache(purged.has_case), cache(purged.has_docket)
    for number, row in enumerate(read):
        if has_case(row["case_id"]) or has_docket(row["court"], row["docket_id"]):
            continue
        places = [case_place(row["case_id"])]
        if row["docket_id"] is not None:
            places.append(docket_place(row["court"], row["docket_id"]))
        if goes(row, places):
            continue
        here = purged.places(places)
        for name in texts:
            text = row.get(name)
            if text:
                clean = purged.without_people(text, here) if here else text
                clean = purged.without_numbers(clean, row["court"])
                if clean != text:
                    changes.setdefault(name, {})[len(kept)] = clean or None
        kept.append(number)
    if len(kept) == rows.num_rows and not changes:
        return None
    left = rows.take(pa.array(kept, pa.int64()))
    for name, cells in changes.items():
        values = left[name].to_pylist()
        for at, text in cells.items():
            values[at] = text
        index = left.column_names.index(name)
        left = left.set_column(index, left.schema.field(name), pa.array(values, pa.string()))
    changed = {at for cells in changes.values() for at in cells}
    return Cleaned(left, rows.num_rows - len(kept), len(changed))
