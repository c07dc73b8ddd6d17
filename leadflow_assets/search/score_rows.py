"""The distress scores of properties as search sees them: a few columns of mart/distress_scores.

A property of which nothing is known has no score here: as 0 it would read as low. It is never found by a
score, and its coverage is 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leadflow_assets.search.criteria import SearchCriteria

# One row per property: the columns of ``columns.SCORE_COLUMNS`` behind its id.
SCORES_SQL = """
SELECT property_id,
    CASE WHEN state = 'scored' THEN score END AS score,
    CASE WHEN state = 'scored' THEN high END AS score_high,
    CASE WHEN state <> 'not_applicable' THEN coverage END AS score_coverage,
    state AS score_state,
    CASE WHEN state = 'scored' THEN signals END AS score_signals,
    nullif(array_to_string(factors, ', '), '') AS score_reasons,
    as_of AS score_as_of
FROM {scores}
"""
NO_SCORES_SQL = """
SELECT ''::VARCHAR AS property_id, NULL::DOUBLE AS score, NULL::DOUBLE AS score_high,
    NULL::DOUBLE AS score_coverage, NULL::VARCHAR AS score_state, NULL::INTEGER AS score_signals,
    NULL::VARCHAR AS score_reasons, NULL::DATE AS score_as_of WHERE false
"""


def scores_sql(files: Sequence[str]) -> str:
    """The query for the rows of some files of mart/distress_scores; ``files`` are SQL literals."""
    if not files:
        return NO_SCORES_SQL
    return SCORES_SQL.format(scores=f"read_parquet([{', '.join(files)}], hive_partitioning = false)")


def score_condition(criteria: SearchCriteria) -> tuple[str, list[Any]]:
    """The filters on scores as a condition on one row of ``score_summary``, with its parameters."""
    parts: list[str] = []
    parameters: list[Any] = []
    if criteria.signals:
        wanted = factors_of(criteria.signals)
        found = " OR ".join(["contains(', ' || score_reasons || ',', ?)"] * len(wanted))
        # There are few sets of reasons: each is looked into once, not once for every property.
        parts.append(f"reason_set IN (SELECT reason_set FROM score_reason_sets WHERE {found})")
        parameters += [f", {name}," for name in wanted]
    for column, least in (
        ("score_signals", criteria.signals_at_least),
        ("score", criteria.min_score),
        ("score_coverage", criteria.min_coverage),
    ):
        if least is not None:
            parts.append(f"{column} >= ?")
            parameters.append(least)
    return " AND ".join(f"({part})" for part in parts) or "true", parameters


def factors_of(names: Sequence[str]) -> list[str]:
    """The factors that these names of factors and groups stand for, each once."""
    from leadflow_assets.domain.distress.table import load_table

    groups = {group.name: [factor.name for factor in group.factors] for group in load_table().groups}
    return list(dict.fromkeys(factor for name in names for factor in groups.get(name, [name])))
