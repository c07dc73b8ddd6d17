"""The page over the whole state: searches over loopback against the same in process, in the same run.

Three things: one user, warm (median and 95th percentile of each kind of search, and the ratio to what the
engine alone takes); ten users at once; and, with Chromium installed, a real browser: the first rows on the
screen after a search, and places drawn on the map. Targets: 700 ms, 1.5 s and 1.5 s; memory 1.5 GiB.

Run: ``python -m benchmarks.page --data DIR``, a data folder whose lake and search index hold the state.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from urllib.parse import parse_qs

import httpx

from leadflow_assets.search.engine import open_searcher
from leadflow_assets.settings import Settings, load_settings
from leadflow_assets.web.criteria import criteria_of
from leadflow_assets.web.results import BLOCK, USUAL

_USERS, _EACH = 10, 12
_KINDS: dict[str, Callable[[Random], str]] = {
    "town": lambda random: f"town={random.randint(1, 351)}&absentee=any",
    "two-families": lambda random: f"use_code=104&absentee=any&min_value={random.randint(2, 6)}00000",
    "owner": lambda random: f"owner={random.choice(['smith', 'sullivan', 'trust', 'silva', 'realty'])}",
    "score": lambda random: f"min_score={random.randint(20, 40)}&sort=-score",
    "signals": lambda random: f"signal={random.choice(['foreclosure', 'tax', 'estate'])}&sort=-score",
    "case": lambda random: "case=any&sort=-total_value",
}
_ROW = ".ag-center-cols-container .ag-row"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="data folder with the lake and its index")
    parser.add_argument("--questions", type=int, default=20)
    options = parser.parse_args()
    settings = load_settings(leadflow_data_dir=options.data.resolve())
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} at the start")
    with _serving(options.data) as (url, pid):
        _one_user(url, settings, options.questions)
        _ten_users(url)
        _browser(url)
        print(f"memory of the server, MiB: {_memory(pid)} (target: at most 1,536; mapped files are shared)")
    print(f"load {os.getloadavg()[0]:.1f} at the end")


@contextmanager
def _serving(data: Path) -> Iterator[tuple[str, int]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {**os.environ, "LEADFLOW_DATA_DIR": str(data.resolve())}
    command = [sys.executable, "-m", "leadflow_assets.cli", "web", "--port", str(port)]
    server = subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            if server.poll() is not None:
                raise RuntimeError("the page does not start")
            try:
                httpx.get(f"{url}/search/results?all=yes", timeout=60)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield url, server.pid
    finally:
        server.terminate()
        server.wait()


def _one_user(url: str, settings: Settings, questions: int) -> None:
    print(f"\none user, {questions} questions of each kind     page p50   p95 ms   engine alone p50   ratio")
    client, searcher = httpx.Client(base_url=url, timeout=60), open_searcher(settings, engine="index")
    with client, searcher:
        searcher.cases.load()
        searcher.scores.load()
        for name, ask in _KINDS.items():
            random = Random(1)
            asked = [ask(random) for _ in range(questions)]
            page = [_timed(lambda query=query: client.get(f"/search/results?{query}")) for query in asked]
            alone = []
            for query in asked:
                params = parse_qs(query)
                sort = tuple(params.pop("sort", ["property_id"]))
                criteria = criteria_of(searcher, params)
                alone.append(
                    _timed(lambda c=criteria, s=sort: searcher.search(c, sort=s, limit=BLOCK, columns=USUAL))
                )
            ours, peer = statistics.median(page), statistics.median(alone)
            print(f"{name:<38} {ours:>8.0f} {_p95(page):>8.0f} {peer:>18.0f} {ours / peer:>7.1f}")


def _ten_users(url: str) -> None:
    taken: list[float] = []

    def user(number: int) -> None:
        random = Random(number)
        with httpx.Client(base_url=url, timeout=60) as client:
            for _ in range(_EACH):
                query = random.choice(list(_KINDS.values()))(random)
                taken.append(_timed(lambda query=query: client.get(f"/search/results?{query}")))

    threads = [threading.Thread(target=user, args=(number,)) for number in range(_USERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(
        f"\nten users at once, {len(taken)} searches: p50 {statistics.median(taken):.0f} ms, "
        f"p95 {_p95(taken):.0f} ms (target: at most 1,500)"
    )


def _browser(url: str) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        print("no Chromium: what a browser shows was not measured")
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1600, "height": 1000})
        first, drawn, again = [], [], []
        for value in range(5):
            started = time.perf_counter()
            page.goto(f"{url}/?use_code=104&absentee=any&min_value={value + 2}00000", wait_until="commit")
            page.wait_for_selector(f".first-rows td, {_ROW}")
            first.append(1000 * (time.perf_counter() - started))
            page.wait_for_selector("#map-told:not(:empty)")
            drawn.append(1000 * (time.perf_counter() - started))
            page.get_by_label("Address", exact=True).fill(f"{value + 10}")
            started = time.perf_counter()
            page.locator(".filters-head button.primary").click()
            page.wait_for_selector("#summary.waiting", state="attached")
            page.wait_for_selector("#summary:not(.waiting)")
            again.append(1000 * (time.perf_counter() - started))
        places = page.locator("#map-told").inner_text()
        browser.close()
    print(f"\nin a browser, median of {len(first)} (worst):")
    for words, times in (
        ("first rows on the screen, a page opened anew", first),
        ("first rows of a search in an open page (target: at most 700)", again),
        (f"page, grid and map drawn: {places} (target: at most 1,500)", drawn),
    ):
        print(f"  {words}: {statistics.median(times):.0f} ms ({max(times):.0f})")


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - started)


def _p95(times: Sequence[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def _memory(pid: int) -> str:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    told = (line.split() for line in lines if line.startswith(("VmHWM", "RssAnon", "RssFile")))
    peak, own, files = (int(words[1]) / 1024 for words in told)
    return f"peak {peak:,.0f}; now {own:,.0f} its own, {files:,.0f} mapped files"


if __name__ == "__main__":
    main()
