"""What a search answers with: rows, their total, how fresh each town is, and what a person must know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from leadflow_assets.domain.towns import town_by_id
from leadflow_assets.lake.snapshots import PartitionEntry


@dataclass(frozen=True)
class TownFreshness:
    """Which release of a town was searched. ``sha256`` names the very file of mart/properties."""

    town_id: int
    town: str
    release: str
    fiscal_year: int
    source_date: date | None
    fetched_at: datetime | None
    records: int
    sha256: str


@dataclass(frozen=True)
class Described:
    """What a search can say without rows: how fresh the searched towns are, and what is not covered."""

    freshness: tuple[TownFreshness, ...]
    notes: tuple[str, ...]
    engine: str


@dataclass(frozen=True)
class SearchResult:
    """A page of rows (columns as asked for), how many there are in all, and what a person must know."""

    rows: pa.Table
    total: int
    freshness: tuple[TownFreshness, ...]
    notes: tuple[str, ...]
    engine: str


def freshness_of(partition: str, entry: PartitionEntry) -> TownFreshness:
    """A town's release, from its log entry."""
    facts: Mapping[str, Any] = entry.facts
    town_id = town_id_of(partition)
    source_date, fetched_at = facts.get("source_date"), facts.get("fetched_at")
    return TownFreshness(
        town_id=town_id,
        town=town_by_id(town_id).name,
        release=str(facts["release"]),
        fiscal_year=int(facts["fiscal_year"]),
        source_date=date.fromisoformat(source_date) if source_date else None,
        fetched_at=datetime.fromisoformat(fetched_at) if fetched_at else None,
        records=entry.data.rows,
        sha256=entry.data.sha256,
    )


def town_id_of(partition: str) -> int:
    """The town of a partition's path, ``town_id=25``."""
    return int(partition.removeprefix("town_id="))
