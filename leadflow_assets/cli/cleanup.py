"""``leadflow cleanup``: give back disk space that nothing needs any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadflow_assets.cli.common import JsonFlag, current_settings, examples
from leadflow_assets.cli.output import Column, emit_rows, note

if TYPE_CHECKING:
    from leadflow_assets.lake.lake import Lake

_COLUMNS = (Column("what"), Column("count", number_format=","), Column("megabytes", number_format=",.1f"))
DryRunFlag = Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")]
DaysOption = Annotated[int, typer.Option(min=1, help="Keep the history of this many days.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("cleanup", epilog=examples("leadflow cleanup --dry-run", "leadflow cleanup --days 30"))(
        cleanup
    )


def cleanup(dry_run: DryRunFlag = False, days: DaysOption = 90, json: JsonFlag = False) -> None:
    """Remove old snapshots and versions, old Dagster runs, and leftovers of killed processes.

    Purges that were interrupted are finished.

    Current tables are never touched. Queries --as-of a day before the kept history then say so.
    """
    from leadflow_assets.lake.cleanup import removable
    from leadflow_assets.lake.lake import Lake
    from leadflow_assets.lake.staging import sweep

    lake = Lake(current_settings())
    if not dry_run:
        _finish_purges(lake)
    found = removable(lake.store, days=days)
    rows: dict[str, dict[str, Any]] = {}
    for removal in found:
        row = rows.setdefault(removal.reason, {"what": removal.reason, "count": 0, "megabytes": 0.0})
        row["count"] += 1
        row["megabytes"] += removal.bytes / 1e6
        if not dry_run:
            lake.store.delete(removal.key)
    if not dry_run and (swept := sweep(lake.staging)):
        rows["staging"] = {"what": "staging folders of dead runs", "count": len(swept), "megabytes": None}
    if answers := _forget_answers(lake, days, dry_run):
        rows["answers"] = {
            "what": f"ATTOM answers older than {days} days",
            "count": answers,
            "megabytes": None,
        }
    if runs := _forget_runs(days, dry_run):
        what = f"Dagster runs older than {days} days that made nothing"
        rows["runs"] = {"what": what, "count": runs, "megabytes": None}
    emit_rows(list(rows.values()), _COLUMNS, json)
    if not json:
        note(("Would remove" if dry_run else "Removed") + f" {len(found)} files from {lake.store.uri}.")


def _finish_purges(lake: Lake) -> None:
    """What was to be purged and was interrupted goes first of all."""
    from leadflow_assets.refresh.withheld import load_purged

    if load_purged(lake.settings) is not None:
        from leadflow_assets.enrich.purge.service import Purges

        for report in Purges(lake.settings).resume():
            note(f"Finished purge {report.purge_id}.")


def _forget_answers(lake: Lake, days: int, dry_run: bool) -> int:
    """Kept answers that are stale and older than the history; what was landed of them stays in the tables."""
    from datetime import UTC, datetime, timedelta

    from leadflow_assets.enrich.vendor import open_cache

    settings = lake.settings
    ages = (days, settings.attom_cache_max_age_days, settings.leadflow_attom_negative_max_age_days)
    before = datetime.now(UTC) - timedelta(days=max(ages))
    cache = open_cache(settings, lake)
    return cache.count_before(before) if dry_run else cache.drop_stale(lake.store.delete, before=before)


def _forget_runs(days: int, dry_run: bool) -> int:
    """Old runs of the Dagster storage of this project, if it has one here."""
    from leadflow_assets.cli.ui import dagster_storage

    home = dagster_storage()
    if home is None:
        return 0
    from leadflow_assets.automation.retention import forget_old_runs
    from leadflow_assets.cli.ui import opened_instance

    with opened_instance(home) as instance:
        return forget_old_runs(instance, days=days, dry_run=dry_run)
