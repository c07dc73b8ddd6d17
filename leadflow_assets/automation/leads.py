"""Leads by themselves: after scores, additions or suppression changed."""

import dagster as dg

from leadflow_assets.assets.leads import log_leads
from leadflow_assets.assets.resources import LeadflowSettings
from leadflow_assets.enrich.leads.service import make_leads, outdated
from leadflow_assets.errors import LeadflowError
from leadflow_assets.lake.lake import Lake


@dg.op(pool="leads")
def make_all_leads(context: dg.OpExecutionContext, settings: LeadflowSettings) -> None:
    """What `leadflow leads run` does.

    Raises:
        dg.Failure: the lake or the state refused; retried only where the same may work later.
    """
    loaded = settings.load()
    try:
        report = make_leads(loaded, run_id=context.run.run_id)
    except LeadflowError as error:
        raise dg.Failure(str(error), allow_retries=error.retryable) from None
    log_leads(context, Lake(loaded), report)
    context.add_output_metadata({"towns_changed": len(report.towns_changed), "leads": report.leads})


@dg.job(name="make_leads", description="Make the leads of all towns; publish those that change.")
def make_leads_job() -> None:
    """One step; nothing is done where the inputs are the same."""
    make_all_leads()


@dg.sensor(
    job=make_leads_job,
    minimum_interval_seconds=300,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Makes leads anew when scores, owners, additions or who asked to be left out changed.",
)
def leads_outdated(context: dg.SensorEvaluationContext, settings: LeadflowSettings) -> dg.SensorResult:
    """One run per state of what leads are made from."""
    state = outdated(settings.load())
    if state is None:
        return dg.SensorResult(skip_reason="The leads are up to date.")
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key=f"leads:{state}")])
