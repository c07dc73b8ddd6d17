"""The rows of the index once more, as an Arrow file that is mapped into memory: for fetching a page's rows.

DuckDB reads 2,048 values of each column to give one; fifty columns of a hundred rows from all over the state
cost it a hundred times what they cost here. Row ``n`` of the file is row ``n`` (rowid) of the index.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from leadflow_assets.errors import LeadflowError
from leadflow_assets.search.statement import Positions

# Each batch that a page touches costs the same, however few rows it gives.
_BATCH_ROWS = 262_144


def as_arrow(
    values: NDArray[np.int64] | NDArray[np.float64], missing: NDArray[np.bool_] | None = None
) -> pa.Array:
    """The same bytes as Arrow, NULL where ``missing``.

    Not by ``pyarrow.array``: that imports pandas, which takes longer than a search, or fails without it.
    """
    kept = np.ascontiguousarray(values)
    valid = None if missing is None else pa.py_buffer(np.packbits(~missing, bitorder="little"))
    return pa.Array.from_buffers(pa.from_numpy_dtype(kept.dtype), len(kept), [valid, pa.py_buffer(kept)])


class RowStore:
    """Rows by position."""

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            OSError: it is not there, or no Arrow file.
        """
        try:
            self._file = pa.memory_map(str(path))
            table = pa.ipc.open_file(self._file).read_all()
        except pa.ArrowInvalid as error:
            raise OSError(f"{path.name} is no Arrow file") from error
        self._schema, self._batches = table.schema, table.to_batches()
        self._starts = np.cumsum([0, *(batch.num_rows for batch in self._batches)])
        self.columns = frozenset(self._schema.names)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return int(self._starts[-1])

    def take(self, positions: Positions, columns: Sequence[str]) -> pa.Table:
        """The rows at these positions, in the order of the positions."""
        order = np.argsort(positions, kind="stable")
        rising = positions[order]
        bounds = np.searchsorted(rising, self._starts)
        schema = pa.schema([self._schema.field(name) for name in columns])
        parts = [
            self._batches[n].select(list(columns)).take(as_arrow(rising[low:high] - self._starts[n]))
            for n, (low, high) in enumerate(itertools.pairwise(bounds))
            if high > low
        ]
        table = pa.Table.from_batches(parts, schema)
        if np.array_equal(order, np.arange(len(order))):
            return table
        return table.combine_chunks().take(as_arrow(np.argsort(order)))

    def close(self) -> None:
        """Let go of the file."""
        self._batches = []
        self._file.close()


class RowWriter:
    """Writes the file batch by batch; refuses rows out of the order of property_id."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._out = pa.OSFile(str(path), "wb")
        self._writer = pa.ipc.new_file(self._out, schema)
        self._last = ""
        self._held: list[pa.Table] = []

    def write(self, rows: pa.Table) -> None:
        """Append rows.

        Raises:
            LeadflowError: a row's property_id is not above the one before.
        """
        self._held.append(rows)
        if sum(table.num_rows for table in self._held) >= _BATCH_ROWS:
            self._write_held()

    def _write_held(self) -> None:
        table = pa.concat_tables(self._held).combine_chunks() if self._held else None
        self._held = []
        for batch in table.to_batches() if table is not None else ():
            ids = batch.column("property_id")
            before = pa.concat_arrays([pa.array([self._last], ids.type), ids[:-1]])
            if not pc.all(pc.greater(ids, before)).as_py():
                raise LeadflowError(
                    "Rows of the search index are not in the order of property_id.",
                    "This is a defect of the program; the old index stays.",
                )
            self._last = ids[-1].as_py()
            self._writer.write_batch(batch)

    def close(self) -> None:
        """Finish the file."""
        self._write_held()
        self._writer.close()
        self._out.close()
