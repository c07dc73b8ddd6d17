"""Files of cases that people bring, as rows: tables of every kind, and docket reports as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from leadflow_assets.domain.courts.imported import IMPORT_KINDS
from leadflow_assets.domain.courts.rows import RawDocket
from leadflow_assets.enrich.courts.core import make_core
from leadflow_assets.enrich.courts.report import ImportReport, LandReport
from leadflow_assets.errors import UsageError
from leadflow_assets.sources.courtlistener.docket_file import read_docket_file
from leadflow_assets.sources.imports.cases import CaseImport, read_cases

DOCKET_FILE_KIND = "docket_file"
KINDS = (*IMPORT_KINDS, DOCKET_FILE_KIND)


@dataclass(frozen=True)
class FileRead:
    """A file as read: its usable rows, and for a table all that was said of it. Nothing is kept yet."""

    path: Path
    kind: str
    rows: tuple[RawDocket, ...]
    table: CaseImport | None

    def report(self, landed: LandReport, *, dry_run: bool) -> ImportReport:
        """The report of the import; ``landed`` is what it did, or would do."""
        core = make_core(self.rows)
        days = [day for row in self.rows if (day := row.date_filed) is not None]
        ends = [end for row in self.rows if (end := row.expires_on) is not None]
        table = self.table
        return ImportReport(
            file=self.path.name,
            kind=self.kind,
            stated_source=self.rows[0].stated_source if self.rows else None,
            format=table.format if table else "docket report, JSON",
            rows_read=table.rows_read if table else len(self.rows),
            rows=len(self.rows),
            bad_rows=table.bad_rows if table else 0,
            duplicates=table.duplicates if table else 0,
            cases=len(core.cases),
            parties=len(core.parties),
            first=_first(days),
            last=max(days, default=None),
            expires_on=_first(ends),
            landed=landed,
            dry_run=dry_run,
            columns=table.columns if table else {},
            unused=table.unused if table else (),
            problems=tuple(map(str, table.problems)) if table else tuple(core.problems),
            notes=tuple(map(str, table.notes)) if table else (),
        )


def read_file(
    path: Path,
    kind: str | None,
    *,
    imported_at: datetime,
    stated_source: str | None = None,
    mapping: Mapping[str, str] | None = None,
    sheet: str | None = None,
) -> FileRead:
    """Read and check a file; ``kind`` is one of ``KINDS``, and may be left out for a JSON file.

    Raises:
        UsageError: no kind, no such kind, no such file, or it cannot be read as one of that kind.
    """
    if kind is None and path.suffix.lower() == ".json":
        kind = DOCKET_FILE_KIND
    if kind is None or kind not in KINDS:
        said = "Say what kind of cases the file holds." if kind is None else f"There is no kind {kind!r}."
        raise UsageError(said, f"--source is one of: {', '.join(KINDS)}.")
    if kind != DOCKET_FILE_KIND:
        table = read_cases(
            path,
            kind,
            imported_at=imported_at,
            stated_source=stated_source,
            mapping=mapping,
            sheet=sheet,
        )
        return FileRead(path, kind, table.rows, table)
    if mapping or sheet is not None:
        raise UsageError(f"{path.name} is a docket report and has neither columns nor sheets.", "")
    row = read_docket_file(path, imported_at=imported_at, stated_source=stated_source)
    return FileRead(path, kind, (row,), None)


def require_usable(read: FileRead, *, skip_bad: bool) -> Sequence[RawDocket]:
    """The rows to keep: all of them, or none.

    Raises:
        CaseImportError: rows cannot be used and were not said to be skipped, or none is left.
    """
    return read.rows if read.table is None else read.table.accepted(skip_bad=skip_bad)


def _first(days: Sequence[date]) -> date | None:
    return min(days, default=None)
