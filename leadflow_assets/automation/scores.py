"""Distress scores by themselves: after anything they are made from was published, and once every day."""

import dagster as dg

from leadflow_assets.assets.resources import LeadflowSettings
from leadflow_assets.assets.scores import coverage_by_town, log_scores
from leadflow_assets.enrich.scores.service import outdated, score_towns
from leadflow_assets.errors import LeadflowError
from leadflow_assets.lake.lake import Lake


@dg.op(pool="distress_scores")
def score_all_properties(context: dg.OpExecutionContext, settings: LeadflowSettings) -> None:
    """What `leadflow score run` does.

    Raises:
        dg.Failure: the lake or the state refused; retried only where the same may work later.
    """
    loaded = settings.load()
    try:
        report = score_towns(loaded, run_id=context.run.run_id)
    except LeadflowError as error:
        raise dg.Failure(str(error), allow_retries=error.retryable) from None
    lake = Lake(loaded)
    log_scores(context, lake, report)
    context.add_output_metadata(
        {
            "towns_changed": len(report.towns_changed),
            "properties": report.properties,
            "coverage_by_town": coverage_by_town(lake),
        }
    )


@dg.job(description="Score every property as of today; publish the towns where that changes something.")
def score_properties() -> None:
    """One step; nothing is done where inputs, table and day are the same."""
    score_all_properties()


@dg.sensor(
    job=score_properties,
    minimum_interval_seconds=300,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Scores anew when properties, vendors' records, matches or coverage changed, and every day.",
)
def scores_outdated(context: dg.SensorEvaluationContext, settings: LeadflowSettings) -> dg.SensorResult:
    """One run per state of what scores are made from, and day in Massachusetts."""
    state = outdated(settings.load())
    if state is None:
        return dg.SensorResult(skip_reason="The scores are up to date.")
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key=f"score:{state}")])
