"""Making a town's mart/properties: from its package, or from the published file with newer vendor facts.

Both ways give the same file. What it was made from stands in its inputs: the package, and the town's
mart/property_records where there are any; so it shows when either is newer.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from leadflow_assets.domain.purging import Purged
from leadflow_assets.lake import tables
from leadflow_assets.lake.lake import Lake, fingerprint
from leadflow_assets.lake.publish import StagedPartition
from leadflow_assets.lake.snapshots import PartitionEntry
from leadflow_assets.lake.tables import SCHEMA_VERSION, Table
from leadflow_assets.pipeline.core import CoreTables
from leadflow_assets.pipeline.properties import Provenance, build_properties
from leadflow_assets.pipeline.vendor_facts import vendor_counts, with_vendor_facts
from leadflow_assets.pipeline.withheld import withheld_properties, without_property_owners
from leadflow_assets.refresh.code import code_version
from leadflow_assets.refresh.stage import stage

PACKAGE_INPUT = tables.MASSGIS_PACKAGES.name
RECORDS_INPUT = tables.PROPERTY_RECORDS.name
# Who asked to be left out of the town's tables: see ``domain.purging``. Absent where nobody did.
WITHHELD_INPUT = "state/withheld"
# The tables of a town that tell who owns what.
TELL_OWNERS = (tables.ASSESSMENTS, tables.ASSESSMENT_RELEASES, tables.PROPERTIES)


def with_withheld(table: Table, inputs: Mapping[str, str], mark: str) -> dict[str, str]:
    """The inputs of a town's table with who is withheld from it; ``mark`` is empty for nobody."""
    plain = {name: value for name, value in inputs.items() if name != WITHHELD_INPUT}
    return {**plain, WITHHELD_INPUT: mark} if mark and table in TELL_OWNERS else plain


def properties_inputs(package: Mapping[str, str], records: PartitionEntry | None) -> dict[str, str]:
    """What mart/properties is made from: the package's inputs, and the town's records where there are any."""
    return {**package, **({RECORDS_INPUT: records.data.sha256} if records is not None else {})}


def is_replaceable(entry: PartitionEntry, package: PartitionEntry | None) -> bool:
    """Was the published mart/properties made by this code from the town's present package?"""
    if package is None or entry.schema_version != SCHEMA_VERSION:
        return False
    made_from = entry.inputs.get(PACKAGE_INPUT)
    return made_from == package.data.sha256 and entry.fingerprint == fingerprint(
        tables.PROPERTIES, entry.inputs, code_version()
    )


def provenance(receipt: Mapping[str, Any]) -> Provenance:
    """Source date and fetch time from a package's receipt."""
    modified = receipt.get("last_modified")
    return Provenance(
        source_date=datetime.fromisoformat(str(modified)).date() if modified else None,
        fetched_at=datetime.fromisoformat(str(receipt["fetched_at"])),
        rules_version=code_version(),
    )


def stage_properties(
    core: CoreTables,
    receipt: Mapping[str, Any],
    inputs: Mapping[str, str],
    lake: Lake,
    records: PartitionEntry | None,
    folder: Path,
    purged: Purged | None = None,
) -> tuple[StagedPartition, frozenset[str]]:
    """Make mart/properties of a town from its clean tables; ``inputs`` are the package's.

    Owners who are ``purged`` are withheld; with it come the ids of the records that are theirs.
    """
    source = provenance(receipt)
    rows = build_properties(
        core.release.town_id,
        core.rows(tables.PARCELS),
        core.rows(tables.ASSESSMENTS),
        core.rows(tables.USE_CODES),
        source,
        read_records(lake, records, folder),
    )
    withheld: frozenset[str] = frozenset()
    if purged is not None:
        mask = withheld_properties(purged, rows)
        withheld = frozenset(rows["assessment_id"].filter(mask).to_pylist())
        rows = without_property_owners(rows, mask) if withheld else rows
    facts = {
        "release": core.release.name,
        "fiscal_year": core.release.fiscal_year,
        "rows_in": rows.num_rows,
        "source_date": source.source_date.isoformat() if source.source_date else None,
        "fetched_at": source.fetched_at.isoformat(),
        **vendor_counts(rows),
    }
    partition = tables.PROPERTIES.partition(core.release.town_id)
    made_from = properties_inputs(inputs, records)
    return stage(tables.PROPERTIES, rows, partition, made_from, facts, folder), withheld


def restage_properties(
    lake: Lake, partition: str, entry: PartitionEntry, records: PartitionEntry | None, folder: Path
) -> StagedPartition:
    """The published mart/properties of a town with the vendor facts of ``records`` in place of its own."""
    old = pq.read_table(lake.store.fetch(entry.data.path, folder), partitioning=None)
    rows = with_vendor_facts(old.replace_schema_metadata(None), read_records(lake, records, folder))
    inputs = {name: value for name, value in entry.inputs.items() if name != RECORDS_INPUT}
    facts = {**entry.facts, **vendor_counts(rows)}
    return stage(tables.PROPERTIES, rows, partition, properties_inputs(inputs, records), facts, folder)


def read_records(lake: Lake, records: PartitionEntry | None, folder: Path) -> pa.Table | None:
    """The rows of a town's mart/property_records; None where there are none."""
    if records is None:
        return None
    return pq.read_table(lake.store.fetch(records.data.path, folder), partitioning=None)
