"""Court cases by themselves: every day what was filed, further back while calls last, then the matches."""

from collections.abc import Iterator

import dagster as dg

from leadflow_assets.assets.case_matches import log_matches
from leadflow_assets.assets.courts import log_landed, teller
from leadflow_assets.assets.resources import LeadflowSettings
from leadflow_assets.enrich.case_matches.service import match_cases, outdated
from leadflow_assets.enrich.courts.service import Courts
from leadflow_assets.errors import BudgetReachedError, LeadflowError
from leadflow_assets.lake.lake import Lake

# A cursor: Dagster takes an empty one for none and keeps the last.
_NOTHING_WAITS = "none"
_NOT_CONFIGURED = "CourtListener is not configured: set COURTLISTENER_API_KEY."


@dg.op(pool="courtlistener")
def fetch_court_cases(context: dg.OpExecutionContext, settings: LeadflowSettings) -> None:
    """What `leadflow cases refresh` does; where the day's calls end, what was read is published.

    Raises:
        dg.Failure: CourtListener or the lake refused; retried only where the same may work later.
    """
    loaded = settings.load()
    courts = Courts(loaded, run_id=context.run.run_id)
    problem: LeadflowError | None = None

    try:
        courts.refresh(progress=teller(context))
    except LeadflowError as error:
        problem = error
    landed = courts.report.landed
    log_landed(context, Lake(loaded), landed)
    if isinstance(problem, BudgetReachedError):
        context.log.warning(f"{problem} The sensor courts_resume goes on then.")
    elif problem is not None:
        raise dg.Failure(str(problem), allow_retries=problem.retryable)
    context.add_output_metadata({"answers": landed.answers, "new": landed.new, "changed": landed.changed})


@dg.op(ins={"after": dg.In(dg.Nothing)}, pool="case_matches")
def match_court_cases(context: dg.OpExecutionContext, settings: LeadflowSettings) -> None:
    """Link the parties of all cases to the owners of all properties, where either has changed."""
    loaded = settings.load()
    try:
        report = match_cases(loaded, run_id=context.run.run_id)
    except LeadflowError as error:
        raise dg.Failure(str(error), allow_retries=error.retryable) from None
    log_matches(context, Lake(loaded), report)
    context.add_output_metadata({"towns_changed": len(report.towns_changed)})


@dg.job(description="Fetch court cases as far as the day's calls reach, then match them to properties.")
def refresh_court_cases() -> None:
    """Two steps: a failed fetch leaves the matches as they were."""
    match_court_cases(after=fetch_court_cases())


@dg.job(description="Match the parties of all cases to the owners of all properties.")
def match_cases_to_properties() -> None:
    """One step; nothing is done where nothing has changed."""
    match_court_cases()


@dg.schedule(
    cron_schedule="15 6 * * *",
    execution_timezone="America/New_York",
    job=refresh_court_cases,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every morning: cases filed since the last time, with an overlap, newest first.",
)
def daily_court_cases(
    context: dg.ScheduleEvaluationContext, settings: LeadflowSettings
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """One run a day; none without a token."""
    if settings.load().courtlistener_api_key is None:
        yield dg.SkipReason(_NOT_CONFIGURED)
        return
    yield dg.RunRequest(run_key=f"courts:{context.scheduled_execution_time.date().isoformat()}")


@dg.sensor(
    job=refresh_court_cases,
    minimum_interval_seconds=300,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Goes on with a fetch that the calls of a day ended, as soon as there are calls again.",
)
def courts_resume(context: dg.SensorEvaluationContext, settings: LeadflowSettings) -> dg.SensorResult:
    """One run per end that was noted; the cursor is the moment that is waited for."""
    loaded = settings.load()
    if loaded.courtlistener_api_key is None:
        return dg.SensorResult(skip_reason=_NOT_CONFIGURED)
    resumes_at = Courts(loaded).resumes_at()
    if resumes_at is not None:
        told = f"There are calls again at {resumes_at:%Y-%m-%d %H:%M} UTC."
        return dg.SensorResult(skip_reason=told, cursor=resumes_at.isoformat())
    if context.cursor in (None, _NOTHING_WAITS):
        return dg.SensorResult(skip_reason="No fetch waits for calls.")
    request = dg.RunRequest(run_key=f"resume:{context.cursor}")
    return dg.SensorResult(run_requests=[request], cursor=_NOTHING_WAITS)


@dg.sensor(
    job=match_cases_to_properties,
    minimum_interval_seconds=120,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Matches cases anew when cases were imported or towns refreshed, by whomever.",
)
def case_matches_outdated(context: dg.SensorEvaluationContext, settings: LeadflowSettings) -> dg.SensorResult:
    """One run per state of the tables that matching reads."""
    state = outdated(settings.load())
    if state is None:
        return dg.SensorResult(skip_reason="The matches are up to date.")
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key=f"match:{state}")])
