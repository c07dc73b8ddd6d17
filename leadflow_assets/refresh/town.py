"""One town, raw to mart, in one process: obtain the package, make the tables, audit, upload.

Nothing is published here. What comes back is ready to be, or the one reason why not.
"""

from __future__ import annotations

import contextlib
import json
import time
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from leadflow_assets.domain.purging import Purged
from leadflow_assets.domain.towns import Town, town_by_id
from leadflow_assets.errors import BadPackageError, LeadflowError
from leadflow_assets.lake import tables
from leadflow_assets.lake.lake import Lake, fingerprint
from leadflow_assets.lake.publish import StagedFile, StagedPartition, sha256_of, upload
from leadflow_assets.lake.snapshots import PartitionEntry
from leadflow_assets.lake.tables import SCHEMA_VERSION
from leadflow_assets.pipeline.core import CoreTables, clean_package
from leadflow_assets.pipeline.release import release_name
from leadflow_assets.pipeline.withheld import without_quarantined_owners
from leadflow_assets.refresh.code import code_version
from leadflow_assets.refresh.properties import (
    PACKAGE_INPUT,
    properties_inputs,
    provenance,
    stage_properties,
    with_withheld,
)
from leadflow_assets.refresh.stage import stage
from leadflow_assets.refresh.withheld import load_purged, without_owners
from leadflow_assets.settings import Settings
from leadflow_assets.sources.http import make_client, redact_url
from leadflow_assets.sources.massgis.download import fetch, local_path
from leadflow_assets.sources.massgis.package import Package, open_package, verify_members

# What a town's package is made into; the history of releases is a copy of one of them.
MADE_TABLES = (*(t for t in tables.CORE_MASSGIS if t is not tables.ASSESSMENT_RELEASES), tables.PROPERTIES)


@dataclass(frozen=True)
class TownTask:
    """What a worker needs to know. ``source`` is a URL or path; None: the package already in the lake.

    ``held`` is the published raw partition, ``published`` the fingerprints of the tables by name.
    """

    town_id: int
    settings: Settings
    staging: Path
    source: str | None
    held: PartitionEntry | None
    published: Mapping[str, str]
    force: bool


@dataclass(frozen=True)
class TownBuild:
    """What a worker made: partitions by table name, all uploaded; or an error and nothing."""

    town_id: int
    uploaded: Mapping[str, Mapping[str, PartitionEntry]] = field(default_factory=dict)
    error: LeadflowError | None = None
    notes: tuple[str, ...] = ()
    seconds: float = 0.0


def build_town(task: TownTask) -> TownBuild:
    """Do the work; never raises for one town's sake, so that others go on."""
    started = time.monotonic()
    try:
        uploaded, notes = _build(task)
    except LeadflowError as error:
        return TownBuild(task.town_id, error=error, seconds=time.monotonic() - started)
    except Exception as error:  # noqa: BLE001  (a bug must cost one town, not the run)
        frame = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(frame.filename).name}:{frame.lineno}"  # no texts: they may be personal data
        problem = LeadflowError(
            f"{town_by_id(task.town_id).name}: unexpected {type(error).__name__} at {where}.",
            "This is a defect of the program; please report it with the package's name.",
        )
        return TownBuild(task.town_id, error=problem, seconds=time.monotonic() - started)
    return TownBuild(task.town_id, uploaded, notes=tuple(notes), seconds=time.monotonic() - started)


def _build(task: TownTask) -> tuple[dict[str, dict[str, PartitionEntry]], list[str]]:
    lake = Lake(task.settings)
    town = town_by_id(task.town_id)
    folder = task.staging / f"town_{town.town_id}"
    folder.mkdir(parents=True, exist_ok=True)
    path, receipt, is_new = _obtain(task, town, lake, folder)
    try:
        return _made(task, town, lake, folder, path, receipt, is_new)
    finally:
        if task.source is not None:
            path.unlink(missing_ok=True)


def _made(
    task: TownTask, town: Town, lake: Lake, folder: Path, path: Path, receipt: dict[str, Any], is_new: bool
) -> tuple[dict[str, dict[str, PartitionEntry]], list[str]]:
    inputs = {PACKAGE_INPUT: str(receipt["sha256"])}
    # Read now, not when the run was planned: what was matched, and who was purged, meanwhile counts.
    purged = load_purged(task.settings)
    mark = purged.town_mark(town.town_id) if purged else ""
    records = lake.snapshot(tables.PROPERTY_RECORDS).partitions.get(
        tables.PROPERTY_RECORDS.partition(town.town_id)
    )
    if not task.force and all_current(task.published, inputs, records, mark):
        return _renewed_receipt(task, lake, path, receipt, folder), ["the package is the one already here"]
    package = open_package(
        path,
        expected_town_id=town.town_id,
        max_unpacked_bytes=task.settings.massgis_max_package_mb * 20 * 2**20,
    )
    verify_members(package)
    core = clean_package(package, _seen_on(receipt))
    _refuse_older(task, core, receipt)
    staged = [*([_raw(town, path, receipt, package, core, folder)] if is_new or task.force else [])]
    for_owners = with_withheld(tables.PROPERTIES, inputs, mark)
    properties, withheld = stage_properties(core, receipt, for_owners, lake, records, folder, purged)
    staged += _core(without_owners(core, purged, withheld), purged, inputs, mark, receipt, folder)
    staged.append(properties)
    uploaded: dict[str, dict[str, PartitionEntry]] = {}
    for partition in staged:
        uploaded.setdefault(partition.table, {})[partition.partition] = upload(lake.store, partition)
    return uploaded, [core.release.note] if core.release.note else []


def _renewed_receipt(
    task: TownTask, lake: Lake, path: Path, receipt: dict[str, Any], folder: Path
) -> dict[str, dict[str, PartitionEntry]]:
    """Remember the source's new mark for the same bytes, or they would be fetched again every night."""
    held = task.held
    marks = ("url", "etag", "last_modified")
    if held is None or all(held.facts["receipt"].get(mark) == receipt.get(mark) for mark in marks):
        return {}
    staged = _staged_package(task.town_id, path, receipt, {**held.facts, "receipt": receipt}, folder)
    return {staged.table: {staged.partition: upload(lake.store, staged)}}


def all_current(
    published: Mapping[str, str], inputs: Mapping[str, str], records: PartitionEntry | None, mark: str = ""
) -> bool:
    """Do these fingerprints, by table name, say that every table was made from these inputs by this code?

    ``records`` is the town's published mart/property_records, which mart/properties is made from too;
    ``mark`` says who is withheld in the town.
    """
    made_from = {t.name: with_withheld(t, inputs, mark) for t in MADE_TABLES}
    made_from[tables.PROPERTIES.name] = properties_inputs(made_from[tables.PROPERTIES.name], records)
    return all(
        published.get(t.name) == fingerprint(t, made_from[t.name], code_version()) for t in MADE_TABLES
    )


def _obtain(task: TownTask, town: Town, lake: Lake, folder: Path) -> tuple[Path, dict[str, Any], bool]:
    """The package as a local file, its receipt, and whether it is other than the published one."""
    if task.source is None:
        assert task.held is not None, "without a source there must be a package in the lake"
        receipt = dict(task.held.facts["receipt"])
        held_path = lake.store.fetch(task.held.data.path, folder)
        return _under_its_name(held_path, receipt, folder), receipt, False
    # A client costs 40 ms for its certificates, and a file on disk needs none.
    on_disk = local_path(task.source) is not None
    with contextlib.nullcontext() if on_disk else make_client(timeout=60.0) as client:
        got = fetch(
            task.source,
            lake.downloads / str(town.town_id),
            client=client,
            max_bytes=task.settings.massgis_max_package_mb * 2**20,
        )
    receipt = {
        "url": redact_url(task.source),
        "file_name": got.path.name,
        "etag": got.state.etag,
        "last_modified": got.state.last_modified.isoformat() if got.state.last_modified else None,
        "size": got.size,
        "sha256": got.sha256,
        "fetched_at": got.fetched_at.astimezone(UTC).isoformat(timespec="seconds"),
        "request_id": got.request_id,
    }
    return got.path, receipt, task.held is None or task.held.data.sha256 != got.sha256


def _under_its_name(path: Path, receipt: Mapping[str, Any], folder: Path) -> Path:
    """The held package under the name it came with, so that errors and notes speak of that."""
    named = folder / str(receipt["file_name"])
    if path != named:
        named.unlink(missing_ok=True)
        named.symlink_to(path)
    return named


def _seen_on(receipt: Mapping[str, Any]) -> date:
    return datetime.fromisoformat(str(receipt["fetched_at"])).date()


def _refuse_older(task: TownTask, core: CoreTables, receipt: Mapping[str, Any]) -> None:
    """An older release must not replace a newer one by accident."""
    if task.force or task.held is None or task.held.data.sha256 == receipt["sha256"]:
        return
    held = (task.held.facts["fiscal_year"], task.held.facts["calendar_year"] or 0)
    new = (core.release.fiscal_year, core.release.calendar_year or 0)
    if new[0] < held[0] or (new[0] == held[0] and new[1] and new[1] < held[1]):
        here = release_name(held[0], held[1] or None)
        raise BadPackageError(
            f"{core.release.file} is release {core.release.name}, older than {here}, which is here.",
            "To replace the newer release with it, add --force; both stay in core.assessment_releases.",
        )


def _raw(
    town: Town, path: Path, receipt: dict[str, Any], package: Package, core: CoreTables, folder: Path
) -> StagedPartition:
    facts = {
        "receipt": receipt,
        "format": package.format,
        "release": core.release.name,
        "fiscal_year": core.release.fiscal_year,
        "calendar_year": core.release.calendar_year,
        "newest_member": package.newest_member.isoformat(),
    }
    return _staged_package(town.town_id, path, receipt, facts, folder)


def _staged_package(
    town_id: int, path: Path, receipt: dict[str, Any], facts: Mapping[str, Any], folder: Path
) -> StagedPartition:
    receipt_file = folder / "receipt.json"
    receipt_file.unlink(missing_ok=True)  # it may be linked into the lake by an earlier try
    receipt_file.write_text(json.dumps(receipt, indent=1), encoding="utf-8")
    return StagedPartition(
        table=PACKAGE_INPUT,
        partition=tables.MASSGIS_PACKAGES.partition(town_id),
        files={
            "data": StagedFile(path, 1, str(receipt["sha256"])),
            "receipt": StagedFile(receipt_file, 1, sha256_of(receipt_file)),
        },
        fingerprint=str(receipt["sha256"]),
        inputs={},
        schema_version=SCHEMA_VERSION,
        code_version=code_version(),
        facts=facts,
    )


def _core(
    core: CoreTables,
    purged: Purged | None,
    package: Mapping[str, str],
    mark: str,
    receipt: Mapping[str, Any],
    folder: Path,
) -> Iterator[StagedPartition]:
    for table, clean in core.tables.items():
        inputs = with_withheld(table, package, mark)
        facts = {
            "release": core.release.name,
            "fiscal_year": core.release.fiscal_year,
            "rows_in": clean.rows_in,
            "dropped": clean.quarantine.dropped,
            "kept": clean.quarantine.kept,
            "reasons": clean.quarantine.reasons(),
            **clean.facts,
        }
        rejects = clean.quarantine.rows(core.release.town_id, core.release.name)
        if purged is not None and table is tables.ASSESSMENTS:
            rejects = without_quarantined_owners(purged, rejects) or rejects
        staged = stage(
            table, clean.rows, table.partition(core.release.town_id), inputs, facts, folder, rejects
        )
        yield staged
        if table is tables.ASSESSMENTS:
            # The history keeps the very same file, under the release's name.
            history = tables.ASSESSMENT_RELEASES
            source = provenance(receipt)
            yield StagedPartition(
                table=history.name,
                partition=history.partition(core.release.town_id, core.release.name),
                files={"data": staged.files["data"]},
                fingerprint=fingerprint(history, inputs, code_version()),
                inputs=inputs,
                schema_version=SCHEMA_VERSION,
                code_version=code_version(),
                facts={
                    "release": core.release.name,
                    "fiscal_year": core.release.fiscal_year,
                    "source_date": source.source_date.isoformat() if source.source_date else None,
                    "fetched_at": source.fetched_at.isoformat(),
                },
            )
