"""Loading ATTOM's delivered files: hundreds of columns, hundreds of thousands of rows, bounded memory.

Everything happens in DuckDB, on disk where memory runs out. Files of one kind are loaded together, in the
order given: a later row of the same key replaces an earlier one, a deletion removes what came before it.
The same files give the same rows; :func:`delivery_id` names them.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import duckdb

from leadflow_assets.errors import LeadflowError, SourceAnswerError, StoreError, UsageError
from leadflow_assets.sources.attom import bulk_rows, bulk_sql
from leadflow_assets.sources.attom.bulk_file import DeliveredFile, deleted_key
from leadflow_assets.sources.attom.bulk_layouts import Layout

ROW_GROUP_ROWS = 16_384
PARQUET = f"FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE {ROW_GROUP_ROWS}"
MEMORY = "1200MB"
_MOST_BROKEN_SHOWN = 1000
_NO_SPACE = tuple(os.strerror(code) for code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG))


@dataclass(frozen=True)
class BrokenLine:
    """A line that could not be read. ``text`` may hold personal data; the rest may be shown."""

    file: str
    line: int
    reason: str
    text: str


@dataclass(frozen=True)
class BulkLoad:
    """What became of a delivery: rows read = properties + replaced + deleted + without_id, for one row each.

    ``path`` has the properties, one per ATTOM id; None where nothing but lists of deletions came. ``listed``
    are the rows of those lists; ``broken`` shows the first of the ``broken_lines``. ``unknown_columns`` are
    those the vendor does not document; they are kept as JSON.
    """

    dataset: str
    delivery_id: str
    path: Path | None
    rows: int
    properties: int
    replaced: int
    deleted: int
    without_id: int
    listed: int
    broken_lines: int
    broken: tuple[BrokenLine, ...]
    unknown_columns: tuple[str, ...]


def delivery_id(files: Sequence[DeliveredFile]) -> str:
    """Names a delivery by its dataset and the bytes of its files, in order, whatever they are called."""
    # The members of a zip share its hash: their names tell them apart.
    parts = [_dataset(files), *(f"{f.sha256} {f.delivered_name.partition(':')[2]}" for f in files)]
    return f"file-{hashlib.sha256(chr(10).join(parts).encode()).hexdigest()[:16]}"


def load_delivered(
    files: Sequence[DeliveredFile],
    into: Path,
    *,
    fetched_at: datetime,
    scratch: Path,
    batch_id: str | None = None,
    metadata: Mapping[str, str] | None = None,
    rows_into: Path | None = None,
    memory: str = MEMORY,
    threads: int = 2,
) -> BulkLoad:
    """Load files of one kind, with lists of deletions between them, into a Parquet file of properties.

    ``into`` has the columns of :class:`AttomProperty`, one row per ATTOM id, and ``batch_id`` before them
    where one is given; ``metadata`` is written into the file. ``rows_into`` gets one row per row or broken
    line of the files: its file (from 0), row in it (from 0) or line, ids, what became of it (kept, replaced,
    deleted, without_id, listed, broken), and of a broken line why and what it says. They stand in the order
    of the files; those of a single file of which every row became a property, in the order of ids.
    ``scratch`` holds what does not fit into ``memory``.

    Raises:
        UsageError: no file, files of different kinds, or deletions of nobody knows what.
        SourceAnswerError: DuckDB cannot read a file at all.
        StoreError: there is no room for the result.
    """
    dataset, layout = _dataset(files), next((file.layout for file in files if file.layout), None)
    scratch.mkdir(parents=True, exist_ok=True)
    job = _Job(dataset, layout, files, into, fetched_at, scratch, batch_id, metadata or {}, rows_into)
    try:
        try:
            return job.load(memory, threads)
        except duckdb.OutOfMemoryException:
            # Hundreds of unknown columns: one thread needs half the room of two.
            return job.load(memory, 1)
    except duckdb.Error as error:
        raise refused(error, files[0].delivered_name, into.parent) from None


def refused(error: duckdb.Error, name: str, folder: Path) -> LeadflowError:
    """DuckDB's failure in words of ours: its own text may quote a line of the file."""
    if any(reason in str(error) for reason in _NO_SPACE):
        return StoreError(
            f"No space left to write in {folder}.", "Free some space; nothing published was changed."
        )
    return SourceAnswerError(
        f"{name} cannot be loaded ({type(error).__name__}).",
        "See whether it is complete, and whether the disk is full.",
    )


def _dataset(files: Sequence[DeliveredFile]) -> str:
    kinds = {file.layout.name for file in files if file.layout is not None}
    # Lists of deletions belong to the files they came with; alone, their names must tell.
    kinds = kinds or {file.dataset or "deletions that do not say of what" for file in files}
    if len(kinds) != 1 or not any(file.dataset for file in files):
        found = ", ".join(sorted(kinds)) or "none"
        raise UsageError(
            f"Files of exactly one kind are loaded together, not {found}.",
            "Load each kind by itself; a list of deletions is named for its dataset.",
        )
    return next(iter(kinds))


@contextmanager
def database(scratch: Path, memory: str, threads: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB that keeps to some memory and spills into ``scratch``."""
    config = {"memory_limit": memory, "threads": str(threads), "temp_directory": str(scratch / "duckdb")}
    with duckdb.connect(config=dict(config)) as connection:
        yield connection


@dataclass
class _Job:
    """One call of :func:`load_delivered`."""

    dataset: str
    layout: Layout | None
    files: Sequence[DeliveredFile]
    into: Path
    fetched_at: datetime
    scratch: Path
    batch_id: str | None
    metadata: Mapping[str, str]
    rows_into: Path | None
    connection: duckdb.DuckDBPyConnection = field(init=False)

    def load(self, memory: str, threads: int) -> BulkLoad:
        """The short way for one plain file, else the long one."""
        with database(self.scratch, memory, threads) as self.connection:
            self._forget_notes()
            if self.layout is None:
                return self._load_deletions()
            first = self.files[0]
            if len(self.files) == 1 and not self.layout.many_rows and not first.marks_deletions:
                found = self._load_at_once(first, self.layout)
                if found is not None:
                    return found
                self._forget_notes()
            return self._load_in_stages(self.layout)

    def _load_at_once(self, file: DeliveredFile, layout: Layout) -> BulkLoad | None:
        """One pass from text to result; None where an id repeats or is missing, so that order matters."""
        # Without an order to keep, both cores read and none waits for the other.
        self.connection.execute("SET preserve_insertion_order = false")
        written = self._write_properties(layout, f"({bulk_sql.typed_rows(file, layout)})")
        self.connection.execute("SET preserve_insertion_order = true")
        self._note_broken(0)
        distinct = f"SELECT count(DISTINCT attom_id) FROM read_parquet('{bulk_sql.quoted(self.into)}')"
        if self._count(distinct) != written:
            return None
        self._write_rows(bulk_rows.fates_of_one_pass(self.into))
        return self._report(written, written, 0, 0, 0)

    def _load_in_stages(self, layout: Layout) -> BulkLoad:
        """Rows in the order of the files, then the last word on each key, then properties."""
        stages: list[Path] = []
        rows = 0
        for number, file in enumerate(self.files):
            if file.layout is None:
                self._stage_deletions(file, number)
                continue
            stage = self.scratch / f"stage-{number}.parquet"
            rows += self._write(bulk_sql.typed_rows(file, layout, number), stage)
            self._note_broken(number)
            stages.append(stage)
        self.connection.execute(bulk_rows.last_rows(layout, stages))
        self.connection.execute(bulk_rows.chosen(layout))
        kept = self._count("SELECT count(*) FROM chosen WHERE NOT gone")
        gone = self._count("SELECT count(*) FROM chosen WHERE gone")
        without_id = rows - self._count("SELECT coalesce(sum(rows_of_key), 0) FROM chosen")
        source = (
            f"(SELECT s.* FROM {bulk_sql.parquet(stages)} s JOIN chosen c "
            "ON s._file = c.file AND s.file_row_number = c.row_number WHERE NOT c.gone)"
        )
        properties = self._write_properties(layout, source, order_by_id=True)
        self._write_rows(bulk_rows.fates_of_stages(stages))
        for stage in stages:
            stage.unlink()
        return self._report(rows, properties, rows - without_id - kept - gone, gone, without_id)

    def _load_deletions(self) -> BulkLoad:
        """Nothing but lists: what they name was delivered before."""
        for number, file in enumerate(self.files):
            self._stage_deletions(file, number)
        self._write_rows(bulk_rows.fates_of_deletions())
        return self._report(0, 0, 0, 0, 0)

    def _forget_notes(self) -> None:
        for statement in bulk_rows.NOTES:
            self.connection.execute(statement)

    def _stage_deletions(self, file: DeliveredFile, number: int) -> None:
        rows = bulk_sql.deletion_rows(file, deleted_key(file), number)
        self.connection.execute(bulk_rows.note_deletions(rows))
        self._note_broken(number)

    def _note_broken(self, number: int) -> None:
        """Keep the lines that the last read had to leave out."""
        self.connection.execute(bulk_rows.note_broken(number))
        self.connection.execute("DROP TABLE reject_errors; DROP TABLE reject_scans")

    def _write_properties(self, layout: Layout, source: str, *, order_by_id: bool = False) -> int:
        """Write the result; returns its rows."""
        query = bulk_sql.property_rows(layout, source, self.fetched_at)
        if self.batch_id is not None:
            query = f"SELECT '{bulk_sql.quoted(self.batch_id)}' AS batch_id, * FROM ({query})"
        query += " ORDER BY attom_id" if order_by_id else ""
        return self._write(query, self.into, bulk_sql.file_metadata(self.metadata))

    def _write_rows(self, query: str) -> None:
        if self.rows_into is not None:
            self._write(query, self.rows_into)

    def _write(self, query: str, path: Path, options: str = "") -> int:
        """Write the rows of a query; returns how many."""
        path.unlink(missing_ok=True)
        return self._count(f"COPY ({query}) TO '{bulk_sql.quoted(path)}' ({PARQUET}{options})")

    def _count(self, statement: str) -> int:
        found = self.connection.execute(statement).fetchone()
        return int(found[0]) if found else 0

    def _report(self, rows: int, properties: int, replaced: int, deleted: int, without_id: int) -> BulkLoad:
        shown = self.connection.execute(
            f"SELECT * FROM broken ORDER BY file, line LIMIT {_MOST_BROKEN_SHOWN}"
        ).fetchall()
        # Each file may bring columns of its own.
        unknown = {
            file.header[index]: None
            for file in self.files
            if file.layout is not None
            for index in bulk_sql.unknown_columns(file.header, file.layout)
        }
        return BulkLoad(
            dataset=self.dataset,
            delivery_id=delivery_id(self.files),
            path=self.into if self.layout else None,
            rows=rows,
            properties=properties,
            replaced=replaced,
            deleted=deleted,
            without_id=without_id,
            listed=self._count("SELECT count(*) FROM deletions"),
            broken_lines=self._count("SELECT count(*) FROM broken"),
            broken=tuple(
                BrokenLine(self.files[file].delivered_name, line, reason, text)
                for file, line, reason, text in shown
            ),
            unknown_columns=tuple(unknown),
        )
