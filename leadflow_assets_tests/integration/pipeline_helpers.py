"""What the tests of the pipeline share: refreshing a town into a lake of its own, and reading it back.

Reading is done with pyarrow, geopandas and pyshp on the current files, not with the program's own readers.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import subprocess
import time
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapefile

from leadflow_assets.domain.towns import SAMPLETON, Town, town_by_id
from leadflow_assets.lake import tables
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.snapshots import PartitionEntry
from leadflow_assets.refresh.plan import RefreshOptions
from leadflow_assets.refresh.run import TownReport, refresh_towns
from leadflow_assets.refresh.town import TownBuild, TownTask, build_town
from leadflow_assets.sampleton import PackageSpec, write_package
from leadflow_assets.settings import Settings, load_settings

# Of the folder in which the session's package of Sampleton lies.
SESSION = "sampleton-of-the-session"
REPOSITORY = Path(__file__).resolve().parents[2]
SHARED = REPOSITORY.parent / "shared"
# Small real towns, for packages with made-up rows.
GOSNOLD, MONROE = town_by_id(109), town_by_id(190)
MEMBERS = {"TaxPar": "core/parcels", "Assess": "core/assessments", "OthLeg": "core/parcel_interests"}
MEMBERS |= {"Misc": "core/misc_features", "UC_LUT": "core/use_codes"}
MADE = tuple(table.name for table in tables.MASSGIS if table is not tables.MASSGIS_PACKAGES)
Row = dict[str, Any]


def settings_for(folder: Path, **more: Any) -> Settings:
    """Settings of a lake of its own below ``folder``; no network, whatever the environment says."""
    defaults: dict[str, Any] = {"massgis_live_fetch_enabled": False, "leadflow_workers": 1}
    defaults |= {"leadflow_lake": "", "use_s3_for_gis": False, "database_url": None, "leadflow_demo": False}
    return load_settings(leadflow_data_dir=folder, **(defaults | more))


def refresh(settings: Settings, town: Town, source: Path | None = None, **options: Any) -> TownReport:
    """Refresh one town, from a file or by the links table, and give its one report.

    A lake that begins with the session's Sampleton is copied from the first one that was made so.
    """
    virgin = not settings.data_dir.exists() and settings.lake_uri == str(settings.data_dir / "lake")
    if virgin and town is SAMPLETON and source and source.parent.name.startswith(SESSION) and not options:
        made, report = _sampleton_once(source, settings.leadflow_demo)
        copy_lake(made, settings.data_dir)
        return report
    wanted = RefreshOptions(source=str(source) if source else None, **options)
    (report,) = list(refresh_towns(settings, [town], wanted))
    return report


@cache
def _sampleton_once(package: Path, demo: bool) -> tuple[Settings, TownReport]:
    settings = settings_for(package.parent / f"lake-{demo}" / "data", leadflow_demo=demo)
    (report,) = list(refresh_towns(settings, [SAMPLETON], RefreshOptions(source=str(package))))
    return settings, report


def usually(every: Iterable[str], *usual: str) -> list[Any]:
    """Parameters of a test, of which all but the usual ones are slow: much the same many times over."""
    return [name if name in usual else pytest.param(name, marks=pytest.mark.slow) for name in every]


def copy_lake(made: Settings, data_dir: Path, **more: Any) -> Settings:
    """A lake of its own from one that is there, links and state included; faster than making it again."""
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    # cp keeps hard links between versions and current files; shutil would make the lake twice as large.
    subprocess.run(["cp", "-a", f"{made.data_dir}/.", str(data_dir)], check=True)
    return settings_for(data_dir, **more)


def write_links(path: Path, packages: Mapping[int, Path]) -> Path:
    """A table of links (CSV) whose links are local files."""
    rows = [f"{town_by_id(town_id).name},{town_id},{package}" for town_id, package in packages.items()]
    path.write_text("\n".join(["Town Name,Town ID,Shapefile Download URL", *rows]) + "\n", encoding="utf-8")
    return path


def small_spec(town: Town, **more: Any) -> PackageSpec:
    """A small package without quirks of a real town."""
    return PackageSpec(
        **({"town_id": town.town_id, "name": town.name, "parcels": 60, "quirks": False} | more)
    )


def write_small(folder: Path, town: Town, **more: Any) -> Path:
    """Write a small package under its usual name; the file is in the folder given."""
    path = folder / town.shapefile_zip
    write_package(small_spec(town, **more), path)
    return path


@dataclass(frozen=True)
class Published:
    """A published town, read as a stranger would: the files of the current folder."""

    settings: Settings
    town: Town

    @property
    def base(self) -> Path:
        return Path(self.settings.lake_uri)

    def entry(self, table: str) -> PartitionEntry:
        """The town's partition in the newest snapshot."""
        return Lake(self.settings).snapshot(tables.table(table)).partitions[f"town_id={self.town.town_id}"]

    def facts(self, table: str) -> Mapping[str, Any]:
        return self.entry(table).facts

    def file(self, table: str) -> Path:
        return self.base / table / f"town_id={self.town.town_id}" / f"{table.partition('/')[2]}.parquet"

    def frame(self, table: str) -> pd.DataFrame:
        """Rows without geometry; null is None or NaN, dates are dates."""
        names = [n for n in pq.read_schema(self.file(table)).names if n not in ("geometry", "bbox")]
        return pq.ParquetFile(self.file(table)).read(columns=names).to_pandas(types_mapper=pd.ArrowDtype)

    def shapes(self, table: str) -> gpd.GeoDataFrame:
        return gpd.read_parquet(self.file(table))

    def quarantine(self, table: str) -> pd.DataFrame:
        name = f"{table.partition('/')[2]}_quarantine"
        partition = f"town_id={self.town.town_id}"
        path = self.base / f"{table}_quarantine" / partition / f"{name}.parquet"
        if not path.exists():
            return pd.DataFrame(columns=list(tables.QUARANTINE.schema.names))
        return pq.ParquetFile(path).read().to_pandas(types_mapper=pd.ArrowDtype)

    @cached_property
    def parcels(self) -> gpd.GeoDataFrame:
        return self.shapes("core/parcels")

    @cached_property
    def assessments(self) -> pd.DataFrame:
        return self.frame("core/assessments")

    @cached_property
    def interests(self) -> gpd.GeoDataFrame:
        return self.shapes("core/parcel_interests")

    @cached_property
    def use_codes(self) -> pd.DataFrame:
        return self.frame("core/use_codes").set_index("use_code")

    @cached_property
    def properties(self) -> pd.DataFrame:
        return self.frame("mart/properties")

    @cached_property
    def rejects(self) -> dict[str, pd.DataFrame]:
        return {table: self.quarantine(table) for table in MEMBERS.values()}

    def by_record(self, case: Mapping[str, Any]) -> tuple[Row, Row]:
        """The core and the mart row of the record a planted case names (null as None)."""
        keys = {"prop_id": case["PROP_ID"]}
        if "CAMA_ID" in case:
            keys["cama_id"] = str(case["CAMA_ID"])
        elif case.get("LOC_ID"):
            keys["loc_id"] = case["LOC_ID"]
        found = [r for r in self._records.values() if all(r[name] == value for name, value in keys.items())]
        assert len(found) == 1, f"{len(found)} records instead of one"
        return found[0], self._properties[found[0]["assessment_id"]]

    @cached_property
    def _records(self) -> dict[str, Row]:
        return self._rows_by_assessment("core/assessments")

    @cached_property
    def _properties(self) -> dict[str, Row]:
        return self._rows_by_assessment("mart/properties")

    def _rows_by_assessment(self, table: str) -> dict[str, Row]:
        rows = pq.ParquetFile(self.file(table)).read().to_pylist()
        return {row["assessment_id"]: row for row in rows}

    def parcel(self, loc_id: str) -> Row:
        return only(self.parcels[self.parcels["loc_id"] == loc_id])


def only(rows: pd.DataFrame) -> Row:
    """The single row there must be, null as None."""
    assert len(rows) == 1, f"{len(rows)} rows instead of one"
    row = rows.iloc[0].to_dict()
    return {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    if hasattr(value, "geom_type") or isinstance(value, dict):
        return value
    return None if value is None or pd.isna(value) else value


def dbf_rows(package: Path, table: str, encoding: str = "utf-8") -> list[Row]:
    """Rows of a member's DBF by pyshp, blank text as an empty text."""
    with zipfile.ZipFile(package) as archive:
        (name,) = [n for n in archive.namelist() if f"{table}" in n and n.endswith(".dbf") and _is(n, table)]
        reader = shapefile.Reader(dbf=io.BytesIO(archive.read(name)), encoding=encoding)
        names = [field[0] for field in reader.fields[1:]]
        return [dict(zip(names, row, strict=True)) for row in reader.records()]


def _is(member: str, table: str) -> bool:
    # M999_LUT and M999UC_LUT both end in _LUT; TaxPar and the others stand for themselves.
    return member.rpartition("/")[2][4:].startswith(table)


def current_hashes(settings: Settings, *, without: Sequence[str] = ()) -> dict[str, str]:
    """SHA-256 of every current file by its path in the lake; versions, log and staging are left out."""
    base = Path(settings.lake_uri)
    paths = (p for p in base.rglob("*") if p.is_file())
    keys = {p.relative_to(base).as_posix(): p for p in paths}
    return {
        key: hashlib.sha256(path.read_bytes()).hexdigest()
        for key, path in sorted(keys.items())
        if not key.startswith(("_", *without))
    }


def snapshot_numbers(settings: Settings) -> dict[str, int]:
    """The newest snapshot's number of every table."""
    lake = Lake(settings)
    return {table.name: lake.snapshot(table).number for table in tables.MASSGIS}


def published(settings: Settings, town: Town) -> dict[str, dict[str, PartitionEntry]]:
    """Every partition of a town in the newest snapshots, history included."""
    lake = Lake(settings)
    wanted = f"town_id={town.town_id}"
    return {
        table.name: {
            name: entry
            for name, entry in lake.snapshot(table).partitions.items()
            if name == wanted or name.startswith(f"{wanted}/")
        }
        for table in tables.MASSGIS
    }


def staged_files(settings: Settings) -> list[Path]:
    """What is left in the two staging folders."""
    folders = (settings.data_dir / "staging", Path(settings.lake_uri) / "_staging")
    return [p for folder in folders if folder.is_dir() for p in folder.rglob("*")]


def personal_texts(package: Path) -> set[str]:
    """Owners, addresses and streets in a package, upper case; none of them may stand in an error."""
    columns = ("OWNER1", "OWN_ADDR", "SITE_ADDR", "FULL_STR")
    rows = dbf_rows(package, "Assess")
    return {
        str(row[c]).strip().upper() for row in rows for c in columns if len(str(row[c] or "").strip()) > 3
    }


def raw_values(row: Row) -> Row:
    """The row as read, from a quarantined row."""
    return dict(json.loads(row["raw_values"]))


def build_or_die(task: TownTask) -> TownBuild:
    """A worker's job that kills its own process for one town; the others build as ever."""
    if task.town_id == MONROE.town_id:
        os.kill(os.getpid(), signal.SIGKILL)
    return build_town(task)


def answer_or_die_once(task: TownTask) -> TownBuild:
    """An empty answer; a town with ``force`` kills its process instead, once, as soon as a file says so."""
    told, died = task.staging / "die", task.staging / "died"
    if task.force and not died.exists():
        deadline = time.monotonic() + 60
        while not told.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        died.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return TownBuild(task.town_id)
