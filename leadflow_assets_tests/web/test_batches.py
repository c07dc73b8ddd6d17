"""Batches on the page: priced before they are made, asked by a process of their own, and billed once."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from openpyxl import Workbook
from playwright.sync_api import Page, expect

from leadflow_assets.enrich.batches.service import Batches
from leadflow_assets.enrich.choice import choose
from leadflow_assets.enrich.vendor import open_ledger
from leadflow_assets.errors import BudgetReachedError
from leadflow_assets.search.criteria import criteria_from
from leadflow_assets.search.engine import open_searcher
from leadflow_assets.settings import Settings
from leadflow_assets.state import database, exports
from leadflow_assets_tests.integration.batches_helpers import (
    ENDPOINTS,
    assert_accounted,
    batch_settings,
    sample_street,
    street_list,
)
from leadflow_assets_tests.vendors.attom import KEY, AttomServer
from leadflow_assets_tests.vendors.attom_bodies import SampleProperty
from leadflow_assets_tests.web.batches_helpers import (
    WaitingAttom,
    created,
    idle,
    kill_process,
    posted,
    uploaded,
)
from leadflow_assets_tests.web.conftest import (
    NARROW,
    WIDE,
    assert_accessible,
    assert_fits,
    copied,
    serving,
    shot,
)

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def vendor() -> Iterator[AttomServer]:
    with AttomServer(sample_street(4)) as server:
        yield server


@pytest.fixture(scope="module")
def web_settings(environment: Path, demo_folder: Path, vendor: AttomServer) -> Settings:
    """A copy of the demo's lake with a key for the loopback vendor."""
    return copied(
        demo_folder,
        environment / "data",
        attom_api_key=KEY,
        leadflow_attom_url=vendor.base,
        leadflow_attom_calls_per_minute=100_000,
        leadflow_attom_endpoints=",".join(ENDPOINTS),
    )


@pytest.fixture(scope="module")
def parcels(web_settings: Settings, vendor: AttomServer) -> list[dict[str, str]]:
    """Three parcels of the lake that the vendor knows as well."""
    columns = ("property_id", "loc_id", "site_address", "zip")
    with open_searcher(web_settings) as searcher:
        criteria = criteria_from({"towns": ["sampleton"], "use_codes": ["101"]})
        found: list[dict[str, str]] = searcher.search(criteria, limit=3, columns=columns).rows.to_pylist()
    for number, row in enumerate(found):
        vendor.properties.append(
            SampleProperty(2000 + number, line1=row["site_address"], zip=row["zip"], fips="25999")
        )
    return found


def test_a_person_has_a_file_answered(
    url: str,
    web_settings: Settings,
    vendor: AttomServer,
    parcels: list[dict[str, str]],
    open_page: Callable[..., Page],
    tmp_path: Path,
) -> None:
    lines = [f'"{row["site_address"]}",Sampleton,{row["zip"]},{HOSTILE}' for row in parcels]
    lines += [f"{n} Sample Street,Sampleton,01999,ours" for n in range(1, 5)]
    lines += ["P.O. Box 7,Sampleton,01999,none", "99 Sample Street,Sampleton,01999,nobody knows it"]
    file = tmp_path / "spring.csv"
    file.write_text("\n".join(["Property Address,City,Zip,Remark", *lines]) + "\n")
    page = open_page()
    page.goto(f"{url}/batches")
    page.get_by_role("link", name="New batch").first.click()
    page.get_by_label("CSV or Excel workbook").set_input_files(file)
    page.get_by_role("button", name="Upload and see the price").click()
    # Eight can be asked at two endpoints, a dime each.
    expect(page.locator(".price")).to_have_text("$1.60")
    expect(page.locator("body")).to_contain_text("a P.O. box is no property")
    expect(page.locator("body")).to_contain_text("Zip is zip")
    assert_accessible(page)
    assert_fits(page)
    shot(page, "batch-price")
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    assert_fits(page)
    page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
    page.get_by_role("button", name="Create the batch").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("spring")
    assert Batches(web_settings).job("spring").status == "created" and not vendor.calls
    asked: list[str] = []

    def answer(dialog: object) -> None:
        asked.append(dialog.message)  # type: ignore[attr-defined]
        dialog.accept()  # type: ignore[attr-defined]

    page.once("dialog", answer)
    page.get_by_role("button", name="Submit: ask ATTOM, at most $1.60").click()
    expect(page.locator("#said")).to_contain_text("Working")
    assert_accessible(page)
    shot(page, "batch-running")
    expect(page.locator("#said")).to_have_text("Done.", timeout=120_000)
    assert asked == ["Ask ATTOM about 8 properties for at most $1.60?"]
    job = Batches(web_settings).job("spring")
    assert job.status == "processed"
    assert_accounted(web_settings, vendor, job)
    expect(page.locator("[data-count=returned]")).to_have_text("7")
    expect(page.locator("[data-count=no_match]")).to_have_text("1")
    row = page.locator("#results tbody tr", has_text=parcels[0]["site_address"])
    expect(row.get_by_role("link")).to_have_attribute(
        "href", re.compile(f"/parcel/999-sampleton/{re.escape(parcels[0]['loc_id'])}$")
    )
    assert_accessible(page)
    assert_fits(page)
    shot(page, "batch-processed")
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    assert_fits(page)
    shot(page, "batch-processed-narrow")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download results (CSV)").click()
    rows = list(csv.DictReader(download.value.path().read_text("utf-8-sig").splitlines()))
    assert len(rows) == 9 and rows[0]["Remark"] == HOSTILE
    assert sum(row["outcome"] == "returned" for row in rows) == 7
    with database.session(web_settings) as session:
        line = exports.latest(session)[0]
    assert (line.way, line.what, line.rows) == ("page", f"batch {job.job_id}", 9)
    # The upload is kept with the batch, and no longer as a draft.
    assert not list(Path(web_settings.lake_uri, "_batches/uploads/drafts").glob("*/*"))


def test_the_pages_are_read_on_a_telephone(url: str, open_page: Callable[..., Page]) -> None:
    page = open_page(NARROW)
    for path, name in (
        ("/batches", "batches"),
        ("/batches/new", "batch-new"),
        ("/batches/new?best=1&town=sampleton&top=5", "batch-best"),
        ("/spend", "spend"),
    ):
        page.goto(url + path)
        assert_accessible(page)
        assert_fits(page)
        shot(page, f"{name}-narrow")


def test_a_killed_process_goes_on_from_another_page_and_bills_once(environment: Path, tmp_path: Path) -> None:
    with WaitingAttom(sample_street(6), most=5) as slow:
        settings = batch_settings(tmp_path, slow)
        with (
            serving(settings) as address,
            httpx.Client(base_url=address, follow_redirects=True, timeout=60) as client,
        ):
            content = street_list(tmp_path / "l.csv", 6).read_bytes()
            path = created(client, uploaded(client, "l.csv", content), "Killed")
            shown = posted(client, path, f"{path}/submit")
            assert "Submitted." in shown.text
            assert slow.stuck.wait(timeout=120)
            assert "Working" in client.get(path).text
            assert f"{path}/go-on" not in client.get(path).text, "nobody is invited to start another one"
            kill_process(settings, path.rpartition("/")[2])
        slow.opened.set()
        with (
            serving(settings) as address,
            httpx.Client(base_url=address, follow_redirects=True, timeout=60) as client,
        ):
            assert not idle(client, path)["working"]
            assert "Nobody works at it now" in client.get(path).text
            posted(client, path, f"{path}/go-on")
            state = idle(client, path)
            # What was under way may have been billed: a person says that it was not.
            assert state["status"] == "processed" and state["outcomes"]["error"]
            assert "may have been billed" in client.get(path).text
            for charge in open_ledger(settings).unknown():
                answer = client.post(f"/spend/{charge.charge_id}/resolve", data={"reports": "0"})
                assert "settled at 0 reports" in answer.text
            posted(client, path, f"{path}/go-on")
            assert idle(client, path)["outcomes"]["returned"] == 6
        assert_accounted(settings, slow, Batches(settings).jobs()[0])
        assert slow.reports == 12


def test_without_a_key_the_page_says_which_setting(environment: Path, tmp_path: Path) -> None:
    settings = batch_settings(tmp_path, None, attom_api_key=None)
    with (
        serving(settings) as address,
        httpx.Client(base_url=address, follow_redirects=True, timeout=60) as client,
    ):
        content = street_list(tmp_path / "l.csv", 2).read_bytes()
        path = created(client, uploaded(client, "l.csv", content), "Keyless")
        for shown in ("/batches", "/batches/new", path, "/spend"):
            assert "sets <code>ATTOM_API_KEY</code>" in client.get(shown).text
        answer = client.post(f"{path}/submit", data={"cents": "40"})
        assert answer.status_code == 409 and "ATTOM_API_KEY" in answer.text
        assert client.get(f"{path}/progress").json()["status"] == "created"


def test_at_the_cap_the_page_says_the_numbers(environment: Path, tmp_path: Path) -> None:
    with AttomServer(sample_street(5)) as server:
        settings = batch_settings(tmp_path, server, daily_cap_attom_cents=60)
        with (
            serving(settings) as address,
            httpx.Client(base_url=address, follow_redirects=True, timeout=60) as client,
        ):
            content = street_list(tmp_path / "l.csv", 5).read_bytes()
            priced = uploaded(client, "l.csv", content)
            assert "Only $0.60 are left under the caps" in priced.text
            path = created(client, priced, "Capped")
            batches = Batches(settings)
            batches.submit(path.rpartition("/")[2])
            with pytest.raises(BudgetReachedError):
                batches.run(path.rpartition("/")[2])
            text = client.get(path).text
            assert "The spending cap is reached: $0.60 of $0.60 are counted today" in text
            pending = client.get(f"{path}/progress").json()["outcomes"]["pending"]
            assert f"{pending} properties are pending" in text or "1 property is pending" in text
            assert "100%" in client.get("/spend").text


def test_bad_input_is_one_error_and_changes_nothing(client: httpx.Client, web_settings: Settings) -> None:
    before = [job.job_id for job in Batches(web_settings).jobs()]
    for name, content, words in (
        ("empty.csv", b"", "is empty"),
        ("a.pdf", b"%PDF-1.7 and more", "a.pdf is a PDF"),
        ("broken.xlsx", b"PK\x03\x04 broken", "broken.csv"),
        ("x.csv", b"colour,size\nred,1\n", "names no column that tells a property"),
        ("big.csv", b"address\n" + b"x" * 20_000_001, "20 MB"),
    ):
        answer = uploaded(client, name, content)
        assert 400 <= answer.status_code < 500, name
        assert "/tmp" not in answer.text
        if name != "broken.xlsx":
            assert words in answer.text, name
    for path in (
        "/batches/new?draft=" + "0" * 24,
        "/batches/new?draft=../../x",
        "/batches/new?list=no-such-list",
        "/batches/new?best=1&town=sampleton&top=many",
        "/batches/new?best=1&town=sampleton&dollars=-1",
        "/batches/new?best=1&town=nowhere&top=3",
        "/batches/new?best=1&town=sampleton&top=3&endpoint=",
        "/batches/new?best=1&town=sampleton&top=3&endpoint=nothing",
        "/batches?status=nothing",
    ):
        answer = client.get(path)
        assert answer.status_code == 400, path
        assert 'class="problem"' in answer.text
    assert client.get("/batches/no-such-batch").status_code == 404
    answer = client.post("/batches/new?best=1&town=sampleton&top=3", data={"name": "x", "cents": "1"})
    assert answer.status_code == 400 and "price has changed" in answer.text
    assert [job.job_id for job in Batches(web_settings).jobs()] == before


def test_hostile_names_are_only_text(client: httpx.Client) -> None:
    content = f"address,{HOSTILE}\n{HOSTILE},x\n1 Sample Street Sampleton,x\n".encode()
    priced = uploaded(client, f"{HOSTILE}.csv", content)
    assert priced.status_code == 200 and HOSTILE not in priced.text
    path = created(client, priced, HOSTILE)
    assert HOSTILE not in client.get(path).text and HOSTILE not in client.get("/batches").text
    assert client.post(f"{path}/cancel").status_code == 200
    assert "Cancelled" in client.get(path).text


def test_a_workbook_is_read_like_its_csv(client: httpx.Client) -> None:
    book = Workbook()
    sheet = book.create_sheet(index=0)
    for row in (("Address", "City"), ("1 Sample Street", "Sampleton"), ("2 Sample Street", "Sampleton")):
        sheet.append(row)
    target = io.BytesIO()
    book.save(target)
    from_book = uploaded(client, "houses.xlsx", target.getvalue())
    from_text = uploaded(
        client, "houses.csv", b"Address,City\n1 Sample Street,Sampleton\n2 Sample Street,Sampleton\n"
    )
    assert from_book.status_code == 200 and from_book.url == from_text.url


def test_the_best_are_those_of_the_command_line(client: httpx.Client, web_settings: Settings) -> None:
    with open_searcher(web_settings) as searcher:
        choice = choose(
            Batches(web_settings), searcher, criteria_from({"towns": ["sampleton"]}), max_cents=Decimal(100)
        )
    text = client.get("/batches/new?best=1&town=sampleton&dollars=1").text
    shown = re.findall(r'<th scope="row">(999-[^<]+)</th>', text)
    assert shown == [candidate.property_id for candidate in choice.chosen]
    assert choice.preview is not None and f"${choice.preview.most_cents / 100:,.2f}" in text


def test_another_price_is_not_submitted(client: httpx.Client, web_settings: Settings) -> None:
    priced = client.get("/batches/new?best=1&town=sampleton&top=2")
    path = created(client, priced, "two")
    answer = client.post(f"{path}/submit", data={"cents": "1"})
    assert answer.status_code == 400 and "not what was confirmed" in answer.text
    assert Batches(web_settings).job("two").status == "created"
    assert Batches(web_settings).job("two").facts["made_by"]
