"""Where a party lives, as a court's record tells it: keys that properties' addresses are compared with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from leadflow_assets.domain.addresses import address_key, parse_address, split_place, zip5
from leadflow_assets.domain.addresses.places import city_key
from leadflow_assets.domain.towns import SAMPLETON, all_towns

HOME_STATE = "MA"
_CARE_OF = re.compile(r"\bC\s*/\s*O\b|\bCARE\s+OF\b|\bATTN\b", re.IGNORECASE)
_IDENTIFIER = re.compile(r"\b(?:SSN|ITIN|EIN|TAX ID)\b|[\dX*]{3}-[\dX*]{2}-\d{4}", re.IGNORECASE)
_PHONE = re.compile(r"^\W*(?:\d{3}\W{0,2})?\d{3}\W\d{4}\W*$")


@dataclass(frozen=True, slots=True)
class DebtorPlace:
    """What is known of where a party lives.

    ``keys`` are the forms in which a property's ``address_key`` or ``mailing_key`` would write the same
    address; none where no street or box was read, or where it is somebody else's (care of). ``town_id`` and
    ``zip_code`` are None where unknown; ``elsewhere`` is set for an address in another state.
    """

    keys: tuple[str, ...] = ()
    town_id: int | None = None
    zip_code: str | None = None
    elsewhere: bool = False


UNKNOWN_PLACE = DebtorPlace()


@cache
def _towns() -> Mapping[str, int]:
    return {
        city_key(name): town.town_id
        for town in (*all_towns(), SAMPLETON)
        for name in (town.name, town.other_name)
        if name
    }


def town_of_city(city: str | None) -> int | None:
    """The id of the town a city's name stands for; None for a village or a place elsewhere."""
    return _towns().get(city_key(city)) if city else None


def read_debtor_place(
    address: str | None, city: str | None = None, zip_code: str | None = None
) -> DebtorPlace:
    """Read an address in lines or in one line; ``city`` and ``zip_code`` stand for what it does not tell.

    An address in care of somebody (a debtor's lawyer) says nothing of where the party lives. Never raises.
    """
    lines = [line.strip(" ,;") for line in (address or "").splitlines()]
    lines = [line for line in lines if line and not _PHONE.match(line) and not _IDENTIFIER.search(line)]
    text = ", ".join(lines)
    if _CARE_OF.search(text):
        return UNKNOWN_PLACE
    street, found_city, state, found_zip = split_place(text) if text else (None, None, None, None)
    city, zip_code = found_city or city, found_zip or zip5(zip_code)
    elsewhere = state not in (None, HOME_STATE)
    town_id = None if elsewhere else town_of_city(city)
    read = parse_address(street)
    places = (town_id, zip_code, city.upper() if city else None)
    keys = tuple(key for place in places if (key := address_key(read, place)) is not None)
    return DebtorPlace(keys, town_id, zip_code, elsewhere)
