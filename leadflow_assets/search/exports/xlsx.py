"""XLSX: typed cells, a frozen header with filters, fitting widths, and a sheet that says what it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import xlsxwriter  # type: ignore[import-untyped]

from leadflow_assets.errors import UsageError
from leadflow_assets.search.exports.formats import (
    XLSX_MAX_ROWS,
    Counts,
    ExportRequest,
    Rows,
    describe_column,
    kind,
    shown_columns,
)
from leadflow_assets.search.exports.sidecar import about_lines
from leadflow_assets.search.exports.values import lists_as_text, plain

_NUMBER_FORMATS = {
    "money": "$#,##0",
    "percent": '0.0"%"',
    "decimal": "0.00",
    "count": "#,##0",
    "date": "yyyy-mm-dd",
    "time": "yyyy-mm-dd hh:mm:ss",
}
_WIDTHS = {"money": 13, "percent": 10, "decimal": 10, "count": 10, "date": 11, "time": 19, "boolean": 8}
_TEXT_WIDTHS = {
    "owner_name": 34,
    "site_address": 28,
    "mailing_address": 30,
    "mailing_city": 18,
    "use_description": 30,
    "occupancy_reason": 34,
    "loc_id": 19,
}
_ABOUT_WIDTHS = (22, 110)
# The oldest day that Excel has; sales go back to 1800.
_FIRST_DAY = date(1900, 1, 1)
_OLD_DAYS_NOTE = "Days before 1900 are written as text: Excel's calendar starts in 1900."
_SAFE_TEXT_NOTE = (
    "Text cells here are never run as formulas. If you save the sheet as CSV that protection is lost: "
    "make the CSV with leadflow instead."
)
Writer = Callable[[int, int, Any], None]


def write_xlsx(path: Path, request: ExportRequest, rows: Rows) -> Counts:
    """Write the rows to sheet Properties and what they are to sheet About; memory stays flat.

    Raises:
        UsageError: more rows than a sheet holds, or a text longer than a cell holds. Nothing is cut off.
        OSError: writing failed.
    """
    workbook = xlsxwriter.Workbook(
        str(path),
        {
            "constant_memory": True,  # rows go to a file as they come, so they must come in order
            "tmpdir": str(path.parent),
            # Texts are written as texts; these are the second guard.
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    counts = _write_properties(workbook, request, rows)
    _write_about(workbook, request, counts)
    try:
        workbook.close()
    except xlsxwriter.exceptions.FileCreateError as error:
        raise error.args[0] from None  # the operating system's own refusal
    return counts


def _write_properties(workbook: Any, request: ExportRequest, rows: Rows) -> Counts:
    columns = shown_columns(request.format, request.columns)
    sheet = workbook.add_worksheet("Properties")
    header = workbook.add_format({"bold": True, "bg_color": "#E8EEF4", "bottom": 1})
    formats = {name: workbook.add_format({"num_format": text}) for name, text in _NUMBER_FORMATS.items()}
    writers = []
    for index, name in enumerate(columns):
        kind_ = kind(name, rows.schema.field(name).type)
        width = max(_WIDTHS.get(kind_, _TEXT_WIDTHS.get(name, 12)), min(len(name) + 3, 24))
        sheet.set_column(index, index, width)
        sheet.write_string(0, index, name, header)
        writers.append(_writer(sheet, name, kind_, formats.get(kind_)))
    sheet.freeze_panes(1, 0)
    counts = Counts(remarks=[_SAFE_TEXT_NOTE])
    for batch in rows.batches:
        if counts.rows + batch.num_rows > XLSX_MAX_ROWS:
            raise too_many_rows()
        table = lists_as_text(plain(batch, columns))
        values = [column.to_pylist() for column in table.columns]
        for offset in range(table.num_rows):
            row = counts.rows + offset + 1
            for index, (write, column) in enumerate(zip(writers, values, strict=True)):
                if (value := column[offset]) is not None:
                    write(row, index, value)
        counts.rows += table.num_rows
    sheet.autofilter(0, 0, counts.rows, len(columns) - 1)
    if any(pa.types.is_temporal(rows.schema.field(name).type) for name in columns):
        counts.remarks.append(_OLD_DAYS_NOTE)
    return counts


def _writer(sheet: Any, name: str, kind_: str, format_: Any) -> Writer:
    """How a cell of that kind is written."""

    def text(row: int, column: int, value: str) -> None:
        # A cell holds 32,767 characters; the library would cut and only hint at it.
        if sheet.write_string(row, column, value) < 0:
            raise UsageError(
                f"A text in row {row:,} of column {name} is too long for an XLSX cell.",
                "Use CSV or GeoParquet, or leave the column out.",
            )

    def moment(row: int, column: int, value: date) -> None:
        day = value.date() if isinstance(value, datetime) else value
        if day < _FIRST_DAY:
            text(row, column, value.isoformat())
        else:
            sheet.write_datetime(row, column, value, format_)

    def number(row: int, column: int, value: float) -> None:
        sheet.write_number(row, column, value, format_)

    writers: dict[str, Writer] = {
        "text": text,
        "date": moment,
        "time": moment,
        "boolean": sheet.write_boolean,
    }
    return writers.get(kind_, number)


def too_many_rows() -> UsageError:
    """The refusal of a result that no sheet can hold."""
    return UsageError(
        f"An XLSX sheet holds {XLSX_MAX_ROWS:,} rows besides its header, and the result has more.",
        "Use CSV or GeoParquet, or narrow the search.",
    )


def _write_about(workbook: Any, request: ExportRequest, counts: Counts) -> None:
    sheet = workbook.add_worksheet("About")
    bold = workbook.add_format({"bold": True, "valign": "top"})
    wrapped = workbook.add_format({"text_wrap": True, "valign": "top"})
    for index, width in enumerate(_ABOUT_WIDTHS):
        sheet.set_column(index, index, width)
    described = [(name, describe_column(name)) for name in shown_columns(request.format, request.columns)]
    lines = [
        *about_lines(request, counts),
        ("", ""),
        ("Column", "Meaning"),
        *((name, meaning) for name, meaning in described),
    ]
    for row, (title, content) in enumerate(lines):
        sheet.write_string(row, 0, title, bold)
        # Far longer than any real one: criteria with a drawn polygon of thousands of corners.
        shown = content if len(content) <= 32_000 else content[:32_000] + " ... (whole in the sidecar)"
        sheet.write_string(row, 1, shown, wrapped)
