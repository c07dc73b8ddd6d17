"""One package for every town of Massachusetts, for benchmarks at the real scale."""

from __future__ import annotations

import math
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import NormalDist

from leadflow_assets.domain.towns import Town, all_towns
from leadflow_assets.sampleton.draft import PackageSpec
from leadflow_assets.sampleton.geometry import LARGEST, SMALLEST
from leadflow_assets.sampleton.package import write_package

# Log-normal with the mean 1.42 times the median: 351 towns of 2.5 M parcels have a median of about 5,000.
_SPREAD = 0.84
_LARGEST_TOWN = 60_000


def town_sizes(towns: int, parcels: int) -> dict[Town, int]:
    """Parcels for the first ``towns`` towns by id: skewed, more where more people live, ``parcels`` in all.

    Raises:
        ValueError: a town would be smaller than 20 or larger than 62,000 parcels.
    """
    chosen = sorted(all_towns()[:towns], key=lambda town: (town.population_2010, town.town_id))
    normal = NormalDist(0, _SPREAD)
    shares = [math.exp(normal.inv_cdf((rank + 0.5) / len(chosen))) for rank in range(len(chosen))]
    scale = parcels / sum(shares)
    sizes = [min(max(round(share * scale), SMALLEST), _LARGEST_TOWN) for share in shares]
    sizes[len(sizes) // 2] += parcels - sum(sizes)
    if not all(SMALLEST <= size <= LARGEST for size in sizes):
        raise ValueError(
            f"{parcels} parcels cannot be spread over {len(chosen)} towns of {SMALLEST} to {LARGEST}."
        )
    return dict(zip(chosen, sizes, strict=True))


def write_state(
    folder: Path, *, towns: int = 351, parcels: int = 2_500_000, seed: int = 7, workers: int = 2
) -> list[Path]:
    """Write a package without quirks for each of the first ``towns`` towns; returns their paths by town id.

    Real ids and file names, fictional contents. Three towns of five use M_ LOC_IDs, as in the state.

    Raises:
        ValueError: the parcels cannot be spread over the towns.
    """
    jobs = [
        (
            PackageSpec(
                town_id=town.town_id,
                name=town.name,
                parcels=size,
                seed=seed,
                quirks=False,
                letter="M" if town.town_id % 5 < 3 else "F",
            ),
            folder / town.shapefile_zip,
        )
        for town, size in town_sizes(towns, parcels).items()
    ]
    jobs.sort(key=lambda job: -job[0].parcels)  # the largest first, so that no worker ends with one alone
    folder.mkdir(parents=True, exist_ok=True)
    if workers == 1:
        for spec, path in jobs:
            write_package(spec, path)
    else:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            for done in [pool.submit(write_package, spec, path) for spec, path in jobs]:
                done.result()
    return [path for _, path in sorted(jobs, key=lambda job: job[0].town_id)]
