"""The whole state in one Dagster run, against the bare geopandas loop over the same packages on two cores.

Targets: at most 2x the loop; a second run with nothing changed at most 5 % of the first; memory flat with
the number of towns.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from pathlib import Path

from benchmarks import measure
from leadflow_assets.domain.towns import all_towns
from leadflow_assets.sampleton import write_state

_DAGSTER_YAML = Path(__file__).parent.parent / "dagster.yaml"
_RUN = """
import sys, warnings
warnings.simplefilter("ignore")
from dagster import DagsterInstance
from leadflow_assets.definitions import build_definitions
first, last = sys.argv[1:]
tags = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
if __name__ == "__main__":
    with DagsterInstance.get() as instance:
        job = build_definitions().resolve_job_def("refresh_towns")
        result = job.execute_in_process(instance=instance, tags=tags, raise_on_error=False)
        assert result.success
"""


def main() -> None:
    """Measure the peer, a first run, a second run, and a run over a quarter of the towns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--towns", type=int, default=351)
    parser.add_argument("--parcels", type=int, default=2_500_000)
    parser.add_argument("--packages", type=Path, help="folder of packages made before")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        if options.packages:
            packages = sorted(options.packages.glob("*.zip"))
        else:
            packages = write_state(folder / "packages", towns=options.towns, parcels=options.parcels)
        _compare(packages, folder)


def _compare(packages: list[Path], folder: Path) -> None:
    links = folder / "links.csv"
    held = _write_links(packages, links)
    peer = measure.run(
        measure.python("-m", "benchmarks.peer", str(folder / "peer"), "2", *map(str, packages))
    )
    script = folder / "run.py"
    script.write_text(_RUN, encoding="utf-8")
    quarter = _dagster(script, folder / "quarter", links, held[: max(1, len(held) // 4)])
    first = _dagster(script, folder / "ours", links, held)
    second = _dagster(script, folder / "ours", links, held)
    print(f"\n{len(packages)} towns")
    measure.show(
        [
            ("geopandas loop, 2 processes", peer),
            ("one Dagster run", first),
            ("again, nothing changed", second),
            (f"a run over {max(1, len(held) // 4)} towns", quarter),
        ]
    )
    print(f"ratio to the loop {first.wall / peer.wall:.2f} (target: at most 2)")
    print(f"second run {100 * second.wall / first.wall:.1f} % of the first (target: at most 5)")
    print(f"peak memory {first.peak_mib / quarter.peak_mib:.2f}x that of a quarter of the towns")


def _write_links(packages: list[Path], links: Path) -> list[str]:
    """A links table of local files; returns partition keys in order."""
    by_name = {town.shapefile_zip: town for town in all_towns()}
    towns = [(by_name[package.name], package) for package in packages]
    with links.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(
            [
                "Town Name",
                "Town ID",
                "Shapefile Download URL",
                "File GDB Download URL",
                "Assessed Fiscal Year",
                "Note",
            ]
        )
        for town, package in towns:
            writer.writerow([town.name.upper(), town.town_id, str(package.resolve()), "", 2026, ""])
    return [town.key for town, _ in sorted(towns, key=lambda pair: pair[0].town_id)]


def _dagster(script: Path, data: Path, links: Path, keys: list[str]) -> measure.Usage:
    home = data / "dagster_home"
    home.mkdir(parents=True, exist_ok=True)
    # The project's own settings, as a person runs it; their paths are relative to where Dagster starts.
    (home / "dagster.yaml").write_text(_DAGSTER_YAML.read_text(encoding="utf-8"), encoding="utf-8")
    env = {
        "DAGSTER_HOME": str(home),
        "LEADFLOW_DATA_DIR": str(data),
        "MASSGIS_LINKS": str(links),
        "MASSGIS_LIVE_FETCH_ENABLED": "true",
    }
    return measure.run(measure.python(str(script), keys[0], keys[-1]), env, home)


if __name__ == "__main__":
    main()
