"""One process at a time works on a batch: a claim in the state database, renewed while it lives."""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from leadflow_assets.enrich.batches.job import BatchBusyError
from leadflow_assets.errors import StoreError, UsageError
from leadflow_assets.settings import Settings
from leadflow_assets.state import batch_jobs, database
from leadflow_assets.state.processes import this_process

# A dead process of this host is seen at once; only of another host one must wait for so long.
LEASE = timedelta(minutes=5)
_RENEW_SECONDS = 60.0


@contextlib.contextmanager
def claimed(
    settings: Settings, job_id: str, *, now: Callable[[], datetime], renew_seconds: float = _RENEW_SECONDS
) -> Iterator[Callable[[], bool]]:
    """Hold a batch; yields a function that tells whether it was lost to another process meanwhile.

    Raises:
        BatchBusyError: another living process, or another thread of this one, works on it.
        UsageError: there is no such batch.
    """
    claim_id = uuid.uuid4().hex
    with database.session(settings) as session:
        if batch_jobs.get(session, job_id) is None:
            raise UsageError(f"There is no batch {job_id!r}.", "`leadflow batch list` shows them.")
        moment = now()
        if not batch_jobs.claim(
            session, job_id, claim_id, owner=this_process(), now=moment, until=moment + LEASE
        ):
            raise BatchBusyError(
                f"Another process works on the batch {job_id}.",
                "Let it end; `leadflow batch status` shows it.",
            )
        session.commit()
    lost, ended = threading.Event(), threading.Event()

    def renew() -> None:
        while not ended.wait(renew_seconds):
            # A database that cannot be reached for a moment is asked again; the lease is longer than that.
            with contextlib.suppress(StoreError), database.session(settings) as session:
                if not batch_jobs.renew_claim(session, job_id, claim_id, until=now() + LEASE):
                    lost.set()
                session.commit()

    heartbeat = threading.Thread(target=renew, name=f"claim-{job_id}", daemon=True)
    heartbeat.start()
    try:
        yield lost.is_set
    finally:
        ended.set()
        heartbeat.join()
        with database.session(settings) as session:
            batch_jobs.release_claim(session, job_id, claim_id)
            session.commit()
