"""What there is to compare: which releases of which towns, which cases, which scores.

A pair of releases is compared once. What was compared stands in the facts of the published partition, by
the packages' hashes, so that neither another run, nor a rebuild, nor a refresh that fetched the same package
finds anything to do. A release that arrives later and lies between two that were compared is history.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from leadflow_assets.domain.changes.rules import ChangeRules
from leadflow_assets.lake import tables
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.snapshots import PartitionEntry, SnapshotLog
from leadflow_assets.lake.tables import PROPERTY_CHANGES, Table
from leadflow_assets.refresh.properties import PACKAGE_INPUT

_CALENDAR_YEAR = re.compile(r"^CY(\d+)_")


@dataclass(frozen=True)
class Release:
    """One release of a town. ``package`` is the SHA-256 of its package."""

    town_id: int
    name: str
    order: tuple[int, int, str]
    package: str
    entry: PartitionEntry


@dataclass(frozen=True)
class Pair:
    """Two releases of a town to be compared, the earlier first."""

    before: Release
    after: Release

    @property
    def mark(self) -> list[str]:
        """What is remembered of a comparison."""
        return [self.before.name, self.after.name, self.before.package, self.after.package]


@dataclass(frozen=True)
class TownWork:
    """What is to be done for one town. ``published`` is its partition as it stands, None for none.

    ``cases`` and ``scores`` are its newest partitions of those tables, ``scores_before`` the file of scores
    that was compared last, None where that is not kept any more.
    """

    town_id: int
    pairs: tuple[Pair, ...]
    published: PartitionEntry | None
    cases: PartitionEntry | None
    scores: PartitionEntry | None
    scores_before: str | None

    @property
    def inputs(self) -> dict[str, str]:
        """The files beside the releases that the next partition is made from."""
        made = {tables.CASE_MATCHES.name: self.cases, SCORES_INPUT: self.scores}
        return {name: entry.data.sha256 for name, entry in made.items() if entry is not None}


SCORES_INPUT = tables.DISTRESS_SCORES.name


def plan(
    lake: Lake, *, towns: Collection[int] | None, scores: Table | None, today: date, again: bool
) -> list[TownWork]:
    """The towns with something to do, by id. ``again``: compare every pair once more."""
    work = waiting(lake, towns=towns, scores=scores, today=today, again=again)
    earlier = _score_files(lake, scores) if work else {}
    return [replace(each, scores_before=earlier.get(_compared_scores(each))) for each in work]


def waiting(
    lake: Lake,
    *,
    towns: Collection[int] | None = None,
    scores: Table | None,
    today: date,
    again: bool = False,
) -> list[TownWork]:
    """What :func:`plan` gives, but without the scores of before, for which the whole log is read."""
    published = lake.snapshot(PROPERTY_CHANGES).by_town()
    cases = lake.snapshot(tables.CASE_MATCHES).by_town()
    scored = lake.snapshot(scores).by_town() if scores is not None else {}
    releases = _releases(lake)
    found = []
    for town_id in sorted(set(releases) | set(cases) | set(scored) | set(published)):
        if towns is not None and town_id not in towns:
            continue
        entry = published.get(town_id)
        compared = _compared(entry)
        work = TownWork(
            town_id,
            tuple(_pairs(releases.get(town_id, ()), [] if again else compared)),
            entry,
            cases.get(town_id),
            scored.get(town_id),
            None,
        )
        if work.pairs or _is_stale(work, today):
            found.append(work)
    return found


def _compared_scores(work: TownWork) -> str:
    return (work.published.inputs if work.published else {}).get(SCORES_INPUT, "")


def _is_stale(work: TownWork, today: date) -> bool:
    """Are there other cases or scores than those the partition was made from, or has a case expired?"""
    if work.published is None:
        return bool(work.inputs)
    expires = work.published.facts.get("next_expiry")
    same = {name: value for name, value in work.published.inputs.items() if name in _OTHER_INPUTS}
    return same != work.inputs or (expires is not None and date.fromisoformat(str(expires)) < today)


_OTHER_INPUTS = (tables.CASE_MATCHES.name, SCORES_INPUT)


def _pairs(releases: Sequence[Release], compared: Sequence[Sequence[str]]) -> Iterator[Pair]:
    """Neighbours in time that were not compared yet."""
    order = {release.name: release.order for release in releases}
    spans = [(order.get(mark[0]), order.get(mark[1])) for mark in compared]
    done = [list(mark) for mark in compared]
    for before, after in itertools.pairwise(releases):
        pair = Pair(before, after)
        inside = any(
            first is not None
            and last is not None
            and (first, last) != (before.order, after.order)
            and first <= before.order
            and after.order <= last
            for first, last in spans
        )
        if pair.mark not in done and not inside:
            yield pair


def _compared(entry: PartitionEntry | None) -> list[list[str]]:
    return [list(mark) for mark in entry.facts.get("compared", ())] if entry else []


def compared_after(work: TownWork) -> list[list[str]]:
    """What will have been compared when this work is done, the newest comparison of a pair only."""
    new = {tuple(pair.mark[:2]): pair.mark for pair in work.pairs}
    kept = [mark for mark in _compared(work.published) if tuple(mark[:2]) not in new]
    return sorted([*kept, *new.values()])


def _releases(lake: Lake) -> dict[int, list[Release]]:
    found: dict[int, list[Release]] = defaultdict(list)
    for partition, entry in lake.snapshot(tables.ASSESSMENT_RELEASES).partitions.items():
        town_id = int(partition.partition("/")[0].removeprefix("town_id="))
        name = str(entry.facts["release"])
        calendar = _CALENDAR_YEAR.match(name)
        order = (int(entry.facts["fiscal_year"]), int(calendar[1]) if calendar else 0, name)
        # A package holds one release; its hash stays when other code makes the same rows again.
        package = str(entry.inputs.get(PACKAGE_INPUT, entry.data.sha256))
        found[town_id].append(Release(town_id, name, order, package, entry))
    return {town_id: sorted(each, key=lambda release: release.order) for town_id, each in found.items()}


def _score_files(lake: Lake, scores: Table | None) -> dict[str, str]:
    """Paths of score files by their hash, as far as the log still names them."""
    if scores is None:
        return {}
    log = SnapshotLog(lake.store, scores.name)
    return {
        entry.data.sha256: entry.data.path
        for number in log.numbers()
        for entry in log.read(number).partitions.values()
    }


def parcel_files(lake: Lake, pairs: Sequence[Pair]) -> dict[tuple[int, str], PartitionEntry]:
    """The polygons of each release that the lake still keeps, by town and release name."""
    wanted = {(r.town_id, r.name): r.package for pair in pairs for r in (pair.before, pair.after)}
    found: dict[tuple[int, str], PartitionEntry] = {}
    log = SnapshotLog(lake.store, tables.PARCELS.name)
    for number in reversed(log.numbers()):
        if len(found) == len(wanted):
            break
        for partition, entry in log.read(number).partitions.items():
            key = (int(partition.removeprefix("town_id=")), str(entry.facts.get("release")))
            if key in wanted and key not in found and entry.inputs.get(PACKAGE_INPUT) == wanted[key]:
                found[key] = entry
    return found


def release_days(lake: Lake) -> dict[tuple[int, str], date]:
    """The source's own date of each town's present release, where it has one."""
    found = {}
    for town_id, entry in lake.snapshot(tables.PROPERTIES).by_town().items():
        day = entry.facts.get("source_date")
        if day:
            found[town_id, str(entry.facts["release"])] = date.fromisoformat(str(day))
    return found


@dataclass(frozen=True)
class Context:
    """What every step of a build needs to know."""

    lake: Lake
    rules: ChangeRules
    seen_at: Any
    days: Mapping[tuple[int, str], date]
