"""How fresh each town is, and where it stands on a map of the state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from leadflow_assets.domain.state_map import Point, town_centres
from leadflow_assets.domain.towns import Town, towns
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.snapshots import PartitionEntry
from leadflow_assets.lake.tables import PROPERTIES
from leadflow_assets.refresh.overview import TownOverview, town_overviews
from leadflow_assets.settings import Settings

State = Literal["fresh", "outdated", "failed", "never"]


@dataclass(frozen=True)
class TownFreshness:
    """One town. ``place`` is longitude and latitude: the middle of what is here, else of its main place.

    ``fresh``: here and current. ``outdated``: here, but a newer release is known, it is old, or an older
    version of the program made it. ``failed``: the source could not be had when it was last asked, and what
    is here is not current. ``never``: not here.
    """

    town: Town
    state: State
    overview: TownOverview
    fiscal_year: int | None
    source_date: str | None
    properties: int | None
    place: Point | None

    @property
    def is_absent(self) -> bool:
        """Is nothing of the town here?"""
        return self.overview.status == "not fetched"


def town_freshness(settings: Settings) -> list[TownFreshness]:
    """All towns by name, Sampleton among them where the demo is on."""
    known = sorted(towns(demo=settings.demo_on), key=lambda town: town.name)
    here = Lake(settings).snapshot(PROPERTIES).partitions
    entries = {town.town_id: here.get(PROPERTIES.partition(town.town_id)) for town in known}
    places = {**town_centres(), **_middles({number: e for number, e in entries.items() if e is not None})}
    found = []
    for town, overview in zip(known, town_overviews(settings, known), strict=True):
        entry = entries[town.town_id]
        facts: Mapping[str, Any] = entry.facts if entry is not None else {}
        found.append(
            TownFreshness(
                town,
                _state(overview),
                overview,
                facts.get("fiscal_year"),
                facts.get("source_date"),
                entry.data.rows if entry is not None else None,
                places.get(town.town_id),
            )
        )
    return found


def _state(overview: TownOverview) -> State:
    if overview.status == "current":
        return "fresh"
    if overview.status == "rebuild needed":
        return "outdated"
    if overview.remark:
        return "failed"
    return "never" if overview.status == "not fetched" else "outdated"


def _middles(entries: Mapping[int, PartitionEntry]) -> dict[int, Point]:
    """Middles of the boxes around what is here."""
    boxes = {number: entry.data.bbox for number, entry in entries.items() if entry.data.bbox is not None}
    if not boxes:
        return {}
    # Imported late: projections are needed for this one map.
    from pyproj import Transformer

    to_degrees = Transformer.from_crs(26986, 4326, always_xy=True)
    return {
        number: to_degrees.transform((west + east) / 2, (south + north) / 2)
        for number, (west, south, east, north) in boxes.items()
    }
