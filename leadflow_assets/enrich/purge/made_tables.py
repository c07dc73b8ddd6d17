"""What was made from properties and cases: events, leads and scores, in the order of a purge.

Scores and leads from which something went are made anew right after the purge (:func:`make_anew`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from functools import cached_property
from pathlib import Path

from leadflow_assets.domain.purging import CASE, PLACE, Purged
from leadflow_assets.enrich.purge.change_tables import Changes
from leadflow_assets.enrich.purge.deriving import read_columns
from leadflow_assets.enrich.purge.lead_tables import Leads
from leadflow_assets.enrich.purge.score_tables import Scores
from leadflow_assets.enrich.purge.tables import Rule
from leadflow_assets.enrich.purge.traces import Traces, find_traces
from leadflow_assets.lake import tables
from leadflow_assets.lake.lake import Lake
from leadflow_assets.settings import Settings


class MadeTables:
    """The rules of these tables. ``purged`` gives all that is known by now, ``own`` is this purge."""

    def __init__(
        self, settings: Settings, purged: Callable[[], Purged], own: Purged, folder: Path, *, dry_run: bool
    ) -> None:
        self._lake = Lake(settings)
        self._purged = purged
        self._own = own
        self._folder = folder
        self._changes = Changes(settings, purged, self._traces, folder, dry_run=dry_run)
        self._leads = Leads(settings, purged, own, self._traces, dry_run=dry_run)
        self._scores = Scores(own, self._traces)

    @cached_property
    def traces(self) -> Traces:
        """Where purged cases count; looked for when first asked for, after all is learned of dockets."""
        return find_traces(self._lake, self._purged(), self._folder)

    def _traces(self) -> Traces:
        return self.traces

    @property
    def towns(self) -> list[int]:
        """Ids of the towns whose scores lost any row, in whatever version."""
        return sorted(int(name.removeprefix("town_id=")) for name in self._scores.partitions)

    def rules(self) -> Iterator[Rule]:
        """What the others were made from goes last: by it they are found after a kill."""
        purged = self._purged()
        if not (purged.of_kind(CASE) or purged.of_kind(PLACE)):
            return
        yield Rule(tables.PROPERTY_CHANGES, lambda rows, role, p: self._changes.clean(rows))
        yield Rule(tables.LEADS, lambda rows, role, p: self._leads.clean(rows), outdates=True)
        yield Rule(
            tables.DISTRESS_SCORES,
            lambda rows, role, p: self._scores.clean(rows, p),
            self._has_scores,
            outdates=True,
        )

    def _has_scores(self, partition: str) -> bool:
        """Can a version of these scores hold anything? Every score of the state is read else."""
        if self._purged().of_kind(CASE):
            return True
        town = int(partition.removeprefix("town_id="))
        return town in self._own.towns or any(one.startswith(f"{town:03d}-") for one in self.traces.days)

    def forget_states(self) -> dict[str, int]:
        """Forget what the state database tells of what left; how many rows, by table."""
        self._leads.forget_places(self._published)
        return {"state.lead_events": self._leads.forgotten, "state.change_tellings": self._changes.forgotten}

    def _published(self) -> set[str]:
        found: set[str] = set()
        for _, rows in read_columns(self._lake, tables.LEADS, ("lead_id",), self._folder):
            found.update(rows["lead_id"].to_pylist())
        return found


def make_anew(settings: Settings, towns: Collection[int]) -> None:
    """Score these towns again, then make leads and what stands beside the search index, where there are any.

    Whoever is killed before leaves them outdated: the next scoring ends it.

    Raises:
        AuditError, StoreError: as ``score_towns`` and ``make_leads``; the purge itself is finished.
    """
    # Imported late: they need modules that ask this one what may be published.
    from leadflow_assets.enrich.leads.service import make_leads
    from leadflow_assets.enrich.scores.service import score_towns
    from leadflow_assets.search.index import build_index, index_path

    lake = Lake(settings)
    here = [
        town
        for town in sorted(towns)
        if (entry := lake.snapshot(tables.PROPERTIES).partitions.get(tables.PROPERTIES.partition(town)))
        and entry.schema_version == tables.SCHEMA_VERSION
    ]
    if here:
        score_towns(settings, towns=here)
    if lake.snapshot(tables.LEADS).number:
        make_leads(settings)
    if here and index_path(settings).is_file():
        build_index(lake)
