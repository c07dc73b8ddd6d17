"""How far comparing has come: which towns were compared, and which could not be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from leadflow_assets.domain.towns import town_by_id
from leadflow_assets.enrich.changes.plan import waiting
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.tables import DISTRESS_SCORES, PROPERTIES, PROPERTY_CHANGES
from leadflow_assets.settings import Settings


@dataclass(frozen=True)
class Compared:
    """Names of towns. ``releases``: at least two releases of it were compared; ``only_one``: there is none
    to compare with; ``waiting``: something new was not compared yet; ``without_polygons``: splits and mergers
    could not be seen the last time. ``last``: when events were published last (aware, UTC), if ever.
    """

    releases: tuple[str, ...]
    only_one: tuple[str, ...]
    waiting: tuple[str, ...]
    without_polygons: tuple[str, ...]
    last: datetime | None


def compared(settings: Settings) -> Compared:
    """What was compared until now.

    Raises:
        StoreError: the lake cannot be read.
    """
    lake = Lake(settings)
    snapshot = lake.snapshot(PROPERTY_CHANGES)
    published, here = snapshot.by_town(), lake.snapshot(PROPERTIES).by_town()
    done = {town for town, entry in published.items() if entry.facts.get("compared")}
    work = waiting(lake, scores=DISTRESS_SCORES, today=datetime.now(UTC).date())
    to_do = {each.town_id for each in work}
    pairs = {each.town_id for each in work if each.pairs}
    blind = {town for town, entry in published.items() if entry.facts.get("without_polygons")}
    return Compared(
        releases=_names(done),
        only_one=_names(here.keys() - done - pairs),
        waiting=_names(to_do),
        without_polygons=_names(blind),
        last=snapshot.committed if published else None,
    )


def _names(town_ids: set[int]) -> tuple[str, ...]:
    return tuple(sorted(town_by_id(town).name for town in town_ids))
