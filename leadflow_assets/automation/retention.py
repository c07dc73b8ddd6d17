"""Forgetting old Dagster runs: their event logs grow for ever otherwise."""

from datetime import UTC, datetime, timedelta

import dagster as dg

_FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


def forget_old_runs(instance: dg.DagsterInstance, *, days: int, dry_run: bool) -> int:
    """Delete finished runs older than ``days`` that materialized nothing; returns how many (would) go.

    Dagster knows a partition by the event of the run that made it, so runs that made something stay. The
    nightly runs that found nothing new are the many.
    """
    before = datetime.now(UTC) - timedelta(days=days)
    wanted = dg.RunsFilter(statuses=_FINISHED, created_before=before)
    forgotten = 0
    for record in instance.get_run_records(wanted):
        run_id = record.dagster_run.run_id
        if instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION):
            continue
        forgotten += 1
        if not dry_run:
            instance.delete_run(run_id)
    return forgotten
