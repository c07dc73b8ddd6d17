"""Cases from anywhere as CSV or Excel: read, checked row by row, and taken whole or not at all.

What courts and registries of Massachusetts hold has no open feed (facts/compliance §5); people bring files
with a stated source. Nothing is published here: :func:`read_cases` is the dry run, and what its
:meth:`CaseImport.accepted` gives is what an import would keep.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from leadflow_assets.domain.courts.combine import Combined, combine
from leadflow_assets.domain.courts.identifiers import strip_text
from leadflow_assets.domain.courts.imported import IMPORT_KINDS, ImportKind
from leadflow_assets.domain.courts.model import short_hash
from leadflow_assets.domain.courts.rows import IMPORT, Parsed, RawDocket, to_body
from leadflow_assets.errors import UsageError
from leadflow_assets.sources.imports.case_columns import (
    ALIASES,
    DATES,
    HEADER_WITHIN,
    Header,
    find_header,
    known_columns,
)
from leadflow_assets.sources.imports.case_row import CheckedRow, check_row, identity, parse_imported
from leadflow_assets.sources.imports.case_values import date_style
from leadflow_assets.sources.imports.text_table import (
    DELIMITERS,
    MOST_BYTES,
    MOST_ROWS,
    decode,
    distinct_names,
    find_delimiter,
    read_content,
    records,
)
from leadflow_assets.sources.imports.workbook import is_workbook, read_workbook

_SHOWN = 5
_REPEATS = "repeats the case and the parties of a row above with other details; the last one counts"


@dataclass(frozen=True)
class RowProblem:
    """What is wrong, or odd, in one row. ``column`` is the file's name of it; no cell is ever quoted."""

    row_number: int
    column: str | None
    reason: str

    def __str__(self) -> str:
        return f"row {self.row_number}: {f'{self.column} ' if self.column else ''}{self.reason}"


class CaseImportError(UsageError):
    """Rows of the file cannot be used, so that nothing of it was taken."""


@dataclass(frozen=True)
class CaseImport:
    """A file as read, with nothing kept yet.

    ``columns`` tells which part each column plays, ``unused`` which are not read (nothing of them is kept).
    ``problems`` are of rows that cannot be used, ``notes`` of rows that can. ``rows`` are the usable ones,
    ``duplicates`` those among them that repeat another one.
    """

    path: Path
    sha256: str
    kind: ImportKind
    stated_source: str
    imported_at: datetime
    format: str
    columns: Mapping[str, str]
    unused: tuple[str, ...]
    rows_read: int
    rows: tuple[RawDocket, ...]
    problems: tuple[RowProblem, ...]
    notes: tuple[RowProblem, ...]
    duplicates: int

    @property
    def bad_rows(self) -> int:
        """How many rows cannot be used."""
        return len({problem.row_number for problem in self.problems})

    def accepted(self, *, skip_bad: bool = False) -> tuple[RawDocket, ...]:
        """The rows to keep: all of them, or none.

        Raises:
            CaseImportError: rows cannot be used and were not said to be skipped, or none is left.
        """
        if self.problems and not skip_bad:
            shown = "; ".join(str(problem) for problem in self.problems[:_SHOWN])
            more = f" and {len(self.problems) - _SHOWN:,} more" if len(self.problems) > _SHOWN else ""
            raise CaseImportError(
                f"{self.bad_rows:,} of {self.rows_read:,} rows of {self.path.name} cannot be used: "
                f"{shown}{more}. Nothing was imported.",
                "Correct them, or leave them out with --skip-bad.",
            )
        if not self.rows:
            raise CaseImportError(f"{self.path.name} has no row that can be used.", "See docs/templates.")
        return self.rows

    def combined(self) -> Combined:
        """The cases and parties of the usable rows."""
        parsed = parse_imports(self.rows)
        return combine(parsed.cases, parsed.parties)


def read_cases(
    path: Path,
    kind: str,
    *,
    imported_at: datetime,
    stated_source: str | None = None,
    mapping: Mapping[str, str] | None = None,
    sheet: str | None = None,
    most_bytes: int = MOST_BYTES,
    most_rows: int = MOST_ROWS,
) -> CaseImport:
    """Read and check a file; nothing is kept and nothing is changed.

    ``kind`` is one of ``IMPORT_KINDS``; ``stated_source`` says in words where the file comes from;
    ``mapping`` names columns by part (``{"owner": "Assessed To Name"}``) where their own names do not tell.

    Raises:
        UsageError: no such kind, no such file, not a table, no column of names, or a wrong mapping.
    """
    found = IMPORT_KINDS.get(kind)
    if found is None:
        raise UsageError(f"There is no kind of file {kind!r}.", f"Kinds: {', '.join(IMPORT_KINDS)}.")
    content = read_content(path, most_bytes)
    form, read = _table(path, content, sheet, most_rows)
    filled = [(number, cells) for number, cells in read if any(cell.strip() for cell in cells)]
    header = find_header([cells for _, cells in filled], mapping, path.name)
    names = distinct_names([strip_text(name) for name in filled[header.row][1]])
    file = _File(
        path=path,
        sha256=hashlib.sha256(content).hexdigest(),
        kind=found,
        stated_source=" ".join((stated_source or found.words).split()),
        imported_at=imported_at,
        header=header,
        names=names,
    )
    return file.check(form, filled[header.row + 1 :])


def parse_imports(rows: Iterable[RawDocket]) -> Parsed:
    """Cases and parties of kept rows of imports, from which they can be made again at any time."""
    each = [parse_imported(row) for row in rows if row.endpoint == IMPORT]
    return Parsed(
        tuple(case for parsed in each for case in parsed.cases),
        tuple(party for parsed in each for party in parsed.parties),
    )


@dataclass(frozen=True)
class _File:
    """The facts of the file that every row needs."""

    path: Path
    sha256: str
    kind: ImportKind
    stated_source: str
    imported_at: datetime
    header: Header
    names: tuple[str, ...]

    def check(self, form: str, data: list[tuple[int, list[str]]]) -> CaseImport:
        """Check all rows."""
        today = self.imported_at.date()
        styles = {part: date_style(self._column(part, data)) for part in DATES}
        rows: dict[str, RawDocket] = {}
        problems: list[RowProblem] = []
        notes: list[RowProblem] = []
        repeated = 0
        for number, cells in data:
            parts = {part: _cell(cells, place) for part, place in self.header.parts.items()}
            checked = check_row(parts, self.kind, styles, today)
            problems += self._told(number, checked.problems)
            if checked.problems:
                continue
            notes += self._told(number, checked.notes)
            row = self._row(number, checked, today)
            if row.record_id in rows:
                repeated += 1
                if rows[row.record_id].body != row.body:
                    notes.append(RowProblem(number, None, _REPEATS))
            rows[row.record_id] = row
        used = set(self.header.parts.values())
        return CaseImport(
            path=self.path,
            sha256=self.sha256,
            kind=self.kind,
            stated_source=self.stated_source,
            imported_at=self.imported_at,
            format=form,
            columns={part: self.names[place] for part, place in self.header.parts.items()},
            unused=tuple(name for place, name in enumerate(self.names) if place not in used),
            rows_read=len(data),
            rows=tuple(rows.values()),
            problems=tuple(problems),
            notes=tuple(notes),
            duplicates=repeated,
        )

    def _column(self, part: str, data: list[tuple[int, list[str]]]) -> list[str]:
        place = self.header.parts.get(part)
        return [] if place is None else [_cell(cells, place) for _, cells in data]

    def _told(self, number: int, said: list[tuple[str | None, str]]) -> list[RowProblem]:
        columns = {part: self.names[place] for part, place in self.header.parts.items()}
        return [
            RowProblem(number, None if part is None else columns.get(part, part), reason)
            for part, reason in said
        ]

    def _row(self, number: int, checked: CheckedRow, today: date) -> RawDocket:
        court, its_id = identity(checked.values, self.kind)
        filed = str(checked.values.get("date_filed") or checked.values["recorded_on"])
        names = sorted(name for _, name in checked.values["parties"])
        return RawDocket(
            record_id=short_hash(IMPORT, self.kind.name, its_id, *names),
            court=court,
            endpoint=IMPORT,
            source=self.kind.name,
            fetched_at=self.imported_at,
            body=to_body(checked.values),
            date_filed=date.fromisoformat(filed),
            stated_source=self.stated_source,
            source_file=self.path.name,
            source_sha256=self.sha256,
            row_number=number,
            expires_on=self.kind.expires_on(today),
        )


def _table(
    path: Path, content: bytes, sheet: str | None, most_rows: int
) -> tuple[str, list[tuple[int, list[str]]]]:
    """The form in words, and the rows with their numbers."""
    if is_workbook(content):
        name, rows = read_workbook(path, content, sheet=sheet, most_rows=most_rows)
        return f"Excel workbook, sheet {name}", rows
    if sheet is not None:
        raise UsageError(f"{path.name} is no workbook and has no sheets.", "Leave out the sheet.")
    text, encoding = decode(path, content)
    rest, delimiter = find_delimiter(text, known_columns, header_within=HEADER_WITHIN)
    skipped = int(rest != text)
    rows = [(line + skipped, cells) for line, cells in records(path, rest, delimiter, most_rows)]
    return f"CSV, {encoding}, {DELIMITERS[delimiter]}", rows


def _cell(cells: list[str], place: int) -> str:
    return cells[place] if place < len(cells) else ""


__all__ = [
    "ALIASES",
    "CaseImport",
    "CaseImportError",
    "RowProblem",
    "parse_imports",
    "read_cases",
]
