"""Batches as they stand: jobs, requests, answers, outcomes, money. Nothing here changes one."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from leadflow_assets.enrich.batches import records
from leadflow_assets.enrich.batches.job import BatchJob, BatchRequest, Outcomes, RequestAnswer
from leadflow_assets.enrich.batches.outcome import RETRIED
from leadflow_assets.enrich.batches.transport import Transport
from leadflow_assets.enrich.vendor import prices
from leadflow_assets.lake.lake import Lake
from leadflow_assets.settings import Settings
from leadflow_assets.state import batch_jobs, batch_requests, database
from leadflow_assets.state.spend import spend_by_day


def _now() -> datetime:
    return datetime.now(UTC)


class BatchStore:
    """Reading batches of one state database and lake.

    ``transports`` replaces the usual ones by name; ``run_id`` is written into what is published.
    """

    def __init__(
        self,
        settings: Settings,
        transports: Mapping[str, Transport] | None = None,
        *,
        run_id: str | None = None,
        now: Callable[[], datetime] = _now,
    ) -> None:
        self._settings = settings
        self._lake = Lake(settings)
        self._transports = transports
        self._run_id = run_id or uuid.uuid4().hex[:12]
        self._now = now

    def jobs(self, status: str | None = None) -> list[BatchJob]:
        """Batches, newest first; ``status`` keeps those in one state."""
        with database.session(self._settings) as session:
            return batch_jobs.all_jobs(session, status)

    def job(self, text: str) -> BatchJob:
        """The batch with this id or name, or the only one that begins so.

        Raises:
            UsageError: there is none, or there are several.
        """
        with database.session(self._settings) as session:
            return batch_jobs.find(session, text)

    def requests(self, job_id: str) -> list[BatchRequest]:
        """The unique properties of a batch, by number; a delivered file has none."""
        return [
            request for page in records.pages(self._settings, self.job(job_id).job_id) for request in page
        ]

    def answers(self, job_id: str) -> list[RequestAnswer]:
        """Everything that was answered so far, by request number and endpoint."""
        found = records.answers_of(self._settings, self.job(job_id).job_id)
        return [answer for answers in found.values() for answer in answers]

    def outcomes(self, job_id: str) -> Outcomes:
        """How many requests (rows of a delivered file) ended how; the sum is ``total_records``."""
        job = self.job(job_id)
        if told := job.facts.get("outcomes"):
            return Outcomes(**told)
        with database.session(self._settings) as session:
            counted = Outcomes(**batch_requests.outcome_counts(session, job.job_id))
        return counted if counted.total else Outcomes(pending=job.total_records)

    def spent_cents(self, job_id: str) -> float:
        """What counts for a batch in the ledger, unknown charges included."""
        days = spend_by_day(self._settings, batch_id=self.job(job_id).job_id)
        return sum(day.counted_cents for day in days)

    def is_claimed(self, job_id: str) -> bool:
        """Does a living process work on the batch?"""
        with database.session(self._settings) as session:
            return batch_jobs.is_claimed(session, job_id, now=self._now())

    def has_calls_to_repeat(self, job: BatchJob) -> bool:
        """Has it calls that broke off, and is none of its charges unknown any more?"""
        with database.session(self._settings) as session:
            if not batch_requests.count_with(session, job.job_id, RETRIED):
                return False
            return not batch_requests.has_unknown_charges(session, job.job_id)

    def export(self, job_id: str, path: Path) -> int:
        """Write the user's own columns with outcome, reason and the main facts; returns the rows written.

        Raises:
            UsageError: the batch was made of delivered files. StoreError: the file cannot be written.
        """
        from leadflow_assets.enrich.batches.export import export_batch

        return export_batch(self._settings, self._lake, self.job(job_id), path)

    def saved_cents(self, job: BatchJob) -> Decimal:
        """What the answers that were kept already would have cost."""
        price = prices(self._settings)
        with database.session(self._settings) as session:
            counts = batch_requests.answer_counts(session, job.job_id)
        return sum((count.cached_reports * price.cents(count.endpoint) for count in counts), Decimal(0))

    def summary(self, job: BatchJob) -> dict[str, Any]:
        """The figures that are published with a batch: outcomes, endpoints, reports, cents, when."""
        with database.session(self._settings) as session:
            counts = batch_requests.answer_counts(session, job.job_id)
            first, last = batch_requests.fetched_range(session, job.job_id)
        endpoints: dict[str, dict[str, int]] = {}
        for count in counts:
            ended = endpoints.setdefault(count.endpoint, {})
            word = f"{count.outcome}: {count.reason}" if count.reason else count.outcome
            ended[word] = ended.get(word, 0) + count.answers
        return {
            "name": job.name,
            "transport": job.transport,
            "outcomes": vars(self.outcomes(job.job_id)),
            "endpoints": endpoints,
            "reports": sum(count.reports - count.cached_reports for count in counts),
            "cached_reports": sum(count.cached_reports for count in counts),
            "spent_cents": self.spent_cents(job.job_id),
            "saved_cents": float(self.saved_cents(job)),
            "first_fetched_at": first.isoformat() if first else None,
            "last_fetched_at": last.isoformat() if last else None,
        }
