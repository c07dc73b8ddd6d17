"""From a transport's files to published partitions: audited, uploaded, kept in mind, published when asked.

What :func:`stage` gives is kept with the job, so that processing publishes the very files that were audited
when the batch was landed, whatever process does it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leadflow_assets.enrich.batches.code import attom_code_version
from leadflow_assets.enrich.batches.job import BatchJob, Landed, Outcomes
from leadflow_assets.lake.lake import Lake, fingerprint
from leadflow_assets.lake.publish import Publisher, StagedFile, StagedPartition, sha256_of, upload
from leadflow_assets.lake.snapshots import FileEntry, PartitionEntry
from leadflow_assets.lake.tables import ATTOM_PROPERTIES, ATTOM_RESULTS, SCHEMA_VERSION, Table


@dataclass(frozen=True)
class Staged:
    """Both tables of a landed batch, audited and in the lake, not yet published. None: no properties."""

    results: PartitionEntry
    properties: PartitionEntry | None
    outcomes: Outcomes
    code_version: str

    def to_json(self) -> dict[str, Any]:
        """As it is kept with the job."""
        return {
            "results": _entry_json(self.results),
            "properties": None if self.properties is None else _entry_json(self.properties),
            "outcomes": vars(self.outcomes),
            "code_version": self.code_version,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Staged:
        """What :meth:`to_json` gave."""
        properties = value["properties"]
        return cls(
            _entry(value["results"]),
            None if properties is None else _entry(properties),
            Outcomes(**value["outcomes"]),
            value["code_version"],
        )

    def is_current(self, lake: Lake) -> bool:
        """Was it made by this code, and are its files still there?"""
        entries = [entry for entry in (self.results, self.properties) if entry is not None]
        return self.code_version == attom_code_version() and all(
            lake.store.exists(file.path) for entry in entries for file in entry.files.values()
        )


def stage(lake: Lake, job: BatchJob, landed: Landed, facts: Mapping[str, Any]) -> Staged:
    """Audit a transport's files and put them into the lake, where nothing refers to them yet.

    Raises:
        AuditError: a file breaks its table's contract, or does not account for every request.
    """
    # Imported late: the schema library takes longer to load than most commands; the hook imports the job.
    from leadflow_assets.enrich.purge.hooks import landed_without_purged
    from leadflow_assets.lake.audit import audit_file, require

    landed = landed_without_purged(lake.settings, lake, job.job_id, landed)
    entries: dict[Table, PartitionEntry] = {}
    inputs = landed.inputs or {"results": sha256_of(landed.results)}
    for table, path in ((ATTOM_RESULTS, landed.results), (ATTOM_PROPERTIES, landed.properties)):
        if path is None:
            continue
        partition = table.partition(job.job_id)
        expected = landed.rows if table is ATTOM_RESULTS else None
        report = audit_file(path, table, expected_rows=expected)
        require(report, table, partition)
        entries[table] = upload(lake.store, _partition(table, job, path, report.rows, inputs, facts))
    return Staged(
        entries[ATTOM_RESULTS], entries.get(ATTOM_PROPERTIES), landed.outcomes, attom_code_version()
    )


def publish(lake: Lake, run_id: str, table: Table, job_id: str, entry: PartitionEntry | None) -> bool:
    """Make an uploaded partition (None: no rows) the published one; False where it is already."""
    partition = table.partition(job_id)
    held = lake.snapshot(table).partitions.get(partition)
    if held is None and entry is None:
        return False
    if held is not None and entry is not None and held.fingerprint == entry.fingerprint:
        return False
    Publisher(lake.store, run_id).publish(table.name, {partition: entry})
    return True


def is_published(lake: Lake, table: Table, job_id: str, entry: PartitionEntry | None) -> bool:
    """Is the published partition made of the same inputs by the same code?"""
    held = lake.snapshot(table).partitions.get(table.partition(job_id))
    return (held.fingerprint if held else None) == (entry.fingerprint if entry else None)


def _partition(
    table: Table, job: BatchJob, path: Path, rows: int, inputs: Mapping[str, str], facts: Mapping[str, Any]
) -> StagedPartition:
    version = attom_code_version()
    return StagedPartition(
        table=table.name,
        partition=table.partition(job.job_id),
        files={"data": StagedFile(path, rows, sha256_of(path))},
        fingerprint=fingerprint(table, inputs, version),
        inputs=inputs,
        schema_version=SCHEMA_VERSION,
        code_version=version,
        facts=facts,
    )


def _entry_json(entry: PartitionEntry) -> dict[str, Any]:
    files = {role: vars(file) for role, file in entry.files.items()}
    return json.loads(json.dumps({**vars(entry), "files": files}))  # type: ignore[no-any-return]


def _entry(value: Mapping[str, Any]) -> PartitionEntry:
    files = {
        role: FileEntry(**{**file, "bbox": tuple(file["bbox"]) if file["bbox"] else None})
        for role, file in value["files"].items()
    }
    return PartitionEntry(**{**value, "files": files})
