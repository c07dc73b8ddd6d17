"""What leads are made from: properties and scores of every town, what was added, and who was purged."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import duckdb

from leadflow_assets.domain.purging import Purged
from leadflow_assets.enrich.scores.inputs import relation
from leadflow_assets.lake import tables
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.snapshots import PartitionEntry, Snapshot
from leadflow_assets.lake.tables import SCHEMA_VERSION, Table
from leadflow_assets.refresh.code import hash_of_code
from leadflow_assets.refresh.withheld import load_purged
from leadflow_assets.settings import Settings

_RULES: Final = ("domain/leads", "enrich/leads")


@dataclass(frozen=True)
class Inputs:
    """One snapshot of each table by town; ``snapshot`` is that of the leads.

    ``scores`` are those of towns whose properties are here too. ``all_properties`` may lack scores.
    """

    lake: Lake
    properties: Mapping[int, PartitionEntry]
    scores: Mapping[int, PartitionEntry]
    all_properties: Mapping[int, PartitionEntry]
    published: Mapping[int, PartitionEntry]
    snapshot: int
    added: tuple[str, ...]
    purged: Purged | None

    @property
    def unscored(self) -> tuple[int, ...]:
        """Towns with properties and no scores."""
        return tuple(sorted(self.all_properties.keys() - self.scores.keys()))

    def state(self) -> str:
        """Names everything that leads depend on."""
        files = [
            [str(town), entry.data.sha256]
            for part in (self.properties, self.scores)
            for town, entry in sorted(part.items())
        ]
        return hashlib.sha256(json.dumps([rules_version(), self.others(), files]).encode()).hexdigest()

    def others(self) -> dict[str, str]:
        """What all towns have in common."""
        marks = [self.purged.town_mark(town) for town in sorted(self.purged.towns)] if self.purged else []
        return {
            "added": hashlib.sha256("\n".join(self.added).encode()).hexdigest()[:16],
            "withheld": hashlib.sha256("\n".join(marks).encode()).hexdigest()[:16] if marks else "",
            "rules": rules_version(),
        }


def read_inputs(settings: Settings) -> Inputs:
    """What is published now.

    Raises:
        StoreError: the lake or the state database cannot be read.
    """
    lake = Lake(settings)
    properties = _current(lake.snapshot(tables.PROPERTIES))
    scores = _current(lake.snapshot(tables.DISTRESS_SCORES))
    leads = lake.snapshot(tables.LEADS)
    here = {town: entry for town, entry in scores.items() if town in properties}
    return Inputs(
        lake=lake,
        properties={town: properties[town] for town in here},
        scores=here,
        all_properties=properties,
        published=leads.by_town(),
        snapshot=leads.number,
        added=tuple(_additions(settings)),
        purged=load_purged(settings),
    )


def _additions(settings: Settings) -> list[str]:
    url = settings.state_url
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).is_file():
        return []
    # Imported late: SQLAlchemy costs a third of a second.
    from leadflow_assets.state import database, leads

    with database.session(settings) as session:
        return leads.additions(session)


def _current(snapshot: Snapshot) -> dict[int, PartitionEntry]:
    return {t: e for t, e in snapshot.by_town().items() if e.schema_version == SCHEMA_VERSION}


@cache
def rules_version() -> str:
    """Twelve hex digits that change with any rule of leads."""
    return hash_of_code(_RULES, endings=(".py", ".sql"))


def view(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    name: str,
    table: Table,
    entries: Iterable[PartitionEntry],
) -> None:
    """A view of these partitions; without any one of the right shape."""
    source = relation(lake, entries)
    if source is None:
        connection.register(f"no_{name}", table.schema.empty_table())
    connection.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS FROM {source or f'no_{name}'}")
