"""Does the tax bill go elsewhere, or is the address only written otherwise?"""

from __future__ import annotations

from rapidfuzz import fuzz

from leadflow_assets.domain.addresses import zip5
from leadflow_assets.domain.addresses.places import city_key
from leadflow_assets.domain.changes.record import Mailing
from leadflow_assets.domain.occupancy import NEAR_EQUAL


def has_moved(before: Mailing | None, after: Mailing | None) -> bool:
    """Is it another address? Unknown on one side is no move, nor is a unit more or less.

    What a typing mistake could explain is none either: the same number on a street of nearly the same name
    in the same place, or a text that cannot be read as an address and is nearly the same.
    """
    if before is None or after is None:
        return False
    one, other = before.address, after.address
    if "none" in (one.kind, other.kind):
        texts = [" ".join(address.raw.upper().split()) for address in (one, other)]
        if not all(texts):
            return False
        return fuzz.ratio(*texts) < 100 * NEAR_EQUAL and one.kind == other.kind
    if one.kind != other.kind:
        return True
    place = _same_place(before, after)
    if one.kind == "pobox":
        return one.box != other.box or not place
    if not place:
        return True
    return not (_same_number(before, after) and _same_street(before, after))


def _same_place(one: Mailing, other: Mailing) -> bool:
    """One ZIP or one city, or nothing to tell them apart."""
    zips, cities = (zip5(one.zip), zip5(other.zip)), (city_key(one.city), city_key(other.city))
    if all(zips) and zips[0] == zips[1]:
        return True
    if all(cities):
        return cities[0] == cities[1]
    return not all(zips)


def _same_number(one: Mailing, other: Mailing) -> bool:
    """Ranges that share a number; no number on either side."""
    a, b = one.address.numbers(), other.address.numbers()
    if a is None or b is None:
        return a == b
    return a[0] <= b[1] and b[0] <= a[1]


def _same_street(one: Mailing, other: Mailing) -> bool:
    a, b = one.address, other.address
    if a.name == b.name:
        directions = {direction for direction in (a.predir, b.predir) if direction}
        return len(directions) < 2
    return fuzz.ratio(a.street, b.street) >= 100 * NEAR_EQUAL and _digits(a.name) == _digits(b.name)


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdigit())
