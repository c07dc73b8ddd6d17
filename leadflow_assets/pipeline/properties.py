"""mart/properties: what the assessor knows of every property of a town, and what vendors add to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib import resources

import pyarrow as pa

from leadflow_assets.domain.measures import SQUARE_FEET_PER_ACRE, SQUARE_FEET_PER_SQUARE_METRE
from leadflow_assets.domain.towns import town_by_id
from leadflow_assets.domain.use_codes import CONDOMINIUM_MASTER_CODES
from leadflow_assets.lake.geoparquet import hilbert_order, point_boxes, point_wkb
from leadflow_assets.pipeline.derived import derive
from leadflow_assets.pipeline.engine import cursor
from leadflow_assets.pipeline.vendor_facts import with_vendor_facts


@dataclass(frozen=True)
class Provenance:
    """Where a town's assessor fields came from, and which version of the rules read them.

    ``source_date`` is the source's own date of the file.
    """

    source_date: date | None
    fetched_at: datetime
    rules_version: str


@cache
def _sql() -> str:
    return resources.files(__package__).joinpath("properties.sql").read_text(encoding="utf-8")


def build_properties(
    town_id: int,
    parcels: pa.Table,
    assessments: pa.Table,
    use_codes: pa.Table,
    provenance: Provenance,
    records: pa.Table | None = None,
) -> pa.Table:
    """Join one town's clean tables; rows come in Hilbert order, those without a parcel last.

    ``records`` is the town's mart/property_records, None where there is none.
    """
    town = town_by_id(town_id).name
    with cursor() as connection:
        connection.register("derived", derive(town_id, town, assessments))
        connection.register("parcels", parcels.drop_columns(["geometry", "bbox"]))
        connection.register("assessments", assessments)
        connection.register("use_codes", use_codes)
        rows = connection.execute(
            _sql(),
            {
                "town": town,
                "master_codes": sorted(CONDOMINIUM_MASTER_CODES),
                "sqft_per_acre": SQUARE_FEET_PER_ACRE,
                "sqft_per_m2": SQUARE_FEET_PER_SQUARE_METRE,
                "source_date": provenance.source_date,
                "fetched_at": provenance.fetched_at,
                "rules_version": provenance.rules_version,
            },
        ).to_arrow_table()
    return with_vendor_facts(_with_points(rows), records)


def _with_points(rows: pa.Table) -> pa.Table:
    x, y = (rows[name].to_numpy() for name in ("point_x", "point_y"))
    everything = rows.append_column("bbox", point_boxes(x, y)).append_column("geometry", point_wkb(x, y))
    return everything.take(pa.array(hilbert_order(x, y)))
