"""The peer: what an analyst would write in ten lines of geopandas. Read, join, write; no checks."""

from __future__ import annotations

import sys
import warnings
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import geopandas
import pyogrio

warnings.filterwarnings("ignore")


def convert(package: Path, out: Path) -> int:
    """One town: parcels and properties as GeoParquet; returns the number of joined rows."""
    import zipfile

    names = [n for n in zipfile.ZipFile(package).namelist() if n.endswith((".shp", ".dbf"))]
    taxpar = next(n for n in names if "TaxPar" in n and n.endswith(".shp"))
    assess = next(n for n in names if "Assess" in n)
    parcels = pyogrio.read_dataframe(f"/vsizip/{package}/{taxpar}")
    records = pyogrio.read_dataframe(f"/vsizip/{package}/{assess}", read_geometry=False)
    joined = parcels.merge(records, on="LOC_ID", how="right", suffixes=("", "_assess"))
    target = out / f"{package.stem}.parquet"
    parcels.to_parquet(target, write_covering_bbox=True, schema_version="1.1.0", compression="zstd")
    frame = geopandas.GeoDataFrame(joined, geometry="geometry", crs=parcels.crs)
    frame.to_parquet(
        out / f"{package.stem}_properties.parquet",
        write_covering_bbox=True,
        schema_version="1.1.0",
        compression="zstd",
    )
    return len(joined)


def main(packages: list[Path], out: Path, workers: int) -> None:
    """Convert all packages, each in turn or in a pool."""
    out.mkdir(parents=True, exist_ok=True)
    if workers == 1:
        rows = sum(convert(package, out) for package in packages)
    else:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            rows = sum(pool.map(convert, packages, [out] * len(packages)))
    print(f"{len(packages)} packages, {rows} rows")


if __name__ == "__main__":
    main([Path(p) for p in sys.argv[3:]], Path(sys.argv[1]), int(sys.argv[2]))
