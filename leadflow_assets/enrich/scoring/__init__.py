"""Scores of a whole state at once: the rules of ``domain.distress`` as SQL and arrays, from the same table.

``derive_set`` makes signals, coverage and equity of rows of mart/properties, ``score_set`` the scores with
their explanations. A call costs about a quarter of a second beside its rows: score small towns together, a
hundred thousand properties at once.
"""

from __future__ import annotations

from leadflow_assets.enrich.scoring.derive import (
    ASKED_SCHEMA,
    CASE_COLUMNS,
    EQUITY_SCHEMA,
    PROPERTY_COLUMNS,
    RECORD_COLUMNS,
    DerivedSet,
    database,
    derive_set,
)
from leadflow_assets.enrich.scoring.scores import SCORES_SCHEMA, SIGNALS_SCHEMA, SUBJECTS_SCHEMA, score_set

__all__ = [
    "ASKED_SCHEMA",
    "CASE_COLUMNS",
    "EQUITY_SCHEMA",
    "PROPERTY_COLUMNS",
    "RECORD_COLUMNS",
    "SCORES_SCHEMA",
    "SIGNALS_SCHEMA",
    "SUBJECTS_SCHEMA",
    "DerivedSet",
    "database",
    "derive_set",
    "score_set",
]
