"""Every integration of the product, examined one by one: what `leadflow doctor` shows.

A broken integration is a finding, never an exception. The lake is written to with a probe object of its
own name, which is removed again.
"""

from __future__ import annotations

import errno
import importlib.metadata
import shutil
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import duckdb

from leadflow_assets.errors import LeadflowError
from leadflow_assets.lake import tables
from leadflow_assets.lake.extensions import EXTENSIONS, load_extensions
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.publish import current_key, repair
from leadflow_assets.lake.snapshots import Snapshot, SnapshotLog
from leadflow_assets.lake.staging import abandoned, sweep
from leadflow_assets.lake.store import Store
from leadflow_assets.settings import Settings

Status = Literal["ok", "warning", "failed", "not_configured"]
LOW_SPACE_BYTES = 5 * 10**9
VENDORS = {
    "ATTOM": "attom_api_key",
    "CourtListener": "courtlistener_api_key",
    "BatchData": "batchdata_api_key",
    "OpenAI": "openai_api_key",
}
_HEADS_AT_ONCE = 16
# A publish copies right after it commits; what is stale for longer is stale because it died.
_SETTLE_SECONDS = 2.0
_REPAIR = "Run `leadflow doctor --repair`."


@dataclass(frozen=True)
class Finding:
    """One row: the integration, its status, what was seen, and what to do where something is."""

    name: str
    status: Status
    detail: str
    what_to_do: str = ""


def examine(settings: Settings, *, live: bool = False, fix: bool = False) -> Iterator[Finding]:
    """Examine everything, in the order of the table.

    ``live`` makes one free call per source over the network; ``fix`` repairs current copies and sweeps
    what dead runs left.
    """
    lake = Lake(settings)
    probe = check_lake(lake)
    yield probe
    checks: list[tuple[str, Callable[[], Finding | Iterable[Finding]]]] = []
    if probe.status != "failed":
        checks += [(t.view, partial(check_table, lake.store, t.name, fix=fix)) for t in tables.TABLES]
    checks += [
        ("staging", partial(check_staging, lake.staging, fix=fix)),
        ("disk space", partial(check_space, settings)),
        ("state database", partial(check_state, settings)),
        ("DuckDB", check_duckdb),
        ("Dagster", check_dagster),
        ("MassGIS", partial(check_massgis, settings, live=live)),
        ("vendors", partial(check_vendors, settings)),
    ]
    for name, check in checks:
        try:
            found = check()
            yield from [found] if isinstance(found, Finding) else found
        except LeadflowError as error:
            yield Finding(name, "failed", error.message, error.hint)
        except OSError as error:
            yield Finding(name, "failed", f"{error.strerror}.", "Check the permissions of the data folder.")


def check_lake(lake: Lake) -> Finding:
    """Can an object be created once, read back, copied and deleted? Shows how long that took."""
    try:
        store = lake.store
        started = time.monotonic()
        problem = _probe(store, f"_probe/{uuid.uuid4().hex}")
    except LeadflowError as error:
        return Finding("lake", "failed", error.message, _lake_hint(lake, error))
    if problem:
        return Finding("lake", "failed", f"{store.uri}: {problem}", "Use a store that keeps S3's rules.")
    milliseconds = (time.monotonic() - started) * 1000
    return Finding("lake", "ok", f"{store.uri}: create, read, copy, delete in {milliseconds:.0f} ms")


def _probe(store: Store, key: str) -> str:
    """Go through the lake's promises with one object; returns the promise that was broken, or nothing."""
    content, copy = key.encode(), f"{key}.copy"
    made = []
    try:
        if not store.put_new(key, content):
            return "a new object was refused as if it existed."
        made.append(key)
        if store.put_new(key, b"second"):
            return "it overwrites where it must refuse (If-None-Match), so publishers could lose updates."
        store.copy_over(key, copy)
        made.append(copy)
        if store.read(copy) != content or not store.same(key, copy):
            return "a copy is not what was copied."
        if key not in store.list("_probe/"):
            return "a listing does not show what was written."
    finally:
        for name in made:
            store.delete(name)
    return ""


def _lake_hint(lake: Lake, error: LeadflowError) -> str:
    cause = error.__cause__
    if isinstance(cause, OSError) and cause.errno in (errno.ENOTDIR, errno.EEXIST):
        return "A file stands where a folder must be: set LEADFLOW_LAKE (or LEADFLOW_DATA_DIR) to a folder."
    return error.hint


def check_table(store: Store, table: str, *, fix: bool) -> Finding:
    """Is the current copy of a table what its newest snapshot says? ``fix`` makes it so."""
    name = table.replace("/", ".")
    snapshot = SnapshotLog(store, table).latest()
    stale = _settled(store, table)
    repaired = 0
    if stale and fix:
        repaired = repair(store, table)
        stale = _settled(store, table)
    if stale:
        detail = f"{len(stale):,} current files differ from snapshot {snapshot.number}, first {stale[0]}"
        if fix:
            return Finding(name, "failed", detail, "Remove files that are no part of the table by hand.")
        return Finding(name, "failed", detail, _REPAIR)
    if not snapshot.number:
        return Finding(name, "ok", "nothing published yet")
    detail = f"snapshot {snapshot.number}, {len(snapshot.partitions):,} partitions"
    return Finding(name, "ok", detail + (f"; {repaired:,} files put right" if repaired else ""))


def _settled(store: Store, table: str) -> list[str]:
    """Stale copies; looks twice, since a publish at this moment is between its commit and its copies."""
    stale = stale_copies(store, table)
    if stale:
        time.sleep(_SETTLE_SECONDS)
        stale = stale_copies(store, table)
    return stale


def stale_copies(store: Store, table: str) -> list[str]:
    """Keys of current files that are missing, old, or no part of the newest snapshot; changes nothing."""
    snapshot = SnapshotLog(store, table).latest()
    wanted = _wanted(snapshot)

    def is_stale(key: str) -> bool:
        return not (store.same(wanted[key], key) or _equal(store, wanted[key], key))

    with ThreadPoolExecutor(_HEADS_AT_ONCE) as pool:
        keys = sorted(wanted)
        stale = [key for key, bad in zip(keys, pool.map(is_stale, keys), strict=True) if bad]
    present = (key for folder in _folders(table) for key in store.list(folder))
    return stale + [key for key in present if key not in wanted]


def _equal(store: Store, version: str, key: str) -> bool:
    """Have both the same bytes? So after a backup was restored, which keeps no links."""
    try:
        return store.size(version) == store.size(key) and store.read(version) == store.read(key)
    except FileNotFoundError:
        return False


def _wanted(snapshot: Snapshot) -> dict[str, str]:
    """Immutable file by current key, for every file of a snapshot."""
    return {
        current_key(snapshot.table, partition, role, Path(file.path).suffix): file.path
        for partition, entry in snapshot.partitions.items()
        for role, file in entry.files.items()
    }


def _folders(table: str) -> tuple[str, str]:
    return f"{table}/", f"{table}_quarantine/"


def check_staging(base: Path, *, fix: bool) -> Finding:
    """Folders of refreshes below the data folder; ``fix`` removes those of dead runs."""
    swept = len(sweep(base)) if fix else 0
    left = len(abandoned(base))
    detail = f"{left} folders of dead runs in {base}" if left else "nothing left over"
    detail += f"; {swept} of dead runs removed" if swept else ""
    if not left:
        return Finding("staging", "ok", detail)
    todo = "" if fix else "The next refresh removes those of dead runs; so does `leadflow doctor --repair`."
    return Finding("staging", "ok" if fix else "warning", detail, todo)


def check_space(settings: Settings) -> Iterator[Finding]:
    """Free space where the data folder and a local lake are, each disk once."""
    places = {"data folder": settings.data_dir}
    if not settings.lake_uri.startswith("s3://"):
        places["lake"] = Path(settings.lake_uri)
    disks: dict[int, tuple[str, Path]] = {}
    for name, place in places.items():
        existing = next(p for p in (place, *place.parents) if p.exists())
        device = existing.stat().st_dev
        named = f"{disks[device][0]} and {name}" if device in disks else name
        disks[device] = (named, existing)
    for named, place in disks.values():
        free = shutil.disk_usage(place).free
        detail = f"{free / 1e9:,.1f} GB free for the {named}"
        if free < LOW_SPACE_BYTES:
            yield Finding("disk space", "warning", detail, "Free some space or move LEADFLOW_DATA_DIR.")
        else:
            yield Finding("disk space", "ok", detail)


def check_state(settings: Settings) -> Finding:
    """Is the state database reachable, and has it this program's tables?"""
    # Imported late: only here is SQL needed.
    from leadflow_assets.state import database

    engine = database.open_engine(settings)
    try:
        database.migrate(engine)
        current, head = database.revisions(engine)
    finally:
        engine.dispose()
    detail = f"{database.describe(engine.url)}, revision {current}"
    if current != head:
        return Finding("state database", "failed", f"{detail}, not {head}", "Run `leadflow doctor` again.")
    return Finding("state database", "ok", detail)


def check_duckdb() -> Iterator[Finding]:
    """DuckDB and each extension it loads."""
    yield Finding("DuckDB", "ok", f"version {duckdb.__version__}")
    with duckdb.connect() as connection:
        for name in EXTENSIONS:
            try:
                load_extensions(connection, [name])
            except LeadflowError as error:
                yield Finding(f"DuckDB {name}", "failed", error.message, error.hint)
                continue
            except duckdb.Error as error:
                detail = f"does not load ({type(error).__name__})"
                yield Finding(f"DuckDB {name}", "failed", detail, "Run `make setup`.")
                continue
            query = "SELECT extension_version FROM duckdb_extensions() WHERE extension_name = ?"
            row = connection.execute(query, [name]).fetchone()
            yield Finding(f"DuckDB {name}", "ok", f"version {row[0] if row else 'unknown'}")


def check_dagster() -> Finding:
    """Is Dagster installed, and which? It is not imported."""
    try:
        return Finding("Dagster", "ok", f"version {importlib.metadata.version('dagster')}")
    except importlib.metadata.PackageNotFoundError:
        return Finding("Dagster", "failed", "not installed", "Run `make setup`.")


def check_massgis(settings: Settings, *, live: bool) -> Finding:
    """May MassGIS be asked; with ``live``, does its table of links answer?"""
    if not settings.massgis_live_fetch_enabled:
        todo = "Set MASSGIS_LIVE_FETCH_ENABLED=true to fetch over the network."
        return Finding("MassGIS", "not_configured", "live fetch is off", todo)
    if not live:
        return Finding("MassGIS", "ok", "live fetch is on; not asked (--live asks)")
    # Imported late: workbooks and HTTP are needed for this one row.
    from leadflow_assets.sources.massgis.links import load_links

    started = time.monotonic()
    result = load_links(settings.massgis_links, live=True, timeout=settings.massgis_directory_timeout)
    if result.problem:
        todo = "The shipped links are used meanwhile. Check the network and MASSGIS_LINKS."
        return Finding("MassGIS", "failed", result.problem, todo)
    seconds = time.monotonic() - started
    drift = f"; {len(result.drift)} kinds of difference from the shipped table" if result.drift else ""
    return Finding("MassGIS", "ok", f"links of {len(result.links)} towns in {seconds:.1f} s{drift}")


def check_vendors(settings: Settings) -> Iterator[Finding]:
    """Which vendors have a key, and is anyone told about failed runs?"""
    for name, setting in VENDORS.items():
        yield _configured(settings, name, setting, "key is set")
    yield _configured(settings, "alert webhook", "leadflow_alert_webhook_url", "address is set")


def _configured(settings: Settings, name: str, setting: str, detail: str) -> Finding:
    if getattr(settings, setting):
        return Finding(name, "ok", detail)
    return Finding(name, "not_configured", "not set", f"Set {setting.upper()}.")
