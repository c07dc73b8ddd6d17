"""Which town a source means: by its taxing jurisdiction, city or village, or ZIP; never by the county."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from leadflow_assets.domain.addresses import state_of_zip, zip5
from leadflow_assets.domain.addresses.places import city_key, state_code
from leadflow_assets.domain.towns import towns


class Gazetteer:
    """Finds towns by the words for places; villages are known by the cities that towns here publish."""

    def __init__(self, known: Iterable[tuple[int, str | None, str | None]]) -> None:
        """``known``: town id, city and ZIP as they occur in mart/properties."""
        self._here: set[int] = set()
        self._cities: dict[str, set[int]] = defaultdict(set)
        self._zips: dict[str, set[int]] = defaultdict(set)
        for town_id, city, code in known:
            self._here.add(town_id)
            self._cities[city_key(city)].add(town_id)
            self._zips[code or ""].add(town_id)
        self._names = {
            city_key(name): town.town_id
            for town in towns(demo=True)
            for name in (town.name, town.other_name)
            if name
        }

    def towns_of(
        self,
        municipality: str | None,
        city: str | None,
        code: str | None,
        state: str | None,
        fips: str | None,
    ) -> dict[str, Any]:
        """``towns`` it may lie in (of those here), ``other_towns`` of its ZIP, and how sure that is."""
        code = zip5(code)
        if _is_elsewhere(state, code, fips):
            return {"towns": [], "other_towns": [], "is_sure": False, "is_elsewhere": True}
        by_zip = self._zips.get(code or "", set()) if code else set()
        named = self._named(municipality)
        if named is not None:
            return self._found({named}, set(), is_sure=True)
        named = self._named(city)
        if named is not None:
            return self._found({named}, by_zip, is_sure=False)
        village = self._cities.get(city_key(city), set()) if city_key(city) else set()
        if village:
            return self._found(village & by_zip or village, by_zip, is_sure=False)
        return self._found(by_zip, set(), is_sure=False)

    def _named(self, text: str | None) -> int | None:
        """The town of exactly this name; TOWN OF before it and TOWN or CITY behind it do not count."""
        key = city_key(text)
        for name in (key, key.removesuffix(" CITY").removesuffix(" TOWN")):
            if name in self._names:
                return self._names[name]
        return None

    def _found(self, found: set[int], others: set[int], *, is_sure: bool) -> dict[str, Any]:
        return {
            "towns": sorted(found & self._here),
            "other_towns": sorted(others - found),
            "is_sure": is_sure,
            "is_elsewhere": False,
        }


def _is_elsewhere(state: str | None, code: str | None, fips: str | None) -> bool:
    """Does it lie outside Massachusetts? The county code's first two digits are the state's."""
    said = state_code(state) or state_of_zip(code)
    if said is not None:
        return said != "MA"
    return bool(fips and len(fips) == 5 and not fips.startswith("25"))
