"""Records of ATTOM that may be a property of ours: decided once, and what was decided lately."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from leadflow_assets.enrich.reviewing.outcome import Outcome, Result
from leadflow_assets.enrich.unified.gather import SOURCE, open_database, read_inputs
from leadflow_assets.enrich.unified.merge import merge, town_of
from leadflow_assets.enrich.unified.reviews import confirm, decisions, reject
from leadflow_assets.lake.lake import Lake
from leadflow_assets.settings import Settings
from leadflow_assets.state import database, property_reviews
from leadflow_assets.state.property_reviews import PropertyReview

REJECTED: Final = "rejected"
_TOLD: Final = ("apn", "assessed_total", "avm_value", "last_sale_date", "last_buyer")


def decide_property(
    settings: Settings, attom_id: int, property_id: str | None, *, by: str, note: str = "", seen: str = ""
) -> Result:
    """Say which property an ATTOM id is (None: none of ours), unless that is done, or was decided otherwise.

    ``seen`` is what stood when the person looked: a property's id, ``rejected``, or nothing. A decision whose
    effect was cut short is brought to its end.

    Raises:
        UsageError: no batch has that ATTOM id, there is no such property, or nobody decides.
    """
    wanted, history = property_id or REJECTED, decisions(settings, attom_id)
    last = history[-1] if history else None
    standing = "" if last is None else last.property_id or REJECTED
    if last is not None and standing == wanted:
        towns = {town_of(Lake(settings), property_id)} if property_id else set()
        merge(settings, towns=towns | _towns_of(settings, attom_id))
        return Result(Outcome.ALREADY, standing, last.decided_by, last.decided_at)
    if last is not None and standing != seen:
        return Result(Outcome.OTHERWISE, standing, last.decided_by, last.decided_at)
    if property_id is None:
        reject(settings, attom_id, by=by, note=note)
    else:
        confirm(settings, attom_id, property_id, by=by, note=note)
    return Result(Outcome.DONE, wanted, by, datetime.now(UTC))


def records_of(settings: Settings, attom_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """What helps to tell which property these ATTOM ids are: parcel number, value, last sale and buyer."""
    if not attom_ids:
        return {}
    told = ", ".join(f"max({name}) AS {name}" for name in _TOLD)
    sql = f"SELECT attom_id, {told} FROM published WHERE attom_id IN (SELECT unnest(?)) GROUP BY attom_id"
    with open_database(read_inputs(Lake(settings))) as connection:
        rows = connection.execute(sql, [list(attom_ids)]).to_arrow_table().to_pylist()
    return {row["attom_id"]: row for row in rows}


def _towns_of(settings: Settings, attom_id: int) -> set[int]:
    """Where records of the id stand as published."""
    with open_database(read_inputs(Lake(settings))) as connection:
        sql = "SELECT DISTINCT town_id FROM published WHERE attom_id = ?"
        return {town for (town,) in connection.execute(sql, [attom_id]).fetchall()}


def decided_lately(settings: Settings, limit: int) -> list[PropertyReview]:
    """The decisions that count, the newest first."""
    with database.session(settings) as session:
        return property_reviews.newest(session, SOURCE, limit)
