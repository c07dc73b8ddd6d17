"""Rows of the town's tables with purged owners withheld."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from leadflow_assets.domain.purging import Purged
from leadflow_assets.enrich.purge.tables import DATA, Cleaned
from leadflow_assets.pipeline.withheld import (
    withheld_assessments,
    withheld_properties,
    without_assessment_owners,
    without_property_owners,
    without_quarantined_owners,
)


class Owners:
    """The rules of a town's tables. What is found in mart/properties holds for the records it was made
    from.
    """

    def __init__(self, purged: Purged) -> None:
        self._purged = purged
        self._records: set[str] = set()

    def properties(self, rows: pa.Table) -> Cleaned | None:
        """Rows of mart/properties."""
        mask = withheld_properties(self._purged, rows)
        count = pc.sum(mask).as_py() or 0
        self._records.update(rows["assessment_id"].filter(mask).to_pylist())
        return Cleaned(without_property_owners(rows, mask), 0, count) if count else None

    def assessments(self, rows: pa.Table, role: str) -> Cleaned | None:
        """Rows of core/assessments, its quarantine, and core/assessment_releases."""
        if role != DATA:
            left = without_quarantined_owners(self._purged, rows)
            return None if left is None else Cleaned(left, 0, 1)
        mask = withheld_assessments(self._purged, rows, self._records)
        count = pc.sum(mask).as_py() or 0
        return Cleaned(without_assessment_owners(rows, mask), 0, count) if count else None
