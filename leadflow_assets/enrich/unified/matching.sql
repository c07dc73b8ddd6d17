-- Which property each ATTOM id is. See matching.py for the inputs and the rules.
-- An evidence is one way in which records of one ATTOM id name their property.

-- Parcel numbers as letters and digits; and piece by piece without leading zeros, where there are pieces.
CREATE OR REPLACE TEMP MACRO plain_number(text) AS
    nullif(regexp_replace(upper(text), '[^A-Z0-9]', '', 'g'), '');
CREATE OR REPLACE TEMP MACRO piecewise_number(text) AS
    CASE
        WHEN regexp_matches(upper(text), '[A-Z0-9][^A-Z0-9]+[A-Z0-9]')
        THEN regexp_replace(
            trim(regexp_replace(upper(text), '[^A-Z0-9]+', '-', 'g'), '-'), '(^|-)0+([A-Z0-9])', '\1\2', 'g')
    END;
-- Equal but for a letter or two of a long name; a number in a name is never a slip of the pen.
CREATE OR REPLACE TEMP MACRO nearly_equal(a, b) AS
    a = b OR (
        7 * levenshtein(a, b) <= greatest(length(a), length(b))
        AND regexp_extract_all(a, '\d+') = regexp_extract_all(b, '\d+')
    );
CREATE OR REPLACE TEMP MACRO equal_or_missing(a, b) AS a = b OR a = '' OR b = '';

CREATE OR REPLACE TEMP TABLE ours AS
SELECT
    property_id,
    town_id,
    is_condominium_master AS is_master,
    -- Without the town in front and the unit at the end.
    CASE WHEN len(parts) = 11 THEN array_to_string(parts[2:10], '|') END AS base,
    CASE WHEN len(parts) = 11 THEN array_to_string(parts[4:5] || parts[7:10], '|') END AS street,
    house_number AS low,
    house_number_high AS high,
    regexp_extract(parts[2], '^\d*(.*)$', 1) AS letters,
    parts[4] AS rear,
    parts[5] AS off,
    parts[7] AS predir,
    parts[8] AS name,
    parts[9] AS suffix,
    parts[10] AS postdir,
    coalesce(unit, '') AS unit,
    loc_id,
    prop_id
FROM (
    SELECT *, string_split(address_key, '|') AS parts FROM properties
    WHERE town_id IN (SELECT unnest(towns || other_towns) FROM evidence_places SEMI JOIN evidence USING (evidence_id))
        OR property_id IN (SELECT asked_for FROM evidence)
        OR property_id IN (SELECT property_id FROM decided)
);

CREATE OR REPLACE TEMP TABLE streets AS
SELECT DISTINCT town_id, name, suffix FROM ours WHERE name <> '' AND suffix <> '';

-- How many properties share an address but for the unit.
CREATE OR REPLACE TEMP TABLE sharing AS
SELECT town_id, base, count(*) AS properties FROM ours WHERE NOT is_master AND base IS NOT NULL GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE asked AS
SELECT
    e.evidence_id,
    e.attom_id,
    e.asked_for,
    plain_number(e.apn) AS plain,
    piecewise_number(e.apn) AS piecewise,
    a.* EXCLUDE (site_address, site_unit),
    p.towns,
    p.other_towns,
    p.is_sure,
    p.is_elsewhere
FROM evidence AS e
JOIN addresses AS a
    ON a.site_address IS NOT DISTINCT FROM e.site_address AND a.site_unit IS NOT DISTINCT FROM e.site_unit
JOIN evidence_places AS p ON p.evidence_id = e.evidence_id;

-- In the words of the town: CR is a circle where its own rows say so (street_codes).
CREATE OR REPLACE TEMP TABLE asked_in AS
SELECT
    a.* EXCLUDE (towns, other_towns) REPLACE (
        coalesce(c.our_name, a.name) AS name,
        coalesce(c.our_suffix, a.suffix) AS suffix,
        CASE WHEN c.our_name IS NULL THEN a.base ELSE concat_ws('|', a.head, our_name, our_suffix, a.postdir) END AS base,
        CASE
            WHEN c.our_name IS NULL THEN a.street
            ELSE concat_ws('|', a.rear, a.off, a.predir, our_name, our_suffix, a.postdir)
        END AS street
    )
FROM (SELECT *, unnest(towns) AS town_id FROM asked) AS a
LEFT JOIN street_codes AS c ON c.town_id = a.town_id AND c.name = a.name AND c.suffix = a.suffix;

CREATE OR REPLACE TEMP TABLE asked_numbers AS
SELECT DISTINCT evidence_id, town_id, unnest([plain, piecewise]) AS number FROM asked_in WHERE plain IS NOT NULL;

CREATE OR REPLACE TEMP TABLE by_number AS
WITH our_numbers AS (
    SELECT o.property_id, o.town_id, unnest([
        plain_number(o.prop_id), piecewise_number(o.prop_id), plain_number(o.loc_id),
        plain_number(p.map_par_id), piecewise_number(p.map_par_id)
    ]) AS number
    FROM ours AS o
    LEFT JOIN parcels AS p ON p.town_id = o.town_id AND p.loc_id = o.loc_id
    WHERE NOT o.is_master AND o.town_id IN (SELECT town_id FROM asked_numbers)
)
SELECT DISTINCT a.evidence_id, n.property_id
FROM asked_numbers AS a
JOIN our_numbers AS n ON n.town_id = a.town_id AND n.number = a.number
WHERE regexp_matches(a.number, '\d');

-- (a) Asked for by our id: nothing but a contradiction speaks against it.
CREATE OR REPLACE TEMP TABLE by_id AS
SELECT
    a.evidence_id,
    o.property_id,
    o.is_master,
    CASE
        WHEN a.is_sure AND NOT list_contains(a.towns, o.town_id) THEN 'other_town'
        WHEN a.base IS NULL OR o.base IS NULL THEN NULL
        WHEN NOT (
            nearly_equal(coalesce(c.our_name, a.name), o.name)
            AND equal_or_missing(a.predir, o.predir) AND equal_or_missing(a.postdir, o.postdir)
        ) THEN 'other_street'
        -- Another type of street is another street only where the town has that one too.
        WHEN NOT equal_or_missing(coalesce(c.our_suffix, a.suffix), o.suffix) AND t.name IS NOT NULL
            THEN 'other_street'
        WHEN a.low > o.high OR a.high < o.low OR a.rear <> o.rear OR a.off <> o.off
            OR (a.letters <> o.letters AND a.low = a.high AND o.low = o.high) THEN 'other_number'
        WHEN a.unit <> '' AND o.unit <> '' AND a.unit <> o.unit THEN 'other_unit'
        WHEN s.properties > 1 AND NOT (a.unit <> '' AND a.unit = o.unit) AND NOT (o.is_master AND a.unit = '')
            AND n.property_id IS NULL THEN 'several_properties'
    END AS contradiction
FROM asked AS a
JOIN ours AS o ON o.property_id = a.asked_for
LEFT JOIN street_codes AS c ON c.town_id = o.town_id AND c.name = a.name AND c.suffix = a.suffix
LEFT JOIN streets AS t ON t.town_id = o.town_id AND t.name = a.name AND t.suffix = a.suffix
LEFT JOIN sharing AS s ON s.town_id = o.town_id AND s.base = o.base
LEFT JOIN by_number AS n ON n.evidence_id = a.evidence_id AND n.property_id = o.property_id;

-- (b) The same address, then a range of numbers on the same side of the same street.
CREATE OR REPLACE TEMP TABLE by_address AS
SELECT a.evidence_id, o.property_id, o.unit = a.unit AS same_unit, o.unit <> '' AS has_unit, 'same' AS how
FROM asked_in AS a
JOIN ours AS o ON o.town_id = a.town_id AND o.base = a.base AND NOT o.is_master
WHERE a.is_place;

INSERT INTO by_address
SELECT a.evidence_id, o.property_id, o.unit = a.unit, o.unit <> '', 'range'
FROM (FROM asked_in ANTI JOIN by_address USING (evidence_id)) AS a
JOIN ours AS o ON o.town_id = a.town_id AND o.street = a.street AND NOT o.is_master
WHERE a.is_place AND a.letters = '' AND o.letters = '' AND a.low <= o.high AND a.high >= o.low
    AND (a.low % 2 = o.low % 2 OR a.low IN (o.low, o.high) OR a.high IN (o.low, o.high));

-- What only a person can judge: the number and the name are right, something else is not.
CREATE OR REPLACE TEMP TABLE near_misses AS
SELECT DISTINCT a.evidence_id, o.property_id, 'similar_address' AS reason
FROM (FROM asked_in ANTI JOIN by_address USING (evidence_id) ANTI JOIN by_number USING (evidence_id)) AS a
JOIN ours AS o ON o.town_id = a.town_id AND o.name = a.name AND NOT o.is_master
WHERE a.is_place AND a.low <= o.high AND a.high >= o.low;

INSERT INTO near_misses
SELECT DISTINCT a.evidence_id, o.property_id, 'other_town_by_zip'
FROM (
    SELECT * EXCLUDE (other_towns), unnest(other_towns) AS town_id
    FROM asked ANTI JOIN by_address USING (evidence_id) ANTI JOIN by_number USING (evidence_id)
        ANTI JOIN near_misses USING (evidence_id)
) AS a
JOIN ours AS o ON o.town_id = a.town_id AND o.base = a.base AND NOT o.is_master
WHERE a.is_place;

-- What each evidence leads to.
CREATE OR REPLACE TEMP TABLE found AS
WITH addressed AS (
    SELECT
        b.evidence_id,
        any_value(b.how) AS how,
        any_value(a.unit) AS unit,
        list_sort(list(DISTINCT b.property_id)) AS everything,
        -- Without a unit the whole building is meant: it is one of ours only where there is one.
        coalesce(list_sort(list(DISTINCT b.property_id) FILTER (a.unit = '' OR b.same_unit)), []) AS fitting,
        bool_or(b.has_unit) AS has_unit
    FROM by_address AS b
    JOIN asked AS a USING (evidence_id)
    GROUP BY b.evidence_id
),
numbered AS (
    SELECT
        n.evidence_id,
        list_sort(list(DISTINCT n.property_id)) AS everything,
        coalesce(list_sort(list(DISTINCT n.property_id) FILTER (o.unit = a.unit AND a.unit <> '')), []) AS same_unit,
        -- At another address than the record says.
        list(DISTINCT n.property_id) FILTER (
            a.is_place AND (
                a.low > o.high OR a.high < o.low OR NOT nearly_equal(a.name, o.name)
                OR (a.unit <> '' AND o.unit <> '' AND a.unit <> o.unit)
            )
        ) AS elsewhere
    FROM by_number AS n
    JOIN ours AS o USING (property_id)
    JOIN asked_in AS a ON a.evidence_id = n.evidence_id AND a.town_id = o.town_id
    GROUP BY n.evidence_id
),
likely AS (
    SELECT evidence_id, any_value(reason) AS reason, list_sort(list(DISTINCT property_id)) AS everything
    FROM near_misses
    GROUP BY evidence_id
),
weighed AS (
    SELECT
        a.evidence_id,
        a.attom_id,
        a.towns,
        a.is_elsewhere,
        i.property_id AS id_property,
        i.is_master AS id_is_master,
        i.contradiction,
        d.how,
        d.unit,
        d.has_unit,
        d.everything AS address_all,
        d.fitting AS address_fit,
        -- Several at the address, or none with the unit: the parcel number may say which.
        list_intersect(CASE WHEN len(d.fitting) > 1 THEN d.fitting ELSE d.everything END, n.everything) AS both_fit,
        n.everything AS number_all,
        CASE WHEN len(n.same_unit) > 0 THEN n.same_unit ELSE n.everything END AS number_fit,
        n.elsewhere AS number_elsewhere,
        l.reason AS likely_reason,
        l.everything AS likely_all
    FROM asked AS a
    LEFT JOIN by_id AS i USING (evidence_id)
    LEFT JOIN addressed AS d USING (evidence_id)
    LEFT JOIN numbered AS n USING (evidence_id)
    LEFT JOIN likely AS l USING (evidence_id)
)
SELECT
    evidence_id,
    attom_id,
    towns,
    is_elsewhere,
    CASE
        WHEN contradiction IS NOT NULL THEN contradiction
        -- Near enough to what was asked for, but exactly the address of another property.
        WHEN id_property IS NOT NULL AND how = 'same' AND NOT id_is_master
            AND NOT list_contains(address_all, id_property) THEN 'address_differs'
        WHEN id_property IS NOT NULL THEN 'property_id'
        WHEN len(address_fit) = 1 AND number_all IS NOT NULL AND NOT list_contains(number_all, address_fit[1])
            THEN 'parcel_number_differs'
        WHEN len(address_fit) = 1 AND how = 'range' THEN 'number_in_range'
        WHEN len(address_fit) = 1 AND unit = '' AND has_unit THEN 'only_unit_at_address'
        WHEN len(address_fit) = 1 THEN 'same_address'
        WHEN len(both_fit) = 1 THEN 'address_and_parcel_number'
        WHEN len(address_fit) > 1 THEN 'several_properties'
        WHEN address_all IS NOT NULL THEN 'unit_not_found'
        WHEN len(number_fit) > 1 THEN 'several_properties'
        WHEN list_contains(number_elsewhere, number_fit[1]) THEN 'address_differs'
        WHEN number_fit IS NOT NULL THEN 'parcel_number'
        WHEN likely_reason IS NOT NULL THEN likely_reason
        WHEN len(towns) > 0 THEN 'no_such_address'
    END AS reason,
    CASE reason
        WHEN 'property_id' THEN id_property
        WHEN 'number_in_range' THEN address_fit[1]
        WHEN 'only_unit_at_address' THEN address_fit[1]
        WHEN 'same_address' THEN address_fit[1]
        WHEN 'address_and_parcel_number' THEN both_fit[1]
        WHEN 'parcel_number' THEN number_fit[1]
    END AS property_id,
    -- For a person: everything that speaks for one of ours.
    CASE
        WHEN property_id IS NOT NULL OR reason IS NULL OR reason = 'no_such_address' THEN []
        ELSE list_sort(list_distinct(
            CASE WHEN id_property IS NULL THEN [] ELSE [id_property] END
            || coalesce(CASE WHEN len(address_fit) > 0 THEN address_fit ELSE address_all END, [])
            || coalesce(CASE WHEN reason IN ('unit_not_found', 'other_unit') THEN [] ELSE number_fit END, [])
            || coalesce(likely_all, [])
        ))
    END AS candidates
FROM weighed;

-- What all evidence of one ATTOM id leads to, taken together.
CREATE OR REPLACE TEMP TABLE pooled AS
WITH sides AS (
    SELECT
        f.attom_id,
        list_sort(list(DISTINCT f.property_id) FILTER (f.property_id IS NOT NULL)) AS certain,
        min(r.rank) FILTER (r.status = 'matched') AS matched_rank,
        min(r.rank) FILTER (r.status = 'review') AS review_rank,
        min(r.rank) FILTER (r.blocks) AS blocking_rank,
        list_sort(list_distinct(flatten(list(f.candidates)))) AS doubtful,
        list(f.candidates) FILTER (r.status = 'review') AS reviews,
        bool_or(f.reason = 'no_such_address') AS looked_for,
        min(f.towns[1]) AS town_id,
        bool_or(f.is_elsewhere) AS is_elsewhere
    FROM found AS f
    LEFT JOIN reasons AS r USING (reason)
    GROUP BY f.attom_id
)
SELECT
    attom_id,
    town_id,
    is_elsewhere,
    coalesce(certain, []) AS certain,
    list_sort(list_distinct(coalesce(certain, []) || doubtful)) AS candidates,
    CASE
        WHEN blocking_rank IS NOT NULL THEN blocking_rank
        WHEN len(certain) > 1 OR (
            len(certain) = 1 AND len(list_filter(reviews, lambda one: NOT list_contains(one, certain[1]))) > 0
        ) THEN (SELECT rank FROM reasons WHERE reason = 'sources_disagree')
        ELSE coalesce(matched_rank, review_rank)
    END AS rank,
    looked_for
FROM sides;

-- A person's word goes first; then one property has one ATTOM id, the one that is best founded.
CREATE OR REPLACE TEMP TABLE settled AS
SELECT
    p.attom_id,
    p.town_id,
    p.candidates,
    p.is_elsewhere,
    CASE
        WHEN d.attom_id IS NOT NULL AND d.property_id IS NULL THEN 'rejected'
        WHEN d.attom_id IS NOT NULL AND o.property_id IS NULL THEN 'decision_outdated'
        WHEN d.attom_id IS NOT NULL THEN 'confirmed'
        WHEN p.rank IS NOT NULL THEN r.reason
        WHEN p.looked_for THEN 'no_such_address'
    END AS reason,
    CASE WHEN d.attom_id IS NOT NULL THEN o.property_id WHEN r.status = 'matched' THEN p.certain[1] END AS property_id
FROM pooled AS p
LEFT JOIN reasons AS r ON r.rank = p.rank
LEFT JOIN decided AS d ON d.attom_id = p.attom_id
LEFT JOIN ours AS o ON o.property_id = d.property_id;

CREATE OR REPLACE TEMP TABLE matches AS
WITH best AS (
    SELECT s.property_id, min(r.strength) AS strength, count(*) AS ids FROM settled AS s JOIN reasons AS r USING (reason)
    WHERE s.property_id IS NOT NULL GROUP BY s.property_id
),
equals AS (
    SELECT s.property_id, count(*) AS ids FROM settled AS s JOIN reasons AS r USING (reason)
    JOIN best AS b ON b.property_id = s.property_id AND b.strength = r.strength GROUP BY s.property_id
),
final AS (
    SELECT
        s.* EXCLUDE (reason),
        CASE
            WHEN s.property_id IS NULL OR s.reason = 'confirmed' THEN s.reason
            WHEN r.strength > b.strength OR e.ids > 1 THEN 'property_taken'
            ELSE s.reason
        END AS reason
    FROM settled AS s
    LEFT JOIN reasons AS r USING (reason)
    LEFT JOIN best AS b ON b.property_id = s.property_id
    LEFT JOIN equals AS e ON e.property_id = s.property_id
)
SELECT
    f.attom_id,
    CASE WHEN r.status = 'matched' THEN o.town_id ELSE coalesce(c.town_id, f.town_id) END AS town_id,
    CASE WHEN r.status = 'matched' THEN f.property_id END AS property_id,
    r.status AS match_status,
    r.method AS match_method,
    f.reason AS match_reason,
    CASE
        WHEN r.status = 'review'
        THEN list_sort(list_distinct(f.candidates || CASE WHEN f.property_id IS NULL THEN [] ELSE [f.property_id] END))
    END AS candidates,
    f.is_elsewhere
FROM final AS f
LEFT JOIN reasons AS r USING (reason)
LEFT JOIN ours AS o ON o.property_id = f.property_id
LEFT JOIN ours AS c ON c.property_id = f.candidates[1];
