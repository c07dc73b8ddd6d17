"""The transport of an address-batch service: off unless its URL is set, since nobody documents one.

A batch is submitted once: the ledger holds a charge under the upload's hash from before the first byte until
the result is here, and what the service called the job stands in the lake beside it. The result is archived
byte for byte before anything reads it; everything else is made from the archive.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from leadflow_assets.enrich.batches import batch_rows, records
from leadflow_assets.enrich.batches.batch_rows import BATCH, Asked, Submission
from leadflow_assets.enrich.batches.job import BatchFailedError, BatchJob, BatchRequest, Landed, Outcomes
from leadflow_assets.enrich.batches.transport import Progress, Stop
from leadflow_assets.enrich.vendor import open_ledger, prices
from leadflow_assets.errors import NotConfiguredError, StoreError, UsageError
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.staging import staging_folder
from leadflow_assets.lake.store import raise_for_disk
from leadflow_assets.settings import Settings
from leadflow_assets.sources.attom.batch_result import ResultRow, read_result
from leadflow_assets.sources.attom.batch_service import (
    UPLOAD_HEADER,
    BatchService,
    NotSubmittedError,
    open_service,
)
from leadflow_assets.sources.attom.errors import AttomKeyError
from leadflow_assets.state import batch_jobs, batch_requests, database
from leadflow_assets.state.charges import ChargeStateError
from leadflow_assets.state.ledger import Ledger

SUBMITTED, RESULT = "submitted.json", "result.csv"


class EndpointTransport:
    """See :class:`Transport`."""

    name = "endpoint"

    def __init__(
        self, settings: Settings, lake: Lake, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._settings = settings
        self._lake = lake
        self._sleep = sleep

    def submit(self, job: BatchJob) -> str | None:
        """Upload the addresses, once; again after a crash it tells what is known of the first time.

        Raises:
            NotConfiguredError: no service or no key. UsageError: no property has an address.
            BudgetReachedError: a cap; nothing was sent.
            ChargeUnknownError: it was sent before and nobody knows what became of it.
            AttomUnsettledError, AttomMalformedError: that happened now. Others: it was not taken.
        """
        with self._service() as service:
            held = self._submission(job)
            if held is not None:
                return held.external_job_id
            upload, addresses = _upload(self._asked(job))
            digest = _digest(upload)
            ledger = open_ledger(self._settings)
            charge = ledger.reserve(
                BATCH,
                digest,
                units=addresses,
                price_cents=prices(self._settings).cents(BATCH),
                batch_id=job.job_id,
            )
            return self._send(service, ledger, job, upload, Submission("", charge, digest, addresses, ""))

    def _send(
        self, service: BatchService, ledger: Ledger, job: BatchJob, upload: bytes, made: Submission
    ) -> str:
        """One POST; whatever happens, the charge is left in a state that is true."""
        charge, note = made.charge_id, "submitting the batch broke off"
        try:
            self._lake.store.put_new(self._key(job, f"sent-{made.request_hash}.csv"), upload)
            ledger.mark_sent(charge)
        except BaseException:
            with suppress(ChargeStateError):
                ledger.release(charge, "nothing was sent")
            raise
        try:
            external = service.submit(upload)
            note = f"under way as ATTOM's job {external}; settled with its result"
            moment = datetime.now(UTC).isoformat()
            kept = Submission(external, charge, made.request_hash, made.addresses, moment)
            self._lake.store.put_new(self._key(job, SUBMITTED), json.dumps(asdict(kept)).encode())
        except NotSubmittedError as refusal:
            ledger.release(charge, type(refusal.error).__name__)
            raise refusal.error from None
        except BaseException:
            ledger.mark_unknown(charge, note)
            raise
        # Nobody knows what is billed until the result is here.
        ledger.mark_unknown(charge, note)
        return external

    def advance(self, job: BatchJob, progress: Progress, stop: Stop) -> bool:
        """Ask once how far it is; where it is ready, fetch, archive, settle and note every answer.

        Raises:
            NotConfiguredError: no service or no key. BatchFailedError: the service gave the job up.
            SourceUnavailableError, SourceAnswerError: it does not answer, or with something else.
        """
        submission = self._submission(job)
        if submission is None:
            raise StoreError(
                f"What ATTOM called the batch {job.job_id} is gone from the lake.", "Restore the lake."
            )
        if not self._lake.store.exists(self._key(job, RESULT)):
            with self._service() as service:
                found = service.state(submission.external_job_id)
                if found.state == "failed":
                    raise BatchFailedError(
                        f"ATTOM says of its job {submission.external_job_id}: {found.word}.",
                        f"Ask what it bills, then `leadflow spend resolve {submission.charge_id}`.",
                    )
                if found.state == "working" or stop():
                    return False
                self._fetch(service, job, submission)
        self._note(job, submission, progress)
        return True

    def cancel(self, job: BatchJob) -> None:
        """Nothing can be taken back from the service: what it took may be billed."""

    def land(self, job: BatchJob, folder: Path) -> Landed:
        """Read the archived result into both tables.

        Raises:
            StoreError: it is gone, or the disk is full. SourceAnswerError: it is no table.
        """
        submission = self._submission(job)
        if submission is None:
            raise StoreError(f"The batch {job.job_id} was not submitted.", "Submit it first.")
        rows, fetched_at, digest = self._result(job)
        asked = self._asked(job)
        answered = batch_rows.assign(asked, rows)
        return batch_rows.write(
            job, answered, rows, folder, submission, fetched_at=fetched_at, inputs={"result": digest}
        )

    def _fetch(self, service: BatchService, job: BatchJob, submission: Submission) -> None:
        with staging_folder(self._lake.staging, f"batch-{job.job_id}") as folder:
            path = folder / "result.csv"
            try:
                service.fetch(submission.external_job_id, path)
            except OSError as error:
                raise_for_disk(error, folder)
            self._lake.store.put_new(self._key(job, RESULT), path)

    def _note(self, job: BatchJob, submission: Submission, progress: Progress) -> None:
        """Settle what the result holds, then store how each request ended; both may be done again."""
        rows, fetched_at, _ = self._result(job)
        billed = sum(row.attom_id is not None for row in rows)
        # A person may have resolved it, or an earlier call settled it.
        with suppress(ChargeStateError):
            open_ledger(self._settings).settle(submission.charge_id, billed, "settled with its result")
        answered = batch_rows.assign(self._asked(job), rows)
        made = [batch_rows.answer_of(found, submission, fetched_at) for found in answered]
        with database.session(self._settings) as session:
            batch_requests.save_answers(session, job.job_id, made, [found.ended for found in answered])
            counts = Outcomes(**batch_requests.outcome_counts(session, job.job_id))
            batch_jobs.change(session, job.job_id, now=datetime.now(UTC), completed_records=counts.answered)
            session.commit()
        progress(counts)

    def _result(self, job: BatchJob) -> tuple[list[ResultRow], datetime, str]:
        """The archived rows, when they came, and the hash of the bytes."""
        key, store = self._key(job, RESULT), self._lake.store
        try:
            content = store.read(key)
            digest = hashlib.sha256(content).hexdigest()
            # The time of a file may change when a lake is moved: it is written down once.
            receipt = {"sha256": digest, "fetched_at": store.modified(key).isoformat()}
            store.put_new(self._key(job, "received.json"), json.dumps(receipt).encode())
            receipt = json.loads(store.read(self._key(job, "received.json")))
        except FileNotFoundError:
            raise StoreError(f"{store.location(key)} is gone.", "Restore the lake.") from None
        if receipt["sha256"] != digest:
            raise StoreError(f"{store.location(key)} is not what was fetched.", "Restore the lake.")
        fetched_at = datetime.fromisoformat(receipt["fetched_at"])
        return read_result(content, fetched_at), fetched_at, digest

    def _asked(self, job: BatchJob) -> list[Asked]:
        """The requests with the lines of their addresses, where they have one."""
        requests: list[BatchRequest] = [
            request for page in records.pages(self._settings, job.job_id) for request in page
        ]
        return [Asked.of(request, self._settings.attom_default_state) for request in requests]

    def _submission(self, job: BatchJob) -> Submission | None:
        try:
            return Submission(**json.loads(self._lake.store.read(self._key(job, SUBMITTED))))
        except FileNotFoundError:
            return None

    def _key(self, job: BatchJob, name: str) -> str:
        return f"{self._settings.batch_results_dir}/{job.job_id}/{name}"

    @contextmanager
    def _service(self) -> Iterator[BatchService]:
        url, key = self._settings.leadflow_attom_batch_url, self._settings.attom_api_key
        if not url:
            raise NotConfiguredError(
                "No address-batch service of ATTOM is set, and ATTOM documents none.",
                "Use the transport rest. If your contract has such a service, set LEADFLOW_ATTOM_BATCH_URL.",
            )
        secret = key.get_secret_value().strip() if key else ""
        if not secret:
            raise NotConfiguredError("ATTOM is not configured.", "Set ATTOM_API_KEY.")
        if not (secret.isascii() and secret.isprintable() and " " not in secret):
            raise AttomKeyError("ATTOM_API_KEY holds characters no key has.", "Set ATTOM_API_KEY anew.")
        with open_service(url, secret, sleep=self._sleep) as service:
            yield service


def _upload(asked: Sequence[Asked]) -> tuple[bytes, int]:
    """The CSV to submit, and its addresses; the same batch gives the same bytes.

    Raises:
        UsageError: none has an address.
    """
    lines = [one.lines for one in asked if one.lines is not None]
    if not lines:
        raise UsageError(
            "No property of the batch has an address.", "The batch service knows addresses only."
        )
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(UPLOAD_HEADER)
    writer.writerows(lines)
    return buffer.getvalue().encode(), len(lines)


def _digest(upload: bytes) -> str:
    """Names the question: the same addresses in the same order."""
    return hashlib.sha256(BATCH.encode() + b"\0" + upload).hexdigest()[:32]
