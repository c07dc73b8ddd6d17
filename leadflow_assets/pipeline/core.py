"""One town's package to its core tables, in memory: read, clean, and count that nothing got lost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from leadflow_assets.errors import AuditError
from leadflow_assets.lake import tables
from leadflow_assets.lake.tables import Table
from leadflow_assets.pipeline.assessments import clean_assessments, typed_records
from leadflow_assets.pipeline.features import clean_interests, clean_misc, code_meanings
from leadflow_assets.pipeline.parcels import CleanTable, clean_parcels
from leadflow_assets.pipeline.release import Release, release_of
from leadflow_assets.pipeline.use_code_table import clean_use_codes
from leadflow_assets.sources.massgis.package import Package
from leadflow_assets.sources.massgis.reader import read_layer


@dataclass(frozen=True)
class CoreTables:
    """The clean tables of one release of one town."""

    release: Release
    tables: dict[Table, CleanTable]

    def rows(self, table: Table) -> pa.Table:
        """Clean rows of one table."""
        return self.tables[table].rows


def clean_package(package: Package, seen_on: date) -> CoreTables:
    """Read a package and make its core tables.

    ``seen_on`` is the day the package was fetched; a sale after it lies in the future.

    Raises:
        BadPackageError: the package breaks a rule that cannot be repaired.
        AuditError: rows were lost between source and table (a bug, never the data).
    """
    file = package.path.name
    assess = read_layer(package, "Assess")
    records = typed_records(assess, file)
    release = release_of(package, records["fy"], seen_on)
    parcels = clean_parcels(read_layer(package, "TaxPar"), release)
    assessments = clean_assessments(
        assess, records, release, from_shapefile=package.format == "shapefile", parcels=parcels.rows
    )
    lut = read_layer(package, "LUT")
    interests = clean_interests(
        read_layer(package, "OthLeg"), release, code_meanings(lut, "LEGAL_TYPE"), tables.PARCEL_INTERESTS
    )
    misc = clean_misc(
        read_layer(package, "Misc"), release, code_meanings(lut, "MISC_TYPE"), tables.MISC_FEATURES
    )
    codes = clean_use_codes(read_layer(package, "UC_LUT"), release, assessments.rows["use_code"])
    result = {
        tables.PARCELS: parcels,
        tables.ASSESSMENTS: assessments,
        tables.PARCEL_INTERESTS: interests,
        tables.MISC_FEATURES: misc,
        tables.USE_CODES: codes,
    }
    for table, clean in result.items():
        if table is not tables.USE_CODES:  # state and local rows of one code become one row there
            _require_balance(table, clean, file)
    return CoreTables(release, result)


def _require_balance(table: Table, clean: CleanTable, file: str) -> None:
    out = clean.rows.num_rows
    if clean.rows_in != out + clean.quarantine.dropped:
        raise AuditError(
            f"{file}: {table.view} lost rows: {clean.rows_in} in, {out} out, "
            f"{clean.quarantine.dropped} dropped.",
            "This is a defect of the program; nothing was published.",
        )
