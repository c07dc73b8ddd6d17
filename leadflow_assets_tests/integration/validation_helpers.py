"""What the tests of validation share: a generated history as it lies in a lake."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

import pyarrow as pa

from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.publish import Publisher, upload
from leadflow_assets.lake.tables import ASSESSMENT_RELEASES
from leadflow_assets.refresh.stage import stage
from leadflow_assets.sampleton import History, HistorySpec
from leadflow_assets.settings import Settings
from leadflow_assets_tests.integration.case_helpers import a_match, publish_matches


def publish_history(settings: Settings, spec: HistorySpec, history: History, **facts: Any) -> None:
    """Publish the rolls as core/assessment_releases, and the filings as matched cases."""
    lake = Lake(settings)
    entries = {}
    for release in history.releases:
        rows = release_rows(release.columns)
        partition = ASSESSMENT_RELEASES.partition(spec.town_id, release.name)
        folder = settings.data_dir / "staging" / "history" / release.name
        folder.mkdir(parents=True, exist_ok=True)
        about = {
            "release": release.name,
            "fiscal_year": release.fiscal_year,
            "source_date": release.day.isoformat(),
            "fetched_at": datetime.combine(release.day, time(12), UTC).isoformat(),
            **facts,
        }
        staged = stage(ASSESSMENT_RELEASES, rows, partition, {}, about, folder)
        entries[partition] = upload(lake.store, staged)
    Publisher(lake.store, "test").publish(ASSESSMENT_RELEASES.name, entries)
    matches = [
        a_match(
            f"{spec.town_id:03d}-{filing.prop_id}",
            filing.number,
            filing.case_type,
            filed=filing.day,
            method="parcel_id",
            party=f"Party {filing.number}",
        )
        for filing in history.filings
    ]
    publish_matches(settings, matches, towns=[spec.town_id])


def release_rows(columns: Any) -> pa.Table:
    """All columns of the table; those that the history does not name are null."""
    schema = ASSESSMENT_RELEASES.schema
    count = len(columns["prop_id"])
    return pa.table(
        [
            pa.array(columns[field.name], field.type)
            if field.name in columns
            else pa.nulls(count, field.type)
            for field in schema
        ],
        schema=schema,
    )
