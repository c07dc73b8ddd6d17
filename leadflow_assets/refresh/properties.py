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

from leadflow_assets.lake import tables
from leadflow_assets.lake.lake import Lake, fingerprint
from leadflow_assets.lake.publish import StagedPartition
from leadflow_assets.lake.snapshots import PartitionEntry
from leadflow_assets.lake.tables import SCHEMA_VERSION
from leadflow_assets.pipeline.core import CoreTables
from leadflow_assets.pipeline.properties import Provenance, build_properties
from leadflow_assets.pipeline.vendor_facts import vendor_counts, with_vendor_facts
from leadflow_assets.refresh.code import code_version
from leadflow_assets.refresh.stage import stage

PACKAGE_INPUT = tables.MASSGIS_PACKAGES.name
RECORDS_INPUT = tables.PROPERTY_RECORDS.name


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
) -> StagedPartition:
    """Make mart/properties of a town from its clean tables; ``inputs`` are the package's."""
    source = provenance(receipt)
    rows = build_properties(
        core.release.town_id,
        core.rows(tables.PARCELS),
        core.rows(tables.ASSESSMENTS),
        core.rows(tables.USE_CODES),
        source,
        read_records(lake, records, folder),
    )
    facts = {
        "release": core.release.name,
        "fiscal_year": core.release.fiscal_year,
        "rows_in": rows.num_rows,
        "source_date": source.source_date.isoformat() if source.source_date else None,
        "fetched_at": source.fetched_at.isoformat(),
        **vendor_counts(rows),
    }
    partition = tables.PROPERTIES.partition(core.release.town_id)
    return stage(tables.PROPERTIES, rows, partition, properties_inputs(inputs, records), facts, folder)


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
