"""How batches are shown: a preview with its price, one batch with every property accounted for, a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadflow_assets.cli.output import Column, emit_document, emit_rows, note
from leadflow_assets.cli.spend import dollars

if TYPE_CHECKING:
    from leadflow_assets.enrich.batches.job import BatchJob, BatchPreview
    from leadflow_assets.enrich.batches.service import Batches

_STYLES = {
    "processed": "green",
    "in_progress": "yellow",
    "submitted": "yellow",
    "failed": "red",
    "cancelled": "dim",
}
_JOBS = (
    Column("job_id", "batch", wrap=False),
    Column("name"),
    Column("status", styles=_STYLES, wrap=False),
    Column("total_records", "properties", ","),
    Column("completed_records", "answered", ","),
    Column("processed_records", "processed", ","),
    Column("created_at", "made", wrap=False),
    Column("error_message", "remark"),
)
_OUTCOMES = ("returned", "no_match", "ambiguous", "error", "pending")
_TIMES = ("created_at", "submitted_at", "started_at", "ready_at", "downloaded_at", "processed_at")


def tell_jobs(jobs: Sequence[BatchJob], json: bool) -> None:
    """All batches as a table."""
    if jobs or json:
        emit_rows([{**vars(job), "progress": job.progress} for job in jobs], _JOBS, json)
    if not jobs and not json:
        note("There are no batches. `leadflow batch run-all FILE.csv --name NAME` makes one.")


def job_document(batches: Batches, job: BatchJob) -> dict[str, Any]:
    """A batch with its outcomes and what was spent on it, cents."""
    outcomes = batches.outcomes(job.job_id)
    counted = {name: getattr(outcomes, name) for name in _OUTCOMES}
    spent = batches.spent_cents(job.job_id)
    return {**vars(job), "progress": job.progress, "outcomes": counted, "spent_cents": spent}


def tell_job(batches: Batches, job: BatchJob, json: bool) -> None:
    """One batch: state, outcomes that add up, money."""
    document = job_document(batches, job)
    if json:
        emit_document(document)
        return
    rows = [{"property": name.replace("_", " "), "count": document["outcomes"][name]} for name in _OUTCOMES]
    rows.append({"property": "asked about", "count": sum(document["outcomes"].values())})
    note(f"{job.job_id} ({job.name}): {job.status.replace('_', ' ')}")
    emit_rows(rows, (Column("property", "properties"), Column("count", number_format=",")), False)
    note(f"spent {dollars(document['spent_cents'])}, saved by kept answers {dollars(float(job.saved_cents))}")
    if merged := job.facts.get("merge"):
        _tell_merge(merged)
    if job.lead_count is not None:
        note(f"{job.lead_count:,} leads: leadflow leads --batch {job.job_id}")
    for name in _TIMES:
        if moment := getattr(job, name):
            note(f"  {name.removesuffix('_at'):<11}{moment:%Y-%m-%d %H:%M} UTC")
    if job.error_message:
        note(job.error_message)


def _tell_merge(merged: Mapping[str, Any]) -> None:
    """How the records of the towns concerned found their properties."""
    matched, review = sum(merged["matched"].values()), merged["review"]
    note(f"in its towns {matched:,} records are matched, {merged['unmatched']:,} found no property")
    if review:
        note(f"{review:,} records wait for a decision: leadflow review list")
    if towns := merged["needs_refresh"]:
        note(f"made by an older version and not merged: leadflow refresh {' '.join(towns)}")


def tell_preview(preview: BatchPreview, json: bool) -> None:
    """What a file holds, what is known already, and what asking the rest would cost at most."""
    if json:
        emit_document({name: value for name, value in vars(preview).items() if name != "report"})
        return
    matched = ", ".join(f"{count:,} {name}" for name, count in preview.matches.items() if count)
    note(f"{preview.rows_given:,} rows: {matched or 'none'}; {preview.requests:,} properties to ask about")
    calls = f"{preview.to_ask:,} questions ({', '.join(preview.endpoints)})"
    kept = f"{preview.fresh:,} answers are kept and fresh, which saves {dollars(float(preview.saved_cents))}"
    note(f"{calls} cost at most {dollars(float(preview.most_cents))}; {kept}")
    left = dollars(float(preview.left_today_cents))
    if preview.most_cents > preview.left_today_cents:
        note(f"Only {left} are left today: the rest waits for tomorrow (UTC), or for a higher cap.")
    else:
        note(f"{left} are left today.")


def write_match_report(path: Path, file: Path, preview: BatchPreview) -> None:
    """What became of each row of the file, with its own columns, as CSV.

    Raises:
        StoreError: it cannot be written.
    """
    from leadflow_assets.search.lists.file import read_list_file
    from leadflow_assets.search.lists.report import write_report

    matched = (row for row in preview.report if row.result in ("exact", "probable"))
    found = {row.property_id for row in matched if row.property_id}
    write_report(path, read_list_file(file), preview.report, found)
    note(f"Row by row: {path}")
