"""The match report of an import, as a file for a person's spreadsheet."""

from __future__ import annotations

import csv
import uuid
from collections.abc import Collection, Sequence
from pathlib import Path

from leadflow_assets.errors import StoreError
from leadflow_assets.search.lists.file import ListFile
from leadflow_assets.state.saved_lists import ImportRow

_REPORT = ("row", "line", "result", "property_id", "on_list", "why")


def write_report(path: Path, file: ListFile, rows: Sequence[ImportRow], accepted: Collection[str]) -> None:
    """The match report as CSV (UTF-8 with a mark, for spreadsheets): what was found, then the file's columns.

    Raises:
        StoreError: the file cannot be written.
    """
    given = [f"{name} (given)" if name in _REPORT else name for name in file.header]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
        with unfinished.open("w", encoding="utf-8-sig", newline="") as target:
            writer = csv.writer(target, lineterminator="\n")
            writer.writerow([*_REPORT, *given])
            for row in rows:
                place = row.row_number - 1
                on_list = "yes" if row.property_id in accepted else "no"
                found = (
                    row.row_number,
                    file.line_numbers[place],
                    row.result,
                    row.property_id,
                    on_list,
                    row.why,
                )
                writer.writerow([*found, *file.rows[place]])
        unfinished.replace(path)
    except OSError as error:
        raise StoreError(
            f"Cannot write the report {path}: {error.strerror}.", "Give --report FILE."
        ) from None
