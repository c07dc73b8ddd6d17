"""Speaking to an address-batch service, as the predecessor did: submit a CSV, ask how far it is, fetch a CSV.

ATTOM documents no such service, so every shape here is an assumption; see ``docs/attom.md``. Submitting is
never repeated by itself; asking and fetching are.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import httpx

from leadflow_assets.errors import LeadflowError, SourceAnswerError, SourceUnavailableError
from leadflow_assets.sources.attom.errors import (
    AttomKeyError,
    AttomMalformedError,
    AttomPlanError,
    AttomRequestError,
    AttomThrottledError,
    AttomUnavailableError,
    AttomUnsettledError,
)
from leadflow_assets.sources.attom.keys import Keys, plain_key
from leadflow_assets.sources.http import (
    make_client,
    page_kind,
    raise_for_answer,
    read_limited,
    send,
    typed_errors,
)

UPLOAD_HEADER = ("Address", "City", "State", "Zip")
TIMEOUT_SECONDS = 120.0
TRANSFERS = 4
MAX_RESULT_BYTES = 1 << 30
_MAX_ANSWER_BYTES = 1 << 20
_ANSWER_SECONDS = 60.0
_CHUNK = 1 << 18
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_READY = frozenset({"complete", "completed", "done", "finished", "ready", "readyfordownload", "success"})
_FAILED = frozenset({"failed", "failure", "error", "cancelled", "canceled", "aborted", "expired"})


class NotSubmittedError(Exception):
    """The service did not take the batch; ``error`` says why. Nothing was billed."""

    def __init__(self, error: LeadflowError) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(frozen=True)
class JobState:
    """How far a job of the service is; ``word`` is its own."""

    state: Literal["working", "ready", "failed"]
    word: str


class BatchService:
    """One service at ``base_url``. The key stands in a header, which is why no redirect is followed."""

    def __init__(
        self, base_url: str, key: str, http: httpx.Client, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._headers = {"apikey": key}
        self._http = http
        self._sleep = sleep

    def submit(self, upload: bytes) -> str:
        """Hand over a CSV with :data:`UPLOAD_HEADER`; returns the service's id of the job.

        Raises:
            NotSubmittedError: it was not taken.
            AttomUnsettledError, AttomMalformedError: it may have been, and may be billed.
        """
        try:
            # The cause of an error may quote the request: every one is cut off.
            with typed_errors(self._base_url):
                request = self._http.build_request(
                    "POST",
                    self._base_url,
                    headers=self._headers,
                    files={"addressBatchFile": ("addresses.csv", upload, "text/csv")},
                    data={"reportFormat": "CSV"},
                )
        except SourceAnswerError as error:
            raise NotSubmittedError(AttomUnavailableError(error.message, "Check its URL.")) from None
        try:
            response = self._http.send(request, stream=True)
        except (*_NEVER_SENT, httpx.UnsupportedProtocol) as error:
            shown = f"The batch service cannot be reached ({type(error).__name__})."
            raise NotSubmittedError(AttomUnavailableError(shown, "Try again; nothing was sent.")) from None
        except httpx.HTTPError as error:
            raise _broke_off(type(error).__name__) from None
        try:
            body = read_limited(response, max_bytes=_MAX_ANSWER_BYTES, seconds=_ANSWER_SECONDS)
        except LeadflowError as error:
            raise _broke_off(type(error.__cause__ or error).__name__) from None
        finally:
            response.close()
        return _job_id(response.status_code, body)

    def state(self, job_id: str) -> JobState:
        """How far a job is.

        Raises:
            SourceUnavailableError: it does not answer now. SourceAnswerError: it knows no such job, or
                answers with something else.
        """
        with self._get("status", job_id) as response:
            body = read_limited(response, max_bytes=_MAX_ANSWER_BYTES, seconds=_ANSWER_SECONDS)
        found = Keys(_parsed(body))
        word = found.text("status", "job.status", "data.status", "response.status")
        if word is None:
            raise AttomMalformedError("The batch service says no status of the job.", "Ask ATTOM.")
        plain = plain_key(word)
        if plain in _FAILED:
            return JobState("failed", word)
        return JobState("ready" if plain in _READY else "working", word)

    def fetch(self, job_id: str, into: Path) -> None:
        """Write a job's result into a file; whole and synced when this returns.

        Raises:
            SourceUnavailableError: it broke off every time. SourceAnswerError: no result, or a page.
            OSError: the file cannot be written.
        """
        for transfer in range(TRANSFERS):
            if transfer:
                self._sleep(0.5 * transfer)
            try:
                return self._transfer(job_id, into)
            except SourceUnavailableError:
                if transfer == TRANSFERS - 1:
                    raise
        raise AssertionError("the last transfer returns or raises")

    def _transfer(self, job_id: str, into: Path) -> None:
        size = 0
        with self._get("result", job_id) as response, into.open("wb") as file:
            content_type = response.headers.get("Content-Type", "")
            with typed_errors(self._base_url):
                for chunk in response.iter_bytes(_CHUNK):
                    kind = _kind(chunk, content_type) if size == 0 else None
                    if kind:
                        raise SourceAnswerError(
                            f"The batch service sent {kind} instead of the result.", "Ask ATTOM."
                        )
                    size += file.write(chunk)
                    if size > MAX_RESULT_BYTES:
                        raise SourceAnswerError(
                            f"The result is larger than {MAX_RESULT_BYTES:,} bytes.", "Ask ATTOM."
                        )
            file.flush()
            os.fsync(file.fileno())
        if size == 0:
            raise SourceUnavailableError("The batch service sent an empty result.", "Try again later.")

    @contextmanager
    def _get(self, what: str, job_id: str) -> Iterator[httpx.Response]:
        url = f"{self._base_url}/{what}/{quote(job_id, safe='')}"
        with send(self._http, "GET", url, headers=self._headers, sleep=self._sleep) as response:
            if response.status_code in (401, 403):
                raise _refused(response.status_code)
            raise_for_answer(response)
            yield response


@contextmanager
def open_service(
    base_url: str, key: str, *, sleep: Callable[[float], None] = time.sleep
) -> Iterator[BatchService]:
    """A service with a connection of its own."""
    with make_client(timeout=TIMEOUT_SECONDS) as http:
        http.follow_redirects = False
        yield BatchService(base_url, key, http, sleep=sleep)


def _kind(start: bytes, content_type: str) -> str | None:
    """What came instead of a table; None where it may be one."""
    return page_kind(start[:400], content_type) or ("JSON" if start.lstrip()[:1] == b"{" else None)


def _job_id(status: int, body: bytes) -> str:
    if status in (401, 403, 429) or (400 <= status < 500 and status != 408):
        raise NotSubmittedError(_refused(status))
    if not 200 <= status < 300:
        # A failure on the other side may come after the job was made.
        raise _broke_off(f"it answered {status}")
    found = Keys(_parsed(body)).text("jobID", "batchID", "job.jobID", "job.id", "data.jobID", "id")
    if found is None:
        raise AttomMalformedError(
            "The batch service took the addresses and names no job; it may bill them.",
            "Ask ATTOM for the job; `leadflow spend` lists the charge.",
        )
    return found


def _refused(status: int) -> LeadflowError:
    said = f"The batch service answered {status}"
    if status == 401:
        return AttomKeyError(f"{said}: the key is not accepted.", "Set ATTOM_API_KEY to a valid key.")
    if status == 403:
        return AttomPlanError(f"{said}: it is not part of the contract.", "Ask ATTOM to add it.")
    if status == 429:
        return AttomThrottledError(f"{said}: too many calls.", "Try again later.")
    return AttomRequestError(f"{said}: it refuses the request.", "Check LEADFLOW_ATTOM_BATCH_URL.")


def _broke_off(how: str) -> AttomUnsettledError:
    return AttomUnsettledError(
        f"Submitting the batch broke off ({how}); it may have been taken and may be billed.",
        "Ask ATTOM; `leadflow spend` lists it as unknown. It is not sent again by itself.",
    )


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
