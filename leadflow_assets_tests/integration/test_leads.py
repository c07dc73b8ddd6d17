"""mart/leads: who is a lead, of what, and when it is made anew.

Sampleton and Monroe are refreshed and scored once, with some loans, notices and taxes of ATTOM.
"""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leadflow_assets.domain import leads as rules
from leadflow_assets.domain.distress import load_table
from leadflow_assets.enrich.leads.adding import add_properties, set_status
from leadflow_assets.enrich.leads.service import make_leads, outdated
from leadflow_assets.enrich.purge.service import Purges
from leadflow_assets.enrich.purge.target import read_person
from leadflow_assets.enrich.scores.service import score_towns
from leadflow_assets.errors import UsageError
from leadflow_assets.lake.audit import problems_of_published
from leadflow_assets.lake.catalog import open_catalog
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.publish import Publisher, upload
from leadflow_assets.lake.tables import LEADS, PROPERTIES
from leadflow_assets.refresh.stage import stage
from leadflow_assets.sampleton import Planted
from leadflow_assets.settings import Settings
from leadflow_assets.state import database
from leadflow_assets.state import leads as states
from leadflow_assets_tests.integration.pipeline_helpers import settings_for
from leadflow_assets_tests.integration.search_helpers import make_search_lake
from leadflow_assets_tests.integration.unified_helpers import rows_of

Row = dict[str, Any]
TOWNS = (190, 999)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, sample_package: tuple[Path, Planted]) -> Settings:
    settings = make_search_lake(tmp_path_factory.mktemp("leads"), sample_package[0]).settings
    score_towns(settings)
    return settings


@pytest.fixture
def settings(made: Settings, tmp_path: Path) -> Settings:
    """A copy of that lake."""
    shutil.copytree(made.data_dir, tmp_path / "data", symlinks=True)
    return settings_for(tmp_path / "data", leadflow_demo=True)


def rows(settings: Settings, table: str) -> list[Row]:
    return [row for town in TOWNS for row in rows_of(settings, table, town)]


def leads(settings: Settings) -> dict[str, Row]:
    here = Lake(settings).snapshot(LEADS).partitions
    found = [
        row for town in TOWNS if LEADS.partition(town) in here for row in rows_of(settings, LEADS.name, town)
    ]
    assert len({row["lead_id"] for row in found}) == len(found)
    return {row["lead_id"]: row for row in found}


def expected(settings: Settings) -> dict[str, list[Row]]:
    """Lead id -> its properties with their scores, the best first: by hand, property by property."""
    scores = {row["property_id"]: row for row in rows(settings, "mart/distress_scores")}
    groups: dict[str, list[Row]] = {}
    for row in rows(settings, "mart/properties"):
        score = scores[row["property_id"]]
        if score["state"] != "not_applicable" and row["owner_key"] is not None:
            key = rules.lead_id(row["owner_key"], row["mailing_key"], row["property_id"])
            groups.setdefault(key, []).append({**row, **score})
    for members in groups.values():
        members.sort(key=lambda row: (-row["score"], -row["coverage"], row["property_id"]))
    return {key: members for key, members in groups.items() if members[0]["score"] > 0}


def test_a_lead_is_an_owner_with_an_address_where_something_counts(settings: Settings) -> None:
    report = make_leads(settings)
    found, wanted = leads(settings), expected(settings)
    assert found.keys() == wanted.keys() and report.leads == len(found) > 100
    table = load_table()
    words = {factor.name: factor.words for factor in table.factors}
    several = 0
    for key, members in wanted.items():
        lead, best = found[key], members[0]
        assert [member["property_id"] for member in lead["properties"]] == [m["property_id"] for m in members]
        assert (lead["property_id"], lead["town_id"]) == (best["property_id"], best["town_id"])
        assert lead["property_count"] == len(members)
        assert lead["town_count"] == len({member["town_id"] for member in members})
        values = [m["total_value"] for m in members if m["total_value"] is not None]
        assert lead["total_value"] == (sum(values) if values else None)
        assert (lead["score"], lead["coverage"]) == (best["score"], best["coverage"])
        assert lead["grade"] == rules.grade(best["score"], best["coverage"])
        counted = [line for line in best["reasons"] if line["counted"] and line["kind"] == "signal"]
        assert len(lead["why"]) == len(counted) > 0
        assert all(any(words[line["factor"]] in text for text in lead["why"]) for line in counted)
        assert tuple(lead["notices"]) == rules.notices_of(best["factors"], table)
        assert lead["equity_band"] == rules.equity_band(best["cltv_low"], best["cltv_high"])
        assert lead["opportunity"] == rules.opportunity(
            lead["equity_band"], lead["owner_type"], lead["reach"]
        )
        several += len(members) > 1
    assert several, "no owner of two properties: the case is not tested"
    assert sum(report.grades.values()) == report.leads
    lake = Lake(settings)
    for entry in lake.snapshot(LEADS).partitions.values():
        assert problems_of_published(lake, LEADS, entry) == []


def test_the_same_inputs_make_nothing_anew_and_a_forced_making_says_the_same(settings: Settings) -> None:
    first = make_leads(settings)
    before = Lake(settings).snapshot(LEADS)
    assert first.towns_changed == tuple(town for town in TOWNS if LEADS.partition(town) in before.partitions)
    assert outdated(settings) is None
    assert make_leads(settings).made is False
    (settings.data_dir / "leads" / "done.json").unlink()
    again = make_leads(settings)
    assert again.made and again.towns_changed == ()
    assert make_leads(settings, force=True).towns_changed == first.towns_changed
    after = Lake(settings).snapshot(LEADS)
    assert {k: e.data.sha256 for k, e in after.partitions.items()} == {
        k: e.data.sha256 for k, e in before.partitions.items()
    }


def quiet_property(settings: Settings) -> Row:
    """A property of a person at which nothing counts, nor at any other of theirs."""
    known = {m["property_id"] for lead in leads(settings).values() for m in lead["properties"]}
    scores = {row["property_id"]: row for row in rows(settings, "mart/distress_scores")}
    return next(
        row
        for row in rows(settings, "mart/properties")
        if row["owner_type"] == "person"
        and row["property_id"] not in known
        and scores[row["property_id"]]["state"] != "not_applicable"
    )


def test_an_added_property_makes_its_owner_a_lead_once(settings: Settings) -> None:
    make_leads(settings)
    row = quiet_property(settings)
    key = rules.lead_id(row["owner_key"], row["mailing_key"], row["property_id"])
    assert key not in leads(settings)
    assert add_properties(settings, [row["property_id"]], by="ada").added == 1
    assert outdated(settings) is not None
    make_leads(settings)
    lead = leads(settings)[key]
    assert lead["is_added"] and lead["score"] == 0 and lead["grade"] in ("D", "U")
    assert (lead["why"], lead["signals"] or 0) == ([], 0)
    assert add_properties(settings, [row["property_id"]], by="ada").added == 0


def test_what_cannot_be_a_lead_is_refused(settings: Settings) -> None:
    public = next(
        row["property_id"]
        for row in rows(settings, "mart/distress_scores")
        if row["not_applicable_reason"] == "government"
    )
    with pytest.raises(UsageError, match="no score applies"):
        add_properties(settings, [public], by="ada")
    with pytest.raises(UsageError, match="no property 999-none"):
        add_properties(settings, ["999-none"], by="ada")
    before = make_leads(settings).leads
    assert len(expected(settings)) == before


def test_who_asked_to_be_left_out_is_no_lead_and_has_no_history(settings: Settings) -> None:
    make_leads(settings)
    owners = {row["property_id"]: row["owners"] for row in rows(settings, "mart/properties")}
    lead = next(
        lead
        for lead in leads(settings).values()
        if lead["owner_type"] == "person"
        and len(owners[lead["property_id"]]) == 1
        and all(owners[lead["property_id"]][0][part] for part in ("first", "last"))
    )
    owner = owners[lead["property_id"]][0]
    set_status(settings, [lead["lead_id"]], "contacted", by="ada", note="rang at noon")
    person = read_person(f"{owner['first']} {owner['last']}", properties=[lead["property_id"]])
    counts = Purges(settings).purge(person, reason="opt_out", by="pat").counts
    assert counts["mart.leads: removed"] == 1 and counts["state.lead_events"] == 1
    assert lead["lead_id"] not in leads(settings)
    score_towns(settings)
    make_leads(settings, force=True)
    assert lead["lead_id"] not in leads(settings)
    assert lead["property_id"] not in {
        m["property_id"] for x in leads(settings).values() for m in x["properties"]
    }
    with database.session(settings) as session:
        assert states.history(session, lead["lead_id"]) == []
    with pytest.raises(UsageError, match="no owner on record"):
        add_properties(settings, [lead["property_id"]], by="ada")


def give_owner(settings: Settings, town_id: int, lead: Row) -> str:
    """Let a property of the town, at which nothing counts, belong to the lead's owner too; returns its id."""
    scores = {row["property_id"]: row for row in rows_of(settings, "mart/distress_scores", town_id)}
    lake, partition = Lake(settings), PROPERTIES.partition(town_id)
    entry = lake.snapshot(PROPERTIES).partitions[partition]
    path = Path(settings.lake_uri, entry.data.path)
    table = pq.read_table(path, partitioning=None).replace_schema_metadata(None)
    given = table.to_pylist()
    place = next(n for n, row in enumerate(given) if scores[row["property_id"]]["score"] == 0)
    for name in ("owner_name", "owner_type", "owner_key", "mailing_address", "mailing_city", "mailing_key"):
        values = table[name].to_pylist()
        values[place] = lead[name]
        index = table.column_names.index(name)
        table = table.set_column(index, table.schema.field(name), pa.array(values, pa.string()))
    folder = settings.data_dir / "staging" / "two_towns"
    folder.mkdir(parents=True)
    staged = stage(PROPERTIES, table, partition, {"two": "towns"}, entry.facts, folder)
    Publisher(lake.store, "test").publish(PROPERTIES.name, {partition: upload(lake.store, staged)})
    return str(given[place]["property_id"])


def test_one_owner_in_two_towns_is_one_lead_in_the_town_of_the_best_property(settings: Settings) -> None:
    make_leads(settings)
    lead = max(leads(settings).values(), key=lambda x: (x["mailing_key"] is not None, x["score"]))
    assert lead["town_id"] == 999
    other = give_owner(settings, 190, lead)
    score_towns(settings)
    make_leads(settings)
    found = leads(settings)[lead["lead_id"]]
    assert found["town_id"] == 999 and found["town_count"] == 2
    assert found["properties"][0]["property_id"] == lead["property_id"]
    assert other in {member["property_id"] for member in found["properties"]}
    assert found["property_count"] == lead["property_count"] + 1


def query(settings: Settings, sql: str) -> list[Row]:
    with closing(open_catalog(Lake(settings))) as catalog:
        return catalog.query(sql).to_arrow_table().to_pylist()


def test_the_views_tell_the_same_as_the_tables(settings: Settings) -> None:
    assert query(settings, "FROM mart.leads_ranked") == []
    make_leads(settings)
    here = leads(settings)
    best = sorted(here.values(), key=lambda x: (-x["score"], -x["coverage"], x["property_id"]))
    set_status(settings, [best[1]["lead_id"]], "working", by="ada")
    ranked = query(settings, "FROM mart.leads_ranked ORDER BY rank")
    assert [row["lead_id"] for row in ranked] == [lead["lead_id"] for lead in best]
    assert [row["status"] for row in ranked[:3]] == ["new", "working", "new"]
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows(settings, "mart/properties"):
        if row["owner_key"] and row["mailing_key"] and not row["is_condominium_master"]:
            groups.setdefault((row["owner_key"], row["mailing_key"]), []).append(row)
    several = {key: own for key, own in groups.items() if len(own) > 1}
    found = query(settings, "FROM mart.owner_portfolios")
    assert {(row["owner_key"], row["mailing_key"]) for row in found} == several.keys()
    for row in found:
        own = several[row["owner_key"], row["mailing_key"]]
        assert row["properties"] == len(own)
        assert row["property_ids"] == sorted(one["property_id"] for one in own)
        assert (row["total_value"] or 0) == sum(one["total_value"] or 0 for one in own)
    summary = {row["town_id"]: row for row in query(settings, "FROM mart.town_summary")}
    assert summary.keys() == set(TOWNS)
    assert summary[999]["leads"] == sum(lead["town_id"] == 999 for lead in here.values())
    assert summary[999]["with_signal"] == sum(
        (row["score"] or 0) > 0 for row in rows_of(settings, "mart/distress_scores")
    )
