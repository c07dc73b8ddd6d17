"""Organisations: which owners a court party may be, by the words of their names, in set-based SQL.

The rules are those of ``domain.linkage.organisations``.
"""

from __future__ import annotations

import duckdb

from leadflow_assets.domain.linkage import organisations as o
from leadflow_assets.domain.linkage import weights as w
from leadflow_assets.enrich.linkage.frequencies import name_organisations
from leadflow_assets.enrich.linkage.location import ADDRESS_JOINS, LOCATION, NOT_OUTSIDE

_FORMS = sorted(o.LEGAL_FORMS)
_NAMES = f"""
CREATE TEMP TABLE owner_firm AS
SELECT name, list_filter(words, x -> x IS DISTINCT FROM form AND NOT regexp_matches(x, '[0-9]')) AS words,
    list_sort(list_filter(words, x -> regexp_matches(x, '[0-9]'))) AS numbers, coalesce(form, '') AS form,
    array_to_string(numbers, ' ') AS all_numbers
FROM (SELECT *, list_last(list_filter(words, x -> list_contains({_FORMS}, x))) AS form FROM organisation_name)
"""
_WORD_SHARES = """
CREATE TEMP TABLE word_share AS
SELECT name AS word, bearers / (SELECT greatest(sum(bearers), 1) FROM frequency WHERE kind = 'organisations')
    AS share
FROM frequency WHERE kind = 'word'
"""
# Pairs share all numbers and the party's rarest word; without them they could not be equal.
_BLOCKS = """
CREATE TEMP TABLE firm_block AS
WITH spelled AS (SELECT variant, form, array_to_string(numbers, ' ') AS all_numbers,
        unnest(CASE WHEN len(words) > 0 THEN words ELSE numbers END) AS word FROM party_firm),
wanted AS (
    SELECT variant, form, all_numbers, arg_min(word, {share: coalesce(share, 0), word: word}) AS word
    FROM spelled LEFT JOIN word_share USING (word) GROUP BY ALL
),
theirs AS (
    SELECT DISTINCT name, form, all_numbers,
        unnest(CASE WHEN len(words) > 0 THEN words ELSE numbers END) AS word
    FROM owner_firm
)
SELECT variant, name FROM wanted w JOIN theirs t USING (word, all_numbers)
WHERE w.form = t.form OR w.form = '' OR t.form = ''
"""
_COMPARED = f"""
CREATE TEMP TABLE firm_pair AS
WITH common AS (SELECT list(word) AS words FROM word_share WHERE share >= {o.COMMON_FROM}),
compared AS (
    SELECT variant, t.name, f.words AS ours, t.words AS theirs, f.numbers, f.form AS our_form,
        t.form AS their_form,
        list_filter(f.words, x -> NOT list_contains(t.words, x)) AS only_ours,
        list_filter(t.words, x -> NOT list_contains(f.words, x)) AS only_theirs
    FROM firm_block JOIN party_firm f USING (variant) JOIN owner_firm t USING (name)
)
SELECT variant, name, numbers, list_distinct(only_ours || only_theirs) AS missing,
    list_intersect(ours, theirs) || numbers
        || CASE WHEN our_form = their_form AND our_form <> '' THEN [our_form] ELSE [] END AS shared,
    CASE WHEN len(only_ours) + len(only_theirs) > 0 OR our_form <> their_form THEN 'words_missing'
        WHEN list_contains({sorted(o.REGISTERED_FORMS)}, our_form) AND ours = theirs THEN 'registered'
        ELSE '{w.EQUAL}' END AS outcome
FROM compared, common
WHERE (len(only_ours) = 0 OR len(only_theirs) = 0)
    AND (len(list_intersect(ours, theirs)) > 0 OR len(numbers) > 0)
    AND len(list_filter(only_ours || only_theirs, x -> NOT list_contains(coalesce(common.words, []), x))) = 0
"""
_BITS = f"""
CREATE TEMP TABLE firm_bits AS
WITH summed AS (
    SELECT variant, name, sum(round(
        log2({w.EQUAL_AMONG_MATCHES!r} / greatest(coalesce(share, 0), {o.WORD_FLOOR!r})), 6)::DECIMAL(18, 6)
    )::DOUBLE AS bits
    FROM (SELECT variant, name, unnest(shared) AS word FROM firm_pair) LEFT JOIN word_share USING (word)
    GROUP BY ALL
)
SELECT variant, name, outcome, greatest(
    bits + {o.MISSING_WORD_BITS!r} * len(missing),
    CASE WHEN outcome = 'registered' THEN {o.REGISTERED_NAME_BITS!r} ELSE -100 END) AS name_bits
FROM firm_pair JOIN summed USING (variant, name)
"""
# A registered name is borne once: that its firm sits elsewhere says nothing against it.
_PLACE = f"""
CASE WHEN house = '{w.EQUAL}' THEN 0 WHEN outcome = 'registered' THEN greatest(place_weight, 0)
    ELSE place_weight END
"""
_HOUSE = "CASE WHEN outcome = 'registered' THEN greatest(house_weight, 0) ELSE house_weight END"
_SCORED = f"""
CREATE TEMP TABLE scored_firm AS
WITH compared AS (
    SELECT f.variant, s.seeker, p.rowid AS owner, p.property, b.outcome, b.name_bits,
        -- A registered name is one firm wherever it owns; any other is one at one mailing address.
        CASE WHEN b.outcome = 'registered' THEN hash(t.words, t.numbers, t.form)
            ELSE hash(t.words, t.numbers, t.form, p.home) END AS person,
        {LOCATION}
    FROM firm_bits b JOIN party_firm f USING (variant) JOIN seeker s USING (seeker)
    JOIN owner_firm t USING (name) JOIN organisation p USING (name)
    {ADDRESS_JOINS}
    WHERE {NOT_OUTSIDE}
)
SELECT variant, seeker, owner, property, person, outcome, name_bits,
    round(name_bits + {_PLACE} + {_HOUSE}, 6) AS bits,
    false AS conflict
FROM compared
"""
FIRM_DETAILS = f"""
SELECT m.*, {LOCATION}, {_PLACE} AS place_bits, {_HOUSE} AS house_bits
FROM ranked m JOIN seeker s ON s.seeker = m.seeker JOIN organisation p ON p.rowid = m.owner
{ADDRESS_JOINS}
"""


def weigh_firms(connection: duckdb.DuckDBPyConnection) -> None:
    """Make ``scored_firm`` from party_firm, seeker, seeker_key, organisation and frequency."""
    name_organisations(connection)
    for statement in (_NAMES, _WORD_SHARES, _BLOCKS, _COMPARED, _BITS, _SCORED):
        connection.execute(statement)
