"""Whom to look for: the parties of cases that may own, each name of a case once."""

from __future__ import annotations

from typing import Final

import duckdb
import pyarrow as pa

from leadflow_assets.domain.courts.kinds import CASE_TYPES
from leadflow_assets.domain.courts.parties import ROLES
from leadflow_assets.domain.linkage.case_roles import OWNER_ROLES, PLAINTIFFS, may_own
from leadflow_assets.domain.linkage.divisions import COUNTIES, counties_of_petition
from leadflow_assets.enrich.linkage import PARTIES_SCHEMA

# Names a party beyond its case: the id of core.court_parties is a hash of role and name only.
KEY: Final = "concat_ws('|', source, case_id, party_id)"
# Whose name stands on a case that names its property and none that may own: never these.
_NEVER = ("trustee", "us_trustee", "creditor", "tenant", "representative")
_FOLDED = "trim(regexp_replace(upper(name), '[^\\p{L}\\p{N}]+', ' ', 'g'))"
_ASKED = f"""
CREATE OR REPLACE TEMP TABLE asked AS
SELECT {KEY} AS key, p.*, p.care_of IS NULL AND coalesce(p.address, p.city, p.zip) IS NOT NULL AS has_place,
    false AS is_carrier
FROM parties AS p
JOIN cases AS c USING (case_id, source)
JOIN may_own AS m
    ON m.role = p.role AND m.case_type = c.case_type AND m.is_debtor IS NOT DISTINCT FROM p.is_debtor
WHERE $courts IS NULL OR list_contains($courts, c.court)
-- One person with two roles is looked for once: as the one whose address is known.
QUALIFY row_number() OVER (
    PARTITION BY source, case_id, {_FOLDED} ORDER BY has_place DESC, m.rank, party_id) = 1
"""
_CARRIERS = f"""
INSERT INTO asked
SELECT {KEY}, p.*, false, true
FROM parties AS p
JOIN (FROM named_case ANTI JOIN asked USING (source, case_id)) USING (source, case_id)
WHERE role NOT IN {_NEVER}
QUALIFY row_number() OVER (PARTITION BY source, case_id ORDER BY party_id) = 1
"""
# Cases about one property that is found are not looked for by name: they say nothing of the owner's others.
_WANTED = """
WITH placed AS (
    SELECT a.*, c.case_type, c.docket_number, c.date_filed, c.recorded_on,
        c.site_address, c.site_city, c.site_zip,
        coalesce(f.is_about_it, false) AS is_about_it, f.case_id IS NOT NULL AS is_found,
        c.site_address IS NOT NULL AND (is_found OR NOT has_place) AS at_site
    FROM asked AS a JOIN cases AS c USING (case_id, source) LEFT JOIN found_case AS f USING (source, case_id)
    WHERE NOT is_carrier
)
SELECT p.key AS party_id, concat_ws('|', p.source, p.case_id) AS case_id, p.name,
    coalesce(p.date_filed, p.recorded_on) AS filed,
    CASE WHEN at_site THEN site_address WHEN has_place THEN address END AS address,
    CASE WHEN at_site THEN site_city WHEN has_place THEN city END AS city,
    CASE WHEN at_site THEN site_zip WHEN has_place THEN zip END AS zip,
    CASE WHEN NOT at_site AND NOT has_place THEN d.counties END AS counties
FROM placed AS p
LEFT JOIN division AS d ON p.case_type = 'bankruptcy_petition' AND d.court = p.court
    AND d.docket_number = p.docket_number
WHERE {condition}
ORDER BY party_id
"""


def select_parties(connection: duckdb.DuckDBPyConnection, courts: list[str] | None) -> None:
    """Make ``asked``: the parties in force that may own, of all courts or of these."""
    _register(connection, "may_own", _may_own())
    connection.execute(_ASKED, {"courts": courts})


def add_carriers(connection: duckdb.DuckDBPyConnection) -> None:
    """Add one party of each case that names a property (``named_case``) and has no party that may own."""
    connection.execute(_CARRIERS)


def parties_to_link(connection: duckdb.DuckDBPyConnection, *, at_named_properties: bool) -> pa.Table:
    """Rows of PARTIES_SCHEMA: those of cases whose named property is found, or those to look for by name."""
    _register(connection, "division", _divisions(connection))
    condition = "is_found" if at_named_properties else "NOT is_about_it"
    rows = connection.execute(_WANTED.format(condition=condition)).to_arrow_table()
    return rows.cast(PARTIES_SCHEMA)


def _may_own() -> pa.Table:
    rank = {role: number for number, role in enumerate((*OWNER_ROLES, *PLAINTIFFS))}
    rows = [
        {"role": role, "case_type": case_type, "is_debtor": is_debtor, "rank": rank[role]}
        for role in ROLES
        for case_type in CASE_TYPES
        for is_debtor in (None, False, True)
        if may_own(role, case_type, is_debtor)
    ]
    return pa.Table.from_pylist(rows)


def _divisions(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    courts = sorted({court for court, _ in COUNTIES})
    found = connection.execute(
        "SELECT DISTINCT court, docket_number FROM cases WHERE list_contains($courts, court) "
        "AND case_type = 'bankruptcy_petition' AND docket_number IS NOT NULL",
        {"courts": courts},
    ).fetchall()
    rows = [
        {"court": court, "docket_number": number, "counties": list(counties_of_petition(court, number))}
        for court, number in found
    ]
    fields = [("court", pa.string()), ("docket_number", pa.string()), ("counties", pa.list_(pa.string()))]
    return pa.Table.from_pylist(rows, schema=pa.schema(fields))


def _register(connection: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    connection.register(f"{name}_in", rows)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM {name}_in")
    connection.unregister(f"{name}_in")
