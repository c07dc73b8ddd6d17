"""Where else the one who is purged is known: from what was given to everything it leads to.

It needs no name: an owner or a party at a known place is asked for by hash, and if it is the one, its other
places are added. From an address or a property it goes on to properties, their addresses, ATTOM ids and
cases; from a case it leads nowhere, since a party's address in a case was not given to be withheld
everywhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from leadflow_assets.domain.addresses import address_key, parse_address, parse_mailing, zip5
from leadflow_assets.domain.courts.model import CourtParty
from leadflow_assets.domain.purging import (
    CASE,
    NAME,
    Key,
    Purged,
    address_place,
    attom_place,
    case_place,
    docket_place,
    property_place,
)
from leadflow_assets.enrich.court_rows import from_rows
from leadflow_assets.enrich.purge.dockets import others_remain
from leadflow_assets.lake import tables
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.tables import Table
from leadflow_assets.pipeline.withheld import property_ids

# Owner and places lead to each other; further than this they are other people.
_MOST_ROUNDS: Final = 4
# From here on a match is taken for the same person; a person may have confirmed it too.
_SAME_PERSON: Final = 0.5


def derived(lake: Lake, purged: Purged, folder: Path) -> frozenset[Key]:
    """The hashes that follow from those known, over everything that is published now."""
    found: set[Key] = set()
    for _ in range(_MOST_ROUNDS):
        known = purged.with_keys(found)
        more = set(_from_properties(lake, known, folder)) | set(_from_releases(lake, known, folder))
        if more <= found:
            break
        found |= more
    found |= set(_from_cases(lake, purged, folder))
    known = purged.with_keys(found)
    found |= set(_from_records(lake, known, folder))
    found |= set(_from_matches(lake, known, folder))
    known = purged.with_keys(found)
    found |= set(_from_parties(lake, known, folder))
    return frozenset(found)


def read_columns(
    lake: Lake, table: Table, columns: Iterable[str], folder: Path, towns: Collection[str] | None = None
) -> Iterator[tuple[str, pa.Table]]:
    """Some columns of every current partition; those that a file of an earlier version lacks are left out.

    ``towns`` (``town_id=25``) limits the partitions to these.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for partition, entry in sorted(lake.snapshot(table).partitions.items()):
        if towns is not None and partition.partition("/")[0] not in towns:
            continue
        path = lake.store.fetch(entry.data.path, folder)
        with pq.ParquetFile(path) as file:
            names = set(file.schema_arrow.names)
            rows = file.read(columns=[name for name in columns if name in names])
        if path.parent == folder:
            path.unlink()
        yield partition, rows


def _rows(lake: Lake, table: Table, columns: tuple[str, ...], folder: Path) -> Iterator[dict[str, Any]]:
    for _, rows in read_columns(lake, table, columns, folder):
        missing = dict.fromkeys(set(columns) - set(rows.column_names))
        values = [rows[name].to_pylist() for name in rows.column_names]
        for row in zip(*values, strict=True):
            yield {**missing, **dict(zip(rows.column_names, row, strict=True))}


def _from_properties(lake: Lake, purged: Purged, folder: Path) -> Iterator[Key]:
    """Properties that name the owner at a known place: they and their addresses are places too."""
    columns = ("property_id", "town_id", "address_key", "mailing_key", "owner_name", "owner_care_of")
    for row in _rows(lake, tables.PROPERTIES, columns, folder):
        keys = [address_place(key) for key in (row["address_key"], row["mailing_key"]) if key]
        forms = purged.forms_in(row["owner_name"], [property_place(row["property_id"]), *keys])
        if forms:
            yield from purged.keys_of(forms, [property_place(row["property_id"])], row["town_id"])
            yield from purged.keys_of(forms, keys)


def _from_releases(lake: Lake, purged: Purged, folder: Path) -> Iterator[Key]:
    """Properties that an earlier release names the owner of; looked for where the name itself is known."""
    if not purged.of_kind(NAME):
        return
    columns = ("town_id", "prop_id", "cama_id", "assessment_id", "owner1", "site_addr", "city", "zip",
               "own_addr", "own_city", "own_zip")  # fmt: skip
    for row in _rows(lake, tables.ASSESSMENT_RELEASES, columns, folder):
        if not purged.mentions_name(row["owner1"]):
            continue
        ids = property_ids(row["town_id"], row["prop_id"], row["cama_id"], row["assessment_id"])
        mine = [property_place(one) for one in ids]
        forms = purged.forms_in(row["owner1"], [*mine, *_written_places(row)])
        if forms:
            yield from purged.keys_of(forms, mine, row["town_id"])


def _written_places(row: dict[str, Any]) -> list[str]:
    """The places of an assessor's two addresses."""
    site = parse_address(row["site_addr"])
    keys = [address_key(site, row["town_id"]), address_key(site, zip5(row["zip"]))]
    if row["own_addr"]:
        mailing = parse_mailing(row["own_addr"], None)
        keys.append(address_key(mailing, zip5(row["own_zip"]) or (row["own_city"] or "").upper()))
    return [address_place(key) for key in keys if key]


def _from_records(lake: Lake, purged: Purged, folder: Path) -> Iterator[Key]:
    """ATTOM ids of the properties: whoever is purged there is purged under that id too."""
    columns = ("property_id", "attom_id")
    pairs = {
        (row["property_id"], row["attom_id"])
        for row in _rows(lake, tables.PROPERTY_RECORDS, columns, folder)
        if row["property_id"] and purged.places([property_place(row["property_id"])])
    }
    owners = ("attom_id", "owner_1", "owner_2", "owner_3", "owner_4")
    if not pairs:
        return
    ids = {attom_id for _, attom_id in pairs}
    for row in _rows(lake, tables.ATTOM_PROPERTIES, owners, folder):
        if row["attom_id"] not in ids:
            continue
        places = [property_place(mine) for mine, attom_id in pairs if attom_id == row["attom_id"]]
        for name in owners[1:]:
            forms = purged.forms_in(row[name], places)
            if forms:
                yield from purged.keys_of(forms, [attom_place(row["attom_id"])])


def _from_cases(lake: Lake, purged: Purged, folder: Path) -> Iterator[Key]:
    """Dockets of purged cases."""
    if not purged.of_kind(CASE):
        return
    for row in _rows(lake, tables.COURT_CASES, ("case_id", "court", "docket_id"), folder):
        if row["docket_id"] is not None and purged.has_case(row["case_id"]):
            yield purged.docket_key(row["court"], row["docket_id"])


def _from_matches(lake: Lake, purged: Purged, folder: Path) -> Iterator[Key]:
    """Cases that are matched to the owner of a property."""
    columns = ("property_id", "case_id", "court", "docket_id", "party_id", "party_name", "probability")
    for row in _rows(lake, tables.CASE_MATCHES, columns, folder):
        if row["probability"] < _SAME_PERSON:
            continue
        forms = purged.forms_in(row["party_name"], [property_place(row["property_id"])])
        if forms:
            yield purged.party_key(row["case_id"], row["party_id"])
            yield from purged.keys_of(forms, _case_places(row["case_id"], row["court"], row["docket_id"]))


def _from_parties(lake: Lake, purged: Purged, folder: Path) -> Iterator[Key]:
    """Cases with a party at a known place, or that are one; a case that is about nobody else goes whole."""
    for partition, rows in read_columns(
        lake, tables.COURT_PARTIES, tables.COURT_PARTIES.schema.names, folder
    ):
        if rows.column_names != tables.COURT_PARTIES.schema.names:
            continue  # of an earlier version, whose columns are others
        sites = _sites(lake, partition, folder)
        by_case: dict[str, list[CourtParty]] = {}
        for party in from_rows(rows, CourtParty):
            by_case.setdefault(party.case_id, []).append(party)
        for case_id, parties in by_case.items():
            yield from _of_case(purged, case_id, parties, sites.get(case_id, []))


def _of_case(purged: Purged, case_id: str, parties: list[CourtParty], sites: list[str]) -> set[Key]:
    dockets = {(party.court, party.docket_id) for party in parties}
    places = [case_place(case_id)]
    places += [
        docket_place(court, docket) for court, docket in sorted(dockets, key=str) if docket is not None
    ]
    found: set[Key] = set()
    theirs = False
    for party in parties:
        keys = [address_place(key) for key in (party.address_key, party.mailing_key) if key]
        forms = purged.forms_in(party.name, [*places, *keys, *sites])
        if forms or purged.has_party(case_id, party.party_id):
            theirs = True
            found.add(purged.party_key(case_id, party.party_id))
            found |= purged.keys_of(forms, places)
    known = purged.with_keys(found)
    if theirs and not others_remain(parties, known, places):
        found.add(purged.case_key(case_id))
        found |= {purged.docket_key(court, docket) for court, docket in dockets if docket is not None}
    return found


def _sites(lake: Lake, partition: str, folder: Path) -> dict[str, list[str]]:
    """The places of the properties that cases of a partition name, by case."""
    entry = lake.snapshot(tables.COURT_CASES).partitions.get(partition)
    if entry is None:
        return {}
    path = lake.store.fetch(entry.data.path, folder)
    columns = ["case_id", "site_address_key", "site_mailing_key"]
    rows = pq.ParquetFile(path).read(columns=columns).to_pylist()
    found: dict[str, list[str]] = {}
    for row in rows:
        keys = [address_place(row[name]) for name in columns[1:] if row[name]]
        found.setdefault(row["case_id"], []).extend(keys)
    return found


def _case_places(case_id: str, court: str, docket_id: int | None) -> list[str]:
    return [case_place(case_id)] + ([docket_place(court, docket_id)] if docket_id is not None else [])
