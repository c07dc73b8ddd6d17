"""Records that wait for a person, and what the person says. Decisions are kept, all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from leadflow_assets.domain.towns import town_by_id
from leadflow_assets.enrich.unified import gather
from leadflow_assets.enrich.unified.gather import SOURCE, read_inputs
from leadflow_assets.enrich.unified.merge import MergeReport, merge, town_of
from leadflow_assets.errors import UsageError
from leadflow_assets.lake.lake import Lake
from leadflow_assets.settings import Settings
from leadflow_assets.state import database, property_reviews
from leadflow_assets.state.property_reviews import PropertyReview

_SHOWN = """
SELECT attom_id, town_id, arg_max(site_address, record_id), arg_max(site_unit, record_id),
    arg_max(coalesce(site_city, municipality), record_id), any_value(match_reason), any_value(candidates),
    count(*)
FROM published
WHERE match_status = 'review'
GROUP BY attom_id, town_id
ORDER BY town_id, attom_id
"""


@dataclass(frozen=True)
class Waiting:
    """An ATTOM id that waits for a decision. ``reason`` is one of MATCH_REASONS; ``records`` counts them."""

    attom_id: int
    town_id: int
    town: str
    site_address: str | None
    site_unit: str | None
    site_city: str | None
    reason: str
    candidates: tuple[str, ...]
    records: int


def waiting(settings: Settings, *, towns: Sequence[int] = ()) -> list[Waiting]:
    """What waits for a decision, by town and ATTOM id; ``towns`` limits it."""
    inputs = read_inputs(Lake(settings))
    if not any(entry.facts.get("review") for entry in inputs.records.values()):
        return []
    with gather.open_database(inputs) as connection:
        rows = connection.execute(_SHOWN).fetchall()
    found = [
        Waiting(
            attom_id=row[0],
            town_id=row[1],
            town=town_by_id(row[1]).name,
            site_address=row[2],
            site_unit=row[3],
            site_city=row[4],
            reason=row[5],
            candidates=tuple(row[6] or ()),
            records=row[7],
        )
        for row in rows
    ]
    return [row for row in found if not towns or row.town_id in towns]


def confirm(settings: Settings, attom_id: int, property_id: str, *, by: str, note: str = "") -> MergeReport:
    """Say which property an ATTOM id is, for good; its town's tables are made anew.

    Raises:
        UsageError: no batch has that ATTOM id, or there is no such property.
    """
    lake = Lake(settings)
    _require_known(lake, attom_id)
    return _decide(settings, attom_id, property_id, {town_of(lake, property_id)}, by, note)


def reject(settings: Settings, attom_id: int, *, by: str, note: str = "") -> MergeReport:
    """Say that an ATTOM id is none of our properties, for good; its town's tables are made anew.

    Raises:
        UsageError: no batch has that ATTOM id.
    """
    _require_known(Lake(settings), attom_id)
    return _decide(settings, attom_id, None, set(), by, note)


def decisions(settings: Settings, attom_id: int) -> list[PropertyReview]:
    """Everything that was ever decided about an ATTOM id, the oldest first."""
    with database.session(settings) as session:
        return property_reviews.history(session, SOURCE, str(attom_id))


def _decide(
    settings: Settings, attom_id: int, property_id: str | None, towns: set[int], by: str, note: str
) -> MergeReport:
    if not by.strip():
        raise UsageError("A decision needs the name of who decided.", "Give --by NAME.")
    review = PropertyReview(SOURCE, str(attom_id), property_id, by.strip(), datetime.now(UTC), note)
    with database.session(settings) as session:
        property_reviews.record(session, review)
        session.commit()
    return merge(settings, towns=towns | _towns_of(Lake(settings), attom_id))


def _towns_of(lake: Lake, attom_id: int) -> set[int]:
    """Where records of the id stand as published."""
    with gather.open_database(read_inputs(lake)) as connection:
        rows = connection.execute(
            "SELECT DISTINCT town_id FROM published WHERE attom_id = ?", [attom_id]
        ).fetchall()
    return {town for (town,) in rows}


def _require_known(lake: Lake, attom_id: int) -> None:
    with gather.open_database(read_inputs(lake)) as connection:
        if not connection.execute("SELECT 1 FROM attom WHERE attom_id = ? LIMIT 1", [attom_id]).fetchone():
            raise UsageError(
                f"No batch has a property with the ATTOM id {attom_id}.",
                "`leadflow review list` shows those that wait.",
            )
