"""What the tests of batches share: a vendor that knows some homes of Sampleton, and files that name them."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from leadflow_assets.search.criteria import SearchCriteria
from leadflow_assets.search.engine import open_searcher
from leadflow_assets.settings import Settings
from leadflow_assets_tests.vendors.attom_bodies import SampleProperty

_COLUMNS = ("property_id", "site_address", "unit", "zip", "address_key", "category", "total_value")


def homes(settings: Settings, count: int) -> list[dict[str, Any]]:
    """Homes of Sampleton whose address no other record shares, in the order of their ids."""
    with open_searcher(settings, engine="parquet") as searcher:
        criteria = SearchCriteria(towns=(999,), categories=("residential",))
        with searcher.stream(criteria, columns=_COLUMNS) as batches:
            rows = [row for batch in batches for row in batch.to_pylist()]
    keys = [row["address_key"] for row in rows]
    alone = [
        row
        for row in rows
        if row["address_key"] and row["zip"] and not row["unit"] and keys.count(row["address_key"]) == 1
    ]
    plain = [row for row in alone if row["site_address"].split()[0].isdigit()]
    assert len(plain) >= count, "Sampleton has become too small for the test"
    return plain[:count]


def known_to_the_vendor(rows: Sequence[Mapping[str, Any]]) -> list[SampleProperty]:
    """The same homes as the loopback vendor has them, with ATTOM ids from 5001."""
    return [
        SampleProperty(number, line1=row["site_address"], zip=row["zip"], apn=f"12-{number}-0")
        for number, row in enumerate(rows, start=5001)
    ]


def write_addresses(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """A person's file: headers of their own, a column of their own."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Lead No", "Site Address", "City", "State", "ZIP Code"])
        for number, row in enumerate(rows, start=1):
            writer.writerow([f"L{number}", row["site_address"], "Sampleton", "MA", row["zip"]])
    return path
