-- mart/properties, assessor part: one row per assessment record, with its parcel and use code.
-- Inputs: assessments, parcels, use_codes, derived (one town, one release). Parameters: see properties.py.
-- Windows only over the few rows that need them: carrying all columns through a sort triples the time.
WITH prop_ids AS (
    SELECT prop_id, count(*) AS records FROM assessments WHERE prop_id IS NOT NULL GROUP BY prop_id
),
repeated AS (
    SELECT
        a.assessment_id,
        row_number() OVER (PARTITION BY a.prop_id, a.cama_id ORDER BY a.assessment_id) AS nth_of_both
    FROM assessments AS a
    JOIN prop_ids USING (prop_id)
    WHERE prop_ids.records > 1
),
loc_ids AS (
    SELECT loc_id, count(*)::INTEGER AS records FROM assessments WHERE loc_id IS NOT NULL GROUP BY loc_id
)
SELECT
    -- PROP_ID should be unique in a town and is not always: then the CAMA_ID tells records apart.
    CASE
        WHEN a.prop_id IS NULL THEN a.assessment_id
        WHEN r.nth_of_both IS NULL THEN format('{:03d}-{}', a.town_id, a.prop_id)
        WHEN r.nth_of_both = 1 THEN format('{:03d}-{}~{}', a.town_id, a.prop_id, coalesce(a.cama_id, '0'))
        ELSE format('{:03d}-{}~{}~{}', a.town_id, a.prop_id, coalesce(a.cama_id, '0'), r.nth_of_both)
    END AS property_id,
    a.town_id,
    $town AS town,
    a.loc_id,
    a.prop_id,
    a.cama_id,
    a.assessment_id,
    a.parcel_match,
    p.poly_type,
    l.records AS records_on_parcel,
    coalesce(list_contains($master_codes, a.use_code), false)
        AND coalesce(a.total_val, 0) = 0 AND a.owner1 IS NULL AS is_condominium_master,
    a.site_addr AS site_address,
    a.addr_num AS address_number,
    a.full_str AS street,
    a.location AS unit_location,
    d.address_kind,
    d.house_number,
    d.house_number_high,
    d.street_normalized,
    d.unit,
    d.address_key,
    a.city,
    CASE WHEN regexp_full_match(a.zip, '\d{5}(-?\d{4})?') THEN left(a.zip, 5) END AS zip,
    a.owner1 AS owner_name,
    d.owner_type,
    d.owner_type_rule,
    d.owners,
    d.owner_count,
    d.owner_key,
    d.owner_words,
    d.owner_care_of,
    d.owner_tax_title,
    d.owner_life_estate,
    d.owner_is_trustee,
    d.co_owner_missing,
    coalesce(a.own_addr, a.site_addr) AS mailing_address,
    CASE WHEN a.own_addr IS NULL THEN coalesce(a.own_city, a.city, $town) ELSE a.own_city END AS mailing_city,
    CASE WHEN a.own_addr IS NULL THEN coalesce(a.own_state, 'MA') ELSE a.own_state END AS mailing_state,
    CASE WHEN a.own_addr IS NULL THEN coalesce(a.own_zip, a.zip) ELSE a.own_zip END AS mailing_zip,
    a.own_co AS mailing_country,
    a.own_addr IS NULL AS mailing_is_site,
    d.mailing_key,
    d.occupancy,
    d.occupancy_reason,
    a.use_code,
    u.description AS use_description,
    u.resolved_from AS use_resolved_from,
    coalesce(u.category, 'unknown') AS category,
    coalesce(a.total_val, 0) = 0
        AND coalesce(a.bldg_val, 0) + coalesce(a.land_val, 0) + coalesce(a.other_val, 0) > 0 AS total_value_is_sum,
    CASE
        WHEN total_value_is_sum THEN coalesce(a.bldg_val, 0) + coalesce(a.land_val, 0) + coalesce(a.other_val, 0)
        ELSE a.total_val
    END AS total_value,
    a.land_val AS land_value,
    a.bldg_val AS building_value,
    a.other_val AS other_value,
    CASE a.lot_units WHEN 'A' THEN nullif(a.lot_size, 0) WHEN 'S' THEN nullif(a.lot_size, 0) / $sqft_per_acre END
        AS lot_acres,
    CASE a.lot_units WHEN 'A' THEN nullif(a.lot_size, 0) * $sqft_per_acre WHEN 'S' THEN nullif(a.lot_size, 0) END
        AS lot_sqft,
    p.area_m2 * $sqft_per_m2 AS parcel_sqft,
    -- Of records that share a polygon none is as large as it.
    CASE WHEN l.records = 1 AND p.area_m2 > 0 THEN lot_sqft / parcel_sqft END AS lot_to_parcel_ratio,
    nullif(a.bld_area, 0) AS building_sqft,
    nullif(a.res_area, 0) AS residential_sqft,
    -- The oldest houses of the state are of the 1630s.
    CASE WHEN a.year_built BETWEEN 1600 AND a.fy + 1 THEN a.year_built END AS year_built,
    coalesce(nullif(a.units, 0), CASE WHEN u.units_low = u.units_high THEN u.units_low END) AS units,
    CASE
        WHEN nullif(a.units, 0) IS NOT NULL THEN 'assessor'
        WHEN u.units_low = u.units_high THEN 'use_code'
    END AS units_source,
    u.units_low,
    u.units_high,
    a.num_rooms AS rooms,
    a.style,
    a.stories,
    upper(a.zoning) AS zoning,
    a.ls_date AS last_sale_date,
    a.ls_date_status AS last_sale_date_status,
    nullif(a.ls_price, 0) AS last_sale_price,
    a.ls_nominal AS sale_is_nominal,
    a.ls_bulk AS sale_is_bulk,
    coalesce(a.ls_date IS NOT NULL AND NOT a.ls_nominal AND NOT a.ls_bulk, false) AS sale_is_market,
    round(date_diff('day', a.ls_date, $fetched_at::DATE) / 365.25, 2) AS tenure_years,
    CASE WHEN sale_is_market AND total_value > 0 THEN total_value - a.ls_price END AS value_change,
    round(100.0 * value_change / a.ls_price, 1) AS value_change_percent,
    -- Massachusetts assesses a fiscal year as of the 1 January before it begins (M.G.L. c. 59, s. 2A).
    date_diff('day', a.ls_date, make_date(a.fy - 1, 1, 1)) / 365.25 AS years_to_valuation,
    CASE
        WHEN value_change IS NOT NULL AND years_to_valuation >= 1
        THEN round(100.0 * (pow(total_value / a.ls_price, 1.0 / years_to_valuation) - 1), 2)
    END AS value_annual_rate,
    a.ls_book AS deed_book,
    a.ls_page AS deed_page,
    a.fy AS fiscal_year,
    a.release,
    'MassGIS L3' AS source,
    $source_date::DATE AS source_date,
    $fetched_at::TIMESTAMPTZ AS fetched_at,
    list_filter(
        [
            {'fields': 'assessment', 'source': 'MassGIS L3 Assess', 'source_date': $source_date::DATE,
             'version': a.release},
            CASE WHEN p.loc_id IS NOT NULL THEN
            {'fields': 'parcel', 'source': 'MassGIS L3 TaxPar', 'source_date': coalesce(p.last_edit, $source_date::DATE),
             'version': a.release} END,
            {'fields': 'address, owners, occupancy', 'source': 'derived from MassGIS L3 Assess',
             'source_date': $source_date::DATE, 'version': $rules_version}
        ],
        lambda s: s IS NOT NULL
    ) AS sources,
    p.point_x,
    p.point_y,
    p.lon,
    p.lat
FROM assessments AS a
JOIN derived AS d ON d.assessment_id = a.assessment_id
LEFT JOIN repeated AS r ON r.assessment_id = a.assessment_id
LEFT JOIN loc_ids AS l ON l.loc_id = a.loc_id
LEFT JOIN parcels AS p ON p.loc_id = a.loc_id
LEFT JOIN use_codes AS u ON u.use_code = a.use_code
