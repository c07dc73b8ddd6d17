"""The order in which matches wait for a person, town by town: kept by the process until a town changes.

A decision changes one town. To rank all others anew at each would read the properties of the whole state.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from leadflow_assets.enrich.case_matches.inputs import Inputs, open_database
from leadflow_assets.lake.snapshots import PartitionEntry

# How the name of a party is folded, of the relation in braces.
FOLDED: Final = "trim(regexp_replace(upper({}.party_name), '[^\\p{{L}}\\p{{N}}]+', ' ', 'g'))"
_OPEN: Final = "coalesce(m.date_terminated, m.date_dismissed, m.date_discharged, m.released_on) IS NULL"
# Told by several sources, it waits once. A decision about one of them is one about all.
_GROUP: Final = "PARTITION BY case_id, property_id, party"
_RANKED: Final = f"""
WITH told AS (
    SELECT m.match_id, m.town_id, m.case_id, m.property_id, {FOLDED.format("m")} AS party, m.source,
        m.probability, m.tier, m.decision, coalesce(m.date_filed, m.recorded_on) AS began,
        {_OPEN} AS is_open,
        m.probability * greatest(coalesce(p.available_equity, p.total_value, 0), 0) AS stake
    FROM published AS m JOIN properties AS p USING (property_id)
    QUALIFY bool_and(m.decision IS NULL) OVER ({_GROUP})
        AND row_number() OVER ({_GROUP} ORDER BY m.probability DESC, m.source) = 1
)
SELECT match_id, town_id, probability, is_open, stake, began FROM told WHERE tier <> 'confirmed'
"""
# What is at stake first: what the property is worth, times how likely it is the right one.
_ORDER: Final = [
    ("is_open", "descending", "at_end"),
    ("stake", "descending", "at_end"),
    ("began", "descending", "at_end"),
    ("match_id", "ascending", "at_end"),
]


@dataclass(frozen=True)
class Ranked:
    """Ids of matches that wait, in their order, with the town of each."""

    match_ids: pa.ChunkedArray
    towns: pa.ChunkedArray

    def __len__(self) -> int:
        return len(self.match_ids)

    def by_town(self) -> dict[int, int]:
        """How many wait, by town."""
        return {one["values"]: one["counts"] for one in self.towns.value_counts().to_pylist()}

    def of(self, towns: Collection[int]) -> Ranked:
        """Those of some towns."""
        kept = pc.is_in(self.towns, pa.array(sorted(towns), self.towns.type))
        return Ranked(self.match_ids.filter(kept), self.towns.filter(kept))


class _Kept:
    """What waits in each town as it was ranked last, with the names of the files it was made of."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._towns: dict[int, tuple[tuple[str, str, date], pa.Table]] = {}

    def bring_up(self, inputs: Inputs, today: date) -> list[pa.Table]:
        """The tables of all towns of the inputs; reads those that changed."""
        here = {
            town: (inputs.published[town].data.sha256, entry.data.sha256, today)
            for town, entry in inputs.properties.items()
            if town in inputs.published
        }
        with self._lock:
            known = {town: self._towns[town] for town in here if town in self._towns}
            tables = {town: table for town, (made_of, table) in known.items() if made_of == here[town]}
            wanted = here.keys() - tables.keys()
            if wanted:
                made = _read(of_towns(inputs, wanted), today)
                for town in wanted:
                    tables[town] = made.filter(pc.equal(made.column("town_id"), town)).combine_chunks()
                    self._towns[town] = (here[town], tables[town])
        return list(tables.values())


_KEPT: Final = _Kept()


def ranked(inputs: Inputs, *, least: float) -> Ranked:
    """What waits in the towns of the inputs with at least that probability, the most valuable first."""
    tables = _KEPT.bring_up(inputs, datetime.now(UTC).date())
    rows = pa.concat_tables(tables) if tables else _empty()
    rows = rows.filter(pc.greater_equal(rows.column("probability"), least))
    order = pc.sort_indices(rows, sort_keys=_ORDER)
    return Ranked(rows.column("match_id").take(order), rows.column("town_id").take(order))


def of_towns(inputs: Inputs, towns: Collection[int]) -> Inputs:
    """The inputs with properties and matches of some towns alone."""

    def kept(entries: Mapping[int, PartitionEntry]) -> dict[int, PartitionEntry]:
        return {town: entry for town, entry in entries.items() if town in towns}

    return replace(inputs, properties=kept(inputs.properties), published=kept(inputs.published))


def _read(inputs: Inputs, today: date) -> pa.Table:
    with closing(open_database(inputs, today)) as connection:
        return connection.execute(_RANKED).to_arrow_table()


def _empty() -> pa.Table:
    kinds = {"match_id": pa.string(), "town_id": pa.int32(), "probability": pa.float64()}
    kinds |= {"is_open": pa.bool_(), "stake": pa.float64(), "began": pa.date32()}
    return pa.schema(kinds.items()).empty_table()
