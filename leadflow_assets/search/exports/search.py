"""Searches into files: the rows of a criteria, with everything the export's sidecar says about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path

from leadflow_assets.search.case_notes import remark_on_columns
from leadflow_assets.search.columns import CASE_COLUMNS, EXPORT_COLUMNS
from leadflow_assets.search.criteria import SearchCriteria
from leadflow_assets.search.engine import DEFAULT_SORT, Searcher
from leadflow_assets.search.exports import (
    Export,
    ExportRequest,
    needed_columns,
    parcel_outlines,
    write_export,
)
from leadflow_assets.search.selection import DISTANCE, circles


def export_search(
    searcher: Searcher,
    criteria: SearchCriteria,
    path: Path,
    format: str,
    *,
    sort: Sequence[str] = DEFAULT_SORT,
    limit: int | None = None,
    offset: int = 0,
    columns: Sequence[str] = EXPORT_COLUMNS,
    list_name: str | None = None,
    on_rows: Callable[[int], None] | None = None,
) -> Export:
    """Write all matches (or a page of them) to ``path``, in bounded memory.

    Raises:
        UsageError: see :func:`write_export`; also when nothing is here to be searched.
        StoreError: the file cannot be written.
    """
    described = searcher.describe(criteria)
    matches = max(0, searcher.count(criteria) - offset)
    remarks: list[str] = []
    if not (criteria.asks_for_cases or CASE_COLUMNS.keys().isdisjoint(columns)):
        remarks = remark_on_columns(searcher.cases)
    request = ExportRequest(
        path=path,
        format=format,
        criteria=criteria.document(),
        freshness=[asdict(town) for town in described.freshness],
        notes=(*described.notes, *remarks),
        columns=tuple(columns),
        list_name=list_name,
        sort=tuple(sort),
        as_of=searcher.as_of,
        expected_rows=matches if limit is None else min(limit, matches),
    )
    wanted = dict.fromkeys((*columns, *needed_columns(format, columns)))
    if circles(criteria):
        wanted[DISTANCE] = None
    batches = searcher.stream(criteria, sort=sort, columns=tuple(wanted), limit=limit, offset=offset)
    # The reader of outlines loads DuckDB's spatial extension, which takes longer than writing a CSV.
    outlined = "loc_id" in needed_columns(format, ("town",))
    with parcel_outlines(searcher.lake, as_of=searcher.as_of) if outlined else nullcontext() as outlines:
        return write_export(request, batches, outlines=outlines, on_rows=on_rows)
