"""What the steps of a batch share: its claim, its transport, its state, and the landing of its files."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from leadflow_assets.enrich.batches.claim import claimed
from leadflow_assets.enrich.batches.job import (
    BatchFailedError,
    BatchJob,
    BatchStateError,
    Landed,
    Outcomes,
)
from leadflow_assets.enrich.batches.publishing import Staged, publish, stage
from leadflow_assets.enrich.batches.store import BatchStore
from leadflow_assets.enrich.batches.transport import Progress, Stop, Transport
from leadflow_assets.enrich.batches.transports import transport as usual_transport
from leadflow_assets.errors import AuditError, LeadflowError, NotConfiguredError
from leadflow_assets.lake.publish import catch_up
from leadflow_assets.lake.staging import staging_folder
from leadflow_assets.lake.tables import ATTOM, ATTOM_RESULTS
from leadflow_assets.sources.attom.errors import AttomKeyError
from leadflow_assets.state import batch_jobs, database

# How often a run looks whether somebody cancelled its batch.
_LOOK_SECONDS = 2.0
_WHAT_TO_DO = {
    "created": "`leadflow batch process` submits it and does the rest.",
    "submitted": "`leadflow batch process` has it answered and does the rest.",
    "in_progress": "`leadflow batch process` goes on with it and does the rest.",
    "ready": "`leadflow batch download` lands it.",
    "cancelled": "Make a new batch: what was answered is kept and costs nothing.",
    "failed": "Its error message says why; make a new batch.",
}


def require(job: BatchJob, states: Sequence[str], done: str) -> BatchJob:
    """The job, if it is in one of the states in which it can be ``done`` something with.

    Raises:
        BatchStateError: it is not; says which states fit.
    """
    if job.status in states:
        return job
    named = " or ".join(states).replace("_", " ")
    raise BatchStateError(
        f"The batch {job.job_id} is {job.status.replace('_', ' ')}; it can be {done} when it is {named}.",
        _WHAT_TO_DO.get(job.status, ""),
    )


class BatchSteps(BatchStore):
    """The parts of which :class:`leadflow_assets.enrich.batches.service.Batches` makes its steps."""

    @contextmanager
    def _claimed(self, text: str) -> Iterator[tuple[BatchJob, Callable[[], bool]]]:
        """Hold a batch; gives the job as it is now, and whether it was lost to another process."""
        job_id = self.job(text).job_id
        with claimed(self._settings, job_id, now=self._now) as lost:
            yield self.job(job_id), lost

    def _transport(self, job: BatchJob) -> Transport:
        if self._transports is not None:
            return self._transports[job.transport]
        return usual_transport(self._settings, self._lake, job.transport)

    def _move(self, job: BatchJob, status: str, from_: Sequence[str], **values: Any) -> None:
        """Change the state; nothing where somebody has cancelled the batch meanwhile."""
        with database.session(self._settings) as session:
            batch_jobs.move(session, job.job_id, status, from_=from_, now=self._now(), **values)
            session.commit()

    def _change(self, job: BatchJob, **values: Any) -> None:
        with database.session(self._settings) as session:
            batch_jobs.change(session, job.job_id, now=self._now(), **values)
            session.commit()

    def _halted(self, job: BatchJob, lost: Callable[[], bool], stop: Stop) -> Stop:
        """When a run must end: it is told to, the claim is lost, or the batch was cancelled."""
        looked, cancelled = time.monotonic(), False

        def halted() -> bool:
            nonlocal looked, cancelled
            if time.monotonic() - looked > _LOOK_SECONDS:
                looked, cancelled = time.monotonic(), self.job(job.job_id).status == "cancelled"
            return stop() or lost() or cancelled

        return halted

    def _told(self, job: BatchJob, progress: Progress) -> Progress:
        """Progress that is also stored, where the transport does not store each answer by itself."""
        if job.transport == "rest":
            return progress

        def told(outcomes: Outcomes) -> None:
            self._change(job, completed_records=outcomes.answered)
            progress(outcomes)

        return told

    def _note_failure(self, job: BatchJob, before: str, error: LeadflowError) -> None:
        """Keep why a run ended; without a key the batch is as it was."""
        pending = self.outcomes(job.job_id).pending
        told = f"{error} {pending} of {job.total_records} properties are pending."
        if isinstance(error, BatchFailedError):
            self._move(job, "failed", ("in_progress",), error_message=str(error))
        elif isinstance(error, NotConfiguredError) and not isinstance(error, AttomKeyError):
            times = {"submitted_at": job.submitted_at, "started_at": None} if before == "submitted" else {}
            state = before if before == "submitted" else "in_progress"
            self._move(job, state, ("in_progress",), error_message=told, **times)
        else:
            self._change(job, error_message=told, saved_cents=self.saved_cents(job))

    def _staged(self, job: BatchJob) -> Staged | None:
        """What was landed, if this code made it and it is still there."""
        with database.session(self._settings) as session:
            kept = batch_jobs.landed(session, job.job_id)
        staged = Staged.from_json(kept) if kept else None
        return staged if staged is not None and staged.is_current(self._lake) else None

    def _land(self, job: BatchJob) -> Staged:
        """Make, audit and upload the files of a batch; nothing is published yet."""
        with staging_folder(self._lake.staging, f"batch-{job.job_id}") as folder:
            try:
                landed = self._transport(job).land(job, folder)
            except BatchFailedError as error:
                self._move(job, "failed", ("ready", "downloaded", "processed"), error_message=str(error))
                raise
            job = self._accounted(job, landed)
            facts = {**self.summary(job), **landed.facts, "outcomes": vars(landed.outcomes)}
            staged = stage(self._lake, job, landed, facts)
        self._change(job, landed=staged.to_json())
        return staged

    def _accounted(self, job: BatchJob, landed: Landed) -> BatchJob:
        """The job with the figures of its landing; every request must be among them.

        Raises:
            AuditError: some are not.
        """
        total = landed.outcomes.total
        if job.transport != "files" and total != job.total_records:
            raise AuditError(
                f"{total} requests of the batch {job.job_id} are accounted for instead of "
                f"{job.total_records}; nothing was published.",
                "This is a defect of the program; please report it.",
            )
        if job.transport == "rest":
            return job
        facts = {**job.facts, "outcomes": vars(landed.outcomes)}
        done = landed.outcomes.answered
        self._change(job, total_records=total, completed_records=done, facts=facts)
        return replace(job, total_records=total, completed_records=done, facts=facts)

    def _publish_results(self, job: BatchJob, staged: Staged) -> None:
        for table in ATTOM:
            catch_up(self._lake.store, table.name)
        publish(self._lake, self._run_id, ATTOM_RESULTS, job.job_id, staged.results)
