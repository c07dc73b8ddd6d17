"""Rows of mart/distress_scores without purged cases and without what was known of withheld owners."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from leadflow_assets.domain.purging import Purged, property_place
from leadflow_assets.enrich.purge.tables import Cleaned
from leadflow_assets.enrich.purge.traces import Traces, suspect_lines

# Factors that the owner's text and mailing address tell of: withheld with them.
OF_OWNERS: Final = frozenset({"estate", "heirs", "tax_taking", "absentee_in_state", "absentee_out_of_state"})


class Scores:
    """The rule of mart/distress_scores, and the partitions from which it took current or earlier rows.

    A score goes as a whole: without the line its number would still tell of the case. It is made anew.
    """

    def __init__(self, own: Purged, traces: Callable[[], Traces]) -> None:
        self._own = own
        self._traces = traces
        self.partitions: set[str] = set()

    def clean(self, rows: pa.Table, partition: str) -> Cleaned | None:
        """The rows in which nothing counts, or was looked at, that was purged."""
        traces = self._traces()
        gone = {
            property_id
            for property_id, line in suspect_lines(rows, traces)
            if traces.counts(property_id, line)
        }
        gone |= self._of_withheld_owners(rows, partition)
        if not gone:
            return None
        self.partitions.add(partition)
        left = rows.filter(pc.invert(pc.is_in(rows["property_id"], pa.array(sorted(gone), pa.string()))))
        return Cleaned(left, rows.num_rows - left.num_rows, 0)

    def _of_withheld_owners(self, rows: pa.Table, partition: str) -> set[str]:
        """Only those of the purge under way: a later owner of the property is another."""
        if int(partition.removeprefix("town_id=")) not in self._own.towns:
            return set()
        reasons = pc.list_flatten(rows["reasons"])
        parents = pc.list_parent_indices(rows["reasons"])
        factors = pc.struct_field(reasons, "factor")
        told = (
            rows["property_id"]
            .take(parents)
            .filter(pc.fill_null(pc.is_in(factors, pa.array(sorted(OF_OWNERS), pa.string())), False))
        )
        return {one for one in set(told.to_pylist()) if self._own.places([property_place(one)])}
