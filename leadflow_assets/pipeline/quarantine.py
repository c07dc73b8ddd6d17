"""Rejects are data: every row that was dropped, or kept with a reservation, with its reason."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from leadflow_assets.lake.tables import QUARANTINE
from leadflow_assets.sources.massgis.reader import GEOMETRY, Layer

Disposition = Literal["dropped", "kept"]


@dataclass
class Quarantine:
    """Collects rows of one member table; indices count from 0 in the order of the source."""

    layer: Layer
    dollars: pa.Array | None = None
    _found: list[tuple[int, str, Disposition, str | None]] = field(default_factory=list)

    def add(
        self, mask: pa.Array | NDArray[np.bool_], reason: str, disposition: Disposition, detail: str = ""
    ) -> None:
        """Record every row where ``mask`` holds (null does not)."""
        flags = mask if isinstance(mask, np.ndarray) else mask.fill_null(False).to_numpy(zero_copy_only=False)
        self._found += [(int(i), reason, disposition, detail or None) for i in np.flatnonzero(flags)]

    def add_row(self, index: int, reason: str, disposition: Disposition, detail: str = "") -> None:
        """Record one row."""
        self._found.append((index, reason, disposition, detail or None))

    @property
    def dropped(self) -> int:
        """Rows that are not in the clean table."""
        return len({index for index, _, disposition, _ in self._found if disposition == "dropped"})

    @property
    def kept(self) -> int:
        """Rows in the clean table that carry a reservation."""
        return len({index for index, _, disposition, _ in self._found if disposition == "kept"})

    def reasons(self) -> dict[str, int]:
        """How many rows per reason."""
        counts: dict[str, int] = {}
        for _, reason, _, _ in self._found:
            counts[reason] = counts.get(reason, 0) + 1
        return dict(sorted(counts.items()))

    def rows(self, town_id: int, release: str) -> pa.Table:
        """The quarantine partition: in order of the source, one row per row and reason."""
        found = sorted(self._found)
        indices = [index for index, *_ in found]
        plain = (
            self.layer.rows.drop_columns([GEOMETRY])
            if GEOMETRY in self.layer.rows.column_names
            else self.layer.rows
        )
        values = plain.take(pa.array(indices, pa.int64())).to_pylist()
        dollars = (
            self.dollars.take(pa.array(indices, pa.int64())).to_pylist() if self.dollars is not None else None
        )
        return pa.table(
            {
                "town_id": [town_id] * len(found),
                "member": [self.layer.name] * len(found),
                "row_number": [index + 1 for index in indices],
                "reason": [reason for _, reason, _, _ in found],
                "disposition": [disposition for _, _, disposition, _ in found],
                "dollars": dollars or [None] * len(found),
                "detail": [detail for *_, detail in found],
                "release": [release] * len(found),
                "raw_values": [json.dumps(value, default=str) for value in values],
            },
            schema=QUARANTINE.schema,
        )
