"""Which followed records may have an event, and what each town's values did as a whole.

What is asked here of every record is asked in SQL and lets too much through rather than too little; the
rules of ``domain.changes`` decide on what is left, a few records of a hundred.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import duckdb

from leadflow_assets.domain.changes import ChangeRules, TownMoves

# Of one town's mailing addresses: below the first share missing before, above the second after.
_FEW_MISSING, _MOST_MISSING = 0.5, 0.9
_WHOLE_TOWN = ""

_MOVES = """
CREATE OR REPLACE TEMP TABLE moves AS
SELECT f.job, coalesce(left(n.use_code, 1), '') AS class,
    CASE WHEN o.total_value > 0 AND n.total_value > 0 THEN ln(n.total_value / o.total_value) END AS move,
    f.o, f.n, f.how
FROM followed AS f JOIN old_records AS o ON o.id = f.o JOIN new_records AS n ON n.id = f.n
"""
_STATISTICS = """
SELECT job, class, count(move), coalesce(median(move), 0), coalesce(1.4826 * mad(move), 0)
FROM moves GROUP BY GROUPING SETS ((job, class), (job))
"""
_SHIFTS = """
SELECT f.job,
    count(*) FILTER (o.bld_area > 0 AND n.bld_area > 0 AND o.bld_area <> n.bld_area)
        / greatest(1, count(*) FILTER (o.bld_area > 0 AND n.bld_area > 0)),
    count(*) FILTER (o.year_built > 0 AND n.year_built > 0 AND o.year_built <> n.year_built)
        / greatest(1, count(*) FILTER (o.year_built > 0 AND n.year_built > 0)),
    count(*) FILTER (o.own_addr IS NULL) / greatest(1, count(*)),
    count(*) FILTER (n.own_addr IS NULL) / greatest(1, count(*))
FROM followed AS f JOIN old_records AS o ON o.id = f.o JOIN new_records AS n ON n.id = f.n
GROUP BY f.job
"""
_RECODINGS = """
WITH codes AS (
    SELECT f.job, left(o.use_code, 3) AS before, left(n.use_code, 3) AS after, count(*) AS records
    FROM followed AS f JOIN old_records AS o ON o.id = f.o JOIN new_records AS n ON n.id = f.n
    WHERE o.use_code IS NOT NULL AND n.use_code IS NOT NULL GROUP BY ALL
)
SELECT job, before, after FROM codes
QUALIFY before <> after AND records >= $records
    AND records >= $share * sum(records) OVER (PARTITION BY job, before)
"""
_PLAIN = "trim(regexp_replace(upper(coalesce({0}, '')), '[^A-Z0-9]+', ' ', 'g'))"
_MAIL = "concat_ws('|', coalesce({0}.own_addr, {0}.site_addr), {0}.own_city, {0}.own_zip)"
_SHOWN = (
    *("property_id", "loc_id", "site_addr", "city", "zip", "owner1", "own_addr", "own_city", "own_state"),
    *("own_zip", "own_co", "ls_date", "ls_price", "ls_bulk", "use_code", "bldg_val", "bld_area"),
    *("year_built", "total_value", "fy"),
)
_CANDIDATES = f"""
SELECT m.job, m.class, m.move, m.how,
    {", ".join(f"o.{name} AS old_{name}, n.{name} AS new_{name}" for name in _SHOWN)}
FROM moves AS m JOIN old_records AS o ON o.id = m.o JOIN new_records AS n ON n.id = m.n
JOIN thresholds AS t ON t.job = m.job AND t.class = m.class
WHERE m.how <> 'content' AND (
    (o.owner1 <> n.owner1 AND {_PLAIN.format("o.owner1")} <> {_PLAIN.format("n.owner1")})
    OR ({_MAIL.format("o")} <> {_MAIL.format("n")}
        AND {_PLAIN.format(_MAIL.format("o"))} <> {_PLAIN.format(_MAIL.format("n"))})
    OR o.ls_date IS DISTINCT FROM n.ls_date OR coalesce(o.ls_price, 0) <> coalesce(n.ls_price, 0)
    OR left(o.use_code, 3) IS DISTINCT FROM left(n.use_code, 3)
    OR (coalesce(o.bldg_val, 0) = 0) <> (coalesce(n.bldg_val, 0) = 0)
    OR o.year_built IS DISTINCT FROM n.year_built
    OR n.bld_area > o.bld_area
    OR CASE WHEN m.move IS NULL THEN o.total_value <> n.total_value
        ELSE abs(m.move - t.median) >= t.least END
    OR o.property_id <> n.property_id
)
ORDER BY m.job, new_property_id
"""


@dataclass
class Statistics:
    """By job: how each class's values moved (median, robust spread), and what shifted as a whole."""

    rules: ChangeRules
    classes: dict[tuple[int, str], tuple[float, float]] = field(default_factory=dict)
    shifts: dict[int, tuple[bool, bool, bool]] = field(default_factory=dict)
    recodings: Mapping[int, frozenset[tuple[str, str]]] = field(default_factory=dict)

    def moves(self, job: int, name: str) -> TownMoves:
        """The town's moves as they are for one class of use."""
        median, spread = self.classes[job, name]
        areas, years, mailings = self.shifts[job]
        return TownMoves(median, spread, areas, years, mailings, self.recodings.get(job, frozenset()))


def measure(connection: duckdb.DuckDBPyConnection, rules: ChangeRules) -> Statistics:
    """What each town did as a whole; makes the tables ``moves`` and ``thresholds``."""
    connection.execute(_MOVES)
    found = Statistics(rules)
    measured = connection.execute(_STATISTICS).fetchall()
    whole = {row[0]: row[3:] for row in measured if row[1] is None}
    for job, name, records, *statistics in measured:
        enough = records >= rules.class_records
        found.classes[job, name or _WHOLE_TOWN] = tuple(statistics) if enough and name else whole[job]
    for job, areas, years, missing_before, missing_after in connection.execute(_SHIFTS).fetchall():
        ends = (missing_before, missing_after)
        withdrawn = min(ends) < _FEW_MISSING and max(ends) > _MOST_MISSING
        found.shifts[job] = (areas > rules.widespread, years > rules.widespread, withdrawn)
    recodings: dict[int, set[tuple[str, str]]] = defaultdict(set)
    limits = {"records": rules.recoding_records, "share": rules.recoding_share}
    for job, before, after in connection.execute(_RECODINGS, limits).fetchall():
        recodings[job].add((before, after))
    found.recodings = {job: frozenset(pairs) for job, pairs in recodings.items()}
    _load_thresholds(connection, found)
    return found


def _load_thresholds(connection: duckdb.DuckDBPyConnection, found: Statistics) -> None:
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE thresholds (job INTEGER, class VARCHAR, median DOUBLE, least DOUBLE)"
    )
    # A little below the rule's own threshold: the rule decides.
    floor = 0.99 * found.rules.value_floor
    rows = [
        (job, name, median, max(floor, 0.999 * found.rules.value_spreads * spread))
        for (job, name), (median, spread) in found.classes.items()
    ]
    connection.executemany("INSERT INTO thresholds VALUES (?, ?, ?, ?)", rows)


def candidates(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Followed records that differ in something that may be an event: both sides' values, by column."""
    rows: list[dict[str, Any]] = connection.execute(_CANDIDATES).to_arrow_table().to_pylist()
    return rows
