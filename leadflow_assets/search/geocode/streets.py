"""The streets of the lake and the parcels along them: the questions the geocoder asks the properties."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import duckdb

from leadflow_assets.domain.addresses import Address
from leadflow_assets.domain.towns import town_by_id
from leadflow_assets.search.geocode.house_numbers import Entry

# Places in `address_key`: the town, then the ten fields of an address's key, the unit last.
_LOT, _UNIT = 5, 10
_NEAR_ENOUGH = 75.0  # of 100, rapidfuzz's ratio of two street names


@dataclass(frozen=True)
class Street:
    """A street of a town: its name and the parts of it, its ZIPs, and has it the number asked for?"""

    town_id: int
    name: str
    parts: tuple[str, str, str]
    zips: frozenset[str | None]
    has_number: bool

    @property
    def label(self) -> str:
        """The street with its town."""
        return f"{self.name}, {town_by_id(self.town_id).name}"

    def fits(self, address: Address) -> bool:
        """Has it every part that was asked for? What was not asked for may be anything."""
        asked = (address.predir, address.suffix, address.postdir)
        return all(part in {"", has} for part, has in zip(asked, self.parts, strict=True))

    def in_zip(self, postcode: str | None, *, town_known: bool) -> bool:
        """May it be the one in that ZIP? Without ZIPs of its own it is taken on the town's word alone."""
        return postcode is None or postcode in self.zips or (town_known and None in self.zips)


class Streets:
    """Questions to the rows of ``relation`` (the columns of mart/properties) that have a point.

    In every method ``towns`` are ids, none meaning all. DuckDB skips the rows of other towns when the
    relation is ordered by ``town_id``.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, relation: str) -> None:
        self._connection = connection
        self._relation = '"' + relation.replace('"', '""') + '"'

    def any_data(self, towns: Sequence[int]) -> bool:
        """Does the lake hold one of the towns at all?"""
        return bool(self._rows("SELECT 1 FROM {relation} WHERE {in_towns} LIMIT 1", towns))

    def named(self, address: Address, towns: Sequence[int]) -> list[Street]:
        """The streets of that name, whatever their direction, suffix and ZIP."""
        sql = """
            SELECT town_id, street_normalized, any_value(address_key), zip,
                bool_or($number BETWEEN house_number AND coalesce(house_number_high, house_number))
            FROM {relation}
            WHERE {in_towns} AND contains(street_normalized, $name) AND point_x IS NOT NULL
            GROUP BY town_id, street_normalized, zip ORDER BY town_id, street_normalized
        """
        rows = self._rows(sql, towns, name=address.name, number=address.num or 0)
        streets = []
        for (town_id, name), group in groupby(rows, key=lambda row: row[:2]):
            _, _, keys, zips, numbered = zip(*group, strict=True)
            _, predir, bare_name, suffix, postdir = keys[0].split("|")[_LOT:_UNIT]
            if bare_name == address.name:
                parts = (predir, suffix, postdir)
                streets.append(Street(town_id, name, parts, frozenset(zips), any(numbered)))
        return streets

    def similar(self, name: str, towns: Sequence[int], limit: int) -> list[str]:
        """The street names of the towns that are nearly equal to ``name``, the nearest first."""
        from rapidfuzz import fuzz, process

        sql = """
            SELECT DISTINCT street_normalized FROM {relation}
            WHERE {in_towns} AND street_normalized IS NOT NULL ORDER BY 1
        """
        known = [street for (street,) in self._rows(sql, towns)]
        found = process.extract(name, known, scorer=fuzz.ratio, score_cutoff=_NEAR_ENOUGH, limit=limit)
        return [street for street, *_ in found]

    def entries(self, street: Street, *, postcode: str | None, unit: str) -> list[Entry]:
        """The parcels of a street, one entry for each address and point; units share their parcel's.

        With a ZIP only those that are in it or have none.
        """
        sql = """
            SELECT coalesce(house_number, 0), coalesce(house_number_high, house_number, 0),
                regexp_replace(address_key, '[|][^|]*$', '') AS key_without_unit, zip, point_x, point_y,
                any_value(lon), any_value(lat), coalesce(bool_or(unit = $unit), false),
                coalesce(min(property_id) FILTER (unit = $unit), min(property_id))
            FROM {relation}
            WHERE {in_towns} AND street_normalized = $street AND point_x IS NOT NULL
                AND ($zip = '' OR zip IS NULL OR zip = $zip)
            GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY ALL
        """
        rows = self._rows(sql, [street.town_id], street=street.name, unit=unit or None, zip=postcode or "")
        return [_entry(*row) for row in rows]

    def _rows(self, sql: str, towns: Sequence[int], **parameters: Any) -> list[tuple[Any, ...]]:
        # Ids stand in the text itself: DuckDB prunes by constants.
        held = f"town_id IN ({', '.join(str(int(town_id)) for town_id in towns)})" if towns else "true"
        text = sql.format(relation=self._relation, in_towns=held)
        return self._connection.execute(text, parameters).fetchall()


def _entry(
    number: int,
    high: int,
    key: str,
    postcode: str | None,
    x: float,
    y: float,
    lon: float,
    lat: float,
    has_unit: bool,
    property_id: str,
) -> Entry:
    _, first, _, rear, off, *_ = key.split("|")
    letter = first.lstrip("0123456789")
    return Entry(number, high, letter, bool(rear), bool(off), has_unit, postcode, x, y, lon, lat, property_id)
