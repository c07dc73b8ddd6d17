"""Taking rows and texts out of a table: out of what is current, and out of its whole history.

Files are never changed in place. For each that holds something a clean one is made under the name of its own
content; a new snapshot names the current ones, then earlier entries of the log are replaced by ones that name
the clean files, then the old files go. Every step may be done again: whoever comes after a kill finishes.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from leadflow_assets.lake.audit import audit_file, require
from leadflow_assets.lake.geoparquet import ROW_GROUP_ROWS
from leadflow_assets.lake.lake import Lake, fingerprint
from leadflow_assets.lake.publish import catch_up, repair, sha256_of, version_key
from leadflow_assets.lake.snapshots import FileEntry, PartitionEntry, Snapshot, SnapshotLog, wait_turn
from leadflow_assets.lake.store import STAGING, Store, raise_for_disk
from leadflow_assets.lake.tables import SCHEMA_VERSION, Table

DATA: Final = "data"
# An upload that no entry names yet may belong to a publish under way.
_UNDER_WAY: Final = timedelta(hours=24)
# Publishers may come between again and again; each pass takes what is there.
_MOST_PASSES: Final = 20


@dataclass(frozen=True)
class Cleaned:
    """What is left of a file's rows, how many went and how many others changed."""

    rows: pa.Table
    removed: int
    changed: int


@dataclass(frozen=True)
class Rule:
    """How one table is cleaned.

    ``clean`` gets the rows of a file, its role and its partition, and gives None where nothing is to be done;
    ``wants`` says which partitions are looked at. ``inputs`` gives a partition's inputs as they are to be.
    """

    table: Table
    clean: Callable[[pa.Table, str, str], Cleaned | None]
    wants: Callable[[str], bool] = lambda partition: True
    inputs: Callable[[str, Mapping[str, str]], dict[str, str]] = lambda partition, inputs: dict(inputs)
    roles: tuple[str, ...] = (DATA,)
    # Are uploads that nothing names made again by whoever made them, if they are gone?
    remakes: bool = False
    # Must partitions that lost something be made anew, even where they would be made from the same?
    outdates: bool = False


@dataclass
class TableCounts:
    """Rows of the current table that went and that changed; earlier files that held something."""

    removed: int = 0
    changed: int = 0
    earlier_files: int = 0

    def add(self, other: TableCounts) -> None:
        """Add the counts of another pass."""
        self.removed += other.removed
        self.changed += other.changed
        self.earlier_files += other.earlier_files

    @property
    def anything(self) -> bool:
        """Was there anything?"""
        return bool(self.removed or self.changed or self.earlier_files)


@dataclass
class _Job:
    """One pass over one table."""

    lake: Lake
    rule: Rule
    folder: Path
    made: dict[str, FileEntry] = field(default_factory=dict)
    counts: TableCounts = field(default_factory=TableCounts)


def clean_table(lake: Lake, rule: Rule, folder: Path, *, run_id: str, dry_run: bool) -> TableCounts:
    """Clean a table and its history until nothing is left to clean."""
    total = TableCounts()
    if not dry_run:
        # A publisher that died may have left an older file as the current copy.
        repair(lake.store, rule.table.name)
    for _ in range(_MOST_PASSES):
        job = _Job(lake, rule, folder)
        _pass(job, run_id, dry_run)
        total.add(job.counts)
        if dry_run or not job.counts.anything:
            break
    return total


def _pass(job: _Job, run_id: str, dry_run: bool) -> None:
    log = SnapshotLog(job.lake.store, job.rule.table.name)
    snapshots = {number: log.read(number) for number in log.numbers()}
    newest = snapshots[max(snapshots)] if snapshots else None
    current = {file.path for _, _, _, file in _files(newest, job.rule)} if newest else set()
    seen: set[str] = set()
    for snapshot in reversed(snapshots.values()):
        for partition, role, entry, file in _files(snapshot, job.rule):
            if file.path not in seen:
                seen.add(file.path)
                _look(job, partition, role, entry, file, file.path in current, dry_run)
    named = {f.path for s in snapshots.values() for e in s.partitions.values() for f in e.files.values()}
    if job.made:
        _publish(job, log, run_id)
        _rewrite_history(job, log)
        _remove_unnamed(job, log)
    _look_at_unnamed(job, named, dry_run)


def _files(snapshot: Snapshot, rule: Rule) -> Iterator[tuple[str, str, PartitionEntry, FileEntry]]:
    for partition, entry in snapshot.partitions.items():
        if rule.wants(partition):
            for role, file in entry.files.items():
                if role in rule.roles:
                    yield partition, role, entry, file


def _look(
    job: _Job,
    partition: str,
    role: str,
    entry: PartitionEntry,
    file: FileEntry,
    is_current: bool,
    dry_run: bool,
) -> None:
    """Clean one file where it holds anything, and put the clean one into the lake."""
    found = _cleaned(job, file.path, role, partition)
    if found is None:
        return
    path, clean = found
    if is_current:
        job.counts.removed += clean.removed
        job.counts.changed += clean.changed
    else:
        job.counts.earlier_files += 1
    if dry_run:
        return
    inputs = _inputs(job, partition, entry) if is_current and role == DATA else None
    made = _write(job, path, clean.rows, inputs)
    if role == DATA and entry.schema_version == SCHEMA_VERSION:
        require(
            audit_file(made, job.rule.table, expected_rows=clean.rows.num_rows), job.rule.table, partition
        )
    sha256 = sha256_of(made)
    key = version_key(job.rule.table.name, partition, sha256, made.suffix)
    job.lake.store.put_new(key, made)
    job.made[file.path] = FileEntry(key, clean.rows.num_rows, made.stat().st_size, sha256, file.bbox)
    made.unlink()


def _cleaned(job: _Job, key: str, role: str, partition: str) -> tuple[Path, Cleaned] | None:
    place = job.folder / uuid.uuid4().hex
    place.mkdir(parents=True)
    try:
        path = job.lake.store.fetch(key, place)
        rows = pq.ParquetFile(path).read()
    except FileNotFoundError:
        return None  # cleaned up meanwhile
    clean = job.rule.clean(rows.replace_schema_metadata(None), role, partition)
    if path.parent == place and clean is None:
        path.unlink()
    return None if clean is None else (path, clean)


def _inputs(job: _Job, partition: str, entry: PartitionEntry) -> dict[str, str]:
    """What the clean partition counts as made from.

    What was made from a table that was cleaned keeps naming the old one: whoever makes it sees that it is
    stale, and makes it anew with its facts.
    """
    return job.rule.inputs(partition, entry.inputs)


def _write(job: _Job, path: Path, rows: pa.Table, inputs: Mapping[str, str] | None) -> Path:
    """The rows as a file with the marks of the one they come from."""
    with pq.ParquetFile(path) as old:
        schema = old.schema_arrow
    marks = dict(schema.metadata or {})
    if inputs is not None and b"leadflow.inputs" in marks:
        marks[b"leadflow.inputs"] = json.dumps(dict(inputs), sort_keys=True).encode()
    target = job.folder / f"{uuid.uuid4().hex}.parquet"
    try:
        pq.write_table(
            rows.cast(schema.remove_metadata()).replace_schema_metadata(marks),
            target,
            row_group_size=ROW_GROUP_ROWS,
            compression="zstd",
            compression_level=1,
            use_dictionary=[f.name for f in schema if pa.types.is_string(f.type)],
            write_page_index=True,
        )
        with target.open("rb+") as file:
            os.fsync(file.fileno())
    except OSError as error:
        raise_for_disk(error, job.folder)
    return target


def _publish(job: _Job, log: SnapshotLog, run_id: str) -> None:
    """A new snapshot that names the clean files; nothing that others publish meanwhile is undone."""
    store, attempt = job.lake.store, 0
    while True:
        base = log.latest()
        changes: dict[str, PartitionEntry | None] = {
            partition: _entry(job, partition, entry, run_id)
            for partition, entry in base.partitions.items()
            if any(file.path in job.made for file in entry.files.values())
        }
        if not changes:
            return
        if log.commit(changes, base=base) is not None:
            break
        attempt += 1
        wait_turn(attempt)
    catch_up(store, job.rule.table.name)


def _entry(job: _Job, partition: str, entry: PartitionEntry, run_id: str) -> PartitionEntry:
    inputs = _inputs(job, partition, entry)
    same_rule = entry.fingerprint == fingerprint(job.rule.table, entry.inputs, entry.code_version)
    named = {**inputs, "purge": run_id} if job.rule.outdates else inputs
    return replace(
        entry,
        files=_renamed(job, entry),
        inputs=inputs,
        fingerprint=fingerprint(job.rule.table, named, entry.code_version)
        if same_rule or job.rule.outdates
        else entry.fingerprint,
        run_id=run_id,
        published_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _renamed(job: _Job, entry: PartitionEntry) -> dict[str, FileEntry]:
    return {role: job.made.get(file.path, file) for role, file in entry.files.items()}


def _rewrite_history(job: _Job, log: SnapshotLog) -> None:
    """Make every earlier entry name the clean files."""
    for number in log.numbers()[:-1]:
        snapshot = log.read(number)
        partitions = {
            name: replace(entry, files=_renamed(job, entry))
            if any(file.path in job.made for file in entry.files.values())
            else entry
            for name, entry in snapshot.partitions.items()
        }
        if any(partitions[name] is not entry for name, entry in snapshot.partitions.items()):
            log.replace(replace(snapshot, partitions=partitions))


def _remove_unnamed(job: _Job, log: SnapshotLog) -> None:
    """Remove the files that were replaced and that no entry names any more."""
    snapshots = (log.read(number) for number in log.numbers())
    named = {f.path for s in snapshots for e in s.partitions.values() for f in e.files.values()}
    for path in job.made.keys() - named:
        job.lake.store.delete(path)


def _look_at_unnamed(job: _Job, named: set[str], dry_run: bool) -> None:
    """Uploads that no entry names: left over from a kill, or of a publish that is under way.

    The latter will be named in a moment: what is there then must be clean, and must be there.
    """
    store, prefix = job.lake.store, f"_versions/{job.rule.table.name}/"
    for key in list(store.list(prefix)):
        partition = key.removeprefix(prefix).rpartition("/")[0]
        if key in named or not key.endswith(".parquet") or not job.rule.wants(partition):
            continue
        if key in {file.path for file in job.made.values()}:
            continue
        for role in job.rule.roles:
            try:
                found = _cleaned(job, key, role, partition)
            except KeyError:
                continue  # a file of another role
            if found is None:
                continue
            job.counts.earlier_files += 1
            if not dry_run:
                _replace_unnamed(job, key, *found)


def _replace_unnamed(job: _Job, key: str, path: Path, clean: Cleaned) -> None:
    store = job.lake.store
    is_old = store.modified(key) < datetime.now(UTC) - _UNDER_WAY
    if is_old or job.rule.remakes:
        store.delete(key)
        return
    made = _write(job, path, clean.rows, None)
    replace_object(store, key, made)
    made.unlink()


def replace_object(store: Store, key: str, content: Path | bytes) -> None:
    """Put another content in the place of an object, at once."""
    temporary = f"{STAGING}/{uuid.uuid4().hex}"
    store.put_new(temporary, content)
    try:
        store.copy_over(temporary, key)
    finally:
        store.delete(temporary)
