"""The merge: every record of ATTOM to its property, and what is believed into mart/properties.

Two tables change, town by town: mart/property_records (all records, matched or waiting), then
mart/properties, whose vendor columns are made from it by the rule in ``pipeline/vendor_facts``. What each was
made from stands in its inputs, so a merge that was killed anywhere is finished by the next one, and what has
not changed is left alone. The same records give the same tables in whatever order their batches came.
"""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import uuid
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from leadflow_assets.domain.towns import town_by_id
from leadflow_assets.enrich.unified import gather
from leadflow_assets.enrich.unified.gather import SOURCE, Inputs, read_inputs
from leadflow_assets.enrich.unified.matching import match_ids, read_evidence, towns_touched
from leadflow_assets.errors import UsageError
from leadflow_assets.lake.lake import Lake, fingerprint
from leadflow_assets.lake.publish import Publisher, StagedPartition, catch_up, upload
from leadflow_assets.lake.snapshots import PartitionEntry
from leadflow_assets.lake.staging import staging_folder
from leadflow_assets.lake.tables import ATTOM_PROPERTIES, PROPERTIES, PROPERTY_RECORDS
from leadflow_assets.refresh.code import code_version
from leadflow_assets.refresh.properties import (
    RECORDS_INPUT,
    is_replaceable,
    properties_inputs,
    restage_properties,
)
from leadflow_assets.refresh.stage import stage
from leadflow_assets.settings import Settings

# Towns published together: a kill costs at most this many towns' work.
_GROUP = 16
# Of bringing mart/properties up to its records: a refresh may come between.
_TRIES = 3


@dataclass(frozen=True)
class MergeReport:
    """What a merge found and changed. All but the first three count ATTOM ids, conflicts counts conflicts.

    ``records_changed`` and ``towns_changed`` are the towns (ids) whose mart/property_records and whose
    mart/properties were published anew; ``needs_refresh`` those (as ``leadflow refresh`` names them) whose
    mart/properties is older than this version or than its package. ``matched`` is by method. ``not_here``:
    their town is not in the lake, or nobody says which it is; ``elsewhere``: in another state (both only
    where the merge was not limited to some towns).
    """

    records_changed: tuple[int, ...] = ()
    towns_changed: tuple[int, ...] = ()
    needs_refresh: tuple[str, ...] = ()
    matched: dict[str, int] = field(default_factory=dict)
    review: int = 0
    unmatched: int = 0
    not_here: int = 0
    elsewhere: int = 0
    conflicts: int = 0


def merge(
    settings: Settings,
    *,
    batch_ids: Collection[str] | None = None,
    towns: Collection[int] | None = None,
    run_id: str | None = None,
) -> MergeReport:
    """Match all records anew and publish what that changes.

    ``batch_ids`` and ``towns`` limit it to the towns that these batches touch, and to these towns (with those
    that a record moved to or from); in them every batch counts, whichever is named. A batch that published no
    property adds nothing. Call it after a batch was processed, and after towns with records were refreshed:
    their properties may have other ids. Without any batch it returns at once.

    Raises:
        AuditError: a table would break its contract; it stays as it was.
        StoreError: the lake or the staging folder cannot be written.
    """
    lake = Lake(settings)
    inputs = read_inputs(lake)
    if not inputs.attom and not inputs.records:
        return MergeReport()
    run_id = run_id or uuid.uuid4().hex[:12]
    with _one_at_a_time(settings), staging_folder(lake.staging, run_id) as folder:
        for table in (PROPERTY_RECORDS, PROPERTIES):
            catch_up(lake.store, table.name)
        inputs = read_inputs(lake)
        with gather.open_database(inputs) as connection:
            read_evidence(connection, _decided(settings))
            chosen = _matched(connection, inputs, batch_ids, towns)
            changed = _publish_records(connection, inputs, chosen, folder, run_id)
            report = _counted(connection, chosen)
        replaced, older = _publish_properties(lake, folder, run_id)
    now = read_inputs(lake).properties
    return replace(
        report,
        records_changed=tuple(sorted(changed)),
        towns_changed=tuple(sorted(replaced)),
        needs_refresh=tuple(town_by_id(town).key[4:] for town in sorted(older)),
        conflicts=sum(now[town].facts.get("conflicts", 0) for town in now.keys() & chosen),
    )


def process_property(settings: Settings, property_id: str, *, run_id: str | None = None) -> MergeReport:
    """The merge of the town of one property.

    Raises:
        UsageError: there is no such property.
    """
    return merge(settings, towns=[town_of(Lake(settings), property_id)], run_id=run_id)


def town_of(lake: Lake, property_id: str) -> int:
    """The town of a property of mart/properties.

    Raises:
        UsageError: there is no such property.
    """
    with gather.open_database(read_inputs(lake)) as connection:
        found = connection.execute(
            "SELECT town_id FROM properties WHERE property_id = ?", [property_id]
        ).fetchone()
    if found is None:
        raise UsageError(f"There is no property {property_id} here.", "Find it with `leadflow search`.")
    return int(found[0])


@contextlib.contextmanager
def _one_at_a_time(settings: Settings) -> Iterator[None]:
    """A second merge on this machine waits, and then finds the work done."""
    folder = settings.data_dir / "unified"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "merge.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _decided(settings: Settings) -> dict[int, str | None]:
    # Imported late: SQLAlchemy costs a third of a second, and most lakes have no batches.
    from leadflow_assets.state import database, property_reviews

    with database.session(settings) as session:
        reviews = property_reviews.latest(session, SOURCE)
    return {int(source_id): review.property_id for source_id, review in reviews.items()}


def _matched(
    connection: duckdb.DuckDBPyConnection,
    inputs: Inputs,
    batch_ids: Collection[str] | None,
    towns: Collection[int] | None,
) -> set[int]:
    """Match, and give the towns to publish; those made by an older version wait until they are refreshed."""
    everywhere = inputs.properties.keys() | inputs.records.keys()
    limits = None
    if batch_ids is not None or towns is not None:
        limits = towns_touched(connection, batch_ids or ()) | set(towns or ())
    while True:
        match_ids(connection, limits)
        gather.gather_lines(connection)
        wider = gather.moved_with(connection, limits) if limits is not None else set()
        if limits is None or wider <= limits:
            return ((everywhere & limits) if limits is not None else set(everywhere)) - inputs.older
        # What moved to or from a town out of these: that town has to be looked at as a whole too.
        limits = wider


def _counted(connection: duckdb.DuckDBPyConnection, chosen: Collection[int]) -> MergeReport:
    rows = connection.execute(
        "SELECT match_status, match_method, count(DISTINCT attom_id) FROM lines "
        "WHERE town_id IN (SELECT unnest(?::INTEGER[])) GROUP BY ALL ORDER BY ALL",
        [list(chosen)],
    ).fetchall()
    nowhere = connection.execute(
        "SELECT count(*) FILTER (is_elsewhere), count(*) FROM matches WHERE town_id IS NULL"
    ).fetchone() or (0, 0)
    by_status = {status: sum(n for s, _, n in rows if s == status) for status in ("review", "unmatched")}
    return MergeReport(
        matched={method: n for status, method, n in rows if status == "matched"},
        **by_status,
        elsewhere=nowhere[0],
        not_here=nowhere[1] - nowhere[0],
    )


def _publish_records(
    connection: duckdb.DuckDBPyConnection, inputs: Inputs, chosen: Collection[int], folder: Path, run_id: str
) -> set[int]:
    """Publish mart/property_records of the chosen towns where it changed; returns those."""
    contents = gather.town_contents(connection)
    wanted = {town: _fingerprint(content) for town, content in contents.items() if town in chosen}
    here = {town: entry.fingerprint for town, entry in inputs.records.items() if town in chosen}
    changed = sorted(town for town in wanted if here.get(town) != wanted[town])
    gone = here.keys() - wanted.keys()
    publisher = Publisher(inputs.lake.store, run_id)
    if changed:
        everything = folder / "records.parquet"
        gather.write_records(connection, changed, everything)
        for group in _groups(changed):
            entries = {}
            for town in group:
                rows = gather.read_town(connection, everything, town)
                staged = replace(_stage_records(inputs, town, rows, folder), fingerprint=wanted[town])
                entries[staged.partition] = upload(inputs.lake.store, staged)
            publisher.publish(PROPERTY_RECORDS.name, entries)
    if gone:
        publisher.publish(PROPERTY_RECORDS.name, {PROPERTY_RECORDS.partition(town): None for town in gone})
    return {*changed, *gone}


def _fingerprint(content: str) -> str:
    """By what the rows say, not by all batches there are: a batch of other towns changes nothing here."""
    return fingerprint(PROPERTY_RECORDS, {"records": content}, code_version())


def _stage_records(inputs: Inputs, town: int, rows: pa.Table, folder: Path) -> StagedPartition:
    counts = rows.group_by("match_status").aggregate([([], "count_all")]).to_pylist()
    partitions = {ATTOM_PROPERTIES.partition(batch) for batch in pc.unique(rows["batch_id"]).to_pylist()}
    made_from = {f"{ATTOM_PROPERTIES.name}/{name}": inputs.attom[name].data.sha256 for name in partitions}
    facts = {"rows_in": rows.num_rows, **{row["match_status"]: row["count_all"] for row in counts}}
    return stage(PROPERTY_RECORDS, rows, PROPERTY_RECORDS.partition(town), made_from, facts, folder)


def _publish_properties(lake: Lake, folder: Path, run_id: str) -> tuple[set[int], set[int]]:
    """Bring mart/properties up to its records, in every town where a merge that died left it behind.

    Returns the towns that were published, and those that must be refreshed first.
    """
    published: set[int] = set()
    for _ in range(_TRIES):
        inputs = read_inputs(lake)
        stale, older = _stale(inputs)
        for group in _groups(sorted(stale)):
            published |= _republish(inputs, group, folder, run_id)
        if not stale:
            break
    return published, older


def _stale(inputs: Inputs) -> tuple[set[int], set[int]]:
    """Towns whose mart/properties is older than their records: those to replace, those to refresh."""
    stale: set[int] = set()
    older = set(inputs.older & inputs.records.keys())
    for town, entry in inputs.properties.items():
        package = {name: value for name, value in entry.inputs.items() if name != RECORDS_INPUT}
        if entry.inputs != properties_inputs(package, inputs.records.get(town)):
            replaceable = is_replaceable(entry, inputs.packages.get(town))
            (stale if replaceable else older).add(town)
    return stale, older


def _republish(inputs: Inputs, towns: Sequence[int], folder: Path, run_id: str) -> set[int]:
    """Publish some towns' mart/properties with the vendor facts of their records; returns what was."""
    lake = inputs.lake

    def make(town: int) -> tuple[int, PartitionEntry]:
        place = folder / f"town_{town}"
        place.mkdir(exist_ok=True)
        entry, records = inputs.properties[town], inputs.records.get(town)
        try:
            return town, upload(
                lake.store, restage_properties(lake, PROPERTIES.partition(town), entry, records, place)
            )
        finally:
            shutil.rmtree(place)

    # Threads: reading, joining and writing are done outside of Python.
    with ThreadPoolExecutor(lake.settings.leadflow_workers) as pool:
        made = dict(pool.map(make, towns))
    # A refresh that published the town meanwhile has the newer assessor's part: it is joined in the next try.
    now = read_inputs(lake).properties
    kept = {town for town in made if now.get(town) == inputs.properties[town]}
    if kept:
        entries = {PROPERTIES.partition(town): made[town] for town in sorted(kept)}
        Publisher(lake.store, run_id).publish(PROPERTIES.name, entries)
    return kept


def _groups(towns: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(towns), _GROUP):
        yield towns[start : start + _GROUP]
