"""The dependable transport: a batch fans out over the REST API, property by property.

At most ten workers share one client, under the limiter and the ledger. What they bring is stored several
times a second in one transaction. Whatever stops the run, calls under way end and are stored first, and the
next run begins at the first property that is not answered.
"""

from __future__ import annotations

import itertools
import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from leadflow_assets.enrich.batches import records
from leadflow_assets.enrich.batches.asking import Asker, LeftPendingError
from leadflow_assets.enrich.batches.job import BatchJob, BatchRequest, Landed, RequestAnswer
from leadflow_assets.enrich.batches.kept import plan_requests
from leadflow_assets.enrich.batches.transport import Progress, Stop
from leadflow_assets.enrich.vendor import open_client
from leadflow_assets.errors import BudgetReachedError, NotConfiguredError
from leadflow_assets.lake.lake import Lake
from leadflow_assets.settings import Settings
from leadflow_assets.sources.attom.client import AttomClient
from leadflow_assets.state.charges import ChargeInFlightError

MOST_WORKERS = 10
_FLUSH_SECONDS = 0.3
_MOST_IN_A_FLUSH = 200
Answers = dict[str, RequestAnswer]
Work = Iterator[tuple[BatchRequest, Answers]]


class OpenClient(Protocol):
    """How a client is opened: :func:`leadflow_assets.enrich.vendor.open_client`."""

    def __call__(
        self, settings: Settings, lake: Lake, *, sleep: Callable[[float], None]
    ) -> AbstractContextManager[AttomClient]:
        """A client whose waiting is done by ``sleep``."""


class _HaltedError(Exception):
    """The run is to end: raised where a worker would sleep, so that nothing it has reserved is sent."""


class RestTransport:
    """Call by call. ``client`` opens the client; see :class:`Transport` for the methods."""

    name = "rest"

    def __init__(self, settings: Settings, lake: Lake, *, client: OpenClient = open_client) -> None:
        self._settings = settings
        self._lake = lake
        self._client = client

    def submit(self, job: BatchJob) -> str | None:
        """Nothing is handed over: the work lies in the state database."""
        return None

    def cancel(self, job: BatchJob) -> None:
        """Nothing is under way elsewhere."""

    def land(self, job: BatchJob, folder: Path) -> Landed:
        """See :func:`leadflow_assets.enrich.batches.landing.land`."""
        # Imported late: it brings what writes tables, which takes longer than most commands.
        from leadflow_assets.enrich.batches.landing import land

        return land(self._settings, self._lake, job, folder)

    def advance(self, job: BatchJob, progress: Progress, stop: Stop) -> bool:
        """Ask what is not answered; first of all take what is kept, which costs nothing.

        Raises:
            NotConfiguredError: something must be asked and there is no key, or ATTOM does not accept it.
            BudgetReachedError: our cap, or the contract's quota.
            AttomThrottledError, AttomUnavailableError: ATTOM does not answer now.
            AttomCallsLostError: it answers call after call with nothing that can be read, or breaks off.
            ChargeInFlightError: another process went on asking the same questions.
        """
        if not self._take_kept(job, progress, stop):
            return False
        while True:
            run = _Run(self._settings, job, progress, stop)
            try:
                self._work(run, self._settings, job, self._open(job))
                return not run.stopped
            except BudgetReachedError:
                # Calls under way had set aside more than some came to cost: there may be room again.
                if not run.stored:
                    raise

    def _take_kept(self, job: BatchJob, progress: Progress, stop: Stop) -> bool:
        """Answer what can be without a call; False if somebody ended it."""
        kept = self._kept(job)
        first = next(kept, None)
        if first is None:
            return True
        run = _Run(self._settings, job, progress, stop, passing=(NotConfiguredError,))
        keyless = self._settings.model_copy(update={"attom_api_key": None})
        self._work(run, keyless, job, itertools.chain([first], kept))
        return not run.stopped

    def _work(self, run: _Run, settings: Settings, job: BatchJob, work: Work) -> None:
        with self._client(settings, self._lake, sleep=run.sleep) as client:
            run.work(Asker(client, job.job_id, job.endpoints, pause=run.sleep), work)

    def _open(self, job: BatchJob) -> Work:
        """Requests without an answer, or with one to be asked again, and what is answered of them."""
        for page in records.unfinished_pages(self._settings, job.job_id):
            yield from page

    def _kept(self, job: BatchJob) -> Work:
        """Those of them of which anything is kept."""
        for page in records.unfinished_pages(self._settings, job.job_id):
            requests = [request for request, _ in page]
            kept = plan_requests(self._settings, self._lake, requests, job.endpoints).kept
            yield from ((request, answers) for request, answers in page if request.request_number in kept)


@dataclass(frozen=True)
class _Done:
    """What a worker brings back: a request with all its answers, or why the run must end."""

    request: BatchRequest | None = None
    answers: tuple[RequestAnswer, ...] = ()
    problem: BaseException | None = None


class _Run:
    """One pass over a batch: workers ask, the calling thread stores and tells.

    ``passing`` are errors that leave a request as it is and do not end the run. ``stored`` counts what came,
    ``stopped`` says that somebody ended it.
    """

    def __init__(
        self,
        settings: Settings,
        job: BatchJob,
        progress: Progress,
        stop: Stop,
        passing: tuple[type[Exception], ...] = (),
    ) -> None:
        self._settings = settings
        self._job = job
        self._progress = progress
        self._stop = stop
        self._passing: tuple[type[Exception], ...] = (_HaltedError, *passing)
        self._halt = threading.Event()
        self._no_more = threading.Event()
        self._lock = threading.Lock()
        self._done: queue.SimpleQueue[_Done] = queue.SimpleQueue()
        self._problem: BaseException | None = None
        self._left = 0
        self.stopped = False
        self.stored = 0

    def sleep(self, seconds: float) -> None:
        """Wait, unless the run is to end."""
        if self._halt.wait(seconds):
            raise _HaltedError

    def work(self, asker: Asker, work: Work) -> None:
        """Ask until nothing is left, somebody stops it, or an error ends it; all that came is stored.

        Raises:
            ChargeInFlightError: some requests were left to another process. Others: see ``advance``.
        """
        pool = ThreadPoolExecutor(MOST_WORKERS, thread_name_prefix="attom")
        try:
            workers = [pool.submit(self._worker, asker, work) for _ in range(MOST_WORKERS)]
            while not all(worker.done() for worker in workers):
                if self._stop():
                    self.stopped = True
                    self._halt.set()
                self._store(_FLUSH_SECONDS)
        finally:
            self._halt.set()
            pool.shutdown(wait=True)
            while self._store(0.0):
                pass
        if self._problem is not None:
            raise self._problem
        if self._left and not self.stopped:
            raise ChargeInFlightError(
                f"{self._left} properties are being asked about by another process.", "Run the batch again."
            )

    def _worker(self, asker: Asker, work: Work) -> None:
        try:
            while not (self._halt.is_set() or self._no_more.is_set()):
                with self._lock:
                    request, answers = next(work, (None, {}))
                if request is None:
                    return
                self._ask(asker, request, answers)
        except BudgetReachedError as problem:
            # What the others have set aside is theirs to spend.
            self._no_more.set()
            self._done.put(_Done(problem=problem))
        except BaseException as problem:  # noqa: BLE001  (told to the thread that waits)
            self._halt.set()
            self._done.put(_Done(problem=problem))

    def _ask(self, asker: Asker, request: BatchRequest, answers: Answers) -> None:
        before = dict(answers)
        try:
            asker.ask(request, answers)
        except LeftPendingError:
            with self._lock:
                self._left += 1
        except self._passing:
            pass
        finally:
            if answers != before:
                self._done.put(_Done(request, tuple(answers.values())))

    def _store(self, seconds: float) -> bool:
        """Store what comes within a moment; was there anything?"""
        came: list[_Done] = []
        deadline = time.monotonic() + seconds
        while len(came) < _MOST_IN_A_FLUSH:
            try:
                came.append(self._done.get(timeout=max(0.0, deadline - time.monotonic())))
            except queue.Empty:
                break
        for done in came:
            self._problem = self._problem or done.problem
        answered = [(done.request, done.answers) for done in came if done.request is not None]
        if answered:
            self.stored += len(answered)
            self._progress(records.save(self._settings, self._job, answered))
        return bool(came)
