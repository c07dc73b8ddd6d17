"""Court files for a fictional town: docket reports of bankruptcies, and cases as people bring them.

Made from the town's own owners, so that they match as real ones would: some surely, by the debtor's address;
some by a name alone; some not at all, since a namesake lives elsewhere. Nobody in them exists; the same town
gives the same files. Their names, and the source they state, say SAMPLE.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

# Rows of the roll that the files are made of: mart/properties' columns.
OWNER_COLUMNS = (
    "property_id",
    "prop_id",
    "owner_type",
    "owners",
    "owner_name",
    "site_address",
    "unit",
    "town",
    "zip",
    "last_sale_date",
)
COURT_SAMPLE_PREFIX = "SAMPLE_"
STATED_SOURCE = "SAMPLE data, made up for the demo"
# The day the files were "made": fixed, so that the demo makes the same ones whenever it runs.
MADE_ON = date(2026, 11, 2)
_CHAPTERS = ("13", "7", "7", "13", "11", "7")
_BANK = "Lantern Cooperative Bank"


@dataclass(frozen=True)
class CourtFile:
    """One file and what ``leadflow cases import`` has to be told of it."""

    path: Path
    source: str


@dataclass(frozen=True)
class _Owner:
    """A person of the roll. ``name`` in natural order; ``joint`` is a second owner's, if any."""

    name: str
    joint: str | None
    street: str
    town: str
    zip: str
    prop_id: str


def write_court_files(properties: Sequence[Mapping[str, Any]], folder: Path) -> list[CourtFile]:
    """Write docket reports and imports for owners of the town; returns the files, dockets first.

    ``properties`` are rows with :data:`OWNER_COLUMNS`.
    """
    people = _people(properties)
    folder.mkdir(parents=True, exist_ok=True)
    dockets = [_docket(number, owner) for number, owner in enumerate(people[:6], start=1)]
    dockets += [_namesake(number, owner) for number, owner in enumerate(people[6:9], start=7)]
    written = []
    for docket in dockets:
        path = folder / f"{COURT_SAMPLE_PREFIX}mab_{docket['docket_number']}.json"
        path.write_text(json.dumps(docket, indent=1), encoding="utf-8")
        written.append(CourtFile(path, "docket_file"))
    servicemembers = [
        _row(owner, f"26 SM 009{n:03d}", n, plaintiff=_BANK, owner=_names(owner))
        for n, owner in enumerate(people[9:14], start=1)
    ]
    takings = [
        _row(
            owner, f"26 TL 009{n:03d}", 40 + n, plaintiff=f"Town of {owner.town}", owner=_names(owner),
            parcel_id=owner.prop_id, lien_amount=f"{2400 + 815 * n}.50",
        )
        for n, owner in enumerate(people[14:18], start=1)
    ]  # fmt: skip
    evictions = [
        _row(owner, f"26H82SP009{n:03d}", 10 * n, plaintiff=owner.name, status="pending")
        for n, owner in enumerate(people[18:21], start=1)
    ]
    return [
        *written,
        _table(folder, "land_court_servicemembers", servicemembers),
        _table(folder, "land_court_tax_lien", takings),
        _table(folder, "housing_court", evictions),
    ]


def _people(properties: Sequence[Mapping[str, Any]]) -> list[_Owner]:
    """Persons with a whole name and an address who bought before the cases; in an order of chance."""
    found = []
    for row in properties:
        persons = [party for party in row["owners"] or () if party["is_person"] and party["last"]]
        if row["owner_type"] != "person" or not persons or not persons[0]["first"] or not row["site_address"]:
            continue
        if row["unit"] or not row["zip"] or not row["prop_id"] or len(persons[0]["first"]) < 2:
            continue
        if row["last_sale_date"] and row["last_sale_date"] >= MADE_ON - timedelta(days=400):
            continue
        names = [_natural(party) for party in persons if party["first"] and len(party["first"]) > 1]
        owner = _Owner(
            names[0],
            names[1] if len(names) > 1 else None,
            str(row["site_address"]).title(),
            str(row["town"]),
            str(row["zip"]),
            str(row["prop_id"]),
        )
        found.append((hashlib.sha256(str(row["property_id"]).encode()).hexdigest(), owner))
    unique = {owner.name: owner for _, owner in sorted(found, key=lambda each: each[0])}
    return list(unique.values())


def _natural(party: Mapping[str, Any]) -> str:
    parts = (party["first"], party["middle"], party["last"], party["suffix"])
    return " ".join(part for part in parts if part).title()


def _names(owner: _Owner) -> str:
    return "; ".join(name for name in (owner.name, owner.joint) if name)


def _row(owner: _Owner, number: str, days_ago: int, /, **columns: str) -> dict[str, str]:
    filed = MADE_ON - timedelta(days=20 + days_ago)
    place = {"address": owner.street, "city": owner.town, "zip": owner.zip}
    return {"docket_number": number, "date_filed": filed.isoformat(), **columns, **place}


def _table(folder: Path, source: str, rows: Sequence[Mapping[str, str]]) -> CourtFile:
    path = folder / f"{COURT_SAMPLE_PREFIX}{source}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]) if rows else ["docket_number", "owner"])
        writer.writeheader()
        writer.writerows(rows)
    return CourtFile(path, source)


def _docket(number: int, owner: _Owner) -> dict[str, Any]:
    """A petition whose docket report has the debtor's address; every third has none."""
    lines = (owner.street, f"{owner.town}, MA {owner.zip}")
    return _petition(number, owner.name, owner.joint, "\n".join(lines) if number % 3 else "")


def _namesake(number: int, owner: _Owner) -> dict[str, Any]:
    """The same name, of somebody who lives elsewhere."""
    return _petition(number, owner.name, None, f"{200 + number} Foundry Street\nWorcester, MA 01604")


def _petition(number: int, debtor: str, joint: str | None, address: str) -> dict[str, Any]:
    """One docket in the form of a docket report; the identifier under the address is all zeros."""
    filed = MADE_ON - timedelta(days=9 * number)
    chapter = _CHAPTERS[number % len(_CHAPTERS)]
    info = f"{address}\nSSN / ITIN: xxx-xx-0000" if address else ""
    parties = [_party("Debtor", debtor, info)]
    if joint:
        parties.append(_party("Joint Debtor", joint, info))
    return {
        "court_id": "mab",
        "docket_number": f"26-49{number:03d}",
        "case_name": f"{debtor} and {joint}" if joint else debtor,
        "date_filed": filed.isoformat(),
        "date_terminated": None,
        "date_converted": None,
        "date_discharged": None,
        "cause": "",
        "nature_of_suit": "",
        "parties": parties,
        "docket_entries": [
            {
                "date_filed": filed.isoformat(),
                "document_number": "1",
                "description": f"Chapter {chapter} Voluntary Petition for Individuals. SAMPLE.",
            }
        ],
    }


def _party(kind: str, name: str, info: str) -> dict[str, Any]:
    lawyer = {"name": "Quill Umber", "contact": "", "roles": ["LEAD ATTORNEY"]}
    return {"name": name, "type": kind, "extra_info": info, "date_terminated": None, "attorneys": [lawyer]}
