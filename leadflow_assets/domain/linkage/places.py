"""Is the party's place the owner's? The finest level both sides know decides; a coarser one adds nothing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from leadflow_assets.domain.linkage.weights import EQUAL, MISSING, OTHER


@dataclass(frozen=True, slots=True)
class OwnerPlace:
    """Towns of the property and of its bill, their counties, and the ZIP of the bill where known."""

    towns: Collection[int]
    counties: Collection[str]
    zip_code: str | None


@dataclass(frozen=True, slots=True)
class PartyPlace:
    """Where the party lives: a town, a ZIP, else only the counties of the court's division.

    ``elsewhere``: in another state.
    """

    town_id: int | None = None
    zip_code: str | None = None
    counties: Collection[str] = ()
    elsewhere: bool = False


def place_outcome(party: PartyPlace, owner: OwnerPlace) -> tuple[str, str]:
    """(equal, other or missing; the level that decided: town, zip, county or nothing)."""
    if party.town_id is not None and party.town_id in owner.towns:
        return EQUAL, "town"
    if party.zip_code is not None and party.zip_code == owner.zip_code:
        return EQUAL, "zip"
    if party.elsewhere or party.town_id is not None:
        return OTHER, "town"
    if party.zip_code is not None and owner.zip_code is not None:
        return OTHER, "zip"
    if party.counties:
        return (OTHER if set(party.counties).isdisjoint(owner.counties) else EQUAL), "county"
    return MISSING, ""
