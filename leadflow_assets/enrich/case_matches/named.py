"""Cases that name their property: by its parcel, else by its address, in set-based SQL.

A case without a street number or with a number nobody has names nothing. Several properties may be meant
(units of one building): then the owners' names decide, else each gets its share.
"""

from __future__ import annotations

from typing import Final

import duckdb
import pyarrow as pa

from leadflow_assets.domain.linkage import weights as w
from leadflow_assets.domain.linkage.case_roles import ABOUT_ONE_PROPERTY, LIENS_ON_ONE_PROPERTY
from leadflow_assets.domain.linkage.weights import HELD_IF_BOUGHT_LATER, HELD_IF_DEEDED_LATER
from leadflow_assets.enrich.linkage import OWNER_COLUMNS
from leadflow_assets.enrich.unified.matching import street_codes

# own: at a property that the case names, the owner need only agree with a party, not be rare. Without any
# agreement the record may be a trust's, an heir's or out of date, or the case's address may be wrong.
AGREES: Final = 0.98
AGREES_LOOSELY: Final = 0.85  # spelled otherwise, or a part of a compound surname
CONTRADICTED: Final = 0.40  # another middle name or generation: father and son; or another surname
NOBODY_AGREES: Final = 0.70
# own: the name agrees and the owner bought after the filing: a wrong date rather than a namesake.
AGREES_THOUGH_BOUGHT_LATER: Final = 0.80
# A deed and its recording lie some weeks apart at most.
DEED_DAYS: Final = 31

_MACROS = r"""
-- Parcel numbers as letters and digits; and piece by piece without leading zeros, where there are pieces.
CREATE OR REPLACE TEMP MACRO plain_number(text) AS
    nullif(regexp_replace(upper(text), '[^A-Z0-9]', '', 'g'), '');
CREATE OR REPLACE TEMP MACRO piecewise_number(text) AS
    CASE WHEN regexp_matches(upper(text), '[A-Z0-9][^A-Z0-9]+[A-Z0-9]') THEN regexp_replace(
        trim(regexp_replace(upper(text), '[^A-Z0-9]+', '-', 'g'), '-'), '(^|-)0+([A-Z0-9])', '\1\2', 'g') END;
-- An address key is its place, nine fields and the unit: see domain.addresses.
CREATE OR REPLACE TEMP MACRO key_fields(key) AS
    CASE WHEN len(string_split(key, '|')) = 11 THEN string_split(key, '|') END;
CREATE OR REPLACE TEMP MACRO base_of(fields) AS array_to_string(fields[2:10], '|');
CREATE OR REPLACE TEMP MACRO street_of(fields) AS array_to_string(fields[4:5] || fields[7:10], '|');
CREATE OR REPLACE TEMP MACRO term(term, outcome, ours, theirs) AS {'term': term, 'outcome': outcome,
    'ours': ours::VARCHAR, 'theirs': theirs::VARCHAR, 'share': NULL::DOUBLE, 'bits': NULL::DOUBLE};
CREATE OR REPLACE TEMP MACRO number_of(text) AS try_cast(regexp_extract(text, '^\d+$') AS INTEGER);
"""
_NAMED_CASES = """
CREATE OR REPLACE TEMP TABLE named_case AS
SELECT source, case_id, case_type, coalesce(date_filed, recorded_on) AS filed, town_id, parcel_id, site_zip,
    site_mailing_key, key_fields(coalesce(site_address_key, site_mailing_key)) AS fields,
    list_contains($one, case_type)
        OR (case_type = 'recorded_lien' AND list_contains($liens, lien_type)) AS is_about_it
FROM cases
WHERE coalesce(site_address_key, site_mailing_key, parcel_id) IS NOT NULL
    AND ($courts IS NULL OR list_contains($courts, court))
"""
# In the words of the town: CR is a circle where its own rows say so.
_IN_ITS_WORDS = """
CREATE OR REPLACE TEMP TABLE named_case AS
SELECT n.* REPLACE (CASE WHEN c.our_name IS NULL THEN fields
    ELSE fields[1:7] || [c.our_name, c.our_suffix] || fields[10:11] END AS fields)
FROM named_case AS n LEFT JOIN street_codes_in AS c
    ON c.town_id = n.town_id AND c.name = n.fields[8] AND c.suffix = n.fields[9]
"""
_PLACES = """
CREATE OR REPLACE TEMP TABLE place AS
SELECT property_id, town_id, loc_id, prop_id, key_fields(address_key) AS fields, house_number AS low,
    coalesce(house_number_high, house_number) AS high, last_sale_date AS bought, sale_is_nominal AS nominal,
    -- Few towns give the ZIP of the site; a bill that goes there has it.
    coalesce(zip, CASE WHEN mailing_key[6:] = address_key[length(town_id::VARCHAR) + 1:]
        THEN mailing_key[:5] END) AS zip,
    is_condominium_master AS is_master
FROM {properties}
WHERE town_id IN (SELECT town_id FROM named_case)
    OR zip IN (SELECT site_zip FROM named_case WHERE town_id IS NULL)
    OR mailing_key IN (SELECT site_mailing_key FROM named_case WHERE town_id IS NULL)
    OR loc_id IN (SELECT upper(parcel_id) FROM named_case WHERE town_id IS NULL)
"""
_BY_PARCEL = r"""
CREATE OR REPLACE TEMP TABLE named AS
WITH ours AS (
    SELECT p.property_id, p.town_id, unnest(list_distinct([
        plain_number(p.prop_id), piecewise_number(p.prop_id), plain_number(p.loc_id),
        plain_number(c.map_par_id), piecewise_number(c.map_par_id)])) AS number
    FROM (FROM place WHERE NOT is_master) AS p
    LEFT JOIN parcels AS c ON c.town_id = p.town_id AND c.loc_id = p.loc_id
),
asked AS (
    SELECT source, case_id, town_id, unnest([plain_number(parcel_id), piecewise_number(parcel_id)]) AS number
    FROM named_case WHERE regexp_matches(parcel_id, '\d')
)
SELECT DISTINCT source, case_id, property_id, 'parcel_id' AS method, 'parcel' AS how
FROM asked AS a JOIN ours AS o USING (number)
-- Without a town only a LOC_ID tells: its coordinates are nobody else's.
WHERE a.town_id = o.town_id OR (a.town_id IS NULL AND regexp_full_match(number, '[FM]\d{5,7}\d{6,7}'))
"""
_BY_ADDRESS = """
INSERT INTO named
WITH here AS (
    SELECT n.source, n.case_id, p.property_id, n.fields[11] AS asked_unit, p.fields[11] AS unit
    FROM (FROM named_case ANTI JOIN named USING (source, case_id)) AS n
    JOIN (FROM place WHERE NOT is_master) AS p ON base_of(p.fields) = base_of(n.fields)
        AND CASE WHEN n.town_id IS NULL THEN p.zip = n.site_zip ELSE p.town_id = n.town_id END
    WHERE n.fields[2] <> '' OR n.fields[6] <> ''
),
fitting AS (
    -- Without a unit every property there may be meant. A unit that nobody has is a tenant's, perhaps.
    SELECT *, bool_or(unit = asked_unit AND unit <> '') OVER (PARTITION BY source, case_id) AS has_unit
    FROM here
)
SELECT source, case_id, property_id, 'site_address', 'address' FROM fitting
WHERE asked_unit = '' OR unit = CASE WHEN has_unit THEN asked_unit ELSE '' END
"""
# A record may have a range of numbers where the case has one of them, on the same side of the street.
_BY_RANGE = """
INSERT INTO named
SELECT n.source, n.case_id, p.property_id, 'site_address', 'range'
FROM (SELECT *, number_of(fields[2]) AS number, coalesce(number_of(fields[3]), number) AS number_high
    FROM named_case ANTI JOIN named USING (source, case_id)) AS n
JOIN (FROM place WHERE NOT is_master) AS p ON street_of(p.fields) = street_of(n.fields)
    AND CASE WHEN n.town_id IS NULL THEN p.zip = n.site_zip ELSE p.town_id = n.town_id END
    AND p.low <= n.number_high AND p.high >= n.number AND p.low % 2 = n.number % 2
    AND (n.fields[11] = '' OR p.fields[11] IN ('', n.fields[11]))
"""
_FOUND = f"""
CREATE OR REPLACE TEMP TABLE named_property AS
SELECT n.*, c.filed, p.bought, p.nominal, p.town_id, p.loc_id,
    count(*) OVER (PARTITION BY source, case_id) AS properties,
    coalesce(c.case_type = 'foreclosure_deed'
        AND abs(date_diff('day', c.filed, p.bought)) <= {DEED_DAYS}, false) AS by_this_deed,
    CASE WHEN filed IS NULL OR bought IS NULL THEN 'unknown' WHEN bought <= filed OR by_this_deed THEN 'held'
        WHEN nominal IS NOT FALSE THEN 'unclear' ELSE 'bought_later' END AS title
FROM named AS n JOIN named_case AS c USING (source, case_id) JOIN place AS p USING (property_id);
CREATE OR REPLACE TEMP TABLE found_case AS
SELECT DISTINCT source, case_id, is_about_it FROM named_case SEMI JOIN named USING (source, case_id);
DROP TABLE place;
"""


def find_named(connection: duckdb.DuckDBPyConnection, courts: list[str] | None) -> int:
    """Make ``named_case``, ``named_property`` and ``found_case``; returns how many cases name a property."""
    connection.execute(_MACROS)
    limits = {"one": sorted(ABOUT_ONE_PROPERTY), "liens": sorted(LIENS_ON_ONE_PROPERTY), "courts": courts}
    connection.execute(_NAMED_CASES, limits)
    named = int((connection.execute("SELECT count(*) FROM named_case").fetchone() or (0,))[0])
    connection.register(
        "street_codes_in",
        street_codes(connection, "SELECT town_id FROM named_case WHERE fields IS NOT NULL"),
    )
    connection.execute(_IN_ITS_WORDS)
    connection.unregister("street_codes_in")
    # Most days nobody brings a file, and the properties of a whole state need not be looked at.
    connection.execute(_PLACES.format(properties="properties" if named else "(FROM properties LIMIT 0)"))
    for statement in (_BY_PARCEL, _BY_ADDRESS, _BY_RANGE, _FOUND):
        connection.execute(statement)
    return named


def owners_at_named(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """The owners of the properties that cases name, as ``link`` reads them."""
    columns = ", ".join(OWNER_COLUMNS)
    return connection.execute(
        f"SELECT {columns} FROM properties SEMI JOIN named_property USING (property_id)"
    ).to_arrow_table()


def _outcome(term: str) -> str:
    return f"list_filter(evidence, lambda x: x.term = '{term}')[1].outcome"


_LOOSE = (w.PART, w.NEAR, w.ALIKE)
# SQL of named rows: ``compared`` has party_id (the key), property_id, owner_number, owner_role, evidence.
NAMED_ROWS = f"""
WITH agreeing AS (
    SELECT party_id AS key, property_id, owner_number, owner_role,
        list_filter(evidence, lambda x: x.term IN
            ('surname', 'given_name', 'middle_name', 'suffix', 'name')) AS names,
        CASE WHEN {_outcome("middle_name")} = '{w.CONFLICT}' OR {_outcome("suffix")} = '{w.CONFLICT}'
                OR {_outcome("surname")} = '{w.OTHER}' THEN {CONTRADICTED}
            WHEN {_outcome("surname")} IN {_LOOSE} OR {_outcome("given_name")} = '{w.ALIKE}'
                OR {_outcome("name")} = 'words_missing' THEN {AGREES_LOOSELY}
            ELSE {AGREES} END AS agreement
    FROM compared
),
claims AS (
    SELECT n.*, a.key, a.is_carrier, m.owner_number, m.owner_role, m.names,
        coalesce(m.agreement, 0) AS agreement,
        max(coalesce(m.agreement, 0)) OVER (PARTITION BY n.source, n.case_id) AS somebody
    FROM named_property AS n JOIN asked AS a USING (source, case_id)
    LEFT JOIN agreeing AS m ON m.key = a.key AND m.property_id = n.property_id
)
SELECT key, property_id, town_id, loc_id, method, title, owner_number, owner_role,
    agreement * CASE title WHEN 'bought_later' THEN {AGREES_THOUGH_BOUGHT_LATER} ELSE 1 END
        + (1 - somebody) / properties * CASE WHEN by_this_deed THEN {AGREES}
            WHEN title = 'bought_later' THEN {NOBODY_AGREES * HELD_IF_BOUGHT_LATER}
            WHEN title = 'unclear' THEN {NOBODY_AGREES * HELD_IF_DEEDED_LATER}
            ELSE {NOBODY_AGREES} END AS chance,
    list_filter([
        term('site', CASE WHEN properties > 1 THEN 'several' ELSE how END, how, properties),
        CASE WHEN is_carrier THEN term('owner', 'not_named', NULL, NULL)
            WHEN agreement = 0 THEN term('owner', '{w.OTHER}', NULL, NULL) END,
        CASE WHEN by_this_deed THEN term('title', 'by_this_deed', filed, bought)
            WHEN title IN ('unclear', 'bought_later') THEN term('title', title, filed, bought) END
    ], lambda x: x IS NOT NULL) || coalesce(names, []) AS evidence
FROM claims
"""
