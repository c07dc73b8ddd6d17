"""How far the score of each property could still move, for choosing whom to ask about."""

from __future__ import annotations

import contextlib
from collections.abc import Collection

from leadflow_assets.domain.distress.table import load_table
from leadflow_assets.domain.worth_asking import room
from leadflow_assets.enrich.leads.inputs import open_database
from leadflow_assets.enrich.scores.inputs import relation
from leadflow_assets.lake.catalog import quoted
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.tables import DISTRESS_SCORES, SCHEMA_VERSION

_ROOMS = """
SELECT property_id, CASE WHEN state = 'not_applicable' THEN 0 ELSE coalesce(list_sum([
    g.unknown_points FOR g IN groups IF g."group" IN ({groups})
]), 0) END FROM {scores}
"""


def full_room(groups: Collection[str]) -> float:
    """The room of a property that is not scored: nothing of these groups is known."""
    return room({group.name: group.cap for group in load_table().groups}, groups)


def rooms(lake: Lake, towns: Collection[int], groups: Collection[str]) -> dict[str, float]:
    """Points by which answers about these groups could move each scored property's score.

    Properties without a score are left out; see :func:`full_room`.
    """
    here = lake.snapshot(DISTRESS_SCORES).partitions
    names = [DISTRESS_SCORES.partition(town) for town in sorted(towns)]
    found = [here[name] for name in names if name in here and here[name].schema_version == SCHEMA_VERSION]
    source = relation(lake, found)
    if source is None:
        return {}
    with contextlib.closing(open_database(lake)) as connection:
        named = ", ".join(quoted(group) for group in sorted(groups)) or "''"
        query = _ROOMS.format(scores=source, groups=named)
        return dict(connection.execute(query).fetchall())
