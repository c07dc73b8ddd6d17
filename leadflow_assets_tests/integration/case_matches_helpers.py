"""What the tests of case matches share: court cases as they are published, about owners of a lake."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from leadflow_assets.domain.addresses import address_key, parse_address
from leadflow_assets.domain.courts.combine import combine
from leadflow_assets.domain.courts.imported import IMPORT_KINDS
from leadflow_assets.domain.courts.model import COURTLISTENER, CourtCase, CourtParty, case_id
from leadflow_assets.domain.courts.parties import (
    NO_ADDRESS,
    make_party,
    read_extra_info,
    read_written_address,
)
from leadflow_assets.domain.linkage.debtor_address import town_of_city
from leadflow_assets.enrich.court_rows import to_rows
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.publish import Publisher
from leadflow_assets.lake.tables import CASE_MATCHES, COURT_CASES, COURT_PARTIES
from leadflow_assets.settings import Settings
from leadflow_assets_tests.integration.unified_helpers import rows_of, uploaded_rows

FETCHED = datetime(2026, 10, 20, 12, tzinfo=UTC)
FILED = date(2026, 10, 5)
TODAY = date(2026, 11, 22)
Told = tuple[CourtCase, list[CourtParty]]
Row = dict[str, Any]


def petition(number: str, *debtors: str, lines: Iterable[str] = (), **facts: Any) -> Told:
    """A petition of ``mab`` by a debtor and perhaps a joint one, who live at ``lines``."""
    told: dict[str, Any] = {"date_filed": FILED, "case_name": " and ".join(debtors), "chapter": "13"}
    case = CourtCase(
        case_id=case_id("mab", number, number),
        court="mab",
        case_type="bankruptcy_petition",
        action_type="bankruptcy_ch13",
        source=COURTLISTENER,
        docket_number=number,
        docket_id=int(number.replace("-", "")),
        fetched_at=FETCHED,
        **(told | facts),
    )
    address = read_extra_info("\n".join(lines))
    roles = ("Debtor", "Joint Debtor")
    parties = [
        make_party(case, name=name, role=role, name_from="parties", address=address, attorneys=1)
        for name, role in zip(debtors, roles, strict=False)
    ]
    return case, [party for party in parties if party]


def imported(
    kind: str,
    number: str,
    *parties: tuple[str, str],
    at: str | None = None,
    mailing: str | None = None,
    **facts: Any,
) -> Told:
    """A case from an imported file: ``parties`` are (role, name), ``at`` the property in one line."""
    told = IMPORT_KINDS[kind]
    site = read_written_address(at) if at else NO_ADDRESS
    # Sampleton is no town of the state, and a file of cases does not know it.
    town_id = town_of_city(site.city)
    known: dict[str, Any] = {
        "date_filed": FILED,
        "case_type": told.case_type,
        "expires_on": date(2099, 12, 31),
        "stated_source": told.words,
        "site_address": site.text,
        "site_address_key": address_key(parse_address((site.text or "").split(",")[0]), town_id)
        if at
        else None,
        "site_mailing_key": site.mailing_key,
        "site_city": site.city,
        "site_state": site.state,
        "site_zip": site.zip,
        "town_id": town_id,
    }
    case = CourtCase(
        case_id=case_id(told.court, number, number),
        court=told.court,
        source=kind,
        docket_number=number,
        fetched_at=FETCHED,
        **(known | facts),
    )
    address = read_written_address(mailing) if mailing else NO_ADDRESS
    made = [
        make_party(case, name=name, role=role, name_from="import", address=address) for role, name in parties
    ]
    return case, [party for party in made if party]


def publish_cases(settings: Settings, *told: Told) -> None:
    """Make these the cases and parties of the lake: what was there and is not told now goes."""
    lake = Lake(settings)
    found = combine(
        [case for case, _ in told], [party for _, parties in told for party in parties]
    ).partitions()
    for table, part in (
        (COURT_CASES, {key: to_rows(rows[0], CourtCase) for key, rows in found.items()}),
        (COURT_PARTIES, {key: to_rows(rows[1], CourtParty) for key, rows in found.items()}),
    ):
        here = {table.partition(*key): rows for key, rows in part.items()}
        entries = {name: uploaded_rows(settings, table, name, rows) for name, rows in here.items()}
        gone = lake.snapshot(table).partitions.keys() - entries.keys()
        Publisher(lake.store, "test").publish(table.name, {**dict.fromkeys(gone), **entries})


def matches(settings: Settings, town_id: int = 999) -> list[Row]:
    """The town's mart/case_matches, the likeliest first."""
    rows = rows_of(settings, CASE_MATCHES.name, town_id)
    return sorted(rows, key=lambda row: (-float(row["probability"]), str(row["match_id"])))


def versions(settings: Settings) -> dict[str, str]:
    """Content hashes of every partition of mart/case_matches."""
    entries = Lake(settings).snapshot(CASE_MATCHES).partitions
    return {name: entry.data.sha256 for name, entry in entries.items()}


def natural(owner: Row) -> str:
    """An owner's name as a court writes it: GIVEN MIDDLE SURNAME."""
    return " ".join(
        part for part in (owner["first"], owner["middle"], owner["last"], owner["suffix"]) if part
    )


def formal(owner: Row) -> str:
    """The same as SURNAME, GIVEN MIDDLE, which nobody can misread."""
    given = " ".join(part for part in (owner["first"], owner["middle"], owner["suffix"]) if part)
    return f"{owner['last']}, {given}"


def persons(rows: Iterable[Row]) -> list[Row]:
    """Properties whose first owner is one person with both names, by property id."""
    found = [row for row in rows if row["owners"] and row["owner_type"] == "person"]
    return [row for row in found if row["owners"][0]["first"] and row["owners"][0]["last"]]


def lines_of(row: Row, city: str, zip_code: str) -> tuple[str, str]:
    """The address of a property as a docket prints it."""
    return str(row["site_address"]).title(), f"{city}, MA {zip_code}"
