"""Probabilities: everybody who could be the party competes, each person once however much they own.

Sums are made of whole numbers, so that no order of rows or threads can change a digit.
"""

from __future__ import annotations

from leadflow_assets.domain.linkage.weights import HELD_IF_BOUGHT_LATER, HELD_IF_DEEDED_LATER

# Beyond this a weight changes nothing; 2^100 still fits a sum of ten thousand in a HUGEINT.
_MOST_BITS = 90
_FINE = 10  # binary places kept of a weight's power

TITLE = """
CASE WHEN s.filed IS NULL OR p.bought IS NULL THEN 'unknown' WHEN p.bought <= s.filed THEN 'held'
    WHEN p.nominal IS NOT FALSE THEN 'unclear' ELSE 'bought_later' END
"""


def rank(scored: str, owner: str, unseen: str) -> str:
    """SQL that makes ``ranked`` of a table of scored pairs.

    ``scored`` has seeker, variant, owner (row of the table ``owner``), person, property, bits, conflict;
    ``unseen`` is SQL over the seeker ``s``: how many compete who own nothing known.
    ``ranked`` holds the best row of each party and property with its probability.
    """
    return f"""
CREATE OR REPLACE TEMP TABLE ranked AS
WITH several AS (SELECT seeker FROM (SELECT DISTINCT seeker, variant FROM {scored}) GROUP BY seeker
    HAVING count(*) > 1),
best AS (
    FROM {scored} ANTI JOIN several USING (seeker)
    UNION ALL
    (FROM {scored} SEMI JOIN several USING (seeker)
    QUALIFY row_number() OVER (PARTITION BY seeker, owner ORDER BY bits DESC, variant) = 1)
),
who AS (
    SELECT seeker, person, least(max(bits), {_MOST_BITS}) AS person_bits FROM best GROUP BY ALL
),
total AS (
    SELECT seeker, sum(round(pow(2.0, person_bits + {_FINE}))::HUGEINT)::DOUBLE / {2**_FINE} AS weight
    FROM who GROUP BY ALL
),
likely AS (
    -- A parcel whose middle name or suffix contradicts is not proved by the owner's other parcels.
    SELECT b.*, w.person_bits, {unseen} AS unseen,
        pow(2.0, CASE WHEN conflict THEN least(b.bits, {_MOST_BITS}) ELSE w.person_bits END)
            / ({unseen} + total.weight) AS alone
    FROM best b JOIN who w USING (seeker, person) JOIN total USING (seeker) JOIN seeker s USING (seeker)
    WHERE alone >= $least / 10
),
known AS (
    SELECT l.*, s.party_id, p.property_id, p.number, p.role, {TITLE} AS title,
        CASE title WHEN 'bought_later' THEN {HELD_IF_BOUGHT_LATER} WHEN 'unclear' THEN {HELD_IF_DEEDED_LATER}
            ELSE 1.0 END AS held, alone * held AS chance
    FROM likely l JOIN seeker s USING (seeker) JOIN {owner} p ON p.rowid = l.owner
),
owners AS (
    FROM known QUALIFY row_number() OVER (
        PARTITION BY seeker, property, person ORDER BY chance DESC, bits DESC, number) = 1
),
properties AS (
    -- Father and son on one deed: the party owns it whichever of them it is.
    SELECT *, least(sum(chance::DECIMAL(18, 15)) OVER (PARTITION BY seeker, property), 1)::DOUBLE
        AS probability
    FROM owners
)
SELECT * FROM properties WHERE probability >= $least
QUALIFY row_number() OVER (
    PARTITION BY party_id, property ORDER BY probability DESC, seeker, chance DESC, bits DESC, number) = 1
"""


RIVALS = """
SELECT m.seeker, m.person, count(*) - 1 AS rivals
FROM (SELECT DISTINCT seeker, person, person_bits FROM ranked) m
JOIN (SELECT seeker, person, max(bits) AS other_bits FROM {scored} GROUP BY ALL) o
    ON o.seeker = m.seeker AND o.other_bits >= m.person_bits - 1
GROUP BY ALL
"""
