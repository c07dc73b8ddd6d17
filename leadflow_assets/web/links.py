"""Addresses of pages that several pages lead to."""

from __future__ import annotations

from urllib.parse import quote

from leadflow_assets.domain.towns import Town, find_town


def parcel_path(town: Town | int | str, place: str) -> str:
    """The page of a parcel by its LOC_ID, or of a record without one by its property_id."""
    known = town if isinstance(town, Town) else find_town(str(town))
    return f"/parcel/{known.key}/{quote(place, safe='')}"
