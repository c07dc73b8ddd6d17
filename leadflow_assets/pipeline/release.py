"""Which release a package is, and that it is one release of one town."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from leadflow_assets.domain.towns import DEVENS_ID, town_by_id
from leadflow_assets.errors import BadPackageError
from leadflow_assets.sources.massgis.package import Package


def release_name(fiscal_year: int, calendar_year: int | None) -> str:
    """``CY25_FY26``; ``FY18`` where an old package does not say its calendar year."""
    fiscal = f"FY{fiscal_year % 100:02d}"
    return f"CY{calendar_year % 100:02d}_{fiscal}" if calendar_year else fiscal


@dataclass(frozen=True)
class Release:
    """One release of one town. ``seen_on`` is the day the package was fetched: no sale is later."""

    town_id: int
    fiscal_year: int
    calendar_year: int | None
    file: str
    seen_on: date
    note: str = ""

    @property
    def name(self) -> str:
        """``CY25_FY26``."""
        return release_name(self.fiscal_year, self.calendar_year)

    def columns(self, rows: int) -> dict[str, pa.Array]:
        """The columns fy, cy and release, ``rows`` long."""
        return {
            "fy": pa.repeat(pa.scalar(self.fiscal_year, pa.int32()), rows),
            "cy": pa.repeat(pa.scalar(self.calendar_year, pa.int32()), rows),
            "release": pa.repeat(pa.scalar(self.name), rows),
        }

    def check_town(self, ids: pa.Array, member: str) -> None:
        """Most rows must be of this town; single rows of a neighbour or Devens occur.

        Raises:
            BadPackageError: most rows name another town.
        """
        counts = {c["values"]: c["counts"] for c in pc.value_counts(pc.drop_null(ids)).to_pylist()}
        if not counts:
            return
        most = max(counts, key=lambda town_id: counts[town_id])
        if most not in (self.town_id, DEVENS_ID):
            raise BadPackageError(
                f"{self.file}: {member} holds rows of town {most}, not of {self.town_id} "
                f"({town_by_id(self.town_id).name}).",
                "The package was given under the wrong town, or is mislabelled.",
            )


def release_of(package: Package, fiscal_years: pa.Array, seen_on: date) -> Release:
    """The package's release: calendar year from its names, fiscal year from the records.

    Raises:
        BadPackageError: the records hold several fiscal years, or none is known.
    """
    known = pc.unique(pc.drop_null(fiscal_years)).to_pylist()
    years = sorted(year for year in known if year)
    file = package.path.name
    if len(years) > 1:
        raise BadPackageError(
            f"{file}: Assess mixes fiscal years {', '.join(map(str, years))}.",
            "A package is one release; ask MassGIS for a clean one.",
        )
    fiscal_year = years[0] if years else package.fiscal_year
    if fiscal_year is None or not 2000 <= fiscal_year <= 2100:
        raise BadPackageError(
            f"{file}: no believable fiscal year in Assess or in the file names (found {fiscal_year}).",
            "Fetch the package again from MassGIS.",
        )
    note = ""
    if package.fiscal_year is not None and package.fiscal_year != fiscal_year:
        note = f"file names say fiscal year {package.fiscal_year}, records say {fiscal_year}"
    return Release(package.town_id, fiscal_year, package.calendar_year, file, seen_on, note)
