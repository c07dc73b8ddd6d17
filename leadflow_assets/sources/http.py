"""Asking a source over HTTP: one client, bounded retries, and two kinds of failure.

``SourceUnavailableError`` passes by itself (no connection, 5xx, 408, 429); ``SourceAnswerError`` does not.
Only GET and HEAD are ever sent twice. No text made here holds a query string or credentials.
"""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception, wait_exponential_jitter

from leadflow_assets import __version__
from leadflow_assets.errors import SourceAnswerError, SourceUnavailableError

USER_AGENT = f"leadflow-assets/{__version__}"
ATTEMPTS = 3
MAX_WAIT_SECONDS = 30.0
_SAFE_METHODS = frozenset({"GET", "HEAD"})
_PASSING_STATUSES = frozenset({408, 429})
# A silent server is not asked again at once: each attempt costs the whole timeout.
_LATER = "Check the network, or try again later; what is here stays."
_RETRIED_TRANSPORT_ERRORS = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.ReadError,
    httpx.WriteError,
    httpx.RemoteProtocolError,
)
_FINAL_HTTPX_ERRORS = (
    httpx.TooManyRedirects,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    httpx.DecodingError,
    httpx.InvalidURL,
)
_backoff = wait_exponential_jitter(multiplier=0.5, max=8.0, jitter=0.5)


class _PassingError(Exception):
    """A fault worth another attempt, with the seconds the server asks us to wait."""

    def __init__(self, error: SourceUnavailableError, retry_after: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.retry_after = retry_after


def make_client(timeout: float = 30.0) -> httpx.Client:
    """A client for one source. ``timeout``: seconds to connect, and seconds of silence while reading."""
    # At INFO httpx logs whole URLs, keys in the query included.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    return httpx.Client(
        verify=_trusted(), timeout=timeout, follow_redirects=True, headers={"User-Agent": USER_AGENT}
    )


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates httpx trusts. Reading them takes longer than most calls: all clients share them."""
    return httpx.create_ssl_context()


def redact_url(url: str) -> str:
    """The URL without query, fragment and credentials, fit for texts and receipts; a path stays as it is."""
    try:
        parts = urlsplit(url)
        if not parts.netloc:
            return url
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    except ValueError:
        return "(malformed URL)"


@contextmanager
def typed_errors(url: str) -> Iterator[None]:
    """Turn httpx's errors, while asking for ``url`` or reading its body, into the two kinds of ours."""
    shown = redact_url(url)
    try:
        yield
    except _FINAL_HTTPX_ERRORS as error:
        # The cause is cut off: its text may quote parts of the URL.
        raise SourceAnswerError(f"{shown} cannot be asked ({type(error).__name__}).", "Check it.") from None
    except httpx.TimeoutException as error:
        raise SourceUnavailableError(
            f"{shown} did not answer in time ({type(error).__name__}).", _LATER
        ) from error
    except httpx.RequestError as error:
        raise SourceUnavailableError(
            f"{shown} cannot be reached ({type(error).__name__}).", _LATER
        ) from error


@contextmanager
def send(
    client: httpx.Client,
    method: str,
    url: str,
    *,
    headers: dict[str, str] | None = None,
    json: Any = None,
    timeout: float | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[httpx.Response]:
    """Send a request and yield the open, unread response, whatever its status unless that is a passing one.

    GET and HEAD are sent up to ``ATTEMPTS`` times, with at most ``MAX_WAIT_SECONDS`` of waiting in all;
    ``Retry-After`` is obeyed, and a longer one ends the attempts. ``timeout``: seconds, else the client's.

    Raises:
        SourceUnavailableError: no connection, no answer in time, 5xx, 408 or 429, at the last attempt too.
        SourceAnswerError: the URL is unusable or redirects in circles.
    """
    seconds = httpx.USE_CLIENT_DEFAULT if timeout is None else timeout
    with typed_errors(url):
        request = client.build_request(method, url, headers=headers, json=json, timeout=seconds)
    retrying = Retrying(
        retry=retry_if_exception(lambda error: method in _SAFE_METHODS and isinstance(error, _PassingError)),
        wait=_wait,
        stop=_stop,
        sleep=sleep,
        reraise=True,
    )
    try:
        response = retrying(_exchange, client, request)
    except _PassingError as passing:
        raise passing.error from passing.__cause__
    with closing(response):
        yield response


def raise_for_answer(response: httpx.Response) -> None:
    """Refuse every status but 2xx.

    Raises:
        SourceAnswerError: 3xx without a target, or 4xx.
    """
    if not response.is_success:
        hint = "Check the link." if response.status_code in {403, 404, 410} else ""
        raise SourceAnswerError(f"{redact_url(str(response.url))} answered {response.status_code}.", hint)


def read_limited(response: httpx.Response, *, max_bytes: int, seconds: float) -> bytes:
    """The decoded body of an open response, at most ``max_bytes`` of it within ``seconds``.

    Raises:
        SourceAnswerError: it is larger. SourceUnavailableError: it broke off or dripped for too long.
    """
    url, body, deadline = str(response.url), bytearray(), time.monotonic() + seconds
    with typed_errors(url):
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > max_bytes:
                raise SourceAnswerError(f"{redact_url(url)} sent more than {max_bytes:,} bytes.")
            if time.monotonic() > deadline:
                raise SourceUnavailableError(f"{redact_url(url)} did not finish within {seconds:g} s.")
    return bytes(body)


def page_kind(start: bytes, content_type: str = "") -> str | None:
    """What a body is when its type or first bytes tell of a page: "an HTML page", "an XML document"."""
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()[:200].lower()
    kind = content_type.partition(";")[0].strip().lower()
    if kind in {"text/html", "application/xhtml+xml"} or text.startswith((b"<!doctype html", b"<html")):
        return "an HTML page"
    # Spreadsheets have types such as "...openxmlformats...": only the bare XML types are meant.
    if kind in {"text/xml", "application/xml"} or text.startswith(b"<?xml"):
        return "an XML document"
    return "an HTML page" if text.startswith(b"<") else None


def _exchange(client: httpx.Client, request: httpx.Request) -> httpx.Response:
    url = str(request.url)
    with typed_errors(url):
        try:
            response = client.send(request, stream=True)
        except _RETRIED_TRANSPORT_ERRORS as error:
            # The text of a failed connection is the system's: refused, unknown host, bad certificate.
            reason = str(error) if isinstance(error, httpx.ConnectError) else type(error).__name__
            shown = f"{redact_url(url)} cannot be reached ({reason})."
            raise _PassingError(SourceUnavailableError(shown, _LATER)) from error
    if response.status_code >= 500 or response.status_code in _PASSING_STATUSES:
        response.close()
        raise _PassingError(_unavailable(response), retry_after(response))
    return response


def _unavailable(response: httpx.Response) -> SourceUnavailableError:
    asked = retry_after(response)
    hint = "Try again later." if asked is None else f"It asks to wait {asked:.0f} s."
    return SourceUnavailableError(f"{redact_url(str(response.url))} answered {response.status_code}.", hint)


def retry_after(response: httpx.Response) -> float | None:
    """Seconds asked for by Retry-After, given as seconds or as a date (RFC 9110, 10.2.3)."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    when = parse_http_date(value)
    return None if when is None else max(0.0, (when - datetime.now(UTC)).total_seconds())


def parse_http_date(value: str) -> datetime | None:
    """An HTTP date as an aware datetime; None when it is missing or not one."""
    try:
        when = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _passing(state: RetryCallState) -> float | None:
    error = state.outcome.exception() if state.outcome else None
    return error.retry_after if isinstance(error, _PassingError) else None


def _wait(state: RetryCallState) -> float:
    asked = _passing(state)
    return _backoff(state) if asked is None else asked


def _stop(state: RetryCallState) -> bool:
    too_long = state.idle_for + state.upcoming_sleep > MAX_WAIT_SECONDS
    return state.attempt_number >= ATTEMPTS or too_long
