"""The court cases of properties as search sees them: few rows, in memory, beside millions of properties.

Of mart/case_matches only what is confirmed or possible and may be used today: a match that is unconfirmed,
rejected or expired finds no property and shows nowhere in a result. A couple's case is one row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from leadflow_assets.domain.courts.kinds import CASE_TYPES

if TYPE_CHECKING:
    from leadflow_assets.search.criteria import SearchCriteria

# Of a party's match and of the same case's others the surer one: confirmed stands before possible. A person's
# no counts for every source that tells the same of the same party, as in ``cases.group_cases``.
MATCHES_SQL = r"""
WITH told AS (
    SELECT *, trim(regexp_replace(upper(party_name), '[^\pL\pN]+', ' ', 'g')) AS party FROM {matches}
), refused AS (
    SELECT DISTINCT property_id, case_id, party FROM told WHERE decision = 'rejected'
)
SELECT property_id, case_id, source, case_type, action_type, min(tier) AS tier,
       coalesce(date_filed, recorded_on) AS filed, lien_type, lien_amount, expires_on
FROM told WHERE tier IN ('confirmed', 'possible')
  AND (decision = 'confirmed' OR (property_id, case_id, party) NOT IN (FROM refused))
GROUP BY ALL ORDER BY ALL
"""
NO_MATCHES_SQL = """
SELECT ''::VARCHAR AS property_id, ''::VARCHAR AS case_id, ''::VARCHAR AS source, ''::VARCHAR AS case_type,
       ''::VARCHAR AS action_type, ''::VARCHAR AS tier, NULL::DATE AS filed, ''::VARCHAR AS lien_type,
       NULL::DOUBLE AS lien_amount, NULL::DATE AS expires_on WHERE false
"""
# One row per property: the columns of ``columns.CASE_COLUMNS`` behind its key. Case by case first: DuckDB's
# distinct aggregates take three times as long.
SUMMARY_SQL = """
SELECT {key}, count(*)::BIGINT AS case_count,
       array_to_string(list_sort(list_distinct(flatten(list(types)))), ', ') AS case_types,
       min(tier) AS case_best_tier, max(filed) AS case_newest
FROM (SELECT {key}, case_id, list(case_type) AS types, min(tier) AS tier, max(filed) AS filed
      FROM cases GROUP BY {key}, case_id)
GROUP BY {key} ORDER BY {key}
"""
# Types whose cases carry liens: what an empty answer to a question for liens is about.
_LIEN_CASES = ("recorded_lien", "tax_lien_case")
_ANY = "any"


def case_condition(criteria: SearchCriteria) -> tuple[str, list[Any]]:
    """The filters on cases as a condition on one row of ``cases``, with its parameters."""
    parts: list[str] = []
    parameters: list[Any] = []

    def add(part: str, *values: Any) -> None:
        parts.append(f"({part})")
        parameters.extend(values)

    if criteria.cases and _ANY not in criteria.cases:
        # A word that is both (eviction, probate, other) is the type of case: the narrower of the two.
        types = [word for word in criteria.cases if word in CASE_TYPES]
        actions = [word for word in criteria.cases if word not in CASE_TYPES]
        either = [f"case_type IN ({_marks(types)})"] if types else []
        either += [f"action_type IN ({_marks(actions)})"] if actions else []
        add(" OR ".join(either), *types, *actions)
    if criteria.case_tiers:
        add(f"tier IN ({_marks(criteria.case_tiers)})", *criteria.case_tiers)
    if criteria.case_filed_after:
        add("filed >= ?", criteria.case_filed_after)
    if criteria.case_filed_before:
        add("filed < ?", criteria.case_filed_before)
    if criteria.lien_types:
        add(f"lien_type IN ({_marks(criteria.lien_types)})", *criteria.lien_types)
    if criteria.min_lien_amount is not None:
        add("lien_amount >= ?", criteria.min_lien_amount)
    return " AND ".join(parts) or "true", parameters


def asked_types(criteria: SearchCriteria) -> tuple[str, ...]:
    """The types of cases that the criteria ask about, in the order of ``CASE_TYPES``."""
    from leadflow_assets.domain.courts.kinds import CASE_TYPE_OF_ACTION

    if criteria.cases and _ANY not in criteria.cases:
        wanted = {word for word in criteria.cases if word in CASE_TYPES}
        for action in set(criteria.cases) - wanted:
            wanted |= {name for name, kind in CASE_TYPES.items() if kind.action_type == action}
            wanted.add(CASE_TYPE_OF_ACTION[action])
    elif criteria.lien_types or criteria.min_lien_amount is not None:
        wanted = set(_LIEN_CASES)
    else:
        wanted = set(CASE_TYPES)
    return tuple(name for name in CASE_TYPES if name in wanted)


def matches_sql(files: Sequence[str]) -> str:
    """The query for the rows of some files of mart/case_matches; ``files`` are SQL literals."""
    if not files:
        return NO_MATCHES_SQL
    return MATCHES_SQL.format(matches=f"read_parquet([{', '.join(files)}], hive_partitioning = false)")


def mark(row: Mapping[str, Any]) -> str:
    """A case as a saved list remembers it: type, day, tier, one text; no name, no number.

    Of an eviction only that there is one: it may be sealed, and then nothing of it may be left.
    """
    from leadflow_assets.domain.courts.notices import SEALED_LATER

    filed: date | None = row["filed"]
    if row["case_type"] in SEALED_LATER:
        return f"{row['case_type']}||"
    return f"{row['case_type']}|{filed.isoformat() if filed else ''}|{row['tier']}"


def _marks(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))
