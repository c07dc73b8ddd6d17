"""Batches as the command line, Dagster and the page use them: made, submitted, run, landed, processed.

Every step may be killed anywhere and called again: what was answered is stored, what was paid is not paid
again, what was published stays. One process works on a batch at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from leadflow_assets.enrich.attom_cache import recover
from leadflow_assets.enrich.batches import making
from leadflow_assets.enrich.batches.job import BatchJob, BatchPreview, BatchStateError, Outcomes
from leadflow_assets.enrich.batches.publishing import publish
from leadflow_assets.enrich.batches.steps import BatchSteps, require
from leadflow_assets.enrich.batches.transport import Progress, Stop
from leadflow_assets.enrich.vendor import open_cache, open_ledger
from leadflow_assets.errors import LeadflowError
from leadflow_assets.lake.tables import ATTOM, ATTOM_PROPERTIES
from leadflow_assets.state import batch_jobs, database

_OPEN = ("submitted", "in_progress")
_ANSWERED = ("ready", "downloaded", "processed")
_CANCELLABLE = ("created", "submitted", "in_progress", "ready")


def _tell_nobody(_: Outcomes) -> None:
    """Progress that nobody wants to hear of."""


def _never() -> bool:
    return False


class Batches(BatchSteps):
    """All that can be done with batches; ids may be given as :meth:`job` takes them."""

    def preview(self, file: Path, *, endpoints: Sequence[str] | None = None) -> BatchPreview:
        """What a file would be as a batch, before a cent is spent; nothing is sent or stored.

        Raises:
            UsageError: the file cannot be read or names no property; an endpoint is unknown.
        """
        from leadflow_assets.enrich.batches.matching import match_rows

        chosen = making.chosen_endpoints(self._settings, endpoints)
        return making.preview_of(self._settings, self._lake, match_rows(self._settings, file), chosen)

    def preview_properties(
        self, property_ids: Sequence[str], *, endpoints: Sequence[str] | None = None
    ) -> BatchPreview:
        """The same for properties of ours.

        Raises:
            UsageError: none is given, some are not here, or an endpoint is unknown.
        """
        from leadflow_assets.enrich.batches.matching import match_properties

        chosen = making.chosen_endpoints(self._settings, endpoints)
        matched = match_properties(self._settings, property_ids)
        return making.preview_of(self._settings, self._lake, matched, chosen)

    def create(
        self,
        file: Path,
        *,
        name: str,
        endpoints: Sequence[str] | None = None,
        transport: str = "rest",
        by: str | None = None,
    ) -> BatchJob:
        """Make a batch of a file, which is kept in the lake; all of it is written, or nothing.

        The same file under the same name, while that batch is unfinished, is that batch.

        Raises:
            UsageError: as :meth:`preview`; a bad name, an unknown transport, no rows.
        """
        from leadflow_assets.enrich.batches.matching import match_rows

        return making.make_job(
            self._settings,
            self._lake,
            match_rows(self._settings, file),
            name=name,
            endpoints=making.chosen_endpoints(self._settings, endpoints),
            transport=transport,
            source=file,
            now=self._now(),
            by=by,
        )

    def create_from_properties(
        self,
        property_ids: Sequence[str],
        *,
        name: str,
        endpoints: Sequence[str] | None = None,
        by: str | None = None,
    ) -> BatchJob:
        """Make a batch of properties of ours.

        Raises:
            UsageError: as :meth:`preview_properties`; a bad name.
        """
        from leadflow_assets.enrich.batches.matching import match_properties

        return making.make_job(
            self._settings,
            self._lake,
            match_properties(self._settings, property_ids),
            name=name,
            endpoints=making.chosen_endpoints(self._settings, endpoints),
            transport="rest",
            source=None,
            now=self._now(),
            by=by,
        )

    def adopt(
        self,
        job_id: str,
        *,
        name: str,
        transport: str,
        source_file: str | None,
        results_key: str | None,
        total_records: int,
        facts: Mapping[str, Any],
    ) -> BatchJob:
        """A batch of files that arrived by themselves, in state ready; the same id again is the same batch.

        Raises:
            UsageError: a bad name.
        """
        return making.adopt_job(
            self._settings,
            job_id,
            name=name,
            transport=transport,
            source_file=source_file,
            results_key=results_key,
            total_records=total_records,
            facts=facts,
            now=self._now(),
        )

    def submit(self, job_id: str) -> BatchJob:
        """Hand a batch over to its transport; nothing where that was done.

        Raises:
            BatchBusyError, BatchStateError, and what the transport raises.
        """
        with self._claimed(job_id) as (job, _):
            if job.status != "created":
                return require(job, (*_OPEN, *_ANSWERED), "submitted")
            external = self._transport(job).submit(job)
            self._move(job, "submitted", ("created",), external_job_id=external)
        return self.job(job.job_id)

    def run(self, job_id: str, progress: Progress = _tell_nobody, stop: Stop = _never) -> BatchJob:
        """Have a batch answered: it is ready afterwards, or still in progress where ``stop`` ended it.

        A batch that was answered is run again for the properties whose calls broke off.

        Raises:
            BudgetReachedError: a cap; what was answered is stored, the rest stays pending.
            NotConfiguredError: no key (the batch stays submitted), or one that ATTOM does not accept.
            BatchBusyError, BatchStateError, BatchFailedError. Others: see the transport.
        """
        with self._claimed(job_id) as (job, lost):
            self.recover()
            if job.status in _ANSWERED:
                if not self.has_calls_to_repeat(job):
                    return job
            else:
                require(job, _OPEN, "run")
            before = job.status
            self._move(job, "in_progress", (before,), landed=None, error_message=None)
            job = self.job(job.job_id)
            halted = self._halted(job, lost, stop)
            try:
                done = self._transport(job).advance(job, self._told(job, progress), halted)
                if done and self.recover():
                    # Calls of another process, which died meanwhile, are settled now.
                    done = self._transport(job).advance(job, self._told(job, progress), halted)
            except LeadflowError as error:
                self._note_failure(job, before, error)
                raise
            saved = self.saved_cents(job)
            if done:
                self._move(job, "ready", ("in_progress",), saved_cents=saved)
            else:
                self._change(job, saved_cents=saved)
        return self.job(job.job_id)

    def download(self, job_id: str) -> BatchJob:
        """Land what was answered and publish it as raw/attom_results.

        Raises:
            BatchBusyError, BatchStateError, BatchFailedError, AuditError, StoreError.
        """
        with self._claimed(job_id) as (job, _):
            require(job, _ANSWERED, "downloaded")
            staged = None if job.status == "ready" else self._staged(job)
            if staged is None:
                staged = self._land(job)
            self._publish_results(job, staged)
            if job.status == "ready":
                self._move(job, "downloaded", ("ready",), error_message=None)
        return self.job(job.job_id)

    def process(self, job_id: str) -> BatchJob:
        """Publish a landed batch as core/attom_properties and merge it into the properties of its towns.

        Raises:
            BatchBusyError, BatchStateError, BatchFailedError, AuditError, StoreError.
        """
        with self._claimed(job_id) as (job, _):
            require(job, ("downloaded", "processed"), "processed")
            staged = self._staged(job) or self._land(job)
            self._publish_results(job, staged)
            publish(self._lake, self._run_id, ATTOM_PROPERTIES, job.job_id, staged.properties)
            # Imported late: most commands look at batches and merge nothing.
            from leadflow_assets.enrich.unified.merge import merge

            # What a list of deletions takes back may stand in any town.
            everywhere = bool(staged.results.facts.get("deleted_rows"))
            merged = merge(
                self._settings, batch_ids=None if everywhere else [job.job_id], run_id=self._run_id
            )
            rows = staged.properties.data.rows if staged.properties else 0
            self._move(
                job,
                "processed",
                ("downloaded", "processed"),
                processed_records=rows,
                error_message=None,
                facts={**self.job(job.job_id).facts, "merge": vars(merged)},
            )
        return self.job(job.job_id)

    def advance(self, job_id: str, progress: Progress = _tell_nobody, stop: Stop = _never) -> BatchJob:
        """Do whatever is next, until the batch is processed, or ``stop`` or an error ends it.

        Raises:
            What :meth:`submit`, :meth:`run`, :meth:`download` and :meth:`process` raise.
        """
        job = require(self.job(job_id), ("created", *_OPEN, *_ANSWERED), "worked on")
        if job.status == "created":
            job = self.submit(job.job_id)
        if job.status in _OPEN or (job.status in _ANSWERED and self.has_calls_to_repeat(job)):
            job = self.run(job.job_id, progress, stop)
        if job.status == "ready":
            job = self.download(job.job_id)
        if job.status == "downloaded":
            job = self.process(job.job_id)
        return job

    def cancel(self, job_id: str) -> BatchJob:
        """Stop a batch for good, also one that a process works on; what was answered stays in the cache.

        Raises:
            BatchStateError: it is landed already.
        """
        job = self.job(job_id)
        if job.status != "cancelled":
            require(job, _CANCELLABLE, "cancelled")
            self._transport(job).cancel(job)
            self._move(job, "cancelled", _CANCELLABLE)
        return self.job(job.job_id)

    def withdraw(self, job_id: str) -> None:
        """Take delivered files back out of every table and forget their batch; the archive keeps them.

        A kill in the middle leaves a batch that can be withdrawn again, or processed again.

        Raises:
            BatchBusyError. BatchStateError: the batch asked ATTOM; cancel ends such a one.
        """
        with self._claimed(job_id) as (job, _):
            if job.transport != "files":
                raise BatchStateError(
                    f"The batch {job.job_id} does not consist of delivered files.",
                    "`leadflow batch cancel` stops a batch that asks; what was paid for stays.",
                )
            for table in ATTOM:
                publish(self._lake, self._run_id, table, job.job_id, None)
            from leadflow_assets.enrich.unified.merge import merge

            merge(self._settings, run_id=self._run_id)
            with database.session(self._settings) as session:
                batch_jobs.forget(session, job.job_id)
                session.commit()

    def recover(self) -> list[str]:
        """Settle unknown charges whose answers are archived, and give back what dead processes held.

        Returns the ids of the charges.
        """
        with database.session(self._settings) as session:
            batch_jobs.release_dead_claims(session, now=self._now())
            session.commit()
        return recover(open_ledger(self._settings), open_cache(self._settings, self._lake))
