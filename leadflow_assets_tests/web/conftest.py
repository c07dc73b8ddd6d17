"""The page over the demo's lake: asked over loopback, by a client and by a real browser."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from leadflow_assets.settings import Settings, load_settings
from leadflow_assets.web.app import build_app
from leadflow_assets_tests.conftest import forget_environment

ROOT = Path(__file__).parents[2]
WIDE, NARROW = (1600, 1000), (390, 844)
_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of `leadflow demo`, made once for all workers. Copy it before anything is written."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "web-demo"
    done = folder.with_suffix(".done")
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            named = {name.upper() for name in Settings.model_fields}
            env = {name: value for name, value in os.environ.items() if name not in named}
            env |= {"LEADFLOW_DATA_DIR": str(folder), "DAGSTER_HOME": str(folder.with_suffix(".dagster"))}
            command = [sys.executable, "-m", "leadflow_assets.cli", "demo"]
            made = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=False)
            assert made.returncode == 0, made.stderr[-2000:]
            done.touch()
    return folder


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for the tests of one module, without any settings of the machine."""
    patch = pytest.MonkeyPatch()
    folder = tmp_path_factory.mktemp("web")
    forget_environment(patch, folder)
    yield folder
    patch.undo()


@pytest.fixture(scope="module")
def web_settings(environment: Path, demo_folder: Path) -> Settings:
    """Settings over a copy of the demo's lake; the module may write to it."""
    return copied(demo_folder, environment / "data")


def copied(demo_folder: Path, data_dir: Path, **more: Any) -> Settings:
    """Settings over a fresh copy of the demo's lake."""
    shutil.copytree(demo_folder, data_dir, symlinks=True)
    return load_settings(leadflow_data_dir=data_dir, leadflow_demo=True, **more)


@contextmanager
def serving(settings: Settings) -> Iterator[str]:
    """The page on a real port of loopback; gives its URL."""
    config = uvicorn.Config(build_app(settings), host="127.0.0.1", port=0, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started:
        assert thread.is_alive() and time.monotonic() < deadline, "the page does not start"
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(timeout=30)


@pytest.fixture(scope="module")
def url(web_settings: Settings) -> Iterator[str]:
    """URL of the page, served over loopback."""
    with serving(web_settings) as address:
        yield address


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[httpx.Client]:
    """Asks the page over loopback; follows redirects."""
    with httpx.Client(base_url=url, follow_redirects=True, timeout=60) as opened:
        yield opened


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        reason = "no Chromium is installed (Debian: apt-get install chromium)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=[*_QUIET])
        yield opened
        opened.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens tabs. Afterwards: no script failed, and no request left this machine."""
    contexts, wrong = [], []

    def opened(size: tuple[int, int] = WIDE, **options: Any) -> Page:
        viewport = {"width": size[0], "height": size[1]}
        context = browser.new_context(viewport=viewport, locale="en-US", accept_downloads=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: wrong.append(f"script: {error}"))
        page.on("console", lambda line: wrong.append(line.text) if _is_wrong(line) else None)
        page.on("request", lambda asked: None if _is_ours(asked.url) else wrong.append(f"left: {asked.url}"))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert wrong == []


def _is_wrong(line: Any) -> bool:
    # A refused request is told by the page; what else the console calls an error is one of ours.
    return line.type == "error" and "Failed to load resource" not in line.text


def _is_ours(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "data:", "blob:"))


def assert_accessible(page: Page) -> None:
    """axe finds nothing serious on the page as it stands."""
    found = Axe().run(page).response["violations"]
    serious = [
        f"{one['id']}: {one['help']} ({', '.join(str(node['target']) for node in one['nodes'][:3])})"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
    assert serious == []


def assert_fits(page: Page) -> None:
    """The page is no wider than its window: nobody scrolls sideways to read it."""
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0, f"{wider} pixels too wide at {page.viewport_size}"


def shot(page: Page, name: str) -> None:
    """Keep a picture of the whole page below ``data/``, for people to look at."""
    folder = ROOT / "data" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{name}.png", full_page=True)
