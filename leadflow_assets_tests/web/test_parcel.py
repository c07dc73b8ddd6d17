"""The page of a parcel: what it says, where it leads, what can be done there, and how it looks and prints."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page

from leadflow_assets.domain.towns import SAMPLETON, find_town
from leadflow_assets.enrich.leads.reading import leads_of_properties
from leadflow_assets.lake import tables
from leadflow_assets.lake.catalog import connect
from leadflow_assets.lake.lake import Lake
from leadflow_assets.search.lists.service import SavedLists
from leadflow_assets.search.parcel.report import ParcelReport, parcel_report
from leadflow_assets.settings import Settings
from leadflow_assets.web.pages import parcel as parcel_page
from leadflow_assets.web.rendering import day, money
from leadflow_assets_tests.web.conftest import NARROW, WIDE, assert_accessible, assert_fits, shot

KEY = "999-sampleton"
# Of the demo: an open bankruptcy; forty condominium units; a right of way.
BANKRUPT, CONDOMINIUM, ROAD = "F_907485_2854805", "F_906295_2854817", "F_902869_2854868"
HOSTILE = "<script>alert(1)</script>"


def rows(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    """A query over the demo's tables: properties, parcels, scores, matches."""
    lake, connection = Lake(settings), connect(settings, spatial=False)
    for name, table in (
        ("properties", tables.PROPERTIES),
        ("parcels", tables.PARCELS),
        ("scores", tables.DISTRESS_SCORES),
        ("matches", tables.CASE_MATCHES),
    ):
        files = [lake.store.location(e.data.path) for e in lake.snapshot(table).partitions.values()]
        connection.register(f"__{name}", connection.read_parquet(files).to_arrow_table())
        connection.execute(f"CREATE VIEW {name} AS SELECT * FROM __{name}")
    found = connection.execute(sql).fetchall()
    connection.close()
    return found


def report_of(settings: Settings, loc_id: str, unit: str | None = None) -> ParcelReport:
    return parcel_report(settings, SAMPLETON, loc_id, unit=unit)


def text_of(answer: httpx.Response) -> str:
    """What a person reads: no tags, blanks made one."""
    assert answer.status_code == 200, answer.text[:2000]
    without = re.sub(
        r"<(script|style)\b.*?</\1>|</?code>", lambda tag: " " if tag[1] else "", answer.text, flags=re.S
    )
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", without)).split())


def patched(monkeypatch: pytest.MonkeyPatch, change: Callable[[ParcelReport], ParcelReport]) -> None:
    def made(*args: Any, **named: Any) -> ParcelReport:
        return change(parcel_report(*args, **named))

    monkeypatch.setattr(parcel_page, "parcel_report", made)


def test_it_says_what_the_command_line_says(client: httpx.Client, web_settings: Settings) -> None:
    report, said = report_of(web_settings, BANKRUPT), text_of(client.get(f"/parcel/{KEY}/{BANKRUPT}"))
    (unit,) = report.units
    (score,) = report.scores
    assert report.parcel is not None
    wanted = [
        *(unit.site_address, unit.owners.name, unit.owners.mailing.address, unit.owners.occupancy_meaning),
        *(money(unit.total_value), money(unit.land_value), money(unit.building_value), BANKRUPT),
        *(day(unit.sale.sale_date), money(unit.sale.price), unit.sale.why, unit.use_description),
        *(f"{score['score']:.1f} of 100", unit.property_id),
        *(case.docket_number for case in report.cases.known),
        *(gap.what[1:] for gap in report.unknowns),
        *(gap.filled_by.replace("`", "") for gap in report.unknowns),
        *(fact.source for fact in report.sources),
        *(sale.site_address for sale in report.comparables.sales),
        "estimate from neighbors' sales, not an appraisal",
        f"{report.parcel.area_sqft:,.0f} sq ft",
        "The score must not be used for credit, tenant or job screening.",
    ]
    assert [one for one in wanted if str(one) not in said] == []


def test_the_scenario_is_told_from_what_is_known(client: httpx.Client, web_settings: Settings) -> None:
    (unit,) = report_of(web_settings, BANKRUPT).units
    assert unit.worth.assumed is not None and unit.worth.equity.method == "unknown"
    said = text_of(client.get(f"/parcel/{KEY}/{BANKRUPT}"))
    assert "Equity unknown : nothing is known of loans" in said
    assert "Scenario, not a fact" in said and money(unit.worth.assumed.mid) in said
    assert "no score counts it" in said


@pytest.mark.parametrize(
    ("asked", "leads_to"),
    [
        (f"/parcel/sampleton/{BANKRUPT}", f"/parcel/{KEY}/{BANKRUPT}"),
        (f"/parcel/999/{BANKRUPT}?unit=x", f"/parcel/{KEY}/{BANKRUPT}?unit=x"),
        (f"/parcel/{KEY}/{BANKRUPT.lower()}", f"/parcel/{KEY}/{BANKRUPT}"),
        (f"/search/parcel/999/{BANKRUPT}/", f"/parcel/{KEY}/{BANKRUPT}"),
        (f"/search/parcel/999/{BANKRUPT}", f"/parcel/{KEY}/{BANKRUPT}"),
    ],
)
def test_other_addresses_lead_to_the_one(client: httpx.Client, asked: str, leads_to: str) -> None:
    answer = client.get(asked, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (308, leads_to)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (f"/parcel/{KEY}/F_1_1", "There is no parcel F_1_1 in Sampleton."),
        (f"/parcel/{KEY}/a%2Fb%20c%3Cb%3E", "There is no parcel with that LOC_ID"),
        (f"/parcel/{KEY}/{BANKRUPT}%27--", "There is no parcel with that LOC_ID"),
        ("/parcel/025-bellingham/F_1_1", "There is no data for Bellingham."),
        ("/parcel/atlantis/F_1_1", "There is no town"),
        (f"/parcel/{KEY}/{BANKRUPT}?unit=999-0000", "That unit is not on the parcel."),
        ("/search/parcel/9999/F_1_1/", "There is no town 9999"),
    ],
)
def test_what_is_not_there_is_said(client: httpx.Client, path: str, told: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert told in html.unescape(answer.text)


def test_what_an_id_may_mean_is_linked(client: httpx.Client, web_settings: Settings) -> None:
    (unit,) = report_of(web_settings, BANKRUPT).units
    answer = client.get(f"/parcel/{KEY}/{unit.property_id}")
    assert answer.status_code == 404 and f'href="/parcel/{KEY}/{BANKRUPT}"' in answer.text


def test_odd_loc_ids_open(client: httpx.Client, web_settings: Settings) -> None:
    odd = rows(
        web_settings, "SELECT loc_id FROM parcels WHERE NOT regexp_full_match(loc_id, '[FM]_\\d+_\\d+')"
    )
    assert odd
    for (loc_id,) in odd:
        assert loc_id in text_of(client.get(f"/parcel/{KEY}/{loc_id}"))


def test_a_parcel_without_records(client: httpx.Client) -> None:
    said = text_of(client.get(f"/parcel/{KEY}/{ROAD}"))
    assert "No assessment record names this polygon" in said
    assert "Distress score" not in said and "Make a lead" not in said


def test_a_record_without_a_polygon(client: httpx.Client, web_settings: Settings) -> None:
    ((property_id,),) = rows(web_settings, "SELECT min(property_id) FROM properties WHERE loc_id IS NULL")
    answer = client.get(f"/parcel/{KEY}/{property_id}")
    assert "There is no polygon for this record" in text_of(answer)
    assert 'class="own"' not in answer.text


def test_a_loc_id_that_no_polygon_has_opens_its_records(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without(report: ParcelReport) -> ParcelReport:
        (unit,) = report.units
        return replace(report, parcel=None, units=(replace(unit, parcel_match="loc_id_dangling"),))

    patched(monkeypatch, without)
    answer = client.get(f"/parcel/{KEY}/{BANKRUPT}", follow_redirects=False)
    assert "There is no polygon for this record" in text_of(answer) and BANKRUPT in text_of(answer)


def test_a_large_condominium_is_folded(client: httpx.Client, web_settings: Settings) -> None:
    report, answer = report_of(web_settings, CONDOMINIUM), client.get(f"/parcel/{KEY}/{CONDOMINIUM}")
    assert len(report.units) > 20
    assert f"<details><summary>All {len(report.units)} records</summary>" in answer.text
    said = text_of(answer)
    assert all(score["property_id"] in said for score in report.scores)
    chosen = report.scores[0]["property_id"]
    whole = text_of(client.get(f"/parcel/{KEY}/{CONDOMINIUM}", params={"unit": chosen}))
    (unit,) = [unit for unit in report.units if unit.property_id == chosen]
    assert f"Property {chosen}" in whole and str(unit.owners.mailing.address) in whole


def test_a_score_nobody_can_know_is_unknown(client: httpx.Client, web_settings: Settings) -> None:
    found = rows(
        web_settings,
        "SELECT p.loc_id, s.property_id, s.high FROM scores AS s JOIN properties AS p USING (property_id) "
        "WHERE s.state = 'unknown' AND p.loc_id IS NOT NULL",
    )
    assert found
    loc_id, property_id, high = found[0]
    answer = client.get(f"/parcel/{KEY}/{loc_id}", params={"unit": property_id})
    assert f"Score unknown: anything from 0 to {high:g}" in answer.text
    assert "which does not mean that it is low" in text_of(answer)


def test_every_bar_adds_up(client: httpx.Client, web_settings: Settings) -> None:
    report, answer = report_of(web_settings, CONDOMINIUM), client.get(f"/parcel/{KEY}/{CONDOMINIUM}")
    bars = re.findall(r'<svg class="score-bar".*?</svg>', answer.text, re.S)
    drawn = [
        sum(float(w) for w in re.findall(r'class="part \w+" x="[\d.]+%" width="([\d.]+)%"', bar))
        for bar in bars
    ]
    assert [round(width, 2) for width in drawn] == [
        row["score"] for row in report.scores if row["score"] is not None
    ]


def test_no_scores_and_no_sources_are_said(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    patched(monkeypatch, lambda report: replace(report, scores=(), sources=(), receipt={}))
    said = text_of(client.get(f"/parcel/{KEY}/{BANKRUPT}"))
    assert "No score has been made of this parcel. That is not a low one." in said


def test_hostile_text_never_becomes_markup(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def planted(report: ParcelReport) -> ParcelReport:
        (unit,) = report.units
        (case,) = report.cases.known
        owners = replace(unit.owners, name=HOSTILE, care_of=HOSTILE)
        party = replace(case.parties[0], party_name=HOSTILE, evidence=(HOSTILE,))
        case = replace(case, case_name=HOSTILE, url=f"javascript:{HOSTILE}", parties=(party,))
        return replace(
            report,
            units=(replace(unit, owners=owners, site_address=f'"{HOSTILE}'),),
            cases=replace(report.cases, known=(case,)),
        )

    patched(monkeypatch, planted)
    answer = client.get(f"/parcel/{KEY}/{BANKRUPT}")
    assert HOSTILE in text_of(answer) and "<script>alert" not in answer.text
    assert "javascript:" not in answer.text


def test_values_of_several_releases_are_drawn_and_told(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_past(report: ParcelReport) -> ParcelReport:
        (unit,) = report.units
        now = unit.value_history[-1]
        before = replace(now, release="CY20_FY21", fiscal_year=2021, total_value=(now.total_value or 0) // 2)
        unit = replace(unit, value_history=(before, replace(now, owner_changed=True, sale_changed=False)))
        return replace(report, units=(unit,), releases=("CY20_FY21", *report.releases))

    patched(monkeypatch, with_past)
    answer = client.get(f"/parcel/{KEY}/{BANKRUPT}")
    assert answer.text.count(">FY 20") >= 2 and "+100%" in text_of(answer)


def test_the_past_is_told_from_the_present(client: httpx.Client) -> None:
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    answer = client.get(f"/parcel/{KEY}/{BANKRUPT}", params={"as_of": today})
    assert f"This is the data as it was on {day(today)}" in text_of(answer)
    assert "/review/cases/" not in answer.text


def test_a_parcel_goes_on_a_list(client: httpx.Client, web_settings: Settings) -> None:
    path = f"/parcel/{KEY}/{BANKRUPT}"
    answer = client.post(f"{path}/list", data={"new_name": "Kept parcels"})
    assert "A new list holds 1 property of this parcel." in text_of(answer)
    again = client.post(f"{path}/list", data={"name": "Kept parcels"})
    assert "0 properties added to the list. 1 on it already." in text_of(again)
    many = client.post(f"/parcel/{KEY}/{CONDOMINIUM}/list", data={"name": "Kept parcels"})
    assert many.status_code == 200
    kept = {member.property_id for member in SavedLists(web_settings).members("Kept parcels")}
    wanted = report_of(web_settings, CONDOMINIUM).units + report_of(web_settings, BANKRUPT).units
    assert kept == {unit.property_id for unit in wanted if not unit.is_condominium_master}
    assert client.post(f"{path}/list").status_code == 400
    assert client.post(f"{path}/list", data={"name": "no such"}).status_code == 400
    assert client.post(f"/parcel/{KEY}/F_0_0/list", data={"name": "Kept parcels"}).status_code == 404


def test_an_owner_becomes_a_lead_once(client: httpx.Client, web_settings: Settings) -> None:
    leads = (
        "SELECT p.loc_id, any_value(property_id) FROM properties AS p JOIN scores AS s USING (property_id) "
    )
    found = rows(
        web_settings,
        f"{leads} WHERE s.state = 'scored' AND p.loc_id IS NOT NULL AND p.owner_key IS NOT NULL "
        "GROUP BY p.loc_id HAVING count(*) = 1 AND max(s.score) = 0 ORDER BY 1",
    )
    there = leads_of_properties(web_settings, [property_id for _, property_id in found])
    loc_id, property_id = next(pair for pair in found if pair[1] not in there)
    path = f"/parcel/{KEY}/{loc_id}"
    assert "Make a lead" in client.get(path).text
    assert "Added to the leads: 1 property." in text_of(client.post(f"{path}/lead"))
    lead = leads_of_properties(web_settings, [property_id])[property_id]
    answer = client.get(path)
    assert f'href="/leads/{lead}"' in answer.text and "Make a lead" not in answer.text


def test_what_cannot_be_a_lead_is_refused(client: httpx.Client, web_settings: Settings) -> None:
    ((loc_id,),) = rows(
        web_settings,
        "SELECT min(p.loc_id) FROM scores AS s JOIN properties AS p USING (property_id) "
        "WHERE s.state = 'not_applicable' AND NOT p.is_condominium_master",
    )
    answer = client.post(f"/parcel/{KEY}/{loc_id}/lead")
    assert answer.status_code == 400 and "no score applies" in answer.text


def test_neighbours_are_linked(client: httpx.Client) -> None:
    found = set(
        re.findall(
            rf'<a href="(/parcel/{KEY}/[^"]+)" tabindex="-1">', client.get(f"/parcel/{KEY}/{BANKRUPT}").text
        )
    )
    assert found and f"/parcel/{find_town('999').key}/{BANKRUPT}" not in found


def test_a_person_reads_and_prints_it(open_page: Callable[..., Page], url: str) -> None:
    for size, name in ((WIDE, "parcel-wide"), (NARROW, "parcel-narrow")):
        page = open_page(size)
        page.goto(f"{url}/parcel/{KEY}/{BANKRUPT}")
        page.get_by_role("heading", name="Distress score").wait_for()
        assert_fits(page)
        assert_accessible(page)
        shot(page, name)
    page.get_by_role("button", name="Add to a list").click()
    page.get_by_label("or a new one").or_(page.get_by_label("Name of the new list")).fill("From the page")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_text("A new list holds 1 property of this parcel.").wait_for()


def test_it_prints_on_two_sheets(open_page: Callable[..., Page], url: str) -> None:
    page = open_page((720, 960))
    page.emulate_media(media="print")
    page.goto(f"{url}/parcel/{KEY}/{BANKRUPT}")
    assert not page.get_by_role("button", name="Print").is_visible()
    assert not page.get_by_role("navigation").first.is_visible()
    assert page.locator(".score-bar").first.is_visible()
    assert page.locator(".outline svg").is_visible()
    shot(page, "parcel-print")
    sheets = page.pdf(format="Letter", prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", sheets)) <= 2
