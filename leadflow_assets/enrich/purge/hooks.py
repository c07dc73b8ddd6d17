"""What keeps purged cases and people out of what is landed: hooks for the parts that bring in rows."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from leadflow_assets.domain.courts.rows import RawDocket
from leadflow_assets.domain.purging import Key, Purged
from leadflow_assets.enrich.batches.job import Landed
from leadflow_assets.enrich.purge import attom_tables, court_tables
from leadflow_assets.enrich.purge.dockets import clean_dockets, is_purged_docket
from leadflow_assets.enrich.purge.objects import clean_objects
from leadflow_assets.enrich.purge.tables import Cleaned
from leadflow_assets.lake.lake import Lake
from leadflow_assets.refresh.withheld import load_purged
from leadflow_assets.settings import Settings
from leadflow_assets.state import database, purges


class CleanRows(Protocol):
    """Gives the rows that may be kept; ``beside`` are others that tell of the same dockets."""

    def __call__(self, rows: Sequence[RawDocket], beside: Sequence[RawDocket] = ()) -> list[RawDocket]:
        """See :func:`docket_filter`."""


def docket_filter(settings: Settings) -> CleanRows:
    """What landing passes rows through, new ones and kept ones, before it compares and publishes them.

    Rows of purged cases go, names of purged people are taken out. What is learned (the docket of a purged
    number, a new case of somebody who is purged by the address) is recorded before the rows are given back.
    Each call asks anew who was purged, since a refresh may take hours.
    """

    def clean(rows: Sequence[RawDocket], beside: Sequence[RawDocket] = ()) -> list[RawDocket]:
        purged = load_purged(settings)
        if purged is None:
            return list(rows)
        found = clean_dockets(purged, rows, beside)
        if found.learned:
            _record(settings, found.learned)
        return list(found.rows)

    return clean


def docket_test(settings: Settings) -> Callable[[RawDocket], bool]:
    """Is a row of a purged case? For whoever can only leave rows out: names within rows stay."""
    purged = load_purged(settings)
    return (lambda row: False) if purged is None else (lambda row: is_purged_docket(purged, row))


def match_filter(settings: Settings) -> Callable[[pa.Table], pa.Table]:
    """What matching passes rows of mart/case_matches through before it publishes them."""

    def clean(rows: pa.Table) -> pa.Table:
        purged = load_purged(settings)
        found = court_tables.clean_matches(purged, rows) if purged is not None else None
        return rows if found is None else found.rows

    return clean


def landed_without_purged(settings: Settings, lake: Lake, job_id: str, landed: Landed) -> Landed:
    """A landed batch of ATTOM without purged owners: both tables, the archived answers, the delivered files.

    Where nothing was purged this is what was given.
    """
    purged = load_purged(settings)
    if purged is None:
        return landed
    touched = _rewrite(purged, landed.results, attom_tables.clean_results)
    if landed.properties is not None:
        touched |= _rewrite(purged, landed.properties, attom_tables.clean_properties)
    if touched:
        folder = landed.results.parent / "purging"
        prefixes = (f"{settings.batch_results_dir}/{job_id}/", *_archives(landed.results))
        clean_objects(lake, purged, folder, dry_run=False, prefixes=prefixes)
    return landed


def _archives(results: Path) -> list[str]:
    """Where the archived answers of a batch lie; exact keys serve as prefixes of themselves."""
    from leadflow_assets.enrich.attom_cache import archive_key

    ids = pq.read_table(results, columns=["request_id"], partitioning=None)["request_id"].to_pylist()
    return sorted({f"{archive_key(one).rpartition('/')[0]}/" for one in ids if one})


def _rewrite(purged: Purged, path: Path, clean: Callable[[Purged, pa.Table], Cleaned | None]) -> bool:
    """Make a landed file anew without purged owners, some rows at a time; False where it has none."""
    made, changed = path.with_suffix(".clean"), False
    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        options = {"compression": "zstd", "compression_level": 1, "write_page_index": True}
        with pq.ParquetWriter(made, schema, **options) as out:
            for number in range(file.num_row_groups):
                rows = file.read_row_group(number)
                found = clean(purged, rows)
                changed |= found is not None
                out.write_table((rows if found is None else found.rows).cast(schema))
    if changed:
        with made.open("rb+") as finished:
            os.fsync(finished.fileno())
        made.replace(path)
    else:
        made.unlink()
    return changed


def _record(settings: Settings, keys: Collection[Key]) -> None:
    """Hashes that landing learned belong to the newest purge: all are asked together."""
    with database.session(settings) as session:
        newest = purges.all_purges(session)[-1]
        purges.add_keys(session, newest.id, keys)
        session.commit()
