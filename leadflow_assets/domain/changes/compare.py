"""Two releases of one property: the events, one per happening."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from leadflow_assets.domain.changes.buildings import building_changes
from leadflow_assets.domain.changes.mailing import has_moved
from leadflow_assets.domain.changes.owners import owner_change
from leadflow_assets.domain.changes.record import Record
from leadflow_assets.domain.changes.rules import ChangeRules, TownMoves
from leadflow_assets.domain.changes.sales import sale_change, sale_quality
from leadflow_assets.domain.occupancy import IN_STATE, OCCUPIED, OUT_OF_STATE

_ABSENTEE = (IN_STATE, OUT_OF_STATE)
# How sure it is that a difference of this kind is what it is called.
_CONFIDENCE = {
    "sale": 0.99,
    "sale_corrected": 0.9,
    "owner_changed": 0.9,
    "mailing_moved": 0.9,
    "became_absentee": 0.8,
    "became_owner_occupied": 0.8,
    "built": 0.9,
    "demolished": 0.85,
    "renovated": 0.8,
    "use_changed": 0.9,
    "value_moved": 0.99,
}


@dataclass(frozen=True)
class Change:
    """One happening. ``includes`` are kinds that went with it and are no events of their own.

    ``day`` is the source's date of it, None where it has none. ``owner_change`` is one of
    ``OWNER_CHANGES``, ``sale_quality`` one of ``SALE_QUALITIES``; ``confidence`` lies between 0 and 1.
    """

    kind: str
    includes: tuple[str, ...] = ()
    confidence: float = 1.0
    day: date | None = None
    owner_change: str | None = None
    sale_quality: str | None = None


def compare(
    before: Record, after: Record, town: TownMoves, rules: ChangeRules, *, same_land: bool = True
) -> list[Change]:
    """The events between two releases of one property: at most one of who has it, one of what it is.

    ``same_land`` False: the parcel was split or merged, which explains another value, use or building.
    """
    events = []
    transfer = _transfer(before, after, town, rules)
    if transfer is not None:
        events.append(transfer)
    kinds = building_changes(before, after, town, rules) if same_land else []
    if kinds:
        events.append(Change(kinds[0], tuple(kinds[1:]), _CONFIDENCE[kinds[0]]))
    return events


def _transfer(before: Record, after: Record, town: TownMoves, rules: ChangeRules) -> Change | None:
    """Sale, owners, mailing address and occupancy: whoever buys gets the bill elsewhere, and that is one."""
    sale = sale_change(before, after, rules)
    owners = owner_change(before.owner, after.owner)
    moved = not town.mailings_withdrawn and has_moved(before.mailing, after.mailing)
    living = _occupancy(before, after) if moved else None
    kinds = [
        *(["sale"] if sale == "sale" else []),
        *(["owner_changed"] if owners else []),
        # Where it decides who lives there, the move itself is no second thing.
        *([living] if living else []),
        *(["mailing_moved"] if moved else []),
        *(["sale_corrected"] if sale == "sale_corrected" else []),
    ]
    if not kinds:
        return None
    return Change(
        kind=kinds[0],
        includes=tuple(kinds[1:]),
        confidence=_CONFIDENCE[kinds[0]],
        day=after.sale_date if kinds[0] == "sale" else None,
        owner_change=owners,
        sale_quality=sale_quality(after) if sale else None,
    )


def _occupancy(before: Record, after: Record) -> str | None:
    """Only from certain to certain: what is uncertain on one side may have been so before."""
    if before.occupancy == OCCUPIED and after.occupancy in _ABSENTEE:
        return "became_absentee"
    if before.occupancy in _ABSENTEE and after.occupancy == OCCUPIED:
        return "became_owner_occupied"
    return None
