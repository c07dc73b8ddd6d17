"""What happened, by itself: compared when releases, cases or scores came, told to who watches a list."""

from datetime import UTC, datetime

import dagster as dg

from leadflow_assets.assets.changes import log_changes
from leadflow_assets.assets.resources import LeadflowSettings
from leadflow_assets.automation.alerts import alert_sender
from leadflow_assets.automation.jobs import refresh_towns_job
from leadflow_assets.enrich.changes import due
from leadflow_assets.enrich.changes.email import EmailSettings, email_settings
from leadflow_assets.enrich.changes.service import build, outdated
from leadflow_assets.enrich.changes.telling import TellReport, refresh_and_tell
from leadflow_assets.errors import LeadflowError, NotConfiguredError
from leadflow_assets.lake.lake import Lake
from leadflow_assets.settings import Settings

_WHAT_TO_DO = "`leadflow changes outbox` lists what waits, `leadflow doctor` says what is not configured."


@dg.op(pool="property_changes")
def build_all_changes(context: dg.OpExecutionContext, settings: LeadflowSettings) -> None:
    """What `leadflow changes build` does.

    Raises:
        dg.Failure: the lake refused; retried only where the same may work later.
    """
    loaded = settings.load()
    try:
        report = build(loaded, run_id=context.run.run_id)
    except LeadflowError as error:
        raise dg.Failure(str(error), allow_retries=error.retryable) from None
    log_changes(context, Lake(loaded), report)
    context.add_output_metadata(
        {
            "towns_changed": len(report.towns),
            "releases_compared": report.compared,
            "new_events": dict(report.added),
            "cases_taken_out": report.removed,
            "towns_without_polygons": len(report.without_polygons),
        }
    )


@dg.op(ins={"after": dg.In(dg.Nothing)}, pool="change_alerts")
def tell_who_watches(context: dg.OpExecutionContext, settings: LeadflowSettings) -> None:
    """What `leadflow changes tell --refresh` does: a step of its own, so that no mail server spoils a build.

    Raises:
        dg.Failure: something waits for longer than an hour, or a watched list cannot be brought up to date.
            It is tried again by itself, by other runs.
    """
    loaded = settings.load()
    email = _email(context, loaded)
    try:
        done = refresh_and_tell(loaded, webhook=alert_sender(loaded), email=email)
    except LeadflowError as error:
        raise dg.Failure(str(error), allow_retries=error.retryable) from None
    for problem in done.problems:
        context.log.warning(f"Not delivered, and tried again later: {problem}. {_WHAT_TO_DO}")
    for problem in done.not_refreshed:
        context.log.warning(f"Not brought up to date: {problem}")
    _fail_where_a_person_is_needed(done)
    context.add_output_metadata(_metadata(done))


def _email(context: dg.OpExecutionContext, settings: Settings) -> EmailSettings | None:
    """Half an e-mail configuration keeps no webhook from being told."""
    try:
        return email_settings(settings)
    except NotConfiguredError as error:
        context.log.warning(str(error))
        return None


def _fail_where_a_person_is_needed(done: TellReport) -> None:
    said = []
    if done.overdue:
        said.append(
            f"{done.overdue} messages wait for longer than an hour: {'; '.join(done.problems[:3])}. "
            f"They are tried again. {_WHAT_TO_DO}"
        )
    if done.not_refreshed:
        said.append(f"Watched lists are not up to date: {'; '.join(done.not_refreshed[:3])}")
    if said:
        raise dg.Failure(" ".join(said), metadata=_metadata(done), allow_retries=False)


def _metadata(done: TellReport) -> dict[str, dg.MetadataValue]:
    return {
        "messages_made": dg.MetadataValue.int(done.made),
        "events_told": dg.MetadataValue.int(done.events),
        "messages_sent": dg.MetadataValue.int(done.sent),
        "not_delivered": dg.MetadataValue.text("; ".join(done.problems) or "none"),
    }


@dg.job(description="Compare new releases, cases and scores with what was there; tell who watches a list.")
def build_changes() -> None:
    """Two steps: what cannot be delivered is published all the same."""
    tell_who_watches(after=build_all_changes())


@dg.job(description="Bring watched lists up to date; send what they have to tell, and what waits.")
def tell_changes() -> None:
    """One step; nothing is sent twice."""
    tell_who_watches()


@dg.sensor(
    job=build_changes,
    minimum_interval_seconds=300,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Compares anew when a release, case matches or scores were published, or a case expired.",
)
def changes_outdated(context: dg.SensorEvaluationContext, settings: LeadflowSettings) -> dg.SensorResult:
    """One run per state of what is to be compared, and day if it failed; none while towns are refreshed."""
    today = datetime.now(UTC).date()
    state = outdated(settings.load(), today=today)
    if state is None:
        return dg.SensorResult(skip_reason="Everything is compared.")
    running = context.instance.get_runs_count(
        dg.RunsFilter(job_name=refresh_towns_job.name, statuses=[dg.DagsterRunStatus.STARTED])
    )
    if running:
        return dg.SensorResult(skip_reason="Towns are being refreshed; they are compared after the last.")
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key=f"changes:{state}:{today}")])


@dg.sensor(
    job=tell_changes,
    minimum_interval_seconds=120,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells when watched lists may have changed, a digest is due (8:00), or a message waits.",
)
def changes_to_tell(context: dg.SensorEvaluationContext, settings: LeadflowSettings) -> dg.SensorResult:
    """One run per state of what is to be told; one that failed is asked for again within six hours."""
    now = datetime.now(UTC)
    state = due.outstanding(settings.load(), now=now)
    if state is None:
        return dg.SensorResult(skip_reason="Nobody is to be told of anything.")
    return dg.SensorResult(
        run_requests=[dg.RunRequest(run_key=f"tell:{state}:{now:%Y-%m-%d}:{now.hour // 6}")]
    )
