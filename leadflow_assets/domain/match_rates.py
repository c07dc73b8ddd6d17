"""The match rates that the MassGIS standard (version 3.0) demands between records and polygons."""

from __future__ import annotations

from dataclasses import dataclass

LARGE_TOWN_POLYGONS = 1000
STRUCTURE_VALUE = 1000  # dollars: above it a record counts as one with a structure

# Percent of records with a structure, of other records, of FEE and TAX polygons.
_LARGE = (99.8, 97.0, 99.0)
_SMALL = (99.0, 95.0, 98.0)


@dataclass(frozen=True)
class MatchRate:
    """One rate: how many of how many, and the least percentage the standard accepts."""

    name: str
    matched: int
    total: int
    minimum: float

    @property
    def percent(self) -> float | None:
        """Percent matched; None when there is nothing to match."""
        return 100.0 * self.matched / self.total if self.total else None

    @property
    def met(self) -> bool:
        """Does the town meet the standard here? Nothing to match meets it."""
        return self.percent is None or self.percent >= self.minimum


def match_rates(
    *,
    polygons: int,
    structures: tuple[int, int],
    others: tuple[int, int],
    parcels: tuple[int, int],
) -> tuple[MatchRate, MatchRate, MatchRate]:
    """The three rates of a town. Pairs are (matched, total); ``polygons`` decides which minima hold."""
    minima = _LARGE if polygons > LARGE_TOWN_POLYGONS else _SMALL
    return (
        MatchRate("records_with_structure", *structures, minima[0]),
        MatchRate("other_records", *others, minima[1]),
        MatchRate("fee_and_tax_polygons", *parcels, minima[2]),
    )
