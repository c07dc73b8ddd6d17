"""What delivered files took back: facts of a dataset that a later list of deletions names.

A deletion of a whole property empties the groups that its dataset had filled before. A deletion of one record
(a transaction) takes that notice off the list of foreclosures; the newest one left speaks for the property
then, and where none is left the group is empty. Deeds and liens carry no id of their records in our tables:
for them only the deletion of the property takes effect.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import duckdb
import pyarrow as pa

from leadflow_assets.lake.schemas.attom import AttomProperties
from leadflow_assets.sources.attom.record import GROUPS, group_fields

_FORECLOSURE: Final = "foreclosure"
_LIST: Final = "foreclosure_records"


def without_deleted(connection: duckdb.DuckDBPyConnection, source: str, deletions: pa.Table) -> str:
    """A query over ``source`` (columns of core/attom_properties) without what ``deletions`` takes back.

    ``deletions`` has attom_id, transaction_id (null: the whole property), dataset and deleted_at.
    """
    names = list(AttomProperties.to_schema().columns)
    if not deletions.num_rows:
        return f"SELECT {', '.join(names)} FROM {source}"
    connection.register("__deletions", deletions)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE deleted AS SELECT attom_id, list({'dataset': dataset, "
        "'transaction_id': transaction_id, 'deleted_at': deleted_at}) AS deletions "
        "FROM __deletions GROUP BY attom_id"
    )
    connection.unregister("__deletions")
    kept = {name: f"a.{name}" for name in names}
    for group in GROUPS:
        for name in (*group_fields(group), *(f"{group}_{part}" for part in _ORIGIN)):
            kept[name] = f"CASE WHEN NOT {_applies(group)} THEN a.{name} END"
    kept |= _foreclosures()
    columns = ", ".join(f"{expression} AS {name}" for name, expression in kept.items())
    return (
        f"SELECT {columns} FROM (SELECT s.*, d.deletions, {_left()} AS left_over FROM {source} AS s "
        "LEFT JOIN deleted AS d USING (attom_id)) AS a"
    )


_ORIGIN: Final[Sequence[str]] = ("source", "source_date", "fetched_at")


def _applies(group: str) -> str:
    """Was the whole property deleted from the dataset that filled this group, after it had?"""
    return (
        "coalesce(len(list_filter(a.deletions, lambda x: x.transaction_id IS NULL "
        f"AND x.dataset = a.{group}_source AND x.deleted_at > a.{group}_fetched_at)) > 0, false)"
    )


def _left() -> str:
    """The notices of a row that no deletion names."""
    gone = (
        "list_transform(list_filter(d.deletions, lambda x: x.transaction_id IS NOT NULL "
        f"AND x.dataset = s.{_FORECLOSURE}_source AND x.deleted_at > s.{_FORECLOSURE}_fetched_at), "
        "lambda x: x.transaction_id)"
    )
    return (
        f"CASE WHEN d.deletions IS NULL THEN s.{_LIST} ELSE list_filter(s.{_LIST}, "
        f"lambda r: r.foreclosure_id IS NULL OR NOT list_contains({gone}, r.foreclosure_id)) END"
    )


def _foreclosures() -> dict[str, str]:
    """The columns of the group foreclosure, from the notices that are left."""
    whole = _applies(_FORECLOSURE)
    touched = f"len(a.left_over) < len(a.{_LIST})"
    empty = f"({whole} OR ({touched} AND len(a.left_over) = 0))"
    made = {}
    for name in (*group_fields(_FORECLOSURE), *(f"{_FORECLOSURE}_{part}" for part in _ORIGIN)):
        short = name.removeprefix(f"{_FORECLOSURE}_")
        if name == _LIST:
            value = "a.left_over"
        elif short in _ORIGIN:
            value = f"a.{name}"
        else:
            # Newest first: what is left over begins with the one that speaks for the property now.
            value = f"CASE WHEN {touched} THEN a.left_over[1].{short} ELSE a.{name} END"
        made[name] = f"CASE WHEN NOT {empty} THEN {value} END"
    return made
