"""Rows of mart/case_matches: what the model says, then what people decided, which outranks it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

import duckdb
import pyarrow as pa

from leadflow_assets.domain.linkage.posterior import CONFIRMED_FROM, POSSIBLE_FROM
from leadflow_assets.enrich.case_matches.named import NAMED_ROWS
from leadflow_assets.enrich.linkage.link import LEAST_PROBABILITY
from leadflow_assets.lake.tables import CASE_MATCHES, COURT_CASES
from leadflow_assets.state.case_reviews import CaseReview

_REVIEWED: Final = ("probability", "tier", "decision", "decided_at", "decided_by")
MODEL_COLUMNS: Final = tuple(name for name in CASE_MATCHES.schema.names if name not in _REVIEWED)
# Facts of the case that are repeated in each match; when a party's row may be used ends with either's.
_CASE_FACTS: Final = tuple(
    name
    for name in CASE_MATCHES.schema.names
    if name in COURT_CASES.schema.names and name not in ("town_id", "expires_on")
)
_MATCH_ID = "'m' || left(md5(concat_ws(chr(31), a.case_id, a.source, a.party_id, f.property_id)), 16)"
_REVIEWS_SCHEMA: Final = pa.schema(
    [
        *((name, pa.string()) for name in ("match_id", "case_id", "source", "party_id", "property_id")),
        ("town_id", pa.int32()),
        *((name, pa.string()) for name in ("party_name", "party_role", "method", "decision", "decided_by")),
        ("decided_at", pa.timestamp("us", tz="UTC")),
        ("reason", pa.string()),
        ("probability", pa.float64()),
        ("evidence_version", pa.string()),
    ]
)
_EMPTY_MODEL = (
    f"CREATE OR REPLACE TEMP TABLE model AS SELECT {', '.join(MODEL_COLUMNS)} FROM published LIMIT 0"
)
# ``linked`` is the answer of link(); a named property has its own row, whatever the name alone says of it.
_BY_NAME = """
SELECT l.party_id AS key, l.property_id, p.town_id, p.loc_id, 'name' AS method, l.title,
    l.owner_number, l.owner_role, l.probability AS chance, l.weight_bits, l.rivals, l.unseen, l.evidence
FROM linked AS l
JOIN (SELECT property_id, town_id, loc_id FROM properties SEMI JOIN linked USING (property_id)) AS p
    USING (property_id)
ANTI JOIN named_rows AS n ON n.key = l.party_id AND n.property_id = l.property_id
"""
_MADE = f"""
INSERT INTO model BY NAME
WITH found AS (
    SELECT * FROM named_rows UNION ALL BY NAME ({_BY_NAME})
)
SELECT {", ".join(f"c.{name}" for name in _CASE_FACTS)}, least(c.expires_on, a.expires_on) AS expires_on,
    a.party_id, a.name AS party_name, a.role AS party_role, a.is_debtor, a.represented_by_counsel,
    f.property_id, f.town_id, f.loc_id, f.owner_number, f.owner_role, f.method, f.title,
    round(least(f.chance, 1), 6) AS model_probability, f.weight_bits, f.rivals, f.unseen,
    f.evidence, $version AS evidence_version,
    {_MATCH_ID} AS match_id
FROM found AS f JOIN asked AS a ON a.key = f.key
JOIN cases AS c ON c.case_id = a.case_id AND c.source = a.source
WHERE round(f.chance, 6) >= {LEAST_PROBABILITY}
"""
_KEPT = f"""
INSERT INTO model BY NAME
SELECT {", ".join(MODEL_COLUMNS)} FROM published
SEMI JOIN cases USING (case_id, source) SEMI JOIN properties USING (property_id)
WHERE model_probability >= {LEAST_PROBABILITY}
    AND ($others IS NULL OR NOT list_contains($others, court))
"""
# A decision stands although the model no longer makes the match, as long as case and property are there.
_REVIVED = f"""
INSERT INTO model BY NAME
SELECT {", ".join(f"c.{name}" for name in _CASE_FACTS)}, least(c.expires_on, p.expires_on) AS expires_on,
    r.match_id, h.town_id, r.property_id, h.loc_id, r.party_id, r.party_name, r.party_role, p.is_debtor,
    p.represented_by_counsel, r.method, 'unknown' AS title, 0.0 AS model_probability,
    r.evidence_version
FROM (FROM review ANTI JOIN model USING (match_id)) AS r
JOIN cases AS c USING (case_id, source)
JOIN (SELECT property_id, town_id, loc_id FROM properties SEMI JOIN review USING (property_id)) AS h
    USING (property_id)
LEFT JOIN parties AS p USING (case_id, source, party_id)
"""
_FINAL = f"""
CREATE OR REPLACE TEMP TABLE final AS
SELECT {", ".join(CASE_MATCHES.schema.names)}
FROM (
    SELECT m.*, r.decision, r.decided_at, r.decided_by,
        CASE r.decision WHEN 'confirmed' THEN 1.0 WHEN 'rejected' THEN 0.0 ELSE m.model_probability END
            AS probability,
        CASE WHEN r.decision IS NOT NULL THEN r.decision WHEN m.model_probability >= {CONFIRMED_FROM}
            THEN 'confirmed' WHEN m.model_probability >= {POSSIBLE_FROM} THEN 'possible'
            ELSE 'unconfirmed' END AS tier
    FROM model AS m LEFT JOIN review AS r USING (match_id)
)
"""


def start_model(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the empty table ``model``: rows without what people decided."""
    connection.execute(_EMPTY_MODEL)


def add_matches(
    connection: duckdb.DuckDBPyConnection, linked: pa.Table, compared: pa.Table, version: str
) -> None:
    """Add what was found to ``model``.

    ``linked`` are matches by name over the whole lake, ``compared`` the names of parties against the owners
    of the properties that their cases name (both MATCHES_SCHEMA); ``version`` names frequencies and rules.
    """
    for name, rows in (("linked", linked), ("compared", compared)):
        connection.register(f"{name}_in", rows)
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM {name}_in")
        connection.unregister(f"{name}_in")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE named_rows AS {NAMED_ROWS}")
    connection.execute(_MADE, {"version": version})


def keep_published(connection: duckdb.DuckDBPyConnection, courts: list[str] | None) -> None:
    """Add the published rows whose case and property are still there; ``courts`` are left out."""
    connection.execute(_KEPT, {"others": courts})


def apply_reviews(connection: duckdb.DuckDBPyConnection, reviews: Sequence[CaseReview]) -> tuple[int, int]:
    """Make ``final`` of ``model`` and the decisions that count.

    Returns how many matches stand by a decision alone, and how many decisions find no case or property.
    """
    connection.register("review_in", pa.Table.from_pylist([asdict(one) for one in reviews], _REVIEWS_SCHEMA))
    connection.execute("CREATE OR REPLACE TEMP TABLE review AS FROM review_in")
    connection.unregister("review_in")
    before = _count(connection, "SELECT count(*) FROM model")
    connection.execute(_REVIVED)
    revived = _count(connection, "SELECT count(*) FROM model") - before
    connection.execute(_FINAL)
    return revived, _count(connection, "SELECT count(*) FROM review ANTI JOIN model USING (match_id)")


def _count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    return int((connection.execute(query).fetchone() or (0,))[0])
