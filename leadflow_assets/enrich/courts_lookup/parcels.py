"""What is looked up: parcels with the names of their owners, of one parcel or of a saved list."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from leadflow_assets.domain.towns import Town, town_by_id
from leadflow_assets.enrich.courts_lookup.names import names_to_ask
from leadflow_assets.errors import LeadflowError, UsageError
from leadflow_assets.lake.catalog import connect
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.tables import PROPERTIES
from leadflow_assets.search.index import searchable


@dataclass(frozen=True)
class Parcel:
    """What one look-up is about, and is remembered for.

    ``loc_id`` names the parcel; of a parcel with several properties, and of a record without one, it is the
    property_id of each. ``names`` are asked for, one call each at least.
    """

    town_id: int
    loc_id: str
    property_id: str
    names: tuple[str, ...]


def parcels_at(lake: Lake, town: Town, loc_id: str) -> tuple[Parcel, ...]:
    """The parcel of this LOC_ID, property by property; or the record without a parcel of this property_id.

    Raises:
        LeadflowError: there is no data for the town.
        UsageError: there is no such parcel in it.
    """
    asked = loc_id.strip()
    condition = "(loc_id = $one OR loc_id = upper($one) OR (loc_id IS NULL AND property_id = $one))"
    found = _parcels(lake, [town.town_id], condition, {"one": asked})
    if not found:
        raise UsageError(
            f"There is no property on a parcel with that LOC_ID in {town.name}.",
            f'Search for it: leadflow search --town {town.key[4:]} --address "NUMBER STREET"',
        )
    return found


def parcels_of(lake: Lake, property_ids: Sequence[str]) -> tuple[Parcel, ...]:
    """The parcels of some properties; ids that are not here any more are left out.

    Raises:
        LeadflowError: none of their towns is in the lake.
    """
    towns = sorted({int(property_id.split("-")[0]) for property_id in property_ids})
    if not towns:
        return ()
    condition = "property_id IN (SELECT unnest($ids::VARCHAR[]))"
    return _parcels(lake, towns, condition, {"ids": list(property_ids)})


def _parcels(lake: Lake, towns: Iterable[int], condition: str, values: dict[str, Any]) -> tuple[Parcel, ...]:
    snapshot, _ = searchable(lake)
    wanted = [PROPERTIES.partition(town_id) for town_id in towns]
    entries = [snapshot.partitions[name] for name in wanted if name in snapshot.partitions]
    if not entries:
        names = ", ".join(town_by_id(town_id).name for town_id in list(towns)[:5])
        raise LeadflowError(f"There is no data for {names}.", "Fetch it: leadflow refresh TOWN")
    files = [lake.store.location(entry.data.path) for entry in entries]
    with connect(lake.settings, spatial=False) as connection:
        rows = _rows(connection, files, condition, values)
    shared: dict[tuple[int, str | None], int] = defaultdict(int)
    for town_id, on_parcel in {(row["town_id"], row["loc_id"]): row["on_parcel"] for row in rows}.items():
        shared[town_id] = on_parcel
    made = []
    for row in rows:
        alone = row["loc_id"] is not None and shared[row["town_id"], row["loc_id"]] == 1
        key = row["loc_id"] if alone else row["property_id"]
        made.append(
            Parcel(row["town_id"], key, row["property_id"], names_to_ask(row["owner_type"], row["owners"]))
        )
    return tuple(made)


def _rows(
    connection: duckdb.DuckDBPyConnection, files: list[str], condition: str, values: dict[str, Any]
) -> list[dict[str, Any]]:
    found = connection.execute(
        "WITH ours AS (SELECT town_id, loc_id, property_id, owner_type, owners "
        "FROM read_parquet($files, hive_partitioning = false) WHERE NOT is_condominium_master), "
        "records AS (SELECT town_id, loc_id, count(*) AS on_parcel FROM ours GROUP BY ALL) "
        "SELECT ours.*, on_parcel FROM ours LEFT JOIN records USING (town_id, loc_id) "
        f"WHERE {condition} ORDER BY property_id",
        {"files": files, **values},
    )
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
