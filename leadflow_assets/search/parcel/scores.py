"""The distress scores of a parcel's properties as they are published, and where there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from leadflow_assets.lake.tables import DISTRESS_SCORES, SCHEMA_VERSION
from leadflow_assets.search.parcel.lookup import TownFiles
from leadflow_assets.search.parcel.model import Unknown

Row = Mapping[str, Any]


def scores_on(files: TownFiles, property_ids: Sequence[str]) -> tuple[tuple[Row, ...], tuple[Unknown, ...]]:
    """Rows of mart/distress_scores, the highest score first, and what is missing."""
    entry = files.entries.get(DISTRESS_SCORES.name)
    rows: list[dict[str, Any]] = []
    if entry is not None and entry.schema_version == SCHEMA_VERSION and property_ids:
        rows = files.rows(
            DISTRESS_SCORES,
            "property_id IN (SELECT unnest($ids)) "
            "ORDER BY score DESC NULLS LAST, coverage DESC NULLS LAST, property_id",
            ids=list(property_ids),
        )
    missing = tuple(sorted(set(property_ids) - {row["property_id"] for row in rows}))
    if not missing:
        return tuple(rows), ()
    why = "the town's scores were made before this data came" if rows else "no score has been made yet"
    return tuple(rows), (Unknown("the distress score", why, "leadflow score run", missing),)
