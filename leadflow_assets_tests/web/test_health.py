"""Health on the page: what doctor says, towns on the map, and what is told where something is missing."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from leadflow_assets.domain.towns import towns
from leadflow_assets.enrich.checks import examine_all
from leadflow_assets.refresh.overview import town_overviews
from leadflow_assets.settings import Settings, load_settings
from leadflow_assets.state import database, source_checks, web_users
from leadflow_assets.state.source_checks import SourceCheck
from leadflow_assets.web.rendering import commands
from leadflow_assets_tests.web.conftest import NARROW, assert_accessible, assert_fits, copied, serving, shot

RUNS = """
CREATE TABLE runs (id INTEGER PRIMARY KEY, run_id TEXT, pipeline_name TEXT, status TEXT, partition TEXT,
                   create_timestamp TEXT, start_time FLOAT, end_time FLOAT)
"""


@pytest.fixture(scope="module", autouse=True)
def _dagster_home(environment: Path) -> Iterator[None]:
    """A home of Dagster where it has never run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(environment))
        yield


@pytest.fixture(scope="module")
def web_settings(environment: Path, demo_folder: Path) -> Settings:
    """A copy of the demo's lake whose table of links is no such file: nobody else is asked."""
    return copied(demo_folder, environment / "data", massgis_links=str(environment / "no-links.csv"))


def test_the_map_and_the_table_say_what_the_command_line_says(
    client: httpx.Client, web_settings: Settings
) -> None:
    text = unescape(client.get("/health").text)
    known = Counter(o.status for o in town_overviews(web_settings, towns(demo=True)))
    assert f"never fetched: {known['not fetched']}" in text and known["not fetched"] == 351
    assert len(re.findall(r'<a href="[^"]*" aria-label="[^"]*"><title>', text)) == 352
    assert len(re.findall(r'<tr id="town-\d+">', text)) == 352
    assert '<a href="/?town=999-sampleton" aria-label="Sampleton: fresh, fiscal year 2026' in text
    for finding in examine_all(web_settings):
        # Free space and milliseconds differ from one look to the next.
        assert finding.name in text and unescape(commands(finding.what_to_do)) in text


def test_a_source_that_could_not_be_had_is_told_from_one_never_asked(
    client: httpx.Client, web_settings: Settings
) -> None:
    check = SourceCheck(
        25,
        "http://127.0.0.1:9/x.zip",
        None,
        None,
        None,
        datetime.now(UTC),
        "unreachable",
        "It does not answer.",
    )
    with database.session(web_settings) as session:
        source_checks.record(session, check)
        session.commit()
    text = client.get("/health").text
    assert 'aria-label="Bellingham: failed"' in text and "It does not answer." in text
    assert "never fetched: 350" in text and "failed: 1" in text


def test_a_broken_table_leaves_the_page_standing(client: httpx.Client, web_settings: Settings) -> None:
    found = sorted(Path(web_settings.lake_uri, "mart", "leads").rglob("*.parquet"))
    kept = found[0].read_bytes()
    found[0].unlink()
    found[0].write_bytes(b"broken")
    try:
        before = client.get("/health").text
        answer = client.post("/health/again")
    finally:
        found[0].write_bytes(kept)
    # What is shown is what was seen when it was examined; it is examined anew when somebody says so.
    assert "Examined" in before and "leadflow doctor --repair" not in before
    assert answer.status_code == 200 and answer.url.path == "/health"
    loud = answer.text.partition("What needs attention</caption>")[2].partition("</table>")[0]
    assert "mart.leads" in loud and "leadflow doctor --repair" in loud
    assert "Map of Massachusetts" in answer.text


def test_a_lake_that_cannot_be_read_is_a_finding(environment: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    settings = load_settings(leadflow_data_dir=tmp_path / "data", leadflow_lake=str(tmp_path / "file"))
    with serving(settings) as address:
        answer = httpx.get(f"{address}/health", timeout=60)
    assert answer.status_code == 200
    assert "A file stands where a folder must be" in unescape(answer.text)


def test_runs_of_dagster_or_why_there_are_none(client: httpx.Client, environment: Path) -> None:
    file = environment / "data" / "dagster" / "storage" / "runs.db"
    assert f"Dagster has recorded no run here: there is no {file}." in client.get("/health").text
    file.parent.mkdir(parents=True)
    file.write_text("no database at all, but long enough to be looked at as one" * 20)
    assert "cannot be read (DatabaseError" in client.get("/health").text
    file.unlink()
    with sqlite3.connect(file) as connection:
        connection.execute(RUNS)
        connection.execute(
            "INSERT INTO runs VALUES (1, '<b>0123456789</b>', 'refresh_towns', 'SUCCESS', '999-sampleton', "
            "'2026-11-22 20:00:00.000000', 1795377600.0, 1795377660.0)"
        )
    text = client.get("/health").text
    assert "refresh_towns" in text and "Nov 22, 2026, 3:00 PM" in text and "<b>0123" not in text
    file.unlink()


def test_sources_are_asked_only_by_the_button(client: httpx.Client) -> None:
    assert "Live checks of" not in client.get("/health").text
    answer = client.post("/health/live")
    assert answer.status_code == 200 and answer.url.path == "/health"
    live = answer.text.partition("Live checks of")[2].partition("</table>")[0]
    assert "MassGIS" in live and "Live checks of" in client.get("/health").text


def test_who_may_log_in_is_told_to_those_who_have(environment: Path, tmp_path: Path) -> None:
    settings = load_settings(leadflow_data_dir=tmp_path / "data")
    with serving(settings) as address:
        assert "none is asked for" in httpx.get(f"{address}/health", timeout=60).text
    with database.session(settings) as session:
        web_users.set_password(session, "ann", "a long enough password", datetime.now(UTC))
        session.commit()
    with serving(settings) as address, httpx.Client(base_url=address, follow_redirects=True) as client:
        assert "ann" not in client.get("/health").text
        client.post("/login", data={"name": "ann", "password": "a long enough password"})
        assert "<dt>May log in</dt><dd>ann</dd>" in client.get("/health", timeout=60).text


def test_the_map_is_seen_and_used(url: str, open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.goto(f"{url}/health")
    assert_accessible(page)
    assert_fits(page)
    shot(page, "health")
    link = page.get_by_role("link", name=re.compile("^Worcester: never fetched"))
    link.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{url}/health#town-348")
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    assert_fits(page)
    shot(page, "health-narrow")
