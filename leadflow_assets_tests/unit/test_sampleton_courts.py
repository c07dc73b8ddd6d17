"""Sampleton's court files: read by the very readers of real ones, the same for the same town."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from leadflow_assets.domain.courts.identifiers import holds_identifier
from leadflow_assets.sampleton import write_court_files
from leadflow_assets.sources.courtlistener.docket_file import read_docket_file
from leadflow_assets.sources.courtlistener.parse import parse_rows
from leadflow_assets.sources.imports.cases import read_cases

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def home(number: int) -> dict[str, Any]:
    party = {"first": "ADA", "middle": "", "last": f"LARK{chr(65 + number)}", "suffix": "", "is_person": True}
    return {
        "property_id": f"999-{number}",
        "prop_id": f"00{number}",
        "owner_type": "person",
        "owners": [party],
        "owner_name": "",
        "site_address": f"{number + 1} GRANITE ST",
        "unit": None,
        "town": "Sampleton",
        "zip": "02000",
        "last_sale_date": date(2010, 5, 5),
    }


HOMES = [home(number) for number in range(24)]


def test_the_files_are_read_by_the_readers_of_real_ones(tmp_path: Path) -> None:
    files = write_court_files(HOMES, tmp_path)
    assert all(file.path.name.startswith("SAMPLE_") for file in files)
    dockets = [read_docket_file(f.path, imported_at=NOON) for f in files if f.source == "docket_file"]
    parsed = parse_rows(dockets)
    assert {case.case_type for case in parsed.cases} == {"bankruptcy_petition"} and not parsed.problems
    assert len(parsed.cases) == 9
    assert any(party.address_key and party.town_id == 999 for party in parsed.parties)
    assert any(party.address is None for party in parsed.parties)
    assert not any(holds_identifier(row.body) for row in dockets)
    tables = [f for f in files if f.source != "docket_file"]
    read = [read_cases(f.path, f.source, imported_at=NOON) for f in tables]
    assert [(one.kind.name, len(one.rows)) for one in read] == [
        ("land_court_servicemembers", 5),
        ("land_court_tax_lien", 4),
        ("housing_court", 3),
    ]
    assert not any(one.problems for one in read)
    assert all(case.site_address_key for one in read for case in one.combined().cases)


def test_the_same_town_gives_the_same_files(tmp_path: Path) -> None:
    contents = [
        {file.path.name: file.path.read_bytes() for file in write_court_files(homes, tmp_path / name)}
        for name, homes in (("a", HOMES), ("b", HOMES[::-1]))
    ]
    assert contents[0] == contents[1]


def test_owners_who_are_no_persons_or_bought_since_are_left_out(tmp_path: Path) -> None:
    homes = [{**home(n), "owner_type": "company"} for n in range(12)]
    homes += [{**home(n), "last_sale_date": date(2026, 6, 1)} for n in range(12, 24)]
    assert {file.source for file in write_court_files(homes, tmp_path)} == {
        "land_court_servicemembers",
        "land_court_tax_lien",
        "housing_court",
    }
