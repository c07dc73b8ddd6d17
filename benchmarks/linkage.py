"""Court parties against the owners of a state: precision, recall, calibration, time and memory.

The set is made up with real name frequencies and knows its truth (``benchmarks.linkage_set``). The same
parties are linked three times: by name only, with the town they live in, and with their address.
Targets: at 95 % precision recall of at least 0.60 by name only, 0.84 with place or address; gaps of
calibration under 0.05 in each bin; 50,000 parties against 2.5 million properties in 60 s and 4 GiB.

Run: ``python -m benchmarks.linkage``; ``--owner-share`` draws parties who own more, or less, often than
adults do, which the probabilities do not know.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as dataset
import pyarrow.parquet as pq

from benchmarks import linkage_measure, measure
from benchmarks.linkage_owners import OWNER_SHARE
from benchmarks.linkage_set import make_set
from leadflow_assets.enrich.linkage import Frequencies, build_frequencies, link
from leadflow_assets.enrich.linkage.parties import read_parties

MODES = {"name only": ("address", "city"), "+ place": ("address",), "+ debtor address": ()}


def main() -> None:
    """Make the set, link it in processes of their own, and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--properties", type=int, default=2_500_000)
    parser.add_argument("--parties", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--owner-share", type=float, default=OWNER_SHARE)
    parser.add_argument("--folder", type=Path, help="keep the set here, or use the one kept")
    parser.add_argument("--step", choices=["set", "frequencies", *MODES], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        _step(options)
        return
    with tempfile.TemporaryDirectory() as scratch:
        options.folder = options.folder or Path(scratch)
        _run(options)


def _run(options: argparse.Namespace) -> None:
    usages = {}
    for step in ("set", "frequencies", *MODES):
        if step == "set" and (options.folder / "parties.parquet").exists():
            continue
        arguments = [f"--{name}={getattr(options, name.replace('-', '_'))}" for name in _PASSED]
        usages[step] = measure.run(measure.python("-m", "benchmarks.linkage", *arguments, f"--step={step}"))
    _show_time(options.folder, usages)
    _show_quality(options.folder)


_PASSED = ("properties", "parties", "seed", "owner-share", "folder")


def _step(options: argparse.Namespace) -> None:
    """One step in a process of its own, so that its memory can be told."""
    folder: Path = options.folder
    if options.step == "set":
        folder.mkdir(parents=True, exist_ok=True)
        made = make_set(options.properties, options.parties, options.seed, owner_share=options.owner_share)
        (folder / "population.json").write_text(json.dumps(made.population))
        for name in ("owners", "truth", "parties"):
            pq.write_table(getattr(made, name), folder / f"{name}.parquet")
        return
    started = time.monotonic()
    owners = dataset.dataset(folder / "owners.parquet").scanner(batch_size=100_000).to_reader()
    if options.step == "frequencies":
        table = build_frequencies(owners).table
    else:
        table = link(
            _without(pq.read_table(folder / "parties.parquet"), MODES[options.step]),
            owners,
            Frequencies(pq.read_table(folder / "frequencies.parquet")),
            population=json.loads((folder / "population.json").read_text()),
        )
    seconds = time.monotonic() - started
    pq.write_table(table, folder / f"{options.step}.parquet")
    (folder / f"{options.step}.json").write_text(json.dumps(seconds))


def _without(parties: pa.Table, columns: tuple[str, ...]) -> pa.Table:
    for column in columns:
        at = parties.schema.get_field_index(column)
        parties = parties.set_column(at, parties.schema.field(at), pa.nulls(len(parties), pa.string()))
    return parties


def _show_time(folder: Path, usages: dict[str, measure.Usage]) -> None:
    owners = pq.read_metadata(folder / "owners.parquet").num_rows
    parties = pq.read_metadata(folder / "parties.parquet").num_rows
    print(f"{parties:,} parties against {owners:,} properties (targets: 60 s, 4,096 MiB)")
    print(f"{'':26}{'seconds':>9}{'cpu s':>9}{'peak MiB':>10}")
    for step, usage in usages.items():
        if step != "set":
            seconds = json.loads((folder / f"{step}.json").read_text())
            print(f"{step:26}{seconds:9.1f}{usage.cpu:9.1f}{usage.peak_mib:10.0f}")


def _show_quality(folder: Path) -> None:
    truth = pq.read_table(folder / "truth.parquet")
    read = read_parties(pq.read_table(folder / "parties.parquet"))
    of_seeker = read.seekers["party_id"].to_pylist()
    persons = {of_seeker[at] for at in read.names["seeker"].to_pylist()}
    firms = {of_seeker[at] for at in read.firms["seeker"].to_pylist()} - persons
    print(f"\n{'':26}{'links':>8}{'AP':>8}{'R@P95':>9}{'R@P99':>9}{'confirmed: P':>12}{'R':>9}")
    rankings = {}
    for mode in MODES:
        matches = pq.read_table(
            folder / f"{mode}.parquet", columns=["party_id", "property_id", "probability"]
        )
        rankings[mode] = linkage_measure.rank(matches, truth, persons)
        linkage_measure.show(f"persons, {mode}", rankings[mode])
        linkage_measure.show(f"firms, {mode}", linkage_measure.rank(matches, truth, firms))
    for mode, ranking in rankings.items():
        linkage_measure.show_calibration(f"persons, {mode}", ranking)


if __name__ == "__main__":
    main()
