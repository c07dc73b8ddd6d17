"""Leads into files: the ranked list, or a batch's own rows with what is known of each beside them.

Leads are made first where anything changed: who asked to be left out meanwhile is in no file.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from leadflow_assets.domain.distress import UNCALIBRATED
from leadflow_assets.domain.leads import NOTICES, RULE, STATUSES
from leadflow_assets.enrich.batches import records
from leadflow_assets.enrich.batches.export import given_file, given_lines
from leadflow_assets.enrich.leads.inputs import Inputs
from leadflow_assets.enrich.leads.reading import LeadFilters, LeadPage, find_leads
from leadflow_assets.enrich.leads.service import make_leads
from leadflow_assets.errors import UsageError
from leadflow_assets.lake.tables import LEADS
from leadflow_assets.search.columns import LEAD_STATE_COLUMNS
from leadflow_assets.search.exports import Export, ExportRequest, write_export
from leadflow_assets.search.results import freshness_of
from leadflow_assets.settings import Settings
from leadflow_assets.state import batch_jobs, database

FORMATS: Final = ("csv", "xlsx")
_FIRST: Final = (
    *("rank", "lead_id", "status", "grade", "score", "coverage", "high", "opportunity", "why", "notices"),
    *("owner_name", "owner_type", "owner_care_of", "mailing_address", "mailing_city", "mailing_state"),
    *("mailing_zip", "mailing_country", "town", "site_address", "zip", "property_id", "loc_id", "occupancy"),
)
_LEFT_OUT: Final = frozenset({"owner_key", "mailing_key", "town_id", "factors"})
COLUMNS: Final = (
    *_FIRST,
    *(
        name
        for name in (*LEADS.schema.names, *LEAD_STATE_COLUMNS)
        if name not in _FIRST and name not in _LEFT_OUT
    ),
)
_BETWEEN: Final = "; "


def export_leads(
    settings: Settings, path: Path, filters: LeadFilters | None = None, *, format: str | None = None
) -> Export:
    """Write the leads that the filters find, ranked, with a sidecar. ``format``: csv or xlsx, or the suffix.

    Raises:
        UsageError: another format, no such list or batch, no such folder.
        StoreError: the file cannot be written, or the lake not read.
    """
    kind = _format(path, format)
    make_leads(settings)
    page = find_leads(settings, filters)
    table = _flat(page.rows).select(COLUMNS)
    return _write(path, kind, table, page.inputs, (filters or LeadFilters()).document(), ())


def export_batch_leads(settings: Settings, batch_id: str, path: Path, *, format: str | None = None) -> Export:
    """Write a batch's own rows, each with all its columns as they were given, and the lead of its property.

    Rows whose property has no lead keep their columns. A column of theirs that has one of our names is marked
    "(given)". Dead leads are in it too: the file is the user's own list.

    Raises:
        UsageError: another format, no such batch, one made of delivered files, no such folder.
        StoreError: the file cannot be written, or the lake not read.
    """
    kind = _format(path, format)
    with database.session(settings) as session:
        job = batch_jobs.find(session, batch_id)
    make_leads(settings)
    requests = [request for page in records.pages(settings, job.job_id) for request in page]
    if not requests:
        raise UsageError(
            f"The batch {job.job_id} has no rows of yours: it was delivered.",
            "`leadflow leads export --batch` is for batches of a file or of properties.",
        )
    page = find_leads(settings, LeadFilters(statuses=STATUSES, batch_id=job.job_id))
    found = _by_property(page)
    with tempfile.TemporaryDirectory() as folder:
        file = given_file(page.inputs.lake, job, Path(folder))
        lines = list(given_lines(file, requests))
    header = [f"{name} (given)" if name in COLUMNS else name for name in file.header] if file else []
    own = [
        pa.array([row[place] if place < len(row) else None for row, _ in lines], pa.string())
        for place in range(len(header))
    ]
    flat = _flat(page.rows).select(COLUMNS)
    places = [found.get(request.property_id or "") for _, request in lines]
    beside = flat.take(pa.array(places, pa.int64()))
    table = pa.table([*own, *beside.columns], names=[*header, *COLUMNS])
    note = f"{sum(place is not None for place in places):,} of {len(lines):,} rows have a lead."
    return _write(path, kind, table, page.inputs, {"batch_id": job.job_id}, (note,))


def _format(path: Path, format: str | None) -> str:
    kind = format or path.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise UsageError(f"Leads are not written as {kind or 'a file without a suffix'}.", "csv or xlsx.")
    return kind


def _by_property(page: LeadPage) -> dict[str, int]:
    """The row of the lead of each property."""
    members = page.rows["properties"].to_pylist()
    return {member["property_id"]: place for place, own in enumerate(members) for member in own}


def _flat(rows: pa.Table) -> pa.Table:
    """Lists as text that people read."""
    made: Mapping[str, Any] = {
        "why": _joined,
        "notices": lambda names: _joined([NOTICES[name] for name in names]),
        "properties": lambda own: _joined(
            [f"{one['property_id']} ({one['site_address'] or 'no address'}, {one['town']})" for one in own]
        ),
    }
    for name, as_text in made.items():
        texts = pa.array([as_text(value) for value in rows[name].to_pylist()], pa.string())
        rows = rows.set_column(rows.column_names.index(name), name, texts)
    return rows


def _joined(texts: Sequence[str]) -> str | None:
    return _BETWEEN.join(texts) or None


def _write(
    path: Path,
    kind: str,
    table: pa.Table,
    inputs: Inputs,
    criteria: Mapping[str, Any],
    notes: Sequence[str],
) -> Export:
    towns = sorted(inputs.published)
    versions = sorted({f"{e.facts['version']} ({e.facts['table_hash']})" for e in inputs.scores.values()})
    days = sorted({str(entry.facts["as_of"]) for entry in inputs.scores.values()})
    request = ExportRequest(
        path=path,
        format=kind,
        criteria={"leads": dict(criteria)},
        freshness=[
            asdict(freshness_of(f"town_id={town}", inputs.properties[town]))
            for town in towns
            if town in inputs.properties
        ],
        notes=(
            *notes,
            f"Grades. {RULE}",
            f"Scores of {', '.join(versions)}, as of {' to '.join(dict.fromkeys((days[0], days[-1])))}: "
            f"{UNCALIBRATED}. Coverage is the part of the points that was asked about."
            if days
            else "There are no scores.",
            "Owners who asked to be left out, and owners to whom no score applies, are no leads.",
            "Nothing here is legal advice.",
        ),
        columns=tuple(table.column_names),
        sort=("-score", "-coverage", "property_id"),
        expected_rows=table.num_rows,
        bom=kind == "csv",
    )
    return write_export(request, table.to_reader(), outlines=None)
