"""One town, raw to mart, against a bare geopandas script on the same package. Target: at most 2x its time."""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

from benchmarks import measure
from leadflow_assets.sampleton import PackageSpec, write_package

_RUNS = 3
# The largest town the generator makes; the measured town of the target has 100,000 polygons.
_SIZES = (6_000, 50_000)


def main() -> None:
    """Measure each size, our pipeline and the peer in turn, fresh processes both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=_SIZES)
    for parcels in parser.parse_args().sizes:
        with tempfile.TemporaryDirectory() as folder:
            _compare(parcels, Path(folder))


def _compare(parcels: int, folder: Path) -> None:
    package = folder / "L3_SHP_M999_SAMPLETON.zip"
    write_package(PackageSpec(parcels=parcels, quirks=False), package)
    ours, peers = [], []
    for number in range(_RUNS):
        peers.append(
            measure.run(
                measure.python("-m", "benchmarks.peer", str(folder / f"peer{number}"), "1", str(package))
            )
        )
        env = {"LEADFLOW_DATA_DIR": str(folder / f"ours{number}"), "LEADFLOW_DEMO": "1"}
        command = ("-m", "leadflow_assets.cli", "refresh", "sampleton", "--from", str(package))
        ours.append(measure.run(measure.python(*command), env))
    print(f"\none town of {parcels:,} parcels, median of {_RUNS}")
    pairs = [("geopandas, no checks", peers), ("leadflow refresh", ours)]
    measure.show([(name, _median(usages)) for name, usages in pairs])
    ratio = statistics.median(a.wall / b.wall for a, b in zip(ours, peers, strict=True))
    print(f"ratio {ratio:.2f} (target: at most 2)")


def _median(usages: list[measure.Usage]) -> measure.Usage:
    return measure.Usage(
        *(statistics.median(getattr(usage, name) for usage in usages) for name in ("wall", "cpu", "peak_mib"))
    )


if __name__ == "__main__":
    main()
