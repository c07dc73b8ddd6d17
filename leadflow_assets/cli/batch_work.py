"""Working at a batch from a terminal: progress, Ctrl-C, waiting for tomorrow."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import FrameType
from typing import TYPE_CHECKING

from leadflow_assets.cli.batch_output import tell_job
from leadflow_assets.cli.output import note, progress
from leadflow_assets.errors import BudgetReachedError, LeadflowError

if TYPE_CHECKING:
    from leadflow_assets.enrich.batches.job import BatchJob, Outcomes
    from leadflow_assets.enrich.batches.service import Batches

# How often a batch is looked at that another process or a service works on.
_LOOK_AGAIN_SECONDS = 15.0


def finish(batches: Batches, job_id: str, *, wait: bool, json: bool, leads: bool = False) -> None:
    """Work at a batch to its end and show it; where it is held up, show how far it came.

    ``leads``: once it is processed, the owners of its properties become leads.

    Raises:
        BudgetReachedError, NotConfiguredError, LeadflowError: why it stopped; what was answered is kept.
    """
    try:
        done = _waiting(batches, job_id) if wait else work(batches, job_id)
    except LeadflowError:
        if not json:
            tell_job(batches, batches.job(job_id), json)
        raise
    if leads and done.status == "processed":
        done = _made_leads(batches, job_id, json)
    tell_job(batches, done, json)


def _made_leads(batches: Batches, job_id: str, json: bool) -> BatchJob:
    import getpass

    from leadflow_assets.cli.common import current_settings
    from leadflow_assets.enrich.leads.batch import make_batch_leads

    made = make_batch_leads(current_settings(), job_id, by=getpass.getuser())
    if not json and made.added.refused:
        note(f"{len(made.added.refused):,} properties make no lead: no owner on record, or no score applies.")
    return batches.job(job_id)


def work(batches: Batches, job_id: str) -> BatchJob:
    """Everything that can be done for a batch now.

    Raises:
        KeyboardInterrupt: the person stopped it; calls under way have ended and are kept.
    """
    job = batches.job(job_id)
    with stoppable() as stopped, progress("batch", job.total_records) as bar:
        done = 0

        def told(outcomes: Outcomes) -> None:
            nonlocal done
            settled = outcomes.total - outcomes.pending
            bar.advance(max(0, settled - done), f"{outcomes.returned:,} returned")
            done = max(done, settled)

        job = batches.advance(job_id, progress=told, stop=stopped.is_set)
    if stopped.is_set() and job.status != "processed":
        raise KeyboardInterrupt
    return job


def _waiting(batches: Batches, job_id: str) -> BatchJob:
    """Work, and where the day's cap or another worker is in the way, wait and go on."""
    pause = threading.Event()
    while True:
        try:
            job = work(batches, job_id)
        except BudgetReachedError as error:
            seconds = _until_tomorrow()
            note(f"{error.message} Going on in {seconds / 3600:.1f} hours (Ctrl-C ends; nothing is lost).")
            pause.wait(seconds)
            continue
        except LeadflowError as error:
            if not error.retryable:
                raise
            note(f"{error.message} Looking again in {_LOOK_AGAIN_SECONDS:.0f} s.")
            pause.wait(_LOOK_AGAIN_SECONDS)
            continue
        if job.status not in ("submitted", "in_progress"):
            return job
        pause.wait(_LOOK_AGAIN_SECONDS)


def _until_tomorrow() -> float:
    """Seconds to a minute past midnight UTC, when the ledger's new day has begun."""
    now = datetime.now(UTC)
    midnight = now.replace(hour=0, minute=1, second=0, microsecond=0) + timedelta(days=1)
    return (midnight - now).total_seconds()


@contextlib.contextmanager
def stoppable() -> Iterator[threading.Event]:
    """The first Ctrl-C asks to stop, the second stops at once."""
    stopped = threading.Event()
    before = signal.getsignal(signal.SIGINT)

    def interrupted(_signal: int, _frame: FrameType | None) -> None:
        if stopped.is_set():
            raise KeyboardInterrupt
        stopped.set()
        note("Stopping after the calls under way; Ctrl-C again stops at once.")

    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return
    signal.signal(signal.SIGINT, interrupted)
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, before)
