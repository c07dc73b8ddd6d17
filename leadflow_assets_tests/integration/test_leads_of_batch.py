"""Leads of a batch: its owners become leads, counted once, whatever is called again."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadflow_assets.enrich.batches.service import Batches
from leadflow_assets.enrich.leads.batch import make_batch_leads
from leadflow_assets.enrich.leads.reading import LeadFilters, find_leads
from leadflow_assets.sampleton import Planted
from leadflow_assets.settings import Settings
from leadflow_assets_tests.integration.search_helpers import make_search_lake
from leadflow_assets_tests.integration.unified_helpers import rows_of


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, sample_package: tuple[Path, Planted]) -> Settings:
    return make_search_lake(tmp_path_factory.mktemp("batch_leads"), sample_package[0]).settings


def test_the_owners_of_a_batch_are_leads_and_counted_in_it(settings: Settings) -> None:
    properties = rows_of(settings, "mart/properties")
    people = [row for row in properties if row["owner_type"] == "person" and row["site_address"]][:6]
    public = next(row for row in properties if row["owner_type"] == "government" and row["site_address"])
    ids = [row["property_id"] for row in [*people, public]]
    job = Batches(settings).create_from_properties(ids, name="spring")
    assert job.lead_count is None
    made = make_batch_leads(settings, job.job_id, by="ada")
    owners = {(row["owner_key"], row["mailing_key"]) for row in people}
    assert made.leads == len(owners) == Batches(settings).job(job.job_id).lead_count
    assert set(made.added.refused) == {public["property_id"]}
    page = find_leads(settings, LeadFilters(batch_id=job.job_id))
    assert page.total == len(owners) and all(page.rows["is_added"].to_pylist())
    again = make_batch_leads(settings, job.job_id, by="ada")
    assert (again.leads, again.added.added, again.report.made) == (len(owners), 0, False)
