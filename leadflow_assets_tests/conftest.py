"""Fixtures all tests share: settings without leaks, lakes on disk and on a real S3 server, sample data."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import shutil
import threading
import uuid
from collections.abc import Iterator
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any, Literal

import boto3
import hypothesis
import numpy as np
import pyarrow as pa
import pytest
import shapely
from moto.s3.responses import S3Response
from moto.server import ThreadedMotoServer
from sqlalchemy import Engine

from leadflow_assets.lake.geoparquet import bbox_column, write_parquet
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.publish import Publisher, StagedPartition, upload
from leadflow_assets.lake.snapshots import PartitionEntry, Snapshot
from leadflow_assets.lake.tables import PARCELS, SCHEMA_VERSION
from leadflow_assets.sampleton import PackageSpec, Planted, write_package
from leadflow_assets.settings import Settings, load_settings
from leadflow_assets.state import database

# How long an example takes depends on who else uses the machine: no test is timed.
hypothesis.settings.register_profile("leadflow", deadline=None, max_examples=50)
hypothesis.settings.load_profile("leadflow")

Kind = Literal["local", "s3"]
KINDS: tuple[Kind, ...] = ("local", "s3")
CREDENTIALS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}


def process_context() -> ForkServerContext:
    """For tests with many processes: each starts at once, from one that has imported what they need."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        [__name__, "leadflow_assets.lake.catalog", "leadflow_assets.lake.s3_store"]
    )
    return context


def forget_environment(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Stand in an empty folder with none of the settings set, and none of AWS's files in reach."""
    for name in Settings.model_fields:
        patch.delenv(name, raising=False)
        patch.delenv(name.upper(), raising=False)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        patch.delenv(name)
    patch.setenv("AWS_CONFIG_FILE", str(folder / "no-aws-config"))
    patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "no-aws-credentials"))
    patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    patch.chdir(folder)


# What brings a state database to its tables, for those who prove just that.
MIGRATE = database.migrate


@pytest.fixture(scope="session", autouse=True)
def migrated_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A new SQLite file of this process begins as a copy of one that was migrated: it takes a tenth."""
    template = tmp_path_factory.mktemp("state") / "state.sqlite"
    migrated = database.open_engine(load_settings(leadflow_data_dir=template.parent, database_url=None))
    MIGRATE(migrated)
    migrated.dispose()

    def copy_and_migrate(engine: Engine) -> None:
        path = Path(str(engine.url.database)).absolute()
        if engine.dialect.name == "sqlite" and not path.exists() and os.access(path.parent, os.W_OK):
            copy = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
            shutil.copyfile(template, copy)
            # Whoever else makes the file at this moment keeps theirs.
            with contextlib.suppress(FileExistsError):
                path.hardlink_to(copy)
            copy.unlink()
        MIGRATE(engine)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "migrate", copy_and_migrate)
        yield


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    forget_environment(monkeypatch, tmp_path)


@pytest.fixture
def settings(clean_environment: None, tmp_path: Path) -> Settings:
    """Defaults, with everything that is written below the test's own folder."""
    return load_settings(leadflow_data_dir=tmp_path / "data")


def _create_atomically() -> None:
    """S3 looks whether a key is free and takes it in one step; this server in two, in many threads."""
    unlocked, lock = S3Response.put_object, threading.Lock()

    def locked(self: S3Response) -> Any:
        with lock:
            return unlocked(self)

    S3Response.put_object = locked


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """URL of a running S3 server."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # else a line for each request
    _create_atomically()
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def admin_client(endpoint: str) -> Any:
    """A client of its own, to make buckets and to look behind the product's back."""
    return boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", **CREDENTIALS)


def lake_overrides(kind: Kind, endpoint: str) -> dict[str, Any]:
    """What ``load_settings`` needs for a fresh lake of that kind."""
    if kind == "local":
        return {}
    bucket = f"lake-{uuid.uuid4().hex}"
    admin_client(endpoint).create_bucket(Bucket=bucket)
    return {"leadflow_lake": f"s3://{bucket}/lake", "aws_endpoint_url": endpoint, **CREDENTIALS}


@pytest.fixture(params=KINDS)
def lake(request: pytest.FixtureRequest, clean_environment: None, tmp_path: Path) -> Lake:
    """An empty lake, once in a folder and once in a bucket of its own."""
    endpoint = request.getfixturevalue("s3_server") if request.param == "s3" else ""
    overrides = lake_overrides(request.param, endpoint)
    return Lake(load_settings(leadflow_data_dir=tmp_path / "data", **overrides))


@pytest.fixture(scope="session")
def sample_package(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Planted]:
    """Sampleton's package, and what was planted in it."""
    path = tmp_path_factory.mktemp("sampleton-of-the-session") / "L3_SHP_M999_SAMPLETON.zip"
    return path, write_package(PackageSpec(), path)


@pytest.fixture(scope="session")
def shared_massgis() -> Path:
    """The folder with real MassGIS packages that stands beside the checkout."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "massgis"
    if not folder.is_dir():
        pytest.skip("no folder shared/massgis beside the checkout: the real packages are not here")
    return folder


@pytest.fixture(scope="session")
def shared_courtlistener() -> Path:
    """The folder with real answers and dockets of CourtListener that stands beside the checkout."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "vendors" / "courtlistener"
    if not folder.is_dir():
        pytest.skip("no folder shared/vendors/courtlistener beside the checkout: the samples are not here")
    return folder


def parcel_rows(town_id: int, rows: int, mark: str = "", *, seed: int = 0) -> pa.Table:
    """Rows of core/parcels: lots in random order on a grid; ``mark`` stands in map_par_id of each."""
    numbers = np.random.default_rng([seed, town_id]).permutation(rows)
    side = int(np.ceil(np.sqrt(rows))) or 1
    x = 100_000.0 + town_id * 300 + numbers % side * 20.0
    y = 900_000.0 + numbers // side * 20.0
    geometry = (
        shapely.multipolygons(shapely.box(x, y, x + 18, y + 18)[:, None]) if rows else np.array([], object)
    )
    known: dict[str, Any] = {
        "town_id": np.full(rows, town_id),
        "loc_id": [f"M_{int(a)}_{int(b)}" for a, b in zip(x, y, strict=True)],
        "poly_type": ["FEE"] * rows,
        "map_par_id": [mark] * rows,
        "area_m2": np.full(rows, 324.0),
        "perimeter_m": np.full(rows, 72.0),
        "point_x": x + 9,
        "point_y": y + 9,
        "lon": np.full(rows, -71.5),
        "lat": np.full(rows, 42.3),
        "fy": np.full(rows, 2026),
        "release": ["CY25_FY26"] * rows,
        "bbox": bbox_column(geometry),
        "geometry": pa.array(shapely.to_wkb(geometry).tolist(), pa.binary()),
    }
    columns = [
        pa.array(known[field.name], field.type) if field.name in known else pa.nulls(rows, field.type)
        for field in PARCELS.schema
    ]
    return pa.table(columns, schema=PARCELS.schema)


def stage_parcels(
    folder: Path, town_id: int, mark: str, rows: int = 4, *, quarantine: pa.Table | None = None
) -> StagedPartition:
    """A finished partition of core/parcels that waits in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{town_id}-{mark}-{rows}"
    provenance = {"inputs": "{}", "code_version": "test"}
    table = parcel_rows(town_id, rows, mark)
    files = {"data": write_parquet(folder / f"{stem}.parquet", table, PARCELS, provenance=provenance)}
    if quarantine is not None:
        files["quarantine"] = write_parquet(
            folder / f"{stem}-quarantine.parquet",
            quarantine,
            PARCELS,
            schema=quarantine.schema,
            provenance=provenance,
        )
    return StagedPartition(
        table=PARCELS.name,
        partition=PARCELS.partition(town_id),
        files=files,
        fingerprint=mark,
        inputs={"raw/massgis_packages": mark},
        schema_version=SCHEMA_VERSION,
        code_version="test",
    )


def publish_parcels(lake: Lake, folder: Path, marks: dict[int, str], rows: int = 4) -> Snapshot:
    """Publish one version of some towns' parcels, all at once."""
    changes: dict[str, PartitionEntry | None] = {}
    for town_id, mark in marks.items():
        staged = stage_parcels(folder, town_id, mark, rows)
        changes[staged.partition] = upload(lake.store, staged)
    return Publisher(lake.store, "test").publish(PARCELS.name, changes).snapshot
