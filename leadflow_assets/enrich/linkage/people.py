"""Persons: which owners a court party may be, and how much each agreement weighs, in set-based SQL.

Full names are compared first, each pair of them once; only then come the records that bear them. The rules
are those of ``domain.linkage``; a test compares each pair's weights with its pure functions.
"""

from __future__ import annotations

from functools import cache

import duckdb
import pyarrow as pa

from leadflow_assets.domain.linkage import weights as w
from leadflow_assets.domain.linkage.identity import SECOND_HOMES
from leadflow_assets.domain.linkage.nicknames import nicknames
from leadflow_assets.domain.linkage.shares import PRIOR_PERSONS
from leadflow_assets.domain.owners.names import given_names, surnames
from leadflow_assets.enrich.linkage.location import ADDRESS_JOINS, LOCATION, NOT_OUTSIDE

# Given names borne by this part of the owners are compared whatever their first letter: Katherine, Catherine.
_COMMON_GIVEN = 2e-5
# Pairs so many bits below an even chance are not kept: one alone has a probability of 1 in 8,000.
FAINTEST_BITS = 13.0

_SHARES = f"""
CREATE TEMP TABLE {{kind}}_share AS
SELECT n.name, (coalesce(f.bearers, 0) + {PRIOR_PERSONS} * coalesce(c.share, 0))
    / ((SELECT persons FROM state) + {PRIOR_PERSONS}) AS share
FROM (
    SELECT DISTINCT {{column}} AS name FROM person WHERE {{column}} <> ''
    UNION SELECT {{column}} FROM party_name
    UNION SELECT unnest(parts) FROM party_name
) n
LEFT JOIN (SELECT * FROM frequency WHERE kind = '{{kind}}' AND place = '') f USING (name)
LEFT JOIN (SELECT * FROM census WHERE kind = '{{kind}}') c USING (name)
"""
# Shares in the places where somebody is looked for, where a name is commoner there than in the state.
_LOCAL_SHARES = f"""
CREATE TEMP TABLE local_share AS
WITH places AS (SELECT place, bearers AS persons FROM frequency WHERE kind = 'persons' AND place <> ''),
wider AS (SELECT 'surname' AS kind, * FROM surname_share UNION ALL SELECT 'given', * FROM given_share),
wanted AS (
    SELECT DISTINCT county_place AS place, NULL AS within FROM seeker WHERE county_place IS NOT NULL
    UNION SELECT DISTINCT town_place, county_place FROM seeker WHERE town_place IS NOT NULL
),
counted AS (
    SELECT f.kind, place, within, name, f.bearers, persons FROM frequency f
    JOIN wanted USING (place) JOIN places USING (place) WHERE f.kind IN ('surname', 'given')
),
county AS (
    SELECT kind, place, name, (bearers + {PRIOR_PERSONS} * share) / (persons + {PRIOR_PERSONS}) AS share
    FROM counted JOIN wider USING (kind, name) WHERE within IS NULL
)
SELECT * FROM county
UNION ALL
SELECT t.kind, t.place, t.name,
    (t.bearers + {PRIOR_PERSONS} * coalesce(c.share, wider.share)) / (t.persons + {PRIOR_PERSONS})
FROM counted t JOIN wider USING (kind, name)
LEFT JOIN county c ON c.kind = t.kind AND c.name = t.name AND c.place = t.within
WHERE t.within IS NOT NULL
"""
_GIVEN_PAIRS = f"""
CREATE TEMP TABLE given_pair AS
WITH ours AS (SELECT DISTINCT first AS name FROM party_name),
theirs AS (SELECT DISTINCT first AS name FROM person WHERE first <> ''),
common AS (SELECT name FROM given_share JOIN theirs USING (name) WHERE share >= {_COMMON_GIVEN}),
found AS (
    SELECT o.name AS one, t.name AS other,
        CASE WHEN length(o.name) = 1 OR length(t.name) = 1 THEN '{w.INITIAL}' END AS given,
        jaro_winkler_similarity(o.name, t.name, {w.ALIKE_FROM}) AS alike
    FROM ours o JOIN theirs t ON o.name[1] = t.name[1]
    WHERE alike > 0 OR given IS NOT NULL
    UNION ALL
    SELECT o.name, t.name, NULL, jaro_winkler_similarity(o.name, t.name, {w.ALIKE_FROM}) AS alike
    FROM ours o JOIN common t ON o.name[1] <> t.name[1] WHERE alike > 0
    UNION ALL
    SELECT one, other, '{w.NICKNAME}', 0
    FROM nickname JOIN ours ON ours.name = one JOIN theirs ON theirs.name = other
)
SELECT one, other, CASE
    WHEN one = other THEN '{w.EQUAL}' WHEN max(given) IS NOT NULL THEN max(given)
    WHEN max(alike) >= {w.NEAR_FROM} THEN '{w.NEAR}' ELSE '{w.ALIKE}' END AS given
FROM found GROUP BY one, other
"""
_OWNER_NAMES = """
CREATE TEMP TABLE owner_name AS SELECT last, first FROM person WHERE last <> '' AND first <> '' GROUP BY ALL
"""
# Compound surnames against simple ones; ``shared`` is the surname both have.
_PART_PAIRS = """
CREATE TEMP TABLE part_pair AS
SELECT variant, last, first, given, min(shared) AS shared FROM (
    SELECT variant, o.last, o.first, given, p.part AS shared
    FROM (SELECT variant, first, last, unnest(parts) AS part FROM party_name) p
    JOIN given_pair g ON g.one = p.first
    JOIN owner_name o ON o.last = p.part AND o.first = g.other AND o.last <> p.last
    UNION ALL
    SELECT variant, o.last, o.first, given, c.part
    FROM party_name p
    JOIN given_pair g ON g.one = p.first
    JOIN compound c ON c.part = p.last
    JOIN owner_name o ON o.last = c.whole AND o.first = g.other AND o.last <> p.last
) GROUP BY ALL
"""
_NAME_PAIRS = f"""
CREATE TEMP TABLE name_pair AS
WITH fuzzy AS (
    SELECT variant, o.last, o.first, '{w.EQUAL}' AS given,
        jaro_winkler_similarity(p.last, o.last, {w.ALIKE_FROM}) AS alike
    FROM party_name p JOIN owner_name o ON o.first = p.first AND o.last[1] = p.last[1] AND o.last <> p.last
    WHERE length(p.first) > 1 AND alike > 0
)
SELECT variant, o.last, o.first, '{w.EQUAL}' AS surname, given, o.last AS shared, false AS at_address
FROM party_name p JOIN given_pair g ON g.one = p.first
JOIN owner_name o ON o.last = p.last AND o.first = g.other
UNION ALL
SELECT variant, last, first, '{w.PART}', given, shared, false FROM part_pair
UNION ALL
SELECT variant, last, first, CASE WHEN alike >= {w.NEAR_FROM} THEN '{w.NEAR}' ELSE '{w.ALIKE}' END,
    given, NULL, false
FROM fuzzy ANTI JOIN part_pair USING (variant, last, first)
"""
# The debtor's own address brings in owners there whose surname is another: a maiden name, perhaps.
_ADDRESS_PAIRS = f"""
INSERT INTO name_pair
WITH resident AS (
    SELECT s.seeker, p.last, p.first FROM seeker_key s JOIN person p ON p.address = s.key
    UNION
    SELECT s.seeker, p.last, p.first FROM seeker_key s JOIN person p ON p.mailing = s.key
),
there AS (
    SELECT DISTINCT n.variant, n.last AS ours, p.last, p.first, g.given
    FROM resident p JOIN party_name n USING (seeker)
    JOIN given_pair g ON g.one = n.first AND g.other = p.first AND g.given IN ('{w.EQUAL}', '{w.NICKNAME}')
    WHERE p.last <> ''
)
SELECT variant, last, first, CASE WHEN alike >= {w.NEAR_FROM} THEN '{w.NEAR}' WHEN alike > 0 THEN '{w.ALIKE}'
    ELSE '{w.OTHER}' END, given, NULL, true
FROM (SELECT *, jaro_winkler_similarity(ours, last, {w.ALIKE_FROM}) AS alike FROM there)
ANTI JOIN name_pair USING (variant, last, first)
"""


def _share(kind: str, name: str, alias: str) -> str:
    """SQL joins that find the larger of a name's shares in the state and in the seeker's county and town."""
    return f"""
    LEFT JOIN {kind}_share {alias} ON {alias}.name = {name}
    LEFT JOIN local_share {alias}c
        ON {alias}c.kind = '{kind}' AND {alias}c.name = {name} AND {alias}c.place = s.county_place
    LEFT JOIN local_share {alias}t
        ON {alias}t.kind = '{kind}' AND {alias}t.name = {name} AND {alias}t.place = s.town_place"""


def _largest(alias: str) -> str:
    return f"greatest({alias}.share, {alias}c.share, {alias}t.share)"


# A part of a compound surname weighs as the surname it is.
_PAIR_BITS = f"""
CREATE TEMP TABLE pair_bits AS
WITH pairs AS (
    SELECT q.*, n.seeker, n.middle, n.suffix, coalesce(q.shared, n.last) AS our_last,
        coalesce(q.shared, q.last) AS their_last, n.first AS our_first
    FROM name_pair q JOIN party_name n USING (variant)
)
SELECT q.variant, q.seeker, q.last, q.first, q.middle, q.suffix, q.surname, q.given, q.at_address,
    name_bits(q.surname, {_largest("ol")}, {_largest("tl")}) AS surname_bits,
    name_bits(q.given, {_largest("og")}, {_largest("tg")}) AS given_bits,
    {_largest("tl")} AS surname_share, {_largest("tg")} AS given_share,
    CASE WHEN q.surname = '{w.EQUAL}' AND q.given = '{w.EQUAL}' AND length(q.first) > 1
        THEN full_name_bits(tl.share, tg.share, coalesce(f.bearers, 1), (SELECT persons FROM state))
        ELSE 0 END AS full_name_bits,
    coalesce(f.bearers, 1) AS bearers
FROM pairs q JOIN seeker s USING (seeker)
{_share("surname", "q.our_last", "ol")}
{_share("surname", "q.their_last", "tl")}
{_share("given", "q.our_first", "og")}
{_share("given", "q.first", "tg")}
LEFT JOIN full_name f ON f.last = q.last AND f.first = q.first
"""
_CANDIDATES = f"""
CREATE TEMP TABLE candidate AS
WITH compared AS (
    SELECT q.*, q.rowid AS pair, p.rowid AS owner, p.person, p.property,
        middle_outcome(q.middle, p.middle) AS middle_name, suffix_outcome(q.suffix, p.suffix) AS generation,
        middle_bits(middle_name) AS middle_weight, {LOCATION},
        by_household(surname_bits, place_weight, house, house_weight) AS household
    FROM pair_bits q JOIN seeker s USING (seeker)
    JOIN person p ON p.last = q.last AND p.first = q.first
    {ADDRESS_JOINS}
    WHERE {NOT_OUTSIDE} AND (NOT q.at_address OR house = '{w.EQUAL}')
)
SELECT pair, variant, seeker, owner, person, property, hash(last) AS surname, surname_bits,
    given_bits + middle_weight AS other_bits,
    surname_bits + given_bits + middle_weight + suffix_bits(generation) + full_name_bits
        + CASE WHEN household THEN house_weight + household_surname(surname_bits) - surname_bits
            WHEN house = '{w.EQUAL}' THEN place_weight ELSE place_weight + house_weight END AS bits,
    middle_name = '{w.CONFLICT}' OR generation = '{w.CONFLICT}' AS conflict
FROM compared
"""
# Owners of one property who are parties to one case: the other's name counts too, a shared surname once.
_CO_OWNERS = """
CREATE TEMP TABLE co_owner AS
WITH joint AS (
    SELECT c.*, s.case_id FROM candidate c JOIN seeker s USING (seeker)
    WHERE s.case_id IN (SELECT case_id FROM seeker GROUP BY case_id HAVING count(*) > 1)
)
SELECT a.variant, a.owner,
    max(b.other_bits + CASE WHEN a.surname = b.surname THEN 0 ELSE b.surname_bits END) AS co_owner_bits
FROM joint a JOIN joint b ON a.case_id = b.case_id AND a.property = b.property
    AND a.seeker <> b.seeker AND a.owner <> b.owner
GROUP BY ALL HAVING co_owner_bits > 0
"""
_SCORED = f"""
CREATE TEMP TABLE weighed_person AS
SELECT pair, variant, seeker, owner, person, property, conflict, coalesce(co_owner_bits, 0) AS co_owner_bits,
    round(c.bits + coalesce(co_owner_bits, 0), 6) AS bits
FROM candidate c LEFT JOIN co_owner USING (variant, owner) JOIN seeker s USING (seeker)
WHERE c.bits + coalesce(co_owner_bits, 0) >= log2(s.unseen) - {FAINTEST_BITS}
"""
# Homes of one name and initial that are one person's: see domain.linkage.identity.
_SAME_PERSONS = f"""
CREATE TEMP TABLE scored_person AS
WITH home AS (
    SELECT person, any_value(last) AS last, any_value(first) AS first, any_value(suffix) AS suffix,
        max(middle[1]) AS initial, count(DISTINCT nullif(middle[1], '')) AS initials, min(zip) AS zip
    FROM person SEMI JOIN weighed_person USING (person) GROUP BY person
),
expected AS (
    SELECT h.*, persons * l.share * f.share / {w.INITIALS} AS expected, z.bearers / persons AS zip_share
    FROM home h JOIN surname_share l ON l.name = h.last JOIN given_share f ON f.name = h.first
    LEFT JOIN frequency z ON z.kind = 'persons' AND z.place = 'zip ' || h.zip, state
),
same AS (
    SELECT person, CASE WHEN initials <> 1 THEN person
        WHEN expected <= {SECOND_HOMES!r} THEN hash(last, first, suffix, initial)
        WHEN expected * zip_share <= {SECOND_HOMES!r} THEN hash(last, first, suffix, initial, zip)
        ELSE person END AS owner_person
    FROM expected
)
SELECT p.* REPLACE (owner_person AS person) FROM weighed_person p JOIN same USING (person)
"""
# The few that are returned, with everything that was compared, for their evidence.
PERSON_DETAILS = f"""
SELECT m.*, q.surname, q.given, q.surname_share, q.given_share, q.bearers, q.full_name_bits, q.given_bits,
    middle_outcome(q.middle, p.middle) AS middle_name, suffix_outcome(q.suffix, p.suffix) AS generation,
    middle_bits(middle_name) AS middle_bits, suffix_bits(generation) AS suffix_bits, {LOCATION},
    by_household(q.surname_bits, place_weight, house, house_weight) AS household,
    CASE WHEN household THEN household_surname(q.surname_bits) ELSE q.surname_bits END AS surname_bits,
    CASE WHEN house = '{w.EQUAL}' THEN 0 ELSE place_weight END AS place_bits,
    CASE WHEN house = '{w.EQUAL}' AND NOT household THEN place_weight ELSE house_weight END AS house_bits
FROM ranked m JOIN pair_bits q ON q.rowid = m.pair JOIN seeker s ON s.seeker = m.seeker
JOIN person p ON p.rowid = m.owner
{ADDRESS_JOINS}
"""


def weigh_people(connection: duckdb.DuckDBPyConnection) -> None:
    """Make ``scored_person`` from party_name, seeker, seeker_key, person and frequency."""
    _register_names(connection)
    for statement in (
        _SHARES.format(kind="surname", column="last"),
        _SHARES.format(kind="given", column="first"),
        _LOCAL_SHARES,
        _GIVEN_PAIRS,
        _OWNER_NAMES,
        _PART_PAIRS,
        _NAME_PAIRS,
        _ADDRESS_PAIRS,
        _PAIR_BITS,
        _CANDIDATES,
        _CO_OWNERS,
        _SCORED,
        _SAME_PERSONS,
    ):
        connection.execute(statement)


def _register_names(connection: duckdb.DuckDBPyConnection) -> None:
    for table, rows in (("nickname", _nickname_table()), ("census", _census_table())):
        connection.register("rows_in", rows)
        connection.execute(f"CREATE TEMP TABLE {table} AS FROM rows_in")
        connection.unregister("rows_in")


@cache
def _nickname_table() -> pa.Table:
    pairs = [(one, other) for one, others in nicknames().items() for other in others]
    return pa.table({"one": [one for one, _ in pairs], "other": [other for _, other in pairs]})


@cache
def _census_table() -> pa.Table:
    census = [("surname", name, percent / 100) for name, percent in surnames().items()]
    census += [("given", name, (men + women) / 200) for name, (men, women) in given_names().items()]
    columns = zip(("kind", "name", "share"), zip(*census, strict=True), strict=True)
    return pa.table({name: [*values] for name, values in columns})
