"""Leads of a batch: the owners of its properties, with what the batch learned in their scores."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq

from leadflow_assets.enrich.batches import records
from leadflow_assets.enrich.leads.adding import Added, add_properties
from leadflow_assets.enrich.leads.reading import leads_of_properties
from leadflow_assets.enrich.leads.service import LeadReport, make_leads
from leadflow_assets.enrich.scores.service import score_towns
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.tables import ATTOM_PROPERTIES, PROPERTY_RECORDS
from leadflow_assets.settings import Settings
from leadflow_assets.state import batch_jobs, database


@dataclass(frozen=True)
class BatchLeads:
    """``leads`` of the batch's properties there are now; ``added``: what was added or refused for it."""

    leads: int
    added: Added
    report: LeadReport


def properties_of_batch(settings: Settings, batch_id: str) -> list[str]:
    """Our properties that a batch asked about, or that its delivered files name.

    Raises:
        UsageError: there is no such batch.
    """
    with database.session(settings) as session:
        job = batch_jobs.find(session, batch_id)
    asked = {
        request.property_id
        for page in records.pages(settings, job.job_id)
        for request in page
        if request.property_id is not None
    }
    lake = Lake(settings)
    return sorted(asked | _published(lake, job.job_id) | _matched(lake, job.job_id))


def make_batch_leads(settings: Settings, batch_id: str, *, by: str, run_id: str | None = None) -> BatchLeads:
    """Score anew, make the owners of a processed batch's properties leads, and count them in its job.

    Owners to whom no score applies, and properties without an owner on record, are left out. May be called
    again: nothing is added twice.

    Raises:
        UsageError: there is no such batch. AuditError, StoreError: as :func:`make_leads`.
    """
    with database.session(settings) as session:
        job_id = batch_jobs.find(session, batch_id).job_id
    score_towns(settings, run_id=run_id)
    added = add_properties(settings, properties_of_batch(settings, job_id), by=by, batch_id=job_id, skip=True)
    report = make_leads(settings, run_id=run_id)
    count = len(set(leads_of_properties(settings, added.property_ids).values()))
    with database.session(settings) as session:
        batch_jobs.change(session, job_id, now=datetime.now(UTC), lead_count=count)
        session.commit()
    return BatchLeads(count, added, report)


def _published(lake: Lake, job_id: str) -> set[str]:
    """Properties that the published batch knows by our id."""
    entry = lake.snapshot(ATTOM_PROPERTIES).partitions.get(ATTOM_PROPERTIES.partition(job_id))
    if entry is None:
        return set()
    with tempfile.TemporaryDirectory() as folder:
        path = lake.store.fetch(entry.data.path, Path(folder))
        found = pq.read_table(path, columns=["property_id"], partitioning=None)["property_id"]
    return {property_id for property_id in found.to_pylist() if property_id is not None}


def _matched(lake: Lake, job_id: str) -> set[str]:
    """Properties that the batch's records were matched with: a delivered file knows none of our ids."""
    found: set[str] = set()
    with tempfile.TemporaryDirectory() as folder:
        for entry in lake.snapshot(PROPERTY_RECORDS).partitions.values():
            path = lake.store.fetch(entry.data.path, Path(folder))
            rows = pq.read_table(
                path, columns=["property_id"], filters=[("batch_id", "=", job_id)], partitioning=None
            )
            found.update(filter(None, rows["property_id"].to_pylist()))
    return found
