"""What is here, town by town: release, age, counts, rejects, match rates, and what the source last said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from leadflow_assets.domain.towns import Town, towns
from leadflow_assets.lake import tables
from leadflow_assets.lake.lake import Lake
from leadflow_assets.refresh.plan import Held
from leadflow_assets.settings import Settings
from leadflow_assets.state import database, source_checks


@dataclass(frozen=True)
class TownOverview:
    """One town. Counts are None where nothing is published: not zero."""

    town_id: int
    town: str
    status: str
    release: str | None = None
    fetched: datetime | None = None
    age_days: int | None = None
    polygons: int | None = None
    records: int | None = None
    dropped: int | None = None
    kept_with_reservation: int | None = None
    matched_percent: float | None = None
    below_standard: str | None = None
    unmatched_dollars: int | None = None
    last_checked: datetime | None = None
    remark: str = ""


def held_towns(settings: Settings) -> list[Town]:
    """The towns whose properties are here, by name."""
    names = {tables.PROPERTIES.partition(town.town_id): town for town in towns(demo=True)}
    here = Lake(settings).snapshot(tables.PROPERTIES).partitions
    return sorted((names[name] for name in here if name in names), key=lambda town: town.name)


def town_overviews(settings: Settings, wanted: Sequence[Town]) -> list[TownOverview]:
    """The overview of the given towns, read from the newest snapshots and the state database."""
    held = Held.read(Lake(settings))
    with database.session(settings) as session:
        checks = source_checks.latest(session)
    return [_overview(town, held, checks.get(town.town_id), settings) for town in wanted]


def _overview(
    town: Town, held: Held, check: source_checks.SourceCheck | None, settings: Settings
) -> TownOverview:
    package = held.package(town)
    checked = check.checked_at if check else None
    if package is None:
        remark = check.problem or "" if check else ""
        return TownOverview(town.town_id, town.name, "not fetched", last_checked=checked, remark=remark)
    fetched = datetime.fromisoformat(package.facts["receipt"]["fetched_at"])
    age = (datetime.now(UTC) - fetched).days
    parcels = held.entry(tables.PARCELS.name, town)
    assessments = held.entry(tables.ASSESSMENTS.name, town)
    if parcels is None or assessments is None or not held.current(town):
        return TownOverview(
            town.town_id,
            town.name,
            "rebuild needed",
            release=package.facts["release"],
            fetched=fetched,
            age_days=age,
            last_checked=checked,
            remark="run `leadflow refresh` for it",
        )
    rates = assessments.facts["match_rates"]
    below = [
        name for name, (matched, total, least) in rates.items() if total and 100 * matched < least * total
    ]
    total = assessments.data.rows
    return TownOverview(
        town_id=town.town_id,
        town=town.name,
        status=_status(check, age, settings, fetched),
        release=package.facts["release"],
        fetched=fetched,
        age_days=age,
        polygons=parcels.data.rows,
        records=total,
        dropped=parcels.facts["dropped"] + assessments.facts["dropped"],
        kept_with_reservation=parcels.facts["kept"] + assessments.facts["kept"],
        matched_percent=round(100 * (total - assessments.facts["unmatched_records"]) / total, 2)
        if total
        else None,
        below_standard=", ".join(below) or None,
        unmatched_dollars=assessments.facts["unmatched_dollars"],
        last_checked=checked,
        remark=(check.problem or "") if check else "",
    )


def _status(check: source_checks.SourceCheck | None, age: int, settings: Settings, fetched: datetime) -> str:
    if check is not None and check.outcome == "changed" and check.checked_at > fetched:
        return "new release"
    if age > settings.massgis_max_age_days and (check is None or check.outcome != "unchanged"):
        return "stale"
    return "current"
