"""Loading ATTOM's delivered files: hundreds of columns, hundreds of thousands of rows, bounded memory.

Everything happens in DuckDB, on disk where memory runs out. Files of one kind are loaded together, in the
order given: a later row of the same key replaces an earlier one, a deletion removes what came before it.
The same files give the same rows; :func:`delivery_id` names them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import duckdb

from leadflow_assets.errors import SourceAnswerError, UsageError
from leadflow_assets.sources.attom import bulk_sql
from leadflow_assets.sources.attom.bulk_file import DeliveredFile, deleted_key
from leadflow_assets.sources.attom.bulk_layouts import Layout

ROW_GROUP_ROWS = 16_384
_PARQUET = f"FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE {ROW_GROUP_ROWS}"


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

    ``properties`` are the rows of the result, one per ATTOM id. ``unknown_columns`` are those the vendor does
    not document; they are kept as JSON.
    """

    dataset: str
    delivery_id: str
    path: Path
    rows: int
    properties: int
    replaced: int
    deleted: int
    without_id: int
    broken: tuple[BrokenLine, ...]
    unknown_columns: tuple[str, ...]


def delivery_id(files: Sequence[DeliveredFile]) -> str:
    """Names a delivery by the bytes of its files, in order: the same files are the same delivery."""
    hashes = "\n".join(f"{file.sha256} {file.delivered_name.rpartition(':')[2]}" for file in files)
    return f"file-{hashlib.sha256(hashes.encode()).hexdigest()[:16]}"


def load_delivered(
    files: Sequence[DeliveredFile],
    into: Path,
    *,
    fetched_at: datetime,
    scratch: Path,
    batch_id: str | None = None,
    metadata: Mapping[str, str] | None = None,
    memory: str = "1200MB",
    threads: int = 2,
) -> BulkLoad:
    """Load files of one kind, with lists of deletions between them, into a Parquet file of properties.

    ``into`` has the columns of :class:`AttomProperty`, one row per ATTOM id, and ``batch_id`` before them
    where one is given; ``metadata`` is written into the file. ``scratch`` holds what does not fit into
    ``memory``.

    Raises:
        UsageError: no file, or files of different kinds.
        SourceAnswerError: DuckDB cannot read a file at all.
    """
    layout = _one_layout(files)
    scratch.mkdir(parents=True, exist_ok=True)
    job = _Job(layout, files, into, fetched_at, scratch, batch_id, metadata or {})
    try:
        try:
            return job.load(memory, threads)
        except duckdb.OutOfMemoryException:
            # Hundreds of unknown columns: one thread needs half the room of two.
            return job.load(memory, 1)
    except duckdb.Error as error:
        # The text may quote a line of the file.
        raise SourceAnswerError(
            f"{files[0].delivered_name} cannot be loaded ({type(error).__name__}).",
            "See whether it is complete, and whether the disk is full.",
        ) from None


def _one_layout(files: Sequence[DeliveredFile]) -> Layout:
    kinds = {file.layout.name: file.layout for file in files if file.layout is not None}
    if len(kinds) != 1:
        found = ", ".join(sorted(kinds)) or "none"
        raise UsageError(
            f"Files of exactly one kind are loaded together, not {found}.", "Load each by itself."
        )
    return next(iter(kinds.values()))


@contextmanager
def _database(scratch: Path, memory: str, threads: int) -> Iterator[duckdb.DuckDBPyConnection]:
    config = {"memory_limit": memory, "threads": str(threads), "temp_directory": str(scratch / "duckdb")}
    with duckdb.connect(config=dict(config)) as connection:
        yield connection


@dataclass
class _Job:
    """One call of :func:`load_delivered`."""

    layout: Layout
    files: Sequence[DeliveredFile]
    into: Path
    fetched_at: datetime
    scratch: Path
    batch_id: str | None
    metadata: Mapping[str, str]
    connection: duckdb.DuckDBPyConnection = field(init=False)

    def load(self, memory: str, threads: int) -> BulkLoad:
        """The short way for one plain file, else the long one."""
        data = [file for file in self.files if file.layout is not None]
        with _database(self.scratch, memory, threads) as self.connection:
            if len(self.files) == 1 and not self.layout.many_rows and not data[0].marks_deletions:
                found = self._load_at_once(data[0])
                if found is not None:
                    return found
            return self._load_in_stages(data)

    def _load_at_once(self, file: DeliveredFile) -> BulkLoad | None:
        """One pass from text to result; None where an id repeats or is missing, so that order matters."""
        # Without an order to keep, both cores read and less is held in memory.
        self.connection.execute("SET preserve_insertion_order = false")
        source = bulk_sql.typed_rows(file, self.layout)
        written = self._write_properties(f"({source})")
        broken = self._broken()
        distinct = f"SELECT count(DISTINCT attom_id) FROM read_parquet('{bulk_sql.quoted(self.into)}')"
        if self._count(distinct) != written:
            return None
        return self._report(file.header, written, written, 0, 0, 0, broken)

    def _load_in_stages(self, data: Sequence[DeliveredFile]) -> BulkLoad:
        """Rows in the order of the files, then the last word on each key, then properties."""
        self.connection.execute("SET preserve_insertion_order = true")
        stages: list[Path] = []
        broken: list[BrokenLine] = []
        rows = 0
        for number, file in enumerate(self.files):
            if file.layout is None:
                self._stage_deletions(file, number)
                continue
            stage = self.scratch / f"stage-{number}.parquet"
            rows += self._write(bulk_sql.typed_rows(file, self.layout, number), stage)
            broken += self._broken()
            stages.append(stage)
        self._choose_rows(stages)
        kept = self._count("SELECT count(*) FROM chosen WHERE NOT gone")
        gone = self._count("SELECT count(*) FROM chosen WHERE gone")
        without_id = rows - self._count("SELECT coalesce(sum(rows_of_key), 0) FROM chosen")
        source = (
            f"(SELECT s.* FROM {bulk_sql.parquet(stages)} s JOIN chosen c "
            "ON s._file = c.file AND s.file_row_number = c.row_number WHERE NOT c.gone)"
        )
        properties = self._write_properties(source, order_by_id=True)
        for stage in stages:
            stage.unlink()
        replaced = rows - without_id - kept - gone
        return self._report(data[0].header, rows, properties, replaced, gone, without_id, tuple(broken))

    def _stage_deletions(self, file: DeliveredFile, number: int) -> None:
        self.connection.execute(
            "CREATE TABLE IF NOT EXISTS deletions (attom_id BIGINT, record_id VARCHAR, file INTEGER)"
        )
        rows = bulk_sql.deletion_rows(file, deleted_key(file), number)
        self.connection.execute(f"INSERT INTO deletions {rows}")

    def _choose_rows(self, stages: Sequence[Path]) -> None:
        """Table ``chosen``: the last row of each key, and whether it, or a later list, says deleted."""
        key = "attom_id, _record_id" if self.layout.many_rows else "attom_id"
        self.connection.execute(
            f"""CREATE TABLE last_rows AS
            SELECT attom_id, any_value(_record_id) AS record_id, count(*) AS rows_of_key,
                   max({{'file': _file, 'updated': coalesce(_updated, DATE '0001-01-01'),
                        'row_number': file_row_number, 'gone': _deleted}}) AS last
            FROM {bulk_sql.parquet(stages)} WHERE attom_id IS NOT NULL GROUP BY {key}"""
        )
        self.connection.execute(
            "CREATE TABLE IF NOT EXISTS deletions (attom_id BIGINT, record_id VARCHAR, file INTEGER)"
        )
        by_record = "AND (d.record_id IS NULL OR d.record_id = l.record_id)" if self.layout.many_rows else ""
        self.connection.execute(
            f"""CREATE TABLE chosen AS
            SELECT l.last.file AS file, l.last.row_number AS row_number, l.rows_of_key,
                   l.last.gone OR EXISTS (SELECT 1 FROM deletions d WHERE d.attom_id = l.attom_id
                                          {by_record} AND d.file > l.last.file) AS gone
            FROM last_rows l"""
        )

    def _write_properties(self, source: str, *, order_by_id: bool = False) -> int:
        """Write the result; returns its rows."""
        query = bulk_sql.property_rows(self.layout, source, self.fetched_at)
        if self.batch_id is not None:
            query = f"SELECT '{bulk_sql.quoted(self.batch_id)}' AS batch_id, * FROM ({query})"
        facts = ", ".join(
            f"'{bulk_sql.quoted(name)}': '{bulk_sql.quoted(value)}'" for name, value in self.metadata.items()
        )
        options = f", KV_METADATA {{{facts}}}" if facts else ""
        return self._write(query + (" ORDER BY attom_id" if order_by_id else ""), self.into, options)

    def _write(self, query: str, path: Path, options: str = "") -> int:
        """Write the rows of a query; returns how many."""
        path.unlink(missing_ok=True)
        return self._count(f"COPY ({query}) TO '{bulk_sql.quoted(path)}' ({_PARQUET}{options})")

    def _count(self, statement: str) -> int:
        found = self.connection.execute(statement).fetchone()
        return int(found[0]) if found else 0

    def _broken(self) -> tuple[BrokenLine, ...]:
        """The lines that the last read had to leave out."""
        rows = self.connection.execute(
            "SELECT DISTINCT ON (line) line, error_type::VARCHAR, csv_line FROM reject_errors ORDER BY line"
        ).fetchall()
        name = self.connection.execute("SELECT any_value(file_path) FROM reject_scans").fetchone()
        shown = {str(file.path): file.delivered_name for file in self.files}
        self.connection.execute("DROP TABLE reject_errors; DROP TABLE reject_scans")
        file = shown.get(str(name[0]) if name else "", self.files[0].delivered_name)
        return tuple(
            BrokenLine(file, int(line), reason.lower(), (text or "").strip()) for line, reason, text in rows
        )

    def _report(
        self,
        header: Sequence[str],
        rows: int,
        properties: int,
        replaced: int,
        deleted: int,
        without_id: int,
        broken: Sequence[BrokenLine],
    ) -> BulkLoad:
        unknown = bulk_sql.unknown_columns(header, self.layout)
        return BulkLoad(
            self.layout.name,
            delivery_id(self.files),
            self.into,
            rows,
            properties,
            replaced,
            deleted,
            without_id,
            tuple(broken),
            tuple(header[index] for index in unknown),
        )
