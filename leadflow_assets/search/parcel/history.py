"""A property through the releases: assessed values, change of owner, sales.

LOC_ID is not permanent, so a property is followed by the assessor's ids; where these do not single out
one record the release is left out rather than guessed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from leadflow_assets.search.parcel.model import PastValue

if TYPE_CHECKING:
    from leadflow_assets.search.parcel.lookup import TownFiles

Row = dict[str, Any]
# Systems write these where a record has no id.
_NO_ID = (None, "", "0")
_COLUMNS = (
    "assessment_id, prop_id, cama_id, loc_id, site_addr, owner1, land_val, bldg_val, other_val, total_val, "
    "fy, release, ls_date, ls_price, ls_deed_rows, reg_id"
)


def same_record(record: Mapping[str, Any], others: Sequence[Row]) -> tuple[Row, str] | None:
    """The one of ``others`` (records of another release) that is this property, and by what it was known.

    Both ids first, then PROP_ID alone, then CAMA_ID where the LOC_ID or the site address agrees too: a new
    system renumbers CAMA_IDs. None where several would do or none does.
    """
    same_prop = [row for row in others if _same(record, row, "prop_id")]
    same_cama = [row for row in others if _same(record, row, "cama_id")]
    both = [row for row in same_prop if row in same_cama]
    place = [row for row in same_cama if _same(record, row, "loc_id") or _same(record, row, "site_addr")]
    choices = ((both, "PROP_ID and CAMA_ID"), (same_prop, "PROP_ID"), (place, "CAMA_ID and place"))
    for found, how in choices:
        if len(found) == 1:
            return found[0], how
    return None


def _same(one: Mapping[str, Any], other: Mapping[str, Any], name: str) -> bool:
    return one[name] not in _NO_ID and one[name] == other[name]


def past_rows(files: TownFiles, records: Sequence[Row]) -> dict[str, list[Row]]:
    """By release: every record that shares a PROP_ID or CAMA_ID with one of ``records`` (mart rows)."""
    if not files.releases or not records:
        return {}
    rows = files.query(
        f"SELECT {_COLUMNS} FROM read_parquet($files, hive_partitioning = false) "
        "WHERE prop_id IN (SELECT unnest($prop_ids)) OR cama_id IN (SELECT unnest($cama_ids)) "
        "OR assessment_id IN (SELECT unnest($ids))",
        files=[files.file(entry) for entry in files.releases.values()],
        prop_ids=[row["prop_id"] for row in records],
        cama_ids=[row["cama_id"] for row in records],
        ids=[row["assessment_id"] for row in records],
    )
    by_release: dict[str, list[Row]] = {release: [] for release in files.releases}
    for row in rows:
        by_release[row["release"]].append(row)
    return by_release


class History:
    """The releases' records, ready to be asked for one property after the other."""

    def __init__(self, by_release: Mapping[str, Sequence[Row]]) -> None:
        self._by_release = by_release
        self._by_id: dict[str, dict[str, Row]] = {}
        self._by_key: dict[str, dict[tuple[str, str], list[Row]]] = {}
        for release, rows in by_release.items():
            self._by_id[release] = {row["assessment_id"]: row for row in rows}
            keys: dict[tuple[str, str], list[Row]] = defaultdict(list)
            for row in rows:
                for name in ("prop_id", "cama_id"):
                    if row[name] not in _NO_ID:
                        keys[name, row[name]].append(row)
            self._by_key[release] = keys

    def current(self, record: Mapping[str, Any]) -> Row | None:
        """The assessor's record that a row of mart/properties was made from."""
        return self._by_id.get(record["release"], {}).get(record["assessment_id"])

    def of(self, record: Mapping[str, Any]) -> tuple[PastValue, ...]:
        """The property's values, the oldest release first; releases where it is not known are left out."""
        past: list[PastValue] = []
        before: Row | None = None
        for release in self._by_release:
            found = self._find(record, release)
            if found is None:
                continue
            row, how = found
            past.append(_value(row, how, before))
            before = row
        return tuple(past)

    def _find(self, record: Mapping[str, Any], release: str) -> tuple[Row, str] | None:
        own = self._by_id[release].get(record["assessment_id"])
        if own is not None:
            return own, "the record itself"
        known = {**record, "site_addr": record["site_address"]}
        keys = self._by_key[release]
        candidates = [
            row
            for name in ("prop_id", "cama_id")
            if record[name] is not None
            for row in keys.get((name, record[name]), ())
        ]
        distinct = {row["assessment_id"]: row for row in candidates}
        # An id that two records of today share must not give both of them the same past.
        repeated = "~" in record["property_id"]
        found = same_record(known, list(distinct.values()))
        return None if found is not None and repeated and found[1] == "PROP_ID" else found


def _value(row: Row, how: str, before: Row | None) -> PastValue:
    total = total_of(row)
    earlier = total_of(before) if before else None
    change = total - earlier if total is not None and earlier is not None else None
    percent = round(100.0 * change / earlier, 1) if change is not None and earlier else None
    sale = (row["ls_date"], row["ls_price"])
    return PastValue(
        release=row["release"],
        fiscal_year=row["fy"],
        loc_id=row["loc_id"],
        land_value=row["land_val"],
        building_value=row["bldg_val"],
        other_value=row["other_val"],
        total_value=total,
        total_change=change,
        total_change_percent=percent,
        owner_changed=_folded(row["owner1"]) != _folded(before["owner1"]) if before else None,
        sale_date=row["ls_date"],
        sale_price=row["ls_price"] or None,
        sale_changed=sale != (before["ls_date"], before["ls_price"]) if before else None,
        matched_by=how,
    )


def total_of(row: Mapping[str, Any]) -> int | None:
    """The assessed total; where 0 was published, the sum of the parts."""
    parts = sum(row[name] or 0 for name in ("land_val", "bldg_val", "other_val"))
    total: int | None = row["total_val"]
    return parts if not total and parts > 0 else total


def _folded(text: str | None) -> str:
    return " ".join((text or "").upper().split())
