"""Downloads against a real loopback server: resumed, bounded, checked, whole or not at all."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import io
import os
import pickle
import random
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest

from leadflow_assets import __version__
from leadflow_assets.errors import LeadflowError, SourceAnswerError, SourceUnavailableError, StoreError
from leadflow_assets.sources.http import make_client, raise_for_answer, redact_url, send
from leadflow_assets.sources.massgis.download import Downloaded, RemoteState, changed, fetch, head
from leadflow_assets_tests.vendors.massgis import LAST_MODIFIED, REQUEST_ID, Fault, MassgisServer

ROOT = Path(__file__).resolve().parents[2]
NAME = "L3_SHP_M025_BELLINGHAM.zip"
PATH = f"/shapefiles/l3parcels/{NAME}"
HTML = Fault(
    status=200, headers={"Content-Type": "text/html; charset=utf-8"}, body=b"<!doctype html><p>sign in"
)


def a_zip(size: int, seed: int = 1) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        package.writestr("M025.bin", random.Random(seed).randbytes(size))
    return buffer.getvalue()


BODY = a_zip(1_000_000)
OTHER = a_zip(1_000_000, seed=2)


@pytest.fixture
def server() -> Iterator[MassgisServer]:
    with MassgisServer() as running:
        yield running


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with make_client(timeout=0.5) as made:
        yield made


@pytest.fixture
def naps() -> list[float]:
    return []


@pytest.fixture
def get(client: httpx.Client, tmp_path: Path, naps: list[float]) -> Callable[..., Downloaded]:
    def run(url: str, max_bytes: int = 10_000_000, **options: object) -> Downloaded:
        return fetch(url, tmp_path, client=client, max_bytes=max_bytes, sleep=naps.append, **options)  # type: ignore[arg-type]

    return run


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def sent(server: MassgisServer, path: str = PATH) -> list[int]:
    return [request.body_bytes for request in server.asked("GET", path)]


def ranges(server: MassgisServer, path: str = PATH) -> list[str | None]:
    return [request.headers.get("Range") for request in server.asked("GET", path)]


# ---- the good case, HEAD and change detection


def test_a_plain_download(server: MassgisServer, get: Callable[..., Downloaded], tmp_path: Path) -> None:
    url, seen = server.put(PATH, BODY), []
    before = datetime.now(UTC)
    got = get(url + "?key=hush", progress=lambda done, total: seen.append((done, total)))
    assert got.path == tmp_path / NAME
    assert got.path.read_bytes() == BODY
    assert (got.sha256, got.size) == (hashlib.sha256(BODY).hexdigest(), len(BODY))
    assert got.state == RemoteState(server.objects[PATH].etag, LAST_MODIFIED, len(BODY), url)
    assert got.request_id == REQUEST_ID
    assert before <= got.fetched_at <= datetime.now(UTC)
    assert seen[-1] == (len(BODY), len(BODY))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert left(tmp_path) == [NAME]
    assert server.requests[0].headers["User-Agent"] == f"leadflow-assets/{__version__}"


def test_head_and_changed(server: MassgisServer, client: httpx.Client) -> None:
    url = server.put(PATH, BODY)
    state = head(url, client, 2)
    assert (state.size, state.last_modified) == (len(BODY), LAST_MODIFIED)
    assert not changed(state, head(url, client, 2))
    server.put(PATH, OTHER)
    assert changed(state, head(url, client, 2))
    assert server.asked("GET", PATH) == []


def test_changed_by_etag_else_by_date_and_size_else_assumed() -> None:
    old = RemoteState('"a"', LAST_MODIFIED, 10, "u")
    assert not changed(old, replace(old, last_modified=None, size=11))
    assert not changed(old, replace(old, etag='W/"a"'))
    assert changed(old, replace(old, etag='"b"'))
    assert not changed(old, replace(old, etag=None))
    assert changed(old, replace(old, etag=None, size=11))
    assert changed(old, replace(old, etag=None, last_modified=LAST_MODIFIED + timedelta(seconds=1)))
    bare = RemoteState(None, None, 10, "u")
    assert changed(bare, bare)


def test_head_of_a_missing_object_and_of_a_page(server: MassgisServer, client: httpx.Client) -> None:
    with pytest.raises(SourceAnswerError, match="answered 404"):
        head(server.base + PATH, client, 2)
    server.put(PATH, b"<html>", content_type="text/html")
    with pytest.raises(SourceAnswerError, match="an HTML page instead of a package"):
        head(server.base + PATH, client, 2)


# ---- interruptions


def test_a_cut_connection_is_resumed(
    server: MassgisServer, get: Callable[..., Downloaded], naps: list[float]
) -> None:
    url = server.put(PATH, BODY)
    server.fault(PATH, Fault(cut_after=400_000), Fault(cut_after=300_000))
    assert get(url).path.read_bytes() == BODY
    first, second, third = (request.headers for request in server.asked("GET", PATH))
    assert "Range" not in first
    assert second["If-Range"] == third["If-Range"] == server.objects[PATH].etag
    starts = [int(text.removeprefix("bytes=").removesuffix("-")) for text in ranges(server)[1:] if text]
    # At most one buffer of 64 KiB is lost at each cut.
    assert 400_000 - 65_536 <= starts[0] <= 400_000
    assert starts[0] + 300_000 - 65_536 <= starts[1] <= starts[0] + 300_000
    assert sum(sent(server)) <= len(BODY) + 2 * 65_536
    assert naps == [0.5, 1.0]


def test_a_silent_server_is_left_and_resumed(server: MassgisServer, get: Callable[..., Downloaded]) -> None:
    url = server.put(PATH, BODY)
    server.fault(PATH, Fault(hang_after=200_000))
    assert get(url).path.read_bytes() == BODY
    assert ranges(server) == [None, f"bytes={196_608}-"]


def test_a_short_body_is_completed(server: MassgisServer, get: Callable[..., Downloaded]) -> None:
    url = server.put(PATH, BODY)
    server.fault(PATH, Fault(extra_length=5_000))
    assert get(url).sha256 == hashlib.sha256(BODY).hexdigest()


def test_it_gives_up_and_goes_on_at_the_next_call(
    server: MassgisServer, get: Callable[..., Downloaded], tmp_path: Path
) -> None:
    url = server.put(PATH, BODY)
    server.fault(PATH, *[Fault(cut_after=100_000)] * 5)
    with pytest.raises(SourceUnavailableError, match=r"broke off 5 times; [\d,]+ bytes are here"):
        get(url)
    assert left(tmp_path) == [f"{NAME}.part", f"{NAME}.part.json"]
    kept = (tmp_path / f"{NAME}.part").stat().st_size
    assert kept >= 5 * 65_536
    assert get(url).path.read_bytes() == BODY
    assert ranges(server)[-1] == f"bytes={kept}-"
    assert left(tmp_path) == [NAME]


@pytest.mark.parametrize("etag", [None, ""])
def test_an_object_changed_in_mid_resume_is_fetched_anew(
    server: MassgisServer, get: Callable[..., Downloaded], etag: str | None
) -> None:
    """With an ETag, and with a date only."""
    url = server.put(PATH, BODY, etag=etag)
    later = LAST_MODIFIED + timedelta(days=30)

    def change() -> None:
        server.put(PATH, OTHER, etag=etag, last_modified=later)

    server.fault(PATH, Fault(cut_after=500_000, then=change))
    got = get(url)
    assert got.path.read_bytes() == OTHER
    assert got.state.last_modified == later
    assert [request.status for request in server.asked("GET", PATH)] == [200, 200]


def test_a_partial_answer_about_another_object_is_not_appended(
    server: MassgisServer, get: Callable[..., Downloaded]
) -> None:
    """A server that ignores If-Range and sends the rest of the new object."""
    url = server.put(PATH, BODY)
    rest = {"Content-Range": f"bytes 458752-{len(OTHER) - 1}/{len(OTHER)}", "ETag": '"other"'}
    server.fault(PATH, Fault(cut_after=458_752), Fault(status=206, headers=rest, body=OTHER[458_752:]))
    assert get(url).path.read_bytes() == BODY
    assert ranges(server) == [None, "bytes=458752-", None]


def test_a_partial_answer_may_leave_out_the_date(
    server: MassgisServer, get: Callable[..., Downloaded]
) -> None:
    url = server.put(PATH, BODY)
    rest = {"Content-Range": f"bytes 458752-{len(BODY) - 1}/{len(BODY)}", "ETag": server.objects[PATH].etag}
    server.fault(PATH, Fault(cut_after=458_752), Fault(status=206, headers=rest, body=BODY[458_752:]))
    got = get(url)
    assert got.path.read_bytes() == BODY
    assert got.state.last_modified == LAST_MODIFIED


def test_without_validators_it_starts_again(
    server: MassgisServer, get: Callable[..., Downloaded], tmp_path: Path
) -> None:
    url = server.put(PATH, BODY, etag="", last_modified=None)
    server.fault(PATH, Fault(cut_after=500_000))
    assert get(url).path.read_bytes() == BODY
    assert ranges(server) == [None, None]
    server.fault(PATH, *[Fault(cut_after=500_000)] * 5)
    with pytest.raises(SourceUnavailableError):
        get(url)
    assert left(tmp_path) == [NAME]


def test_a_server_without_ranges(server: MassgisServer, get: Callable[..., Downloaded]) -> None:
    url = server.put(PATH, BODY)
    server.fault(PATH, Fault(cut_after=500_000), Fault(ignore_range=True))
    assert get(url).path.read_bytes() == BODY


KILLED = """
import sys
from pathlib import Path
from leadflow_assets.sources.http import make_client
from leadflow_assets.sources.massgis.download import fetch
fetch(sys.argv[1], Path(sys.argv[2]), client=make_client(60), max_bytes=10**9)
"""


def run_until_killed(url: str, folder: Path, ready: Callable[[], bool]) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-c", KILLED, url, str(folder)], env=environment)
    try:
        deadline = time.monotonic() + 20
        while not ready() and time.monotonic() < deadline:
            assert process.poll() is None, "the download ended before it could be killed"
            time.sleep(0.01)
        assert ready(), "the download never got there"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def test_a_killed_process_is_gone_on_from(
    server: MassgisServer, get: Callable[..., Downloaded], tmp_path: Path
) -> None:
    url, part = server.put(PATH, BODY), tmp_path / f"{NAME}.part"
    held = 10 * 65_536
    server.fault(PATH, Fault(hang_after=held))
    run_until_killed(url, tmp_path, lambda: part.exists() and part.stat().st_size == held)
    assert not (tmp_path / NAME).exists()
    got = get(url)
    assert got.sha256 == hashlib.sha256(BODY).hexdigest()
    assert got.path.read_bytes() == BODY
    assert sent(server) == [held, len(BODY) - held]


def test_killed_between_the_last_byte_and_the_name(
    server: MassgisServer, get: Callable[..., Downloaded], tmp_path: Path
) -> None:
    url = server.put(PATH, BODY)
    # Content-Length announces more than is there, so that the killed process waits with everything in hand.
    server.fault(PATH, Fault(hang_after=len(BODY), extra_length=65_536))
    part = tmp_path / f"{NAME}.part"
    run_until_killed(url, tmp_path, lambda: part.exists() and part.stat().st_size >= len(BODY) - 65_536)
    # What the process still held in its buffer when it waited for more.
    part.write_bytes(BODY)
    got = get(url)
    assert got.path.read_bytes() == BODY
    assert sent(server)[1:] == [0]
    assert [request.status for request in server.requests] == [200, 416, 200]


def test_a_complete_part_of_an_object_since_changed(
    server: MassgisServer, get: Callable[..., Downloaded], tmp_path: Path
) -> None:
    url = server.put(PATH, BODY)
    server.fault(PATH, Fault(cut_after=len(BODY) - 1), *[Fault(cut_after=0)] * 4)
    with pytest.raises(SourceUnavailableError):
        get(url)
    (tmp_path / f"{NAME}.part").write_bytes(BODY)
    # A server that compares the range before If-Range.
    server.put(PATH, OTHER)
    server.fault(PATH, Fault(status=416, headers={"Content-Range": f"bytes */{len(OTHER)}"}))
    assert get(url).path.read_bytes() == OTHER


@pytest.mark.parametrize("sidecar", ["", "{", "[]", '{"etag": "x"}', '{"etag": 1, "last_modified": 5}', None])
def test_a_part_of_nobody_knows_what_is_dropped(
    server: MassgisServer, get: Callable[..., Downloaded], tmp_path: Path, sidecar: str | None
) -> None:
    (tmp_path / f"{NAME}.part").write_bytes(b"PK\x03\x04 leftover")
    if sidecar is not None:
        (tmp_path / f"{NAME}.part.json").write_text(sidecar)
    assert get(server.put(PATH, BODY)).path.read_bytes() == BODY
    assert ranges(server) == [None]


def test_a_part_of_another_url_is_dropped(server: MassgisServer, get: Callable[..., Downloaded]) -> None:
    url, other = server.put(PATH, BODY), server.put(f"/mirror/{NAME}", OTHER)
    server.fault(PATH, *[Fault(cut_after=100_000)] * 5)
    with pytest.raises(SourceUnavailableError):
        get(url)
    assert get(other).path.read_bytes() == OTHER


# ---- what is not a package


@pytest.mark.parametrize(
    ("fault", "what"),
    [
        (HTML, "sent an HTML page"),
        (replace(HTML, headers={"Content-Type": "application/zip"}), "sent an HTML page"),
        (Fault(status=200, headers={"Content-Type": "application/xml"}, body=b"<Error/>"), "an XML document"),
        (Fault(status=200, body=b"<?xml version='1.0'?><Error><Code>NoSuchKey"), "an XML document"),
        (Fault(status=200, body=b"\x1f\x8b gzip"), "something that is not a zip"),
        (Fault(status=200), "sent nothing"),
        (Fault(status=204), "sent nothing"),
        (Fault(status=404, body=b"<Error/>"), "answered 404"),
        (Fault(status=304), "answered 304"),
    ],
)
def test_what_is_not_a_package_is_refused_and_not_kept(
    server: MassgisServer, get: Callable[..., Downloaded], tmp_path: Path, fault: Fault, what: str
) -> None:
    url = server.put(PATH, BODY)
    (tmp_path / NAME).write_bytes(b"the release before")
    server.fault(PATH, fault)
    with pytest.raises(SourceAnswerError, match=what) as caught:
        get(url + "?key=hush")
    assert PATH in str(caught.value)
    assert "hush" not in str(caught.value)
    assert not caught.value.retryable
    assert left(tmp_path) == [NAME]
    assert (tmp_path / NAME).read_bytes() == b"the release before"
    assert len(server.requests) == 1


def test_too_large_by_content_length_is_not_even_read(
    server: MassgisServer, get: Callable[..., Downloaded], tmp_path: Path
) -> None:
    seen: list[int] = []
    with pytest.raises(SourceAnswerError, match="larger than the limit of 999,999 bytes"):
        get(server.put(PATH, BODY), max_bytes=999_999, progress=lambda done, _: seen.append(done))
    assert seen == []
    assert left(tmp_path) == []


def test_too_large_without_content_length(tmp_path: Path) -> None:
    def drip() -> Iterator[bytes]:
        for start in range(0, len(BODY), 65_536):
            yield BODY[start : start + 65_536]

    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=drip()))
    with httpx.Client(transport=transport) as unbounded, pytest.raises(SourceAnswerError, match="limit"):
        fetch("https://h/x.zip", tmp_path, client=unbounded, max_bytes=300_000)
    assert left(tmp_path) == []
    with httpx.Client(transport=transport) as unbounded:
        got = fetch("https://h/x.zip", tmp_path, client=unbounded, max_bytes=3_000_000)
    assert (got.size, got.state.size, got.path.read_bytes()) == (len(BODY), len(BODY), BODY)


# ---- the retries of the shared client


@pytest.mark.parametrize(
    ("faults", "waits"),
    [
        ([Fault(status=503)], 1),
        ([Fault(status=500), Fault(status=408)], 2),
        ([Fault(status=429, headers={"Retry-After": "7"})], [7.0]),
        ([Fault(status=429)], 1),
    ],
)
def test_passing_faults_are_retried(
    server: MassgisServer,
    get: Callable[..., Downloaded],
    naps: list[float],
    faults: list[Fault],
    waits: int | list[float],
) -> None:
    server.fault(PATH, *faults)
    assert get(server.put(PATH, BODY)).size == len(BODY)
    if isinstance(waits, list):
        assert naps == waits
    else:
        assert len(naps) == waits
        assert all(0.5 <= nap <= 2 for nap in naps)


def test_retry_after_as_a_date(
    server: MassgisServer, get: Callable[..., Downloaded], naps: list[float]
) -> None:
    when = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    past = format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True)
    server.fault(PATH, *(Fault(status=503, headers={"Retry-After": text}) for text in (when, past)))
    get(server.put(PATH, BODY))
    assert 15 < naps[0] <= 20
    assert naps[1] == 0


@pytest.mark.parametrize(
    ("faults", "naps_taken", "asked"),
    [
        ([Fault(status=503)] * 3, 2, 3),
        ([Fault(status=429, headers={"Retry-After": "3600"})], 0, 1),
        ([Fault(status=429, headers={"Retry-After": "20"})] * 3, 1, 2),
    ],
)
def test_retries_are_bounded_in_number_and_waiting(
    server: MassgisServer,
    get: Callable[..., Downloaded],
    naps: list[float],
    faults: list[Fault],
    naps_taken: int,
    asked: int,
) -> None:
    server.fault(PATH, *faults)
    with pytest.raises(SourceUnavailableError, match=rf"answered {faults[0].status}") as caught:
        get(server.put(PATH, BODY))
    assert caught.value.retryable
    assert (len(naps), len(server.requests)) == (naps_taken, asked)


def test_a_refused_connection_is_retried_then_unavailable(client: httpx.Client, naps: list[float]) -> None:
    with MassgisServer() as gone:
        url = gone.base + "/x.zip?key=hush"
    with (
        pytest.raises(SourceUnavailableError, match="cannot be reached") as caught,
        send(client, "GET", url, sleep=naps.append),
    ):
        pass
    assert len(naps) == 2
    assert "hush" not in str(caught.value)


def test_a_silent_server_is_not_asked_again(server: MassgisServer, client: httpx.Client) -> None:
    server.put(PATH, BODY)
    server.fault(PATH, Fault(hang_before=True), method="HEAD")
    with pytest.raises(SourceUnavailableError, match="did not answer in time"):
        head(server.base + PATH, client, 0.2)
    assert len(server.requests) == 1


def test_a_post_is_sent_once(naps: list[float]) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.method)
        return httpx.Response(503)

    with (
        httpx.Client(transport=httpx.MockTransport(answer)) as mocked,
        pytest.raises(SourceUnavailableError),
        send(mocked, "POST", "https://h/x", json={}, sleep=naps.append),
    ):
        pass
    assert (asked, naps) == (["POST"], [])


def test_redirects_are_followed_and_circles_are_not(
    server: MassgisServer, get: Callable[..., Downloaded], tmp_path: Path
) -> None:
    server.put(PATH, BODY)
    server.fault("/old.zip", Fault(status=302, headers={"Location": PATH}))
    got = get(server.base + "/old.zip")
    assert (got.path, got.size) == (tmp_path / "old.zip", len(BODY))
    server.fault("/circle.zip", *[Fault(status=302, headers={"Location": "/circle.zip"})] * 30)
    with pytest.raises(SourceAnswerError, match="TooManyRedirects"):
        get(server.base + "/circle.zip")


@pytest.mark.parametrize("url", ["ftp://user:hush@h/x.zip", "http://user:hush@h:port/x.zip", "http://"])
def test_an_unusable_url_is_final(get: Callable[..., Downloaded], tmp_path: Path, url: str) -> None:
    with pytest.raises(SourceAnswerError) as caught:
        get(url)
    assert "hush" not in str(caught.value)
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:pw@h:8443/a/b.zip?key=1#x", "https://h:8443/a/b.zip"),
        ("https://h/a", "https://h/a"),
        ("/data/odd?name#1.zip", "/data/odd?name#1.zip"),
        ("http://[bad", "(malformed URL)"),
    ],
)
def test_redact_url(url: str, shown: str) -> None:
    assert redact_url(url) == shown


def test_a_redirect_without_target_is_no_success(server: MassgisServer, client: httpx.Client) -> None:
    server.fault(PATH, Fault(status=300))
    with (
        send(client, "GET", server.base + PATH) as response,
        pytest.raises(SourceAnswerError, match="answered 300"),
    ):
        raise_for_answer(response)


# ---- local sources and the disk


@pytest.mark.parametrize("form", [str, Path.as_uri])
def test_local_files_are_copied_and_hashed(
    get: Callable[..., Downloaded], client: httpx.Client, tmp_path: Path, form: Callable[[Path], str]
) -> None:
    source = tmp_path / "mirror #1" / "M 025?.zip"
    source.parent.mkdir()
    source.write_bytes(BODY)
    got = get(form(source))
    assert got.path == tmp_path / "M_025_.zip"
    assert (got.path.read_bytes(), got.sha256) == (BODY, hashlib.sha256(BODY).hexdigest())
    assert got.state == head(form(source), client, 1)
    assert (got.state.etag, got.state.size, got.request_id) == (None, len(BODY), None)
    assert got.state.last_modified == datetime.fromtimestamp(source.stat().st_mtime, UTC)
    assert not changed(got.state, head(form(source), client, 1))
    os.utime(source, (1, 1))
    assert changed(got.state, head(form(source), client, 1))
    assert left(tmp_path) == ["M_025_.zip", "mirror #1"]


def test_local_faults(get: Callable[..., Downloaded], tmp_path: Path) -> None:
    page = tmp_path / "in" / "page.zip"
    page.parent.mkdir()
    page.write_bytes(b"<html>")
    for source, what in (
        (page, "an HTML page"),
        (page.parent, "is not a file"),
        (tmp_path / "no", "cannot be read"),
    ):
        with pytest.raises(SourceAnswerError, match=what):
            get(str(source))
    page.write_bytes(BODY)
    with pytest.raises(SourceAnswerError, match="limit"):
        get(str(page), max_bytes=10)
    with pytest.raises(SourceUnavailableError, match="changed while it was copied"):
        get(str(page), progress=lambda *_: os.utime(page, (1, 1)))
    assert left(tmp_path) == ["in"]


def fill_disk_after(monkeypatch: pytest.MonkeyPatch, room: int, code: int = errno.ENOSPC) -> None:
    """Let the file system take ``room`` more bytes, the last write in part, as a real one does."""
    real, taken = os.write, [0]

    def write(handle: int, data: bytes) -> int:
        fits = data[: max(room - taken[0], 0)]
        if not fits:
            raise OSError(code, os.strerror(code))
        taken[0] += len(fits)
        return real(handle, fits)

    monkeypatch.setattr(os, "write", write)


def test_a_full_disk_keeps_the_part(
    server: MassgisServer, get: Callable[..., Downloaded], tmp_path: Path
) -> None:
    url = server.put(PATH, BODY)
    with pytest.MonkeyPatch.context() as patch:
        fill_disk_after(patch, 300_001)
        with pytest.raises(StoreError, match="is full") as caught:
            get(url)
    assert str(tmp_path) in str(caught.value)
    assert f"{len(BODY) - 300_001:,} more bytes" in str(caught.value)
    assert get(url).path.read_bytes() == BODY
    assert ranges(server) == [None, "bytes=300001-"]


def test_a_full_disk_gives_useless_bytes_back(
    server: MassgisServer, get: Callable[..., Downloaded], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "in" / NAME
    source.parent.mkdir()
    source.write_bytes(BODY)
    fill_disk_after(monkeypatch, 300_000, errno.EDQUOT)
    for url in (str(source), server.put(PATH, BODY, etag="", last_modified=None)):
        with pytest.raises(StoreError, match="is full"):
            get(url)
        assert left(tmp_path) == ["in"]


def test_a_folder_that_cannot_be_made(server: MassgisServer, client: httpx.Client, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        fetch(server.put(PATH, BODY), tmp_path / "file", client=client, max_bytes=10**9)


def test_two_processes_do_not_write_one_part(
    server: MassgisServer, get: Callable[..., Downloaded], tmp_path: Path
) -> None:
    url = server.put(PATH, BODY)
    with (tmp_path / f"{NAME}.part").open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(StoreError, match="by another process"):
            get(url)
        assert left(tmp_path) == [f"{NAME}.part"]
    assert server.requests == []
    assert get(url).size == len(BODY)


def test_errors_survive_the_trip_between_processes(
    get: Callable[..., Downloaded], server: MassgisServer
) -> None:
    with pytest.raises(LeadflowError) as caught:
        get(server.base + PATH)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), str(again)) == (type(caught.value), str(caught.value))
