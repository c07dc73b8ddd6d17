"""From an address to a point, by the parcels themselves: how it was found, and how far off it may be.

Every parcel has an address and a point, so an address of the roll is found exactly and a missing number
between its neighbours. Nothing is guessed: what fits several streets or towns is refused with their names,
and so is a point too vague for the radius asked. An online geocoder is asked only when one is given, and
only for what the parcels cannot answer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from leadflow_assets.domain.addresses import Address
from leadflow_assets.domain.towns import town_by_id
from leadflow_assets.errors import LeadflowError, UsageError
from leadflow_assets.search.geocode.house_numbers import Entry, Placed, Wanted, place
from leadflow_assets.search.geocode.places import (
    NotLocatedError,
    Reading,
    in_massachusetts,
    named_town,
    online_line,
    read_address,
    read_coordinates,
)
from leadflow_assets.search.geocode.streets import Street, Streets
from leadflow_assets.search.statement import to_state_plane
from leadflow_assets.sources.census_geocoder import BENCHMARK, CensusGeocoder, CensusMatch

# Median and 90th percentile, metres, of the distance to the parcel's own point: the worse of two
# measurements with parcels left out: a dense city (1,281 found of 1,288) and Bellingham, a suburb, in ten
# tenths (5,675 of 5,696; "same_number" on 8 parcels only). Neighbours far apart add half their distance.
# "exact" is not an estimate; several parcels of one address add their spread. Census: medians below 100 m
# (Strickland and others 2007), 95 % within 421 m in suburbs (Cayo and Talbot 2003); rural areas are worse.
EXPECTED_ERRORS: Mapping[str, tuple[float, float]] = {
    "coordinates": (0.0, 0.0),
    "exact": (0.0, 0.0),
    "same_number": (252.0, 540.0),
    "interpolated": (11.0, 58.0),
    "nearest_number": (49.0, 122.0),
    "street": (250.0, 1300.0),
    "census": (100.0, 421.0),
}
METHODS = tuple(EXPECTED_ERRORS)
NAMED_AT_MOST = 8
# Parcels of one address and several ZIPs, further apart than this, are two places of one name.
_SAME_PLACE_M = 300.0
_HOW = {
    "same_number": "another parcel of that number",
    "interpolated": "its neighbors' numbers",
    "nearest_number": "the nearest number",
    "street": "its street",
}


@dataclass(frozen=True)
class Geocoded:
    """A place on the map. ``lon``, ``lat``: degrees; ``x``, ``y``: EPSG:26986 metres.

    ``method`` is one of :data:`METHODS`. ``expected_error_m`` is not exceeded in half of the cases,
    ``worst_error_m`` in nine of ten. ``matched`` is the normalized address the point stands for, and
    ``property_ids`` name the parcels used, one property each.
    """

    query: str
    lon: float
    lat: float
    x: float
    y: float
    method: str
    expected_error_m: float
    worst_error_m: float
    town_id: int | None
    matched: str
    property_ids: tuple[str, ...]
    source: str


class Geocoder:
    """Finds addresses among the rows of ``relation`` (the columns of mart/properties) in ``connection``.

    ``online`` may answer what the parcels cannot; without it no address leaves this computer.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        *,
        relation: str = "properties",
        online: CensusGeocoder | None = None,
    ) -> None:
        self._streets = Streets(connection, relation)
        self._online = online

    def locate(self, text: str, *, towns: Sequence[int] = (), radius_m: float | None = None) -> Geocoded:
        """The place a person typed: ``LAT,LON``, or a street address.

        ``towns``: ids in which to look when the text names no town. ``radius_m``: metres around the point
        that are wanted; a point that may be further off than this is refused.

        Raises:
            NotLocatedError: no data for the town, no such street, or too vague for the radius.
            UsageError: not a place in Massachusetts, or it fits several streets, towns or ZIPs.
            SourceUnavailableError, SourceAnswerError: the online geocoder was needed and failed.
        """
        point = read_coordinates(text)
        if point is not None:
            return _at_coordinates(text, *point)
        try:
            return self._by_parcels(text, towns, radius_m)
        except NotLocatedError as refusal:
            if self._online is None:
                raise
            return _ask_online(self._online, text, towns, radius_m, refusal)

    def _by_parcels(self, text: str, towns: Sequence[int], radius_m: float | None) -> Geocoded:
        refusals: list[NotLocatedError] = []
        for reading in read_address(text, towns):
            try:
                return self._by_reading(text, reading, towns, radius_m)
            except NotLocatedError as refusal:
                refusals.append(refusal)
        raise refusals[0]

    def _by_reading(
        self, text: str, reading: Reading, towns: Sequence[int], radius_m: float | None
    ) -> Geocoded:
        wanted_towns = (reading.town.town_id,) if reading.town else tuple(towns)
        self._require_data(wanted_towns)
        street = self._one_street(reading, wanted_towns)
        address = reading.address
        placed = place(
            _wanted(address), self._streets.entries(street, postcode=reading.zip, unit=address.unit)
        )
        found = _geocoded(text, address, street, placed)
        _refuse_two_places(found, placed)
        _refuse_vague(found, radius_m)
        return found

    def _require_data(self, towns: Sequence[int]) -> None:
        if self._streets.any_data(towns):
            return
        names = _listed([town_by_id(town_id).name for town_id in towns], "or") or "any town"
        ids = " ".join(str(town_id) for town_id in towns[:NAMED_AT_MOST]) or "TOWN"
        raise NotLocatedError(
            f"There is no data for {names} in the lake, so no address can be found there.",
            f"Run `leadflow refresh {ids}`, or give LAT,LON.",
        )

    def _one_street(self, reading: Reading, towns: Sequence[int]) -> Street:
        """The one street that is meant.

        Raises:
            NotLocatedError: there is none. UsageError: there are several.
        """
        same = [s for s in self._streets.named(reading.address, towns) if s.fits(reading.address)]
        fitting = [s for s in same if s.in_zip(reading.zip, town_known=bool(towns))]
        if not fitting:
            raise _wrong_zip(reading, same) if same else self._unknown_street(reading, towns)
        # A bare name may itself be a street's whole name.
        fitting = [s for s in fitting if s.name == reading.address.street] or fitting
        if len({s.town_id for s in fitting}) > 1:
            fitting = [s for s in fitting if s.has_number] or fitting
        if len(fitting) == 1:
            return fitting[0]
        several_towns = len({s.town_id for s in fitting}) > 1
        raise UsageError(
            f"{_shown(reading.address)} may be {_listed([s.label for s in fitting], 'or')}.",
            "Name the town." if several_towns else "Give the whole name of the street.",
        )

    def _unknown_street(self, reading: Reading, towns: Sequence[int]) -> NotLocatedError:
        street = reading.address.street
        if not towns:
            return NotLocatedError(
                f"No town in the lake has a street {street}.",
                "Name the town; `leadflow towns --held` lists those that are in the lake.",
            )
        near = self._streets.similar(street, towns, NAMED_AT_MOST)
        where = _listed([town_by_id(town_id).name for town_id in towns], "or")
        hint = f"Did you mean {_listed(near, 'or')}?" if near else "Check the spelling."
        return NotLocatedError(f"There is no street {street} in {where}.", hint)


def _wrong_zip(reading: Reading, streets: Sequence[Street]) -> NotLocatedError:
    known = sorted({code for street in streets for code in street.zips if code})
    return NotLocatedError(
        f"{_listed([s.label for s in streets])} has no parcel in ZIP {reading.zip}.",
        f"Leave the ZIP out{', or give ' + _listed(known, 'or') if known else ''}.",
    )


def _wanted(address: Address) -> Wanted:
    low, high = address.numbers() or (0, 0)
    return Wanted(low, high, address.num_suffix, address.rear, address.off)


def _geocoded(text: str, address: Address, street: Street, placed: Placed) -> Geocoded:
    median, worst = EXPECTED_ERRORS[placed.method]
    if address.num is None:
        median = worst = 0.0  # the street itself was asked for: it is as vague as it is long
    number = _shown(address, with_street=False)
    if placed.method in {"same_number", "nearest_number"}:
        number = _entry_number(placed.used[0])
    return Geocoded(
        query=text,
        lon=placed.lon,
        lat=placed.lat,
        x=placed.x,
        y=placed.y,
        method=placed.method,
        expected_error_m=max(median, placed.doubt_median),
        worst_error_m=max(worst, placed.doubt),
        town_id=street.town_id,
        matched=(street.label if placed.method == "street" else f"{number} {street.label}").strip(),
        property_ids=tuple(entry.property_id for entry in placed.used),
        source=f"parcels of {town_by_id(street.town_id).name}",
    )


def _entry_number(entry: Entry) -> str:
    high = f"-{entry.high}" if entry.high != entry.number else ""
    return f"{entry.number}{entry.letter}{high}{' REAR' if entry.rear else ''}{' OFF' if entry.off else ''}"


def _shown(address: Address, *, with_street: bool = True) -> str:
    high = f"-{address.num_hi}" if address.num_hi else ""
    number = f"{address.num}{address.num_suffix}{high}" if address.num else ""
    marks = [number, "REAR" * address.rear, "OFF" * address.off]
    return " ".join(part for part in [*marks, address.street * with_street] if part)


def _listed(names: Sequence[str], word: str = "and") -> str:
    """Some names as a phrase, at most ``NAMED_AT_MOST`` of them."""
    shown = list(names[:NAMED_AT_MOST])
    if len(names) > NAMED_AT_MOST:
        return f"{', '.join(shown)} {word} {len(names) - NAMED_AT_MOST} more"
    return f" {word} ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


def _refuse_two_places(found: Geocoded, placed: Placed) -> None:
    zips = sorted({entry.zip for entry in placed.alike if entry.zip})
    if found.method in {"exact", "same_number"} and len(zips) > 1 and placed.doubt > _SAME_PLACE_M:
        raise UsageError(f"{found.matched} is in several ZIPs: {_listed(zips)}.", "Add the ZIP.")


def _refuse_vague(found: Geocoded, radius_m: float | None) -> None:
    if radius_m is None or found.worst_error_m <= radius_m:
        return
    how = _HOW.get(found.method, "several parcels of that address")
    raise NotLocatedError(
        f"{found.matched} is known by {how} only: it may be {found.worst_error_m:.0f} m off "
        f"(half of such places: {found.expected_error_m:.0f} m), and a radius of {radius_m:.0f} m was asked.",
        f"Give a house number that exists, or LAT,LON, or at least {math.ceil(found.worst_error_m)} m.",
    )


def _at_coordinates(text: str, lon: float, lat: float) -> Geocoded:
    x, y = to_state_plane(lon, lat)
    return Geocoded(
        text, lon, lat, x, y, "coordinates", 0.0, 0.0, None, f"{lat:g},{lon:g}", (), "typed coordinates"
    )


def _ask_online(
    online: CensusGeocoder,
    text: str,
    towns: Sequence[int],
    radius_m: float | None,
    refusal: NotLocatedError,
) -> Geocoded:
    line = online_line(text, towns)
    if line is None:
        raise refusal
    try:
        matches = [m for m in online.find(line) if m.state == "MA" and in_massachusetts(m.lon, m.lat)]
    except LeadflowError as error:
        message = f"{refusal.message} The US Census geocoder did not help: {error.message}"
        raise type(error)(message, error.hint) from refusal
    if not matches:
        message = f"{refusal.message} The US Census geocoder found nothing in Massachusetts either."
        raise NotLocatedError(message, refusal.hint) from refusal
    found = [_from_census(text, match) for match in matches]
    if any(math.hypot(f.x - found[0].x, f.y - found[0].y) > _SAME_PLACE_M for f in found):
        names = _listed([f.matched for f in found], "or")
        raise UsageError(f"{text.strip()} may be {names}, says the US Census geocoder.", "Say which.")
    if radius_m is not None and found[0].worst_error_m > radius_m:
        raise refusal
    return found[0]


def _from_census(text: str, match: CensusMatch) -> Geocoded:
    x, y = to_state_plane(match.lon, match.lat)
    town = named_town(match.city)
    return Geocoded(
        text,
        match.lon,
        match.lat,
        x,
        y,
        "census",
        *EXPECTED_ERRORS["census"],
        town_id=town.town_id if town else None,
        matched=match.address,
        property_ids=(),
        source=f"US Census geocoder ({BENCHMARK})",
    )
