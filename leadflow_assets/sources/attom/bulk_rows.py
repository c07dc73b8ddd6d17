"""The SQL that follows each row of a delivery to its end: kept, replaced, deleted, listed, or set aside.

It works on the tables and staged files of one load: ``deletions`` and ``broken`` hold what the texts said,
``last_rows`` and ``chosen`` the last word on each key.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from leadflow_assets.sources.attom.bulk_layouts import Layout
from leadflow_assets.sources.attom.bulk_sql import identifier, parquet, quoted

NOTES = (
    "CREATE OR REPLACE TABLE deletions (attom_id BIGINT, record_id VARCHAR, file INTEGER, row_number BIGINT)",
    "CREATE OR REPLACE TABLE broken (file INTEGER, line BIGINT, reason VARCHAR, text VARCHAR)",
)


def note_broken(file: int) -> str:
    """Take over the lines that the last read had to leave out; one line may have several faults."""
    return (
        f"INSERT INTO broken SELECT DISTINCT ON (line) {file}, line, "
        "lower(error_type::VARCHAR), trim(coalesce(csv_line, ''), chr(13) || chr(10)) "
        "FROM reject_errors ORDER BY line, error_type"
    )


def note_deletions(rows: str) -> str:
    """Take over the rows of a list of deletions, in their order."""
    return f"INSERT INTO deletions SELECT *, row_number() OVER () - 1 FROM ({rows})"


def last_rows(layout: Layout, stages: Sequence[Path]) -> str:
    """Table ``last_rows``: the last row of each key.

    A record without an id of its own is known by what it says: the same words again are the same record.
    """
    key = "attom_id"
    if layout.many_rows:
        said = ", ".join(identifier(column.field) for column in layout.records)
        key += f", coalesce(_record_id, hash({said})::VARCHAR)"
    return f"""CREATE OR REPLACE TABLE last_rows AS
        SELECT attom_id, any_value(_record_id) AS record_id, count(*) AS rows_of_key,
               max({{'file': _file, 'updated': coalesce(_updated, DATE '0001-01-01'),
                    'row_number': file_row_number, 'gone': _deleted}}) AS last
        FROM {parquet(stages)} WHERE attom_id IS NOT NULL GROUP BY {key}"""


def chosen(layout: Layout) -> str:
    """Table ``chosen``: those rows, and whether they, or a list that came after them, say deleted."""
    by_record = "AND (d.record_id IS NULL OR d.record_id = l.record_id)" if layout.many_rows else ""
    return f"""CREATE OR REPLACE TABLE chosen AS
        SELECT l.last.file AS file, l.last.row_number AS row_number, l.rows_of_key,
               l.last.gone OR EXISTS (SELECT 1 FROM deletions d WHERE d.attom_id = l.attom_id
                                      {by_record} AND d.file > l.last.file) AS gone
        FROM last_rows l"""


_PLACE = "SELECT {file}::INTEGER AS file, ({row})::BIGINT AS row_number"
_LISTED = f"""{_PLACE.format(file="file", row="row_number")}, NULL::BIGINT AS line, attom_id, record_id,
    CASE WHEN attom_id IS NULL THEN 'without_id' ELSE 'listed' END AS fate,
    NULL::VARCHAR AS reason, NULL::VARCHAR AS text FROM deletions"""
_BROKEN = f"""{_PLACE.format(file="file", row="NULL")}, line, NULL::BIGINT, NULL::VARCHAR, 'broken',
    reason, text FROM broken"""


def fates_of_one_pass(result: Path) -> str:
    """Where each row became a property: by id, since the order of the file was not kept."""
    place = "row_number() OVER (ORDER BY attom_id) - 1"
    rows = (
        f"{_PLACE.format(file=0, row=place)}, NULL::BIGINT AS line, attom_id, NULL::VARCHAR AS record_id, "
        "'kept' AS fate, NULL::VARCHAR AS reason, NULL::VARCHAR AS text "
        f"FROM read_parquet('{quoted(result)}')"
    )
    return _in_order(rows, _BROKEN)


def fates_of_stages(stages: Sequence[Path]) -> str:
    """Where rows met others of the same key."""
    rows = (
        f"{_PLACE.format(file='s._file', row='s.file_row_number')}, NULL::BIGINT AS line, s.attom_id, "
        "s._record_id AS record_id, CASE WHEN s.attom_id IS NULL THEN 'without_id' "
        "WHEN c.file IS NULL THEN 'replaced' WHEN c.gone THEN 'deleted' ELSE 'kept' END AS fate, "
        "NULL::VARCHAR AS reason, NULL::VARCHAR AS text "
        f"FROM {parquet(stages)} s LEFT JOIN chosen c "
        "ON s._file = c.file AND s.file_row_number = c.row_number"
    )
    return _in_order(rows, _LISTED, _BROKEN)


def fates_of_deletions() -> str:
    """Where nothing but lists of deletions came."""
    return _in_order(_LISTED, _BROKEN)


def _in_order(*parts: str) -> str:
    return " UNION ALL ".join(parts) + " ORDER BY file, row_number NULLS LAST, line"
