"""docs/analysts.md: every query in it runs on a lake as the guide describes it, and finds something."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import geopandas
import pyogrio
import pytest

from leadflow_assets.enrich.changes.service import build as build_changes
from leadflow_assets.enrich.scores.service import score_towns
from leadflow_assets.lake.extensions import load_extensions
from leadflow_assets.sampleton import Planted
from leadflow_assets_tests.integration.pipeline_helpers import REPOSITORY
from leadflow_assets_tests.integration.search_helpers import make_search_lake

GUIDE = (REPOSITORY / "docs" / "analysts.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)


QUERIES = [block for block in blocks("sql") if "INSTALL" not in block]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, sample_package: tuple[Path, Planted]) -> Iterator[Path]:
    """A working directory with ``data/lake`` in it."""
    here = tmp_path_factory.mktemp("analyst")
    settings = make_search_lake(here, sample_package[0]).settings
    score_towns(settings)
    build_changes(settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        yield here


@pytest.fixture(scope="module")
def connection(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        load_extensions(opened, ["spatial"])
        yield opened


def test_the_guide_has_thirteen_worked_queries() -> None:
    assert len(re.findall(r"^### \d+\. ", GUIDE, re.MULTILINE)) == 13
    assert len(QUERIES) >= 13


@pytest.mark.parametrize("number", range(len(QUERIES)))
def test_a_query_runs(connection: duckdb.DuckDBPyConnection, number: int) -> None:
    rows = connection.sql(QUERIES[number]).fetchall()
    releases_differ = "owner1_before" in QUERIES[number] or "property_changes" in QUERIES[number]
    assert rows or releases_differ, "only a comparison of releases may be empty: there is one release"


def test_the_python_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for block in blocks("python"):
        exec(compile(block, "analysts.md", "exec"), {})
    assert "residential" in capsys.readouterr().out


def test_the_filter_of_qgis_selects(folder: Path, tmp_path: Path) -> None:
    """QGIS hands a filter to GDAL as the WHERE of its SQL; a GeoPackage stands in for the driver."""
    rows = geopandas.read_parquet(folder / "data/lake/mart/properties", partitioning=None)
    plain = rows[["use_code", "occupancy", "total_value", "geometry"]]
    pyogrio.write_dataframe(plain, tmp_path / "properties.gpkg")
    (wanted,) = blocks("qgis")
    found = pyogrio.read_dataframe(tmp_path / "properties.gpkg", where=wanted.strip())
    mask = (
        plain["use_code"].fillna("").str.startswith("104")
        & plain["occupancy"].str.startswith("absentee")
        & (plain["total_value"] > 500_000)
    )
    assert len(found) == int(mask.sum()) > 0
