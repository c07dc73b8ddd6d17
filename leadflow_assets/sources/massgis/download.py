"""Getting one package, from the web or a local folder: resumed, bounded, checked, whole or not at all.

A download grows in ``<name>.part`` beside ``<name>.part.json``, which says of which object it is a part.
After an interruption, a killed process included, the rest is asked for with Range and If-Range (RFC 9110,
13.1.5): the server itself says whether the object is still the same one.
"""

from __future__ import annotations

import re
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

import httpx

from leadflow_assets.errors import SourceAnswerError, SourceUnavailableError
from leadflow_assets.sources.http import (
    page_kind,
    parse_http_date,
    raise_for_answer,
    redact_url,
    send,
    typed_errors,
)
from leadflow_assets.sources.massgis.part_file import CHUNK, PartFile, RemoteState, validator

Progress = Callable[[int, int | None], None]

ZIP_MAGIC = b"PK\x03\x04"
TRANSFERS = 5
# Compressed on the way, the bytes would be neither those counted nor those hashed.
_AS_STORED = {"Accept-Encoding": "identity"}


@dataclass(frozen=True)
class Downloaded:
    """A fetched file. ``request_id`` is Amazon's id of the (last) request, for their support."""

    path: Path
    sha256: str
    size: int
    state: RemoteState
    fetched_at: datetime
    request_id: str | None


_Answer = tuple[RemoteState, str | None]  # the object's state and the id of the last request
_Sleep = Callable[[float], None]


class _BrokenOffError(Exception):
    """A transfer ended before the object did; another one may go on."""


def local_path(url: str) -> Path | None:
    """The file a ``file://`` URL or a plain path means; None for any other URL."""
    scheme, is_url, _ = url.partition("://")
    if not is_url:
        return Path(url).expanduser() if url.startswith("~/") else Path(url)
    return Path(unquote(urlsplit(url).path)) if scheme.lower() == "file" else None


def head(url: str, client: httpx.Client, timeout: float) -> RemoteState:
    """Validators and size of an object without fetching it. ``timeout`` in seconds.

    Raises:
        SourceUnavailableError: no answer, or a passing fault.
        SourceAnswerError: there is no such object, or a page came instead.
    """
    path = local_path(url)
    if path is not None:
        return _local_state(path)
    with send(client, "HEAD", url, headers=_AS_STORED, timeout=timeout) as response:
        raise_for_answer(response)
        _refuse_page(response)
        return _state(response, url)


def changed(old: RemoteState, new: RemoteState) -> bool:
    """Must the object be fetched again? By ETag when both have one, else by Last-Modified and size.

    Without either, nothing proves that it is the same: the answer is yes.
    """
    if old.etag and new.etag:
        return old.etag.removeprefix("W/") != new.etag.removeprefix("W/")
    if old.last_modified is None or new.last_modified is None:
        return True
    return (old.last_modified, old.size) != (new.last_modified, new.size)


def fetch(
    url: str,
    into: Path,
    *,
    client: httpx.Client | None,
    max_bytes: int,
    progress: Progress | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Downloaded:
    """Fetch a zip into the folder ``into``, under the last part of its URL; replaces a file of that name.

    A path or file:// address is copied and needs no ``client``.

    Up to ``TRANSFERS`` transfers, each going on where the one before broke off. ``progress`` is called with
    the bytes held and the bytes expected (None: unknown).

    Raises:
        SourceUnavailableError: no answer, or it broke off every time; the next call goes on from there.
        SourceAnswerError: no such object, larger than ``max_bytes``, or not a zip.
        StoreError: the folder cannot be written, is full, or another process is fetching the same file.
    """
    source = local_path(url)
    last = source.name if source else unquote(re.split("[?#]", url)[0].rpartition("/")[2])
    name = re.sub(r"[^\w.+-]", "_", last).lstrip(".") or "package.zip"
    with PartFile.opened(into, name) as part:
        job = _Job(url, part, max_bytes, progress)
        if source is not None:
            state, request_id = job.copy(source), None
        else:
            if client is None:
                raise ValueError("a URL needs a client")
            state, request_id = job.download(client, sleep)
        digest, size = part.digest.hexdigest(), part.size
        path = part.finish()
    return Downloaded(path, digest, size, state, datetime.now(UTC), request_id)


@dataclass(frozen=True)
class _Job:
    """One call of ``fetch``."""

    url: str
    part: PartFile
    max_bytes: int
    progress: Progress | None

    def copy(self, source: Path) -> RemoteState:
        """Copy a local file, which must not change meanwhile."""
        state = _local_state(source)
        self.part.restart(state, resumable=False)
        self._limit(state.size or 0)
        with _open(source) as file:
            self._receive(iter(lambda: _read(file, source), b""), state.size)
        if _local_state(source) != state:
            raise SourceUnavailableError(f"{source} changed while it was copied.", "Try again.")
        return state

    def download(self, client: httpx.Client, sleep: _Sleep) -> _Answer:
        """Transfer until the object is here."""
        if self.part.state is not None and self.part.state.url != redact_url(self.url):
            self.part.restart(None)
        for transfer in range(TRANSFERS):
            if transfer:
                sleep(0.5 * transfer)
            try:
                return self._transfer(client, sleep)
            except _BrokenOffError:
                continue
        raise SourceUnavailableError(
            f"{redact_url(self.url)} broke off {TRANSFERS} times; {self.part.size:,} bytes are here.",
            "Try again later.",
        )

    def _transfer(self, client: httpx.Client, sleep: _Sleep) -> _Answer:
        part, headers = self.part, dict(_AS_STORED)
        mark = validator(part.state) if part.state else None
        if part.size and mark:
            headers |= {"Range": f"bytes={part.size}-", "If-Range": mark}
        with send(client, "GET", self.url, headers=headers, sleep=sleep) as response:
            if response.status_code == 416 and part.size:
                return self._complete(client, sleep), response.headers.get("x-amz-request-id")
            raise_for_answer(response)
            state = _state(response, self.url)
            if response.status_code != 206:
                _refuse_page(response)
                part.restart(state)
            elif part.state is None or not _goes_on(response, part.size, part.state, state):
                part.restart(None)
                raise _BrokenOffError
            else:
                # A partial answer may leave out what the first one said (RFC 9110, 15.3.7).
                modified = state.last_modified or part.state.last_modified
                state = replace(state, etag=state.etag or part.state.etag, last_modified=modified)
            self._limit(state.size or 0)
            try:
                with typed_errors(self.url):
                    self._receive(response.iter_raw(CHUNK), state.size)
            except SourceUnavailableError as error:
                raise _BrokenOffError from error
            if state.size is not None and part.size != state.size:
                raise _BrokenOffError
            return replace(state, size=part.size), response.headers.get("x-amz-request-id")

    def _complete(self, client: httpx.Client, sleep: _Sleep) -> RemoteState:
        """There is nothing after what we hold: a call died before its last step, or the object changed."""
        with send(client, "HEAD", self.url, headers=_AS_STORED, sleep=sleep) as response:
            raise_for_answer(response)
            state = _state(response, self.url)
        if self.part.state is None or changed(self.part.state, state) or state.size != self.part.size:
            self.part.restart(None)
            raise _BrokenOffError
        return state

    def _receive(self, chunks: Iterator[bytes], expected: int | None) -> None:
        for chunk in chunks:
            self._limit(self.part.size + len(chunk))
            self.part.append(chunk)
            if self.part.size == len(chunk):
                self._must_be_zip()
            if self.progress:
                self.progress(self.part.size, expected)
        self._must_be_zip()

    def _limit(self, size: int) -> None:
        if size > self.max_bytes:
            self.part.restart(None)
            raise SourceAnswerError(
                f"{redact_url(self.url)} is larger than the limit of {self.max_bytes:,} bytes.",
                "If it is right, raise MASSGIS_MAX_PACKAGE_MB.",
            )

    def _must_be_zip(self) -> None:
        start = self.part.start()
        if not start.startswith(ZIP_MAGIC):
            self.part.restart(None)
            what = page_kind(start) or ("something that is not a zip" if start else "nothing")
            raise _not_a_package(self.url, what)


def _not_a_package(url: str, what: str) -> SourceAnswerError:
    if local_path(url) is not None:
        return SourceAnswerError(f"{url} is {what}, not a package.", "Give a zip from MassGIS.")
    return SourceAnswerError(f"{redact_url(url)} sent {what} instead of a package.", "Check the link.")


def _refuse_page(response: httpx.Response) -> None:
    kind = page_kind(b"", response.headers.get("Content-Type", ""))
    if kind:
        raise _not_a_package(str(response.url), kind)


def _state(response: httpx.Response, url: str) -> RemoteState:
    """Validators of the whole object, from a whole or a partial answer."""
    headers = response.headers
    if response.status_code == 206:
        size = headers.get("Content-Range", "").rpartition("/")[2]
    else:
        size = headers.get("Content-Length", "")
    return RemoteState(
        etag=headers.get("ETag") or None,
        last_modified=parse_http_date(headers.get("Last-Modified", "")),
        size=int(size) if size.isascii() and size.isdigit() else None,
        url=redact_url(url),
    )


def _goes_on(response: httpx.Response, held: int, old: RemoteState, state: RemoteState) -> bool:
    """Does a partial answer begin after the bytes held, in the same object?"""
    if not response.headers.get("Content-Range", "").startswith(f"bytes {held}-"):
        return False
    pairs = ((old.etag, state.etag), (old.last_modified, state.last_modified), (old.size, state.size))
    return all(a == b for a, b in pairs if a is not None and b is not None)


def _local_state(path: Path) -> RemoteState:
    try:
        found = path.stat()
    except OSError as error:
        raise SourceAnswerError(f"{path} cannot be read ({error.strerror}).", "Check the path.") from error
    if not stat.S_ISREG(found.st_mode):
        raise SourceAnswerError(f"{path} is not a file.", "Name the package itself.")
    return RemoteState(None, datetime.fromtimestamp(found.st_mtime, UTC), found.st_size, str(path))


def _open(path: Path) -> BinaryIO:
    # Caught here, so that a fault of the source is not taken for one of the folder written to.
    try:
        return path.open("rb")
    except OSError as error:
        hint = "Check its permissions."
        raise SourceAnswerError(f"{path} cannot be read ({error.strerror}).", hint) from error


def _read(file: BinaryIO, path: Path) -> bytes:
    try:
        return file.read(CHUNK)
    except OSError as error:
        raise SourceUnavailableError(f"{path} cannot be read ({error.strerror}).") from error
