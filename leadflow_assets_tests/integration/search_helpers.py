"""What the tests of search share: a lake with Sampleton and a small town, some facts of ATTOM, its index."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from leadflow_assets.domain.towns import SAMPLETON, Town
from leadflow_assets.enrich.unified.merge import merge
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.tables import PROPERTIES
from leadflow_assets.search.index import build_index
from leadflow_assets.settings import Settings
from leadflow_assets.sources.attom.record import AttomProperty
from leadflow_assets_tests.integration.pipeline_helpers import (
    MONROE,
    copy_lake,
    refresh,
    settings_for,
    write_small,
)
from leadflow_assets_tests.integration.unified_helpers import publish_batch, with_mortgage

TOWNS: tuple[Town, ...] = (MONROE, SAMPLETON)


@dataclass(frozen=True)
class SearchLake:
    """A lake with mart/properties of Monroe and Sampleton, and every row of it as pandas sees it."""

    settings: Settings
    frame: pd.DataFrame


def make_search_lake(folder: Path, sampleton: Path) -> SearchLake:
    """Both towns in ``folder``, with loans for some of Sampleton, and the index; made once, then copied."""
    settings = copy_lake(_made_once(sampleton), folder / "data", leadflow_demo=True)
    return SearchLake(settings, read_properties(settings))


@cache
def _made_once(sampleton: Path) -> Settings:
    folder = sampleton.parent / "search_lake"
    folder.mkdir()
    settings = settings_for(folder / "data", leadflow_demo=True)
    for town, package in ((MONROE, write_small(folder, MONROE)), (SAMPLETON, sampleton)):
        report = refresh(settings, town, package)
        assert report.status == "refreshed", report.error
    publish_batch(settings, "loans", _loans(settings))
    merge(settings)
    build_index(Lake(settings))
    return settings


def _loans(settings: Settings) -> list[AttomProperty]:
    """Loans, values and notices of every seventh property of Sampleton; not all of each is known."""
    frame = read_properties(settings)
    ids = sorted(frame[(frame["town_id"] == 999) & ~frame["is_condominium_master"]]["property_id"])[::7]
    records = []
    for n, property_id in enumerate(ids, start=1):
        facts: dict[str, Any] = {
            "available_equity": 5_000 * (n % 80) - 50_000,
            "loan_to_value": float(n % 130) if n % 3 else None,
            "total_loan_balance": 2_000 * n,
            "equity_source": "homeequity",
            "equity_source_date": date(2026, 9, 1 + n % 28),
            "avm_value": 400_000 + n if n % 5 else None,
            "avm_source": "attomavm",
        }
        if n % 4 == 0:
            facts |= {"foreclosure_stage": "sale_notice", "foreclosure_source": "preforeclosuredetails"}
            facts |= {"foreclosure_auction_date": date(2026, 11, 1 + n % 28)}
        if n % 6 == 0:
            facts |= {"tax_delinquent_year": 2020 + n % 6, "tax_source": "TAX_ASSESSOR"}
        record = AttomProperty(attom_id=n, property_id=property_id, **facts)
        records.append(with_mortgage(record, 1_000 * n, "2026-09-01") if n % 2 else record)
    return records


def read_properties(settings: Settings) -> pd.DataFrame:
    """The current files of mart/properties, read by pyarrow."""
    files = sorted(Path(settings.lake_uri, PROPERTIES.name).rglob("*.parquet"))
    frames = [pq.read_table(file, partitioning=None).drop_columns(["geometry", "bbox"]) for file in files]
    return pd.concat([frame.to_pandas() for frame in frames], ignore_index=True)
