"""Views over several tables: what analysts ask for first. Like all views they read one snapshot."""

from __future__ import annotations

from typing import Final

import duckdb

_ORDER: Final = "l.score DESC, l.coverage DESC, l.property_id"
# Product -> the table without which it has no rows, what one row is, and its query.
PRODUCTS: Final[dict[str, tuple[str, str, str]]] = {
    "mart.leads_ranked": (
        "mart.leads",
        "one lead with its rank and where the conversation stands",
        f"""
        SELECT row_number() OVER (ORDER BY {_ORDER}) AS rank,
            row_number() OVER (PARTITION BY town_id ORDER BY {_ORDER}) AS rank_in_town,
            l.*, coalesce(e.status, 'new') AS status, e.changed_at AS status_changed_at,
            e.changed_by AS status_changed_by, e.note AS status_note
        FROM mart.leads AS l LEFT JOIN (
            FROM {{events}} QUALIFY row_number() OVER (PARTITION BY lead_id ORDER BY id DESC) = 1
        ) AS e USING (lead_id)
        """,
    ),
    "mart.owner_portfolios": (
        "mart.properties",
        "one owner with one mailing address who has two properties or more, in whatever towns",
        """
        SELECT p.owner_key, p.mailing_key, arg_min(p.owner_name, p.property_id) AS owner_name,
            arg_min(p.owner_type, p.property_id) AS owner_type, count(*) AS properties,
            count(DISTINCT p.town_id) AS towns, list(DISTINCT p.town ORDER BY p.town) AS town_names,
            sum(p.total_value)::BIGINT AS total_value, max(p.last_sale_date) AS last_sale_date,
            max(s.score) AS highest_score, list(p.property_id ORDER BY p.property_id) AS property_ids
        FROM mart.properties AS p LEFT JOIN mart.distress_scores AS s USING (property_id)
        WHERE p.owner_key IS NOT NULL AND p.mailing_key IS NOT NULL AND NOT p.is_condominium_master
        GROUP BY p.owner_key, p.mailing_key HAVING count(*) > 1
        """,
    ),
    "mart.town_summary": (
        "mart.properties",
        "one town: its properties, how much of their scores is known, its leads",
        """
        SELECT p.*, s.* EXCLUDE (town_id), l.* EXCLUDE (town_id)
        FROM (
            SELECT town_id, any_value(town) AS town, max(release) AS release, count(*) AS properties,
                sum(total_value)::BIGINT AS total_value, median(total_value) AS median_value,
                count(*) FILTER (WHERE occupancy LIKE 'absentee%') AS absentee,
                count(*) FILTER (WHERE owner_type = 'estate') AS estates,
                count(*) FILTER (WHERE owner_tax_title) AS tax_titles
            FROM mart.properties WHERE NOT is_condominium_master GROUP BY town_id
        ) AS p
        LEFT JOIN (
            SELECT town_id, max(as_of) AS scores_as_of, count(*) FILTER (WHERE state = 'scored') AS scored,
                count(*) FILTER (WHERE state = 'unknown') AS unknown,
                count(*) FILTER (WHERE state = 'not_applicable') AS not_applicable,
                count(*) FILTER (WHERE score > 0) AS with_signal,
                avg(coverage) AS mean_coverage, max(score) AS highest_score
            FROM mart.distress_scores
            SEMI JOIN (SELECT property_id FROM mart.properties WHERE NOT is_condominium_master)
                USING (property_id)
            GROUP BY town_id
        ) AS s USING (town_id)
        LEFT JOIN (
            SELECT town_id, count(*) AS leads, count(*) FILTER (WHERE grade = 'A') AS leads_a,
                count(*) FILTER (WHERE grade = 'B') AS leads_b,
                count(*) FILTER (WHERE grade = 'C') AS leads_c,
                count(*) FILTER (WHERE opportunity = 'high') AS leads_with_high_opportunity
            FROM mart.leads GROUP BY town_id
        ) AS l USING (town_id)
        ORDER BY p.town_id
        """,
    ),
}
# The columns that are read, where the state database is not there (yet).
_NO_EVENTS: Final = """(
    SELECT 0 AS id, '' AS lead_id, '' AS status, NULL::TIMESTAMPTZ AS changed_at, '' AS changed_by, '' AS note
    WHERE false
)"""


def create_products(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the views; the schemas ``mart`` and ``state`` are there, with whatever tables they have."""
    here = connection.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'state' AND table_name = 'lead_events'"
    ).fetchone()
    events = "state.lead_events" if here and here[0] else _NO_EVENTS
    for name, (_, _, query) in PRODUCTS.items():
        connection.execute(f"CREATE VIEW {name} AS {query.replace('{events}', events)}")
