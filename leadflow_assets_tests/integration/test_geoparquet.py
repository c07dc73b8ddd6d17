"""The published files are GeoParquet 1.1 in the eyes of readers that are not ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb
import geopandas
import jsonschema
import numpy as np
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
import sedonadb
import shapely

from leadflow_assets.domain.towns import town_by_id
from leadflow_assets.lake.audit import audit_file
from leadflow_assets.lake.extensions import extension_path, load_extensions
from leadflow_assets.lake.geoparquet import ROW_GROUP_ROWS, hilbert_order, write_parquet
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.tables import (
    MISC_FEATURES,
    PARCEL_INTERESTS,
    PARCELS,
    PROPERTIES,
    SCHEMA_VERSION,
    Table,
)
from leadflow_assets.refresh.plan import RefreshOptions
from leadflow_assets.refresh.run import refresh_towns
from leadflow_assets.sampleton import PackageSpec, write_package
from leadflow_assets.settings import load_settings
from leadflow_assets_tests.conftest import forget_environment, parcel_rows

Published = dict[str, tuple[Path, Table, int]]
# Name of the case: which lake (with or without quirks) and which table.
CASES = {
    "parcels": ("quirks", PARCELS),
    "parcel_interests": ("quirks", PARCEL_INTERESTS),
    "misc_features": ("quirks", MISC_FEATURES),
    "misc_features-without-rows": ("plain", MISC_FEATURES),
    "properties-with-null-geometries": ("quirks", PROPERTIES),
}
PROVENANCE = {"inputs": "{}", "code_version": "test"}


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    """Current file, table and rows of every case."""
    folder = tmp_path_factory.mktemp("geoparquet")
    with pytest.MonkeyPatch.context() as patch:
        forget_environment(patch, folder)
        lakes = {name: _refreshed(folder / name, quirks=name == "quirks") for name in ("quirks", "plain")}
        yield {case: _current(lakes[name], table) for case, (name, table) in CASES.items()}


def _refreshed(folder: Path, *, quirks: bool) -> Lake:
    folder.mkdir()
    package = folder / "L3_SHP_M999_SAMPLETON.zip"
    write_package(PackageSpec(quirks=quirks), package)
    settings = load_settings(leadflow_data_dir=folder / "data", leadflow_demo=True)
    reports = list(refresh_towns(settings, [town_by_id(999)], RefreshOptions(source=str(package))))
    assert [(report.status, report.error) for report in reports] == [("refreshed", None)]
    assert package.is_file()
    return Lake(settings)


def _current(lake: Lake, table: Table) -> tuple[Path, Table, int]:
    (entry,) = lake.snapshot(table).partitions.values()
    path = Path(lake.store.uri, table.name, "town_id=999", f"{table.short_name}.parquet")
    return path, table, entry.data.rows


@pytest.fixture(params=CASES)
def file(request: pytest.FixtureRequest, published: Published) -> tuple[Path, Table, int]:
    return published[request.param]


def geo_of(path: Path) -> dict[str, Any]:
    metadata = pq.read_metadata(path).metadata
    return json.loads(metadata[b"geo"])


def test_the_cases_are_what_their_names_say(published: Published) -> None:
    assert published["misc_features-without-rows"][2] == 0
    assert all(rows > 0 for case, (_, _, rows) in published.items() if not case.endswith("without-rows"))
    column = pq.read_table(published["properties-with-null-geometries"][0], partitioning=None)["geometry"]
    assert 0 < column.null_count < len(column)


def test_geopandas_reads_rows_crs_and_a_box(file: tuple[Path, Table, int]) -> None:
    path, table, rows = file
    frame = geopandas.read_parquet(path)
    assert len(frame) == rows
    assert frame.crs is not None
    assert frame.crs.to_epsg() == 26986
    known = frame[~frame.geometry.isna()]
    assert set(known.geom_type) <= {table.geometry}
    assert known.geometry.is_valid.all()
    if rows:
        one = known.geometry.iloc[len(known) // 2]
        found = geopandas.read_parquet(path, bbox=one.bounds)
        expected = known[known.intersects(shapely.box(*one.bounds))]
        assert 0 < len(expected) <= len(found) < rows or rows < 10


def test_duckdb_reads_a_geometry_column_without_our_help(file: tuple[Path, Table, int]) -> None:
    path, table, rows = file
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as connection:
        load_extensions(connection, ["spatial"])
        relation = connection.read_parquet(str(path), hive_partitioning=False)
        assert str(relation.types[relation.columns.index("geometry")]).startswith("GEOMETRY")
        sql = (
            "SELECT count(*), count(geometry), count(*) FILTER (ST_GeometryType(geometry) <> ?) FROM relation"
        )
        counted = connection.execute(sql, [str(table.geometry).upper()]).fetchone()
    assert counted is not None
    assert (counted[0], counted[2]) == (rows, 0)


def test_sedonadb_reads_rows_and_crs(file: tuple[Path, Table, int]) -> None:
    path, _, rows = file
    context = sedonadb.connect()
    context.read_parquet(str(path)).to_view("t", overwrite=True)
    found = context.sql("SELECT count(*) AS n, max(ST_SRID(geometry)) AS srid FROM t").to_pandas()
    assert found["n"].tolist() == [rows]
    assert found["srid"].tolist() == [26986] or rows == 0


def test_a_pyarrow_dataset_takes_the_town_from_the_folder(file: tuple[Path, Table, int]) -> None:
    path, table, rows = file
    dataset = ds.dataset(path.parents[1], partitioning="hive")
    assert dataset.count_rows(filter=ds.field("town_id") == 999) == rows
    assert dataset.count_rows(filter=ds.field("town_id") == 25) == 0
    assert set(table.schema.names) <= set(dataset.schema.names)


@pytest.fixture(scope="module")
def gpio_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder in which DuckDB finds spatial installed, so that gpio downloads nothing."""
    home = tmp_path_factory.mktemp("home")
    with duckdb.connect() as connection:
        (platform,) = connection.execute("PRAGMA platform").fetchone() or ("",)
    folder = home / ".duckdb" / "extensions" / f"v{duckdb.__version__}" / platform
    folder.mkdir(parents=True)
    (folder / "spatial.duckdb_extension").symlink_to(extension_path("spatial"))
    return home


def test_gpio_check_all_finds_nothing_wrong(file: tuple[Path, Table, int], gpio_home: Path) -> None:
    gpio = Path(sys.executable).parent / "gpio"
    done = subprocess.run(
        [gpio, "check", "all", "--spec-details", file[0]],
        env={**os.environ, "HOME": str(gpio_home)},
        capture_output=True,
        text=True,
        check=False,
    )
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert "Version 1.1.0" in output
    assert "proper metadata covering" in output
    assert not [line for line in output.splitlines() if any(sign in line for sign in "✗❌⚠")], output


def test_geo_metadata_says_crs_covering_box_and_types(file: tuple[Path, Table, int]) -> None:
    path, table, rows = file
    geo = geo_of(path)
    assert (geo["version"], geo["primary_column"], list(geo["columns"])) == (
        "1.1.0",
        "geometry",
        ["geometry"],
    )
    column = geo["columns"]["geometry"]
    assert column["encoding"] == "WKB"
    assert column["geometry_types"] == [table.geometry]
    assert column["crs"]["id"] == {"authority": "EPSG", "code": 26986}
    assert column["covering"]["bbox"] == {name: ["bbox", name] for name in ("xmin", "ymin", "xmax", "ymax")}
    boxes = pq.read_table(path, columns=["bbox", "geometry"], partitioning=None)
    assert boxes["bbox"].null_count == boxes["geometry"].null_count
    if rows == 0:
        assert "bbox" not in column
        return
    bounds = shapely.bounds(shapely.from_wkb(boxes["geometry"].to_numpy()))
    known = ~np.isnan(bounds[:, 0])
    stored = boxes["bbox"].combine_chunks().flatten()
    for number, values in enumerate(stored):
        np.testing.assert_array_equal(values.to_numpy(zero_copy_only=False)[known], bounds[known, number])
    assert column["bbox"] == [*bounds[known].min(axis=0)[:2], *bounds[known].max(axis=0)[2:]]


def test_the_crs_follows_the_projjson_schema(file: tuple[Path, Table, int]) -> None:
    schema = resources.files("pyogrio") / "proj_data" / "projjson.schema.json"
    if not schema.is_file():
        pytest.skip("this pyogrio brings no schema of PROJJSON")
    crs = geo_of(file[0])["columns"]["geometry"]["crs"]
    jsonschema.validate(crs, json.loads(schema.read_text(encoding="utf-8")))


def test_geo_metadata_follows_the_geoparquet_schema(file: tuple[Path, Table, int]) -> None:
    found = [
        path
        for path in Path(str(resources.files("geoparquet_io"))).rglob("*.json")
        if "primary_column" in path.read_text(encoding="utf-8")
    ]
    if not found:
        pytest.skip("no installed package brings the GeoParquet 1.1 JSON schema; gpio checks the same rules")
    jsonschema.validate(geo_of(file[0]), json.loads(found[0].read_text(encoding="utf-8")))


def test_files_carry_their_provenance_and_pass_our_own_audit(file: tuple[Path, Table, int]) -> None:
    path, table, rows = file
    metadata = pq.read_metadata(path).metadata
    assert metadata[b"leadflow.table"].decode() == table.name
    assert metadata[b"leadflow.schema_version"] == SCHEMA_VERSION.encode()
    assert set(json.loads(metadata[b"leadflow.inputs"])) == {"raw/massgis_packages"}
    assert metadata[b"leadflow.code_version"]
    assert audit_file(path, table, expected_rows=rows).problems == ()


def test_files_are_zstd_in_row_groups_that_can_be_skipped(file: tuple[Path, Table, int]) -> None:
    metadata = pq.read_metadata(file[0])
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        assert group.num_rows <= ROW_GROUP_ROWS
        assert {group.column(i).compression for i in range(group.num_columns)} == {"ZSTD"}
        assert file[2] == 0 or all(group.column(i).statistics is not None for i in _box_columns(metadata))


def _box_columns(metadata: pq.FileMetaData) -> list[int]:
    paths = [metadata.row_group(0).column(i).path_in_schema for i in range(metadata.num_columns)]
    return [paths.index(f"bbox.{name}") for name in ("xmin", "ymin", "xmax", "ymax")]


def _total_box_area(path: Path) -> float:
    metadata = pq.read_metadata(path)
    xmin, ymin, xmax, ymax = _box_columns(metadata)
    total = 0.0
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        width = group.column(xmax).statistics.max - group.column(xmin).statistics.min
        total += width * (group.column(ymax).statistics.max - group.column(ymin).statistics.min)
    return total


def test_hilbert_order_makes_the_boxes_of_row_groups_smaller_than_no_order(tmp_path: Path) -> None:
    shuffled = parcel_rows(25, 60_000)
    order = hilbert_order(shuffled["point_x"].to_numpy(), shuffled["point_y"].to_numpy())
    assert sorted(order.tolist()) == list(range(60_000))
    plain = write_parquet(tmp_path / "plain.parquet", shuffled, PARCELS, provenance=PROVENANCE)
    ordered = write_parquet(
        tmp_path / "ordered.parquet", shuffled.take(order), PARCELS, provenance=PROVENANCE
    )
    assert pq.read_metadata(ordered.path).num_row_groups == 4
    assert _total_box_area(ordered.path) < 0.6 * _total_box_area(plain.path)
    assert ordered.bbox == plain.bbox
    assert ordered.sha256 != plain.sha256


def test_hilbert_order_puts_missing_points_last_and_takes_an_empty_table() -> None:
    x = np.array([np.nan, 200_000.0, np.nan, 100_000.0])
    y = np.array([np.nan, 900_000.0, np.nan, 800_000.0])
    assert hilbert_order(x, y)[2:].tolist() == [0, 2]
    assert hilbert_order(np.array([]), np.array([])).tolist() == []


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    rows = parcel_rows(25, 100, "x")
    shas = {
        write_parquet(tmp_path / name, rows, PARCELS, provenance=PROVENANCE).sha256 for name in ("a", "b")
    }
    assert len(shas) == 1
