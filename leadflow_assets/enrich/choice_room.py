"""How far the score of each property could still move, for choosing whom to ask about."""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from leadflow_assets.domain.distress.table import load_table
from leadflow_assets.domain.worth_asking import SETTLES, room, settled_groups
from leadflow_assets.enrich.scores.inputs import relation
from leadflow_assets.lake.catalog import connect, quoted
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.tables import ATTOM_RESULTS, DISTRESS_SCORES, SCHEMA_VERSION

_NOTHING = "{'endpoint': '', 'of': '', 'questions': 0}"
# A group of which every question has a fresh answer that left it unknown: asking again brings the same.
# What the profile decided for the other endpoints has the day of the profile.
_ROOMS = """
WITH asks AS (SELECT unnest({asks}, recursive := true)), answered AS (
    SELECT property_id, list(of) AS groups FROM (
        SELECT property_id, of FROM (
            SELECT property_id, endpoint, outcome, coalesce(
                fetched_at, max(fetched_at) OVER (PARTITION BY batch_id, request_number)
            ) AS fetched_at FROM {answers}
        ) JOIN asks USING (endpoint)
        WHERE outcome IN ('returned', 'no_match', 'ambiguous') AND fetched_at >= $since
        GROUP BY ALL HAVING count(DISTINCT endpoint) = any_value(questions)
    ) GROUP BY ALL
)
SELECT s.property_id, CASE WHEN s.state = 'not_applicable' THEN 0 ELSE coalesce(list_sum([
    g.unknown_points FOR g IN s.groups
    IF g."group" IN ({groups}) AND NOT list_contains(coalesce(a.groups, []), g."group")
]), 0) END FROM {scores} AS s LEFT JOIN answered AS a USING (property_id)
"""


def full_room(groups: Collection[str]) -> float:
    """The room of a property that is not scored: nothing of these groups is known."""
    return room({group.name: group.cap for group in load_table().groups}, groups)


def rooms(lake: Lake, towns: Collection[int], endpoints: Collection[str]) -> dict[str, float]:
    """Points by which answers of these endpoints could move each scored property's score.

    What ATTOM answered lately without telling it will not be told by asking again. Properties
    without a score are left out; see :func:`full_room`.
    """
    here = lake.snapshot(DISTRESS_SCORES).partitions
    names = [DISTRESS_SCORES.partition(town) for town in sorted(towns)]
    found = [here[name] for name in names if name in here and here[name].schema_version == SCHEMA_VERSION]
    source = relation(lake, found)
    groups = sorted(settled_groups(endpoints))
    if source is None:
        return {}
    results = lake.snapshot(ATTOM_RESULTS).partitions.values()
    answers = relation(lake, [entry for entry in results if entry.schema_version == SCHEMA_VERSION])
    since = datetime.now(UTC) - timedelta(days=lake.settings.attom_cache_max_age_days)
    with contextlib.closing(connect(lake.settings, spatial=False)) as connection:
        if answers is None:
            connection.register("no_answers", ATTOM_RESULTS.schema.empty_table())
        named = ", ".join(quoted(group) for group in groups) or "''"
        query = _ROOMS.format(
            scores=source, groups=named, asks=_asks(endpoints), answers=answers or "no_answers"
        )
        return dict(connection.execute(query, {"since": since}).fetchall())


def _asks(endpoints: Collection[str]) -> str:
    """SQL for the endpoints that settle a group, each with how many of them do so together."""
    of = {name: SETTLES[name] for name in endpoints if name in SETTLES}
    rows = (
        f"{{'endpoint': {quoted(name)}, 'of': {quoted(group)}, "
        f"'questions': {list(of.values()).count(group)}}}"
        for name, group in sorted(of.items())
    )
    return f"[{', '.join(rows) or _NOTHING}]"
