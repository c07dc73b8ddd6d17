"""Who may see the page, from where, and what is refused."""

from __future__ import annotations

import asyncio
import errno
import getpass
import io
import json
import re
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute
from playwright.sync_api import Page, expect

from leadflow_assets.cli import main
from leadflow_assets.errors import NotConfiguredError, StoreError
from leadflow_assets.settings import Settings
from leadflow_assets.state import database, exports, web_users
from leadflow_assets.web import downloads
from leadflow_assets.web.pages import PAGES
from leadflow_assets.web.server import check_bind, is_this_machine
from leadflow_assets_tests.web.conftest import (
    NARROW,
    assert_accessible,
    assert_fits,
    copied,
    serving,
    shot,
)

PASSWORD = "seven quiet herons"
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def guarded(environment: Path, demo_folder: Path) -> Settings:
    """A page that demands a login: Ann may log in."""
    settings = copied(demo_folder, environment / "guarded", leadflow_web_upload_mb=1)
    with database.session(settings) as session:
        assert web_users.set_password(session, "Ann", PASSWORD, NOW)
        session.commit()
    return settings


@pytest.fixture(scope="module")
def guarded_url(guarded: Settings) -> Iterator[str]:
    with serving(guarded) as url:
        yield url


@pytest.fixture
def visitor(guarded_url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=guarded_url, timeout=60) as opened:
        yield opened


@pytest.fixture(autouse=True)
def no_failures(request: pytest.FixtureRequest) -> None:
    """Refused logins of one test do not hold up the next."""
    if "guarded" in request.fixturenames or "visitor" in request.fixturenames:
        with database.session(request.getfixturevalue("guarded")) as session:
            session.connection().exec_driver_sql("DELETE FROM web_login_failures")
            session.commit()


def log_in(visitor: httpx.Client, password: str = PASSWORD, name: str = "ann", **more: str) -> httpx.Response:
    return visitor.post("/login", data={"name": name, "password": password, **more})


def test_no_page_may_load_anything_from_elsewhere(client: httpx.Client) -> None:
    for path in ("/", "/?all=yes", "/login", "/nowhere"):
        policy = client.get(path).headers["content-security-policy"]
        parts = dict(part.strip().split(" ", 1) for part in policy.split(";"))
        assert parts["default-src"] == parts["frame-ancestors"] == "'none'"
        assert parts["connect-src"] == parts["form-action"] == "'self'"
        assert parts["img-src"] == "'self' data:" and "unsafe" not in policy
    first, second = (client.get("/").headers["content-security-policy"] for _ in range(2))
    assert first != second, "a nonce is used once"


def test_a_basemap_is_the_only_other_source_of_pictures(web_settings: Settings) -> None:
    tiles = "https://{s}.tiles.example.org/{z}/{x}/{y}.png"
    settings = web_settings.model_copy(update={"leadflow_web_basemap_url": tiles})
    with serving(settings) as url:
        policy = httpx.get(url).headers["content-security-policy"]
    assert "img-src 'self' data: https://*.tiles.example.org;" in policy


def test_a_page_of_another_site_reaches_nothing(client: httpx.Client, url: str) -> None:
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 403
    assert client.get("/", headers={"Host": "localhost:8000"}).status_code == 200
    embedded = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    assert client.get("/leads/export", headers=embedded).status_code == 403
    assert client.get("/leads", headers=embedded | {"Sec-Fetch-Mode": "navigate"}).status_code == 200
    data = {"search": "use_code=104", "format": "csv"}
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Origin": url},
        {"Sec-Fetch-Site": "same-site"},
    ):
        refused = client.post("/search/export", data=data, headers=headers)
        assert refused.status_code == 403 and "nothing was done" in refused.text
    for headers in ({"Origin": url}, {"Sec-Fetch-Site": "same-origin", "Origin": url}, {}):
        assert client.post("/search/export", data=data, headers=headers).status_code == 200


def test_names_of_hosts_may_be_added(web_settings: Settings) -> None:
    settings = web_settings.model_copy(update={"leadflow_web_names": "leads.example.org"})
    with serving(settings) as url:
        assert httpx.get(url, headers={"Host": "leads.example.org"}).status_code == 200
        assert httpx.get(url, headers={"Host": "other.example.org"}).status_code == 403


def test_bodies_are_bounded_whether_or_not_their_length_is_told(guarded_url: str) -> None:
    large = b"x" * 2_500_000
    refused = httpx.post(f"{guarded_url}/login", content=large)
    assert refused.status_code == 413 and "LEADFLOW_WEB_UPLOAD_MB" in refused.text

    def pieces() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        for _ in range(25):
            yield b"x" * 100_000
        yield b"\r\n--x--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    refused = httpx.post(f"{guarded_url}/login", content=pieces(), headers=headers)
    assert refused.status_code == 413 and "LEADFLOW_WEB_UPLOAD_MB" in refused.text


def test_a_bug_is_told_without_the_text_of_its_error(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    owner = " ".join(("DOE", "JANE"))  # lines of source are logged, and this is one

    def broken(*_: object, **__: object) -> None:
        raise ValueError(f"{owner} cannot be divided by zero")

    monkeypatch.setattr("leadflow_assets.web.pages.spend.open_ledger", broken)
    answer = client.get("/spend")
    assert answer.status_code == 500 and "ValueError" in answer.text and owner not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    monkeypatch.setattr("leadflow_assets.web.security.login._idle", broken)
    assert client.post("/logout").status_code == 500
    assert "/spend" in caplog.text and owner not in caplog.text


@pytest.mark.parametrize(
    "path", ["/search/towns?town=²", "/libraries/leaflet/%00", f"/libraries/leaflet/{'x' * 999}"]
)
def test_odd_addresses_break_nothing(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code in (200, 404)


def in_a_thread(work: Coroutine[Any, Any, None]) -> None:
    """Where no loop runs: the browser of other tests here has one."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()


def test_a_download_leaves_nothing_behind_even_broken_off(web_settings: Settings, tmp_path: Path) -> None:
    def written(path: Path) -> int:
        assert path.parent.stat().st_mode & 0o077 == 0
        return path.write_text("a,b\n", encoding="utf-8")

    async def broken_off(_: object) -> None:
        raise OSError("the client is gone")

    async def nothing() -> dict[str, str]:
        return {"type": "http.disconnect"}

    answer = downloads.download_plain(web_settings, "ann", name="x.csv", what="test", write=written)
    scope = {"type": "http", "method": "GET", "headers": [], "asgi": {"spec_version": "2.4"}}
    with pytest.raises(OSError, match="gone"):
        in_a_thread(answer(scope, nothing, broken_off))  # type: ignore[arg-type]
    assert list((web_settings.data_dir / "exports").iterdir()) == []

    def full(_: Path) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(StoreError, match="No space left"):
        downloads.download_plain(web_settings, "ann", name="x.csv", what="full", write=full)
    assert list((web_settings.data_dir / "exports").iterdir()) == []
    with database.session(web_settings) as session:
        assert [line.what for line in exports.latest(session, 1)] == ["test"], "what failed is no export"


def test_libraries_give_their_files_and_no_others(client: httpx.Client) -> None:
    for name in ("ag-grid.js", "leaflet.js", "leaflet/leaflet.css", "leaflet-draw/images/spritesheet.svg"):
        assert client.get(f"/libraries/{name}").status_code == 200
    for name in (
        "leaflet",
        "leaflet/..%2f..%2fleaflet.py",
        "leaflet/%2e%2e/index.js",
        "aggrid.py",
        "leaflet.js/x",
    ):
        assert client.get(f"/libraries/{name}").status_code == 404, name


def test_without_a_login_nothing_is_seen(visitor: httpx.Client) -> None:
    page = visitor.get("/login?next=/leads").text
    assert getpass.getuser() not in re.findall(r"<span>(.*?)</span>", page) and "Log out" not in page
    for router in PAGES:
        for route in router.routes:
            assert isinstance(route, APIRoute)
            path = re.sub(r"{.*?}", "1", route.path)
            for method in route.methods:
                refused = visitor.request(method, path)
                assert refused.status_code == 303, (method, path)
                assert refused.headers["location"].startswith("/login"), (method, path)
                asked = visitor.request(method, path, headers={"Accept": "application/json"})
                assert asked.status_code == 401, (method, path)
    for path in ("/", "/?owner=smith", "/?owner=%ff", "/search/towns", "/leads", "/health", "/nowhere"):
        refused = visitor.get(path)
        assert refused.status_code == 303 and refused.headers["location"].startswith("/login")
        assert "smith" not in refused.text
    assert visitor.get("/search/rows", headers={"Accept": "application/json"}).status_code == 401
    assert visitor.post("/search/export", data={"search": "", "format": "csv"}).status_code == 303
    assert visitor.get("/login").status_code == 200 and visitor.get("/static/style.css").status_code == 200


def test_logging_in_leads_back_and_out_again(visitor: httpx.Client) -> None:
    assert log_in(visitor, password="wrong but long enough").status_code == 403
    assert log_in(visitor, name="nobody").status_code == 403
    answer = log_in(visitor, next="/?use_code=104")
    assert answer.status_code == 303 and answer.headers["location"] == "/?use_code=104"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie
    page = visitor.get("/?use_code=104")
    assert page.status_code == 200 and ">ann<" in page.text
    token = visitor.cookies["leadflow_login"]
    assert visitor.post("/logout").status_code == 303
    assert visitor.get("/", headers={"Cookie": f"leadflow_login={token}"}).status_code == 303, (
        "the login has ended"
    )


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil.example", "evil"])
def test_a_login_never_leads_elsewhere(visitor: httpx.Client, target: str) -> None:
    assert log_in(visitor, next=target).headers["location"] == "/"


def test_guessing_is_slowed_down_and_waiting_is_told(visitor: httpx.Client) -> None:
    for _ in range(web_users.MOST_PER_NAME):
        assert log_in(visitor, password="a wild guess at it").status_code == 403
    refused = log_in(visitor)
    assert refused.status_code == 429 and "Wait 15 minutes" in refused.text


def test_many_guesses_at_once_are_counted_too(visitor: httpx.Client) -> None:
    with ThreadPoolExecutor(12) as pool:
        answers = list(
            pool.map(lambda _: log_in(visitor, password="a wild guess at it").status_code, range(12))
        )
    assert sorted(answers) == [403] * web_users.MOST_PER_NAME + [429] * (12 - web_users.MOST_PER_NAME)


def test_a_new_password_and_a_removed_person_end_logins(visitor: httpx.Client, guarded: Settings) -> None:
    with database.session(guarded) as session:
        web_users.set_password(session, "bob", PASSWORD, NOW)
        session.commit()
    log_in(visitor, name="bob")
    assert visitor.get("/").status_code == 200
    with database.session(guarded) as session:
        assert not web_users.set_password(session, "bob", "another long password", NOW)
        session.commit()
    assert visitor.get("/").status_code == 303
    log_in(visitor, name="bob", password="another long password")
    assert visitor.get("/").status_code == 200
    with database.session(guarded) as session:
        web_users.remove(session, "bob")
        session.commit()
    assert visitor.get("/").status_code == 303


def test_an_unused_login_ends_and_no_password_or_token_is_kept(settings: Settings) -> None:
    idle = timedelta(hours=12)
    with database.session(settings) as session:
        web_users.set_password(session, "ann", PASSWORD, NOW)
        token = web_users.log_in(session, "Ann", PASSWORD, "127.0.0.1", NOW)
        assert token is not None
        session.commit()
        assert web_users.person_of(session, token, NOW + timedelta(hours=11), idle) == "ann"
        assert web_users.person_of(session, token, NOW + timedelta(hours=22), idle) == "ann"
        assert web_users.person_of(session, token, NOW + timedelta(hours=35), idle) is None
        assert web_users.person_of(session, "guess", NOW, idle) is None
        session.commit()
    kept = b"".join(file.read_bytes() for file in settings.data_dir.glob("state.sqlite*"))
    assert PASSWORD.encode() not in kept and token.encode() not in kept and b"$argon2id$" in kept


@pytest.mark.parametrize(("host", "here"), [("127.0.0.1", True), ("::1", True), ("localhost", True)])
def test_loopback_is_this_machine(host: str, here: bool) -> None:
    assert is_this_machine(host) is here
    assert not is_this_machine("0.0.0.0") and not is_this_machine("leads.example.org")


def test_listening_beyond_this_machine_demands_a_login(settings: Settings, guarded: Settings) -> None:
    with pytest.raises(NotConfiguredError, match="nobody would have to log in"):
        check_bind(settings, "0.0.0.0")
    (told,) = check_bind(guarded, "0.0.0.0")
    assert "unencrypted" in told
    assert check_bind(guarded, "127.0.0.1") == []
    half = settings.model_copy(update={"leadflow_web_certificate": Path("nowhere.pem")})
    with pytest.raises(NotConfiguredError, match="two TLS files"):
        check_bind(half, "127.0.0.1")


def test_the_command_says_so_and_asks_for_a_password(
    tmp_path: Path,
    clean_environment: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("LEADFLOW_DATA_DIR", str(tmp_path / "data"))

    def leadflow(*words: str, typed: str = "") -> tuple[int, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        code = main(["web", *words])
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    code, told = leadflow("--host", "0.0.0.0", "--port", "1")
    assert code == 3 and "leadflow web add-user" in told
    code, told = leadflow("add-user", "ann", typed="short\n")
    assert code == 2 and "12 to" in told and "short" not in told
    assert leadflow("add-user", "ann", typed=PASSWORD + "\n")[0] == 0
    assert "ann" in leadflow("users")[1]
    assert leadflow("remove-user", "bob")[0] == 2


def test_a_person_logs_in_with_the_browser(guarded_url: str, open_page: Callable[..., Page]) -> None:
    page = open_page(NARROW)
    page.goto(f"{guarded_url}/?use_code=104")
    page.get_by_label("Name").fill("ann")
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("do not belong together")
    assert_accessible(page)
    assert_fits(page)
    shot(page, "login-narrow")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/\?use_code=104$"))
    expect(page.locator("#summary")).to_contain_text("properties")
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_url(re.compile("/login$"))


def test_exports_of_the_command_line_leave_a_line_too(
    web_settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("LEADFLOW_DATA_DIR", str(web_settings.data_dir))
    file = str(tmp_path / "x.csv")
    search = ["search", "--town", "sampleton", "--owner", "brackenwell", "--format", "csv", "-o", file]
    assert main(search) == 0
    assert main(["leads", "export", "--town", "sampleton", "--grade", "A", "-o", file]) == 0
    capsys.readouterr()
    assert main(["web", "exports", "--limit", "2", "--json"]) == 0
    leads, found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (found["way"], found["what"], found["filters"]) == ("command line", "search", "towns 999; owner")
    assert leads["what"] == "leads" and leads["rows"] > 0 and len(leads["sha256"]) == 64
    assert "brackenwell" not in str(found).lower()
