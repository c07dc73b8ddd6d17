"""What a person typed as a place: coordinates, or a street address and the town it lies in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from leadflow_assets.domain.addresses import Address, parse_address, split_place
from leadflow_assets.domain.addresses.places import city_key
from leadflow_assets.domain.towns import Town, find_town, town_by_id, towns
from leadflow_assets.errors import UsageError
from leadflow_assets.search.areas import check_point

_NUMBER = r"[-+]?\d{1,3}(?:\.\d*)?"
_COORDINATES = re.compile(rf"\s*({_NUMBER})\s*[,\s]\s*({_NUMBER})\s*")
_LONGEST_TOWN_NAME = 3  # words
_STATES = {None, "MA"}


class NotLocatedError(UsageError):
    """The parcels cannot answer: no data, no such street, or too vague. Another geocoder might."""


@dataclass(frozen=True)
class Reading:
    """One way to read a text: an address, its town where the text names one, and its ZIP."""

    address: Address
    town: Town | None
    zip: str | None


def read_coordinates(text: str) -> tuple[float, float] | None:
    """Longitude and latitude of a text ``LAT,LON`` in degrees; None when it is not two numbers.

    Raises:
        UsageError: the point is not in Massachusetts; says so when the two are swapped.
    """
    match = _COORDINATES.fullmatch(text)
    if match is None:
        return None
    lat, lon = float(match[1]), float(match[2])
    try:
        check_point(lon, lat)
    except ValueError as error:
        raise UsageError(f"{text.strip()!r} is not a place: {error}.", "Write LAT,LON in degrees.") from None
    return lon, lat


def in_massachusetts(lon: float, lat: float) -> bool:
    """May the point (degrees) lie in the state?"""
    try:
        check_point(lon, lat)
    except ValueError:
        return False
    return True


def read_address(text: str, limited_to: Sequence[int] = ()) -> tuple[Reading, ...]:
    """The ways to read a text as an address, the likeliest first.

    A town stands after a comma, or as the last words. ``limited_to``: ids of the search's towns, which
    help to tell a town from a street that carries its name ("12 Lincoln").

    Raises:
        UsageError: no street in it, a P.O. box, or another state.
        NotLocatedError: the town is unknown and no ZIP stands for it.
    """
    street, city, state, postcode = split_place(text)
    if state not in _STATES:
        raise UsageError(f"{text.strip()!r} lies in {state}; only Massachusetts is known here.")
    if city:
        town = named_town(city)
        if town is None and not postcode:
            raise _unknown_town(city)
        return (Reading(_street_address(street, text), town, postcode),)
    plain = Reading(_street_address(street, text), None, postcode)
    named = _trailing_town(street, postcode)
    if named is None:
        return (plain,)
    if named.address.suffix and not plain.address.suffix:
        return (named,)
    elsewhere = bool(limited_to) and named.town is not None and named.town.town_id not in limited_to
    return (plain, named) if elsewhere or plain.address.suffix else (named, plain)


def _street_address(street: str, text: str) -> Address:
    address = parse_address(street)
    if address.kind == "pobox":
        raise UsageError("A P.O. box is not a place on the map.", "Give a street address or LAT,LON.")
    if not address.name:
        raise UsageError(
            f"There is no street in {text.strip()!r}.", 'Write "12 Main St, Town", or LAT,LON in degrees.'
        )
    return address


def _trailing_town(street: str, postcode: str | None) -> Reading | None:
    """The reading whose town is the last words of the street, the longest name that is a town's."""
    words = street.split()
    for count in range(min(_LONGEST_TOWN_NAME, len(words) - 1), 0, -1):
        town = named_town(" ".join(words[-count:]))
        if town is None:
            continue
        address = parse_address(" ".join(words[:-count]))
        if address.name and address.kind != "pobox":
            return Reading(address, town, postcode)
    return None


@cache
def _towns_by_name() -> dict[str, Town]:
    known = towns(demo=True)
    return {city_key(name): town for town in known for name in (town.name, town.other_name) if name}


def named_town(name: str) -> Town | None:
    """The town of exactly this name, short forms such as "N Reading" included."""
    return _towns_by_name().get(city_key(name))


def online_line(text: str, limited_to: Sequence[int] = ()) -> str | None:
    """The address in one line for an online geocoder, with the one town of ``limited_to`` if it names none.

    None when nothing says where in the state it lies: somewhere an address of that kind always exists.
    """
    street, city, _, postcode = split_place(text)
    if not (city or postcode or _trailing_town(street, postcode)):
        if len(limited_to) != 1:
            return None
        city = town_by_id(limited_to[0]).name
    return ", ".join(part for part in (street, city, f"MA {postcode or ''}".strip()) if part)


def _unknown_town(name: str) -> NotLocatedError:
    try:
        find_town(name)
    except UsageError as error:
        return NotLocatedError(error.message, f"{error.hint} A village needs its town or its ZIP.")
    return NotLocatedError(f"{name!r} is not the name of a town.", "Name the town, or give the ZIP.")
