"""What the tests of search share: a lake with Sampleton and a small town, and its index."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from leadflow_assets.domain.towns import SAMPLETON, Town
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.tables import PROPERTIES
from leadflow_assets.search.index import build_index
from leadflow_assets.settings import Settings
from leadflow_assets_tests.integration.pipeline_helpers import (
    MONROE,
    refresh,
    settings_for,
    write_small,
)

TOWNS: tuple[Town, ...] = (MONROE, SAMPLETON)


@dataclass(frozen=True)
class SearchLake:
    """A lake with mart/properties of Monroe and Sampleton, and every row of it as pandas sees it."""

    settings: Settings
    frame: pd.DataFrame


def make_search_lake(folder: Path, sampleton: Path) -> SearchLake:
    """Refresh both towns into ``folder`` and build the index."""
    settings = settings_for(folder / "data", leadflow_demo=True)
    for town, package in ((MONROE, write_small(folder, MONROE)), (SAMPLETON, sampleton)):
        report = refresh(settings, town, package)
        assert report.status == "refreshed", report.error
    build_index(Lake(settings))
    return SearchLake(settings, read_properties(settings))


def read_properties(settings: Settings) -> pd.DataFrame:
    """The current files of mart/properties, read by pyarrow."""
    files = sorted(Path(settings.lake_uri, PROPERTIES.name).rglob("*.parquet"))
    frames = [pq.read_table(file, partitioning=None).drop_columns(["geometry", "bbox"]) for file in files]
    return pd.concat([frame.to_pandas() for frame in frames], ignore_index=True)
