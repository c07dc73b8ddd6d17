"""Making leads: of the whole lake, published where that changes something.

What was made of everything is remembered beside the lock: the same inputs cost nothing. Killed anywhere, the
next call ends it: nothing is seen before everything is there.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from leadflow_assets.domain.leads import GRADES
from leadflow_assets.domain.towns import town_by_id
from leadflow_assets.enrich.leads.building import build
from leadflow_assets.enrich.leads.inputs import Inputs, read_inputs
from leadflow_assets.enrich.leads.publishing import publish_leads
from leadflow_assets.lake.catalog import connect
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.publish import catch_up
from leadflow_assets.lake.staging import staging_folder
from leadflow_assets.lake.tables import LEADS
from leadflow_assets.settings import Settings


@dataclass(frozen=True)
class LeadReport:
    """What making leads found and changed.

    ``made`` is False where nothing had to be made: the same inputs. ``leads`` counts all there are,
    ``grades`` by grade. ``towns_changed`` and ``towns_gone`` are ids; ``needs_score`` have no scores.
    """

    made: bool
    leads: int
    grades: Mapping[str, int] = field(default_factory=dict)
    towns_changed: tuple[int, ...] = ()
    towns_gone: tuple[int, ...] = ()
    needs_score: tuple[str, ...] = ()


def make_leads(settings: Settings, *, run_id: str | None = None, force: bool = False) -> LeadReport:
    """Make the leads of the whole lake and publish the towns whose leads changed. Needs no network.

    Raises:
        AuditError: rows would break the table's contract; nothing is published.
        StoreError: the lake, the staging folder or the state database cannot be used.
    """
    lake, run_id = Lake(settings), run_id or uuid.uuid4().hex[:12]
    with one_at_a_time(settings):
        inputs = read_inputs(settings)
        if not force and _read_done(settings) == [inputs.state(), str(inputs.snapshot)]:
            return _report(lake, inputs, made=False)
        with (
            staging_folder(lake.staging, f"leads-{run_id}") as folder,
            contextlib.closing(connect(lake.settings, spatial=False)) as connection,
        ):
            catch_up(lake.store, LEADS.name)
            build(connection, inputs)
            changed, gone = publish_leads(connection, inputs, folder, run_id, force=force)
        _write_done(settings, [inputs.state(), str(lake.snapshot(LEADS).number)])
        return _report(lake, inputs, made=True, changed=changed, gone=gone)


def outdated(settings: Settings) -> str | None:
    """Names inputs of which no leads have been made yet; None where they have.

    Raises:
        StoreError: the lake or the state database cannot be read.
    """
    inputs = read_inputs(settings)
    if not inputs.scores and not inputs.published:
        return None
    done = [inputs.state(), str(inputs.snapshot)]
    return None if _read_done(settings) == done else f"{done[0][:16]}:{done[1]}"


def last_made(settings: Settings) -> datetime | None:
    """When leads were made last: here, or wherever they were published (aware, UTC); None: never."""
    snapshot = Lake(settings).snapshot(LEADS)
    try:
        here = datetime.fromtimestamp((_folder(settings) / "done.json").stat().st_mtime, UTC)
    except OSError:
        here = None
    known = [moment for moment in (here, snapshot.committed if snapshot.number else None) if moment]
    return max(known, default=None)


def _report(
    lake: Lake,
    inputs: Inputs,
    *,
    made: bool,
    changed: set[int] | None = None,
    gone: set[int] | None = None,
) -> LeadReport:
    entries = lake.snapshot(LEADS).partitions.values()
    grades = {g: sum(entry.facts.get("grades", {}).get(g, 0) for entry in entries) for g in GRADES}
    return LeadReport(
        made=made,
        leads=sum(entry.data.rows for entry in entries),
        grades=grades,
        towns_changed=tuple(sorted(changed or ())),
        towns_gone=tuple(sorted(gone or ())),
        needs_score=tuple(town_by_id(town).key[4:] for town in inputs.unscored),
    )


@contextlib.contextmanager
def one_at_a_time(settings: Settings) -> Iterator[None]:
    """A second making on this machine waits for the first."""
    folder = _folder(settings)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "leads.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _folder(settings: Settings) -> Path:
    return settings.data_dir / "leads"


def _read_done(settings: Settings) -> list[str]:
    """A file that is missing or damaged only costs a making."""
    try:
        found = json.loads((_folder(settings) / "done.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return found if isinstance(found, list) else []


def _write_done(settings: Settings, done: list[str]) -> None:
    path = _folder(settings) / "done.json"
    temporary = path.with_name(f"done-{os.getpid()}.json")
    temporary.write_text(json.dumps(done), encoding="utf-8")
    temporary.replace(path)
