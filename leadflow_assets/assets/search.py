"""mart/search_index: the search index as an asset, made again when properties or their cases changed."""

from typing import Any

import dagster as dg

from leadflow_assets.assets.metadata import OWNER, asset_key, column_schema
from leadflow_assets.assets.resources import LeadflowSettings
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.tables import CASE_MATCHES, PROPERTIES
from leadflow_assets.search.columns import SEARCH_COLUMNS
from leadflow_assets.search.index import build_index, layout_version

SEARCH_INDEX = dg.AssetKey(["mart", "search_index"])


@dg.asset(
    key=SEARCH_INDEX,
    deps=[asset_key(PROPERTIES), asset_key(CASE_MATCHES)],
    group_name="mart",
    owners=[OWNER],
    kinds={"duckdb"},
    tags={"layer": "mart"},
    metadata={"dagster/column_schema": column_schema(PROPERTIES, SEARCH_COLUMNS)},
    code_version=layout_version(),
    description=(
        "search.duckdb: mart/properties and the cases of their owners laid out for search. Derived and "
        "disposable; searches read Parquet while it is missing or older than the mart."
    ),
)
def search_index(context: dg.AssetExecutionContext, settings: LeadflowSettings) -> dg.MaterializeResult[Any]:
    """Bring the index to the published tables; nothing is done if it is there already."""
    report = build_index(Lake(settings.load()))
    context.log.info(f"search index: {report.rows} rows, {'built' if report.built else 'was current'}")
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": report.rows,
            "dagster/uri": str(report.path),
            "towns": report.towns,
            "built": report.built,
            "cases": report.cases,
            "cases_built": report.cases_built,
            "seconds": round(report.seconds, 2),
            "size_bytes": report.path.stat().st_size,
        }
    )
