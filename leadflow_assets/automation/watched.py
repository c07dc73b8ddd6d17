"""Which towns automation keeps fresh, as LEADFLOW_WATCHED_TOWNS says."""

from __future__ import annotations

from leadflow_assets.domain.towns import Town, all_towns, town_by_id
from leadflow_assets.lake import tables
from leadflow_assets.lake.lake import Lake
from leadflow_assets.settings import Settings


def watched_towns(settings: Settings) -> list[Town]:
    """The towns to keep fresh, by id; the fictional town is never among them.

    Raises:
        UsageError: the setting names a town that does not exist.
    """
    if settings.leadflow_watched_towns == "all":
        return list(all_towns())
    if settings.leadflow_watched_towns == "held":
        held = Lake(settings).snapshot(tables.MASSGIS_PACKAGES).partitions
        ids = sorted(int(name.removeprefix("town_id=")) for name in held)
    else:
        ids = sorted({int(part) for part in settings.leadflow_watched_towns.split(",")})
    return [town for town in map(town_by_id, ids) if not town.is_sample]
