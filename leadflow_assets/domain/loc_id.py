"""LOC_ID: the id of a polygon, made from a point inside it.

``F_667198_2853392`` is in US survey feet, ``M_203363_869716`` in metres, both State Plane Mainland NAD83
(MassGIS parcel standard 3.0). One letter per town. Not permanent: a split or merge makes new ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

PATTERN = r"^(?P<letter>[FM])_(?P<x>\d{1,8})_(?P<y>\d{1,8})$"
METRES_PER_SURVEY_FOOT = 1200 / 3937


@dataclass(frozen=True)
class LocIdPoints:
    """Per LOC_ID: its letter and its point in EPSG:26986 metres; null where malformed."""

    letter: pa.Array
    x: pa.Array
    y: pa.Array


def parse_loc_ids(loc_ids: pa.Array) -> LocIdPoints:
    """Split an array of LOC_IDs; anything that does not fit the pattern becomes null."""
    parts = pc.extract_regex(loc_ids, PATTERN)
    letter = pc.struct_field(parts, "letter")
    factor = pc.if_else(pc.equal(letter, "F"), METRES_PER_SURVEY_FOOT, 1.0)
    return LocIdPoints(letter, _metres(parts, "x", factor), _metres(parts, "y", factor))


def _metres(parts: pa.Array, name: str, factor: pa.Array) -> pa.Array:
    # The point is truncated to whole units; half a unit is the middle of where it was.
    number = pc.cast(pc.struct_field(parts, name), pa.float64())
    return pc.multiply(pc.add(number, 0.5), factor)


def main_letter(letters: pa.Array) -> str | None:
    """The letter most LOC_IDs of a town have; None if there is none."""
    known = pc.drop_null(letters)
    if len(known) == 0:
        return None
    counts = pc.value_counts(known).to_pylist()
    return str(max(counts, key=lambda c: (c["counts"], c["values"]))["values"])
