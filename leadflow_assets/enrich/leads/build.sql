-- Leads of the whole lake. Before: the views properties and scores; the tables added(property_id) and
-- withheld(property_id). Statements are run one by one.

-- Every property whose owner may be a lead.
CREATE OR REPLACE TEMP TABLE candidates AS
SELECT s.property_id, s.town_id, s.score, s.coverage, p.total_value, p.owner_key,
    coalesce(p.mailing_key, 'property:' || p.property_id) AS place, a.property_id IS NOT NULL AS is_added
FROM scores AS s JOIN properties AS p USING (property_id)
LEFT JOIN added AS a USING (property_id)
WHERE s.state <> 'not_applicable' AND NOT p.is_condominium_master AND p.owner_key IS NOT NULL
    AND p.property_id NOT IN (SELECT property_id FROM withheld);

-- Owners at one of whose properties something counts, or who were added.
CREATE OR REPLACE TEMP TABLE chosen AS
SELECT owner_key, place, bool_or(is_added) AS is_added
FROM candidates GROUP BY owner_key, place HAVING max(score) > 0 OR bool_or(is_added);

CREATE OR REPLACE TEMP TABLE ranked AS
SELECT c.* EXCLUDE (is_added), g.is_added,
    row_number() OVER (
        PARTITION BY c.owner_key, c.place ORDER BY c.score DESC, c.coverage DESC, c.property_id
    ) AS number
FROM candidates AS c JOIN chosen AS g USING (owner_key, place);

CREATE OR REPLACE TEMP TABLE members AS
SELECT r.owner_key, r.place, any_value(r.is_added) AS is_added,
    list({
        'property_id': r.property_id, 'town_id': r.town_id, 'town': p.town, 'site_address': p.site_address,
        'score': r.score, 'coverage': r.coverage, 'total_value': r.total_value
    } ORDER BY r.number) AS properties,
    count(*) AS property_count, count(DISTINCT r.town_id) AS town_count, sum(r.total_value) AS total_value
FROM ranked AS r JOIN properties AS p USING (property_id) GROUP BY r.owner_key, r.place;

-- The best property of each with all that is shown of it.
CREATE OR REPLACE TEMP TABLE best AS
SELECT r.owner_key, r.place, p.*, s.* EXCLUDE (property_id)
FROM ranked AS r
JOIN (SELECT {best_properties} FROM properties) AS p USING (property_id)
JOIN (SELECT {best_scores} FROM scores) AS s USING (property_id)
WHERE r.number = 1;

CREATE OR REPLACE TEMP TABLE counted AS
SELECT property_id, version, position, line.factor, line.points, line.event_date, line.source, line.confidence
FROM (
    SELECT property_id, version, unnest(reasons) AS line, generate_subscripts(reasons, 1) AS position FROM best
)
WHERE line.counted AND line.kind = 'signal';
