"""Addresses of our own pages: lists, parcels, leads, and the search that makes a dynamic list."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from leadflow_assets.domain.towns import Town, find_town
from leadflow_assets.search.criteria import SearchCriteria
from leadflow_assets.web.criteria import query_of

# Addresses below /lists that are pages of their own; names of lists know no case, addresses do.
_PAGES: Final = frozenset({"import"})
# What no parameter of the search page says.
_NOT_ASKED: Final = frozenset({"property_ids", "loc_ids", "as_of"})


def list_path(name: str, *parts: str) -> str:
    """The page of a list, or one below it."""
    if name in _PAGES:
        name = name.upper()
    return "/".join(("/lists", quote(name, safe=""), *(quote(part, safe="") for part in parts)))


def parcel_path(town: Town | int | str, place: str) -> str:
    """The page of a parcel by its LOC_ID, or of a record without one by its property_id."""
    known = town if isinstance(town, Town) else find_town(str(town))
    return f"/parcel/{known.key}/{quote(place, safe='')}"


def record_path(town_id: int | None, loc_id: str | None, property_id: str) -> str | None:
    """The page of a record's parcel; None where its town is not known."""
    return None if town_id is None else parcel_path(town_id, loc_id or property_id)


def search_path(criteria: SearchCriteria) -> str | None:
    """The search page with these criteria; None where an address cannot say them."""
    return None if _NOT_ASKED & criteria.document().keys() else f"/?{query_of(criteria)}"
