"""CSV: UTF-8, RFC 4180, and no cell that a spreadsheet would run as a formula."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from leadflow_assets.search.exports.formats import Counts, ExportRequest, Rows, shown_columns
from leadflow_assets.search.exports.values import days_as_text, lists_as_text, no_rows, plain

_BOM = b"\xef\xbb\xbf"
# After any white space, quotes and invisible marks: a sign that starts a formula (ASCII or full width),
# or a control character that spreadsheets take for one (OWASP, "CSV Injection").
_STARTS_A_FORMULA = (
    r"^[\s\pZ\x{feff}\x{200b}-\x{200d}\x{2060}\"']*[=+\-@\x{ff1d}\x{ff0b}\x{ff0d}\x{ff20}\t\r\n\x00]"
)
FORMULA_RULE = (
    "A text that starts, after any white space and quotes, with = + - @ (also in full width), a tab, "
    "a line break or NUL has one apostrophe in front of it, so that no spreadsheet runs it as a formula. "
    "To undo: take the first apostrophe off where what follows it starts that way. "
    "Numbers, days and true/false are written as they are."
)
_BATCH_ROWS = 16_384


def write_csv(path: Path, request: ExportRequest, rows: Rows) -> Counts:
    """Write the rows as CSV: header, CRLF, quoted text, ISO days, nothing where a value is missing."""
    columns = shown_columns(request.format, request.columns)
    counts = Counts(remarks=[FORMULA_RULE])
    options = pa.csv.WriteOptions(eol="\r\n", batch_size=_BATCH_ROWS)
    with pa.OSFile(str(path), "wb") as out:
        if request.bom:
            out.write(_BOM)
        header = cells(no_rows(rows.schema), columns)
        with pa.csv.CSVWriter(out, header.schema, write_options=options) as writer:
            for batch in rows.batches:
                writer.write_table(cells(batch, columns))
                counts.rows += batch.num_rows
    return counts


def cells(batch: pa.RecordBatch, columns: tuple[str, ...]) -> pa.Table:
    """The batch as it stands in the file: days and lists as text, every text safe."""
    table = lists_as_text(days_as_text(plain(batch, columns)))
    for index, field in enumerate(table.schema):
        if pa.types.is_string(field.type):
            table = table.set_column(index, field.name, without_formulas(table[index]))
    return table


def without_formulas(texts: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    """Texts by :data:`FORMULA_RULE`; nulls stay null."""
    unsafe = pc.match_substring_regex(texts, _STARTS_A_FORMULA)
    if not pc.any(unsafe).as_py():
        return texts
    return pc.if_else(unsafe, pc.binary_join_element_wise("'", texts, ""), texts)
