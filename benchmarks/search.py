"""Search over the whole state, against PostGIS with its best indexes on the same rows in the same run.

Two hundred seeded questions of each kind, warm, each put to both in turn; p50 and p95 of the better of
several passes, since other work on the machine only ever adds time. Every total is compared.

Run: ``python -m benchmarks.search --data DIR --postgres postgresql://USER@/DATABASE?host=SOCKET_FOLDER``,
where DIR is a data folder with the lake (``python -m benchmarks.statewide --packages`` shows how one is
made); the table and extensions it needs are made in that database. Without ``--postgres`` ours runs alone.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from benchmarks import measure, postgis
from benchmarks.search_questions import KINDS, Kind, Question, read_sample
from leadflow_assets.search.engine import Searcher, open_searcher
from leadflow_assets.search.exports.search import export_search
from leadflow_assets.settings import load_settings

_LIMIT = 100
_CSV_ROWS = 100_000
_PROCESSES = 20


@dataclass(frozen=True)
class Times:
    """Milliseconds of one pass over the questions of a kind."""

    p50: float
    p95: float


def main() -> None:
    """Measure the index, each kind of question, the CSV and the whole process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="data folder with the lake")
    parser.add_argument("--postgres", help="URL of a PostgreSQL with PostGIS; without it ours runs alone")
    parser.add_argument("--kinds", nargs="+", choices=[kind.name for kind in KINDS], help="only these")
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep-index", action="store_true", help="do not build the index anew")
    options = parser.parse_args()
    settings = load_settings(leadflow_data_dir=options.data.resolve())
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} at the start")
    if not options.keep_index:
        _build_index(options.data)
    with open_searcher(settings, engine="index") as searcher:
        peer = _peer(searcher, options.postgres)
        chosen = [kind for kind in KINDS if not options.kinds or kind.name in options.kinds]
        _measure_kinds(searcher, peer, chosen, options)
        if not options.kinds:
            _measure_csv(searcher, peer)
    if not options.kinds:
        _measure_process(options.data)
    print(f"load {os.getloadavg()[0]:.1f} at the end")


def _peer(searcher: Searcher, url: str | None) -> postgis.Peer | None:
    if url is None:
        print("no --postgres: PostGIS is not measured, and targets against it are not judged")
        return None
    peer = postgis.connect(url)
    entries = searcher.snapshot.partitions.values()
    if not postgis.is_loaded(peer, sum(entry.data.rows for entry in entries)):
        files = [searcher.lake.store.location(entry.data.path) for entry in entries]
        print(f"PostGIS loaded and indexed in {postgis.load(peer, url, files):.0f} s")
    postgis.prewarm(peer)
    print(peer.version)
    return peer


def _measure_kinds(
    searcher: Searcher, peer: postgis.Peer | None, kinds: Sequence[Kind], options: argparse.Namespace
) -> None:
    samples = read_sample(searcher, options.seed)
    print(f"\n{'milliseconds':26}{'ours':>16}{'PostGIS':>18}{'ratio':>13}")
    print(f"{'':26}" + f"{'p50':>8}{'p95':>8}{'p50':>10}{'p95':>8}{'p50':>7}{'p95':>6}  target")
    for kind in kinds:
        random = Random(f"{options.seed} {kind.name}")
        questions = [kind.ask(random, samples) for _ in range(options.questions)]
        for question in questions[:20]:
            _ours(searcher, kind, question)
            if peer is not None:
                _theirs(peer, kind, question)
        ours, theirs, differing = _passes(searcher, peer, kind, questions, options.passes)
        print(_line(kind, ours, theirs) + (f"; {differing} TOTALS DIFFER" if differing else ""), flush=True)


def _passes(
    searcher: Searcher, peer: postgis.Peer | None, kind: Kind, questions: Sequence[Question], passes: int
) -> tuple[Times, Times | None, int]:
    """The better pass of each side, and how many questions got different totals."""
    mine: list[Times] = []
    peers: list[Times] = []
    differing: set[int] = set()
    for _ in range(passes):
        ours, theirs = [], []
        for number, question in enumerate(questions):
            seconds, total = _timed(lambda: _ours(searcher, kind, question))  # noqa: B023
            ours.append(seconds)
            if peer is not None:
                seconds, expected = _timed(lambda: _theirs(peer, kind, question))  # noqa: B023
                theirs.append(seconds)
                differing |= {number} if total != expected else set()
        mine.append(_times(ours))
        peers += [_times(theirs)] if theirs else []
    return _better(mine), _better(peers) if peers else None, len(differing)


def _ours(searcher: Searcher, kind: Kind, question: Question) -> int:
    if kind.counts:
        return sum(searcher.count_by_town(question.criteria).values())
    return searcher.search(question.criteria, sort=kind.sort, limit=_LIMIT).total


def _theirs(peer: postgis.Peer, kind: Kind, question: Question) -> int:
    if kind.counts:
        return peer.count_by_town(question.where, question.parameters)
    order = question.order or kind.order
    return peer.page_and_total(question.where, question.parameters, order, _LIMIT)[1]


def _timed(action: Callable[[], int]) -> tuple[float, int]:
    started = time.perf_counter()
    result = action()
    return time.perf_counter() - started, result


def _times(seconds: Sequence[float]) -> Times:
    cuts = statistics.quantiles(seconds, n=20)
    return Times(1000 * statistics.median(seconds), 1000 * cuts[-1])


def _better(passes: Sequence[Times]) -> Times:
    return Times(min(times.p50 for times in passes), min(times.p95 for times in passes))


def _line(kind: Kind, ours: Times, theirs: Times | None) -> str:
    text = f"{kind.name:26}{ours.p50:8.1f}{ours.p95:8.1f}"
    if theirs is None:
        return f"{text}{'':31}  {kind.target}: {_verdict(kind, ours, None)}"
    ratios = f"{ours.p50 / theirs.p50:7.2f}{ours.p95 / theirs.p95:6.2f}"
    return f"{text}{theirs.p50:10.1f}{theirs.p95:8.1f}{ratios}  {kind.target}: {_verdict(kind, ours, theirs)}"


def _verdict(kind: Kind, ours: Times, theirs: Times | None) -> str:
    held = kind.p95 is None or ours.p95 <= kind.p95
    if kind.ratio is not None and theirs is not None:
        held = held and ours.p50 <= kind.ratio * theirs.p50
    return "met" if held else "MISSED"


def _build_index(data: Path) -> None:
    usage = measure.run(
        measure.python("-m", "leadflow_assets.cli", "index", "--force"), {"LEADFLOW_DATA_DIR": str(data)}
    )
    met = usage.wall < 120 and usage.peak_mib < 4096
    size = (data / "search" / "search.duckdb").stat().st_size / 2**20
    print(
        f"index built in {usage.wall:.0f} s ({usage.cpu:.0f} s of processor), peak {usage.peak_mib:.0f} MiB, "
        f"file {size:.0f} MiB; target under 120 s and 4096 MiB: {'met' if met else 'MISSED'}"
    )


def _measure_csv(searcher: Searcher, peer: postgis.Peer | None) -> None:
    criteria = Question.everything()
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(5):
            path = Path(folder) / f"{number}.csv"
            started = time.perf_counter()
            export_search(searcher, criteria.criteria, path, "csv", limit=_CSV_ROWS)
            ours.append(time.perf_counter() - started)
            if peer is not None:
                theirs.append(_timed(lambda: peer.copy_csv(criteria.where, _CSV_ROWS))[0])
    mine = statistics.median(ours)
    other = f", PostGIS COPY {statistics.median(theirs):.2f} s" if theirs else ""
    met = mine < 2 and (not theirs or mine < statistics.median(theirs))
    verdict = "met" if met else "MISSED"
    print(f"\nCSV of {_CSV_ROWS:,} rows: {mine:.2f} s{other}; target under 2 s and faster: {verdict}")


def _measure_process(data: Path) -> None:
    command = ("-m", "leadflow_assets.cli", "search", "--town", "Worcester", "--category", "residential")
    more = ("--min-value", "400000", "--absentee", "any")
    runs = [
        measure.run(measure.python(*command, *more), {"LEADFLOW_DATA_DIR": str(data)}).wall
        for _ in range(_PROCESSES)
    ]
    times = _times(runs)
    verdict = "met" if times.p95 < 1000 else "MISSED"
    told = f"p50 {times.p50:.0f} ms, p95 {times.p95:.0f} ms"
    print(f"`leadflow search` as a process: {told}; target under 1 s: {verdict}")


if __name__ == "__main__":
    main()
